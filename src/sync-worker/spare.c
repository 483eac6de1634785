/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "objects.h"

#include "json.h"

/* Of the two spellings the newer one decides if it is there. */
static const char *
ignore_policy(const json_t *annotations)
{
	const json_t *v = json_object_get(annotations, "fluxcd.io/ignore");

	if (v == NULL)
		v = json_object_get(annotations, "flux.weave.works/ignore");
	return json_is_string(v) ? json_string_value(v) : "";
}

/* Is one of the words of "a=b, c=d" there? */
static bool
has_option(const char *options, const char *word)
{
	size_t n = strlen(word);

	for (const char *s = options; *s != '\0';) {
		size_t len;

		s += strspn(s, ", ");
		len = strcspn(s, ", ");
		if (len == n && memcmp(s, word, n) == 0)
			return true;
		s += len;
	}
	return false;
}

enum spare
spare_read(const json_t *annotations)
{
	static const char *const argo[] = { "Prune=false", "Prune=confirm",
		"Delete=false", "Delete=confirm" };
	const char *ignore = ignore_policy(annotations);
	const char *options =
	    sw_json_str(annotations, "argocd.argoproj.io/sync-options");

	if (strcmp(ignore, "true") == 0)
		return SPARE_IGNORE;
	if (strcmp(ignore, "sync_only") == 0)
		return SPARE_SYNC_ONLY;
	if (strcmp(sw_json_str(annotations,
		       "kustomize.toolkit.fluxcd.io/prune"),
		"disabled") == 0)
		return SPARE_PRUNE;
	for (size_t i = 0; i < nitems(argo); i++)
		if (has_option(options, argo[i]))
			return SPARE_PRUNE;
	return SPARE_NOT;
}
