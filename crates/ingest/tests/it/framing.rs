//! All forms of records, and that records do not depend on the division into blocks.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use podtrail_ingest::Options;
use proptest::prelude::*;

use crate::support::{Memory, event, event_list, item, lines, pretty, run_stream};

fn small(block_bytes: usize) -> Options {
    Options { block_bytes, ..Options::default() }
}

/// Name, log, number of events, number of quarantined records.
fn table() -> Vec<(&'static str, Vec<u8>, usize, usize)> {
    let (one, two, three) = (event(1), event(2), event(3));
    let pretty_list = pretty(&event_list(1..=3));
    let crlf = format!("{one}\r\n{two}\r\n");
    let nul = format!("\0\0\0{one}\n{two}\0\0\n\0\0\0\0");
    let half = &one[..one.len() / 2];
    // A line of it ends with `},`.
    let broken_up = |event: &str| event.replacen(r#","sourceIPs""#, ",\n\"sourceIPs\"", 1);
    vec![
        ("lines", lines([&one, &two, &three]), 3, 0),
        ("no end of line at the end", format!("{one}\n{two}").into_bytes(), 2, 0),
        ("blank lines", format!("\n\n{one}\n \t\n\n{two}\n\n").into_bytes(), 2, 0),
        ("CRLF", crlf.into_bytes(), 2, 0),
        ("byte order mark", format!("\u{feff}{one}\n").into_bytes(), 1, 0),
        ("event list", lines([event_list(1..=3)]), 3, 0),
        ("event lists", lines([event_list(1..=3), event_list(4..=4)]), 4, 0),
        (
            "empty lists",
            lines([event_list([]), r#"{"kind":"EventList","items":null}"#.into()]),
            0,
            0,
        ),
        ("pretty list", pretty_list.clone().into_bytes(), 3, 0),
        ("pretty lists", format!("{pretty_list}{pretty_list}\n{pretty_list}").into_bytes(), 9, 0),
        ("pretty among lines", format!("{one}\n{pretty_list}\n{two}\n").into_bytes(), 5, 0),
        ("pretty events", format!("{}\n{}\n", pretty(&one), pretty(&two)).into_bytes(), 2, 0),
        ("a closed member at the end of a line", lines([&broken_up(&one), &two]), 2, 0),
        ("the same in an array", format!("[{},\n{two}]", broken_up(&one)).into_bytes(), 2, 0),
        ("the same, cut", lines([broken_up(&one).lines().next().unwrap_or_default(), &two]), 1, 1),
        ("glued at a comma", format!("{one},{two},\n{three},\n").into_bytes(), 3, 0),
        ("glued", format!("{one}{two}{three}").into_bytes(), 3, 0),
        ("glued with blanks", format!("{one} {two}\n{three}").into_bytes(), 3, 0),
        ("array", format!("[{one},{two}]").into_bytes(), 2, 0),
        ("array of lines", format!("[\n{one},\n{two}\n]\n").into_bytes(), 2, 0),
        ("array of lists", format!("[{},{one}]", event_list(1..=2)).into_bytes(), 3, 0),
        ("pretty array", pretty(&format!("[{one},{two}]")).into_bytes(), 2, 0),
        (
            "list without kinds first",
            format!(r#"{{"items":[{}],"kind":"EventList"}}"#, item(1)).into_bytes(),
            1,
            0,
        ),
        ("text between", lines([&one, "I1123 klog", &two]), 2, 1),
        ("other JSON between", lines([&one, r#"{"kind":"AdmissionReview"}"#, &two]), 2, 1),
        ("cut in the middle", lines([half, &two]), 1, 1),
        ("cut, then glued", format!("{half}\n{two}{three}\n").into_bytes(), 2, 1),
        ("cut at a comma", lines([r#"{"kind":"Event","#, &two, &three]), 2, 1),
        ("cut after a key", lines([r#"{"kind":"#, &two, &three]), 2, 1),
        ("cut last line", lines([&one]).into_iter().chain(half.bytes()).collect(), 1, 1),
        ("rubbish after an event", format!("{one}]]\n{two}\n").into_bytes(), 2, 1),
        ("NUL runs", nul.into_bytes(), 2, 3),
        (
            "a lone bracket between NUL bytes",
            format!("{one}\n\0\0[\0\0\n{two}\n").into_bytes(),
            2,
            3,
        ),
        ("a lone bracket before NUL bytes", format!("[\0\0{two}").into_bytes(), 1, 2),
        ("a lone bracket at the end", format!("{one}\n\0[").into_bytes(), 1, 2),
        ("a lone brace between NUL bytes", format!("\0{{\0\n{two}\n").into_bytes(), 1, 3),
        (
            "the beginning of an envelope between NUL bytes",
            format!("\0{{\"items\":[\0\n{two}\n").into_bytes(),
            1,
            3,
        ),
        (
            "a list behind a value, never closed, before NUL bytes",
            format!("{one} [{two}\0\0\n{three}\n").into_bytes(),
            3,
            2,
        ),
        (
            "a list behind a value and NUL bytes, which has NUL bytes in it",
            format!("{one}\0[\0{two}]\n{three}\n").into_bytes(),
            3,
            4,
        ),
        (
            "a list with NUL bytes, never closed",
            format!("[{one},{},\n{two},\n{three}\n", two.replacen("id-", "id\0\0-", 1))
                .into_bytes(),
            3,
            2,
        ),
        ("NUL inside", format!("{half}\0\0\0{two}\n").into_bytes(), 1, 2),
        (
            "damaged list",
            format!("{},oops]}}\n{two}\n", event_list(1..=3).trim_end_matches("]}")).into_bytes(),
            4,
            1,
        ),
        (
            "cut list",
            format!("{}\n", &event_list(1..=3)[..event_list(1..=3).len() - 100]).into_bytes(),
            2,
            1,
        ),
    ]
}

#[test]
fn every_shape() {
    for (name, log, events, quarantined) in table() {
        let (memory, summary) = run_stream(log.clone(), &Options::default());
        assert_eq!(memory.rows().len(), events, "{name}: {summary:?}");
        assert_eq!(memory.damage().len(), quarantined, "{name}: {summary:?}");
        assert_covered(name, &log, &memory);
    }
}

#[test]
fn any_block_size() {
    for (name, log, ..) in table() {
        let (whole, _) = run_stream(log.clone(), &Options::default());
        for block_bytes in [1, 2, 3, 7, 64, 300, 1000, 5000] {
            let (split, _) = run_stream(log.clone(), &small(block_bytes));
            assert_eq!(split.rows(), whole.rows(), "{name} in blocks of {block_bytes}");
            assert_eq!(split.damage(), whole.damage(), "{name} in blocks of {block_bytes}");
        }
    }
}

/// Offsets and lines are those of the record.
#[test]
fn places() {
    let log = format!("\n{}\r\n\n{}\n", event(1), pretty(&event_list(2..=3)));
    let (memory, _) = run_stream(log.clone(), &Options::default());
    let rows = memory.rows();
    assert_eq!(memory.audit_ids(), ["id-1", "id-2", "id-3"]);
    for row in &rows {
        let offset = usize::try_from(row.offset).expect("an offset");
        assert!(log[offset..].starts_with('{'), "{row:?}");
        let line = log[..offset].matches('\n').count() + 1;
        assert_eq!(row.line, i64::try_from(line).expect("a line"));
        assert_eq!(log[offset..].find(&row.audit_id), log[offset..].find("id-"));
    }
    assert_eq!(rows[0].line, 2);
}

#[test]
fn a_line_over_the_limit_affects_only_that_line() {
    let huge = format!(r#"{{"kind":"Event","auditID":"{}"}}"#, "x".repeat(300_000));
    let log = lines([&event(1), &huge, &event(2)]);
    for block_bytes in [100, 4096, 1 << 20, 1 << 22] {
        let options = Options { block_bytes, max_record_bytes: 200_000, ..Options::default() };
        let (memory, summary) = run_stream(log.clone(), &options);
        assert_eq!(memory.audit_ids(), ["id-1", "id-2"]);
        assert_eq!(summary.quarantined, 1);
        let [record] = &memory.quarantine[..] else { panic!("one record") };
        assert_eq!(record.length, i64::try_from(huge.len()).expect("a length"));
        assert_eq!(record.bytes, huge.as_bytes()[..64 * 1024]);
        assert_eq!(record.source_line, Some(2));
        assert_eq!(memory.rows()[1].line, 3);
    }
}

/// A list that exceeds the limit is read item by item.
#[test]
fn a_list_over_the_limit_is_resynchronised() {
    let list = pretty(&event_list(0..200));
    let options = Options { max_record_bytes: 10_000, ..Options::default() };
    let (memory, _) = run_stream(list.clone(), &options);
    assert_eq!(memory.rows().len(), 200);
    for block_bytes in [1000, 20_000] {
        let (split, _) = run_stream(list.clone(), &Options { block_bytes, ..options.clone() });
        assert_eq!(split.rows(), memory.rows());
        assert_eq!(split.damage(), memory.damage());
    }
}

/// Concatenated events in a line that exceeds the limit.
#[test]
fn a_line_of_many_events_needs_no_limit() {
    let glued: String = (0..200).map(event).collect();
    for block_bytes in [100, 1000, 20_000, 1 << 22] {
        let options = Options { max_record_bytes: 10_000, block_bytes, ..Options::default() };
        let (memory, summary) = run_stream(glued.clone(), &options);
        assert_eq!(memory.rows().len(), 200, "{summary:?}");
        assert_eq!(summary.quarantined, 0);
    }
}

/// A list that exceeds the record limit is read item by item, in one line or many, regardless of
/// the surrounding text.
#[test]
fn a_list_over_the_limit() {
    let items: Vec<_> = (0..30).map(event).collect();
    let items = items.join(",");
    let array = format!("[{items}]");
    let records = format!(r#"{{"records":[{items}]}}"#);
    let events = format!(r#"{{"events":[{items}],"searched":["a]}}"],"nextToken":"t/{{["}}"#);
    let hits = format!(r#"{{"took":3,"hits":{{"total":{{"value":9}},"hits":[{items}]}},"x":1}}"#);
    let odd = format!(r#"{{"a":[1,[2,{{"b":"]}}\\\""}}]],"items":[{items}] , "c":null}}"#);
    let lists = [array, event_list(0..30), records, events, hits, odd];
    for list in lists.iter().cloned().chain(lists.iter().map(|list| pretty(list))) {
        let log = format!("{}\n{list}\n{}\n", event(200), event(201));
        let options = Options { max_record_bytes: 5_000, ..Options::default() };
        let (memory, summary) = run_stream(log.clone(), &options);
        let what = format!("{}: {summary:?}", &list[..60]);
        assert_eq!(memory.rows().len(), 32, "{what}");
        assert_eq!(summary.quarantined, 0, "{what}");
        for row in memory.rows() {
            let offset = usize::try_from(row.offset).expect("an offset");
            assert!(log[offset..].starts_with('{'));
            let line = log[..offset].matches('\n').count() + 1;
            assert_eq!(row.line, i64::try_from(line).expect("a line"), "{what}");
        }
        for block_bytes in [1, 100, 700, 4999, 5000, 5001, 20_000] {
            let (split, _) = run_stream(log.clone(), &Options { block_bytes, ..options.clone() });
            assert_eq!(split.rows(), memory.rows(), "{block_bytes}, {what}");
            assert_eq!(split.damage(), memory.damage(), "{block_bytes}, {what}");
        }
    }
}

/// A truncated or damaged list loses only what is truncated or damaged, up to the end of the line.
#[test]
fn a_damaged_list_over_the_limit() {
    let list = event_list(0..100);
    let cut = &list[..list.len() - 100];
    let tail = format!("{}]oops\n", list.trim_end_matches("]}"));
    let pretty_list = pretty(&list);
    let broken = pretty_list.replacen("\"id-50\"", "\"id-50", 1);
    for (log, events, quarantined) in [
        (cut.to_owned(), 99, 1),
        (format!("{cut}\n{}\n", event(100)), 100, 1),
        (format!("{tail}{}\n", event(100)), 101, 1),
        (broken, 99, 1),
    ] {
        let options = Options { max_record_bytes: 5_000, ..Options::default() };
        let (memory, summary) = run_stream(log.clone(), &options);
        assert_eq!(memory.rows().len(), events, "{summary:?}");
        assert!(summary.quarantined >= quarantined, "{summary:?}");
        for block_bytes in [1, 100, 5001] {
            let (split, _) = run_stream(log.clone(), &Options { block_bytes, ..options.clone() });
            assert_eq!(split.rows(), memory.rows());
            assert_eq!(split.damage(), memory.damage());
        }
    }
}

/// An event that exceeds the limit is not the wrapper of a list in its body.
#[test]
fn an_event_with_a_list_over_the_limit() {
    let pods = r#"{"kind":"Pod"},"#.repeat(1000);
    let head = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a","responseObject":{"items":["#;
    let huge = format!("{head}{pods}1]}}}}");
    let options = Options { max_record_bytes: 5_000, ..Options::default() };
    let (memory, summary) = run_stream(lines([&event(1), &huge, &event(2)]), &options);
    assert_eq!(memory.audit_ids(), ["id-1", "id-2"]);
    assert_eq!(summary.quarantined, 1);
    assert_eq!(memory.quarantine[0].reason, format!("record too long: {} bytes", huge.len()));
}

/// Endlessly nested lists do not take forever.
#[test]
fn lists_in_lists_over_the_limit() {
    let mut log = lines([&event(1)]);
    log.extend("[".repeat(1_000_000).bytes());
    log.extend(lines(["", &event(2)]));
    let options = Options { max_record_bytes: 100_000, ..Options::default() };
    let (memory, _) = run_stream(log, &options);
    assert_eq!(memory.audit_ids(), ["id-1", "id-2"]);
}

#[test]
fn long_nul_runs() {
    let mut log = lines([&event(1)]);
    log.resize(log.len() + 3_000_000, 0);
    log.extend(lines([&event(2), &event(3)]));
    for block_bytes in [1000, 100_000, 1 << 22] {
        let (memory, _) = run_stream(log.clone(), &small(block_bytes));
        assert_eq!(memory.audit_ids(), ["id-1", "id-2", "id-3"]);
        let [record] = &memory.quarantine[..] else { panic!("one record") };
        assert_eq!(record.length, 3_000_000);
        assert_eq!(record.reason, "NUL bytes");
    }
}

/// A form feed is not JSON white space: after damage it must not produce empty records endlessly.
#[test]
fn form_feeds_in_a_list_with_nul_bytes() {
    for text in ["[{}\0\x0c,{}", "[{}\0\x0c,\x0c{},{}", "[{}\0\x0c\x0c ,\x0c\n,{}]\x0c"] {
        let mut log = lines([event(1)]);
        log.extend_from_slice(text.as_bytes());
        let (whole, _) = run_stream(log.clone(), &Options::default());
        assert_covered(text, &log, &whole);
        assert!(whole.quarantine.iter().all(|record| record.length > 0), "{text:?}");
        for block_bytes in [1, 5, 200] {
            let (split, _) = run_stream(log.clone(), &small(block_bytes));
            assert_eq!(split.damage(), whole.damage(), "{text:?} in blocks of {block_bytes}");
        }
    }
}

/// The start of a list with NUL bytes does not depend on the division into blocks.
#[test]
fn lists_around_nul_bytes_in_any_block() {
    let shapes: [&[u8]; 4] = [
        // NUL bytes that fill a block.
        b" [][x\0\t[[][y\0\t[][",
        // After a value in the same line no list begins.
        b"{}}\x01[[.\xfe\0\n,{}{]}\xfe\0",
        b" {}{-[{}9\0\0\0\x0b\x0b",
        // The text after NUL bytes begins with a bracket and a word.
        b"[\0[[\0[z:=stReceived\"\0[\xff\0\xff\xff\xff,{ }\t\xbe[+}\t",
    ];
    for text in shapes {
        let mut log = lines([event(1)]);
        log.extend_from_slice(text);
        let (whole, _) = run_stream(log.clone(), &Options::default());
        assert_covered("lists", &log, &whole);
        for block_bytes in [1, 2, 5, 200] {
            let (split, _) = run_stream(log.clone(), &small(block_bytes));
            assert_eq!(split.damage(), whole.damage(), "{text:?} in blocks of {block_bytes}");
        }
    }
}

/// A block may end within a number.
#[test]
fn a_number_at_the_end_of_a_block() {
    for number in ["-4", "1.5", "1e5", "1E+5"] {
        let mut log = format!("PK[.]\n[\n{number}]\n").into_bytes();
        log.extend(lines([event(1)]));
        let (whole, _) = run_stream(log.clone(), &Options::default());
        for block_bytes in [1, 2, 3, 4] {
            let (split, _) = run_stream(log.clone(), &small(block_bytes));
            assert_eq!(split.damage(), whole.damage(), "{number} in blocks of {block_bytes}");
        }
    }
}

/// A hostile file of openings does not take forever.
#[test]
fn endless_openings() {
    let mut log = lines([&event(1)]);
    log.extend(b"[\n".repeat(50_000));
    log.extend(lines([&event(2)]));
    let (memory, summary) = run_stream(log, &Options::default());
    assert_eq!(memory.audit_ids(), ["id-1", "id-2"]);
    assert_eq!(summary.quarantined, 50_000);
    assert_eq!(summary.problems.len(), 6, "five reported, the rest counted");
}

/// Every byte is in an event, in the quarantine, or between records.
fn assert_covered(name: &str, log: &[u8], memory: &Memory) {
    let mut covered = vec![false; log.len()];
    let mut cover = |start: usize, length: usize| {
        for (at, byte) in covered.iter_mut().enumerate().skip(start).take(length) {
            assert!(!std::mem::replace(byte, true), "{name}: byte {at} twice");
        }
    };
    for record in &memory.quarantine {
        let start = usize::try_from(record.source_offset).expect("an offset");
        cover(start, usize::try_from(record.length).expect("a length"));
        assert!(log[start..].starts_with(&record.bytes));
    }
    for row in memory.rows() {
        let start = usize::try_from(row.offset).expect("an offset");
        let mut values = serde_json::Deserializer::from_slice(&log[start..])
            .into_iter::<serde::de::IgnoredAny>();
        values.next().expect("a value").expect("JSON");
        cover(start, values.byte_offset());
    }
    for (start, length) in prefixes(memory) {
        cover(start, length);
    }
    // The batch surrounds its items.
    let is_batch = memchr::memmem::find(log, b"EventList").is_some();
    for (at, byte) in log.iter().enumerate() {
        let is_blank = b" \t\r\n,[]\xef\xbb\xbf".contains(byte);
        assert!(covered[at] || is_blank || is_batch, "{name}: byte {at} is lost");
    }
}

/// Text before events is kept with them.
fn prefixes(memory: &Memory) -> Vec<(usize, usize)> {
    let mut prefixes = Vec::new();
    for batch in &memory.batches {
        let original = batch.column_by_name("original").expect("a column").as_string::<i32>();
        let offset = batch.column_by_name("source_offset").expect("a column");
        let offsets = offset.as_primitive::<Int64Type>().values();
        for (original, offset) in original.iter().zip(offsets) {
            let length = original.and_then(|text| text.find('{')).unwrap_or(0);
            prefixes.push((usize::try_from(*offset).expect("an offset") - length, length));
        }
    }
    prefixes
}

/// A part of a log, readable in failures.
#[derive(Clone)]
struct Piece(Vec<u8>);

impl std::fmt::Debug for Piece {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:?}", self.0.escape_ascii().to_string())
    }
}

/// The first record makes a log an audit log, regardless of the rest.
fn log_of(pieces: &[Piece]) -> Vec<u8> {
    let pieces = pieces.iter().flat_map(|piece| piece.0.iter().copied());
    lines([event(9)]).into_iter().chain(pieces).collect()
}

fn piece() -> impl Strategy<Value = Piece> {
    let texts = prop_oneof![
        8 => (0usize..5).prop_map(event),
        2 => (0usize..4).prop_map(|count| event_list(0..count)),
        2 => (0usize..4).prop_map(|count| pretty(&event_list(0..count))),
        1 => Just(r#"{"kind":"Other"}"#.to_owned()),
        1 => Just("I1123 klog".to_owned()),
        1 => (1usize..60).prop_map(|length| event(1)[..length].to_owned()),
        1 => (1usize..60).prop_map(|length| event(1)[length..].to_owned()),
    ];
    let parts = prop_oneof![
        8 => texts.prop_map(String::into_bytes),
        3 => prop::sample::select(vec!["\n", "\r\n", ",", "[", "]", "{", "}", " ", "\u{feff}"]).prop_map(|text| text.as_bytes().to_vec()),
        1 => (1usize..300).prop_map(|count| vec![0; count]),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    (parts, prop::bool::weighted(0.7)).prop_map(|(mut part, ends)| {
        if ends {
            part.push(b'\n');
        }
        Piece(part)
    })
}

/// Lists in wrappers, and lines that a container runtime split.
fn wrapped() -> impl Strategy<Value = Piece> {
    let cri = (0usize..2, 0usize..2, 0usize..400).prop_map(|(stream, tag, length)| {
        let (stream, tag) = (["stdout", "stderr"][stream], ["P", "F"][tag]);
        let text = &event(1).repeat(2)[..length];
        format!("2026-11-24T10:09:15.123456789Z {stream} {tag} {text}\n")
    });
    let docker = (0usize..2, "[a{}]{0,9}\n?").prop_map(|(stream, text)| {
        let text = serde_json::to_string(&text).expect("text");
        format!("{{\"log\":{text},\"stream\":\"{}\"}}\n", ["stdout", "stderr"][stream])
    });
    let records = (0usize..6).prop_map(|count| {
        let items: Vec<_> = (0..count).map(event).collect();
        format!(r#"{{"a":{{"records":[{}],"b":[1]}},"c":"]"}}"#, items.join(","))
    });
    prop_oneof![3 => cri, 1 => docker, 2 => records].prop_map(|text| Piece(text.into_bytes()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn results_do_not_depend_on_blocks(
        pieces in prop::collection::vec(prop_oneof![2 => piece(), 1 => wrapped()], 0..12),
        block_bytes in 1usize..2000,
        max_record_bytes in prop::sample::select(vec![300usize, 1000, 1 << 20]),
    ) {
        let log = log_of(&pieces);
        let options = Options { max_record_bytes: max_record_bytes.max(event(9).len()), ..Options::default() };
        let (whole, _) = run_stream(log.clone(), &options);
        let (split, _) = run_stream(log.clone(), &Options { block_bytes, ..options });
        prop_assert_eq!(split.rows(), whole.rows());
        prop_assert_eq!(split.damage(), whole.damage());
    }

    #[test]
    fn nothing_is_lost_or_repeated(pieces in prop::collection::vec(piece(), 0..12)) {
        let log = log_of(&pieces);
        let (memory, _) = run_stream(log.clone(), &Options::default());
        assert_covered("a mixture", &log, &memory);
    }

    #[test]
    fn any_bytes(log in prop::collection::vec(any::<u8>(), 0..2000), block_bytes in 1usize..300) {
        let (_, summary) = run_stream(log, &small(block_bytes));
        prop_assert_eq!(summary.events_added, 0);
    }
}
