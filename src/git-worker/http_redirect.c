/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "http.h"

#include <curl/curl.h>

static bool
same_part(CURLU *a, CURLU *b, CURLUPart part)
{
	char *x = NULL, *y = NULL;
	bool same =
	    curl_url_get(a, part, &x, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	    curl_url_get(b, part, &y, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	    strcasecmp(x, y) == 0;

	curl_free(x);
	curl_free(y);
	return same;
}

bool
http_same_server(const char *base, const char *to, char **clean)
{
	CURLU *a = curl_url(), *b = curl_url();
	bool same = a != NULL && b != NULL &&
	    curl_url_set(a, CURLUPART_URL, base, 0) == CURLUE_OK &&
	    curl_url_set(b, CURLUPART_URL, to, 0) == CURLUE_OK &&
	    same_part(a, b, CURLUPART_SCHEME) &&
	    same_part(a, b, CURLUPART_HOST) &&
	    same_part(a, b, CURLUPART_PORT) &&
	    curl_url_set(b, CURLUPART_USER, NULL, 0) == CURLUE_OK &&
	    curl_url_set(b, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK &&
	    curl_url_get(b, CURLUPART_URL, clean, 0) == CURLUE_OK;

	curl_url_cleanup(a);
	curl_url_cleanup(b);
	return same;
}
