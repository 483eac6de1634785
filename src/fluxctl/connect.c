/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "connect.h"

#include "client.h"
#include "cmd.h"
#include "confine.h"
#include "forward.h"
#include "locate.h"
#include "namespace.h"
#include "options.h"
#include "user.h"

#include <fcntl.h>

void
ctl_look_around(struct ctl *c, bool forwarded)
{
	const struct ctl_line *line = c->line;
	const char *ns = ctl_flag_text(line, "namespace");
	const char *user = ctl_flag_text(line, "user");

	if (ns != NULL && (*ns != '\0' || !forwarded))
		c->ns = ctl_namespace(ns,
		    ctl_commands[line->command].needs_daemon
			? line->opts.context
			: ""); /* install never looked at another context */
	if (user != NULL)
		c->user = *user == '\0' ? ctl_git_user() : xstrdup(user);
	if (line->opts.release_interactive)
		c->tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
}

/* The one directory that a command writes to while it talks to the daemon. */
static const char *
writable(const struct ctl_line *line)
{
	return line->command == CTL_CMD_save &&
		strcmp(line->opts.save_out, "-") != 0
	    ? line->opts.save_out
	    : NULL;
}

/* Wait for the way to the cluster, now that nothing can be gained by what comes
 * along it. */
static int
await_way(struct ctl *c, struct forward *forward)
{
	auto_free char *ns = NULL;
	int r = forward_await(forward, &ns, &c->error);

	if (r == FX_OK && c->ns == NULL)
		c->ns = ctl_namespace(ns, NULL);
	return r;
}

int
ctl_connect(struct ctl *c)
{
	const struct ctl_options *opts = &c->line->opts;
	struct forward *forward = NULL;
	auto_url struct url url = { 0 };
	bool forwarded;
	int r = ctl_locate(opts, FX_DAEMON_SOCKET, &url, &forwarded, &c->error);

	if (r == FX_OK && forwarded)
		r = forward_start(opts, &forward, &c->error);
	if (r != FX_OK)
		return r;
	ctl_look_around(c, forwarded);
	c->client = client_new(&url, opts->token, opts->timeout, forward);
	r = ctl_confine(writable(c->line),
	    forwarded ? CONFINE_HANDED : CONFINE_NETWORK, &c->error);
	return r == FX_OK && forwarded ? await_way(c, forward) : r;
}
