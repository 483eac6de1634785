/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "fuzz.h"

#include "inventory_text.h"

/* An inventory that anybody may have written: what is taken of it fits, and is
 * the same when it is written and read again. */

static void
write_doc(struct inv_doc *doc, struct buf *out)
{
	for (size_t i = 0; i < doc->n; i++)
		if (!inv_may_hold(&doc->v[i]))
			abort();
	if (inv_write(out, doc->sets, doc->nsets, doc->v, doc->n) != FX_OK)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf struct buf once = BUF_INIT(4 * INV_TEXT_MAX);
	auto_buf struct buf twice = BUF_INIT(4 * INV_TEXT_MAX);
	struct fx_err err = { 0 };
	struct inv_doc doc;

	if (inv_read((const char *)data, size, &doc, &err) != FX_OK)
		return 0;
	write_doc(&doc, &once);
	inv_clear(&doc);
	if (buf_left(&once) > INV_TEXT_MAX)
		return 0; /* one line became many */
	if (inv_read((const char *)buf_head(&once), buf_left(&once), &doc,
		&err) != FX_OK)
		abort();
	write_doc(&doc, &twice);
	inv_clear(&doc);
	if (buf_left(&once) != buf_left(&twice) ||
	    memcmp(buf_head(&once), buf_head(&twice), buf_left(&once)) != 0)
		abort();
	return 0;
}
