//! The known defects of the planner, each of which changes or fails a query without its guard.

use datafusion_distributed::Worker as PlainWorker;
use podtrail_cluster::build_version;
use podtrail_query::{Parameters, Scope};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::support::{TestCluster, WorkerProcess, assert_same, rows, run, session};

/// Compares the rows of a statement, and returns the warnings of the cluster.
async fn same(cluster: &TestCluster, partitions: usize, sql: &str) -> Vec<String> {
    let local = session(Scope::default(), partitions);
    let none = Parameters::default();
    let expected = rows(&local, sql, &none).await.unwrap();
    let given = rows(&cluster.session(&local), sql, &none).await.unwrap();
    assert!(!expected.is_empty());
    assert_same(&expected, &given, sql);
    cluster.warnings()
}

#[test]
#[ignore = "runs for long: .ci/run includes it; cargo test --workspace -- --ignored"]
fn one_partition_loses_no_row() {
    run(|| async {
        let workers = [WorkerProcess::start(), WorkerProcess::start()];
        let cluster = TestCluster::of(&[&workers[0], &workers[1]]);
        for view in ["changes", "workload_tree", "grants", "stages"] {
            same(&cluster, 1, &format!("SELECT * FROM {view}")).await;
        }
        assert!(cluster.engine.tally().distributed > 0);
    });
}

#[test]
fn windows_whose_encoding_omits_a_property_run_in_this_process() {
    run(|| async {
        let workers = [WorkerProcess::start(), WorkerProcess::start(), WorkerProcess::start()];
        let window = |function: &str, filter: &str| {
            format!(
                "SELECT event_id, {function} OVER (PARTITION BY verb ORDER BY time, event_id, cluster) AS value
                FROM stages {filter}"
            )
        };
        let cluster = TestCluster::of(&[&workers[0], &workers[1], &workers[2]]);
        for function in ["row_number()", "lag(name)"] {
            same(&cluster, 2, &window(function, "")).await;
        }
        assert_eq!(cluster.engine.tally().distributed, 2, "{:?}", cluster.warnings());
        // The order of the partitions follows from the filter, which is in another stage.
        same(&cluster, 2, &window("row_number()", "WHERE verb = 'get'")).await;

        let omitted = window("lag(namespace) IGNORE NULLS", "");
        for sql in [&omitted, &window("last_value(namespace) IGNORE NULLS", "")] {
            let cluster = TestCluster::of(&[&workers[0], &workers[1], &workers[2]]);
            let warnings = same(&cluster, 2, sql).await;
            assert!(warnings[0].contains("would read another plan"), "{warnings:?}");
        }
        let strict = TestCluster::new(&[&workers[0]], |options| options.strict = true);
        let remote = strict.session(&session(Scope::default(), 2));
        let error = rows(&remote, &omitted, &Parameters::default()).await.unwrap_err().to_string();
        assert!(error.contains("cannot run on the workers"), "{error}");
    });
}

#[test]
fn explain_shows_what_runs_on_workers_and_why_not() {
    run(|| async {
        let worker = WorkerProcess::start();
        let explain = async |cluster: &TestCluster, sql: &str| {
            let remote = cluster.session(&session(Scope::default(), 2));
            rows(&remote, sql, &Parameters::default()).await.unwrap().join("\n")
        };
        let cluster = TestCluster::of(&[&worker]);
        let text =
            explain(&cluster, "EXPLAIN SELECT verb, count(*) FROM stages GROUP BY verb").await;
        assert!(text.contains("distributed_plan") && text.contains("Stage 1"), "{text}");
        let text = explain(&cluster, "EXPLAIN SELECT 1").await;
        assert!(text.contains("it reads no file"), "{text}");
        let large = TestCluster::new(&[&worker], |options| options.bytes_per_partition = 1 << 30);
        let text = explain(&large, "EXPLAIN SELECT verb, count(*) FROM stages GROUP BY verb").await;
        assert!(text.contains("runs in this process: it reads less than"), "{text}");
        let text =
            explain(&cluster, "EXPLAIN ANALYZE SELECT verb, count(*) FROM stages GROUP BY verb")
                .await;
        assert!(text.contains("bytes_transferred"), "{text}");
    });
}

#[test]
fn a_worker_without_the_functions_changes_no_row() {
    run(|| async {
        // A worker of the library itself: it answers with the version of this build, but has none of its functions.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let worker = PlainWorker::default().with_version(build_version().unwrap());
        let serve = Server::builder()
            .add_service(worker.into_worker_server())
            .serve_with_incoming(TcpIncoming::from(listener));
        let serve = tokio::spawn(serve);
        let workers = podtrail_cluster::Workers::List(vec![address]);
        let cluster = TestCluster::new(&[], |options| options.workers = workers);
        let sql = "SELECT event_id FROM stages WHERE identity_kind(username) = 'service_account'";
        let warnings = same(&cluster, 2, sql).await;
        assert!(
            warnings.iter().any(|warning| warning.contains("runs in this process")),
            "{warnings:?}"
        );
        serve.abort();
    });
}

#[test]
#[ignore = "runs for long: .ci/run includes it; cargo test --workspace -- --ignored"]
fn little_memory_on_workers_spills_or_fails_but_loses_no_row() {
    run(|| async {
        let workers = [WorkerProcess::with_memory(24 << 20), WorkerProcess::with_memory(24 << 20)];
        let cluster = TestCluster::of(&[&workers[0], &workers[1]]);
        let sql = "SELECT * FROM stages ORDER BY time, event_id, cluster";
        let warnings = same(&cluster, 2, sql).await;
        println!("{:?} {warnings:?}", cluster.engine.tally());
    });
}
