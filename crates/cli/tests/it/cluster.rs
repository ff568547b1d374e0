//! Queries on worker processes: the real binary on both sides.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::{Run, command, podtrail, sample, scratch, without_settings};

/// A query that never ends.
const ENDLESS: &str = "SELECT count(*) FROM stages a, stages b, stages c WHERE a.username < b.username AND b.name < c.name";

/// `podtrail worker`, which does not outlive the test.
pub(crate) struct Worker {
    child: Child,
    address: String,
}

impl Worker {
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::spawn(command([&["worker", "--listen", "127.0.0.1:0"], options].concat()))
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { child, address: address.trim().to_owned() }
    }

    /// The value of `--engine` for these workers.
    pub(crate) fn engine(workers: &[Self]) -> String {
        let addresses: Vec<_> = workers.iter().map(|worker| worker.address.as_str()).collect();
        format!("workers={}", addresses.join(","))
    }

    /// Processor time that it has used, in clock ticks.
    fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    /// Waits until it works, or no longer works.
    fn wait_until(workers: &[Self], is_working: bool) {
        let started = Instant::now();
        loop {
            let ticks = || workers.iter().map(Self::ticks).sum::<u64>();
            let before = ticks();
            sleep(Duration::from_millis(500));
            if (ticks() - before > 4) == is_working {
                return;
            }
            assert!(started.elapsed() < Duration::from_mins(1), "working: {}", !is_working);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn workers() -> [Worker; 2] {
    [Worker::start(&[]), Worker::start(&[])]
}

/// A lake with the sample log, in several files.
fn lake() -> (tempfile::TempDir, String) {
    let (dir, lake) = scratch();
    for entry in std::fs::read_dir(sample()).unwrap() {
        let log = entry.unwrap().path().display().to_string();
        podtrail(["ingest", &log, "--lake", &lake]).expect(0);
    }
    (dir, lake)
}

fn sorted(run: &Run) -> Vec<&str> {
    let mut lines: Vec<_> = run.stdout.lines().collect();
    lines.sort_unstable();
    lines
}

fn signal(child: &Child, signal: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
}

#[test]
fn sql_hunt_and_detect_return_the_same_on_workers() {
    let (dir, lake) = lake();
    let workers = workers();
    let engine = Worker::engine(&workers);
    let on_workers = ["--engine", &engine, "--engine-partition", "1", "--engine-strict"];

    let sql = ["sql", "--lake", &lake, "--format", "jsonl", "-c", "SELECT * FROM workloads"];
    let local = podtrail(sql).expect(0);
    let remote = podtrail(sql.iter().chain(&on_workers).chain(&["--verbose"])).expect(0);
    assert!(remote.stderr.contains("the query runs on workers"), "{remote}");
    assert!(local.stdout.lines().count() > 5);
    assert_eq!(sorted(&local), sorted(&remote));

    let explain =
        ["sql", "--lake", &lake, "-c", "EXPLAIN SELECT verb, count(*) FROM stages GROUP BY verb"];
    let explained = podtrail(explain.iter().chain(&on_workers)).expect(0);
    assert!(explained.stdout.contains("Stage 1"), "{explained}");

    let hunt = ["hunt", "--lake", &lake, "--format", "jsonl"];
    let local = podtrail(hunt).expect(0);
    let remote = podtrail(hunt.iter().chain(&on_workers[..4])).expect(0);
    assert!(remote.stderr.contains("queries on workers: "), "{remote}");
    assert!(!remote.stderr.contains("queries on workers: 0"), "{remote}");
    assert!(!local.stdout.is_empty());
    assert_eq!(sorted(&local), sorted(&remote));

    let copy = dir.path().join("copy").display().to_string();
    assert!(Command::new("cp").args(["-r", &lake, &copy]).status().unwrap().success());
    let found = |lake: &str, options: &[&str]| {
        let detect = ["detect", "--lake", lake, "--format", "jsonl"];
        let run = podtrail(detect.iter().chain(options)).expect(0);
        let mut ids: Vec<_> = run.jsonl().iter().map(|row| row["finding_id"].to_string()).collect();
        ids.sort();
        ids
    };
    let local = found(&lake, &[]);
    assert!(!local.is_empty());
    assert_eq!(local, found(&copy, &on_workers[..4]));
}

#[test]
fn a_dead_worker_is_reported_and_fails_a_strict_query() {
    let (_dir, lake) = lake();
    let mut dead = Worker::start(&[]);
    dead.child.kill().unwrap();
    dead.child.wait().unwrap();
    let engine = Worker::engine(&[dead]);
    let sql = [
        "sql",
        "--lake",
        &lake,
        "--format",
        "json",
        "-c",
        "SELECT count(DISTINCT verb) AS n FROM stages",
    ];
    let on_workers = ["--engine", &engine, "--engine-partition", "1"];
    let run = podtrail(sql.iter().chain(&on_workers)).expect(0);
    assert!(
        run.stderr.contains("warning: the query runs in this process: no worker can be used"),
        "{run}"
    );
    assert!(run.json()[0]["n"].as_u64().unwrap() > 1);
    let run = podtrail(sql.iter().chain(&on_workers).chain(&["--engine-strict"])).expect(4);
    assert!(
        run.stderr.contains("without --engine-strict it runs in this process")
            && run.stdout.is_empty(),
        "{run}"
    );
}

#[test]
fn a_worker_of_another_build_is_refused() {
    let (dir, lake) = lake();
    // The same program, but for one byte after its end.
    let other = dir.path().join("podtrail");
    let mut program = Vec::new();
    std::fs::File::open(env!("CARGO_BIN_EXE_podtrail")).unwrap().read_to_end(&mut program).unwrap();
    program.push(0);
    std::fs::File::create(&other).unwrap().write_all(&program).unwrap();
    std::fs::set_permissions(&other, PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = Command::new(&other);
    command.args(["worker", "--listen", "127.0.0.1:0"]);
    without_settings(&mut command);
    let workers = [Worker::spawn(command)];
    let engine = Worker::engine(&workers);
    let run = podtrail([
        "sql",
        "--lake",
        &lake,
        "-c",
        "SELECT count(DISTINCT verb) FROM stages",
        "--engine",
        &engine,
        "--engine-partition",
        "1",
        "--engine-strict",
    ]);
    let run = run.expect(4);
    assert!(run.stderr.contains("another build"), "{run}");
}

#[test]
fn workers_are_free_after_ctrl_c_and_after_a_coordinator_that_is_gone() {
    let (_dir, lake) = lake();
    let workers = workers();
    let engine = Worker::engine(&workers);
    for end in ["-INT", "-KILL"] {
        let mut query = command([
            "sql",
            "--lake",
            &lake,
            "-c",
            ENDLESS,
            "--engine",
            &engine,
            "--engine-partition",
            "1",
            "--engine-strict",
        ]);
        let mut query = query.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Worker::wait_until(&workers, true);
        signal(&query, end);
        query.wait().unwrap();
        Worker::wait_until(&workers, false);
    }
}

#[test]
fn a_worker_ends_on_sigterm_and_rejects_wrong_usage() {
    let mut worker = Worker::start(&["--memory", "256MiB"]);
    signal(&worker.child, "-TERM");
    assert!(worker.child.wait().unwrap().success());

    let run = podtrail(["worker", "--listen", "0.0.0.0:0"]).expect(4);
    assert!(run.stderr.contains("TLS and a token are required"), "{run}");
    let run = podtrail(["worker", "--listen", "127.0.0.1:0", "--token-file", "/nowhere"]).expect(2);
    assert!(run.stderr.contains("cannot read /nowhere"), "{run}");
    for engine in ["workers=", "workers=host", "ballista"] {
        podtrail(["sql", "--lake", "/nowhere", "-c", "SELECT 1", "--engine", engine]).expect(2);
    }
    let (_dir, lake) = scratch();
    podtrail(["ingest", &sample().display().to_string(), "--lake", &lake]).expect(0);
    let sql = [
        "sql",
        "--lake",
        &lake,
        "-c",
        "SELECT count(DISTINCT verb) FROM stages",
        "--engine",
        "workers=10.255.0.1:7300",
    ];
    let run = podtrail(sql.iter().chain(&["--engine-strict"])).expect(4);
    assert!(run.stderr.contains("TLS and a token are required"), "{run}");
}

#[test]
fn tls_and_a_token_protect_workers() {
    let (dir, lake) = lake();
    let certificates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cluster/tests/tls");
    let file = |name: &str| certificates.join(name).display().to_string();
    let token = dir.path().join("token");
    std::fs::write(&token, "a-token-of-the-tests\n").unwrap();
    let token = token.display().to_string();
    let (authority, certificate, key) =
        (file("authority.pem"), file("worker.pem"), file("worker.key"));
    let secrets = [
        "--token-file",
        &token,
        "--tls-ca",
        &authority,
        "--tls-cert",
        &certificate,
        "--tls-key",
        &key,
    ];
    let workers =
        [1, 2].map(|_| Worker::start(&[&secrets[..], &["--tls-client-certificates"]].concat()));
    let engine = Worker::engine(&workers);
    let sql = [
        "sql",
        "--lake",
        &lake,
        "--format",
        "json",
        "-c",
        "SELECT count(DISTINCT verb) AS n FROM stages",
        "--engine",
        &engine,
        "--engine-partition",
        "1",
        "--engine-strict",
        "--verbose",
    ];
    let run = podtrail(sql.iter().chain(&secrets)).expect(0);
    assert!(run.stderr.contains("the query runs on workers"), "{run}");
    // Without a certificate of its own.
    podtrail(sql.iter().chain(&secrets[..4])).expect(4);
    podtrail(sql.iter().chain(&secrets[2..])).expect(4);
    podtrail(sql).expect(4);
}
