#!/usr/bin/env bash
# An API server that refuses connections is tried again, soon and then more
# seldom, and the daemon is well again by itself when it is back.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
bed_require api ssh

bed_mine retry
port=$(bed port "$BED_DIR" retry)
kubeconfig=$T_DIR/kubeconfig
(BED_API_URL=https://127.0.0.1:$port && bed_kubeconfig "$kubeconfig" "$BED_API_TOKEN")
FLUXD_KUBECONFIG=$kubeconfig

commit() { # TEXT: prints its id
	printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, namespace: %s}\ndata: {text: "%s"}\n' \
		"$ns" "$1" >"$work/one.yaml"
	repo_commit_all "$work" "$1"
	repo_push "$work"
}
tag_is() { [ "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" = "$1" ]; }
failures() { api_get /metrics | awk '$1 ~ /^flux_daemon_sync_duration_seconds_count.success="false"/ { print $2 }'; }
failed_at() { grep 'component=sync-loop err=' "$FLUXD_LOG" | cut -d' ' -f1 | cut -d= -f2 | date -f - +%s.%N; }
failed() { [ "$(failures)" -ge "$1" ]; }

# The API server's port on another number: up and down at will.
forward=
up() {
	python3 - "$port" "${BED_API_URL##*:}" <<-'PY' &
	import select, socket, sys, threading
	def pump(a, b):
	    try:
	        while data := a.recv(65536):
	            b.sendall(data)
	    except OSError:
	        pass
	    for s in (a, b):
	        try:
	            s.shutdown(socket.SHUT_RDWR)
	        except OSError:
	            pass
	server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
	while True:
	    a, _ = server.accept()
	    b = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
	    for x, y in ((a, b), (b, a)):
	        threading.Thread(target=pump, args=(x, y), daemon=True).start()
	PY
	forward=$!
}
down() {
	[ -n "$forward" ] || return 0
	kill "$forward" 2>/dev/null || true
	wait "$forward" 2>/dev/null || true
	forward=
}
at_exit down

first=$(commit first)
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h --sync-timeout=3s
t_wait "a refused connection is told" 30 fluxd_logged 'component=sync-loop err=.*[Cc]onnection refused'
t_wait "it is tried again" 60 failed 4
t_is "$(api_status GET /api/flux/v11/version)" 200 "clients are answered meanwhile"
# each took those three seconds, and the pauses are 1, 2 and 4 s
pauses=$(failed_at | awk 'NR > 1 { printf "%d ", $1 - last } { last = $1 }')
read -r one two three _ <<<"$pauses"
t_run "with growing pauses: $pauses" [ $((one >= 3 && two >= 4 && three >= 6)) = 1 ]
up
t_wait "when the server is there the commit is synced" 90 tag_is "$first"

down
second=$(commit second)
notify
n=$(failures)
t_wait "a commit while it is away fails" 60 failed $((${n:-0} + 2))
up
t_wait "and is synced when it is back" 90 tag_is "$second"
t_is "$(kubectl -n "$ns" get configmap one -o 'jsonpath={.data.text}')" second "the cluster has it"
fluxd_stop
t_done
