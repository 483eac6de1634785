/* SPDX-License-Identifier: Apache-2.0 */

/* A git note: what can be read has an event's text that fits and is safe to
 * show, and what clients are shown of it can be read again. */
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

/* A job that is written with escapes is not found: nobody writes it so. */
static void
check_shown(const uint8_t *data, size_t size, const char *job)
{
	struct note_shown shown = { 0 };
	struct note again = { 0 };
	struct fx_err err = { 0 };
	auto_free char *text = NULL;
	int r = note_show(data, size, job, SIZE_MAX, SIZE_MAX, &shown, &err);

	if (r == FX_EUNKNOWN)
		return;
	if (r != FX_OK)
		abort();
	text = xasprintf("{\"jobID\":\"%s\",\"spec\":%s%s%s}", job, shown.spec,
	    *shown.result == '\0' ? "" : ",\"result\":", shown.result);
	if (strlen(text) <= NOTE_MAX &&
	    note_parse(text, strlen(text), &again, &err) != FX_OK)
		abort();
	note_clear(&again);
	note_shown_clear(&shown);
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
	check_shown(data, size, note.job);
	note_clear(&note);
	return 0;
}
