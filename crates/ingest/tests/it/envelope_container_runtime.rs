//! Lines of container runtimes, whole and in parts. No real sample with audit events was available: the forms are those
//! of the CRI (`k8s.io/cri-client/pkg/logs`) and of Docker's json-file driver.

use crate::support::event;
use crate::wrapped::{Case, check, quoted, unwrap};

const TIME: &str = "2026-11-23T22:00:00.374797001Z";

fn docker(stream: &str, text: &str) -> String {
    format!(r#"{{"log":{},"stream":"{stream}","time":"{TIME}"}}"#, quoted(text))
}

fn cri(stream: &str, tag: &str, text: &str) -> String {
    format!("{TIME} {stream} {tag} {text}")
}

#[test]
fn whole_lines() {
    let line = format!("{}\n", event(1));
    check(vec![
        Case::new("CRI", cri("stdout", "F", &event(1)), &["cri"]).timed(),
        Case::new("CRI with tags", cri("stdout", "F:x:y", &event(1)), &["cri"]).timed(),
        Case::new("CRI with CRLF", cri("stdout", "F", &event(1)) + "\r\n", &["cri"]).timed(),
        Case::new("Docker", docker("stdout", &line), &["docker"]).timed(),
        Case::new("Docker without its newline", docker("stdout", &event(1)), &["docker"]).timed(),
        Case::new(
            "Docker with labels",
            docker("stdout", &line).replace(r#","time""#, r#","attrs":{"tag":"x"},"time""#),
            &["docker"],
        )
        .timed(),
    ]);
}

#[test]
fn positions_are_those_of_the_text() {
    let first = cri("stderr", "F", "I1123 22:00:00.374797       1 controller.go:128] started");
    let log = format!("{first}\n{}\n", cri("stdout", "F", &event(1)));
    let (events, reasons, summary) = unwrap(log.clone());
    assert!(reasons.is_empty(), "{reasons:?}");
    assert_eq!(summary.skipped, 1);
    let offset = usize::try_from(events[0].offset).expect("an offset");
    assert!(log[offset..].starts_with(&event(1)));
    assert_eq!(events[0].line, 2);
}

#[test]
fn other_lines_of_the_component_are_skipped_and_reported() {
    let klog = "I1123 22:00:00.374797       1 controller.go:128] {\"quoted\": 1}";
    let json = r#"{"ts":1795471200374.1,"caller":"app/server.go:1","msg":"started","v":0}"#;
    for wrap in [
        (|text: &str| text.to_owned()) as fn(&str) -> String,
        |text| cri("stderr", "F", text),
        |text| docker("stderr", &format!("{text}\n")),
    ] {
        let lines = [klog, &event(1), json, "Flag --x has been deprecated, use y", &event(2)];
        let log: Vec<_> = lines.iter().map(|line| wrap(line)).collect();
        let (events, reasons, summary) = unwrap(log.join("\n"));
        assert_eq!(events.len(), 2, "{log:#?}");
        assert!(reasons.is_empty(), "{reasons:?}");
        assert_eq!(summary.skipped, 3);
        assert_eq!(
            summary.notes[0].message,
            "3 records were skipped (no audit event), for example klog lines of a Kubernetes component"
        );
        let (events, _, summary) = unwrap(wrap(klog));
        assert!(events.is_empty());
        assert_eq!(
            summary.problems[0].message,
            "not an audit log: contains only klog lines of a Kubernetes component"
        );
    }
}

/// Foreign lines are quarantined individually, with their text from the envelope.
#[test]
fn text_of_another_program() {
    let log = [cri("stdout", "F", &event(1)), cri("stdout", "F", "hello"), docker("stdout", "x\n")];
    let (events, reasons, summary) = unwrap(log.join("\n"));
    assert_eq!(events.len(), 1);
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert_eq!(summary.skipped, 0);
}

/// A line that only resembles a part does not consume the next line.
#[test]
fn lines_that_are_not_parts() {
    let part = &cri("stdout", "P", "{");
    for odd in [
        part.replace("-11-23T", "-13-45T"),
        part.replace("22:00", "22-00"),
        part.replace("001Z", ""),
        part.replace(" P ", " PF "),
        part.replace(" P ", "  P "),
        part.replace("stdout", "stdoutx"),
        part.replace("stdout", "STDOUT"),
    ] {
        let log = [&odd, &cri("stdout", "F", &event(1)), &cri("stdout", "F", &event(2))];
        let (events, reasons, _) = unwrap(log.map(String::as_str).join("\n"));
        assert_eq!(events.iter().map(|event| event.line).collect::<Vec<_>>(), [2, 3], "{odd}");
        assert_eq!(reasons.len(), 1, "{odd}: {reasons:?}");
    }
}

/// Blanks at the seams belong to the text; a part may be empty.
#[test]
fn seams_of_parts() {
    let spaced = event(1).replacen("/pods", " /pods", 1);
    let (head, tail) = spaced.split_at(spaced.find("/pods").expect("a path"));
    let empty = cri("stdout", "P", "");
    let parts = [
        cri("stdout", "P", head),
        empty.clone(),
        empty.trim_end().to_owned(),
        cri("stdout", "P:x", &tail[..5]),
        cri("stdout", "P", ""),
        cri("stdout", "F", &tail[5..]),
    ];
    for end in ["\n", "\r\n"] {
        let (events, reasons, _) = unwrap(parts.join(end) + end);
        assert!(reasons.is_empty(), "{reasons:?}");
        let (bare, ..) = unwrap(spaced.clone());
        assert_eq!(events[0].event_id, bare[0].event_id, "{end:?}");
        assert_eq!(events[0].envelopes, ["cri"]);
    }
}
