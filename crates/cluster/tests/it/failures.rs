//! Workers that die, stop or never existed: a query returns all its rows, or an error.

use std::time::{Duration, Instant};

use podtrail_query::{Parameters, Scope};

use crate::support::{TestCluster, WorkerProcess, assert_same, rows, run, session};

const SQL: &str = "SELECT a.event_id, a.cluster, count(*) FROM stages a
    JOIN (SELECT DISTINCT username, verb FROM stages) b ON a.username = b.username GROUP BY 1, 2";

/// More than the time in which the keepalive of connections ends a query on workers that no longer answer.
const LIMIT: Duration = Duration::from_mins(2);

#[test]
#[ignore = "kill and wait: .ci/run includes it; cargo test --workspace -- --ignored"]
fn killed_workers_lose_no_row() {
    const ROUNDS: u32 = 8;
    run(|| async {
        let local = session(Scope::default(), 2);
        let none = Parameters::default();
        let expected = rows(&local, SQL, &none).await.unwrap();
        let survivor = WorkerProcess::start();
        let (mut complete, mut failed) = (0, 0);
        for round in 0..ROUNDS {
            let mut victim = WorkerProcess::start();
            let cluster = TestCluster::of(&[&survivor, &victim]);
            let remote = cluster.session(&local);
            let query =
                tokio::spawn(async move { rows(&remote, SQL, &Parameters::default()).await });
            tokio::time::sleep(Duration::from_millis(u64::from(round) * 150)).await;
            victim.kill();
            match tokio::time::timeout(LIMIT, query).await.unwrap().unwrap() {
                Ok(given) => {
                    assert_same(&expected, &given, "killed");
                    complete += 1;
                }
                Err(error) => {
                    println!("round {round}: {error}");
                    failed += 1;
                }
            }
        }
        println!("{complete} complete, {failed} failed");
    });
}

#[test]
#[ignore = "kill and wait: .ci/run includes it; cargo test --workspace -- --ignored"]
fn a_stopped_worker_does_not_hold_a_query() {
    run(|| async {
        let local = session(Scope::default(), 2);
        let workers = [WorkerProcess::start(), WorkerProcess::start()];
        let cluster = TestCluster::of(&[&workers[0], &workers[1]]);
        let remote = cluster.session(&local);
        let none = Parameters::default();
        let expected = rows(&remote, SQL, &none).await.unwrap();
        assert_eq!(cluster.engine.tally().distributed, 1, "{:?}", cluster.warnings());
        // The cluster still counts both workers as usable.
        workers[1].signal("-STOP");
        let started = Instant::now();
        let given = tokio::time::timeout(LIMIT, rows(&remote, SQL, &none)).await.unwrap();
        println!("{:?} after the stop: {:?}", started.elapsed(), cluster.warnings());
        assert_eq!(expected, given.unwrap());
        let warnings = cluster.warnings();
        assert!(warnings.iter().any(|warning| warning.contains("does not answer")), "{warnings:?}");
        workers[1].signal("-CONT");
    });
}

#[test]
fn a_dead_address_is_left_out() {
    run(|| async {
        let local = session(Scope::default(), 2);
        let none = Parameters::default();
        let expected = rows(&local, SQL, &none).await.unwrap();
        let worker = WorkerProcess::start();
        let mut dead = WorkerProcess::start();
        dead.kill();

        let cluster = TestCluster::of(&[&worker, &dead]);
        assert_eq!(expected, rows(&cluster.session(&local), SQL, &none).await.unwrap());
        assert_eq!(cluster.engine.tally().distributed, 1);
        assert!(cluster.warnings()[0].contains(&dead.address), "{:?}", cluster.warnings());

        let cluster = TestCluster::of(&[&dead]);
        assert_eq!(expected, rows(&cluster.session(&local), SQL, &none).await.unwrap());
        assert_eq!(cluster.engine.tally().fallen_back, 1);
        let strict = TestCluster::new(&[&dead], |options| options.strict = true);
        let error = rows(&strict.session(&local), SQL, &none).await.unwrap_err().to_string();
        assert!(error.contains("no worker can be used"), "{error}");
    });
}

#[test]
fn workers_are_read_from_a_file_and_a_name() {
    run(|| async {
        let worker = WorkerProcess::start();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("workers");
        std::fs::write(&file, format!("# workers\n{} # the first\n\n", worker.address)).unwrap();
        let port = worker.address.rsplit_once(':').unwrap().1;
        for text in [format!("file:{}", file.display()), format!("dns:localhost:{port}")] {
            let workers = text.parse().unwrap();
            let cluster = TestCluster::new(&[], |options| options.workers = workers);
            let remote = cluster.session(&session(Scope::default(), 2));
            rows(&remote, SQL, &Parameters::default()).await.unwrap();
            assert_eq!(cluster.engine.tally().distributed, 1, "{text}: {:?}", cluster.warnings());
        }
    });
}
