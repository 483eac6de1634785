/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <unistd.h>

/*
 * A process with the libraries of one of fluxd's, initialised, and nothing
 * else: what no program that uses them can go below.  The benchmark starts one
 * for each process of fluxd and compares memory.  Which libraries: bench.mk.
 */

#ifdef FLOOR_SECCOMP
#	include <seccomp.h>
static int
open_seccomp(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	if (ctx == NULL)
		return -1;
	seccomp_release(ctx);
	return 0;
}
#endif

#ifdef FLOOR_CARES
#	include <ares.h>
static int
open_cares(void)
{
	ares_channel channel;

	return ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS &&
		ares_init(&channel) == ARES_SUCCESS
	    ? 0
	    : -1;
}
#endif

#ifdef FLOOR_CRYPTO
#	include <openssl/crypto.h>
static int
open_crypto(void)
{
	return OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) == 1 ? 0
									: -1;
}
#endif

#ifdef FLOOR_GIT2
#	include <git2.h>
#	include <libssh2.h>
static int
open_git2(void)
{
	return git_libgit2_init() > 0 && libssh2_init(0) == 0 ? 0 : -1;
}
#endif

#ifdef FLOOR_YAML
#	include <yaml.h>
static int
open_yaml(void)
{
	yaml_parser_t parser;

	if (yaml_parser_initialize(&parser) == 0)
		return -1;
	yaml_parser_delete(&parser);
	return 0;
}
#endif

#ifdef FLOOR_CURL
#	include <curl/curl.h>
static int
open_curl(void)
{
	return curl_global_init(CURL_GLOBAL_ALL) == CURLE_OK &&
		curl_multi_init() != NULL
	    ? 0
	    : -1;
}
#endif

#ifdef FLOOR_JANSSON
#	include <jansson.h>
static int
open_jansson(void)
{
	json_t *o = json_object();

	if (o == NULL)
		return -1;
	json_decref(o);
	return 0;
}
#endif

#ifdef FLOOR_MHD
#	include <microhttpd.h>
static int
open_mhd(void)
{
	return MHD_get_version() != NULL ? 0 : -1;
}
#endif

static int (*const opens[])(void) = {
#ifdef FLOOR_SECCOMP
	open_seccomp,
#endif
#ifdef FLOOR_CARES
	open_cares,
#endif
#ifdef FLOOR_CRYPTO
	open_crypto,
#endif
#ifdef FLOOR_GIT2
	open_git2,
#endif
#ifdef FLOOR_YAML
	open_yaml,
#endif
#ifdef FLOOR_CURL
	open_curl,
#endif
#ifdef FLOOR_JANSSON
	open_jansson,
#endif
#ifdef FLOOR_MHD
	open_mhd,
#endif
};

int
main(void)
{
	for (size_t i = 0; i < sizeof(opens) / sizeof(opens[0]); i++)
		if (opens[i]() != 0)
			return 1;
	/* the end of its input ends it */
	puts("ready");
	fflush(stdout);
	(void)getchar();
	return 0;
}
