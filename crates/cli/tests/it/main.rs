//! Tests of the real binary.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::unnecessary_wraps,
    clippy::unwrap_used,
    reason = "tests fail by panicking, and read best with plain values"
)]

mod bad_input;
mod bucket;
#[cfg(all(feature = "cluster", target_os = "linux"))]
mod cluster;
mod config;
mod deploy;
mod detect;
mod detections;
mod docs;
mod export;
mod findings;
mod health;
mod hunt;
mod incidents;
mod indicators;
mod ingest;
mod kill;
mod lake;
#[cfg(unix)]
mod pages;
mod quarantine;
mod readme;
#[cfg(target_os = "linux")]
mod repl;
mod report;
mod scope;
mod sql;
mod status;
mod stress;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The result of one call of the binary.
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    fn of(output: std::process::Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Standard output as JSON lines.
    fn jsonl(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Standard output as one JSON value.
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    #[track_caller]
    fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "exit {}\n{}\n{}", self.code, self.stdout, self.stderr)
    }
}

fn command<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_podtrail"));
    command.args(arguments);
    without_settings(&mut command);
    command
}

/// Runs a command without the settings of the user who runs the tests.
fn without_settings(command: &mut Command) {
    command.env_remove("RUST_LOG");
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("PODTRAIL_") {
            command.env_remove(variable);
        }
    }
    command.env("XDG_CONFIG_HOME", "/nowhere");
}

/// `podtrail ingest --follow`, which does not outlive the test.
struct Following(Child);

impl Following {
    fn start(log: &str, every: &str, lake: &str) -> Self {
        let mut follow = command(["ingest", "--follow", "--every", every, log, "--lake", lake]);
        Self(follow.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Sends a signal, after which the process must end normally.
    fn end(mut self, signal: &str) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        assert!(self.0.wait().unwrap().success(), "{signal}");
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // The process has already ended, unless the test failed.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn podtrail<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Run {
    Run::of(command(arguments).output().unwrap())
}

/// The sample log of the README.
fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/intrusion")
}

/// Returns whether this build accepts a command line: `worker` and `--engine` need the feature `cluster`.
fn is_in_this_build<'a>(arguments: impl IntoIterator<Item = &'a str>) -> bool {
    let needs_cluster = |argument: &str| argument == "worker" || argument.starts_with("--engine");
    cfg!(feature = "cluster") || !arguments.into_iter().any(needs_cluster)
}

/// An empty directory and, inside it, the path of a lake that does not exist yet.
fn scratch() -> (TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let lake = dir.path().join("lake").display().to_string();
    (dir, lake)
}

/// A complete event: `alice` creates a privileged pod called `name` at `time`.
fn privileged_pod(name: &str, time: &str) -> String {
    serde_json::json!({
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Request",
        "auditID": format!("audit-{name}"),
        "stage": "ResponseComplete",
        "requestURI": "/api/v1/namespaces/web/pods",
        "verb": "create",
        "user": {"username": "alice"},
        "sourceIPs": ["10.0.0.7"],
        "userAgent": "kubectl",
        "objectRef": {"resource": "pods", "namespace": "web", "name": name, "apiVersion": "v1"},
        "responseStatus": {"metadata": {}, "code": 201},
        "requestObject": {"spec": {"containers": [
            {"name": "c", "image": "nginx", "securityContext": {"privileged": true}},
        ]}},
        "requestReceivedTimestamp": time,
        "stageTimestamp": time,
        "annotations": {"authorization.k8s.io/decision": "allow"},
    })
    .to_string()
}
