//! `podtrail sql`.

use crate::{podtrail, privileged_pod, scratch};

fn lake() -> (tempfile::TempDir, String) {
    let (dir, lake) = scratch();
    let log = dir.path().join("a.log");
    let received = privileged_pod("a", "2026-11-24T10:00:00.000000Z")
        .replace("ResponseComplete", "RequestReceived");
    let complete = privileged_pod("a", "2026-11-24T10:00:00.000000Z");
    let formula = privileged_pod("b", "2026-11-24T10:00:01.000000Z").replace("kubectl", "=cmd()");
    std::fs::write(&log, [received, complete, formula].join("\n")).unwrap();
    podtrail(["ingest", &log.display().to_string(), "--lake", &lake]).expect(0);
    (dir, lake)
}

fn sql(lake: &str, query: &str, format: &str) -> crate::Run {
    podtrail(["sql", "--lake", lake, "-c", query, "--format", format])
}

#[test]
fn a_request_is_one_row_and_a_stage_is_one_row() {
    let (_dir, lake) = lake();
    let count = |view| {
        sql(&lake, &format!("SELECT count(*) AS n FROM {view}"), "json").expect(0).json()[0]["n"]
            .clone()
    };
    assert_eq!(count("stages"), 3);
    assert_eq!(count("events"), 2);
    assert_eq!(count("workloads"), 2);
    assert_eq!(count("containers"), 2);
    assert_eq!(count("volumes"), 0);
}

#[test]
fn rows_come_in_four_formats() {
    let (_dir, lake) = lake();
    let query = "SELECT name, user_agent, source_ips FROM events ORDER BY name";
    let table = sql(&lake, query, "table").expect(0).stdout;
    assert!(table.contains("│ a") || table.contains("a "), "{table}");
    assert!(table.ends_with("2 rows\n"), "{table}");
    let csv = sql(&lake, query, "csv").expect(0).stdout;
    assert_eq!(
        csv,
        "name,user_agent,source_ips\na,kubectl,\"[\"\"10.0.0.7\"\"]\"\nb,'=cmd(),\"[\"\"10.0.0.7\"\"]\"\n"
    );
    let json = sql(&lake, query, "json").expect(0).json();
    assert_eq!(json[1]["user_agent"], "=cmd()");
    let jsonl = sql(&lake, query, "jsonl").expect(0).jsonl();
    assert_eq!(jsonl[0]["source_ips"][0], "10.0.0.7");
}

/// What a terminal would obey is part of the data.
#[test]
fn rows_arrive_byte_for_byte() {
    let (dir, lake) = scratch();
    let log = dir.path().join("a.log");
    let agent = "a\u{7f}b\u{9b}c\u{1b}[1md";
    let event = privileged_pod("a", "2026-11-24T10:00:00.000000Z");
    std::fs::write(&log, event.replace("kubectl", r"a\u007fb\u009bc\u001b[1md")).unwrap();
    podtrail(["ingest", &log.display().to_string(), "--lake", &lake]).expect(0);
    let query = "SELECT user_agent FROM events";
    assert_eq!(sql(&lake, query, "jsonl").expect(0).jsonl()[0]["user_agent"], agent);
    assert_eq!(sql(&lake, query, "json").expect(0).json()[0]["user_agent"], agent);
    let table = sql(&lake, query, "table").expect(0).stdout;
    assert!(!table.contains(['\u{7f}', '\u{9b}', '\u{1b}']), "{table:?}");

    let findings = podtrail([
        "hunt",
        "--lake",
        &lake,
        "--detection",
        "privileged-container",
        "--format",
        "jsonl",
    ])
    .expect(0);
    assert!(findings.jsonl().iter().any(|finding| finding["user_agent"] == agent), "{findings}");
}

#[test]
fn no_rows_still_have_a_form() {
    let (_dir, lake) = lake();
    let query = "SELECT name FROM events WHERE false";
    assert_eq!(sql(&lake, query, "csv").expect(0).stdout, "name\n");
    assert_eq!(sql(&lake, query, "json").expect(0).stdout, "[]\n");
    assert_eq!(sql(&lake, query, "jsonl").expect(0).stdout, "");
    assert!(sql(&lake, query, "table").expect(0).stdout.ends_with("0 rows\n"));
}

#[test]
fn a_query_only_reads() {
    let (dir, lake) = lake();
    let file = dir.path().join("out.csv").display().to_string();
    for statement in [
        format!("COPY (SELECT 1) TO '{file}'"),
        format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{file}'"),
        "CREATE TABLE t AS SELECT 1".to_owned(),
        "INSERT INTO stages SELECT * FROM stages".to_owned(),
        "DROP VIEW events".to_owned(),
        "SET datafusion.execution.batch_size = 1".to_owned(),
    ] {
        let run = sql(&lake, &statement, "table").expect(4);
        assert!(run.stderr.starts_with("error: "), "{run}");
    }
    assert!(!std::path::Path::new(&file).exists());
}

#[test]
fn a_typo_is_told_with_what_there_is() {
    let (_dir, lake) = lake();
    let run = sql(&lake, "SELECT nmae FROM events", "table").expect(4);
    assert!(run.stderr.contains("nmae"), "{run}");
    let run = podtrail(["sql", "--lake", "/nowhere/lake", "-c", "SELECT 1"]).expect(4);
    assert_eq!(run.stderr.matches("/nowhere/lake").count(), 1, "{run}");
    podtrail(["sql", "--lake", &lake, "-c", "SELECT 1", "--format", "xml"]).expect(2);
    podtrail(["sqll"]).expect(2);
}
