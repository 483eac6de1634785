/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker that has fallen: it starts and locks itself down as the real one of
 * its role, and then tells and asks the master what it should not.
 *
 * What it does stands in the file "trick" beside the program it was started as,
 * read before the lock-down, a line each:
 *
 *	endpoint HOST PORT	connect HOST PORT	sign
 *	paths PATH		reopen NUMBER		open NUMBER
 *	log KEY VALUE		from CALLER VALUE	metric NUMBER LABELS
 *	end
 *
 * What comes of a question is logged: "rogue=LINE got=ANSWER".
 */
#include "base.h"
#include "log.h"
#include "roles.h"
#include "str.h"
#include "worker.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <unistd.h>

#define TRICK_MAX 4096
#define WORDS 3

static char trick[TRICK_MAX];

/* Beside the path that was executed: fluxd's directory of programs. */
static void
read_trick(void)
{
	const char *self = (const char *)getauxval(AT_EXECFN);
	const char *slash = strrchr(self, '/');
	auto_free char *path =
	    xasprintf("%.*s/trick", (int)(slash - self), self);
	FILE *f = fopen(path, "re");

	if (f == NULL)
		fx_bug("%s", path);
	(void)!fread(trick, 1, sizeof(trick) - 1, f);
	fclose(f);
}

/* The file has escapes for what a line cannot hold. */
static void
unescape(char *s)
{
	static const char codes[] = "n\nr\re\033s ";
	char *to = s;

	for (; *s != '\0'; s++, to++) {
		const char *c =
		    *s == '\\' && s[1] != '\0' ? strchr(codes, s[1]) : NULL;

		*to = c == NULL ? *s : c[1];
		s += c == NULL ? 0 : 1;
	}
	*to = '\0';
}

struct question {
	char *line;
};

/* What a client of HTTP would have got. */
static int
on_called(struct question *q, struct ipc_frame *f)
{
	auto_free char *text = NULL;
	struct ipc_called m;
	int r = ipc_called_decode(&f->body, &m, &f->fd);

	if (r != FX_OK)
		return r;
	text = xasprintf("%llu", (unsigned long long)m.status);
	log_at(LVL_INFO, KS("rogue", q->line), KS("got", text));
	return FX_OK;
}

static int
on_answer(void *arg, struct ipc_frame *f)
{
	struct question *q = arg;
	struct fx_err err = { 0 };

	if (f == NULL)
		return FX_OK;
	if (f->type == IPC_T_CALLED)
		return on_called(q, f);
	log_at(LVL_INFO, KS("rogue", q->line),
	    KS("got",
		ipc_take_failed(f, &err) == FX_OK ? ipc_type_name(f->type)
						  : err.text));
	return FX_OK;
}

static uint64_t
number(const char *s)
{
	return strtoull(s, NULL, 10);
}

static void
tell(struct worker *w, char *word[WORDS])
{
	struct ipc_peer *m = &w->master;
	struct ipc_text one = { .s = word[1] };

	if (strcmp(word[0], "endpoint") == 0) {
		struct ipc_endpoint e = { .host = word[1],
			.port = number(word[2]) };

		(void)ipc_tell_endpoint(m, &e);
	} else if (strcmp(word[0], "paths") == 0) {
		struct ipc_paths_named p = { .paths = &one, .paths_len = 1 };

		(void)ipc_tell_paths_named(m, &p);
	} else if (strcmp(word[0], "log") == 0) {
		log_at(LVL_INFO, KS(word[1], word[2]));
	} else if (strcmp(word[0], "from") == 0) {
		log_pairs(LVL_INFO, word[1],
		    (const struct log_pair[]){ KS("said", word[2]) }, 1);
	} else if (strcmp(word[0], "metric") == 0) {
		worker_metric(w, (unsigned)number(word[1]), word[2], 1000000);
	} else if (strcmp(word[0], "end") == 0) {
		exit(0); /* without having said that it is ready */
	} else {
		fx_bug("no trick %s", word[0]);
	}
}

static bool
ask(struct worker *w, char *word[WORDS], struct question *q)
{
	struct ipc_peer *m = &w->master;
	const struct ipc_connect c = { .host = word[1],
		.port = number(word[2]),
		.timeout_ms = 1000 };
	const struct ipc_reopen r = { .which = number(word[1]) };
	const struct ipc_open o = { .number = number(word[1]) };
	const struct ipc_key_sign s = {
		.to_sign = { (uint8_t *)word[1], strlen(word[1]) },
	};

	const struct ipc_call l = { .method = word[1], .target = word[2] };

	if (strcmp(word[0], "call") == 0)
		return ipc_ask_call(m, &l, on_answer, q) != 0;
	if (strcmp(word[0], "connect") == 0)
		return ipc_ask_connect(m, &c, on_answer, q) != 0;
	if (strcmp(word[0], "reopen") == 0)
		return ipc_ask_reopen(m, &r, on_answer, q) != 0;
	if (strcmp(word[0], "open") == 0)
		return ipc_ask_open(m, &o, on_answer, q) != 0;
	if (strcmp(word[0], "sign") == 0)
		return ipc_ask_key_sign(m, &s, on_answer, q) != 0;
	return false;
}

static void
play(struct worker *w)
{
	char *rest = trick, *line;

	while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0') {
		struct question *q = xcalloc(1, sizeof(*q));
		char *word[WORDS] = { line, NULL, NULL };
		char none[] = "";

		q->line = xstrdup(line);
		for (int i = 1; i < WORDS; i++) {
			word[i] = none;
			if (line != NULL)
				(void)strsep(&line, " ");
			if (line != NULL)
				word[i] = line;
		}
		for (int i = 1; i < WORDS; i++)
			unescape(word[i]);
		if (!ask(w, word, q))
			tell(w, word);
	}
}

/* What the master asks of it, it does not do. */
static int
refuse(void *ctx, struct ipc_peer *p, struct ipc_frame *f)
{
	const struct ipc_req req = { p, f->seq, f->type };

	(void)ctx;
	return ipc_reply_failf(&req, FX_EFAIL, "not today");
}

int
main(int argc, char *argv[])
{
	static struct ipc_handler refusals[IPC_T_COUNT];
	struct worker w;
	struct sandbox_paths paths = { 0 };
	uint64_t role;
	size_t n = 0;

	if (argc != 4 ||
	    fx_parse_u64(argv[1], 0, IPC_R_COUNT - 1, &role) != FX_OK)
		return 2;
	read_trick();
	worker_init(&w, argc, argv, (enum ipc_role)role, (enum ipc_role)role);
	if (role == IPC_R_GIT_REMOTE || role == IPC_R_GIT_LOCAL)
		paths.dir = w.cfg.mirror_dir;
	worker_lock_down(&w, attack_role((enum ipc_role)role)->sandbox, &paths);
	play(&w);
	for (uint32_t t = 1; t < IPC_T_COUNT; t++)
		if (ipc_rule(t)->kind == IPC_ASK && t != IPC_T_PING)
			refusals[n++] = (struct ipc_handler){ t, refuse };
	return worker_run(&w, refusals, n, NULL);
}
