/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs of any content.  What the strict grammar takes has no control bytes and
 * no leading dash anywhere, and without its password it is the same place.
 */
#include "base.h"

#include "fuzz.h"
#include "git_url.h"

static void
check(const char *text, const struct git_url *u)
{
	auto_free char *bare = git_url_bare(text);
	auto_free char *safe = git_url_safe(text);
	auto_free char *again = bare == NULL ? NULL : git_url_safe(bare);

	if (again == NULL || strcmp(safe, again) != 0 ||
	    !git_url_equivalent(text, bare))
		abort();
	if (*u->host == '-' || *u->path == '-' || *u->user == '-' ||
	    *u->path == '\0')
		abort();
	for (const char *s = u->path; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = NULL, *show = NULL;
	struct git_url u;

	if (size > 2 * GIT_URL_MAX)
		return 0;
	text = xstrndup((const char *)data, size);
	show = git_url_show(text);
	if (!git_url_equivalent(text, text))
		abort();
	if (git_url_parse(text, &u, NULL) != FX_OK)
		return 0;
	check(text, &u);
	git_url_clear(&u);
	return 0;
}
