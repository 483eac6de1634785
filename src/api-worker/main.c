/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fluxd-api: HTTP for clients, probes and Prometheus.
 *
 * Reads    requests, from whoever reaches the listeners: hostile; the file of
 *          --listen-token-file, where there is one.
 * Holds    that token, and else nothing: no secret, no state that outlives a
 *          request.
 * May      accept connections on the listeners it was given, answer them, ask
 *          the master what clients may ask.
 * May not  make a socket, connect, open files, start programs; reach git, the
 *          cluster or a key but through the questions of the message table.
 * If it falls, an attacker can lie to clients, ask the master for syncs, and
 *          read what clients are shown: no more than anybody can do who
 *          reaches the port.  The master starts a fresh one.
 */
#include "base.h"

#include <stdio.h>

#include "handlers.h"

int
main(int argc, char *argv[])
{
	struct worker w;
	struct aw_state state = { 0 };
	struct fx_err err = { 0 };
	int r;

	worker_init(&w, argc, argv, IPC_R_API, IPC_R_API);
	if (aw_open(&state, &w, &err) != FX_OK) {
		fprintf(stderr, "fluxd-api: %s\n", err.text);
		return 1;
	}
	worker_lock_down(&w, &aw_sandbox, NULL);
	token_init(&state.token, &w);
	r = worker_run(&w, aw_handlers, aw_nhandlers, &state);
	aw_close(&state);
	return r;
}
