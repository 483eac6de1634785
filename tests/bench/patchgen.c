/* SPDX-License-Identifier: Apache-2.0 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * As many applies of ConfigMaps as fast as an API server takes them, over one
 * HTTP/2 connection, and nothing else: what the benchmark compares syncing
 * with.  Prints how many it did a second.
 *
 *	patchgen URL CA-FILE TOKEN NAMESPACE N [create]
 *
 * With "create" each is a POST, which costs the server half as much: for
 * objects that are only to be there.
 */

#define IN_FLIGHT 64 /* as many as fluxd-sync */
#define NAME "c%zu"
/* as long as fluxd's, but nobody who lists by that has to read these */
#define LABEL "fluxcd.io/sync-gc-mock"

struct slot {
	CURL *easy;
	char url[1024], body[1024];
};

static struct {
	const char *base, *ca, *ns;
	struct curl_slist *headers;
	CURLM *multi;
	struct slot slots[IN_FLIGHT];
	bool create;
	size_t n, sent, done;
} gen;

static void
die(const char *what)
{
	fprintf(stderr, "patchgen: %s\n", what);
	exit(1);
}

static size_t
drop(char *data, size_t size, size_t n, void *arg)
{
	(void)data;
	(void)arg;
	return size * n;
}

static void
send_next(struct slot *s)
{
	if (gen.sent == gen.n)
		return;
	if (gen.create)
		snprintf(s->url, sizeof(s->url),
		    "%s/api/v1/namespaces/%s/configmaps", gen.base, gen.ns);
	else
		snprintf(s->url, sizeof(s->url),
		    "%s/api/v1/namespaces/%s/configmaps/" NAME
		    "?fieldManager=bench&force=true&fieldValidation=Strict",
		    gen.base, gen.ns, gen.sent);
	snprintf(s->body, sizeof(s->body),
	    "{\"apiVersion\":\"v1\",\"data\":{\"text\":\"one\"},"
	    "\"kind\":\"ConfigMap\",\"metadata\":{\"annotations\":"
	    "{\"fluxcd.io/sync-checksum\":"
	    "\"0123456789012345678901234567890123456789\"},\"labels\":"
	    "{\"" LABEL "\":\"sha256."
	    "0123456789012345678901234567890123456789012\"},"
	    "\"name\":\"" NAME "\",\"namespace\":\"%s\"}}",
	    gen.sent, gen.ns);
	gen.sent++;
	curl_easy_setopt(s->easy, CURLOPT_URL, s->url);
	curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, s->body);
	curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(s->body));
	if (curl_multi_add_handle(gen.multi, s->easy) != CURLM_OK)
		die("curl_multi_add_handle");
}

static void
open_slot(struct slot *s)
{
	s->easy = curl_easy_init();
	if (s->easy == NULL)
		die("curl_easy_init");
	curl_easy_setopt(s->easy, CURLOPT_CAINFO, gen.ca);
	curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, gen.headers);
	curl_easy_setopt(s->easy, CURLOPT_CUSTOMREQUEST,
	    gen.create ? "POST" : "PATCH");
	curl_easy_setopt(s->easy, CURLOPT_HTTP_VERSION,
	    (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(s->easy, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, drop);
	curl_easy_setopt(s->easy, CURLOPT_PRIVATE, s);
	send_next(s);
}

static void
finished(CURLMsg *m)
{
	long status = 0;
	char *slot = NULL;

	curl_easy_getinfo(m->easy_handle, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &slot);
	if (m->data.result != CURLE_OK || (status != 200 && status != 201))
		die("a request failed");
	curl_multi_remove_handle(gen.multi, m->easy_handle);
	gen.done++;
	send_next((struct slot *)(void *)slot);
}

static void
run(void)
{
	CURLMsg *m;
	int running, left;

	while (gen.done < gen.n) {
		if (curl_multi_perform(gen.multi, &running) != CURLM_OK)
			die("curl_multi_perform");
		while ((m = curl_multi_info_read(gen.multi, &left)) != NULL)
			if (m->msg == CURLMSG_DONE)
				finished(m);
		if (gen.done < gen.n)
			curl_multi_poll(gen.multi, NULL, 0, 1000, NULL);
	}
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	char token[4096];
	double start;

	if (argc < 6 || argc > 7 ||
	    (argc == 7 && strcmp(argv[6], "create") != 0) ||
	    curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		die("usage: patchgen URL CA-FILE TOKEN NAMESPACE N [create]");
	gen.base = argv[1];
	gen.ca = argv[2];
	gen.ns = argv[4];
	gen.n = strtoul(argv[5], NULL, 10);
	gen.create = argc == 7;
	snprintf(token, sizeof(token), "Authorization: Bearer %s", argv[3]);
	gen.headers = curl_slist_append(NULL, token);
	gen.headers = curl_slist_append(gen.headers,
	    gen.create ? "Content-Type: application/json"
		       : "Content-Type: application/apply-patch+yaml");
	gen.headers = curl_slist_append(gen.headers,
	    "Accept: application/json;as=PartialObjectMetadata;g=meta.k8s.io;"
	    "v=v1");
	gen.multi = curl_multi_init();
	curl_multi_setopt(gen.multi, CURLMOPT_PIPELINING,
	    (long)CURLPIPE_MULTIPLEX);
	start = now();
	for (size_t i = 0; i < IN_FLIGHT; i++)
		open_slot(&gen.slots[i]);
	run();
	printf("%.0f\n", (double)gen.n / (now() - start));
	return 0;
}
