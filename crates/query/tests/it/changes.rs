//! The view of changes that updates and patches make to workloads.

use podtrail_query::Scope;
use serde_json::{Value, json};

use crate::{column, session, stage};

/// Returns an allowed write of the deployment `app`, by `user` at an hour of the day.
fn write(user: &str, hour: u32, verb: &str, members: Value) -> String {
    let mut event = json!({
        "verb": verb,
        "user": {"username": user},
        "objectRef": {"apiGroup": "apps", "resource": "deployments", "namespace": "web", "name": "app"},
        "responseStatus": {"code": 200},
        "requestReceivedTimestamp": format!("2026-11-24T{hour:02}:00:00.000000Z"),
        "stageTimestamp": format!("2026-11-24T{hour:02}:00:00.500000Z"),
    });
    for (key, value) in members.as_object().unwrap() {
        event[key] = value.clone();
    }
    stage(&format!("{user}{hour}"), "ResponseComplete", event)
}

fn deployment(image: &str) -> Value {
    json!({"requestObject": {"kind": "Deployment", "spec": {"replicas": 1, "template": {"spec": {
        "containers": [{"name": "app", "image": image}],
    }}}}})
}

fn image_patch(image: &str) -> Value {
    let container = json!({"name": "app", "image": image});
    json!({"requestObject": {"spec": {"template": {"spec": {"containers": [container]}}}}})
}

fn with(mut members: Value, name: &str, value: Value) -> Value {
    members[name] = value;
    members
}

/// Returns events out of order, as shippers deliver them.
fn events() -> Vec<String> {
    let dry_run = json!("/apis/apps/v1/namespaces/web/deployments/app?dryRun=All");
    let scale = json!({
        "objectRef": {
            "apiGroup": "apps", "resource": "deployments", "subresource": "scale", "namespace": "web", "name": "app",
        },
        "requestObject": {"spec": {"replicas": 3}},
    });
    let elsewhere =
        json!({"apiGroup": "apps", "resource": "deployments", "namespace": "db", "name": "app"});
    vec![
        write("bob", 5, "patch", image_patch("web:3")),
        write("alice", 6, "patch", image_patch("web:4")),
        write("alice", 2, "create", deployment("web:1")),
        write("bob", 3, "patch", with(image_patch("evil"), "requestURI", dry_run)),
        write("alice", 4, "update", deployment("web:2")),
        write("alice", 7, "patch", scale),
        write("alice", 8, "patch", with(image_patch("web:9"), "objectRef", elsewhere)),
        write("bob", 9, "patch", with(image_patch("evil"), "responseStatus", json!({"code": 403}))),
    ]
}

const ROWS: &str = "SELECT concat_ws(' ', audit_id, object, change, container, before, '->', after) \
                    FROM changes ORDER BY time";

#[tokio::test]
async fn each_write_is_compared_with_the_previous_version() {
    let session = session(&events(), Scope::default()).await;
    assert_eq!(
        column(&session, ROWS).await,
        [
            "alice4 Deployment app image app web:1 -> web:2",
            "bob5 Deployment app image app web:2 -> web:3",
            "alice6 Deployment app image app web:3 -> web:4",
            "alice7 Deployment app replicas 1 -> 3",
            "alice8 Deployment app image app -> web:9",
        ]
    );
}

#[tokio::test]
async fn the_previous_version_can_be_older_than_the_scope_and_of_any_identity() {
    let at = |hour: u32| Some(format!("2026-11-24T{hour:02}:00:00Z").parse().unwrap());
    let scope =
        Scope { from: at(5), to: at(7), identities: vec!["alice".to_owned()], ..Scope::default() };
    let session = session(&events(), scope).await;
    assert_eq!(column(&session, ROWS).await, ["alice6 Deployment app image app web:3 -> web:4"]);
    assert_eq!(
        column(&session, &ROWS.replace("FROM changes", "FROM changes_history")).await,
        ["alice4 Deployment app image app web:1 -> web:2"]
    );
}

#[tokio::test]
async fn an_object_created_by_server_side_apply_is_not_a_change() {
    let created = |members: Value| with(members, "responseStatus", json!({"code": 201}));
    let events = [
        // An earlier object of that name, which was deleted.
        write("alice", 1, "create", created(deployment("web:1"))),
        write("alice", 2, "patch", created(deployment("web:2"))),
        write("alice", 3, "patch", image_patch("web:3")),
        write("alice", 4, "update", created(deployment("web:4"))),
        write("alice", 5, "get", json!({"responseStatus": {"code": 201}})),
    ];
    let session = session(&events, Scope::default()).await;
    assert_eq!(column(&session, ROWS).await, ["alice3 Deployment app image app web:2 -> web:3"]);
    let created = "SELECT concat_ws(' ', audit_id, CASE WHEN created THEN 'true' ELSE 'false' END, body_source) \
                   FROM workloads ORDER BY time";
    assert_eq!(
        column(&session, created).await,
        [
            "alice1 true request",
            "alice2 true request",
            "alice3 false version",
            "alice4 true request"
        ]
    );
    let created = "SELECT audit_id FROM events WHERE created ORDER BY time";
    assert_eq!(column(&session, created).await, ["alice1", "alice2", "alice4"]);
}
