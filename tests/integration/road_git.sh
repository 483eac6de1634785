#!/usr/bin/env bash
# The road again, from the other kinds of repositories: over https, from a path
# and from a file:// URL.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
bed_require api ssh https

ns=$(bed_namespace roadgit)
repo=roadgit-$$
bed_new_repo "$repo"
path=$(repo_path "$repo")
work=$T_DIR/work
repo_clone "$path" "$work"

configmap() { # NAME TEXT
	cat >"$work/$1.yaml" <<-YAML
		apiVersion: v1
		kind: ConfigMap
		metadata:
		  name: $1
		  namespace: $ns
		data:
		  text: "$2"
	YAML
}
shows() { [ "$(kubectl -n "$ns" get configmap "$1" -o 'jsonpath={.data.text}' 2>/dev/null)" = "$2" ]; }
tag_is() { [ "$(repo_ref "$repo" 'refs/tags/flux-sync^{commit}')" = "$1" ]; }

for url in "$(repo_url_https "$repo")" "$path" "file://$path"; do
	what=${url%%:*}
	[[ $url != /* ]] || what=path
	configmap "$what" one
	first=$(repo_commit_all "$work" "For $what")
	repo_push "$work"
	SSL_CERT_FILE=$BED_GIT_HTTPS_CA fluxd_start --git-url="$url" --git-poll-interval=1h \
		--sync-interval=1h --state-dir="$T_DIR/state-$what"
	t_wait "$what: a commit reaches the cluster" 30 shows "$what" one
	t_wait "$what: the sync tag moves to it" 30 tag_is "$first"
	configmap "$what" two
	second=$(repo_commit_all "$work" "More for $what")
	repo_push "$work"
	t_run "$what: fluxctl sync ends well" ctl sync
	t_wait "$what: the change is in the cluster" 30 shows "$what" two
	t_wait "$what: the tag follows" 30 tag_is "$second"
	if [ "$what" = https ]; then
		t_is "$(ctl identity 2>&1)" "" "https: there is no deploy key"
	else
		t_is "$(ctl identity | cut -d' ' -f1,2)" "$(cut -d' ' -f1,2 "$BED_SSH_KEY.pub")" \
			"$what: there is a deploy key, as upstream has it"
	fi
	fluxd_stop
	t_is "$FLUXD_STATUS" 0 "$what: it ends with status 0"
done
for url in git://127.0.0.1/x ftp://127.0.0.1/x relative/path 'ext::sh -c x'; do
	fluxd_launch --git-url="$url"
	fluxd_wait 30 || true
	t_is "$FLUXD_STATUS" 1 "$url: it does not start"
done
t_like "$(tail -n 12 "$FLUXD_LOG")" 'git URL: git is not supported; use ssh, https, http, file' "and says why"
t_is "$(grep -c "$BED_GIT_HTTPS_PASSWORD" "$FLUXD_LOG" || true)" 0 "the password is not in the log"
t_done
