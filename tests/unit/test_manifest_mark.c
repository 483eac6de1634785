/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "git_url.h"
#include "mark.h"
#include "test.h"

static void
test_vectors(void)
{
	static char base[] = "base", prod[] = "prod", joined[] = "baseprod";
	static char *const two[] = { base, prod };
	static char *const one[] = { joined };
	static const struct {
		const char *id, *first, *second;
	} tv[] = {
		{ "demo:deployment/web",
		    "sha256.kt-4T3clp0uvIIwdy4L7sF5GgF0iTDVQUGqJ05L5PPg",
		    "sha256.FP5tYO2ObIaxx1NBj6e-MXmCuOY3jsd8CIFWJr2XPgM" },
		{ "<cluster>:namespace/demo",
		    "sha256.IVv11DOzgBKNYpejHFe6NxbVJ_nwinPvwut8OgiZCfg",
		    "sha256.BUMF2k5XeCkI9X-DopIsFtTG8xMVUyP27Jlfp5zjDRY" },
		{ "demo:configmap/settings",
		    "sha256.yXOv0LTpnYS-wWHca4PqJsedSwrMhGnru-KJh14O6zs",
		    "sha256.x3RwhZgF86EerbgP5SYUzE8hdBPfJMYO-2NUPJMHE1M" },
	};
	auto_free char *url = git_url_safe("git@git.example.org:ops/cluster");
	auto_free char *first = mark_set_name(url, "master", NULL, 0);
	auto_free char *second = mark_set_name(url, "main", two, nitems(two));
	auto_free char *same = mark_set_name(url, "main", one, nitems(one));

	want_str(first, "PrT0pBCSn0mq3d_R1oQtMpO5mtW10W7tuWtLuoHMgDE");
	want_str(second, "PYAjADatvJPB7_ow-k2taJEPOIXEpJwhTVwIdXrMnY8");
	/* nothing stands between the paths */
	want_str(same, second);
	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *a = mark_of(first, tv[i].id);
		auto_free char *b = mark_of(second, tv[i].id);

		want_str(a, tv[i].first);
		want_str(b, tv[i].second);
	}
}

int
main(void)
{
	test_run("mark: set names and marks are upstream's", test_vectors);
	return test_done();
}
