/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "cmd.h"

#include "api.h"
#include "connect.h"
#include "options.h"
#include "text.h"

int
ctl_cmd_identity(struct ctl *c)
{
	const struct ctl_options *opts = &c->line->opts;
	auto_git_config struct git_config config = { 0 };
	int r = ctl_connect(c);

	if (r == FX_OK)
		r = api_git_config(c->client, opts->identity_regenerate,
		    &config, &c->error);
	if (r != FX_OK)
		return r;
	if (opts->identity_visual)
		ctl_print(c->out, "%s\n%s", config.md5, config.md5_art);
	else if (opts->identity_fingerprint)
		ctl_print(c->out, "%s\n", config.md5);
	else
		ctl_print(c->out, "%s", config.key);
	return FX_OK;
}
