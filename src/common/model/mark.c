/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "mark.h"

#include "str.h"

#include <sha2.h>

#define MARK_MAX 64 /* bytes of a mark: 50, and some air */

static void
add(SHA2_CTX *c, const char *s)
{
	SHA256Update(c, (const uint8_t *)s, strlen(s));
}

static char *
finish(SHA2_CTX *c, const char *prefix)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	struct buf out = BUF_INIT(MARK_MAX);

	SHA256Final(hash, c);
	(void)str_add(&out, prefix);
	str_add_base64(&out, hash, sizeof(hash), false, true);
	return str_take(&out);
}

char *
mark_set_name(const char *safe_url, const char *branch, char *const *paths,
    size_t npaths)
{
	SHA2_CTX c;

	SHA256Init(&c);
	add(&c, safe_url);
	add(&c, branch);
	for (size_t i = 0; i < npaths; i++)
		add(&c, paths[i]);
	return finish(&c, "");
}

char *
mark_of(const char *set_name, const char *id)
{
	SHA2_CTX c;

	SHA256Init(&c);
	add(&c, set_name);
	add(&c, id);
	return finish(&c, "sha256.");
}
