/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "workload.h"

#include "image_ref.h"
#include "ipc_limits.h"
#include "json.h"
#include "resource_id.h"
#include "str.h"

#define ANTECEDENT "helm.fluxcd.io/antecedent"
#define ANTECEDENT_OLD "flux.weave.works/antecedent"

/* clang-format off */
const struct workload_kind workload_kinds[] = {
	{ "cronjob", "CronJob", { "batch/v1", "batch/v1beta1" }, false,
	    rollout_cronjob, images_cronjob },
	{ "daemonset", "DaemonSet", { "apps/v1" }, false,
	    rollout_daemonset, images_template },
	{ "deployment", "Deployment", { "apps/v1" }, false,
	    rollout_deployment, images_template },
	{ "fluxhelmrelease", "FluxHelmRelease",
	    { "helm.integrations.flux.weave.works/v1alpha2" }, false,
	    rollout_release, images_release },
	{ "helmrelease", "HelmRelease",
	    { "helm.fluxcd.io/v1", "flux.weave.works/v1beta1" }, true,
	    rollout_release, images_release },
	{ "statefulset", "StatefulSet", { "apps/v1" }, false,
	    rollout_statefulset, images_template },
};
/* clang-format on */
const size_t workload_nkinds = nitems(workload_kinds);

const struct workload_kind *
workload_kind_find(const char *id_kind)
{
	for (size_t i = 0; i < workload_nkinds; i++)
		if (strcmp(workload_kinds[i].id, id_kind) == 0)
			return &workload_kinds[i];
	return NULL;
}

bool
workload_is_addon(const json_t *object)
{
	const json_t *meta = json_object_get(object, "metadata");
	const json_t *labels = json_object_get(meta, "labels");
	const char *mode =
	    sw_json_str(labels, "addonmanager.kubernetes.io/mode");

	return strcmp(sw_json_str(meta, "namespace"), "kube-system") == 0 &&
	    (strcmp(sw_json_str(labels, "kubernetes.io/cluster-service"),
		 "true") == 0 ||
		strcmp(mode, "EnsureExists") == 0 ||
		strcmp(mode, "Reconcile") == 0);
}

/* ---- what fits --------------------------------------------------------- */

/* Is there room for n bytes more?  If not, something is left out. */
static bool
has_room(struct workload *w, size_t n)
{
	if (n > WORKLOAD_BYTES_MAX - w->bytes) {
		w->cut = true;
		return false;
	}
	w->bytes += n;
	return true;
}

static bool
pair_fits(struct workload *w, const char *name, const char *value)
{
	size_t n = strlen(name), v = strlen(value);

	if (n > IPC_MAX_NAME || v > IPC_MAX_TEXT) {
		w->cut = true;
		return false;
	}
	return has_room(w, n + v);
}

static void
add_pair(struct workload_pair **pairs, size_t *n, const char *name,
    const char *value)
{
	*pairs = xreallocarray(*pairs, *n + 1, sizeof(**pairs));
	(*pairs)[(*n)++] =
	    (struct workload_pair){ xstrdup(name), xstrdup(value) };
}

void
workload_add_image(struct workload *w, const char *name, const char *image)
{
	for (size_t i = 0; i < w->ncontainers; i++) {
		struct workload_pair *c = &w->containers[i];

		if (strcmp(c->name, name) != 0)
			continue;
		if (pair_fits(w, "", image)) {
			free(c->value);
			c->value = xstrdup(image);
		}
		return;
	}
	if (w->ncontainers == IPC_MAX_CONTAINERS)
		w->cut = true;
	else if (pair_fits(w, name, image))
		add_pair(&w->containers, &w->ncontainers, name, image);
}

static void
clear_pairs(struct workload_pair **pairs, size_t *n)
{
	for (size_t i = 0; i < *n; i++) {
		free((*pairs)[i].name);
		free((*pairs)[i].value);
	}
	free(fx_steal(pairs));
	*n = 0;
}

void
workload_drop_images(struct workload *w)
{
	clear_pairs(&w->containers, &w->ncontainers);
}

char *
workload_cut(struct workload *w, const char *s, size_t max)
{
	size_t n = strnlen(s, max + 1);

	if (n <= max)
		return xstrdup(s);
	w->cut = true;
	for (n = max; n > 0 && ((uint8_t)s[n] & 0xc0) == 0x80; n--)
		;
	return xstrndup(s, n);
}

void
workload_add_message(struct workload *w, const char *message)
{
	auto_free char *text = workload_cut(w, message, WORKLOAD_MESSAGE_MAX);

	if (w->nmessages == IPC_MAX_CONDITIONS || !has_room(w, strlen(text))) {
		w->cut = true;
		return;
	}
	w->messages =
	    xreallocarray(w->messages, w->nmessages + 1, sizeof(*w->messages));
	w->messages[w->nmessages++] = fx_steal(&text);
}

char *
workload_image(const char *text)
{
	struct image_ref ref;
	struct fx_err err;
	char *printed;

	if (image_ref_parse(text, &ref, &err) != FX_OK)
		return NULL;
	printed = image_ref_print(&ref);
	image_ref_clear(&ref);
	return printed;
}

/* ---- all of one ---------------------------------------------------------- */

/* NULL: it is none, or longer than one can be. */
static char *
as_id(const char *text)
{
	struct resource_id id;
	struct fx_err err;
	char *printed;

	if (strlen(text) > IPC_MAX_ID ||
	    resource_id_parse(text, &id, &err) != FX_OK)
		return NULL;
	printed = resource_id_print(&id);
	resource_id_clear(&id);
	return printed;
}

/* The Helm release that made it, by what the operator notes on it. */
static char *
antecedent(const json_t *meta)
{
	const json_t *notes = json_object_get(meta, "annotations");
	char *id = as_id(sw_json_str(notes, ANTECEDENT));

	if (id == NULL)
		id = as_id(sw_json_str(notes, ANTECEDENT_OLD));
	return id != NULL ? id : xstrdup("");
}

static void
read_labels(const json_t *labels, struct workload *w)
{
	/* jansson asks for what it does not write to */
	json_t *map = (json_t *)(uintptr_t)labels, *value;
	const char *name;

	json_object_foreach (map, name, value) {
		const char *text = json_string_value(value);

		if (text == NULL)
			continue;
		if (w->nlabels == IPC_MAX_LABELS)
			w->cut = true;
		else if (pair_fits(w, name, text))
			add_pair(&w->labels, &w->nlabels, name, text);
	}
}

/* "" if there is more behind a NUL: it would be another object's name. */
static const char *
name_of(const json_t *meta, const char *key)
{
	const json_t *j = json_object_get(meta, key);
	const char *s = json_string_value(j);

	return s != NULL && strlen(s) == json_string_length(j) ? s : "";
}

int
workload_read(const struct workload_kind *k, const json_t *object,
    struct workload *out)
{
	const json_t *meta = json_object_get(object, "metadata");
	auto_free char *text = resource_id_make(name_of(meta, "namespace"),
	    k->id, name_of(meta, "name"));
	struct workload w = { .id = as_id(text) };

	if (w.id == NULL)
		return FX_ESYNTAX;
	w.bytes = strlen(w.id);
	w.antecedent = antecedent(meta);
	w.bytes += strlen(w.antecedent);
	k->rollout(object, &w);
	w.bytes += strlen(w.status);
	/* what somebody can fill up at will comes last */
	k->images(object, &w);
	read_labels(json_object_get(meta, "labels"), &w);
	*out = w;
	return FX_OK;
}

void
workload_clear(struct workload *w)
{
	free(w->id);
	free(w->status);
	free(w->antecedent);
	for (size_t i = 0; i < w->nmessages; i++)
		free(w->messages[i]);
	free(w->messages);
	clear_pairs(&w->labels, &w->nlabels);
	clear_pairs(&w->containers, &w->ncontainers);
	*w = (struct workload){ 0 };
}
