#!/usr/bin/env python3
"""Measures whether the time of `podtrail detect` depends on the new events or on the size of the lake.

Creates two lakes from the logs of a folder, one of a single day and one of many days, with the same last day. Each round
ingests the same new hour into both, and times `detect` on each.

    benches/detect.py --podtrail target/release/podtrail samples/intrusion
"""

import argparse
import datetime
import gzip
import json
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

TIME = re.compile(rb'"(requestReceivedTimestamp|stageTimestamp)":"([^"]+)"')
AUDIT_ID = re.compile(rb'"auditID":"([^"]+)"')
LAST_DAY = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)


def read(folder, every):
    """Returns every n-th line of the logs of a folder, and their first time."""
    lines = []
    for path in sorted(p for p in pathlib.Path(folder).iterdir() if ".log" in p.name):
        opened = gzip.open(path) if path.suffix == ".gz" else path.open("rb")
        with opened as log:
            lines += log.read().splitlines()
    lines = lines[::every]
    first = min(json.loads(line)["requestReceivedTimestamp"] for line in lines)
    return lines, datetime.datetime.fromisoformat(first)


def at(lines, first, start, stretch):
    """Returns the lines shifted to another time and stretched by a factor, with new audit ids."""
    suffix = start.strftime("-%y%j%H").encode()

    def moved(match):
        offset = datetime.datetime.fromisoformat(match[2].decode()) - first
        text = (start + offset * stretch).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return b'"%s":"%s"' % (match[1], text.encode())

    return b"\n".join(
        AUDIT_ID.sub(lambda m: b'"auditID":"%s%s"' % (m[1], suffix), TIME.sub(moved, line))
        for line in lines
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logs", help="folder of audit logs, JSON lines, plain or gzip, of about a minute")
    parser.add_argument("--podtrail", default="target/release/podtrail")
    parser.add_argument("--days", type=int, default=400, help="number of days in the large lake")
    parser.add_argument("--commits", type=int, default=4, help="commits per day")
    parser.add_argument("--every", type=int, default=8, help="use every n-th line of the logs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--detection", action="append", default=[], help="id of a detection to run; may be repeated")
    arguments = parser.parse_args()

    def podtrail(*args, **kwargs):
        subprocess.run([arguments.podtrail, *args], check=True, stdout=subprocess.DEVNULL, **kwargs)

    lines, first = read(arguments.logs, arguments.every)
    chosen = [flag for id in arguments.detection for flag in ("--detection", id)]
    with tempfile.TemporaryDirectory() as folder:
        lakes = {days: f"{folder}/{days}" for days in (1, arguments.days)}

        def ingest(lake, start, stretch):
            podtrail("ingest", "-", "--lake", lake, input=at(lines, first, start, stretch))

        for days, lake in lakes.items():
            for day in range(days):
                for part in range(arguments.commits):
                    hours = part * 24 // arguments.commits - 24 * (days - 1 - day)
                    ingest(lake, LAST_DAY + datetime.timedelta(hours=hours), 60)
            # Marks the existing events as examined.
            podtrail("detect", "--lake", lake, "--detection", "privileged-container", "--format", "jsonl")
            files = sum(1 for _ in pathlib.Path(lake, "events").rglob("*.parquet"))
            print(f"{days:>4} days: {files} files", flush=True)
        seconds = {days: [] for days in lakes}
        for hour in range(arguments.rounds):
            for days, lake in lakes.items():
                ingest(lake, LAST_DAY + datetime.timedelta(hours=24 + hour), 40)
                started = time.monotonic()
                podtrail("detect", "--lake", lake, "--format", "jsonl", *chosen)
                seconds[days].append(time.monotonic() - started)
        medians = {days: statistics.median(each) for days, each in seconds.items()}
        for days, each in seconds.items():
            print(f"{days:>4} days: median {medians[days]:.2f} s of {', '.join(f'{s:.2f}' for s in each)}")
        print(f"ratio {medians[arguments.days] / medians[1]:.2f}")


if __name__ == "__main__":
    main()
