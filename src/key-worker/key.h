/*
 * key: an SSH key pair: read or made, then only asked to sign or written.
 *
 * The private half lives in one place, inside libcrypto's secure heap.  Every
 * buffer that held the file, its decoded form or a number of the key is wiped
 * before the function that filled it returns.
 *
 * Read are openssh-key-v1 files and PEM (PKCS#1, SEC 1, PKCS#8), both without
 * a passphrase, holding an Ed25519, ECDSA (NIST P-256, P-384, P-521) or RSA
 * key.
 */
#ifndef KW_KEY_H
#define KW_KEY_H

#include "base.h"
#include "buf.h"
#include "ipc_limits.h"
#include "keygen.h"

#include <openssl/evp.h>

#define KEY_HEAP (128 * 1024) /* private numbers; locked in memory */
#define KEY_FILE_MAX IPC_MAX_KEY_FILE
#define KEY_BLOB_MAX 4096   /* that key's public half takes 2 kB */
#define KEY_SIG_MAX 4096    /* its signatures take 2 kB */
#define KEY_COMMENT_MAX 256 /* bytes shown; the rest is cut */
#define KEY_COMMENT                                                            \
	"flux"		 /* of ours, and shown where a file has none: a line   \
			  * with a space is quoted in logs */
#define KEY_RSA_MIN 1024 /* bits; what ssh-keygen accepts */
#define KEY_RSA_MAX 16384

/* A signature algorithm, and the hash that it signs. */
struct key_alg {
	const char *name; /* as the protocol spells it */
	const char *hash; /* libcrypto's name; NULL: part of the algorithm */
};

#define KEY_ALGS_MAX 2

struct key_kind {
	const char *type;  /* in public keys: "ssh-ed25519" */
	const char *title; /* in pictures: "ED25519" */
	const char *curve; /* ECDSA: "nistp256"; else NULL */
	const char *group; /* libcrypto's name of the curve, else of the kind */
	struct key_alg algs[KEY_ALGS_MAX]; /* unused ones have a NULL name */
};

struct key {
	const struct key_kind *kind;
	EVP_PKEY *pkey;	 /* owned; the only copy of the private half */
	struct buf blob; /* public half in wire form */
	char *comment;	 /* owned, printable; NULL if the file has none */
	unsigned bits;
};

/*
 * Before anything else uses libcrypto, and before lock-down: no configuration
 * file, a heap of its own for private numbers, every block wiped when it is
 * freed, and whatever libcrypto opens or seeds at its first use.
 */
int key_init(void) FX_MUSTUSE;

/* Read a private key file; whatever comes of it, the text is wiped. */
int key_parse(struct buf *text, struct key **, struct fx_err *) FX_MUSTUSE;
/* The part of it that reads a decoded openssh-key-v1 file. */
int
key_from_openssh(const struct buf *, struct key **, struct fx_err *) FX_MUSTUSE;
/* A new one, with our comment.  RSA takes a second for 3072 bits. */
int
key_generate(const struct keygen *, struct key **, struct fx_err *) FX_MUSTUSE;
/* Append its private key file, to a buf that will not grow: growing would leave
 * copies behind.  FX_ELIMIT if it has no room. */
int key_write(const struct key *, enum keygen_format, struct buf *out,
    struct fx_err *) FX_MUSTUSE;
/* The part of it that writes what is between the lines of an OpenSSH file. */
int
key_to_openssh(const struct key *, struct buf *out, struct fx_err *) FX_MUSTUSE;

void key_free(struct key **);
#define auto_key FX_CLEANUP(key_free)

/* For readers and writers.  The kind of this type name, or NULL. */
const struct key_kind *key_kind(const struct buf *type);
#define KEY_MAGIC "openssh-key-v1" /* its NUL counts */
#define KEY_BLOCK 8		   /* bytes; of the cipher "none" */
#define KEY_ED25519_LEN 32	   /* bytes of a seed and of a public key */
#define KEY_ARMOR_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define KEY_ARMOR_END "-----END OPENSSH PRIVATE KEY-----"
/* Takes over pkey.  Refuses kinds, curves and sizes that are not listed, and
 * halves that do not belong together. */
int key_new(EVP_PKEY *, struct key **, struct fx_err *) FX_MUSTUSE;

/* A number of a key as SSH writes it; leaves no other copy of it. */
bool key_put_number(struct buf *, const EVP_PKEY *, const char *param);

static inline bool
key_is_rsa(const struct key *k)
{
	return k->kind->curve == NULL && k->kind->algs[0].hash != NULL;
}

/* Texts of the readers. */
#define KEY_E_HALVES "the private and the public half do not belong together"
#define KEY_E_KIND "not an Ed25519, ECDSA (NIST curve) or RSA key"
#define KEY_E_PASSPHRASE                                                       \
	"protected by a passphrase, which fluxd cannot ask for: remove it "    \
	"with ssh-keygen -p"

/* The algorithm of this name, if the key may sign with it; else NULL. */
const struct key_alg *key_alg(const struct key *, const struct buf *name);

/*
 * Append the inner signature, as libssh2 wants it from its callback: Ed25519
 * the 64 bytes, ECDSA mpint r and mpint s, RSA the PKCS#1 v1.5 bytes.
 */
int key_sign(const struct key *, const struct key_alg *, const struct buf *data,
    struct buf *sig, struct fx_err *) FX_MUSTUSE;

/* Append the authorized_keys line, without a newline. */
void key_add_line(struct buf *, const struct key *);

#endif
