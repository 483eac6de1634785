# SPDX-License-Identifier: Apache-2.0
"""What becomes of each workload in a release, for every kind of spec, as fluxd
answers it: what fluxctl prints of that, at each verbosity, is in expected.txt.

The repository has `web`, `locked-svc`, which is locked, and `api`, which does
not run; the registry has newer images for all of them."""

from cases import Case, REV, ask_applied, ask_job, ask_update
from cases_commands import (ALL, IMG, RELEASE, chosen_body, job_done,
                            release_body)

SHOP = "shop:deployment/"


def success(*updates):
    return {"Status": "success", "PerContainer": [
        {"Container": c, "Current": old, "Target": new}
        for c, old, new in updates]}


def other(status, why):
    return {"Status": status, "Error": why, "PerContainer": None}


WEB = ("web", IMG + "1.2.0", IMG + "1.2.1")
SIDE = ("side", "alpine:3.12", "alpine:3.13")
LOCKED = ("svc", "quay.io/shop/svc:1", "quay.io/shop/svc:2")
NOT_RUNNING = other("skipped", "not accessible in cluster")
NOT_INCLUDED = other("ignored", "not included")
NEWEST = ["--update-all-images"]
LATEST = "\\u003call latest\\u003e"


def results(web, locked, api, **more):
    return {SHOP + name.replace("_", "-"): result for name, result in dict(
        web=web, locked_svc=locked, api=api, **more).items()}


def ids(*names):
    return ",".join('"%s%s"' % (SHOP, name) for name in names)


# name, flags, what of the request follows from them, the job's result
ROWS = [
    ("one workload, newest images", ["--workload=deployment/web"] + NEWEST,
     dict(workloads=ids("web")),
     results(success(WEB, SIDE), NOT_INCLUDED, NOT_INCLUDED)),
    ("all but one, newest images",
     ["--all", "--exclude=deployment/locked-svc"] + NEWEST,
     dict(workloads=ALL, excludes="[%s]" % ids("locked-svc")),
     results(success(WEB, SIDE), other("ignored", "excluded"), NOT_RUNNING)),
    ("all, one image", ["--all", "-i", WEB[2]],
     dict(workloads=ALL, image=WEB[2]),
     results(success(WEB), other("ignored", "a different image"),
             NOT_RUNNING)),
    ("all, newest images", ["--all"] + NEWEST, dict(workloads=ALL),
     results(success(WEB, SIDE), other("skipped", "locked"), NOT_RUNNING)),
    ("one and all are all",
     ["--workload=deployment/web", "--all"] + NEWEST, dict(workloads=ALL),
     results(success(WEB, SIDE), other("skipped", "locked"), NOT_RUNNING)),
    ("one that is not there", ["--workload=deployment/ghost"] + NEWEST,
     dict(workloads=ids("ghost")),
     results(NOT_INCLUDED, NOT_INCLUDED, NOT_INCLUDED,
             ghost=other("skipped", "not found in repository"))),
    ("a locked one by force, one image",
     ["--workload=deployment/locked-svc", "-f", "-i", LOCKED[2]],
     dict(workloads=ids("locked-svc"), image=LOCKED[2], force="true"),
     results(NOT_INCLUDED, success(LOCKED), NOT_INCLUDED)),
    ("a locked one by force, newest images",
     ["--workload=deployment/locked-svc", "-f"] + NEWEST,
     dict(workloads=ids("locked-svc"), force="true"),
     results(NOT_INCLUDED, success(LOCKED), NOT_INCLUDED)),
    ("all by force, and a lock counts", ["--all", "-f", "-i", WEB[2]],
     dict(workloads=ALL, image=WEB[2], force="true"),
     results(success(WEB), other("skipped", "locked"), NOT_RUNNING)),
    ("a pattern by force, one image that it does not match",
     ["--workload=deployment/web", "-f", "-i", IMG + "nightly"],
     dict(workloads=ids("web"), image=IMG + "nightly", force="true"),
     results(success(("web", WEB[1], IMG + "nightly")), NOT_INCLUDED,
             NOT_INCLUDED)),
    ("all patterns by force, one image that they do not match",
     ["--all", "-f", "-i", IMG + "nightly"],
     dict(workloads=ALL, image=IMG + "nightly", force="true"),
     results(success(("web", WEB[1], IMG + "nightly")),
             other("skipped", "locked"), NOT_RUNNING)),
    ("a pattern by force, newest images that it matches",
     ["--workload=deployment/web", "-f"] + NEWEST,
     dict(workloads=ids("web"), force="true"),
     results(success(("web", WEB[1], IMG + "1.2.9")), NOT_INCLUDED,
             NOT_INCLUDED)),
    ("images of which nothing is known",
     ["--workload=deployment/web"] + NEWEST, dict(workloads=ids("web")),
     results(other("ignored", "does not use image(s)"), NOT_INCLUDED,
             NOT_INCLUDED)),
    ("images that are up to date", ["--workload=deployment/web"] + NEWEST,
     dict(workloads=ids("web")),
     results(other("skipped", "image(s) up to date"), NOT_INCLUDED,
             NOT_INCLUDED)),
]


def row_cases():
    for name, flags, request, result in ROWS:
        for verbosity in ([], ["-v"], ["-vv"]):
            yield Case(" ".join(["result:", name + ":"] + verbosity),
                       RELEASE + flags + ["--dry-run"] + verbosity,
                       [ask_update(release_body(kind="plan", **request))] +
                       2 * [job_done(result, revision=None)])


# What was chosen in the menu is checked anew: it may have changed meanwhile.
PLAN = {SHOP + "web": success(WEB, SIDE)}
BOTH = ('"shop:deployment/web":[{"Container":"web","Current":"%s","Target":'
        '"%s"},{"Container":"side","Current":"%s","Target":"%s"}]' %
        (WEB[1:] + SIDE[1:]))
CANNOT, NONE = "cannot satisfy specs", "no changes found"
# name, flags, the job's error or result
CHOSEN = [
    ("both are as they were", [], PLAN),
    ("one has another tag by now", [], CANNOT),
    ("one has another tag by now, and is left out", [],
     {SHOP + "web": dict(success(SIDE),
                         Error="container(s) tag mismatch: web")}),
    ("a container is gone", [], CANNOT),
    ("both run already", [], NONE),
    ("it is locked by now", [], NONE),
    ("it is locked, and forced", ["-f"], PLAN),
]


def chosen_cases():
    for name, flags, outcome in CHOSEN:
        force = "true" if flags else "false"
        failed = isinstance(outcome, str)
        yield Case(
            "result: chosen: " + name,
            RELEASE + ["--workload=deployment/web", "-i", WEB[2],
                       "--interactive"] + flags,
            [ask_update(release_body(ids("web"), WEB[2], kind="plan",
                                     force=force)),
             job_done(PLAN, revision=None),
             ask_update(chosen_body(BOTH, force=force))] +
            ([ask_job("failed", err=outcome)] if failed else
             [job_done(outcome), ask_applied([], ref=REV)]),
            keys=[b"\r"], env={"TERM": "xterm", "NO_COLOR": "1"})


RELEASE_CASES = list(row_cases()) + list(chosen_cases())
