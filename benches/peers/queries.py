"""Runs typical queries of an analyst in podtrail and DuckDB in turn, over the same Parquet files.

    queries.py --podtrail BINARY --lake LAKE

Every run is a new process with an empty cache, timed from outside including start and output; the files are in the page
cache. DuckDB is also timed without its import but with its views. Both must return the same rows. DuckDB reads all files
below `events`: vacuum a compacted lake first.
"""

import argparse
import glob
import json
import os
import statistics
import subprocess
import sys
from datetime import datetime, timedelta

from run import measure

KEYS = ["audit_id", "time", "cluster", "date", "activity"]

# The views of podtrail, rewritten for DuckDB, which does not need the columns to be listed.
VIEWS = {
    "events": f"""
        SELECT * FROM stages WHERE NOT superseded
        UNION ALL
        SELECT early.* FROM (SELECT * FROM stages WHERE superseded IS NULL) AS early
        WHERE NOT EXISTS (
          SELECT 1 FROM stages AS late
          WHERE late.superseded IS NOT TRUE AND late.stage <> 'RequestReceived' AND late.stage <> early.stage
            AND {" AND ".join(f"late.{key} = early.{key}" for key in KEYS)})""",
    "workloads": """
        SELECT * EXCLUDE (workload), workload.kind AS kind, workload.containers AS containers,
          workload.volumes AS volumes, workload.host_network AS host_network, workload.host_pid AS host_pid
        FROM events WHERE activity = 'workload' AND workload IS NOT NULL""",
    "containers": """
        SELECT * EXCLUDE (container), container.image AS image, container.registry AS registry,
          container.repository AS repository, container.privileged AS privileged
        FROM (SELECT * EXCLUDE (containers), name AS workload_name, unnest(containers) AS container FROM workloads)""",
    "volumes": """
        SELECT * EXCLUDE (volume), volume.type AS type, volume.host_path AS host_path
        FROM (SELECT * EXCLUDE (volumes), name AS workload_name, unnest(volumes) AS volume FROM workloads)""",
    "execs": "SELECT * EXCLUDE (exec), exec.command AS command FROM events WHERE activity = 'access' AND resource = 'pods' AND exec IS NOT NULL",
}

# Both engines run the same text. `{…}` is a value of the lake.
QUERIES = {
    "requests by verb and outcome": "SELECT verb, outcome, count(*) AS requests FROM events GROUP BY verb, outcome",
    "the twenty busiest identities": """
        SELECT username, count(*) AS requests, count(DISTINCT namespace) AS namespaces
        FROM events GROUP BY username ORDER BY requests DESC, username LIMIT 20""",
    "denied requests by minute": """
        SELECT date_trunc('minute', time) AS minute, count(*) AS requests
        FROM events WHERE outcome LIKE 'denied%' GROUP BY 1""",
    "writers of workloads in a namespace, in an hour": """
        SELECT username, kind, verb, count(*) AS requests FROM workloads
        WHERE namespace = '{namespace}' AND time >= TIMESTAMP '{from}' AND time < TIMESTAMP '{to}'
        GROUP BY username, kind, verb""",
    "privileged containers, by image": """
        SELECT image, count(*) AS containers, count(DISTINCT username) AS identities
        FROM containers WHERE privileged GROUP BY image""",
    "images, and when each was first seen": """
        SELECT registry, repository, min(time) AS first_seen, count(*) AS containers
        FROM containers GROUP BY registry, repository""",
    "host paths, by identity": """
        SELECT username, host_path, count(*) AS volumes FROM volumes
        WHERE host_path IS NOT NULL GROUP BY username, host_path""",
    "commands run in pods": """
        SELECT time, username, namespace, name, array_to_string(command, ' ') AS command
        FROM execs ORDER BY time, audit_id LIMIT 100""",
    "who read secrets": """
        SELECT username, verb, count(*) AS requests, count(DISTINCT namespace) AS namespaces
        FROM events WHERE resource = 'secrets' AND verb IN ('get', 'list', 'watch') GROUP BY username, verb""",
    "what an identity did in ten minutes": """
        SELECT time, verb, resource, namespace, name, status_code FROM events
        WHERE username = '{username}' AND time >= TIMESTAMP '{from}' AND time < TIMESTAMP '{soon}'
        ORDER BY time, audit_id""",
    "one request by its audit id": "SELECT time, verb, resource, request_object FROM events WHERE audit_id = '{audit_id}'",
    "addresses of an identity": """
        SELECT client_ip, user_agent, min(time) AS first_seen, max(time) AS last_seen, count(*) AS requests
        FROM events WHERE username = '{username}' GROUP BY client_ip, user_agent""",
    "a word in the bodies of workloads": """
        SELECT resource, count(*) AS requests FROM events
        WHERE activity = 'workload' AND (request_object LIKE '%hostPath%' OR response_object LIKE '%hostPath%')
        GROUP BY resource""",
    "the newest fifty writes": """
        SELECT time, username, verb, resource, namespace, name FROM events
        WHERE verb IN ('create', 'update', 'patch', 'delete') ORDER BY time DESC, audit_id DESC LIMIT 50""",
}

VALUES = """
    SELECT
      (SELECT namespace FROM workloads GROUP BY namespace ORDER BY count(*) DESC, namespace LIMIT 1) AS namespace,
      (SELECT username FROM workloads WHERE identity_kind = 'human'
        GROUP BY username ORDER BY count(*) DESC, username LIMIT 1) AS username,
      (SELECT max(audit_id) FROM events WHERE activity = 'workload' AND request_object IS NOT NULL) AS audit_id,
      (SELECT date_trunc('minute', min(time) + INTERVAL '1 hour') FROM stages) AS "from"
"""

DUCKDB = """
import json, sys, duckdb, time
lake, threads, sql = sys.argv[1:]
start = time.perf_counter()
connection = duckdb.connect(config={{"threads": int(threads)}})
connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
connection.execute("CREATE VIEW stages AS SELECT * FROM read_parquet('" + lake + "/events/*/*/*/*.parquet', hive_partitioning = true, union_by_name = true)")
for name, view in {views}.items():
    connection.execute("CREATE VIEW " + name + " AS " + view)
rows = connection.execute(sql).fetchall()
seconds = time.perf_counter() - start
print(json.dumps([seconds, rows], default=str))
"""


def parser_of_arguments(description):
    """Returns the arguments of every comparison over a lake."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--podtrail", required=True, help="release binary")
    parser.add_argument("--lake", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="number of threads of DuckDB")
    return parser


def main():
    parser = parser_of_arguments(__doc__)
    parser.add_argument("--only", default="", help="run only queries whose name contains this text")
    arguments = parser.parse_args()

    values = values_of(arguments)
    print(f"{count_files(arguments.lake)} files; {values}\n")
    print("| question | rows | podtrail s | DuckDB s | DuckDB / podtrail | without import | podtrail CPU s | peak MB |")
    print("|---|---|---|---|---|---|---|---|")
    for name, query in QUERIES.items():
        if arguments.only not in name:
            continue
        for value, text in values.items():
            query = query.replace("{" + value + "}", text)
        pairs = [(podtrail(arguments, query), duckdb(arguments, query)) for _ in range(arguments.rounds)]
        own, other = pairs[0][0]["rows"], pairs[0][1]["rows"]
        if own != other:
            sys.exit(f"{name}: {len(own)} and {len(other)} rows, {own[:2]} and {other[:2]}")
        middle = lambda engine, what: statistics.median(pair[engine][what] for pair in pairs)
        ratio = lambda what: statistics.median(pair[1][what] / pair[0]["wall"] for pair in pairs)
        print(
            f"| {name} | {len(own)} | {middle(0, 'wall'):.2f} | {middle(1, 'wall'):.2f} | {ratio('wall'):.2f} | {ratio('own'):.2f} "
            f"| {middle(0, 'cpu'):.2f} | {middle(0, 'peak'):.0f} |",
            flush=True,
        )


def values_of(arguments):
    """Returns the values that queries use."""
    [row] = run([arguments.podtrail, "sql", "--lake", arguments.lake, "--format", "jsonl", "-c", VALUES])["rows"]
    namespace, username, audit_id, start = row
    clock = lambda minutes: (datetime.fromisoformat(start) + timedelta(minutes=minutes)).isoformat() + "Z"
    return {"namespace": namespace, "username": username, "audit_id": audit_id} | {
        "from": clock(0),
        "soon": clock(10),
        "to": clock(60),
    }


def count_files(lake):
    return len(glob.glob(os.path.join(lake, "events/*/*/*/*.parquet")))


def podtrail(arguments, query):
    return run([arguments.podtrail, "sql", "--lake", arguments.lake, "--format", "jsonl", "-c", query])


def run(command):
    """Runs a command that prints JSON lines, and returns the resources that it used according to the kernel."""
    used, output = measure(command, stderr=subprocess.DEVNULL)
    rows = [list(json.loads(line).values()) for line in output.splitlines()]
    return {"rows": comparable(rows), "wall": used.wall, "cpu": used.cpu, "peak": used.peak}


def duckdb(arguments, query):
    program = DUCKDB.format(views=VIEWS)
    command = [sys.executable, "-c", program, arguments.lake, str(arguments.threads), query]
    used, output = measure(command)
    own, rows = json.loads(output)
    return {"rows": comparable(rows), "wall": used.wall, "own": own}


def comparable(rows):
    """Returns the rows in an order independent of the engine, with times in one format."""
    return sorted(([text(value) for value in row] for row in rows), key=repr)


def text(value):
    if not isinstance(value, str) or len(value) < 19 or value[4:5] != "-":
        return value
    value = value.replace(" ", "T").removesuffix("Z").removesuffix("+00:00")
    return value.rstrip("0").rstrip(".") if "." in value else value


if __name__ == "__main__":
    main()
