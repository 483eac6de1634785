/*
 * wire: the connection that the service calls over: WebSocket, of which we are
 * the client, on the loop.
 *
 * It is a stream of bytes in both directions: the payloads of binary messages
 * are put together as they come, whatever the service calls a message; what we
 * send at once is one message.  The connection is dialled when it is asked for,
 * through a socket that a hook asks for, with two deadlines; afterwards it is
 * pinged, and ends when nothing was heard or could be written for too long.
 */
#ifndef FX_UW_WIRE_H
#define FX_UW_WIRE_H

#include "base.h"
#include "buf.h"
#include "loop.h"
#include "post.h"

#define WIRE_DIAL_US (10 * CLK_SEC)  /* until TLS is there */
#define WIRE_GREET_US (10 * CLK_SEC) /* until it is a WebSocket */
#define WIRE_PING_US (13333 * CLK_MS)
#define WIRE_READ_US (30 * CLK_SEC)  /* since data or an answer to a ping */
#define WIRE_WRITE_US (10 * CLK_SEC) /* without a byte taken */
#define WIRE_CHUNK (16 * 1024)	     /* read, and sent in a frame, at once */

struct wire;

/* How it ended. */
struct wire_end {
	int status;	   /* of an answer that was no WebSocket; 0: none */
	struct fx_err err; /* FX_OK: the service closed it */
};

struct wire_hooks {
	/* A connected socket is needed within this time. */
	void (*connect)(void *arg, int64_t span_us);
	void (*up)(void *arg);
	/* Bytes; the wire may be paused or closed from here. */
	void (*data)(void *arg, const uint8_t *, size_t n);
	/* It is not there any more, or did not come up. */
	void (*down)(void *arg, const struct wire_end *);
	void *arg;
};

/* Before lock-down: libcurl makes a pair of sockets. */
struct wire *wire_new(struct loop *, const struct wire_hooks *);
void wire_free(struct wire **);

/* Once; the target's proxy is not for this connection. */
void wire_to(struct wire *, const struct post_target *);

/* Dial; there must be no connection. */
void wire_dial(struct wire *);
/* Takes the descriptor. */
void wire_connected(struct wire *, int fd);
void wire_not_connected(struct wire *, const struct fx_err *);

/* One message; takes the content. */
void wire_send(struct wire *, struct buf *);
/* Bytes that wait to be sent. */
size_t wire_queued(const struct wire *);
/* No data for now, or again. */
void wire_pause(struct wire *, bool);

/* Give it up: `down` is called with the error. */
void wire_fail(struct wire *, int code, const char *why);

#endif
