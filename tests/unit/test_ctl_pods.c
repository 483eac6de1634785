/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "answer.h"
#include "pods.h"
#include "test.h"

#define META(name) "\"metadata\":{\"name\":\"" name "\"}"
#define GOING(name)                                                            \
	"\"metadata\":{\"name\":\"" name "\",\"deletionTimestamp\":\"2026\"}"
#define READY                                                                  \
	",\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":"         \
	"\"True\"}]}"
#define UNREADY                                                                \
	",\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":"         \
	"\"False\"},"                                                          \
	"{\"type\":\"Initialized\",\"status\":\"True\"}]}"
#define PORT(n)                                                                \
	",\"spec\":{\"containers\":[{},{\"ports\":[{\"containerPort\":1},"     \
	"{\"containerPort\":" n "}]}]}"
#define AMBIGUOUS                                                              \
	"Ambiguous pod: found more than one pod for selector: labels \"a=b\""

static void
test_choose(void)
{
	static const struct {
		const char *items, *pod, *error;
	} tv[] = {
		{ "", NULL, NULL },
		{ "{" META("a") "}", "a", NULL },
		/* a single one is taken as it is */
		{ "{" GOING("a") UNREADY "}", "a", NULL },
		{ "{" META("a") "},{" META("b") "}", NULL, AMBIGUOUS },
		{ "{" META("a") READY "},{" META("b") READY "}", NULL,
		    AMBIGUOUS },
		{ "{" GOING("a") READY "},{" META("b") UNREADY "}", "b", NULL },
		{ "{" META("a") UNREADY "},{" META("b") READY "}", "b", NULL },
		{ "{" META("a") READY PORT("11211") "},{" META("b")
			READY PORT("3030") "}",
		    "b", NULL },
		/* ready counts for more than the port */
		{ "{" META("a") READY "},{" META("b") UNREADY PORT("3030") "}",
		    "a", NULL },
		{ "{" GOING("a") "},{" GOING("b") READY "}", "b", NULL },
		{ "{}", NULL,
		    "Listing pods in kubernetes: a pod without a "
		    "name" },
		{ "{\"metadata\":{\"name\":7}}", NULL,
		    "Listing pods in kubernetes: a pod without a name" },
		{ "1,[],null,{" META("a") READY "}", "a", NULL },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_error struct ctl_error err = { 0 };
		auto_free char *text =
		    xasprintf("{\"items\":[%s]}", tv[i].items);
		auto_json json_t *list = json_loads(text, 0, NULL);
		auto_free char *pod = NULL;

		want(list != NULL);
		(void)(pods_choose(list, "a=b", &pod, &err) == FX_OK);
		want_str(pod, tv[i].pod);
		if (!want_str(err.text, tv[i].error))
			printf("# %s\n", text);
	}
}

static void
test_not_a_list(void)
{
	static const char *const texts[] = { "[]", "{}", "{\"items\":7}",
		"{\"items\":null}" };

	for (size_t i = 0; i < nitems(texts); i++) {
		auto_error struct ctl_error err = { 0 };
		auto_json json_t *list = json_loads(texts[i], 0, NULL);
		auto_free char *pod = NULL;

		want_int(pods_choose(list, "", &pod, &err), FX_OK);
		want_str(pod, NULL);
	}
}

static void
test_path(void)
{
	auto_free char *path = pods_path("n/s", "name in (a,b)");

	want_str(path,
	    "/api/v1/namespaces/n%2Fs/pods"
	    "?fieldSelector=status.phase%3DRunning"
	    "&labelSelector=name+in+%28a%2Cb%29");
}

int
main(void)
{
	test_run("pods: of several the one that can be fluxd", test_choose);
	test_run("pods: what is no list has none", test_not_a_list);
	test_run("pods: the question is the original's", test_path);
	return test_done();
}
