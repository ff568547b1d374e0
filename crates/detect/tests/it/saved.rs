//! Saved queries.

use std::collections::BTreeSet;

use podtrail_detect::{Parameter, ParameterError, SavedQuery, saved_queries};
use podtrail_query::{Session, Value};

use crate::support::session_over;

fn query(name: &str) -> SavedQuery {
    saved_queries().unwrap().into_iter().find(|query| query.name == name).unwrap()
}

async fn rows(session: &Session, query: &SavedQuery, given: &[(&str, &str)]) -> usize {
    let given: Vec<_> = given.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let values = query.values(&given, chrono::Utc::now()).unwrap();
    let planned = session.query(&query.sql, values).await;
    let rows = planned.unwrap_or_else(|e| panic!("{}: {e}", query.name)).collect().await;
    let rows = rows.unwrap_or_else(|error| panic!("{}: {error}", query.name));
    rows.iter().map(arrow::array::RecordBatch::num_rows).sum()
}

/// Returns a log in which Alice is denied a secret, creates a pod, deletes it, and reads the secret from
/// another address.
fn log() -> String {
    let event = |minute: u32, verb: &str, resource: &str, code: u32| {
        serde_json::json!({
            "level": "RequestResponse", "stage": "ResponseComplete", "auditID": format!("a{minute}"), "verb": verb,
            "user": {"username": "alice"},
            "sourceIPs": [if minute < 4 { "203.0.113.9" } else { "203.0.113.10" }],
            "objectRef": {"resource": resource, "namespace": "web", "name": "app"},
            "requestReceivedTimestamp": format!("2026-11-24T10:{minute:02}:00.000000Z"),
            "stageTimestamp": format!("2026-11-24T10:{minute:02}:00.000000Z"),
            "responseStatus": {"code": code},
            "requestObject": {"spec": {"containers": [{"name": "c", "image": "nginx"}]}},
            "annotations": {"authorization.k8s.io/decision": if code == 403 { "forbid" } else { "allow" }},
        })
        .to_string()
    };
    let events = [
        event(1, "get", "secrets", 403),
        event(2, "create", "pods", 201),
        event(3, "delete", "pods", 200),
        event(4, "get", "secrets", 200),
    ];
    events.join("\n")
}

#[tokio::test]
async fn every_saved_query_runs_with_its_defaults() {
    let session = session_over(log());
    let queries = saved_queries().unwrap();
    assert!(queries.len() >= 10);
    for query in &queries {
        rows(&session, query, &[]).await;
        assert!(!query.head.title.is_empty() && !query.head.description.is_empty());
        let declared: BTreeSet<_> = query.head.parameters.keys().cloned().collect();
        let used = query.sql.split('$').skip(1).map(|rest| {
            rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned()
        });
        assert_eq!(used.collect::<BTreeSet<_>>(), declared, "{}", query.name);
    }
}

#[tokio::test]
async fn saved_queries_return_expected_rows() {
    let session = session_over(log());
    for (name, given, expected) in [
        ("workload-writers", vec![("namespace", "web")], 1),
        ("workload-writers", vec![("namespace", "web"), ("from", "2026-11-24T10:03:00Z")], 0),
        ("workload-writers", vec![("to", "2026-11-24T10:02:00Z")], 0),
        ("workload-writers", vec![("namespace", "other")], 0),
        ("before-first-pod", vec![("identity", "alice")], 2),
        ("before-first-pod", vec![("identity", "alice"), ("before", "30s")], 1),
        ("new-images", vec![], 1),
        ("object-touched", vec![("name", "app"), ("resource", "pods")], 2),
        ("denied-then-allowed", vec![], 1),
        ("denied-then-allowed", vec![("within", "1m")], 0),
        ("short-lived-workloads", vec![], 1),
        ("short-lived-workloads", vec![("within", "10s")], 0),
        ("new-identities", vec![], 1),
        ("new-identities", vec![("kinds", "node,controller")], 0),
        ("service-accounts-from-outside", vec![], 0),
        ("additional-addresses", vec![], 1),
        ("additional-addresses", vec![("kinds", "service_account")], 0),
    ] {
        assert_eq!(rows(&session, &query(name), &given).await, expected, "{name} {given:?}");
    }
    // A value is bound, not inserted into the text.
    let injected = [("namespace", "' OR '1'='1")];
    assert_eq!(rows(&session, &query("workload-writers"), &injected).await, 0);
}

#[test]
fn a_parameter_has_a_type() {
    let now = "2026-11-24T12:00:00Z".parse().unwrap();
    let writers = query("workload-writers");
    let given =
        |name: &str, value: &str| writers.values(&[(name.to_owned(), value.to_owned())], now);
    let Err(ParameterError::Value { name, error }) = given("from", "soon") else {
        panic!("it is a time")
    };
    assert_eq!(name, "from");
    assert!(matches!(*error, ParameterError::Time(_)));
    assert!(matches!(given("form", "1h"), Err(ParameterError::Unknown { .. })));
    let values = given("from", "2h").unwrap();
    let expected = chrono::DateTime::from_timestamp_micros(1_795_514_400_000_000);
    assert_eq!(values.get("from"), Some(&Value::Time(expected)));
    assert_eq!(values.get("to"), Some(&Value::Time(None)));

    let interval = Parameter::Interval { default: "1h".to_owned(), description: String::new() };
    assert_eq!(interval.value(Some("soon"), now), Err(ParameterError::Interval("soon".to_owned())));
    let integer = Parameter::Integer { default: 1, description: String::new() };
    assert_eq!(integer.value(Some("7"), now), Ok(Value::Integer(7)));
    assert!(integer.value(Some("many"), now).is_err());
}
