"""Compares podtrail and other engines in turn, over the same files, with the same columns.

    run.py --podtrail BINARY FILES…

First every method of every engine runs once, its table is checked, and each engine's best method is chosen. Then podtrail and
each engine run in turn, A B A B. Every run is a separate process. Figures are medians; the peak is the maximum.
"""

import argparse
import glob
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

PEERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers.py")

# The engine, then the method.
WAYS = [
    "duckdb-columns",
    "duckdb-columns-zstd1",
    "duckdb-transform",
    "duckdb-extract",
    "polars-schema",
    "polars-schema-zstd1",
    "chdb-columns",
    "chdb-columns-zstd1",
    "chdb-extract",
]


@dataclass
class Run:
    """The resources of one process: seconds, CPU seconds, MB of memory at its peak, MB of its table."""

    wall: float
    cpu: float
    peak: float
    table: float


def main():
    arguments = parse_arguments()
    try:
        compare(arguments)
    finally:
        shutil.rmtree(arguments.scratch, ignore_errors=True)


def compare(arguments):
    log = measure_log(arguments.files)
    print(f"{len(arguments.files)} files, {log.bytes / 1e6:.0f} MB of log, {log.lines} lines, {arguments.threads} threads")
    bench = Bench(arguments)
    expected = bench.podtrail_fingerprint()
    if expected[0] != log.lines:
        sys.exit(f"podtrail wrote {expected[0]} rows of {log.lines} lines")

    trials = {way: bench.trial(way, expected) for way in arguments.ways}
    print("\nEvery way once:\n")
    table(trials, log)
    best = {}
    # By CPU time, which other programs affect least: the fastest comes last and is kept.
    for way in sorted(filter(trials.get, trials), key=lambda way: -trials[way].cpu):
        best[way.split("-")[0]] = way

    rows, ratios = {"podtrail": []}, {}
    for way in best.values():
        pairs = [(bench.podtrail(), bench.peer(way)) for _ in range(arguments.rounds)]
        rows["podtrail"] += [own for own, _ in pairs]
        rows[way] = [peer for _, peer in pairs]
        ratios[way] = tuple(
            statistics.median(getattr(peer, what) / getattr(own, what) for own, peer in pairs) for what in ("wall", "cpu")
        )
    print(f"\nIn turn, {arguments.rounds} rounds:\n")
    table({name: median(runs) for name, runs in rows.items()}, log, ratios)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--podtrail", required=True, help="release binary")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="number of threads of the peers")
    parser.add_argument("--ways", type=lambda ways: ways.split(","), default=WAYS, help="methods to try, separated by commas")
    parser.add_argument("--scratch", default="peers-scratch", help="folder for the tables; removed at the end")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    arguments.files = [os.path.abspath(file) for file in arguments.files]
    return arguments


@dataclass
class Log:
    lines: int = 0
    bytes: int = 0


def measure_log(files):
    """Counts lines and bytes, which also loads the files into the page cache."""
    log = Log()
    for file in files:
        with (gzip.open if file.endswith(".gz") else open)(file, "rb") as stream:
            while chunk := stream.read(1 << 20):
                log.lines += chunk.count(b"\n")
                log.bytes += len(chunk)
    return log


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.out = os.path.join(arguments.scratch, "table.parquet")
        self.lake = os.path.join(arguments.scratch, "lake")

    def podtrail(self, keep=False):
        """Runs one ingest into a new lake."""
        self.clear()
        command = [self.arguments.podtrail, "ingest", *self.arguments.files, "--lake", self.lake, "--json"]
        run, _ = measure(command, os.path.join(self.lake, "events", "**", "*.parquet"))
        if not keep:
            self.clear()
        return run

    def podtrail_fingerprint(self):
        self.podtrail(keep=True)
        found = fingerprint(os.path.join(self.lake, "events", "**", "*.parquet"))
        self.clear()
        return found

    def peer(self, way, check=None):
        """Runs a peer once; with `check`, its table must match."""
        self.clear()
        command = [sys.executable, PEERS, way, self.out, str(self.arguments.threads), *self.arguments.files]
        run, output = measure(command, self.out)
        own = json.loads(output)
        run.wall, run.cpu = own["wall"], own["cpu"]
        if check and (found := fingerprint(self.out)) != check:
            raise RuntimeError(f"unexpected table: {found}, expected {check}")
        self.clear()
        return run

    def trial(self, way, expected):
        try:
            return self.peer(way, expected)
        except (RuntimeError, subprocess.CalledProcessError) as error:
            print(f"{way} skipped: {error}", file=sys.stderr)
            return None

    def clear(self):
        shutil.rmtree(self.arguments.scratch, ignore_errors=True)
        os.makedirs(self.arguments.scratch)


def fingerprint(pattern):
    command = [sys.executable, PEERS, "fingerprint", pattern]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def measure(command, tables="", stderr=None):
    """Runs a command and returns the resources that it used according to the kernel."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command[:3])
    size = sum(os.path.getsize(file) for file in glob.glob(tables, recursive=True))
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6, size / 1e6), output


def median(runs):
    middle = {what: statistics.median(getattr(run, what) for run in runs) for what in ("wall", "cpu", "table")}
    return Run(peak=max(run.peak for run in runs), **middle)


def table(runs, log, ratios=None):
    last = " podtrail is faster by, wall | by, CPU |" if ratios else ""
    print("| | wall s | MB/s | CPU s | MB per CPU s | peak MB | table MB |" + last)
    print("|---|---|---|---|---|---|---|" + ("---|---|" if ratios else ""))
    for name, run in runs.items():
        if not run:
            continue
        mega = log.bytes / 1e6
        row = f"| {name} | {run.wall:.1f} | {mega / run.wall:.0f} | {run.cpu:.1f} | {mega / run.cpu:.0f} "
        row += f"| {run.peak:.0f} | {run.table:.1f} |"
        if ratios:
            row += " {:.2f} | {:.2f} |".format(*ratios[name]) if name in ratios else " | |"
        print(row, flush=True)


if __name__ == "__main__":
    main()
