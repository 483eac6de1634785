# SPDX-License-Identifier: Apache-2.0
"""What both clients print without a daemon: manifests, and what their help says
that programs depend on (names, letters, types and defaults of flags)."""

import os
import re

COMMANDS = ["automate", "completion", "deautomate", "help", "identity",
            "install", "list-images", "list-workloads", "lock", "policy",
            "release", "save", "sync", "unlock", "version"]
FLAG = re.compile(r"  (?:-(.), |    )--([a-z0-9-]+)(?: (\w+))?  +(.*)$")
DEFAULT = re.compile(r'\(default ("[^"]*"|\[[^\]]*\]|\S+)\)$')

# The unmodified client, as its module is built, has templates that are older
# than its version.
NEWER = [("rbac.authorization.k8s.io/v1beta1", "rbac.authorization.k8s.io/v1"),
         ("fluxcd/flux:1.18.0", "fluxcd/flux:1.25.4"),
         ("memcached:1.5.20", "memcached:1.6.10-alpine")]
INSTALL = ["install", "--git-url", "git@git.example.org:shop/conf",
           "--git-email", "flux@example.org", "--namespace", "flux"]
FLAGS = [[], ["--git-branch=b"], ["--git-path=a,b", "--git-path", "c"],
         ["--git-paths=a,b"], ["--git-label=l"], ["--git-label="],
         ["--git-user=me"], ["--git-user="], ["--git-readonly"],
         ["--git-readonly=false"], ["--manifest-generation"],
         ["--registry-disable-scanning"], ["--add-security-context=false"],
         ["--git-branch=b", "--git-path=a", "--git-label=l", "--git-user=u",
          "--git-readonly", "--manifest-generation",
          "--registry-disable-scanning", "--add-security-context=false"]]


def flags_of(help):
    """name: (letter, type, default) of each flag, by section."""
    found, section = {}, None
    for line in help.split("\n"):
        if line.endswith("Flags:"):
            section = found.setdefault(line, {})
        flag = FLAG.match(line)
        if section is not None and flag:
            letter, name, type, text = flag.groups()
            default = DEFAULT.search(text)
            section[name] = (letter, type, default and default.group(1))
    return found


def compare_flags(got, want):
    problems = []
    for section, flags in want.items():
        for name, flag in flags.items():
            ours = got.get(section, {}).get(name)
            if name == "user":      # upstream asks git while it prints help
                flag, ours = flag[:2], ours and ours[:2]
            if name == "output-format":
                flag, ours = flag[:2], ours and ours[:2]
            if ours != flag:
                problems.append("%s --%s: got %r, want %r" % (
                    section, name, ours, flag))
    return problems


def sections_of(help):
    return [line for line in help.split("\n")
            if line.endswith(":") and not line.startswith(" ") and
            not re.match("Connecting|Workflow|Examples", line)]


def test_help_flags(tap, run, ours, upstream):
    for command in [[]] + [[name] for name in COMMANDS]:
        name = "fluxctl %s: the flags of the unmodified client" % (
            " ".join(command + ["--help"]))
        if not upstream:
            tap.skip(name, "it is not built")
            continue
        got, want = (run(program, command + ["--help"], None, {})[0]
                     for program in (ours, upstream))
        problems = compare_flags(flags_of(got), flags_of(want))
        if sections_of(got) != sections_of(want):
            problems.append("sections: got %r, want %r" % (
                sections_of(got), sections_of(want)))
        if not flags_of(want):
            problems.append("no flags in %r" % want)
        tap.ok(name, problems)


def plain(text):
    """Without comments and empty lines."""
    lines = [re.sub(r"(^|\s+)# .*$|^\s*#$", "", line).rstrip()
             for line in text.split("\n")]
    return "\n".join(line for line in lines if line)


def installed(run, program, flags, folder):
    os.mkdir(folder)
    out, err, code = run(program, INSTALL + flags + ["-o", folder], None, {})
    files = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name)) as f:
            files[name] = plain(f.read())
    return out, code, files


def test_install(tap, run, ours, upstream, folder):
    for i, flags in enumerate(FLAGS):
        name = "install %s: the unmodified client's files" % " ".join(flags)
        if not upstream:
            tap.skip(name, "it is not built")
            continue
        got = installed(run, ours, flags, "%s/ours%d" % (folder, i))
        want = installed(run, upstream, flags, "%s/theirs%d" % (folder, i))
        for file, text in want[2].items():
            for old, new in NEWER:
                text = text.replace(old, new)
            want[2][file] = text
        problems = ["%s: got\n%s\nwant\n%s" % (
                        file, got[2].get(file), want[2].get(file))
                    for file in sorted(set(got[2]) | set(want[2]))
                    if got[2].get(file) != want[2].get(file)]
        if got[:2] != want[:2]:
            problems.append("got %r, want %r" % (got[:2], want[:2]))
        tap.ok(name, problems)
