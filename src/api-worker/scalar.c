/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "scalar.h"

#include "image_ref.h"
#include "quote.h"
#include "resource_id.h"
#include "str.h"

int
scalar_wrap(struct fx_err *err, const char *what, const char *s)
{
	struct buf b = BUF_INIT(FX_ERR_TEXT_MAX); /* no more is shown */
	auto_free char *quoted = NULL;

	str_add_quoted(&b, s, strlen(s));
	quoted = str_take(&b);
	return fx_wrap(err, "%s %s", what, quoted);
}

int
scalar_resource_id(const char *text, struct fx_err *err)
{
	struct resource_id id = { 0 };
	int r = resource_id_parse(text, &id, err);

	resource_id_clear(&id);
	return r;
}

int
scalar_resource_spec(const char *text, struct fx_err *err)
{
	if (strcmp(text, "<all>") == 0 ||
	    scalar_resource_id(text, err) == FX_OK)
		return FX_OK;
	return fx_wrap(err, "invalid workload spec");
}

int
scalar_image_spec(const char *text, struct fx_err *err)
{
	struct image_ref ref = { 0 };
	bool tagged;
	int r;

	if (strcmp(text, "<all latest>") == 0)
		return FX_OK;
	if ((r = image_ref_parse(text, &ref, err)) != FX_OK)
		return r;
	tagged = *ref.tag != '\0';
	image_ref_clear(&ref);
	if (!tagged)
		return fx_fail(err, FX_ESYNTAX,
		    "blank tag (if you want latest, explicitly state the tag "
		    ":latest): invalid image ID");
	return FX_OK;
}

int
scalar_release_kind(const char *text, struct fx_err *err)
{
	if (strcmp(text, "plan") == 0 || strcmp(text, "execute") == 0)
		return FX_OK;
	return fx_fail(err, FX_ESYNTAX, "invalid release kind");
}
