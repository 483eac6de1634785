/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "pods.h"

#include "answer.h"
#include "quote.h"
#include "url.h"

#define OTHER_NAMES "name in (flux,fluxd,weave-flux-agent)"

static bool
is_staying(const json_t *pod)
{
	return json_is_null(json_object_get(json_object_get(pod, "metadata"),
		   "deletionTimestamp")) ||
	    json_object_get(json_object_get(pod, "metadata"),
		"deletionTimestamp") == NULL;
}

static bool
is_text(const json_t *object, const char *name, const char *value)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s != NULL && strcmp(s, value) == 0;
}

static bool
is_ready(const json_t *pod)
{
	const json_t *conditions =
	    json_object_get(json_object_get(pod, "status"), "conditions");
	const json_t *c;
	size_t i;

	json_array_foreach (conditions, i, c)
		if (is_text(c, "type", "Ready") && is_text(c, "status", "True"))
			return true;
	return false;
}

static bool
has_port(const json_t *pod)
{
	const json_t *containers =
	    json_object_get(json_object_get(pod, "spec"), "containers");
	const json_t *c, *p;
	size_t i, j;

	json_array_foreach (containers, i, c)
		json_array_foreach (json_object_get(c, "ports"), j, p)
			if (json_integer_value(json_object_get(p,
				"containerPort")) == FLUXD_PORT)
				return true;
	return false;
}

/* Those that `keep` says yes to, unless that is none. */
static void
narrow(json_t *pods, bool (*keep)(const json_t *))
{
	size_t kept = 0;
	json_t *pod;
	size_t i;

	json_array_foreach (pods, i, pod)
		kept += keep(pod);
	if (kept == 0)
		return;
	for (i = json_array_size(pods); i-- > 0;)
		if (!keep(json_array_get(pods, i)))
			(void)json_array_remove(pods, i);
}

int
pods_choose(const json_t *list, const char *selector, char **pod,
    struct ctl_error *err)
{
	const json_t *items = json_object_get(list, "items");
	auto_json json_t *pods = json_array();
	const char *name;

	*pod = NULL;
	(void)json_array_extend(pods, (json_t *)(uintptr_t)items);
	if (json_array_size(pods) > 1)
		narrow(pods, is_staying);
	if (json_array_size(pods) > 1)
		narrow(pods, is_ready);
	if (json_array_size(pods) > 1)
		narrow(pods, has_port);
	if (json_array_size(pods) == 0)
		return FX_OK;
	if (json_array_size(pods) > 1) {
		auto_free char *quoted = str_quoted(selector);

		return ctl_fail(err, FX_ECONFLICT,
		    "Ambiguous pod: found more than one pod for selector: "
		    "labels %s",
		    quoted);
	}
	name = json_string_value(
	    json_object_get(json_object_get(json_array_get(pods, 0),
				"metadata"),
		"name"));
	if (name == NULL || *name == '\0')
		return ctl_fail(err, FX_ESYNTAX,
		    "Listing pods in kubernetes: a pod without a name");
	*pod = xstrdup(name);
	return FX_OK;
}

char *
pods_path(const char *ns, const char *selector)
{
	auto_free char *space = url_query_escape(ns);
	auto_free char *query = url_query_escape(selector);

	return xasprintf("/api/v1/namespaces/%s/pods"
			 "?fieldSelector=status.phase%%3DRunning"
			 "&labelSelector=%s",
	    space, query);
}

static int
look(const struct apiserver *a, const char *ns, const char *selector,
    char **pod, struct ctl_error *err)
{
	auto_free char *path = pods_path(ns, selector);
	auto_reply struct reply reply = { 0 };
	auto_json json_t *list = NULL;
	json_error_t why;
	int r = apiserver_get(a, path, &reply, err);

	if (r == FX_OK) {
		list = json_loadb((const char *)buf_head(&reply.body),
		    buf_left(&reply.body), 0, &why);
		if (list == NULL)
			r = ctl_fail(err, FX_ESYNTAX, "%s", why.text);
	}
	if (r != FX_OK)
		return ctl_wrap(err, r, "Listing pods in kubernetes");
	return pods_choose(list, selector, pod, err);
}

int
pods_find(const struct apiserver *a, const char *ns, const char *labels,
    char **pod, struct ctl_error *err)
{
	int r = look(a, ns, labels, pod, err);

	if (r == FX_OK && *pod == NULL)
		r = look(a, ns, OTHER_NAMES, pod, err);
	if (r != FX_OK)
		return ctl_wrap(err, r,
		    "Could not create a dialer: Could not get pod name");
	if (*pod != NULL)
		return FX_OK;
	return ctl_fail(err, FX_EUNKNOWN,
	    "No pod found in namespace \"%s\" using the following selectors:\n"
	    "  %s\n"
	    "  %s\n"
	    "\n"
	    "Make sure Flux is running in namespace \"%s\".\n"
	    "If Flux is running in another different namespace, please supply "
	    "it to --k8s-fwd-ns.",
	    ns, labels, OTHER_NAMES, ns);
}
