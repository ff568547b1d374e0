//! Which findings form one incident, and which stay apart; what `detect` and `podtrail incidents` do with them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::detect::Fixture;
use crate::{podtrail, privileged_pod};

/// A privileged pod that `user` creates from `address` at a time on 2026-11-24.
fn pod(user: &str, address: &str, name: &str, time: &str) -> Value {
    let mut event: Value =
        serde_json::from_str(&privileged_pod(name, &format!("2026-11-24T{time}.000000Z"))).unwrap();
    event["user"]["username"] = user.into();
    event["sourceIPs"] = json!([address]);
    event
}

/// A request without a finding.
fn read(user: &str, address: &str, time: &str) -> Value {
    let mut event = pod(user, address, &format!("read-{user}-{address}-{time}"), time);
    event["verb"] = "get".into();
    event["requestObject"] = Value::Null;
    event["responseStatus"]["code"] = 200.into();
    event
}

/// A token request for `web/robot`, with the id of the token.
fn token(user: &str, address: &str, id: &str, time: &str) -> Value {
    let mut event = pod(user, address, "robot", time);
    event["auditID"] = format!("token-{id}").into();
    event["objectRef"] = json!({
        "resource": "serviceaccounts", "subresource": "token", "namespace": "web", "name": "robot", "apiVersion": "v1",
    });
    event["requestURI"] = "/api/v1/namespaces/web/serviceaccounts/robot/token".into();
    event["requestObject"] = json!({"spec": {"audiences": []}});
    event["annotations"]["authentication.kubernetes.io/issued-credential-id"] = id.into();
    event
}

/// A binding of cluster-admin to a user.
fn binding(user: &str, address: &str, subject: &str, time: &str) -> Value {
    let mut event = pod(user, address, "gift", time);
    event["objectRef"] = json!({
        "resource": "clusterrolebindings", "name": "gift", "apiGroup": "rbac.authorization.k8s.io", "apiVersion": "v1",
    });
    event["requestURI"] = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings".into();
    event["requestObject"] = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "gift"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": subject}],
    });
    event
}

fn with_credential(mut event: Value, id: &str) -> Value {
    event["user"]["extra"] = json!({"authentication.kubernetes.io/credential-id": [id]});
    event
}

const ROBOT: &str = "system:serviceaccount:web:robot";

/// Returns logs, each with the number of incidents of severity medium or above that it must become.
fn cases() -> Vec<(&'static str, usize, Vec<Value>)> {
    vec![
        (
            "one identity at one address",
            1,
            vec![pod("bob", "10.0.0.1", "a", "10:00:00"), pod("bob", "10.0.0.1", "b", "10:40:00")],
        ),
        (
            "one identity, three hours apart",
            2,
            vec![pod("bob", "10.0.0.1", "a", "10:00:00"), pod("bob", "10.0.0.1", "b", "13:00:00")],
        ),
        (
            "two people who write in one namespace",
            2,
            vec![pod("bob", "10.0.0.1", "a", "10:00:00"), pod("eve", "10.0.0.2", "b", "10:01:00")],
        ),
        (
            "a requested token that is used elsewhere",
            1,
            vec![
                token("bob", "10.0.0.1", "JTI=7", "10:00:00"),
                with_credential(pod(ROBOT, "203.0.113.9", "a", "12:00:00"), "JTI=7"),
            ],
        ),
        (
            "a token that another identity requested",
            2,
            vec![
                token("bob", "10.0.0.1", "JTI=7", "10:00:00"),
                with_credential(pod(ROBOT, "203.0.113.9", "a", "12:00:00"), "JTI=8"),
            ],
        ),
        (
            "a granted role that is used",
            1,
            vec![
                binding("bob", "10.0.0.1", "eve", "10:00:00"),
                pod("eve", "10.0.0.2", "a", "11:00:00"),
            ],
        ),
        (
            "a role granted to an identity with earlier findings",
            2,
            vec![
                pod("eve", "10.0.0.2", "a", "09:55:00"),
                binding("bob", "10.0.0.1", "eve", "10:00:00"),
                pod("eve", "10.0.0.2", "b", "10:05:00"),
            ],
        ),
        (
            "two identities at an address where one of them never was before",
            1,
            vec![
                read("bob", "10.0.0.1", "09:00:00"),
                pod("bob", "203.0.113.9", "a", "10:00:00"),
                pod("eve", "203.0.113.9", "b", "10:10:00"),
            ],
        ),
        (
            "two identities at the address where both always are",
            2,
            vec![
                pod("bob", "203.0.113.9", "a", "10:00:00"),
                pod("eve", "203.0.113.9", "b", "10:10:00"),
            ],
        ),
        (
            "two identities at the address of a gateway",
            2,
            vec![
                read("bob", "10.0.0.1", "09:00:00"),
                read("carol", "203.0.113.9", "09:00:00"),
                read("dave", "203.0.113.9", "09:00:00"),
                pod("bob", "203.0.113.9", "a", "10:00:00"),
                pod("eve", "203.0.113.9", "b", "10:10:00"),
            ],
        ),
        (
            "an identity that changes its address",
            1,
            vec![
                pod("bob", "10.0.0.1", "a", "10:00:00"),
                pod("bob", "203.0.113.9", "b", "10:10:00"),
            ],
        ),
        (
            "an owner at the usual address, and a thief where others are",
            2,
            vec![
                read("bob", "10.0.0.1", "09:00:00"),
                pod("bob", "10.0.0.1", "a", "10:00:00"),
                pod("bob", "203.0.113.9", "b", "10:10:00"),
                pod("eve", "203.0.113.9", "c", "10:20:00"),
            ],
        ),
    ]
}

fn texts(events: &[Value]) -> Vec<String> {
    events.iter().map(Value::to_string).collect()
}

#[test]
fn traces_join_findings_and_nothing_else_does() {
    let mut lake = Fixture::new();
    let cases = cases();
    for (cluster, _, events) in &cases {
        lake.ingest_as(cluster, &texts(events));
    }
    let detections = ["privileged-container", "token-request", "cluster-admin-binding"];
    let detections = detections.iter().flat_map(|id| ["--detection", id]);
    let arguments = ["hunt", "--lake", &lake.lake, "--format", "jsonl", "--min-severity", "medium"];
    let findings = podtrail(arguments.into_iter().chain(detections)).expect(0).jsonl();
    for (cluster, expected, _) in cases {
        let of_cluster = findings.iter().filter(|finding| finding["cluster"] == cluster);
        let incidents: BTreeSet<_> =
            of_cluster.clone().map(|finding| finding["incident_id"].to_string()).collect();
        let reasons: Vec<_> = of_cluster
            .map(|finding| (&finding["title"], &finding["identity"], &finding["incident_reason"]))
            .collect();
        assert_eq!(incidents.len(), expected, "{cluster}: {reasons:?}");
        assert!(!incidents.contains("null"), "{cluster}: {reasons:?}");
    }
}

#[test]
fn an_incident_grows_merges_and_is_closed_and_reopened() {
    let mut lake = Fixture::new();
    let sql = "SELECT incident_id, state, findings, identities FROM incidents ORDER BY first_seen";
    lake.ingest(&texts(&[
        read("bob", "10.0.0.1", "09:00:00"),
        pod("eve", "203.0.113.9", "a", "10:00:00"),
        pod("bob", "203.0.113.9", "b", "11:50:00"),
    ]));
    lake.detect(&[]).expect(0);
    let before = lake.sql(sql);
    assert_eq!(before.as_array().unwrap().len(), 2, "an hour and 50 minutes apart: {before}");
    let older = before[0]["incident_id"].as_str().unwrap().to_owned();
    let younger = before[1]["incident_id"].as_str().unwrap().to_owned();

    // A finding between them joins both; the id of the older one remains, for all of them.
    lake.ingest(&texts(&[pod("eve", "203.0.113.9", "c", "10:55:00")]));
    lake.detect(&[]).expect(0);
    let merged = lake.sql(sql);
    let one = json!([{"incident_id": older, "state": "open", "findings": 3, "identities": ["bob", "eve"]}]);
    let mut sorted = merged.clone();
    let identities = sorted[0]["identities"].as_array_mut().unwrap();
    identities.sort_by_key(Value::to_string);
    assert_eq!(sorted, one);
    // A run without new events changes nothing.
    let states = "SELECT count(*) AS n FROM findings_log";
    let count = lake.sql(states);
    lake.detect(&[]).expect(0);
    assert_eq!((lake.sql(sql), lake.sql(states)), (merged, count));

    // The former id is still valid.
    let path = lake.lake.clone();
    let incidents = |arguments: &[&str]| {
        podtrail(["incidents"].iter().chain(arguments).chain(&["--lake", &*path]))
    };
    let shown = incidents(&["show", &younger, "--format", "jsonl"]).expect(0).jsonl();
    assert_eq!(shown[0]["incident_id"], older.as_str());
    assert_eq!(shown[0]["steps"].as_array().unwrap().len(), 3);
    let closed = incidents(&["close", &older[..8], "--note", "a drill", "--by", "zoe"]).expect(0);
    assert!(closed.stdout.contains("3 findings changed"), "{closed}");
    let listed = incidents(&["list", "--format", "jsonl", "--state", "closed"]).expect(0).jsonl();
    assert_eq!((listed.len(), &listed[0]["note"]), (1, &json!("a drill")));
    assert_eq!(incidents(&["list", "--state", "open"]).expect(0).stdout, "");

    // New evidence reopens it.
    lake.ingest(&texts(&[pod("bob", "203.0.113.9", "d", "12:10:00")]));
    lake.detect(&[]).expect(0);
    let reopened = lake.sql("SELECT incident_id, state, findings FROM incidents");
    assert_eq!(reopened, json!([{"incident_id": older, "state": "open", "findings": 4}]));
    let steps = lake.sql("SELECT count(*) AS steps FROM incident_steps");
    assert_eq!(steps, json!([{"steps": 4}]));
    assert_eq!(incidents(&["show", "ffff"]).expect(2).stdout, "");
}

#[test]
fn neither_a_name_nor_decoys_hide_an_identity_or_its_containment() {
    let controller = "system:serviceaccount:kube-system:evil-controller";
    let mut lake = Fixture::new();
    let decoys = (10..40).map(|n| pod("bob", "10.0.0.1", &format!("decoy-{n}"), "10:00:00"));
    let mut events: Vec<Value> = decoys.collect();
    events.push(pod(controller, "10.0.0.1", "implant", "10:05:00"));
    events.push(pod("bob", "10.0.0.1", "--all", "10:06:00"));
    lake.ingest(&texts(&events));
    let hunt = ["hunt", "--lake", &lake.lake, "--detection", "privileged-container"];
    let incidents = podtrail(hunt.iter().chain(&["--incidents", "--format", "jsonl"]));
    let incident = &incidents.expect(0).jsonl()[0];
    assert!(incident["title"].as_str().unwrap().contains(controller), "{incident}");
    assert_eq!(incident["identities"], json!(["bob", controller]));
    let commands = incident["containment"].as_array().unwrap();
    let has = |text: &str| commands.iter().any(|action| action["command"] == text);
    assert!(has("kubectl delete pods implant -n web"), "{incident}");
    let is_option = |action: &Value| action["command"].as_str().unwrap().contains("pods --all");
    assert!(!commands.iter().any(is_option), "{incident}");
    let table = podtrail(hunt).expect(0).stdout;
    assert!(table.contains("more, see --incidents --format jsonl"), "{table}");
}

#[test]
fn a_hunt_prints_incidents_in_every_format() {
    let mut lake = Fixture::new();
    let mut hostile = pod("bob", "10.0.0.1", "$(reboot)", "10:00:00");
    hostile["user"]["username"] = "bob\u{1b}[31m".into();
    lake.ingest(&texts(&[hostile]));
    let hunt = |flags: &[&str]| {
        let arguments = ["hunt", "--lake", &lake.lake, "--detection", "privileged-container"];
        podtrail(arguments.iter().chain(flags))
    };
    let table = hunt(&[]).expect(0).stdout;
    assert!(table.contains("bob\\u{1b}[31m created privileged Pod web/$(reboot)"), "{table}");
    assert!(table.contains("kubectl delete pods '$(reboot)' -n web"), "{table}");
    assert!(table.contains("incidents   1 medium\n"), "{table}");
    let incident = &hunt(&["--incidents", "--format", "jsonl"]).expect(0).jsonl()[0];
    assert_eq!(incident["objects"], json!(["Pod web/$(reboot)"]));
    assert_eq!(incident["counts"], json!([0, 0, 1, 0, 0]));
    let ocsf = &hunt(&["--incidents", "--format", "ocsf"]).expect(0).jsonl()[0];
    assert_eq!((&ocsf["class_uid"], &ocsf["type_uid"]), (&json!(2005), &json!(200_501)));
    assert_eq!(ocsf["metadata"]["uid"], incident["incident_id"]);
    assert_eq!(ocsf["finding_info_list"][0]["uid"], incident["finding_ids"][0]);
    let csv = hunt(&["--incidents", "--format", "csv"]).expect(0).stdout;
    assert!(csv.starts_with("incident_id,title,severity,"), "{csv}");
    let timeline = &hunt(&["--format", "timeline-jsonl"]).expect(0).jsonl()[0];
    assert_eq!(timeline["datetime"], "2026-11-24T10:00:00.000000Z");
    assert_eq!(timeline["timestamp_desc"], "Request received");
    let csv = hunt(&["--format", "timeline-csv"]).expect(0).stdout;
    assert!(csv.starts_with("datetime,timestamp_desc,message,"), "{csv}");
    hunt(&["--incidents", "--format", "ecs"]).expect(2);

    let quiet = hunt(&["--identity", "nobody"]);
    assert!(quiet.stdout.starts_with("nothing to act on"), "{quiet}");
}
