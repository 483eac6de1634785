/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "setup.h"

#include "fd.h"
#include "log.h"
#include "str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STATE_DIR FX_LOCALSTATEDIR "/lib/fluxd"
#define SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"
#define LOCK_WAIT_US (10 * CLK_SEC) /* for the last master's workers to end */

extern char **environ;

/* ---- secrets --------------------------------------------------------------
 */

/* "://user:PASSWORD@": blank the password in place. */
static void
blank_password(char *arg)
{
	char *start = strstr(arg, "://"), *colon, *at, *slash;

	if (start == NULL)
		return;
	start += 3;
	slash = strchr(start, '/');
	if (slash != NULL)
		*slash = '\0';
	at = strrchr(start, '@');
	colon = strchr(start, ':');
	if (slash != NULL)
		*slash = '/';
	if (at != NULL && colon != NULL && colon < at)
		memset(colon + 1, '*', (size_t)(at - colon - 1));
}

static void
blank_arguments(int argc, char *argv[])
{
	for (int i = 1; i < argc; i++) {
		blank_password(argv[i]);
		if (str_starts(argv[i], "--token="))
			memset(argv[i] + 8, '*', strlen(argv[i] + 8));
		else if (strcmp(argv[i], "--token") == 0 && i + 1 < argc)
			memset(argv[i + 1], '*', strlen(argv[i + 1]));
	}
}

static void
wipe(char **s)
{
	if (*s != NULL)
		explicit_bzero(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

/* Upstream shows the user name to everybody, and so it is part of what clients
 * and garbage collection know the repository by. */
static void
warn_shown_token(const struct git_url *u)
{
	if ((u->kind == GIT_URL_HTTPS || u->kind == GIT_URL_HTTP) &&
	    *u->user != '\0' && u->password == NULL)
		log_at(LVL_WARN,
		    KS("warning",
			"the user name in --git-url is shown to clients; if it "
			"is a token, write it as https://user:TOKEN@host/..."));
}

static int
seal(const char *what, const char *secret, int *fd, struct fx_err *err)
{
	*fd = fd_sealed(what, secret, strlen(secret));
	return *fd != -1 ? FX_OK
			 : fx_fail(err, FX_ESYS, "sealing the %s: %s", what,
			       strerror(errno));
}

/* Whom fluxd-upstream connects to; a proxy's login is kept apart. */
static int
setup_proxy(struct master *m, char *proxy, struct fx_err *err)
{
	char *at = proxy == NULL ? NULL : strrchr(proxy, '@');

	free(m->cfg.connect_proxy);
	m->cfg.connect_proxy = NULL;
	if (at != NULL) {
		*at = '\0';
		if (seal("proxy-login", proxy, &m->proxy_fd, err) != FX_OK)
			return err->code;
	}
	m->cfg.connect_proxy = xstrdup(proxy == NULL ? ""
		: at == NULL			     ? proxy
						     : at + 1);
	return service_way(&m->service, m->cfg.connect_proxy, &m->service_way,
	    err);
}

/* The service of --connect, and what it takes to get there. */
static int
setup_service(struct master *m, struct fx_err *err)
{
	char *proxy;
	int r;

	if (m->cfg.connect[0] == '\0')
		return FX_OK;
	if (service_url_parse(&m->service, m->cfg.connect, err) != FX_OK)
		return err->code;
	if (!service_token_is_clean(m->cfg.token))
		return fx_fail(err, FX_ESYNTAX,
		    "--token: too long, or a character in it that no header "
		    "may have");
	if (m->cfg.token[0] != '\0' &&
	    seal("upstream-token", m->cfg.token, &m->token_fd, err) != FX_OK)
		return err->code;
	proxy = service_proxy(&m->service, getenv, err);
	r = err->code != FX_OK ? err->code : setup_proxy(m, proxy, err);
	wipe(&proxy);
	return r;
}

int
setup_url(struct master *m, int argc, char *argv[], struct fx_err *err)
{
	struct git_url u;
	int r = FX_OK;

	m->password_fd = m->token_fd = m->proxy_fd = -1;
	m->has_url = m->cfg.git_url[0] != '\0';
	m->url_show = git_url_show(m->cfg.git_url);
	r = setup_service(m, err);
	wipe(&m->cfg.token); /* must not stay around */
	m->cfg.token = xstrdup("");
	if (r != FX_OK)
		return r;
	if (m->has_url) {
		r = git_url_parse(m->cfg.git_url, &u, err);
		if (r != FX_OK)
			return fx_wrap(err, "--git-url");
		warn_shown_token(&u);
		if (u.password != NULL) {
			m->password_fd = fd_sealed("git-password", u.password,
			    strlen(u.password));
			wipe(&u.password);
			if (m->password_fd == -1)
				return fx_fail(err, FX_ESYS,
				    "--git-url: sealing the password: %s",
				    strerror(errno));
		}
		m->url = u;
		/* as upstream: not for https alone */
		m->has_key_ring =
		    u.kind == GIT_URL_SSH || u.kind == GIT_URL_FILE;
		m->url_bare = git_url_bare(m->cfg.git_url);
		wipe(&m->cfg.git_url);
		m->cfg.git_url = xstrdup(m->url_bare);
	}
	blank_arguments(argc, argv);
	return FX_OK;
}

void
setup_wipe_environment(void)
{
	for (char **e = environ; *e != NULL; e++)
		explicit_bzero(*e, strlen(*e));
	*environ = NULL;
}

/* ---- paths ----------------------------------------------------------------
 */

static char *
absolute(const char *path)
{
	char cwd[4096];

	if (path[0] == '/' || getcwd(cwd, sizeof(cwd)) == NULL)
		return xstrdup(path);
	return xasprintf("%s/%s", cwd, path);
}

/* The kubeconfig: the flag's file, KUBECONFIG's first that exists, or the one
 * at home; NULL: the service account of a pod. */
static char *
find_kubeconfig(const struct config *c, const char *home)
{
	const char *list = getenv("KUBECONFIG"), *end;
	char *path;

	if (c->set[CFG_F_kube_config] && c->kube_config[0] != '\0')
		return absolute(c->kube_config);
	while (list != NULL && *list != '\0') {
		end = strchrnul(list, ':');
		path = xstrndup(list, (size_t)(end - list));
		if (*path != '\0' && access(path, F_OK) == 0) {
			char *abs = absolute(path);

			free(path);
			return abs;
		}
		free(path);
		list = *end == ':' ? end + 1 : NULL;
	}
	if (home == NULL)
		return NULL;
	path = xasprintf("%s/.kube/config", home);
	if (access(path, F_OK) == 0)
		return path;
	free(path);
	return NULL;
}

static int
setup_cluster(struct master *m, const char *home, struct fx_err *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	bool in_cluster =
	    host != NULL && *host != '\0' && port != NULL && *port != '\0';
	char *kubeconfig = find_kubeconfig(&m->cfg, home);

	/* A kubeconfig may name no cluster: then the pod's files count. */
	m->paths[IPC_FILE_SA_TOKEN] = xstrdup(SERVICE_ACCOUNT "/token");
	m->paths[IPC_FILE_SA_CA] = xstrdup(SERVICE_ACCOUNT "/ca.crt");
	m->paths[IPC_FILE_SA_NAMESPACE] = xstrdup(SERVICE_ACCOUNT "/namespace");
	if (in_cluster) {
		free(m->cfg.k8s_api_server);
		m->cfg.k8s_api_server = strchr(host, ':') != NULL
		    ? xasprintf("https://[%s]:%s", host, port)
		    : xasprintf("https://%s:%s", host, port);
	}
	if (kubeconfig == NULL && !in_cluster)
		return fx_fail(err, FX_EUNKNOWN,
		    "invalid configuration: no configuration has been "
		    "provided, "
		    "try setting KUBECONFIG");
	if (kubeconfig == NULL)
		return FX_OK;
	m->paths[IPC_FILE_KUBECONFIG] = kubeconfig;
	if (access(kubeconfig, F_OK) == -1)
		return fx_fail(err, FX_ESYS, "stat %s: %s", kubeconfig,
		    strerror(errno));
	log_at(LVL_INFO, KS("msg", "using kubeconfig"), KS("path", kubeconfig));
	return FX_OK;
}

/* Better not to start than to refuse everybody. */
static int
setup_token(struct master *m, struct fx_err *err)
{
	if (m->cfg.listen_token_file[0] == '\0')
		return FX_OK;
	m->paths[IPC_FILE_API_TOKEN] = absolute(m->cfg.listen_token_file);
	return access(m->paths[IPC_FILE_API_TOKEN], F_OK) == 0
	    ? FX_OK
	    : fx_fail(err, FX_ESYS, "--listen-token-file: stat %s: %s",
		  m->paths[IPC_FILE_API_TOKEN], strerror(errno));
}

int
setup_paths(struct master *m, struct fx_err *err)
{
	const char *home = getenv("HOME"), *ca = getenv("SSL_CERT_FILE");
	auto_free char *key = xasprintf("%s/%s", m->cfg.k8s_secret_mount_path,
	    m->cfg.k8s_secret_data_key);

	m->paths[IPC_FILE_DEPLOY_KEY] = absolute(key);
	/* upstream looks for a directory above it; but without the file nobody
	 * knows where the Secret is */
	m->keyring.in_cluster = access(SERVICE_ACCOUNT "/namespace", F_OK) == 0;
	m->paths[IPC_FILE_KNOWN_HOSTS_SYSTEM] =
	    xstrdup("/etc/ssh/ssh_known_hosts");
	if (home != NULL)
		m->paths[IPC_FILE_KNOWN_HOSTS_USER] =
		    xasprintf("%s/.ssh/known_hosts", home);
	m->paths[IPC_FILE_GIT_CA] =
	    absolute(ca != NULL ? ca : "/etc/ssl/certs/ca-certificates.crt");
	if (m->cfg.log_file[0] != '\0')
		m->paths[IPC_FILE_LOG] = absolute(m->cfg.log_file);
	return setup_token(m, err) == FX_OK ? setup_cluster(m, home, err)
					    : err->code;
}

/* ---- state directory ------------------------------------------------------
 */

static bool
usable_dir(const char *path)
{
	if (mkdir(path, 0711) == -1 && errno != EEXIST)
		return false;
	return access(path, R_OK | W_OK | X_OK) == 0;
}

static int
find_state_dir(struct config *c, struct fx_err *err)
{
	const char *tmp = getenv("TMPDIR");
	char *path;

	if (c->state_dir[0] != '\0') {
		path = absolute(c->state_dir);
		free(c->state_dir);
		c->state_dir = path;
		if (usable_dir(path))
			return FX_OK;
		return fx_fail(err, FX_ESYS, "--state-dir %s: %s", path,
		    strerror(errno));
	}
	free(c->state_dir);
	if (usable_dir(STATE_DIR)) {
		c->state_dir = xstrdup(STATE_DIR);
		return FX_OK;
	}
	path = xasprintf("%s/fluxd-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	c->state_dir = path;
	/* workers with users of their own pass through it */
	if (mkdtemp(path) == NULL || chmod(path, 0711) == -1)
		return fx_fail(err, FX_ESYS, "%s: %s", path, strerror(errno));
	log_at(LVL_WARN,
	    KS("warning",
		"no state directory: jobs and the mirror do not survive a "
		"restart"),
	    KS("state-dir", path));
	return FX_OK;
}

static int
open_state(const char *dir, const char *name, int *out, struct fx_err *err)
{
	auto_free char *path = xasprintf("%s/%s", dir, name);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd == -1)
		return fx_fail(err, FX_ESYS, "open %s: %s", path,
		    strerror(errno));
	*out = fd;
	return FX_OK;
}

/* Free only when the last git worker of the last master is dead. */
static int
take_lock(struct master *m, struct fx_err *err)
{
	const struct timespec step = { 0, 20 * 1000 * 1000 };
	int64_t end = clk_now_us() + LOCK_WAIT_US;
	int r = open_state(m->cfg.state_dir, "lock", &m->lock_fd, err);

	if (r != FX_OK)
		return r;
	while (flock(m->lock_fd, LOCK_EX | LOCK_NB) == -1) {
		if (clk_now_us() > end)
			return fx_fail(err, FX_EAGAIN,
			    "%s is in use by another fluxd", m->cfg.state_dir);
		(void)nanosleep(&step, NULL);
	}
	return FX_OK;
}

static int
setup_spool(struct master *m, struct fx_err *err)
{
	int a = -1, b = -1, r = FX_OK;

	if (m->cfg.connect[0] != '\0')
		r = open_state(m->cfg.state_dir, "events.a", &a, err);
	if (r == FX_OK && a != -1)
		r = open_state(m->cfg.state_dir, "events.b", &b, err);
	return r == FX_OK ? spool_open(&m->spool, a, b, err) : r;
}

int
setup_state(struct master *m, struct fx_err *err)
{
	int a = -1, b = -1, r;
	char *mirror;

	m->lock_fd = -1;
	r = find_state_dir(&m->cfg, err);
	if (r != FX_OK)
		return r;
	mirror = m->cfg.mirror_dir[0] == '\0'
	    ? xasprintf("%s/mirror", m->cfg.state_dir)
	    : absolute(m->cfg.mirror_dir);
	free(m->cfg.mirror_dir);
	m->cfg.mirror_dir = mirror;
	if (mkdir(mirror, 0700) == -1 && errno != EEXIST)
		return fx_fail(err, FX_ESYS, "mkdir %s: %s", mirror,
		    strerror(errno));
	r = take_lock(m, err);
	if (r == FX_OK)
		r = open_state(m->cfg.state_dir, "jobs.a", &a, err);
	if (r == FX_OK)
		r = open_state(m->cfg.state_dir, "jobs.b", &b, err);
	if (r == FX_OK)
		r = jobs_open(&m->jobs, a, b, err);
	return r == FX_OK ? setup_spool(m, err) : r;
}
