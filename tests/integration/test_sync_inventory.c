/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "mark.h"
#include "str.h"
#include "sync_bed.h"
#include "test.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * The inventory against a real API server: what it says, what it costs, what
 * goes on its word, and what never does, whoever wrote it.
 */

#define CLAIM "sync.fluxcd.io/inventory"

static struct bed bed;
static const char *ns;	   /* ours, and of all objects */
static char inventory[64]; /* its name in this case */

/* ---- the cluster ------------------------------------------------------ */

#define MAPS "configmaps"
#define MERGE "-X PATCH -H 'Content-Type: application/merge-patch+json' "

/* A request by hand; kubectl would take ten times as long.  The answer, or
 * NULL. */
static char *
ask(const char *how, const char *resource, const char *name)
{
	struct buf out = BUF_INIT(4u << 20);
	auto_free char *cmd =
	    xasprintf("curl -sf --noproxy '*' --cacert '%s' -A bed-test -H "
		      "\"Authorization: Bearer $BED_API_TOKEN\" %s "
		      "'%s/api/v1/namespaces/%s/%s%s%s'",
		getenv("BED_API_CA"), how, getenv("BED_API_URL"), ns, resource,
		name[0] != '\0' ? "/" : "", name);
	FILE *p = popen(cmd, "r");
	char chunk[4096];
	size_t n;
	char *text;

	if (p == NULL)
		fx_bug("popen");
	while ((n = fread(chunk, 1, sizeof(chunk), p)) > 0)
		(void)str_addn(&out, chunk, n);
	text = str_take(&out);
	if (pclose(p) == 0)
		return text;
	free(text);
	return NULL;
}

static bool
has(const char *resource, const char *name)
{
	auto_free char *got = ask("", resource, name);

	return got != NULL;
}

/* A merge patch of one that is there. */
static void
change(const char *name, const char *patch)
{
	auto_free char *how = xasprintf(MERGE "-d '%s'", patch);
	auto_free char *got = ask(how, MAPS, name);

	want(got != NULL);
}

/* Annotate it; value "null": take that off. */
static void
annotate(const char *name, const char *key, const char *value)
{
	auto_free char *patch = xasprintf("{\"metadata\":{\"annotations\":{"
					  "\"%s\":%s}}}",
	    key, value);

	change(name, patch);
}

static void
take_away(const char *name)
{
	auto_free char *got = ask("-X DELETE", MAPS, name);

	want(got != NULL);
}

/* The string of this member in its only ConfigMap, unescaped; NULL. */
static char *
member(const char *name, const char *outer, const char *key)
{
	auto_free char *got = ask("", MAPS, name);
	json_error_t err;
	json_t *doc = got != NULL ? json_loads(got, 0, &err) : NULL;
	const json_t *at = json_object_get(doc, outer);
	char *s = NULL;

	if (strcmp(outer, "metadata") == 0)
		at = json_object_get(at, "annotations");
	if (json_is_string(json_object_get(at, key)))
		s = xstrdup(json_string_value(json_object_get(at, key)));
	json_decref(doc);
	return s;
}

static char *
text(void)
{
	return member(inventory, "data", "inventory");
}

/* ---- the set ---------------------------------------------------------- */

static void
add_map(const char *name)
{
	bed_add(&bed, "v1", "ConfigMap", ns, name, ",\"data\":{\"a\":\"1\"}");
}

/* Another URL, and so another sync set. */
static void
move(void)
{
	static unsigned moves;

	free(bed.url);
	free(fx_steal(&bed.set_name));
	bed.url = xasprintf("git@host:inv-%d-%u", (int)getpid(), moves++);
}

/* A case begins: nothing of those before, and ConfigMaps of these names. */
static void
fresh(const char *const *names)
{
	static unsigned cases;

	bed_free_set(&bed);
	move();
	snprintf(inventory, sizeof(inventory), "inv-%d-%u", (int)getpid(),
	    cases++);
	free(ask("-X DELETE", MAPS, ""));
	free(ask("-X DELETE", "secrets", ""));
	for (; *names != NULL; names++)
		add_map(*names);
}

/* The set has these, "a b c", and no others. */
static void
set_is(const char *names)
{
	auto_free char *list = xasprintf(" %s ", names);

	for (size_t i = 0; i < bed.nres; i++) {
		auto_free char *word = xasprintf(" %s ", bed.res[i].name);

		bed.res[i].gone = strstr(list, word) == NULL;
	}
	bed_commit(&bed);
}

/* ---- the worker ------------------------------------------------------- */

static void
start_as(const char *kubeconfig, const char *more, const char *value)
{
	bed.nsettings = 0;
	bed_set(&bed, "sync-garbage-collection", "true");
	bed_set(&bed, "sync-gc-inventory", inventory);
	if (more != NULL)
		bed_set(&bed, more, value);
	bed_start(&bed, getenv(kubeconfig), NULL, NULL, NULL, NULL, NULL);
	want(bed.is_ready);
}

static void
start(void)
{
	start_as("INV_ADMIN", NULL, NULL);
}

static struct bed_result
sync_clean(void)
{
	struct bed_result r = bed_apply(&bed);

	want_str(r.err.text, "");
	want_str(r.errors, "");
	return r;
}

static bool
has_deleted(const struct bed_result *r)
{
	return r->applied.deleted != 0;
}

/* With the set's name in front, as many times as there are. */
static void
want_text(const char *body)
{
	auto_free char *got = text();
	auto_free char *wanted =
	    xasprintf("fluxd inventory 1\nset %s\n%s", bed.set_name, body);

	want_str(got, wanted);
}

/* As if another had written it. */
static void
forge(const char *body)
{
	auto_buf struct buf out = BUF_INIT(1u << 20);
	auto_free char *patch = NULL;

	(void)str_add(&out, "{\"data\":{\"inventory\":\"");
	str_add_json(&out, body, strlen(body), false);
	(void)str_add(&out, "\"}}");
	patch = str_take(&out);
	change(inventory, patch);
}

/* A ConfigMap by hand, with this mark and this claim. */
static void
make_map(const char *name, const char *mark, const char *claim)
{
	auto_free char *how =
	    xasprintf("-H 'Content-Type: application/json' -d "
		      "'{\"metadata\":{\"name\":"
		      "\"%s\",\"labels\":{\"fluxcd.io/sync-gc-mark\":\"%s\"},"
		      "\"annotations\":{\"" CLAIM "\":\"%s\"}}}'",
		name, mark, claim);
	auto_free char *got = ask(how, MAPS, "");

	want(got != NULL);
}

/* ---- what it says and costs ------------------------------------------- */

static void
test_costs(void)
{
	static const char *const names[] = { "b", "a", NULL };
	auto_free char *body = xasprintf("kind - ConfigMap\n %s a b\n", ns);
	auto_free char *more = xasprintf("kind - ConfigMap\n %s a b c\n"
					 "kind apps Deployment\n %s z\n",
	    ns, ns);
	auto_free char *claim = NULL, *wanted = NULL;
	long mark;

	fresh(names);
	start();
	mark = bed_audit_mark();
	want_int(sync_clean().applied.patched, 2);
	want_int(bed_audit(mark, "create", "configmaps"), 1);
	want_int(bed_audit(mark, "patch", "configmaps"), 2);
	want_text(body);
	claim = member("a", "metadata", CLAIM);
	wanted = xasprintf("%s/%s", ns, inventory);
	want_str(claim, wanted);
	/* nothing changed, or content only */
	mark = bed_audit_mark();
	for (int i = 0; i < 3; i++)
		(void)sync_clean();
	want_int(bed_audit(mark, NULL, NULL), 0);
	bed_find(&bed, "a")->version++;
	bed_commit(&bed);
	mark = bed_audit_mark();
	want_int(sync_clean().applied.patched, 1);
	want_int(bed_audit(mark, NULL, NULL), 1);
	/* members that come, and that go: one request more */
	add_map("c");
	bed_add(&bed, "apps/v1", "Deployment", ns, "z",
	    ",\"spec\":{\"selector\":{\"matchLabels\":{\"a\":\"b\"}},"
	    "\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{"
	    "\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}}");
	bed_commit(&bed);
	mark = bed_audit_mark();
	want_int(sync_clean().applied.patched, 2);
	want_int(bed_audit(mark, "patch", NULL), 3);
	want_text(more);
	set_is("a b");
	mark = bed_audit_mark();
	want_int(sync_clean().applied.deleted, 2);
	want_int(bed_audit(mark, "delete", NULL), 2);
	want_int(bed_audit(mark, NULL, NULL), 3);
	want_text(body);
	bed_stop(&bed);
	/* a new process reads it, once */
	start();
	mark = bed_audit_mark();
	want_int(sync_clean().applied.patched, 0);
	want_int(bed_audit(mark, "get", "configmaps"), 1);
	want_int(bed_audit(mark, "patch", NULL), 0);
	bed_stop(&bed);
}

/* ---- another sync set ------------------------------------------------- */

/* What the former set had goes, of kinds that git no longer has, too. */
static void
test_moved(void)
{
	static const char *const names[] = { "a", "b", "held", "lost", NULL };
	auto_free char *body =
	    xasprintf("kind - ConfigMap\n %s a d held\n", ns);
	auto_free char *after = xasprintf("kind - ConfigMap\n %s a d\n", ns);
	auto_free char *former = NULL, *both = NULL, *got = NULL;
	struct bed_result r;
	long mark;

	fresh(names);
	bed_add(&bed, "v1", "Secret", ns, "s", "");
	start();
	(void)sync_clean();
	bed_stop(&bed);
	former = xstrdup(bed.set_name);
	move();
	add_map("d");
	set_is("a d");
	/* somebody wants to keep one, and has taken the claim off another */
	annotate("held", "fluxcd.io/ignore", "\"true\"");
	annotate("lost", CLAIM, "null");
	start();
	mark = bed_audit_mark();
	r = sync_clean();
	want_int(r.applied.patched, 2);
	want_int(r.applied.deleted, 2);
	/* the lists that come anyway have shown them */
	want_int(bed_audit(mark, "get", "secrets"), 0);
	want(!has(MAPS, "b"));
	want(!has("secrets", "s"));
	want(has(MAPS, "held"));
	want(has(MAPS, "lost"));
	want_int(bed_logged(&bed, "resource has ignore policy true"), 1);
	want_int(bed_logged(&bed, "it is not marked as ours"), 1);
	got = text();
	both = xasprintf("fluxd inventory 1\nset %s\nset %s\n%s", bed.set_name,
	    former, body);
	want_str(got, both);
	mark = bed_audit_mark();
	(void)sync_clean();
	want_int(bed_audit(mark, NULL, NULL), 0);
	/* nothing is left of it, so it is no longer in the inventory */
	want(
	    bed_kubectl("-n %s annotate configmap held fluxcd.io/ignore-", ns));
	r = bed_apply_until(&bed, has_deleted);
	want_str(r.errors, "");
	want_int(r.applied.deleted, 1);
	want_text(after);
	bed_stop(&bed);
}

/* The guards are those of every deletion. */
static void
test_guards(void)
{
	static const char *const names[] = { "a", "b", "c", NULL };
	static const struct {
		const char *setting, *value;
		bool error;
	} tv[] = {
		{ "sync-garbage-collection-dry", "true", false },
		{ "sync-gc-limit", "1", true },
		{ "sync-gc-protect", "ConfigMap", false },
		{ "k8s-allow-namespace", "default", false },
		{ "k8s-protect-namespace", NULL, false },
		{ "k8s-unsafe-exclude-resource", "v1/ConfigMap", false },
	};
	struct bed_result r;
	long mark;

	fresh(names);
	start();
	(void)sync_clean();
	bed_stop(&bed);
	move();
	set_is("a");
	for (size_t i = 0; i < nitems(tv); i++) {
		start_as("INV_ADMIN", tv[i].setting,
		    tv[i].value != NULL ? tv[i].value : ns);
		mark = bed_audit_mark();
		r = bed_apply(&bed);
		want_str(r.err.text, "");
		want_int(r.applied.deleted, 0);
		want_int(r.applied.errors, tv[i].error);
		/* of the inventory: what may not go is not asked for */
		want_int(bed_audit(mark, "get", "configmaps"), 1);
		bed_stop(&bed);
	}
	want(has(MAPS, "b"));
	start();
	bed.incomplete = true;
	want_int(sync_clean().applied.deleted, 0);
	bed.incomplete = false;
	want_int(sync_clean().applied.deleted, 2);
	bed_stop(&bed);
}

/* Nor is anything asked for where fluxd may not be, though the kind is one that
 * git has elsewhere. */
static void
test_elsewhere(void)
{
	static const char *const names[] = { "a", "b", NULL };
	const char *elsewhere = getenv("INV_ELSEWHERE");
	long mark;

	fresh(names);
	start();
	(void)sync_clean();
	bed_stop(&bed);
	move();
	set_is("");
	bed_add(&bed, "v1", "ConfigMap", elsewhere, "c", "");
	bed_commit(&bed);
	start_as("INV_ADMIN", "k8s-allow-namespace", elsewhere);
	want_int(sync_clean().applied.deleted, 0);
	mark = bed_audit_mark();
	want_int(sync_clean().applied.deleted, 0);
	want_int(bed_audit(mark, "get", "configmaps"), 0);
	want(has(MAPS, "a") && has(MAPS, "b"));
	bed_stop(&bed);
}

/* An object that comes back is git's again, and one that leaves before it was
 * marked anew is found. */
static void
test_comes_and_goes(void)
{
	static const char *const names[] = { "a", "b", "c", NULL };
	struct bed_result r;
	long mark;

	fresh(names);
	start();
	(void)sync_clean();
	bed_stop(&bed);
	move();
	set_is("a b");
	bed_find(&bed, "b")->ignored = true;
	start_as("INV_ADMIN", "sync-gc-limit", "0");
	want_int(bed_apply(&bed).applied.errors, 1); /* c may not go */
	set_is("a c");				     /* … is back */
	mark = bed_audit_mark();
	r = bed_apply(&bed);
	want_int(bed_audit(mark, "patch", NULL), 1); /* it is named already */
	want_int(r.applied.patched, 1);
	want_int(r.applied.errors, 1); /* b may not go */
	bed_stop(&bed);
	want(has(MAPS, "b"));
	start();
	want_int(sync_clean().applied.deleted, 1);
	want(!has(MAPS, "b"));
	want(has(MAPS, "c"));
	bed_stop(&bed);
}

/* ---- killed ----------------------------------------------------------- */

/* Between any two steps: what was recorded and not applied is forgotten, what
 * was deleted and not struck out is struck out. */
static void
test_killed_between(void)
{
	static const char *const names[] = { "a", "b", NULL };
	auto_free char *body = xasprintf("kind - ConfigMap\n %s a b\n", ns);
	auto_free char *one = xasprintf("kind - ConfigMap\n %s a\n", ns);

	fresh(names);
	start();
	bed.no_bodies = true; /* so nothing is applied */
	want(bed_apply(&bed).err.code != FX_OK);
	bed.no_bodies = false;
	want_text(body);
	bed_apply_killed(&bed, 0);
	want(!has(MAPS, "a"));
	move();
	set_is("a");
	start();
	want_int(sync_clean().applied.patched, 1);
	want_text(one);
	/* one that is gone before it is struck out */
	set_is("a b");
	(void)sync_clean();
	bed_apply_killed(&bed, 0);
	take_away("b");
	set_is("a");
	start();
	want_int(sync_clean().applied.deleted, 0);
	want_text(one);
	bed_stop(&bed);
}

/* At any moment of two passes, the second for another URL: nothing of the first
 * is left, and all that is marked is named. */
static void
test_killed_any_time(void)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", NULL };
	auto_free char *body = xasprintf("kind - ConfigMap\n %s d e\n", ns);

	for (int i = 0; i < 8; i++) {
		fresh(names);
		set_is("a b c d");
		start();
		bed_apply_killed(&bed, i * 40 * CLK_MS);
		move();
		set_is("d e");
		start();
		bed_apply_killed(&bed, i * 110 % 330 * CLK_MS);
		start();
		(void)sync_clean();
		bed_stop(&bed);
		want_text(body);
		want(!has(MAPS, "a") && !has(MAPS, "b") && !has(MAPS, "c"));
		want(has(MAPS, "d") && has(MAPS, "e"));
	}
}

/* ---- others write it -------------------------------------------------- */

/* Whoever may write ConfigMaps: nothing goes that was not applied for it. */
static void
test_forged(void)
{
	static const char *const names[] = { "a", NULL };
	static const char other_set[] =
	    "PrT0pBCSn0mq3d_R1oQtMpO5mtW10W7tuWtLuoHMgDE";
	auto_free char *live_id = xasprintf("%s:configmap/theirs", ns);
	auto_free char *theirs = mark_of(other_set, live_id);
	auto_free char *forged = NULL, *mine = NULL, *claim = NULL;
	struct bed_result r;

	fresh(names);
	start();
	(void)sync_clean();
	bed_stop(&bed);
	mine = xasprintf("%s/%s", ns, inventory);
	/* of a fluxd that lives, with and without an inventory of its own */
	make_map("theirs", theirs, "flux/theirs");
	make_map("unclaimed", theirs, "");
	/* it says that it is ours, and has a mark that is another one's */
	make_map("copied", theirs, mine);
	make_map("bare", "x", mine);
	forged = xasprintf("fluxd inventory 1\nset %s\nset %s\n"
			   "kind - ConfigMap\n %s a bare copied theirs "
			   "unclaimed\n kube-system kube-root-ca.crt\n"
			   "kind - Namespace\n - default kube-system %s\n"
			   "kind - Secret\n %s none\n"
			   "kind none.example.com Thing\n - x\n"
			   "kind rbac.authorization.k8s.io ClusterRole\n"
			   " - cluster-admin system%%3Anode\n %s admin\n",
	    bed.set_name, other_set, ns, ns, ns, ns);
	forge(forged);
	start();
	r = sync_clean();
	want_int(r.applied.deleted, 0);
	r = sync_clean();
	want_int(r.applied.deleted, 0);
	want(has(MAPS, "theirs"));
	want(has(MAPS, "unclaimed"));
	want(has(MAPS, "copied"));
	want(has(MAPS, "bare"));
	want(bed_kubectl("get clusterrole system:node"));
	/* … as long as its mark is not what it would be if we had made it */
	claim = xasprintf("\"%s\"", mine);
	annotate("theirs", CLAIM, claim);
	bed_stop(&bed);
	forge(forged);
	start();
	want_int(sync_clean().applied.deleted, 1);
	want(!has(MAPS, "theirs"));
	bed_stop(&bed);
}

/* Damaged, emptied, taken away: made anew, and nothing is deleted. */
static void
test_damaged(void)
{
	static const char *const names[] = { "a", "b", NULL };
	static const char *const damage[] = { "", "garbage",
		"fluxd inventory 2\n", "fluxd inventory 1\nset x\n",
		"fluxd inventory 1\nkind - ConfigMap\n default %2F\n" };
	auto_free char *body = xasprintf("kind - ConfigMap\n %s a\n", ns);
	auto_free char *both = xasprintf("kind - ConfigMap\n %s a b\n", ns);
	long mark;

	fresh(names);
	set_is("a");
	start();
	(void)sync_clean();
	bed_stop(&bed);
	for (size_t i = 0; i < nitems(damage); i++) {
		forge(damage[i]);
		move();
		set_is("a");
		start();
		want_int(sync_clean().applied.deleted, 0);
		want_int(bed_logged(&bed, "it is made anew"), 1);
		want_text(body);
		bed_stop(&bed);
	}
	/* while we run: a pass without changes does not see it */
	start();
	(void)sync_clean();
	take_away(inventory);
	mark = bed_audit_mark();
	(void)sync_clean();
	want_int(bed_audit(mark, NULL, NULL), 0);
	set_is("a b");
	(void)sync_clean();
	want_text(both);
	/* changed by somebody: read, and what it says comes on top */
	forge("garbage");
	set_is("a");
	want_int(sync_clean().applied.deleted, 1);
	want_text(body);
	annotate(inventory, "x", "\"y\"");
	set_is("a b");
	(void)sync_clean();
	want_text(both);
	bed_stop(&bed);
}

/* One inventory for two: the one who had it leaves it alone. */
static void
test_taken(void)
{
	static const char *const names[] = { "a", "b", NULL };
	auto_free char *other =
	    xasprintf("fluxd inventory 1\nset "
		      "PrT0pBCSn0mq3d_R1oQtMpO5mtW10W7tuWtLuoHMgDE\n"
		      "kind - ConfigMap\n %s a\n",
		ns);
	auto_free char *got = NULL;

	fresh(names);
	set_is("a");
	start();
	(void)sync_clean();
	forge(other);
	set_is("a b");
	want_int(sync_clean().applied.patched, 1);
	want_int(bed_logged(&bed, "another sync set has taken it over"), 1);
	got = text();
	want_str(got, other);
	bed_stop(&bed);
}

/* ---- where it cannot be ----------------------------------------------- */

/* Kinds that may not be listed are collected by name. */
static void
test_blind(void)
{
	static const char *const names[] = { "a", "b", "c", "held", NULL };
	struct bed_result r;
	long mark;

	fresh(names);
	start_as("INV_BLIND", "k8s-allow-namespace", ns);
	want_int(sync_clean().applied.patched, 4);
	set_is("a b held");
	mark = bed_audit_mark();
	r = sync_clean();
	want_int(r.applied.deleted, 1);
	want(!has(MAPS, "c"));
	bed_stop(&bed);
	/* after a restart, and another URL */
	annotate("held", "fluxcd.io/ignore", "\"true\"");
	move();
	set_is("a");
	start_as("INV_BLIND", "k8s-allow-namespace", ns);
	r = sync_clean();
	want_int(r.applied.deleted, 1);
	want(!has(MAPS, "b"));
	want(has(MAPS, "held"));
	/* what is to stay is not asked for each time */
	mark = bed_audit_mark();
	(void)sync_clean();
	want_int(bed_audit(mark, "get", "configmaps"), 1); /* a */
	bed_stop(&bed);
}

static void
test_homeless(void)
{
	static const char *const names[] = { "a", "b", NULL };

	fresh(names);
	start_as("INV_HOMELESS", "k8s-allow-namespace", ns);
	want_int(sync_clean().applied.patched, 2);
	want_int(bed_logged(&bed, "the inventory is not kept"), 1);
	set_is("a");
	want_int(sync_clean().applied.deleted, 1);
	want_int(bed_logged(&bed, "the inventory is not kept"), 1);
	bed_stop(&bed);
}

static void
test_too_big(void)
{
	static const char *const names[] = { "a", "b", NULL };
	auto_free char *body = xasprintf("kind - ConfigMap\n %s a b\n", ns);
	auto_free char *less = xasprintf("kind - ConfigMap\n %s a\n", ns);
	struct bed_result r;
	char kind[32];

	fresh(names);
	start();
	(void)sync_clean();
	for (int i = 0; i < 600; i++) {
		snprintf(kind, sizeof(kind), "Kind%d", i);
		bed_add(&bed, "none.example.com/v1", kind, ns, "x", "");
	}
	bed_find(&bed, "b")->gone = true;
	bed_commit(&bed);
	r = bed_apply(&bed);
	want_str(r.err.text, "");
	want_int(r.applied.deleted, 1);
	want_int(bed_logged(&bed, "it would be longer than it may be"), 1);
	want_text(body); /* rather too much than too little */
	(void)bed_apply(&bed);
	want_int(bed_logged(&bed, "it would be longer than it may be"), 1);
	set_is("a");
	(void)sync_clean();
	want_text(less);
	bed_stop(&bed);
}

int
main(void)
{
	ns = getenv("INV_NAMESPACE");
	if (getenv("FX_BUILDDIR") == NULL || ns == NULL) {
		printf("1..0 # SKIP no test bed\n");
		return 0;
	}
	test_run("inventory: what it says, and one request a change",
	    test_costs);
	test_run("inventory: what a former set had is collected", test_moved);
	test_run("inventory: the guards hold for former sets", test_guards);
	test_run("inventory: other namespaces are left alone", test_elsewhere);
	test_run("inventory: what comes back is git's", test_comes_and_goes);
	test_run("inventory: killed between two steps", test_killed_between);
	test_run("inventory: killed at any moment", test_killed_any_time);
	test_run("inventory: forged entries are nobody's [A30]", test_forged);
	test_run("inventory: damaged or taken away, it is made anew",
	    test_damaged);
	test_run("inventory: another fluxd takes it", test_taken);
	test_run("inventory: kinds that may not be listed", test_blind);
	test_run("inventory: where it may not be written", test_homeless);
	test_run("inventory: too much for it", test_too_big);
	want_int(bed.bad_ends, 0);
	bed_free_set(&bed);
	return test_done();
}
