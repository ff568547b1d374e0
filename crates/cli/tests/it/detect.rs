//! `podtrail detect` reports each finding once, and misses none.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::kill::Random;
use crate::{Run, command, podtrail, privileged_pod, scratch};

/// A lake, and logs that are ingested into it one after the other.
pub(crate) struct Fixture {
    pub(crate) dir: TempDir,
    pub(crate) lake: String,
    logs: usize,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let (dir, lake) = scratch();
        Self { dir, lake, logs: 0 }
    }

    /// Ingests these events.
    pub(crate) fn ingest(&mut self, events: &[String]) {
        self.ingest_as("default", events);
    }

    /// Ingests these events of a cluster.
    pub(crate) fn ingest_as(&mut self, cluster: &str, events: &[String]) {
        let log = self.write(events);
        podtrail(["ingest", &log, "--lake", &self.lake, "--cluster", cluster]).expect(0);
    }

    /// Ingests lines, some of which are not events.
    pub(crate) fn ingest_damaged(&mut self, lines: &[String]) {
        let log = self.write(lines);
        podtrail(["ingest", &log, "--lake", &self.lake]).expect(3);
    }

    fn write(&mut self, lines: &[String]) -> String {
        self.logs += 1;
        let log = self.dir.path().join(format!("{}.log", self.logs));
        std::fs::write(&log, lines.join("\n")).unwrap();
        log.display().to_string()
    }

    /// Runs `detect` with a small pack and these options.
    pub(crate) fn detect(&self, flags: &[&str]) -> Run {
        Run::of(detect(&self.lake, flags).output().unwrap())
    }

    pub(crate) fn sql(&self, query: &str) -> Value {
        podtrail(["sql", "--lake", &self.lake, "--format", "json", "-c", query]).expect(0).json()
    }
}

fn detect(lake: &str, flags: &[&str]) -> Command {
    let arguments = ["detect", "--lake", lake, "--format", "jsonl"];
    let arguments = arguments.into_iter().chain(["--detection", "privileged-container"]);
    command(arguments.chain(flags.iter().copied()))
}

/// Returns the object names of findings, in order.
pub(crate) fn names(findings: &[Value]) -> Vec<&str> {
    let mut names: Vec<_> =
        findings.iter().map(|finding| finding["name"].as_str().unwrap_or_default()).collect();
    names.sort_unstable();
    names
}

/// Returns the folder of a detection `pairs` that reports each request together with the previous one.
fn pairs(dir: &Path) -> PathBuf {
    let folder = dir.join("queries/test");
    std::fs::create_dir_all(&folder).unwrap();
    let text = "/*\nid: pairs\ntitle: Test\nseverity: low\nattack: [T1610]\ndescription: A test.\n*/
        SELECT make_array(before, event_id) AS event_id, 'one after the other' AS reason
        FROM (SELECT event_id, lag(event_id) OVER (PARTITION BY cluster ORDER BY time) AS before FROM workloads)
        WHERE before IS NOT NULL";
    std::fs::write(folder.join("pairs.sql"), text).unwrap();
    dir.join("queries")
}

#[test]
fn a_detection_runs_by_a_former_id() {
    let mut lake = Fixture::new();
    lake.ingest(&[privileged_pod("a", "2026-11-24T10:00:00.000000Z")]);
    let alias = [
        "detect",
        "--lake",
        &lake.lake,
        "--format",
        "jsonl",
        "--detection",
        "windows-host-process",
    ];
    let findings = podtrail(alias).expect(0).jsonl();
    assert_eq!(names(&findings), ["a"]);
    assert_eq!(findings[0]["detection"], "privileged-container");
    // The same events were examined, under either id.
    assert_eq!(lake.detect(&[]).expect(0).jsonl().len(), 0);
}

#[test]
fn a_finding_is_printed_once_and_grows() {
    let mut lake = Fixture::new();
    lake.ingest(&[
        privileged_pod("a", "2026-11-24T10:00:00.000000Z"),
        privileged_pod("b", "2026-11-24T10:00:01.000000Z"),
    ]);
    let first = lake.detect(&[]).expect(0);
    assert_eq!(names(&first.jsonl()), ["a", "b"]);
    let again = lake.detect(&["--fail-on", "info"]).expect(0);
    assert_eq!((again.stdout.as_str(), again.stderr.as_str()), ("", ""));

    lake.ingest(&[
        privileged_pod("a", "2026-11-24T10:05:00.000000Z"),
        privileged_pod("c", "2026-11-24T10:05:01.000000Z"),
        // Late: earlier than all known events.
        privileged_pod("d", "2026-10-01T10:00:00.000000Z"),
    ]);
    let second = lake.detect(&["--fail-on", "medium"]).expect(1);
    assert_eq!(names(&second.jsonl()), ["c", "d"]);
    let rows = lake.sql(
        "SELECT name, state, sequence, count, CAST(last_seen - first_seen AS VARCHAR) AS span,
           cardinality(event_ids) AS events, cardinality(sources) AS sources, state_by, events_version
         FROM findings WHERE name <> 'd' ORDER BY name",
    );
    let expected = json!([
        {"name": "a", "state": "seen_again", "sequence": 3, "count": 2, "span": "0 days 0 hours 5 mins 0.000000 secs",
         "events": 2, "sources": 2, "state_by": "podtrail", "events_version": 2},
        {"name": "b", "state": "delivered", "sequence": 2, "count": 1, "span": "0 days 0 hours 0 mins 0.000000 secs",
         "events": 1, "sources": 1, "state_by": "podtrail", "events_version": 1},
        {"name": "c", "state": "delivered", "sequence": 2, "count": 1, "span": "0 days 0 hours 0 mins 0.000000 secs",
         "events": 1, "sources": 1, "state_by": "podtrail", "events_version": 2},
    ]);
    assert_eq!(rows, expected);
    assert_eq!(lake.sql("SELECT count(*) AS n FROM findings_log")[0]["n"], 9);
}

#[test]
fn detect_and_hunt_print_the_same_findings() {
    let mut lake = Fixture::new();
    lake.ingest(&[privileged_pod("a", "2026-11-24T10:00:00.000000Z")]);
    let hunt = ["hunt", "--lake", &lake.lake, "--detection", "privileged-container"];
    let hunt = podtrail(hunt.into_iter().chain(["--format", "jsonl"])).expect(0);
    assert_eq!(lake.detect(&[]).expect(0).stdout, hunt.stdout);
    assert!(!hunt.stdout.is_empty());
}

#[test]
fn a_continuing_episode_is_the_same_finding() {
    let mut lake = Fixture::new();
    let queries = pairs(lake.dir.path()).display().to_string();
    let flags = ["--queries", &queries, "--detection", "pairs", "--min-severity", "low"];
    let pod = |minute: u32| privileged_pod("a", &format!("2026-11-24T10:{minute:02}:00.000000Z"));
    lake.ingest(&[pod(0)]);
    assert_eq!(lake.detect(&flags).expect(0).jsonl().len(), 1, "privileged-container alone");
    lake.ingest(&[pod(1)]);
    assert_eq!(lake.detect(&flags).expect(0).jsonl().len(), 1, "the first pair");
    // Another pair, with another first event: it shares an event with the known pair.
    lake.ingest(&[pod(2)]);
    assert_eq!(lake.detect(&flags).expect(0).stdout, "");
    let rows = lake.sql("SELECT state, count FROM findings WHERE detection = 'pairs'");
    assert_eq!(rows, json!([{"state": "seen_again", "count": 3}]));
    // More than a day later, nothing is shared: the look-back does not reach that far.
    lake.ingest(&[privileged_pod("a", "2026-11-27T10:00:00.000000Z")]);
    lake.ingest(&[privileged_pod("a", "2026-11-27T10:01:00.000000Z")]);
    assert_eq!(lake.detect(&flags).expect(0).jsonl().len(), 1, "a pair of its own");
}

/// Returns the contents of findings, independent of the number of runs that found them.
fn contents(lake: &str) -> Value {
    const SQL: &str = "
        SELECT finding_id, count, array_sort(event_ids) AS events, first_seen, last_seen
        FROM findings ORDER BY finding_id";
    podtrail(["sql", "--lake", lake, "--format", "json", "-c", SQL]).expect(0).json()
}

/// Checks that each finding exists once, and that its states are consecutive.
fn assert_each_once(lake: &str, hint: &str) {
    const SQL: &str = "
        SELECT
          count(*) AS states,
          count(DISTINCT state_id) AS ids,
          count(*) FILTER (WHERE state = 'new' AND sequence = 1) AS new,
          count(DISTINCT finding_id) AS findings
        FROM findings_log";
    let row = podtrail(["sql", "--lake", lake, "--format", "json", "-c", SQL]).expect(0).json();
    assert_eq!(row[0]["states"], row[0]["ids"], "{hint}: {row}");
    assert_eq!(row[0]["new"], row[0]["findings"], "{hint}: {row}");
}

fn pods(names: std::ops::Range<usize>, hour: usize) -> Vec<String> {
    let pod = |number: usize| {
        let time = format!("2026-11-24T{hour:02}:{:02}:{:02}.000000Z", number / 60, number % 60);
        privileged_pod(&format!("pod-{number}"), &time)
    };
    names.map(pod).collect()
}

#[test]
#[ignore = "kill loop: .ci/run includes it; cargo test --workspace -- --ignored"]
fn a_killed_run_neither_loses_nor_repeats_findings() {
    const ROUNDS: usize = 5;
    let (mut random, seed) = Random::seeded();
    let (mut undisturbed, mut killed) = (Fixture::new(), Fixture::new());
    let queries = pairs(undisturbed.dir.path()).display().to_string();
    let flags = ["--queries", &queries, "--detection", "pairs"];
    let mut kills = 0;
    for (names, hour) in [(0..40, 10), (20..60, 11)] {
        let events = pods(names, hour);
        undisturbed.ingest(&events);
        let started = Instant::now();
        undisturbed.detect(&flags).expect(0);
        let whole_run = started.elapsed();
        killed.ingest(&events);
        for _ in 0..ROUNDS {
            let mut run = detect(&killed.lake, &flags);
            let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(random.below(whole_run));
            kills += usize::from(run.try_wait().unwrap().is_none());
            run.kill().unwrap();
            run.wait().unwrap();
        }
    }
    assert_ne!(kills, 0, "seed {seed}");
    killed.detect(&flags).expect(0);
    let expected = contents(&undisturbed.lake);
    assert_eq!(expected.as_array().unwrap().len(), 61, "60 pods and one long episode");
    assert_eq!(contents(&killed.lake), expected, "seed {seed}");
    assert_each_once(&undisturbed.lake, "undisturbed");
    assert_each_once(&killed.lake, &format!("seed {seed}"));
    assert_eq!(killed.detect(&flags).expect(0).stdout, "", "seed {seed}");
}

#[test]
fn concurrent_runs_print_each_finding_once() {
    let mut lake = Fixture::new();
    lake.ingest(&pods(0..20, 10));
    let runs: Vec<_> = (0..3)
        .map(|_| detect(&lake.lake, &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn())
        .collect();
    let printed: usize = runs
        .into_iter()
        .map(|run| Run::of(run.unwrap().wait_with_output().unwrap()).expect(0).jsonl().len())
        .sum();
    assert_eq!(printed, 20);
    assert_each_once(&lake.lake, "at once");
    assert_eq!(lake.sql("SELECT count(*) AS n FROM findings_log")[0]["n"], 40);
}

#[test]
fn events_that_a_failed_detection_missed_are_examined_again() {
    let mut lake = Fixture::new();
    lake.ingest(&[privileged_pod("a", "2026-11-24T10:00:00.000000Z")]);
    let queries = pairs(lake.dir.path());
    let broken = queries.join("test/broken.sql");
    let write = |reason: &str| {
        let head =
            "/*\nid: broken\ntitle: Test\nseverity: low\nattack: [T1610]\ndescription: A test.\n*/";
        std::fs::write(&broken, format!("{head}\nSELECT event_id, {reason} AS reason FROM events"))
            .unwrap();
    };
    let queries = queries.display().to_string();
    let flags = ["--queries", &queries, "--detection", "broken"];
    write("CAST(CAST(verb AS BIGINT) AS VARCHAR)");
    let failed = lake.detect(&flags).expect(4);
    assert_eq!(names(&failed.jsonl()), ["a"], "what the others find is recorded");
    assert!(failed.stderr.contains("detection broken"), "{failed}");
    write("verb");
    let run = lake.detect(&flags).expect(0);
    assert_eq!(run.jsonl().len(), 1, "{run}");
    assert_eq!(run.jsonl()[0]["detection"], "broken");
    assert_eq!(lake.detect(&flags).expect(0).stdout, "");
    assert_each_once(&lake.lake, "failed");
}

#[test]
fn excepted_findings_are_recorded_but_not_printed() {
    let mut lake = Fixture::new();
    let exceptions = lake.dir.path().join("exceptions.yaml");
    let text = "- id: known\n  reason: a test\n  owner: me\n  detections: [privileged-container]\n  identities: [alice]\n";
    std::fs::write(&exceptions, text).unwrap();
    let flags = ["--exceptions", &exceptions.display().to_string()];
    lake.ingest(&[privileged_pod("a", "2026-11-24T10:00:00.000000Z")]);
    assert_eq!(lake.detect(&flags).expect(0).stdout, "");
    let state = || lake_state(&lake.lake);
    assert_eq!(state(), json!([{"state": "suppressed", "exception": "known", "count": 1}]));
    let mut lake_again = lake;
    lake_again.ingest(&[privileged_pod("a", "2026-11-24T10:01:00.000000Z")]);
    assert_eq!(names(&lake_again.detect(&[]).expect(0).jsonl()), ["a"]);
    let expected = json!([{"state": "delivered", "exception": null, "count": 2}]);
    assert_eq!(lake_state(&lake_again.lake), expected);
}

fn lake_state(lake: &str) -> Value {
    let sql = "SELECT state, exception, count FROM findings";
    podtrail(["sql", "--lake", lake, "--format", "json", "-c", sql]).expect(0).json()
}

fn states(lake: &Fixture) -> Value {
    lake.sql("SELECT state, count(*) AS n FROM findings GROUP BY state ORDER BY state")
}

/// More than a pipe buffers.
const MANY: usize = 150;

#[test]
fn findings_not_written_to_a_full_disk_are_printed_again() {
    let mut lake = Fixture::new();
    lake.ingest(&pods(0..3, 10));
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let run = detect(&lake.lake, &["--fail-on", "low"]).stdout(full).output().unwrap();
    let run = Run::of(run).expect(4);
    assert!(run.stderr.contains("3 findings not delivered"), "{run}");
    assert_eq!(states(&lake), json!([{"state": "new", "n": 3}]));
    let ids = lake.sql("SELECT finding_id FROM findings ORDER BY finding_id");
    let again = lake.detect(&["--fail-on", "low"]).expect(1).jsonl();
    let mut again: Vec<_> = again.iter().map(|f| json!({"finding_id": f["finding_id"]})).collect();
    again.sort_by_key(ToString::to_string);
    assert_eq!(json!(again), ids);
    assert_eq!(states(&lake), json!([{"state": "delivered", "n": 3}]));
    assert_eq!(lake.detect(&[]).expect(0).stdout, "");
}

#[test]
fn findings_not_read_before_the_pipe_closed_are_printed_again() {
    let mut lake = Fixture::new();
    lake.ingest(&pods(0..MANY, 10));
    // As head -1 does.
    let mut run =
        detect(&lake.lake, &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::with_capacity(64, run.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with('{'), "{line}");
    let run = Run::of(run.wait_with_output().unwrap()).expect(4);
    assert!(run.stderr.contains("findings not delivered"), "{run}");
    assert_eq!(lake.detect(&[]).expect(0).jsonl().len(), MANY);
    assert_eq!(states(&lake), json!([{"state": "delivered", "n": MANY}]));
}

#[test]
#[ignore = "kill and wait: .ci/run includes it; cargo test --workspace -- --ignored"]
fn findings_that_a_killed_run_did_not_print_are_printed_again() {
    let mut lake = Fixture::new();
    lake.ingest(&pods(0..MANY, 10));
    let mut run =
        detect(&lake.lake, &[]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // A slow reader: when it has received anything, all findings are recorded, and output that does not fit into the
    // pipe waits.
    let mut first = [0; 1];
    run.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(states(&lake), json!([{"state": "new", "n": MANY}]));
    // Another run does not wait for it forever, and does not print findings that may already be printed.
    let started = Instant::now();
    assert_eq!(lake.detect(&[]).expect(0).stdout, "");
    assert!(started.elapsed() > Duration::from_secs(9), "it waits for its turn");
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(lake.detect(&[]).expect(0).jsonl().len(), MANY);
    assert_eq!(lake.detect(&[]).expect(0).stdout, "");
}

#[test]
fn a_minimum_severity_affects_only_the_output() {
    let mut lake = Fixture::new();
    lake.ingest(&[privileged_pod("a", "2026-11-24T10:00:00.000000Z")]);
    let high = lake.detect(&["--min-severity", "high", "--fail-on", "low"]).expect(0);
    assert_eq!(high.stdout, "");
    assert_eq!(states(&lake), json!([{"state": "new", "n": 1}]));
    // A finding that is seen again before it was printed still has to be printed.
    lake.ingest(&[privileged_pod("a", "2026-11-24T10:01:00.000000Z")]);
    assert_eq!(lake.detect(&["--min-severity", "high"]).expect(0).stdout, "");
    let low = lake.detect(&[]).expect(0).jsonl();
    assert_eq!((names(&low), &low[0]["count"]), (vec!["a"], &json!(2)));
    assert_eq!(lake.detect(&[]).expect(0).stdout, "");
}

#[test]
fn a_run_of_one_detection_does_not_affect_others() {
    let mut lake = Fixture::new();
    let queries = pairs(lake.dir.path()).display().to_string();
    let run = |lake: &Fixture, id: &str| {
        let arguments = ["detect", "--lake", &lake.lake, "--queries", &queries, "--detection", id];
        let found = podtrail(arguments.into_iter().chain(["--format", "jsonl"])).expect(0).jsonl();
        let ids = found.iter().map(|finding| finding["detection"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    lake.ingest(&pods(0..2, 10));
    assert_eq!(run(&lake, "privileged-container"), ["privileged-container"; 2]);
    assert_eq!(run(&lake, "pairs"), ["pairs"]);
    assert!(run(&lake, "privileged-container").is_empty());
    assert!(run(&lake, "pairs").is_empty());
    let watermark = podtrail(["status", "--lake", &lake.lake, "--format", "json"]).expect(0).json();
    assert_eq!(watermark["detect"]["versions_behind"], 2, "not all detections ran: {watermark}");
}

#[test]
fn a_finding_that_becomes_more_severe_is_printed_again() {
    let mut lake = Fixture::new();
    let queries = pairs(lake.dir.path());
    let text =
        "/*\nid: pairs\ntitle: Test\nseverity: low\nattack: [T1610]\ndescription: A test.\n*/
        SELECT array_agg(event_id) AS event_id, 'many' AS reason,
          CASE WHEN count(*) > 2 THEN 'critical' ELSE 'low' END AS severity
        FROM workloads GROUP BY username";
    std::fs::write(queries.join("test/pairs.sql"), text).unwrap();
    let queries = queries.display().to_string();
    let flags = ["--queries", &queries, "--detection", "pairs"];
    let severities = |lake: &Fixture| {
        let found = lake.detect(&flags).expect(0).jsonl();
        let of_pairs = found.into_iter().filter(|finding| finding["detection"] == "pairs");
        of_pairs.map(|finding| finding["severity"].clone()).collect::<Vec<_>>()
    };
    let pod = |minute: u32| privileged_pod("a", &format!("2026-11-24T10:{minute:02}:00.000000Z"));
    lake.ingest(&[pod(0)]);
    assert_eq!(severities(&lake), ["low"]);
    lake.ingest(&[pod(1)]);
    assert!(severities(&lake).is_empty());
    lake.ingest(&[pod(2)]);
    assert_eq!(severities(&lake), ["critical"]);
    lake.ingest(&[pod(3)]);
    assert!(severities(&lake).is_empty());
}

#[test]
fn a_range_is_examined_again() {
    let mut lake = Fixture::new();
    lake.ingest(&pods(0..2, 10));
    lake.ingest(&[privileged_pod("late", "2026-11-26T10:00:00.000000Z")]);
    let queries = pairs(lake.dir.path()).display().to_string();
    let all = ["--detection", "pairs", "--queries", &queries];
    assert_eq!(lake.detect(&all).expect(0).jsonl().len(), 4, "three pods and a pair");
    // A detection that did not exist when these events were examined.
    let text = std::fs::read_to_string(Path::new(&queries).join("test/pairs.sql")).unwrap();
    let text = text.replace("id: pairs", "id: pairs\nversion: 2");
    std::fs::write(Path::new(&queries).join("test/pairs.sql"), text).unwrap();
    assert_eq!(lake.detect(&all).expect(0).stdout, "", "nothing was added");
    let other_day = ["--again", "--from", "2026-11-25"];
    let other_day: Vec<_> = all.into_iter().chain(other_day).collect();
    assert_eq!(lake.detect(&other_day).expect(0).stdout, "");
    let again: Vec<_> = all.into_iter().chain(["--again", "--to", "2026-11-24"]).collect();
    lake.detect(&again).expect(0);
    lake.detect(&["--from", "2026-11-25"]).expect(2);
}

#[test]
fn detect_without_a_lake_fails() {
    let (_dir, lake) = scratch();
    let run = podtrail(["detect", "--lake", &lake]).expect(4);
    assert!(run.stderr.contains("podtrail ingest --lake LAKE"), "{run}");
    assert!(!Path::new(&lake).exists());
}
