#!/usr/bin/env python3
"""Commits that git itself would not make, for the attack scripts.

usage: content.py REPOSITORY CASE NAMESPACE VALUE

Writes the objects straight into the bare REPOSITORY, moves its master to the
new commit and prints that.  Beside what the case is about there is always
good.yaml: ConfigMap "good" with this VALUE.  CASE "" is that alone.
"""
import hashlib
import os
import subprocess
import sys
import zlib

FILE, LINK, DIR, GITLINK = "100644", "120000", "40000", "160000"


class Repository:
    def __init__(self, path):
        self.path = path

    def put(self, kind, body):
        data = f"{kind} {len(body)}".encode() + b"\0" + body
        oid = hashlib.sha1(data).hexdigest()
        path = f"{self.path}/objects/{oid[:2]}/{oid[2:]}"
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(zlib.compress(data, 1))
        return oid

    def blob(self, body):
        return self.put("blob", body if isinstance(body, bytes) else body.encode())

    def tree(self, entries):
        """Entries (mode, name, oid), in the order that git wants."""
        def key(e):
            return e[1] + (b"/" if e[0] == DIR else b"")
        return self.put("tree", b"".join(
            mode.encode() + b" " + name + b"\0" + bytes.fromhex(oid)
            for mode, name, oid in sorted(entries, key=key)))

    def commit(self, tree, parent, message=b"a case\n"):
        who = b"T <t@example.com> 1700000000 +0000"
        return self.put("commit", b"tree " + tree.encode() + (b"\nparent " + parent.encode() if parent else b"")
                        + b"\nauthor " + who + b"\ncommitter " + who + b"\n\n" + message)


def config_map(name, ns, value):
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {ns}}}\ndata: {{value: \"{value}\"}}\n"


def entries_of(repo, case, ns):
    what, _, arg = case.partition(":")
    bad = repo.blob(config_map("bad", ns, "bad"))
    if what == "":
        return []
    if what == "link":  # a manifest that is a link to ARG
        return [(LINK, b"link.yaml", repo.blob(arg))]
    if what == "dirlink":
        return [(LINK, b"links", repo.blob(arg))]
    if what == "chain":  # ARG links, one to the next, the last to a manifest
        n = int(arg)
        links = [(LINK, b"link%d.yaml" % i, repo.blob(b"link%d.yaml" % (i + 1))) for i in range(n)]
        return links + [(FILE, b"link%d.yaml" % n, bad)]
    if what == "name":  # a file of that name, escapes as in Python
        return [(FILE, arg.encode().decode("unicode_escape").encode("latin-1"), bad)]
    if what == "dirname":
        name = arg.encode().decode("unicode_escape").encode("latin-1")
        return [(DIR, name, repo.tree([(FILE, b"in.yaml", bad)]))]
    if what == "long":
        return [(FILE, b"n" * int(arg) + b".yaml", bad)]
    if what == "deep":
        tree = repo.tree([(FILE, b"bad.yaml", bad)])
        for _ in range(int(arg)):
            tree = repo.tree([(DIR, b"d", tree)])
        return [(DIR, b"d", tree)]
    if what == "many":  # ARG times a thousand files that are one
        thousand = repo.tree([(FILE, b"f%03d.yaml" % i, bad) for i in range(1000)])
        return [(DIR, b"many", repo.tree([(DIR, b"t%05d" % i, thousand) for i in range(int(arg))]))]
    if what == "big":  # a manifest of ARG bytes
        head = config_map("bad", ns, "bad").encode() + b"# "
        return [(FILE, b"big.yaml", repo.blob(head + b"x" * (int(arg) - len(head))))]
    if what == "gitlink":
        return [(GITLINK, b"sub.yaml", "12" * 20)]
    if what == "missing":
        return [(FILE, b"missing.yaml", "34" * 20)]
    sys.exit(f"unknown case {case}")


def main():
    path, case, ns, value = sys.argv[1:]
    repo = Repository(path)
    good = (FILE, b"good.yaml", repo.blob(config_map("good", ns, value)))
    tree = repo.tree([good] + entries_of(repo, case, ns))
    git = ["git", "-C", path]
    parent = subprocess.run(git + ["rev-parse", "-q", "--verify", "refs/heads/master"],
                            capture_output=True, text=True).stdout.strip()
    oid = repo.commit(tree, parent)
    subprocess.run(git + ["update-ref", "refs/heads/master", oid], check=True)
    print(oid)


main()
