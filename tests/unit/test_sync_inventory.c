/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "inventory_text.h"
#include "str.h"
#include "test.h"

#include <stdio.h>

/* The text of the inventory: one for each content, and nothing else is one. */

#define SET_A "PrT0pBCSn0mq3d_R1oQtMpO5mtW10W7tuWtLuoHMgDE"
#define SET_B "PYAjADatvJPB7_ow-k2taJEPOIXEpJwhTVwIdXrMnY8"
#define HEAD "fluxd inventory 1\nset " SET_A "\n"

static const char *const sets[] = { SET_A, SET_B };

static const char whole[] = "fluxd inventory 1\n"
			    "set " SET_A "\n"
			    "set " SET_B "\n"
			    "kind - ConfigMap\n"
			    " demo other settings\n"
			    " prod settings\n"
			    "kind - Namespace\n"
			    " - demo\n"
			    "kind apps Deployment\n"
			    " demo web\n"
			    "kind rbac.authorization.k8s.io ClusterRole\n"
			    " - system%3Afoo with%20space %C3%A4\n";

static char *
write(struct inv_entry *v, size_t n)
{
	struct buf out = BUF_INIT(INV_TEXT_MAX);

	want_int(inv_write(&out, sets, nitems(sets), v, n), FX_OK);
	return str_take(&out);
}

static void
test_write(void)
{
	/* in no order, and one of them twice */
	const struct inv_entry given[] = {
		{ "rbac.authorization.k8s.io", "ClusterRole", "",
		    "with space" },
		{ "", "ConfigMap", "prod", "settings" },
		{ "apps", "Deployment", "demo", "web" },
		{ "rbac.authorization.k8s.io", "ClusterRole", "",
		    "system:foo" },
		{ "", "ConfigMap", "demo", "settings" },
		{ "", "Namespace", "", "demo" },
		{ "rbac.authorization.k8s.io", "ClusterRole", "", "\xc3\xa4" },
		{ "", "ConfigMap", "demo", "other" },
		{ "", "ConfigMap", "demo", "settings" },
	};
	struct inv_entry v[nitems(given)];

	for (size_t turn = 0; turn < nitems(given); turn++) {
		auto_free char *text = NULL;

		for (size_t i = 0; i < nitems(v); i++)
			v[i] = given[(i + turn) % nitems(v)];
		text = write(v, nitems(v));
		want_str(text, whole);
	}
}

/* Taken exactly when what is taken is written the same again. */
static bool
comes_back(const char *text, size_t n)
{
	struct inv_doc doc;
	struct fx_err err = { 0 };
	struct buf out = BUF_INIT(INV_TEXT_MAX);
	auto_free char *again = NULL;
	bool same;

	if (inv_read(text, n, &doc, &err) != FX_OK)
		return false;
	want_int(inv_write(&out, doc.sets, doc.nsets, doc.v, doc.n), FX_OK);
	again = str_take(&out);
	same = strlen(again) == n && memcmp(again, text, n) == 0;
	inv_clear(&doc);
	return same;
}

static void
test_read(void)
{
	struct inv_doc doc;
	struct fx_err err = { 0 };

	want_int(inv_read(whole, strlen(whole), &doc, &err), FX_OK);
	want_int(doc.nsets, 2);
	want_str(doc.sets[1], SET_B);
	want_int(doc.n, 8);
	want_str(doc.v[3].group, "");
	want_str(doc.v[3].kind, "Namespace");
	want_str(doc.v[3].ns, "");
	want_str(doc.v[5].group, "rbac.authorization.k8s.io");
	want_str(doc.v[5].name, "system:foo");
	want_str(doc.v[7].name, "\xc3\xa4");
	inv_clear(&doc);
	want(comes_back(whole, strlen(whole)));
	want(comes_back(HEAD, strlen(HEAD)));
}

static void
test_damage(void)
{
	static const struct {
		const char *text, *error;
	} tv[] = {
		{ "", "it does not begin with \"fluxd inventory 1\"" },
		{ "fluxd inventory 2\n",
		    "it does not begin with \"fluxd inventory 1\"" },
		{ "fluxd inventory 1\r\n",
		    "it does not begin with \"fluxd inventory 1\"" },
		{ "fluxd inventory 1\n", "it names no sync set" },
		{ "fluxd inventory 1\nkind - A\n ns a\n",
		    "it names no sync set" },
		{ HEAD "x\n", "line 3: neither set, kind nor names" },
		{ HEAD "\nkind - A\n", "line 3: neither set, kind nor names" },
		{ HEAD "set x\n", "line 3: not a sync set's name" },
		{ HEAD "set " SET_A "x\n", "line 3: not a sync set's name" },
		{ HEAD "set PrT0pBCSn0mq3d R1oQtMpO5mtW10W7tuWtLuoHMgDE\n",
		    "line 3: not a sync set's name" },
		{ HEAD "kind - A\nset " SET_B "\n",
		    "line 4: not a sync set's name" },
		{ HEAD "kind A\n", "line 3: not a group and a kind" },
		{ HEAD "kind  A\n", "line 3: not a group and a kind" },
		{ HEAD "kind - A B\n", "line 3: not a group and a kind" },
		{ HEAD "kind Apps A\n", "line 3: not a group and a kind" },
		{ HEAD "kind - ../A\n", "line 3: not a group and a kind" },
		{ HEAD " demo a\n", "line 3: not a namespace and names" },
		{ HEAD "kind - A\n demo\n",
		    "line 4: not a namespace and names" },
		{ HEAD "kind - A\n  a\n", "line 4: not a namespace and names" },
		{ HEAD "kind - A\n ../b a\n",
		    "line 4: not a namespace and names" },
		{ HEAD "kind - A\n demo a  b\n", "line 4: not a name" },
		{ HEAD "kind - A\n demo a \n", "line 4: not a name" },
		{ HEAD "kind - A\n demo a/b\n", "line 4: not a name" },
		{ HEAD "kind - A\n demo a%2Fb\n", "line 4: not a name" },
		{ HEAD "kind - A\n demo ..\n", "line 4: not a name" },
		{ HEAD "kind - A\n demo %2e%2E\n", "line 4: not a name" },
		{ HEAD "kind - A\n demo a%2\n", "line 4: not a name" },
		{ HEAD "kind - A\n demo a%\n", "line 4: not a name" },
		{ HEAD "kind - A\n demo a%00b\n", "line 4: not a name" },
		{ HEAD "kind - A\n demo a%zz\n", "line 4: not a name" },
		{ HEAD "kind - A\n demo \xff\n", "line 4: not a name" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct inv_doc doc;
		struct fx_err err = { 0 };

		want(inv_read(tv[i].text, strlen(tv[i].text), &doc, &err) !=
		    FX_OK);
		want_str(err.text, tv[i].error);
		want_int(doc.n, 0);
	}
}

/* Cut anywhere, or with any bit turned over: never more than it may hold. */
static void
test_bits(void)
{
	size_t n = strlen(whole);
	unsigned same = 0;

	for (size_t i = 0; i < n; i++)
		same += comes_back(whole, i);
	/* behind each line but the first and those of kinds */
	want_int(same, 6);
	for (size_t i = 0; i < 8 * n; i++) {
		auto_free char *text = xstrdup(whole);

		text[i / 8] ^= (char)(1 << i % 8);
		(void)comes_back(text, n);
	}
}

/* ---- limits ----------------------------------------------------------- */

/* n kinds of m objects, with names of this length. */
static int
fits(size_t kinds, size_t each, int length)
{
	struct inv_entry *v = xcalloc(kinds * each, sizeof(*v));
	char(*names)[16] = xcalloc(kinds, sizeof(*names));
	char **objects = xcalloc(each, sizeof(*objects));
	auto_buf struct buf out = BUF_INIT(INV_TEXT_MAX);
	struct fx_err err = { 0 };
	int written, r = FX_OK;

	for (size_t i = 0; i < each; i++)
		objects[i] = xasprintf("%0*zu", length, i);
	for (size_t k = 0; k < kinds; k++) {
		snprintf(names[k], sizeof(names[k]), "K%zu", k);
		for (size_t i = 0; i < each; i++)
			v[k * each + i] = (struct inv_entry){ "", names[k],
				"ns", objects[i] };
	}
	written = inv_write(&out, sets, nitems(sets), v, kinds * each);
	if (written == FX_OK) {
		struct inv_doc doc;

		r = inv_read((const char *)buf_head(&out), buf_left(&out), &doc,
		    &err);
		want_int(doc.n, kinds * each);
		inv_clear(&doc);
	}
	want_int(r, FX_OK); /* what is written can be read */
	for (size_t i = 0; i < each; i++)
		free(objects[i]);
	free(objects);
	free(names);
	free(v);
	return written;
}

/* The same, of a text that we would not have written. */
static int
reads(size_t nsets, size_t kinds, size_t names)
{
	auto_buf struct buf text = BUF_INIT(8u << 20);
	struct fx_err err = { 0 };
	struct inv_doc doc;
	int r;

	(void)str_add(&text, "fluxd inventory 1\n");
	for (size_t i = 0; i < nsets; i++)
		(void)str_add(&text, "set " SET_A "\n");
	for (size_t i = 0; i < kinds; i++)
		(void)str_add(&text, "kind - A\n");
	for (size_t i = 0; i < names; i++)
		(void)str_add(&text, i == 0 ? " ns a" : " a");
	r = inv_read((const char *)buf_head(&text), buf_left(&text), &doc,
	    &err);
	inv_clear(&doc);
	return r;
}

static void
test_limits(void)
{
	auto_free char *long_name = xcalloc(1, 255);
	struct inv_entry e = { "", "A", "ns", long_name };

	want_int(fits(1, INV_ENTRIES_MAX, 1), FX_OK);
	want_int(fits(1, INV_ENTRIES_MAX + 1, 1), FX_ELIMIT);
	want_int(fits(INV_KINDS_MAX, 1, 1), FX_OK);
	want_int(fits(INV_KINDS_MAX + 1, 1, 1), FX_ELIMIT);
	want_int(fits(1, 3000, 250), FX_OK);
	want_int(fits(1, 3500, 250), FX_ELIMIT);
	want_int(fits(100, 30, 250), FX_OK);
	want_int(fits(100, 35, 250), FX_ELIMIT);
	want_int(reads(INV_SETS_MAX, 1, INV_ENTRIES_MAX), FX_OK);
	want_int(reads(INV_SETS_MAX + 1, 0, 0), FX_ELIMIT);
	want_int(reads(1, INV_KINDS_MAX, 1), FX_OK);
	want_int(reads(1, INV_KINDS_MAX + 1, 0), FX_ELIMIT);
	want_int(reads(1, 1, INV_ENTRIES_MAX + 1), FX_ELIMIT);
	want_int(reads(1, 1, INV_TEXT_MAX / 2), FX_ELIMIT);
	memset(long_name, 'x', 253);
	want(inv_may_hold(&e));
	long_name[253] = 'x';
	want(!inv_may_hold(&e));
}

/* What cannot be an object's is not written, so it spoils nothing. */
static void
test_words(void)
{
	static const struct {
		struct inv_entry e;
		bool may;
	} tv[] = {
		{ { "", "A", "", "a" }, true },
		{ { "apps", "A", "ns", "a:b c\xc3\xa4" }, true },
		{ { "-", "A", "", "a" }, false },
		{ { "", "A", "-", "a" }, false },
		{ { "", "A", "", "-" }, true },
		{ { "", "", "", "a" }, false },
		{ { "", "A", "", "" }, false },
		{ { "", "A B", "", "a" }, false },
		{ { "a b", "A", "", "a" }, false },
		{ { "", "A", "n s", "a" }, false },
		{ { "", "A", "n\ns", "a" }, false },
		{ { "", "A", "", "a/b" }, false },
		{ { "", "A", "", "a%b" }, false },
		{ { "", "A", "", ".." }, false },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct inv_entry e = tv[i].e;
		auto_free char *text = NULL;

		want_int(inv_may_hold(&e), tv[i].may);
		if (!tv[i].may)
			continue;
		text = write(&e, 1);
		want(comes_back(text, strlen(text)));
	}
}

int
main(void)
{
	test_run("inventory: one text for one content", test_write);
	test_run("inventory: what was written is read", test_read);
	test_run("inventory: anything else is none", test_damage);
	test_run("inventory: cut, or with a bit turned over", test_bits);
	test_run("inventory: limits of the writer and the reader", test_limits);
	test_run("inventory: words that can be an object's", test_words);
	return test_done();
}
