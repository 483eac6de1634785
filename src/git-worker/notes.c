/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "notes.h"

#include "objects.h"

#define FAN_DIGITS 2 /* of a directory's name */

int
notes_open(struct notes *n, struct mirror *m, size_t max_object,
    struct fx_err *err)
{
	git_reference *ref = NULL;
	git_object *commit = NULL;
	int r;

	*n = (struct notes){ .mirror = m, .max_object = max_object };
	r = git_reference_lookup(&ref, m->repo, m->notes);
	if (r == GIT_ENOTFOUND) {
		git_error_clear();
		return FX_OK;
	}
	if (r == 0)
		r = git_reference_peel(&commit, ref, GIT_OBJECT_COMMIT);
	git_reference_free(ref);
	if (r != 0)
		return mirror_doubt(m, r, err, "%s", m->notes);
	r = object_check_size(m, git_commit_tree_id((git_commit *)commit),
	    max_object, err);
	if (r == FX_OK &&
	    (r = git_commit_tree(&n->tree, (git_commit *)commit)) != 0)
		r = mirror_doubt(m, r, err, "%s", m->notes);
	git_object_free(commit);
	return r;
}

void
notes_close(struct notes *n)
{
	git_tree_free(n->tree);
	n->tree = NULL;
}

/* The directory for names that begin so, NULL if there is none. */
static int
descend(struct notes *n, const git_tree *in, const char *hex, git_tree **out,
    struct fx_err *err)
{
	char name[FAN_DIGITS + 1] = { hex[0], hex[1], '\0' };
	const git_tree_entry *e = git_tree_entry_byname(in, name);
	int r;

	*out = NULL;
	if (e == NULL || git_tree_entry_type(e) != GIT_OBJECT_TREE)
		return FX_OK;
	r = object_check_size(n->mirror, git_tree_entry_id(e), n->max_object,
	    err);
	if (r == FX_OK &&
	    (r = git_tree_lookup(out, n->mirror->repo, git_tree_entry_id(e))) !=
		0)
		r = mirror_doubt(n->mirror, r, err, "%s", n->mirror->notes);
	return r;
}

int
notes_read(struct notes *n, const git_oid *commit, size_t max,
    git_odb_object **out, struct fx_err *err)
{
	char hex[GW_OID_HEX], blob[GW_OID_HEX];
	const char *rest = git_oid_tostr(hex, sizeof(hex), commit);
	const git_tree_entry *e = NULL;
	git_tree *in = NULL, *below;
	int r = FX_OK;

	*out = NULL;
	if (n->tree == NULL)
		return FX_OK;
	r = git_tree_dup(&in, n->tree) == 0 ? FX_OK : FX_EFAIL;
	while (r == FX_OK && in != NULL && *rest != '\0' &&
	    (e = git_tree_entry_byname(in, rest)) == NULL) {
		r = descend(n, in, rest, &below, err);
		git_tree_free(in);
		in = below;
		rest += FAN_DIGITS;
	}
	if (r == FX_OK && e != NULL &&
	    git_tree_entry_type(e) == GIT_OBJECT_BLOB) {
		git_oid_tostr(blob, sizeof(blob), git_tree_entry_id(e));
		r = blob_read(n->mirror, blob, max, out, err);
	}
	git_tree_free(in);
	return r;
}
