/*
 * master_steps: the steps of a pass that more than one test of the master's
 * flows takes, each with the question it answers checked.
 */
#ifndef FX_MASTER_STEPS_H
#define FX_MASTER_STEPS_H

#include "master_bed.h"

/* Commits; the letters are what the functions below name them by. */
#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccc"

/* Messages own their texts, those of a test do not. */
static char *
str(const char *s)
{
	return (char *)(uintptr_t)s;
}

/* A LOAD of this commit. */
static struct bed_ask
take_load(const char *commit)
{
	struct bed_ask ask = bed_take(IPC_R_MANIFEST, IPC_T_LOAD);
	struct ipc_load m;

	if (ask.req.type != 0 && want(BED_READ(ask, load, &m))) {
		want_str(m.commit, commit);
		ipc_load_clear(&m);
	}
	return ask;
}

/* The commits of from..to are asked for; any `to` if it is NULL. */
static struct bed_ask
take_commits(const char *from, const char *to)
{
	struct bed_ask ask = bed_take(IPC_R_GIT_LOCAL, IPC_T_COMMITS);
	struct ipc_commits m;

	if (ask.req.type != 0 && want(BED_READ(ask, commits, &m))) {
		want_str(m.from, from);
		if (to != NULL)
			want_str(m.to, to);
		ipc_commits_clear(&m);
	}
	return ask;
}

/* They are these, newest first: a string of their letters. */
static void
give_commits(struct bed_ask ask, const char *letters)
{
	struct ipc_commit rows[8];
	char oids[8][41];
	size_t n = strlen(letters);

	for (size_t i = 0; i < n; i++) {
		memset(oids[i], letters[i], 40);
		oids[i][40] = '\0';
		rows[i] = (struct ipc_commit){ oids[i], str("A subject") };
	}
	if (n != 0)
		BED_PART(ask, commit_part, .commits = rows, .commits_len = n);
	BED_ANSWER(ask, commits_end, 0);
}

/* A notification, as if the last one had been long ago, finds this. */
static void
new_head(const char *head, const char *marker)
{
	bed.mirror.notified_us = 0;
	mirror_notify(&bed);
	bed_fetched(head, marker);
}

#endif
