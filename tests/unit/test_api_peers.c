/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <grp.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peers.h"
#include "test.h"

static struct peer_id
of(const char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = 7 };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = 9 };
	struct peer_id p = { { 0 } };

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		peer_of_address((struct sockaddr *)&in, &p);
	else if (want_int(inet_pton(AF_INET6, text, &in6.sin6_addr), 1))
		peer_of_address((struct sockaddr *)&in6, &p);
	return p;
}

static void
test_addresses(void)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} tv[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "192.0.2.1", "::ffff:192.0.2.1", true },
		{ "2001:db8::1", "2001:db8::2", true },
		{ "2001:db8::1", "2001:db8:0:1::1", false },
		{ "0.0.0.0", "::", false },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct peer_id a = of(tv[i].a), b = of(tv[i].b);

		want_int(peer_equal(&a, &b), tv[i].equal);
	}
}

static void
test_rule(void)
{
	static const gid_t groups[] = { 100, 200 };
	static const struct {
		struct peer_rule rule;
		uid_t uid;
		bool may;
	} tv[] = {
		{ { .owner = 1000 }, 0, true },
		{ { .owner = 1000 }, 1000, true },
		{ { .owner = 1000 }, 1001, false },
		{ { .owner = 1000, .has_group = true, .group = 200 }, 1001,
		    true },
		{ { .owner = 1000, .has_group = true, .group = 300 }, 1001,
		    false },
		/* no group given: group 0 is nothing special */
		{ { .owner = 1000, .group = 100 }, 1001, false },
	};

	for (size_t i = 0; i < nitems(tv); i++)
		want_int(peer_may_connect(&tv[i].rule, tv[i].uid, groups,
			     nitems(groups)),
		    tv[i].may);
}

static void
test_credentials(void)
{
	const struct peer_rule rule = { .owner = getuid() };
	struct peer_id peer;
	uid_t uid = 12345;
	int fd[2], pipes[2];

	if (!want_int(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0))
		return;
	want_int(peer_of_user(fd[0], &rule, &peer, &uid), FX_OK);
	want_int(uid, getuid());
	want_int(peer_owner(fd[0], &uid), FX_OK);
	want_int(uid, getuid());
	if (want_int(pipe(pipes), 0)) {
		want_int(peer_of_user(pipes[0], &rule, &peer, &uid), FX_ESYS);
		want_int(peer_owner(pipes[0], &uid), FX_ESYS);
		close(pipes[0]);
		close(pipes[1]);
	}
	close(fd[0]);
	close(fd[1]);
}

/* In a process of its own: is somebody with so many groups let in, the last of
 * which is the one that may? */
static bool
is_let_in(size_t ngroups)
{
	const struct peer_rule rule = { .owner = 12345,
		.has_group = true,
		.group = 100000 };
	static gid_t groups[PEER_MAX_GROUPS + 1];
	struct peer_id peer;
	int fd[2], status = 1;
	uid_t uid;
	pid_t pid;

	for (size_t i = 0; i < ngroups; i++)
		groups[i] = rule.group - (gid_t)(ngroups - 1 - i);
	pid = fork();
	if (pid == 0) {
		if (setgroups(ngroups, groups) == -1 ||
		    setresuid(54321, 54321, 54321) == -1 ||
		    socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == -1)
			_exit(2);
		_exit(peer_of_user(fd[0], &rule, &peer, &uid) != FX_OK);
	}
	want_int(waitpid(pid, &status, 0), pid);
	want(WEXITSTATUS(status) != 2);
	return status == 0;
}

static void
test_groups(void)
{
	if (getuid() != 0) {
		printf("# other users can be played by root only\n");
		return;
	}
	want(is_let_in(1));
	want(is_let_in(PEER_MAX_GROUPS));
	want(!is_let_in(PEER_MAX_GROUPS + 1));
}

int
main(void)
{
	test_run("peers: one IPv4 address or one IPv6 network is one peer",
	    test_addresses);
	test_run("peers: root, the owner and the group", test_rule);
	test_run("peers: the kernel says who is there", test_credentials);
	test_run("peers: of more groups than fit none counts", test_groups);
	return test_done();
}
