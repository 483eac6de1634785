/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "body.h"
#include "discovery.h"
#include "fields.h"
#include "json.h"
#include "objects.h"
#include "status.h"
#include "str.h"
#include "test.h"

/* ---- status ----------------------------------------------------------- */

#define STATUS(code, reason, message)                                          \
	"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\","   \
	"\"message\":\"" message "\",\"reason\":\"" reason "\",\"code\":" code \
	"}"

static void
test_status(void)
{
	static const struct {
		int http;
		const char *body, *retry_after;
		enum sw_class what;
		const char *message;
		unsigned wait;
	} tv[] = {
		{ 200, "", NULL, SW_DONE, "", 0 },
		{ 201, "{}", NULL, SW_DONE, "", 0 },
		{ 304, "", NULL, SW_DONE, "", 0 },
		{ 401, STATUS("401", "Unauthorized", "Unauthorized"), NULL,
		    SW_LOGIN, "Unauthorized", 0 },
		{ 403, STATUS("403", "Forbidden", "configmaps is forbidden"),
		    NULL, SW_DENIED, "configmaps is forbidden", 0 },
		{ 403,
		    STATUS("403", "Forbidden",
			"error looking up service account a/default"),
		    NULL, SW_RETRY,
		    "error looking up service account a/default", 0 },
		{ 404, STATUS("404", "NotFound", "x not found"), NULL,
		    SW_MISSING, "x not found", 0 },
		{ 404, "404 page not found\n", NULL, SW_NO_KIND,
		    "404 page not found", 0 },
		{ 409, STATUS("409", "Conflict", "modified"), NULL, SW_CONFLICT,
		    "modified", 0 },
		{ 410, STATUS("410", "Expired", "too old"), NULL, SW_GONE,
		    "too old", 0 },
		{ 413, "Request entity too large: limit is 3145728", NULL,
		    SW_REFUSED, "Request entity too large: limit is 3145728",
		    0 },
		{ 422, STATUS("422", "Invalid", "a\\n\\tb   c"), NULL,
		    SW_REFUSED, "a b c", 0 },
		{ 429, "Too many requests, please try again later.", "1",
		    SW_RETRY, "Too many requests, please try again later.", 1 },
		/* a schema error is no server trouble, a webhook is */
		{ 500, STATUS("500", "", "failed to create typed patch"), NULL,
		    SW_REFUSED, "failed to create typed patch", 0 },
		{ 500, STATUS("500", "InternalError", "failed calling webhook"),
		    NULL, SW_RETRY, "failed calling webhook", 0 },
		{ 503, "service unavailable\n", NULL, SW_RETRY,
		    "service unavailable", 0 },
		{ 503, "", NULL, SW_RETRY, "HTTP status 503", 0 },
		{ 503, "x", "86400", SW_RETRY, "x", 30 },
		{ 503, "x", "never", SW_RETRY, "x", 0 },
		/* nothing that moves a terminal gets through */
		{ 400, "\x1b[31mred", NULL, SW_REFUSED, "\\x1b[31mred", 0 },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct sw_status st;

		status_read(&st, tv[i].http, tv[i].retry_after, tv[i].body,
		    strlen(tv[i].body));
		want_int(st.what, tv[i].what);
		want_str(st.message, tv[i].message);
		want_int(st.retry_after_s, tv[i].wait);
	}
}

/* ---- discovery -------------------------------------------------------- */

static const char aggregated[] =
    "{\"kind\":\"APIGroupDiscoveryList\",\"items\":["
    "{\"metadata\":{},\"versions\":[{\"version\":\"v1\","
    "\"freshness\":\"Current\",\"resources\":["
    "{\"resource\":\"configmaps\",\"responseKind\":{\"group\":\"\","
    "\"version\":\"\",\"kind\":\"ConfigMap\"},\"scope\":\"Namespaced\","
    "\"verbs\":[\"list\",\"watch\",\"patch\"],\"subresources\":[{"
    "\"subresource\":\"status\",\"responseKind\":{\"kind\":\"X\"}}]},"
    "{\"resource\":\"namespaces\",\"responseKind\":{\"kind\":\"Namespace\"},"
    "\"scope\":\"Cluster\",\"verbs\":[\"list\"]},"
    "{\"resource\":\"bindings\",\"scope\":\"Namespaced\"},"
    "{\"resource\":\"../../x\",\"responseKind\":{\"kind\":\"Evil\"},"
    "\"scope\":\"Cluster\"}]}]},"
    "{\"metadata\":{\"name\":\"apps\"},\"versions\":[{\"version\":\"v1\","
    "\"resources\":[{\"resource\":\"deployments\",\"responseKind\":{"
    "\"kind\":\"Deployment\"},\"scope\":\"Namespaced\",\"verbs\":[]}]}]},"
    "{\"metadata\":{\"name\":\"metrics.k8s.io\"},\"versions\":[{"
    "\"version\":\"v1beta1\",\"freshness\":\"Stale\"}]}]}";

static void
test_aggregated(void)
{
	struct fx_err err = { 0 };
	struct catalog c = { 0 };
	auto_json json_t *doc =
	    sw_json(aggregated, sizeof(aggregated) - 1, &err);
	const struct disc_kind *k;

	want_int(catalog_add_aggregated(&c, doc, &err), FX_OK);
	catalog_sort(&c);
	k = catalog_find(&c, "v1", "ConfigMap");
	want(k != NULL && k->namespaced && k->can_list && k->can_watch);
	k = catalog_find(&c, "v1", "Namespace");
	want(k != NULL && !k->namespaced && k->can_list && !k->can_watch);
	want(catalog_find(&c, "v1", "Evil") == NULL);
	want(catalog_find(&c, "v1", "X") == NULL);
	want(catalog_find(&c, "v1", "configmap") == NULL);
	k = catalog_find(&c, "apps/v1", "Deployment");
	want(k != NULL && strcmp(k->resource, "deployments") == 0);
	/* a group whose server is down is not a group that is gone */
	want(catalog_group(&c, "metrics.k8s.io/v1beta1") != NULL &&
	    catalog_group(&c, "metrics.k8s.io/v1beta1")->broken != NULL);
	want(catalog_group(&c, "apps/v1")->broken == NULL);
	want(catalog_group(&c, "apps/v2") == NULL);
	catalog_clear(&c);
}

static json_t *
text_json(const char *s)
{
	struct fx_err err = { 0 };
	json_t *j = sw_json(s, strlen(s), &err);

	want_str(err.text, "");
	return j;
}

static void
test_legacy(void)
{
	struct fx_err err = { 0 };
	struct catalog c = { 0 };
	auto_json json_t *groups = text_json(
	    "{\"kind\":\"APIGroupList\",\"groups\":[{\"name\":\"apps\","
	    "\"versions\":[{\"groupVersion\":\"apps/v1\",\"version\":\"v1\"}]},"
	    "{\"name\":\"b.io\",\"versions\":[{\"version\":\"v1\"}]}]}");
	auto_json json_t *list = text_json(
	    "{\"resources\":[{\"name\":\"deployments\",\"namespaced\":true,"
	    "\"kind\":\"Deployment\",\"verbs\":[\"list\"]},"
	    "{\"name\":\"deployments/scale\",\"namespaced\":true,"
	    "\"kind\":\"Scale\",\"verbs\":[\"get\"]}]}");

	want_int(catalog_add_versions(&c, groups, &err), FX_OK);
	want_int(c.ngroups, 2);
	want_int(catalog_add_resources(&c, 0, list, &err), FX_OK);
	catalog_set_broken(&c, 1, "service unavailable");
	catalog_sort(&c);
	want(catalog_find(&c, "apps/v1", "Deployment") != NULL);
	want(catalog_find(&c, "apps/v1", "Scale") == NULL);
	want_str(catalog_group(&c, "apps/v1")->broken, NULL);
	want_str(catalog_group(&c, "b.io/v1")->broken, "service unavailable");
	catalog_clear(&c);
}

static void
test_content_type(void)
{
	static const struct {
		const char *type;
		bool want;
	} tv[] = {
		{ "application/json;g=apidiscovery.k8s.io;v=v2;"
		  "as=APIGroupDiscoveryList",
		    true },
		{ "application/json; as=APIGroupDiscoveryList; charset=utf-8;"
		  " g=apidiscovery.k8s.io; v=v2beta1",
		    true },
		{ "application/json", false },
		{ "application/json;g=apidiscovery.k8s.iox;"
		  "as=APIGroupDiscoveryList",
		    false },
		{ "", false },
	};

	for (size_t i = 0; i < nitems(tv); i++)
		want_int(disc_is_aggregated(tv[i].type), tv[i].want);
}

static void
test_paths(void)
{
	static const struct {
		const char *api_version, *resource;
		bool namespaced;
		const char *ns, *name, *path;
	} tv[] = {
		{ "v1", "configmaps", true, "a", "b",
		    "/api/v1/namespaces/a/configmaps/b" },
		{ "v1", "configmaps", true, "", NULL, "/api/v1/configmaps" },
		{ "v1", "namespaces", false, "", "a", "/api/v1/namespaces/a" },
		/* a namespace on what has none stays out of the path */
		{ "v1", "namespaces", false, "x", "a", "/api/v1/namespaces/a" },
		{ "apps/v1", "deployments", true, "a", "b",
		    "/apis/apps/v1/namespaces/a/deployments/b" },
		{ "rbac.authorization.k8s.io/v1", "clusterroles", false, "",
		    "system:foo",
		    "/apis/rbac.authorization.k8s.io/v1/clusterroles/"
		    "system%3Afoo" },
		{ "v1", "x", true, "a", "b?c#d e",
		    "/api/v1/namespaces/a/x/"
		    "b%3Fc%23d%20e" },
		{ "v1", "x", true, "a", "\xc3\xa9",
		    "/api/v1/namespaces/a/x/%C3%A9" },
		{ "v1", "x", true, "a", "..", NULL },
		{ "v1", "x", true, "a", ".", NULL },
		{ "v1", "x", true, "a", "b/c", NULL },
		{ "v1", "x", true, "a", "%2e%2e", NULL },
		{ "v1", "x", true, "a", "", NULL },
		{ "v1", "x", true, "..", "b", NULL },
		{ "v1", "x", true, "a/b", "b", NULL },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		const struct disc_kind k = {
			.api_version = (char *)(uintptr_t)tv[i].api_version,
			.resource = (char *)(uintptr_t)tv[i].resource,
			.namespaced = tv[i].namespaced
		};
		struct buf b = BUF_INIT(1024);
		auto_free char *s = NULL;
		int r = disc_add_path(&b, &k, tv[i].ns, tv[i].name);

		want_int(r == FX_OK, tv[i].path != NULL);
		s = str_take(&b);
		if (tv[i].path != NULL)
			want_str(s, tv[i].path);
	}
}

/* ---- fields ----------------------------------------------------------- */

#define META                                                                   \
	"\"f:metadata\":{\"f:labels\":{\"f:m\":{}},"                           \
	"\"f:annotations\":{\"f:c\":{}}}"

static void
test_cover(void)
{
	static const struct {
		const char *fields, *object;
		bool want;
	} tv[] = {
		{ "{" META ",\"f:data\":{\"f:a\":{}}}",
		    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\","
		    "\"metadata\":{\"name\":\"n\",\"namespace\":\"s\","
		    "\"labels\":{\"m\":\"1\"},\"annotations\":{\"c\":\"2\"}},"
		    "\"data\":{\"a\":\"1\"}}",
		    true },
		{ "{\"f:data\":{\"f:a\":{}}}", "{\"data\":{\"a\":1,\"b\":2}}",
		    false },
		/* what is ours and no longer in the object does not matter
		 * here: its checksum does */
		{ "{\"f:data\":{\"f:a\":{},\"f:b\":{}}}",
		    "{\"data\":{\"a\":1}}", true },
		/* an empty node owns all below */
		{ "{\"f:spec\":{}}", "{\"spec\":{\"a\":{\"b\":[1]}}}", true },
		{ "{\"f:spec\":{\"f:a\":{}}}", "{\"spec\":{\"a\":[1,2]}}",
		    true },
		{ "{}", "{\"status\":{\"a\":1}}", true },
		{ "{\"f:x\":{}}", "{\"spec\":null,\"status\":{}}", true },
		{ "{\"f:x\":{}}",
		    "{\"metadata\":{\"creationTimestamp\":null,"
		    "\"finalizers\":[\"f\"]}}",
		    false },
		/* lists by key, with the one default there is */
		{ "{\"f:spec\":{\"f:ports\":{\"k:{\\\"port\\\":80,"
		  "\\\"protocol\\\":\\\"TCP\\\"}\":{\".\":{},\"f:port\":{}}}}}",
		    "{\"spec\":{\"ports\":[{\"port\":80}]}}", true },
		{ "{\"f:spec\":{\"f:ports\":{\"k:{\\\"port\\\":80,"
		  "\\\"protocol\\\":\\\"UDP\\\"}\":{\".\":{},\"f:port\":{}}}}}",
		    "{\"spec\":{\"ports\":[{\"port\":80}]}}", false },
		{ "{\"f:spec\":{\"f:c\":{\"k:{\\\"name\\\":\\\"a\\\"}\":{"
		  "\".\":{},\"f:name\":{}}}}}",
		    "{\"spec\":{\"c\":[{\"name\":\"a\",\"image\":\"i\"}]}}",
		    false },
		{ "{\"f:spec\":{\"f:c\":{\"k:{\\\"name\\\":\\\"a\\\"}\":{"
		  "\".\":{},\"f:name\":{}}}}}",
		    "{\"spec\":{\"c\":[{\"name\":\"b\"}]}}", false },
		/* sets by value */
		{ "{\"f:m\":{\"f:l\":{\"v:\\\"x\\\"\":{}}}}",
		    "{\"m\":{\"l\":[\"x\"]}}", true },
		{ "{\"f:m\":{\"f:l\":{\"v:\\\"x\\\"\":{}}}}",
		    "{\"m\":{\"l\":[\"y\"]}}", false },
		{ "{\"f:m\":{\"f:l\":{\"k:notjson\":{\"f:x\":{}}}}}",
		    "{\"m\":{\"l\":[{\"a\":1}]}}", false },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_json json_t *f = text_json(tv[i].fields);
		auto_json json_t *o = text_json(tv[i].object);

		if (!want_int(fields_cover(f, o), tv[i].want))
			printf("# case %zu\n", i);
	}
	want(!fields_cover(NULL, NULL));
}

static void
test_ours(void)
{
	auto_json json_t *meta = text_json(
	    "{\"managedFields\":[{\"manager\":\"kubectl\",\"operation\":"
	    "\"Apply\",\"fieldsV1\":{\"f:x\":{}}},{\"manager\":\"fluxd\","
	    "\"operation\":\"Update\",\"fieldsV1\":{\"f:y\":{}}},"
	    "{\"manager\":\"fluxd\",\"operation\":\"Apply\",\"subresource\":"
	    "\"status\",\"fieldsV1\":{\"f:z\":{}}},{\"manager\":\"fluxd\","
	    "\"operation\":\"Apply\",\"fieldsV1\":{\"f:b\":{},\"f:a\":{}}}]}");
	auto_json json_t *same = text_json("{\"f:a\":{},\"f:b\":{}}");
	auto_json json_t *less = text_json("{\"f:a\":{}}");
	uint8_t a[FIELDS_DIGEST], b[FIELDS_DIGEST];

	fields_digest(fields_ours(meta), a);
	fields_digest(same, b);
	want_mem(a, b, sizeof(a));
	fields_digest(less, b);
	want(memcmp(a, b, sizeof(a)) != 0);
	want(fields_ours(same) == NULL);
}

/* ---- bodies ----------------------------------------------------------- */

static void
test_body(void)
{
	static const struct {
		const char *in, *out;
		bool namespaced;
	} tv[] = {
		{ "{\"apiVersion\":\"v1\",\"kind\":\"A\",\"status\":{\"a\":1},"
		  "\"metadata\":{\"name\":\"n\",\"namespace\":\"s\",\"uid\":"
		  "\"u\",\"resourceVersion\":\"1\",\"managedFields\":[],"
		  "\"creationTimestamp\":null,\"labels\":null}}",
		    "{\"apiVersion\":\"v1\",\"kind\":\"A\",\"metadata\":{"
		    "\"name\":\"n\",\"namespace\":\"s\"}}",
		    true },
		{ "{\"kind\":\"A\",\"metadata\":{\"namespace\":\"s\"}}",
		    "{\"kind\":\"A\",\"metadata\":{}}", false },
		{ "{\"kind\":\"A\",\"data\":{\"a\":null,\"b\":[{\"c\":null}]}}",
		    "{\"kind\":\"A\",\"data\":{\"b\":[{}]}}", true },
		/* a null in somebody's own kind may mean something */
		{ "{\"apiVersion\":\"helm.fluxcd.io/v1\",\"kind\":\"H\","
		  "\"spec\":{\"values\":{\"a\":null}}}",
		    "{\"apiVersion\":\"helm.fluxcd.io/v1\",\"kind\":\"H\","
		    "\"spec\":{\"values\":{\"a\":null}}}",
		    true },
		{ "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"I\","
		  "\"spec\":{\"a\":null}}",
		    "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"I\","
		    "\"spec\":{}}",
		    true },
		/* stringData wins over data */
		{ "{\"kind\":\"Secret\",\"data\":{\"a\":\"eA==\",\"b\":"
		  "\"eQ==\"},\"stringData\":{\"a\":\"foo\"}}",
		    "{\"kind\":\"Secret\",\"data\":{\"a\":\"Zm9v\",\"b\":"
		    "\"eQ==\"}}",
		    true },
		{ "{\"kind\":\"Secret\",\"stringData\":{\"a\":\"\"}}",
		    "{\"kind\":\"Secret\",\"data\":{\"a\":\"\"}}", true },
		{ "{\"kind\":\"Secret\",\"stringData\":{\"a\":1}}",
		    "{\"kind\":\"Secret\",\"stringData\":{\"a\":1}}", true },
		{ "{\"kind\":\"ClusterRole\",\"rules\":[],"
		  "\"aggregationRule\":{\"x\":1}}",
		    "{\"kind\":\"ClusterRole\",\"aggregationRule\":{\"x\":1}}",
		    false },
		{ "{\"kind\":\"ClusterRole\",\"rules\":[1]}",
		    "{\"kind\":\"ClusterRole\",\"rules\":[1]}", false },
		{ "{\"kind\":\"CustomResourceDefinition\",\"spec\":{"
		  "\"conversion\":{\"webhook\":{\"clientConfig\":{"
		  "\"caBundle\":\"Cg==\",\"url\":\"u\"}}}}}",
		    "{\"kind\":\"CustomResourceDefinition\",\"spec\":{"
		    "\"conversion\":{\"webhook\":{\"clientConfig\":{"
		    "\"url\":\"u\"}}}}}",
		    false },
		/* what a YAML reader would refuse or change */
		{ "{\"a\":\"\\/ \x7f \xc2\x85 \xc2\x9f \xc2\xa0 \xe2\x80\xa8"
		  " \xef\xbb\xbf \xef\xbf\xbf \xf0\x9f\x98\x80 \\u0001\"}",
		    "{\"a\":\"/ \\u007f \\u0085 \\u009f \xc2\xa0 \\u2028"
		    " \\ufeff \\uffff \xf0\x9f\x98\x80 \\u0001\"}",
		    true },
		{ "{\"a\":[9223372036854775807,-1,0.5,true,\"y\"]}",
		    "{\"a\":[9223372036854775807,-1,0.5,true,\"y\"]}", true },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_json json_t *doc = text_json(tv[i].in);
		struct buf b = BUF_INIT(4096);
		auto_free char *s = NULL;

		body_adapt(doc, tv[i].namespaced);
		want_int(body_write(&b, doc), FX_OK);
		s = str_take(&b);
		want_str(s, tv[i].out);
	}
}

static void
test_body_refused(void)
{
	static const char *const texts[] = {
		"{\"a\":9223372036854775808}",
		"{\"a\":1e400}",
		"{\"a\":1",
	};
	struct buf small = BUF_INIT(8);
	auto_json json_t *doc = text_json("{\"a\":\"0123456789\"}");

	for (size_t i = 0; i < nitems(texts); i++) {
		const struct buf text = buf_view(texts[i], strlen(texts[i]));
		struct fx_err err = { 0 };

		want(body_read(&text, &err) == NULL);
		want(err.text[0] != '\0');
	}
	want_int(body_write(&small, doc), FX_ELIMIT);
	buf_clear(&small);
}

/* ---- streams ---------------------------------------------------------- */

static struct buf got;

static int
take_line(void *arg, const char *line, size_t n)
{
	(void)arg;
	(void)str_addn(&got, line, n);
	(void)str_addc(&got, '|');
	return FX_OK;
}

/* Whatever the pieces are, the lines and elements are the same. */
static void
test_pieces(void)
{
	static const char text[] = "{\"a\":1}\n\n{\"b\":2}\nrest";
	static const char list[] =
	    "{\"kind\":\"L\",\"items\":[{\"x\":\"}]\\\"{\"}, {\"y\":[{},[]]}],"
	    "\"metadata\":{\"items\":[{\"no\":1}],\"v\":\"7\"}}";

	for (size_t step = 1; step < 30; step++) {
		struct fx_err err = { 0 };
		auto_json json_t *frame = NULL;
		struct lines l;
		struct items t;
		auto_free char *s = NULL, *u = NULL;

		lines_init(&l);
		items_init(&t);
		buf_init(&got, 1024);
		for (size_t i = 0; i < sizeof(text) - 1; i += step)
			want_int(lines_feed(&l, text + i,
				     step < sizeof(text) - 1 - i
					 ? step
					 : sizeof(text) - 1 - i,
				     take_line, NULL),
			    FX_OK);
		s = str_take(&got);
		want_str(s, "{\"a\":1}||{\"b\":2}|");
		buf_init(&got, 1024);
		for (size_t i = 0; i < sizeof(list) - 1; i += step) {
			want(!items_whole(&t));
			want_int(items_feed(&t, list + i,
				     step < sizeof(list) - 1 - i
					 ? step
					 : sizeof(list) - 1 - i,
				     take_line, NULL),
			    FX_OK);
		}
		want(items_whole(&t));
		u = str_take(&got);
		want_str(u, "{\"x\":\"}]\\\"{\"}|{\"y\":[{},[]]}|");
		frame = items_end(&t, &err);
		want_str(sw_json_str(json_object_get(frame, "metadata"), "v"),
		    "7");
		want_int(json_array_size(json_object_get(frame, "items")), 0);
		lines_clear(&l);
		items_clear(&t);
	}
}

static void
test_line_limit(void)
{
	struct lines l;
	struct items t;
	char block[4096];
	int r = FX_OK;
	size_t n = 0;

	memset(block, 'x', sizeof(block));
	lines_init(&l);
	for (; r == FX_OK && n < 2 * SW_LINE_MAX; n += sizeof(block))
		r = lines_feed(&l, block, sizeof(block), take_line, NULL);
	want_int(r, FX_ELIMIT);
	want(n <= SW_LINE_MAX + 2 * sizeof(block));
	lines_clear(&l);

	items_init(&t);
	want_int(items_feed(&t, "{\"items\":[{\"", 12, take_line, NULL), FX_OK);
	for (r = FX_OK, n = 0; r == FX_OK && n < 2 * SW_LINE_MAX;
	     n += sizeof(block))
		r = items_feed(&t, block, sizeof(block), take_line, NULL);
	want_int(r, FX_ELIMIT);
	items_clear(&t);
}

/* ---- objects ---------------------------------------------------------- */

static void
test_rank(void)
{
	static const struct {
		const char *kind;
		unsigned rank;
	} tv[] = {
		{ "Namespace", 0 },
		{ "CustomResourceDefinition", 1 },
		{ "ServiceAccount", 1 },
		{ "ClusterRole", 1 },
		{ "Role", 1 },
		{ "PersistentVolume", 1 },
		{ "Service", 1 },
		{ "ResourceQuota", 2 },
		{ "LimitRange", 2 },
		{ "Secret", 2 },
		{ "ConfigMap", 2 },
		{ "RoleBinding", 2 },
		{ "ClusterRoleBinding", 2 },
		{ "PersistentVolumeClaim", 2 },
		{ "Ingress", 2 },
		{ "DaemonSet", 3 },
		{ "Deployment", 3 },
		{ "ReplicationController", 3 },
		{ "ReplicaSet", 3 },
		{ "Job", 3 },
		{ "CronJob", 3 },
		{ "StatefulSet", 3 },
		{ "HelmRelease", 4 },
		{ "NetworkPolicy", 4 },
		{ "", 4 },
		{ "ValidatingWebhookConfiguration", 5 },
	};

	for (size_t i = 0; i < nitems(tv); i++)
		want_int(object_rank(tv[i].kind), tv[i].rank);
}

#define SEEN(version, digest_field, hash)                                      \
	"{\"uid\":\"u\",\"resourceVersion\":\"" version                        \
	"\",\"labels\":{\"fluxcd.io/sync-gc-mark\":\"m\"},"                    \
	"\"annotations\":{\"fluxcd.io/sync-checksum\":\"" hash                 \
	"\"},\"managedFields\":[{\"manager\":\"fluxd\",\"operation\":"         \
	"\"Apply\",\"fieldsV1\":{\"f:" digest_field "\":{}}}]}"

static struct object
applied_object(void)
{
	struct object o = { .state = OBJ_DIRTY, .hash = "h", .mark = "m" };
	auto_json json_t *meta = text_json(SEEN("10", "a", "h"));

	object_sent(&o);
	want(!object_applied(&o, meta));
	want_int(o.state, OBJ_CLEAN);
	return o;
}

static void
test_drift(void)
{
	static const struct {
		const char *what, *meta;
		bool drift;
	} tv[] = {
		{ "our own echo", SEEN("10", "a", "h"), false },
		{ "older than our own", SEEN("9", "b", "h"), false },
		{ "a foreign field or the status", SEEN("11", "a", "h"),
		    false },
		{ "one of our values", SEEN("11", "b", "h"), true },
		{ "the checksum", SEEN("11", "a", "x"), true },
		{ "no entry of ours",
		    "{\"uid\":\"u\",\"resourceVersion\":"
		    "\"11\"}",
		    true },
		{ "made anew by somebody",
		    "{\"uid\":\"v\",\"resourceVersion\":\"3\"}", true },
		{ "a version that is no number", SEEN("x1", "b", "h"), true },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct object o = applied_object();
		auto_json json_t *meta = text_json(tv[i].meta);

		if (!want_int(object_observe(&o, meta), tv[i].drift))
			printf("# %s\n", tv[i].what);
		want_int(o.state == OBJ_CLEAN, !tv[i].drift);
		want_int(o.drifted, tv[i].drift);
		free(o.fields);
	}
}

/* Events and answers come in any order. */
static void
test_in_flight(void)
{
	auto_json json_t *echo = text_json(SEEN("20", "a", "h"));
	auto_json json_t *foreign = text_json(SEEN("21", "b", "h"));
	struct object o = applied_object();

	object_sent(&o);
	want(!object_observe(&o, echo));
	want(!object_applied(&o, echo));
	want_int(o.state, OBJ_CLEAN);
	object_sent(&o);
	want(!object_observe(&o, foreign));
	want(object_applied(&o, echo));
	want_int(o.state, OBJ_DIRTY);
	/* deleted before our request, which made it anew */
	o = applied_object();
	object_sent(&o);
	want(!object_vanished(&o, 19));
	want(!object_applied(&o, echo));
	want_int(o.state, OBJ_CLEAN);
	/* and deleted after it */
	object_sent(&o);
	want(!object_vanished(&o, 25));
	want(object_applied(&o, echo));
	want_int(o.state, OBJ_LOOK);
	free(o.fields);
}

static void
test_ignored(void)
{
	auto_json json_t *ignored = text_json(
	    "{\"uid\":\"u\",\"resourceVersion\":\"11\",\"annotations\":{"
	    "\"fluxcd.io/ignore\":\"true\"}}");
	auto_json json_t *both = text_json(
	    "{\"uid\":\"u\",\"resourceVersion\":\"11\",\"annotations\":{"
	    "\"flux.weave.works/ignore\":\"true\",\"fluxcd.io/ignore\":"
	    "\"false\"}}");
	struct object o = applied_object();

	want(!object_observe(&o, ignored));
	want(o.live.ignored);
	want(!o.drifted);
	o = applied_object();
	want(object_observe(&o, both));
	want(!o.live.ignored);
}

/* Nothing is known of what was applied before a restart: the body decides. */
static void
test_restart(void)
{
	auto_json json_t *meta = text_json(SEEN("10", "a", "h"));
	auto_json json_t *other = text_json(SEEN("10", "a", "x"));
	struct object o = { .hash = "h", .mark = "m" };
	struct object p = { .hash = "h", .mark = "m" };

	want(!object_observe(&o, meta));
	want_int(o.state, OBJ_CHECK);
	want_str(o.fields, "{\"f:a\":{}}");
	free(o.fields);
	want(!object_observe(&p, other));
	want_int(p.state, OBJ_DIRTY);
}

int
main(void)
{
	test_run("status: code and reason decide, the text is one line",
	    test_status);
	test_run("discovery: the aggregated form", test_aggregated);
	test_run("discovery: the legacy form, one broken group apart",
	    test_legacy);
	test_run("discovery: the form is told by the content type",
	    test_content_type);
	test_run("paths: names are encoded, or refused", test_paths);
	test_run("fields: is every path of the object ours?", test_cover);
	test_run("fields: our entry and its digest", test_ours);
	test_run("bodies: what apply on the server needs otherwise", test_body);
	test_run("bodies: what it cannot express is refused",
	    test_body_refused);
	test_run("streams: lines and elements, however they are cut",
	    test_pieces);
	test_run("streams: neither grows without end", test_line_limit);
	test_run("objects: the order of applying", test_rank);
	test_run("objects: what is drift and what is not", test_drift);
	test_run("objects: events and answers in any order", test_in_flight);
	test_run("objects: ignore in the cluster", test_ignored);
	test_run("objects: after a restart", test_restart);
	return test_done();
}
