/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client sends, through the whole server: the library, the checks of
 * the header, targets, routes and bodies.  The first byte says in how many
 * pieces it comes.  Afterwards nothing of it may be left.
 */
#include "base.h"

#include "fuzz.h"
#include "http.h"
#include "jsonr.h"
#include "scalar.h"
#include "spec.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TURNS 64

static int64_t now_us = CLK_SEC;

/* A body is read as everything that its route may read it as. */
static int
read_body(struct http_request *r, struct fx_err *err)
{
	const char *body = (const char *)buf_head(&r->body);
	size_t n = buf_left(&r->body);
	struct spec_update u = { 0 };
	struct spec_change c = { 0 };
	struct target_params form = { 0 };
	int bad = FX_OK;
	bool flag;

	if (r->route.id == ROUTE_UpdateManifests)
		bad = spec_update_parse(body, n, &u, err);
	else if (r->route.id == ROUTE_Notify)
		bad = spec_change_parse(body, n, &c, err);
	else if (r->route.id == ROUTE_UpdatePolicies)
		bad = spec_policies_check(body, n, err);
	else if (r->route.id == ROUTE_GitRepoConfig)
		bad = spec_bool_parse(body, n, &flag, err);
	else if (r->form)
		bad = params_parse(body, n, &form, err);
	spec_update_clear(&u);
	spec_change_clear(&c);
	params_clear(&form);
	return bad;
}

static void
serve(struct http_request *r)
{
	struct fx_err err = { 0 };
	int bad = read_body(r, &err);

	for (size_t i = 0; bad == FX_OK && i < r->target.params.n; i++) {
		bad = scalar_resource_spec(r->target.params.v[i].value, &err);
		if (bad != FX_OK)
			bad = scalar_image_spec(r->target.params.v[i].value,
			    &err);
	}
	if (r->route.id == ROUTE_REDIRECT)
		answer_redirect(&r->answer, r->route.path, r->target.query,
		    true);
	else if (r->route.id == ROUTE_NOT_FOUND)
		answer_no_route(&r->answer, r->accept, r->route.path);
	else if (bad != FX_OK)
		answer_bad_request(&r->answer, r->accept, err.text);
	else if (r->route.id != ROUTE_JobStatus) /* whose time runs out */
		answer_empty(&r->answer, 204);
}

static void
abandon(struct http_request *r)
{
	(void)r;
}

static void
answered(const struct http_request *r, unsigned status, int64_t took_us)
{
	(void)r;
	(void)status;
	(void)took_us;
}

static int
listen_here(struct sockaddr_un *a)
{
	socklen_t n = sizeof(*a);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	/* no name: the kernel finds one that is free */
	if (fd == -1 || bind(fd, (struct sockaddr *)a, sizeof(a->sun_family)) ||
	    listen(fd, 4) == -1 || getsockname(fd, (struct sockaddr *)a, &n))
		abort();
	return fd;
}

static int
connect_to(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	/* an automatic name has five digits after its zero */
	if (fd == -1 ||
	    connect(fd, (const struct sockaddr *)a,
		offsetof(struct sockaddr_un, sun_path) + 6) == -1)
		abort();
	return fd;
}

static void
turns(struct loop *l)
{
	for (int i = 0; i < 8; i++)
		loop_turn(l, 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct http_hooks hooks = { NULL, serve, abandon,
		answered };
	static struct sockaddr_un address;
	static struct http *http;
	static struct loop *loop;
	struct fx_err err = { 0 };
	size_t step;
	int fd;

	if (http == NULL) {
		clk_fake(&now_us, NULL);
		loop = loop_new();
		if (http_new(&http, loop, &hooks, &err) != FX_OK)
			abort();
		http_listen(http, listen_here(&address), SCOPE_ALL, NULL);
	}
	if (size < 2 || size > 65536)
		return 0;
	fd = connect_to(&address);
	step = 1 + size / (1 + data[0] % 8u);
	for (size_t at = 1; at < size; at += step) {
		(void)!send(fd, data + at, size - at < step ? size - at : step,
		    MSG_NOSIGNAL);
		turns(loop);
	}
	close(fd);
	for (int i = 0; i < TURNS && http_connections(http) != 0; i++) {
		now_us += 61 * CLK_SEC;
		turns(loop);
	}
	if (http_connections(http) != 0)
		abort();
	return 0;
}
