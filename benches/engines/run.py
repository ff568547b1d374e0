"""Runs four detections in DuckDB, Polars and Spark over a lake, and compares the event ids with those of podtrail.

    run.py --podtrail BINARY LAKE [--engine NAME]…

The engines read the same Delta table. `denied-burst` returns lists of events: each must equal the events of one finding. The
script exits with 1 if any detection differs. Spark requires Java 17 or later.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from importlib import metadata, resources

DETECTIONS = ["privileged-container", "exec-into-pod", "wildcard-role", "denied-burst"]


def duckdb(lake):
    """Reads with DuckDB's extension `delta`, from the Python package that contains it."""
    import duckdb

    connection = duckdb.connect()
    file = resources.files("duckdb_extension_delta") / "extensions" / f"v{duckdb.__version__}" / "delta.duckdb_extension"
    connection.execute(f"LOAD {quoted(str(file))}")
    connection.execute(f"CREATE VIEW stages AS FROM delta_scan({quoted(lake + '/events')})")
    return in_duckdb(connection)


def duckdb_arrow(lake):
    """Reads with deltalake, through a pyarrow dataset."""
    import duckdb
    from deltalake import DeltaTable

    connection = duckdb.connect()
    connection.register("stages", DeltaTable(f"{lake}/events").to_pyarrow_dataset())
    return in_duckdb(connection)


def in_duckdb(connection):
    connection.execute("SET TimeZone = 'UTC'")
    for statement in statements("duckdb.sql"):
        connection.execute(statement)
    return lambda view: connection.execute(f"SELECT event_id FROM {view}").fetchall()


def polars(lake):
    import in_polars
    import polars as pl

    events = in_polars.events(pl.scan_delta(f"{lake}/events"))
    return lambda view: getattr(in_polars, view)(events).select("event_id").collect().rows()


def spark(lake):
    """Reads the Parquet files that the Delta log names."""
    from deltalake import DeltaTable
    from pyspark.sql import SparkSession
    from pyspark.sql.types import StructType

    settings = {
        "spark.driver.memory": "3g",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    session = SparkSession.builder.master("local[*]").config(map=settings).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    table = DeltaTable(f"{lake}/events")
    # A file omits columns without a value.
    schema = StructType.fromJson(json.loads(table.schema().to_json()))
    stages = session.read.schema(schema).option("basePath", f"{lake}/events").parquet(*table.file_uris())
    stages.createTempView("stages")
    for statement in statements("spark.sql"):
        session.sql(statement)
    return lambda view: session.sql(f"SELECT event_id FROM {view}").collect()


ENGINES = {"duckdb": duckdb, "duckdb-arrow": duckdb_arrow, "polars": polars, "spark": spark}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lake")
    parser.add_argument("--podtrail", required=True)
    parser.add_argument("--engine", action="append", choices=ENGINES, help="default: all")
    arguments = parser.parse_args()
    lake = os.path.abspath(arguments.lake)

    own = podtrail(arguments.podtrail, lake)
    differs = False
    print("| engine | detection | rows | events | podtrail events | equal | s |")
    print("|---|---|---|---|---|---|---|")
    for name in arguments.engine or ENGINES:
        start = time.perf_counter()
        query = ENGINES[name](lake)
        print(f"| {name} | open the table | | | | | {time.perf_counter() - start:.1f} |", flush=True)
        for detection in DETECTIONS:
            start = time.perf_counter()
            rows = [row[0] for row in query(detection.replace("-", "_"))]
            seconds = time.perf_counter() - start
            found = {frozenset(ids) if isinstance(ids, list) else frozenset([ids]) for ids in rows}
            is_equal = found == own[detection]
            differs |= not is_equal
            counts = f"{len(rows)} | {events(found)} | {events(own[detection])} | {'yes' if is_equal else 'NO'}"
            print(f"| {name} | {detection} | {counts} | {seconds:.1f} |", flush=True)
    packages = ["deltalake", "duckdb", "polars", "pyarrow", "pyspark"]
    print("\n" + ", ".join(f"{package} {metadata.version(package)}" for package in packages))
    sys.exit(1 if differs else 0)


def podtrail(binary, lake):
    """Returns the evidence of each detection: one set of event ids per finding if events count together, else per event."""
    command = [binary, "hunt", "--lake", lake, "--format", "jsonl", "--min-severity", "info", "--no-exceptions"]
    command += [f"--detection={detection}" for detection in DETECTIONS]
    found = {detection: set() for detection in DETECTIONS}
    for line in subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines():
        finding = json.loads(line)
        together = finding["detection"] == "denied-burst"
        ids = finding["event_ids"]
        found[finding["detection"]] |= {frozenset(ids)} if together else {frozenset([id]) for id in ids}
    return found


def events(found):
    return len(frozenset().union(*found))


def statements(file):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), file), encoding="utf-8") as text:
        return [statement for statement in text.read().split(";") if statement.strip()]


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


if __name__ == "__main__":
    main()
