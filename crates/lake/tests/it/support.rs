//! Events to append, and SQL over the appended rows.

use arrow::array::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::{SessionConfig, SessionContext};
use podtrail_event::column::Day;
use podtrail_event::{BatchBuilder, Event, Micros};
use podtrail_lake::{Lake, Snapshot};
use tempfile::TempDir;

/// Where something is on disk.
pub(crate) trait OnDisk {
    fn dir(&self) -> std::path::PathBuf;

    fn root(&self) -> std::path::PathBuf {
        self.dir()
    }
}

impl OnDisk for Lake {
    fn dir(&self) -> std::path::PathBuf {
        self.location().directory().unwrap().to_owned()
    }
}

impl OnDisk for Snapshot {
    fn dir(&self) -> std::path::PathBuf {
        self.url().to_file_path().unwrap()
    }
}

/// 2026-01-31 00:00 UTC, in seconds.
pub(crate) const MIDNIGHT: i64 = 1_769_817_600;

/// One event: an id, the second after [`MIDNIGHT`] when it happened, its activity.
pub(crate) fn event(id: u64, second: i64, activity: &'static str) -> Event<'static> {
    let time = Micros((MIDNIGHT + second) * 1_000_000 + 123_456);
    Event {
        cluster: Some("prod".into()),
        date: Some(time.day()),
        activity: Some(activity.into()),
        time: Some(time),
        verb: Some("create".into()),
        audit_id: Some("the same for all".into()),
        event_id: Some(format!("{id:032x}").into()),
        request_object: Some(format!(r#"{{"number":{id}}}"#).into()),
        source_line: Some(id as i64),
        ..Event::default()
    }
}

pub(crate) fn day(second: i64) -> Day {
    Micros((MIDNIGHT + second) * 1_000_000).day()
}

pub(crate) fn batch<'a>(events: impl IntoIterator<Item = Event<'a>>) -> RecordBatch {
    let mut builder = BatchBuilder::default();
    for event in events {
        builder.append(&event);
    }
    builder.finish()
}

/// Creates a lake in a directory whose name needs escaping in URLs.
pub(crate) async fn lake() -> (TempDir, Lake) {
    let dir = tempfile::Builder::new().prefix("a lake #1 100% é ").tempdir().unwrap();
    let lake = Lake::create(dir.path()).await.unwrap();
    (dir, lake)
}

/// Makes the table `events` of a new lake write a checkpoint every five commits, once it is opened again.
pub(crate) fn checkpoint_often(lake: &std::path::Path) {
    let first = lake.join("events/_delta_log/00000000000000000000.json");
    let made = std::fs::read_to_string(&first).unwrap();
    let property = r#""delta.appendOnly":"true""#;
    assert!(made.contains(property), "{made}");
    let often = made.replace(property, &format!(r#"{property},"delta.checkpointInterval":"5""#));
    std::fs::write(&first, often).unwrap();
}

/// Returns the result of a query over a table named `t`, as a text table.
pub(crate) async fn sql(snapshot: &Snapshot, query: &str) -> String {
    let config = SessionConfig::new()
        .with_target_partitions(2)
        .set_bool("datafusion.execution.parquet.schema_force_view_types", false)
        .set_bool("datafusion.sql_parser.map_string_types_to_utf8view", false);
    let context = SessionContext::new_with_config(config);
    context.register_table("t", snapshot.provider().unwrap()).unwrap();
    let batches = context.sql(query).await.unwrap().collect().await.unwrap();
    pretty_format_batches(&batches).unwrap().to_string()
}

/// Returns the single value of a query, as text.
pub(crate) async fn value(snapshot: &Snapshot, query: &str) -> String {
    let table = sql(snapshot, query).await;
    let row = table.lines().nth(3).unwrap_or_default();
    row.trim_matches('|').trim().to_owned()
}

/// Returns the names of the files in the plan of a query.
pub(crate) async fn planned_files(snapshot: &Snapshot, query: &str) -> usize {
    sql(snapshot, &format!("EXPLAIN {query}")).await.matches(".zstd.parquet").count()
}

/// Returns the number of data files on disk, whether or not the log names them.
pub(crate) fn files_on_disk(snapshot: &Snapshot) -> usize {
    fn count(dir: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        entries
            .filter(|path| !path.ends_with("_delta_log") && !path.ends_with(".writers.lock"))
            .map(|path| if path.is_dir() { count(&path) } else { 1 })
            .sum()
    }
    count(&snapshot.root())
}
