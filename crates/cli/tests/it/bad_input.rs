//! Bad input is reported and quarantined, and the rest is processed.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::{podtrail, privileged_pod, scratch};

fn good(name: &str) -> String {
    privileged_pod(name, "2026-11-24T10:00:00.000000Z")
}

/// Ingests one file of `bytes`; returns the summary, standard error and the exit code.
fn ingest(bytes: &[u8]) -> (serde_json::Value, String, i32) {
    let (dir, lake) = scratch();
    let log = dir.path().join("audit.log");
    std::fs::write(&log, bytes).unwrap();
    let run = podtrail(["ingest", &log.display().to_string(), "--lake", &lake, "--json"]);
    (run.json(), run.stderr, run.code)
}

fn counts(summary: &serde_json::Value) -> (u64, u64) {
    (summary["events_added"].as_u64().unwrap(), summary["quarantined"].as_u64().unwrap())
}

#[test]
fn a_damaged_line_affects_only_that_line() {
    let (a, b) = (good("a"), good("b"));
    for (what, bytes) in [
        ("truncated last line", format!("{a}\n{b}\n{}", &good("c")[..99]).into_bytes()),
        ("truncated middle line", format!("{a}\n{}\n{b}\n", &good("c")[..99]).into_bytes()),
        ("not JSON", format!("{a}\nhello\n{b}\n").into_bytes()),
        (
            "JSON of another kind",
            format!("{a}\n{{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}}\n{b}\n").into_bytes(),
        ),
        ("NUL bytes", format!("{a}\n\0\0\0\0{b}\n").into_bytes()),
        ("not UTF-8", [a.as_bytes(), b"\n{\"a\":\"\xff\"}\n", b.as_bytes()].concat()),
    ] {
        let (summary, printed, code) = ingest(&bytes);
        assert_eq!(counts(&summary), (2, 1), "{what}: {printed}");
        assert_eq!(code, 3, "{what}: {printed}");
        assert!(printed.contains("audit.log"), "{what}: {printed}");
    }
}

#[test]
fn a_file_expands_up_to_a_limit() {
    let (dir, lake) = scratch();
    let log = dir.path().join("audit.log.gz");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for n in 0..500 {
        writeln!(encoder, "{}", good(&n.to_string())).unwrap();
    }
    std::fs::write(&log, encoder.finish().unwrap()).unwrap();
    let log = log.display().to_string();
    for (limit, code) in [("64KiB", 3), ("1TiB", 0)] {
        let arguments = ["ingest", &log, "--lake", &lake, "--json", "--max-expanded", limit];
        let run = podtrail(arguments).expect(code);
        assert_eq!(
            run.stderr.contains("decompressed size exceeds 65536 bytes"),
            code == 3,
            "{run}"
        );
        let explained = ["ingest", &log, "--explain", "--max-expanded", limit];
        podtrail(explained).expect(code);
    }
    podtrail(["ingest", &log, "--lake", &lake, "--max-expanded", "much"]).expect(2);
}

#[test]
fn a_broken_gzip_tail_affects_only_the_records_in_it() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for n in 0..2000 {
        writeln!(encoder, "{}", good(&n.to_string())).unwrap();
    }
    let bytes = encoder.finish().unwrap();
    let (summary, printed, code) = ingest(&bytes[..bytes.len() / 2]);
    let (added, _) = counts(&summary);
    assert!(added > 500 && added < 2000, "{summary}");
    assert!(printed.contains("audit.log"), "{printed}");
    assert_eq!(code, 3);
}

#[test]
fn the_quarantine_keeps_the_record_and_its_position() {
    let (dir, lake) = scratch();
    let log = dir.path().join("audit.log");
    std::fs::write(&log, format!("{}\nhello\n", good("a"))).unwrap();
    podtrail(["ingest", &log.display().to_string(), "--lake", &lake]).expect(3);
    // Any Delta reader can open it; here the files are read as Parquet.
    let files: Vec<_> = std::fs::read_dir(Path::new(&lake).join("quarantine"))
        .unwrap()
        .filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|e| e == "parquet"))
        .collect();
    assert_eq!(files.len(), 1);
}

#[test]
fn other_files_are_rejected_by_name() {
    let (dir, lake) = scratch();
    let folder = dir.path().join("logs");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("audit.log"), good("a")).unwrap();
    std::fs::write(folder.join("empty.log"), "").unwrap();
    std::fs::write(folder.join("pods.json"), json!({"kind": "PodList", "items": []}).to_string())
        .unwrap();
    std::fs::write(
        folder.join("policy.yaml"),
        "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: []\n",
    )
    .unwrap();
    let missing = dir.path().join("missing").display().to_string();
    let folder = folder.display().to_string();
    let run = podtrail(["ingest", &folder, &missing, "--lake", &lake, "--json"]).expect(3);
    assert_eq!(run.json()["events_added"], 1, "{run}");
    for name in ["pods.json", "policy.yaml", "missing"] {
        assert!(run.stderr.contains(name), "{name}: {run}");
    }
}
