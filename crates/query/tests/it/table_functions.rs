//! Table functions.

use podtrail_query::{Permissions, Planned, Scope, Session, parse};
use serde_json::{Value, json};

use crate::{session, stage, strings};

/// Returns a request at a minute after ten o'clock.
fn request(minute: u32, user: &str, verb: &str, members: Value) -> String {
    let mut all = json!({
        "verb": verb,
        "user": {"username": user},
        "requestReceivedTimestamp": format!("2026-11-24T10:{minute:02}:00.000000Z"),
        "stageTimestamp": format!("2026-11-24T10:{minute:02}:00.000000Z"),
        "responseStatus": {"code": 200},
    });
    for (key, value) in members.as_object().unwrap() {
        all[key] = value.clone();
    }
    stage(&format!("{user}-{minute}"), "ResponseComplete", all)
}

fn object(resource: &str, name: &str) -> Value {
    let group = if resource == "pods" { "" } else { "apps" };
    json!({"objectRef": {"resource": resource, "apiGroup": group, "namespace": "web", "name": name}})
}

fn deployment(image: &str) -> Value {
    let mut members = object("deployments", "shop");
    let template = json!({"spec": {"containers": [{"name": "c", "image": image}]}});
    members["requestObject"] = json!({"kind": "Deployment", "spec": {"template": template}});
    members["responseObject"] = json!({
        "kind": "Deployment",
        "metadata": {"name": "shop", "namespace": "web", "uid": "u1"},
        "spec": {"template": template},
    });
    members
}

async fn desk(events: &[String]) -> Session {
    session(events, Scope::default()).await
}

/// Returns the only column of a statement's rows.
async fn column(session: &Session, sql: &str) -> Vec<String> {
    let statement = parse(sql).unwrap().remove(0);
    let planned = session.plan(statement, Permissions::default()).await;
    let Planned::Rows(rows) = planned.unwrap() else { panic!("{sql} has no rows") };
    strings(&rows.collect().await.unwrap())
}

#[tokio::test]
async fn a_timeline_takes_an_identity_or_an_object() {
    let session = desk(&[
        request(2, "alice", "get", object("pods", "app")),
        request(1, "alice", "list", json!({"objectRef": {"resource": "pods", "namespace": "web"}})),
        request(3, "bob", "delete", object("pods", "app")),
        request(4, "bob", "get", object("pods", "other")),
    ])
    .await;
    let of = async |name: &str| {
        let sql =
            format!("SELECT concat_ws(' ', username, verb) FROM timeline('{name}') ORDER BY time");
        column(&session, &sql).await
    };
    assert_eq!(of("alice").await, ["alice list", "alice get"]);
    assert_eq!(of("web/app").await, ["alice get", "bob delete"]);
    assert_eq!(of("pods/web/other").await, ["bob get"]);
    // A quote in an argument is a character.
    assert_eq!(of("x'' OR ''1''=''1").await, [""; 0]);
}

#[tokio::test]
async fn a_timeline_takes_an_address_or_a_network() {
    let from = |minute, user, address: &str| {
        request(minute, user, "get", json!({"sourceIPs": [address], "requestURI": "/api"}))
    };
    let session = desk(&[
        from(1, "alice", "10.0.0.7"),
        from(2, "bob", "10.0.0.7"),
        from(3, "carol", "10.0.1.7"),
        from(4, "dave", "::ffff:10.0.0.8"),
    ])
    .await;
    for (of, expected) in [
        ("10.0.0.7", &["alice /api", "bob /api"][..]),
        ("10.0.0.0/24", &["alice /api", "bob /api", "dave /api"]),
        ("10.0.0", &[]),
    ] {
        let sql = format!(
            "SELECT concat_ws(' ', username, request_uri) FROM timeline('{of}') ORDER BY time"
        );
        assert_eq!(column(&session, &sql).await, expected, "{of}");
    }
}

#[tokio::test]
async fn a_diff_lists_changes() {
    let session = desk(&[
        request(1, "alice", "create", deployment("nginx:1")),
        request(2, "bob", "update", deployment("nginx:2")),
    ])
    .await;
    let sql = "SELECT concat_ws(' ', username, change, before, after) FROM diff('web/shop') ORDER BY time";
    assert_eq!(column(&session, sql).await, ["bob image nginx:1 nginx:2"]);
    assert_eq!(column(&session, "SELECT username FROM diff('web/other')").await, [""; 0]);
}

#[tokio::test]
async fn a_lineage_goes_from_a_pod_to_its_author() {
    let mut pod = object("pods", "shop-1");
    pod["responseObject"] = json!({
        "kind": "Pod",
        "metadata": {
            "name": "shop-1", "namespace": "web", "uid": "u2",
            "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop", "uid": "u1", "controller": true},
            ],
        },
        "spec": {"containers": [{"name": "c", "image": "nginx:1"}]},
    });
    let controller = "system:serviceaccount:kube-system:deployment-controller";
    let session = desk(&[
        request(1, "alice", "create", deployment("nginx:1")),
        request(2, controller, "create", pod),
    ])
    .await;
    for name in ["shop-1", "web/shop-1", "pods/shop-1"] {
        let sql =
            format!("SELECT concat_ws(' ', object, root_name, author) FROM lineage('{name}')");
        assert_eq!(column(&session, &sql).await, ["Pod shop-1 shop alice"], "{name}");
    }
    for name in ["shop", "deployments/web/shop"] {
        let sql = format!("SELECT object FROM lineage('{name}') ORDER BY time");
        assert_eq!(column(&session, &sql).await, ["Deployment shop", "Pod shop-1"], "{name}");
    }
}

#[tokio::test]
async fn a_pause_ends_a_session() {
    let minutes = [1, 3, 20, 21, 59];
    let events = minutes.map(|minute| request(minute, "alice", "get", object("pods", "app")));
    let session = desk(&events).await;
    let counts = async |call: &str| {
        let sql = format!("SELECT CAST(requests AS VARCHAR) FROM {call} ORDER BY started");
        column(&session, &sql).await
    };
    assert_eq!(counts("sessions('alice', INTERVAL '10 minutes')").await, ["2", "2", "1"]);
    assert_eq!(counts("sessions('alice')").await, ["4", "1"]);
    assert_eq!(counts("sessions('al*', INTERVAL '1 hour')").await, ["5"]);
    assert_eq!(counts("sessions('bob')").await, [""; 0]);
}

#[tokio::test]
async fn arguments_are_constants_of_their_types() {
    let session = desk(&[]).await;
    for (call, message) in [
        ("timeline()", "missing argument; syntax: timeline("),
        ("timeline('a', 'b')", "too many arguments; syntax: timeline("),
        ("sessions('a', 'soon')", "soon"),
    ] {
        let statement = parse(&format!("SELECT * FROM {call}")).unwrap().remove(0);
        let planned = session.plan(statement, Permissions::default()).await;
        let error = planned.err().unwrap().to_string();
        assert!(error.contains(message), "{call}: {error}");
    }
}
