#!/usr/bin/env python3
"""Queries of one lake in one process and on worker processes.

Starts `podtrail worker` processes, each on its own core (Linux: taskset), runs each statement several times in one process and on
one and two workers, and prints medians of wall time, and the bytes that crossed the network. The command itself also runs on the
cores of the workers, as everything is on one machine.

    python3 benches/workers.py --podtrail target/release/podtrail --lake lake --rounds 5

`--podtrail` must be built with --features podtrail/cluster. `--hunt` measures a hunt with the whole pack, too.
"""

import argparse
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

STATEMENTS = {
    "group, few groups": "SELECT verb, outcome, count(*) FROM events GROUP BY verb, outcome",
    "group, many groups": "SELECT username, namespace, name, count(*) FROM stages GROUP BY username, namespace, name ORDER BY 4 DESC LIMIT 10",
    "distinct": "SELECT username, count(DISTINCT user_agent), count(DISTINCT namespace) FROM stages GROUP BY username",
    "text of bodies": "SELECT count(*), sum(length(request_object)) FROM stages WHERE request_object LIKE '%privileged%true%'",
    "view over bodies": "SELECT count(*), count(privileged) FROM workloads",
    "join": "SELECT a.username, count(*) FROM stages a JOIN stages b ON a.event_id = b.event_id AND a.cluster = b.cluster GROUP BY 1",
    "all rows, three columns": "SELECT count(*) FROM (SELECT event_id, username, verb FROM events ORDER BY username LIMIT 1000000)",
}
UNITS = {"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "": 1}


class Worker:
    def __init__(self, podtrail, core):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{listener.getsockname()[1]}"
        spill = tempfile.mkdtemp(prefix="podtrail-worker-")
        self.process = subprocess.Popen(
            ["taskset", "-c", str(core), podtrail, "worker", "--listen", self.address, "--memory", "4GiB", "--spill-dir", spill],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                host, port = self.address.split(":")
                socket.create_connection((host, int(port)), 1).close()
                return
            except OSError:
                time.sleep(0.1)
        sys.exit(f"the worker on {self.address} does not answer")


def run(command):
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")
    return time.monotonic() - started, done


def transferred(plan):
    """Returns the sum of the bytes that the stages of a plan received."""
    total = 0
    for number, unit in re.findall(r"bytes_transferred\S*?[=:]\s*([\d.]+)\s*([KMG]i?B|B)?", plan):
        total += float(number) * UNITS[unit]
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--podtrail", required=True)
    parser.add_argument("--lake", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--hunt", action="store_true")
    arguments = parser.parse_args()

    workers = [Worker(arguments.podtrail, core) for core in (0, 1)]
    engines = {
        "one process, 1 core": (["taskset", "-c", "0"], []),
        "one process, 2 cores": ([], []),
        "1 worker": ([], [f"--engine=workers={workers[0].address}"]),
        "2 workers": ([], [f"--engine=workers={workers[0].address},{workers[1].address}"]),
    }
    try:
        print("| statement | " + " | ".join(engines) + " | network | ran on workers |")
        print("|---|" + "---|" * (len(engines) + 2))
        for name, sql in STATEMENTS.items():
            times = {engine: [] for engine in engines}
            for _ in range(arguments.rounds):
                for engine, (before, flags) in engines.items():
                    command = [*before, arguments.podtrail, "sql", "--lake", arguments.lake, "--format", "csv", *flags, "-c", sql]
                    times[engine].append(run(command)[0])
            flags = engines["2 workers"][1]
            command = [arguments.podtrail, "sql", "--lake", arguments.lake, "--format", "json", *flags, "-c", f"EXPLAIN ANALYZE {sql}"]
            plan = run(command)[1].stdout
            bytes_ = transferred(plan)
            medians = " | ".join(f"{statistics.median(values):.2f} s" for values in times.values())
            print(f"| {name} | {medians} | {bytes_ / 1e6:.2f} MB | {'yes' if 'bytes_transferred' in plan else 'no'} |", flush=True)
        if arguments.hunt:
            times = {}
            for engine, (before, flags) in engines.items():
                command = [*before, arguments.podtrail, "hunt", "--lake", arguments.lake, "--format", "jsonl", *flags]
                times[engine], done = run(command)
                print(done.stderr.strip().splitlines()[-1:], file=sys.stderr)
            print("| hunt, once | " + " | ".join(f"{value:.1f} s" for value in times.values()) + " | | |")
    finally:
        for worker in workers:
            worker.process.terminate()


if __name__ == "__main__":
    main()
