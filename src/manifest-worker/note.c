/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "note.h"

#include "note_shape.h"
#include "quote.h"
#include "str.h"

void
note_open(uint64_t seed)
{
	json_set_alloc_funcs(xmalloc, free);
	json_object_seed((size_t)seed | 1);
	json_set_alloc_funcs(xmalloc, free); /* no memory ends the process */
}

/* ---- lists -------------------------------------------------------------- */

static void
list_clear(struct note_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct note_list){ 0 };
}

static void
list_add(struct note_list *l, char *s)
{
	if ((l->n & (l->n - 1)) == 0) /* grows at powers of two */
		l->v = xreallocarray(l->v, l->n == 0 ? 1 : l->n * 2,
		    sizeof(char *));
	l->v[l->n++] = s;
}

static int
text_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
list_settle(struct note_list *l)
{
	size_t left = 0;

	if (l->n != 0)
		qsort(l->v, l->n, sizeof(char *), text_order);
	for (size_t i = 0; i < l->n; i++)
		if (left == 0 || strcmp(l->v[left - 1], l->v[i]) != 0)
			l->v[left++] = l->v[i];
		else
			free(l->v[i]);
	l->n = left;
}

/* ---- what is told of it ------------------------------------------------- */

static const char *
text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static enum note_type
type_of(const char *s)
{
	static const struct {
		const char *name;
		enum note_type type;
	} types[] = {
		{ "image", NOTE_RELEASE },
		{ "containers", NOTE_RELEASE },
		{ "auto", NOTE_AUTO },
		{ "policy", NOTE_POLICY },
	};

	for (size_t i = 0; i < nitems(types); i++)
		if (strcmp(types[i].name, s) == 0)
			return types[i].type;
	return NOTE_OTHER;
}

static void
read_spec(struct note *n, const json_t *spec)
{
	const json_t *cause = json_object_get(spec, "cause"), *workloads;

	n->type = type_of(text_of(spec, "type"));
	n->user = xstrdup(text_of(cause, "User"));
	n->message = xstrdup(text_of(cause, "Message"));
	workloads =
	    json_object_get(json_object_get(spec, "spec"), "ServiceSpecs");
	for (size_t i = 0; i < json_array_size(workloads); i++)
		n->all |=
		    strcmp(json_string_value(json_array_get(workloads, i)),
			"<all>") == 0;
}

static void
read_result(struct note *n, json_t *result)
{
	const char *id;
	json_t *one;

	json_object_foreach (result, id, one) {
		const json_t *list = json_object_get(one, "PerContainer");

		if (strcmp(text_of(one, "Status"), "success") != 0)
			continue;
		list_add(&n->workloads, xstrdup(id));
		for (size_t i = 0; i < json_array_size(list); i++) {
			const char *target =
			    text_of(json_array_get(list, i), "Target");

			if (target != NULL)
				list_add(&n->images, xstrdup(target));
		}
	}
	list_settle(&n->images);
	list_settle(&n->workloads);
}

/* ---- the note ----------------------------------------------------------- */

/* Ids are opaque, but they are compared and shown: upstream's are hexadecimal
 * groups. */
static bool
is_job(const char *s)
{
	size_t n = s == NULL ? 0 : strlen(s);

	return n != 0 && n <= NOTE_MAX_JOB &&
	    strspn(s,
		"0123456789abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == n;
}

/* The note as it should be; the caller's, or NULL. */
static json_t *
read_note(const void *text, size_t n, struct fx_err *err)
{
	json_error_t why;
	json_t *as_is, *note = NULL;

	if (n > NOTE_MAX) {
		fx_fail(err, FX_ELIMIT, "note has more than %d bytes",
		    NOTE_MAX);
		return NULL;
	}
	if ((as_is = json_loadb(text, n, 0, &why)) == NULL) {
		fx_fail(err, FX_ESYNTAX, "%s", why.text);
		return NULL;
	}
	if (json_is_object(as_is) && !is_job(text_of(as_is, "jobID")))
		fx_fail(err, FX_ESYNTAX, "jobID is not as it should be");
	else
		note = note_shape(as_is, err);
	json_decref(as_is);
	return note;
}

int
note_parse(const void *text, size_t n, struct note *out, struct fx_err *err)
{
	json_t *o = read_note(text, n, err);

	if (o == NULL)
		return err->code;
	*out = (struct note){ .job = xstrdup(text_of(o, "jobID")) };
	read_spec(out, json_object_get(o, "spec"));
	read_result(out, json_object_get(o, "result"));
	out->whole = o;
	return FX_OK;
}

/* JSON of at most max bytes; empty for nothing, and for more. */
static char *
print(const json_t *v, size_t max)
{
	char *s;

	if (json_object_size(v) == 0)
		return xstrdup("");
	if ((s = json_dumps(v, JSON_COMPACT)) == NULL)
		fx_bug("a note cannot be printed");
	if (strlen(s) > max)
		*s = '\0';
	return s;
}

int
note_show(const void *text, size_t n, const char *job, size_t max_spec,
    size_t max_result, struct note_shown *out, struct fx_err *err)
{
	json_t *o;

	/* most are of other jobs, and need not be parsed for that */
	if (memmem(text, n, job, strlen(job)) == NULL)
		return fx_fail(err, FX_EUNKNOWN, "of another job");
	if ((o = read_note(text, n, err)) == NULL)
		return err->code;
	if (strcmp(text_of(o, "jobID"), job) != 0) {
		json_decref(o);
		return fx_fail(err, FX_EUNKNOWN, "of another job");
	}
	*out = (struct note_shown){
		.spec = print(json_object_get(o, "spec"), max_spec),
		.result = print(json_object_get(o, "result"), max_result),
	};
	json_decref(o);
	return FX_OK;
}

void
note_shown_clear(struct note_shown *s)
{
	free(s->spec);
	free(s->result);
	*s = (struct note_shown){ 0 };
}

void
note_clear(struct note *n)
{
	free(n->job);
	free(n->user);
	free(n->message);
	list_clear(&n->images);
	list_clear(&n->workloads);
	json_decref(n->whole);
	*n = (struct note){ 0 };
}

/* ---- its event ---------------------------------------------------------- */

/* Everything in it stands in the note, which bounds it. */
#define TEXT_ROOM (4 * NOTE_MAX)

static void
add_list(struct buf *b, const struct note_list *l, const char *none)
{
	for (size_t i = 0; i < l->n; i++)
		(void)str_addf(b, "%s%s", i == 0 ? "" : ", ", l->v[i]);
	if (l->n == 0)
		(void)str_add(b, none);
}

char *
note_event_text(const struct note *n)
{
	auto_buf struct buf b = BUF_INIT(TEXT_ROOM);
	struct buf out = BUF_INIT(NOTE_TEXT_MAX);

	(void)str_add(&b,
	    n->type == NOTE_AUTO ? "Automated release of " : "Released: ");
	add_list(&b, &n->images, "no image changes");
	if (n->type != NOTE_AUTO) {
		(void)str_add(&b, " to ");
		if (n->all)
			(void)str_add(&b, "all workloads");
		else
			add_list(&b, &n->workloads, "no workloads");
		if (*n->user != '\0')
			(void)str_addf(&b, ", by %s", n->user);
		if (*n->message != '\0') {
			(void)str_add(&b, ", with message ");
			str_add_quoted(&b, n->message, strlen(n->message));
		}
	}
	str_printable(&out, (const char *)buf_head(&b), buf_left(&b),
	    NOTE_TEXT_CUT);
	return str_take(&out);
}
