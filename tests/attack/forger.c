/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fluxd-manifest that has fallen: it locks itself down as the real one and
 * then has resources that no repository ever had.  What it says of each stands
 * in the file "forged" beside the program it was started as, read before the
 * lock-down, a line each, between tabs:
 *
 *	id  apiVersion  kind  namespace  name  hash  mark  body
 */
#include "base.h"
#include "roles.h"
#include "worker.h"

#include <stdio.h>
#include <sys/auxv.h>
#include <unistd.h>

#define FORGED_MAX 65536
#define LINES_MAX 32
#define SOURCE "forged.yaml"

static char text[FORGED_MAX];
static struct ipc_set_entry entries[LINES_MAX];
static char *bodies[LINES_MAX];
static size_t n;
static uint64_t set; /* grows with each load */

static void
read_forged(void)
{
	const char *self = (const char *)getauxval(AT_EXECFN);
	const char *slash = strrchr(self, '/');
	auto_free char *path =
	    xasprintf("%.*s/forged", (int)(slash - self), self);
	char *rest = text, *line;
	FILE *f = fopen(path, "re");

	if (f == NULL)
		fx_bug("%s", path);
	(void)!fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	for (; n < LINES_MAX && (line = strsep(&rest, "\n")) != NULL &&
	     line[0] != '\0';
	     n++) {
		struct ipc_set_entry *e = &entries[n];

		*e = (struct ipc_set_entry){ .index = n };
		e->id = strsep(&line, "\t");
		e->api_version = strsep(&line, "\t");
		e->kind = strsep(&line, "\t");
		e->ns = strsep(&line, "\t");
		e->name = strsep(&line, "\t");
		e->hash = strsep(&line, "\t");
		e->mark = strsep(&line, "\t");
		bodies[n] = line;
		if (line == NULL)
			fx_bug("%s: line %zu is short", path, n + 1);
	}
	for (size_t i = 0; i < n; i++)
		entries[i].source = xstrdup(SOURCE);
}

static int
on_load(void *ctx, const struct ipc_req *req, struct ipc_load *m)
{
	(void)ctx;
	(void)m;
	return ipc_reply_loaded(req,
	    &(struct ipc_loaded){ .set = ++set,
		.resources = n,
		.files = 1,
		.parsed = 1 });
}
IPC_HANDLER(load, on_load, void)

static int
on_set(void *ctx, const struct ipc_req *req, struct ipc_set *m)
{
	(void)ctx;
	(void)ipc_reply_set_part(req,
	    &(struct ipc_set_part){ .entries = entries, .entries_len = n });
	return ipc_reply_set_end(req,
	    &(struct ipc_set_end){ .set = m->set, .count = n });
}
IPC_HANDLER(set, on_set, void)

static int
on_bodies(void *ctx, const struct ipc_req *req, struct ipc_bodies *m)
{
	struct ipc_chunk chunks[LINES_MAX];
	size_t k = 0;

	(void)ctx;
	for (size_t i = 0; i < m->indexes_len && k < nitems(chunks); i++) {
		char *body = bodies[m->indexes[i].n];

		chunks[k++] = (struct ipc_chunk){ .index = i,
			.last = true,
			.data = { (uint8_t *)body, strlen(body) } };
	}
	(void)ipc_reply_body_part(req,
	    &(struct ipc_body_part){ .chunks = chunks, .chunks_len = k });
	return ipc_reply_bodies_end(req, &(struct ipc_bodies_end){ 0 });
}
IPC_HANDLER(bodies, on_bodies, void)

static int
on_events(void *ctx, const struct ipc_req *req, struct ipc_events *m)
{
	(void)ctx;
	(void)m;
	return ipc_reply_events_end(req, &(struct ipc_events_end){ 0 });
}
IPC_HANDLER(events, on_events, void)

int
main(int argc, char *argv[])
{
	static const struct ipc_handler handlers[] = {
		{ IPC_T_LOAD, on_load_frame },
		{ IPC_T_SET, on_set_frame },
		{ IPC_T_BODIES, on_bodies_frame },
		{ IPC_T_EVENTS, on_events_frame },
	};
	struct sandbox_paths paths = { 0 };
	struct worker w;

	read_forged();
	worker_init(&w, argc, argv, IPC_R_MANIFEST, IPC_R_MANIFEST);
	worker_lock_down(&w, attack_role(IPC_R_MANIFEST)->sandbox, &paths);
	return worker_run(&w, handlers, nitems(handlers), NULL);
}
