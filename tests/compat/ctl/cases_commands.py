# SPDX-License-Identifier: Apache-2.0
"""Commands that list, change and save, and those that print manifests.  What
they print is in expected.txt."""

import base64

from cases import Case, REV, ask_applied, ask_job, ask_update
from recorded import Exchange

IMG = "registry.example.org/shop/web:"
USER = ["--user", "Ada L <ada@example.org>"]
KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: here
contexts:
- name: here
  context: {cluster: c, user: u, namespace: shop}
- name: there
  context: {cluster: c, user: u, namespace: other}
- name: bare
  context: {cluster: c, user: u}
"""


def info(tag, name=IMG, created=None, **more):
    found = {"ID": name + tag, "Labels": {}}
    if created:
        found["CreatedAt"] = created
    found.update(more)
    return found


def container(name, image, **more):
    return {"Name": name, "Current": {"ID": image, "Labels": {}},
            "LatestFiltered": {"ID": "", "Labels": {}}, **more}


def workload(id, containers, status="ready", **more):
    rollout = {"Desired": 2, "Updated": 2, "Ready": 2, "Available": 2,
               "Outdated": 0, "Messages": None}
    rollout.update(more.pop("rollout", {}))
    found = {"ID": id, "Containers": containers, "ReadOnly": "",
             "Status": status, "Rollout": rollout, "SyncError": "",
             "Antecedent": "", "Labels": {"app": "web"}, "Automated": False,
             "Locked": False, "Ignore": False, "Policies": {}}
    found.update(more)
    return found


WEB = workload("shop:deployment/web",
               [container("web", IMG + "1.2.0"),
                container("side", "alpine:3.12")],
               Automated=True, Locked=True,
               Policies={"locked": "true", "automated": "true",
                         "tag.web": "semver:~1.2"})
DB = workload("shop:statefulset/db", [], "updating")
API = workload("shop:deployment/api", [container("api", "shop/api:1")],
               Ignore=True, Automated=True, Locked=True)
WORKLOADS = [DB, WEB]


def ask_workloads(answer, ns="shop", **more):
    return Exchange("GET", "/api/flux/v6/services?namespace=" + ns, answer,
                    **more)


def ask_rollout(answer, ids="shop%3Adeployment%2Fweb"):
    return Exchange("GET", "/api/flux/v11/services?namespace=&services=" + ids,
                    answer)


def ask_images(answer, ns="shop", service="%3Call%3E", **more):
    return Exchange("GET", "/api/flux/v10/images?containerFields=&namespace="
                    + ns + "&service=" + service, answer, **more)


def day(n, month=2, year=2020):
    return "%d-%02d-%02dT10:00:00Z" % (year, month, n)


AVAILABLE = [info("1.2.1", created=day(2)), info("1.2.0", created=day(1)),
             info("0.11.0", created=day(12, 1, 2019))]
OLD = [info("latest", created=day(3))] + AVAILABLE[:2] + [
    info("0.%d.0" % n, created=day(n, 1, 2019)) for n in range(11, 0, -1)] + [
    info("0.0.0", created=day(1, 1, 2019)), info("0.0.0-rc")]
IMAGES = [
    {"ID": "shop:deployment/web", "Containers": [
        container("web", IMG + "1.2.0", Available=AVAILABLE,
                  AvailableImagesCount=3),
        container("side", ""),
        container("old", IMG + "0.0.0", Available=OLD)]},
    {"ID": "shop:cronjob/nightly", "Containers": None},
    {"ID": "shop:daemonset/log", "Containers": [
        container("log", "fluent/log:2", AvailableError="toomanyrequests"),
        container("two", "host.example/x@sha256:abcd",
                  Available=[{"ID": ":broken", "Labels": {}}]),
        container("three", "fluent/log:2",
                  Available=[info("3", "fluent/log:")])]},
]

UPDATES = {
    "shop:deployment/api": {"Status": "skipped", "Error": "locked",
                            "PerContainer": None},
    "shop:deployment/web": {"Status": "success", "PerContainer": [
        {"Container": "web", "Current": IMG + "1.2.0", "Target": IMG + "1.2.1"},
        {"Container": "side", "Current": "alpine:3.12",
         "Target": "alpine:3.13"}]},
    "shop:statefulset/db": {"Status": "failed", "Error": "no containers",
                            "PerContainer": None},
    "shop:cronjob/nightly": {"Status": "ignored", "Error": "not included",
                             "PerContainer": None},
    "shop:deployment/mixed": {
        "Status": "success", "Error": "container(s) tag mismatch: x",
        "PerContainer": [{"Container": "c", "Current": "a@sha256:ff",
                          "Target": "a:2"}]},
}


def job_done(result=UPDATES, revision=REV, **more):
    found = {} if result is None else {"result": result}
    if revision:
        found["revision"] = revision
    return ask_job("succeeded", result=found, **more)


def policy_body(policies, message="", user="Ada L \\u003cada@example.org\\u003e",
                id="shop:deployment/web"):
    return ('{"type":"policy","cause":{"Message":"%s","User":"%s"},"spec":'
            '{"%s":%s}}' % (message, user, id, policies))


def release_body(workloads, image="\\u003call latest\\u003e", kind="execute",
                 excludes="null", force="false", message="",
                 user="Ada L \\u003cada@example.org\\u003e"):
    return ('{"type":"image","cause":{"Message":"%s","User":"%s"},"spec":'
            '{"ServiceSpecs":[%s],"ImageSpec":"%s","Kind":"%s","Excludes":%s,'
            '"Force":%s}}' % (message, user, workloads, image, kind, excludes,
                              force))


ALL = '"\\u003call\\u003e"'
ONE = '"shop:deployment/web"'
CHANGED = {"shop:deployment/web": {"Status": "success", "PerContainer": None}}
RELEASE = ["release", "-n", "shop"] + USER
ONE_NEWEST = ["--workload=deployment/web", "--update-all-images"]


def policy_case(name, args, policies, result=CHANGED, **more):
    return Case(name, args + ["-n", "shop", "-w", "deployment/web"] + USER,
                [ask_update(policy_body(policies, **more)), job_done(result)])


def refused(name, args, **more):
    return Case("refused: " + name, args, [], **more)


WEB_UPDATE = ('{"Container":"web","Current":"%s1.2.0","Target":"%s1.2.1"}' %
              (IMG, IMG))
SIDE_UPDATE = ('{"Container":"side","Current":"alpine:3.12","Target":'
               '"alpine:3.13"}')
PLAN = {k: UPDATES[k] for k in ("shop:deployment/web", "shop:statefulset/db",
                                "shop:deployment/api")}


def chosen_body(specs, force="false"):
    return ('{"type":"containers","cause":{"Message":"","User":'
            '"Ada L \\u003cada@example.org\\u003e"},"spec":{"Kind":"execute",'
            '"ContainerSpecs":{%s},"SkipMismatches":false,"Force":%s}}' %
            (specs, force))


def menu_case(name, keys, plan=PLAN, chosen=None, args=(), **more):
    force = "true" if "-f" in args else "false"
    talk = [ask_update(release_body(ALL if force == "true" else ONE,
                                    "a:1" if force == "true" else
                                    "\\u003call latest\\u003e",
                                    kind="plan", force=force)),
            job_done(plan, revision=None)]
    if chosen:
        talk += [ask_update(chosen), job_done(plan), ask_applied([], ref=REV)]
    what = ["--all", "-i", "a:1"] if force == "true" else ONE_NEWEST
    return Case("release: the menu: " + name,
                RELEASE + what + ["--interactive"] + list(args), talk,
                keys=keys, env={"TERM": "xterm", "NO_COLOR": "1"}, **more)


EXPORT = """\
---
apiVersion: v1
kind: Namespace
metadata:
  name: shop
  uid: 1-2
spec:
  finalizers: [kubernetes]
status: {phase: Active}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  annotations:
    deployment.kubernetes.io/revision: "3"
    kubectl.kubernetes.io/last-applied-configuration: "{}"
    kubernetes.io/change-cause: x
    a10: "1"
    a9: "true"
  creationTimestamp: "2020-01-01T00:00:00Z"
  labels: {}
  name: web
  namespace: shop
  resourceVersion: "42"
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  strategy: {}
  template:
    metadata:
      creationTimestamp: null
      labels: {app: web}
    spec:
      containers:
      - name: web
        image: registry.example.org/shop/web:1.2.0
        args: ["--text", "a long text that goes on and on and is folded where it reaches the eightieth column", "y", "0x10", "1e3", ""]
        env: []
        resources: {}
        script: |
          one
          two
        securityContext: {a: {}, b: null}
      volumes: [null, {}, [], x]
status: {replicas: 2}
---
apiVersion: v1
kind: Service
metadata: {name: svc, namespace: shop}
spec: {ports: [{port: 80}]}
data: {a: b}
---
kind: ClusterRole
metadata: {name: "system:x"}
rules: []
"""


def ask_export(text, **more):
    return Exchange("GET", "/api/flux/v6/export", '"%s"' %
                    base64.b64encode(text.encode()).decode(), **more)


# What another daemon may have left so: a name is what was written, and in a
# spec, which has no types, it is what YAML 1.1 makes of it.
UNQUOTED = """\
apiVersion: v1
kind: Namespace
metadata: {name: 0x1f, labels: {yes: no, 01: 1_0, 1.0: 2001-01-01, "1": ~}}
---
apiVersion: 1.0
kind: Deployment
metadata: {name: y, namespace: 01, annotations: {On: OFF, .5: 1e3, +1: 08}}
spec: {y: n, 01: 0o7, on: [off, 1_000, 1.0, ~, 2001-01-01], a: .inf}
"""


def save_hostile(name, text):
    return Case("save: " + name, ["save", "-o", "@DIR@/out"],
                [ask_export(text)], ours=True,
                files={"out": None, "keep": "kept\n"})


def object_named(name="web", ns="shop", kind="Deployment"):
    return ("kind: %s\nmetadata: {name: \"%s\", namespace: \"%s\"}\n" %
            (kind, name, ns))


INSTALL = ["install", "--git-url", "git@git.example.org:shop/conf",
           "--git-email", "flux@example.org", "--namespace", "flux"]

COMMAND_CASES = [
    # list-workloads
    Case("list-workloads: a namespace", ["list-workloads", "-n", "shop"],
         [ask_workloads(WORKLOADS)]),
    Case("list-workloads: the old name, all namespaces beat one",
         ["list-controllers", "-a", "-n", "x"],
         [ask_workloads(WORKLOADS + [API], ns="")]),
    Case("list-workloads: no heading", ["list-workloads", "--no-headers",
                                        "--namespace=shop"],
         [ask_workloads(WORKLOADS)]),
    Case("list-workloads: a container", ["list-workloads", "-n", "shop", "-c",
                                         "side"], [ask_workloads(WORKLOADS)]),
    Case("list-workloads: no such container",
         ["list-workloads", "-n", "shop", "-c", "sid"],
         [ask_workloads(WORKLOADS)]),
    Case("list-workloads: none", ["list-workloads", "-n", "shop"],
         [ask_workloads("null")]),
    Case("list-workloads: JSON", ["list-workloads", "-n", "shop", "-o", "json"],
         [ask_workloads(WORKLOADS + [API])]),
    Case("list-workloads: JSON of nothing",
         ["list-workloads", "-n", "shop", "-o", "json"],
         [ask_workloads("null")]),
    Case("list-workloads: JSON of an empty list",
         ["list-workloads", "-n", "shop", "-o", "json"], [ask_workloads("[]")]),
    Case("list-workloads: JSON without the containers asked for",
         ["list-workloads", "-n", "shop", "-o", "json", "-c", "x"],
         [ask_workloads(WORKLOADS)]),
    Case("list-workloads: JSON of what is missing, unknown, in other cases",
         ["list-workloads", "-n", "shop", "-o", "json"],
         [ask_workloads('[{"id":"Shop:Deployment/Web","new":1,"STATUS":"a<b>&'
                        '\\u2028\\u00e9","containers":[{"current":{"id":'
                        '"a:1@sha256:ff","CreatedAt":"2020-02-01T10:00:00.500Z'
                        '","labels":{"org.opencontainers.image.created":'
                        '"2020-02-01T12:00:00+02:00"}}},{"Name":"x","Current":'
                        '{"ID":"a:b:c","Digest":"d"}}],"Labels":{"b":"1","a":'
                        '"2"},"rollout":{"messages":["m"]}}]')]),
    Case("list-workloads: the namespace of the current context",
         ["list-workloads"], [ask_workloads("null")],
         files={"kube": KUBECONFIG}, env={"KUBECONFIG": "@DIR@/kube"}),
    Case("list-workloads: the namespace of another context",
         ["list-workloads", "--context", "there"],
         [ask_workloads("null", ns="other")],
         files={"kube": KUBECONFIG}, env={"KUBECONFIG": "@DIR@/kube"}),
    Case("list-workloads: a context without a namespace",
         ["list-workloads", "--context", "bare"],
         [ask_workloads("null", ns="default")],
         files={"kube": KUBECONFIG}, env={"KUBECONFIG": "@DIR@/kube"}),
    Case("list-workloads: of several files the first that says it counts",
         ["list-workloads"], [ask_workloads("null", ns="other")],
         files={"one": "current-context: there\n", "two": KUBECONFIG},
         env={"KUBECONFIG": "@DIR@/one:@DIR@/two"}),
    Case("list-workloads: the file in the home directory", ["list-workloads"],
         [ask_workloads("null")], files={".kube/config": KUBECONFIG},
         env={"HOME": "@DIR@"}),
    Case("list-workloads: a kubeconfig that cannot be read",
         ["list-workloads"], [ask_workloads("null", ns="default")],
         files={"kube": "contexts: [\n"}, env={"KUBECONFIG": "@DIR@/kube"}),
    Case("list-workloads: an ID that is none", ["list-workloads", "-n", "shop"],
         [ask_workloads('[{"ID":"a b"}]')]),
    Case("list-workloads: not a list", ["list-workloads", "-n", "shop"],
         [ask_workloads('{"a":1}')], ours=True),
    Case("list-workloads: a value of another type",
         ["list-workloads", "-n", "shop"],
         [ask_workloads('[{"ID":"a:b/c","Status":1}]')], ours=True),
    Case("list-workloads: an empty answer", ["list-workloads", "-n", "shop"],
         [ask_workloads("")]),
    Case("list-workloads: what moves a terminal is shown",
         ["list-workloads", "-n", "shop"],
         [ask_workloads([workload("a:b/c", [container("x\x1b[2J\t\n", "i:1")],
                                  "\x1b]0;t\x07")])], ours=True),
    Case("list-workloads: in JSON it is escaped",
         ["list-workloads", "-n", "shop", "-ojson"],
         [ask_workloads([workload("a:b/c", [], "\x7f\x9b2J\u202e")])],
         ours=True),
    Case("list-workloads: YAML", ["list-workloads", "-n", "shop", "-o", "yaml"],
         [ask_workloads(WORKLOADS)], ours=True),
    Case("list-workloads: YAML of nothing",
         ["list-workloads", "-n", "shop", "-o", "yaml"],
         [ask_workloads("null")], ours=True),
    Case("list-workloads: wide", ["list-workloads", "-n", "shop", "-o", "wide"],
         [ask_workloads([dict(WEB, ReadOnly="NotInRepo"),
                         dict(DB, SyncError="no\x1b\nway"), API])], ours=True),
    Case("list-workloads: wide, no heading",
         ["list-workloads", "-n", "shop", "-owide", "--no-headers"],
         [ask_workloads(WORKLOADS)], ours=True),
    Case("list-workloads: a table by its name",
         ["list-workloads", "-n", "shop", "-o", "table"],
         [ask_workloads(WORKLOADS)], ours=True),
    Case("list-workloads: a heading on a terminal",
         ["list-workloads", "-n", "shop"], [ask_workloads(WORKLOADS)],
         keys=[], env={"TERM": "xterm"}, ours=True),
    Case("list-workloads: no heading on a terminal",
         ["list-workloads", "-n", "shop", "--no-headers"],
         [ask_workloads(WORKLOADS)], keys=[], env={"TERM": "xterm"}),
    Case("list-workloads: a terminal without colours",
         ["list-workloads", "-n", "shop"], [ask_workloads(WORKLOADS)],
         keys=[], env={"TERM": "xterm", "NO_COLOR": "1"}),
    Case("list-workloads: a dumb terminal",
         ["list-workloads", "-n", "shop"], [ask_workloads(WORKLOADS)],
         keys=[], env={"TERM": "dumb"}),
    refused("list-workloads: a format", ["list-workloads", "-oxml"]),
    refused("list-workloads: a word", ["list-workloads", "x", "-oxml"]),
    refused("list-workloads: --no-headers", ["list-workloads",
                                             "--no-headers=maybe"]),

    # list-images
    Case("list-images: a namespace", ["list-images", "-n", "shop", "-l", "3"],
         [ask_images(IMAGES)]),
    Case("list-images: ten of each", ["list-images", "-n", "shop"],
         [ask_images(IMAGES)]),
    Case("list-images: all", ["list-images", "-n", "shop", "--limit=0"],
         [ask_images(IMAGES)]),
    Case("list-images: a negative limit", ["list-images", "-n", "shop", "-l-2"],
         [ask_images(IMAGES)]),
    Case("list-images: the running one is just beyond the limit",
         ["list-images", "-n", "shop", "-l", "14"], [ask_images(IMAGES)]),
    Case("list-images: no heading",
         ["list-images", "-n", "shop", "--no-headers", "-l", "1"],
         [ask_images(IMAGES)]),
    Case("list-images: a workload",
         ["list-images", "-w", "shop:Deployment/web", "-n", "x"],
         [ask_images(IMAGES[:1], ns="", service="shop%3Adeployment%2Fweb")]),
    Case("list-images: a workload of the namespace",
         ["list-images", "-w", "deployment/web", "-n", "shop"],
         [ask_images("null", ns="", service="shop%3Adeployment%2Fweb")]),
    Case("list-images: the old flag",
         ["list-images", "-c", "deployment/web", "-n", "shop"],
         [ask_images("null", ns="", service="shop%3Adeployment%2Fweb")]),
    Case("list-images: none", ["list-images", "-n", "shop"],
         [ask_images("[]")]),
    Case("list-images: JSON", ["list-images", "-n", "shop", "-ojson", "-l2"],
         [ask_images(IMAGES)]),
    Case("list-images: JSON of all",
         ["list-images", "-n", "shop", "-ojson", "-l0"], [ask_images(IMAGES)]),
    Case("list-images: JSON of nothing", ["list-images", "-n", "s", "-ojson"],
         [ask_images("null", ns="s")]),
    Case("list-images: JSON, negative limit",
         ["list-images", "-n", "shop", "-ojson", "-l-1"], [ask_images("null")]),
    Case("list-images: a broken time", ["list-images", "-n", "shop"],
         [ask_images([{"ID": "a:b/c", "Containers": [container(
             "x", "i:1", Available=[info("1", "i:", "yesterday")])]}])],
         ours=True),
    Case("list-images: YAML",
         ["list-images", "-n", "shop", "-oyaml", "-l1"],
         [ask_images(IMAGES[:1])], ours=True),
    Case("list-images: refused by the daemon", ["list-images", "-n", "shop"],
         [ask_images('{"type":"user","help":"No.\\n","error":"no"}',
                     status=422)]),
    refused("list-images: both flags",
            ["list-images", "-w", "a/b", "-c", "a/c"]),
    refused("list-images: a workload", ["list-images", "-w", "a b"]),
    refused("list-images: a limit", ["list-images", "-l", "x"]),
    refused("list-images: a large limit",
            ["list-images", "-l", "99999999999999999999"]),
    refused("list-images: a word", ["list-images", "x"]),

    # automate, deautomate, lock, unlock
    policy_case("automate", ["automate", "-m", "why"],
                '{"add":{"automated":"true"},"remove":{}}', message="why"),
    policy_case("deautomate", ["deautomate"],
                '{"add":{},"remove":{"automated":"true"}}'),
    policy_case("lock", ["lock", "-m", "a\"<b>"],
                '{"add":{"locked":"true","locked_msg":"a\\"\\u003cb\\u003e",'
                '"locked_user":"Ada L \\u003cada@example.org\\u003e"},'
                '"remove":{}}', message='a\\"\\u003cb\\u003e'),
    policy_case("unlock", ["unlock"],
                '{"add":{},"remove":{"locked":"true","locked_msg":"true",'
                '"locked_user":"true"}}'),
    Case("lock: nobody", ["lock", "-w", "a:b/c"],
         [ask_update(policy_body('{"add":{"locked":"true"},"remove":{}}',
                                 user="", id="a:b/c")), job_done(CHANGED)]),
    Case("lock: git's user", ["lock", "-w", "a:b/c"],
         [ask_update(policy_body(
             '{"add":{"locked":"true","locked_msg":"","locked_user":'
             '"Ada \\u003ca@b\\u003e"},"remove":{}}',
             user="Ada \\u003ca@b\\u003e", id="a:b/c")), job_done(CHANGED)],
         files={".gitconfig": "[user]\nname = Ada\nemail = a@b\n"},
         env={"HOME": "@DIR@"}),
    Case("lock: git's user has an address only", ["lock", "-w", "a:b/c"],
         [ask_update(policy_body(
             '{"add":{"locked":"true","locked_msg":"","locked_user":"a@b"},'
             '"remove":{}}', user="a@b", id="a:b/c")), job_done(CHANGED)],
         files={".gitconfig": "[user]\nemail = a@b\n"}, env={"HOME": "@DIR@"}),
    Case("lock: without git", ["lock", "-w", "a:b/c"],
         [ask_update(policy_body('{"add":{"locked":"true"},"remove":{}}',
                                 user="", id="a:b/c")), job_done(CHANGED)],
         env={"PATH": "/nonexistent"}),
    Case("lock: the old flag",
         ["lock", "--controller=b/c", "-n", "a"] + USER,
         [ask_update(policy_body(
             '{"add":{"locked":"true","locked_msg":"","locked_user":'
             '"Ada L \\u003cada@example.org\\u003e"},"remove":{}}',
             id="a:b/c")), job_done(CHANGED)]),
    refused("automate: no workload", ["automate"]),
    refused("deautomate: no workload", ["deautomate"]),
    refused("lock: no workload", ["lock"]),
    refused("unlock: no workload", ["unlock"]),
    refused("automate: both flags", ["automate", "-w", "a/b", "-c", "a/b"]),
    refused("deautomate: both flags", ["deautomate", "-w", "a/b", "-c", "a/b"]),
    refused("lock: both flags", ["lock", "-w", "a/b", "-c", "a/b"], ours=True),
    refused("automate: a word", ["automate", "-w", "a/b", "x"]),
    refused("lock: a workload", ["lock", "-w", "a/b/c"]),

    # policy
    policy_case("policy: everything",
                ["policy", "--automate", "--unlock", "--tag-all", "1.*",
                 "--tag", "b=semver:~1,a=regex:x", "--tag=c=*", "--tag",
                 '"d=glob:a"'],
                '{"add":{"automated":"true","tag.a":"regexp:x","tag.b":'
                '"semver:~1","tag.d":"glob:a","tag_all":"glob:1.*"},'
                '"remove":{"locked":"true","locked_msg":"true",'
                '"locked_user":"true","tag.c":"true"}}'),
    policy_case("policy: nothing", ["policy"], '{"add":{},"remove":{}}',
                result={"shop:deployment/web": {"Status": "skipped"}}),
    policy_case("policy: nothing, and it is shown", ["policy", "-v"],
                '{"add":{},"remove":{}}',
                result={"shop:deployment/web": {"Status": "skipped"}}),
    policy_case("policy: no result", ["policy", "--lock"],
                '{"add":{"locked":"true","locked_msg":"","locked_user":'
                '"Ada L \\u003cada@example.org\\u003e"},"remove":{}}',
                result=None),
    Case("policy: nothing to do", ["policy", "--automate", "-w", "a:b/c"],
         [ask_update(policy_body('{"add":{"automated":"true"},"remove":{}}',
                                 user="", id="a:b/c")),
          ask_job("succeeded")]),
    Case("policy: a result without anything",
         ["policy", "--automate", "-w", "a:b/c"],
         [ask_update(policy_body('{"add":{"automated":"true"},"remove":{}}',
                                 user="", id="a:b/c")),
          job_done({}, None)]),
    Case("policy: the job fails", ["policy", "--automate", "-w", "a:b/c"],
         [ask_update(policy_body('{"add":{"automated":"true"},"remove":{}}',
                                 user="", id="a:b/c")),
          ask_job("running"), ask_job("failed", err="resource a:b/c does not "
                                      "have containers")]),
    Case("policy: the job does not end in time",
         ["--timeout=2500ms", "policy", "--automate", "-w", "a:b/c"],
         [ask_update(policy_body('{"add":{"automated":"true"},"remove":{}}',
                                 user="", id="a:b/c")),
          ask_job("queued", repeat=True)]),
    Case("policy: the result without a heading",
         ["policy", "--no-headers", "--automate", "-w", "a:b/c"],
         [ask_update(policy_body('{"add":{"automated":"true"},"remove":{}}',
                                 user="", id="a:b/c")),
          job_done({"a:b/c": {"Status": "success", "PerContainer": None}})],
         ours=True),
    Case("policy: status when there is no result in time",
         ["--timeout=2500ms", "policy", "--automate", "-w", "a:b/c",
          "--detailed-exitcode"],
         [ask_update(policy_body('{"add":{"automated":"true"},"remove":{}}',
                                 user="", id="a:b/c")),
          ask_job("queued", repeat=True)], ours=True),
    Case("policy: refused by the daemon",
         ["policy", "--automate", "-w", "a:b/c"],
         [ask_update(policy_body('{"add":{"automated":"true"},"remove":{}}',
                                 user="", id="a:b/c"),
                     '{"type":"user","help":"Read-only.\\n","error":"ro"}',
                     status=422)]),
    refused("policy: no workload", ["policy", "--lock", "--unlock"]),
    refused("policy: both flags",
            ["policy", "-w", "a/b", "-c", "a/b", "--lock", "--unlock"]),
    refused("policy: on and off",
            ["policy", "-w", "a/b", "--automate", "--deautomate", "--lock",
             "--unlock"]),
    refused("policy: locked and unlocked",
            ["policy", "-w", "x", "--lock", "--unlock"]),
    refused("policy: a workload", ["policy", "-w", "x", "--tag", "x"]),
    refused("policy: a pair", ["policy", "-w", "a/b", "--tag", "x=a=b"]),
    refused("policy: a pair without a pattern",
            ["policy", "-w", "a/b", "--tag", "x"]),
    refused("policy: a word", ["policy", "x"]),
    refused("policy: a list", ["policy", "--tag", "\"a"]),
    refused("policy: a count", ["policy", "--verbose=x"]),

    # release: the request
    Case("release: newest images, everywhere",
         RELEASE + ["--update-all-images", "--all", "--workload=x/y"],
         [ask_update(release_body(ALL)), ask_job("queued"), job_done(),
          job_done(), ask_applied([], ref=REV)]),
    Case("release: a plan",
         RELEASE + ["--update-all-images", "--all", "--dry-run"],
         [ask_update(release_body(ALL, kind="plan")), job_done(revision=None),
          job_done(revision=None)]),
    Case("release: a plan, with what is skipped",
         RELEASE + ["--update-all-images", "--all", "--dry-run", "-v"],
         [ask_update(release_body(ALL, kind="plan")), job_done(revision=None),
          job_done(revision=None)]),
    Case("release: a plan, with what is ignored",
         RELEASE + ["--update-all-images", "--all", "--dry-run", "-vv"],
         [ask_update(release_body(ALL, kind="plan")), job_done(revision=None),
          job_done(revision=None)]),
    Case("release: a number of -v",
         RELEASE + ["--update-all-images", "--all", "--dry-run",
                    "--verbose=2", "--verbose=0"],
         [ask_update(release_body(ALL, kind="plan")), job_done(revision=None),
          job_done(revision=None)]),
    Case("release: an image",
         RELEASE + ["-i", "alpine:latest", "--all", "-m", "why"],
         [ask_update(release_body(ALL, "alpine:latest", message="why")),
          job_done(), job_done(), ask_applied([], ref=REV)]),
    Case("release: an image with a digest",
         RELEASE + ["-i", "alpine:1@sha256:ff", "--all", "--dry-run"],
         [ask_update(release_body(ALL, "alpine@sha256:ff", kind="plan")),
          job_done(revision=None), job_done(revision=None)]),
    Case("release: workloads, exclusions, the old flag",
         RELEASE + ["--update-all-images", "--workload",
                    "deployment/web,x:Deployment/y", "-c", "a/b", "--exclude",
                    "deployment/a,deployment/b", "--dry-run"],
         [ask_update(release_body(
             ONE + ',"x:deployment/y","shop:a/b"', kind="plan",
             excludes='["shop:deployment/a","shop:deployment/b"]')),
          job_done(revision=None), job_done(revision=None)]),
    Case("release: force and all", RELEASE + ["--force", "--all", "-i", "a:1",
                                              "--dry-run"],
         [ask_update(release_body(ALL, "a:1", kind="plan", force="true")),
          job_done(revision=None), job_done(revision=None)]),
    Case("release: force and newest images",
         RELEASE + ONE_NEWEST + ["-f", "--dry-run"],
         [ask_update(release_body(ONE, kind="plan", force="true")),
          job_done(revision=None), job_done(revision=None)]),
    Case("release: a short revision", RELEASE + ONE_NEWEST,
         [ask_update(release_body(ONE)), job_done(revision="01234"),
          job_done(revision="01234"), ask_applied([], ref="01234")],
         ours=True),

    # release: what becomes of it
    Case("release: nothing to do", RELEASE + ONE_NEWEST,
         [ask_update(release_body(ONE)), ask_job("succeeded"),
          ask_job("succeeded")]),
    Case("release: no changes", RELEASE + ONE_NEWEST,
         [ask_update(release_body(ONE)),
          ask_job("failed", err="no changes made in repo")]),
    Case("release: the first wait does not end in time",
         ["--timeout=2500ms"] + RELEASE + ONE_NEWEST,
         [ask_update(release_body(ONE)), ask_job("queued", repeat=True)]),
    Case("release: pushed, but not applied in time",
         ["--timeout=2900ms"] + RELEASE + ONE_NEWEST,
         [ask_update(release_body(ONE)), job_done(), job_done(),
          ask_applied([REV], ref=REV, repeat=True)]),
    Case("release: status when there is no result in time",
         ["--timeout=2500ms", "--detailed-exitcode"] + RELEASE + ONE_NEWEST,
         [ask_update(release_body(ONE)), ask_job("queued", repeat=True)],
         ours=True),
    Case("release: status when it is not applied in time",
         ["--timeout=2900ms", "--detailed-exitcode"] + RELEASE + ONE_NEWEST,
         [ask_update(release_body(ONE)), job_done(), job_done(),
          ask_applied([REV], ref=REV, repeat=True)], ours=True),
    Case("release: an error while it is applied", RELEASE + ONE_NEWEST,
         [ask_update(release_body(ONE)), job_done(), job_done(),
          ask_applied("no", ref=REV, status=500, type="text/plain")]),
    Case("release: a plan that is refused",
         RELEASE + ONE_NEWEST + ["--dry-run"],
         [ask_update(release_body(ONE, kind="plan"),
                     '{"type":"user","help":"No image.\\n","error":"n"}',
                     status=422)]),
    Case("release: a result with an ID that is none", RELEASE + ONE_NEWEST,
         [ask_update(release_body(ONE)), job_done({"a b": {}}),
          job_done({"a b": {}})], ours=True),
    Case("release: a result with an image that is none", RELEASE + ONE_NEWEST,
         [ask_update(release_body(ONE))] + 2 * [job_done(
             {"a:b/c": {"Status": "success", "PerContainer": [
                 {"Container": "c", "Current": "a:b:c", "Target": "a:1"}]}})],
         ours=True),
    Case("release: texts that move the terminal", RELEASE + ONE_NEWEST,
         [ask_update(release_body(ONE))] + 2 * [job_done(
             {"a:b/c": {"Status": "failed", "Error": "x\ty\n\x1b[2Jz"}},
             revision=None)], ours=True),
    Case("release: watched",
         RELEASE + ["--update-all-images", "--workload=deployment/web", "-w"],
         [ask_update(release_body(ONE))] + 2 * [job_done(
             {k: UPDATES[k] for k in ("shop:deployment/web",
                                      "shop:deployment/api")})] +
         [ask_applied([], ref=REV),
          ask_rollout([dict(WEB, Status="updating", Rollout={
              "Desired": 2, "Updated": 1, "Ready": 1, "Outdated": 1})]),
          ask_rollout([WEB])]),
    Case("release: watched, with more",
         RELEASE + ONE_NEWEST + ["-w", "-v"],
         [ask_update(release_body(ONE))] + 2 * [job_done(
             {"shop:deployment/web": UPDATES["shop:deployment/web"]})] +
         [ask_applied([], ref=REV), ask_rollout([WEB, DB | {
             "Status": "ready"}])]),
    Case("release: watched, with a problem", RELEASE + ONE_NEWEST + ["-w"],
         [ask_update(release_body(ONE))] + 2 * [job_done(CHANGED)] +
         [ask_applied([], ref=REV),
          ask_rollout([workload("shop:deployment/web", [], "error",
                                rollout={"Messages": ["one", "two"]}), DB])]),
    Case("release: watched, without headings; status with a problem",
         RELEASE + ONE_NEWEST + ["-w", "--no-headers", "--detailed-exitcode"],
         [ask_update(release_body(ONE))] + 2 * [job_done(CHANGED)] +
         [ask_applied([], ref=REV),
          ask_rollout([DB, workload("shop:deployment/web", [], "error",
                                    rollout={"Messages": ["one"]})])],
         ours=True),
    Case("release: watched, an empty list is a problem",
         RELEASE + ONE_NEWEST + ["-w"],
         [ask_update(release_body(ONE))] + 2 * [job_done(CHANGED)] +
         [ask_applied([], ref=REV),
          ask_rollout([workload("shop:deployment/web", [], "error",
                                rollout={"Messages": []})])]),
    Case("release: watched, nothing was released",
         RELEASE + ONE_NEWEST + ["-w"],
         [ask_update(release_body(ONE))] + 2 * [job_done(
             {"a:b/c": {"Status": "skipped"}}, revision=None)], ours=True),
    Case("release: interactive, nothing can be chosen",
         RELEASE + ONE_NEWEST + ["--interactive"],
         [ask_update(release_body(ONE, kind="plan")),
          job_done({"a:b/c": {"Status": "skipped"}}, revision=None)]),
    Case("release: interactive, without a terminal",
         RELEASE + ONE_NEWEST + ["--interactive"],
         [ask_update(release_body(ONE, kind="plan")),
          job_done(revision=None)], ours=True),

    # release: the menu
    menu_case("accepted", [b"\r"], chosen=chosen_body(
        '"shop:deployment/web":[%s,%s]' % (WEB_UPDATE, SIDE_UPDATE))),
    menu_case("one is unchecked", [b" ", b"\r"], chosen=chosen_body(
        '"shop:deployment/web":[%s]' % SIDE_UPDATE)),
    menu_case("unchecked and checked again", [b" ", b" ", b"\r"],
              args=["-f"], chosen=chosen_body(
                  '"shop:deployment/web":[%s,%s]' % (WEB_UPDATE, SIDE_UPDATE),
                  force="true")),
    menu_case("up and down, around the ends",
              [b"j", b"j", b"k", b"\033[A", b"\033[B", b"\t", b"q"]),
    menu_case("given up with Ctrl-C", [b"\003"]),
    menu_case("given up with Escape", [b"\033"]),
    menu_case("a dry run releases all the same", [b"\r"], args=["--dry-run"],
              chosen=chosen_body('"shop:deployment/web":[%s,%s]' %
                                 (WEB_UPDATE, SIDE_UPDATE))),
    menu_case("rows that cannot be checked are passed over",
              [b"j", b" ", b"k", b"k", b"\r"], plan=UPDATES, args=["-vv"],
              ours=True, chosen=chosen_body(
                  '"shop:deployment/mixed":[%s],"shop:deployment/web":[%s]' %
                  ('{"Container":"c","Current":"a@sha256:ff","Target":"a:2"}',
                   SIDE_UPDATE))),
    menu_case("nothing is selected", [b" ", b"\r"], ours=True,
              plan={"a:b/c": {"Status": "success", "PerContainer": [
                  {"Container": "c", "Current": "a:1", "Target": "a:2"}]}}),
    menu_case("an image that is not known is not sent", [b"\r"], ours=True,
              plan={"a:b/c": {"Status": "success", "PerContainer": [
                  {"Container": "c", "Target": "a:2"}]}},
              chosen=chosen_body(
                  '"a:b/c":[{"Container":"c","Target":"a:2"}]')),
    menu_case("lines longer than the terminal", [b" ", b"q"],
              plan={"a:b/c": {"Status": "success", "PerContainer": [
                  {"Container": "c", "Current": "a:" + "1" * 100,
                   "Target": "a:2"}]}}, ours=True),

    # release: what is refused
    refused("release: a word", ["release", "x"]),
    refused("release: no image", ["release", "--all"]),
    refused("release: no flag", ["release"]),
    refused("release: both images",
            ["release", "--all", "-i", "a:1", "--update-all-images"]),
    refused("release: no workload", ["release", "--update-all-images"]),
    refused("release: an empty list",
            ["release", "--update-all-images", "--workload="]),
    refused("release: watching a plan",
            RELEASE + ONE_NEWEST + ["-w", "--dry-run"]),
    refused("release: force without effect",
            ["release", "--force", "--all", "--update-all-images"]),
    refused("release: a workload", ["release", "--workload=a b", "-i", "x"]),
    refused("release: an image without a tag",
            ["release", "--all", "--update-image=alpine"]),
    refused("release: an image", ["release", "--all", "-i", "a:b:c"]),
    refused("release: an image that begins with a slash",
            ["release", "--all", "-i", "/a:b"]),
    refused("release: an exclusion",
            ["release", "--all", "-i", "a:1", "--exclude", "x"]),
    refused("release: -w takes no value", ["release", "-w", "a/b"]),

    # save
    Case("save: to standard output", ["save"], [ask_export(EXPORT)]),
    Case("save: to files", ["save", "-o", "@DIR@/./out//"],
         [ask_export(EXPORT.replace("kind: ClusterRole", "kind: Other")
                     .replace("system:x", "x"))], files={"out": None}),
    Case("save: to files, by a relative path", ["save", "-o", "x/../out"],
         [ask_export(EXPORT)], files={"out": None, "x": None}),
    Case("save: names without the quotes that YAML wants", ["save"],
         [ask_export(UNQUOTED)]),
    Case("save: such names, to files", ["save", "-o", "@DIR@/out"],
         [ask_export(UNQUOTED)], files={"out": None}),
    Case("save: nothing", ["save"], [ask_export("")]),
    Case("save: null", ["save"], [Exchange("GET", "/api/flux/v6/export",
                                           "null")]),
    Case("save: no directory", ["save", "-o", "@DIR@/out"],
         [ask_export(EXPORT)]),
    Case("save: not a directory", ["save", "-o", "@DIR@/out"],
         [ask_export(EXPORT)], files={"out": "x"}),
    Case("save: refused by the daemon", ["save"],
         [Exchange("GET", "/api/flux/v6/export",
                   '{"type":"user","help":"No.\\n","error":"n"}', status=422)]),
    Case("save: a plain error", ["save"],
         [Exchange("GET", "/api/flux/v6/export", "boom", status=500,
                   type="text/plain")]),
    Case("save: not base64", ["save"],
         [Exchange("GET", "/api/flux/v6/export", '"***"')], ours=True),
    Case("save: YAML that cannot be read", ["save"],
         [ask_export("kind: A\n---\na: [\n")], ours=True),
    Case("save: values of other types", ["save"],
         [ask_export("kind: A\nspec: x\n")], ours=True),
    save_hostile("a name that leads out", object_named("../keep")),
    save_hostile("a name that is a directory", object_named("..")),
    save_hostile("a namespace that leads out", object_named(ns="..")),
    save_hostile("a namespace with a slash", object_named(ns="a/b")),
    save_hostile("an absolute namespace", object_named(ns="/tmp")),
    save_hostile("a hidden namespace", object_named(ns=".git")),
    save_hostile("a kind that leads out", object_named(kind="x/../../y")),
    save_hostile("no kind", "metadata: {name: x}\n"),
    save_hostile("no name", "kind: Deployment\n"),
    save_hostile("a namespace object that leads out",
                 object_named("../x", kind="Namespace")),
    save_hostile("a name that moves the terminal", object_named("a\\x1b[2J")),
    save_hostile("a long name", object_named("a" * 300)),
    Case("save: a link where the namespace's directory should be",
         ["save", "-o", "@DIR@/out"], [ask_export(object_named())],
         files={"out/shop": "-> @DIR@/other", "other": None}, ours=True),
    Case("save: a link where a file should be", ["save", "-o", "@DIR@/out"],
         [ask_export(object_named())], ours=True,
         files={"out/shop/web-dep.yaml": "-> @DIR@/keep", "keep": "kept\n"}),
    Case("save: a file is replaced", ["save", "-o", "@DIR@/out"],
         [ask_export(object_named())],
         files={"out/shop/web-dep.yaml": "x" * 1000}),
    Case("save: what would move a terminal, on one",
         ["save"], [ask_export("kind: \"a\\u202eb\"\n")], keys=[],
         env={"TERM": "xterm"}, ours=True),
    Case("save: what would move a terminal, in a file",
         ["save"], [ask_export("kind: \"a\\u202eb\"\n")]),
    refused("save: a word", ["save", "x"]),

    # install
    Case("install: to standard output", INSTALL, [], ours=True),
    Case("install: everything, to files",
         INSTALL + ["--git-branch=b", "--git-path=x,y", "--git-path", "z",
                    "--git-label=l", "--git-user=A B: \"c\" #d",
                    "--git-readonly", "--manifest-generation",
                    "--add-security-context=false", "-o", "@DIR@/out"], [],
         files={"out": None}, ours=True),
    Case("install: the least",
         INSTALL + ["--git-label=", "--git-user=",
                    "--registry-disable-scanning", "--namespace=123"], [],
         ours=True),
    Case("install: the context's namespace, the old flag",
         INSTALL[:5] + ["--git-paths=a", "--registry-disable-scanning"], [],
         files={"kube": KUBECONFIG}, env={"KUBECONFIG": "@DIR@/kube"},
         ours=True),
    Case("install: no directory", INSTALL + ["-o", "@DIR@/out"], [],
         ours=True),
    Case("install: not a directory", INSTALL + ["-o", "@DIR@/out"], [],
         files={"out": "x"}, ours=True),
    refused("install: no URL", ["install", "--git-email=x"], ours=True),
    refused("install: no address", ["install", "--git-url=x"], ours=True),
    refused("install: a word", ["install", "x"], ours=True),
]
