/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "locate.h"
#include "test.h"
#include "url.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void
test_join(void)
{
	/* clang-format off */
	static const struct {
		const char *base, *route, *query, *sent, *shown;
	} tv[] = {
		{ "http://h:3030/api/flux", "/v6/jobs", "id=a", "http://h:3030/api/flux/v6/jobs?id=a", NULL },
		{ "http://h/api/flux/", "/v6/jobs", NULL, "http://h/api/flux/v6/jobs", NULL },
		{ "http://h", "/v6/jobs", NULL, "http://h/v6/jobs", NULL },
		{ "http://h//a///b/", "/v6/jobs", NULL, "http://h/a/b/v6/jobs", NULL },
		{ "http://h/a/../../b/./c", "/v6/jobs", NULL, "http://h/b/c/v6/jobs", NULL },
		/* any query and fragment of the base go */
		{ "http://h/a?x=y", "/r", "q=1", "http://h/a/r?q=1", NULL },
		{ "http://h?x=/y", "/r", NULL, "http://h/r", NULL },
		{ "http://h/a#f?x", "/r", NULL, "http://h/a/r", NULL },
		{ "HTTPS://h", "/r", NULL, "https://h/r", NULL },
		{ "http://[::1]:80/x", "/r", NULL, "http://[::1]:80/x/r", NULL },
		{ "http://h/%41%2fb c", "/r", NULL, "http://h/A/b%20c/r", NULL },
		{ "http://u@h/", "/r", NULL, "http://u@h/r", NULL },
		{ "http://u:secret@h/", "/r", NULL, "http://u:secret@h/r", "http://u:***@h/r" },
		{ "http://u:s@cret@h/", "/r", NULL, "http://u:s@cret@h/r", "http://u:***@h/r" },
		{ "unix:///run/x.sock", "/v6/jobs", NULL, "http://localhost/api/flux/v6/jobs", NULL },
	};
	/* clang-format on */

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_error struct ctl_error err = { 0 };
		auto_url struct url u = { 0 };
		auto_free char *sent = NULL, *shown = NULL;

		if (!want_int(url_parse(tv[i].base, &u, &err), FX_OK))
			continue;
		sent = url_join(&u, tv[i].route, tv[i].query, false);
		want_str(sent, tv[i].sent);
		shown = url_join(&u, tv[i].route, tv[i].query, true);
		want_str(shown, tv[i].shown == NULL ? tv[i].sent : tv[i].shown);
	}
}

static void
test_refused(void)
{
	/* clang-format off */
	static const struct {
		const char *url, *error;
	} tv[] = {
		{ "127.0.0.1:3030/api/flux",
		  "parsing URL: parse \"127.0.0.1:3030/api/flux\": first path segment in URL cannot contain colon" },
		{ "1http://x", "parsing URL: parse \"1http://x\": first path segment in URL cannot contain colon" },
		{ ":foo", "parsing URL: parse \":foo\": missing protocol scheme" },
		{ "http://a b/", "parsing URL: parse \"http://a b/\": invalid character \" \" in host name" },
		{ "http://h/%zz", "parsing URL: parse \"http://h/%zz\": invalid URL escape \"%zz\"" },
		{ "http://h/%4", "parsing URL: parse \"http://h/%4\": invalid URL escape \"%4\"" },
		{ "http://[::1", "parsing URL: parse \"http://[::1\": missing ']' in host" },
		{ "http://h:x/", "parsing URL: parse \"http://h:x/\": invalid port \":x\" after host" },
		{ "http://[::1]x/", "parsing URL: parse \"http://[::1]x/\": invalid port \"x\" after host" },
		{ "http://a\nb", "parsing URL: parse \"http://a\\nb\": net/url: invalid control character in URL" },
		{ "unix://run/x.sock",
		  "parsing URL: unix://run/x.sock: a socket is written unix:///path/of/the.sock" },
		{ "unix:///", "parsing URL: unix:///: a socket is written unix:///path/of/the.sock" },
	};
	/* clang-format on */

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_error struct ctl_error err = { 0 };
		auto_url struct url u = { 0 };

		want(url_parse(tv[i].url, &u, &err) != FX_OK);
		want_str(err.text, tv[i].error);
	}
}

static void
test_socket_path(void)
{
	auto_error struct ctl_error err = { 0 };
	auto_url struct url u = { 0 };

	want_int(url_parse("unix:///run/fluxd/fluxd.sock", &u, &err), FX_OK);
	want_str(u.socket, "/run/fluxd/fluxd.sock");
	url_clear(&u);
	want_int(url_parse("http://h/run/fluxd/fluxd.sock", &u, &err), FX_OK);
	want_str(u.socket, NULL);
}

static void
test_parts(void)
{
	static const struct {
		const char *url, *host, *port;
	} tv[] = {
		{ "http://h", "h", "" },
		{ "http://h:80", "h", "80" },
		{ "http://u:p@h:80/x", "h", "80" },
		{ "http://[::1]", "::1", "" },
		{ "http://[::1]:80", "::1", "80" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_error struct ctl_error err = { 0 };
		auto_url struct url u = { 0 };
		auto_free char *host = NULL;

		want_int(url_parse(tv[i].url, &u, &err), FX_OK);
		host = url_hostname(&u);
		want_str(host, tv[i].host);
		want_str(url_port(&u), tv[i].port);
	}
}

static void
test_escape(void)
{
	static const struct {
		const char *in, *out;
	} tv[] = {
		{ "", "" },
		{ "shop:deployment/web", "shop%3Adeployment%2Fweb" },
		{ "<all>", "%3Call%3E" },
		{ "a b-_.~", "a+b-_.~" },
		{ "\xc3\xa9&=+%", "%C3%A9%26%3D%2B%25" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *text = url_query_escape(tv[i].in);

		want_str(text, tv[i].out);
	}
}

/* A socket that is there, for as long as the test runs. */
static int
listen_at(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	want_int(bind(fd, (const void *)&sun, sizeof(sun)), 0);
	return fd;
}

#define FORWARDED "http://127.0.0.1:3030/api/flux/r"

static void
test_locate(void)
{
	char folder[] = "/tmp/test_ctl_url.XXXXXX";
	auto_free char *there = NULL, *absent = NULL;
	int fd;

	want(mkdtemp(folder) != NULL);
	there = xasprintf("%s/s", folder);
	absent = xasprintf("%s/none", folder);
	fd = listen_at(there);
	/* clang-format off */
	const struct {
		const char *url, *token, *local;
		enum ctl_flag_id given;
		const char *sent, *socket;
		bool forwarded;
	} tv[] = {
		{ "http://h/x", "", there, CTL_FLAGS, "http://h/x/r", NULL, false },
		{ "http://h/x", "T", there, CTL_F_context, "http://h/x/r", NULL, false },
		{ "", "", there, CTL_FLAGS, "http://localhost/api/flux/r", there, false },
		{ "", "T", there, CTL_F_timeout, "http://localhost/api/flux/r", there, false },
		/* a flag that means a cluster */
		{ "", "", there, CTL_F_context, FORWARDED, NULL, true },
		{ "", "", there, CTL_F_fwd_ns, FORWARDED, NULL, true },
		{ "", "", there, CTL_F_fwd_labels, FORWARDED, NULL, true },
		/* whoever has the old service's name today gets no token */
		{ "", "T", absent, CTL_FLAGS, FORWARDED, NULL, true },
		{ "", "", absent, CTL_FLAGS, FORWARDED, NULL, true },
		/* not a socket */
		{ "", "", folder, CTL_FLAGS, FORWARDED, NULL, true },
	};
	/* clang-format on */

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_error struct ctl_error err = { 0 };
		auto_url struct url u = { 0 };
		auto_free char *sent = NULL;
		struct ctl_options opts = { 0 };
		bool forwarded = !tv[i].forwarded;

		opts.url = xstrdup(tv[i].url);
		opts.token = xstrdup(tv[i].token);
		if (tv[i].given != CTL_FLAGS)
			opts.set[tv[i].given] = true;
		want_int(ctl_locate(&opts, tv[i].local, &u, &forwarded, &err),
		    FX_OK);
		sent = url_join(&u, "/r", NULL, false);
		want_str(sent, tv[i].sent);
		want_str(u.socket, tv[i].socket);
		want_int(forwarded, tv[i].forwarded);
		free(opts.url);
		free(opts.token);
	}
	close(fd);
	unlink(there);
	rmdir(folder);
}

int
main(void)
{
	test_run("url: a route is joined to the base path", test_join);
	test_run("url: what is no URL is refused in Go's words", test_refused);
	test_run("url: a socket is a path of its own", test_socket_path);
	test_run("url: host and port are told apart", test_parts);
	test_run("url: query values are form-encoded", test_escape);
	test_run("locate: the URL, then the local socket, then a cluster",
	    test_locate);
	return test_done();
}
