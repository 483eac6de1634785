/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fluxd-upstream: the connection to the service of --connect.
 *
 * Reads    what the service answers and calls: TLS, HTTP, WebSocket, JSON;
 *          hostile.
 * Holds    the token of --token, and a proxy's password where there is one.
 * May      talk to the service, or to the proxy on the way to it, through
 *          sockets it is given; ask the master for the next event, and
 *          fluxd-api what a client may ask.
 * May not  make a socket, open files, start programs, reach anybody else.
 * If it falls, an attacker has the token, reads the events to come, can have
 * them forgotten, and uses the API as any client who has a token.
 */
#include "base.h"
#include "handlers.h"

#include "multi.h"

#include <time.h>

int
main(int argc, char *argv[])
{
	struct worker w;
	static struct uw state;
	int r;

	worker_init(&w, argc, argv, IPC_R_UPSTREAM, IPC_R_UPSTREAM);
	tzset(); /* dates in certificates open /etc/localtime at first use */
	multi_warm_up();
	uw_open(&state, &w);
	worker_lock_down(&w, &uw_sandbox, NULL);
	uw_start(&state);
	r = worker_run(&w, NULL, 0, &state);
	uw_close(&state);
	return r;
}
