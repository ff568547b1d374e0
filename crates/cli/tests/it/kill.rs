//! After a kill at any moment, the next run produces the same table as an uninterrupted one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::{command, podtrail, privileged_pod, scratch};

const ROUNDS: usize = 15;

/// The size of a commit of about three hundred events.
const MEMORY: &str = "512KiB";

/// Returns `count` events of two days and two kinds, with occasional lines that are not events.
fn write_log(path: &Path, numbers: std::ops::Range<usize>) {
    let lines = numbers.map(|number| {
        let (day, second) = (20 + number % 2, number % 60);
        let time = format!("2026-11-{day}T10:00:{second:02}.000000Z");
        let event = privileged_pod(&format!("pod-{number}"), &time);
        match number % 100 {
            7 => format!("damaged {number}\n"),
            n if n % 3 == 0 => event.replace("\"create\"", "\"get\"") + "\n",
            _ => event + "\n",
        }
    });
    std::fs::write(path, lines.collect::<String>()).unwrap();
}

fn ingest(log: &Path, lake: &str) -> std::process::Command {
    let log = log.display().to_string();
    let mut command = command(["ingest", &log, "--lake", lake, "--memory", MEMORY, "--json"]);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    command
}

/// Returns the contents of a lake as numbers that any lost, repeated or changed row would change.
fn contents(lake: &str) -> Value {
    const SQL: &str = "
        SELECT count(*) AS rows, count(DISTINCT event_id) AS events, count(DISTINCT name) AS names,
            sum(source_offset) AS offsets, sum(length(request_object)) AS bodies,
            (SELECT count(*) FROM quarantine) AS quarantined,
            (SELECT sum(source_line) FROM quarantine) AS quarantined_lines
        FROM stages";
    podtrail(["sql", "--lake", lake, "--format", "json", "-c", SQL]).expect(0).json()
}

/// Returns the data files of a table on disk, and those that its log references.
fn files(lake: &str, table: &str) -> (BTreeSet<PathBuf>, BTreeSet<PathBuf>) {
    fn walk(directory: &Path, files: &mut BTreeSet<PathBuf>) {
        for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                walk(&entry.path(), files);
            } else if !entry.file_name().to_string_lossy().starts_with('.') {
                files.insert(entry.path());
            }
        }
    }
    let root = Path::new(lake).join(table);
    let mut all = BTreeSet::new();
    walk(&root, &mut all);
    let log = root.join("_delta_log");
    let (log, data): (BTreeSet<_>, _) = all.into_iter().partition(|path| path.starts_with(&log));
    let mut named = BTreeSet::new();
    for entry in log {
        let name = entry.file_name().unwrap().to_str().unwrap();
        let extension = entry.extension().unwrap_or_default();
        assert!(!name.contains('#') && extension != "tmp", "left in the log: {name}");
        if extension != "json" {
            continue;
        }
        for line in std::fs::read_to_string(&entry).unwrap().lines() {
            let action: Value = serde_json::from_str(line).unwrap();
            named.extend(action["add"]["path"].as_str().map(|path| root.join(path)));
        }
    }
    (data, named)
}

/// A random number generator (xorshift): the same seed gives the same numbers.
pub(crate) struct Random(u64);

impl Random {
    /// Returns a generator seeded by `PODTRAIL_SEED` or the clock, and the seed, which failing tests print.
    pub(crate) fn seeded() -> (Self, u64) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let seed = match std::env::var("PODTRAIL_SEED") {
            Ok(seed) => seed.parse().unwrap(),
            Err(_) => u64::from(now.subsec_nanos()) | 1,
        };
        (Self(seed), seed)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, limit: Duration) -> Duration {
        let per_mille = u32::try_from(self.number() % 1000).unwrap();
        limit * per_mille / 1000
    }
}

#[test]
#[ignore = "kill loop: .ci/run includes it; cargo test --workspace -- --ignored"]
fn a_killed_run_can_be_repeated() {
    let (mut random, seed) = Random::seeded();
    let (dir, undisturbed) = scratch();
    let log = dir.path().join("audit.log");
    write_log(&log, 0..600);
    let started = Instant::now();
    assert_eq!(ingest(&log, &undisturbed).status().unwrap().code(), Some(3));
    let whole_run = started.elapsed();

    let killed_often = dir.path().join("killed").display().to_string();
    let mut kills = 0;
    for _ in 0..ROUNDS {
        let mut run = ingest(&log, &killed_often).spawn().unwrap();
        std::thread::sleep(random.below(whole_run));
        kills += usize::from(run.try_wait().unwrap().is_none());
        run.kill().unwrap();
        run.wait().unwrap();
    }
    assert_ne!(kills, 0, "seed {seed}");
    let last = ingest(&log, &killed_often).status().unwrap();
    assert_eq!(last.code(), Some(3), "seed {seed}");
    assert_eq!(contents(&killed_often), contents(&undisturbed), "seed {seed}");

    let vacuum = ["lake", "vacuum", "--lake", &killed_often, "--older-than", "0s"];
    let vacuumed = podtrail(vacuum).expect(0);
    for table in ["events", "quarantine"] {
        let (data, named) = files(&killed_often, table);
        assert_eq!(data, named, "seed {seed}: {vacuumed}");
    }
    assert_eq!(contents(&killed_often), contents(&undisturbed), "seed {seed}");
}

#[test]
fn two_concurrent_runs_both_commit() {
    let (dir, lake) = scratch();
    let (one, two) = (dir.path().join("one.log"), dir.path().join("two.log"));
    write_log(&one, 0..400);
    write_log(&two, 200..600);
    let mut runs = [ingest(&one, &lake).spawn().unwrap(), ingest(&two, &lake).spawn().unwrap()];
    for run in &mut runs {
        assert_eq!(run.wait().unwrap().code(), Some(3));
    }
    let contents = contents(&lake);
    for (column, expected) in [("rows", 594), ("events", 594), ("names", 594), ("quarantined", 6)] {
        assert_eq!(contents[0][column], expected, "{contents}");
    }
}
