#!/usr/bin/env bash
# Servers that fall silent: the error is shown at the deadline, everything that
# does not need them goes on meanwhile, and when the fault ends the daemon is
# well again without anybody's help.  A01.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
bed_require api ssh
timeout=3 # of one git operation, one request; seconds

lag_start
bed_mine faults
known_host() { # NAME PORT: the bed's server under another address
	sed "s/^[^ ]*/[$1]:$2/" "$BED_KNOWN_HOSTS"
}
via() { # HOST PORT: the URL, by another way
	echo "ssh://$BED_SSH_USER@$1:$2/${url#*"$BED_SSH_PORT"/}"
}

# When the fake server $1 last accepted somebody before the instant $2.
accepted_us() { # LOG US
	awk -v before="$2" '$2 == "accepted" && $1 * 1e6 < before { at = $1 * 1e6 }
		END { printf "%.0f", at }' "$1"
}
at_deadline() { # MARK REGEX START SECONDS NAME: START in microseconds, or a
	# fake server's log: when it was dialled, which a retry may do at any time
	local at ms began=$3
	if ! wait_for $(($4 + 60)) logged_since "$1" "$2"; then
		t_fail "$5" "$(log_since "$1")"
		return
	fi
	at=$(log_us "$1" "$2")
	[[ $3 != /* ]] || began=$(accepted_us "$3" "$at")
	ms=$(((at - began) / 1000 - $4 * 1000))
	t_diag "the deadline and $ms ms"
	on_time "$began" "$ms" "$5"
}
stops_at_once() { # NAME: the daemon, whatever it waits for
	local began
	began=$(now_us)
	fluxd_stop || true
	on_time "$began" $((($(now_us) - began) / 1000)) "$1: an orderly stop takes no half second"
	t_is "$FLUXD_STATUS" 0 "$1: and is one"
}

# Everything that needs neither the git server nor the cluster.
slowest_ms=0 # the lag of the machine aside
timed() { # COMMAND...
	local began ms
	began=$(now_us)
	"$@" >/dev/null || return 1
	ms=$((($(now_us) - began) / 1000 - $(lag_since "$began")))
	[ $ms -le "$slowest_ms" ] || slowest_ms=$ms
}
everything_else() { # NAME [unread]: unread if there is no repository to ask
	local bad=
	slowest_ms=0
	timed api_get /api/flux/v11/version || bad+=" version"
	timed api_get /api/flux/v6/identity.pub || bad+=" identity"
	timed api_get /metrics || bad+=" metrics"
	timed repo_state || bad+=" git-repo-config"
	timed ctl sandbox || bad+=" sandbox"
	[ "${2:-}" = unread ] || timed api_get "/api/flux/v6/sync?ref=$tagged" || bad+=" sync-status"
	t_is "$bad" "" "$1: everything else is served"
	t_diag "the slowest took $slowest_ms ms"
	t_is "$((slowest_ms < 1000))" 1 "$1: and at once"
}

# ---- the git server falls silent, then in the middle of a pack
commit one
fake_start proxy "$BED_SSH_PORT" 0
silent=$FAKE_PID silent_log=$FAKE_LOG silent_port=$FAKE_PORT
mkdir -p "$T_DIR/home/.ssh"
fluxd_home_hosts() { known_host 127.0.0.1 "$1" >"$T_DIR/home/.ssh/known_hosts"; }
FLUXD_HOME=$T_DIR/home FLUXD_STATE=$T_DIR/state FLUXD_LOG=$T_DIR/fluxd.log
mkdir -p "$FLUXD_STATE"
at_exit fluxd_kill
fluxd_home_hosts "$FAKE_PORT"
start() { # URL ARG...
	local git_url=$1
	shift
	fluxd_start --git-url="$git_url" --git-timeout=${timeout}s --git-poll-interval=1h "$@"
}
start "$(via 127.0.0.1 "$FAKE_PORT")"
t_wait "all is well at first" 30 tag_is "$repo" "$last"
tagged=$last

for how in idle new; do
	commit "silent-$how"
	kill -USR1 "$silent"
	must 60 grep -q ' fault$' "$silent_log"
	mark=$(log_mark)
	began=$(now_us)
	notify
	everything_else "silent git server ($how session)"
	[ $how = idle ] || began=$silent_log
	at_deadline "$mark" 'err="git fetch: ' "$began" $timeout \
		"a git server that falls silent is an error at the deadline ($how session)"
	t_like "$(repo_state)" '^ready: ' "the repository stays readable ($how session)"
done
dialled() { grep -c ' accepted$' "$silent_log"; }
dialled_since() { [ "$(dialled)" -gt "$1" ]; }
before=$(dialled)
notify
must 60 dialled_since "$before"
stops_at_once "a git server that is silent"
start "$(via 127.0.0.1 "$silent_port")"
kill -USR2 "$silent"
t_wait "when it speaks again the daemon is there by itself" 60 tag_is "$repo" "$last"
t_run "and the cluster has the last commit" value_is "$ns" c silent-new
tagged=$last
fluxd_stop
kill "$silent"

# 300 kB that do not compress, and a server that stops after 60 of them
fake_start proxy "$BED_SSH_PORT" 60000
stall=$FAKE_PID stall_log=$FAKE_LOG
fluxd_home_hosts "$FAKE_PORT"
mark=$(log_mark)
start "$(via 127.0.0.1 "$FAKE_PORT")"
t_wait "all is well again" 60 logged_since "$mark" 'event=refreshed'
kill -USR1 "$stall"
must 60 grep -q ' fault$' "$stall_log"
mark=$(log_mark)
head -c 300000 /dev/urandom | base64 -w0 >"$work/noise.txt"
commit stalled
began=$(now_us)
notify
everything_else "stalled pack"
at_deadline "$mark" 'err="git fetch: ' "$began" $timeout \
	"a server that stalls in the middle of a pack is an error at the deadline"
t_run "it did stall there" grep -q ' stalled$' "$stall_log"
t_like "$(repo_state)" '^ready: ' "the repository stays readable"
mark=$(log_mark)
kill -USR2 "$stall"
t_wait "when packs come whole the daemon is there by itself" 60 tag_is "$repo" "$last"
# git-remote notes in the mirror what it has pushed
must 60 logged_since "$mark" "state=\"tag flux-sync\" old=[0-9a-f]* new=$last"
t_is "$(find "$FLUXD_STATE" -name 'tmp_*' -o -name 'pack_*' -o -name '*.lock')" "" \
	"no piece of a pack is left behind"
fluxd_stop
kill "$stall"

# ---- a server that has never said anything, and one that says it byte by byte
fake_start proxy "$BED_SSH_PORT" 0
never=$FAKE_PID
fluxd_home_hosts "$FAKE_PORT"
kill -USR1 "$never"
mark=$(log_mark)
start "$(via 127.0.0.1 "$FAKE_PORT")" --state-dir="$T_DIR/state-never"
everything_else "no clone yet" unread
at_deadline "$mark" 'err="git clone --mirror: ' "$FAKE_LOG" $timeout \
	"a first clone from a silent server is an error at the deadline"
t_like "$(repo_state)" '^new: git clone --mirror: .' "clients see it"
t_diag "$(repo_state)"
t_run_fails "fluxctl sync says so too" ctl sync --timeout=5s
kill -USR2 "$never"
commit never
t_wait "when it speaks the daemon is there by itself" 60 tag_is "$repo" "$last"
fluxd_stop
kill "$never"

fake_start trickle SSH-2.0-endless-banner-endless-banner 0.2
fluxd_home_hosts "$FAKE_PORT"
mark=$(log_mark)
start "$(via 127.0.0.1 "$FAKE_PORT")" --state-dir="$T_DIR/state-trickle"
at_deadline "$mark" 'err="git clone --mirror: ' "$FAKE_LOG" $timeout \
	"a server that speaks byte by byte is an error at the deadline"
fluxd_stop
fake_stop

# ---- the API server falls silent
fake_start proxy "$BED_API_PORT" 0
api=$FAKE_PID api_log=$FAKE_LOG
sed "s|^\( *server: \).*|\1https://$BED_API_HOST:$FAKE_PORT|" "$BED_KUBECONFIG" >"$T_DIR/kubeconfig"
known_host 127.0.0.1 "$BED_SSH_PORT" >"$T_DIR/home/.ssh/known_hosts"
FLUXD_KUBECONFIG=$T_DIR/kubeconfig start "$url" --sync-timeout=${timeout}s --sync-interval=1h
t_wait "with its API server all is well" 60 fluxd_logged 'ping=true'
commit before
notify
t_wait "and commits arrive" 60 tag_is "$repo" "$last"
tagged=$last
kill -USR1 "$api"
must 60 grep -q ' fault$' "$api_log"
mark=$(log_mark)
commit meanwhile
notify
# a second notification within a second waits: the pass begins with the fetch
t_wait "commits are fetched meanwhile" 60 logged_since "$mark" "HEAD=$last"
began=$(log_us "$mark" "HEAD=$last" || now_us)
everything_else "silent API server"
at_deadline "$mark" 'err="[^"]*(no answer|timed out)' "$began" $timeout \
	"an API server that falls silent is an error at the deadline"
t_diag "$(log_since "$mark" | grep ' err=')"
t_is "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" "$tagged" "the tag waits"
kill -USR2 "$api"
t_wait "when it answers again the daemon is there by itself" 60 tag_is "$repo" "$last"
t_run "and the cluster has the commit" value_is "$ns" c meanwhile
kubectl -n "$ns" patch configmap c --type=merge -p '{"data":{"value":"by hand"}}' >/dev/null
t_wait "and its watches see changes again" 60 value_is "$ns" c meanwhile
fluxd_stop
kill "$api"

# ---- the name server never answers
name_server() {
	local name=git.faults.test real address
	address=127.153.$(($$ / 250 % 250)).$(($$ % 250 + 1)) # nobody else's
	[ "$(id -u)" -eq 0 ] || { t_cannot "names: needs a mount namespace, root only"; return; }
	unshare -m true 2>/dev/null || { t_cannot "names: no mount namespace here"; return; }
	fake_start dns "$address" $name 127.0.0.1
	dns=$FAKE_PID dns_log=$FAKE_LOG
	echo "nameserver $address" >"$T_DIR/resolv.conf"
	real=$(readlink -f /etc/resolv.conf)
	cat >"$T_DIR/fluxd-elsewhere" <<-SH
		#!/bin/sh
		exec unshare -m sh -c 'mount --bind $T_DIR/resolv.conf $real && exec $FLUXD "\$@"' fluxd "\$@"
	SH
	chmod +x "$T_DIR/fluxd-elsewhere"
	known_host $name "$BED_SSH_PORT" >"$T_DIR/home/.ssh/known_hosts"
	mark=$(log_mark)
	FLUXD=$T_DIR/fluxd-elsewhere start "$(via $name "$BED_SSH_PORT")" --state-dir="$T_DIR/state-names"
	t_wait "a name server is asked" 60 grep -q ' asked ' "$dns_log"
	began=$(awk '$2 == "asked" { printf "%.0f", $1 * 1e6; exit }' "$dns_log")
	everything_else "silent name server" unread
	at_deadline "$mark" 'err="git clone --mirror: ' "$began" $timeout \
		"a name server that never answers is an error at the deadline"
	t_like "$(repo_state)" "^(new|unreachable): .*$name" "clients see which name"
	t_diag "$(repo_state)"
	kill -USR2 "$dns"
	commit names
	t_wait "when it answers the daemon is there by itself" 60 tag_is "$repo" "$last"
	fluxd_stop
}
name_server
t_done
