#!/usr/bin/env bash
# A74: whoever the text in a log record comes from, it does not end the record,
# does not begin another and does not move a terminal.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
bed_require api ssh

bed_mine log
path=$(repo_path "$repo")

# What each source says: the end of a line and a forged record, a field, a clear
# screen (ESC and CSI in eight bits), BEL, DEL, text turned around.
evil=$'\r\nts=2026-01-01T00:00:00Z caller=x.c:1 forged=yes \e[2J\xc2\x9b2J\x07\x7f\xe2\x80\xae\xe2\x80\xa8 "forged=yes'
yaml_evil='\r\nts=2026-01-01T00:00:00Z caller=x.c:1 forged=yes \e[2J\x9b2J\a\x7f\u202e\u2028 \"forged=yes'
json_evil='\r\nts=2026-01-01T00:00:00Z caller=x.c:1 forged=yes \u001b[2J\u009b2J\u0007\u007f\u202e\u2028 \"forged=yes'
url_evil='%0d%0ats=2026-01-01T00:00:00Z%20caller=x.c:1%20forged=yes%20%1b[2J%c2%9b2J%07%7f%e2%80%ae%22forged=yes'

last=
commit() { # SUBJECT
	bed_git -C "$work" add -A
	bed_git -C "$work" commit -q --allow-empty --author="$1 <x@example.com>" -m "$1"
	last=$(bed_git -C "$work" rev-parse HEAD)
	repo_push "$work"
}
clean() { find "$work" -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +; }

through_a_repository() {
	local mark
	say() { # WHAT [REGEX]: commit, and wait until the daemon has said something about it
		mark=$(log_mark)
		commit "subject-evil$evil"
		notify
		wait_for 60 logged_since "$mark" "${2:- err=|\"err\":|state\":\"tag|state=\"tag}" || t_diag "silent: $1"
	}
	clean
	printf 'a: [1\n' >"$work/filename-evil${evil//\//_}.yaml"
	say "file name" filename-evil
	clean
	printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "resource-evil%s", namespace: %s}\n' "$yaml_evil" "$ns" >"$work/a.yaml"
	say "resource name" resource-evil
	printf 'apiVersion: v1\nkind: "kind-evil%s"\nmetadata: {name: a, namespace: %s}\n' "$yaml_evil" "$ns" >"$work/a.yaml"
	say "kind"
	printf 'apiVersion: "v1"\nkind: ConfigMap\nmetadata: {name: a, namespace: "namespace-evil%s"}\n' "$yaml_evil" >"$work/a.yaml"
	say "namespace" namespace-evil
	printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, namespace: %s}\ndata: {"datakey-evil%s": "x"}\n' "$ns" "$yaml_evil" >"$work/a.yaml"
	say "a text that the API server repeats" datakey-evil
	printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: %s}\ndata: *alias-evil%s\n' "$ns" "$evil" >"$work/a.yaml"
	say "a text that the parser repeats"
	printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: d, namespace: %s}\n' "$ns" | tee "$work/dup1-evil${evil//\//_}.yaml" >"$work/a.yaml"
	say "two files of one object" dup1-evil
	clean
	configmap "$work" good "$ns" "$RANDOM"
	say "a commit's subject and author"
}

through_clients() {
	local id
	api_post /api/flux/v11/notify "{\"Kind\":\"git\",\"Source\":{\"URL\":\"notify-evil$json_evil\",\"Branch\":\"branch-evil$json_evil\"}}" >/dev/null || true
	api_post /api/flux/v11/notify "{\"Kind\":\"image\",\"Source\":{\"Name\":{\"Domain\":\"d\",\"Image\":\"image-evil$json_evil\"}}}" >/dev/null || true
	api_post /api/flux/v9/update-manifests "{\"type\":\"sync\",\"cause\":{\"Message\":\"message-evil$json_evil\",\"User\":\"user-evil$json_evil\"},\"spec\":{}}" >/dev/null || true
	api_post /api/flux/v9/update-manifests "{\"type\":\"type-evil$json_evil\",\"cause\":{},\"spec\":{}}" >/dev/null || true
	for id in v6/jobs?id v6/sync?ref v11/services?namespace v10/images?service; do
		api_get "/api/flux/$id=query-evil$url_evil" >/dev/null || true
	done
	fluxd_curl -o /dev/null -A "agent-evil"$'\e[2J' -X "METHOD" "$(fluxd_url)/path-evil$url_evil" || true
	printf 'GET /raw-evil\x1b[2J\x07 HTTP/1.1\r\nHost: x\x1b\r\n\r\n' |
		timeout 60 "$python" -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(sys.stdin.buffer.read())
s.recv(4096)' "${FLUXD_LISTEN#unix:}" || true
}

# the check itself, over what it is to find
printf 'ts=1 caller=a err="a\033[2J"\nts=1 caller=a err=a forged=yes\nforged=yes\nts=1 caller=a err="\342\200\256"\nts=1 caller=a "b\n' >"$T_DIR/bad.log"
t_is "$("$python" "$attack_dir/logcheck.py" fmt "$T_DIR/bad.log" forged | cut -d' ' -f2 | sort -u | tr '\n' ' ')" \
	"1 2 3 4 5 " "the check finds what is wrong (control)"

for form in fmt json; do
	FLUXD_LOG=$T_DIR/$form.log
	: >"$FLUXD_LOG"
	clean
	configmap "$work" good "$ns" "$form"
	commit "First"
	fluxd_start --git-url="$url" --git-poll-interval=1h --sync-interval=1h --log-format=$form --log-level=debug
	t_wait "$form: the repository is in sync" 60 tag_is "$repo" "$last"
	through_a_repository
	through_clients 2>/dev/null
	t_wait "$form: the last commit arrives" 60 tag_is "$repo" "$last"
	fluxd_stop
	t_is "$("$python" "$attack_dir/logcheck.py" $form "$FLUXD_LOG" forged | head -20)" "" \
		"A74: every record in the log is the daemon's own ($form)"
	sources=$(grep -oE '[a-z0-9]+-evil' "$FLUXD_LOG" | sort -u | tr '\n' ' ')
	t_diag "in the log, escaped: $sources"
	for source in filename resource namespace datakey dup1; do
		t_like " $sources" " $source-evil " "$form: what $source says is shown (control)"
	done
done
t_done
