#!/usr/bin/env bash
# A62 to A67, A70 to A73, A76: whatever a client asks, and however often, the
# daemon answers as it should, has as much memory as before, and syncs.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
bed_require api ssh

ns=$(bed_namespace requests)
repo=requests-$$
url=$(bed_repo "$repo")
work=$T_DIR/work
repo_clone "$url" "$work"
lag_start
port=$(bed port "$BED_DIR" "requests-$$")
began_us=$(now_us)
at() { t_diag "after $((($(now_us) - began_us) / 1000)) ms"; }
ask() { "$python" "$attack_dir/requests.py" "$port" "$@"; }
hold() { exec "$python" "$attack_dir/requests.py" "$port" "$@"; } # in the background
commit() { # VALUE
	configmap "$work" c "$ns" "$1"
	last=$(repo_commit_all "$work" "$1")
	repo_push "$work"
}
sync_ms() { # VALUE: how long fluxctl sync takes for five commits in turn
	local i began
	for i in 1 2 3 4 5; do
		commit "$1-$i"
		read -rt 1 <> <(:) || true # one fetch a second is what others may cause
		began=$(now_us)
		ctl sync >"$T_DIR/took" 2>&1 || { cat "$T_DIR/took" && return 1; }
		echo $((($(now_us) - began) / 1000))
	done
}
sum() { echo $((${1//$'\n'/+})); } # NUMBERS
kib_of() { # ROLE: proportional set size
	sed -n 's/^Pss: *\([0-9]*\).*/\1/p' "/proc/${pid_of[$1]}/smaps_rollup"
}
weigh() { # what the processes weigh that a client's request comes to
	local role
	for role in api master sync manifest git-local; do
		echo "$role $(kib_of "$role")"
	done
}
grown() { # BEFORE AFTER KIB: the roles that have grown by more
	join <(sort <<<"$1") <(sort <<<"$2") | awk -v most="$3" '$3 > $2 + most'
}

# many workloads, each with as many labels as it may well have
{
	labels=$(for i in {1..8}; do echo "    example.org/label-$i: $(printf 'v%.0s' {1..60})"; done)
	for i in {1..150}; do
		cat <<-YAML
			---
			apiVersion: apps/v1
			kind: Deployment
			metadata:
			  name: w$i
			  namespace: $ns
			  labels:
			$labels
			spec:
			  replicas: 0
			  selector: {matchLabels: {app: w}}
			  template:
			    metadata: {labels: {app: w}}
			    spec: {containers: [{name: main, image: "registry.example.org/w:$i"}]}
		YAML
	done
} | kubectl create -f - >/dev/null

commit zero
# this script's own requests take the socket
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h \
	--listen="127.0.0.1:$port" --listen="unix:$T_DIR/fluxd.sock"
FLUXD_LISTEN=unix:$T_DIR/fluxd.sock
t_wait "all is well at first" 60 tag_is "$repo" "$last"
list=/api/flux/v6/services?namespace=$ns
t_is "$(api_get "$list" | grep -o '"ID":"'"$ns:" | wc -l)" 150 "all of the workloads are listed"
roles_read
calm=$(sync_ms one) || true
t_is "$(wc -l <<<"$calm")" 5 "commits take their way"
# once everything, so that what is kept for later is there before it is weighed
ask get 96 "$list" "/api/flux/v6/images?namespace=$ns" /api/flux/v6/jobs?id=x /metrics /nonsense /api/flux/v9/nonsense >/dev/null
before=$(weigh)

at
# ---- A62, A64, A65, A67
t_is "$(ask bodies)" "1-GiB 413
endless closed
deep 400
deep-objects 400
keys 400
same-key 400
not-utf-8 400
half-a-surrogate 400
zero 400
number 400" "A62: bodies without end, depth and sense are refused"
t_is "$(ask smuggle | sed 's/ closed$/ 400/')" "length-and-chunks 400
two-lengths 400
folded 400
bare-line-feed 400
absolute 400
upgrade 400
space-before-colon 400
no-host 400" "A64: what could be read in two ways is not read on"
t_is "$(ask paths)" "escaped-slash 200
escaped-slash-in 200
dots 301
escaped-dots 301
double-slash 301
trailing-slash 404
other-case 404
unknown-version 404
old-version 410
options 404
head 404
delete 404
trace 404
parameter-in-path 404
profile 404
root 404" "A65: paths and methods are what they are"
t_is "$(ask causes)" "plain 200
line-feed 400
zero 400
escape 400
long-user 400
long-message 400" "A67: who and why are short and are text"

at
# ---- A70 to A73
t_is "$(ask notify)" "empty 400
null 400
list 400
no-source 400
null-source 202
wrong-source 400
wrong-url 400
wrong-kind 400
unknown-kind 400
image-as-text 400
image 202
command 202
signed 202" "A70, A72: a notification is one, or is refused; nobody's signature is asked for"
# what was asked for up to here is done: jobs take their turn
t_run "A67: what was taken is done" ctl sync
fetches() { grep -c 'event=refreshed' "$FLUXD_LOG"; }
began=$(now_us)
n=$(fetches)
t_is "$(ask post 2000 /api/flux/v11/notify '{"Kind":"git","Source":{"URL":"u","Branch":"b"}}')" 202:2000 \
	"A73: 2,000 notifications are taken"
fetched=$(($(fetches) - n))
seconds=$((($(now_us) - began) / 1000000))
t_is "$((fetched <= seconds + 2))" 1 "A71, A73: and are $fetched fetches in $seconds s"
commit two
t_is "$(ask post 1 /api/flux/v11/notify '{"Kind":"git","Source":{"URL":"u","Branch":"b"}}')" 202:1 "the last one counts"
t_wait "A71: what it brings is a look at the repository" 60 tag_is "$repo" "$last"

at
# ---- A63: slow readers, and very many requests
hold readers 256 "$list" 15 >"$T_DIR/readers" &
readers=$!
kill_at_exit "$readers"
t_wait "A63: 256 clients ask for a list that they will not read" 60 grep -q asked "$T_DIR/readers"
some=(/api/flux/v11/version /api/flux/v6/jobs?id=x /healthz /api/flux/v6/identity.pub /readyz)
# one of a hundred is a list, and one an image list
hold get 10000 "$list" "/api/flux/v6/images?namespace=$ns" /metrics /api/flux/v6/sync?ref=HEAD \
	"/api/flux/v6/services?services=$ns:deployment/w1" \
	$(for i in {1..19}; do echo "${some[@]}"; done) >"$T_DIR/many" &
many=$!
kill_at_exit "$many"
since=$(now_us)
hard=$(sync_ms three) || true
lag=$(lag_since "$since")
t_diag "fluxctl sync took ${calm//$'\n'/ } ms, with slow readers and very many requests ${hard//$'\n'/ } ms"
t_is "$(wc -l <<<"$hard")" 5 "A63: fluxctl sync is served"
t_is "$(($(sum "$hard") < $(sum "$calm") * 2 + 1000 + lag))" 1 "A63: and about as fast (this machine was late by $lag ms)"
during=$(weigh)
wait "$readers" || true
t_diag "$(cat "$T_DIR/readers")"
wait "$many" || true
t_diag "of 10,000 requests: $(cat "$T_DIR/many")"
t_like "$(cat "$T_DIR/many")" '^200:[0-9]+ 404:[0-9]+( closed:[0-9]+)?$' "A63: they are answered"
settled() { [ -z "$(grown "$before" "$(weigh)" 1536)" ]; }
t_wait "A62, A63, A66: nobody weighs more afterwards" 60 settled
t_diag "$(join <(join <(sort <<<"$before") <(sort <<<"$during")) <(weigh | sort) |
	awk '{print $1 ": " $2 " KiB before, " $3 " while it went on, " $4 " afterwards"}')"
t_is "$(grown "$before" "$during" 12288)" "" "A63: and while it went on not much more"

at
# ---- A76
# all of these have been asked for before, but for what is in them
series() { api_get /metrics | grep -c '^[a-z]'; }
n=$(series)
ask get 500 $(for i in {1..100}; do echo "/x$i /api/flux/v$((i + 5))/y /api/flux/v6/jobs?id=$i"; done) >/dev/null
t_is "$(($(series) <= n + 14))" 1 "A76: what clients ask for makes no time series (from $n to $(series))"
t_unlike "$(api_get /metrics)" 'x17|v22|id=17' "A76: nor a label"
at
# ---- A66, at the end: what was accepted would be done
flood=$(ask post 3000 /api/flux/v9/update-manifests '{"type":"sync","spec":{}}')
t_diag "of 3,000 updates: $flood"
t_like "$flood" '^200:[0-9]+ 503:[0-9]+$' "A66: updates are taken, and refused when too many wait"
t_is "$(($(sed 's/[0-9]*:\([0-9]*\)/+\1/g' <<<"$flood")))" 3000 "A66: each of them"
t_is "$(grown "$before" "$(weigh)" 8192)" "" "A66: and nobody weighs much more"
roles_read
t_is "${restarts_of[api]} ${restarts_of[master]} ${restarts_of[sync]}" "0 0 0" "and nobody fell"
fluxd_stop
t_is "$FLUXD_STATUS" 0 "it ends well"
t_done
