//! Hostile input: it affects only its own records, and causes no panic and no excessive memory or time.

use std::io::{self, Read};

use podtrail_ingest::{Input, NoProgress, Options, ingest_into};

use crate::support::{Memory, event, event_list, item, lines, run_stream, tar, zip};

const DEEP: usize = 50_000;

/// JSON that is too deep for a recursive parser without a limit, in every place that is parsed.
#[test]
fn deep_json() {
    let arrays = format!("{}{}", "[".repeat(DEEP), "]".repeat(DEEP));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(DEEP), "}".repeat(DEEP));
    let object_lines = format!("{}1{}", "{\"a\":\n".repeat(DEEP), "}\n".repeat(DEEP));
    let with = |event: &str, member: &str, value: &str| {
        event.replacen('{', &format!(r#"{{"{member}":{value},"#), 1)
    };
    let in_list = event_list([3]).replacen(&item(3), &with(&item(3), "requestObject", &objects), 1);
    let quoted = serde_json::Value::from(objects.as_str()).to_string();
    let deep = [
        ("arrays", arrays.clone()),
        ("objects", objects.clone()),
        ("objects over many lines", object_lines),
        ("openings", "[".repeat(DEEP)),
        ("openings of objects", r#"{"a":"#.repeat(DEEP)),
        ("a request body", with(&event(3), "requestObject", &objects)),
        ("a response body", with(&event(3), "responseObject", &arrays)),
        ("an unknown member", with(&event(3), "zzz", &objects)),
        ("annotations", with(&event(3), "annotations", &objects)),
        ("a user", with(&event(3), "impersonatedUser", &objects)),
        ("an item of a list", in_list),
        ("an array of events", format!("[{},{}]", event(3), objects)),
        ("a record of an exporter", format!(r#"{{"records":[{objects}]}}"#)),
        ("text in a message", format!(r#"{{"message":{quoted}}}"#)),
    ];
    for (name, deep) in deep {
        let log = lines([&event(1), &deep, &event(2)]);
        for max_record_bytes in [64 << 20, DEEP / 2] {
            let options = Options { max_record_bytes, ..Options::default() };
            let (memory, summary) = run_stream(log.clone(), &options);
            let ids = memory.audit_ids();
            let others: Vec<_> = ids.iter().filter(|id| *id != "id-3").collect();
            assert_eq!(others, ["id-1", "id-2"], "{name}: {summary:?}");
            assert!(ids.len() == 3 || summary.quarantined > 0, "{name} is lost: {summary:?}");
        }
    }
}

/// A line that exceeds any memory is skipped.
#[test]
fn an_endless_line() {
    const LENGTH: u64 = 256 << 20;
    let start = lines([event(1)]);
    for opening in [&b"x"[..], br#"{"kind":""#, b"[", br#"{"items":["#] {
        let head = [&start[..], opening].concat();
        let tail = [&b"\n"[..], &lines([event(2)])].concat();
        let log =
            io::Cursor::new(head).chain(io::repeat(b'x').take(LENGTH)).chain(io::Cursor::new(tail));
        let options = Options { max_record_bytes: 1 << 20, ..Options::default() };
        let mut memory = Memory::default();
        ingest_into(&mut memory, Box::new(log), &[Input::Stdin], &options, &NoProgress)
            .expect("a summary");
        assert_eq!(memory.audit_ids(), ["id-1", "id-2"]);
        let [record] = &memory.quarantine[..] else { panic!("one record") };
        let length = LENGTH + opening.len() as u64;
        assert!(record.length == i64::try_from(length).expect("a length"), "{}", record.length);
        assert_eq!(record.bytes.len(), 64 * 1024);
    }
}

/// A million members whose directory entries all name the same bytes are read only up to the expansion limit.
#[test]
fn overlapping_members() {
    let inner = zip([("a", &vec![b' '; 1 << 20][..])]);
    let directory = memchr::memmem::find(&inner, b"PK\x01\x02").expect("a directory");
    let end = memchr::memmem::rfind(&inner, b"PK\x05\x06").expect("an end");
    let entries = 10_000_u16;
    let mut bomb = inner[..directory].to_vec();
    bomb.extend(inner[directory..end].repeat(usize::from(entries)));
    let length = u32::try_from(bomb.len() - directory).expect("a length");
    let mut tail = inner[end..].to_vec();
    tail[8..10].copy_from_slice(&entries.to_le_bytes());
    tail[10..12].copy_from_slice(&entries.to_le_bytes());
    tail[12..16].copy_from_slice(&length.to_le_bytes());
    bomb.extend(tail);
    let options = Options { max_expanded_bytes: 20 << 20, ..Options::default() };
    let (_, summary) = run_stream(tar([("bomb.zip", &bomb[..])]), &options);
    assert_eq!(summary.problems.len(), 1, "{summary:?}");
    assert!(summary.problems[0].message.starts_with("decompressed size exceeds"), "{summary:?}");
    assert_eq!(summary.files, 21);
}
