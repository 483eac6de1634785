/*
 * wsframe: frames of WebSocket (RFC 6455), as a client writes and reads them.
 */
#ifndef FX_WSFRAME_H
#define FX_WSFRAME_H

#include "base.h"
#include "buf.h"

enum ws_opcode {
	WS_CONTINUATION = 0,
	WS_TEXT = 1,
	WS_BINARY = 2,
	WS_CLOSE = 8,
	WS_PING = 9,
	WS_PONG = 10,
};

#define WS_NORMAL 1000 /* codes in a close frame */
#define WS_PROTOCOL 1002
#define WS_CONTROL_MAX 125 /* bytes of a control frame's payload */
#define WS_HEAD_MAX 10	   /* bytes of what a server puts before a payload */
#define WS_ADDED_MAX 8	   /* bytes that ws_put adds to a payload */

/*
 * Append a frame, of at most UINT16_MAX bytes, for which there has to be room:
 * a prefix, then the data; fin: its message ends with it.
 */
void ws_put(struct buf *, enum ws_opcode, bool fin, const uint8_t *prefix,
    size_t nprefix, const uint8_t *data, size_t n);

struct ws_head {
	uint8_t opcode;
	bool fin;
	uint64_t length; /* of the payload */
};

/* How long the header is, as far as its n bytes that have come tell; more than
 * n: go on. */
size_t ws_head_size(const uint8_t *, size_t n);
/* A whole one.  FX_ESYNTAX: no server would send it to us, who have agreed on
 * no extension. */
int ws_head_read(const uint8_t *, struct ws_head *) FX_MUSTUSE;

/* Base64 of 16 bytes in a request, and what a server that speaks WebSocket
 * makes of it. */
#define WS_KEY_SIZE 25
void ws_key(char key[WS_KEY_SIZE]);
bool ws_accepts(const char *key, const char *accept, size_t n);

#endif
