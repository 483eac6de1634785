/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "fake_http.h"

#include "str.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_MAX 16384

static int listener;
static fake_fn *serve_request;

bool
fake_say(int fd, const char *s, size_t n)
{
	for (ssize_t w; n > 0; s += w, n -= (size_t)w) {
		w = send(fd, s, n, MSG_NOSIGNAL);
		if (w <= 0)
			return false;
	}
	return true;
}

bool
fake_answer(int fd, int code, const char *more, const char *body)
{
	auto_free char *s = xasprintf("HTTP/1.1 %d X\r\nContent-Type: "
				      "application/json\r\n%sContent-Length: "
				      "%zu\r\n\r\n%s",
	    code, more, strlen(body), body);

	return fake_say(fd, s, strlen(s));
}

bool
fake_chunk(int fd, const char *s, size_t n)
{
	char head[32];

	snprintf(head, sizeof(head), "%zx\r\n", n);
	return fake_say(fd, head, strlen(head)) && fake_say(fd, s, n) &&
	    fake_say(fd, "\r\n", 2);
}

/* Until the other side ends it. */
void
fake_hold(int fd)
{
	char c;

	(void)recv(fd, &c, 1, 0);
}

struct fake_request {
	char method[16], path[4096];
	char body[BODY_MAX]; /* its beginning */
};

static bool
read_body(int fd, struct fake_request *q, size_t have, size_t length)
{
	char rest[4096];

	while (have < length) {
		size_t room = sizeof(q->body) - 1;
		char *to = have < room ? q->body + have : rest;
		ssize_t r =
		    recv(fd, to, have < room ? room - have : sizeof(rest), 0);

		if (r <= 0)
			return false;
		have += (size_t)r;
	}
	q->body[have < sizeof(q->body) ? have : sizeof(q->body) - 1] = '\0';
	return true;
}

/* Read one request; false at the end. */
static bool
read_request(int fd, struct fake_request *q)
{
	char head[BODY_MAX];
	size_t n = 0;
	char *end = NULL, *length;

	while (end == NULL) {
		ssize_t r = recv(fd, head + n, sizeof(head) - 1 - n, 0);

		if (r <= 0)
			return false;
		n += (size_t)r;
		head[n] = '\0';
		end = strstr(head, "\r\n\r\n");
	}
	end += 4;
	if (sscanf(head, "%15s %4095s", q->method, q->path) != 2)
		return false;
	n -= (size_t)(end - head);
	memcpy(q->body, end, n);
	length = strstr(head, "Content-Length: ");
	return read_body(fd, q, n,
	    length == NULL ? 0 : (size_t)strtol(length + 16, NULL, 10));
}

static void *
serve_connection(void *arg)
{
	int fd = (int)(intptr_t)arg;
	struct fake_request *q = xcalloc(1, sizeof(*q));

	while (read_request(fd, q) &&
	    serve_request(fd, q->method, q->path, q->body))
		;
	free(q);
	close(fd);
	return NULL;
}

static void *
serve(void *arg)
{
	(void)arg;
	for (;;) {
		pthread_t t;
		int fd = accept(listener, NULL, NULL);

		if (fd == -1 ||
		    pthread_create(&t, NULL, serve_connection,
			(void *)(intptr_t)fd) != 0)
			return NULL;
		pthread_detach(t);
	}
}

static char *
start_server(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	pthread_t t;

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&a, sizeof(a)) == -1 ||
	    listen(listener, 64) == -1 ||
	    getsockname(listener, (struct sockaddr *)&a, &len) == -1 ||
	    pthread_create(&t, NULL, serve, NULL) != 0)
		fx_bug("no server");
	pthread_detach(t);
	return xasprintf("http://127.0.0.1:%u", ntohs(a.sin_port));
}

static char *
write_kubeconfig(const char *server)
{
	const char *dir = getenv("TMPDIR");
	auto_free char *name =
	    xasprintf("%s/sync-kubeconfig.XXXXXX", dir != NULL ? dir : "/tmp");
	int fd = mkstemp(name);
	FILE *f = fd == -1 ? NULL : fdopen(fd, "w");

	if (f == NULL)
		fx_bug("mkstemp");
	fprintf(f,
	    "current-context: c\ncontexts:\n- {name: c, context: {cluster: k, "
	    "user: u}}\nclusters:\n- {name: k, cluster: {server: '%s'}}\n"
	    "users:\n- {name: u, user: {token: t}}\n",
	    server);
	fclose(f);
	return fx_steal(&name);
}

char *
fake_start(fake_fn *fn)
{
	auto_free char *server = NULL;

	signal(SIGPIPE, SIG_IGN);
	serve_request = fn;
	server = start_server();
	return write_kubeconfig(server);
}
