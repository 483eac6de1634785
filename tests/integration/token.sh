#!/usr/bin/env bash
# --listen-token-file: who comes by TCP has to show the token, but probes; what
# clients are told, and how the token is changed.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
bed_require api ssh

bed_mine token
repo_commit_all "$work" First >/dev/null
repo_push "$work"
port=$(bed port "$BED_DIR" "token-$$")
metrics=$(bed port "$BED_DIR" "token-metrics-$$")
first=0123456789abcdef-first second=0123456789abcdef-second
echo "$first" >"$T_DIR/token"
begin() { # ARG...
	fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h \
		--listen="127.0.0.1:$port" --listen="unix:$T_DIR/fluxd.sock" --listen-token-file="$T_DIR/token" "$@"
	FLUXD_LISTEN=127.0.0.1:$port
}
api=/api/flux
method() { [ "$1" = HEAD ] && echo -I || echo "-X $1"; }
# status METHOD PATH [AUTHORIZATION]
status() {
	# shellcheck disable=SC2046
	fluxd_curl --max-time 30 -o "$T_DIR/body" -D "$T_DIR/head" -w '%{http_code}' $(method "$1") \
		${3+-H "Authorization: $3"} ${4+--data-binary "$4"} "http://127.0.0.1:$port$2"
}
says() { # NAME WANT TOKEN: both clients
	local client got
	for client in "$FLUXCTL" ${BED_UPSTREAM_FLUXCTL:-}; do
		got=$(FLUX_URL=http://127.0.0.1:$port$api FLUX_SERVICE_TOKEN=$3 "$client" identity 2>&1) || got+=" ($?)"
		t_like "$got" "$2" "$1 ($(basename "$(dirname "$client")"))"
	done
}

begin
is_ready() { [ "$(status GET /readyz)" = 200 ]; }
t_wait "the daemon is ready" 30 is_ready
# ---- what is asked for it, and what is not
while read -r method path want body; do
	t_is "$(status "$method" "$path" 'Scope-Probe token=wrong' ${body:+"$body"})" "$want" "$method $path with a wrong token is $want"
	# shellcheck disable=SC2046
	t_is "$(fluxd_curl -o /dev/null -w '%{http_code}' $(method "$method") ${body:+--data-binary "$body"} "$(fluxd_url)$path")" \
		"$want" "$method $path without one, too"
done <<-TXT
	GET $api/v11/ping 204
	GET $api/v6/identity.pub 200
	GET /healthz 200
	GET /readyz 200
	GET $api/v11/version 401
	POST $api/v6/identity.pub 401
	GET $api/v6/services 401
	GET $api/v11/services 401
	GET $api/v6/images 401
	GET $api/v10/images 401
	GET $api/v6/export 401
	HEAD $api/v6/export 401
	GET $api/v6/jobs?id=x 401
	GET $api/v6/sync?ref=HEAD 401
	GET $api/v12/sandbox 401
	GET $api/v12/sync-errors 401
	GET /metrics 401
	POST $api/v11/notify 401 {"Kind":"git","Source":{}}
	POST $api/v9/update-manifests 401 {"type":"sync","spec":{}}
	POST $api/v9/git-repo-config 401 false
	POST $api/v6/update-images?service=a:b/c&image=a:1&kind=plan 401
	PATCH $api/v6/policies 401 {}
	GET $api/v6/nothing 404
	GET $api/v5/services 410
	GET /nothing 404
TXT
t_is "$(api_post $api/v9/update-manifests '{"type":"sync","spec":{}}' 2>/dev/null | grep -c authentication)" 1 "an update without it says why"
t_is "$(status GET $api/v11/version "Scope-Probe token=$first")" 200 "the token as fluxctl sends it"
t_is "$(status GET $api/v11/version "Bearer $first")" 200 "as others do"
t_is "$(status GET /metrics "Bearer $first")" 200 "as Prometheus does"
t_is "$(status GET $api/v11/version "Bearer ${first}x")" 401 "one byte more"
t_is "$(status GET $api/v11/version "Bearer ${first%?}")" 401 "one byte less"
t_is "$(status GET $api/v11/version "Basic $first")" 401 "another way"
t_like "$(cat "$T_DIR/head")" 'WWW-Authenticate: Scope-Probe' "which is told"
fluxd_curl -H 'Accept: application/json' "http://127.0.0.1:$port$api/v11/version" >"$T_DIR/body"
t_like "$(cat "$T_DIR/body")" '^\{"type":"user","help":"The request failed authentication.*","error":"authentication failed"\}$' \
	"an error has the shape of others"
says "who shows the token" "^ssh-ed25519 " "$first"
says "who shows another" "== Error ==.*authentication.*FLUX_SERVICE_TOKEN.*\(1\)$" wrong-wrong-wrong
says "who shows none" "== Error ==.*authentication.*\(1\)$" ""
t_like "$(FLUX_URL=http://127.0.0.1:$port$api "$FLUXCTL" --token "$first" sync 2>&1)" 'Done\.$' "by the flag: sync"
t_like "$(FLUX_URL=unix://$T_DIR/fluxd.sock "$FLUXCTL" identity)" '^ssh-ed25519 ' "by the Unix socket the kernel says who it is"
holds() { FLUX_URL=unix://$T_DIR/fluxd.sock "$FLUXCTL" sandbox -o json | jq -r ".[] | select(.role == \"$1\") | .holds"; }
t_is "$(holds api)" "token of clients" "the process table says who has it"

# ---- another one
echo "$second" >"$T_DIR/token.new"
mv "$T_DIR/token.new" "$T_DIR/token"
is_taken() { [ "$(status GET $api/v11/version "Bearer $second")" = 200 ]; }
t_wait "a new one counts as soon as it is shown" 30 is_taken
t_is "$(status GET $api/v11/version "Bearer $first")" 401 "and the old one no more"
third=0123456789abcdef-third
status GET $api/v11/version "Bearer wrong" >/dev/null # the file has just been read
echo "$third" >"$T_DIR/token.new"
mv "$T_DIR/token.new" "$T_DIR/token"
kill -HUP "$FLUXD_PID"
is_over() { [ "$(status GET $api/v11/version "Bearer $second")" = 401 ]; }
t_wait "on SIGHUP the old one counts no more, whoever shows what" 30 is_over
t_is "$(status GET $api/v11/version "Bearer $third")" 200 "but the new one"
second=$third
sleeps() { [ "$(status GET $api/v11/version "Bearer $first")" = 401 ] && fluxd_logged 'cannot be used.*still counts'; }
echo short >"$T_DIR/token"
t_wait "a file with none is complained about" 30 sleeps
t_is "$(status GET $api/v11/version "Bearer $second")" 200 "and changes nothing"
t_is "$(status GET $api/v11/version "Bearer short")" 401 "it lets nobody in"
rm "$T_DIR/token"
fluxd_logged_gone() { status GET $api/v11/version "Bearer $first" >/dev/null; fluxd_logged 'cannot be used.*why=.*[Nn]o such file'; }
t_wait "so is one that is gone" 30 fluxd_logged_gone
t_is "$(status GET $api/v11/version "Bearer $second")" 200 "which changes nothing"
t_is "$(grep -cF -e "$first" -e "$second" "$FLUXD_LOG" || true)" 0 "no token is in the log"
fluxd_stop
t_is "$FLUXD_STATUS" 0 "it ends well"

# ---- at the start
fluxd_launch --listen-token-file="$T_DIR/token" --listen="127.0.0.1:$port"
t_wait "without the file it does not start" 30 fluxd_dead
fluxd_stop || true
t_is "$FLUXD_STATUS" 1 "but ends with 1"
t_like "$(tail -n 1 "$FLUXD_LOG")" "listen-token-file: stat .*No such file" "and says why"
echo short >"$T_DIR/token"
begin --listen-metrics="127.0.0.1:$metrics"
t_is "$(status GET $api/v11/version "Bearer short")" 401 "with one that has none nobody is let in"
t_is "$(status GET $api/v11/ping)" 204 "but probes"
t_is "$(fluxd_curl -o /dev/null -w '%{http_code}' "http://127.0.0.1:$metrics/metrics")" 200 "a listener for metrics alone is open"
t_wait "it is logged" 30 fluxd_logged 'cannot be used.*nobody is let in'
echo "$second" >"$T_DIR/token"
t_wait "until there is one" 30 is_taken
FLUXD_LISTEN=unix:$T_DIR/fluxd.sock
t_done
