/*
 * name_server: a name server for tests, on loopback and in the test's loop.
 *
 * It answers by the first label of the name asked for:
 *
 *	good	127.0.0.1			fails	server failure
 *	two	127.0.0.2, 127.0.0.1		silent	nothing
 *	many	more than are tried		garbage	a header, then lies
 *	cut	good, but over TCP only		loop	a name that is itself
 *	other	no such name			short	half a header
 */
#ifndef NAME_SERVER_H
#define NAME_SERVER_H

#include "base.h"
#include "fd.h"
#include "loop.h"
#include "resolve.h"
#include "test.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUERY_MAX 512
#define HEADER 12

struct name_server {
	int udp, tcp, client; /* client: of TCP; one at a time */
	struct loop_source *on_udp, *on_tcp, *on_client;
	char servers[32]; /* as lookup_new wants it */
	unsigned asked, asked_by_tcp;
};

static inline size_t
ns_put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return 2;
}

/* An A record of the name asked for. */
static inline size_t
ns_put_a(uint8_t *p, const char *address)
{
	size_t n = 0;

	n += ns_put16(p + n, 0xc000 | HEADER); /* the name, by reference */
	n += ns_put16(p + n, 1);	       /* A */
	n += ns_put16(p + n, 1);	       /* IN */
	n += ns_put16(p + n, 0);
	n += ns_put16(p + n, 60); /* seconds to live */
	n += ns_put16(p + n, 4);
	want_int(inet_pton(AF_INET, address, p + n), 1);
	return n + 4;
}

/* Lies behind the header and the question of n bytes; 0: says nothing. */
static inline size_t
ns_lie(uint8_t *p, size_t n, const char *label)
{
	ns_put16(p + 2, 0x8180);
	if (strcmp(label, "garbage") == 0) {
		ns_put16(p + 6, 0xffff);
		memset(p + n, 0xff, 64);
		return n + 64;
	}
	if (strcmp(label, "loop") == 0) {
		ns_put16(p + 6, 1);
		ns_put16(p + n, 0xc000 | (unsigned)n);
		memset(p + n + 2, 0, 16);
		return n + 18;
	}
	return strcmp(label, "short") == 0 ? 7 : 0;
}

/* Answer in place what is n bytes long; gives the answer's length. */
static inline size_t
ns_answer(uint8_t *p, size_t n, bool tcp)
{
	char label[64] = "";
	unsigned count = 0, code = 0;
	size_t at = HEADER;
	bool a;

	if (!want(n > HEADER && p[at] < sizeof(label) && n > at + p[at]))
		return 0;
	memcpy(label, p + at + 1, p[at]);
	while (at < n && p[at] != 0)
		at += p[at] + 1u;
	a = p[at + 2] == 1;
	n = at + 5;
	ns_put16(p + 10, 0); /* the question alone: no EDNS behind it */
	if (strcmp(label, "cut") == 0 && !tcp) {
		ns_put16(p + 2, 0x8380);
		return n;
	}
	if (strcmp(label, "good") == 0 || strcmp(label, "cut") == 0) {
		if (a)
			n += ns_put_a(p + n, "127.0.0.1"), count++;
	} else if (strcmp(label, "two") == 0) {
		if (a)
			n += ns_put_a(p + n, "127.0.0.2"),
			    n += ns_put_a(p + n, "127.0.0.1"), count += 2;
	} else if (strcmp(label, "many") == 0) {
		for (; a && count < RESOLVE_MAX + 8; count++)
			n += ns_put_a(p + n, "127.0.0.3");
	} else if (strcmp(label, "fails") == 0) {
		code = 2;
	} else if (strcmp(label, "other") == 0) {
		code = 3;
	} else {
		return ns_lie(p, n, label);
	}
	ns_put16(p + 2, 0x8180 | code);
	ns_put16(p + 6, count);
	return n;
}

static inline void
ns_on_udp(struct loop *loop, int fd, short revents, void *arg)
{
	struct name_server *s = arg;
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	uint8_t p[QUERY_MAX * 4];
	ssize_t n =
	    recvfrom(fd, p, QUERY_MAX, 0, (struct sockaddr *)&from, &len);
	size_t size;

	(void)loop;
	(void)revents;
	if (!want(n > 0))
		return;
	s->asked++;
	size = ns_answer(p, (size_t)n, false);
	if (size != 0)
		want(sendto(fd, p, size, 0, (struct sockaddr *)&from, len) ==
		    (ssize_t)size);
}

/* Small enough to come in one piece. */
static inline void
ns_on_client(struct loop *loop, int fd, short revents, void *arg)
{
	struct name_server *s = arg;
	uint8_t p[2 + QUERY_MAX * 4];
	ssize_t n = recv(fd, p, 2 + QUERY_MAX, 0);
	size_t at = 0, end = n > 0 ? (size_t)n : 0;

	(void)revents;
	while (at + 2 < end) {
		size_t asked = (size_t)p[at] << 8 | p[at + 1], size;
		uint8_t out[2 + QUERY_MAX * 4];

		if (!want(at + 2 + asked <= end))
			break;
		memcpy(out + 2, p + at + 2, asked);
		size = ns_answer(out + 2, asked, true);
		ns_put16(out, (unsigned)size);
		want(send(fd, out, 2 + size, MSG_NOSIGNAL) ==
		    (ssize_t)(2 + size));
		s->asked_by_tcp++;
		at += 2 + asked;
	}
	if (n <= 0) {
		loop_del(loop, &s->on_client);
		fd_close(&s->client);
	}
}

static inline void
ns_on_tcp(struct loop *loop, int fd, short revents, void *arg)
{
	struct name_server *s = arg;

	(void)revents;
	loop_del(loop, &s->on_client);
	fd_close(&s->client);
	s->client = accept(fd, NULL, NULL);
	s->on_client = loop_add(loop, s->client, POLLIN, ns_on_client, s);
}

/* Both protocols on one port, which may take some tries. */
static inline void
name_server_start(struct name_server *s, struct loop *loop)
{
	struct sockaddr_in sin;
	socklen_t n = sizeof(sin);

	*s = (struct name_server){ .udp = -1, .tcp = -1, .client = -1 };
	do {
		fd_close(&s->udp);
		fd_close(&s->tcp);
		sin = (struct sockaddr_in){ .sin_family = AF_INET,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		s->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		s->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		want_int(bind(s->udp, (struct sockaddr *)&sin, n), 0);
		want_int(getsockname(s->udp, (struct sockaddr *)&sin, &n), 0);
	} while (bind(s->tcp, (struct sockaddr *)&sin, n) == -1 ||
	    listen(s->tcp, 8) == -1);
	snprintf(s->servers, sizeof(s->servers), "127.0.0.1:%u",
	    ntohs(sin.sin_port));
	s->on_udp = loop_add(loop, s->udp, POLLIN, ns_on_udp, s);
	s->on_tcp = loop_add(loop, s->tcp, POLLIN, ns_on_tcp, s);
}

static inline void
name_server_stop(struct name_server *s, struct loop *loop)
{
	loop_del(loop, &s->on_udp);
	loop_del(loop, &s->on_tcp);
	loop_del(loop, &s->on_client);
	fd_close(&s->udp);
	fd_close(&s->tcp);
	fd_close(&s->client);
}

#endif
