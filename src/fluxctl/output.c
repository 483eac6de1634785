/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "output.h"

#include "gojson.h"
#include "str.h"
#include "table.h"
#include "text.h"
#include "yamlout.h"

#include <unistd.h>

#define BOLD "\033[1m"
#define PLAIN "\033[0m"

int
output_format(const char *text, enum output_format *out, struct ctl_error *err)
{
	/* clang-format off */
	static const struct {
		const char *name;
		enum output_format format;
	} formats[] = {
		{ "tab", OUTPUT_TABLE },
		{ "table", OUTPUT_TABLE },
		{ "wide", OUTPUT_WIDE },
		{ "json", OUTPUT_JSON },
		{ "yaml", OUTPUT_YAML },
	};
	/* clang-format on */

	for (size_t i = 0; i < nitems(formats); i++)
		if (strcmp(formats[i].name, text) == 0) {
			*out = formats[i].format;
			return FX_OK;
		}
	return ctl_fail(err, FX_ESYNTAX, "invalid output format specified");
}

bool
output_is_value(const struct ctl *c)
{
	return c->format > OUTPUT_WIDE;
}

int
output_value(struct ctl *c, const json_t *value)
{
	auto_buf struct buf b = BUF_INIT(SIZE_MAX);

	if (c->format == OUTPUT_YAML)
		return yamlout_json(c->out, value, &c->error);
	gojson_add(&b, value);
	(void)str_addc(&b, '\n');
	(void)fwrite(buf_head(&b), 1, buf_left(&b), c->out);
	return FX_OK;
}

bool
output_is_terminal(FILE *to)
{
	const char *term = getenv("TERM");

	return isatty(fileno(to)) != 0 && term != NULL &&
	    strcmp(term, "dumb") != 0;
}

/* no-color.org: the variable counts if it is not empty. */
static bool
may_be_bold(FILE *to)
{
	const char *no_color = getenv("NO_COLOR");

	return output_is_terminal(to) &&
	    (no_color == NULL || *no_color == '\0');
}

void
output_table(struct ctl *c, struct buf *text, bool heading)
{
	auto_buf struct buf out = BUF_INIT(SIZE_MAX);
	const char *line, *end;

	table_align((const char *)buf_head(text), buf_left(text), &out);
	buf_clear(text);
	line = (const char *)buf_head(&out);
	if (heading && may_be_bold(c->out) &&
	    (end = memchr(line, '\n', buf_left(&out))) != NULL) {
		fprintf(c->out, BOLD "%.*s" PLAIN, (int)(end - line), line);
		buf_skip(&out, (size_t)(end - line));
	}
	(void)fwrite(buf_head(&out), 1, buf_left(&out), c->out);
}
