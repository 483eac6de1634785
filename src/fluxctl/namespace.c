/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "namespace.h"

#include "kube.h"

char *
ctl_namespace(const char *given, const char *context)
{
	char *ns = NULL;

	if (*given != '\0')
		ns = xstrdup(given);
	else if (context != NULL)
		ns = kube_namespace(context);
	return ns != NULL ? ns : xstrdup("default");
}
