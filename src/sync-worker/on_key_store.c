/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "sw.h"

#include "deploy_key.h"

/* KEY_STORE, in the instance of this process that was started for it. */

static void
on_stored(void *arg, const struct fx_err *err)
{
	auto_free struct ipc_req *req = arg;
	const struct ipc_key_stored done = { 0 };

	if (err != NULL)
		(void)ipc_reply_fail(req, err);
	else
		(void)ipc_reply_key_stored(req, &done);
}

int
sw_on_key_store(struct sw *sw, const struct ipc_req *req,
    struct ipc_key_store *m)
{
	struct buf text = BUF_INIT(IPC_MAX_KEY_FILE);
	struct deploy_key k = { .ns = sw_own_namespace(sw),
		.secret = sw->w->cfg.k8s_secret_name,
		.data_key = sw->w->cfg.k8s_secret_data_key,
		.line = m->line };
	/* not taken: it may be asked for again */
	int fd = sw->w->files[IPC_FILE_MADE_KEY], r = FX_EUNKNOWN;
	struct ipc_req *keep;

	if (sw->dead.code != FX_OK)
		return ipc_reply_fail(req, &sw->dead);
	if (m->how >= IPC_KEY_HOW_COUNT)
		return FX_EDENIED;
	/* one allocation: growing would leave copies of the key behind */
	if (fd != -1 && buf_reserve(&text, IPC_MAX_KEY_FILE) != NULL)
		r = worker_read_all(sw->w, fd, &text);
	if (r != FX_OK) {
		buf_wipe(&text);
		return ipc_reply_failf(req, r, "there is no new deploy key");
	}
	/* zero bytes fill the file up */
	k.text = buf_view(buf_head(&text),
	    strnlen((const char *)buf_head(&text), buf_left(&text)));
	keep = xmalloc(sizeof(*keep));
	*keep = *req;
	deploy_key_store(sw->cluster, &k, (enum ipc_key_how)m->how, on_stored,
	    keep);
	buf_wipe(&text);
	return FX_OK;
}
