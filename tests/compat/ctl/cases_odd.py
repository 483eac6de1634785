# SPDX-License-Identifier: Apache-2.0
"""Answers, and command lines, that are odd: the unmodified client says what of
them is meant.  What is printed is in expected.txt."""

from cases import (REV, Case, ask_applied, ask_config, ask_job, ask_sync,
                   config, DONE)
from cases_commands import (CHANGED, ask_images, ask_workloads, container, day,
                            info, job_done, policy_body, ask_update, workload)
from recorded import Exchange


def listed(name, answer, args=(), **more):
    return Case("odd: " + name, ["list-workloads", "-n", "shop"] + list(args),
                [ask_workloads(answer, **more)])


def images(name, available, args=(), image="i:1", **more):
    return Case("odd: images: " + name,
                ["list-images", "-n", "shop"] + list(args), [ask_images([{
                    "ID": "a:b/c", "Containers": [container(
                        "x", image, Available=available)]}])], **more)


def made(when, **more):
    return images("made %s%s" % (when, " in " + more["env"]["TZ"]
                                 if more else ""),
                  [info("1", "i:", when)], **more)


def limit(args):
    return Case("odd: a number: " + " ".join(args), ["list-images", "-n",
                                                     "shop"] + args, [])


def limited(args):
    return Case("odd: a number: " + " ".join(args), ["list-images", "-n",
                                                     "shop"] + args,
                [ask_images("null")])


def automated(name, job):
    return Case("odd: a job: " + name, ["automate", "-w", "a:b/c"],
                [ask_update(policy_body(
                    '{"add":{"automated":"true"},"remove":{}}', user="",
                    id="a:b/c")), job])


def updated(**update):
    return job_done({"a:b/c": {"Status": "success", "PerContainer": [
        dict(Container="c", **update)]}})


WIDE = workload("shop:deployment/web",
                [container("コンテナ", "日本/イメージ:タグ"),
                 container("e\u0301", "a:1")], "準備完了")
TAGS = [info("%d" % n, "i:", day(n)) for n in range(20, 0, -1)]
DIGEST = "i:15@sha256:ff"

ODD_CASES = [
    # wide characters
    listed("wide characters", [WIDE, workload("日本:deployment/web", [])]),
    images("wide characters", [info("タグ", "日本/x:", day(1))],
           image="日本/x:é"),
    automated("wide characters", job_done(
        {"日本:deployment/w": {"Status": "成功", "Error": "失敗"},
         "a:b/c": {"Status": "success", "PerContainer": [
             {"Container": "コンテナ", "Current": "日本/x:1",
              "Target": "日本/x:タグ"}]}})),

    # what is no JSON, or not all of it
    *[listed("no JSON: %r" % text, text) for text in (
        "junk", "nope", '[{"ID":"a:b/c"', "[1,]", '["\\x"]', "[01]", "[-]",
        "[1.]", "[1e]", '{"a" 1}', "{a:1}", "[\n\x01]", "\ufeff[]", " ", "'",
        "[] x", "[]]")],
    *[listed("no JSON as an error: %r" % text, text, status=400) for text in (
        "junk", "", "{} x", "{}{}", '{"error":"e"', "[]", "3", '"x"',
        '{"error":3}', '{"help":[]}', '{"type":{}}')],
    Case("odd: no JSON as a job's id",
         ["automate", "-w", "a:b/c"],
         [Exchange("POST", "/api/flux/v9/update-manifests", '"a" x')]),
    *[listed("an error as %s" % type, '{"error":"e","help":"h\\n"}',
             status=418, type=type) for type in (
        "Application/JSON", "application/json-x", "text/json")],
    *[listed("status %d" % status, "[]", status=status) for status in (
        203, 205, 206, 300)],

    # images
    listed("an image of another type",
           '[{"ID":"a:b/c","Containers":[{"Name":"x","Current":"alpine"},'
           '{"Name":"y","Current":3,"LatestFiltered":[]}]}]', ["-o", "json"]),
    images("a tag beside a digest", TAGS, image=DIGEST),
    images("a tag beside a digest, beyond the limit", TAGS, ["-l", "2"],
           image="i:15@sha256:ff"),
    images("a tag beside a digest, as JSON", [info("1@sha256:aa", "i:")],
           ["-ojson"], image=DIGEST),
    images("tags beside digests",
           [info(t, "i:") for t in ("15@sha256:aa", "14@sha256:bb")],
           image=DIGEST),
    images("labels that are no times", [
        {"ID": "i:1", "Labels": {
            "org.label-schema.build-date": "bad",
            "org.opencontainers.image.created": day(1)}}], ["-ojson"]),
    images("no name but a tag, twice", [info("1", "i:"), info("1", "i:"),
                                        info("1", "j:")], ["-l1"]),

    # times
    *[made(when) for when in (
        "2020-02-01T10:00:00+02:00", "2020-02-01T00:10:00-05:30",
        "2020-02-01T10:00:00+24:00", "2020-02-01T10:00:00,5Z",
        "2020-02-29T23:59:59.999Z", "0001-01-01T00:00:00Z")],
    *[made(when, env={"TZ": zone}) for zone, when in (
        ("Europe/Berlin", "2020-02-01T10:00:00+01:00"),
        ("Europe/Berlin", "2020-07-01T10:00:00+02:00"),
        ("Europe/Berlin", "2020-07-01T10:00:00+01:00"),
        ("Europe/Berlin", "2020-07-01T10:00:00+00:00"),
        ("Europe/Berlin", "2020-07-01T10:00:00Z"),
        ("America/New_York", "2020-02-01T10:00:00-05:00"))],
    images("a time in another zone, as JSON",
           [info("1", "i:", "2020-02-01T10:00:00+02:00")], ["-o", "json"]),

    # jobs
    *[automated(name, Exchange("GET", "/api/flux/v6/jobs?id=" +
                               "b8a1a1b0-07c3-91d2-5f6e-0123456789ab", text))
      for name, text in (
          ("fails without a reason", '{"StatusString":"failed"}'),
          ("fails with several lines", '{"StatusString":"failed",'
           '"Err":"one\\n\\ttwo"}'),
          ("no result", '{"StatusString":"succeeded","Result":null}'),
          ("other cases", '{"result":{"Revision":"%s","RESULT":{"a:B/c":'
           '{"status":"success"}}},"statusstring":"succeeded"}' % REV),
          ("a revision only", '{"StatusString":"succeeded","Result":'
           '{"revision":"%s"}}' % REV))],
    automated("a target with a digest", updated(
        Current="h.io/a:2@sha256:aa", Target="h.io/a:3@sha256:bb")),
    automated("no target", updated(Current="a:2")),
    automated("no image before", updated(Target="a:2")),
    automated("an empty image before", updated(Current="", Target="a:2")),
    automated("the same workload twice", job_done(
        {"a:B/c": {"Status": "success", "Error": "1"},
         "a:b/c": {"Status": "success", "Error": "2"}})),
    automated("nothing of a workload", job_done({"a:b/c": None})),
    Case("odd: a revision that is none",
         ["--timeout=2900ms", "sync"],
         [ask_config(config()), ask_sync(),
          ask_job("succeeded", result=DONE), ask_applied([3])], ours=True),

    # numbers
    *[limited(["--limit=" + n]) for n in (
        "0b11", "0B1", "0o17", "017", "0x1F", "1_0", "0x_f", "0_7", "+5",
        "-0", "9223372036854775807", "-9223372036854775808")],
    *[limit(["--limit=" + n]) for n in (
        "", "+", "-", "_1", "1_", "1__0", "08", "0b2", "0b", "0x", "0xg", "1.0",
        " 5", "9223372036854775808", "-9223372036854775809",
        "18446744073709551616", "18446744073709551616x")],
    Case("odd: a URL without a root", ["-u", "x", "sync"], []),
    Case("odd: a URL that is a path", ["-u", "./x/../y", "identity"], []),
]
