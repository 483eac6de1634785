/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "listen.h"

#include "fd.h"
#include "str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128
#define UNIX_PREFIX "unix:"

static int
fail(struct fx_err *err, const char *net, const char *address, const char *what)
{
	return fx_fail(err, FX_ESYS, "listen %s %s: %s: %s", net, address, what,
	    strerror(errno));
}

/* "host:port" or "[v6]:port"; an empty host is every address. */
static int
split_address(const char *address, char *host, size_t n, char *port, size_t pn,
    struct fx_err *err)
{
	const char *colon = strrchr(address, ':');
	size_t len;

	/* upstream: an empty address is port 80 everywhere */
	if (*address == '\0')
		address = colon = ":80";
	if (colon == NULL)
		return fx_fail(err, FX_ESYNTAX,
		    "listen tcp: address %s: missing port in address", address);
	len = (size_t)(colon - address);
	if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
		address++;
		len -= 2;
	}
	if (len >= n || strlen(colon + 1) >= pn)
		return fx_fail(err, FX_ELIMIT, "listen tcp: address too long");
	memcpy(host, address, len);
	host[len] = '\0';
	snprintf(port, pn, "%s", colon + 1);
	return FX_OK;
}

static int
bind_tcp(const struct sockaddr *sa, socklen_t len, const char *address,
    int *out, struct fx_err *err)
{
	auto_fd int fd = socket(sa->sa_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1, off = 0;

	if (fd == -1)
		return fail(err, "tcp", address, "socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (sa->sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off,
		    sizeof(off));
	if (bind(fd, sa, len) == -1)
		return fail(err, "tcp", address, "bind");
	if (listen(fd, BACKLOG) == -1)
		return fail(err, "tcp", address, "listen");
	*out = fd;
	fd = -1;
	return FX_OK;
}

static int
listen_tcp(const char *address, int *out, struct fx_err *err)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	char host[IPC_MAX_HOST] = "", port[16] = "";
	uint64_t number;
	int r =
	    split_address(address, host, sizeof(host), port, sizeof(port), err);

	if (r != FX_OK)
		return r;
	/* getaddrinfo takes a larger one for what its low 16 bits say */
	if (fx_parse_u64(port, 0, UINT16_MAX, &number) != FX_OK)
		return fx_fail(err, FX_ESYNTAX,
		    "listen tcp: address %s: invalid port", port);
	/* one socket for both families where all addresses are meant */
	hints.ai_family = host[0] == '\0' ? AF_INET6 : AF_UNSPEC;
	if (getaddrinfo(host[0] == '\0' ? NULL : host, port, &hints, &list) !=
		0 ||
	    list == NULL)
		return fx_fail(err, FX_ESYNTAX,
		    "listen tcp %s: no such address", address);
	r = bind_tcp(list->ai_addr, list->ai_addrlen, address, out, err);
	freeaddrinfo(list);
	if (r == FX_OK || host[0] != '\0')
		return r;
	/* a kernel without IPv6 */
	hints.ai_family = AF_INET;
	if (errno == EADDRINUSE ||
	    getaddrinfo(NULL, port, &hints, &list) != 0 || list == NULL)
		return r;
	r = bind_tcp(list->ai_addr, list->ai_addrlen, address, out, err);
	freeaddrinfo(list);
	return r;
}

/* Only whoever holds the lock may replace the socket. */
static int
lock_socket(const char *path, int *lock, struct fx_err *err)
{
	auto_free char *name = xasprintf("%s.lock", path);
	auto_fd int fd =
	    open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd == -1)
		return fail(err, "unix", name, "open");
	if (flock(fd, LOCK_EX | LOCK_NB) == -1)
		return fx_fail(err, FX_ESYS,
		    "listen unix %s: bind: address already in use", path);
	*lock = fd;
	fd = -1;
	return FX_OK;
}

/* What is left of a daemon that ended is a socket; anything else that stands
 * there is somebody's. */
static int
remove_stale(const char *path, struct fx_err *err)
{
	struct stat st;

	if (lstat(path, &st) == -1 && errno == ENOENT)
		return FX_OK;
	if (!S_ISSOCK(st.st_mode))
		return fx_fail(err, FX_ESYS,
		    "listen unix %s: something else than a socket is there",
		    path);
	return unlink(path) == 0 ? FX_OK : fail(err, "unix", path, "unlink");
}

static int
give_to_group(int fd, const char *path, const char *group, struct fx_err *err)
{
	struct group *g;

	(void)fd;
	if (*group == '\0')
		return FX_OK;
	g = getgrnam(group);
	if (g == NULL)
		return fx_fail(err, FX_EUNKNOWN, "--listen-group: no group %s",
		    group);
	if (chown(path, (uid_t)-1, g->gr_gid) == -1 || chmod(path, 0660) == -1)
		return fail(err, "unix", path, "chown");
	return FX_OK;
}

static int
listen_unix(const char *path, const char *group, int *out, int *lock,
    struct fx_err *err)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	auto_fd int fd = -1;
	mode_t mask;
	int r;

	if (*path == '\0' || strlen(path) >= sizeof(sa.sun_path))
		return fx_fail(err, FX_ELIMIT,
		    "listen unix %s: path is empty or too long", path);
	memcpy(sa.sun_path, path, strlen(path));
	r = lock_socket(path, lock, err);
	if (r != FX_OK)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return fail(err, "unix", path, "socket");
	if ((r = remove_stale(path, err)) != FX_OK)
		return r;
	mask = umask(0177);
	r = bind(fd, (const struct sockaddr *)&sa, sizeof(sa));
	umask(mask);
	if (r == -1)
		return fail(err, "unix", path, "bind");
	r = give_to_group(fd, path, group, err);
	if (r != FX_OK)
		return r;
	if (listen(fd, BACKLOG) == -1)
		return fail(err, "unix", path, "listen");
	*out = fd;
	fd = -1;
	return FX_OK;
}

static int
add(struct listeners *ls, const char *address, enum ipc_listener_kind kind,
    const struct config *c, struct fx_err *err)
{
	int r;

	if (ls->n == LISTEN_MAX)
		return fx_fail(err, FX_ELIMIT, "more than %d listeners",
		    LISTEN_MAX);
	ls->v[ls->n].lock = -1;
	if (str_starts(address, UNIX_PREFIX)) {
		kind = kind == IPC_LISTEN_API ? IPC_LISTEN_UNIX : kind;
		address += strlen(UNIX_PREFIX);
		r = listen_unix(address, c->listen_group, &ls->v[ls->n].fd,
		    &ls->v[ls->n].lock, err);
	} else {
		r = listen_tcp(address, &ls->v[ls->n].fd, err);
	}
	if (r != FX_OK)
		return r;
	ls->v[ls->n].kind = kind;
	ls->v[ls->n].address = xstrdup(address);
	ls->n++;
	return FX_OK;
}

int
listen_all(struct listeners *ls, const struct config *c, struct fx_err *err)
{
	int r = FX_OK;

	for (size_t i = 0; r == FX_OK && i < c->listen.n; i++)
		r = add(ls, c->listen.v[i], IPC_LISTEN_API, c, err);
	if (r == FX_OK && c->listen_metrics[0] != '\0')
		r = add(ls, c->listen_metrics, IPC_LISTEN_METRICS, c, err);
	return r;
}
