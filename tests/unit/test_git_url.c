/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "git_url.h"
#include "test.h"

static void
test_safe(void)
{
	static const struct {
		const char *text, *safe;
		bool hidden; /* people see <unparseable> instead */
	} tv[] = {
		{ "git@github.com:acme/conf", "ssh://git@github.com/acme/conf",
		    false },
		{ "git@h:/abs/x", "ssh://git@h/abs/x", false },
		{ "git@h:x/y?z=1", "ssh://git@h/x/y?z=1", false },
		{ "git@host:2222/path", "ssh://git@host/2222/path", false },
		{ "host:repo", "ssh://host/repo", false },
		{ "ssh://git@h:22/~x/y", "ssh://git@h:22/~x/y", false },
		{ "https://user:pw@h:5050/r.git", "https://user@h:5050/r.git",
		    false },
		{ "https://u%40x:p@h/a", "https://u%40x@h/a", false },
		{ "https://:tok@h/x", "https://@h/x", false },
		{ "HTTPS://a:b@h/x", "https://a@h/x", false },
		{ "https://u:p@h/a b", "https://u@h/a%20b", false },
		{ "/srv/repo", "file:///srv/repo", false },
		{ "./rel", "file://./rel", false },
		{ "../rel/repo", "file://../rel/repo", false },
		{ "user-name@host.org:x/y", "file://user-name@host.org:x/y",
		    false },
		{ "git@host:~user/x.git", "file://git@host:~user/x.git",
		    false },
		{ "codecommit::us-east-1://repo",
		    "file://codecommit::us-east-1://repo", false },
		{ "", "file:", false },
		{ "https://to:ken#x@h/x", "ssh://https//to?:ken#x@h/x", true },
		{ "https://u:p ss@h/x", "ssh://https//u?:p ss@h/x", true },
		{ "git@git.example.org:ops/cluster",
		    "ssh://git@git.example.org/ops/cluster", false },
		{ "git@git.example.org:ops/cluster.git",
		    "ssh://git@git.example.org/ops/cluster.git", false },
		{ "ssh://git@git.example.org:2222/ops/cluster.git",
		    "ssh://git@git.example.org:2222/ops/cluster.git", false },
		{ "https://bot:s3cret@git.example.org/ops/cluster.git",
		    "https://bot@git.example.org/ops/cluster.git", false },
		{ "git.example.org:ops/cluster",
		    "ssh://git.example.org/ops/cluster", false },
		{ "/srv/git/cluster", "file:///srv/git/cluster", false },
		{ "https://u:p%40w@h/a.git", "https://u@h/a.git", false },
		{ "git@h:22/p", "ssh://git@h/22/p", false },
		/* Go's escapes */
		{ "/srv/100%/a b?c", "file:///srv/100%25/a%20b%3Fc", false },
		{ "ssh://h/a%2Fb", "ssh://h/a%2Fb", false },
		{ "ssh://h/a%2fb^c", "ssh://h/a/b%5Ec", false },
		{ "ssh://h/[x]!", "ssh://h/[x]!", false },
		{ "ssh://h/x?", "ssh://h/x?", false },
		{ "ssh://h/x#a b", "ssh://h/x#a%20b", false },
		{ "ssh://[::1]:22/x", "ssh://[::1]:22/x", false },
		{ "ssh://h", "ssh://h", false },
		{ "ssh://h:port/x", "ssh://ssh//h?:port/x", false },
		{ "https:u:p@h/x", "https:u:p@h/x", true },
		{ "user:pw@host:path", "ssh://user/pw?@host:path", true },
		{ "https://a@b:c@h/x", "https://a%40b@h/x", false },
		{ "git+ssh://git@h/x", "git+ssh://git@h/x", false },
		{ "ext::sh -c x", "file://ext::sh%20-c%20x", false },
		{ "file:/srv/x", "file:///srv/x", false },
		{ "git@h:a\nb", "file://git@h:a%0Ab", false },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *safe = git_url_safe(tv[i].text);
		auto_free char *show = git_url_show(tv[i].text);

		want_str(safe, tv[i].safe);
		want_str(show, tv[i].hidden ? "<unparseable>" : tv[i].safe);
	}
}

static void
test_equivalent(void)
{
	static const struct {
		const char *a, *b;
		bool same;
	} tv[] = {
		{ "git@github.com:a/b", "ssh://git@github.com/a/b.git", true },
		{ "https://u:p@github.com/a/b.git", "git@github.com:a/b",
		    true },
		{ "git@github.com:a/b.git", "ssh://git@github.com:22/a/b",
		    false },
		{ "git@github.com:a/b", "git@GitHub.com:a/b", false },
		{ "git@github.com:a/b/", "git@github.com:a/b", false },
		{ "git@h:o/r", "ssh://git@h/o/r.git", true },
		{ "https://u@h/o/r.git", "ssh://git@h/o/r.git", true },
		{ "https://h/o/r.git", "git@h:o/r", true },
		{ "https://h/o/r.git", "https://h/o/other.git", false },
		{ "git@h:a/b", "https://h/a/b.git", true },
		{ "git@h:a/b", "ssh://git@h:22/a/b", false },
		{ "git@h:a/b", "https://H/a/b", false },
		{ "git@h:a/b", "https://h/a/b/", false },
		{ "https://h/a%20b", "ssh://h/a b", true },
		{ "/srv/x.git", "file:///srv/x", true },
		{ "", "", true },
		{ "", "git@h:a/b", false },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		want_int(git_url_equivalent(tv[i].a, tv[i].b), tv[i].same);
		want_int(git_url_equivalent(tv[i].b, tv[i].a), tv[i].same);
	}
}

static void
test_parse(void)
{
	static const struct {
		const char *text;
		enum git_url_kind kind;
		const char *user, *password, *host;
		unsigned port;
		const char *path, *bare;
	} tv[] = {
		{ "git@github.com:acme/conf", GIT_URL_SSH, "git", NULL,
		    "github.com", 22, "acme/conf", "git@github.com:acme/conf" },
		{ "h:/abs/x", GIT_URL_SSH, "git", NULL, "h", 22, "/abs/x",
		    "h:/abs/x" },
		{ "user-name@h.org:~x/y", GIT_URL_SSH, "user-name", NULL,
		    "h.org", 22, "~x/y", "user-name@h.org:~x/y" },
		{ "git@h:x y/z!?a", GIT_URL_SSH, "git", NULL, "h", 22,
		    "x y/z!?a", "git@h:x y/z!?a" },
		{ "git@[::1]:x", GIT_URL_SSH, "git", NULL, "::1", 22, "x",
		    "git@[::1]:x" },
		{ "[h:2222]:x", GIT_URL_SSH, "git", NULL, "h", 2222, "x",
		    "[h:2222]:x" },
		{ "ssh://git@h:2222/~x/y", GIT_URL_SSH, "git", NULL, "h", 2222,
		    "~x/y", "ssh://git@h:2222/~x/y" },
		{ "ssh://u:pw@h/a%20b", GIT_URL_SSH, "u", "pw", "h", 22, "/a b",
		    "ssh://u@h/a%20b" },
		{ "git+ssh://git@[fe80::1]:23/r", GIT_URL_SSH, "git", NULL,
		    "fe80::1", 23, "/r", "git+ssh://git@[fe80::1]:23/r" },
		{ "https://bot:p%40w%3A@h/a/b.git", GIT_URL_HTTPS, "bot",
		    "p@w:", "h", 443, "/a/b.git", "https://bot@h/a/b.git" },
		{ "https://:tok@h:8443/x y", GIT_URL_HTTPS, "", "tok", "h",
		    8443, "/x%20y", "https://@h:8443/x y" },
		{ "HTTP://h/x%2fy", GIT_URL_HTTP, "", NULL, "h", 80, "/x%2fy",
		    "HTTP://h/x%2fy" },
		{ "file:///srv/a%20b", GIT_URL_FILE, "", NULL, "", 0,
		    "/srv/a b", "file:///srv/a%20b" },
		{ "/srv/a%20'b", GIT_URL_FILE, "", NULL, "", 0, "/srv/a%20'b",
		    "/srv/a%20'b" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct git_url u = { 0 };
		struct fx_err err = { 0 };
		auto_free char *bare = git_url_bare(tv[i].text);
		auto_free char *safe = git_url_safe(tv[i].text);
		auto_free char *again = NULL;

		want_int(git_url_parse(tv[i].text, &u, &err), FX_OK);
		want_str(err.text, "");
		want_int(u.kind, tv[i].kind);
		want_str(u.user, tv[i].user);
		want_str(u.password, tv[i].password);
		want_str(u.host, tv[i].host);
		want_int(u.port, tv[i].port);
		want_str(u.path, tv[i].path);
		want_str(bare, tv[i].bare);
		if (bare != NULL)
			want_str(again = git_url_safe(bare), safe);
		git_url_clear(&u);
	}
}

/* what a shell, ssh or git could read as something else than a name */
static void
test_refused(void)
{
	static const char *const tv[] = {
		"",
		"rel/path",
		"git://h/x",
		"ftp://h/x",
		"rsync://h/x",
		"./rel",
		"ssh://-oProxyCommand=x/y",
		"-oProxyCommand=x:y",
		"git@-h:y",
		"-u@h:y",
		"ssh://-u@h/y",
		"git@h:-x",
		"git@h:",
		"ssh://h",
		"ssh:///x",
		"git@h:$(touch x)",
		"git@h:a`b`",
		"git@h:a'b",
		"git@h:a\"b",
		"git@h:a\\b",
		"ssh://h/a%27b",
		"ssh://h/a%0ab",
		"ssh://h/a%00b",
		"git@h:a\nb",
		"git@h\x7f:ab",
		"ssh://h:0/x",
		"ssh://h:65536/x",
		"ssh://h:022/x",
		"ssh://h x/y",
		"ssh://h%2dx/y",
		"ssh://a..b@h;x/y",
		"ssh://[::1/x",
		"ssh://[h]/x",
		"ssh://h/x?y",
		"ssh://h/x#y",
		"ssh:x",
		"ssh://git%3ax@h/y",
		"ftp://h/x",
		"rsync://h/x",
		"ext::sh -c x",
		"codecommit::us-east-1://repo",
		"svn://h/x",
		"https://u:p ss@h/x",
		"https://to:ken#x@h/x",
		"https://u:p%zz@h/x",
		"https://u:p%0a@h/x",
		"https://u%0d:p@h/x",
		"user:pw@host:path",
		"file://host/x",
		"file://u@localhost/x",
		"http:///x",
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct git_url u = { 0 };
		struct fx_err err = { 0 };
		auto_free char *bare = git_url_bare(tv[i]);

		if (!want(git_url_parse(tv[i], &u, &err) != FX_OK))
			printf("# accepted: %s\n", tv[i]);
		want_int(err.code, FX_ESYNTAX);
		want_str(bare, NULL);
		want(u.path == NULL);
		/* a password never shows in an error */
		want(strstr(err.text, "p ss") == NULL);
		want(strstr(err.text, "ken") == NULL);
		want(strstr(err.text, "pw") == NULL);
		git_url_clear(&u);
	}
}

static void
test_long(void)
{
	char text[GIT_URL_MAX + 2];
	struct git_url u;
	struct fx_err err = { 0 };
	auto_free char *safe = NULL;

	memset(text, '%', sizeof(text));
	text[0] = '/';
	text[GIT_URL_MAX] = '\0';
	want_int(git_url_parse(text, &u, &err), FX_OK);
	safe = git_url_safe(text);
	want_int(strlen(safe), 7 + 1 + 3 * (GIT_URL_MAX - 1));
	git_url_clear(&u);
	text[GIT_URL_MAX] = 'x';
	text[GIT_URL_MAX + 1] = '\0';
	want_int(git_url_parse(text, &u, &err), FX_ELIMIT);
	free(safe);
	want_str(safe = git_url_safe(text), "<unparseable>");
}

static void
test_http(void)
{
	want(git_url_is_http("https://h/x"));
	want(git_url_is_http("HTTP://u:p@h/x"));
	want(!git_url_is_http("git@h:x"));
	want(!git_url_is_http("ssh://h/x"));
	want(!git_url_is_http("https://u:p#w@h/x"));
	want(!git_url_is_http(""));
}

int
main(void)
{
	test_run("git_url: the safe text is upstream's, byte by byte",
	    test_safe);
	test_run("git_url: the same repository in several spellings",
	    test_equivalent);
	test_run("git_url: every accepted form and what is dialled",
	    test_parse);
	test_run("git_url: nothing dangerous is accepted or repeated",
	    test_refused);
	test_run("git_url: a limit on length holds", test_long);
	test_run("git_url: http is what upstream takes for http", test_http);
	return test_done();
}
