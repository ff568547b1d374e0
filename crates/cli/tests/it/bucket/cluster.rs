//! Workers that read a lake in an object store.

use super::{Reach, Server};
use crate::cluster::Worker;
use crate::{sample, scratch};

#[test]
#[ignore = "needs moto_server, which .ci/run installs"]
fn workers_read_a_lake_in_s3() {
    let server = Server::s3();
    let reach = Reach::s3(server.port);
    let lake = reach.url("lake");
    let log = sample().display().to_string();
    reach.run(&["ingest", &log, "--lake", &lake]).expect(0);
    let workers =
        [1, 2].map(|_| Worker::spawn(reach.command(&["worker", "--listen", "127.0.0.1:0"])));
    let engine = Worker::engine(&workers);
    // Queries of history are planned in parts, of which the last reads little.
    for (sql, on_workers) in [
        ("SELECT verb, count(*) AS n FROM stages GROUP BY verb ORDER BY verb", true),
        ("SELECT * FROM workloads ORDER BY event_id", true),
        ("SELECT * FROM changes ORDER BY event_id", false),
        ("SELECT * FROM grants", false),
    ] {
        let local = reach.run(&["sql", "--lake", &lake, "--format", "jsonl", "-c", sql]).expect(0);
        let remote = reach.run(&[
            "sql",
            "--lake",
            &lake,
            "--format",
            "jsonl",
            "-c",
            sql,
            "--engine",
            &engine,
            "--engine-partition",
            "1",
            "--engine-strict",
            "--verbose",
        ]);
        let remote = remote.expect(0);
        let is_remote = remote.stderr.contains("the query runs on workers");
        assert!(is_remote || !on_workers, "{sql}: {}", remote.stderr);
        let sorted = |text: &str| {
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&local.stdout), sorted(&remote.stdout), "{sql}");
    }
    // A worker without credentials reports that it cannot read; the query then runs where they are.
    let (_dir, _) = scratch();
    let bare = [Worker::start(&[])];
    let engine = Worker::engine(&bare);
    let sql = "SELECT count(DISTINCT username) AS n FROM stages";
    let arguments = [
        "sql",
        "--lake",
        &lake,
        "--format",
        "json",
        "-c",
        sql,
        "--engine",
        &engine,
        "--engine-partition",
        "1",
    ];
    let fallen_back = reach.run(&arguments).expect(0);
    assert!(fallen_back.stderr.contains("runs in this process"), "{fallen_back}");
    reach.run(&[&arguments[..], &["--engine-strict"]].concat()).expect(4);
}
