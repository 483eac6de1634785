/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of the status line, as upstream's HTTP library writes them.
 *
 * libmicrohttpd has no option for them: it asks these two functions of its own
 * interface, and where the program defines them too, the dynamic linker gives
 * it ours.  Where it does not (a static library), the library's words stand,
 * which differ for 413 and 422; a test looks.
 */
#include "base.h"
#include "http.h"

#include <microhttpd.h>

static const struct reason {
	unsigned status;
	const char *text;
} reasons[] = {
	{ 100, "Continue" },
	{ 200, "OK" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 301, "Moved Permanently" },
	{ 400, "Bad Request" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 413, "Request Entity Too Large" },
	{ 414, "Request URI Too Long" },
	{ 417, "Expectation Failed" },
	{ 422, "Unprocessable Entity" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
};

const char *
MHD_get_reason_phrase_for(unsigned int code)
{
	for (size_t i = 0; i < nitems(reasons); i++)
		if (reasons[i].status == code)
			return reasons[i].text;
	return "Unknown";
}

size_t
MHD_get_reason_phrase_len_for(unsigned int code)
{
	return strlen(MHD_get_reason_phrase_for(code));
}
