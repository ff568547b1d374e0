//! The view `identities`.

use podtrail_query::Scope;
use serde_json::{Value, json};

use crate::{column, session, stage};

#[tokio::test]
async fn an_identity_has_its_activity() {
    let at = |hour: u8, members: Value| {
        let mut members = members;
        members["requestReceivedTimestamp"] = format!("2026-11-24T{hour:02}:00:00.000000Z").into();
        stage(&format!("{hour}"), "ResponseComplete", members)
    };
    let allowed = json!({"code": 201});
    let events = [
        at(
            3,
            json!({"responseStatus": allowed, "sourceIPs": ["10.0.0.1"], "userAgent": "kubectl/v1"}),
        ),
        at(
            9,
            json!({"verb": "get", "objectRef": {"resource": "pods", "subresource": "exec", "namespace": "db"},
            "responseStatus": {"code": 403}, "annotations": {"authorization.k8s.io/decision": "forbid"}}),
        ),
        at(
            10,
            json!({"verb": "get", "objectRef": null, "requestURI": "/version", "responseStatus": {"code": 200}}),
        ),
        at(11, json!({"user": {"username": "bob"}, "verb": "list"})),
    ];
    let session = session(&events, Scope::default()).await;
    let list = |name: &str| format!("array_to_string({name}, '+')");
    let sql = format!(
        "SELECT concat_ws(' ', username, identity_kind, date_part('hour', first_seen), date_part('hour', last_seen),
            requests, denied, {}, {}, {}, {}, {}, {}, workload_writes)
        FROM identities ORDER BY username",
        list("verbs"),
        list("resources"),
        list("namespaces"),
        list("client_ips"),
        list("user_agents"),
        list("hours"),
    );
    assert_eq!(
        column(&session, &sql).await,
        [
            "alice human 3 10 3 1 create+get pods+pods/exec db+web 10.0.0.1 kubectl/v1 3+9+10 1",
            "bob human 11 11 1 0 list pods web 11 0",
        ]
    );
}
