//! Records of cluster logging, as in its operator's test data, and the lines of `oc adm node-logs`.

use podtrail_ingest::Options;

use crate::support::{Folder, event, gzip, lines, run, run_stream};
use crate::unwrapped::{Known, SHIPPED, SHIPPED_MILLIS, check, check_skipped, column};

const NODE: &str = "ip-10-0-140-97.ec2.internal";

/// The event as a ViaQ record: `level` is overwritten, and kept under another name.
fn viaq(audit_level: &str) -> String {
    let raw = event(1);
    let members = raw.replace(r#""level":"Metadata""#, r#""level":"default""#);
    let members = members.strip_prefix('{').expect("an object");
    let members = members.strip_suffix('}').expect("an object");
    format!(
        r#"{{"@timestamp":"{SHIPPED}","timestamp":"{SHIPPED}",{members},"hostname":"{NODE}","{audit_level}":"Metadata","log_type":"audit","log_source":"kubeAPI","openshift":{{"cluster_id":"d24a392b","sequence":7}},"source_type":"file","tag":".k8s-audit.log"}}"#
    )
}

#[test]
fn every_format() {
    let raw = event(1);
    let full = Known {
        envelopes: "viaq",
        provider: "openshift",
        cluster: "d24a392b",
        node: NODE,
        shipped_at: Some(SHIPPED_MILLIS),
    };
    check("ViaQ", viaq("k8s_audit_level"), &raw, &full);
    check("ViaQ of the OpenShift API", viaq("openshift_audit_level"), &raw, &full);
    let nested = Known { envelopes: "array viaq", ..full };
    check("ViaQ in an array", format!("[{}]", viaq("k8s_audit_level")), &raw, &nested);
    let line = Known { envelopes: "node-logs", cluster: "default", node: NODE, ..Known::default() };
    check("oc adm node-logs", format!("{NODE} {raw}"), &raw, &line);
}

/// The original record is kept if the event was rebuilt from it.
#[test]
fn originals() {
    let (memory, _) = run_stream(viaq("k8s_audit_level"), &Options::default());
    assert_eq!(column(&memory, "original"), [viaq("k8s_audit_level")]);
    let (memory, _) = run_stream(format!("{NODE} {}", event(1)), &Options::default());
    assert_eq!(column(&memory, "original"), [""]);
}

/// A v1beta1 event has a `timestamp` of its own.
#[test]
fn an_old_event() {
    let old = event(1).replace("audit.k8s.io/v1", "audit.k8s.io/v1beta1");
    let old = old.replace(r#""auditID""#, r#""timestamp":"2026-11-23T21:55:01Z","auditID""#);
    let record = old.replace(r#""level":"#, r#""k8s_audit_level":"Metadata","level":"#);
    let (bare, _) = run_stream(old, &Options::default());
    let (memory, _) = run_stream(record, &Options::default());
    assert_eq!(column(&memory, "envelopes"), ["viaq"]);
    assert_eq!(column(&memory, "event_id"), column(&bare, "event_id"));
}

#[test]
fn other_audit_logs_are_skipped() {
    for source in ["auditd", "ovn"] {
        let record = format!(
            r#"{{"@timestamp":"{SHIPPED}","hostname":"{NODE}","level":"default","log_source":"{source}","log_type":"audit","message":"type=BPF","openshift":{{"cluster_id":"d24a392b"}}}}"#
        );
        check_skipped(source, record, 1);
    }
}

/// Client data cannot make an event look like a record of cluster logging.
#[test]
fn a_user_agent_that_quotes_members() {
    let agent = r#""userAgent":"\"k8s_audit_level\":\"openshift\":","#;
    let log = event(1).replace(r#""verb""#, &format!(r#"{agent}"verb""#));
    let (memory, _) = run_stream(log, &Options::default());
    assert_eq!(column(&memory, "envelopes"), [""]);
}

#[test]
fn the_paths_of_must_gather() {
    let log = gzip(&lines([event(1)]));
    for (path, node) in [
        ("must-gather.local.1/quay-io-x/audit_logs/kube-apiserver/m-0-audit.log.gz", "m-0"),
        ("audit_logs/oauth-server/m-1.example-audit-2026-11-23T21-55-01.374.log.gz", "m-1.example"),
        ("audit_logs/etcd/my-audit-0-audit.log", "my-audit-0"),
        ("audit_logs/m-0-audit.log", ""),
        ("logs/kube-apiserver/m-0-audit.log", ""),
        ("audit_logs/kube-apiserver/termination.log", ""),
        ("audit_logs/kube-apiserver/-audit.log", ""),
    ] {
        let folder = Folder::new().with(path, &log);
        let (memory, _) = run(&[folder.input()], &Options::default());
        assert_eq!(column(&memory, "node"), [node], "{path}");
    }
}
