#!/usr/bin/env bash
# Nothing is lost: workers, launcher and master are killed at random while
# commits arrive and clients ask for syncs; afterwards cluster, tag and every
# job that was answered are as in an undisturbed run.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
bed_require api ssh
kills=${FLUXD_KILLS:-200}

ns=$(bed_namespace kills)
repo=kills-$$
url=$(bed_repo "$repo")
work=$T_DIR/work
repo_clone "$url" "$work"

objects=20
write() { # ROUND
	local i
	for i in $(seq $objects); do
		cat >"$work/c$i.yaml" <<-YAML
			apiVersion: v1
			kind: ConfigMap
			metadata: {name: c$i, namespace: $ns}
			data: {round: "$1"}
		YAML
	done
}
start() { fluxd_start --git-url="$url" --git-poll-interval=1s --sync-interval=2s "$@"; }
victims() { # the daemon's workers and launcher
	local launcher
	launcher=$(pgrep -P "$FLUXD_PID" || true)
	[ -z "$launcher" ] || { echo "$launcher"; pgrep -P "$launcher" || true; }
}
fluxd_back() { fluxd_alive && api_get /api/flux/v11/version >/dev/null 2>&1; }

declare -A jobs
ask_sync() {
	local id
	id=$(api_post /api/flux/v9/update-manifests '{"type":"sync","cause":{"Message":"","User":""},"spec":{}}' 2>/dev/null | tr -d '"') || return 0
	[[ $id =~ ^[0-9a-f-]{36}$ ]] && jobs[$id]=1 || true
}

write 0
repo_commit_all "$work" "0" >/dev/null
repo_push "$work"
start
done_kills=0
round=0
masters=0
while [ "$done_kills" -lt "$kills" ]; do
	round=$((round + 1))
	write "$round"
	last=$(repo_commit_all "$work" "$round")
	repo_push "$work"
	ask_sync
	for _ in 1 2 3 4 5 6 7 8; do
		if ! fluxd_alive; then
			FLUXD_PID=
			start
		fi
		mapfile -t v < <(victims)
		[ ${#v[@]} -gt 0 ] || continue
		if [ $((RANDOM % 12)) -eq 0 ]; then
			kill -KILL "$FLUXD_PID" 2>/dev/null || true
			masters=$((masters + 1))
			while fluxd_alive; do :; done
		else
			kill -KILL "${v[RANDOM % ${#v[@]}]}" 2>/dev/null || true
		fi
		done_kills=$((done_kills + 1))
		read -rt "0.0$((RANDOM % 10))" <> <(:) || true
	done
done
t_diag "$done_kills kills, $masters of them of the master, $round commits, ${#jobs[@]} jobs answered"
if ! fluxd_alive; then
	FLUXD_PID=
	start
fi

tag_is() { [ "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" = "$1" ]; }
t_wait "the tag reaches the last commit" 90 tag_is "$last"
rounds() { kubectl -n "$ns" get configmaps -o 'jsonpath={range .items[?(@.data.round)]}{.data.round}{"\n"}{end}' | sort | uniq -c | tr -s ' '; }
all_current() { [ "$(rounds)" = " $objects $round" ]; }
t_wait "every object holds the last commit's content" 60 all_current
job_ok() { api_get "/api/flux/v6/jobs?id=$1" 2>/dev/null | grep -q '"StatusString":"\(succeeded\|failed\)"'; }
unknown=0
for id in "${!jobs[@]}"; do
	wait_for 60 job_ok "$id" || unknown=$((unknown + 1))
done
t_is "$unknown" 0 "every job that was answered came to an end that clients can see"
t_is "$(git -C "$(repo_path "$repo")" for-each-ref --format='%(refname)' | sort | tr '\n' ' ')" \
	"refs/heads/master refs/tags/flux-sync " "no rubbish is left in the repository"
fluxd_stop
left=$(find "$FLUXD_STATE" \( -name '*.lock' -o -name 'tmp_*' \) ! -name 'sock.lock' | wc -l)
t_is "$left" 0 "nor in the state directory"
t_done
