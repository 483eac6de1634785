# SPDX-License-Identifier: Apache-2.0
"""Conversations of fluxctl with a daemon and what is printed, byte for byte.

A case runs over TCP and over the Unix socket and, unless `ours` says that it
is about something the unmodified client lacks or does otherwise, that client
must print and ask the same.  @URL@ in expected output is the server's URL as
fluxctl shows it, @DIR@ the directory that it runs in."""

from recorded import Exchange

REV = "0123456789abcdef0123456789abcdef01234567"
JOB = "b8a1a1b0-07c3-91d2-5f6e-0123456789ab"
SYNC_BODY = '{"type":"sync","cause":{"Message":"","User":""},"spec":{}}'
URL = "ssh://git@git.example.org/shop/conf"
ART = "+---[RSA 3072]----+\n|    .o+  |\n+------[MD5]------+\n"


class Case:
    """`files` are there when it runs, by their paths below @DIR@ (None: a
    directory; "-> x": a link), and `made` afterwards.  With `keys` it runs on a terminal, where
    they are pressed, and all it writes is in `out`."""

    def __init__(self, name, args, exchanges, out="", err="", code=0, *,
                 env=None, ours=False, tcp_only=False, files=None, made=None,
                 keys=None):
        self.name, self.args, self.exchanges = name, args, exchanges
        self.out, self.err, self.code = out, err, code
        self.env, self.ours, self.tcp_only = env or {}, ours, tcp_only
        self.files, self.made, self.keys = files or {}, made or {}, keys


def config(status="ready", errors="", url=URL, branch="main"):
    return {"remote": {"url": url, "branch": branch, "path": "apps,infra"},
            "publicSSHKey": {
                "key": "ssh-rsa AAAAB3Nza flux@pod\n",
                "fingerprints": {
                    "md5": {"hash": "aa:bb:cc", "randomart": ART},
                    "sha256": {"hash": "kq0", "randomart": "other\n"}}},
            "status": status, "errors": errors}


def ask_config(answer, body="false", **more):
    return Exchange("POST", "/api/flux/v9/git-repo-config", answer, body=body,
                    **more)


def ask_update(body, answer=JOB, **more):
    if "status" not in more:
        answer = '"%s"' % answer
    return Exchange("POST", "/api/flux/v9/update-manifests", answer,
                    body=body, **more)


def ask_sync(answer=JOB, **more):
    return ask_update(SYNC_BODY, answer, **more)


def ask_job(status, err="", result=None, job=JOB, **more):
    return Exchange("GET", "/api/flux/v6/jobs?id=" + job,
                    {"Result": result or {}, "Err": err,
                     "StatusString": status}, **more)


def ask_applied(answer, ref=REV[:7], **more):
    return Exchange("GET", "/api/flux/v6/sync?ref=" + ref, answer, **more)


def usage(command, text):
    return "Error: %s\nRun 'fluxctl %s --help' for usage.\n" % (text, command)


def shaped(help):
    return "== Error ==\n\n%s\n" % help


def failed_config(name, err, ours=False, **more):
    return Case("a failed answer: " + name, ["sync"],
                [ask_config(more.pop("answer", ""), **more)],
                err=err, code=1, ours=ours)


SYNC_HEAD = "Synchronizing with %s\n" % URL
SYNC_WAIT = (SYNC_HEAD + "Revision of main to apply is 0123456\n"
             "Waiting for 0123456 to be applied ...\n")
DONE = {"revision": REV}
UNVERIFIED = ("branch HEAD in the git repo is not verified; fluxd is unable to "
              "sync to it. The last verified commit was " + REV)

PROCESSES = [
    {"role": "master", "instance": 0, "pid": 100, "state": "running", "uid": 0,
     "seccomp": 2, "noNewPrivs": True, "caps": 0, "landlock": "abi 7",
     "root": "host", "holds": "nothing secret", "restarts": 0},
    {"role": "git-remote", "instance": 1, "pid": 4242, "state": "running",
     "uid": 64105, "seccomp": 2, "noNewPrivs": True, "caps": 2097153,
     "landlock": "none: not in this kernel", "root": "empty",
     "holds": "https git password", "restarts": 12},
    {"role": "sync\x1b[2J\t", "instance": 0, "pid": 7, "state": "waiting",
     "uid": 1, "seccomp": 0, "noNewPrivs": False, "caps": 0, "landlock": "",
     "root": "", "holds": "", "restarts": 0},
]
SANDBOX_TABLE = """\
ROLE             INSTANCE  PID   STATE    USER   SECCOMP  NO_NEW_PRIVS  CAPS      LANDLOCK                  ROOT   HOLDS               RESTARTS
master           0         100   running  0      filter   yes           none      abi 7                     host   nothing secret      0
git-remote       1         4242  running  64105  filter   yes           0x200001  none: not in this kernel  empty  https git password  12
sync\\x1b[2J\\x09  0         7     waiting  1      none     no            none                                                           0
"""
SANDBOX_YAML = """\
- role: master
  instance: 0
  pid: 100
  state: running
  uid: 0
  seccomp: 2
  noNewPrivs: true
  caps: 0
  landlock: abi 7
  root: host
  holds: nothing secret
  restarts: 0
"""
NOT_FOUND = ('{"type":"missing","help":"The API endpoint requested '
             '(/v12/sandbox) is not supported by this server.\\n",'
             '"error":"API endpoint not found"}')


def ask_errors(answer, **more):
    return Exchange("GET", "/api/flux/v12/sync-errors", answer, **more)


def redirects(n):
    """From /v6/services to /r1, and on to /r<n>."""
    return [Exchange("GET", "/r%d" % i if i else
                     "/api/flux/v6/services?namespace=s", status=302,
                     headers=[("Location", "/r%d" % (i + 1))])
            for i in range(n)]


def synced(*more):
    """What sync asks when all goes well."""
    return [ask_config(config()), ask_sync(),
            ask_job("succeeded", result=DONE), ask_applied([])] + list(more)


def ask_sandbox(answer, **more):
    return Exchange("GET", "/api/flux/v12/sandbox", answer, **more)


CASES = [
    # sync: 9.6
    Case("sync: a commit is applied", ["sync"],
         [ask_config(config()), ask_sync(), ask_job("queued"),
          ask_job("running"), ask_job("succeeded", result=DONE),
          ask_applied([REV]), ask_applied([])],
         err=SYNC_WAIT + "Done.\n"),
    Case("sync: what could not be applied is shown", ["sync"],
         synced(ask_errors({"total": 3, "errors": [
             {"ID": "shop:deployment/web", "Error": "no such\x1b thing"},
             {"id": "<cluster>:namespace/x", "error": "no", "new": [1]}]})),
         err=SYNC_WAIT + "Done.\n\nThese could not be applied:\n"
         "shop:deployment/web: no such\\x1b thing\n"
         "<cluster>:namespace/x: no\nand 1 more\n", ours=True),
    Case("sync: nothing but well-formed errors is shown", ["sync"],
         synced(ask_errors('{"total":1,"errors":[3]}')),
         err=SYNC_WAIT + "Done.\n", ours=True),
    Case("sync: a daemon that does not tell errors", ["sync"],
         synced(ask_errors("oh", status=500, type="text/plain")),
         err=SYNC_WAIT + "Done.\n", ours=True),

    # exit statuses
    Case("status: done", ["--detailed-exitcode", "sync"],
         synced(ask_errors('{"total":0,"errors":[]}')),
         err=SYNC_WAIT + "Done.\n", ours=True),
    Case("status: done in part", ["sync", "--detailed-exitcode"],
         synced(ask_errors({"total": 1, "errors": [
             {"ID": "a:b/c", "Error": "no"}]})),
         err=SYNC_WAIT + "Done.\n\nThese could not be applied:\na:b/c: no\n",
         code=4, ours=True),
    Case("status: not applied in time",
         ["--timeout=2900ms", "--detailed-exitcode", "sync"],
         [ask_config(config()), ask_sync(), ask_job("succeeded", result=DONE),
          ask_applied([REV], repeat=True), ask_config(config())],
         err=SYNC_WAIT + usage("sync", "timeout"), code=2, ours=True),
    Case("status: no result in time",
         ["--timeout=2500ms", "--detailed-exitcode", "sync"],
         [ask_config(config()), ask_sync(), ask_job("queued", repeat=True)],
         err=SYNC_HEAD + 'Failed to complete sync job (ID "%s")\n' % JOB +
         usage("sync", "timeout"), code=3, ours=True),
    Case("status: no answer in time",
         ["--timeout=1s", "--detailed-exitcode", "sync"],
         [ask_config("", how="hang")],
         err=usage("sync", "executing HTTP request: executing HTTP request: "
                   'Post "@URL@/v9/git-repo-config": no answer within 1s'),
         code=3, ours=True),
    Case("status: failed", ["--detailed-exitcode", "sync"],
         [ask_config(config(status="new"))],
         err=usage("sync", "git repository " + URL +
                   " is not ready to sync"), code=1, ours=True),
    Case("status: not understood", ["--detailed-exitcode", "sync", "now"], [],
         err=usage("sync", "expected no (non-flag) arguments"), code=1,
         ours=True),
    Case("status: off", ["--detailed-exitcode=false", "--timeout=2500ms",
                         "sync"],
         [ask_config(config()), ask_sync(), ask_job("queued", repeat=True)],
         err=SYNC_HEAD + 'Failed to complete sync job (ID "%s")\n' % JOB +
         usage("sync", "timeout"), code=1, ours=True),

    Case("sync: a revision shorter than seven digits", ["sync"],
         [ask_config(config()), ask_sync(),
          ask_job("succeeded", result={"revision": "01234"}),
          ask_applied([], ref="01234")],
         err=(SYNC_HEAD + "Revision of main to apply is 01234\n"
              "Waiting for 01234 to be applied ...\nDone.\n"), ours=True),
    Case("sync: no revision", ["sync"],
         [ask_config(config()), ask_sync(), ask_job("succeeded")],
         err=SYNC_HEAD + usage("sync", "the daemon does not say which "
                               "revision it synchronized"),
         code=1, ours=True),
    Case("sync: unconfigured", ["sync"],
         [ask_config(config(status="unconfigured", errors="x"))],
         err=usage("sync", "no git repository is configured"), code=1),
    Case("sync: unreachable", ["sync"],
         [ask_config(config(status="unreachable", errors="no route"))],
         err=usage("sync", "can not connect to git repository with URL " +
                   URL + "\n\nFull error message: no route"), code=1),
    Case("sync: not ready, with the reason", ["sync"],
         [ask_config(config(status="cloned", errors="not yet"))],
         err=usage("sync", "git repository " + URL + " is not ready to sync"
                   "\n\nFull error message: not yet"), code=1),
    Case("sync: not ready, without a reason", ["sync"],
         [ask_config(config(status="new"))],
         err=usage("sync", "git repository " + URL +
                   " is not ready to sync"), code=1),
    Case("sync: the job fails", ["sync"],
         [ask_config(config()), ask_sync(),
          ask_job("failed", err="loading manifests: apps/x.yaml: no kind")],
         err=SYNC_HEAD + 'Failed to complete sync job (ID "%s")\n' % JOB +
         usage("sync", "loading manifests: apps/x.yaml: no kind"), code=1),
    Case("sync: the job succeeds with an error", ["sync"],
         [ask_config(config()), ask_sync(),
          ask_job("succeeded", err="oh", result=DONE)],
         err=SYNC_HEAD + 'Failed to complete sync job (ID "%s")\n' % JOB +
         usage("sync", "oh"), code=1),
    Case("sync: the head is not verified", ["sync"],
         [ask_config(config()), ask_sync(),
          ask_job("failed", err=UNVERIFIED, result=DONE), ask_applied([])],
         err=SYNC_HEAD + "Warning: " + UNVERIFIED +
         SYNC_WAIT[len(SYNC_HEAD) - 1:] + "Done.\n"),
    Case("sync: the job does not end in time", ["--timeout=2500ms", "sync"],
         [ask_config(config()), ask_sync(), ask_job("queued", repeat=True)],
         err=SYNC_HEAD + 'Failed to complete sync job (ID "%s")\n' % JOB +
         usage("sync", "timeout"), code=1),
    Case("sync: the revision is not applied in time",
         ["--timeout=2900ms", "sync"],
         [ask_config(config()), ask_sync(), ask_job("succeeded", result=DONE),
          ask_applied([REV], repeat=True), ask_config(config())],
         err=SYNC_WAIT + usage("sync", "timeout"), code=1, ours=True),
    Case("sync: a time-out is explained by what the daemon knows",
         ["--timeout=2900ms", "sync"],
         [ask_config(config()), ask_sync(), ask_job("succeeded", result=DONE),
          ask_applied([REV], repeat=True),
          ask_config(config(status="unreachable", errors="no\x1b route"))],
         err=SYNC_WAIT + "The git repository is unreachable: no\\x1b route\n" +
         usage("sync", "timeout"), code=1, ours=True),
    Case("sync: an error while waiting ends the wait", ["sync"],
         [ask_config(config()), ask_sync(), ask_job("succeeded", result=DONE),
          ask_applied([REV]),
          ask_applied('{"type":"user","help":"Error: cannot load\\n",'
                      '"error":"cannot load"}', status=422)],
         err=SYNC_WAIT + shaped("Error: cannot load\n"), code=1),
    Case("sync: the update is refused", ["sync"],
         [ask_config(config()),
          ask_sync('{"type":"user","help":"No.\\n","error":"no"}', status=422,
                   type="application/json")],
         err=SYNC_HEAD + shaped("No.\n"), code=1),
    Case("sync: an id that needs escaping", ["sync"],
         [ask_config(config()), ask_sync("a/b &c"),
          ask_job("succeeded", result=DONE, job="a%2Fb+%26c"),
          ask_applied([])], err=SYNC_WAIT + "Done.\n"),
    Case("sync: arguments are refused before anything is asked",
         ["sync", "now"], [],
         err=usage("sync", "expected no (non-flag) arguments"), code=1),
    Case("sync: names in any case, null and unknown fields", ["sync"],
         [ask_config('{"STATUS":"ready","Errors":null,"remote":{"URL":"U",'
                     '"Branch":"b"},"more":[1]}'),
          ask_sync(), ask_job("succeeded", result=DONE), ask_applied("null")],
         err=("Synchronizing with U\nRevision of b to apply is 0123456\n"
              "Waiting for 0123456 to be applied ...\nDone.\n")),

    # identity: 9.7
    Case("identity: the key as it is", ["identity"], [ask_config(config())],
         out="ssh-rsa AAAAB3Nza flux@pod\n"),
    Case("identity: the fingerprint", ["identity", "-l"],
         [ask_config(config())], out="aa:bb:cc\n"),
    Case("identity: the picture", ["identity", "-v"], [ask_config(config())],
         out="aa:bb:cc\n" + ART),
    Case("identity: picture implies fingerprint", ["identity", "-lv"],
         [ask_config(config())], out="aa:bb:cc\n" + ART),
    Case("identity: a new key", ["identity", "--regenerate"],
         [ask_config(config(), body="true")],
         out="ssh-rsa AAAAB3Nza flux@pod\n"),
    Case("identity: no key", ["identity"],
         [ask_config('{"publicSSHKey":{"key":"","fingerprints":null}}')]),
    Case("identity: no fingerprint", ["identity", "-l"],
         [ask_config('{"publicSSHKey":{"key":"","fingerprints":null}}')],
         out="\n"),
    Case("identity: an empty answer is the zero value", ["identity", "-l"],
         [ask_config("")], out="\n"),
    Case("identity: a key that moves the terminal is shown", ["identity"],
         [ask_config('{"publicSSHKey":{"key":"a\\u001b[2Jb\\n"}}')],
         out="a\\x1b[2Jb\n", ours=True),

    # sandbox
    Case("sandbox: the table", ["sandbox"], [ask_sandbox(PROCESSES)],
         out=SANDBOX_TABLE, ours=True),
    Case("sandbox: no heading", ["sandbox", "--no-headers"],
         [ask_sandbox(PROCESSES[:1])], out="master  0  100  running  0  filter"
         "  yes  none  abi 7  host  nothing secret  0\n", ours=True),
    Case("sandbox: wide is no wider", ["sandbox", "-owide"],
         [ask_sandbox(PROCESSES)], out=SANDBOX_TABLE, ours=True),
    Case("sandbox: JSON", ["sandbox", "-o", "json"],
         [ask_sandbox('[ {"role":"a\\u001b", "pid":1, "new":[true]} ]')],
         out='[{"role":"a\\u001b","pid":1,"new":[true]}]\n', ours=True),
    Case("sandbox: YAML", ["sandbox", "--output-format=yaml"],
         [ask_sandbox(PROCESSES[:1])], out=SANDBOX_YAML, ours=True),
    Case("sandbox: no processes", ["sandbox", "-oyaml"], [ask_sandbox("[]")],
         out="[]\n", ours=True),
    Case("sandbox: another format", ["sandbox", "-oxml"], [],
         err=usage("sandbox", "invalid output format specified"), code=1,
         ours=True),
    Case("sandbox: a daemon that does not know it", ["sandbox"],
         [ask_sandbox(NOT_FOUND, status=404)],
         err=shaped("The API endpoint requested (/v12/sandbox) is not "
                    "supported by this server.\n"), code=1, ours=True),
    Case("sandbox: not a list", ["sandbox"], [ask_sandbox('{"a":1}')],
         err=usage("sandbox", "decoding response from server: not a list of "
                   "processes"), code=1, ours=True),

    # answers: section 5 and http-api 4
    failed_config("shaped", shaped("Line one\n\nLine two\n"), status=422,
                  answer='{"type":"user","help":"Line one\\n\\nLine two\\n",'
                  '"error":"short"}'),
    failed_config("shaped, with control characters", shaped("a\\x1b[2J\n"),
                  status=422, ours=True,
                  answer='{"help":"a\\u001b[2J\\n","error":"e"}'),
    failed_config("JSON of another shape",
                  usage("sync", "executing HTTP request: 400 Bad Request {}"),
                  status=400, answer="{}"),
    failed_config("text",
                  usage("sync", "executing HTTP request: 500 Internal Server "
                        "Error boom\n"), status=500, type="text/plain",
                  answer="boom\n"),
    failed_config("a status text of its own",
                  usage("sync", "executing HTTP request: 418 I'm tea "),
                  status=418, reason="I'm tea", type=None),
    failed_config("not authenticated",
                  shaped("The request failed authentication\n\n"
                         "The token is missing or wrong. Give a service token "
                         "in the environment\nvariable FLUX_SERVICE_TOKEN or "
                         "with the flag --token.\n"),
                  status=401, type="text/plain", answer="no", ours=True),
    failed_config("nothing but a closed connection",
                  usage("sync", "executing HTTP request: executing HTTP "
                        'request: Post "@URL@/v9/git-repo-config": EOF'),
                  how="close"),
    Case("a failed answer: none in time", ["--timeout=1s", "sync"],
         [ask_config("", how="hang")],
         err=usage("sync", "executing HTTP request: executing HTTP request: "
                   'Post "@URL@/v9/git-repo-config": no answer within 1s'),
         code=1, ours=True),
    failed_config("more than 64 MiB",
                  usage("sync", "executing HTTP request: executing HTTP "
                        'request: Post "@URL@/v9/git-repo-config": the answer '
                        "has more than 67108864 bytes"), ours=True,
                  answer=b'"' + b"a" * (64 << 20) + b'"'),
    failed_config("another type of value",
                  usage("sync", "decoding response from server: not an "
                        "object"), answer='"x"', ours=True),

    # what goes along with a request
    Case("a token from the flag", ["-tT1", "identity", "-l"],
         [ask_config("")], out="\n"),
    Case("a token from the environment; the later variable wins",
         ["identity", "-l"], [ask_config("")], out="\n",
         env={"FLUX_SERVICE_TOKEN": "T0", "WEAVE_CLOUD_TOKEN": "T1"}),
    Case("the flag beats the environment", ["--token", "T1", "identity", "-l"],
         [ask_config("")], out="\n", env={"WEAVE_CLOUD_TOKEN": "T0"}),
    Case("a proxy is not asked for loopback", ["identity", "-l"],
         [ask_config("")], out="\n",
         env={"HTTP_PROXY": "http://127.0.0.1:9",
              "http_proxy": "http://127.0.0.1:9"}),
    Case("nine redirects are followed", ["list-workloads", "-n", "s"],
         redirects(9) + [Exchange("GET", "/r9", "null")],
         out="WORKLOAD  CONTAINER  IMAGE  RELEASE  POLICY\n", tcp_only=True),
    Case("ten are not", ["list-workloads", "-n", "s"], redirects(10),
         err=usage("list-workloads", "executing HTTP request: executing HTTP "
                   'request: Get "/r10": stopped after 10 redirects'), code=1,
         tcp_only=True),
    Case("a redirect of a POST becomes a GET", ["identity", "-l"],
         [ask_config("", status=302, headers=[("Location", "/x?y")]),
          Exchange("GET", "/x?y", "{}")], out="\n", tcp_only=True),
    Case("a redirect that keeps the method", ["identity", "-l"],
         [ask_config("", status=307, headers=[("Location", "/x")]),
          Exchange("POST", "/x", "{}", body="false")], out="\n",
         tcp_only=True),
]
