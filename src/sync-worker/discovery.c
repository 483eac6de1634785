/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "discovery.h"

#include "json.h"
#include "str.h"

void
catalog_clear(struct catalog *c)
{
	for (size_t i = 0; i < c->nkinds; i++) {
		free(c->kinds[i].api_version);
		free(c->kinds[i].kind);
		free(c->kinds[i].resource);
	}
	for (size_t i = 0; i < c->ngroups; i++) {
		free(c->groups[i].api_version);
		free(c->groups[i].broken);
	}
	free(c->kinds);
	free(c->groups);
	*c = (struct catalog){ 0 };
}

/* Letters, digits, '-' and '.', as in DNS names; not only dots. */
static bool
is_name(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= DISC_TEXT_MAX && s[0] != '.' &&
	    strspn(s,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-.") == n;
}

static bool
has_verb(const json_t *verbs, const char *verb)
{
	const json_t *v;
	size_t i;

	json_array_foreach (verbs, i, v) {
		const char *s = json_string_value(v);

		if (s != NULL && strcmp(s, verb) == 0)
			return true;
	}
	return false;
}

static int
add_group(struct catalog *c, const char *group, const char *version,
    const char *broken, struct fx_err *err)
{
	struct disc_group *g;

	if ((group[0] != '\0' && !is_name(group)) || !is_name(version))
		return FX_OK; /* not something a manifest could name */
	if (c->ngroups == DISC_GROUPS_MAX)
		return fx_fail(err, FX_ELIMIT,
		    "discovery: more than %d group versions", DISC_GROUPS_MAX);
	if (c->ngroups == c->groups_cap) {
		c->groups_cap = c->groups_cap == 0 ? 64 : 2 * c->groups_cap;
		c->groups =
		    xreallocarray(c->groups, c->groups_cap, sizeof(*c->groups));
	}
	g = &c->groups[c->ngroups++];
	g->api_version = group[0] == '\0' ? xstrdup(version)
					  : xasprintf("%s/%s", group, version);
	g->broken = broken != NULL ? xstrdup(broken) : NULL;
	return FX_OK;
}

static int
add_kind(struct catalog *c, size_t at, const char *kind, const char *resource,
    bool namespaced, const json_t *verbs, struct fx_err *err)
{
	if (!is_name(resource) || kind[0] == '\0' ||
	    strlen(kind) > DISC_TEXT_MAX)
		return FX_OK;
	if (c->nkinds == DISC_KINDS_MAX)
		return fx_fail(err, FX_ELIMIT, "discovery: more than %d kinds",
		    DISC_KINDS_MAX);
	if (c->nkinds == c->kinds_cap) {
		c->kinds_cap = c->kinds_cap == 0 ? 128 : 2 * c->kinds_cap;
		c->kinds =
		    xreallocarray(c->kinds, c->kinds_cap, sizeof(*c->kinds));
	}
	c->kinds[c->nkinds++] = (struct disc_kind){
		.api_version = xstrdup(c->groups[at].api_version),
		.kind = xstrdup(kind),
		.resource = xstrdup(resource),
		.namespaced = namespaced,
		.can_list = has_verb(verbs, "list"),
		.can_watch = has_verb(verbs, "watch"),
		.order = at,
	};
	return FX_OK;
}

static int
add_version(struct catalog *c, const char *group, const json_t *v,
    struct fx_err *err)
{
	bool stale = strcmp(sw_json_str(v, "freshness"), "Stale") == 0;
	const json_t *res, *list = json_object_get(v, "resources");
	size_t i, at = c->ngroups;

	if (add_group(c, group, sw_json_str(v, "version"),
		stale ? "the server is currently unable to handle the request"
		      : NULL,
		err) != FX_OK)
		return err->code;
	if (c->ngroups == at)
		return FX_OK;
	json_array_foreach (list, i, res) {
		/* without responseKind it is only a parent of sub-resources */
		const json_t *rk = json_object_get(res, "responseKind");

		if (add_kind(c, at, sw_json_str(rk, "kind"),
			sw_json_str(res, "resource"),
			strcmp(sw_json_str(res, "scope"), "Namespaced") == 0,
			json_object_get(res, "verbs"), err) != FX_OK)
			return err->code;
	}
	return FX_OK;
}

int
catalog_add_aggregated(struct catalog *c, const json_t *doc, struct fx_err *err)
{
	const json_t *item, *version;
	size_t i, j;

	if (!json_is_array(json_object_get(doc, "items")))
		return fx_fail(err, FX_ESYNTAX, "discovery: no items");
	json_array_foreach (json_object_get(doc, "items"), i, item) {
		const char *group =
		    sw_json_str(json_object_get(item, "metadata"), "name");

		json_array_foreach (json_object_get(item, "versions"), j,
		    version)
			if (add_version(c, group, version, err) != FX_OK)
				return err->code;
	}
	return FX_OK;
}

#define NOT_YET "its resource list has not been read"

int
catalog_add_versions(struct catalog *c, const json_t *doc, struct fx_err *err)
{
	const json_t *v, *group;
	size_t i, j;

	json_array_foreach (json_object_get(doc, "versions"), i, v) {
		const char *s = json_string_value(v);

		if (s != NULL && add_group(c, "", s, NOT_YET, err) != FX_OK)
			return err->code;
	}
	json_array_foreach (json_object_get(doc, "groups"), i, group) {
		json_array_foreach (json_object_get(group, "versions"), j, v)
			if (add_group(c, sw_json_str(group, "name"),
				sw_json_str(v, "version"), NOT_YET,
				err) != FX_OK)
				return err->code;
	}
	return FX_OK;
}

int
catalog_add_resources(struct catalog *c, size_t at, const json_t *doc,
    struct fx_err *err)
{
	const json_t *res;
	size_t i;

	json_array_foreach (json_object_get(doc, "resources"), i, res) {
		const char *name = sw_json_str(res, "name");

		if (strchr(name, '/') == NULL &&
		    add_kind(c, at, sw_json_str(res, "kind"), name,
			json_is_true(json_object_get(res, "namespaced")),
			json_object_get(res, "verbs"), err) != FX_OK)
			return err->code;
	}
	free(fx_steal(&c->groups[at].broken));
	return FX_OK;
}

void
catalog_set_broken(struct catalog *c, size_t i, const char *why)
{
	free(c->groups[i].broken);
	c->groups[i].broken = xstrdup(why);
}

static int
kind_compare(const void *a, const void *b)
{
	const struct disc_kind *x = a, *y = b;
	int r = strcmp(x->api_version, y->api_version);

	return r != 0 ? r : strcmp(x->kind, y->kind);
}

static int
group_compare(const void *a, const void *b)
{
	const struct disc_group *x = a, *y = b;

	return strcmp(x->api_version, y->api_version);
}

void
catalog_sort(struct catalog *c)
{
	if (c->nkinds > 0)
		qsort(c->kinds, c->nkinds, sizeof(*c->kinds), kind_compare);
	if (c->ngroups > 0)
		qsort(c->groups, c->ngroups, sizeof(*c->groups), group_compare);
}

static bool
has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = text; (p = strstr(p, word)) != NULL; p += n)
		if ((p == text || p[-1] == ';' || p[-1] == ' ') &&
		    (p[n] == '\0' || p[n] == ';' || p[n] == ' '))
			return true;
	return false;
}

bool
disc_is_aggregated(const char *content_type)
{
	return content_type != NULL &&
	    has_word(content_type, "g=apidiscovery.k8s.io") &&
	    has_word(content_type, "as=APIGroupDiscoveryList");
}

const struct disc_kind *
catalog_find(const struct catalog *c, const char *api_version, const char *kind)
{
	/* the functions that compare do not write through these */
	const struct disc_kind key = { .api_version = (char *)api_version,
		.kind = (char *)kind };

	return c->nkinds == 0 ? NULL
			      : bsearch(&key, c->kinds, c->nkinds,
				    sizeof(*c->kinds), kind_compare);
}

const struct disc_group *
catalog_group(const struct catalog *c, const char *api_version)
{
	const struct disc_group key = { .api_version = (char *)api_version };

	return c->ngroups == 0 ? NULL
			       : bsearch(&key, c->groups, c->ngroups,
				     sizeof(*c->groups), group_compare);
}

void
disc_add_group_path(struct buf *out, const char *api_version)
{
	(void)str_add(out, strchr(api_version, '/') ? "/apis/" : "/api/");
	(void)str_add(out, api_version);
}

void
disc_add_encoded(struct buf *out, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

	for (; *s != '\0'; s++) {
		if (strchr(plain, *s) != NULL)
			(void)str_addc(out, *s);
		else
			(void)str_addf(out, "%%%02X", (uint8_t)*s);
	}
}

/* What the API server itself refuses as a name, because it means something
 * else in a path. */
static bool
is_segment(const char *s)
{
	return s[0] != '\0' && strcmp(s, ".") != 0 && strcmp(s, "..") != 0 &&
	    strpbrk(s, "/%") == NULL;
}

int
disc_add_path(struct buf *out, const struct disc_kind *k, const char *ns,
    const char *name)
{
	bool has_ns = k->namespaced && ns != NULL && ns[0] != '\0';

	if ((has_ns && !is_segment(ns)) || (name != NULL && !is_segment(name)))
		return FX_ESYNTAX;
	disc_add_group_path(out, k->api_version);
	if (has_ns) {
		(void)str_add(out, "/namespaces/");
		disc_add_encoded(out, ns);
	}
	(void)str_addc(out, '/');
	(void)str_add(out, k->resource);
	if (name != NULL) {
		(void)str_addc(out, '/');
		disc_add_encoded(out, name);
	}
	return FX_OK;
}
