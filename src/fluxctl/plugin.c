/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "plugin.h"

#include "answer.h"
#include "clock.h"
#include "fd.h"
#include "gojson.h"
#include "instant.h"
#include "str.h"
#include "text.h"
#include "ydoc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#define API_GROUP "client.authentication.k8s.io/"
#define INFO "KUBERNETES_EXEC_INFO"
#define LOOK_AGAIN_MS 20 /* at a program that closed its output and runs on */

extern char **environ;

/* What one run is about. */
struct run {
	const struct kube *kube;
	const struct kc_exec *exec;
	bool interactive;
	int64_t deadline_us;
	int64_t timeout_ns; /* for people */
};

static int
fail_exec(struct ctl_error *err, const struct run *run, const char *why)
{
	return ctl_fail(err, FX_EFAIL, "exec: executable %s %s",
	    run->exec->command, why);
}

/* ---- what the program is told ------------------------------------------ */

static void
set_text(json_t *object, const char *name, const char *value)
{
	if (value != NULL)
		json_object_set_new(object, name, gojson_string(value));
}

static json_t *
describe_cluster(const struct kubeconfig *kc)
{
	const struct buf *ca = &kc->ca.data;
	struct buf b = BUF_INIT(SIZE_MAX);
	auto_free char *data = NULL;
	json_t *cluster = json_object();

	set_text(cluster, "server", kc->server);
	set_text(cluster, "tls-server-name", kc->tls_server_name);
	if (kc->insecure)
		json_object_set_new(cluster, "insecure-skip-tls-verify",
		    json_true());
	if (buf_left(ca) > 0) {
		str_add_base64(&b, buf_head(ca), buf_left(ca), true, false);
		data = str_take(&b);
		set_text(cluster, "certificate-authority-data", data);
	}
	set_text(cluster, "proxy-url", kc->proxy_url);
	if (kc->uncompressed)
		json_object_set_new(cluster, "disable-compression",
		    json_true());
	if (kc->exec.config != NULL)
		json_object_set_new(cluster, "config",
		    json_loads(kc->exec.config, JSON_DECODE_ANY, NULL));
	return cluster;
}

static char *
describe_run(const struct run *run)
{
	auto_json json_t *info = json_object();
	struct buf b = BUF_INIT(SIZE_MAX);
	json_t *spec = json_object();

	set_text(info, "kind", "ExecCredential");
	set_text(info, "apiVersion", run->exec->api_version);
	if (run->exec->cluster_info)
		json_object_set_new(spec, "cluster",
		    describe_cluster(&run->kube->kc));
	json_object_set_new(spec, "interactive",
	    json_boolean(run->interactive));
	json_object_set_new(info, "spec", spec);
	(void)str_add(&b, INFO "=");
	gojson_add(&b, info);
	return str_take(&b);
}

static size_t
name_length(const char *variable)
{
	return strcspn(variable, "=");
}

/* Replace the variable of the same name, or add it; there is room.  Borrowed.
 */
static void
set_variable(const char **env, const char *variable)
{
	size_t n = name_length(variable), i = 0;

	while (env[i] != NULL &&
	    (name_length(env[i]) != n || strncmp(env[i], variable, n) != 0))
		i++;
	env[i] = variable;
}

/* Our environment, what the kubeconfig adds, what the run is about. */
static const char **
make_environment(const struct run *run, const char *info)
{
	const struct kc_words *more = &run->exec->env;
	const char **env;
	size_t n = 0;

	while (environ[n] != NULL)
		n++;
	env = xcalloc(n + more->n + 2, sizeof(*env));
	memcpy(env, environ, n * sizeof(*env));
	for (size_t i = 0; i < more->n; i++)
		set_variable(env, more->v[i]);
	set_variable(env, info);
	return env;
}

/* ---- running it --------------------------------------------------------- */

/* The program in argv, with its output in the pipe. */
static int
spawn(const struct run *run, const char *const *argv, const char *const *env,
    int out, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t pipe_signal;
	int error;

	if (posix_spawn_file_actions_init(&files) != 0 ||
	    posix_spawnattr_init(&attributes) != 0)
		fx_bug("no memory to start a program");
	(void)sigemptyset(&pipe_signal);
	(void)sigaddset(&pipe_signal, SIGPIPE); /* that we ignore */
	error = posix_spawnattr_setsigdefault(&attributes, &pipe_signal);
	if (error == 0)
		error = posix_spawnattr_setflags(&attributes,
		    POSIX_SPAWN_SETSIGDEF);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(&files, out,
		    STDOUT_FILENO);
	if (error == 0 && !run->interactive)
		error = posix_spawn_file_actions_addopen(&files, STDIN_FILENO,
		    "/dev/null", O_RDONLY, 0);
	if (error == 0)
		error = posix_spawnp(pid, run->exec->command, &files,
		    &attributes, (char *const *)(uintptr_t)argv,
		    (char *const *)(uintptr_t)env);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&files);
	return error;
}

static int
fail_start(const struct run *run, int error, struct ctl_error *err)
{
	auto_free char *why = NULL;

	if (error != ENOENT) {
		why =
		    xasprintf("cannot be started: %s", ctl_system_text(error));
		return fail_exec(err, run, why);
	}
	if (run->exec->hint == NULL)
		return fail_exec(err, run, "not found");
	why = xasprintf("not found\n\n"
			"It is the program that user \"%s\" of the kubeconfig "
			"logs in with.\n\n%s",
	    run->kube->kc.user, run->exec->hint);
	return fail_exec(err, run, why);
}

static int
start(const struct run *run, int out, pid_t *pid, struct ctl_error *err)
{
	const struct kc_words *args = &run->exec->args;
	const char *argv[KC_WORDS_MAX + 2] = { run->exec->command };
	auto_free char *info = describe_run(run);
	auto_free const char **env = make_environment(run, info);
	int error;

	memcpy(argv + 1, args->v, args->n * sizeof(*argv));
	error = spawn(run, argv, env, out, pid);
	return error == 0 ? FX_OK : fail_start(run, error, err);
}

static int
fail_late(const struct run *run, struct ctl_error *err)
{
	struct buf b = BUF_INIT(64);
	auto_free char *why = NULL;

	(void)str_add(&b, "did not end within ");
	str_add_duration(&b, run->timeout_ns);
	why = str_take(&b);
	return fail_exec(err, run, why);
}

static int
ms_left(const struct run *run)
{
	int64_t us = run->deadline_us - clk_now_us();

	if (us <= 0)
		return 0;
	return us / CLK_MS > INT32_MAX ? INT32_MAX : (int)(us / CLK_MS) + 1;
}

static int
read_output(const struct run *run, int fd, struct buf *out,
    struct ctl_error *err)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t *room;
	ssize_t n = 1;

	while (n != 0) {
		if (ms_left(run) == 0)
			return fail_late(run, err);
		if (poll(&p, 1, ms_left(run)) != 1)
			continue;
		room = buf_reserve(out, 4096);
		if (room == NULL)
			return fail_exec(err, run, "prints too much");
		n = read(fd, room, 4096);
		if (n == -1 && errno != EINTR)
			return fail_exec(err, run, "cannot be heard");
		if (n > 0)
			buf_commit(out, (size_t)n);
	}
	return FX_OK;
}

static int
wait_end(const struct run *run, pid_t pid, int *status, struct ctl_error *err)
{
	while (waitpid(pid, status, WNOHANG) == 0) {
		if (ms_left(run) == 0)
			return fail_late(run, err);
		(void)poll(NULL, 0, LOOK_AGAIN_MS);
	}
	return FX_OK;
}

static int
check_status(const struct run *run, int status, struct ctl_error *err)
{
	auto_free char *why = NULL;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return FX_OK;
	if (WIFEXITED(status))
		why =
		    xasprintf("failed with exit code %d", WEXITSTATUS(status));
	else
		why = xasprintf("was killed by signal %d", WTERMSIG(status));
	return fail_exec(err, run, why);
}

static int
run_plugin(const struct run *run, struct buf *out, struct ctl_error *err)
{
	auto_fd int in = -1, theirs = -1;
	int ends[2], status = 0, r;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return ctl_fail(err, FX_ESYS, "pipe: %s",
		    ctl_system_text(errno));
	in = ends[0];
	theirs = ends[1];
	r = start(run, theirs, &pid, err);
	if (r != FX_OK)
		return r;
	fd_close(&theirs);
	r = read_output(run, in, out, err);
	if (r == FX_OK)
		r = wait_end(run, pid, &status, err);
	if (r == FX_OK)
		return check_status(run, status, err);
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	return r;
}

/* ---- what it says ------------------------------------------------------- */

/* NULL: none. */
static int
take_text(struct kc_file *file, const char *text)
{
	buf_wipe(&file->data);
	buf_init(&file->data, KC_SECRET_MAX);
	return text == NULL ? FX_OK : buf_put(&file->data, text, strlen(text));
}

static int
take_status(struct kubeconfig *kc, struct ynode status, struct ctl_error *err)
{
	const char *token = ynode_text(ynode_get(status, "token"));
	const char *cert =
	    ynode_text(ynode_get(status, "clientCertificateData"));
	const char *key = ynode_text(ynode_get(status, "clientKeyData"));
	bool has_cert = cert != NULL && *cert != '\0';
	bool has_key = key != NULL && *key != '\0';
	int r = FX_OK;

	if (status.n == NULL || status.n->type != YAML_MAPPING_NODE)
		return ctl_fail(err, FX_EFAIL,
		    "exec plugin didn't return a status field");
	if ((token == NULL || *token == '\0') && !has_cert && !has_key)
		return ctl_fail(err, FX_EFAIL,
		    "exec plugin didn't return a token or cert/key pair");
	if (has_cert != has_key)
		return ctl_fail(err, FX_EFAIL,
		    "exec plugin returned only certificate or key, not both");
	r = take_text(&kc->token, token);
	if (r == FX_OK)
		r = take_text(&kc->cert, cert);
	if (r == FX_OK)
		r = take_text(&kc->key, key);
	return r == FX_OK
	    ? FX_OK
	    : ctl_fail(err, r, "exec plugin returned more than %d bytes",
		  KC_SECRET_MAX);
}

static int
take_expiry(struct ynode status, int64_t *until, struct ctl_error *err)
{
	const char *text = ynode_text(ynode_get(status, "expirationTimestamp"));
	struct instant t;

	*until = INT64_MAX;
	if (text == NULL)
		return FX_OK;
	if (instant_parse(text, &t, err) != FX_OK)
		return ctl_wrap(err, FX_ESYNTAX, "decoding stdout");
	*until = t.sec;
	return FX_OK;
}

static int
take_credential(struct kubeconfig *kc, struct ynode root, int64_t *until,
    struct ctl_error *err)
{
	const char *version = ynode_text(ynode_get(root, "apiVersion"));
	const char *kind = ynode_text(ynode_get(root, "kind"));
	int r;

	if (version == NULL || kind == NULL ||
	    strcmp(kind, "ExecCredential") != 0)
		return ctl_fail(err, FX_ESYNTAX,
		    "decoding stdout: this is no ExecCredential");
	if (strcmp(version, kc->exec.api_version) != 0)
		return ctl_fail(err, FX_EFAIL,
		    "exec plugin is configured to use API version %s, plugin "
		    "returned version %s",
		    kc->exec.api_version, version);
	r = take_status(kc, ynode_get(root, "status"), err);
	return r == FX_OK ? take_expiry(ynode_get(root, "status"), until, err)
			  : r;
}

/* ---- whether ------------------------------------------------------------ */

int
plugin_check(const struct kube *k, struct ctl_error *err)
{
	const struct kc_exec *exec = &k->kc.exec;
	const char *version = exec->api_version;

	if (exec->command == NULL)
		return FX_OK;
	if (version != NULL &&
	    (strcmp(version, API_GROUP "v1") == 0 ||
		strcmp(version, API_GROUP "v1beta1") == 0))
		return FX_OK;
	return ctl_fail(err, FX_EFAIL, "exec plugin: invalid apiVersion \"%s\"",
	    version == NULL ? "" : version);
}

/* May it talk to the person? */
static int
decide_mode(struct run *run, struct ctl_error *err)
{
	const char *mode = run->exec->interactive;
	bool terminal = isatty(STDIN_FILENO) == 1;

	if (mode == NULL && str_ends(run->exec->api_version, "/v1"))
		return ctl_fail(err, FX_EFAIL,
		    "invalid configuration: interactiveMode must be specified "
		    "for %s to use exec authentication plugin",
		    run->kube->kc.user);
	if (mode == NULL)
		mode = "IfAvailable";
	run->interactive = terminal && strcmp(mode, "Never") != 0;
	if (strcmp(mode, "Never") == 0 || strcmp(mode, "IfAvailable") == 0)
		return FX_OK;
	if (strcmp(mode, "Always") != 0)
		return ctl_fail(err, FX_EFAIL,
		    "invalid configuration: invalid interactiveMode for %s: "
		    "\"%s\"",
		    run->kube->kc.user, mode);
	if (!terminal)
		return ctl_fail(err, FX_EFAIL,
		    "exec plugin cannot support interactive mode: standard "
		    "input is not a terminal");
	return FX_OK;
}

bool
plugin_is_needed(const struct kube *k)
{
	const struct kubeconfig *kc = &k->kc;

	return kc->exec.command != NULL && buf_left(&kc->token.data) == 0 &&
	    kc->username == NULL && buf_left(&kc->cert.data) == 0;
}

int
plugin_run(const struct kube *k, int64_t timeout_ns, struct buf *out,
    struct ctl_error *err)
{
	struct run run = { .kube = k,
		.exec = &k->kc.exec,
		.deadline_us = clk_now_us() + timeout_ns / 1000,
		.timeout_ns = timeout_ns };
	int r = decide_mode(&run, err);

	return r == FX_OK ? run_plugin(&run, out, err) : r;
}

int
plugin_take(struct kube *k, const struct buf *out, int64_t *until,
    struct ctl_error *err)
{
	struct fx_err why = { 0 };
	struct ydoc doc;
	int r;

	/* JSON, which is YAML; that passes too */
	r = ydoc_load(&doc, buf_head(out), buf_left(out), &why);
	if (r == FX_OK)
		r = take_credential(&k->kc, ydoc_root(&doc), until, err);
	else
		(void)ctl_fail(err, r, "decoding stdout: %s", why.text);
	ydoc_wipe(&doc);
	return r;
}
