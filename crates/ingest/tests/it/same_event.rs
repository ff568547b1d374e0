//! An event is the same event in every envelope.

use podtrail_ingest::Options;

use crate::support::{event, item, lines, run_stream};
use crate::unwrapped::{base64, column, quoted};

#[test]
fn one_id() {
    let raw = event(1);
    let text = quoted(&raw);
    let members = raw.strip_prefix('{').expect("an object").strip_suffix('}').expect("an object");
    let log = lines([
        raw.clone(),
        format!(r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{}]}}"#, item(1)),
        format!(
            r#"{{"messageType":"DATA_MESSAGE","logGroup":"/aws/eks/a/cluster","logStream":"kube-apiserver-audit-1","logEvents":[{{"timestamp":1795470902500,"message":{text}}}]}}"#
        ),
        format!(
            r#"{{"awslogs":{{"data":"{}"}}}}"#,
            base64(format!(
                r#"{{"messageType":"DATA_MESSAGE","logEvents":[{{"message":{text}}}]}}"#
            ))
        ),
        format!(r#"{{"category":"kube-audit","properties":{{"log":{text}}}}}"#),
        format!(r#"{{"category":"kube-audit","properties":{{"log":{raw}}}}}"#),
        format!(
            r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{{"stringValue":{text}}}}}]}}]}}]}}"#
        ),
        format!(
            r#"{{{},"k8s_audit_level":"Metadata","openshift":{{"cluster_id":"c"}}}}"#,
            members.replace(r#""level":"Metadata""#, r#""level":"default""#)
        ),
        format!("node-1 {raw}"),
    ]);
    let (memory, summary) = run_stream(log, &Options::default());
    assert_eq!(summary.quarantined, 0, "{summary:?}");
    let ids = column(&memory, "event_id");
    assert_eq!(ids, vec![ids[0].clone(); 9]);
}
