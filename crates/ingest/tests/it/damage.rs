//! What is no audit log is refused by name; what is damaged is told with its place.

use podtrail_ingest::Options;

use crate::support::{Folder, event, gzip, lines, messages, run, run_stream};

#[test]
fn other_files_give_one_problem_each() {
    let truth = "{\n \"meta\": {\"auditID\": \"x\"},\n \"scenarios\": []\n}\n";
    let policy = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\n";
    let folder = Folder::new()
        .with(".hidden", "# a comment\nkey: value\n")
        .with(
            "admission.json",
            lines([r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}"#]),
        )
        .with("audit-policy.yaml", policy)
        .with("audit.log", lines((0..3).map(event)))
        .with("binary", [7u8; 300])
        .with("notes.txt", "just text\n".repeat(10_000))
        .with("page.html", "<!DOCTYPE html>\n")
        .with("pointer", "version https://git-lfs.github.com/spec/v1\n")
        .with("truth.json", truth)
        .with("truth.json.gz", gzip(truth.as_bytes()));
    let (memory, summary) = run(&[folder.input()], &Options::default());
    assert_eq!(memory.audit_ids(), ["id-0", "id-1", "id-2"]);
    assert_eq!(summary.quarantined, 0);
    assert_eq!(summary.files, 1);
    let expected = [
        (".hidden", "YAML text"),
        ("admission.json", "an AdmissionReview"),
        ("audit-policy.yaml", "an audit policy"),
        ("binary", "binary data"),
        ("notes.txt", "text without audit events"),
        ("page.html", "HTML or XML"),
        ("pointer", "a Git LFS pointer: fetch the file itself"),
        ("truth.json", "JSON, but not an audit event"),
        ("truth.json.gz", "JSON, but not an audit event"),
    ];
    assert_eq!(summary.problems.len(), expected.len(), "{:#?}", summary.problems);
    for (problem, (file, reason)) in summary.problems.iter().zip(expected) {
        assert!(problem.file.ends_with(file), "{problem}");
        assert!(problem.message.starts_with(&format!("not an audit log: {reason}")), "{problem}");
    }
}

#[test]
fn places_are_told() {
    let log = lines([event(1), "oops".into(), event(2), r#"{"a":1}"#.into()]);
    let folder = Folder::new().with("audit.log", &log);
    let (memory, summary) = run(&[folder.input()], &Options::default());
    assert_eq!(memory.audit_ids(), ["id-1", "id-2"]);
    let [oops, other] = &summary.problems[..] else { panic!("two problems: {summary:?}") };
    assert_eq!((oops.line, other.line), (Some(2), Some(4)));
    assert_eq!(oops.offset, Some(event(1).len() as u64 + 1));
    assert!(oops.message.starts_with("quarantined: not valid JSON"), "{oops}");
    assert!(other.message.starts_with("quarantined: not an audit event"), "{other}");
    let mut records: Vec<_> = memory.quarantine.iter().map(|record| &record.bytes[..]).collect();
    records.sort();
    assert_eq!(records, [&b"oops"[..], br#"{"a":1}"#]);
}

#[test]
fn invalid_utf8_costs_the_line() {
    let mut broken = event(2).into_bytes();
    let at = memchr::memmem::find(&broken, b"alice").expect("a name");
    broken[at] = 0xff;
    let log = [lines([event(1)]), broken.clone(), b"\n".to_vec(), lines([event(3)])].concat();
    let (memory, summary) = run_stream(log, &Options::default());
    assert_eq!(memory.audit_ids(), ["id-1", "id-3"]);
    assert_eq!(memory.quarantine[0].bytes, broken);
    assert_eq!(summary.quarantined, 1);
}

/// A log whose every event is damaged is a log.
#[test]
fn only_a_cut_event() {
    let half = &event(1)[..200];
    let (memory, summary) = run_stream(half, &Options::default());
    assert_eq!(summary.files, 1);
    assert_eq!(memory.quarantine[0].bytes, half.as_bytes());
}

#[test]
fn only_nul_bytes() {
    for length in [10, 5_000_000] {
        let (memory, summary) = run_stream(vec![0; length], &Options::default());
        assert_eq!(summary.quarantined, 1);
        assert_eq!(memory.quarantine[0].length, i64::try_from(length).expect("a length"));
    }
}

#[test]
fn empty_files_are_noted() {
    let folder = Folder::new().with("a.log", "").with("b.log", "\n\n").with("c.gz", gzip(b""));
    let (_, summary) = run(&[folder.input()], &Options::default());
    assert!(summary.problems.is_empty(), "{summary:?}");
    assert_eq!(messages(&summary.notes), ["a.log: empty", "b.log: empty", "c.gz: empty"]);
    assert_eq!((summary.files, summary.records), (3, 0));
}
