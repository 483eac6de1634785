/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "workload.h"

#include "image_ref.h"
#include "jsonw.h"
#include "policy.h"
#include "resource_id.h"
#include "str.h"

/* ---- pieces ------------------------------------------------------------- */

static int
compare_names(const void *a, const void *b)
{
	const struct ipc_named *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* An object of strings, in the order of its keys. */
static void
add_named(struct buf *b, struct ipc_named *v, size_t n)
{
	if (n != 0)
		qsort(v, n, sizeof(*v), compare_names);
	str_addc(b, '{');
	for (size_t i = 0; i < n; i++) {
		if (i != 0)
			str_addc(b, ',');
		jw_string(b, v[i].name);
		str_addc(b, ':');
		jw_string(b, v[i].value);
	}
	str_addc(b, '}');
}

/* An id as it is printed; NULL: it is none. */
static char *
id_of(const char *text)
{
	struct resource_id id = { 0 };
	struct fx_err err = { 0 };
	char *printed = NULL;

	if (resource_id_parse(text, &id, &err) == FX_OK)
		printed = resource_id_print(&id);
	resource_id_clear(&id);
	return printed;
}

bool
workload_has_id(const struct ipc_workload *w)
{
	auto_free char *id = id_of(w->id);

	return id != NULL;
}

static void
add_id(struct buf *b, const char *name, const char *text)
{
	auto_free char *id = id_of(text);

	jw_member(b, name, id);
}

/* As images are printed; NULL: it is none. */
static char *
image_of(const char *text)
{
	struct image_ref ref = { 0 };
	struct fx_err err = { 0 };
	char *printed = NULL;

	if (image_ref_parse(text, &ref, &err) == FX_OK)
		printed = image_ref_print(&ref);
	image_ref_clear(&ref);
	return printed;
}

/* One that is no image leaves the containers out altogether. */
static bool
has_containers(const struct ipc_workload *w)
{
	for (size_t i = 0; i < w->containers_len; i++) {
		auto_free char *image = image_of(w->containers[i].value);

		if (image == NULL)
			return false;
	}
	return w->containers_len != 0;
}

static void
add_image(struct buf *b, const char *name, const char *id)
{
	str_addf(b, "\"%s\":{", name);
	jw_member(b, "ID", id);
	str_add(b, ",\"Labels\":{}}");
}

static void
add_container(struct buf *b, const struct ipc_named *c, unsigned fields)
{
	auto_free char *image = image_of(c->value);

	str_addc(b, '{');
	if ((fields & CF_NAME) != 0 && *c->name != '\0') {
		jw_member(b, "Name", c->name);
		str_addc(b, ',');
	}
	add_image(b, "Current", (fields & CF_CURRENT) != 0 ? image : "");
	str_addc(b, ',');
	add_image(b, "LatestFiltered", "");
}

/* ---- what runs, and what git says of it --------------------------------- */

static void
add_containers(struct buf *b, const struct ipc_workload *w)
{
	bool any = has_containers(w);

	str_add(b, "\"Containers\":[");
	for (size_t i = 0; any && i < w->containers_len; i++) {
		if (i != 0)
			str_addc(b, ',');
		add_container(b, &w->containers[i], CF_NAME | CF_CURRENT);
		str_addc(b, '}');
	}
	str_addc(b, ']');
}

static const char *
read_only(const struct ipc_declaration *d, const struct ipc_repository_is *m)
{
	if (d != NULL)
		return m->read_only ? "ReadOnlyMode" : "";
	switch (m->state) {
	case IPC_REPOSITORY_READY:
		return "NotInRepo";
	case IPC_REPOSITORY_NONE:
		return "NoRepo";
	default:
		return "NotReady";
	}
}

/* The messages are null when there are none: clients take an empty list for
 * trouble. */
static void
add_rollout(struct buf *b, const struct ipc_workload *w)
{
	str_addf(b,
	    "\"Rollout\":{\"Desired\":%lld,\"Updated\":%lld,\"Ready\":%lld,"
	    "\"Available\":%lld,\"Outdated\":%lld,\"Messages\":",
	    (long long)w->desired, (long long)w->updated, (long long)w->ready,
	    (long long)w->available, (long long)w->outdated);
	if (w->messages_len == 0)
		str_add(b, "null");
	for (size_t i = 0; i < w->messages_len; i++) {
		str_addc(b, i == 0 ? '[' : ',');
		jw_string(b, w->messages[i].s);
	}
	str_add(b, w->messages_len == 0 ? "}" : "]}");
}

static void
add_policies(struct buf *b, const struct ipc_declaration *d)
{
	static const struct {
		const char *key, *policy;
	} flags[] = {
		{ "Automated", POLICY_AUTOMATED },
		{ "Locked", POLICY_LOCKED },
		{ "Ignore", POLICY_IGNORE },
	};
	size_t n = d == NULL ? 0 : d->policies_len;

	for (size_t k = 0; k < nitems(flags); k++) {
		bool on = false;

		for (size_t i = 0; i < n; i++)
			on = on ||
			    (strcmp(d->policies[i].name, flags[k].policy) ==
				    0 &&
				strcmp(d->policies[i].value, "true") == 0);
		str_addf(b, "\"%s\":%s,", flags[k].key, on ? "true" : "false");
	}
	str_add(b, "\"Policies\":");
	add_named(b, n == 0 ? NULL : d->policies, n);
}

void
workload_status(struct buf *b, struct ipc_workload *w,
    const struct ipc_declaration *d, const struct ipc_repository_is *m)
{
	str_addc(b, '{');
	add_id(b, "ID", w->id);
	str_addc(b, ',');
	add_containers(b, w);
	str_addc(b, ',');
	jw_member(b, "ReadOnly", read_only(d, m));
	str_addc(b, ',');
	jw_member(b, "Status", w->status);
	str_addc(b, ',');
	add_rollout(b, w);
	str_addc(b, ',');
	jw_member(b, "SyncError", w->error);
	str_addc(b, ',');
	add_id(b, "Antecedent", w->antecedent);
	str_add(b, ",\"Labels\":");
	if (w->labels_len == 0)
		str_add(b, "null");
	else
		add_named(b, w->labels, w->labels_len);
	str_addc(b, ',');
	add_policies(b, d);
	str_addc(b, '}');
}

/* ---- images ------------------------------------------------------------- */

int
container_fields_parse(const char *text, unsigned *out, struct fx_err *err)
{
	static const char *const names[] = { "Name", "Current",
		"LatestFiltered", "Available", "AvailableError",
		"AvailableImagesCount", "NewAvailableImagesCount",
		"FilteredImagesCount", "NewFilteredImagesCount" };
	unsigned fields = 0;

	for (const char *s = text; *text != '\0' && s != NULL;) {
		auto_free char *name = xstrndup(s, strcspn(s, ","));
		size_t i = 0;

		while (i < nitems(names) && strcmp(names[i], name) != 0)
			i++;
		if (i == nitems(names))
			return fx_fail(err, FX_ESYNTAX,
			    "%s is an invalid field", name);
		fields |= 1u << i;
		s = strchr(s, ',');
		s = s == NULL ? NULL : s + 1;
	}
	*out = *text == '\0' ? CF_ALL : fields;
	return FX_OK;
}

void
workload_images(struct buf *b, const struct ipc_workload *w, unsigned fields)
{
	bool any = has_containers(w);

	str_addc(b, '{');
	add_id(b, "ID", w->id);
	str_add(b, any ? ",\"Containers\":[" : ",\"Containers\":null");
	for (size_t i = 0; any && i < w->containers_len; i++) {
		if (i != 0)
			str_addc(b, ',');
		add_container(b, &w->containers[i], fields);
		if ((fields & CF_AVAILABLE_ERROR) != 0) {
			str_addc(b, ',');
			jw_member(b, "AvailableError",
			    "image data not available");
		}
		str_addc(b, '}');
	}
	str_add(b, any ? "]}" : "}");
}
