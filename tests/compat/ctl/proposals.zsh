#!/usr/bin/env zsh
# SPDX-License-Identifier: Apache-2.0
# proposals.zsh SCRIPT LINE: what zsh with this completion script proposes for
# the end of the line, a word on a line each.  Completion works in an editor
# only, so a second zsh has one, on a terminal of its own, where Tab is pressed;
# its builtin that takes proposals also writes them down.
zmodload zsh/zpty
found=$(mktemp) || exit 1
zpty editor 'TERM=dumb exec zsh -f -i'
zpty -w editor "PROMPT= RPROMPT= HISTFILE=
autoload -Uz compinit && compinit -D -u
compadd() {
	local -a hits
	builtin compadd \"\$@\"
	local -i r=\$?
	if (( ! \$@[(I)-[OAD]] )); then
		builtin compadd -O hits \"\$@\"
		print -rl -- \$hits >>$found
	fi
	return r
}
bindkey '^I' complete-word
zstyle ':completion:*' completer _complete
source ${(q)1}
comppostfuncs=(exit)"
zpty -w -n editor "$2"$'\t'
while zpty -r editor line; do :; done
sed '/^$/d; s/[= ]*$//' $found | sort -u
rm -f $found
