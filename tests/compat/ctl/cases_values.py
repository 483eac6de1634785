# SPDX-License-Identifier: Apache-2.0
"""What commands that change something print for programs, and the statuses that
they exit with: ours alone.  What is printed is in expected.txt."""

from cases import (DONE, REV, Case, ask_applied, ask_config, ask_errors,
                   ask_job, ask_sync, ask_update, config, synced)
from cases_commands import (ALL, CHANGED, DB, ONE, ONE_NEWEST, RELEASE, UPDATES,
                            USER, WEB, ask_rollout, chosen_body, job_done,
                            policy_body, release_body)

AUTOMATE = ["automate", "-w", "shop:deployment/web"] + USER
DETAILED = ["--detailed-exitcode"]
NO_CHANGE = ask_job("failed", err="no changes made in repo")
PLANNED = [ask_update(release_body(ONE, kind="plan")),
           job_done(revision=None)]


def value(name, args, exchanges, **more):
    return Case("value: " + name, args, exchanges, ours=True, **more)


def released(name, args, *exchanges, kind="execute"):
    return value(name, RELEASE + ONE_NEWEST + args,
                 [ask_update(release_body(ONE, kind=kind))] + list(exchanges))


def automated(name, args, *exchanges):
    return value(name, AUTOMATE + args, [ask_update(policy_body(
        '{"add":{"automated":"true"},"remove":{}}'))] + list(exchanges))


DIGESTS = {"shop:Deployment/web": {"status": "success", "new": 1,
                                   "PerContainer": [
                                       {"Container": "c",
                                        "Current": "a:1@sha256:ff",
                                        "Target": "a:2@sha256:ee"}]}}

VALUE_CASES = [
    released("a release that is applied", ["-ojson"], job_done(), job_done(),
             ask_applied([], ref=REV)),
    released("a release, as YAML", ["-o", "yaml", "-v"], job_done(DIGESTS),
             job_done(DIGESTS), ask_applied([], ref=REV)),
    released("a release that is not applied in time",
             ["-ojson", "--timeout=2900ms"], job_done(CHANGED),
             job_done(CHANGED), ask_applied([REV], ref=REV, repeat=True)),
    released("a plan", ["-ojson", "--dry-run"], job_done(revision=None),
             job_done(revision=None), kind="plan"),
    released("nothing to do", ["-ojson"], ask_job("succeeded"),
             ask_job("succeeded")),
    released("a job that fails has none", ["-ojson"], NO_CHANGE),
    released("a result that cannot be read has none", ["-ojson"],
             job_done({"a b": {}}), job_done({"a b": {}})),
    released("a release that is watched", ["-ojson", "-w"], job_done(CHANGED),
             job_done(CHANGED), ask_applied([], ref=REV), ask_rollout([WEB])),
    automated("policies are not waited for", ["-ojson"], job_done(CHANGED)),
    automated("a table by its name", ["-o", "table"], job_done(CHANGED)),
    value("release: another format", RELEASE + ONE_NEWEST + ["-oxml"], []),
    value("release: not with the menu",
          RELEASE + ONE_NEWEST + ["--interactive", "-oyaml"], []),
    value("a format is looked at before anything else",
          ["lock", "--output-format=nope"], []),
    value("sync", ["sync", "-ojson"],
          synced(ask_errors({"total": 0, "errors": []}))),
    value("sync: what could not be applied", ["sync", "-o", "yaml"],
          synced(ask_errors({"total": 3, "errors": [
              {"id": "shop:deployment/web", "error": "no\x1b", "x": 1}]}))),
    value("sync: a daemon that does not tell errors", ["sync", "-ojson"],
          synced()),
    value("sync: not applied in time", ["sync", "-ojson", "--timeout=2900ms"],
          [ask_config(config()), ask_sync(),
           ask_job("succeeded", result=DONE),
           ask_applied([REV], repeat=True), ask_config(config())]),

    # exit statuses
    released("status: no change", DETAILED, NO_CHANGE),
    released("status: no change, without the flag", [], NO_CHANGE),
    released("status: another failure", DETAILED,
             ask_job("failed", err="no changes for me")),
    released("status: no change, and why", DETAILED + ["-v"], NO_CHANGE,
             *PLANNED),
    released("status: no change, and no answer why", DETAILED + ["-v"],
             NO_CHANGE, ask_update(release_body(ONE, kind="plan"), "no",
                                   status=500, type="text/plain")),
    released("status: a plan fails", DETAILED + ["-v", "--dry-run"], NO_CHANGE,
             kind="plan"),
    released("status: a workload fails", DETAILED,
             *2 * [job_done({"a:b/c": UPDATES["shop:statefulset/db"]},
                            revision=None)]),
    automated("status: policies, no answer in time",
              DETAILED + ["--timeout=2500ms"], ask_job("queued", repeat=True)),
    automated("status: policies, done", DETAILED, job_done(CHANGED)),
    released("status: a rollout has a problem", DETAILED + ["-w", "-ojson"],
             job_done(CHANGED), job_done(CHANGED), ask_applied([], ref=REV),
             ask_rollout([dict(DB, Rollout={"Messages": ["m"]})])),

    # who chooses in the menu need not say of which images
    value("the menu is about the newest images",
          RELEASE + ["--all", "--interactive"],
          [ask_update(release_body(ALL, kind="plan")),
           job_done({"a:b/c": {"Status": "success", "PerContainer": [
               {"Container": "c", "Current": "a:1", "Target": "a:2"}]}},
               revision=None),
           ask_update(chosen_body('"a:b/c":[{"Container":"c","Current":"a:1",'
                                  '"Target":"a:2"}]')),
           ask_job("failed", err="no changes found")],
          keys=[b"\r"], env={"TERM": "xterm", "NO_COLOR": "1"}),
    value("which force has no effect on",
          RELEASE + ["--all", "--interactive", "-f"], []),
]
