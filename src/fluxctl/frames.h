/*
 * frames: one byte stream to a pod inside the frames of a port-forward.
 *
 * An API server speaks two protocols for it, SPDY/3.1 and WebSocket channels;
 * in both a few streams are multiplexed on one connection, of which we need
 * one with data and one on which a failure is told in words.  This is the
 * framing alone: bytes go in and out of buffers, nobody connects here.
 *
 * There is no library for SPDY that Debian still has; of WebSocket a client
 * needs little more than the length of a frame.  What the server sends is
 * foreign: frames of any size are passed through piece by piece, and nothing
 * is kept of them but what the caller takes and a bounded text.
 */
#ifndef CTL_FRAMES_H
#define CTL_FRAMES_H

#include "base.h"
#include "buf.h"

#define FRAMES_CHUNK_MAX 16384 /* bytes that are fed, and sent, at once */
#define FRAMES_TEXT_MAX 1024   /* bytes of a failure's text; the rest is cut */
#define FRAMES_HEAD_MAX 16     /* bytes of the longest header */
#define FRAMES_NOTE_MAX 128    /* payload of a control frame that matters */

/* Where the payload of the frame that is being read goes. */
enum frames_sink {
	FRAMES_SKIP,
	FRAMES_DATA,  /* to the caller */
	FRAMES_ERROR, /* into the text */
	FRAMES_NOTE   /* kept until the frame is complete */
};

struct frames;

struct frames_protocol {
	/* Append what opens the stream to the port. */
	void (*open)(struct frames *, uint16_t port);
	/* Append a frame with n > 0 bytes of data. */
	void (*data)(struct frames *, const uint8_t *, size_t n);
	/* Append the end of our data, and of all. */
	void (*end)(struct frames *);
	void (*close)(struct frames *);
	/* How many bytes of header there are, as far as the n that have come
	 * tell; more than n: go on. */
	size_t (*head)(const struct frames *, size_t n);
	/* The header is complete: set left, sink and what else is told by it.
	 * FX_ESYNTAX when no server would send it. */
	int (*begin)(struct frames *);
	/* The payload is complete. */
	void (*finish)(struct frames *);
};

extern const struct frames_protocol frames_spdy, frames_websocket;

struct frames {
	const struct frames_protocol *protocol;
	struct buf in;	 /* data from the pod */
	struct buf out;	 /* frames for the server */
	struct buf text; /* why it did not work, in the server's words */
	bool ended;	 /* the pod sends no more */
	bool text_ended; /* no more will be said */
	bool over;	 /* the server has ended it all */

	/* of the frame that is being read */
	uint8_t h[FRAMES_HEAD_MAX];
	size_t nh;
	bool in_payload;
	uint64_t left; /* of its payload */
	enum frames_sink sink;
	uint8_t note[FRAMES_NOTE_MAX];
	size_t nnote;
	enum frames_sink message; /* where the continuations of a message go */
	bool port_told[2];	  /* by each channel's first message */
};

void frames_init(struct frames *, const struct frames_protocol *);
void frames_clear(struct frames *);

/* Take what the server sent, at most FRAMES_CHUNK_MAX bytes, when f->in is
 * empty.  FX_ESYNTAX: this is not the protocol. */
int frames_feed(struct frames *, const uint8_t *, size_t n) FX_MUSTUSE;

#endif
