/* SPDX-License-Identifier: Apache-2.0 */

/*
 * git_drive: run fluxd-git without a daemon, for tests.
 *
 *	git_drive PROGRAM remote|local [OPTION=VALUE …] -- COMMAND …
 *
 * It plays the master, the connector and the deploy key's process, sends the
 * commands one after another and prints a line for each answer and each part.
 *
 * Options: known= key= password= ca= are files; every other one is a flag of
 * the daemon without its dashes.  Commands, with fields between spaces: see
 * the table at the end.
 */
#include "base.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "git_url.h"
#include "ipc_peer.h"
#include "key.h"
#include "request.h"
#include "settings.h"
#include "str.h"

struct drive {
	struct ipc_peer peer;
	pid_t pid;
	bool ready, done;
	int last_socket; /* a copy of what was handed out last */
	unsigned connects, signs;
	struct key *key; /* NULL: none */
	char *user;	 /* of the URL, whose logins are signed */
	int64_t began_us;
	int64_t stop_at_us; /* CLK_NEVER: not to be stopped */
};

static void
die(const char *what)
{
	fprintf(stderr, "git_drive: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* ---- the deploy key ---- */

static void
load_key(struct drive *d, const char *path)
{
	struct buf text = BUF_INIT(KEY_FILE_MAX);
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct fx_err err = { 0 };

	if (fd == -1 || key_init() != FX_OK || fd_read_all(fd, &text) != FX_OK)
		die(path);
	if (key_parse(&text, &d->key, &err) != FX_OK) {
		fprintf(stderr, "git_drive: %s: %s\n", path, err.text);
		exit(2);
	}
}

static int
on_key_public(struct drive *d, struct ipc_req *req)
{
	struct ipc_key_public_is m = { 0 };

	if (d->key == NULL)
		return ipc_reply_failf(req, FX_EDENIED, "no deploy key");
	m.type = (char *)(uintptr_t)d->key->kind->type;
	m.blob =
	    (struct ipc_bytes){ (uint8_t *)(uintptr_t)buf_head(&d->key->blob),
		    buf_left(&d->key->blob) };
	return ipc_reply_key_public_is(req, &m);
}

/* As the key's process does: look at what is to be signed first. */
static int
on_key_sign(struct drive *d, struct ipc_req *req, struct ipc_frame *f)
{
	auto_buf struct buf sig = BUF_INIT(KEY_SIG_MAX);
	struct ipc_key_signed out = { 0 };
	const struct key_alg *alg;
	struct ipc_key_sign m;
	struct fx_err err = { 0 };
	struct buf asked;
	int r;

	if (ipc_key_sign_decode(&f->body, &m, &f->fd) != FX_OK)
		die("KEY_SIGN");
	asked = buf_view(m.to_sign.p, m.to_sign.n);
	r = request_check(&asked, d->key, d->user, &alg, &err);
	if (r == FX_OK)
		r = key_sign(d->key, alg, &asked, &sig, &err);
	ipc_key_sign_clear(&m);
	if (r != FX_OK)
		return ipc_reply_fail(req, &err);
	d->signs++;
	out.signature =
	    (struct ipc_bytes){ (uint8_t *)(uintptr_t)buf_head(&sig),
		    buf_left(&sig) };
	return ipc_reply_key_signed(req, &out);
}

/* ---- the connector ---- */

static int
on_connect(struct drive *d, struct ipc_req *req, struct ipc_frame *f)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct ipc_connect m;
	struct ipc_connected out = { 0 };
	int fd, one = 1;

	if (ipc_connect_decode(&f->body, &m, &f->fd) != FX_OK)
		die("connect message");
	printf("connect host=%s port=%u\n", m.host, (unsigned)m.port);
	d->connects++;
	sin.sin_port = htons((uint16_t)m.port);
	if (strcmp(m.host, "localhost") == 0 ||
	    strcmp(m.host, "wrong.test") == 0)
		sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (inet_pton(AF_INET, m.host, &sin.sin_addr) != 1) {
		ipc_connect_clear(&m);
		return ipc_reply_failf(req, FX_ERESOLVE,
		    "Could not resolve hostname");
	}
	ipc_connect_clear(&m);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1) {
		close(fd);
		return ipc_reply_failf(req, FX_EFAIL, "connect: %s",
		    strerror(errno));
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (fd_set_nonblock(fd) != FX_OK)
		die("nonblock");
	fd_close(&d->last_socket);
	d->last_socket = dup(fd);
	out.address = (char *)(uintptr_t) "127.0.0.1";
	out.fd = fd;
	return ipc_reply_connected(req, &out);
}

/* What goes to others in the real daemon. */
static int
relay(void *ctx, struct ipc_peer *p, struct ipc_frame *f)
{
	struct ipc_req req = { p, f->seq, f->type };
	struct drive *d = ctx;

	switch (f->type) {
	case IPC_T_CONNECT:
		return on_connect(d, &req, f);
	case IPC_T_KEY_PUBLIC:
		return on_key_public(d, &req);
	case IPC_T_KEY_SIGN:
		return on_key_sign(d, &req, f);
	default:
		return FX_OK; /* credit, cancel */
	}
}

/* ---- the master ---- */

static int
on_ready(struct drive *d, const struct ipc_req *req, struct ipc_ready *m)
{
	(void)req;
	printf("ready landlock=%u missing=%s root=%s\n", (unsigned)m->landlock,
	    m->missing, m->root);
	d->ready = true;
	d->peer.phase = IPC_PH_RUN;
	return FX_OK;
}
IPC_HANDLER(ready, on_ready, struct drive)

static int
on_log(struct drive *d, const struct ipc_req *req, struct ipc_log *m)
{
	(void)d;
	(void)req;
	printf("log");
	for (size_t i = 0; i < m->pairs_len; i++)
		printf(" %s=%s", m->pairs[i].key, m->pairs[i].value);
	printf("\n");
	return FX_OK;
}
IPC_HANDLER(log, on_log, struct drive)

/* KEY_PUBLIC is for the key's process and allowed to the master's end too. */
static const struct ipc_handler handlers[] = {
	{ IPC_T_READY, on_ready_frame },
	{ IPC_T_LOG, on_log_frame },
};

/* Tell it to stop when that is due; milliseconds until then. */
static int
stop_if_due(struct drive *d)
{
	int64_t left = d->stop_at_us - clk_now_us();

	if (d->stop_at_us == CLK_NEVER)
		return -1;
	if (left > 0)
		return (int)(left / CLK_MS) + 1;
	d->stop_at_us = CLK_NEVER;
	d->began_us = clk_now_us();
	if (ipc_tell_stop(&d->peer, &(struct ipc_stop){ 0 }) != FX_OK)
		die("STOP");
	return -1;
}

static void
wait_until(struct drive *d, const bool *done)
{
	while (!*done) {
		struct pollfd pfd = { d->peer.fd, 0, 0 };
		int ms = stop_if_due(d);

		pfd.events = ipc_peer_events(&d->peer);
		if (ipc_peer_write(&d->peer) != FX_OK)
			break;
		if (!ipc_peer_pending(&d->peer))
			(void)poll(&pfd, 1, ms);
		if (ipc_peer_read(&d->peer, 16) != FX_OK && !*done) {
			printf("channel closed %s\n", d->peer.broken.text);
			break;
		}
	}
}

static void
spawn(struct drive *d, const char *program, enum ipc_role role)
{
	char number[16];
	int sv[2];

	snprintf(number, sizeof(number), "%d", (int)role);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		die("socketpair");
	d->pid = fork();
	if (d->pid == 0) {
		/* dup2 of a descriptor on itself would keep close-on-exec */
		int fd = sv[1] == 3 ? dup(3) : sv[1];

		(void)dup2(fd, 3);
		execl(program, program, number, "0", "-1", (char *)NULL);
		die(program);
	}
	close(sv[1]);
	if (fd_set_nonblock(sv[0]) != FX_OK)
		die("nonblock");
	ipc_peer_init(&d->peer, sv[0], IPC_R_MASTER, role, 0);
	ipc_peer_handlers(&d->peer, handlers, nitems(handlers), d);
	d->peer.relay = relay;
}

static void
send_file(struct drive *d, enum ipc_file_id which, const char *path)
{
	struct ipc_file m = { .which = which, .fd = open(path, O_RDONLY) };

	if (m.fd == -1)
		die(path);
	if (ipc_tell_file(&d->peer, &m) != FX_OK)
		die("send a file");
}

static void
configure(struct drive *d, enum ipc_role role, char *const *opts, size_t n)
{
	auto_buf struct buf notice = BUF_INIT(4096);
	auto_buf struct buf scratch = BUF_INIT(1 << 16);
	struct ipc_setting rows[IPC_MAX_SETTINGS];
	struct ipc_config m = { .settings = rows };
	struct git_url url = { 0 };
	struct ipc_go go = { 0 };
	struct fx_err err = { 0 };
	struct config cfg;
	char *flags[64] = { (char *)(uintptr_t) "git_drive" };
	int nflags = 1;

	for (size_t i = 0; i < n; i++) {
		if (str_starts(opts[i], "known="))
			send_file(d, IPC_FILE_KNOWN_HOSTS_USER, opts[i] + 6);
		else if (str_starts(opts[i], "password="))
			send_file(d, IPC_FILE_GIT_PASSWORD, opts[i] + 9);
		else if (str_starts(opts[i], "ca="))
			send_file(d, IPC_FILE_GIT_CA, opts[i] + 3);
		else if (str_starts(opts[i], "key="))
			load_key(d, opts[i] + 4);
		else
			flags[nflags++] = xasprintf("--%s", opts[i]);
	}
	config_init(&cfg);
	if (config_parse(&cfg, nflags, flags, &notice, &err) != FX_OK) {
		fprintf(stderr, "git_drive: %s\n", err.text);
		exit(2);
	}
	if (git_url_parse(cfg.git_url, &url, NULL) == FX_OK)
		d->user = xstrdup(url.user);
	git_url_clear(&url);
	m.settings_len =
	    config_for_role(&cfg, role, rows, nitems(rows), &scratch);
	if (ipc_tell_config(&d->peer, &m) != FX_OK ||
	    ipc_tell_go(&d->peer, &go) != FX_OK)
		die("configure");
	config_clear(&cfg);
	while (nflags > 1)
		free(flags[--nflags]);
}

/* ---- answers ---- */

static int
on_answer(void *arg, struct ipc_frame *f)
{
	struct drive *d = arg;
	auto_buf struct buf text = BUF_INIT(1 << 20);
	const struct ipc_rule *rule;
	struct ipc_failed failed;

	if (f == NULL) {
		printf("no answer ms=%.1f\n",
		    (double)(clk_now_us() - d->began_us) / 1e3);
		d->done = true;
		return FX_OK;
	}
	rule = ipc_rule(f->type);
	if (f->type == IPC_T_FAILED) {
		if (ipc_failed_decode(&f->body, &failed, &f->fd) != FX_OK)
			die("FAILED");
		printf("failed code=%s text=%s", fx_code_name((int)failed.code),
		    failed.text);
		ipc_failed_clear(&failed);
	} else if (f->type == IPC_T_TREE_PART) {
		struct ipc_tree_part m;

		if (ipc_tree_part_decode(&f->body, &m, &f->fd) != FX_OK)
			die("TREE_PART");
		for (size_t i = 0; i < m.entries_len; i++)
			printf("entry %s %o %u %s%s\n", m.entries[i].path,
			    (unsigned)m.entries[i].mode,
			    (unsigned)m.entries[i].size, m.entries[i].oid,
			    m.entries[i].removed ? " removed" : "");
		ipc_tree_part_clear(&m);
	} else if (f->type == IPC_T_COMMIT_PART) {
		struct ipc_commit_part m;

		if (ipc_commit_part_decode(&f->body, &m, &f->fd) != FX_OK)
			die("COMMIT_PART");
		for (size_t i = 0; i < m.commits_len; i++)
			printf("commit %s %s\n", m.commits[i].oid,
			    m.commits[i].subject);
		ipc_commit_part_clear(&m);
	} else if (f->type == IPC_T_NOTE_PART) {
		struct ipc_note_part m;

		if (ipc_note_part_decode(&f->body, &m, &f->fd) != FX_OK)
			die("NOTE_PART");
		for (size_t i = 0; i < m.notes_len; i++)
			printf("note %s %zu %.*s\n", m.notes[i].commit,
			    m.notes[i].text.n,
			    (int)strnlen((char *)m.notes[i].text.p,
				m.notes[i].text.n < 40 ? m.notes[i].text.n
						       : 40),
			    (const char *)m.notes[i].text.p);
		ipc_note_part_clear(&m);
	} else if (f->type == IPC_T_BLOB_PART) {
		struct ipc_blob_part m;

		if (ipc_blob_part_decode(&f->body, &m, &f->fd) != FX_OK)
			die("BLOB_PART");
		for (size_t i = 0; i < m.chunks_len; i++)
			printf("chunk %u %zu%s %.*s\n",
			    (unsigned)m.chunks[i].index, m.chunks[i].data.n,
			    m.chunks[i].last ? " last" : "",
			    (int)(m.chunks[i].data.n < 40 ? m.chunks[i].data.n
							  : 40),
			    (const char *)m.chunks[i].data.p);
		ipc_blob_part_clear(&m);
	} else {
		ipc_print(&text, f->type, &f->body);
		printf("%s %.*s", rule->name, (int)buf_left(&text),
		    (const char *)buf_head(&text));
	}
	if (rule->kind == IPC_PART)
		return FX_OK;
	printf(" ms=%.1f\n", (double)(clk_now_us() - d->began_us) / 1e3);
	d->done = true;
	return FX_OK;
}

/* ---- commands ---- */

static uint64_t
number(const char *s)
{
	uint64_t n;

	if (fx_parse_u64(s, 0, INT64_MAX, &n) != FX_OK)
		die(s);
	return n;
}

static void
do_command(struct drive *d, char *text)
{
	char *w[IPC_MAX_REFS * 3 + 8] = { NULL };
	struct ipc_peer *p = &d->peer;
	struct ipc_oid oids[64];
	struct ipc_ref_update u[IPC_MAX_REFS];
	size_t n = 0, m = 0;

	for (char *s = strtok(text, " "); s != NULL && n < nitems(w) - 1;
	     s = strtok(NULL, " "))
		w[n++] = strcmp(s, "-") == 0 ? s + 1 : s;
	d->done = false;
	d->began_us = clk_now_us();
	if (strcmp(w[0], "fetch") == 0) { /* fetch MS */
		(void)ipc_ask_fetch(p,
		    &(struct ipc_fetch){ .timeout_ms = number(w[1]) },
		    on_answer, d);
	} else if (strcmp(w[0], "check-write") == 0) { /* check-write MS */
		(void)ipc_ask_check_write(p,
		    &(struct ipc_check_write){ .timeout_ms = number(w[1]) },
		    on_answer, d);
	} else if (strcmp(w[0], "push") == 0) { /* push MS SRC DST force … */
		for (size_t i = 2; i + 2 < n; i += 3)
			u[m++] = (struct ipc_ref_update){ w[i], w[i + 1],
				strcmp(w[i + 2], "force") == 0 };
		(void)ipc_ask_push(p,
		    &(struct ipc_push){ .updates = u,
			.updates_len = m,
			.timeout_ms = number(w[1]) },
		    on_answer, d);
	} else if (strcmp(w[0], "refs") == 0) {
		(void)ipc_ask_refs(p, &(struct ipc_refs){ 0 }, on_answer, d);
	} else if (strcmp(w[0], "tree") == 0) { /* tree COMMIT BASE */
		(void)ipc_ask_tree(p,
		    &(struct ipc_tree){ .commit = w[1], .base = w[2] },
		    on_answer, d);
	} else if (strcmp(w[0], "blobs") == 0) { /* blobs OID … */
		for (size_t i = 1; i < n; i++)
			oids[m++] = (struct ipc_oid){ w[i] };
		(void)ipc_ask_blobs(p,
		    &(struct ipc_blobs){ .oids = oids, .oids_len = m },
		    on_answer, d);
	} else if (strcmp(w[0], "commits") == 0) { /* commits FROM TO MAX */
		(void)ipc_ask_commits(p,
		    &(struct ipc_commits){ .from = w[1],
			.to = w[2],
			.max = number(w[3]) },
		    on_answer, d);
	} else if (strcmp(w[0], "notes") == 0) { /* notes FROM TO MAX */
		(void)ipc_ask_notes(p,
		    &(struct ipc_notes){ .from = w[1],
			.to = w[2],
			.max = number(w[3]) },
		    on_answer, d);
	} else if (strcmp(w[0], "tag") == 0) { /* tag COMMIT */
		(void)ipc_ask_tag(p, &(struct ipc_tag){ .commit = w[1] },
		    on_answer, d);
	} else if (strcmp(w[0], "hang-up") == 0) { /* end the last connection */
		(void)shutdown(d->last_socket, SHUT_RDWR);
		return;
	} else if (strcmp(w[0], "stop-in") ==
	    0) { /* stop-in MS: the next one */
		d->stop_at_us = clk_now_us() + (int64_t)number(w[1]) * CLK_MS;
		return;
	} else if (strcmp(w[0], "shell") == 0) { /* shell FILE: run a script */
		if (system(w[1]) != 0)
			die(w[1]);
		return;
	} else if (strcmp(w[0], "counts") == 0) {
		printf("counts connects=%u signs=%u\n", d->connects, d->signs);
		return;
	} else {
		die(w[0]);
	}
	wait_until(d, &d->done);
	fflush(stdout);
}

int
main(int argc, char *argv[])
{
	struct drive d = { .last_socket = -1, .stop_at_us = CLK_NEVER };
	struct rusage usage = { 0 };
	enum ipc_role role;
	int first = 3, status = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 4)
		die("usage");
	role =
	    strcmp(argv[2], "remote") == 0 ? IPC_R_GIT_REMOTE : IPC_R_GIT_LOCAL;
	while (first < argc && strcmp(argv[first], "--") != 0)
		first++;
	spawn(&d, argv[1], role);
	configure(&d, role, argv + 3, (size_t)(first - 3));
	wait_until(&d, &d.ready);
	for (int i = first + 1; i < argc && d.ready; i++)
		do_command(&d, argv[i]);
	ipc_peer_close(&d.peer);
	key_free(&d.key);
	free(d.user);
	(void)wait4(d.pid, &status, 0, &usage);
	printf("maxrss %ld kB\n", usage.ru_maxrss);
	printf("cpu %ld ms\n",
	    (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
		(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000);
	if (status != 0)
		printf("status %s %d\n",
		    WIFSIGNALED(status) ? "signal" : "exit",
		    WIFSIGNALED(status) ? WTERMSIG(status)
					: WEXITSTATUS(status));
	return 0;
}
