#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the crash tests of the store.

    run.py short    a minute at most: what `make test` runs
    run.py long     10,000 kills, 10,000 power cuts and all mutants: what `make crash` runs

Builds what it needs below BUILD (default build) with CC (default cc), prints one line a kind and at the end
`N passed, N failed`. Files of the stores lie in memory (/dev/shm) where there is such a place.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time

from mutants import MUTANTS

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
CC = os.environ.get("CC", "cc").split()
# Small logs, so that checkpoints are many.
FLAGS = ["-D_GNU_SOURCE", "-DGB_LOG_MIN=65536", "-DGB_LOG_MAX=131072", "-Ilib", "-Itests/crash", "-std=c11", "-O1",
         "-g", "-Wall", "-Wextra"]
GDBM = os.path.join(BUILD, "lib", "libgdbm_redirected.a")
COVERED = "-fsanitize-coverage=trace-pc"

SHORT = {"kills": 250, "cuts": 150, "records": 1, "transactions": 500, "flips": 100, "singly": 2, "mutants": False}
LONG = {"kills": 10000, "cuts": 10000, "records": 10, "transactions": 1200, "flips": 3000, "singly": 60, "mutants": True}
# One of them shows once in hundreds of cuts only.
MUTANT_KILLS, MUTANT_CUTS, MUTANT_RECORDS = 6000, 16000, 8


def sources():
    return sorted(name for name in os.listdir(os.path.join(ROOT, "lib/store")) if name.endswith(".c"))


def compile_all(jobs):
    """jobs: [(source, object, flags)]; two at a time."""
    running = []
    for source, target, flags in jobs:
        if len(running) == 2:
            finish(running.pop(0))
        running.append(subprocess.Popen(CC + FLAGS + flags + ["-c", "-o", target, source], cwd=ROOT))
    for process in running:
        finish(process)


def finish(process):
    if process.wait() != 0:
        sys.exit("crash: cannot build")


def link(target, objects):
    finish(subprocess.Popen(CC + ["-o", target] + objects + [GDBM, "-lsodium"], cwd=ROOT))


class Programs:
    """The test programs over one state of the sources; `base` lends the objects that are the same."""

    def __init__(self, folder, base=None, changed=()):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.objects = dict(base.objects) if base else {}
        jobs = []
        for name in changed or sources():
            for kind, flags in (("plain", []), ("covered", [COVERED])):
                target = os.path.join(folder, "%s.%s.o" % (name[:-2], kind))
                source = os.path.join(folder, name) if changed else os.path.join("lib/store", name)
                jobs.append((source, target, flags + (["-w"] if changed else [])))
                self.objects[(name, kind)] = target
        if not base:
            for source in ("lib/store.c", "lib/arena.c", "lib/error.c", "tests/crash/model.c", "tests/crash/io.c",
                           "tests/crash/kill.c", "tests/crash/power.c", "tests/crash/faults.c",
                           "tests/crash/flips.c"):
                target = os.path.join(folder, "test-" + os.path.basename(source)[:-2] + ".o")
                jobs.append((source, target, []))
                self.objects[(os.path.basename(source), "test")] = target
        compile_all(jobs)

    def of_kind(self, kind):
        return [path for (_, k), path in sorted(self.objects.items()) if k == kind]

    def program(self, name):
        target = os.path.join(self.folder, name)
        common = [self.objects[(n, "test")] for n in (name + ".c", "store.c", "arena.c", "error.c", "model.c")]
        if name == "kill":
            link(target, common + self.of_kind("covered"))
        else:
            link(target, common + [self.objects[("io.c", "test")]] + self.of_kind("plain"))
        return target


def run(command, seconds, verbose=True):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, text=True)
        output, ok = done.stdout, done.returncode == 0
    except subprocess.TimeoutExpired as late:
        output, ok = (late.stdout or b"").decode() + "%s: not done after %d s\n" % (command[0], seconds), False
    if verbose or not ok:
        sys.stdout.write(output if output.endswith("\n") or not output else output + "\n")
        sys.stdout.flush()
    return ok


def power(program, work, records, transactions, cuts, stop=False, verbose=True):
    ok = True
    for number in range(records):
        trace = os.path.join(work, "trace")
        shutil.rmtree(os.path.join(work, "power"), ignore_errors=True)
        if not run([program, "record", trace, os.path.join(work, "power"), "3", str(transactions), str(number + 1)],
                   120, verbose):
            ok = False
        ok &= run([program, "replay", trace, os.path.join(work, "power"), str(cuts // records), str(number + 1)] +
                  (["stop"] if stop else []), 3600, verbose)
        os.unlink(trace)
        if stop and not ok:
            break
    return ok


def mutate(base, number, changes):
    folder = os.path.join(BUILD, "crash", "mutant-%d" % number)
    os.makedirs(folder, exist_ok=True)
    for name, replacements in changes.items():
        with open(os.path.join(ROOT, "lib/store", name)) as source:
            text = source.read()
        for old, new in replacements:
            if text.count(old) != 1:
                sys.exit("crash: mutant %d: lib/store/%s has changed, its text stands there %d times" %
                         (number, name, text.count(old)))
            text = text.replace(old, new)
        with open(os.path.join(folder, name), "w") as target:
            target.write(text)
    return Programs(folder, base, sorted(changes))


def mutant_caught(base, number, work):
    name, test, _, changes = MUTANTS[number]
    mutant = mutate(base, number, changes)
    began = time.monotonic()
    with open(os.devnull, "w") as nowhere:
        stdout, sys.stdout = sys.stdout, nowhere
        try:
            if test == "kill":
                survived = run([mutant.program("kill"), os.path.join(work, "mutant"), str(MUTANT_KILLS), "7"], 600)
            else:
                survived = power(mutant.program("power"), work, MUTANT_RECORDS, 500, MUTANT_CUTS, True)
        finally:
            sys.stdout = stdout
    shutil.rmtree(os.path.join(work, "mutant"), ignore_errors=True)
    shutil.rmtree(os.path.join(work, "power"), ignore_errors=True)
    print("mutant: %s: %s after %.1f s by %s" % (name, "NOT CAUGHT" if survived else "caught",
                                               time.monotonic() - began, test))
    sys.stdout.flush()
    return not survived


def main():
    form = {"short": SHORT, "long": LONG}.get(sys.argv[1] if len(sys.argv) > 1 else "short")
    if form is None:
        sys.exit("usage: run.py short|long")
    if not os.path.exists(GDBM):
        finish(subprocess.Popen(["make", "-s", "BUILD=" + os.environ.get("BUILD", "build"),
                                 os.path.join(os.environ.get("BUILD", "build"), "lib/libgdbm_redirected.a")], cwd=ROOT))
    base = Programs(os.path.join(BUILD, "crash"))
    shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    results = []
    with tempfile.TemporaryDirectory(prefix="guardbee-crash-", dir=shm) as work:
        store = os.path.join(work, "store")
        results.append(run([base.program("kill"), store, str(form["kills"]), "1"], 3600))
        results.append(power(base.program("power"), work, form["records"], form["transactions"], form["cuts"]))
        results.append(run([base.program("faults"), store, str(form["singly"])], 1200))
        results.append(run([base.program("flips"), store, str(form["flips"]), "1"], 3600))
        for number, mutant in enumerate(MUTANTS):
            if form["mutants"] or mutant[2]:
                results.append(mutant_caught(base, number, work))
    print("%d passed, %d failed" % (sum(results), len(results) - sum(results)))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
