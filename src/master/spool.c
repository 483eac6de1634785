/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "spool.h"

#include "child.h"
#include "log.h"
#include "master.h"
#include "str.h"

/*
 * A line; JSON and text have no control characters:
 *
 *	E  number  text  JSON		it waits
 *	D  number			it does not any more
 */
#define LEDGER_MAX (16 << 20)	       /* more than twice what is ever kept */
#define SHOWN_MAX (8 * SPOOL_TEXT_MAX) /* escapes are longer */
#define LINE_MAX_BYTES (EVENT_JSON_MAX + 4096)

_Static_assert(2 * (SPOOL_BYTES_MAX + EVENT_JSON_MAX) +
	    2 * SPOOL_EVENTS_MAX * (SHOWN_MAX + 128) <
	LEDGER_MAX,
    "a ledger that is rewritten when it has doubled is never full");
_Static_assert(EVENT_JSON_MAX <= IPC_CREDIT_FIRST * IPC_MAX_EVENT_CHUNK,
    "an event goes out within the first credit");

/* ---- the list -------------------------------------------------------------
 */

static struct spool_event *
append(struct spool *s, uint64_t number, const char *text, const char *json)
{
	struct spool_event *e = xcalloc(1, sizeof(*e));

	e->number = s->last = number;
	e->text = xstrdup(text);
	e->json = xstrdup(json);
	*s->tail = e;
	s->tail = &e->next;
	s->n++;
	s->bytes += strlen(json);
	return e;
}

static bool
forget(struct spool *s, uint64_t number)
{
	struct spool_event **at = &s->oldest, *e;

	while (*at != NULL && (*at)->number != number)
		at = &(*at)->next;
	if ((e = *at) == NULL)
		return false;
	*at = e->next;
	if (s->tail == &e->next)
		s->tail = at;
	s->n--;
	s->bytes -= strlen(e->json);
	free(e->text);
	free(e->json);
	free(e);
	return true;
}

/* ---- on disk --------------------------------------------------------------
 */

static int
add_line(struct buf *b, const struct spool_event *e)
{
	size_t start = buf_left(b);

	(void)str_addf(b, "E\t%llu\t", (unsigned long long)e->number);
	(void)str_add(b, e->text);
	(void)str_addc(b, '\t');
	(void)str_add(b, e->json);
	return ledger_end_line(b, start);
}

static int
rewrite(struct spool *s, struct fx_err *err)
{
	auto_buf struct buf b = BUF_INIT(LEDGER_MAX);

	for (struct spool_event *e = s->oldest; e != NULL; e = e->next)
		if (add_line(&b, e) != FX_OK)
			fx_bug("spool: no room for what is kept");
	return ledger_rewrite(&s->ledger, &b, err);
}

static void
say(const struct fx_err *err)
{
	log_at(LVL_ERROR, KS("component", "upstream"), KS("err", err->text));
}

/* Without the line an event is told again after a restart, or is not told. */
static void
write_down(struct spool *s, const struct buf *line)
{
	struct fx_err err = { 0 };
	int r = ledger_append(&s->ledger, line, &err);

	if (r == FX_OK && ledger_is_large(&s->ledger))
		r = rewrite(s, &err);
	if (r != FX_OK)
		say(&err);
}

static void
write_done(struct spool *s, uint64_t number)
{
	auto_buf struct buf b = BUF_INIT(256);

	(void)str_addf(&b, "D\t%llu", (unsigned long long)number);
	if (ledger_end_line(&b, 0) == FX_OK)
		write_down(s, &b);
}

static bool
on_line(void *arg, char *fields[], size_t n)
{
	struct spool *s = arg;
	uint64_t number;

	if (n < 2 || fx_parse_u64(fields[1], 1, UINT64_MAX, &number) != FX_OK)
		return false;
	if (n == 2 && strcmp(fields[0], "D") == 0) {
		(void)forget(s, number);
		return true;
	}
	if (n != 4 || strcmp(fields[0], "E") != 0 ||
	    strlen(fields[3]) > EVENT_JSON_MAX)
		return false;
	if (number > s->last) /* a damaged ledger may be out of order */
		(void)append(s, number, fields[2], fields[3]);
	return true;
}

int
spool_open(struct spool *s, int a, int b, struct fx_err *err)
{
	int r;

	*s = (struct spool){ 0 };
	s->tail = &s->oldest;
	s->ledger.fds[0] = s->ledger.fds[1] = -1;
	if (a == -1 || b == -1)
		return FX_OK;
	r = ledger_open(&s->ledger, "event spool", LEDGER_MAX, a, b, on_line, s,
	    err);
	if (r == FX_OK && s->ledger.damaged != 0) {
		log_at(LVL_ERROR, KS("component", "upstream"),
		    KS("err",
			"the event spool is damaged; events in these places "
			"are lost"),
		    KI("places", s->ledger.damaged));
		if (rewrite(s, err) != FX_OK)
			say(err);
	}
	return r;
}

/* ---- to fluxd-upstream ----------------------------------------------------
 */

static void
show(struct master *m)
{
	metrics_set(m->metrics, METRIC_EVENTS_WAITING, "", (int64_t)m->spool.n);
}

/* It has to be there, and somebody to wait for it. */
static void
hand_out(struct spool *s)
{
	const struct spool_event *e = s->oldest;
	struct ipc_req req = s->asker;
	size_t left;

	if (e == NULL || req.peer == NULL)
		return;
	s->asker.peer = NULL;
	left = strlen(e->json);
	for (const char *at = e->json; left > 0;) {
		size_t n =
		    left < IPC_MAX_EVENT_CHUNK ? left : IPC_MAX_EVENT_CHUNK;
		const struct ipc_event_chunk part = {
			.json = { (uint8_t *)(uintptr_t)at, n }
		};

		(void)ipc_reply_event_chunk(&req, &part);
		at += n;
		left -= n;
	}
	(void)ipc_reply_event_is(&req,
	    &(struct ipc_event_is){ .number = e->number, .text = e->text });
}

static void
done(struct master *m, uint64_t number, bool refused)
{
	if (!forget(&m->spool, number))
		return; /* dropped meanwhile */
	write_done(&m->spool, number);
	metrics_add(m->metrics, METRIC_EVENTS,
	    refused ? "result=\"refused\"" : "result=\"taken\"", 1);
	show(m);
}

int
spool_on_next(struct child *c, const struct ipc_req *req,
    struct ipc_event_next *a)
{
	struct spool *s = &c->m->spool;

	if (s->asker.peer != NULL)
		return FX_EDENIED; /* it has one question to ask */
	if (a->done != 0)
		done(c->m, a->done, a->refused);
	s->asker = *req;
	hand_out(s);
	return FX_OK;
}

void
spool_lost_asker(struct master *m)
{
	m->spool.asker.peer = NULL;
}

/* ---- adding ---------------------------------------------------------------
 */

static void
drop_oldest(struct master *m)
{
	struct spool *s = &m->spool;
	uint64_t number = s->oldest->number;

	log_at(LVL_ERROR, KS("component", "upstream"),
	    KS("err",
		"too many events wait for the service; the oldest is dropped"),
	    KS("event", s->oldest->text));
	(void)forget(s, number);
	write_done(s, number);
	metrics_add(m->metrics, METRIC_EVENTS, "result=\"dropped\"", 1);
}

void
spool_add(struct master *m, const char *text, const char *json)
{
	auto_buf struct buf b = BUF_INIT(LINE_MAX_BYTES);
	struct buf shown = BUF_INIT(SHOWN_MAX);
	struct spool *s = &m->spool;
	auto_free char *clean = NULL;
	struct spool_event *e;

	str_printable(&shown, text, strlen(text), SPOOL_TEXT_MAX);
	clean = str_take(&shown);
	e = append(s, s->last + 1, clean, json);
	while (s->n > SPOOL_EVENTS_MAX || s->bytes > SPOOL_BYTES_MAX)
		drop_oldest(m);
	if (add_line(&b, e) != FX_OK)
		fx_bug("spool: no room for an event");
	write_down(s, &b);
	show(m);
	hand_out(s);
}

void
spool_resume(struct master *m)
{
	if (m->cfg.connect[0] == '\0')
		return;
	show(m);
	if (m->spool.n != 0)
		log_at(LVL_INFO, KS("component", "upstream"),
		    KS("info", "events from before the restart wait"),
		    KI("events", m->spool.n));
}
