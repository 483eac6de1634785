#!/usr/bin/env bash
# The API of the real daemon over a real cluster and repository: routing and
# negotiation, lists with what git says, images, exports, jobs; what the
# unmodified fluxctl depends on, and what it and ours print.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
unset FLUXD_BED # what the whole cluster has is compared: nobody else may add to it
bed_require api ssh controllers kwok
python=/usr/bin/python3

ns=$(bed_namespace api)
other=$(bed_namespace api-other)
repo=api-$$
url=$(bed_repo "$repo")
work=$T_DIR/work
repo_clone "$url" "$work"
port=$(bed port "$BED_DIR" fluxd)
metrics=$(bed port "$BED_DIR" metrics)
tag_is() { [ "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" = "$1" ]; }
ctl() { FLUX_URL=unix://${FLUXD_LISTEN#unix:} "$FLUXCTL" "$@"; }
services() { api_get "/api/flux/v6/services?namespace=$1"; }
pod() { # IMAGE...
	echo '{metadata: {labels: {app: x}}, spec: {terminationGracePeriodSeconds: 0, containers: ['
	for image; do echo "{name: c${image%%[:/@.]*}, image: \"$image\"},"; done
	echo ']}}'
}
workload() { # KIND NAME NAMESPACE ANNOTATIONS SPEC
	cat <<-YAML
		---
		apiVersion: apps/v1
		kind: $1
		metadata: {name: $2, namespace: $3, annotations: {$4}}
		spec: {selector: {matchLabels: {app: x}}, $5}
	YAML
}

{
	workload Deployment web "$ns" 'fluxcd.io/automated: "true", filter.fluxcd.io/cweb: "semver:~1.2", fluxcd.io/locked: "true", fluxcd.io/locked_msg: "a & <b>"' \
		"replicas: 2, template: $(pod web:1.2.0 'side@sha256:00aa')"
	workload StatefulSet db "$ns" 'fluxcd.io/ignore: sync_only' "serviceName: db, replicas: 1, template: $(pod r.example.org/db:9)"
	workload DaemonSet every.where "$ns" '' "template: $(pod agent:1)"
} >"$work/apps.yaml"
first=$(repo_commit_all "$work" First)
repo_push "$work"
workload Deployment by-hand "$ns" '' "replicas: 0, template: $(pod hand)" | kubectl create -f - >/dev/null
workload Deployment elsewhere "$other" 'helm.fluxcd.io/antecedent: "x:helmrelease/y"' "replicas: 0, template: $(pod 'a:b:c')" |
	sed 's/^metadata: {/metadata: {labels: {b: "1", a: "2"}, /' | kubectl create -f - >/dev/null

# this script's own requests take the socket
fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h \
	--listen="127.0.0.1:$port" --listen="unix:$T_DIR/fluxd.sock"
FLUXD_LISTEN=unix:$T_DIR/fluxd.sock
t_wait "the first commit is synced" 60 tag_is "$first"
# ---- lists, byte for byte
element() { # ID CONTAINERS READONLY STATUS COUNTS REST
	echo "{\"ID\":\"$1\",\"Containers\":[$2],\"ReadOnly\":\"$3\",\"Status\":\"$4\",\"Rollout\":{$(
		IFS=,
		set -- $5
		echo "\"Desired\":$1,\"Updated\":$2,\"Ready\":$3,\"Available\":$4,\"Outdated\":$5"
	),\"Messages\":null},\"SyncError\":\"\",$6}"
}
image() { # NAME ID
	echo "{\"Name\":\"$1\",\"Current\":{\"ID\":\"$2\",\"Labels\":{}},\"LatestFiltered\":{\"ID\":\"\",\"Labels\":{}}}"
}
by_id() { # of a list of one line
	"$python" -c 'import re, sys
for line in sorted(re.findall(r"\{\"ID\":\"[^\"]*\",\"Containers\":.*?(?=,\{\"ID\":\"[^\"]*\",\"Containers\":|\]$)", sys.argv[1])):
	print(line)' "$1"
}
none='"Automated":false,"Locked":false,"Ignore":false,"Policies":{}'
# the labels of what the daemon has applied are its mark
unmarked() { sed 's/{"fluxcd.io\/sync-gc-mark":"[^"]*"}/null/'; }
expected=$(
	element "$ns:daemonset/every.where" "$(image cagent agent:1)" "" ready 1,1,1,1,0 '"Antecedent":"","Labels":null,'"$none"
	element "$ns:deployment/by-hand" "$(image chand hand)" NotInRepo ready 0,0,0,0,0 '"Antecedent":"","Labels":null,'"$none"
	element "$ns:deployment/web" "$(image cweb web:1.2.0),$(image cside side@sha256:00aa)" "" ready 2,2,2,2,0 \
		'"Antecedent":"","Labels":null,"Automated":true,"Locked":true,"Ignore":false,"Policies":{"automated":"true","locked":"true","locked_msg":"a \u0026 \u003cb\u003e","tag.cweb":"semver:~1.2"}'
	element "$ns:statefulset/db" "$(image cr r.example.org/db:9)" "" ready 1,1,1,1,0 \
		'"Antecedent":"","Labels":null,"Automated":false,"Locked":false,"Ignore":false,"Policies":{"ignore":"sync_only"}'
)
listed() { by_id "$(services "$ns")" | unmarked; }
t_becomes "workloads of the cluster become ready, with what git says of them" 180 "$expected" listed
t_becomes "one with an image that is none has no containers; labels are sorted" 60 \
	"[$(element "$other:deployment/elsewhere" "" NotInRepo ready 0,0,0,0,0 \
	'"Antecedent":"x:helmrelease/y","Labels":{"a":"2","b":"1"},'"$none")]" services "$other"
t_is "$(services none)" null "no workloads are null"
t_is "$(api_get "/api/flux/v11/services?services=$ns:Deployment/web,$ns:deployment/gone,$ns:service/x" | grep -o '"ID":"[^"]*/web"')" \
	"\"ID\":\"$ns:deployment/web\"" "one that is asked for by name, the rest is left out"
t_is "$(api_get "/api/flux/v10/images?service=$ns:deployment/web&containerFields=Name,Current,AvailableError")" \
	"[{\"ID\":\"$ns:deployment/web\",\"Containers\":[{\"Name\":\"cweb\",\"Current\":{\"ID\":\"web:1.2.0\",\"Labels\":{}},\"LatestFiltered\":{\"ID\":\"\",\"Labels\":{}},\"AvailableError\":\"image data not available\"},{\"Name\":\"cside\",\"Current\":{\"ID\":\"side@sha256:00aa\",\"Labels\":{}},\"LatestFiltered\":{\"ID\":\"\",\"Labels\":{}},\"AvailableError\":\"image data not available\"}]}]" \
	"images are those that run"

# ---- routing, negotiation, bodies: a row is method, path, Accept (- for
# none), status, and what the body is like
row() {
	local method=$1 path=$2 accept=$3 status=$4 like=$5 data=${6-} args=() got
	[ "$accept" = - ] && args=(-H 'Accept:') || args=(-H "Accept: $accept")
	[ "$method" = HEAD ] && args+=(-I) || args+=(-X "$method")
	[ $# -lt 6 ] || args+=(--data-binary "$data")
	got=$(fluxd_curl --max-time 60 --path-as-is "${args[@]}" -w '\n%{http_code} %{redirect_url}' "$(fluxd_url)$path")
	t_like "${got##*$'\n'} ${got%$'\n'*}" "^$status .*$like" "$method $path ($accept${6+, $data}) is $status"
}
api=/api/flux
row POST $api/v11/ping - 404 'API endpoint not found$' ''
row GET $api/v5/services application/json 410 '"type":"missing".*"error":"API endpoint deprecated"'
row GET $api/v5 application/json 404 '/v5\\n.*"error":"API endpoint not found"'
row GET $api - 301 'http://[^ ]*/api/flux/ '
row GET $api//v6/services - 301 'http://[^ ]*/api/flux/v6/services '
row GET $api/v6/jobs - 404 'API endpoint not found'
row GET "$api/v6/jobs?id=" - 404 'unknown job ""'
row GET "$api/v6/jobs?id=a%2Fb&id=c" '*/*' 404 'unknown job "a/b"'
row GET "$api/v6/jobs?id=x" 'text/plain, application/json' 404 '\{"type":"missing","help":".*","error":"unknown job \\"x\\""\}$'
row GET "$api/v6/jobs?id=x" 'application/json;q=0.5, text/plain' 404 'Job not found'
row HEAD $api/v6/export - 200 '[Cc]ontent-[Tt]ype: application/json; charset=utf-8'
row HEAD $api/v6/services - 404 ''
row GET "$api/v11/services?services=foo" - 400 'parsing service spec "foo": parsing foo: invalid service ID'
row GET "$api/v11/services?services=foo" application/json 400 '\{"type":"user","help":"parsing .*\\n","error":"parsing service spec \\"foo\\"'
row GET "$api/v6/images?containerFields=Nonsense" - 422 'Nonsense is an invalid field'
row GET "$api/v6/images?containerFields=Name&namespace=$ns" - 200 '"Name":"cweb"'
row GET "$api/v6/images?containerFields=Nonsense&namespace=none" - 422 'Nonsense is an invalid field'
row GET "$api/v6/services?services=$ns:deployment/web" - 200 '\[\{"ID":"[^"]*:deployment/web",.*"Policies":\{[^{}]*\}\}\]$'
row GET "$api/v6/services?namespace=$ns&services=a:b/c" - 422 "cannot filter by 'namespace' and 'workloads' at the same time"
row GET $api/v11/ping - 204 ''
row GET /nonsense - 404 '404 page not found'
# what is matched: paths as they are, methods, parameters in the query alone
row GET $api/v6/services/ - 404 'API endpoint not found$'
row GET $api/v6/Services - 404 'API endpoint not found$'
row OPTIONS $api/v6/services - 404 'API endpoint not found$'
row GET $api/v6/nosuch application/json 404 '"help":".*/v6/nosuch.*"error":"API endpoint not found"'
row GET "$api/v6/./jobs?id=x&a=b" - 301 'http://[^ ]*/api/flux/v6/jobs\?id=x&a=b '
row DELETE $api/v1/services - 410 'API endpoint deprecated$'
row PATCH $api/v4/x/y - 410 'API endpoint deprecated$'
row GET /debug/pprof/ - 404 '404 page not found'
row GET "$api/v6/jobs?more=1&id=a+b%2Bc" - 404 'unknown job "a b\+c"$'
row GET "$api/v6/services?namespace=none&namespace=$ns&more=1" - 200 'null$'
row GET "$api/v6/jobs?id=x" 'image/png' 404 'unknown job "x"$'
row GET "$api/v6/jobs?id=x" ';;;' 404 '"error":"unknown job \\"x\\""\}$'
row GET "$api/v6/services?services=a:b/c," - 400 'parsing service spec "": parsing : invalid service ID$'
row GET "$api/v6/images?service=foo" - 400 'parsing service spec "foo": invalid workload spec: parsing foo: invalid service ID$'
row GET "$api/v10/images?service=a:b/c&namespace=$ns" - 422 "cannot filter by 'namespace' and 'workload' at the same time$"
row GET "$api/v10/images?namespace=none" - 200 'null$'
row GET "$api/v10/images?namespace=$other" - 200 "\[\{\"ID\":\"$other:deployment/elsewhere\",\"Containers\":null\}\]$"
row GET $api/v11/version - 200 "\"$("$FLUXCTL" version)\"$"
row POST $api/v11/notify - 400 'unknown kind of change$' '{"Kind":"zz","Source":{}}'
row POST $api/v11/notify application/json 400 '"error":"unexpected end of JSON input"\}$' '{"Kind":"git"}'
row POST $api/v11/notify - 400 '.' '{"Kind":"image","Source":{"Name":"alpine"}}'
row POST $api/v9/git-repo-config application/json 400 '\{"type":"user","help":"[^"]*","error":"[^"]*"\}$' '"x"'
# ids, as the plain parser reads them
while read -r status id; do
	row GET "$api/v11/services?services=$(jq -rn --arg s "$id" '$s | @uri')" - "$status" \
		"$([ "$status" = 200 ] && echo 'null$' || echo 'invalid service ID$')"
done <<-'TXT'
	200 shop:Deployment/web
	200 Shop:deployment/Web
	200 deployment/web
	400 deployment/web.v2
	200 <cluster>:clusterrole/system:x
	400 sh.op:deployment/web
	400 shop:deployment/a/b
	400 shop:a:b
	400 web
	400 shop:deployment/
TXT
# what old clients post; a form counts as a query does, but that makes no route
images=$api/v6/update-images
row POST "$images?service=$ns:deployment/web&image=a:1&kind=execute&exclude=a:b/c&user=ada" - 422 'updates of type "image" are not yet' ''
row POST "$images?service=<all>&image=a:1&kind=plan" - 400 'parsing service spec "zz": invalid workload spec: parsing zz: invalid service ID$' service=zz
row POST "$images?service=<all>&image=a&kind=plan" - 400 'parsing image spec "a": blank tag .*: invalid image ID$' ''
row POST "$images?service=<all>&image=a:1&kind=x" - 400 'parsing release kind "x": invalid release kind$' ''
row POST "$images?service=<all>&image=a:1&kind=plan&exclude=x" - 400 'parsing excluded service "x": parsing x: invalid service ID$' ''
row POST $images - 404 'API endpoint not found$' 'service=a:b/c&image=a:1&kind=plan'
row POST "$images?service=a:b/c&image=a:1" - 404 'API endpoint not found$' 'kind=plan'
row PATCH "$api/v6/policies?user=ada" - 422 'updates of type "policy" are not yet' '{"a:b/c":{"add":{"locked":"true"}}}'
row PATCH $api/v6/policies - 400 'parsing bad: invalid service ID$' '{"bad":{}}'
# headers, with all that Go's client asks for
heads() { # METHOD PATH [BODY]: status, the names of all headers but the date's, length
	fluxd_curl -D - -o /dev/null -X "$1" -H 'Accept: application/json' -H 'Accept-Encoding: gzip' \
		${3+--data-binary "$3"} "$(fluxd_url)$2" | tr -d '\r' |
		sed -n '1s/[^ ]* \([0-9]*\).*/\1/p; s/^\(Content-Length: .*\)$/\1/p; /^Date\|^Content-Length/d; s/^\([A-Z][A-Za-z-]*\):.*/\1/p' |
		sort | tr '\n' ' '
}
version=$(api_get $api/v11/version)
t_is "$(heads GET $api/v11/version)" "200 Content-Length: ${#version} Content-Type " "an answer is as long as its JSON, and nothing compresses, caches or shares it"
t_is "$(heads GET $api/v11/ping)" "204 " "what has no content has no length"
t_is "$(heads POST $api/v11/notify '{"Kind":"image","Source":{}}')" "202 Content-Length: 0 " "what was accepted has none"
t_is "$(heads GET /nonsense)" "404 Content-Length: 19 Content-Type X-Content-Type-Options " "what is elsewhere is not sniffed at"
t_is "$("$python" -c 'import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
s.sendall(b"HEAD /api/flux/v6/export HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
print(len(s.makefile("rb").read().partition(b"\r\n\r\n")[2]))' "$port")" 0 "HEAD has no body"
update() { row POST $api/v9/update-manifests - "$@"; }
update 400 'EOF$' ''
update 400 "invalid character 'o' in literal null \\(expecting 'u'\\)$" nope
update 400 'unknown spec type: $' '{}'
update 400 'unexpected end of JSON input$' '{"type":"image"}'
update 200 '"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"$' '{"TYPE":"sync","SPEC":{}} junk'
update 400 'parsing bad: invalid service ID$' '{"type":"policy","spec":{"bad":{}}}'
update 400 '.' '{"type":"policy","spec":{"a:b/c":{"add":{"automated":true}}}}'
update 400 'parsing bad: invalid service ID$' '{"type":"image","spec":{"Excludes":["bad"]}}'
update 400 'parsing "": blank image name: invalid image ID$' \
	'{"type":"containers","spec":{"ContainerSpecs":{"a:b/c":[{"Container":"x","Current":"","Target":"a:2"}]}}}'
update 422 'unknown update type "auto"$' '{"type":"auto","spec":{"Changes":[]}}'
# Of these the form is right, and nothing here can do them yet: that is said at
# once, and no job is made that would fail later.
job_is() { [ "$(api_get "$api/v6/jobs?id=$1" | jq -r .StatusString)" = "$2" ]; }
queued() { api_get /metrics | awk '/^flux_daemon_queue_duration_seconds_count / { print $2 }'; }
no_job() { # TYPE SPEC
	update 422 "updates of type \"$1\" are not yet supported by this daemon$" "{\"type\":\"$1\",\"spec\":$2}"
}
# the one job there was has left the queue with the one behind it
job=$(api_post $api/v9/update-manifests '{"type":"sync","spec":{}}' | jq -r .)
t_wait "a job ends" 60 job_is "$job" succeeded
before=$(queued)
no_job image null
no_job image '{"ServiceSpecs":["zzz"],"ImageSpec":"<all latest>","Kind":"execute","Excludes":null,"Force":false}'
no_job policy '{"a:b/c":{"add":["automated"],"remove":null}}'
no_job containers '{"ContainerSpecs":{"a:b/c":[{"Container":"x","Target":"a:2"}]}}'
# what releases may ask for, planned and executed: targets, image, excluded, Force
web=$ns:deployment/web db=$ns:statefulset/db ghost=$ns:deployment/ghost
while IFS='|' read -r targets image excludes force; do
	for kind in plan execute; do
		no_job image "{\"ServiceSpecs\":$targets,\"ImageSpec\":\"$image\",\"Kind\":\"$kind\",\"Excludes\":$excludes,\"Force\":$force}"
	done
done <<-TXT
	["$web"]|<all latest>|null|false
	["<all>"]|<all latest>|["$db"]|false
	["<all>"]|web:1.2.1|null|false
	["<all>"]|<all latest>|null|false
	["$web","<all>"]|<all latest>|[]|false
	["$ghost"]|<all latest>|null|false
	["$db"]|r.example.org/db:10|null|true
	["$db"]|<all latest>|null|true
	["<all>"]|<all latest>|null|true
	["$web"]|web:2|null|true
	["<all>"]|web:2|null|true
	[]|nonsense|null|false
	null||null|false
TXT
container() { # NAME CURRENT TARGET
	echo "{\"Container\":\"$1\",${2:+\"Current\":\"$2\",}\"Target\":\"$3\"}"
}
web_and_side() { echo "\"$web\":[$(container cweb "$1" web:1.2.1),$(container cside side@sha256:00aa side:2)]"; }
for kind in plan execute; do
	for skip in true false; do
		while IFS='|' read -r force specs; do
			no_job containers "{\"Kind\":\"$kind\",\"ContainerSpecs\":{$specs},\"SkipMismatches\":$skip,\"Force\":$force}"
		done <<-TXT
			false|$(web_and_side web:1.2.0)
			false|$(web_and_side web:0)
			false|"$web":[$(container nobody '' a:2)]
			false|"$web":[$(container cweb web:1.2.0 web:1.2.0)]
			false|"$db":[$(container cr '' r.example.org/db:10)]
			true|"$db":[$(container cr '' r.example.org/db:10)]
		TXT
	done
done
row POST $api/v9/update-manifests application/json 422 \
	'\{"type":"user","help":"Error: updates of type .*nothing was changed.*","error":"updates of type \\"policy\\" are not yet' \
	"{\"type\":\"policy\",\"spec\":{\"$web\":{\"add\":{\"tag_all\":\"glob:*\"},\"remove\":{\"automated\":\"\"}}}}"
t_is "$(queued)" "$before" "no job was made of any of them"
t_is "$(api_get /metrics | sed -n 's/^flux_daemon_queue_length_count //p')" 0 "and none waits"
row POST $api/v11/notify - 202 '' '{"Kind":"git","Source":{}}'

# ---- what the unmodified client depends on, beyond shapes
# a job is done only when its commit can be asked for, and stays readable
commit_and_sync() { # what fluxctl sync does, without a pause
	local id=$1 job
	id=$(repo_commit_all "$work" "$1")
	repo_push "$work"
	job=$(api_post $api/v9/update-manifests '{"type":"sync","cause":{"Message":"","User":"Ada <a@b>"},"spec":{}}')
	job=${job//\"/}
	while :; do
		got=$(api_get "$api/v6/jobs?id=$job")
		[[ $got == *'"StatusString":"succeeded"'* ]] && break
		[[ $got == *'"StatusString":"failed"'* ]] && return 1
	done
	status=$(api_status GET "$api/v6/sync?ref=${id:0:7}")
	last=$id last_job=$job last_answer=$got
	[ "$status" = 200 ]
}
raced=0
for i in 1 2 3 4 5; do
	workload Deployment more "$ns" '' "replicas: 0, template: $(pod "more:$i")" >"$work/more.yaml"
	commit_and_sync "More $i" || raced=$((raced + 1))
done
t_is "$raced" 0 "a job that has succeeded has a commit that can be asked for at once"
t_is "$last_answer" "{\"Result\":{\"revision\":\"$last\"},\"Err\":\"\",\"StatusString\":\"succeeded\"}" \
	"its answer has a revision, and no result where there is none"
t_is "$(api_get "$api/v6/jobs?id=$last_job")" "$last_answer" "and it can be read again"
t_wait "the last of them is synced" 60 tag_is "$last"
t_becomes "seven digits name a commit, and an applied one has nothing before it" 30 '[]' \
	api_get "$api/v6/sync?ref=${last:0:7}"
t_like "$(api_post $api/v9/git-repo-config false)" '"status":"ready","errors":""\}$' "the repository is ready"

# a client refuses a whole list for one name that is none
t_is "$({ services ''; api_get $api/v6/images; } | jq -r '.[].ID' | grep -cvE '^[a-zA-Z0-9_-]+:[a-z0-9_-]+/[a-zA-Z0-9_.:-]+$')" 0 \
	"every id of a list is one"
t_is "$(for r in v11/version "v6/services?namespace=none" v6/jobs?id=$last_job v6/sync?ref=$last v6/export v6/identity.pub v6/images; do
	api_get "$api/$r" | jq -s length
done | sort -u)" 1 "every answer to GET is one JSON value"

# ---- what a sync could not apply
workload Deployment lost "nowhere-$$" '' "replicas: 0, template: $(pod lost)" >"$work/lost.yaml"
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: lost, namespace: nowhere-%s}\n' $$ >>"$work/lost2.yaml"
lost=$(repo_commit_all "$work" Lost)
repo_push "$work"
status=0
got=$(ctl sync --detailed-exitcode 2>&1) || status=$?
t_like "$status $got" "^4 .*"$'\n'"Done\."$'\n'"
These could not be applied:
nowhere-$$:configmap/lost: .*not found.*
nowhere-$$:deployment/lost: .*not found" "sync lists what the cluster refused, whatever kind it is"
t_is "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" "$lost" "which does not keep the commit from being synced"
t_is "$(api_get $api/v12/sync-errors | jq -c '[.total, (.errors | length), (.errors[0] | keys)]')" '[2,2,["Error","ID"]]' "they can be asked for"
status=0
ctl sync >/dev/null 2>&1 || status=$?
t_is "$status" 0 "by itself the exit status is upstream's"
# one that was there before, and cannot be what git says
sed -i 's/matchLabels: {app: x}/matchLabels: {app: z}/; s/labels: {app: x}/labels: {app: z}/' "$work/more.yaml"
rm "$work"/lost*.yaml
last=$(repo_commit_all "$work" Selector)
repo_push "$work"
ctl sync >/dev/null 2>&1
t_becomes_like "a wide table says why workloads are not what git says" 60 "deployment/by-hand .* NotInRepo .*
.*deployment/more .* ready .* field is immutable" ctl list-workloads -n "$ns" -o wide
t_unlike "$(ctl list-workloads -n "$ns")" 'immutable' "the other one does not"
git -C "$work" rm -q more.yaml
last=$(repo_commit_all "$work" Well)
repo_push "$work"
t_like "$(ctl sync --detailed-exitcode 2>&1) $?" "Done\. 0$" "when all is well nothing is listed"

# ---- what goes wrong on the way, as both clients show it
alike() { # NAME LIKE ARG...: exit status and output of ours; upstream's has the same
	local name=$1 like=$2 whose status
	shift 2
	said_by() { # CLIENT NAME
		FLUX_URL=http://127.0.0.1:$port$api "$1" "${@:3}" >"$T_DIR/said.$2" 2>&1 &
		client[$2]=$!
	}
	declare -A client=()
	said_by "$FLUXCTL" ours "$@"
	[ -z "${BED_UPSTREAM_FLUXCTL:-}" ] || said_by "$BED_UPSTREAM_FLUXCTL" "upstream's" "$@"
	for whose in "${!client[@]}"; do
		status=0
		wait "${client[$whose]}" || status=$?
		t_like "$status $(sed 's/(ID "[0-9a-f-]*")/(ID)/' "$T_DIR/said.$whose")" "$like" "$name ($whose)"
	done
}
path=$(repo_path "$repo")
head="Synchronizing with $url"
mv "$path" "$path.gone"
alike "a job that fails" "^1 $head
Failed to complete sync job \(ID\)
Error: .*does not appear to be a git repository.*
Run 'fluxctl sync --help' for usage\.$" sync
mv "$path.gone" "$path"
notify
t_becomes "when it is back nothing is wrong" 60 'ready: ' repo_state
remote=$(ctl sandbox -o json | jq '.[] | select(.role == "git-remote") | .pid')
kill -STOP "$remote"
alike "a job that does not end in time" "^1 $head
Failed to complete sync job \(ID\)
Error: timeout
Run 'fluxctl sync --help' for usage\.$" sync --timeout=1s
kill -CONT "$remote"
printf '#!/bin/sh\ncase $1 in refs/tags/*) exit 1;; esac\n' >"$path/hooks/update"
chmod +x "$path/hooks/update"
workload Deployment more "$ns" '' "replicas: 0, template: $(pod more)" >"$work/more.yaml"
last=$(repo_commit_all "$work" Held)
repo_push "$work"
alike "a revision that is not applied in time" "^1 $head
Revision of master to apply is ${last:0:7}
Waiting for ${last:0:7} to be applied \.\.\.
(The git repository is [^
]*
)?Error: timeout
Run 'fluxctl sync --help' for usage\.$" sync --timeout=10s
rm "$path/hooks/update"
t_like "$(ctl sync 2>&1) $?" "Done\. 0$" "with the marker it is"
statuses() { services "$ns" | jq -r '.[].Status' | sort -u; }
t_becomes "and all is rolled out" 180 ready statuses

# ---- the unmodified client, and ours
decoded() { # the documents of an export: kind and name of each
	"$python" -c 'import base64, json, re, sys
text = base64.b64decode(json.load(sys.stdin)).decode()
for doc in text.split("---\n")[1:]:
	print(re.search(r"^kind: (.*)", doc, re.M)[1], re.search(r"^  name: (.*)", doc, re.M)[1])'
}
exported=$(api_get $api/v6/export | decoded)
t_like "$exported" "Namespace $ns"$'\n'".*Deployment web.*StatefulSet db" "the export has namespaces and their workloads"
t_is "$(api_get $api/v6/export | decoded)" "$exported" "and the same each time"
listed=$(ctl list-workloads --namespace="$ns" 2>&1)
t_like "$listed" "$ns:deployment/web +cweb +web:1.2.0 +ready +automated,locked" "ours lists the workloads"
if [ -n "${BED_UPSTREAM_FLUXCTL:-}" ]; then
	upstream() { "$BED_UPSTREAM_FLUXCTL" --url "http://127.0.0.1:$port/api/flux" "$@" 2>&1; }
	same() { # NAME ARG...
		local name=$1 theirs ours
		shift
		theirs=$(upstream "$@") || theirs+=" ($?)"
		ours=$(ctl "$@" 2>&1) || ours+=" ($?)"
		t_is "$ours" "$theirs" "$name: ours prints what upstream's does"
		t_like "$theirs" "${like:-.}" "$name: and that is right"
	}
	like="web:1.2.0 +ready" same list-workloads list-workloads --namespace="$ns"
	like=elsewhere same "list-workloads -a" list-workloads -a
	like="^WORKLOAD +CONTAINER +IMAGE +RELEASE +POLICY$" same "list-workloads of nothing" list-workloads --namespace=none
	like="image data not available" same list-images list-images --namespace="$ns"
	like="cweb +web" same "list-images -w" list-images --workload="$ns:deployment/web"
	like="Error.*gone|^WORKLOAD" same "list-images of none" list-images --workload="$ns:deployment/gone"
	like='^ssh-ed25519 ' same identity identity
	like='Done\.' same sync sync
	like="^Error: expected no" same "arguments" sync now
	like="^== Error ==.*not yet supported" same "an update that is refused" automate --workload="$ns:deployment/web"
	like="^Error: please supply" same "release of nothing" release --update-all-images
	# what each of them asks the daemon, and in which number if that is fixed
	requests() { api_get /metrics | sed -n 's/^flux_request_duration_seconds_count{method="\([A-Z]*\)",route="\([A-Za-z]*\)"/\1 \2 /p'; }
	asked() { # CLIENT ARG...
		local before
		before=$(requests)
		"$@" >/dev/null 2>&1 || true
		requests | grep -vxF "$before" | cut -d' ' -f1,2 | sort -u | tr '\n' ' '
	}
	while IFS='|' read -r args routes; do
		# shellcheck disable=SC2086
		t_is "$(asked upstream $args)" "$routes${routes:+ }" "$args: what upstream's asks"
		# shellcheck disable=SC2086
		t_is "$(asked ctl $args | sed 's/GET SyncErrors //')" "$routes${routes:+ }" "$args: ours asks the same"
	done <<-TXT
		list-workloads -n $ns|GET ListServices
		list-workloads -a|GET ListServices
		list-images -n $ns|GET ListImagesWithOptions
		list-images -w $ns:deployment/web|GET ListImagesWithOptions
		release --workload=$ns:deployment/web --update-all-images|POST UpdateManifests
		automate -w $ns:deployment/web|POST UpdateManifests
		sync|GET JobStatus GET SyncStatus POST GitRepoConfig POST UpdateManifests
		identity|POST GitRepoConfig
		identity -r|POST GitRepoConfig
		save|GET Export
		version|
	TXT
	mkdir "$T_DIR/theirs" "$T_DIR/ours"
	upstream save --out="$T_DIR/theirs" >"$T_DIR/said" || true
	ctl save --out="$T_DIR/ours" >"$T_DIR/said-ours" 2>&1 || true
	t_is "$(sed "s#$T_DIR/ours#X#" "$T_DIR/said-ours")" "$(sed "s#$T_DIR/theirs#X#" "$T_DIR/said")" "save: both say the same"
	t_run "save: and have saved the same" diff -r "$T_DIR/theirs" "$T_DIR/ours"
	t_is "$(find "$T_DIR/ours" -path "*$ns*" -name 'web-*' | wc -l)" 1 "save: with the workloads"
fi

# ---- manifests that cannot be read, and a repository that is not there
printf 'a: [' >"$work/broken.yaml"
broken=$(repo_commit_all "$work" Broken)
repo_push "$work"
api_post $api/v11/notify '{"Kind":"git","Source":{}}' >/dev/null
says_why() { [ "$(api_status GET "$api/v6/services?namespace=$ns")" = 422 ]; }
t_wait "a list says that manifests cannot be read" 60 says_why
got=$(fluxd_curl -H 'Accept: application/json' "$(fluxd_url)$api/v6/services?namespace=$ns")
t_like "$got" '"type":"user","help":".*broken.yaml.*check files.*","error":".*broken.yaml' "and why, where, and what to do"
t_isnt "$broken" "$last" "(at a commit that is not synced)"
fluxd_stop
t_is "$FLUXD_STATUS" 0 "it ends well"
fluxd_start --git-url="$(repo_url_ssh "nowhere-$$")" --git-poll-interval=1h --sync-interval=1h --state-dir="$T_DIR/state2" \
	--listen="127.0.0.1:$port" --listen="unix:$T_DIR/fluxd.sock" --listen-metrics="127.0.0.1:$metrics"
FLUXD_LISTEN=unix:$T_DIR/fluxd.sock
# metrics apart, a token where none is wanted, a port that is taken
there() { curl -sS -o "$T_DIR/body" -w '%{http_code}' "http://127.0.0.1:$1"; }
t_is "$(there "$port/metrics") $(cat "$T_DIR/body")" "404 404 page not found" "with a listener of their own metrics are nowhere else"
t_is "$(there "$metrics/metrics") $(head -c 7 "$T_DIR/body")" "200 # HELP " "but there"
t_is "$(there "$metrics$api/v11/ping")" 404 "and nothing is there but they"
t_is "$(fluxd_curl -o /dev/null -w '%{http_code}' -H 'Authorization: Scope-Probe token=x' "$(fluxd_url)$api/v11/version")" 200 \
	"a token that nobody wants changes nothing"
status=0
got=$(HOME=$T_DIR KUBECONFIG=$BED_KUBECONFIG "$FLUXD" --libexec-dir="$FLUXD_LIBEXEC" --git-url= \
	--state-dir="$T_DIR/state3" --listen="127.0.0.1:$port" 2>&1 </dev/null) || status=$?
t_like "$status $got" "^1 .*listen tcp 127.0.0.1:$port: bind: [Aa]ddress already in use" "where somebody else listens none starts"
t_like "$(services "$other")" '"ReadOnly":"NotReady"' "without a repository the workloads are there all the same"
not_ready() { [[ $(ctl sync 2>&1) == *"is not ready to sync"*"does not appear to be a git repository"* ]]; }
t_wait "and sync says that it is not ready" 60 not_ready
if [ -n "${BED_UPSTREAM_FLUXCTL:-}" ]; then
	like="^Error: git repository .* is not ready to sync.*Full error message: .*\(1\)$" same "sync without a repository" sync
fi
fluxd_stop
t_done
