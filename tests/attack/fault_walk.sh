#!/usr/bin/env bash
# Any call of the sync path fails: in each life of the daemon one call of every
# worker does, or one of the master (faults.c), and a commit is pushed meanwhile.
# Whatever failed, cluster and tag get there by themselves, and the daemon ends in
# peace; a master that could not go on is started again, once.
# FLUXD_FAULTS says how many lives, FLUXD_SEED which calls; with FLUXD_FAULTS=all
# they fail in turn (of many calls of one kind, a hundred), which takes long:
# FLUXD_WALK=FROM-TO does a part of it, from the life FROM to the one before TO.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
! is_test_build || t_cannot_all "the shim and the sanitizers are in each other's way"
bed_require api ssh
lives=${FLUXD_FAULTS:-12}
seed=${FLUXD_SEED:-1}

bed_mine faultwalk

names=(master launcher net key git-remote git-local manifest sync api) # as in roles.def

libexec=$T_DIR/libexec
mkdir -p "$libexec/real"
chmod 777 "$libexec" # who starts the connector takes its fault away, too
ln -s "$FX_BUILDDIR"/fluxd-* "$libexec/real/"
ln -s "$FX_BUILDDIR/fluxd-launch" "$FX_BUILDDIR/tests/attack/faults.so" "$libexec/"
for program in net key git manifest sync api; do
	ln -s "$FX_BUILDDIR/tests/attack/faulty" "$libexec/fluxd-$program"
done

# The master is given its fault by its environment.
cat >"$T_DIR/fluxd-faulty" <<-SH
	#!/bin/sh
	fault="0 \$(cat '$libexec/fault.0' 2>/dev/null)"
	rm -f '$libexec/fault.0'
	exec env LD_PRELOAD='$libexec/faults.so' FX_FAULT="\$fault" '$FLUXD' "\$@"
SH
chmod 755 "$T_DIR/fluxd-faulty"
FLUXD=$T_DIR/fluxd-faulty

launch() {
	fluxd_launch --git-url="$url" --git-poll-interval=2s --sync-interval=2s --libexec-dir="$libexec"
}
# A master that its fault has ended is started again, once.
may_begin_again() {
	[ "$again" = 0 ] && grep -q '^fault 0 ' "$FLUXD_LOG"
}
# Is it there?
arrived() { # VALUE
	if fluxd_dead && may_begin_again; then
		again=1
		fluxd_reap
		launch
	fi
	tag_is "$repo" "$last" && value_is "$ns" c "$1"
}
# A question that was lost inside a library is asked again when its time is up;
# a daemon that has ended for good need not be waited for.
patience=75
arrives() { # VALUE
	wait_for $patience arrived_or_ended "$1" && arrived "$1"
}
arrived_or_ended() {
	arrived "$1" || { fluxd_dead && ! may_begin_again; }
}
# live NAME: a life of the daemon from an empty state directory on, two commits
# long, with the faults that lie there.
live() {
	local value=$1-$RANDOM
	FLUXD_LOG=$T_DIR/$1.log again=0
	: >"$FLUXD_LOG"
	rm -rf "$FLUXD_STATE"
	mkdir "$FLUXD_STATE"
	commit "$value-one"
	launch
	arrives "$value-one" || { echo "the first commit does not arrive"; return 1; }
	commit "$value-two"
	notify || true
	arrives "$value-two" || { echo "the second commit does not arrive"; return 1; }
	fluxd_stop || [ "$again" = 1 ] || { echo "it ends with $FLUXD_STATUS"; return 1; }
}

FLUXD_HOME=$T_DIR/home FLUXD_STATE=$T_DIR/state
mkdir -p "$FLUXD_HOME/.ssh" "$FLUXD_STATE"
cp "$BED_KNOWN_HOSTS" "$FLUXD_HOME/.ssh/known_hosts"
at_exit fluxd_kill

# ---- how many calls there are: a control, too
live count >"$T_DIR/said" || { t_fail "without a fault all is well" "$(cat "$T_DIR/said")"; t_done; }
t_ok "without a fault all is well"
grep '^count ' "$FLUXD_LOG" | sort -u -k2,3 >"$T_DIR/counts"

# points ROLE: the faults of its turns, "CALL N", a line each
points() {
	local kinds kind n i
	RANDOM=$((seed + $1)) # of this subshell
	mapfile -t kinds < <(awk -v role="$1" '$2 == role { print $3, $4 }' "$T_DIR/counts")
	for ((i = 0; i < (lives == 0 ? ${#kinds[@]} : lives); i++)); do
		read -r kind n <<<"${kinds[$((i % ${#kinds[@]}))]}"
		if [ "$lives" = 0 ]; then
			seq -f "$kind %.0f" 1 "$((n < 100 ? 1 : n / 100))" "$n"
		else
			echo "$kind $(((RANDOM * 32768 + RANDOM) % n + 1))"
		fi
	done
}
workers=(2 3 4 5 6 7 8)
declare -A of turns # of[TURN,ROLE]: the fault; turns[ROLE]: how many
[ "$lives" != all ] || lives=0
for role in 0 "${workers[@]}"; do
	grep -q "^count $role " "$T_DIR/counts"
	turns[$role]=0
	while read -r point; do
		of[${turns[$role]},$role]=$point
		turns[$role]=$((turns[$role] + 1))
	done < <(points "$role")
done
if [ "$lives" = 0 ]; then
	lives=$((turns[0] * 4))
	for role in "${workers[@]}"; do
		[ $((turns[$role] * 4 / 3 + 1)) -lt "$lives" ] || lives=$((turns[$role] * 4 / 3 + 1))
	done
fi
first=0 until=$lives
if [ -n "${FLUXD_WALK:-}" ]; then
	first=${FLUXD_WALK%-*} until=${FLUXD_WALK#*-}
	[ "$until" -le "$lives" ] || until=$lives
fi

# ---- the walk; every fourth life is the master's
bad='' lived=0 armed=0 fired=0 ended=0 slowest=0 slowest_what=
for ((life = first; life < until; life++)); do
	victims=("${workers[@]}") turn=$((life - life / 4)) what=
	[ $((life % 4)) != 3 ] || victims=(0) turn=$((life / 4))
	for role in "${victims[@]}"; do
		[ -n "${of[$turn,$role]:-}" ] || continue
		echo "${of[$turn,$role]}" >"$libexec/fault.$role"
		what+=" ${names[$role]}: ${of[$turn,$role]};"
		armed=$((armed + 1))
	done
	[ -n "$what" ] || continue
	lived=$((lived + 1))
	began=$(now_us)
	if ! live "life-$life" >"$T_DIR/said"; then
		bad+="$(cat "$T_DIR/said"):$what"$'\n'
		t_diag "life $life: $(cat "$T_DIR/said"):$what
$(tail -n 20 "$FLUXD_LOG")"
	fi
	took=$((($(now_us) - began) / 1000))
	[ $took -lt $slowest ] || slowest=$took slowest_what=$what
	fluxd_kill
	rm -f "$libexec"/fault.*
	fired=$((fired + $(grep -c '^fault ' "$FLUXD_LOG" || true)))
	ended=$((ended + $(grep -c 'worker ended' "$FLUXD_LOG" || true)))
	[ -n "${BED_KEEP:-}" ] || rm -f "$FLUXD_LOG"
	[ $((life % 50)) != 49 ] || t_diag "$((life + 1)) of $lives lives"
done
t_diag "lives $first to $((until - 1)) of $lives, $lived of them with faults, $fired of $armed calls failed, $ended workers that ended; FLUXD_SEED=$seed"
t_diag "the slowest took $slowest ms:$slowest_what"
t_is "$bad" "" "whatever fails, cluster and tag get there"
# a call that was the last one of its kind when they were counted may not come
t_is "$((lived > 0 && fired * 2 >= armed))" 1 "and most of it did fail (control)"
t_done
