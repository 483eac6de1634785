/*
 * fake_http: an API server that means ill, for tests of fluxd-sync.
 *
 * HTTP/1.1 without TLS on a port of its own, a thread for each connection; what
 * it answers is the test's.
 */
#ifndef FX_FAKE_HTTP_H
#define FX_FAKE_HTTP_H

#include "base.h"

/* One request; body: the beginning of it.  false closes the connection.  Called
 * by many threads. */
typedef bool
fake_fn(int fd, const char *method, const char *path, const char *body);

/* Serve from now on; a kubeconfig for it, to be removed at the end and owned
 * by the caller. */
char *fake_start(fake_fn *);

bool fake_say(int fd, const char *, size_t n);
/* An answer of JSON; more: header lines. */
bool fake_answer(int fd, int code, const char *more, const char *body);
/* A piece of an answer in chunks. */
bool fake_chunk(int fd, const char *, size_t n);
/* Until the other side ends it. */
void fake_hold(int fd);

#endif
