/*
 * canon_text: what a text is like, and so in which styles YAML can hold it.
 *
 * The rules are go-yaml's, oddities included: the canonical text follows them.
 */
#ifndef FX_CANON_TEXT_H
#define FX_CANON_TEXT_H

#include "base.h"

/* A place in a string. */
struct text {
	const char *s;
	size_t n;
	size_t at;
};

/* Bytes of the character at the place. */
size_t text_width(const struct text *);

/* Do these bytes come next? */
bool text_has(const struct text *, const char *bytes);
bool text_is_space(const struct text *);
bool text_space_follows(const struct text *);
/* CR, LF, next line, line separator, paragraph separator. */
bool text_is_break(const struct text *);
bool text_is_printable(const struct text *);

/* What a text is like, and so which styles can hold it. */
struct traits {
	bool multiline;
	bool plain, single, block; /* allowed */
};

struct traits text_analyse(const char *, size_t n);

/* Digits with colons, which YAML 1.1 reads to the base of sixty. */
bool text_is_base60(const char *, size_t n);

#endif
