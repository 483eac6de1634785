/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "policy.h"
#include "test.h"

struct annotation {
	const char *key, *value;
};

static void
add_all(struct policy_set *set, const struct annotation *a, size_t n, bool back)
{
	for (size_t i = 0; i < n; i++) {
		const struct annotation *one = &a[back ? n - 1 - i : i];

		policy_add(set, one->key, one->value);
	}
}

static void
test_names(void)
{
	static const struct annotation all[] = {
		{ "fluxcd.io/automated", "true" },
		{ "flux.weave.works/locked", "true" },
		{ "filter.fluxcd.io/web", "semver:~1" },
		{ "fluxcd.io/tag.db", "glob:*" },
		{ "fluxcd.io/sync-checksum", "abc" },
		{ "fluxcd.io/", "empty" },
		{ "sync.fluxcd.io/automated", "false" },
		{ "example.com/ignore", "true" },
		{ "fluxcd.io", "no" },
	};
	struct policy_set set = { 0 };

	add_all(&set, all, nitems(all), false);
	want_int(set.n, 6);
	want_str(policy_get(&set, "automated"), "true");
	want_str(policy_get(&set, "locked"), "true");
	want_str(policy_get(&set, "tag.web"), "semver:~1");
	want_str(policy_get(&set, "tag.db"), "glob:*");
	want_str(policy_get(&set, "sync-checksum"), "abc");
	want_str(policy_get(&set, ""), "empty");
	want_str(policy_get(&set, "ignore"), NULL);
	policy_clear(&set);
}

static void
test_precedence(void)
{
	static const struct annotation all[] = {
		{ "filter.fluxcd.io/web", "third" },
		{ "flux.weave.works/tag.web", "second" },
		{ "fluxcd.io/tag.web", "first" },
	};

	for (int back = 0; back < 2; back++) {
		for (size_t n = 1; n <= nitems(all); n++) {
			struct policy_set set = { 0 };

			add_all(&set, all, n, back);
			want_int(set.n, 1);
			want_str(policy_get(&set, "tag.web"), all[n - 1].value);
			policy_clear(&set);
		}
	}
}

static void
test_values(void)
{
	static const struct {
		const char *value;
		bool ignore, sync_only;
	} tv[] = {
		{ "true", true, false },
		{ "sync_only", false, true },
		{ "false", false, false },
		{ "True", false, false },
		{ "yes", false, false },
		{ "", false, false },
		{ "sync_only ", false, false },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct policy_set set = { 0 };

		policy_add(&set, "fluxcd.io/ignore", tv[i].value);
		want_int(policy_has(&set, POLICY_IGNORE), tv[i].ignore);
		want_int(policy_is_sync_only(&set), tv[i].sync_only);
		policy_clear(&set);
	}
}

int
main(void)
{
	test_run("policy: three prefixes, and nothing else", test_names);
	test_run("policy: the winner does not depend on the order",
	    test_precedence);
	test_run("policy: only the exact words count", test_values);
	return test_done();
}
