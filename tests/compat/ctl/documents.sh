#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The completions say what fluxctl's table of commands says.
set -euo pipefail
src=${FX_SRCDIR:-.}
fluxctl=${FLUXCTL:-${FX_BUILDDIR:-.}/src/fluxctl/fluxctl}
count=0 failed=0

# ok NAME STATUS: one line of TAP
ok() {
	count=$((count + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $count - $1"
	else
		failed=1
		echo "not ok $count - $1"
	fi
}

# same NAME GOT WANT
same() {
	local r=0
	if [ "$2" != "$3" ]; then
		r=1
		printf '# got  %q\n# want %q\n' "$2" "$3"
	fi
	ok "$1" $r
}

# Lines as one line of words.
words() {
	tr '\n' ' ' | sed 's/ $//'
}

# The names of the commands, and of the flags of one (none: of fluxctl).
commands() {
	"$fluxctl" --help |
		sed -n '/^Available Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'
}
flags() {
	"$fluxctl" "$@" --help | sed -n 's/^  \(-.\|  \)[, ] --\([a-z0-9-]*\).*/\2/p'
}

for file in bash/fluxctl fish/fluxctl.fish zsh/_fluxctl; do
	r=0
	"$fluxctl" completion "${file%%/*}" |
		diff -u "$src/contrib/completion/$file" - | sed 's/^/# /' || r=1
	ok "contrib/completion/$file is what fluxctl prints" $r
done

for shell in bash zsh fish; do
	if ! command -v $shell >/dev/null; then
		count=$((count + 1))
		echo "ok $count - $shell reads its script # SKIP no $shell"
		continue
	fi
	r=0
	"$fluxctl" completion $shell >"${TMPDIR:-/tmp}/ctl.$$"
	$shell -n "${TMPDIR:-/tmp}/ctl.$$" || r=1
	rm -f "${TMPDIR:-/tmp}/ctl.$$"
	ok "$shell reads its script" $r
done

# complete WORD...: what bash proposes for the last word
# shellcheck disable=SC1090
. <("$fluxctl" completion bash)
complete_words() {
	COMP_WORDS=(fluxctl "$@") COMP_CWORD=$#
	COMPREPLY=()
	__start_fluxctl
	echo "${COMPREPLY[*]}"
}
same "bash: all commands" "$(complete_words '')" "$(commands | words)"
same "bash: a command" "$(complete_words sy)" "sync"
same "bash: a command after flags" \
	"$(complete_words --url x -t y --timeout = 5s --help iden)" "identity"
same "bash: a command after a URL, which bash splits" \
	"$(complete_words --url = http : //h : 1 --help = false sy)" "sync"
same "bash: flags of a command" \
	"$(complete_words identity -- | tr ' ' '\n' | sort | words)" \
	"$(flags identity | sed 's/^/--/' | sort | words)"
same "bash: a flag" "$(complete_words sync --time)" "--timeout"
same "bash: no flag of another command" "$(complete_words sync --vis)" ""
same "bash: nothing for a flag's value" "$(complete_words --url '')" ""
same "bash: nothing after =" "$(complete_words --url = '')" ""
same "bash: shells" "$(complete_words completion '')" "bash fish zsh"
same "bash: topics" "$(complete_words help id)" "identity"

# A shell that is not here: where everything has to be, that is a failure.
lacks() { # SHELL
	if [ -n "${BED_NO_SKIP:-}" ]; then
		ok "what $1 proposes" 1
	else
		ok "what $1 proposes # SKIP no $1" 0
	fi
}

# What fish proposes for the last word of a line.
if command -v fish >/dev/null; then
	fish_words() {
		XDG_CONFIG_HOME=/nonexistent XDG_DATA_HOME=/nonexistent fish --no-config -c \
			"source '$src/contrib/completion/fish/fluxctl.fish'; complete -C '$1'" |
			cut -f1 | sort | words
	}
	same "fish: all commands" "$(fish_words 'fluxctl ')" "$(commands | sort | words)"
	same "fish: a command after flags" "$(fish_words 'fluxctl --url x -t y iden')" "identity"
	same "fish: flags of a command" "$(fish_words 'fluxctl identity --')" \
		"$(flags identity | sed 's/^/--/' | sort | words)"
	same "fish: no flag of another command" "$(fish_words 'fluxctl sync --vis')" ""
	same "fish: shells" "$(fish_words 'fluxctl completion ')" "bash fish zsh"
	same "fish: topics" "$(fish_words 'fluxctl help id')" "identity"
else
	lacks fish
fi

# What zsh proposes.
if command -v zsh >/dev/null; then
	zsh_words() {
		zsh "$src/tests/compat/ctl/proposals.zsh" \
			"$src/contrib/completion/zsh/_fluxctl" "$1" | words
	}
	same "zsh: all commands" "$(zsh_words 'fluxctl ')" "$(commands | sort | words)"
	same "zsh: a command after flags" "$(zsh_words 'fluxctl --url x -t y iden')" "identity"
	same "zsh: flags of a command" "$(zsh_words 'fluxctl identity --')" \
		"$(flags identity | sed 's/^/--/' | sort | words)"
	same "zsh: no flag of another command" "$(zsh_words 'fluxctl sync --vis')" ""
	same "zsh: shells" "$(zsh_words 'fluxctl completion ')" "bash fish zsh"
	same "zsh: topics" "$(zsh_words 'fluxctl help id')" "identity"
else
	lacks zsh
fi

echo "1..$count"
exit $failed
