/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "keygen.h"

#include <strings.h>

static int
find_word(const char *const *words, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(words[i], word) == 0)
			return (int)i;
	return -1;
}

static int
check_bits(enum keygen_type type, uint64_t bits, struct fx_err *err)
{
	if (type == KEYGEN_RSA &&
	    (bits < KEYGEN_RSA_MIN || bits > KEYGEN_RSA_MAX))
		return fx_fail(err, FX_ESYNTAX,
		    "--ssh-keygen-bits=%llu: an RSA key has %d to %d bits",
		    (unsigned long long)bits, KEYGEN_RSA_MIN, KEYGEN_RSA_MAX);
	if (type == KEYGEN_ECDSA && bits != 256 && bits != 384 && bits != 521)
		return fx_fail(err, FX_ESYNTAX,
		    "--ssh-keygen-bits=%llu: an ECDSA key has 256, 384 or 521 "
		    "bits",
		    (unsigned long long)bits);
	return FX_OK;
}

int
keygen_parse(const char *type, const uint64_t *bits, const char *format,
    struct keygen *out, struct fx_err *err)
{
	static const char *const types[] = { "ed25519", "ecdsa", "rsa" };
	static const char *const formats[] = { "RFC4716", "PEM", "PKCS8" };
	static const unsigned sizes[] = { 256, 256, KEYGEN_RSA_BITS };
	int t = bits != NULL ? KEYGEN_RSA : KEYGEN_ED25519, f = 0;

	if (*type != '\0')
		t = find_word(types, nitems(types), type);
	if (t == -1)
		return fx_fail(err, FX_ESYNTAX,
		    "--ssh-keygen-type must be ed25519, ecdsa or rsa");
	if (*format != '\0')
		f = find_word(formats, nitems(formats), format);
	if (f == -1)
		return fx_fail(err, FX_ESYNTAX,
		    "--ssh-keygen-format must be RFC4716, PEM or PKCS8");
	if (bits != NULL &&
	    check_bits((enum keygen_type)t, *bits, err) != FX_OK)
		return err->code;
	*out = (struct keygen){ (enum keygen_type)t, sizes[t],
		(enum keygen_format)f };
	/* as for ssh-keygen, a size makes no other Ed25519 key */
	if (bits != NULL && t != KEYGEN_ED25519)
		out->bits = (unsigned)*bits;
	return FX_OK;
}
