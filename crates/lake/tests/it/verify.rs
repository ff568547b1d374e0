//! Problems that verification finds in a table.

use std::path::PathBuf;

use podtrail_event::Parser;
use podtrail_lake::{Lake, Verified};

use crate::support::{OnDisk, batch, lake};

const JSON: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"a",
    "stage":"ResponseComplete","requestURI":"/api","verb":"create","user":{"username":"alice"},
    "requestReceivedTimestamp":"2026-01-31T00:00:00.000001Z","odd":[1.50,"\u0041"],
    "requestObject":{"spec":{"a":[1, 2e3, "é"]}}}"#;

/// Creates a lake with one file of `count` events, as ingested.
async fn lake_of(count: usize) -> (tempfile::TempDir, Lake, PathBuf) {
    let (dir, lake) = lake().await;
    let texts: Vec<_> = (0..count)
        .map(|n| JSON.replace("\"auditID\":\"a\"", &format!("\"auditID\":\"a{n}\"")))
        .collect();
    let mut parsers: Vec<_> = texts.iter().map(|_| Parser::new(None)).collect();
    let events = texts.iter().zip(&mut parsers).map(|(text, parser)| {
        let mut event = parser.parse(text.as_bytes(), None).unwrap();
        event.cluster = Some("prod".into());
        event
    });
    lake.append_events(vec![batch(events)]).await.unwrap();
    let snapshot = lake.events().await.unwrap();
    let file = snapshot.root().join(&snapshot.files().unwrap()[0].path);
    (dir, lake, file)
}

async fn events(lake: &Lake) -> Verified {
    let mut verified = lake.verify().await.unwrap();
    let quarantine = verified.pop().unwrap();
    assert_eq!((quarantine.table, quarantine.problems.len()), ("quarantine", 0));
    verified.pop().unwrap()
}

/// Returns the problems of the only file.
async fn problems(lake: &Lake) -> Vec<String> {
    let path = lake.events().await.unwrap().files().unwrap()[0].path.clone();
    let problems = events(lake).await.problems;
    assert!(problems.iter().all(|problem| problem.path == path), "{problems:?}");
    problems.into_iter().map(|problem| problem.detail).collect()
}

/// Changes the log's description of the only file.
fn rewrite_log(lake: &Lake, change: impl Fn(&str) -> String) {
    let entry = lake.dir().join("events/_delta_log/00000000000000000001.json");
    let text = std::fs::read_to_string(&entry).unwrap();
    let changed = change(&text);
    assert_ne!(changed, text);
    std::fs::write(entry, changed).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intact_table_has_no_problems() {
    let (_dir, lake, _) = lake_of(3).await;
    let verified = events(&lake).await;
    assert_eq!((verified.files, verified.rows, verified.version), (1, 3, 1));
    assert!(verified.digests);
    assert_eq!((verified.problems, verified.orphans), (vec![], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_damaged_file_is_named() {
    let (_dir, lake, file) = lake_of(3).await;
    let bytes = std::fs::read(&file).unwrap();
    // In the data of the first columns, which readers of the footer do not see.
    let mut damaged = bytes.clone();
    damaged[100..160].fill(0xff);
    std::fs::write(&file, &damaged).unwrap();
    let found = problems(&lake).await;
    assert!(found.len() == 1 && found[0].starts_with("cannot be read: "), "{found:?}");

    std::fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    let found = problems(&lake).await;
    let size = format!("has {} bytes, but the log records {}", bytes.len() - 1, bytes.len());
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.contains(&size), "{found:?}");

    std::fs::remove_file(&file).unwrap();
    let found = problems(&lake).await;
    assert!(found.len() == 1 && found[0].starts_with("cannot be read: "), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_contradict_the_log_are_reported() {
    for (from, to, expected) in [
        (r#"\"numRecords\":3"#, r#"\"numRecords\":4"#, &["has 3 rows, but the log records 4"][..]),
        (
            r#"\"time\":\"2026-01-31T00:00:00.000001Z\""#,
            r#"\"time\":\"2026-01-31T00:00:00.000002Z\""#,
            &["`time` ranges from 2026-01-31T00:00:00.000001Z to 2026-01-31T00:00:00.000001Z, \
               but the log records 2026-01-31T00:00:00.000002Z to 2026-01-31T00:00:00.000002Z"],
        ),
        (
            r#""date":"2026-01-31""#,
            r#""date":"2026-01-30""#,
            &[
                "has times from 2026-01-31T00:00:00.000001Z to 2026-01-31T00:00:00.000001Z, \
                 but its directory is 2026-01-30",
                "was written for cluster=prod/date=2026-01-31/activity=write, \
                 but the log records cluster=prod/date=2026-01-30/activity=write",
            ],
        ),
        // Each of these makes a query for creates by alice skip the file.
        (
            r#""cluster":"prod""#,
            r#""cluster":"other""#,
            &["was written for cluster=prod/date=2026-01-31/activity=write, \
               but the log records cluster=other/date=2026-01-31/activity=write"],
        ),
        (r#"\"verb\":0"#, r#"\"verb\":3"#, &["has 0 nulls in `verb`, but the log records 3"]),
        (
            r#"\"nullCount\":{"#,
            r#"\"nullCount\":{\"request_object\":3,"#,
            &["has 0 nulls in `request_object`, but the log records 3"],
        ),
        (
            r#"\"verb\":\"create\""#,
            r#"\"verb\":\"a\""#,
            &["`verb` ranges from create to create, but the log records a to a"],
        ),
    ] {
        let (dir, lake, _) = lake_of(3).await;
        rewrite_log(&lake, |text| text.replace(from, to));
        let lake = Lake::open(dir.path()).unwrap();
        assert_eq!(problems(&lake).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_changed_or_repeated_is_reported() {
    let (_dir, lake) = lake().await;
    let mut parser = Parser::new(None);
    let mut event = parser.parse(JSON.as_bytes(), None).unwrap();
    event.cluster = Some("prod".into());
    event.username = Some("mallory".into());
    let id = event.event_id.as_deref().unwrap().to_owned();
    lake.append_events(vec![batch([event])]).await.unwrap();
    let changed = format!("1 rows do not match the digest in `event_id`, the first is {id}");
    assert_eq!(problems(&lake).await, [changed]);

    let (dir, lake, file) = lake_of(1).await;
    let copy = file.with_file_name("part-copy.zstd.parquet");
    std::fs::copy(&file, &copy).unwrap();
    let log = lake.dir().join("events/_delta_log");
    let first = std::fs::read_to_string(log.join("00000000000000000001.json")).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    let second = first.replace(name, "part-copy.zstd.parquet");
    std::fs::write(log.join("00000000000000000002.json"), second).unwrap();
    let lake = Lake::open(dir.path()).unwrap();
    let found = events(&lake).await.problems;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].detail.contains(" is also in "), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unnamed_files_and_a_damaged_log_are_reported() {
    let (_dir, lake, file) = lake_of(1).await;
    let orphan = file.with_file_name("part-left-by-a-kill.zstd.parquet");
    std::fs::copy(&file, &orphan).unwrap();
    let verified = events(&lake).await;
    assert_eq!(verified.problems, []);
    assert_eq!(verified.orphans[0].path, orphan.display().to_string());

    // Delta Lake accepts an empty entry as a version.
    std::fs::write(lake.dir().join("events/_delta_log/00000000000000000002.json"), "").unwrap();
    let found = events(&lake).await.problems;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].path, "_delta_log/00000000000000000002.json");
    assert_eq!(found[0].detail, "entry 2 is empty");
}

/// Adds an entry to the log, after the only append.
fn add_entry(lake: &Lake, entry: &str) {
    std::fs::write(lake.dir().join("events/_delta_log/00000000000000000002.json"), entry).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_an_entry_hides_are_reported() {
    for (data_change, operation, expected) in [
        (false, "OPTIMIZE", "rewrites 3 rows into other files, which have 0 rows"),
        (true, "OPTIMIZE", "removes 1 files with their rows, but is not a retention"),
        (true, "DELETE", ""),
    ] {
        let (dir, lake, _) = lake_of(3).await;
        let path = lake.events().await.unwrap().files().unwrap()[0].path.clone();
        let remove =
            serde_json::json!({"remove": {"path": path, "dataChange": data_change}}).to_string();
        let info = serde_json::json!({"commitInfo": {
            "operation": operation, "operationParameters": {"predicate": "date < '2026-02-01'"},
        }});
        add_entry(&lake, &format!("{remove}\n{info}"));
        let verified = events(&Lake::open(dir.path()).unwrap()).await;
        let found: Vec<_> = verified.problems.iter().map(|problem| &*problem.detail).collect();
        if expected.is_empty() {
            assert_eq!(found, [] as [&str; 0]);
        } else {
            assert!(found.len() == 1 && found[0].ends_with(expected), "{found:?}");
        }
        let removed = verified.removals.first();
        let removed = removed.map(|it| (it.version, it.rows, it.predicate.as_deref()));
        assert_eq!(removed, data_change.then_some((2, Some(3), Some("date < '2026-02-01'"))));
    }
}

/// Returns the problems of a table of which no version can be read.
async fn unreadable(dir: &tempfile::TempDir) -> Vec<String> {
    let lake = Lake::open(dir.path()).unwrap();
    // Statistics are read when they are needed.
    let read = lake.events().await.and_then(|snapshot| snapshot.files().map(<[_]>::len));
    let error = read.unwrap_err().to_string();
    assert!(!error.contains('\n') && error.starts_with("table `events` "), "{error}");
    let verified = events(&lake).await;
    assert_eq!((verified.version, verified.files), (-1, 0));
    verified
        .problems
        .iter()
        .map(|problem| format!("{}: {}", problem.path, problem.detail))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_outside_the_table_is_opened() {
    for outside in ["../../x.parquet", "a/../x.parquet", "/x.parquet", "file:///x.parquet", ""] {
        let (dir, lake, file) = lake_of(1).await;
        let name = lake.events().await.unwrap().files().unwrap()[0].path.clone();
        std::fs::copy(file, dir.path().join("x.parquet")).unwrap();
        rewrite_log(&lake, |text| text.replace(&name, outside));
        let found = unreadable(&dir).await;
        let end = format!("of entry 1 adds '{outside}', which is outside the table");
        assert!(found.len() == 1 && found[0].ends_with(&end), "{found:?}");
    }
    if cfg!(unix) {
        let (_dir, lake, file) = lake_of(1).await;
        let away = lake.dir().join("away.parquet");
        std::fs::rename(&file, &away).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(&away, &file).unwrap();
        let found = problems(&lake).await;
        assert!(found.len() == 1 && found[0].starts_with("is outside the table"), "{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_parts_of_a_log_are_named() {
    let stats = |text: &str| {
        let start = text.find(r#""stats":""#).unwrap();
        let length = text[start..].find(r#"}""#).unwrap() + 2;
        text[start..start + length].to_owned()
    };
    let entry = "_delta_log/00000000000000000001.json: line 2 of entry 1 adds cluster=prod/";
    for (junk, expected) in [
        (r#""stats":"junk""#, "with invalid `stats`: expected value"),
        (r#""stats":"[]""#, "with invalid `stats`: "),
        (r#""stats":"""#, "with invalid `stats`: EOF"),
        (r#""stats":5"#, "with invalid `stats`: not a string"),
        (r#""stats":"{\"numRecords\":18446744073709551615}""#, "`numRecords` is too large"),
        (
            r#""stats":"{\"nullCount\":{\"verb\":\"x\"}}""#,
            "the `nullCount` of `verb` is not a number",
        ),
    ] {
        let (dir, lake, _) = lake_of(3).await;
        rewrite_log(&lake, |text| text.replace(&stats(text), junk));
        let found = unreadable(&dir).await;
        assert!(found.len() == 1, "{found:?}");
        assert!(found[0].starts_with(entry) && found[0].contains(expected), "{junk}: {found:?}");
    }
    for (from, to, expected) in [
        (r#""size":"#, r#""siz":"#, "without a `size`"),
        (r#""date":"2026-01-31""#, r#""date":"soon""#, "'soon', which is not a date"),
        (r#"{"add":"#, r#"{"add":5,"x":"#, "`add` is not an object"),
        ("{\"add\":", "junk{\"add\":", "is not a JSON object"),
    ] {
        let (dir, lake, _) = lake_of(3).await;
        rewrite_log(&lake, |text| text.replace(from, to));
        let lake = Lake::open(dir.path()).unwrap();
        let found = events(&lake).await.problems;
        assert!(found.iter().any(|problem| problem.detail.contains(expected)), "{to}: {found:?}");
    }
    // Other libraries accept these.
    for (from, to, expected) in [
        (r#"\"numRecords\":3"#, r#"\"numRecords\":-1"#, "with invalid `stats`"),
        (
            r#"\"time\":\"2026-01-31T00:00:00.000001Z\""#,
            r#"\"time\":\"junk\""#,
            "the range of `time` in the log is invalid",
        ),
    ] {
        let (dir, lake, _) = lake_of(3).await;
        rewrite_log(&lake, |text| text.replace(from, to));
        let lake = Lake::open(dir.path()).unwrap();
        assert_eq!(lake.events().await.unwrap().file_count(), 1);
        let found = events(&lake).await.problems;
        assert!(found.len() == 1 && found[0].detail.contains(expected), "{to}: {found:?}");
    }
    let (dir, lake, _) = lake_of(3).await;
    std::fs::write(lake.dir().join("events/_delta_log/00000000000000000009.json"), "{}").unwrap();
    assert_eq!(unreadable(&dir).await, ["_delta_log: entries 2 to 8 are missing"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_read_without_its_damaged_checkpoint() {
    let hint = "_last_checkpoint";
    let checkpoint = "00000000000000000001.checkpoint.parquet";
    for files in [
        &[(hint, "{\"version\":99999,\"size\":1}")][..],
        &[(hint, "{\"version\":0,\"size\":3,\"parts\":7}")],
        &[(hint, "\0")],
        &[(hint, "{\"version\":1,\"size\":5}"), (checkpoint, "no Parquet")],
        &[(checkpoint, "no Parquet")],
        &[("00000000000000000077.checkpoint.parquet", "no Parquet")],
    ] {
        let (dir, lake, _) = lake_of(3).await;
        for (name, text) in files {
            std::fs::write(lake.dir().join("events/_delta_log").join(name), text).unwrap();
        }
        let lake = Lake::open(dir.path()).unwrap();
        assert_eq!(lake.events().await.unwrap().num_rows().unwrap(), Some(3), "{files:?}");
        let verified = events(&lake).await;
        assert_eq!((verified.files, verified.rows), (1, 3), "{files:?}");
        let found: Vec<_> = verified.problems.iter().map(|problem| &*problem.path).collect();
        let last = format!("_delta_log/{}", files.last().unwrap().0);
        assert!(found.contains(&&*last), "{files:?}: {found:?}");
        assert_eq!(lake.events_at(1).await.unwrap().num_rows().unwrap(), Some(3), "{files:?}");
    }
}
