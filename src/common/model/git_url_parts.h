/*
 * git_url_parts: what upstream takes the text of a URL for, in pieces.
 *
 * Upstream tries a standard URL (Go's net/url, some schemes), then host:path,
 * then a local path.  Only git_url*.c include this.
 */
#ifndef FX_GIT_URL_PARTS_H
#define FX_GIT_URL_PARTS_H

#include "base.h"

#include "buf.h"

/* A piece of the text; not owned, not terminated. */
struct url_span {
	const char *p;
	size_t n;
};

/*
 * What upstream takes a text for.  It tries a standard URL (Go's net/url, some
 * schemes), then host:path, then takes it for a local path, so this never
 * fails.  Pieces are as written, still escaped where `standard`.
 */
struct url_parts {
	bool standard;	/* net/url accepted it, with a scheme of git's */
	bool authority; /* … and there was a // */
	bool has_user;
	bool force_query; /* a lone ? at the end */
	struct url_span scheme, opaque, user, password, host, path, query,
	    fragment;
};

enum url_place { URL_IN_PATH, URL_IN_USER, URL_IN_HOST, URL_IN_FRAGMENT };

/* The strict reading: a standard URL or not. */
bool url_split_standard(const char *, struct url_parts *);
/* Any of the three; pieces point into the text. */
void url_interpret(const char *, struct url_parts *);

bool url_is_alnum(char);
bool url_one_of(char, const char *set);
bool url_has_control(const char *);

struct url_span url_span(const char *p, const char *end);
bool url_span_is(struct url_span, const char *word); /* in any case */
const char *url_span_find(struct url_span, char);
const char *url_span_rfind(struct url_span, char);
/* The byte at p[*i], unescaped; moves *i past it.  -1: a broken escape. */
int url_next_byte(struct url_span, size_t *i);

/* Append; the buffer is large enough for what a URL can become. */
void url_add_byte(struct buf *, char);
void url_add_span(struct buf *, struct url_span);
void url_add_text(struct buf *, const char *);
void url_add_escaped(struct buf *, char, enum url_place);
/* Unescaped; the escapes are known to be well-formed. */
void url_add_decoded(struct buf *, struct url_span);
/* Unescaped and escaped again. */
void url_add_normal(struct buf *, struct url_span, enum url_place);
/* Paths and fragments stay as written unless a byte must not stand there. */
void url_add_as_written(struct buf *, struct url_span, enum url_place);

#endif
