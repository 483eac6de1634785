/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "resource_id.h"
#include "test.h"

static const struct {
	const char *text;
	const char *parsed; /* ns, kind, name between commas; NULL: an error */
	const char *printed;
	const char *in_dflt; /* printed form with namespace dflt; NULL: error */
} tv[] = {
	{ "ns:kind/name", "ns,kind,name", "ns:kind/name", "ns:kind/name" },
	{ "ns:KIND/Name", "ns,kind,Name", "ns:kind/Name", "ns:kind/Name" },
	{ "<cluster>:namespace/foo", "<cluster>,namespace,foo",
	    "<cluster>:namespace/foo", "<cluster>:namespace/foo" },
	{ "ns:kind/n:c.d_e-f", "ns,kind,n:c.d_e-f", "ns:kind/n:c.d_e-f",
	    "ns:kind/n:c.d_e-f" },
	{ "ns:kind/system:foo", "ns,kind,system:foo", "ns:kind/system:foo",
	    "ns:kind/system:foo" },
	{ "ns/name", "ns,service,name", "ns/name", "dflt:ns/name" },
	{ "ns/name.dot", NULL, NULL, "dflt:ns/name.dot" },
	{ "name", NULL, NULL, NULL },
	{ "ns:kind:name", NULL, NULL, NULL },
	{ "a.b:kind/n", NULL, NULL, NULL },
	{ "ns:ki.nd/n", NULL, NULL, NULL },
	{ "ns:kind/", NULL, NULL, NULL },
	{ "/x", NULL, NULL, NULL },
	{ ":k/n", NULL, NULL, NULL },
	{ "ns:kind/n/m", NULL, NULL, NULL },
	{ "", NULL, NULL, NULL },
	{ " ns:kind/n", NULL, NULL, NULL },
	{ "ns:kind/n\n", NULL, NULL, NULL },
	{ "<cluster>/foo", NULL, NULL, NULL },
	{ "<Cluster>:ns/foo", NULL, NULL, NULL },
};

static void
test_parse(void)
{
	for (size_t i = 0; i < nitems(tv); i++) {
		struct resource_id id = { 0 };
		struct fx_err err = { 0 };
		auto_free char *parts = NULL, *printed = NULL, *text = NULL;

		if (resource_id_parse(tv[i].text, &id, &err) == FX_OK) {
			parts = xasprintf("%s,%s,%s", id.ns, id.kind, id.name);
			printed = resource_id_print(&id);
		} else {
			text = xasprintf("parsing %s: invalid service ID",
			    tv[i].text);
			want_str(err.text, text);
		}
		want_str(parts, tv[i].parsed);
		want_str(printed, tv[i].printed);
		resource_id_clear(&id);
	}
}

static void
test_parse_in(void)
{
	for (size_t i = 0; i < nitems(tv); i++) {
		struct resource_id id = { 0 };
		struct fx_err err = { 0 };
		auto_free char *printed = NULL;

		if (resource_id_parse_in(tv[i].text, "dflt", &id, &err) ==
		    FX_OK)
			printed = resource_id_print(&id);
		want_str(printed, tv[i].in_dflt);
		resource_id_clear(&id);
	}
}

static void
test_make(void)
{
	auto_free char *a = resource_id_make("", "Namespace", "Demo");
	auto_free char *b = resource_id_make("demo", "ConfigMap", "x");
	auto_free char *c = resource_id_make(NULL, "3", "");

	want_str(a, "<cluster>:namespace/Demo");
	want_str(b, "demo:configmap/x");
	want_str(c, "<cluster>:3/");
}

int
main(void)
{
	test_run("resource_id: full and legacy forms are read whole",
	    test_parse);
	test_run("resource_id: the command line fills in a namespace",
	    test_parse_in);
	test_run("resource_id: a manifest's parts make the printed form",
	    test_make);
	return test_done();
}
