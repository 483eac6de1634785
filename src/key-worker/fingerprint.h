/*
 * fingerprint: digests of a public key, as hex, base64 and pictures.
 *
 * Exactly what `ssh-keygen -lv -E md5` and `-E sha256` print, without the
 * labels: clients show these texts as they come.
 */
#ifndef KW_FINGERPRINT_H
#define KW_FINGERPRINT_H

#include "base.h"
#include "buf.h"

enum fp_hash { FP_MD5, FP_SHA256 };

/*
 * Append the digest of the blob to `text`, MD5 as "aa:bb:…", SHA-256 in base64
 * without padding, and to `art` the picture of it: 11 lines of 19 columns, each
 * ended by a newline, titled "[title bits]".
 */
int fp_add(enum fp_hash, const struct buf *blob, const char *title,
    unsigned bits, struct buf *text, struct buf *art) FX_MUSTUSE;

#endif
