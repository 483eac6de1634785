/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "fuzz.h"

#include "kubeconfig.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct kc_source source = { .text = data, .n = size };
	struct kubeconfig kc;
	struct fx_err err = { 0 };
	struct kc_url url;

	if (kubeconfig_parse(&kc, &source, 1, NULL, &err) != FX_OK)
		return 0;
	if (kc.server != NULL &&
	    kubeconfig_url(kc.server, &url, &err) == FX_OK &&
	    (url.host[0] == '\0' || url.port == 0))
		abort();
	kubeconfig_clear(&kc);
	return 0;
}
