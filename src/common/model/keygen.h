/*
 * keygen: what kind of deploy key is to be made, by the --ssh-keygen-* flags.
 *
 * The words are ssh-keygen's, in any case of letters.  Where nothing is said,
 * an Ed25519 key is made, not ssh-keygen's RSA key: every libssh2 can log in
 * with it.  A size alone means RSA, as it does for ssh-keygen.
 */
#ifndef FX_KEYGEN_H
#define FX_KEYGEN_H

#include "base.h"

/* ssh-keygen makes up to 16384 bits; 8192 take half a minute, those many. */
#define KEYGEN_RSA_MIN 1024
#define KEYGEN_RSA_MAX 8192
#define KEYGEN_RSA_BITS 3072 /* ssh-keygen's default */

enum keygen_type { KEYGEN_ED25519, KEYGEN_ECDSA, KEYGEN_RSA };

enum keygen_format {
	KEYGEN_OPENSSH, /* ssh-keygen calls it RFC4716; Ed25519 is always so */
	KEYGEN_PEM,	/* PKCS#1 for RSA, SEC 1 for ECDSA */
	KEYGEN_PKCS8,
};

struct keygen {
	enum keygen_type type;
	unsigned bits; /* of an Ed25519 key always 256 */
	enum keygen_format format;
};

/* The flags' values: an empty type or format is none given; bits NULL too.
 * FX_ESYNTAX names the flag. */
int keygen_parse(const char *type, const uint64_t *bits, const char *format,
    struct keygen *, struct fx_err *) FX_MUSTUSE;

#endif
