#!/usr/bin/env bash
# Jobs as clients see them, with real git: right after the request, after a
# restart, after the state is lost, after a hundred others; those that committed
# are found by the notes on the configured branch, made here by plain git as
# upstream makes them.
set -euo pipefail
. "$(dirname "$0")/../attack/lib.sh"
bed_require api ssh

ns=$(bed_namespace jobs)
repo=jobs-$$
url=$(bed_repo "$repo")
path=$(repo_path "$repo")
work=$T_DIR/work
repo_clone "$url" "$work"
commit() { # VALUE
	configmap "$work" c "$ns" "$1"
	last=$(repo_commit_all "$work" "$1")
	bed_git -C "$work" push -qf "$path" HEAD:refs/heads/live
}
note() { # COMMIT TEXT
	git -C "$path" -c user.name=a -c user.email=a@b notes --ref=flux add -f -m "$2" "$1" 2>/dev/null
}
fetch() {
	local before
	before=$(grep -c event=refreshed "$FLUXD_LOG" || true)
	api_post /api/flux/v11/notify '{"Kind":"git","Source":{}}' >/dev/null
	refreshed() { [ "$(grep -c event=refreshed "$FLUXD_LOG" || true)" -gt "$before" ]; }
	wait_for 60 refreshed
}
start() { # ARG...
	fluxd_start --git-url="$url" --git-branch=live --git-poll-interval=1h --sync-interval=1h "$@"
}
sync_job() { api_post /api/flux/v9/update-manifests '{"type":"sync","spec":{}}' | jq -r .; }
job() { api_get "/api/flux/v6/jobs?id=$1" 2>/dev/null | jq -r '"\(.StatusString) \(.Result.revision) \(.Err)"'; }
job_is() { [ "$(job "$1")" = "$2" ]; }
unknown() { # ID
	fluxd_curl --max-time 60 -H 'Accept: application/json' -w '\n%{http_code}' \
		"$(fluxd_url)/api/flux/v6/jobs?id=$1" | jq -rs '"\(.[1]) \(.[0].type) \(.[0].error)"'
}

# ---- from the request to the end, and after a restart
commit one
# the server's default branch is another one, with a note of its own
bed_git -C "$work" checkout -q --orphan other
bed_git -C "$work" commit -q -m "on another branch"
other=$(bed_git -C "$work" rev-parse HEAD)
bed_git -C "$work" push -qf "$path" HEAD:refs/heads/master
bed_git -C "$work" checkout -q master
t_is "$(git -C "$path" symbolic-ref HEAD)" refs/heads/master "HEAD of the server is another branch"
start
t_wait "the first commit is synced" 60 tag_is "$repo" "$last"
id=$(sync_job)
t_like "$(job "$id")" '^(queued|running|succeeded) ' "right after the request a job is known"
t_wait "it ends" 60 job_is "$id" "succeeded $last "
remote=$(role_pid git-remote)
kill -STOP "$remote" # nothing can be fetched
running=$(sync_job)
queued=$(sync_job)
t_wait "of two jobs one runs" 60 job_is "$running" "running null "
t_is "$(api_get "/api/flux/v6/jobs?id=$queued")" '{"Result":{},"Err":"","StatusString":"queued"}' "and the other is queued"
kill -CONT "$remote"
t_wait "then it is its turn" 60 job_is "$queued" "succeeded $last "
for _ in 1 2 3; do job "$id"; done | sort -u >"$T_DIR/three"
t_is "$(cat "$T_DIR/three")" "succeeded $last " "and stays readable"
fluxd_stop
start
t_is "$(job "$id")" "succeeded $last " "a restart forgets nothing that is in the journal"
is_unknown() { [ "$(unknown "$1")" = "404 missing unknown job \"$1\"" ]; }
t_wait "a job that never was is unknown, once the repository is there" 60 is_unknown 7d0a2f11-0b1c-4e5d-8a90-000000000000
t_is "$(unknown '')" '404 missing unknown job ""' "so is none at all"

# ---- found by its note
spec() { # TYPE SPEC
	printf '{"type":"%s","cause":{"Message":"why","User":"ada"},"spec":%s}' "$1" "$2"
}
released=7d0a2f11-0b1c-4e5d-8a90-1234567890ab
policy=7d0a2f11-0b1c-4e5d-8a90-1234567890ac
upstreams=7d0a2f11-0b1c-4e5d-8a90-1234567890ad
commit two
two=$last
note "$two" "{\"jobID\":\"$released\",\"spec\":$(spec image '{"ServiceSpecs":["<all>"],"ImageSpec":"<all latest>","Kind":"execute","Excludes":null,"Force":false}'),\"result\":{\"$ns:deployment/web\":{\"Status\":\"success\",\"PerContainer\":[{\"Container\":\"web\",\"Current\":\"a:1\",\"Target\":\"a:2\"}]}}}"
commit three
three=$last
note "$three" "{\"jobID\":\"$policy\",\"spec\":$(spec policy "{\"$ns:deployment/web\":{\"add\":{\"automated\":\"true\"},\"remove\":{}}}"),\"result\":null}"
commit four
four=$last
note "$four" "{\"jobID\":\"$upstreams\",\"spec\":$(spec containers "{\"Kind\":\"execute\",\"ContainerSpecs\":{\"$ns:deployment/web\":[{\"Container\":\"web\",\"Current\":\"\",\"Target\":\"a:2\"}]},\"SkipMismatches\":false,\"Force\":false}"),\"result\":{\"$ns:deployment/web\":{\"Status\":\"success\",\"PerContainer\":[{\"Container\":\"web\",\"Current\":\"\",\"Target\":\"a:2\"}]}}}"
note "$other" '{"jobID":"on-another-branch","spec":{"type":"sync"}}'
fetch
t_is "$(job "$released")" "succeeded $two " "a job that committed is found by its note"
t_is "$(api_get "/api/flux/v6/jobs?id=$released" | jq -c .Result.spec)" \
	"$(spec image '{"ServiceSpecs":["<all>"],"ImageSpec":"<all latest>","Kind":"execute","Excludes":null,"Force":false}' | jq -c .)" \
	"with what was asked for"
t_is "$(api_get "/api/flux/v6/jobs?id=$released" | jq -c ".Result.result[\"$ns:deployment/web\"].PerContainer")" \
	'[{"Container":"web","Current":"a:1","Target":"a:2"}]' "and what came of it"
t_is "$(job "$policy")" "succeeded $three " "so is a change of policies"
t_is "$(api_get "/api/flux/v6/jobs?id=$policy" | jq -c '.Result | keys')" '["revision","spec"]' \
	"without a result, for there is none in its note"
t_is "$(job "$upstreams")" "succeeded $four " "a note with empty images, which upstream cannot read back, is read"
t_is "$(api_get "/api/flux/v6/jobs?id=$upstreams" | jq -c "[.Result.spec.spec.ContainerSpecs[], .Result.result[].PerContainer]")" \
	'[[{"Container":"web","Target":"a:2"}],[{"Container":"web","Target":"a:2"}]]' "and shown so that clients can"
t_is "$(unknown on-another-branch)" '404 missing unknown job "on-another-branch"' \
	"a note on another branch is none of ours"

# what clients could not read makes the note none
bad=0
while read -r text; do
	bad=$((bad + 1))
	note "$four" "{\"jobID\":\"bad-$bad\",$text}"
	fetch
	t_is "$(unknown bad-$bad)" "404 missing unknown job \"bad-$bad\"" "A34: a note that cannot be shown: $text"
done <<'TXT'
"spec":{"type":""}
"spec":{"type":"reboot","spec":{}}
"spec":{"type":"image","spec":{"Force":"yes"}}
"spec":{"type":"sync"},"result":{"no id":{}}
"spec":{"type":"sync"},"result":{"a:b/c":{"PerContainer":[{"Target":"a:b:c"}]}}
TXT

# ---- after a restart with nothing but the repository
fluxd_stop
FLUXD_STATE=$T_DIR/other-state
mkdir "$FLUXD_STATE"
mark=$(log_mark)
start
t_wait "a daemon with another state directory" 60 logged_since "$mark" event=refreshed
t_is "$(job "$released")" "succeeded $two " "finds those that committed"
t_is "$(unknown "$id")" "404 missing unknown job \"$id\"" "and no others"

# ---- a hundred are remembered
ids=()
for _ in $(seq 101); do ids+=("$(sync_job)"); done
t_wait "101 jobs end" 180 job_is "${ids[100]}" "succeeded $four "
ok=0
for i in "${ids[@]:1}"; do
	[ "$(job "$i")" != "succeeded $four " ] || ok=$((ok + 1))
done
t_is "$ok" 100 "the last hundred are known, each as what it is"
t_is "$(unknown "${ids[0]}")" "404 missing unknown job \"${ids[0]}\"" "and not the one before"
t_is "$(job "$released")" "succeeded $two " "one that committed is, after a hundred later ones"

# ---- a worker dies in the search
runs() { [ -n "$(role_pid "$1")" ]; }
for role in manifest git-local; do
	wait_for 30 runs $role
	kill -KILL "$(role_pid $role)"
	t_is "$(job "$released")" "succeeded $two " "$role is started anew: the answer is waited for"
done

# ---- many who ask for what never was do not hold up a sync
commit five
for i in $(seq 200); do
	fluxd_curl --max-time 60 -o /dev/null "$(fluxd_url)/api/flux/v6/jobs?id=never-$i" &
	asked+=($!)
done
fetch
t_wait "a commit is synced while 200 clients ask for jobs that never were" 60 tag_is "$repo" "$last"
for i in "${asked[@]}"; do wait "$i" || true; done

# ---- nor does a pass hold up jobs
fluxd_stop
"$python" "$(dirname "$0")/relay.py" "$BED_API_HOST" "$BED_API_PORT" "$T_DIR/relay" >/dev/null &
relay=$!
kill_at_exit $!
wait_for 60 test -s "$T_DIR/relay"
sed "s|127.0.0.1:$BED_API_PORT|127.0.0.1:$(cat "$T_DIR/relay")|" "$BED_KUBECONFIG" >"$T_DIR/kubeconfig"
FLUXD_KUBECONFIG=$T_DIR/kubeconfig
start
t_wait "another fluxd looks at what is there" 60 job_is "$(sync_job)" "succeeded $last "
commit six
echo "1 silent" >"$T_DIR/relay.after" # the API server says nothing any more
kill -ALRM $relay
wait_for 60 test ! -e "$T_DIR/relay.after"
id=$(sync_job)
t_wait "a job brings a commit that cannot be applied at present" 60 job_is "$id" "succeeded $last "
id=$(sync_job)
t_wait "the next one does not wait for that" 60 job_is "$id" "succeeded $last "
t_is "$(api_get "/api/flux/v6/sync?ref=${last:0:7}")" "[\"$last\"]" "and the commit is pending"
kill -HUP $relay
t_wait "until it is applied" 60 tag_is "$repo" "$last"
t_done
