//! The views, over events in memory.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::unnecessary_wraps,
    clippy::unwrap_used,
    reason = "tests fail by panicking, and read best with plain values"
)]

mod changes;
mod coverage;
mod functions;
mod grants;
mod identities;
mod json;
mod layers;
mod narrow;
mod patched;
mod sqllogic;
mod stages;
mod statements;
mod table_functions;
mod workload_tree;

use datafusion::arrow::array::{AsArray, RecordBatch};
use podtrail_event::{BatchBuilder, Event, Parser};
use podtrail_lake::Lake;
use podtrail_query::{Limits, QueryError, Scope, Session, VIEW_NAMES};
use serde_json::{Value, json};
use tempfile::TempDir;

const TIME: &str = "2026-11-24T10:00:00.000000Z";

/// Returns one stage of a request by `alice`.
fn stage(audit_id: &str, stage: &str, members: Value) -> String {
    let mut event = json!({
        "level": "RequestResponse",
        "auditID": audit_id,
        "stage": stage,
        "verb": "create",
        "user": {"username": "alice"},
        "objectRef": {"resource": "pods", "namespace": "web", "name": "app"},
        "requestReceivedTimestamp": TIME,
        "stageTimestamp": TIME,
    });
    for (key, value) in members.as_object().unwrap() {
        event[key] = value.clone();
    }
    event.to_string()
}

fn batch(events: &[String]) -> RecordBatch {
    let mut parser = Parser::default();
    let mut builder = BatchBuilder::default();
    for json in events {
        let event = parser.parse(json.as_bytes(), None).unwrap();
        builder.append(&Event { cluster: Some("default".into()), ..event });
    }
    builder.finish()
}

async fn session(events: &[String], scope: Scope) -> Session {
    Session::in_memory(&[batch(events)], scope, Limits::default()).unwrap()
}

/// Returns a lake of these commits.
async fn lake(commits: &[Vec<String>]) -> (TempDir, Lake) {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::create(dir.path()).await.unwrap();
    for events in commits {
        lake.append_events(vec![batch(events)]).await.unwrap();
    }
    (dir, lake)
}

/// Returns the only column of a query's rows, as strings.
async fn column(session: &Session, sql: &str) -> Vec<String> {
    strings(&session.sql(sql).await.unwrap().collect().await.unwrap())
}

fn strings(batches: &[RecordBatch]) -> Vec<String> {
    let column = |batch: &RecordBatch| {
        batch
            .column(0)
            .as_string::<i32>()
            .iter()
            .map(|v| v.unwrap_or("").to_owned())
            .collect::<Vec<_>>()
    };
    batches.iter().flat_map(column).collect()
}

#[tokio::test]
async fn a_request_is_shown_once_at_its_last_stage() {
    let events = [
        stage("whole", "RequestReceived", json!({})),
        stage("whole", "ResponseComplete", json!({})),
        stage("watch", "RequestReceived", json!({"verb": "watch"})),
        stage("watch", "ResponseStarted", json!({"verb": "watch"})),
        stage("watch", "ResponseComplete", json!({"verb": "watch"})),
        stage("refused", "ResponseStarted", json!({})),
        stage("lost", "RequestReceived", json!({})),
        stage("broken", "RequestReceived", json!({})),
        stage("broken", "Panic", json!({})),
    ];
    let shown = [
        "broken Panic",
        "lost RequestReceived",
        "refused ResponseStarted",
        "watch ResponseComplete",
        "whole ResponseComplete",
    ];
    let sql = "SELECT concat(audit_id, ' ', stage) FROM events ORDER BY 1";
    assert_eq!(column(&session(&events, Scope::default()).await, sql).await, shown);
    // For any distribution of the stages over commits, each of which sees only its own.
    for commits in 2..=4 {
        let commit = |number| -> Vec<String> {
            events.iter().skip(number).step_by(commits).cloned().collect()
        };
        let (_dir, lake) = lake(&(0..commits).map(commit).collect::<Vec<_>>()).await;
        let session = Session::open(&lake, Scope::default(), Limits::default()).unwrap();
        assert_eq!(column(&session, sql).await, shown, "{commits} commits");
    }
}

#[tokio::test]
async fn a_reused_audit_id_hides_no_request() {
    let later = json!({"requestReceivedTimestamp": "2026-11-24T10:00:01.000000Z"});
    let events = [
        stage("same", "ResponseComplete", json!({})),
        stage("same", "RequestReceived", later.clone()),
        stage("same", "ResponseComplete", later),
    ];
    let session = session(&events, Scope::default()).await;
    assert_eq!(column(&session, "SELECT audit_id FROM events").await.len(), 2);
}

#[tokio::test]
async fn every_view_can_be_read_with_and_without_history() {
    let session = session(&[stage("a", "ResponseComplete", json!({}))], Scope::default()).await;
    for view in VIEW_NAMES {
        for suffix in ["", "_history"] {
            session
                .sql(&format!("SELECT * FROM {view}{suffix}"))
                .await
                .unwrap()
                .collect()
                .await
                .unwrap();
        }
    }
}

/// The problem is found while a query is planned, and is not an error of the query.
#[tokio::test]
async fn a_damaged_lake_is_reported_as_damaged() {
    let (dir, lake) = lake(&[]).await;
    std::fs::write(dir.path().join("events/_delta_log/00000000000000000000.json"), "{").unwrap();
    let session = Session::open(&lake, Scope::default(), Limits::default()).unwrap();
    let error = session.sql("SELECT * FROM events").await.unwrap_err();
    assert!(matches!(error, QueryError::Lake(_)), "{error:?}");
}

#[tokio::test]
async fn every_table_and_column_is_documented() {
    let session = Session::empty().unwrap();
    let tables = session.tables();
    assert_eq!(tables.len(), VIEW_NAMES.len() + 6, "findings, incidents and quarantine too");
    for table in tables {
        assert!(!table.description.is_empty(), "{}", table.name);
        for column in session.columns(&table.name).await.unwrap() {
            assert!(!column.description.is_empty(), "{}.{}", table.name, column.name);
        }
    }
}

#[tokio::test]
async fn history_contains_earlier_events_of_every_identity() {
    let at = |time: &str, user: &str| {
        stage(
            &format!("{user}{time}"),
            "ResponseComplete",
            json!({
                "requestReceivedTimestamp": format!("2026-11-{time}:00:00.000000Z"),
                "user": {"username": user},
            }),
        )
    };
    let events =
        [at("22T10", "alice"), at("23T10", "bob"), at("24T10", "alice"), at("24T11", "bob")];
    let scope = Scope {
        from: Some("2026-11-24T00:00:00Z".parse().unwrap()),
        to: Some("2026-11-24T11:00:00Z".parse().unwrap()),
        identities: vec!["alice".to_owned()],
        ..Scope::default()
    };
    let session = session(&events, scope).await;
    let sql = "SELECT audit_id FROM workloads";
    assert_eq!(column(&session, sql).await, ["alice24T10"]);
    let sql = "SELECT audit_id FROM workloads_history ORDER BY time";
    assert_eq!(column(&session, sql).await, ["alice22T10", "bob23T10"]);
}

#[tokio::test]
async fn history_is_limited_by_the_look_back() {
    let at = |hour: u32| {
        let members =
            json!({"requestReceivedTimestamp": format!("2026-11-24T{hour:02}:00:00.000000Z")});
        stage(&format!("at {hour}"), "ResponseComplete", members)
    };
    let scope = Scope {
        from: Some("2026-11-24T10:00:00Z".parse().unwrap()),
        history: Some(std::time::Duration::from_hours(2)),
        ..Scope::default()
    };
    let session = session(&[at(7), at(8), at(9), at(10)], scope).await;
    let of =
        async |view| column(&session, &format!("SELECT audit_id FROM {view} ORDER BY time")).await;
    assert_eq!(of("workloads_history").await, ["at 8", "at 9"]);
    assert_eq!(of("workload_tree").await, ["at 10"]);
    assert_eq!(of("workload_tree_history").await, ["at 8", "at 9"]);
}

#[tokio::test]
async fn containers_and_volumes_are_rows() {
    let pod = json!({"requestObject": {"spec": {
        "volumes": [{"name": "v", "hostPath": {"path": "/etc/"}}],
        "initContainers": [{"name": "i", "image": "a/b:1"}],
        "containers": [{"name": "c", "image": "d", "securityContext": {"privileged": true}}],
    }}});
    let session = session(&[stage("a", "ResponseComplete", pod)], Scope::default()).await;
    let sql = "SELECT concat(role, ' ', name, ' ', repository, ' ', privileged) FROM containers ORDER BY 1";
    assert_eq!(column(&session, sql).await, ["container c library/d true", "init i a/b false"]);
    // Lists that are null in every row.
    let sql = "SELECT DISTINCT coalesce(array_to_string(array_concat(command, args), ' '), 'none') FROM containers";
    assert_eq!(column(&session, sql).await, ["none"]);
    let sql = "SELECT concat(object, ' ', name, ' ', host_path) FROM volumes";
    assert_eq!(column(&session, sql).await, ["Pod app v /etc"]);
}

#[tokio::test]
async fn a_binding_has_a_row_per_subject() {
    let binding = |subjects: Value| {
        json!({
            "objectRef": {"resource": "rolebindings", "apiGroup": "rbac.authorization.k8s.io", "namespace": "web", "name": "b"},
            "requestObject": {"roleRef": {"kind": "ClusterRole", "name": "admin"}, "subjects": subjects},
        })
    };
    let two = json!([{"kind": "User", "name": "x"}, {"kind": "ServiceAccount", "name": "y", "namespace": "z"}]);
    let events = [
        stage("two", "ResponseComplete", binding(two)),
        stage("none", "ResponseComplete", binding(json!([]))),
        stage("unseen", "ResponseComplete", binding(Value::Null)),
    ];
    let session = session(&events, Scope::default()).await;
    let sql = "SELECT concat_ws(' ', audit_id, role_name, subject_namespace, subject_name) FROM bindings ORDER BY 1";
    assert_eq!(
        column(&session, sql).await,
        ["none admin", "two admin x", "two admin z y", "unseen admin"]
    );
}
