#!/usr/bin/env python3
"""Measures the whole pack on labelled logs: recall by family, loud look-alikes, noise, time, and incidents.

    benches/quality/run.py --podtrail target/release/podtrail FOLDER...

A folder contains audit logs (audit*) and truth.json: {"scenarios": [{id, family, label, severity, keyAuditIDs,
relatedAuditIDs, derivedEvents, void}]}. An attack counts as found if a finding on one of its key events has at least the
severity required for it: medium for high, low for medium. A look-alike is loud if a finding on it is above medium.
Noise is the number of findings at medium or above on events outside attacks, per 1,000 workload writes.

Of incidents, only those at medium or above count. An attack is whole if the findings on its key events are in one incident. An
incident is mixed if it contains identities that no attack connects, neither directly nor by an address. Lines are those of
`hunt` on a terminal, for each attack.
"""

import argparse
import collections
import csv
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import time

RANK = {"info": 0, "low": 1, "medium": 2, "high": 3, "critical": 4}
NEEDED = {"high": RANK["medium"], "critical": RANK["medium"], "medium": RANK["low"], "low": RANK["low"]}
WORKLOAD_WRITES = "SELECT count(*) AS writes FROM workloads WHERE outcome = 'allowed'"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--podtrail", default="target/release/podtrail", help="binary to measure")
    parser.add_argument("--verbose", action="store_true", help="list missed attacks, loud look-alikes and noise")
    parser.add_argument("--hunt", action="append", default=[], help="additional argument of `podtrail hunt`, such as --hunt=--queries=DIR")
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    families = collections.defaultdict(lambda: [0, 0])
    print("| logs | attacks found | loud look-alikes | noise | workload writes | noise per 1,000 | hunt, s |")
    print("|---|---|---|---|---|---|---|")
    stories = []
    for folder in arguments.folders:
        truth = json.loads((folder / "truth.json").read_text())
        findings, writes, seconds, lines = hunt(arguments, folder)
        stories.append((folder.name, incidents(truth["scenarios"], findings), lines))
        score = judge(truth["scenarios"], findings)
        for family, (found, of) in score.families.items():
            families[family][0] += found
            families[family][1] += of
        found, of = (sum(count[i] for count in score.families.values()) for i in (0, 1))
        per_thousand = 1000 * len(score.noise) / max(writes, 1)
        print(f"| {folder.name} | {found} of {of} | {len(score.loud)} | {len(score.noise)} | {writes:,} | {per_thousand:.1f} | {seconds:.1f} |")
        if arguments.verbose:
            tell(score)
    print("\n| logs | whole attacks | incidents | per attack | mixed | benign at high | lines per attack |\n|---|---|---|---|---|---|---|")
    for name, story, lines in stories:
        print(
            f"| {name} | {story.whole} of {story.found} | {story.incidents} | {story.incidents / max(story.attacks, 1):.2f} "
            f"| {len(story.mixed)} | {len(story.benign)} | {lines / max(story.attacks, 1):.1f} |"
        )
        if arguments.verbose:
            for title, items in (("split", story.split), ("mixed", story.mixed), ("benign", story.benign)):
                for item in items:
                    print(f"  {title}: {item}")
    print("\n| family | found | of |\n|---|---|---|")
    for family, (found, of) in sorted(families.items()):
        print(f"| {family} | {found} | {of} |")


def hunt(arguments, folder):
    """Returns the findings on the logs of a folder, the number of workload writes, the time of the hunt alone, and its lines."""
    with tempfile.TemporaryDirectory() as scratch:
        lake = str(pathlib.Path(scratch) / "lake")
        logs = sorted(str(path) for path in folder.glob("audit*") if path.suffix not in (".yaml", ".yml"))
        run([arguments.podtrail, "ingest", *logs, "--lake", lake], (0, 3))
        begin = time.monotonic()
        output = run([arguments.podtrail, "hunt", "--lake", lake, "--format", "jsonl", *arguments.hunt], (0,))
        seconds = time.monotonic() - begin
        rows = run([arguments.podtrail, "sql", "--lake", lake, "--format", "csv", "-c", WORKLOAD_WRITES], (0,))
        writes = int(next(csv.DictReader(io.StringIO(rows)))["writes"])
        table = run([arguments.podtrail, "hunt", "--lake", lake, *arguments.hunt], (0,))
    return [json.loads(line) for line in output.splitlines()], writes, seconds, len(table.splitlines())


def run(command, exits):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in exits:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


Score = collections.namedtuple("Score", "families missed loud noise")


def judge(scenarios, findings):
    by_audit_id = collections.defaultdict(list)
    for finding in findings:
        for audit_id in finding["audit_ids"]:
            by_audit_id[audit_id].append(finding)
    score = Score(collections.defaultdict(lambda: [0, 0]), [], [], [])
    of_attacks = set()
    for scenario in scenarios:
        if scenario.get("void"):
            continue
        on_key_events = [finding for key in scenario["keyAuditIDs"] for finding in by_audit_id[key]]
        level = max((RANK[finding["severity"]] for finding in on_key_events), default=-1)
        named = sorted({(finding["detection"], finding["severity"]) for finding in on_key_events})
        if scenario["label"] == "attack":
            of_attacks.update(scenario["keyAuditIDs"], scenario.get("relatedAuditIDs", []))
            of_attacks.update(event["auditID"] for event in scenario.get("derivedEvents", []))
            count = score.families[scenario["family"]]
            count[1] += 1
            if level >= NEEDED[scenario["severity"]]:
                count[0] += 1
            else:
                score.missed.append((scenario, named))
        elif level > RANK["medium"]:
            score.loud.append((scenario, named))
    for finding in findings:
        if RANK[finding["severity"]] >= RANK["medium"] and not of_attacks.intersection(finding["audit_ids"]):
            score.noise.append(finding)
    return score


Stories = collections.namedtuple("Stories", "attacks found whole split incidents mixed benign")


def incidents(scenarios, findings):
    scenarios = [scenario for scenario in scenarios if not scenario.get("void")]
    attacks = [scenario for scenario in scenarios if scenario["label"] == "attack"]
    of_attacks = {id for scenario in attacks for id in scenario["keyAuditIDs"] + scenario.get("relatedAuditIDs", [])}
    of_attacks |= {event["auditID"] for scenario in attacks for event in scenario.get("derivedEvents", [])}
    groups = connected([scenario["identities"] + (scenario.get("sourceIPs") or []) for scenario in attacks])
    by_audit_id = collections.defaultdict(list)
    members = collections.defaultdict(list)
    for finding in findings:
        for audit_id in finding["audit_ids"]:
            by_audit_id[audit_id].append(finding)
        if finding["incident_id"]:
            members[finding["incident_id"]].append(finding)
    split, found = [], 0
    for scenario in attacks:
        on_key_events = [finding for key in scenario["keyAuditIDs"] for finding in by_audit_id[key]]
        found += bool(on_key_events)
        ids = {finding["incident_id"] for finding in on_key_events}
        if on_key_events and len(ids) != 1:
            split.append((scenario["id"], sorted(map(str, ids))))
    levels = {id: max(RANK[finding["severity"]] for finding in of) for id, of in members.items()}
    notable = {id: of for id, of in members.items() if levels[id] >= RANK["medium"]}
    mixed, benign = [], []
    for id, of in notable.items():
        strong = [finding for finding in of if RANK[finding["severity"]] >= RANK["medium"]]
        identities = {finding["identity"] for finding in strong}
        if len({groups[identity] for identity in identities if identity in groups}) > 1:
            mixed.append((id, sorted(map(str, identities))))
        if levels[id] >= RANK["high"] and not any(of_attacks.intersection(finding["audit_ids"]) for finding in strong):
            benign.append((id, sorted(map(str, identities))))
    return Stories(len(attacks), found, found - len(split), split, len(notable), mixed, benign)


def connected(groups):
    """Returns a number for each name; names of one group have the same number, directly or through other groups."""
    numbers = {}
    for number, names in enumerate(groups):
        known = {numbers[name] for name in names if name in numbers}
        numbers.update(dict.fromkeys(names, number))
        numbers = {name: number if of in known else of for name, of in numbers.items()}
    return numbers


def tell(score):
    for title, scenarios in (("missed", score.missed), ("loud", score.loud)):
        for scenario, named in scenarios:
            print(f"  {title}: {scenario['id']} ({scenario['severity']}) {scenario.get('technique', '')} {named}")
    for finding in score.noise:
        who, where = finding["identity"], f"{finding['resource']} {finding['namespace']}/{finding['name']}"
        print(f"  noise: {finding['detection']} ({finding['severity']}) {who} {where}: {finding['reasons'][:1]}")


if __name__ == "__main__":
    main()
