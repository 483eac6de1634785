#!/usr/bin/env bash
# The whole form of /metrics, compared with a list; and values after a few
# things have happened.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
bed_require api ssh

list=$(dirname "$0")/metrics.txt
bed_mine metrics
configmap() { # NAME NAMESPACE
	printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: %s}\ndata: {text: "%s"}\n' \
		"$1" "$2" "${3:-}" >"$work/$1.yaml"
}
tag_is() { [ "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" = "$1" ]; }
value() { api_get /metrics | awk -v s="$1 " 'index($0, s) == 1 { print $NF }'; }
value_is() { [ "$(value "$1")" = "$2" ]; }

configmap one "$ns"
configmap two "$ns"
first=$(repo_commit_all "$work" "First")
repo_push "$work"
before=$(date +%s)
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h \
	--sync-garbage-collection --sync-gc-inventory="$ns"
t_wait "the first commit is synced" 30 tag_is "$first"
t_wait "its pass is observed" 30 value_is 'flux_daemon_sync_duration_seconds_count{success="true"}' 1
t_is "$(value flux_git_ready)" 1 "the repository is ready"
t_is "$(value 'flux_daemon_sync_manifests{success="true"}')" 2 "two manifests are well"
t_is "$(value 'flux_daemon_sync_manifests{success="false"}')" 0 "none is not"
t_is "$(value "fluxd_sync_info{revision=\"$first\"}")" 1 "the revision is shown"
now=$(date +%s)
for m in process_start_time_seconds fluxd_sync_last_attempt_timestamp_seconds \
	fluxd_sync_last_success_timestamp_seconds; do
	v=$(value "$m")
	if [ "$v" -ge "$before" ] && [ "$v" -le "$now" ]; then t_ok "$m is a time"; else t_fail "$m is a time" "$v"; fi
done
cpu=$(value process_cpu_seconds_total)
t_like "$cpu" '^0?\.?[0-9]' "the processes have used the CPU"
rss=$(value process_resident_memory_bytes)
if [ "$rss" -gt 5000000 ] && [ "$rss" -lt 500000000 ] && [ "$(value process_virtual_memory_bytes)" -gt "$rss" ]; then
	t_ok "and memory, all together"
else
	t_fail "and memory, all together" "$rss"
fi
t_is "$(value 'promhttp_metric_handler_requests_total{code="503"}')" 0 "status codes of scrapes are there from the start"

# two of three are refused by the cluster
configmap two no-such-namespace
configmap three no-such-namespace
second=$(repo_commit_all "$work" "Second")
repo_push "$work"
notify
t_wait "a commit with resources the cluster refuses is synced too" 30 \
	value_is "fluxd_sync_info{revision=\"$second\"}" 1
t_run "the tag is there" tag_is "$second"
t_is "$(value 'flux_daemon_sync_manifests{success="true"}')" 1 "one manifest is well"
t_is "$(value 'flux_daemon_sync_manifests{success="false"}')" 2 "two are not"
t_is "$(value 'flux_daemon_sync_duration_seconds_count{success="false"}')" "" "which is no failed sync"
t_is "$(api_get /metrics | grep -c '^fluxd_sync_info{')" 1 "and no other"

# nothing can be loaded: the gauges stay
printf 'a: b: c\n' >"$work/bad.yaml"
repo_commit_all "$work" "Third" >/dev/null
repo_push "$work"
notify
t_wait "a commit that cannot be loaded is a failed sync" 30 \
	value_is 'flux_daemon_sync_duration_seconds_count{success="false"}' 1
t_is "$(value 'flux_daemon_sync_manifests{success="false"}')" 2 "and leaves the gauges alone"
t_is "$(value 'fluxd_errors_total{phase="load"}')" 1 "it is counted by its phase"
printf '# nothing\n' >"$work/bad.yaml"
fourth=$(repo_commit_all "$work" "Fourth")
repo_push "$work"
t_run "a job is run" env FLUX_URL=unix://"${FLUXD_LISTEN#unix:}" "$FLUXCTL" sync
t_wait "and its commit synced" 30 value_is "fluxd_sync_info{revision=\"$fourth\"}" 1
t_is "$(value 'flux_daemon_job_duration_seconds_count{success="true"}')" 1 "the job is observed"
t_is "$(value flux_daemon_queue_duration_seconds_count)" 1 "and that it waited"
t_is "$(value flux_daemon_queue_length_count)" 0 "nothing waits"

# drift, and a worker that dies
kubectl -n "$ns" patch configmap one --type=merge -p '{"data":{"text":"by hand"}}' >/dev/null
t_wait "a repair is counted" 30 value_is fluxd_repaired_objects_total 1
pid=$(api_get /api/flux/v12/sandbox | jq '.[] | select(.role == "manifest") | .pid')
kill -KILL "$pid"
t_wait "a worker's death is counted" 30 value_is 'fluxd_worker_restarts_total{worker="manifest"}' 1

api_get /metrics >"$T_DIR/metrics"
python3 - "$T_DIR/metrics" >"$T_DIR/form" <<'PY'
import re, sys
families = {}
for line in open(sys.argv[1]):
    if line.startswith("# HELP "):
        _, _, name, text = line.rstrip("\n").split(" ", 3)
        families[name] = {"help": text, "labels": set(), "le": []}
    elif line.startswith("# TYPE "):
        _, _, name, kind = line.split()
        families[name]["type"] = kind
    else:
        series = re.match(r"([a-z_]+)(?:\{(.*)\})? -?[0-9.]+$", line.rstrip("\n"))
        assert series, line
        name = series.group(1)
        base = re.sub("_(bucket|sum|count)$", "", name)
        if name not in families:
            name = base
        for k, v in re.findall(r'([a-z_]+)="([^"]*)"', series.group(2) or ""):
            if k == "le":
                if v not in families[name]["le"]:
                    families[name]["le"].append(v)
            else:
                families[name]["labels"].add(k)
def order(n):
    return n.startswith("fluxd_"), n
for n in sorted(families, key=order):
    f = families[n]
    print("|".join([n, f["type"], " ".join(sorted(f["labels"])), " ".join(f["le"]), f["help"]]))
PY
t_is "$(cat "$T_DIR/form")" "$(grep -v '^#' "$list")" "families, types, labels, buckets and texts are as listed"

# the alerts that upstream documents
t_is "$(grep -c '^flux_daemon_sync_duration_seconds_count{success="true"} ' "$T_DIR/metrics")" 1 \
	"what the alerts look at is there"
fluxd_stop
t_done
