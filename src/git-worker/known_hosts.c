/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "known_hosts.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "str.h"

#define HASH_MAGIC "|1|"
#define HASH_LEN 20	 /* SHA-1, as the format has it */
#define NAME_MAX_LEN 300 /* a host name with brackets and port */

/* One line that could be read; words point into it. */
struct entry {
	bool revoked;
	char *hosts;
	char *type;
	char *key; /* base64 */
};

void
known_hosts_init(struct known_hosts *k)
{
	buf_init(&k->text, KNOWN_HOSTS_MAX);
}

void
known_hosts_clear(struct known_hosts *k)
{
	buf_clear(&k->text);
}

int
known_hosts_add(struct known_hosts *k, const void *p, size_t n)
{
	if (n >= KNOWN_HOSTS_MAX - buf_left(&k->text))
		return FX_ELIMIT;
	if (buf_put(&k->text, p, n) != FX_OK)
		return FX_ELIMIT;
	return str_addc(&k->text, '\n');
}

/* ---- does a line speak about a host? ---- */

/*
 * Wildcards by stepping back to the last star: time is at most the product of
 * both lengths.
 */
static bool
glob(const char *s, const char *pattern, size_t n)
{
	const char *star = NULL, *retry = NULL, *end = pattern + n;

	while (*s != '\0') {
		if (pattern < end && *pattern == '*') {
			star = pattern++;
			retry = s;
		} else if (pattern < end &&
		    (*pattern == '?' ||
			tolower((unsigned char)*pattern) == *s)) {
			pattern++;
			s++;
		} else if (star != NULL) {
			pattern = star + 1;
			s = ++retry;
		} else {
			return false;
		}
	}
	while (pattern < end && *pattern == '*')
		pattern++;
	return pattern == end;
}

static bool
hashed_match(const char *hosts, const char *name)
{
	struct buf salt = BUF_INIT(HASH_LEN), hash = BUF_INIT(HASH_LEN);
	const char *bar = strchr(hosts + strlen(HASH_MAGIC), '|');
	const char *s = hosts + strlen(HASH_MAGIC);
	uint8_t got[HASH_LEN];
	unsigned len = 0;
	bool ok = false;

	if (bar != NULL && str_unbase64(s, (size_t)(bar - s), &salt) == FX_OK &&
	    str_unbase64(bar + 1, strlen(bar + 1), &hash) == FX_OK &&
	    buf_left(&salt) == HASH_LEN && buf_left(&hash) == HASH_LEN &&
	    HMAC(EVP_sha1(), buf_head(&salt), HASH_LEN, (const uint8_t *)name,
		strlen(name), got, &len) != NULL)
		ok = len == HASH_LEN &&
		    memcmp(got, buf_head(&hash), HASH_LEN) == 0;
	buf_clear(&salt);
	buf_clear(&hash);
	return ok;
}

/* `name` is in lower case.  One negated match settles it. */
static bool
hosts_match(const char *hosts, const char *name)
{
	bool found = false;

	if (str_starts(hosts, HASH_MAGIC))
		return hashed_match(hosts, name);
	while (*hosts != '\0') {
		size_t n = strcspn(hosts, ",");
		bool negated = *hosts == '!';

		if (glob(name, hosts + negated, n - negated)) {
			if (negated)
				return false;
			found = true;
		}
		hosts += n;
		hosts += *hosts == ',';
	}
	return found;
}

/* ---- lines ---- */

/* The next word at *p, ended by a NUL; "" at the end. */
static char *
next_word(char **p)
{
	char *word = *p + strspn(*p, " \t");

	*p = word + strcspn(word, " \t");
	if (**p != '\0')
		*(*p)++ = '\0';
	return word;
}

static bool
entry_parse(char *line, struct entry *e)
{
	line[strcspn(line, "\r")] = '\0';
	line += strspn(line, " \t");
	if (*line == '\0' || *line == '#')
		return false;
	e->revoked = false;
	e->hosts = next_word(&line);
	if (*e->hosts == '@') {
		e->revoked = strcmp(e->hosts, "@revoked") == 0;
		if (!e->revoked) /* @cert-authority, or not known */
			return false;
		e->hosts = next_word(&line);
	}
	e->type = next_word(&line);
	e->key = next_word(&line);
	return *e->key != '\0';
}

/* Decode the key; its own idea of its type has to be the line's. */
static bool
entry_key(const struct entry *e, struct buf *blob)
{
	size_t n = strlen(e->type);
	const uint8_t *p;

	buf_reset(blob);
	if (str_unbase64(e->key, strlen(e->key), blob) != FX_OK ||
	    buf_left(blob) < 4 + n)
		return false;
	p = buf_head(blob);
	return p[0] == 0 && p[1] == 0 && p[2] == n >> 8 && p[3] == (n & 0xff) &&
	    memcmp(p + 4, e->type, n) == 0;
}

typedef void entry_fn(const struct entry *, const struct buf *blob, void *arg);

/* Call fn for every readable line about `name`. */
static void
each_entry(const struct known_hosts *k, const char *name, entry_fn *fn,
    void *arg)
{
	auto_buf struct buf blob = BUF_INIT(KNOWN_HOSTS_BLOB_MAX);
	const char *p = (const char *)buf_head(&k->text);
	size_t left = buf_left(&k->text);

	while (left != 0) {
		const char *nl = memchr(p, '\n', left);
		size_t n = nl == NULL ? left : (size_t)(nl - p);
		auto_free char *line = NULL;
		struct entry e;

		if (n <= KNOWN_HOSTS_LINE_MAX) {
			line = xstrndup(p, n);
			if (entry_parse(line, &e) &&
			    hosts_match(e.hosts, name) && entry_key(&e, &blob))
				fn(&e, &blob, arg);
		}
		n += nl != NULL;
		p += n;
		left -= n;
	}
}

/* The name as it stands in the files, in lower case. */
static void
file_name(char out[NAME_MAX_LEN], const char *host, unsigned port, bool bare)
{
	auto_free char *s = bare || port == 22
	    ? xstrdup(host)
	    : xasprintf("[%s]:%u", host, port);
	size_t i;

	for (i = 0; i < NAME_MAX_LEN - 1 && s[i] != '\0'; i++)
		out[i] = (char)tolower((unsigned char)s[i]);
	out[i] = '\0';
}

/* ---- the questions ---- */

struct verdict {
	const uint8_t *blob;
	size_t n;
	bool same, other, revoked;
};

static void
judge(const struct entry *e, const struct buf *blob, void *arg)
{
	struct verdict *v = arg;
	bool same = buf_left(blob) == v->n &&
	    memcmp(buf_head(blob), v->blob, v->n) == 0;

	if (e->revoked) {
		v->revoked |= same;
		return;
	}
	v->same |= same;
	v->other |= !same;
}

static enum known_host
check_name(const struct known_hosts *k, const char *name, const uint8_t *blob,
    size_t n)
{
	struct verdict v = { .blob = blob, .n = n };

	each_entry(k, name, judge, &v);
	if (v.revoked)
		return KNOWN_HOST_REVOKED;
	if (v.same)
		return KNOWN_HOST_OK;
	return v.other ? KNOWN_HOST_CHANGED : KNOWN_HOST_UNKNOWN;
}

enum known_host
known_hosts_check(const struct known_hosts *k, const char *host, unsigned port,
    const uint8_t *blob, size_t n)
{
	char name[NAME_MAX_LEN];
	enum known_host r, bare;

	file_name(name, host, port, false);
	r = check_name(k, name, blob, n);
	if (port == 22 || r == KNOWN_HOST_REVOKED)
		return r;
	file_name(name, host, port, true);
	bare = check_name(k, name, blob, n);
	if (bare == KNOWN_HOST_REVOKED)
		return bare;
	/* a line without port helps, another key in one does not harm */
	return r == KNOWN_HOST_UNKNOWN && bare == KNOWN_HOST_OK ? bare : r;
}

static void
add_type(const struct entry *e, const struct buf *blob, void *arg)
{
	struct buf *out = arg;

	(void)blob;
	if (e->revoked)
		return;
	/* a list that is full is good enough */
	if (buf_left(out) != 0 && str_addc(out, ',') != FX_OK)
		return;
	if (str_add(out, e->type) != FX_OK)
		return;
}

void
known_hosts_types(const struct known_hosts *k, const char *host, unsigned port,
    struct buf *out)
{
	char name[NAME_MAX_LEN];

	file_name(name, host, port, false);
	each_entry(k, name, add_type, out);
	if (port == 22)
		return;
	file_name(name, host, port, true);
	each_entry(k, name, add_type, out);
}
