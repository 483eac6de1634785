/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "routes.h"
#include "str.h"
#include "target.h"
#include "test.h"

static void
test_routing(void)
{
	static const struct {
		const char *method, *target;
		enum route_scope scope;
		enum route_id id;
		const char *path; /* REDIRECT, NOT_FOUND */
	} tv[] = {
#define API(m, t, id, path) { m, "/api/flux" t, SCOPE_ALL, id, path }
		API("GET", "/v11/ping", ROUTE_Ping, NULL),
		API("POST", "/v11/ping", ROUTE_NOT_FOUND, "/v11/ping"),
		API("GET", "/v11/Ping", ROUTE_NOT_FOUND, "/v11/Ping"),
		API("GET", "/v5/services", ROUTE_DEPRECATED, NULL),
		API("DELETE", "/v1/", ROUTE_DEPRECATED, NULL),
		API("GET", "/v5", ROUTE_NOT_FOUND, "/v5"),
		API("GET", "/v12", ROUTE_NOT_FOUND, "/v12"),
		API("GET", "/v6/nosuch", ROUTE_NOT_FOUND, "/v6/nosuch"),
		API("GET", "/", ROUTE_NOT_FOUND, "/"),
		API("GET", "", ROUTE_REDIRECT, "/api/flux/"),
		API("GET", "//v6/services", ROUTE_REDIRECT,
		    "/api/flux/v6/services"),
		API("GET", "/v6/./services", ROUTE_REDIRECT,
		    "/api/flux/v6/services"),
		API("GET", "/v6/../../../x", ROUTE_REDIRECT, "/x"),
		API("GET", "/v6/%2e%2e/v6/services", ROUTE_REDIRECT,
		    "/api/flux/v6/services"),
		API("GET", "/v6/services/", ROUTE_NOT_FOUND, "/v6/services/"),
		API("GET", "/v6%2fservices", ROUTE_ListServices, NULL),
		API("GET", "/v6/services", ROUTE_ListServices, NULL),
		API("GET", "/v11/services", ROUTE_ListServicesWithOptions,
		    NULL),
		API("HEAD", "/v6/services", ROUTE_NOT_FOUND, "/v6/services"),
		API("OPTIONS", "/v6/services", ROUTE_NOT_FOUND, "/v6/services"),
		API("HEAD", "/v6/export", ROUTE_Export, NULL),
		API("GET", "/v6/export", ROUTE_Export, NULL),
		API("GET", "/v6/images", ROUTE_ListImages, NULL),
		API("GET", "/v10/images", ROUTE_ListImagesWithOptions, NULL),
		API("GET", "/v6/jobs", ROUTE_NOT_FOUND, "/v6/jobs"),
		API("GET", "/v6/jobs?id=", ROUTE_JobStatus, NULL),
		API("GET", "/v6/jobs?id", ROUTE_JobStatus, NULL),
		API("GET", "/v6/jobs?ID=x", ROUTE_NOT_FOUND, "/v6/jobs"),
		API("GET", "/v6/sync?ref=HEAD&x=y", ROUTE_SyncStatus, NULL),
		API("GET", "/v6/sync?ref=%zz", ROUTE_NOT_FOUND, "/v6/sync"),
		API("POST", "/v6/update-images?service=a&image=b&kind=c",
		    ROUTE_UpdateImages, NULL),
		API("POST", "/v6/update-images?service=a&image=b",
		    ROUTE_NOT_FOUND, "/v6/update-images"),
		API("PATCH", "/v6/policies", ROUTE_UpdatePolicies, NULL),
		API("GET", "/v6/identity.pub", ROUTE_GetPublicSSHKey, NULL),
		API("POST", "/v6/identity.pub", ROUTE_RegeneratePublicSSHKey,
		    NULL),
		API("POST", "/v9/git-repo-config", ROUTE_GitRepoConfig, NULL),
		API("POST", "/v9/update-manifests", ROUTE_UpdateManifests,
		    NULL),
		API("POST", "/v11/notify", ROUTE_Notify, NULL),
		API("GET", "/v11/version", ROUTE_Version, NULL),
		API("GET", "/v12/sandbox", ROUTE_Sandbox, NULL),
		API("GET", "/v12/sync-errors", ROUTE_SyncErrors, NULL),
#undef API
		{ "GET", "/", SCOPE_ALL, ROUTE_NO_PAGE, NULL },
		{ "GET", "/api", SCOPE_ALL, ROUTE_NO_PAGE, NULL },
		{ "GET", "/api/fluxx", SCOPE_ALL, ROUTE_NO_PAGE, NULL },
		{ "GET", "/metrics", SCOPE_ALL, ROUTE_Metrics, NULL },
		{ "POST", "/metrics", SCOPE_ALL, ROUTE_Metrics, NULL },
		{ "GET", "/metrics/", SCOPE_ALL, ROUTE_NO_PAGE, NULL },
		{ "GET", "/metrics", SCOPE_API, ROUTE_NO_PAGE, NULL },
		{ "GET", "/metrics", SCOPE_METRICS, ROUTE_Metrics, NULL },
		{ "GET", "/api/flux/v11/ping", SCOPE_METRICS, ROUTE_NO_PAGE,
		    NULL },
		{ "GET", "/api/flux", SCOPE_METRICS, ROUTE_NO_PAGE, NULL },
		{ "GET", "/healthz", SCOPE_API, ROUTE_Healthz, NULL },
		{ "GET", "/readyz", SCOPE_METRICS, ROUTE_NO_PAGE, NULL },
		{ "GET", "/debug/pprof/", SCOPE_ALL, ROUTE_NO_PAGE, NULL },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct fx_err err = { 0 };
		struct target t = { 0 };
		struct route_match m;

		want_int(target_parse(tv[i].target, &t, &err), FX_OK);
		route_find(tv[i].scope, route_method(tv[i].method), &t, &m);
		if (!want_int(m.id, tv[i].id) || !want_str(m.path, tv[i].path))
			printf("# %s %s\n", tv[i].method, tv[i].target);
		route_match_clear(&m);
		target_clear(&t);
	}
}

static void
test_target(void)
{
	static const struct {
		const char *in, *path, *query;
		int code;
	} tv[] = {
		{ "/a%20b/%c3%a9?x=%20", "/a b/\xc3\xa9", "x=%20", FX_OK },
		{ "/a+b", "/a+b", NULL, FX_OK },
		{ "/a?", "/a", "", FX_OK },
		{ "", NULL, NULL, FX_ESYNTAX },
		{ "*", NULL, NULL, FX_ESYNTAX },
		{ "http://h/a", NULL, NULL, FX_ESYNTAX },
		{ "h:443", NULL, NULL, FX_ESYNTAX },
		{ "/a b", NULL, NULL, FX_ESYNTAX },
		{ "/a\tb", NULL, NULL, FX_ESYNTAX },
		{ "/a#b", NULL, NULL, FX_ESYNTAX },
		{ "/a%", NULL, NULL, FX_ESYNTAX },
		{ "/a%4", NULL, NULL, FX_ESYNTAX },
		{ "/a%zz", NULL, NULL, FX_ESYNTAX },
		{ "/a%00b", NULL, NULL, FX_ESYNTAX },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct fx_err err = { 0 };
		struct target t = { 0 };

		want_int(target_parse(tv[i].in, &t, &err), tv[i].code);
		want_str(t.path, tv[i].path);
		want_str(t.query, tv[i].query);
		target_clear(&t);
	}
}

static void
test_params(void)
{
	static const struct {
		const char *query, *key, *value;
	} tv[] = {
		{ "id=a%2Fb&id=c", "id", "a/b" },
		{ "x=1&y=a+b", "y", "a b" },
		{ "y=a%2Bb", "y", "a+b" },
		{ "&&y=1&", "y", "1" },
		{ "y", "y", "" },
		{ "y=", "y", "" },
		{ "y=a=b", "y", "a=b" },
		{ "y=%&y=2", "y", "2" },
		{ "y=a%00", "y", NULL },
		{ "%79=1", "y", "1" },
		{ "=1", "", "1" },
		{ "", "y", NULL },
	};
	struct buf many = BUF_INIT(4096);
	struct target_params ps;
	struct fx_err err = { 0 };

	for (size_t i = 0; i < nitems(tv); i++) {
		want_int(params_parse(tv[i].query, strlen(tv[i].query), &ps,
			     &err),
		    FX_OK);
		want_str(target_param(&ps, tv[i].key), tv[i].value);
		params_clear(&ps);
	}
	for (int i = 0; i < TARGET_MAX_PARAMS; i++)
		str_add(&many, "a=1&");
	want_int(params_parse((const char *)buf_head(&many), buf_left(&many),
		     &ps, &err),
	    FX_ELIMIT);
	buf_clear(&many);
}

/* The library's own limit is larger. */
static void
test_length(void)
{
	auto_free char *s = xmalloc(TARGET_MAX + 2);
	struct target t;
	struct fx_err err = { 0 };

	memset(s, '/', TARGET_MAX + 1);
	s[TARGET_MAX + 1] = '\0';
	want_int(target_parse(s, &t, &err), FX_ELIMIT);
	s[TARGET_MAX] = '\0';
	want_int(target_parse(s, &t, &err), FX_OK);
	target_clear(&t);
}

static void
test_clean(void)
{
	static const struct {
		const char *in, *out;
	} tv[] = {
		{ "/", "/" },
		{ "/a", "/a" },
		{ "/a/", "/a/" },
		{ "//", "/" },
		{ "//a", "/a" },
		{ "/a//b", "/a/b" },
		{ "/a/./b", "/a/b" },
		{ "/a/.", "/a" },
		{ "/a/./", "/a/" },
		{ "/a/..", "/" },
		{ "/a/../", "/" },
		{ "/a/b/..", "/a" },
		{ "/a/b/../", "/a/" },
		{ "/../a", "/a" },
		{ "/..", "/" },
		{ "/a/...", "/a/..." },
		{ "/.a/..b", "/.a/..b" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *s = target_clean_path(tv[i].in);

		want_str(s, tv[i].out);
	}
}

static void
test_escape(void)
{
	struct buf b = BUF_INIT(256);
	auto_free char *s = NULL;

	target_escape_path(&b, "/a b/%/\xc3\xa9\r\n?#\"<>/ok-_.~$&+,:;=@");
	s = str_take(&b);
	want_str(s, "/a%20b/%25/%C3%A9%0D%0A%3F%23%22%3C%3E/ok-_.~$&+,:;=@");
}

int
main(void)
{
	test_run("routes: exactly upstream's, and ours beside them",
	    test_routing);
	test_run("target: only a path, decoded once", test_target);
	test_run("target: the first value of a parameter counts", test_params);
	test_run("target: of some length at most", test_length);
	test_run("target: paths are cleaned as Go cleans them", test_clean);
	test_run("target: a redirect's path is escaped", test_escape);
	return test_done();
}
