//! The typed envelope, and the members that are kept in addition.

use podtrail_event::{BatchBuilder, ParseError, Parser, documentation, schema};
use serde_json::{Value, json};

use crate::{event, row};

#[test]
fn the_envelope_is_typed() {
    let json = event("create", "", "pods", json!({}));
    let row = row(&json);
    assert_eq!(row.username.as_deref(), Some("alice"));
    assert_eq!(row.identity_kind.as_deref(), Some("human"));
    assert_eq!(row.client_ip.as_deref(), Some("10.0.0.7"));
    assert_eq!(row.activity.as_deref(), Some("workload"));
    assert_eq!(row.outcome.as_deref(), Some("allowed"));
    assert_eq!(row.decision.as_deref(), Some("allow"));
    assert_eq!(row.time, row.received_at);
    assert_eq!(row.time.unwrap().0, 1_795_514_757_915_000);
    assert_eq!(row.date.unwrap().0, 20_781);
    assert_eq!(row.stage_at.unwrap().0 - row.time.unwrap().0, 5_001);
    assert_eq!(row.event_id.as_deref().map(str::len), Some(32));
    assert_eq!(row.extra, None);
}

#[test]
fn members_without_a_column_are_kept_as_written() {
    let json = event(
        "get",
        "",
        "pods",
        json!({
            "requestReceivedTimestamp": "2026-11-24T10:05:57Z",
            "hostname": "master-0",
            "user": {"username": "alice", "shoeSize": 42},
            "responseStatus": {"metadata": {}, "code": 404, "details": {"name": "x"}},
        }),
    );
    let row = row(&json);
    let extra: Value = serde_json::from_str(row.extra.as_deref().unwrap()).unwrap();
    assert_eq!(extra["hostname"], "master-0");
    assert_eq!(extra["user"]["shoeSize"], 42);
    assert_eq!(extra["responseStatus"]["details"]["name"], "x");
    assert_eq!(extra["requestReceivedTimestamp"], "2026-11-24T10:05:57Z");
    assert_eq!(row.username.as_deref(), Some("alice"));
    assert_eq!(row.status_code, Some(404));
}

#[test]
fn a_request_without_a_user_is_anonymous() {
    let json = event(
        "list",
        "",
        "pods",
        json!({
            "stage": "ResponseStarted",
            "user": {},
            "responseStatus": {"metadata": {}, "code": 401},
            "annotations": null,
        }),
    );
    let row = row(&json);
    assert_eq!(row.username, None);
    assert_eq!(row.identity_kind.as_deref(), Some("anonymous"));
    assert_eq!(row.outcome.as_deref(), Some("denied_authn"));
}

#[test]
fn requests_are_classified_by_activity() {
    for (verb, group, resource, subresource, activity) in [
        ("create", "", "pods", "", "workload"),
        ("patch", "", "pods", "ephemeralcontainers", "workload"),
        ("delete", "apps", "deployments", "", "workload"),
        ("patch", "", "pods", "status", "write"),
        ("get", "", "pods", "", "read"),
        ("get", "", "pods", "exec", "access"),
        ("create", "", "serviceaccounts", "token", "access"),
        ("create", "", "serviceaccounts", "", "rbac"),
        ("create", "rbac.authorization.k8s.io", "rolebindings", "", "rbac"),
        ("list", "", "secrets", "", "secret"),
        ("update", "", "configmaps", "", "write"),
    ] {
        let mut object = json!({"resource": resource, "apiGroup": group, "namespace": "a"});
        if !subresource.is_empty() {
            object["subresource"] = subresource.into();
        }
        let json = event(verb, group, resource, json!({"objectRef": object}));
        assert_eq!(
            row(&json).activity.as_deref(),
            Some(activity),
            "{verb} {resource}/{subresource}"
        );
    }
}

#[test]
fn exec_options_are_columns() {
    let json = event(
        "get",
        "",
        "pods",
        json!({
            "requestURI": "/api/v1/namespaces/web/pods/app/exec?command=cat&command=%2Fetc%2Fshadow&container=c&stdin=true",
            "objectRef": {"resource": "pods", "namespace": "web", "name": "app", "subresource": "exec"},
        }),
    );
    let exec = row(&json).exec.unwrap();
    let command: Vec<&str> = exec.command.iter().flatten().map(|part| &**part).collect();
    assert_eq!(command, ["cat", "/etc/shadow"]);
    assert_eq!(exec.stdin, Some(true));
    assert_eq!(exec.tty, None);
}

#[test]
fn a_dry_run_is_recognized_like_the_server_does() {
    let outcome = |verb, uri: &str, request: Value, subresource: Option<&str>| {
        let mut object = json!({"resource": "pods", "namespace": "web", "name": "app"});
        if let Some(subresource) = subresource {
            object["subresource"] = subresource.into();
        }
        let mut members = json!({"requestURI": uri, "objectRef": object});
        if !request.is_null() {
            members["requestObject"] = request;
        }
        let json = event(verb, "", "pods", members);
        row(&json).outcome.as_deref().unwrap().to_owned()
    };
    let dry = "/api/v1/pods?dryRun=All";
    let plain = "/api/v1/pods";
    assert_eq!(outcome("create", dry, Value::Null, None), "dry_run");
    assert_eq!(outcome("delete", dry, Value::Null, None), "dry_run");
    // The body of a delete replaces the query.
    assert_eq!(outcome("delete", dry, json!({"kind": "DeleteOptions"}), None), "allowed");
    assert_eq!(outcome("delete", plain, json!({"dryRun": ["All"]}), None), "dry_run");
    // A stream, a read, a proxy and a token cannot be a dry run, regardless of the URI.
    assert_eq!(outcome("get", dry, Value::Null, Some("exec")), "allowed");
    assert_eq!(outcome("get", dry, Value::Null, None), "allowed");
    assert_eq!(outcome("create", dry, Value::Null, Some("proxy")), "allowed");
    assert_eq!(outcome("create", dry, Value::Null, Some("token")), "allowed");
    // Another value is an error, and therefore not a dry run if the request was executed.
    assert_eq!(outcome("create", "/api/v1/pods?dryRun=all", Value::Null, None), "allowed");
    assert_eq!(outcome("delete", plain, json!({"dryRun": ["None"]}), None), "allowed");
}

/// A stored object has a version.
#[test]
fn a_stored_object_rules_out_a_dry_run() {
    let dry_run = |request: Value, response: Value| {
        let object = |metadata: Value| json!({"kind": "Pod", "metadata": metadata, "spec": {}});
        let members = json!({
            "requestURI": "/api/v1/pods?dryRun=All",
            "requestObject": object(request),
            "responseObject": object(response),
        });
        row(&event("create", "", "pods", members)).dry_run
    };
    assert_eq!(dry_run(json!({}), json!({"uid": "u"})), Some(true));
    assert_eq!(dry_run(json!({}), json!({"uid": "u", "resourceVersion": "7"})), Some(false));
    assert_eq!(
        dry_run(json!({"resourceVersion": "7"}), json!({"resourceVersion": "7"})),
        Some(true)
    );
}

/// A client that sends a timeout of a millisecond gets an error for a write that continues.
#[test]
fn a_write_without_a_response_may_have_been_executed() {
    let outcome = |verb, code: i32, stage| {
        let status = if code < 400 { "Success" } else { "Failure" };
        let status = json!({"metadata": {}, "status": status, "code": code});
        let members = json!({"responseStatus": status, "stage": stage});
        let json = event(verb, "", "pods", members);
        let row = row(&json);
        (row.outcome.as_deref().unwrap().to_owned(), row.outcome_uncertain)
    };
    let allowed = |is_uncertain| ("allowed".to_owned(), Some(is_uncertain));
    assert_eq!(outcome("create", 504, "ResponseComplete"), allowed(true));
    assert_eq!(outcome("create", 500, "Panic"), allowed(true));
    assert_eq!(outcome("create", 201, "ResponseComplete"), allowed(false));
    assert_eq!(outcome("get", 504, "ResponseComplete"), ("error".to_owned(), Some(false)));
    assert_eq!(outcome("create", 429, "ResponseComplete"), ("error".to_owned(), Some(false)));
}

/// A command sent to a kubelet is recognized in any spelling of the path.
#[test]
fn a_command_through_the_kubelet_is_an_exec() {
    let members = json!({
        "requestURI": "/api/v1/nodes/cp-1/proxy/%72un/kube-system/etcd/etcd?cmd=cat+/etc/shadow&z=/proxy/",
        "objectRef": {"resource": "nodes", "name": "cp-1", "subresource": "proxy"},
    });
    let json = event("create", "", "nodes", members);
    let exec = row(&json).exec.unwrap();
    let words: Vec<&str> = exec.words.iter().flatten().map(|word| &**word).collect();
    assert_eq!(words, ["cat", "/etc/shadow"]);
    assert_eq!((exec.action.as_deref(), exec.pod.as_deref()), (Some("exec"), Some("etcd")));
}

/// If nothing shows the options of a request, it is unknown whether it was a dry run.
#[test]
fn a_dry_run_can_be_unknown() {
    let dry_run = |verb, members: Value| {
        let mut event: Value = serde_json::from_str(&event(verb, "", "pods", members)).unwrap();
        event.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        row(&event.to_string()).dry_run
    };
    let unseen = json!({"requestURI": null});
    assert_eq!(dry_run("create", json!({})), Some(false));
    assert_eq!(dry_run("create", json!({"requestURI": "/api/v1/pods?dryRun=All"})), Some(true));
    assert_eq!(dry_run("create", unseen.clone()), None);
    assert_eq!(dry_run("delete", unseen), None);
    let options = |list: Value| json!({"requestURI": null, "requestObject": {"dryRun": list}});
    assert_eq!(dry_run("delete", options(json!(["All"]))), Some(true));
    assert_eq!(dry_run("delete", options(json!([]))), Some(false));
    // The body, which takes precedence over the query, is not in the log.
    let metadata = json!({"requestURI": "/api/v1/pods?dryRun=All", "level": "Metadata"});
    assert_eq!(dry_run("delete", metadata), None);
}

#[test]
fn a_generated_name_comes_from_the_response() {
    let json = event(
        "create",
        "",
        "pods",
        json!({
            "objectRef": {"resource": "pods", "namespace": "web"},
            "responseObject": {"kind": "Pod", "metadata": {"name": "job-x7k", "uid": "u1"}, "spec": {"containers": []}},
        }),
    );
    let row = row(&json);
    assert_eq!(row.name.as_deref(), Some("job-x7k"));
    assert_eq!(row.object_uid.as_deref(), Some("u1"));
    let extra: Value = serde_json::from_str(row.extra.as_deref().unwrap()).unwrap();
    assert_eq!(extra["objectRef"].get("name"), None);
}

#[test]
fn records_that_are_not_audit_events_are_rejected_with_a_reason() {
    let kind = Parser::default()
        .parse(br#"{"kind":"Pod","apiVersion":"v1","metadata":{}}"#, None)
        .unwrap_err();
    assert!(matches!(kind, ParseError::Kind { .. }), "{kind}");
    let missing = Parser::default().parse(br#"{"hello":"world"}"#, None).unwrap_err();
    assert_eq!(missing.to_string(), "not an audit event: auditID is missing");
    assert!(matches!(
        Parser::default().parse(b"{\"auditID\":", None).unwrap_err(),
        ParseError::Json(_)
    ));
    assert!(matches!(Parser::default().parse(b"[]", None).unwrap_err(), ParseError::Json(_)));
    assert!(matches!(Parser::default().parse(b"\xff", None).unwrap_err(), ParseError::Json(_)));
}

#[test]
fn events_of_old_versions_are_parsed() {
    let json = json!({
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1alpha1",
        "metadata": {"creationTimestamp": "2017-09-01T10:00:00Z"},
        "timestamp": "2017-09-01T10:00:01Z",
        "level": "Request",
        "auditID": "a",
        "stage": "ResponseComplete",
        "verb": "create",
        "user": {"username": "bob"},
        "objectRef": {"resource": "deployments", "apiVersion": "apps/v1beta1"},
    })
    .to_string();
    let row = row(&json);
    assert_eq!(row.time.unwrap().0, 1_504_260_001_000_000);
    assert_eq!(row.api_group.as_deref(), Some("apps"));
    assert_eq!(row.api_version.as_deref(), Some("v1beta1"));
    assert_eq!(row.workload.unwrap().body_source.as_deref(), Some("none"));
}

#[test]
fn batches_have_the_documented_schema() {
    let json = event("create", "apps", "deployments", json!({}));
    let mut builder = BatchBuilder::default();
    builder.append(&row(&json));
    builder.append(&row(&json));
    let batch = builder.finish();
    assert_eq!(batch.num_rows(), 2);
    assert_eq!(batch.schema(), schema());
    let documented: Vec<_> = documentation().iter().map(|field| field.name).collect();
    let fields: Vec<_> = schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(documented, fields);
    assert!(documentation().iter().all(|field| !field.doc.is_empty()));
}
