/*
 * ossl: libcrypto's memory, had or the process ends.
 *
 * It answers a lack of memory with an error like any other, and remembers some
 * of them: a certificate would be taken for a bad one, a cipher for one that is
 * not there, for as long as the process lives.  For the few who link it.
 */
#ifndef FX_OSSL_H
#define FX_OSSL_H

#include "base.h"

#include <openssl/crypto.h>

static inline void *
ossl_alloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return xmalloc(n);
}

/* Of nothing it is a way to free. */
static inline void *
ossl_resize(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	if (n > 0)
		return xreallocarray(p, 1, n);
	free(p);
	return NULL;
}

static inline void
ossl_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* Before anything else of OpenSSL is called. */
static inline void
ossl_memory(void)
{
	if (CRYPTO_set_mem_functions(ossl_alloc, ossl_resize, ossl_free) != 1)
		fx_bug("libcrypto has begun already");
}

#endif
