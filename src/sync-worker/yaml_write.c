/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "yaml_write.h"

#include "decimal.h"

#include <stdio.h>
#include <strings.h>
#include <yaml.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

struct writer {
	yaml_emitter_t emitter;
	struct buf *out;
	bool full; /* of what is written */
};

static int
on_output(void *arg, unsigned char *p, size_t n)
{
	struct writer *w = arg;

	w->full = buf_put(w->out, p, n) != FX_OK;
	return !w->full;
}

/* The emitter takes the event, however it was made. */
static bool
emit(struct writer *w, yaml_event_t *ev, int made)
{
	return made && yaml_emitter_emit(&w->emitter, ev);
}

static bool
emit_scalar(struct writer *w, const char *s, size_t n,
    yaml_scalar_style_t style)
{
	yaml_event_t ev;

	return emit(w, &ev,
	    yaml_scalar_event_initialize(&ev, NULL, NULL,
		(const yaml_char_t *)s, (int)n, 1, 1, style));
}

/*
 * May a string stand there without quotes?  Said of few: a letter or a slash
 * first, so that it is no number, date or sign of YAML, and no word that some
 * version of YAML reads as a truth value or as nothing.
 */
static bool
is_plain(const char *s, size_t n)
{
	static const char first[] = LETTERS "/",
			  rest[] = LETTERS "/0123456789-._@";
	static const char *const words[] = { "y", "yes", "n", "no", "on", "off",
		"true", "false", "null" };

	if (n == 0 || strchr(first, s[0]) == NULL || strspn(s, rest) != n)
		return false;
	for (size_t i = 0; i < nitems(words); i++)
		if (strcasecmp(s, words[i]) == 0)
			return false;
	return true;
}

static bool
emit_string(struct writer *w, const char *s, size_t n)
{
	return emit_scalar(w, s, n,
	    is_plain(s, n) ? YAML_PLAIN_SCALAR_STYLE
			   : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

static bool
emit_word(struct writer *w, const char *s)
{
	return emit_scalar(w, s, strlen(s), YAML_PLAIN_SCALAR_STYLE);
}

/* As upstream prints it. */
static bool
emit_number(struct writer *w, const json_t *j)
{
	char text[DECIMAL_MAX];

	if (json_is_real(j))
		decimal_print(json_real_value(j), -4, 6, 2, text);
	else
		snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT,
		    json_integer_value(j));
	return emit_word(w, text);
}

static bool emit_value(struct writer *, const json_t *, unsigned depth);

static bool
emit_members(struct writer *w, const json_t *object, unsigned depth)
{
	/* jansson asks for what it does not write to */
	json_t *map = (json_t *)(uintptr_t)object, *value;
	const char *key;

	json_object_foreach (map, key, value)
		if (!emit_string(w, key, strlen(key)) ||
		    !emit_value(w, value, depth))
			return false;
	return true;
}

static bool
begin_map(struct writer *w, unsigned depth)
{
	yaml_event_t ev;

	return emit(w, &ev,
	    yaml_mapping_start_event_initialize(&ev, NULL, NULL, 1,
		depth < YAML_BLOCK_DEPTH ? YAML_BLOCK_MAPPING_STYLE
					 : YAML_FLOW_MAPPING_STYLE));
}

static bool
end_map(struct writer *w)
{
	yaml_event_t ev;

	return emit(w, &ev, yaml_mapping_end_event_initialize(&ev));
}

static bool
emit_list(struct writer *w, const json_t *list, unsigned depth)
{
	yaml_event_t ev;
	const json_t *value;
	size_t i;

	if (!emit(w, &ev,
		yaml_sequence_start_event_initialize(&ev, NULL, NULL, 1,
		    depth < YAML_BLOCK_DEPTH ? YAML_BLOCK_SEQUENCE_STYLE
					     : YAML_FLOW_SEQUENCE_STYLE)))
		return false;
	json_array_foreach (list, i, value)
		if (!emit_value(w, value, depth + 1))
			return false;
	return emit(w, &ev, yaml_sequence_end_event_initialize(&ev));
}

static bool
emit_value(struct writer *w, const json_t *j, unsigned depth)
{
	if (depth > YAML_DEPTH_MAX)
		return false;
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		return begin_map(w, depth) && emit_members(w, j, depth + 1) &&
		    end_map(w);
	case JSON_ARRAY:
		return emit_list(w, j, depth);
	case JSON_STRING:
		return emit_string(w, json_string_value(j),
		    json_string_length(j));
	case JSON_INTEGER:
	case JSON_REAL:
		return emit_number(w, j);
	case JSON_TRUE:
		return emit_word(w, "true");
	case JSON_FALSE:
		return emit_word(w, "false");
	case JSON_NULL:
		break;
	}
	return emit_word(w, "null");
}

static bool
emit_pair(struct writer *w, const char *key, const char *value)
{
	return emit_string(w, key, strlen(key)) &&
	    emit_string(w, value, strlen(value));
}

/* The members of the object; apiVersion and kind are what we say. */
static bool
emit_object(struct writer *w, const char *api_version, const char *kind,
    const json_t *object)
{
	json_t *map = (json_t *)(uintptr_t)object, *value;
	const char *key;

	if (!begin_map(w, 0) || !emit_pair(w, "apiVersion", api_version) ||
	    !emit_pair(w, "kind", kind))
		return false;
	json_object_foreach (map, key, value)
		if (strcmp(key, "apiVersion") != 0 &&
		    strcmp(key, "kind") != 0 &&
		    (!emit_string(w, key, strlen(key)) ||
			!emit_value(w, value, 1)))
			return false;
	return end_map(w);
}

static bool
emit_document(struct writer *w, const char *api_version, const char *kind,
    const json_t *object)
{
	yaml_event_t ev;

	return emit(w, &ev,
		   yaml_stream_start_event_initialize(&ev,
		       YAML_UTF8_ENCODING)) &&
	    emit(w, &ev,
		yaml_document_start_event_initialize(&ev, NULL, NULL, NULL,
		    0)) &&
	    emit_object(w, api_version, kind, object) &&
	    emit(w, &ev, yaml_document_end_event_initialize(&ev, 1)) &&
	    emit(w, &ev, yaml_stream_end_event_initialize(&ev));
}

int
yaml_write(struct buf *out, const char *api_version, const char *kind,
    const json_t *object, struct fx_err *err)
{
	struct writer w = { .out = out };
	bool ok;

	if (!yaml_emitter_initialize(&w.emitter))
		fx_bug("libyaml does not start");
	yaml_emitter_set_output(&w.emitter, on_output, &w);
	yaml_emitter_set_width(&w.emitter, -1); /* nothing is folded */
	yaml_emitter_set_unicode(&w.emitter, 1);
	ok = emit_document(&w, api_version, kind, object);
	yaml_emitter_delete(&w.emitter);
	if (ok)
		return FX_OK;
	return w.full
	    ? fx_fail(err, FX_ELIMIT, "longer than %zu bytes of YAML", out->max)
	    : fx_fail(err, FX_ELIMIT, "nested too deeply");
}
