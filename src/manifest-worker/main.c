/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fluxd-manifest: turns the content of the repository into resources.
 *
 * Reads    manifests and git notes, which anybody who may commit writes:
 *          hostile.  libyaml and jansson split them; limits hold before and
 *          while they do.
 * Holds    nothing secret.
 * May      compute; ask git for files by id and for notes, and sync for the
 *          scope of kinds.
 * May not  open files, make sockets, start programs; choose the commit, the
 *          repository or the cluster.
 * If it falls, an attacker chooses what is applied, which whoever writes to
 * the repository could do anyway; no credential is in reach.
 */
#include "base.h"

#include "handlers.h"

#include <malloc.h>
#include <time.h>

/* Lists as long as the repository come and go with each load.  Left to itself
 * the allocator would take them from the heap after the first time, and what
 * stays would end up between them. */
#define MMAP_FROM (128 << 10)

int
main(int argc, char *argv[])
{
	struct mw state = { 0 };
	struct worker w;
	int r;

	(void)mallopt(M_MMAP_THRESHOLD, MMAP_FROM);
	worker_init(&w, argc, argv, IPC_R_MANIFEST, IPC_R_MANIFEST);
	tzset(); /* the first time of an event opens /etc/localtime */
	worker_lock_down(&w, &mw_sandbox, NULL);
	mw_open(&state, &w);
	r = worker_run(&w, mw_handlers, mw_nhandlers, &state);
	mw_close(&state);
	return r;
}
