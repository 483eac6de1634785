/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of refs of any content, whole and in pieces: the verdict is the same,
 * and what it says is printable.
 */
#include "base.h"

#include "fuzz.h"
#include "pkt.h"

static int
feed(const uint8_t *data, size_t size, size_t step, struct fx_err *err)
{
	struct pkt_watch w;
	int r = FX_OK;

	pkt_watch_init(&w, 2);
	for (size_t at = 0; at < size && r == FX_OK; at += step)
		r = pkt_watch_feed(&w, data + at,
		    size - at < step ? size - at : step, err);
	return r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fx_err whole = { 0 }, pieces = { 0 };

	if (size < 1 || size > 1 << 20)
		return 0;
	if (feed(data + 1, size - 1, size, &whole) !=
		feed(data + 1, size - 1, 1 + data[0] % 9u, &pieces) ||
	    strcmp(whole.text, pieces.text) != 0)
		abort();
	for (const char *s = whole.text; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			abort();
	return 0;
}
