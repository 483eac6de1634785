/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fluxd-net: the connector, the only process that resolves names and connects.
 *
 * Reads    what name servers answer, through c-ares: hostile; the resolver's
 *          configuration and the hosts file.
 * Holds    nothing.
 * May      send to name servers, open TCP connections to the hosts the master
 *          lets a worker ask for, and hand the sockets over.
 * May not  read or write what flows over them, open other files, listen, start
 *          programs.
 * If it falls, an attacker can send askers to a wrong address, which host keys
 *          and certificates find out, and can reach the network; there is
 *          nothing in it to send there.
 */
#include "base.h"

#include "handlers.h"
#include "resolve.h"
#include "worker.h"

int
main(int argc, char *argv[])
{
	struct worker w;
	struct nw_state state = { 0 };

	worker_init(&w, argc, argv, IPC_R_NET, IPC_R_NET);
	if (resolve_init() != FX_OK)
		fx_bug("c-ares does not start");
	worker_lock_down(&w, &nw_sandbox, NULL);
	nw_open(&state, &w);
	return worker_run(&w, nw_handlers, nw_nhandlers, &state);
}
