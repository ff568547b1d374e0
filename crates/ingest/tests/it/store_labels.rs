//! Data that stores add to an event: cluster, provider, node, and all other labels in the column
//! `envelope`.

use arrow::array::{Array, AsArray};
use podtrail_ingest::{Options, RedactionKey};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Memory, event, lines, run_stream};
use crate::unwrapped::column;
use crate::wrapped::{bare_id, quoted};

const STREAM: &str = "kube-apiserver-audit-0a1b2c3d4e5f60718293a4b5c6d7e8f9";

/// The entries of `envelope` of all events.
fn labels(memory: &Memory) -> Vec<Vec<(String, String)>> {
    let mut all = Vec::new();
    for batch in &memory.batches {
        let maps = batch.column_by_name("envelope").expect("a column").as_map();
        for row in 0..maps.len() {
            let entries = maps.value(row);
            let texts = |index: usize| {
                let texts = entries.column(index).as_string::<i32>();
                texts.iter().map(|text| text.unwrap_or_default().to_owned()).collect::<Vec<_>>()
            };
            all.push(texts(0).into_iter().zip(texts(1)).collect());
        }
    }
    all
}

fn with(extra: &Value) -> Value {
    let mut record: Value = serde_json::from_str(&event(1)).expect("JSON");
    let extra = extra.as_object().expect("an object").clone();
    record.as_object_mut().expect("an object").extend(extra);
    record
}

/// The forms in which stores name the cluster.
#[test]
fn the_cluster_is_recognized_by_the_words_of_its_path() {
    let text = event(1);
    let records = [
        json!({"preview": false, "result": {"_raw": text, "cluster_name": "prod-eu", "host": "cp-1"}}),
        json!({"result": {"_raw": text, "k8s_cluster": "prod-eu", "index": "k8s"}}),
        json!({"time": 1_795_471_200.5, "sourcetype": "kube:audit", "event": text, "fields": {"cluster": "prod-eu"}}),
        json!({"@timestamp": "2026-11-23T22:00:00Z", "log": text, "kubernetes_cluster": "prod-eu"}),
        json!({"date": 1_795_471_200.5, "log": text, "kubernetes": {"labels": {"app": "x"}}, "clusterName": "prod-eu"}),
        json!({"file": "/audit.log", "source_type": "file", "message": text, "cluster": "prod-eu"}),
        json!({"labels": {"cluster": "prod-eu", "job": "audit"}, "line": text, "timestamp": "2026-11-23T22:00:00Z"}),
        json!({"status": "success", "data": {"result": [{"stream": {"cluster": "prod-eu"}, "values": [["1795471200374797001", text]]}]}}),
        json!({"@timestamp": "2026-11-23T22:00:00Z", "agent": {}, "message": text, "orchestrator": {"cluster": {"name": "prod-eu"}}}),
        json!({"_index": "x", "_source": {"message": text, "fields": {"k8s.cluster.name": "prod-eu"}, "elasticsearch": {"cluster": {"name": "es"}}}}),
        json!({"resourceLogs": [{"resource": {"attributes": [{"key": "k8s.cluster.name", "value": {"stringValue": "prod-eu"}}]},
            "scopeLogs": [{"logRecords": [{"body": {"stringValue": text}}]}]}]}),
        json!({"message": text, "ddtags": "env:prod,kube_cluster_name:prod-eu", "ddsource": "kubernetes"}),
        json!({"raw": text, "tags": ["cluster:prod-eu"]}),
        json!({"message": text, "cluster_arn": "arn:aws:eks:eu-west-1:111122223333:cluster/prod-eu"}),
        json!({"message": text, "resourceId": "/SUBSCRIPTIONS/x/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/PROD-EU"}),
        with(&json!({"cluster": "prod-eu"})),
        with(&json!({"k8s": {"cluster": {"name": "prod-eu"}}})),
        with(
            &json!({"openshift": {"cluster_id": "5b1f", "labels": {"cluster": "prod-eu"}}, "k8s_audit_level": "Metadata"}),
        ),
    ];
    for record in records {
        let (memory, summary) = run_stream(record.to_string(), &Options::default());
        assert_eq!((summary.events_added, summary.quarantined), (1, 0), "{record}");
        assert_eq!(column(&memory, "cluster"), ["prod-eu"], "{record}");
        assert_eq!(column(&memory, "event_id"), [bare_id(1)], "{record}");
    }
}

/// The cluster of another system is not a Kubernetes cluster, and names take precedence over ids.
#[test]
fn clusters_of_other_systems_are_ignored() {
    for labels in [
        json!({"elasticsearch": {"cluster": {"name": "es"}}}),
        json!({"kafka_cluster": "k"}),
        json!({"clustered": "yes"}),
        json!({"cluster": true}),
        json!({"cluster_size": "3"}),
    ] {
        let mut record = json!({"message": event(1)});
        record.as_object_mut().expect("an object").extend(labels.as_object().expect("one").clone());
        let (memory, _) = run_stream(record.to_string(), &Options::default());
        assert_eq!(column(&memory, "cluster"), ["default"], "{record}");
    }
    let record =
        json!({"message": event(1), "cluster_id": "5b1f", "fields": {"cluster_name": "prod"}});
    let (memory, _) = run_stream(record.to_string(), &Options::default());
    assert_eq!(column(&memory, "cluster"), ["prod"]);
}

/// Log group and stream of CloudWatch, wherever they are.
#[test]
fn flattened_cloudwatch() {
    let (text, klog) = (event(1), "I1123 22:00:00.374797       1 leaderelection.go:258] acquired");
    let group = "/aws/eks/prod-eu/cluster";
    let records: [fn(&str, &str, &str) -> Value; 7] = [
        |group, stream, text| json!({"id": "1", "timestamp": 1_795_471_200_374_u64, "logGroup": group, "logStream": stream, "message": text}),
        |group, stream, text| json!({"aws": {"cloudwatch": {"log_group": group, "log_stream": stream}}, "message": text, "@timestamp": "2026-11-23T22:00:00Z", "agent": {}}),
        |group, stream, text| json!({"log_group": group, "log_stream": stream, "message": text}),
        |group, stream, text| json!({"@log_group": group, "@log_stream": stream, "@message": text}),
        |group, stream, text| json!({"@log": format!("111122223333:{group}"), "@logStream": stream, "@message": text}),
        |group, stream, text| json!({"aws": {"awslogs": {"logGroup": group, "logStream": stream}}, "message": text}),
        |group, stream, text| json!({"time": 1_795_471_200.5, "source": format!("eu-west-1:{group}:{stream}"), "sourcetype": "aws:cloudwatchlogs", "event": text}),
    ];
    for record in records {
        let other = STREAM.replace("kube-apiserver-audit", "kube-scheduler");
        let log = lines([
            record(group, STREAM, &text).to_string(),
            record(group, &other, klog).to_string(),
            record(group, &other, "not a line that is known").to_string(),
        ]);
        let (memory, summary) = run_stream(log, &Options::default());
        let name = record(group, STREAM, "…").to_string();
        assert_eq!(
            (summary.events_added, summary.quarantined, summary.skipped),
            (1, 0, 2),
            "{name}: {summary:?}"
        );
        assert_eq!(column(&memory, "cluster"), ["prod-eu"], "{name}");
        assert_eq!(column(&memory, "provider"), ["eks"], "{name}");
        assert_eq!(column(&memory, "node"), [STREAM], "{name}");
    }
}

/// A stream can have any name: an event in it counts.
#[test]
fn an_event_in_another_stream_is_read() {
    let stream = STREAM.replace("kube-apiserver-audit", "kube-scheduler");
    let record =
        json!({"logGroup": "/aws/eks/a/cluster", "logStream": stream, "message": event(1)});
    let (_, summary) = run_stream(record.to_string(), &Options::default());
    assert_eq!((summary.events_added, summary.skipped), (1, 0));
}

#[test]
fn an_option_names_the_member_with_the_cluster() {
    let record = |site: &str, id: usize| {
        json!({"message": event(id), "cluster": "x", "fields": {"site": site}}).to_string()
    };
    let log = lines([record("a", 1), record("b", 2), json!({"message": event(3)}).to_string()]);
    let options = Options { cluster_field: Some("fields.site".to_owned()), ..Options::default() };
    let (memory, summary) = run_stream(log, &options);
    assert_eq!(column(&memory, "cluster"), ["a", "b", "default"]);
    assert_eq!(summary.warnings, ["1 events lack the field fields.site, which names the cluster"]);
}

#[test]
fn several_clusters_under_one_name_give_a_warning() {
    let record =
        |cluster: &str, id: usize| json!({"message": event(id), "cluster": cluster}).to_string();
    let log = lines([record("a", 1), record("b", 2)]);
    let (_, summary) = run_stream(log.clone(), &Options::default());
    assert!(summary.warnings.is_empty(), "{summary:?}");
    let options = Options { cluster: Some("prod".to_owned()), ..Options::default() };
    let (_, summary) = run_stream(log, &options);
    assert_eq!(summary.warnings.len(), 1);
    assert!(summary.warnings[0].contains("'a', 'b'"), "{summary:?}");
    let hint =
        |index: &str, id: usize| json!({"result": {"_raw": event(id), "index": index}}).to_string();
    let (_, summary) = run_stream(lines([hint("eu", 1), hint("us", 2)]), &Options::default());
    assert!(summary.warnings[0].ends_with("--cluster-field result.index"), "{summary:?}");
}

/// A bare event has no labels; other events have everything except the event.
#[test]
fn members_of_an_envelope_are_kept() {
    let record = with(
        &json!({"@timestamp": "x", "kubernetes": {"pod_name": "p"}, "streams": ["1"], "n": 5, "on": true}),
    );
    let (memory, _) = run_stream(lines([event(2), record.to_string()]), &Options::default());
    let all = labels(&memory);
    assert!(all[0].is_empty());
    let pairs: Vec<_> =
        all[1].iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
    for pair in [("kubernetes.pod_name", "p"), ("streams", "[\"1\"]"), ("n", "5"), ("on", "true")] {
        assert!(pairs.contains(&pair), "{pairs:?}");
    }
    assert!(!pairs.iter().any(|(path, _)| path.contains("auditID")));
}

#[test]
fn labels_are_redacted() {
    let secret =
        json!({"kind": "Secret", "apiVersion": "v1", "data": {"password": "aHVudGVyMg=="}});
    let record = json!({
        "message": event(1), "authorization": "Bearer hunter2", "last": secret, "copy": secret.to_string(),
        "request_object": {"data": {"password": "aHVudGVyMg=="}}, "x": {"auditID": "id-1", "requestObject": secret},
    });
    let options = Options { redact: Some(RedactionKey::new([1; 32])), ..Options::default() };
    let (memory, _) = run_stream(record.to_string(), &options);
    let text = format!("{:?}", labels(&memory));
    assert!(!text.contains("hunter2") && !text.contains("aHVudGVyMg"), "{text}");
}

/// A decoded copy next to the complete text is not a second event; two events with one id are two
/// events.
#[test]
fn a_copy_is_not_a_second_event() {
    let mut copy: Value = serde_json::from_str(&event(1)).expect("JSON");
    copy["userAgent"] = json!("lost");
    let (_, summary) =
        run_stream(json!({"raw": event(1), "parsed": copy}).to_string(), &Options::default());
    assert_eq!(summary.events_added, 1);
    let cut = &event(1)[..300];
    let (memory, summary) =
        run_stream(json!({"raw": cut, "parsed": copy}).to_string(), &Options::default());
    assert_eq!(summary.events_added, 1);
    assert_eq!(column(&memory, "truncated"), ["false"]);
    let (_, summary) =
        run_stream(json!({"list": [event(1), copy.to_string()]}).to_string(), &Options::default());
    assert_eq!(summary.events_added, 2);
}

/// `AuditID`, `audit_id`, `objectRef.resource`, `user_username`.
#[test]
fn other_spellings() {
    let bare: Value = serde_json::from_str(&event(1)).expect("JSON");
    let object = bare.as_object().expect("an object");
    let capital = |key: &str| format!("{}{}", key[..1].to_uppercase(), &key[1..]);
    let snake = |key: &str| match key {
        "auditID" => "audit_id".to_owned(),
        "requestURI" => "request_uri".to_owned(),
        "sourceIPs" => "source_ips".to_owned(),
        key => key
            .chars()
            .flat_map(
                |c| if c.is_uppercase() { vec!['_', c.to_ascii_lowercase()] } else { vec![c] },
            )
            .collect(),
    };
    let renamed = |rename: &dyn Fn(&str) -> String| -> Value {
        object
            .iter()
            .map(|(key, value)| (rename(key), value.clone()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let mut flat = serde_json::Map::new();
    for (key, value) in object {
        match value {
            Value::Object(members) => flat.extend(
                members.iter().map(|(name, value)| (format!("{key}.{name}"), value.clone())),
            ),
            value => drop(flat.insert(key.clone(), value.clone())),
        }
    }
    for record in [renamed(&capital), renamed(&snake), flat.into()] {
        let (memory, summary) = run_stream(record.to_string(), &Options::default());
        assert_eq!((summary.events_added, summary.quarantined), (1, 0), "{record}: {summary:?}");
        for (name, expected) in
            [("username", "alice"), ("resource", "pods"), ("verb", "list"), ("status_code", "200")]
        {
            assert_eq!(column(&memory, name), [expected], "{record}");
        }
    }
}

#[test]
fn near_rfc_3339() {
    for time in [
        "2026-11-23 21:55:01.374797",
        "2026-11-23T21:55:01.374797",
        "2026-11-23 21:55:01.374797 UTC",
    ] {
        let log = event(1).replace("2026-11-23T21:55:01.374797Z", time);
        let (memory, summary) = run_stream(log, &Options::default());
        assert_eq!(summary.quarantined, 0);
        assert_eq!(column(&memory, "time"), [1_795_470_901_374_797_i64.to_string()], "{time}");
        assert_eq!(column(&memory, "time_problem"), [""]);
    }
}

/// An object that ends with its list is complete.
#[test]
fn a_list_as_the_last_member_is_not_damaged() {
    for name in ["events", "records", "logs", "rows"] {
        let log = format!(r#"{{"source":"x","cluster":"c","{name}":[{},{}]}}"#, event(1), event(2));
        let (memory, summary) = run_stream(log, &Options::default());
        assert_eq!((summary.events_added, summary.quarantined), (2, 0), "{name}: {summary:?}");
        assert_eq!(column(&memory, "cluster"), ["c", "c"]);
    }
}

/// Any text of up to 3,000 characters; a repeated one, because to generate each character takes longer than the test.
fn long_text() -> impl Strategy<Value = String> {
    (".{0,30}", 0usize..=100).prop_map(|(text, count)| text.repeat(count))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Members added by a shipper do not change the event, and the labels are bounded.
    #[test]
    fn an_event_does_not_depend_on_other_members(
        members in prop::collection::btree_map("[a-zA-Z@_.]{1,12}", long_text(), 0..40)
    ) {
        let api = podtrail_event::EVENT_MEMBERS;
        let plain = |key: &str| key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        let is_api = |key: &str| api.iter().any(|name| plain(name) == plain(key));
        let extra: serde_json::Map<_, _> = members.into_iter()
            .filter(|(key, _)| !is_api(key))
            .map(|(key, value)| (key, Value::from(value)))
            .collect();
        let (memory, summary) = run_stream(with(&extra.into()).to_string(), &Options::default());
        prop_assert_eq!((summary.events_added, summary.quarantined), (1, 0));
        prop_assert_eq!(column(&memory, "event_id"), [bare_id(1)]);
        let bytes: usize = labels(&memory).iter().flatten().map(|(path, value)| path.len() + value.len()).sum();
        prop_assert!(bytes <= 16 * 1024);
    }
}

#[test]
fn quoted_text_is_not_a_label() {
    let record = format!(r#"{{"message":{},"note":"x"}}"#, quoted(&event(1)));
    let (memory, _) = run_stream(record, &Options::default());
    assert_eq!(labels(&memory), [[("note".to_owned(), "x".to_owned())]]);
}

/// A client chooses its user name, which a store may flatten: it names no cluster, provider or log stream.
#[test]
fn a_user_name_does_not_name_a_cluster() {
    for value in [
        "a/aws/eks/evil/cluster",
        "/subscriptions/s/resourceGroups/r/providers/p/managedClusters/evil",
        STREAM,
    ] {
        for path in ["user.username", "user_groups_0", "annotations.example.com/note"] {
            let (memory, _) =
                run_stream(with(&json!({ path: value })).to_string(), &Options::default());
            let found = ["cluster", "provider", "node"].map(|name| column(&memory, name));
            assert_eq!(found, [["default"], [""], [""]], "{path} {value}");
        }
    }
}

/// An event that cannot be read is quarantined, regardless of the lines next to it.
#[test]
fn an_unreadable_event_next_to_a_klog_line_is_kept() {
    let record = json!({ "auditID": "x", "message": "I1123 22:00:00.374797       1 controller.go:128] started" });
    let (_, summary) = run_stream(lines([event(1), record.to_string()]), &Options::default());
    assert_eq!((summary.events_added, summary.quarantined, summary.skipped), (1, 1, 0));
}
