/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "objects.h"

#include "clock.h"
#include "str.h"

#define TAG_MESSAGE "Sync pointer\n"
#define REVISION_MAX 256 /* bytes of a revision */

int
oid_parse(const char *hex, git_oid *oid, struct fx_err *err)
{
	if (strlen(hex) != GIT_OID_HEXSZ || git_oid_fromstr(oid, hex) != 0) {
		git_error_clear();
		return fx_fail(err, FX_ESYNTAX, "not an object id");
	}
	return FX_OK;
}

static bool
is_revision(const char *s)
{
	size_t n = strspn(s,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "._/^~-");

	return n != 0 && n <= REVISION_MAX && s[n] == '\0' && *s != '-';
}

int
commit_resolve(struct mirror *m, const char *rev, git_oid *oid,
    struct fx_err *err)
{
	git_object *o = NULL, *commit = NULL;
	int r;

	if (!is_revision(rev))
		return fx_fail(err, FX_ESYNTAX, "not a revision");
	r = git_revparse_single(&o, m->repo, rev);
	if (r == 0)
		r = git_object_peel(&commit, o, GIT_OBJECT_COMMIT);
	if (r == 0)
		git_oid_cpy(oid, git_object_id(commit));
	git_object_free(commit);
	git_object_free(o);
	if (r == 0)
		return FX_OK;
	/* not there is an answer, not damage; but not from an empty mirror */
	r = gw_git_fail(r == GIT_EPEEL ? GIT_ENOTFOUND : r, err,
	    "unknown revision %s", rev);
	return mirror_is_empty(m) ? err->code = FX_EGONE : r;
}

int
object_check_size(struct mirror *m, const git_oid *oid, size_t max,
    struct fx_err *err)
{
	git_odb *odb = NULL;
	git_object_t type;
	size_t size = 0;
	int r;

	r = git_repository_odb(&odb, m->repo);
	if (r == 0)
		r = git_odb_read_header(&size, &type, odb, oid);
	git_odb_free(odb);
	if (r != 0)
		return mirror_fail(m, r, err, "object database");
	if (size > max)
		return fx_fail(err, FX_ELIMIT,
		    "an object is larger than %zu bytes", max);
	return FX_OK;
}

static int
read_checked(struct mirror *m, git_odb *odb, const char *hex, size_t max,
    git_odb_object **out, struct fx_err *err)
{
	git_object_t type = GIT_OBJECT_INVALID;
	git_oid oid;
	size_t size = 0;
	int r;

	if ((r = oid_parse(hex, &oid, err)) != FX_OK)
		return r;
	if ((r = git_odb_read_header(&size, &type, odb, &oid)) != 0)
		return mirror_doubt(m, r, err, "object %s", hex);
	if (type != GIT_OBJECT_BLOB)
		return fx_fail(err, FX_ESYNTAX, "object %s is no file", hex);
	if (size > max)
		return fx_fail(err, FX_ELIMIT,
		    "file %s has %zu bytes, more than %zu", hex, size, max);
	if ((r = git_odb_read(out, odb, &oid)) != 0)
		return mirror_fail(m, r, err, "object %s", hex);
	return FX_OK;
}

int
blob_read(struct mirror *m, const char *hex, size_t max, git_odb_object **out,
    struct fx_err *err)
{
	git_odb *odb = NULL;
	int r;

	if ((r = git_repository_odb(&odb, m->repo)) != 0)
		return mirror_fail(m, r, err, "object database");
	r = read_checked(m, odb, hex, max, out, err);
	git_odb_free(odb);
	return r;
}

/* "refs/tags/flux-sync" is called "flux-sync" inside the object. */
static const char *
short_tag(const struct mirror *m)
{
	static const char prefix[] = "refs/tags/";

	return str_starts(m->tag, prefix) ? m->tag + strlen(prefix) : m->tag;
}

/* git leaves out what would end a name or an address. */
static char *
clean(const char *s)
{
	char *out = xcalloc(1, strlen(s) + 1);
	size_t n = 0;

	for (; *s != '\0'; s++)
		if (*s != '<' && *s != '>' && *s != '\n')
			out[n++] = *s;
	return out;
}

/* Is the object that a ref names the tag that would be made now, but for its
 * date?  A tag that cannot be pushed is asked for again and again. */
static bool
is_same_tag(struct mirror *m, const char *ref, const git_oid *commit,
    const git_signature *tagger, git_oid *out)
{
	git_tag *tag = NULL;
	const git_signature *by;
	bool same = git_reference_name_to_id(out, m->repo, ref) == 0 &&
	    git_tag_lookup(&tag, m->repo, out) == 0 &&
	    git_oid_equal(git_tag_target_id(tag), commit) &&
	    strcmp(git_tag_name(tag), short_tag(m)) == 0 &&
	    (by = git_tag_tagger(tag)) != NULL &&
	    strcmp(by->name, tagger->name) == 0 &&
	    strcmp(by->email, tagger->email) == 0;

	git_tag_free(tag);
	git_error_clear();
	return same;
}

int
tag_make(struct mirror *m, const char *commit, const char *user,
    const char *email, const char *ref, git_oid *out, struct fx_err *err)
{
	auto_free char *name = clean(user), *address = clean(email);
	git_signature *tagger = NULL;
	git_object *target = NULL;
	git_oid oid;
	int r;

	if ((r = oid_parse(commit, &oid, err)) != FX_OK)
		return r;
	r = git_object_lookup(&target, m->repo, &oid, GIT_OBJECT_COMMIT);
	if (r == 0)
		r = git_signature_new(&tagger, name, address,
		    (git_time_t)(clk_wall_us() / CLK_SEC), 0);
	if (r == 0 && !is_same_tag(m, ref, &oid, tagger, out))
		r = git_tag_annotation_create(out, m->repo, short_tag(m),
		    target, tagger, TAG_MESSAGE);
	git_signature_free(tagger);
	git_object_free(target);
	if (r != 0)
		return mirror_doubt(m, r, err, "moving tag %s", short_tag(m));
	return mirror_set_ref(m, ref, out, err);
}
