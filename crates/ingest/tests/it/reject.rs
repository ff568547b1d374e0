//! Records that are not audit events are reported by name: as a separate file, and among events.

use crate::support::{event, lines};
use crate::wrapped::unwrap;

/// A record, and the beginning of the reason.
const FOREIGN: &[(&str, &str)] = &[
    (
        r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{}}"#,
        "an AdmissionReview",
    ),
    (
        r#"{"kind":"Event","apiVersion":"v1","metadata":{},"involvedObject":{},"reason":"Failed"}"#,
        "a Kubernetes Event object",
    ),
    (
        r#"{"kind":"Event","apiVersion":"events.k8s.io/v1","regarding":{},"reason":"Failed"}"#,
        "a Kubernetes Event object",
    ),
    (
        r#"{"kind":"EventList","apiVersion":"v1","items":[{"involvedObject":{}}]}"#,
        "a list of Kubernetes objects",
    ),
    (r#"{"kind":"List","apiVersion":"v1","items":[]}"#, "a list of Kubernetes objects"),
    (r#"{"kind":"Policy","apiVersion":"audit.k8s.io/v1","rules":[]}"#, "an audit policy"),
    (
        r#"{"auditID":"x","requestURI":"/v3","user":{"name":"u"},"method":"GET","remoteAddr":"10.0.0.1"}"#,
        "a record of Rancher's own API audit log",
    ),
    (
        r#"{"output":"x","rule":"r","priority":"Notice","output_fields":{"ka.verb":"create"}}"#,
        "a Falco alert",
    ),
    (r#"{"eventType":"com.oraclecloud.x.y","data":{}}"#, "an OCI audit record"),
    (
        r#"{"event_type":"yandex.cloud.audit.k8s.apiserver.ApiServerGet"}"#,
        "a Yandex Cloud audit record",
    ),
    (r#"{"class_uid":6003,"category_uid":6,"metadata":{}}"#, "an OCSF record"),
    (
        "type=SYSCALL msg=audit(1719849199.623:5654): arch=c000003e",
        "a record of the Linux audit daemon",
    ),
    ("version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
];

#[test]
fn separate_files() {
    for (record, reason) in FOREIGN {
        let (events, reasons, summary) = unwrap(lines([record]));
        assert!(events.is_empty() && reasons.is_empty(), "{record}");
        let message = &summary.problems[0].message;
        assert!(message.starts_with(&format!("not an audit log: {reason}")), "{message}");
    }
}

#[test]
fn among_events() {
    for (record, reason) in FOREIGN {
        let (events, reasons, summary) = unwrap(lines([&event(1), *record, &event(2)]));
        assert_eq!((events.len(), summary.skipped), (2, 0), "{record}");
        assert_eq!(reasons.len(), 1, "{record}");
        assert!(reasons[0].starts_with(reason), "{reasons:?}");
    }
}

#[test]
fn a_policy_in_yaml() {
    let policy =
        "# for production\napiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: None\n";
    let (_, _, summary) = unwrap(policy);
    assert_eq!(summary.problems[0].message, "not an audit log: an audit policy");
}

/// Data that a user put into an object of a cluster is not a log, even if it resembles one.
#[test]
fn events_inside_objects_are_not_events() {
    let text = crate::wrapped::quoted(&event(2));
    for object in [
        format!(r#"{{"kind":"ConfigMap","apiVersion":"v1","data":{{"message":{text}}}}}"#),
        format!(
            r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"object":{}}}}}"#,
            event(2)
        ),
        format!(r#"{{"auditID":"x","requestObject":{{"data":{text}}}}}"#),
    ] {
        let (events, reasons, _) = unwrap(lines([&event(1), &object]));
        assert_eq!((events.len(), reasons.len()), (1, 1), "{object}");
    }
}

/// A line that may contain an event is not skipped.
#[test]
fn klog_before_an_event() {
    let klog = "I1123 22:00:00.374797       1 controller.go:128] started";
    let log = lines([event(1), format!("{klog}{}", event(2)), format!("{klog} {}", event(3))]);
    let (events, reasons, summary) = unwrap(log);
    assert_eq!((events.len(), reasons.len(), summary.skipped), (2, 1, 0));
    assert_eq!(events[1].audit_id, "id-3");
}
