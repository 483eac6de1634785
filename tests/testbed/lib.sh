# lib.sh: what test scripts share.  To be read by bash, not run:
#
#	set -euo pipefail
#	. "${srcdir:-.}/tests/testbed/lib.sh"
#	bed_require api ssh
#	url=$(bed_repo mine)
#	...
#	t_is "$got" "$want" "what holds"
#	t_done
#
# A test prints TAP.  It waits for conditions, never for time to pass.
# Whatever it starts ends with it, however it ends.
# shellcheck shell=bash

bed_lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bed_poll=0.05 # seconds between two looks at a condition

# A proxy set for the machine has no part in talks on loopback.
export no_proxy='*' NO_PROXY='*'

# ----------------------------------------------------------------- cleanup

bed_exit_commands=()

# at_exit COMMAND: run it when the test ends, the last one first.
at_exit() {
	bed_exit_commands=("$1" ${bed_exit_commands[@]+"${bed_exit_commands[@]}"})
}

bed_run_exit() {
	local status=$? command
	trap - EXIT
	set +e
	for command in ${bed_exit_commands[@]+"${bed_exit_commands[@]}"}; do
		eval "$command"
	done
	exit "$status"
}
trap bed_run_exit EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# is_own PID: is this a child of the test that still runs?  A number that was one
# may be another test's by now.
is_own() {
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
	read -ra stat <<<"${stat##*) }"
	[ "${stat[0]}" != Z ] && [ "${stat[1]}" = $$ ]
}

# kill_at_exit PID: end this child when the test ends, if it still runs.
kill_at_exit() {
	at_exit "! is_own $1 || kill $1"
}

# T_DIR: a folder of the test's own, gone afterwards unless BED_KEEP is set.
# Others may pass through it: a daemon's workers may run as other users.
T_DIR=$(mktemp -d "${TMPDIR:-/tmp}/fluxd-test.XXXXXX")
chmod 755 "$T_DIR"
if [ -n "${BED_KEEP:-}" ]; then
	at_exit 'echo "# kept: $T_DIR"'
else
	at_exit 'rm -rf "$T_DIR"'
fi

# --------------------------------------------------------------------- TAP

t_count=0
t_failed=0

t_diag() { # each line of the text as a comment
	printf '%s\n' "$*" | sed 's/^/# /'
}

t_ok() { # NAME
	t_count=$((t_count + 1))
	echo "ok $t_count - $1"
}

t_fail() { # NAME [REASON]
	t_count=$((t_count + 1))
	t_failed=$((t_failed + 1))
	echo "not ok $t_count - $1"
	[ -z "${2:-}" ] || t_diag "$2"
}

t_is() { # GOT WANT NAME
	if [ "$1" = "$2" ]; then
		t_ok "$3"
	else
		t_fail "$3" "got:  $1
want: $2"
	fi
}

t_isnt() { # GOT UNWANTED NAME
	if [ "$1" != "$2" ]; then t_ok "$3"; else t_fail "$3" "got: $1"; fi
}

t_like() { # TEXT REGEX NAME (an extended regular expression of bash)
	if [[ $1 =~ $2 ]]; then
		t_ok "$3"
	else
		t_fail "$3" "got:  $1
want: $2"
	fi
}

t_unlike() { # TEXT REGEX NAME
	if [[ $1 =~ $2 ]]; then t_fail "$3" "got: $1"; else t_ok "$3"; fi
}

t_run() { # NAME COMMAND...: it must succeed; its output is shown if not
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then t_ok "$name"; else t_fail "$name" "$* said: $out"; fi
}

t_run_fails() { # NAME COMMAND...: it must not
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then t_fail "$name" "$* said: $out"; else t_ok "$name"; fi
}

t_wait() { # NAME SECONDS COMMAND...: wait_for as a test
	local name=$1
	shift
	if wait_for "$@"; then
		t_ok "$name"
	else
		t_fail "$name" "not within $1 s: ${*:2}"
		[ ! -s "${FLUXD_LOG:-}" ] || tail -n 10 "$FLUXD_LOG" | sed 's/^/# /'
	fi
}

# t_becomes NAME SECONDS WANT COMMAND...: within this time the command prints that.
# t_becomes_like NAME SECONDS REGEX COMMAND...: or something like that.
# What it printed last is judged: another look might see something else.
t_becomes() {
	local name=$1 want=$3 got=
	wait_for "$2" bed_same "${@:4}" || true
	t_is "$got" "$want" "$name"
}

t_becomes_like() {
	local name=$1 want=$3 got=
	wait_for "$2" bed_like "${@:4}" || true
	t_like "$got" "$want" "$name"
}

bed_same() {
	got=$("$@" 2>/dev/null)
	[ "$got" = "$want" ]
}

bed_like() {
	got=$("$@" 2>/dev/null)
	[[ $got =~ $want ]]
}

# t_skip NAME: this cannot be tested here; a failure where nothing may be skipped
# (BED_NO_SKIP is set), since what is missing can be had.
t_skip() {
	if [ -n "${BED_NO_SKIP:-}" ]; then
		t_fail "$1"
		return
	fi
	t_cannot "$1"
}

# t_cannot NAME: this cannot be tested for this user or of this build, whatever
# is installed.
t_cannot() {
	t_count=$((t_count + 1))
	echo "ok $t_count # SKIP $1"
}

# t_skip_all REASON: this machine cannot run the test.  Where nothing may be
# skipped (BED_NO_SKIP is set), that is a failure.
t_skip_all() {
	if [ -n "${BED_NO_SKIP:-}" ]; then
		echo "Bail out! $1"
		exit 1
	fi
	echo "1..0 # SKIP $1"
	exit 0
}

# t_cannot_all REASON: nothing of this script can be tested for this user or of
# this build.
t_cannot_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

# t_done: end a daemon that still runs, print the plan, and say by the exit
# status whether all went well.
t_done() {
	if [ -n "${FLUXD_PID:-}" ]; then
		fluxd_stop || true
		t_is "$FLUXD_STATUS" 0 "the daemon ends cleanly"
	fi
	echo "1..$t_count"
	[ "$t_failed" -eq 0 ] || exit 1
	exit 0
}

# wait_for SECONDS COMMAND...: until the command succeeds; 1 if it never did.
wait_for() {
	local now=${EPOCHREALTIME/[.,]/} deadline
	deadline=$((now + $1 * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		now=${EPOCHREALTIME/[.,]/}
		[ "$now" -lt "$deadline" ] || return 1
		sleep "$bed_poll"
	done
}

# must SECONDS COMMAND...: wait_for what nothing after it makes sense without.
must() {
	wait_for "$@" && return
	echo "Bail out! not within $1 s: ${*:2}"
	exit 1
}

# ----------------------------------------------------------------- the bed

# bed_require PART...: have a bed with these parts, and its variables here.
# FLUXD_BED names one that runs already and is shared: a test then uses names
# of its own (bed_namespace, bed_repo) and must not stop any part.
bed_require() {
	local reason
	if ! reason=$("$bed_lib/bed" check "$@" 2>&1); then
		t_skip_all "$reason"
	fi
	if [ -z "${FLUXD_BED:-}" ]; then
		bed_own=$T_DIR/bed
		mkdir "$bed_own"
		at_exit '"$bed_lib/bed" down "$bed_own"'
	fi
	if ! "$bed_lib/bed" up "${FLUXD_BED:-$bed_own}" "$@"; then
		echo 'Bail out! the bed does not come up'
		exit 1
	fi
	# shellcheck source=/dev/null
	. "${FLUXD_BED:-$bed_own}/env"
}

# bed_owned: is the bed this test's own, so that it may stop parts of it?
bed_owned() {
	[ -n "${bed_own:-}" ]
}

bed() {
	"$bed_lib/bed" "$@"
}

kubectl() {
	"$BED_KUBECTL" "$@"
}

# bed_namespace PREFIX: a namespace that no other test has; prints its name.
bed_namespace() {
	local name
	name=$1-$$-$RANDOM
	kubectl create namespace "$name" >/dev/null
	echo "$name"
}

# bed_service_account NAMESPACE NAME: make the account if need be, print a token.
bed_service_account() {
	kubectl -n "$1" get serviceaccount "$2" >/dev/null 2>&1 ||
		kubectl -n "$1" create serviceaccount "$2" >/dev/null
	kubectl -n "$1" create token "$2"
}

# bed_await_right NAMESPACE ACCOUNT VERB RESOURCE: until the API server knows of a
# right that the account has been given: it learns that a moment later.
bed_await_right() {
	must 60 kubectl -n "$1" auth can-i "$3" "$4" --as="system:serviceaccount:$1:$2"
}

# bed_kubeconfig FILE TOKEN [NAMESPACE]: a kubeconfig for that token.
bed_kubeconfig() {
	(umask 077 && cat >"$1") <<-TXT
	apiVersion: v1
	kind: Config
	clusters: [{name: bed, cluster: {server: "$BED_API_URL", certificate-authority: "$BED_API_CA"}}]
	users: [{name: bed, user: {token: "$2"}}]
	contexts: [{name: bed, context: {cluster: bed, user: bed, namespace: "${3:-default}"}}]
	current-context: bed
	TXT
}

# bed_mine NAME: what most tests begin with: a namespace, a fresh repository and
# its work tree, nobody else's: ns, repo (its name), url, work.
# shellcheck disable=SC2034
bed_mine() {
	ns=$(bed_namespace "$1")
	repo=$1-$$
	url=$(bed_repo "$repo")
	work=$T_DIR/work
	repo_clone "$url" "$work"
}

# k8s_get PATH: ask the API server directly, as its administrator.
k8s_get() {
	curl -sS --max-time 30 --cacert "$BED_API_CA" -A bed-test \
		-H "Authorization: Bearer $BED_API_TOKEN" "$BED_API_URL$1"
}

# ------------------------------------------------------------ repositories

# bed_repo NAME: a fresh empty repository; prints its URL for ssh.
# bed_repo_https NAME: the same, prints its URL for https.
bed_repo() {
	bed_new_repo "$1"
	repo_url_ssh "$1"
}

bed_repo_https() {
	bed_new_repo "$1"
	repo_url_https "$1"
}

bed_new_repo() {
	local path
	path=$(repo_path "$1")
	rm -rf "$path"
	git init -q --bare -b master "$path"
	git -C "$path" config http.receivepack true
	git -C "$path" config gc.auto 0 # would go on in the background
	git -C "$path" config receive.autogc false
}

repo_path() {
	echo "$BED_GIT_ROOT/$1.git"
}

repo_url_ssh() {
	echo "$BED_GIT_SSH_BASE/$1.git"
}

repo_url_https() {
	echo "https://$BED_GIT_HTTPS_USER:$BED_GIT_HTTPS_PASSWORD@${BED_GIT_HTTPS_BASE#https://}/$1.git"
}

# bed_git ARG...: git with the bed's key, hosts and authority, and without any
# configuration of the machine or the user.
bed_git() {
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_TERMINAL_PROMPT=0 \
	GIT_AUTHOR_NAME=tester GIT_AUTHOR_EMAIL=tester@example.com \
	GIT_COMMITTER_NAME=tester GIT_COMMITTER_EMAIL=tester@example.com \
	GIT_SSL_CAINFO=${BED_GIT_HTTPS_CA:-} GIT_SSH_VARIANT=ssh \
	GIT_SSH_COMMAND="ssh -F /dev/null -i '${BED_SSH_KEY:-}' -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile='${BED_KNOWN_HOSTS:-}' -o GlobalKnownHostsFile=/dev/null" \
		git "$@"
}

# repo_clone URL DIR: a work tree of a repository of the bed.  It goes by the
# file system: the daemon is what is tested, not git's own transport, and a
# login takes ten times as long.
repo_clone() {
	local path=$1
	case $path in
	*"$BED_GIT_ROOT"/*) path=$BED_GIT_ROOT/${path##*"$BED_GIT_ROOT"/} ;;
	*/git/*.git) path=$BED_GIT_ROOT/${path##*/git/} ;;
	esac
	bed_git clone -q "$path" "$2" 2>/dev/null
	# an empty repository has no branch to follow
	bed_git -C "$2" symbolic-ref HEAD >/dev/null 2>&1 || bed_git -C "$2" checkout -q -b master
}

# repo_commit_all DIR MESSAGE: commit whatever the work tree holds; prints its id.
repo_commit_all() {
	bed_git -C "$1" add -A
	bed_git -C "$1" commit -q --allow-empty -m "$2"
	bed_git -C "$1" rev-parse HEAD
}

# repo_push DIR [BRANCH]
repo_push() {
	bed_git -C "$1" push -q origin "HEAD:refs/heads/${2:-master}"
}

# repo_ref NAME REF: what a ref of the bare repository points at; nothing if absent.
repo_ref() {
	git -C "$(repo_path "$1")" rev-parse -q --verify "$2" || true
}

# --------------------------------------------------------------- audit log

# audit_mark: this place in the log, for audit_count and audit_list later.
audit_mark() {
	bed_audit_settle
	stat -c %s "$BED_AUDIT_LOG"
}

# audit_list USER_AGENT_REGEX VERB_REGEX [MARK]: "verb status uri", one request a line.
audit_list() {
	bed_audit_settle
	tail -c +"$((${3:-0} + 1))" "$BED_AUDIT_LOG" | jq -rR --arg a "$1" --arg v "^($2)\$" '
		fromjson? | select((.userAgent // "" | test($a)) and (.verb | test($v)))
		| "\(.verb) \(.responseStatus.code) \(.requestURI)"'
}

# audit_count USER_AGENT_REGEX VERB_REGEX [MARK]: how many of them.
audit_count() {
	audit_list "$@" | wc -l
}

# The answer to a request is out before its line is in the log: a request of
# our own closes the gap.
bed_audit_settle() {
	local mark=bed-settle-$$-$RANDOM$RANDOM from
	from=$(stat -c %s "$BED_AUDIT_LOG")
	curl -sf --max-time 30 --cacert "$BED_API_CA" -A "$mark" -o /dev/null \
		-H "Authorization: Bearer $BED_API_TOKEN" "$BED_API_URL/version" || return 0
	wait_for 30 bed_audit_has "$from" "$mark"
}

bed_audit_has() { # PLACE TEXT: it does, from that place on
	tail -c +"$(($1 + 1))" "$BED_AUDIT_LOG" | grep -F -- "$2" >/dev/null
}

# -------------------------------------------------------------- the daemon

FLUXD=${FLUXD:-${FX_BUILDDIR:-.}/src/master/fluxd}
FLUXD_LIBEXEC=${FLUXD_LIBEXEC:-${FX_BUILDDIR:-.}/libexec}
FLUXCTL=${FLUXCTL:-${FX_BUILDDIR:-.}/src/fluxctl/fluxctl}
FLUXD_PID=
FLUXD_STATUS=
FLUXD_LOG=
FLUXD_HOME=
FLUXD_STATE=
FLUXD_LISTEN=

# fluxd_start ARG...: start $FLUXD and wait until it answers.  What the
# arguments leave open is filled in: a Unix socket, the bed's first repository
# and key, two minutes for git, a state folder that lives as long as the test.
# Afterwards FLUXD_PID, FLUXD_LOG, FLUXD_LISTEN, FLUXD_HOME and FLUXD_STATE are
# set.  FLUXD_KUBECONFIG replaces the administrator's kubeconfig.
fluxd_start() {
	fluxd_launch "$@" || return 1
	if ! wait_for "${FLUXD_START_SECONDS:-30}" fluxd_up_or_dead || ! fluxd_alive; then
		t_diag "the daemon does not come up; the end of its log:"
		tail -n 30 "$FLUXD_LOG" | sed 's/^/# /'
		return 1
	fi
}

# fluxd_launch ARG...: the same without the waiting, for a daemon that is to fail.
fluxd_launch() {
	local args=("$@") all=" $* "
	if [ ! -x "$FLUXD" ]; then
		t_diag "no daemon at $FLUXD"
		return 1
	fi
	if [ -z "$FLUXD_HOME" ]; then
		FLUXD_HOME=$T_DIR/home
		FLUXD_STATE=$T_DIR/state
		FLUXD_LOG=${FLUXD_LOG:-$T_DIR/fluxd.log}
		mkdir -p "$FLUXD_HOME/.ssh" "$FLUXD_STATE"
		[ -z "${BED_KNOWN_HOSTS:-}" ] || cp "$BED_KNOWN_HOSTS" "$FLUXD_HOME/.ssh/known_hosts"
		at_exit fluxd_kill
	fi
	case $all in
	*" --listen="*)
		FLUXD_LISTEN=${all#*" --listen="}
		FLUXD_LISTEN=${FLUXD_LISTEN%% *}
		;;
	*)
		FLUXD_LISTEN=unix:$T_DIR/fluxd.sock
		args+=("--listen=$FLUXD_LISTEN")
		;;
	esac
	[[ $all == *" --git-url="* ]] || args+=("--git-url=$BED_GIT_SSH_URL")
	# a fetch is many processes' work: it is not to fail because each was slow
	[[ $all == *" --git-timeout="* ]] || args+=(--git-timeout=2m)
	[[ $all == *" --state-dir="* ]] || args+=("--state-dir=$FLUXD_STATE")
	[[ $all == *" --libexec-dir="* ]] || args+=("--libexec-dir=$FLUXD_LIBEXEC")
	[[ $all == *" --k8s-secret-volume-mount-path="* ]] || [ -z "${BED_SSH_SECRET_DIR:-}" ] ||
		args+=("--k8s-secret-volume-mount-path=$BED_SSH_SECRET_DIR")
	FLUXD_STATUS=
	HOME=$FLUXD_HOME KUBECONFIG=${FLUXD_KUBECONFIG:-${BED_KUBECONFIG:-}} \
		"$FLUXD" "${args[@]}" </dev/null >>"$FLUXD_LOG" 2>&1 &
	FLUXD_PID=$!
}

# fluxd_without_cluster [USER]: its kubeconfig names an API server that is not
# there, and a user jane with these fields.
fluxd_without_cluster() {
	FLUXD_KUBECONFIG=$T_DIR/kubeconfig
	cat >"$FLUXD_KUBECONFIG" <<-YAML
		apiVersion: v1
		kind: Config
		clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
		users: [{name: jane, user: {${1:-token: abc}}}]
		contexts: [{name: x, context: {cluster: c, user: jane}}]
		current-context: x
	YAML
}

# fluxd_in_pod [PORT]: from now on the daemon runs as in a pod, which takes root
# and a mount namespace: with a /run of its own that has the files of $T_DIR/account
# (token, ca.crt, namespace), and the API server at this port of 127.0.0.1.
fluxd_in_pod() {
	cat >"$T_DIR/fluxd-in-pod" <<-SH
		#!/bin/sh
		unset KUBECONFIG
		export KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT=${1:-$BED_API_PORT}
		account=run/secrets/kubernetes.io/serviceaccount
		exec unshare -m sh -c "mount -t tmpfs none /run && mkdir -p /\$account && cp $T_DIR/account/* /\$account &&
			exec $FLUXD \"\\\$@\"" fluxd "\$@"
	SH
	chmod +x "$T_DIR/fluxd-in-pod"
	FLUXD=$T_DIR/fluxd-in-pod
}

# fluxd_alive: does it run?  (A zombie that nobody has waited for does not.)
fluxd_alive() {
	[ -n "$FLUXD_PID" ] && is_own "$FLUXD_PID"
}

# Any answer will do, "no such page" too: it costs the daemon no request.
fluxd_answers() {
	fluxd_curl --max-time 2 -o /dev/null "$(fluxd_url)/" 2>/dev/null
}

fluxd_up_or_dead() {
	fluxd_answers || ! fluxd_alive
}

# fluxd_wait SECONDS: until it has ended by itself; FLUXD_STATUS says how.
fluxd_wait() {
	wait_for "$1" fluxd_dead || return 1
	fluxd_reap
}

fluxd_dead() {
	! fluxd_alive
}

fluxd_reap() {
	FLUXD_STATUS=0
	wait "$FLUXD_PID" || FLUXD_STATUS=$?
	FLUXD_PID=
}

# fluxd_stop [SIGNAL]: end it and wait.  FLUXD_STATUS is its exit status, or
# what is worse: 201 if it had to be killed, 202 if a sanitizer complained.
# Fails unless that is 0.
fluxd_stop() {
	local killed=
	[ -n "$FLUXD_PID" ] || return 0
	kill -"${1:-TERM}" "$FLUXD_PID" 2>/dev/null || true
	if ! wait_for "${FLUXD_STOP_SECONDS:-30}" fluxd_dead; then
		killed=yes
		kill -KILL "$FLUXD_PID" 2>/dev/null || true
	fi
	fluxd_reap
	[ -z "$killed" ] || FLUXD_STATUS=201
	if grep -qE 'ERROR: (Address|Leak|Undefined)|runtime error:' "$FLUXD_LOG"; then
		t_diag "$(grep -E -A 12 'ERROR: (Address|Leak|Undefined)|runtime error:' "$FLUXD_LOG" | head -n 40)"
		FLUXD_STATUS=202
	fi
	[ "$FLUXD_STATUS" = 0 ]
}

fluxd_kill() {
	[ -n "$FLUXD_PID" ] || return 0
	fluxd_stop || t_diag "the daemon ended with $FLUXD_STATUS"
}

# The base of its URLs.  With a Unix socket the host is only a name.
fluxd_url() {
	case $FLUXD_LISTEN in
	unix:*) echo http://localhost ;;
	:*) echo "http://127.0.0.1$FLUXD_LISTEN" ;;
	*) echo "http://$FLUXD_LISTEN" ;;
	esac
}

fluxd_curl() { # ARG...: curl, by whatever the daemon listens on
	local by=()
	[[ $FLUXD_LISTEN != unix:* ]] || by=(--unix-socket "${FLUXD_LISTEN#unix:}")
	curl -sS ${by[@]+"${by[@]}"} "$@"
}

# api_get PATH, api_post PATH JSON: the body of the answer; fails unless 2xx.
api_get() {
	fluxd_curl --fail-with-body --max-time 60 "$(fluxd_url)$1"
}

api_post() {
	fluxd_curl --fail-with-body --max-time 60 -X POST \
		-H 'Content-Type: application/json' --data-binary "$2" "$(fluxd_url)$1"
}

# api_status METHOD PATH [JSON]: the number of the answer's status.
api_status() {
	fluxd_curl --max-time 60 -o /dev/null -w '%{http_code}' -X "$1" \
		-H 'Content-Type: application/json' ${3+--data-binary "$3"} "$(fluxd_url)$2"
}

# notify: say that there is something new in git.  repo_state: what is said of it.
notify() {
	api_post /api/flux/v11/notify '{"Kind":"git","Source":{"URL":"","Branch":""}}' >/dev/null
}

repo_state() {
	api_post /api/flux/v9/git-repo-config false | jq -r '"\(.status): \(.errors)"'
}

# ctl ARG...: our client, to the daemon's Unix socket.
ctl() {
	FLUX_URL=unix://${FLUXD_LISTEN#unix:} "$FLUXCTL" "$@"
}

# fluxd_logged REGEX: has it said so?  For wait_for.
fluxd_logged() {
	grep -qE -- "$1" "$FLUXD_LOG"
}
