/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fluxd-git-http: git-remote for repositories behind https or http.  A program
 * of its own, so that nobody else has TLS and all that libcurl brings.
 *
 * Reads    what the git server says: TLS, HTTP, git's protocol, packs.  All of
 *          it is hostile until the certificate was checked, and the packs
 *          still are after that.
 * Holds    the password of the repository.
 * May      talk through sockets it is given to the configured host; write its
 *          mirror directory.
 * May not  make a socket, start programs, open other paths.
 * If it falls, an attacker can lie about the content of the repository, push
 *          to it as long as he is inside, and spend the password.
 */
#include "base.h"
#include "handlers.h"

#include "ossl.h"

#include <openssl/crypto.h>
#include <time.h>

#include "http.h"
#include "mirror_files.h"

static const struct gw_way http_way = {
	.carrier = &http_carrier,
	.files = { IPC_FILE_GIT_CA },
	.nfiles = 1,
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
	    http_lib_open(w->files[IPC_FILE_GIT_CA] == -1, &err) != FX_OK)
		fx_bug("%s", err.text);
}

int
main(int argc, char *argv[])
{
	struct sandbox_paths paths = { 0 };
	struct gw state = { 0 };
	struct worker w;
	int r;

	worker_init(&w, argc, argv, IPC_R_GIT_REMOTE, IPC_R_GIT_REMOTE);
	mirror_make_dir(w.cfg.mirror_dir);
	open_libraries(&w);
	paths.dir = w.cfg.mirror_dir;
	worker_lock_down(&w, &gw_http_sandbox, &paths);
	gw_open_remote(&state, &w, &http_way);
	r = worker_run(&w, gw_remote_handlers, gw_nremote_handlers, &state);
	gw_close_remote(&state);
	return r;
}
