/* SPDX-License-Identifier: Apache-2.0 */

/* A git note: what can be read has an event's text that fits and is safe to
 * show. */
#include "base.h"
#include "fuzz.h"

#include "buf.h"
#include "note.h"
#include "str.h"

static void
check_text(const char *text)
{
	auto_buf struct buf safe = BUF_INIT(2 * NOTE_TEXT_MAX);

	if (strlen(text) > NOTE_TEXT_MAX)
		abort();
	str_printable(&safe, text, strlen(text), strlen(text));
	if (buf_left(&safe) != strlen(text))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct note note = { 0 };
	struct fx_err err = { 0 };
	char *text;

	if (note_parse(data, size, &note, &err) != FX_OK) {
		if (err.code == FX_OK || note.job != NULL)
			abort();
		return 0;
	}
	text = note_event_text(&note);
	check_text(text);
	free(text);
	note_clear(&note);
	return 0;
}
