#!/usr/bin/env bash
# The ways to the service of --connect: TLS, and the environment's proxy.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
bed_require api ssh
python=$(command -v python3) || t_skip_all "needs python3"
bed_mine evways

port=$(bed port "${FLUXD_BED:-$bed_own}" "evways-$$")
lists=$T_DIR/service
pki=$(dirname "$BED_API_CA")
openssl req -newkey rsa:2048 -nodes -subj /CN=service.test -keyout "$T_DIR/key" -out "$T_DIR/csr" 2>/dev/null
openssl x509 -req -in "$T_DIR/csr" -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -days 2 -out "$T_DIR/crt" \
	-extfile <(echo subjectAltName=DNS:service.test,IP:127.0.0.1) 2>/dev/null
service=
service_start() { # [CERT KEY]
	rm -rf "$lists" && mkdir "$lists"
	"$python" "$FX_SRCDIR/tests/integration/service.py" "$port" "$lists" "$@" &
	service=$!
}
service_stop() {
	[ -n "$service" ] || return 0
	kill "$service"
	wait "$service" 2>/dev/null || true
	service=
}
at_exit service_stop
came() { [ -s "$lists/events" ]; }
logged() { grep -qE "$1" "$FLUXD_LOG"; }
n=0
run() { # URL
	n=$((n + 1))
	printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: %s}\ndata: {text: "%s"}\n' \
		"$ns" "$n" >"$work/c.yaml"
	last=$(repo_commit_all "$work" "Number $n")
	repo_push "$work"
	FLUXD_LOG=$T_DIR/log.$n
	fluxd_start --git-url="$url" --git-poll-interval=1h --connect="$1" --token=sesame
}
log_has() { grep -cF -- "$1" "$FLUXD_LOG" || true; }

service_start "$T_DIR/crt" "$T_DIR/key"
SSL_CERT_FILE=$pki/ca.crt run "wss://127.0.0.1:$port/x"
t_wait "by TLS, from an authority of SSL_CERT_FILE" 60 came
t_like "$(cat "$lists/heads")" '^POST /x/v6/events HTTP' "to the path below the base"
fluxd_stop
rm "$lists/events"
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=other -keyout "$T_DIR/k2" -out "$T_DIR/other" 2>/dev/null
SSL_CERT_FILE=$T_DIR/other run "https://127.0.0.1:$port/x"
t_wait "an unknown authority is refused" 60 logged 'component=upstream err="SSL .*certificate.*" event='
fluxd_stop
run "https://localhost:$port/x"
t_wait "so is another name, and no authority at all" 60 logged 'component=upstream err="SSL .*" event='
t_run_fails "and nothing was sent" test -e "$lists/events"
fluxd_stop

# a name that only the proxy knows
unset no_proxy NO_PROXY
HTTPS_PROXY=http://fritz:geheim%21@127.0.0.1:$port SSL_CERT_FILE=$pki/ca.crt run "https://service.test/x"
t_wait "through the environment's proxy by TLS" 60 came
t_like "$(cat "$lists/proxied")" '^CONNECT service.test:443 HTTP/1.1' "which is asked for a tunnel"
t_like "$(cat "$lists/proxied")" "Proxy-Authorization: Basic $(printf 'fritz:geheim!' | base64)" "with its password"
t_unlike "$(cat "$lists/proxied")" sesame "and not shown the token"
t_like "$(cat "$lists/heads")" 'Authorization: Scope-Probe token=sesame' "which the service gets"
t_unlike "$(cat "$lists/heads")" Proxy-Authorization "but not the proxy's password"
t_is "$(log_has geheim)" 0 "which is in no log"
t_unlike "$(tr '\0' ' ' <"/proc/$FLUXD_PID/environ")" geheim "and in no environment any more"
fluxd_stop
service_stop
service_start
HTTP_PROXY=127.0.0.1:$port run "ws://service.test/x"
t_wait "through the proxy without TLS" 60 came
t_like "$(cat "$lists/heads")" '^POST http://service.test(:80)?/x/v6/events HTTP' "which is told the whole URL"
fluxd_stop
rm "$lists/events"
HTTP_PROXY=127.0.0.1:1 NO_PROXY=127.0.0.0/8 run "ws://127.0.0.1:$port/x"
t_wait "without it where it is not for" 60 came
fluxd_stop

refused() { # NAME REGEX URL [TOKEN]
	FLUXD_LOG=$T_DIR/refused
	: >"$FLUXD_LOG"
	fluxd_launch --git-url="$url" --connect="$3" ${4+--token="$4"}
	fluxd_wait 60 || true
	t_is "$FLUXD_STATUS" 1 "$1 ends the start"
	t_like "$(cat "$FLUXD_LOG")" "$2" "and is said"
}
refused "another scheme" 'err="inferring WS/HTTP endpoints: unsupported scheme ftp"' ftp://x
refused "a password in the URL" 'no user and no password can stand in the URL' http://a:geheim@x
t_is "$(log_has geheim)" 0 "without it"
refused "a token with a line break" 'err="--token: too long, or a character' http://x $'a\r\nb'
HTTPS_PROXY=socks5://x refused "a proxy of another kind" 'proxy of the environment is none of HTTP' https://x
t_done
