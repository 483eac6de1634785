/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "mirror.h"

#include <unistd.h>

#include "str.h"

int
mirror_commit_of(struct mirror *m, const char *name, char hex[GW_OID_HEX],
    struct fx_err *err)
{
	git_reference *ref = NULL;
	git_object *o = NULL;
	int r;

	hex[0] = '\0';
	r = git_reference_lookup(&ref, m->repo, name);
	if (r == GIT_ENOTFOUND)
		return FX_OK;
	if (r == 0)
		r = git_reference_peel(&o, ref, GIT_OBJECT_COMMIT);
	if (r == 0)
		git_oid_tostr(hex, GW_OID_HEX, git_object_id(o));
	git_object_free(o);
	git_reference_free(ref);
	/* a tag on something else than a commit says nothing to us */
	if (r == GIT_EPEEL || r == GIT_EINVALIDSPEC)
		return FX_OK;
	if (r != 0)
		return mirror_fail(m, r, err, "%s", name);
	return FX_OK;
}

/* The branch is there: may it become this? */
static bool
leads_on(struct mirror *m, const git_oid *from, const git_oid *to)
{
	bool yes = to != NULL &&
	    (git_oid_equal(from, to) ||
		git_graph_descendant_of(m->repo, to, from) == 1);

	git_error_clear();
	if (yes)
		return true;
	git_oid_tostr(m->rewind.from, GW_OID_HEX, from);
	m->rewind.to[0] = '\0';
	if (to != NULL)
		git_oid_tostr(m->rewind.to, GW_OID_HEX, to);
	return false;
}

bool
mirror_follows(struct mirror *m, const struct mirror *old)
{
	git_oid from, to;
	bool known = old->repo != NULL &&
	    git_reference_name_to_id(&from, old->repo, old->branch) == 0;

	if (!known || git_reference_name_to_id(&to, m->repo, m->branch) != 0) {
		git_error_clear();
		return !known;
	}
	return leads_on(m, &from, &to);
}

int
mirror_take_ref(struct mirror *m, const char *name, const git_oid *to,
    struct fx_err *err)
{
	git_oid from;

	if (strcmp(name, m->branch) == 0 &&
	    git_reference_name_to_id(&from, m->repo, name) == 0 &&
	    !leads_on(m, &from, to) && m->refuse_rewind)
		return FX_OK;
	git_error_clear();
	return mirror_set_ref(m, name, to, err);
}

static int
set_ref(struct mirror *m, const char *name, const git_oid *to)
{
	git_reference *ref = NULL;
	int r;

	if (to == NULL) {
		r = git_reference_lookup(&ref, m->repo, name);
		if (r == 0)
			r = git_reference_delete(ref);
		if (r == GIT_ENOTFOUND)
			r = 0;
	} else {
		r = git_reference_create(&ref, m->repo, name, to, 1, NULL);
	}
	git_reference_free(ref);
	return r;
}

/* No ref has two writers: a lock that is there was left by an earlier attempt,
 * of this process or of the one before it. */
static void
break_lock(const struct mirror *m, const char *name)
{
	auto_free char *own = xasprintf("%s/%s.lock", m->path, name);
	auto_free char *packed = xasprintf("%s/packed-refs.lock", m->path);

	(void)unlink(own);
	if (m->writer)
		(void)unlink(packed);
}

int
mirror_set_ref(struct mirror *m, const char *name, const git_oid *to,
    struct fx_err *err)
{
	int r = set_ref(m, name, to);

	if (r == GIT_ELOCKED) {
		break_lock(m, name);
		r = set_ref(m, name, to);
	}
	if (r != 0)
		return mirror_fail(m, r, err, "%s", name);
	return FX_OK;
}
