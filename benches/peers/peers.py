"""Runs one method of one engine once: reads audit log files, writes typed columns and both bodies to one zstd Parquet file.

    peers.py WAY OUT THREADS FILES…
    peers.py fingerprint PARQUET

Every method writes the same columns (COLUMNS). Maps are maps if the engine has them, otherwise JSON text.
Prints the seconds of the work itself, wall and CPU, without starting Python and importing the engine.
"""

import json
import os
import sys
import time

# Our column, the path in the event, its type.
COLUMNS = [
    ("audit_api_version", "apiVersion", "string"),
    ("level", "level", "string"),
    ("audit_id", "auditID", "string"),
    ("stage", "stage", "string"),
    ("request_uri", "requestURI", "string"),
    ("verb", "verb", "string"),
    ("username", "user.username", "string"),
    ("user_uid", "user.uid", "string"),
    ("user_groups", "user.groups", "strings"),
    ("user_extra", "user.extra", "map of strings"),
    ("impersonated_username", "impersonatedUser.username", "string"),
    ("impersonated_uid", "impersonatedUser.uid", "string"),
    ("impersonated_groups", "impersonatedUser.groups", "strings"),
    ("impersonated_extra", "impersonatedUser.extra", "map of strings"),
    ("source_ips", "sourceIPs", "strings"),
    ("user_agent", "userAgent", "string"),
    ("resource", "objectRef.resource", "string"),
    ("namespace", "objectRef.namespace", "string"),
    ("name", "objectRef.name", "string"),
    ("object_uid", "objectRef.uid", "string"),
    ("api_group", "objectRef.apiGroup", "string"),
    ("api_version", "objectRef.apiVersion", "string"),
    ("resource_version", "objectRef.resourceVersion", "string"),
    ("subresource", "objectRef.subresource", "string"),
    ("status_code", "responseStatus.code", "int"),
    ("status", "responseStatus.status", "string"),
    ("status_reason", "responseStatus.reason", "string"),
    ("status_message", "responseStatus.message", "string"),
    ("request_object", "requestObject", "json"),
    ("response_object", "responseObject", "json"),
    ("received_at", "requestReceivedTimestamp", "timestamp"),
    ("stage_at", "stageTimestamp", "timestamp"),
    ("annotations", "annotations", "map"),
]


def tree():
    """Returns the event as nested fields: name -> type, or name -> fields."""
    members = {}
    for _, path, kind in COLUMNS:
        *outer, leaf = path.split(".")
        place = members
        for name in outer:
            place = place.setdefault(name, {})
        place[leaf] = kind
    return members


def quoted(path):
    return ".".join(f'"{name}"' for name in path.split("."))


# DuckDB

DUCKDB = {
    "string": "VARCHAR",
    "strings": "VARCHAR[]",
    "map": "MAP(VARCHAR, VARCHAR)",
    "map of strings": "MAP(VARCHAR, VARCHAR[])",
    "int": "INTEGER",
    "json": "JSON",
    "timestamp": "TIMESTAMPTZ",
}


def duckdb_type(member):
    if isinstance(member, str):
        return DUCKDB[member]
    return "STRUCT(" + ", ".join(f'"{name}" {duckdb_type(inner)}' for name, inner in member.items()) + ")"


def duckdb(select, out, threads, options=""):
    import duckdb

    def work():
        connection = duckdb.connect()
        connection.execute(f"SET threads = {threads}")
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(f"COPY ({select}) TO '{out}' (FORMAT parquet, COMPRESSION zstd{options})")

    return work


def duckdb_columns(out, threads, files, options=""):
    """Reads with the JSON reader and explicit types, so that it neither infers types nor extracts twice."""
    types = ", ".join(f"'{name}': '{duckdb_type(member)}'" for name, member in tree().items())
    select = ", ".join(f"{quoted(path)} AS {column}" for column, path, _ in COLUMNS)
    source = f"read_json({files}, format = 'newline_delimited', columns = {{{types}}})"
    return duckdb(f"SELECT {select} FROM {source}", out, threads, options)


def duckdb_columns_zstd1(out, threads, files):
    """The same with the fastest level of zstd (the default is 3)."""
    return duckdb_columns(out, threads, files, ", COMPRESSION_LEVEL 1")


def duckdb_extract(out, threads, files):
    """Reads lines as JSON, and extracts every column by its path."""

    def extract(path, kind):
        pointer = "$." + path
        if kind == "string":
            return f"json_extract_string(json, '{pointer}')"
        if kind in ("int", "timestamp"):
            return f"CAST(json_extract_string(json, '{pointer}') AS {DUCKDB[kind]})"
        value = f"json_extract(json, '{pointer}')"
        return value if kind == "json" else f"CAST({value} AS {DUCKDB[kind]})"

    select = ", ".join(f"{extract(path, kind)} AS {column}" for column, path, kind in COLUMNS)
    source = f"read_json_objects({files}, format = 'newline_delimited')"
    return duckdb(f"SELECT {select} FROM {source}", out, threads)


def duckdb_transform(out, threads, files):
    """Reads lines as JSON, and transforms them to one struct."""
    structure = str({name: member for name, member in duckdb_structure(tree()).items()}).replace("'", '"')
    select = ", ".join(f"event.{quoted(path)} AS {column}" for column, path, _ in COLUMNS)
    source = f"read_json_objects({files}, format = 'newline_delimited')"
    return duckdb(
        f"SELECT {select} FROM (SELECT json_transform(json, '{structure}') AS event FROM {source})", out, threads
    )


def duckdb_structure(member):
    """Returns a type in the format of json_transform."""
    lists = {"strings": ["VARCHAR"], "map": "MAP(VARCHAR, VARCHAR)", "map of strings": "MAP(VARCHAR, VARCHAR[])"}
    if isinstance(member, str):
        return lists.get(member, DUCKDB[member])
    return {name: duckdb_structure(inner) for name, inner in member.items()}


# Polars


def polars_types():
    import polars

    # Polars has no maps, and reads an object of type string as its JSON text.
    kinds = {"strings": polars.List(polars.String), "int": polars.Int32}

    def convert(member):
        if isinstance(member, str):
            return kinds.get(member, polars.String)
        return polars.Struct({name: convert(inner) for name, inner in member.items()})

    return {name: convert(member) for name, member in tree().items()}


def polars_select(frame):
    import polars

    columns = []
    for column, path, kind in COLUMNS:
        names = path.split(".")
        value = polars.col(names[0])
        for name in names[1:]:
            value = value.struct.field(name)
        if kind == "timestamp":
            value = value.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", time_zone="UTC")
        columns.append(value.alias(column))
    return frame.select(columns)


def polars_schema(out, threads, files, level=None):
    """Reads with the streaming reader of JSON lines and explicit types. (`str.json_decode` over lines rejects an object
    if the type is string, so it cannot read the bodies.)"""
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars

    frame = polars_select(polars.scan_ndjson(files, schema=polars_types()))
    return lambda: frame.sink_parquet(
        out, compression="zstd", compression_level=level, maintain_order=False, engine="streaming"
    )


def polars_schema_zstd1(out, threads, files):
    """The same with the fastest level of zstd (the default is 3)."""
    return polars_schema(out, threads, files, level=1)


# chDB: ClickHouse in the process

CHDB = {
    "string": "Nullable(String)",
    "strings": "Array(String)",
    "map": "Map(String, String)",
    "map of strings": "Map(String, Array(String))",
    "int": "Nullable(Int32)",
    "json": "Nullable(String)",
    "timestamp": "Nullable(DateTime64(6, 'UTC'))",
}


def chdb_type(member):
    if isinstance(member, str):
        return CHDB[member]
    return "Tuple(" + ", ".join(f"{name} {chdb_type(inner)}" for name, inner in member.items()) + ")"


def chdb(select, out, threads, settings=None):
    import chdb

    settings = {
        "max_threads": threads,
        "date_time_input_format": "'best_effort'",
        "input_format_json_read_objects_as_strings": 1,
        "input_format_skip_unknown_fields": 1,
        "output_format_parquet_compression_method": "'zstd'",
        **(settings or {}),
    }
    clause = ", ".join(f"{name} = {value}" for name, value in settings.items())
    target = f"file('{os.path.abspath(out)}', 'Parquet')"
    return lambda: chdb.query(f"INSERT INTO FUNCTION {target} {select} SETTINGS {clause}")


def chdb_file(files, form, structure):
    # Alternatives are allowed for parts of a path only, so the files must be in the same folder.
    files = [os.path.abspath(file) for file in files]
    folder = os.path.commonpath(files + [os.path.dirname(files[0])])
    names = ",".join(os.path.relpath(file, folder) for file in files)
    names = os.path.join(folder, f"{{{names}}}" if len(files) > 1 else names)
    return f"file('{names}', '{form}', $${structure}$$)"


def chdb_columns(out, threads, files, settings=None):
    """Reads with the reader of JSON lines and explicit types."""
    structure = ", ".join(f"{name} {chdb_type(member)}" for name, member in tree().items())
    select = ", ".join(f"{path} AS {column}" for column, path, _ in COLUMNS)
    return chdb(f"SELECT {select} FROM {chdb_file(files, 'JSONEachRow', structure)}", out, threads, settings)


def chdb_columns_zstd1(out, threads, files):
    """The same with the fastest level of zstd (the default is 3)."""
    return chdb_columns(out, threads, files, {"output_format_compression_level": 1})


def chdb_extract(out, threads, files):
    """Reads lines as strings, and extracts them to one tuple."""
    members = ", ".join(f"{name} {chdb_type(member)}" for name, member in tree().items())
    members = members.replace(CHDB["timestamp"], "Nullable(String)")

    def column(path, kind):
        value = f"event.{path}"
        return f"parseDateTime64BestEffortOrNull({value}, 6, 'UTC')" if kind == "timestamp" else value

    select = ", ".join(f"{column(path, kind)} AS {name}" for name, path, kind in COLUMNS)
    events = f"SELECT JSONExtract(line, 'Tuple({members})') AS event FROM {chdb_file(files, 'LineAsString', 'line String')}"
    return chdb(f"SELECT {select} FROM ({events})", out, threads)


WAYS = {
    "duckdb-columns": duckdb_columns,
    "duckdb-columns-zstd1": duckdb_columns_zstd1,
    "duckdb-extract": duckdb_extract,
    "duckdb-transform": duckdb_transform,
    "polars-schema": polars_schema,
    "polars-schema-zstd1": polars_schema_zstd1,
    "chdb-columns": chdb_columns,
    "chdb-columns-zstd1": chdb_columns_zstd1,
    "chdb-extract": chdb_extract,
}


# A fingerprint that is equal for tables of the same log, independent of the engine.
FINGERPRINT = """
    SELECT count(*), count(DISTINCT audit_id), count(username), sum(status_code), count(request_object),
           count(response_object), epoch_us(min(received_at)), epoch_us(max(stage_at))
    FROM read_parquet(?, hive_partitioning = false, union_by_name = true)
"""


def fingerprint(pattern):
    import duckdb

    return duckdb.execute(FINGERPRINT, [pattern]).fetchone()


def main():
    way, out, *rest = sys.argv[1:]
    if way == "fingerprint":
        print(json.dumps([int(value) for value in fingerprint(out)]))
        return
    threads, *files = rest
    work = WAYS[way](out, int(threads), files)
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}))


if __name__ == "__main__":
    main()
