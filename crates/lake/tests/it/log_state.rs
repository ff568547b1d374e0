//! The state of a table as this crate reads it from the log, compared with the Delta library on random logs.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::Array;
use arrow::util::display::array_value_to_string;
use deltalake::DeltaTable;
use deltalake::protocol::checkpoints::create_checkpoint;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use podtrail_lake::{Lake, LakeError, Snapshot};
use serde_json::{Value, json};
use url::Url;

use crate::support::{batch, checkpoint_often, event, lake};

/// Path, size, time, partition values and number of rows of every file.
type State = BTreeMap<String, (u64, i64, Vec<Option<String>>, Option<u64>)>;

/// A linear congruential generator: the same logs in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

fn log(lake: &Path) -> PathBuf {
    lake.join("events/_delta_log")
}

fn write_entry(lake: &Path, version: u64, actions: &[Value]) {
    let lines: Vec<String> = actions.iter().map(Value::to_string).collect();
    std::fs::write(log(lake).join(format!("{version:020}.json")), lines.join("\n")).unwrap();
}

fn add(number: usize, size: usize, random: &mut Random) -> Value {
    let cluster = ["prod", "a b%/é", ""][number % 3];
    let day = format!("2026-01-{:02}", number % 5 + 1);
    let values = match number % 7 {
        0 => json!({"cluster": cluster, "date": null, "activity": "read"}),
        _ => json!({"cluster": cluster, "date": day, "activity": "read"}),
    };
    let mut add = json!({
        "path": path(number), "partitionValues": values, "size": size,
        "modificationTime": 1_700_000_000_000_i64 + i64::try_from(size).unwrap(), "dataChange": true,
    });
    if random.below(4) > 0 {
        let time = format!("{day}T10:00:00.000001Z");
        let stats = json!({
            "numRecords": size, "minValues": {"time": time, "verb": "create"},
            "maxValues": {"time": time, "verb": "watch"}, "nullCount": {"verb": 0},
        });
        add["stats"] = stats.to_string().into();
    }
    json!({ "add": add })
}

fn path(number: usize) -> String {
    format!("cluster=a%20b%25/part-{number:04}.zstd.parquet")
}

fn state(snapshot: &Snapshot) -> State {
    let files = snapshot.files().unwrap().iter().map(|file| {
        let rows = file.stats.as_ref().and_then(|stats| stats.num_records);
        (file.path.clone(), (file.size, file.modified, file.partition_values.clone(), rows))
    });
    let state: State = files.collect();
    assert_eq!(state.len(), snapshot.file_count(), "a file is there twice");
    assert_eq!(snapshot.bytes(), state.values().map(|(size, ..)| size).sum::<u64>());
    state
}

async fn library(lake: &Path, version: Option<u64>) -> DeltaTable {
    let url = Url::from_directory_path(lake.join("events")).unwrap();
    let mut table = DeltaTable::try_from_url(url).await.unwrap();
    if let Some(version) = version {
        table.load_version(version).await.unwrap();
    }
    table
}

async fn library_state(lake: &Path, version: Option<u64>) -> State {
    let table = library(lake, version).await;
    let log = table.snapshot().unwrap().log_data();
    let files = log.iter().map(|file| {
        let mut values = file.partition_values_map();
        let values = ["cluster", "date", "activity"].map(|column| values.remove(column).flatten());
        let values = values.into_iter().map(|value| value.filter(|text| !text.is_empty()));
        let rows = file.stats().map(|stats| serde_json::from_str::<Value>(&stats).unwrap());
        let rows = rows.and_then(|stats| stats["numRecords"].as_u64());
        let size = u64::try_from(file.size()).unwrap();
        (file.path().into_owned(), (size, file.modification_time(), values.collect(), rows))
    });
    files.collect()
}

/// Appends random versions to the log: files are added, removed, added again, and checkpoints are written.
async fn extend(lake: &Path, versions: std::ops::Range<u64>, random: &mut Random) {
    for version in versions {
        let mut actions = vec![json!({"commitInfo": {"operation": "WRITE"}})];
        let mut numbers: Vec<usize> = (0..random.below(6)).map(|_| random.below(40)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        for number in numbers {
            actions.push(if random.below(3) == 0 {
                json!({"remove": {
                    "path": path(number), "deletionTimestamp": 1_700_000_000_000_i64, "dataChange": false,
                }})
            } else {
                add(number, random.below(1000) + 1, random)
            });
        }
        write_entry(lake, version, &actions);
        if random.below(8) == 0 {
            create_checkpoint(&library(lake, Some(version)).await, None).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_logs_have_the_state_that_the_library_reads() {
    let mut checkpoints = 0;
    for seed in 0..3 {
        let mut random = Random(seed);
        let (dir, _) = lake().await;
        checkpoint_often(dir.path());
        let long_open = Lake::open(dir.path()).unwrap();
        for round in 0..4 {
            extend(dir.path(), round * 8 + 1..round * 8 + 9, &mut random).await;
            if seed == 0 {
                // Written here, read by both below.
                long_open.events().await.unwrap();
                long_open.checkpoint().await;
                let name = format!("{:020}.checkpoint.parquet", round * 8 + 8);
                checkpoints += usize::from(log(dir.path()).join(name).exists());
            }
            let expected = library_state(dir.path(), None).await;
            // One follows the log entry by entry, the other reads it from a checkpoint.
            assert_eq!(state(&long_open.events().await.unwrap()), expected, "{seed} {round}");
            let opened = Lake::open(dir.path()).unwrap();
            assert_eq!(state(&opened.events().await.unwrap()), expected, "{seed} {round}");
            let old = u64::try_from(random.below(usize::try_from(round * 8 + 9).unwrap())).unwrap();
            let expected = library_state(dir.path(), Some(old)).await;
            let snapshot = opened.events_at(old.cast_signed()).await.unwrap();
            assert_eq!(state(&snapshot), expected, "{seed} {round} at {old}");
        }
    }
    assert!(checkpoints > 0);
}

/// Writes some rows of the checkpoint, of some of its columns, to another file.
fn copy_rows(from: &Path, to: &Path, columns: &[&str], part: usize, parts: usize) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(from).unwrap()).unwrap();
    let rows = reader.metadata().file_metadata().num_rows();
    let rows = usize::try_from(rows).unwrap();
    let batch = reader.with_batch_size(rows).build().unwrap().next().unwrap().unwrap();
    let schema = batch.schema();
    let indices: Vec<usize> = (0..batch.num_columns())
        .filter(|index| {
            columns.is_empty() || columns.contains(&schema.field(*index).name().as_str())
        })
        .collect();
    let batch = batch.project(&indices).unwrap();
    let (start, end) = (rows * part / parts, rows * (part + 1) / parts);
    let batch = batch.slice(start, end - start);
    let mut writer = ArrowWriter::try_new(File::create(to).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_may_have_several_files() {
    let (dir, _) = lake().await;
    let mut random = Random(7);
    extend(dir.path(), 1..30, &mut random).await;
    create_checkpoint(&library(dir.path(), None).await, None).await.unwrap();
    let expected = library_state(dir.path(), None).await;
    let log = log(dir.path());
    let whole = log.join(format!("{:020}.checkpoint.parquet", 29));
    let read = async || Lake::open(dir.path()).unwrap().events().await;

    for part in 0..3 {
        let name = format!("{:020}.checkpoint.{:010}.{:010}.parquet", 29, part + 1, 3);
        copy_rows(&whole, &log.join(name), &[], part, 3);
    }
    let moved = dir.path().join("whole");
    std::fs::rename(&whole, &moved).unwrap();
    let entries: Vec<PathBuf> =
        (0..30).map(|version| log.join(format!("{version:020}.json"))).collect();
    let first = std::fs::read(&entries[0]).unwrap();
    entries[..29].iter().for_each(|entry| std::fs::remove_file(entry).unwrap());
    assert_eq!(state(&read().await.unwrap()), expected, "three parts");
    let second = log.join(format!("{:020}.checkpoint.{:010}.{:010}.parquet", 29, 2, 3));
    std::fs::remove_file(second).unwrap();
    let error = read().await.unwrap_err();
    assert!(matches!(error, LakeError::Damaged { .. }), "{error}");

    // A V2 checkpoint: the main part names a sidecar.
    std::fs::create_dir(log.join("_sidecars")).unwrap();
    copy_rows(&moved, &log.join("_sidecars/files.parquet"), &["add"], 0, 1);
    let made = String::from_utf8(first).unwrap();
    let described = made.lines().filter(|line| !line.contains("commitInfo")).collect::<Vec<_>>();
    let sidecar =
        json!({"sidecar": {"path": "files.parquet", "sizeInBytes": 1, "modificationTime": 0}});
    let main = format!("{}\n{sidecar}\n", described.join("\n"));
    std::fs::write(log.join(format!("{:020}.checkpoint.80a083e8.json", 29)), main).unwrap();
    assert_eq!(state(&read().await.unwrap()), expected, "a sidecar");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_has_what_the_entries_before_it_have() {
    let (dir, lake) = lake().await;
    checkpoint_often(dir.path());
    drop(lake);
    let lake = Lake::open(dir.path()).unwrap();
    for id in 0..3 {
        lake.append_events(vec![batch([event(id, 0, "read")])]).await.unwrap();
    }
    let now = chrono::Utc::now().timestamp_millis();
    let remove = |number, at: i64| {
        let values = json!({"cluster": "a b%", "date": null, "activity": "read"});
        json!({"remove": {
            "path": path(number), "deletionTimestamp": at, "dataChange": false, "extendedFileMetadata": true,
            "partitionValues": values, "size": 7,
        }})
    };
    let mut random = Random(5);
    let txn = json!({"txn": {"appId": "other", "version": 7, "lastUpdated": now}});
    let added = [add(1, 9, &mut random), add(2, 9, &mut random), add(3, 9, &mut random)];
    write_entry(dir.path(), 4, &[&[txn][..], &added[..]].concat());
    let removed = [remove(1, now), remove(2, 1_700_000_000_000), remove(3, now)];
    write_entry(dir.path(), 5, &removed);
    write_entry(dir.path(), 6, &[add(3, 9, &mut random)]);

    let expected = library_state(dir.path(), None).await;
    let columns = library(dir.path(), None).await.snapshot().unwrap().schema();
    for version in [6, 12] {
        lake.events().await.unwrap();
        lake.checkpoint().await;
        let checkpoint = log(dir.path()).join(format!("{version:020}.checkpoint.parquet"));
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&checkpoint).unwrap());
        let batches: Vec<_> = reader.unwrap().build().unwrap().map(Result::unwrap).collect();
        // Expired, or part of the table again: not recorded.
        let mut texts = Vec::new();
        for batch in &batches {
            let removed = batch.column_by_name("remove").unwrap();
            let rows = (0..batch.num_rows()).filter(|row| removed.is_valid(*row));
            texts.extend(rows.map(|row| array_value_to_string(removed, row).unwrap()));
        }
        assert_eq!(texts.len(), 1, "{texts:?}");
        assert!(texts[0].contains("part-0001") && texts[0].contains("size: 7"), "{texts:?}");
        // The entries before it are not needed.
        for entry in 0..version {
            let entry = log(dir.path()).join(format!("{entry:020}.json"));
            let _ = std::fs::remove_file(entry);
        }
        assert_eq!(state(&Lake::open(dir.path()).unwrap().events().await.unwrap()), expected);
        assert_eq!(library_state(dir.path(), None).await, expected);
        let table = library(dir.path(), None).await;
        assert_eq!(table.snapshot().unwrap().schema(), columns);
        let log = table.log_store();
        let number = table.snapshot().unwrap().transaction_version(log.as_ref(), "other").await;
        assert_eq!(number.unwrap(), Some(7));
        // The second checkpoint takes over what the first has.
        for entry in version + 1..version + 7 {
            write_entry(dir.path(), entry, &[json!({"commitInfo": {"operation": "WRITE"}})]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_reads_statistics_of_its_partitions_only() {
    let (dir, _) = lake().await;
    let mut random = Random(3);
    let mut good = add(1, 10, &mut random);
    good["add"]["partitionValues"]["date"] = "2026-01-01".into();
    let mut bad = add(2, 10, &mut random);
    bad["add"]["partitionValues"]["date"] = "2026-01-02".into();
    bad["add"]["stats"] = "junk".into();
    write_entry(dir.path(), 1, &[json!({"commitInfo": {}}), good, bad]);
    let snapshot = Lake::open(dir.path()).unwrap().events().await.unwrap();
    assert_eq!(snapshot.file_count(), 2);
    let plan = |day: &str| format!("SELECT verb FROM t WHERE date = '{day}'");
    assert_eq!(crate::support::planned_files(&snapshot, &plan("2026-01-01")).await, 1);
    // Never ignored where they count.
    let error = snapshot.files().unwrap_err();
    assert!(error.to_string().contains("part-0002"), "{error}");
    assert!(snapshot.num_rows().is_err());
}
