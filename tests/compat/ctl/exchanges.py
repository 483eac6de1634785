# SPDX-License-Identifier: Apache-2.0
"""Runs the cases of cases.py; speaks TAP."""

import concurrent.futures
import fcntl
import glob
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time

sys.dont_write_bytecode = True

import expected                                             # noqa: E402
import sidebyside                                           # noqa: E402
from cases import (CASES, JOB, SYNC_HEAD, Case, ask_config,  # noqa: E402
                   ask_job, ask_sync, config, usage)
from cases_commands import COMMAND_CASES                    # noqa: E402
from cases_odd import ODD_CASES                             # noqa: E402
from cases_release import RELEASE_CASES                     # noqa: E402
from cases_values import VALUE_CASES                        # noqa: E402
from recorded import Exchange, Recorded                     # noqa: E402

RECORDED = COMMAND_CASES + RELEASE_CASES + ODD_CASES + VALUE_CASES
assert len({case.name for case in RECORDED}) == len(RECORDED)
FLUXCTL = os.environ["FLUXCTL"]
LIMIT = 60      # seconds one run may take
AT_ONCE = 6
DRAWN = b"release selected.\r\n"    # the end of the menu
COLUMNS = 70


def find_upstream():
    given = os.environ.get("BED_UPSTREAM_FLUXCTL")
    if given:
        return given
    cache = os.environ.get("FLUXD_BED_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
        "fluxd-testbed")
    built = sorted(glob.glob(os.path.join(cache, "fluxctl-*", "fluxctl")),
                   key=os.path.getmtime)
    return built[-1] if built else None


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def ok(self, name, problems):
        self.count += 1
        for line in "\n".join(problems).split("\n") if problems else []:
            print("# " + line)
        self.failed += bool(problems)
        print("%sok %d - %s" % ("not " if problems else "", self.count, name),
              flush=True)

    def skip(self, name, why):
        self.count += 1
        print("ok %d - %s # SKIP %s" % (self.count, name, why))

    def done(self):
        print("1..%d" % self.count)
        return self.failed != 0


def environment_for(url, env):
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent",
                   "GIT_CONFIG_NOSYSTEM": "1", "GIT_CEILING_DIRECTORIES": "/"}
    if url:
        environment["FLUX_URL"] = url
    for name in os.environ:     # of instrumented builds
        if name.endswith("SAN_OPTIONS") or name == "LLVM_PROFILE_FILE":
            environment[name] = os.environ[name]
    environment.update(env)
    return environment


def run(program, args, url, env, folder=None):
    done = subprocess.run([program] + args, env=environment_for(url, env),
                          timeout=LIMIT,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          cwd=folder,
                          start_new_session=True)   # without a terminal
    return (done.stdout.decode("utf-8", "surrogateescape"),
            done.stderr.decode("utf-8", "surrogateescape"), done.returncode)


def press_when_drawn(terminal, keys):
    """Press the keys, each when the menu has been drawn after the one before
    and the program reads single bytes; returns all that it wrote."""
    out, keys, pressed = b"", list(keys), 0
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        raw = not termios.tcgetattr(terminal)[3] & termios.ICANON
        if keys and raw and out.count(DRAWN) > pressed:
            os.write(terminal, keys.pop(0))
            pressed += 1
        if not select.select([terminal], [], [], 0.05)[0]:
            continue
        try:
            read = os.read(terminal, 65536)
        except OSError:     # the other side is closed
            break
        if not read:
            break
        out += read
    return out


def run_on_terminal(program, args, url, env, folder, keys):
    terminal, side = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ,
                struct.pack("HHHH", 24, COLUMNS, 0, 0))
    with subprocess.Popen(
            [program] + args, env=environment_for(url, env), cwd=folder,
            stdin=side, stdout=side, stderr=side, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) as child:
        os.close(side)
        out = press_when_drawn(terminal, keys)
        os.close(terminal)
        code = child.wait(LIMIT)
    return out.decode("utf-8").replace("\r\n", "\n"), "", code


def compare(what, got, want):
    return [] if got == want else \
        ["%s: got\n%r\nwant\n%r" % (what, got, want)]


def token_of(case):
    """What the cases that are about a token must send."""
    return "Scope-Probe token=T1" if "token" in case.name or \
        "beats" in case.name else None


def check_headers(case, talk, agent):
    problems = []
    for method, target, headers, _ in talk.seen:
        problems += compare("Accept", headers.get("Accept"),
                            "application/json")
        problems += compare("Authorization", headers.get("Authorization"),
                            token_of(case))
        if agent:
            problems += compare("User-Agent",
                                headers.get("User-Agent", "")[:8], agent)
            problems += compare("Accept-Encoding",
                                headers.get("Accept-Encoding"), None)
    return problems


def put_files(files, folder):
    for name, text in files.items():
        path = os.path.join(folder, name)
        if text is None:
            os.makedirs(path, exist_ok=True)
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if text.startswith("-> "):
            os.symlink(text[3:].replace("@DIR@", folder), path)
            continue
        with open(path, "w") as f:
            f.write(text)


def made_files(files, folder):
    made = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            below = os.path.relpath(path, folder)
            if name.endswith(".sock") or os.path.islink(path):
                continue
            with open(path, errors="surrogateescape") as f:
                text = f.read()
            if text != files.get(below):    # new, or changed
                made[below] = text
    return made


def one_run(program, case, way, agent):
    """Run a case; returns what was printed and made, and problems."""
    with tempfile.TemporaryDirectory() as folder, \
            Recorded(case.exchanges, folder) as server:
        url = server.tcp if way == "tcp" else server.unix
        put_files(case.files, folder)
        args, env = [a.replace("@DIR@", folder) for a in case.args], {
            k: v.replace("@DIR@", folder) for k, v in case.env.items()}
        if case.keys is None:
            out, err, code = run(program, args, url, env, folder)
        else:
            out, err, code = run_on_terminal(program, args, url, env, folder,
                                             case.keys)
        talk = server.conversation
        shown = server.tcp if way == "tcp" else "http://localhost/api/flux"
        out = out.replace(folder, "@DIR@")
        err = err.replace(shown, "@URL@").replace(folder, "@DIR@")
        problems = ["unexpected request: " + r for r in talk.unexpected]
        problems += ["was not asked: %s %s" % (e.method, e.target)
                     for e in talk.left]
        problems += check_headers(case, talk, agent)
        made = made_files(case.files, folder)
        return expected.Printed(out, err, code, made), problems


def compare_printed(got, case):
    problems = []
    for name in ("out", "err", "code", "made"):
        problems += compare(name, getattr(got, name), getattr(case, name))
    return problems


def run_case(case, ways, upstream):
    """Returns (name, problems) of each run; None: skipped."""
    done = []
    for way in ways[:1] if case.tcp_only else ways:
        printed, problems = one_run(FLUXCTL, case, way, "fluxctl/")
        done.append(("%s (%s)" % (case.name, way),
                     problems + compare_printed(printed, case)))
    if case.ours:
        return done
    problems = None
    if upstream:
        printed, problems = one_run(upstream, case, "tcp", None)
        problems += compare_printed(printed, case)
    return done + [(case.name + " (unmodified client)", problems)]


def test_cases(tap, cases, ways, upstream):
    """Most of their time is waiting: some run at once."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for done in pool.map(lambda c: run_case(c, ways, upstream), cases):
            for name, problems in done:
                if problems is None:
                    tap.skip(name, "it is not built")
                else:
                    tap.ok(name, problems)


def record(upstream):
    """Write down what the unmodified client prints; what ours does where the
    case is about that."""
    seen = {}
    for case in RECORDED:
        program = FLUXCTL if case.ours else upstream
        seen[case.name], problems = one_run(program, case, "tcp", None)
        for line in problems:
            print("# %s: %s" % (case.name, line))
    expected.write(seen)


def test_redirect_keeps_token(tap, folder):
    """Another host does not get the token."""
    with tempfile.TemporaryDirectory() as other_folder, \
            Recorded([Exchange("POST", "/x", "{}")], other_folder) as other:
        target = "http://127.0.0.1:%d/x" % other.port
        first = Exchange("POST", "/api/flux/v9/git-repo-config", status=307,
                         headers=[("Location", target)])
        with Recorded([first], folder) as server:
            out, err, code = run(FLUXCTL, ["-tT1", "identity"], server.tcp, {})
            seen = other.conversation.seen
            problems = compare("exit code", code, 0)
            problems += compare("requests elsewhere", len(seen), 1)
            problems += compare("token elsewhere", [
                s[2].get("Authorization") for s in seen], [None])
            problems += compare("token here", [
                s[2].get("Authorization")
                for s in server.conversation.seen], ["Scope-Probe token=T1"])
            tap.ok("a redirect to another host does not take the token along",
                   problems)


def test_proxy(tap, upstream, folder):
    """HTTP_PROXY in either case; not where a header could have set it."""
    target = "http://flux.invalid/api/flux/v9/git-repo-config"
    for name, more, asked in [("HTTP_PROXY", {}, 1), ("http_proxy", {}, 1),
                              ("HTTP_PROXY", {"REQUEST_METHOD": "GET"}, 0),
                              ("HTTP_PROXY", {"NO_PROXY": "flux.invalid"}, 0)]:
        for program in [FLUXCTL, upstream]:
            title = "%s with %s: asked %d times (%s)" % (
                name, more, asked,
                "fluxctl" if program == FLUXCTL else "unmodified client")
            if not program:
                tap.skip(title, "it is not built")
                continue
            with Recorded([Exchange("POST", target, "{}")], folder) as server:
                proxy = "http://127.0.0.1:%d" % server.port
                run(program, ["identity"], "http://flux.invalid/api/flux",
                    {name: proxy, **more})
                talk = server.conversation
                tap.ok(title, talk.unexpected +
                       compare("requests", len(talk.seen), asked))


def test_alone(tap, upstream):
    """Command lines that need no daemon: both clients say the same."""
    lines = [
        ["--bogus"], ["-zz"], ["version", "x"],
        ["syn"], ["vers"], ["SYN", "-h"],
        ["hel"], ["version", "--timeout=5"],
        ["--timeout", "zz", "version"], ["-u"],
        ["--timeout=\u00e9", "version"], ["--timeout=5\u00e9s", "version"],
        ["--timeout=\"\\\x01\udcff", "version"],
        ["--timeout=1\u00b5", "version"], ["--timeout=5\u00a0s", "version"],
        ["--help=maybe", "version"], ["---", "version"],
        ["identity", "-r="], ["completion"],
        ["completion", "foo"], ["completion", "a", "b"],
        ["--k8s-fwd-labels=bad", "version"],
        ["-uhttp://127.0.0.1:1/x", "sync"],
        ["-u", "http://[::1]:1", "identity"],
        ["--url=https://127.0.0.1:1", "sync"],
        ["--url=http://u:p@127.0.0.1:1", "sync"],
        ["--url=127.0.0.1:1/api", "sync"],
        ["--url=ftp://a", "sync"],
        ["--url=http:///x", "sync"],
        ["--url=http://127.0.0.1:99999", "sync"],
        ["--url=http://127.0.0.1:1", "--token=a\r\nX: y", "sync"],
    ]
    for args in lines:
        name = "fluxctl %s: as the unmodified client" % (
            " ".join(args).encode("unicode_escape").decode())
        if not upstream:
            tap.skip(name, "it is not built")
            continue
        got = run(FLUXCTL, args, None, {})
        want = run(upstream, args, None, {})
        problems = compare("printed", got, want)
        problems += [] if got[2] == 1 else ["exit code %d" % got[2]]
        tap.ok(name, problems)


def test_progress(tap):
    """A wait is shown on a terminal, on one line, which is taken away."""
    name = "a wait is shown on a terminal, and taken away"
    case = Case(name, ["--timeout=3500ms", "sync"],
                [ask_config(config()), ask_sync(),
                 ask_job("queued", repeat=True)], keys=[],
                env={"TERM": "xterm"})
    printed, problems = one_run(FLUXCTL, case, "tcp", "fluxctl/")
    shown = re.findall("\r(Waiting for the daemon, [0-9]+s)\x1b\\[K",
                       printed.out)
    if not shown:
        problems.append("nothing is shown: %r" % printed.out)
    left = re.sub("\r[^\r\n]*\x1b\\[K", "", printed.out)
    problems += compare("the rest", left, SYNC_HEAD +
                        'Failed to complete sync job (ID "%s")\n' % JOB +
                        usage("sync", "timeout"))
    tap.ok(name, problems)


def test_help(tap):
    """Help is on stdout, with exit code 0, and asks nobody."""
    for args in ([], ["-h"], ["help"], ["help", "sync"], ["sync", "--help"],
                 ["identity", "-h"], ["help", "help"]):
        out, err, code = run(FLUXCTL, args, "http://127.0.0.1:1", {})
        problems = compare("stderr", err, "") + compare("exit code", code, 0)
        if "\nUsage:\n  fluxctl " not in out or "--url string" not in out:
            problems.append("no help: %r" % out)
        tap.ok("fluxctl %s: help" % " ".join(args), problems)
    out, err, code = run(FLUXCTL, ["help", "nope", "x"], None, {})
    problems = compare("stdout", out, "") + compare("exit code", code, 0)
    if not err.startswith("Unknown help topic [`nope` `x`]\nUsage:\n"):
        problems.append("got %r" % err)
    tap.ok("fluxctl help nope x: an unknown topic", problems)


def test_nowhere(tap, upstream, folder):
    """Without a URL and a socket a cluster is looked for, and none is known."""
    name = "no daemon is known: as the unmodified client"
    if os.path.exists("/run/fluxd/fluxd.sock"):
        tap.skip(name, "this machine has one")
        return
    env = {"HOME": folder, "KUBERNETES_SERVICE_HOST": ""}
    for args, kubeconfig, why in [
            (["sync"], "", "invalid configuration: no configuration has been "
             "provided, try setting KUBERNETES_MASTER environment variable"),
            (["--context=nope", "identity"], "",
             'context "nope" does not exist'),
            (["save"], folder, 'error loading config file "%s": read %s: '
             "is a directory" % (folder, folder))]:
        env["KUBECONFIG"] = kubeconfig
        problems = compare("printed", run(FLUXCTL, args, None, env), (
            "", usage(args[-1], "Could not load kubernetes configuration "
                      "file: " + why), 1))
        if upstream:
            problems += compare("the unmodified client", run(
                upstream, args, None, env), run(FLUXCTL, args, None, env))
        tap.ok(name + ": " + " ".join(args), problems)


def test_mistakes_first(tap, folder):
    """What is wrong with the command line is said, whether there is a daemon
    or not; the original says first that there is none."""
    required = "-w, --workload is required"
    none = "please supply exactly one of --update-image=<image> or " \
           "--update-all-images"
    id = "parsing a b: invalid service ID"
    for args, why in [
            (["automate"], required), (["deautomate"], required),
            (["lock"], required), (["unlock"], required),
            (["policy"], required), (["lock", "-w", "a b"], id),
            (["policy", "-w", "a/b", "--lock", "--unlock"],
             "lock and unlock both specified"),
            (["policy", "-w", "a/b", "--tag=x"],
             'invalid container/tag pair: "x". Expected format is '
             "'container=filter'"),
            (["release", "--all"], none),
            (["release", "--all", "-i", "a"],
             "blank tag (if you want latest, explicitly state the tag "
             ":latest): invalid image ID"),
            (["release", "--workload=a b", "-i", "a:1"], id),
            (["release", "--all", "-i", "a:1", "--exclude=a b"], id),
            (["list-images", "-w", "a b"], id),
            (["list-workloads", "-o", "x"], "invalid output format specified"),
            (["sync", "x"], "expected no (non-flag) arguments")]:
        got = run(FLUXCTL, args + ["--k8s-fwd-ns=x"], None,
                  {"HOME": folder, "KUBERNETES_SERVICE_HOST": ""})
        tap.ok("without a daemon: " + " ".join(args),
               compare("printed", got, ("", usage(args[0], why), 1)))


def main():
    tap, upstream = Tap(), find_upstream()
    if sys.argv[1:] == ["--record"]:
        return record(upstream)
    recorded = expected.read()
    for case in RECORDED:
        expected.fill(case, recorded)
    test_cases(tap, CASES, ["tcp", "unix"], upstream)
    test_cases(tap, RECORDED, ["tcp"], upstream)
    with tempfile.TemporaryDirectory() as folder:
        test_redirect_keeps_token(tap, folder)
        test_proxy(tap, upstream, folder)
        test_nowhere(tap, upstream, folder)
        test_mistakes_first(tap, folder)
        sidebyside.test_install(tap, run, FLUXCTL, upstream, folder)
    sidebyside.test_help_flags(tap, run, FLUXCTL, upstream)
    test_alone(tap, upstream)
    test_progress(tap)
    test_help(tap)
    return tap.done()


sys.exit(main())
