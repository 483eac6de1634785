#!/usr/bin/env bash
# The network is cut in each phase of a sync: while names and keys are exchanged,
# in the middle of a fetch, a list, an apply, a push, and while nothing but
# watches is open.  Once in each round, after ever more bytes: whatever was on
# its way, the commit arrives, and nothing is left half-done.
set -euo pipefail
. "$(dirname "$0")/../attack/lib.sh"
bed_require api ssh

ns=$(bed_namespace cuts)
repo=cuts-$$
url=$(bed_repo "$repo")
work=$T_DIR/work
repo_clone "$url" "$work"

wire() { # NAME HOST PORT: WIRE_NAME is the relay's process, PORT_NAME where it listens
	"$python" "$FX_SRCDIR/tests/integration/relay.py" "$2" "$3" "$T_DIR/$1.port" >"$T_DIR/$1.cuts" &
	kill_at_exit $!
	wait_for 60 test -s "$T_DIR/$1.port"
	declare -g "WIRE_$1=$!" "PORT_$1=$(cat "$T_DIR/$1.port")"
}
wire git 127.0.0.1 "$BED_SSH_PORT"
wire api "$BED_API_HOST" "$BED_API_PORT"
mkdir -p "$T_DIR/home/.ssh" "$T_DIR/state"
sed "s/^[^ ]*/[127.0.0.1]:$PORT_git/" "$BED_KNOWN_HOSTS" >"$T_DIR/home/.ssh/known_hosts"
sed "s|^\( *server: \).*|\1https://$BED_API_HOST:$PORT_api|" "$BED_KUBECONFIG" >"$T_DIR/kubeconfig"
FLUXD_KUBECONFIG=$T_DIR/kubeconfig
FLUXD_HOME=$T_DIR/home FLUXD_STATE=$T_DIR/state FLUXD_LOG=$T_DIR/fluxd.log
at_exit fluxd_kill

# Enough for a pack, a list and an apply of more than one packet.
objects=40
commit() { # VALUE
	local i
	for ((i = 0; i < objects; i++)); do
		configmap "$work" "c$i" "$ns" "$1-$(head -c 300 /dev/urandom | base64 -w0)"
	done
	last=$(repo_commit_all "$work" "$1")
	repo_push "$work"
}
of_value() { # VALUE: how many objects have it
	kubectl -n "$ns" get configmaps -o json | jq "[.items[] | select(.data.value | startswith(\"$1-\"))] | length"
}
cuts() { # WIRE: that there were
	grep -c . "$T_DIR/$1.cuts" || true
}
cut_after() { # WIRE BYTES
	local pid=WIRE_$1
	echo "$2" >"$T_DIR/$1.port.after"
	kill -ALRM "${!pid}"
	wait_for 60 test ! -e "$T_DIR/$1.port.after" # from now on it counts
}
restarts() { api_get /metrics | awk '/^fluxd_worker_restarts_total/ { n += $2 } END { print n + 0 }'; }
start() {
	fluxd_start --git-url="ssh://$BED_SSH_USER@127.0.0.1:$PORT_git/${url#*"$BED_SSH_PORT"/}" \
		--git-poll-interval=1h --sync-interval=1h
}

# ---- from the first byte of a new daemon on
bytes=(1 300 1500 5000 15000 60000)
late=''
for which in git api; do
	for n in "${bytes[@]}"; do
		rm -rf "$T_DIR/state" && mkdir "$T_DIR/state"
		commit "start-$which-$n"
		had=$(cuts $which)
		cut_after $which "$n"
		start
		wait_for 90 tag_is "$repo" "$last" || late+=" $which:$n"
		[ "$(of_value "start-$which-$n")" = $objects ] || late+=" $which:$n(not whole)"
		[ "$(cuts $which)" -gt "$had" ] || late+=" $which:$n(no cut)"
		[ "$(restarts)" = 0 ] || late+=" $which:$n(restarts)"
		fluxd_stop || late+=" $which:$n(ends with $FLUXD_STATUS)"
	done
done
t_is "$late" "" "a connection of a new daemon may break off after any number of bytes"

# ---- and in the middle of its life
commit control
start
t_wait "without a cut a commit arrives (control)" 60 tag_is "$repo" "$last"
late=''
for which in git api; do
	for n in 1 1000 3000 8000; do
		commit "life-$which-$n"
		had=$(cuts $which)
		cut_after $which "$n"
		notify
		wait_for 90 tag_is "$repo" "$last" || late+=" $which:$n"
		[ "$(of_value "life-$which-$n")" = $objects ] || late+=" $which:$n(not whole)"
		[ "$(cuts $which)" -gt "$had" ] || late+=" $which:$n(no cut)"
	done
done
t_is "$late" "" "so may one of a daemon that has been there for a while"
t_is "$(restarts)" 0 "no worker ended of it"

# ---- nothing is under way but watches
cut_after api 1
kubectl -n "$ns" patch configmap c7 --type=merge -p '{"data":{"value":"by hand"}}' >/dev/null
back() { [[ $(live_value "$ns" c7) == life-* ]]; }
t_wait "a foreign change whose news were cut off is put back" 60 back
t_done
