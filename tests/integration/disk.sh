#!/usr/bin/env bash
# The disk is full, the state directory goes away, the journal is damaged:
# nothing that was promised is lost, and each is said.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
bed_require api ssh

bed_mine disk
commit() { # TEXT: prints its id
	printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, namespace: %s}\ndata: {text: "%s"}\n' \
		"$ns" "$1" >"$work/one.yaml"
	repo_commit_all "$work" "$1"
	repo_push "$work"
}
tag_is() { [ "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" = "$1" ]; }
update() { fluxd_curl --max-time 60 -X POST --data-binary '{"type":"sync","spec":{}}' "$(fluxd_url)/api/flux/v9/update-manifests"; }
job() { api_get "/api/flux/v6/jobs?id=$1" | jq -r .StatusString; }
job_is() { [ "$(job "$1")" = "$2" ]; }
run_job() { update | tr -d '"\n'; }
# Since the start a pass has ended: nothing more is written of it.
passed() { [ "$(api_get /metrics | sed -n 's/^flux_daemon_sync_duration_seconds_count{success="true"} //p')" -ge 1 ]; }
start() { fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h --state-dir="$1"; }

# ---- the disk is full ----------------------------------------------------------

first=$(commit first)
small=$T_DIR/small
mkdir "$small"
if mount -t tmpfs -o size=2m,mode=755 fluxd-test "$small" 2>/dev/null; then
	at_exit 'umount -l "$small" 2>/dev/null'
	start "$small/state"
	t_wait "on a small disk the first commit is synced" 60 tag_is "$first"
	before=$(run_job)
	t_wait "and a job done" 60 job_is "$before" succeeded

	dd if=/dev/zero of="$small/full" bs=1k 2>/dev/null || true
	# the rest of the last page of the journal still takes a line or two
	refused() { update | grep 'job journal: No space left on device' >/dev/null; }
	t_wait "with the disk full a job is refused, with the reason" 60 refused
	second=$(commit "second $(head -c 30000 /dev/urandom | base64 -w 0)")
	notify
	t_wait "and a commit cannot be fetched, which is said" 60 fluxd_logged \
		'component=sync-loop err="git fetch: .*[Nn]o space left'
	t_is "$(job "$before")" succeeded "what was done is known"
	t_is "$(kubectl -n "$ns" get configmap one -o 'jsonpath={.data.text}')" first "the cluster stays as it is"
	rm "$small/full"
	t_wait "with space again the commit is synced by itself" 120 tag_is "$second"
	after=$(run_job)
	t_wait "and jobs are taken" 60 job_is "$after" succeeded
	fluxd_stop
	start "$small/state"
	t_is "$(job "$before") $(job "$after")" "succeeded succeeded" "a restart knows both"
	fluxd_stop
fi

# ---- the state directory goes away ----------------------------------------------

state=$T_DIR/elsewhere
third=$(commit third)
start "$state"
t_wait "the third commit is synced" 60 tag_is "$third"
t_wait "as the daemon knows" 30 passed
rm -rf "$state"
t_like "$(update)" 'job journal: the state directory was removed; restart fluxd' \
	"without a state directory no job is promised"
t_is "$(api_status GET /api/flux/v11/version)" 200 "clients are answered"
fourth=$(commit fourth)
fluxd_stop
t_is "$FLUXD_STATUS" 0 "it ends well"
start "$state"
t_wait "the next start makes all of it anew" 60 tag_is "$fourth"
id=$(run_job)
t_wait "and takes jobs" 60 job_is "$id" succeeded

# ---- the mirror goes away --------------------------------------------------------

rm -rf "$state"/mirror/*
fifth=$(commit fifth)
notify
t_wait "without its mirror it makes another" 60 tag_is "$fifth"

# ---- the journal is damaged ------------------------------------------------------

second_job=$(run_job)
t_wait "another job is done" 60 job_is "$second_job" succeeded
kill -KILL "$FLUXD_PID"
fluxd_reap 2>/dev/null
# the first job's first line
line=$(grep -n "$id" "$state/jobs.a" | head -n 1 | cut -d: -f1)
sed -i "${line}s/./X/20" "$state/jobs.a"
start "$state"
t_wait "a damaged journal is said" 30 fluxd_logged \
	'component=daemon err="the job journal is damaged; what it said in these places is lost" places=1'
t_is "$(job "$id") $(job "$second_job")" "succeeded succeeded" "what else it says counts"
fluxd_stop
dd if=/dev/urandom of="$state/jobs.a" bs=4k count=1 conv=notrunc 2>/dev/null
dd if=/dev/urandom of="$state/jobs.b" bs=4k count=1 conv=notrunc 2>/dev/null
start "$state"
id=$(run_job)
t_wait "one that is rubbish does not stop anybody" 60 job_is "$id" succeeded
fluxd_stop
start "$state"
t_wait "and is mended" 60 job_is "$id" succeeded
fluxd_stop
t_done
