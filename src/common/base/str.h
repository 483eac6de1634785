/*
 * str: building text over a buf, and reading numbers and words out of text.
 *
 * Builders append to a buf and never fail silently: past the buf's limit the
 * text is cut and str_cut says so.  Readers take the whole text or nothing.
 */
#ifndef FX_STR_H
#define FX_STR_H

#include "base.h"
#include "buf.h"

/* Append.  FX_ELIMIT when the buf is full; then nothing was stored. */
int str_add(struct buf *, const char *);
int str_addf(struct buf *, const char *fmt, ...) FX_PRINTF(2, 3);
int str_addn(struct buf *, const char *, size_t n);
int str_addc(struct buf *, char);

/* The text as a C string: owned by the caller, the buf becomes empty. */
char *str_take(struct buf *);

/*
 * Append n bytes from outside so that a log or a terminal is safe: control
 * bytes, DEL, bidirectional controls and invalid UTF-8 become \xNN or \u{…}.
 * Cuts with "..." after max bytes of input.
 */
void str_printable(struct buf *, const char *, size_t n, size_t max);

/*
 * The same as the inside of a JSON string: escaped there are quotes, what
 * str_printable shows and, as Go's encoder does, with `html` <, > and &; what
 * is not UTF-8 becomes U+FFFD.
 */
void str_add_json(struct buf *, const char *, size_t n, bool html);

/* Decimal, 0x… or 0…; the whole text; within [min, max].  FX_ESYNTAX,
 * FX_ELIMIT. */
int fx_parse_u64(const char *, uint64_t min, uint64_t max,
    uint64_t *out) FX_MUSTUSE;
int
fx_parse_i64(const char *, int64_t min, int64_t max, int64_t *out) FX_MUSTUSE;

/* Go's spelling of true and false: 1 t T true TRUE True, 0 f F …. */
int fx_parse_bool(const char *, bool *out) FX_MUSTUSE;

/*
 * Go's duration: "1h30m", "1.5m", "-20ms", "0".  In nanoseconds.  The text of
 * the error is Go's.
 */
int fx_parse_duration(const char *, int64_t *ns, struct fx_err *) FX_MUSTUSE;

/* Append ns as Go prints it: "1m0s", "1.23456789s", "350ms". */
void str_add_duration(struct buf *, int64_t ns);

/* -1: no hexadecimal digit. */
int str_hex_value(char);
/* Lower-case hexadecimal; str_unhex wants exactly 2 * n digits. */
void str_add_hex(struct buf *, const uint8_t *, size_t n);
int str_unhex(const char *, uint8_t *out, size_t n) FX_MUSTUSE;

/* Standard base64; pad or not; url picks the URL alphabet (RFC 4648, 4 and 5).
 */
void
str_add_base64(struct buf *, const uint8_t *, size_t n, bool pad, bool url);
/* Decodes the standard alphabet with or without padding, no white space. */
int str_unbase64(const char *, size_t n, struct buf *out) FX_MUSTUSE;

bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

/* true if the n bytes are well-formed UTF-8 (RFC 3629: no surrogates). */
bool str_is_utf8(const char *, size_t n);

/* Length of the UTF-8 sequence at p (1 to 4), 0 if malformed; *cp its value. */
size_t str_utf8_next(const char *p, size_t left, uint32_t *cp);

#endif
