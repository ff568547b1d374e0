"""Runs the pack's stateless detections in podtrail and DuckDB in turn, over the same Parquet files.

    pack.py --podtrail BINARY --lake LAKE

DuckDB runs the unchanged SQL of the repository: the views, and every detection without parameters, look-back or functions
that only DataFusion has (two functions with other names are replaced, `events` is rewritten for DuckDB). One process and one
connection run them all; each detection must find the same event ids as in podtrail. podtrail is timed as a whole process: it
also groups findings and reads their evidence. DuckDB is timed after its import and for each detection separately, so that
statements that it cannot bind cost nothing; with `--tables` it first loads the rows of all views into memory. `--rounds 0` is
for large lakes: it prints the times of the compared runs. DuckDB reads all files below `events`: vacuum a compacted lake
first.
"""

import glob
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

from queries import VIEWS, parser_of_arguments
from run import measure

REPOSITORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")

DUCKDB = """
import json, resource, sys, time, duckdb
setup, detections, threads, memory, only = json.load(open(sys.argv[1]))
connection = duckdb.connect(config={"threads": threads, **({"memory_limit": memory} if memory else {})})
connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
refused = {}
start = time.perf_counter()
while setup:
    failed = []
    for name, sql in setup:
        try:
            connection.execute(sql)
            refused.pop(name, None)
        except duckdb.Error as error:
            failed.append((name, sql))
            refused[name] = str(error).splitlines()[0]
    if len(failed) == len(setup):
        break
    setup = failed
seconds, found = time.perf_counter() - start, {}
for name, sql in detections.items():
    if only is not None and name not in only:
        continue
    start = time.perf_counter()
    try:
        rows = connection.execute(f"SELECT DISTINCT event_id FROM ({sql})").fetchall()
    except duckdb.Error as error:
        refused[name] = str(error).splitlines()[0]
        continue
    seconds += time.perf_counter() - start
    found[name] = [id for (ids,) in rows for id in (ids if isinstance(ids, list) else [ids])]
usage = resource.getrusage(resource.RUSAGE_SELF)
cpu = usage.ru_utime + usage.ru_stime
print(json.dumps([seconds, cpu, usage.ru_maxrss * 1024 / 1e6, found, refused]))
"""


def main():
    parser = parser_of_arguments(__doc__)
    parser.add_argument("--memory", help="memory limit of DuckDB, such as 3GB")
    parser.add_argument("--tables", action="store_true", help="load the rows of views into memory in DuckDB, except those of `events`")
    parser.add_argument("--verbose", action="store_true", help="print what DuckDB cannot run, and why")
    arguments = parser.parse_args()

    first = duckdb(arguments)
    if arguments.verbose:
        for name, error in first["refused"].items():
            print(f"{name}: {error}", file=sys.stderr)
    names = sorted(first["found"])
    own = podtrail(arguments, names)
    same = [name for name in names if set(first["found"][name]) == own["found"].get(name, set())]
    for name in sorted(set(names) - set(same)):
        ids = own["found"].get(name, set())
        print(f"left out, {name}: {len(first['found'][name])} events and {len(ids)} by podtrail", file=sys.stderr)
    print(f"{len(same)} detections, {sum(len(first['found'][name]) for name in same)} events found by both\n")
    print("| round | podtrail s | DuckDB s | DuckDB / podtrail | podtrail CPU s | DuckDB CPU s | podtrail MB | DuckDB MB |")
    print("|---|---|---|---|---|---|---|---|")
    ratios = []
    for number in range(max(arguments.rounds, 1)):
        # Without rounds: the compared runs.
        own, other = (podtrail(arguments, same), duckdb(arguments, same)) if arguments.rounds else (own, first)
        ratios.append(other["wall"] / own["wall"])
        print(
            f"| {number + 1} | {own['wall']:.1f} | {other['wall']:.1f} | {ratios[-1]:.2f} "
            f"| {own['cpu']:.1f} | {other['cpu']:.1f} | {own['peak']:.0f} | {other['peak']:.0f} |",
            flush=True,
        )
    print(f"\nmedian of the ratios: {statistics.median(ratios):.2f}")


def podtrail(arguments, names):
    command = [arguments.podtrail, "hunt", "--lake", arguments.lake, "--format", "jsonl"]
    command += ["--no-exceptions", "--min-severity", "info"]
    used, output = measure(command + [f"--detection={name}" for name in names], stderr=subprocess.DEVNULL)
    found = {}
    for line in output.splitlines():
        finding = json.loads(line)
        found.setdefault(finding["detection"], set()).update(finding["event_ids"])
    found = {name: found.get(name, set()) for name in names}
    return {"found": found, "wall": used.wall, "cpu": used.cpu, "peak": used.peak}


def duckdb(arguments, only=None):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as work:
        json.dump([setup(arguments.lake, arguments.tables), detections(), arguments.threads, arguments.memory, only], work)
        work.flush()
        command = [sys.executable, "-c", DUCKDB, work.name]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    wall, cpu, peak, found, refused = json.loads(output)
    return {"wall": wall, "cpu": cpu, "peak": peak, "found": found, "refused": refused}


def setup(lake, is_kept):
    """Returns statements that create tables and views, each with the name of its result."""
    kind = "TABLE" if is_kept else "VIEW"
    files = f"{lake}/events/*/*/*/*.parquet"
    statements = [
        ("stages", f"CREATE VIEW stages AS SELECT * FROM read_parquet('{files}', hive_partitioning = true, union_by_name = true)"),
        ("events", f"CREATE VIEW events AS {VIEWS['events']}"),
    ]
    for path in texts("queries/tables/*.csv"):
        read = f"read_csv('{path}', header = true, all_varchar = true, comment = '#')"
        statements.append((stem(path), f"CREATE TABLE {stem(path)} AS FROM {read}"))
    for path in texts("crates/query/src/views/*.sql") + texts("queries/views/*.sql"):
        if stem(path) not in ("stages", "events"):
            statements.append((stem(path), f"CREATE {kind} {stem(path)} AS {in_words_of_duckdb(read_text(path))}"))
    return statements


def detections():
    """Returns the SQL of the detections that examine each event separately."""
    found = {}
    for path in texts("queries/*/*.sql"):
        _, marker, sql = read_text(path).partition("*/")
        is_stateless = marker and "history" not in sql and "$" not in sql
        if is_stateless and os.path.basename(os.path.dirname(path)) not in ("views", "hunts", "risk"):
            found[stem(path)] = in_words_of_duckdb(sql)
    return found


def in_words_of_duckdb(sql):
    sql = sql.replace("{history}", "").replace("{known}", "").replace("{from}", "NULL")
    return re.sub(r"\bregexp_like\(", "regexp_matches(", re.sub(r"\bmake_array\(", "list_value(", sql))


def texts(pattern):
    return sorted(glob.glob(os.path.join(REPOSITORY, pattern)))


def read_text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def stem(path):
    return os.path.splitext(os.path.basename(path))[0]


if __name__ == "__main__":
    main()
