#!/usr/bin/env bash
# Nothing is lost: workers, launcher and master are killed at random while
# commits arrive and clients ask for syncs; afterwards cluster, tag and every
# job that was answered are as in an undisturbed run, and nothing is left over.
# FLUXD_KILLS says how many kills, FLUXD_SEED repeats a run's choices.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
bed_require api ssh
kills=${FLUXD_KILLS:-200}
seed=${FLUXD_SEED:-$RANDOM}
RANDOM=$seed

bed_mine kills
lag_start

objects=20
write() { # ROUND
	local i
	for i in $(seq $objects); do
		configmap "$work" "c$i" "$ns" "$1"
	done
}
start() {
	fluxd_start --git-url="$url" --git-poll-interval=1s --sync-interval=2s "$@" &&
		disown "$FLUXD_PID" # so that bash does not comment on its end
}
# born_at PID: when the process began, into `born`; with its number that is a name
# for it which no later one has.  Fails if there is none.
born_at() {
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return
	read -ra stat <<<"${stat##*) }"
	born=${stat[19]}
}
# The daemon's processes: launcher, then what it started; all that ever were in
# `seen`.  One of them, launch-net, takes all of it with it.
declare -A seen
launcher= workers=()
find_victims() {
	local pid
	launcher=$(children_of "$FLUXD_PID")
	launcher=${launcher%% *}
	read -ra workers <<<"$(children_of "$launcher")"
	for pid in $FLUXD_PID $launcher "${workers[@]}"; do
		! born_at "$pid" || seen["$pid $born"]=1
	done
}
# Until any time, or until the daemon says that it has done something.
pause() {
	local size n
	if [ $((RANDOM % 2)) -eq 0 ]; then
		read -rt "0.$((RANDOM % 3))$((RANDOM % 10))" <> <(:) || true
		return
	fi
	size=$(log_mark)
	for n in {1..40}; do
		read -rt 0.02 <> <(:) || true
		[ "$(log_mark)" -eq "$size" ] || break
	done
	: "$n"
}
kill_one() { # PID
	kill -KILL "$1" 2>/dev/null || true
	done_kills=$((done_kills + 1))
}

jobs=()
hung=0
ask_sync() {
	local id status=0
	id=$(fluxd_curl --max-time 20 --data-binary '{"type":"sync","cause":{"Message":"","User":""},"spec":{}}' \
		"$(fluxd_url)/api/flux/v9/update-manifests" 2>/dev/null) || status=$?
	[ "$status" != 28 ] || hung=$((hung + 1))
	id=${id//\"/}
	[[ ! $id =~ ^[0-9a-f]{8}-[0-9a-f-]{27}$ ]] || jobs+=("$id")
}

job_status() {
	api_get "/api/flux/v6/jobs?id=$1" 2>/dev/null | jq -r '.StatusString + " " + .Err' 2>/dev/null ||
		echo unknown
}
job_ended() { [[ $(job_status "$1") =~ ^(succeeded|failed) ]]; }
# Those not looked at yet; before there are so many that the daemon, which
# remembers a hundred, has forgotten one.
looked_at=0 bad=
look_at_jobs() {
	local id said
	for id in "${jobs[@]:looked_at}"; do
		wait_for 60 job_ended "$id" || true
		said=$(job_status "$id")
		[ "$said" = 'succeeded ' ] || bad+="$id: $said"$'\n'
	done
	looked_at=${#jobs[@]}
}

# ---- the disturbed run
write 0
repo_commit_all "$work" 0 >/dev/null
repo_push "$work"
start
done_kills=0 round=0 lives=0
# until enough of them came in the middle of something; how many do is chance
passes=0 broken=0
count_broken() {
	passes=$(grep -c 'info=applied' "$FLUXD_LOG" || true)
	broken=$(grep -cE 'component=sync-loop err=' "$FLUXD_LOG" || true)
}
enough() { [ $((passes * 40)) -gt "$kills" ] && [ $((broken * 40)) -gt "$kills" ]; }
while [ "$done_kills" -lt "$kills" ] || { ! enough && [ "$done_kills" -lt $((3 * kills)) ]; }; do
	if ! fluxd_alive; then
		FLUXD_PID=
		start
	fi
	[ $((${#jobs[@]} - looked_at)) -lt 30 ] || look_at_jobs
	lives=$((lives + 1))
	for i in 1 2 3 4 5 6 7 8 9; do
		if [ $((i % 3)) -eq 1 ]; then
			round=$((round + 1))
			write "$round"
			last=$(repo_commit_all "$work" "$round")
			repo_push "$work"
			ask_sync
		fi
		pause
		fluxd_alive || break
		find_victims
		[ ${#workers[@]} -eq 0 ] || kill_one "${workers[RANDOM % ${#workers[@]}]}"
	done
	# now and then all of it
	find_victims
	if [ $((RANDOM % 2)) -eq 0 ] && fluxd_alive; then kill_one "$FLUXD_PID"; else kill_one "$launcher"; fi
	must 30 fluxd_dead
	count_broken
done
t_diag "$done_kills kills, $lives of them of all, ${#seen[@]} processes, $round commits, ${#jobs[@]} jobs" \
	"answered, $passes syncs that ended, $broken steps broken off; FLUXD_SEED=$seed"
t_run "kills came in the middle of syncs that would have ended" enough
if ! fluxd_alive; then
	FLUXD_PID=
	start
fi
t_wait "the tag reaches the last commit" 90 tag_is "$repo" "$last"
t_is "$hung" 0 "no request was left without an answer"

look_at_jobs
t_isnt "${#jobs[@]}" 0 "there were jobs"
t_is "$bad" "" "every job that was answered succeeded, and clients can see it"
restarts=$("$python" "$attack_dir/restarts.py" "$FLUXD_LOG" "$T_DIR/lag")
t_diag "first restarts of a worker, the machine's lag aside: $restarts"
# 100 ms are promised; the machine may be busy
t_like "$restarts" 'median ([0-9]|[0-9][0-9]|[1-4][0-9][0-9]) ms' "killed workers are back at once"

# What one can see of the objects, but for what the server numbers and dates.
objects_now() {
	kubectl -n "$ns" get configmaps -o json --show-managed-fields | jq -S '[.items[]
		| del(.metadata.uid, .metadata.resourceVersion, .metadata.creationTimestamp)
		| .metadata.managedFields |= map(del(.time))]'
}
refs_now() {
	git -C "$(repo_path "$repo")" for-each-ref --format='%(refname) %(*objectname) %(objecttype)' | sort
}
all_current() {
	[ "$(kubectl -n "$ns" get configmaps -o json | jq -c '[.items[].data.value]|group_by(.)|map([.[0],length])')" = "[[\"$round\",$objects]]" ]
}
t_wait "every object holds the last commit's content" 60 all_current
objects_now >"$T_DIR/objects.disturbed"
refs_now >"$T_DIR/refs.disturbed"

# ---- what it leaves behind
find_victims
kill -TERM "$FLUXD_PID"
t_wait "the last daemon ends" 30 fluxd_dead
FLUXD_PID=
survivors() {
	local process pid
	for process in "${!seen[@]}"; do
		pid=${process% *}
		born_at "$pid" && [ "$process" = "$pid $born" ] || continue
		[[ ! $(readlink "/proc/$pid/exe" 2>/dev/null) =~ /(lt-)?fluxd(-[a-z]+)?$ ]] || echo "$pid"
	done
}
none_survive() { [ -z "$(survivors)" ]; }
t_wait "no process outlived its daemon" 30 none_survive
rubbish_in() { find "$1" \( -name '*.lock' -o -name 'tmp_*' -o -name '*.tmp' \) -printf '%P\n'; }
t_is "$(rubbish_in "$FLUXD_STATE")" "" "no rubbish is left in the state directory"
# The server's processes take away what they have begun, a push in its quarantine
# (tmp_objdir-*) or the lock of a ref, when they notice that their client was killed.
server_done() { [ -z "$(find /proc -maxdepth 2 -name cwd -lname "$(repo_path "$repo")*" 2>/dev/null)" ]; }
t_wait "the server has noticed that clients were killed" 60 server_done
# A push whose client goes while it is being unpacked may leave its quarantine, which
# git's own housekeeping, off in the bed, takes away.
git -C "$(repo_path "$repo")" prune --expire=now
t_is "$(rubbish_in "$(repo_path "$repo")")" "" "no lock has outlived its process there, and nothing that git does not clear itself"
t_is "$(git -c safe.directory='*' -C "$FLUXD_STATE"/mirror/repository.git fsck --connectivity-only 2>&1 | grep -v '^dangling\|^notice' || true)" "" \
	"the mirror is whole"

# ---- the undisturbed run
kubectl -n "$ns" delete configmaps --all >/dev/null
git -C "$(repo_path "$repo")" update-ref -d refs/tags/flux-sync
FLUXD_HOME='' FLUXD_LOG=$T_DIR/undisturbed.log
T_DIR_kept=$T_DIR
T_DIR=$T_DIR/undisturbed
mkdir "$T_DIR"
start
t_wait "an undisturbed daemon comes as far" 60 tag_is "$repo" "$last"
objects_now >"$T_DIR/objects"
refs_now >"$T_DIR/refs"
kill -TERM "$FLUXD_PID"
must 30 fluxd_dead
FLUXD_PID=
t_run "the objects of both runs are the same" diff "$T_DIR_kept/objects.disturbed" "$T_DIR/objects"
t_run "the refs of both runs are the same" diff "$T_DIR_kept/refs.disturbed" "$T_DIR/refs"
T_DIR=$T_DIR_kept
t_done
