/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "image_ref.h"
#include "test.h"

static void
test_grammar(void)
{
	static const struct {
		const char *text, *domain, *path, *tag, *digest;
		const char *printed; /* NULL: as given */
	} tv[] = {
		{ "alpine", "", "alpine", "", "", NULL },
		{ "alpine:3.5", "", "alpine", "3.5", "", NULL },
		{ "library/alpine", "", "library/alpine", "", "", NULL },
		{ "docker.io/alpine", "docker.io", "alpine", "", "", NULL },
		{ "docker.io/library/alpine:1", "docker.io", "library/alpine",
		    "1", "", NULL },
		{ "localhost/hello:v1", "localhost", "hello", "v1", "", NULL },
		{ "localhost:5000/hello:v1", "localhost:5000", "hello", "v1",
		    "", NULL },
		{ "localhost:5000/a/b/c:t", "localhost:5000", "a/b/c", "t", "",
		    NULL },
		{ "mylocalhost/x:1", "mylocalhost", "x", "1", "", NULL },
		{ "example.com:80/x", "example.com:80", "x", "", "", NULL },
		{ "1.2.3.4:80/x:1", "1.2.3.4:80", "x", "1", "", NULL },
		{ "reg/x:1", "", "reg/x", "1", "", NULL },
		/* a port does not make a domain of two elements */
		{ "reg:5000/x", "", "reg", "5000/x", "", NULL },
		{ "reg:5000/a/x:1", "reg:5000", "a/x", "1", "", NULL },
		{ "a/b/c:1", "a", "b/c", "1", "", NULL },
		{ "UPPER/x:Tag", "", "UPPER/x", "Tag", "", NULL },
		{ "a_b.c/x:1", "a_b.c", "x", "1", "", NULL },
		{ "a_.c/x:1", "", "a_.c/x", "1", "", NULL },
		{ "[::1]:5000/x/y:1", "[::1]:5000", "x/y", "1", "", NULL },
		{ "x@sha256:ab", "", "x", "", "ab", NULL },
		{ "q.io/x:1@sha256:ab", "q.io", "x", "1", "ab",
		    "q.io/x@sha256:ab" },
		{ "x@sha256:a:b", "", "x", "", "a:b", NULL },
		{ "x:1@md5:ab", "", NULL, "", "", NULL },
		{ "<all>", "", "<all>", "", "", NULL },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct image_ref r = { 0 };
		struct fx_err err = { 0 };
		auto_free char *printed = NULL;

		if (tv[i].path == NULL) {
			want_int(image_ref_parse(tv[i].text, &r, &err),
			    FX_ESYNTAX);
			continue;
		}
		if (!want_int(image_ref_parse(tv[i].text, &r, &err), FX_OK))
			continue;
		printed = image_ref_print(&r);
		want_str(r.domain, tv[i].domain);
		want_str(r.path, tv[i].path);
		want_str(r.tag, tv[i].tag);
		want_str(r.digest, tv[i].digest);
		want_str(printed,
		    tv[i].printed != NULL ? tv[i].printed : tv[i].text);
		image_ref_clear(&r);
	}
}

static void
test_errors(void)
{
#define EXPECTED                                                               \
	"expected image name as either <image>:<tag> or just <image>: "        \
	"invalid image ID"
	static const struct {
		const char *text, *error;
	} tv[] = {
		{ "", "parsing \"\": blank image name: invalid image ID" },
		{ "/a", "parsing \"/a\": " EXPECTED },
		{ "a/", "parsing \"a/\": " EXPECTED },
		{ ":t", "parsing \":t\": " EXPECTED },
		{ "a\"b:", "parsing \"a\\\"b:\": " EXPECTED },
		{ "x:", "parsing \"x:\": " EXPECTED },
		{ "x@sha256:", "parsing \"x@sha256:\": " EXPECTED },
		{ "@sha256:ab", "parsing \"@sha256:ab\": " EXPECTED },
		{ "a:b:c", EXPECTED },
		{ "reg:5000/x:1", EXPECTED },
		{ "[::1]:5000/x:1", EXPECTED },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct image_ref r = { 0 };
		struct fx_err err = { 0 };

		want_int(image_ref_parse(tv[i].text, &r, &err), FX_ESYNTAX);
		want_str(err.text, tv[i].error);
		want(r.path == NULL);
	}
}

int
main(void)
{
	test_run("image_ref: names are split as upstream splits them",
	    test_grammar);
	test_run("image_ref: what is no name is told in its words",
	    test_errors);
	return test_done();
}
