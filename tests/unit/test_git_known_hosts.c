/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "known_hosts.h"
#include "str.h"
#include "test.h"

/* keys made by ssh-keygen; the names hashed by ssh-keygen -H */
#define K1                                                                     \
	"AAAAC3NzaC1lZDI1NTE5AAAAIEm/gmyJ3la8dgI0rqxm1M4mZF3jD2IrUspaF5Gwq5Kw"
#define K2                                                                     \
	"AAAAC3NzaC1lZDI1NTE5AAAAIJH4GYuoSXmAcTTrIWdQHjH0+eX+ZxBt3Eack610Ul31"
#define E1                                                                     \
	"AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBB/"              \
	"1pRGAuhPihzoSCKDFKmacCfGcQ5RivEX76SsOOosjZ4RRVLoos4xHOn7jggVEQarZ+"   \
	"Lf8S3TqniYJ5S+TTg0="
#define ED " ssh-ed25519 "
#define EC " ecdsa-sha2-nistp256 "
#define HASHED "|1|/x4eEo3Cg3bSeVl6atSPb9J0n/M=|aaz35BEIA7p+5Nc/ujtqomSpidM="
#define SWAPPED "|1|aaz35BEIA7p+5Nc/ujtqomSpidM=|/x4eEo3Cg3bSeVl6atSPb9J0n/M="
/* one byte too short, in the salt and in the hash */
#define HASHED_SALT_19                                                         \
	"|1|/x4eEo3Cg3bSeVl6atSPb9J0nw==|aaz35BEIA7p+5Nc/ujtqomSpidM="
#define HASHED_HASH_19                                                         \
	"|1|/x4eEo3Cg3bSeVl6atSPb9J0n/M=|aaz35BEIA7p+5Nc/ujtqomSpiQ=="
#define HASHED_PORT                                                            \
	"|1|BETWFlzngnHB24UY52yjhagoOHQ=|I/0vPhWk3cz5WKcEg5Ays7uHGaY="
#define H "h.example.org"

static const struct {
	const char *file, *host;
	unsigned port;
	enum known_host want; /* for the key K1 */
	const char *types;
} tv[] = {
	{ "", H, 22, KNOWN_HOST_UNKNOWN, "" },
	{ H ED K1, H, 22, KNOWN_HOST_OK, "ssh-ed25519" },
	{ H ED K1 " a comment", H, 22, KNOWN_HOST_OK, "ssh-ed25519" },
	{ H "\tssh-ed25519\t" K1, H, 22, KNOWN_HOST_OK, "ssh-ed25519" },
	{ "  " H ED K1 "\r", H, 22, KNOWN_HOST_OK, "ssh-ed25519" },
	{ "#" H ED K1, H, 22, KNOWN_HOST_UNKNOWN, "" },
	{ H ED K2, H, 22, KNOWN_HOST_CHANGED, "ssh-ed25519" },
	{ H EC E1, H, 22, KNOWN_HOST_CHANGED, "ecdsa-sha2-nistp256" },
	{ H ED K2 "\n" H ED K1, H, 22, KNOWN_HOST_OK,
	    "ssh-ed25519,ssh-ed25519" },
	{ H EC E1 "\n" H ED K1, H, 22, KNOWN_HOST_OK,
	    "ecdsa-sha2-nistp256,ssh-ed25519" },
	{ "other" ED K2, H, 22, KNOWN_HOST_UNKNOWN, "" },
	/* case, lists, wildcards, negation */
	{ "H.Example.ORG" ED K1, "h.EXAMPLE.org", 22, KNOWN_HOST_OK,
	    "ssh-ed25519" },
	{ "a,b," H ",192.0.2.1" ED K1, H, 22, KNOWN_HOST_OK, "ssh-ed25519" },
	{ "*.example.org" ED K1, H, 22, KNOWN_HOST_OK, "ssh-ed25519" },
	{ "*" ED K1, H, 22, KNOWN_HOST_OK, "ssh-ed25519" },
	{ "?.example.???" ED K1, H, 22, KNOWN_HOST_OK, "ssh-ed25519" },
	{ "??.example.org" ED K1, H, 22, KNOWN_HOST_UNKNOWN, "" },
	{ "h*x*g" ED K1, H, 22, KNOWN_HOST_OK, "ssh-ed25519" },
	{ "h*x*z" ED K1, H, 22, KNOWN_HOST_UNKNOWN, "" },
	{ "*.example.org,!h.example.org" ED K1, H, 22, KNOWN_HOST_UNKNOWN, "" },
	{ "!h.example.org,*.example.org" ED K1, H, 22, KNOWN_HOST_UNKNOWN, "" },
	{ "!other,*.example.org" ED K1, H, 22, KNOWN_HOST_OK, "ssh-ed25519" },
	{ "!other" ED K1, H, 22, KNOWN_HOST_UNKNOWN, "" },
	/* ports: [host]:port first, then the host alone, as ssh does */
	{ "[" H "]:2222" ED K1, H, 2222, KNOWN_HOST_OK, "ssh-ed25519" },
	{ "[" H "]:2222" ED K1, H, 22, KNOWN_HOST_UNKNOWN, "" },
	{ "[" H "]:2222" ED K1, H, 2223, KNOWN_HOST_UNKNOWN, "" },
	{ "[*.example.org]:2222" ED K1, H, 2222, KNOWN_HOST_OK, "ssh-ed25519" },
	{ "[" H "]:*" ED K1, H, 2222, KNOWN_HOST_OK, "ssh-ed25519" },
	{ H ED K1, H, 2222, KNOWN_HOST_OK, "ssh-ed25519" },
	{ H ED K2, H, 2222, KNOWN_HOST_UNKNOWN, "ssh-ed25519" },
	{ "[" H "]:2222" ED K2 "\n" H ED K1, H, 2222, KNOWN_HOST_CHANGED,
	    "ssh-ed25519,ssh-ed25519" },
	/* hashed names */
	{ HASHED ED K1, H, 22, KNOWN_HOST_OK, "ssh-ed25519" },
	{ HASHED ED K1, "H.EXAMPLE.ORG", 22, KNOWN_HOST_OK, "ssh-ed25519" },
	{ HASHED ED K1, "x.example.org", 22, KNOWN_HOST_UNKNOWN, "" },
	{ HASHED_PORT ED K1, H, 2222, KNOWN_HOST_OK, "ssh-ed25519" },
	{ HASHED_PORT ED K1, H, 22, KNOWN_HOST_UNKNOWN, "" },
	{ "|1|x|y" ED K1, H, 22, KNOWN_HOST_UNKNOWN, "" },
	{ "|1|" ED K1, H, 22, KNOWN_HOST_UNKNOWN, "" },
	{ "|1||" ED K1, H, 22, KNOWN_HOST_UNKNOWN, "" },
	/* even where the last byte is in memory, from the line before */
	{ SWAPPED ED K2 "\n" HASHED_HASH_19 ED K1, H, 22, KNOWN_HOST_UNKNOWN,
	    "" },
	{ SWAPPED ED K2 "\n" HASHED_SALT_19 ED K1, H, 22, KNOWN_HOST_UNKNOWN,
	    "" },
	/* markers */
	{ "@revoked " H ED K1, H, 22, KNOWN_HOST_REVOKED, "" },
	{ H ED K1 "\n@revoked " H ED K1, H, 22, KNOWN_HOST_REVOKED,
	    "ssh-ed25519" },
	{ H ED K1 "\n@revoked " H ED K2, H, 22, KNOWN_HOST_OK, "ssh-ed25519" },
	{ "[" H "]:2222" ED K1 "\n@revoked *" ED K1, H, 2222,
	    KNOWN_HOST_REVOKED, "ssh-ed25519" },
	/* by a line without port, too */
	{ "[" H "]:2222" ED K1 "\n@revoked " H ED K1, H, 2222,
	    KNOWN_HOST_REVOKED, "ssh-ed25519" },
	{ "@revoked", H, 22, KNOWN_HOST_UNKNOWN, "" },
	{ "@revoked " H, H, 22, KNOWN_HOST_UNKNOWN, "" },
	{ "@revoked " ED K1, H, 22, KNOWN_HOST_UNKNOWN, "" },
	{ "@cert-authority *" ED K1, H, 22, KNOWN_HOST_UNKNOWN, "" },
	{ "@other " H ED K1, H, 22, KNOWN_HOST_UNKNOWN, "" },
	/* what cannot be read is no line */
	{ H ED, H, 22, KNOWN_HOST_UNKNOWN, "" },
	{ H, H, 22, KNOWN_HOST_UNKNOWN, "" },
	{ H EC K1, H, 22, KNOWN_HOST_UNKNOWN, "" },
	/* a key is of the type that it says itself */
	{ H " ssh-ed25518 " K1, H, 22, KNOWN_HOST_UNKNOWN, "" },
	{ H " ssh-ed2551 " K1, H, 22, KNOWN_HOST_UNKNOWN, "" },
	{ H " ssh-ed25519x " K1, H, 22, KNOWN_HOST_UNKNOWN, "" },
	{ H ED K2 "\n" H ED "AAAACw==", H, 22, KNOWN_HOST_CHANGED,
	    "ssh-ed25519" },
	{ H ED "AAAA!", H, 22, KNOWN_HOST_UNKNOWN, "" },
	{ H ED "AAAA", H, 22, KNOWN_HOST_UNKNOWN, "" },
};

static void
test_table(void)
{
	for (size_t i = 0; i < nitems(tv); i++) {
		auto_buf struct buf blob = BUF_INIT(1024);
		struct buf types = BUF_INIT(1024);
		auto_free char *text = NULL;
		struct known_hosts k;

		known_hosts_init(&k);
		want_int(str_unbase64(K1, strlen(K1), &blob), FX_OK);
		want_int(known_hosts_add(&k, tv[i].file, strlen(tv[i].file)),
		    FX_OK);
		if (!want_int(known_hosts_check(&k, tv[i].host, tv[i].port,
				  buf_head(&blob), buf_left(&blob)),
			tv[i].want))
			printf("# line: %s\n", tv[i].file);
		known_hosts_types(&k, tv[i].host, tv[i].port, &types);
		text = str_take(&types);
		want_str(text, tv[i].types);
		known_hosts_clear(&k);
	}
}

/* The longest line that is read, and one that is a byte longer. */
static void
test_long_lines(void)
{
	for (size_t n = KNOWN_HOSTS_LINE_MAX; n <= KNOWN_HOSTS_LINE_MAX + 1;
	     n++) {
		auto_buf struct buf blob = BUF_INIT(1024);
		struct buf line = BUF_INIT(2 * KNOWN_HOSTS_LINE_MAX);
		struct known_hosts k;

		known_hosts_init(&k);
		want_int(str_unbase64(K1, strlen(K1), &blob), FX_OK);
		want_int(str_add(&line, H ED K1 " "), FX_OK);
		while (buf_left(&line) < n)
			want_int(str_addc(&line, 'c'), FX_OK);
		want_int(known_hosts_add(&k, buf_head(&line), buf_left(&line)),
		    FX_OK);
		want_int(known_hosts_check(&k, H, 22, buf_head(&blob),
			     buf_left(&blob)),
		    n == KNOWN_HOSTS_LINE_MAX ? KNOWN_HOST_OK
					      : KNOWN_HOST_UNKNOWN);
		known_hosts_clear(&k);
		buf_clear(&line);
	}
}

static void
test_files(void)
{
	auto_buf struct buf blob = BUF_INIT(1024);
	struct known_hosts k;
	static char big[KNOWN_HOSTS_MAX];

	known_hosts_init(&k);
	want_int(str_unbase64(K1, strlen(K1), &blob), FX_OK);
	want_int(known_hosts_add(&k, "x" ED K2, strlen("x" ED K2)), FX_OK);
	want_int(known_hosts_add(&k, H ED K1, strlen(H ED K1)), FX_OK);
	want_int(known_hosts_check(&k, H, 22, buf_head(&blob), buf_left(&blob)),
	    KNOWN_HOST_OK);
	memset(big, 'x', sizeof(big));
	want_int(known_hosts_add(&k, big, sizeof(big)), FX_ELIMIT);
	want_int(known_hosts_check(&k, H, 22, buf_head(&blob), buf_left(&blob)),
	    KNOWN_HOST_OK);
	known_hosts_clear(&k);
}

int
main(void)
{
	test_run("known_hosts: ssh's answers to every form of line",
	    test_table);
	test_run("known_hosts: a line that is too long is passed over",
	    test_long_lines);
	test_run("known_hosts: several files are one list, with a limit",
	    test_files);
	return test_done();
}
