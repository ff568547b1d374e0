//! The view `coverage`.

use podtrail_query::Scope;
use serde_json::{Value, json};

use crate::{column, session, stage};

#[tokio::test]
async fn writes_without_a_body_are_counted() {
    let done = |id: &str, members: Value| {
        let mut members = members;
        members["responseStatus"] = json!({"code": 200});
        stage(id, "ResponseComplete", members)
    };
    let exec =
        json!({"resource": "pods", "subresource": "exec", "namespace": "web", "name": "app"});
    let events = [
        stage("a", "RequestReceived", json!({})),
        done("a", json!({"requestObject": {"spec": {}}, "responseObject": {"spec": {}}})),
        done("b", json!({"requestObject": {"spec": {}}})),
        done("c", json!({})),
        done("d", json!({"annotations": {"audit.k8s.io/truncated": "true"}})),
        stage("e", "ResponseComplete", json!({"responseStatus": {"code": 409}})),
        done("f", json!({"verb": "delete", "level": "Metadata"})),
        done("g", json!({"objectRef": exec})),
        done("h", json!({"verb": "list", "objectRef": {"resource": "nodes"}})),
    ];
    let session = session(&events, Scope::default()).await;
    let sql = "
        SELECT concat_ws(' ', cluster, date, activity, resource, subresource, verb, level, requests, writes,
            writes_without_body, with_request_object, with_response_object, truncated)
        FROM coverage ORDER BY 1";
    assert_eq!(
        column(&session, sql).await,
        [
            "default 2026-11-24 access pods exec create RequestResponse 1 0 0 0 0 0",
            "default 2026-11-24 read nodes list RequestResponse 1 0 0 0 0 0",
            "default 2026-11-24 workload pods create RequestResponse 5 4 2 2 1 1",
            "default 2026-11-24 workload pods delete Metadata 1 0 0 0 0 0",
        ]
    );
}
