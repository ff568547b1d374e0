//! Lines of text with an event after a prefix. No real sample was available: the forms are those of RFC 3164, RFC 5424,
//! and the tools' documentation.

use crate::support::event;
use crate::wrapped::{Case, bare_id, check, unwrap};

#[test]
fn every_prefix() {
    let raw = event(1);
    let time = "2026-11-23T22:00:00.374797Z";
    let fluent = format!(r#"{{"log":{},"x":1}}"#, crate::wrapped::quoted(&raw));
    check(vec![
        Case::new("kubectl logs --timestamps", format!("{time} {raw}"), &["kubectl-logs"]).timed(),
        Case::new(
            "kubectl logs --prefix",
            format!("[pod/kube-apiserver-n1/kube-apiserver] {raw}"),
            &["kubectl-logs"],
        )
        .at("n1"),
        Case::new(
            "both",
            format!("[pod/kube-apiserver-n1/kube-apiserver] {time} {raw}"),
            &["kubectl-logs"],
        )
        .at("n1")
        .timed(),
        Case::new("Grafana text", format!("{time}\t{raw}"), &["kubectl-logs"]).timed(),
        Case::new("RFC 3164", format!("<134>Nov 23 22:00:00 n1 audit[1]: {raw}"), &["syslog"])
            .at("n1"),
        Case::new("one digit", format!("<134>Nov  3 22:00:00 n1 audit: {raw}"), &["syslog"])
            .at("n1"),
        Case::new("without tag", format!("<134>Nov 23 22:00:00 n1 {raw}"), &["syslog"]).at("n1"),
        Case::new("in a file", format!("Nov 23 22:00:00 n1 audit: {raw}#012"), &["syslog"])
            .at("n1"),
        Case::new("precise, in a file", format!("{time} n1 audit: {raw}"), &["syslog"])
            .at("n1")
            .timed(),
        Case::new("RFC 5424", format!("<134>1 {time} n1 audit 1 - - {raw}"), &["syslog"])
            .at("n1")
            .timed(),
        Case::new(
            "RFC 5424 with data, mark and length",
            format!(
                r#"812 <134>1 {time} n1 audit 1 ID [a@1 b="c\] {{\"" d="e"][f] {mark}{raw}"#,
                mark = '\u{feff}'
            ),
            &["syslog"],
        )
        .at("n1")
        .timed(),
        Case::new("RFC 5424 without values", format!("<134>1 - - - - - - {raw}"), &["syslog"]),
        Case::new("Fluentd", format!("{time}\tkube.audit\t{raw}"), &["fluentd"]).timed(),
        Case::new("Fluentd record", format!("{time}\tk\t{fluent}"), &["fluentd", "fluent"]).timed(),
        Case::new("kcat", format!("1795471200374 key {raw}"), &["kafka"])
            .timed_at(1_795_471_200_374_000),
        Case::new("kcat without key", format!("1795471200374  {raw}"), &["kafka"])
            .timed_at(1_795_471_200_374_000),
        Case::new("grep", format!("logs/audit.log:17:{raw}"), &["text"]).rebuilt(),
        Case::new("stern", format!("kube-apiserver-n1 kube-apiserver {raw}"), &["text"]).rebuilt(),
        Case::new("compose", format!("kube-apiserver-1  | {raw}"), &["text"]).rebuilt(),
        Case::new("server-sent", format!("data: {raw}"), &["text"]).rebuilt(),
    ]);
}

#[test]
fn positions_are_those_of_the_event() {
    let log = format!("\n<134>Nov 23 22:00:00 n1 audit: {}\n", event(1));
    let (events, ..) = unwrap(log.clone());
    let offset = usize::try_from(events[0].offset).expect("an offset");
    assert!(log[offset..].starts_with(r#"{"kind""#));
    assert_eq!(events[0].line, 2);
}

/// Component lines after a prefix are skipped like those without one.
#[test]
fn klog_after_prefixes() {
    let klog = "I1123 22:00:00.374797       1 controller.go:128] started";
    let prefixes =
        ["2026-11-23T22:00:00Z ", "<134>Nov 23 22:00:00 n1 apiserver[1]: ", "[pod/a/b] "];
    for prefix in prefixes {
        let (events, reasons, summary) = unwrap(format!("{}\n{prefix}{klog}\n", event(1)));
        assert_eq!((events.len(), summary.skipped), (1, 1), "{prefix}");
        assert!(reasons.is_empty());
    }
}

/// Half an event is not a prefix, and a prefix does not hide a damaged event.
#[test]
fn text_that_is_not_a_prefix() {
    let tail = &event(1)[300..];
    for line in [
        format!("{tail} {}", event(2)),
        format!("<134>Nov 23 22:00:00 n1 audit: {}", &event(2)[..200]),
        format!("audit.log:{}", &event(2)[..200]),
        format!("audit.log:{} and more", event(2)),
    ] {
        let (events, reasons, _) = unwrap(format!("{}\n{line}\n", event(1)));
        assert_eq!(events.len(), 1, "{line}");
        assert_eq!(events[0].event_id, bare_id(1));
        assert_eq!(reasons.len(), 1, "{line}");
    }
}
