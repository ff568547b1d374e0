//! Truncated events are completed and marked.

use podtrail_ingest::Options;

use crate::support::{event, item, lines, run_stream};
use crate::unwrapped::{SHIPPED, SHIPPED_MILLIS, column, quoted};

/// An event with bodies, in the API server's order.
const EVENT: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"id-1","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/a/pods","verb":"create","user":{"username":"älice","uid":"u","groups":["g1","g2"]},"sourceIPs":["1.1.1.1","10.0.0.1"],"objectRef":{"resource":"pods","namespace":"a","apiVersion":"v1"},"responseStatus":{"metadata":{},"code":201},"requestObject":{"kind":"Pod","spec":{"containers":[{"name":"c","image":"nginx"}],"hostNetwork":true}},"requestReceivedTimestamp":"2026-11-23T21:55:01.374797Z","annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":""}}"#;

/// `EVENT` truncated after the first occurrence of `text`.
fn cut_behind(text: &str) -> &'static str {
    let (before, _) = EVENT.split_once(text).expect("a part of the event");
    &EVENT[..before.len() + text.len()]
}

fn azure(log: &str) -> String {
    format!(
        r#"{{"category":"kube-audit","properties":{{"log":{}}},"time":"{SHIPPED}"}}"#,
        quoted(log)
    )
}

fn cloudwatch(message: &str) -> String {
    format!(
        r#"{{"messageType":"DATA_MESSAGE","logGroup":"/aws/eks/prod/cluster","logStream":"kube-apiserver-audit-1","logEvents":[{{"timestamp":{SHIPPED_MILLIS},"message":{}}}]}}"#,
        quoted(message)
    )
}

#[test]
fn complete_members_are_kept() {
    let names = [
        "username",
        "user_groups",
        "client_ip",
        "resource",
        "status_code",
        "request_object",
        "decision",
        "decision_reason",
    ];
    let all = [
        "älice",
        "g1 g2",
        "10.0.0.1",
        "pods",
        "201",
        r#"{"kind":"Pod","spec":{"containers":[{"name":"c","image":"nginx"}],"hostNetwork":true}}"#,
        "allow",
        "",
    ];
    let first = |count: usize| {
        let mut kept = [""; 8];
        kept[..count].copy_from_slice(&all[..count]);
        kept
    };
    for (text, expected) in [
        (r#""authorization.k8s.io/decision":"allow","auth"#, first(7)),
        (r#""authorization.k8s.io/decision":"al"#, first(6)),
        (r#""requestReceivedTimestamp":"2026-11-"#, first(6)),
        // A body is kept completely or not at all: a truncated member would look as if it had not been set.
        (r#""image":"nginx"}],"hostN"#, first(5)),
        (r#""requestObject":"#, first(5)),
        (r#""responseStatus":{"metadata":{},"code":201"#, first(4)),
        (r#""responseStatus":{"metadata":{},"code":20"#, first(4)),
        (r#""responseStatus":{"meta"#, first(4)),
        (r#""objectRef":{"resource":"pods","namespace":"a""#, first(3)),
        // So is the list of addresses, because the last one counts.
        (r#""sourceIPs":["1.1.1.1","#, first(2)),
        (r#""groups":["g1","#, first(1)),
        (r#""username":"älice""#, first(1)),
        (r#""username":"äl"#, first(0)),
        (r#""verb":"create","#, first(0)),
    ] {
        let cut = cut_behind(text);
        for log in
            [azure(cut), azure(&format!("{cut}\n")), cloudwatch(&format!("{cut}[Truncated...]"))]
        {
            let (memory, summary) = run_stream(log, &Options::default());
            assert_eq!(summary.events_added, 1, "{text}: {summary:?}");
            let row = names.map(|name| column(&memory, name).swap_remove(0));
            assert_eq!(row, expected, "{text}");
            assert_eq!(column(&memory, "truncated"), ["true"]);
            let original = column(&memory, "original").swap_remove(0);
            assert!(original.starts_with(cut.trim_end_matches(',')), "{original}");
        }
    }
}

/// At any cut, the event is stored or the record is reported, and no value is invented.
#[test]
fn every_cut() {
    let cuts: Vec<usize> = (1..EVENT.len()).filter(|end| EVENT.is_char_boundary(*end)).collect();
    let log = lines(cuts.iter().map(|end| azure(&EVENT[..*end])));
    let (memory, summary) = run_stream(log, &Options::default());
    let until_id = cut_behind(r#""auditID":"id-1""#).len();
    let count = cuts.iter().filter(|end| **end >= until_id).count();
    assert_eq!(memory.audit_ids(), vec!["id-1"; count]);
    assert_eq!(summary.records, cuts.len() as u64);
    for (name, whole) in [("verb", "create"), ("status_code", "201"), ("client_ip", "10.0.0.1")] {
        let values = column(&memory, name);
        assert!(values.iter().all(|value| value.is_empty() || value == whole), "{name}");
    }
}

/// Its own time is lost first, because it follows the bodies.
#[test]
fn the_time_of_the_envelope() {
    let cut = cut_behind(r#""requestObject":{"#);
    let (memory, _) = run_stream(azure(cut), &Options::default());
    let shipped = (SHIPPED_MILLIS * 1000).to_string();
    assert_eq!(column(&memory, "time"), [shipped]);
    let (memory, _) = run_stream(azure(cut_behind(r#"21:55:01.374797Z""#)), &Options::default());
    assert_eq!(column(&memory, "time"), ["1795470901374797"]);
}

/// A truncated line in a file may be complete later.
#[test]
fn a_bare_truncated_line_is_not_an_event() {
    let cut = cut_behind(r#""authorization.k8s.io/decision":"allow""#);
    for log in [cut.to_owned(), format!("ip-10-0-0-1.internal {cut}")] {
        let (memory, summary) = run_stream(lines([event(7), log]), &Options::default());
        assert_eq!(memory.audit_ids(), ["id-7"]);
        assert_eq!(summary.quarantined, 1);
    }
    // Unless a mark shows that nothing follows.
    let marked = format!("{cut}[Truncated...]");
    let (memory, _) = run_stream(lines([event(7), marked.clone()]), &Options::default());
    let mut ids = memory.audit_ids();
    ids.sort();
    assert_eq!(ids, ["id-1", "id-7"]);
    assert!(column(&memory, "original").contains(&marked));
}

/// Damage in the middle is damage.
#[test]
fn broken_text_is_not_completed() {
    let broken = item(1).replace(r#""verb":"list""#, r#""verb":list"#);
    let (memory, summary) = run_stream(azure(&broken), &Options::default());
    assert!(memory.audit_ids().is_empty());
    assert_eq!(summary.quarantined, 1);
    assert_eq!(memory.quarantine[0].bytes, broken.as_bytes());
}
