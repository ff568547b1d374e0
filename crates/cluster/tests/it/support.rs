//! A lake of many files, worker processes, and sessions that use them.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use podtrail_cluster::{Access, Cluster, ClusterOptions, Message, Worker, WorkerOptions, Workers};
use podtrail_ingest::{Input, NoProgress, Options, ingest};
use podtrail_lake::{Lake, LakeLocation};
use podtrail_query::{LakeVersion, Limits, Parameters, QueryError, Scope, Session};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// The variables by which a test process becomes a worker: its memory in bytes, and the folder of certificates.
const MEMORY: &str = "PODTRAIL_TEST_WORKER_MEMORY";
const ACCESS: &str = "PODTRAIL_TEST_WORKER_ACCESS";

/// The stack of each thread, in bytes: plans are walked recursively.
const STACK: usize = 128 << 20;

pub(crate) fn threads() -> Runtime {
    Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build().unwrap()
}

/// Runs a test on a thread with a large stack.
pub(crate) fn run<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK);
    let thread = thread.spawn(move || threads().block_on(test())).unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Returns the lake of all tests: the sample log and the case files of the detections, in many commits. It is created where
/// `PODTRAIL_GATE_LAKE` says, if that is set.
pub(crate) fn lake() -> &'static Lake {
    static LAKE: OnceLock<(TempDir, Lake)> = OnceLock::new();
    let (_, lake) = LAKE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let location = match std::env::var("PODTRAIL_GATE_LAKE") {
            Ok(url) => LakeLocation::from(PathBuf::from(url)),
            Err(_) => LakeLocation::from(dir.path().join("lake")),
        };
        let lake = std::thread::spawn(move || fill(location)).join().unwrap();
        (dir, lake)
    });
    lake
}

fn fill(location: LakeLocation) -> Lake {
    const COMMITS: usize = 12;
    let threads = threads();
    let lake = threads.block_on(Lake::create(location)).unwrap();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(samples.join("cases"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    let mut commits = vec![("prod", vec![samples.join("intrusion")])];
    for (number, paths) in cases.chunks(cases.len().div_ceil(COMMITS)).enumerate() {
        commits.push((if number % 2 == 0 { "test" } else { "prod" }, paths.to_vec()));
    }
    for (cluster, paths) in commits {
        let options = Options { cluster: Some(cluster.to_owned()), ..Options::default() };
        let inputs: Vec<_> = paths.into_iter().map(Input::Path).collect();
        ingest(&lake, threads.handle(), &inputs, &options, &NoProgress).unwrap();
    }
    lake
}

/// Returns the folder of certificates.
pub(crate) fn certificates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls")
}

/// Returns TLS with the authority of the workers, and a token.
pub(crate) fn access(dir: &Path) -> Access {
    let certificates = certificates();
    Access::default()
        .with_token(&dir.join("token"))
        .unwrap()
        .with_authority(&certificates.join("authority.pem"))
        .unwrap()
        .with_identity(&certificates.join("worker.pem"), &certificates.join("worker.key"))
        .unwrap()
}

/// A worker process, which does not outlive the test.
pub(crate) struct WorkerProcess {
    child: Child,
    pub(crate) address: String,
}

impl WorkerProcess {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    pub(crate) fn with_memory(bytes: usize) -> Self {
        Self::with(&[(MEMORY, bytes.to_string())])
    }

    /// Starts a worker with TLS; `dir` contains the token.
    pub(crate) fn with_tls(dir: &Path) -> Self {
        Self::with(&[(ACCESS, dir.display().to_string())])
    }

    fn with(variables: &[(&str, String)]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "support::worker_process", "--ignored", "--nocapture"]);
        if variables.is_empty() {
            command.env(MEMORY, (1_usize << 30).to_string());
        }
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("the worker ended").unwrap();
            if let Some((_, address)) = line.split_once("listening on ") {
                break address.to_owned();
            }
        };
        // The rest is read, so that the worker never waits for it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A worker, if the variables are set: other tests start this test in a process of its own, because both sides must be
/// the same program.
#[test]
#[ignore = "a worker that other tests start"]
fn worker_process() {
    let memory = std::env::var(MEMORY).ok().map(|bytes| bytes.parse().unwrap());
    let dir = std::env::var(ACCESS).ok();
    if memory.is_none() && dir.is_none() {
        return;
    }
    threads().block_on(async move {
        let options = WorkerOptions {
            listen: "127.0.0.1:0".parse().unwrap(),
            memory: memory.unwrap_or(1 << 30),
            spill_dir: None,
            access: dir.map_or_else(Access::default, |dir| access(Path::new(&dir))),
            client_certificates: false,
        };
        let worker = Worker::listen(options).await.unwrap();
        println!("listening on {}", worker.address().unwrap());
        worker.serve(std::future::pending()).await.unwrap();
    });
}

/// A cluster, and what it reported.
#[derive(Clone)]
pub(crate) struct TestCluster {
    pub(crate) engine: Arc<Cluster>,
    messages: Arc<Mutex<Vec<Message>>>,
}

impl TestCluster {
    pub(crate) fn of(workers: &[&WorkerProcess]) -> Self {
        Self::new(workers, |_| {})
    }

    /// Creates a cluster whose queries are distributed even if they read little.
    pub(crate) fn new(
        workers: &[&WorkerProcess],
        change: impl FnOnce(&mut ClusterOptions),
    ) -> Self {
        let list = workers.iter().map(|worker| worker.address.clone()).collect();
        let mut options = ClusterOptions {
            workers: Workers::List(list),
            access: Access::default(),
            strict: false,
            bytes_per_partition: 1,
        };
        change(&mut options);
        let messages = Arc::<Mutex<Vec<_>>>::default();
        let sink = messages.clone();
        let engine = Cluster::new(options, move |message| sink.lock().unwrap().push(message));
        Self { engine: Arc::new(engine.unwrap()), messages }
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        let messages = self.messages.lock().unwrap();
        let warnings = messages.iter().filter_map(|message| match message {
            Message::Warning(text) => Some(text.clone()),
            Message::Note(_) => None,
        });
        warnings.collect()
    }

    /// Returns the session, with its queries on the workers.
    pub(crate) fn session(&self, local: &Session) -> Session {
        local.clone().with_engine(self.engine.clone())
    }
}

/// Returns a session over the lake of all tests.
pub(crate) fn session(scope: Scope, partitions: usize) -> Session {
    let limits = Limits { partitions: Some(partitions), ..Limits::default() };
    LakeVersion::newest(lake()).session(scope, limits).unwrap()
}

/// Returns the rows of a query, as text, in an order that does not depend on where they come from.
pub(crate) async fn rows(
    session: &Session,
    sql: &str,
    values: &Parameters,
) -> Result<Vec<String>, QueryError> {
    Ok(text(&session.query(sql, values.clone()).await?.collect().await?))
}

pub(crate) fn text(batches: &[RecordBatch]) -> Vec<String> {
    let options = FormatOptions::default().with_null("∅");
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<_> =
                columns.iter().map(|column| column.value(row).to_string()).collect();
            rows.push(cells.join("\t"));
        }
    }
    rows.sort();
    rows
}

/// Compares rows; the message contains the beginning of the first row that differs.
#[track_caller]
pub(crate) fn assert_same(expected: &[String], given: &[String], what: &str) {
    if expected == given {
        return;
    }
    let short = |row: Option<&String>| row.map(|row| row.chars().take(300).collect::<String>());
    let at = expected.iter().zip(given).take_while(|(a, b)| a == b).count();
    let (first, other) = (short(expected.get(at)), short(given.get(at)));
    panic!(
        "{what}: {} rows, not {}; row {at}: {other:?}, not {first:?}",
        given.len(),
        expected.len()
    );
}
