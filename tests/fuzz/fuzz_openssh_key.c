/* SPDX-License-Identifier: Apache-2.0 */

/* Key files: decoded openssh-key-v1 as it is, anything else as a text.  What is
 * accepted must be whole: its public half reads, and it signs. */
#include "base.h"

#include "fuzz.h"
#include "key.h"
#include "ssh_wire.h"

#define INPUT_MAX 2048 /* larger RSA keys only take longer */

static void
check(const struct key *k)
{
	struct buf blob = buf_view(buf_head(&k->blob), buf_left(&k->blob));
	const struct buf data = buf_view("data", 4);
	auto_buf struct buf sig = BUF_INIT(KEY_SIG_MAX);
	struct fx_err err;
	struct buf type;

	if (sshw_get_string(&blob, &type) != FX_OK ||
	    key_kind(&type) != k->kind ||
	    key_sign(k, &k->kind->algs[0], &data, &sig, &err) != FX_OK)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	struct buf text = BUF_INIT(INPUT_MAX);
	auto_key struct key *k = NULL;
	struct fx_err err = { 0 };
	int r;

	if (!started && key_init() != FX_OK)
		abort();
	started = true;
	if (size > INPUT_MAX || buf_put(&text, data, size) != FX_OK)
		return 0;
	if (size > 14 && memcmp(data, "openssh-key-v1", 14) == 0)
		r = key_from_openssh(&text, &k, &err);
	else
		r = key_parse(&text, &k, &err);
	if (r != err.code || (k != NULL) != (r == FX_OK))
		abort();
	if (k != NULL)
		check(k);
	buf_wipe(&text);
	return 0;
}
