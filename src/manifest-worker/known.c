/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "known.h"

#include <ctype.h>
#include <sha1.h>

/* ---- digests ------------------------------------------------------------ */

/* The first n bytes of a SHA-1: who writes manifests chooses what goes in, so
 * a weaker hash could be driven into collisions. */
static uint64_t
digest_end(SHA1_CTX *c, size_t n)
{
	uint8_t hash[SHA1_DIGEST_LENGTH];
	uint64_t v = 0;

	SHA1Final(hash, c);
	memcpy(&v, hash, n);
	return v;
}

uint32_t
known_ns_digest(const char *ns)
{
	SHA1_CTX c;

	if (*ns == '\0')
		return 0;
	SHA1Init(&c);
	SHA1Update(&c, (const uint8_t *)ns, strlen(ns));
	return (uint32_t)digest_end(&c, sizeof(uint32_t));
}

size_t
known_group_span(const char *api_version)
{
	const char *slash = strchr(api_version, '/');

	return slash == NULL ? 0 : (size_t)(slash - api_version);
}

static uint64_t
name_digest(const struct kind *k, const char *name)
{
	size_t group = known_group_span(k->api_version);
	SHA1_CTX c;

	SHA1Init(&c);
	SHA1Update(&c, (const uint8_t *)k->api_version, group);
	for (const char *p = k->kind; *p != '\0'; p++) {
		uint8_t low = (uint8_t)tolower((unsigned char)*p);

		SHA1Update(&c, &low, 1);
	}
	SHA1Update(&c, (const uint8_t *)"/", 1);
	SHA1Update(&c, (const uint8_t *)name, strlen(name));
	return digest_end(&c, sizeof(uint64_t));
}

/* ---- kinds -------------------------------------------------------------- */

static int
kind_order(const char *api_version, const char *kind, const struct kind *k)
{
	int r = strcmp(api_version, k->api_version);

	return r != 0 ? r : strcmp(kind, k->kind);
}

static void
kind_free(struct kind *k)
{
	free(k->api_version);
	free(k->kind);
	free(k->why);
	free(k);
}

static struct kind *
known_kind(struct known *s, const char *api_version, const char *kind)
{
	size_t low = 0, high = s->nkinds;
	struct kind *k;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int r = kind_order(api_version, kind, s->kinds[mid]);

		if (r == 0)
			return s->kinds[mid];
		if (r < 0)
			high = mid;
		else
			low = mid + 1;
	}
	if ((s->nkinds & (s->nkinds - 1)) == 0) /* grows at powers of two */
		s->kinds = xreallocarray(s->kinds,
		    s->nkinds == 0 ? 1 : s->nkinds * 2, sizeof(*s->kinds));
	memmove(s->kinds + low + 1, s->kinds + low,
	    (s->nkinds - low) * sizeof(*s->kinds));
	k = xcalloc(1, sizeof(*k));
	k->api_version = xstrdup(api_version);
	k->kind = xstrdup(kind);
	s->kinds[low] = k;
	s->nkinds++;
	return k;
}

/* ---- a blob ------------------------------------------------------------- */

struct gather {
	struct resource *v; /* owned */
	size_t n, cap;
	size_t names;		       /* bytes of their names and namespaces */
	size_t policies, max_policies; /* bytes */
};

static int
gather(void *arg, struct resource *r, struct node *object, struct arena *a,
    struct fx_err *err)
{
	struct gather *g = arg;

	(void)object;
	(void)a;
	if (g->n == KNOWN_MAX_RESOURCES)
		return fx_fail(err, FX_ELIMIT,
		    "a file defines more than %d resources",
		    KNOWN_MAX_RESOURCES);
	g->policies += r->policies == NULL ? 0 : r->policies->bytes;
	if (g->policies > g->max_policies)
		return fx_fail(err, FX_ELIMIT,
		    "policies of a file have more than %zu bytes",
		    g->max_policies);
	if (g->n == g->cap) {
		g->cap = g->cap == 0 ? 1 : g->cap * 2;
		g->v = xreallocarray(g->v, g->cap, sizeof(*g->v));
	}
	g->names += strlen(r->ns) + strlen(r->name) + 2;
	g->v[g->n++] = *r;
	*r = (struct resource){ 0 };
	return FX_OK;
}

static char *
put_text(char **at, const char *s)
{
	size_t n = strlen(s) + 1;
	char *p = *at;

	memcpy(p, s, n);
	*at += n;
	return p;
}

/* What a resource has that most do not; taken from it. */
static struct known_more *
take_more(struct resource *r)
{
	struct known_more *more;

	if (r->unfit == NULL && r->nscopes == 0 && r->policies == NULL)
		return NULL;
	more = xcalloc(1, sizeof(*more));
	more->policies = fx_steal(&r->policies);
	more->unfit = fx_steal(&r->unfit);
	more->scopes = fx_steal(&r->scopes);
	more->nscopes = r->nscopes;
	r->nscopes = 0;
	return more;
}

static struct blob *
pack(struct known *s, const char *oid, struct gather *g)
{
	size_t fixed =
	    sizeof(struct blob) + g->n * sizeof(struct known_resource);
	struct blob *b = xmalloc(fixed + strlen(oid) + 1 + g->names);
	char *at = (char *)b + fixed;

	*b = (struct blob){ .oid = put_text(&at, oid), .n = g->n };
	for (size_t i = 0; i < g->n; i++) {
		struct resource *r = &g->v[i];
		struct known_resource *k = &b->v[i];

		*k = (struct known_resource){
			.kind = known_kind(s, r->api_version, r->kind),
			.ns = put_text(&at, r->ns),
			.name = put_text(&at, r->name),
			.ns_digest = known_ns_digest(r->ns),
			.policy = r->policy,
			.more = take_more(r),
		};
		memcpy(k->hash, r->hash, sizeof(k->hash));
		k->digest = name_digest(k->kind, k->name);
		resource_clear(r);
	}
	free(g->v);
	return b;
}

static void
blob_free(struct blob *b)
{
	for (size_t i = 0; i < b->n; i++) {
		struct known_more *more = b->v[i].more;

		if (more == NULL)
			continue;
		free(more->policies);
		free(more->unfit);
		resource_scopes_free(more->scopes, more->nscopes);
		free(more);
	}
	free(b->error);
	free(b);
}

struct blob *
known_parse(struct known *s, const char *oid, const void *text, size_t n)
{
	struct gather g = {
		.max_policies = KNOWN_POLICY_SLACK + KNOWN_POLICY_FACTOR * n,
	};
	struct fx_err err = { 0 };
	const char *stage = NULL;
	int r = resource_each(text, n, gather, &g, &stage, &err);
	struct blob *b = pack(s, oid, &g);

	b->size = n;
	if (r != FX_OK) {
		b->error = xstrdup(err.text);
		b->stage = stage;
		b->code = r;
	} else {
		s->texts.max = KNOWN_KEEP;
		b->text = arena_strn(&s->texts, text, n);
	}
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 64 : s->cap * 2;
		s->v = xreallocarray(s->v, s->cap, sizeof(*s->v));
	}
	s->v[s->n++] = b;
	return b;
}

/* ---- all of them -------------------------------------------------------- */

static int
blob_order(const void *pa, const void *pb)
{
	const struct blob *a = *(struct blob *const *)pa;
	const struct blob *b = *(struct blob *const *)pb;

	return strcmp(a->oid, b->oid);
}

void
known_settle(struct known *s)
{
	size_t i = s->sorted, j = s->n - s->sorted, k = s->n;
	struct blob **fresh;

	if (j == 0)
		return;
	fresh = xreallocarray(NULL, j, sizeof(struct blob *));
	memcpy(fresh, s->v + i, j * sizeof(struct blob *));
	qsort(fresh, j, sizeof(struct blob *), blob_order);
	while (j > 0)
		if (i > 0 && blob_order(&s->v[i - 1], &fresh[j - 1]) > 0)
			s->v[--k] = s->v[--i];
		else
			s->v[--k] = fresh[--j];
	free(fresh);
	s->sorted = s->n;
}

struct blob *
known_find(const struct known *s, const char *oid)
{
	size_t low = 0, high = s->sorted;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int r = strcmp(oid, s->v[mid]->oid);

		if (r == 0)
			return s->v[mid];
		if (r < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

void
known_drop_texts(struct known *s)
{
	if (s->texts.used == 0)
		return;
	for (size_t i = 0; i < s->n; i++)
		s->v[i]->text = NULL;
	arena_clear(&s->texts);
}

static void
purge_kinds(struct known *s)
{
	size_t left = 0;

	for (size_t i = 0; i < s->nkinds; i++)
		s->kinds[i]->used = false;
	for (size_t i = 0; i < s->n; i++)
		for (size_t j = 0; j < s->v[i]->n; j++)
			s->v[i]->v[j].kind->used = true;
	for (size_t i = 0; i < s->nkinds; i++)
		if (s->kinds[i]->used)
			s->kinds[left++] = s->kinds[i];
		else
			kind_free(s->kinds[i]);
	/* the room is what known_kind expects at this number */
	if (left != s->nkinds && left != 0) {
		size_t room = 1;

		while (room < left)
			room *= 2;
		s->kinds = xreallocarray(s->kinds, room, sizeof(*s->kinds));
	}
	s->nkinds = left;
}

void
known_purge(struct known *s)
{
	size_t left = 0;

	known_settle(s);
	for (size_t i = 0; i < s->n; i++) {
		struct blob *b = s->v[i];

		if (b->used) {
			s->v[left++] = b;
			continue;
		}
		blob_free(b);
	}
	if (left == s->n)
		return;
	s->n = s->sorted = left;
	purge_kinds(s);
}

void
known_clear(struct known *s)
{
	for (size_t i = 0; i < s->n; i++)
		blob_free(s->v[i]);
	free(s->v);
	for (size_t i = 0; i < s->nkinds; i++)
		kind_free(s->kinds[i]);
	free(s->kinds);
	arena_clear(&s->texts);
	*s = (struct known){ 0 };
}
