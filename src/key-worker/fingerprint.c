/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "fingerprint.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "str.h"

/* The field of "the drunken bishop": he starts in the middle. */
#define COLUMNS 17
#define ROWS 9

/* What a square looks like by the number of visits; then start and end. */
static const char marks[] = " .o+=*BOX@%&#/^SE";
#define MARK_START (sizeof(marks) - 3)
#define MARK_END (sizeof(marks) - 2)

static int
step(int at, bool forward, int size)
{
	at += forward ? 1 : -1;
	return at < 0 ? 0 : at >= size ? size - 1 : at;
}

/* "+--[text]---+": the text in the middle, the odd dash behind it. */
static void
add_frame(struct buf *b, const char *text)
{
	size_t n = strlen(text), before = (COLUMNS - n) / 2;

	(void)str_addc(b, '+');
	for (size_t i = 0; i < before; i++)
		(void)str_addc(b, '-');
	(void)str_add(b, text);
	for (size_t i = before + n; i < COLUMNS; i++)
		(void)str_addc(b, '-');
	(void)str_add(b, "+\n");
}

static void
add_art(struct buf *b, const char *head, const char *foot,
    const uint8_t *digest, size_t n)
{
	uint8_t visits[ROWS][COLUMNS] = { { 0 } };
	int x = COLUMNS / 2, y = ROWS / 2;

	/* two bits a move, the low ones of each byte first */
	for (size_t i = 0; i < 4 * n; i++) {
		unsigned move = digest[i / 4] >> (i % 4 * 2) & 3;

		x = step(x, move & 1, COLUMNS);
		y = step(y, move & 2, ROWS);
		if (visits[y][x] < MARK_START - 1)
			visits[y][x]++;
	}
	visits[ROWS / 2][COLUMNS / 2] = MARK_START;
	visits[y][x] = MARK_END;

	add_frame(b, head);
	for (y = 0; y < ROWS; y++) {
		(void)str_addc(b, '|');
		for (x = 0; x < COLUMNS; x++)
			(void)str_addc(b, marks[visits[y][x]]);
		(void)str_add(b, "|\n");
	}
	add_frame(b, foot);
}

static void
add_text(struct buf *b, enum fp_hash hash, const uint8_t *digest, size_t n)
{
	if (hash == FP_SHA256) {
		str_add_base64(b, digest, n, false, false);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			(void)str_addc(b, ':');
		str_add_hex(b, digest + i, 1);
	}
}

int
fp_add(enum fp_hash hash, const struct buf *blob, const char *title,
    unsigned bits, struct buf *text, struct buf *art)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	char head[COLUMNS + 1];
	unsigned n;

	if (EVP_Digest(buf_head(blob), buf_left(blob), digest, &n,
		hash == FP_MD5 ? EVP_md5() : EVP_sha256(), NULL) != 1)
		return FX_EFAIL;
	/* longest: "[ED25519 256]", "[RSA 16384]" */
	snprintf(head, sizeof(head), "[%s %u]", title, bits);
	add_text(text, hash, digest, n);
	add_art(art, head, hash == FP_MD5 ? "[MD5]" : "[SHA256]", digest, n);
	return FX_OK;
}
