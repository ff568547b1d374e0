#!/usr/bin/env python3
"""Writers that follow growing logs into one lake in an object store.

Starts moto_server, and for each writer `podtrail ingest --follow` over a log that grows by a number of events per second. At the
end every event has to be in the lake exactly once. Reports the conflicts between commits, the time from an event to the commit
that makes it visible, and the size of the log of the table.

    python3 benches/writers.py --podtrail target/release/podtrail --writers 10 --seconds 600 --every 10s

Needs moto[server] with boto3, as .ci/run installs it: run it with the Python of that environment.
"""

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timezone
from pathlib import Path

import boto3

BUCKET = "writers"


def stamp():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def event(writer, number):
    now = stamp()
    return json.dumps({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": f"{writer}-{number}",
        "stage": "ResponseComplete", "requestURI": f"/api/v1/namespaces/shop/pods/web-{number % 50}", "verb": "get",
        "user": {"username": f"system:serviceaccount:shop:reader-{writer}", "groups": ["system:authenticated"]},
        "sourceIPs": ["10.0.0.7"], "userAgent": "kubectl/v1.33.1 (linux/amd64)",
        "objectRef": {"resource": "pods", "namespace": "shop", "name": f"web-{number % 50}", "apiVersion": "v1"},
        "responseStatus": {"code": 200}, "requestReceivedTimestamp": now, "stageTimestamp": now,
    })


def grow(path, writer, rate, seconds, written):
    """Appends events to a log, `rate` each second."""
    end = time.monotonic() + seconds
    with open(path, "a", buffering=1) as log:
        while (started := time.monotonic()) < end:
            for _ in range(rate):
                log.write(event(writer, written[writer]) + "\n")
                written[writer] += 1
            time.sleep(max(0, 1 - (time.monotonic() - started)))


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def entries(client):
    """Yields the log entries of the table of events, each as a list of actions."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="lake/events/_delta_log/")
    names = [item["Key"] for page in pages for item in page.get("Contents", []) if item["Key"].endswith(".json")]
    for name in sorted(names):
        body = client.get_object(Bucket=BUCKET, Key=name)["Body"].read()
        yield [json.loads(line) for line in body.splitlines()]


def delays(log):
    """Returns, for each commit of events, the seconds from its oldest event to the commit."""
    oldest = []
    for actions in log:
        adds = [action["add"] for action in actions if "add" in action]
        info = next((action["commitInfo"] for action in actions if "commitInfo" in action), None)
        if adds and info:
            first = min(json.loads(add["stats"])["minValues"]["time"] for add in adds)
            first = datetime.fromisoformat(first.replace("Z", "+00:00")).timestamp()
            oldest.append(info["timestamp"] / 1000 - first)
    return oldest


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--podtrail", required=True)
    parser.add_argument("--writers", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--every", default="10s", help="interval of the commits of a writer, in seconds")
    parser.add_argument("--rate", type=int, default=20, help="events per second and writer")
    arguments = parser.parse_args()

    port = free_port()
    server = subprocess.Popen(["moto_server", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    endpoint = f"http://127.0.0.1:{port}"
    credentials = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
    os.environ.update(credentials | {"AWS_DEFAULT_REGION": "us-east-1"})
    environment = os.environ | {
        "AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true", "RUST_LOG": "podtrail_lake::log::commit=debug",
    }
    client = boto3.client("s3", endpoint_url=endpoint)
    for _ in range(100):
        try:
            client.create_bucket(Bucket=BUCKET)
            break
        except Exception:  # The server is not listening yet.
            time.sleep(0.2)

    def sql(query):
        command = [arguments.podtrail, "sql", "--lake", f"s3://{BUCKET}/lake", "--format", "json", "-c", query]
        return json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout)[0]

    with tempfile.TemporaryDirectory() as folder:
        written = [0] * arguments.writers
        processes, threads = [], []
        for writer in range(arguments.writers):
            path = Path(folder, f"{writer}.log")
            path.touch()
            messages = open(Path(folder, f"{writer}.err"), "w")
            command = [arguments.podtrail, "ingest", str(path), "--follow", "--every", arguments.every]
            command += ["--cluster", f"cluster-{writer}", "--lake", f"s3://{BUCKET}/lake"]
            processes.append(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=messages))
            thread = threading.Thread(target=grow, args=(path, writer, arguments.rate, arguments.seconds, written))
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join()
        # Ctrl-C would end a writer before it has read the rest of its log.
        behind = time.monotonic()
        while sql("SELECT count(*) AS events FROM stages")["events"] < sum(written) and time.monotonic() - behind < 600:
            time.sleep(2)
        behind = time.monotonic() - behind
        for process in processes:
            process.send_signal(signal.SIGINT)
        codes = [process.wait() for process in processes]
        errors = [Path(folder, f"{writer}.err").read_text() for writer in range(arguments.writers)]

    conflicts = sum(text.count("another writer committed first") for text in errors)
    found = sql("SELECT count(*) AS events, count(DISTINCT audit_id) AS requests FROM stages")
    log = list(entries(client))
    server.kill()
    seconds = delays(log)
    expected = sum(written)
    print(f"{arguments.writers} writers, {arguments.seconds} s, a commit every {arguments.every}, exit codes {sorted(set(codes))}")
    print(f"events written {expected}, in the lake {found['events']}, distinct {found['requests']}")
    print(f"commits {len(seconds)}, conflicts {conflicts} ({conflicts / max(len(seconds), 1):.2f} per commit)")
    quantiles = statistics.quantiles(seconds, n=100)
    print(f"oldest event of a commit: median {statistics.median(seconds):.1f} s, 99 % {quantiles[98]:.1f} s, "
          f"longest {max(seconds):.1f} s before the commit")
    print(f"all events in the lake {behind:.0f} s after the last one was written")
    size = sum(len(json.dumps(action)) for actions in log for action in actions)
    print(f"log: {len(log)} entries, {size / len(log) / 1000:.1f} kB each")
    if not found["events"] == found["requests"] == expected:
        sys.exit("events were lost or doubled")


if __name__ == "__main__":
    main()
