#!/usr/bin/env python3
"""Measures the severity at which attacks are reported whose author knows the source code.

    benches/quality/evasions.py --podtrail target/release/podtrail [FOLDER...]

A folder contains audit logs (*.jsonl), one attack each, and expected.csv: file, severity, attackers (user names, separated by
spaces), what. An attack is caught if a finding on an act of an attacker has at least its severity; high is enough for
critical. The logs are ingested into one lake, each as a separate cluster; --one-by-one hunts each file separately.
"""

import argparse
import collections
import csv
import json
import pathlib
import subprocess
import sys
import tempfile

RANK = {"info": 0, "low": 1, "medium": 2, "high": 3, "critical": 4}
OURS = pathlib.Path(__file__).with_name("evasions")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--podtrail", default="target/release/podtrail", help="binary to measure")
    parser.add_argument("--hunt", action="append", default=[], help="additional argument of `podtrail hunt`, such as --hunt=--queries=DIR")
    parser.add_argument("--only", default="", help="prefixes of the file names to use, separated by commas")
    parser.add_argument("--one-by-one", action="store_true", help="hunt each file separately, which is slower")
    parser.add_argument("--verbose", action="store_true", help="list the findings of missed attacks")
    parser.add_argument("folders", nargs="*", type=pathlib.Path, default=[OURS])
    arguments = parser.parse_args()
    missed = 0
    print("| folder | caught | of |\n|---|---|---|")
    for folder in arguments.folders:
        attacks = [row for row in read(folder) if chosen(row["file"], arguments.only)]
        findings = hunt_alone(arguments, folder, attacks) if arguments.one_by_one else hunt(arguments, folder, attacks)
        results = [(attack, *judge(attack, findings[attack["file"]])) for attack in attacks]
        caught = sum(is_caught for _, is_caught, _ in results)
        missed += len(results) - caught
        print(f"| {folder.name} | {caught} | {len(results)} |")
        for attack, is_caught, acts in results:
            if not is_caught:
                show(attack, acts, arguments.verbose)
    sys.exit(1 if missed else 0)


def read(folder):
    with open(folder / "expected.csv", newline="") as table:
        return list(csv.DictReader(table))


def chosen(name, only):
    return not only or any(name.startswith(word) for word in only.split(","))


def hunt(arguments, folder, attacks):
    """Returns the findings by file, of one hunt in a lake with all files."""
    found = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as scratch:
        lake = str(pathlib.Path(scratch) / "lake")
        for attack in attacks:
            run([arguments.podtrail, "ingest", str(folder / attack["file"]), "--lake", lake, "--cluster", attack["file"]])
        for finding in hunted(arguments, "--lake", lake):
            found[finding["cluster"]].append(finding)
    return found


def hunt_alone(arguments, folder, attacks):
    return {attack["file"]: hunted(arguments, str(folder / attack["file"])) for attack in attacks}


def hunted(arguments, *source):
    command = [arguments.podtrail, "hunt", *source, "--format", "jsonl", "--min-severity", "info", *arguments.hunt]
    return [json.loads(line) for line in run(command).splitlines()]


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 3):
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def judge(attack, findings):
    """Returns whether the attack is caught, and the findings on acts of its attackers, the most severe first."""
    attackers = attack["attackers"].split()
    acts = [finding for finding in findings if finding["identity"] in attackers or finding["impersonated_identity"] in attackers]
    acts.sort(key=lambda finding: -RANK[finding["severity"]])
    needed = min(RANK[attack["severity"]], RANK["high"])
    return bool(acts) and RANK[acts[0]["severity"]] >= needed, acts


def show(attack, acts, verbose):
    highest = acts[0]["severity"] if acts else "nothing"
    print(f"  missed: {attack['file']}: {highest} instead of {attack['severity']}: {attack['what']}")
    for finding in acts if verbose else []:
        print(f"    {finding['severity']:8} {finding['detection']}: {finding['reasons'][0][:120]}")


if __name__ == "__main__":
    main()
