//! Files that are not audit logs are rejected by name; damage is reported with its position.

use podtrail_ingest::Options;

use crate::support::{Folder, event, event_list, gzip, item, lines, messages, run, run_stream};

#[test]
fn other_files_are_reported_once_each() {
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
fn positions_are_reported() {
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
fn invalid_utf8_affects_only_the_line() {
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
fn only_a_truncated_event() {
    let half = &event(1)[..200];
    let (memory, summary) = run_stream(half, &Options::default());
    assert_eq!(summary.files, 1);
    assert_eq!(memory.quarantine[0].bytes, half.as_bytes());
}

/// The damage of an item.
type Way = fn(&str) -> String;

/// Damage in a batch affects only its item.
#[test]
fn a_damaged_item_affects_only_that_item() {
    // Brackets and quotes in strings, and a body with list elements that resemble events.
    let odd = |id| {
        let strings = r#""userAgent":"a\\\"}],{ \\","requestObject":"#;
        let body = format!(r#"{strings}{{"items":[{},{}]}},"verb""#, item(90), item(91));
        item(id).replacen(r#""verb""#, &body, 1)
    };
    let items: Vec<_> = (1..=4).map(odd).collect();
    let list = |items: &[String], end: &str| {
        format!(
            r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{}{end}"#,
            items.join(",")
        )
    };
    let array = |items: &[String], end: &str| {
        format!("[{}{}", items.join(" , "), end.trim_end_matches('}'))
    };
    // How the item is damaged.
    let ways: [(&str, Way); 7] = [
        ("cut", |item| item[..200].to_owned()),
        ("the beginning is gone", |item| item[200..].to_owned()),
        ("a quote is gone", |item| item.replacen(r#""stage""#, r#""stage"#, 1)),
        ("a brace is gone", |item| item.replacen(r#""user":{"#, r#""user":"#, 1)),
        ("a bracket too many", |item| item.replacen(r#""verb":"#, r#"]"verb":"#, 1)),
        ("a control character", |item| item.replacen("alice", "al\u{1}ce", 1)),
        ("all is gone", |_| "???".to_owned()),
    ];
    for (what, damage) in ways {
        for at in 0..4 {
            let mut damaged = items.clone();
            damaged[at] = damage(&items[at]);
            for log in [list(&damaged, "]}"), array(&damaged, "]}"), list(&damaged, "] }") + "\n"] {
                let log = log + "\n" + &event(9);
                let (memory, summary) = run_stream(log.clone(), &Options::default());
                let mut expected = vec!["id-1", "id-2", "id-3", "id-4", "id-9"];
                expected.remove(at);
                assert_eq!(memory.audit_ids(), expected, "{what} in {at}: {log}\n{summary:#?}");
                let [quarantined] = &memory.quarantine[..] else { panic!("{what} in {at}: {log}") };
                let bytes = String::from_utf8_lossy(&quarantined.bytes);
                assert!(bytes.contains(damaged[at].trim_matches(',')), "{what} in {at}: {bytes}");
                let offset = usize::try_from(quarantined.source_offset).expect("an offset");
                assert!(log[offset..].starts_with(&*bytes));
                for row in memory.rows() {
                    let offset = usize::try_from(row.offset).expect("an offset");
                    let place = log.find(&format!(r#""auditID":"{}""#, row.audit_id));
                    assert!(log[offset..].starts_with('{') && place > Some(offset), "{row:?}");
                }
            }
        }
    }
    // Between two damaged items the nesting depth is unknown.
    let mut damaged = items.clone();
    damaged[1] = damaged[1][..200].to_owned();
    damaged[2] = damaged[2][200..].to_owned();
    let (memory, summary) = run_stream(list(&damaged, "]}"), &Options::default());
    assert_eq!(memory.audit_ids(), ["id-1", "id-4"]);
    assert_eq!(summary.quarantined, 1);
    // A missing comma loses nothing; after a truncated list nothing follows.
    let plain: Vec<_> = (1..=4).map(item).collect();
    for (log, quarantined) in
        [(list(&plain, "]}").replacen(r#"},{"level"#, r#"}{"level"#, 1), 0), (list(&plain, ""), 1)]
    {
        let (memory, summary) = run_stream(log, &Options::default());
        assert_eq!((memory.rows().len(), summary.quarantined), (4, quarantined));
    }
}

/// Many brackets do not slow it down.
#[test]
fn a_damaged_batch_of_brackets() {
    for filler in ["{", "}", "\"", "\\\"", "{}", "},{"] {
        let log = format!("[{},{}]", event(1), filler.repeat(500_000));
        let (memory, _) = run_stream(log, &Options::default());
        assert_eq!(memory.audit_ids(), ["id-1"]);
    }
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

/// A file that begins within a batch, and a batch that contains NUL bytes.
#[test]
fn an_incomplete_batch() {
    let items: Vec<_> = (1..=4).map(item).collect();
    let list = event_list(1..=4);
    let array = format!("[{}]", items.join(","));
    for text in [&list, &array] {
        let second = text.find(&items[1]).expect("an item");
        let end = &text[second + 100..];
        let (memory, summary) = run_stream(lines([end, &event(9)]), &Options::default());
        assert_eq!(memory.audit_ids(), ["id-3", "id-4", "id-9"], "{summary:?}");
        assert_eq!(memory.quarantine[0].bytes, &items[1].as_bytes()[100..]);

        let torn = text.replacen("id-2", "id\0\0\0-2", 1);
        let (memory, summary) = run_stream(lines([&torn, &event(9)]), &Options::default());
        assert_eq!(memory.audit_ids(), ["id-1", "id-3", "id-4", "id-9"], "{summary:?}");
        assert_eq!(summary.quarantined, 1);
    }
}
