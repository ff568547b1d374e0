//! Cloud Logging entries, after GKE entries in public samples. BigQuery rows follow the documentation.

use podtrail_ingest::Options;

use crate::support::{Folder, event, lines, messages, pretty, run, run_stream};
use crate::unwrapped::{Known, SHIPPED, SHIPPED_MILLIS, base64, check_known, column, quoted};

/// The part of an entry that depends on the request.
struct Call<'a> {
    method: &'a str,
    resource: &'a str,
    /// The remaining members of the payload.
    rest: &'a str,
    operation: &'a str,
}

const CREATE: Call<'_> = Call {
    method: "io.k8s.core.v1.pods.create",
    resource: "core/v1/namespaces/default/pods/web",
    rest: r#""status":{"code":0},"request":{"@type":"core.k8s.io/v1.Pod","kind":"Pod","spec":{"hostPID":true,"containers":[{"name":"c","image":"nginx"}],"priority":2.0}}"#,
    operation: r#""first":true,"last":true"#,
};

impl Call<'_> {
    fn payload(&self) -> String {
        format!(
            r#"{{"@type":"type.googleapis.com/google.cloud.audit.AuditLog","serviceName":"k8s.io","methodName":"{}","resourceName":"{}","authenticationInfo":{{"principalEmail":"alice@example.com"}},"authorizationInfo":[{{"granted":true}}],"requestMetadata":{{"callerIp":"203.0.113.9","callerSuppliedUserAgent":"kubectl/v1.36"}},{}}}"#,
            self.method, self.resource, self.rest
        )
    }

    fn entry(&self) -> String {
        format!(
            r#"{{"insertId":"id-1","logName":"projects/p/logs/cloudaudit.googleapis.com%2Factivity","resource":{{"type":"k8s_cluster","labels":{{"cluster_name":"prod","location":"europe-west1","project_id":"p"}}}},"timestamp":"2026-11-23T21:55:01.3747Z","receiveTimestamp":"{SHIPPED}","severity":"NOTICE","labels":{{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"RBAC"}},"operation":{{"id":"id-1","producer":"k8s.io",{}}},"protoPayload":{}}}"#,
            self.operation,
            self.payload()
        )
    }

    fn go_dump(&self) -> String {
        format!(
            r#"{{"Entry":{{"Timestamp":"2026-11-23T21:55:01.3747Z","Payload":{{"service_name":"k8s.io"}},"Labels":{{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"RBAC"}},"InsertID":"id-1","Operation":{{"id":"id-1",{}}},"Resource":{{"type":"k8s_cluster","labels":{{"cluster_name":"prod"}}}}}},"AuditPayload":{}}}"#,
            self.operation,
            quoted(&self.payload())
        )
    }
}

/// The columns of the single event in a log.
fn row<const N: usize>(log: &str, names: [&str; N]) -> [String; N] {
    let (memory, summary) = run_stream(log, &Options::default());
    assert_eq!(summary.events_added, 1, "{log}: {summary:?}");
    names.map(|name| column(&memory, name).swap_remove(0))
}

#[test]
fn every_format() {
    let entry = CREATE.entry();
    let known = |envelopes| Known {
        envelopes,
        provider: "gke",
        cluster: "prod",
        node: "",
        shipped_at: Some(SHIPPED_MILLIS),
    };
    let message = format!(
        r#"{{"message":{{"data":"{}","messageId":"1","publishTime":"{SHIPPED}"}},"subscription":"projects/p/subscriptions/s"}}"#,
        base64(&entry)
    );
    // As a BigQuery sink writes them, by its documentation: bodies are text, names have no dots.
    let bigquery = entry
        .replace("protoPayload", "protopayload_auditlog")
        .replace("authorization.k8s.io/", "authorization_k8s_io_")
        .replace("T21:55:01.3747Z", " 21:55:01.374700 UTC");
    let (before, body) = bigquery.split_once(r#""request":"#).expect("a body");
    let body = body.strip_suffix("}}").expect("the end of the entry");
    let bigquery = format!(r#"{before}"requestJson":{}}}}}"#, quoted(body));
    let unreceived = i64::div_euclid(SHIPPED_MILLIS, 1000) * 1000 - 1000 + 374;
    let go = Known { shipped_at: Some(unreceived), ..known("cloud-logging-go") };

    let cases = [
        ("entry", entry.clone(), known("cloud-logging")),
        ("gcloud logging read", format!("[{}]", pretty(&entry)), known("array cloud-logging")),
        ("Pub/Sub", message, known("pubsub cloud-logging")),
        ("Go client", CREATE.go_dump(), go),
        ("BigQuery", bigquery, known("bigquery")),
    ];
    let mut ids = Vec::new();
    for (name, log, known) in cases {
        let (memory, summary) = run_stream(log, &Options::default());
        assert_eq!(summary.events_added, 1, "{name}: {summary:?}");
        check_known(name, &memory, &known);
        ids.extend(column(&memory, "event_id"));
    }
    assert_eq!(ids, vec![ids[0].clone(); 5]);
}

#[test]
fn members_of_an_entry() {
    let entry = CREATE.entry();
    let names = [
        "audit_id",
        "verb",
        "stage",
        "username",
        "client_ip",
        "user_agent",
        "resource",
        "namespace",
        "name",
        "api_version",
        "status_code",
        "outcome",
        "decision",
        "received_at",
        "request_object",
        "activity",
        "original",
    ];
    let expected = [
        "id-1",
        "create",
        "ResponseComplete",
        "alice@example.com",
        "203.0.113.9",
        "kubectl/v1.36",
        "pods",
        "default",
        "web",
        "v1",
        "200",
        "allowed",
        "allow",
        "1795470901374700",
        // Numbers as written.
        r#"{"kind":"Pod","spec":{"hostPID":true,"containers":[{"name":"c","image":"nginx"}],"priority":2.0}}"#,
        "workload",
        &entry,
    ];
    assert_eq!(row(&entry, names), expected);
}

/// Members that an entry lacks are null.
#[test]
fn members_missing_from_an_entry() {
    let names = [
        "level",
        "user_groups",
        "request_uri",
        "api_group",
        "stage_at",
        "node",
        "user_uid",
        "dry_run",
    ];
    assert_eq!(row(&CREATE.entry(), names), [""; 8]);
}

#[test]
fn targets() {
    let names = ["api_group", "api_version", "namespace", "resource", "name", "subresource"];
    for (resource, expected) in [
        ("core/v1/namespaces/a/pods/b", ["", "v1", "a", "pods", "b", ""]),
        ("core/v1/namespaces/a/pods/b/exec/b", ["", "v1", "a", "pods", "b", "exec"]),
        ("apps/v1/namespaces/a/deployments", ["apps", "v1", "a", "deployments", "", ""]),
        ("core/v1/namespaces/a", ["", "v1", "a", "namespaces", "a", ""]),
        ("core/v1/namespaces/a/finalize", ["", "v1", "a", "namespaces", "a", "finalize"]),
        ("core/v1/nodes/n/proxy/metrics", ["", "v1", "", "nodes", "n", "proxy"]),
        (
            "rbac.authorization.k8s.io/v1/clusterroles/system:x",
            ["rbac.authorization.k8s.io", "v1", "", "clusterroles", "system:x", ""],
        ),
    ] {
        let call = Call { method: "io.k8s.x.v1.y.update", resource, ..CREATE };
        assert_eq!(row(&call.entry(), names), expected, "{resource}");
    }
    let call = Call { method: "io.k8s.get", resource: "readyz", ..CREATE };
    let names = ["verb", "request_uri", "resource"];
    assert_eq!(row(&call.entry(), names), ["get", "/readyz", ""]);
}

#[test]
fn statuses() {
    let pods = "core/v1/namespaces/a/pods/b";
    let exec = "core/v1/namespaces/a/pods/b/exec/b";
    let names = ["status_code", "status_message", "outcome"];
    for (resource, rest, expected) in [
        (pods, r#""status":{}"#, ["200", "", "allowed"]),
        (pods, r#""status":{"code":5,"message":"NOT_FOUND"}"#, ["404", "NOT_FOUND", "error"]),
        (pods, r#""status":{"code":6}"#, ["409", "", "conflict"]),
        (pods, r#""status":{"code":16}"#, ["401", "", "denied_authn"]),
        (
            pods,
            r#""status":{"code":3},"response":{"@type":"core.k8s.io/v1.Status","kind":"Status","code":422.0,"reason":"Invalid","message":"no","status":"Failure"}"#,
            ["422", "no", "invalid"],
        ),
        // A response of another kind may have a member with that name.
        (pods, r#""status":{},"response":{"kind":"Pod","code":500}"#, ["200", "", "allowed"]),
        (pods, r#""status":{"code":2,"message":"UNKNOWN"}"#, ["", "UNKNOWN", "unknown"]),
        (exec, r#""status":{"code":2,"message":"UNKNOWN"}"#, ["101", "UNKNOWN", "allowed"]),
        (exec, r#""status":{"code":7,"message":"no"}"#, ["403", "no", "denied_admission"]),
    ] {
        let call = Call { resource, rest, ..CREATE };
        assert_eq!(row(&call.entry(), names), expected, "{rest}");
    }
}

#[test]
fn a_session_start() {
    let call = Call {
        method: "io.k8s.core.v1.pods.exec.create",
        resource: "core/v1/namespaces/a/pods/b/exec/b",
        rest: r#""status":{"code":2}"#,
        operation: r#""first":true"#,
    };
    let names = ["stage", "activity", "verb"];
    assert_eq!(row(&call.entry(), names), ["ResponseStarted", "access", "create"]);
}

/// The query of the request is not in the log; the options in the body of a delete are.
#[test]
fn dry_runs() {
    let options = |list: &str| {
        format!(r#""status":{{}},"request":{{"@type":"meta.k8s.io/v1.DeleteOptions"{list}}}"#)
    };
    for (method, rest, expected) in [
        ("io.k8s.core.v1.pods.create", r#""status":{}"#.to_owned(), ["", "allowed"]),
        ("io.k8s.core.v1.pods.delete", r#""status":{}"#.to_owned(), ["", "allowed"]),
        ("io.k8s.core.v1.pods.delete", options(r#","dryRun":["All"]"#), ["true", "dry_run"]),
        ("io.k8s.core.v1.pods.delete", options(""), ["false", "allowed"]),
    ] {
        let call = Call { method, rest: &rest, ..CREATE };
        assert_eq!(row(&call.entry(), ["dry_run", "outcome"]), expected, "{method} {rest}");
    }
}

/// A JSON patch is a list, which protobuf can hold only under a key.
#[test]
fn patches() {
    let merge = r#""request":{"@type":"k8s.io/Patch","spec":{"replicas":0}}"#;
    let json = r#""request":{"@type":"k8s.io/Patch","patch":[{"op":"add","path":"/a","value":1}]}"#;
    for (rest, expected) in
        [(merge, r#"{"spec":{"replicas":0}}"#), (json, r#"[{"op":"add","path":"/a","value":1}]"#)]
    {
        let call = Call { method: "io.k8s.apps.v1.deployments.patch", rest, ..CREATE };
        assert_eq!(row(&call.entry(), ["request_object"]), [expected]);
    }
}

#[test]
fn an_invalid_address() {
    let entry = CREATE.entry().replace("203.0.113.9", "gce-internal-ip");
    assert_eq!(row(&entry, ["client_ip", "source_ips"]), ["", ""]);
}

/// Cluster administration is in the same log, and does not belong to the Kubernetes API.
#[test]
fn other_services() {
    let other = CREATE
        .entry()
        .replace(r#""serviceName":"k8s.io""#, r#""serviceName":"container.googleapis.com""#);
    let log = lines([CREATE.entry(), other.clone()]);
    let (memory, summary) = run_stream(log, &Options::default());
    assert_eq!((summary.events_added, summary.quarantined), (1, 1));
    assert_eq!(memory.quarantine[0].bytes, other.as_bytes());
}

#[test]
fn yaml_is_rejected_with_a_hint() {
    let yaml = "---\ninsertId: id-1\nprotoPayload:\n  serviceName: k8s.io\n";
    let folder = Folder::new().with("a.yaml", yaml).with("b.log", event(1));
    let (_, summary) = run(&[folder.input()], &Options::default());
    let expected = "a.yaml: not an audit log: Cloud Logging entries as YAML: \
                    export them with --format=json";
    assert_eq!(messages(&summary.problems), [expected]);
}

/// A Pub/Sub message that cannot be decoded affects only itself.
#[test]
fn damage_is_reported() {
    let message = |data: &str| format!(r#"{{"message":{{"data":"{data}","messageId":"1"}}}}"#);
    let log = lines([message("%"), message(&base64(CREATE.entry()))]);
    let (memory, summary) = run_stream(log, &Options::default());
    assert_eq!((summary.events_added, summary.quarantined), (1, 1));
    assert!(memory.quarantine[0].reason.starts_with("pubsub: invalid base64"));
}

/// GKE writes non-resource paths of the API server as resources of the core group.
#[test]
fn non_resource_paths() {
    for (method, resource, path) in [
        ("io.k8s.core.v1.healthz.get", "core/v1/healthz", "/healthz"),
        ("io.k8s.core.v1.readyz.get", "core/v1/readyz/etcd", "/readyz/etcd"),
    ] {
        let entry = Call { method, resource, ..CREATE }.entry();
        assert_eq!(row(&entry, ["request_uri", "resource", "name"]), [path, "", ""], "{method}");
    }
}
