/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "target.h"

#include "str.h"

/* Percent-decode n bytes; plus: '+' is a space.  NULL if an escape is not one
 * or stands for NUL, which no path, id or name contains. */
static char *
decode(const char *s, size_t n, bool plus)
{
	auto_free char *out = xmalloc(n + 1);
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		int hi, lo;

		if (s[i] != '%') {
			out[len++] = plus && s[i] == '+' ? ' ' : s[i];
			continue;
		}
		if (n - i < 3 || (hi = str_hex_value(s[i + 1])) == -1 ||
		    (lo = str_hex_value(s[i + 2])) == -1 || hi + lo == 0)
			return NULL;
		out[len++] = (char)(hi << 4 | lo);
		i += 2;
	}
	out[len] = '\0';
	return fx_steal(&out);
}

static void
add_pair(struct target_params *ps, const char *s, size_t n)
{
	const char *eq = memchr(s, '=', n);
	size_t nkey = eq == NULL ? n : (size_t)(eq - s);
	auto_free char *key = decode(s, nkey, true);
	auto_free char *value = NULL;

	value = eq == NULL ? xstrdup("") : decode(eq + 1, n - nkey - 1, true);
	if (key != NULL && value != NULL)
		ps->v[ps->n++] = (struct target_param){
			.key = fx_steal(&key),
			.value = fx_steal(&value),
		};
}

static size_t
count_pairs(const char *s, size_t n)
{
	size_t pairs = 1;

	for (size_t i = 0; i < n; i++)
		pairs += s[i] == '&';
	return pairs;
}

bool
params_too_many(const char *s, size_t n)
{
	return count_pairs(s, n) > TARGET_MAX_PARAMS;
}

int
params_parse(const char *s, size_t n, struct target_params *out,
    struct fx_err *err)
{
	const char *end = s + n;

	if (params_too_many(s, n))
		return fx_fail(err, FX_ELIMIT, "more than %d parameters",
		    TARGET_MAX_PARAMS);
	*out = (struct target_params){
		.v = xcalloc(count_pairs(s, n), sizeof(*out->v)),
	};
	while (s != end) {
		const char *amp = memchr(s, '&', (size_t)(end - s));
		const char *stop = amp == NULL ? end : amp;

		if (stop != s)
			add_pair(out, s, (size_t)(stop - s));
		s = amp == NULL ? end : amp + 1;
	}
	return FX_OK;
}

void
params_clear(struct target_params *ps)
{
	for (size_t i = 0; i < ps->n; i++) {
		free(ps->v[i].key);
		free(ps->v[i].value);
	}
	free(ps->v);
	*ps = (struct target_params){ 0 };
}

int
target_parse(const char *s, struct target *out, struct fx_err *err)
{
	const char *q = strchr(s, '?');
	size_t npath = q == NULL ? strlen(s) : (size_t)(q - s);
	struct target t = { 0 };
	int r;

	/* "http://host/…", "*", "host:443": for proxies, which we are not */
	if (*s != '/')
		return fx_fail(err, FX_ESYNTAX,
		    "the request target must be a path");
	if (strlen(s) > TARGET_MAX)
		return fx_fail(err, FX_ELIMIT,
		    "the request target is longer than %d bytes", TARGET_MAX);
	for (const char *p = s; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == '#')
			return fx_fail(err, FX_ESYNTAX,
			    "the request target has a character that must be "
			    "escaped");
	if (q != NULL &&
	    (r = params_parse(q + 1, strlen(q + 1), &t.params, err)) != FX_OK)
		return r;
	if ((t.path = decode(s, npath, false)) == NULL) {
		params_clear(&t.params);
		return fx_fail(err, FX_ESYNTAX,
		    "the request target has an invalid escape");
	}
	if (q != NULL)
		t.query = xstrdup(q + 1);
	*out = t;
	return FX_OK;
}

void
target_clear(struct target *t)
{
	free(t->path);
	free(t->query);
	params_clear(&t->params);
	*t = (struct target){ 0 };
}

const char *
target_param(const struct target_params *ps, const char *key)
{
	for (size_t i = 0; i < ps->n; i++)
		if (strcmp(ps->v[i].key, key) == 0)
			return ps->v[i].value;
	return NULL;
}

char *
target_clean_path(const char *path)
{
	char *out = xmalloc(strlen(path) + 2);
	size_t len = 0;
	bool slash = false; /* the path ends in one */

	for (const char *s = path; *s != '\0';) {
		size_t n = strcspn(s, "/");

		slash = s[n] == '/';
		if (n == 2 && strncmp(s, "..", 2) == 0) {
			while (len != 0 && out[--len] != '/')
				continue;
		} else if (n != 0 && !(n == 1 && *s == '.')) {
			out[len++] = '/';
			memcpy(out + len, s, n);
			len += n;
		}
		s += n + slash;
	}
	if (slash || len == 0)
		out[len++] = '/';
	out[len] = '\0';
	return out;
}

void
target_escape_path(struct buf *out, const char *path)
{
	for (; *path != '\0'; path++) {
		unsigned char c = (unsigned char)*path;
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || strchr("-_.~$&+,/:;=@", c);

		if (plain)
			str_addc(out, (char)c);
		else
			str_addf(out, "%%%02X", c);
	}
}
