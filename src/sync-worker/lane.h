/*
 * lane: what client.c and transfer.c share and nobody else sees.
 *
 * client.c decides when a request is sent, sent again and ended; transfer.c
 * makes one try of it with libcurl.
 */
#ifndef FX_SW_LANE_H
#define FX_SW_LANE_H

#include "base.h"
#include "client.h"
#include "multi.h"

#define HEADERS_MAX 48		   /* of our own that a request carries */
#define CONNECTIONS_MAX 16	   /* of one lane, draining ones included */
#define SILENCE_US (180 * CLK_SEC) /* of a watch: bookmarks come sooner */
#define HEADER_VALUE_MAX 512	   /* of an answer's header that we look at */

/* One lane: its connections, what runs on them and what waits. */
struct lane {
	struct client *client;
	enum client_lane which;
	struct multi multi;
	struct loop_timer pump_timer;	 /* what waiting requests wait for */
	struct loop_timer silence_timer; /* when streams are looked at */
	struct loop_timer tail_timer;	 /* when whole answers are */
	struct request *waiting, **tail;
	int64_t due_us; /* none of them has to be looked at before */
	struct request *running;
	unsigned in_flight, in_flight_max;
	int spare;		  /* connected, not yet libcurl's; -1 */
	int fds[CONNECTIONS_MAX]; /* libcurl's */
	size_t nfds;
	bool connecting; /* a socket has been asked for */
	bool starved;	 /* libcurl wanted a socket and there was none */
	unsigned connect_tries;
	int64_t connect_after_us;
	int64_t hold_until_us;	     /* the server wants to be left alone */
	struct fx_err connect_error; /* of the last try; FX_OK: it worked */
	char resolve[600];	     /* "host:port:address" */
	int64_t heard_us;	     /* when the server last said anything */
};

struct request_state {
	struct request *next, **at; /* of waiting or running */
	struct lane *lane;
	CURL *easy; /* NULL: waiting */
	struct curl_slist *headers, *resolve;
	struct buf body;  /* of the answer */
	struct buf error; /* beginning of the body of an answer that is one */
	char content_type[HEADER_VALUE_MAX], etag[HEADER_VALUE_MAX];
	char retry_after[32];
	char problem[CURL_ERROR_SIZE];
	int64_t deadline_us, not_before_us, started_us, heard_us;
	unsigned tries;
	struct sw_status *said; /* owned; by the server, before this try; or
				   NULL */
	bool renewed;		/* credentials were asked for once already */
	int refused;		/* why we did not take the answer; FX_OK */
};

struct client {
	struct loop *loop;
	struct client_hooks hooks;
	struct lane lanes[LANE_COUNT];
	struct kc_url url;
	char *tls_name; /* host to name and to verify */
	bool insecure;
	bool logged_in; /* credentials are there */
	struct tls tls;
	char *headers[HEADERS_MAX];
	size_t nheaders;
	uint64_t random;
};

/* lane.c */
void lane_init(struct client *, enum client_lane, unsigned in_flight,
    long connections);
/* Put it where *at is; take it off whichever list of the lane it is on. */
void lane_put(struct request **at, struct request *);
void lane_take(struct lane *, struct request *);

/* client.c: requests that have ended, and those that may begin. */
void lane_reap(struct lane *);
void lane_pump(struct loop *, void *lane);
/* client.c: the end of a request that has left its lane: the server answered;
 * or there was no (whole) answer. */
void lane_answered(struct request *);
void lane_broke_off(struct request *, CURLcode);

/* silence.c: streams whose other side has fallen silent. */
void lane_listen(struct loop *, void *lane);
/* silence.c: more of an answer came; if that is all of it, it ends soon. */
void lane_tail(struct request *);
void lane_finish(struct loop *, void *lane);

/* transfer.c: hand the request to libcurl on its lane. */
void transfer_start(struct request *);
/* Forget that try, whatever came of it. */
void transfer_reset(struct request *);
/* The answer's status; 0 before there is one. */
long transfer_code(const struct request *);

#endif
