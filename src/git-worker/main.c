/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fluxd-git: everything that touches git, in two roles.
 *
 * As git-remote:
 *
 * Reads    what the git server says: SSH or TLS and HTTP, git's protocol,
 *          packs.  All of it is hostile until the host's key or certificate
 *          was checked, and the packs still are after that.
 * Holds    the password of git over https, where that is used.
 * May      talk through sockets it is given to the configured host; write its
 *          mirror directory; ask the key worker to sign its login.
 * May not  make a socket, start programs, open other paths, see the deploy key.
 * If it falls, an attacker can lie about the content of the repository, push
 *          to it as long as he is inside, and spend the https password.
 *
 * As git-local:
 *
 * Reads    objects and refs of the mirror: what anybody committed.
 * Holds    nothing.
 * May      read and write the mirror directory.
 * May not  have a socket at all, start programs, open other paths.
 * If it falls, an attacker can lie about the content of the repository.
 */
#include "base.h"
#include "handlers.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "http.h"
#include "ssh.h"

/* What libraries would open at their first use, and could not later. */
static void
open_libraries(const struct worker *w, const struct git_url *url)
{
	struct fx_err err = { 0 };
	int r;

	tzset();
	if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) != 1)
		fx_bug("libcrypto does not start");
	r = gw_lib_open(w->cfg.git_max_object, &err);
	if (r == FX_OK && w->role == IPC_R_GIT_REMOTE) {
		if (url->kind == GIT_URL_SSH)
			r = ssh_lib_open(&err);
		else if (url->kind != GIT_URL_FILE)
			r = http_lib_open(w->files[IPC_FILE_GIT_CA] == -1,
			    &err);
	}
	if (r != FX_OK)
		fx_bug("%s", err.text);
}

int
main(int argc, char *argv[])
{
	struct sandbox_paths paths = { 0 };
	struct gw state = { 0 };
	struct git_url url = { 0 };
	struct worker w;
	bool remote;
	int r;

	worker_init(&w, argc, argv, IPC_R_GIT_REMOTE, IPC_R_GIT_LOCAL);
	remote = w.role == IPC_R_GIT_REMOTE;
	/* a bad URL is told to whoever asks for something */
	if (git_url_parse(w.cfg.git_url, &url, NULL) != FX_OK)
		url.kind = GIT_URL_FILE;
	open_libraries(&w, &url);
	paths.dir = w.cfg.mirror_dir;
	/* a local repository is read, and pushed to, where it is */
	if (remote && url.kind == GIT_URL_FILE)
		paths.rw[0] = url.path;
	worker_lock_down(&w, remote ? &gw_remote_sandbox : &gw_local_sandbox,
	    &paths);
	git_url_clear(&url);
	if (remote) {
		gw_open_remote(&state, &w);
		r = worker_run(&w, gw_remote_handlers, gw_nremote_handlers,
		    &state);
	} else {
		gw_open_local(&state, &w);
		r = worker_run(&w, gw_local_handlers, gw_nlocal_handlers,
		    &state);
	}
	gw_close(&state);
	return r;
}
