/*
 * multi: libcurl's transfers, driven by the process's loop; nothing waits.
 *
 * The process cannot make sockets: transfers get theirs through the open-socket
 * callback, already connected.
 */
#ifndef FX_MULTI_H
#define FX_MULTI_H

#include "base.h"
#include "loop.h"

#include <curl/curl.h>

struct multi {
	CURLM *curl;
	struct loop *loop;
	struct loop_timer timer; /* what libcurl waits for */
	const unsigned *busy;	 /* transfers on their way; NULL: few */
	void (*reap)(void *arg); /* some may have ended */
	void *arg;
};

/* Library start that needs files: before lock-down. */
void multi_warm_up(void);

/* `busy` has the transfers of a connection that many share looked at less
 * often; it may be NULL. */
void multi_open(struct multi *, struct loop *, const unsigned *busy,
    void (*reap)(void *arg), void *arg);
/* After its transfers were taken off. */
void multi_close(struct multi *);

/* For CURLOPT_SOCKOPTFUNCTION: the socket is connected.  Older versions of
 * libcurl call connect(2) all the same, to which the filter says yes without
 * doing it. */
int multi_on_sockopt(void *arg, curl_socket_t, curlsocktype);

#endif
