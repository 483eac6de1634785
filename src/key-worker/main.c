/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fluxd-key: the SSH deploy key, and signatures with it, like ssh-agent.
 *
 * Reads    the key file, once, through a descriptor; requests of git-remote to
 *          sign a login.  Both are parsed by bounded parsers of our own or by
 *          libcrypto's PEM decoder, after lock-down.
 * Makes    a new key, when it is asked for: a second process of the kind, which
 *          gets no key file, ends when it has given away the one it made, and
 *          keeps nobody waiting who wants a signature.
 * Holds    the deploy key.
 * May      compute, and answer on its channel.
 * May not  open files, make sockets, start programs; sign anything but an SSH
 *          login of the configured user with this key.
 * If it falls, the deploy key is lost, as in every daemon that has one; nothing
 *          else is: no network, no cluster, no repository.  To make it fall
 *          takes a key file of the attacker's or a flaw in the few hundred
 *          lines that read a request.
 */
#include "base.h"

#include "handlers.h"
#include "key.h"
#include "worker.h"

int
main(int argc, char *argv[])
{
	struct worker w;
	struct kw_state state = { .file.fd = -1 };
	int r;

	worker_init(&w, argc, argv, IPC_R_KEY, IPC_R_KEY);
	if (key_init() != FX_OK)
		fx_bug("libcrypto does not start");
	if (kw_is_maker(&w) &&
	    sealed_open(&state.file, "deploy-key", KEY_FILE_MAX) != FX_OK)
		fx_bug("no memory file can be made");
	worker_lock_down(&w, &kw_sandbox, NULL);
	kw_open(&state, &w);
	r = worker_run(&w, kw_handlers, kw_nhandlers, &state);
	kw_close(&state);
	return r;
}
