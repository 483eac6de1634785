/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fluxd-git: everything that touches git, in two roles; but for https, which
 * fluxd-git-http (main_http.c) knows.
 *
 * As git-remote:
 *
 * Reads    what the git server says: SSH, git's protocol, packs.  All of it is
 *          hostile until the host's key was checked, and the packs still are
 *          after that.  Of a local repository, its files.
 * Holds    nothing.
 * May      talk through sockets it is given to the configured host; write its
 *          mirror directory; ask the key worker to sign its login.
 * May not  make a socket, start programs, open other paths, see the deploy key.
 * If it falls, an attacker can lie about the content of the repository, push
 *          to it as long as he is inside.
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

#include "ossl.h"

#include <openssl/crypto.h>
#include <time.h>

#include "mirror_files.h"
#include "ssh.h"

/* Bytes of parsed objects kept: what changed is read once. */
#define LOCAL_CACHE (256 * 1024)

static const struct gw_way ssh_way = {
	.carrier = &ssh_carrier,
	.files = { IPC_FILE_KNOWN_HOSTS_USER, IPC_FILE_KNOWN_HOSTS_SYSTEM },
	.nfiles = 2,
};

/* What libraries would open at their first use, and could not later. */
static void
open_libraries(const struct worker *w)
{
	struct fx_err err = { 0 };

	tzset();
	ossl_memory();
	if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) != 1)
		fx_bug("libcrypto does not start");
	if (gw_lib_open(w->cfg.git_max_object, &err) != FX_OK ||
	    (w->role == IPC_R_GIT_REMOTE && ssh_lib_open(&err) != FX_OK))
		fx_bug("%s", err.text);
}

static int
run_remote(struct worker *w)
{
	struct sandbox_paths paths = { .dir = w->cfg.mirror_dir };
	struct git_url url = { 0 };
	struct gw state = { 0 };
	int r;

	/* A local repository is read, and pushed to, where it is.  A bad URL
	 * is told to whoever asks for something. */
	if (git_url_parse(w->cfg.git_url, &url, NULL) == FX_OK &&
	    url.kind == GIT_URL_FILE)
		paths.rw[0] = url.path;
	worker_lock_down(w, &gw_remote_sandbox, &paths);
	git_url_clear(&url);
	gw_open_remote(&state, w, &ssh_way);
	r = worker_run(w, gw_remote_handlers, gw_nremote_handlers, &state);
	gw_close_remote(&state);
	return r;
}

static int
run_local(struct worker *w)
{
	struct sandbox_paths paths = { .dir = w->cfg.mirror_dir };
	struct gw state = { 0 };
	int r;

	gw_lib_cache(LOCAL_CACHE);
	worker_lock_down(w, &gw_local_sandbox, &paths);
	gw_open_local(&state, w);
	r = worker_run(w, gw_local_handlers, gw_nlocal_handlers, &state);
	gw_close_local(&state);
	return r;
}

int
main(int argc, char *argv[])
{
	struct worker w;

	worker_init(&w, argc, argv, IPC_R_GIT_REMOTE, IPC_R_GIT_LOCAL);
	mirror_make_dir(w.cfg.mirror_dir);
	open_libraries(&w);
	return w.role == IPC_R_GIT_REMOTE ? run_remote(&w) : run_local(&w);
}
