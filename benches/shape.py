#!/usr/bin/env python3
"""Compares the shape of audit logs; `benches/README.md` quotes its figures for the generator.

    shape.py NAME=FILES… NAME=FILES…        e.g. generated='out/*.log' real='logs/audit*.log.gz'
"""

import collections
import glob
import gzip
import json
import re
import sys
import zlib

UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
QUANTILES = (0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99, 0.999)


def quantiles(values):
    values.sort()
    return {f"p{q * 100:g}": values[int(len(values) * q)] for q in QUANTILES} if values else {}


def shares(counter, total, most=12):
    return {str(key): round(n / total, 3) for key, n in counter.most_common(most)}


def zstd1(data):
    """Returns the compressed size, computed by the library if Python has it, otherwise by the program."""
    try:
        from compression import zstd

        return len(zstd.compress(data, 1))
    except ImportError:
        import subprocess

        return len(subprocess.run(["zstd", "-1", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout)


def shape(pattern):
    lengths, requests, responses = [], [], []
    verbs, stages, levels, codes, resources, annotations = (collections.Counter() for _ in range(6))
    uids, mentions, behind, last, written, ratios = set(), 0, 0, "", 0, []
    for path in sorted(glob.glob(pattern)):
        data = (gzip.open if path.endswith(".gz") else open)(path, "rb").read()
        compressed = zlib.compressobj(6, wbits=31)
        ratios.append((len(data), len(compressed.compress(data)) + len(compressed.flush()), zstd1(data)))
        for line in data.splitlines():
            lengths.append(len(line) + 1)
            event = json.loads(line)
            found = UUID.findall(line)
            mentions += len(found)
            uids.update(found)
            behind += event["requestReceivedTimestamp"] < last
            last = event["requestReceivedTimestamp"]
            stages[event["stage"]] += 1
            levels[event["level"]] += 1
            if event["stage"] == "RequestReceived":
                continue
            reference = event.get("objectRef") or {}
            verbs[event["verb"]] += 1
            resources["/".join(filter(None, (reference.get("resource"), reference.get("subresource"))))] += 1
            codes[(event.get("responseStatus") or {}).get("code")] += 1
            annotations.update(list(event.get("annotations") or {}))
            for member, sizes in (("requestObject", requests), ("responseObject", responses)):
                if member in event:
                    sizes.append(len(json.dumps(event[member], separators=(",", ":"), ensure_ascii=False).encode()))
    count, size, answered = len(lengths), sum(lengths), sum(verbs.values())
    return {
        "lines": count,
        "bytes": size,
        "line bytes, mean": round(size / count),
        "line bytes": {**quantiles(lengths), "max": lengths[-1]},
        "requests with requestObject": round(len(requests) / answered, 3),
        "requestObject bytes": quantiles(requests),
        "requests with responseObject": round(len(responses) / answered, 3),
        "responseObject bytes": quantiles(responses),
        "share of bytes in bodies": round((sum(requests) + sum(responses)) / size, 3),
        "stages": shares(stages, count),
        "levels": shares(levels, count),
        "verbs": shares(verbs, answered),
        "codes": shares(codes, answered),
        "resources": shares(resources, answered, 24),
        "annotations": shares(annotations, answered),
        "UUIDs per line": round(mentions / count, 2),
        "new UUIDs per line": round(len(uids) / count, 2),
        "lines after a line with a later arrival": round(behind / count, 3),
        "gzip -6, times smaller": round(size / sum(gz for _, gz, _ in ratios), 1),
        "zstd -1, times smaller": round(size / sum(zs for _, _, zs in ratios), 1),
    }


def main():
    shapes = dict(argument.split("=", 1) for argument in sys.argv[1:])
    shapes = {name: shape(pattern) for name, pattern in shapes.items()}
    first = next(iter(shapes.values()))
    for row, value in first.items():
        if isinstance(value, dict):
            print(f"\n| {row} |" + "".join(f" {name} |" for name in shapes) + "\n|---|" + "---|" * len(shapes))
            keys = dict.fromkeys(key for columns in shapes.values() for key in columns[row])
            for key in keys:
                print(f"| {key} |" + "".join(f" {columns[row].get(key, '')} |" for columns in shapes.values()))
            print()
        else:
            print(f"{row}: " + ", ".join(f"{name} {columns[row]}" for name, columns in shapes.items()))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main()
