//! A list that exceeds the record limit is read item by item: its events equal those of a list that does not.

use podtrail_ingest::Options;

use crate::support::{Memory, event, event_list, lines, run_stream};
use crate::unwrapped::{column, quoted};

const COLUMNS: [&str; 9] = [
    "event_id",
    "envelopes",
    "provider",
    "cluster",
    "node",
    "shipped_at",
    "source_offset_and_line",
    "original",
    "truncated",
];

/// Every event of a log with the columns above, sorted.
fn rows(memory: &Memory) -> Vec<String> {
    let places: Vec<String> =
        memory.rows_as_read().iter().map(|row| format!("{}:{}", row.offset, row.line)).collect();
    let columns: Vec<Vec<String>> = COLUMNS
        .iter()
        .map(|name| match *name {
            "source_offset_and_line" => places.clone(),
            name => column(memory, name),
        })
        .collect();
    let row = |row: usize| columns.iter().map(|column| column[row].clone()).collect::<Vec<_>>();
    let mut rows: Vec<_> = (0..places.len()).map(|number| row(number).join(" | ")).collect();
    rows.sort();
    rows
}

fn limited(block_bytes: usize) -> Options {
    Options { max_record_bytes: 5_000, block_bytes, ..Options::default() }
}

/// Each list holds the events 0 to 29.
fn lists() -> Vec<(&'static str, String)> {
    let join = |item: &dyn Fn(usize) -> String| (0..30).map(item).collect::<Vec<_>>().join(",");
    let log_events = join(&|id| {
        format!(r#"{{"id":"{id}","timestamp":1795470902500,"message":{}}}"#, quoted(&event(id)))
    });
    let cloudwatch = format!(
        r#"{{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"/aws/eks/prod/cluster","logStream":"kube-apiserver-audit-1","subscriptionFilters":["a"],"logEvents":[{log_events}]}}"#
    );
    let streams = join(&|id| {
        format!(
            r#"{{"stream":{{"node":"n{id}"}},"values":[["1795471200374797001",{}]]}}"#,
            quoted(&event(id))
        )
    });
    let loki =
        format!(r#"{{"status":"success","data":{{"resultType":"streams","result":[{streams}]}}}}"#);
    let hits = join(&|id| format!(r#"{{"_index":"a","_source":{}}}"#, event(id)));
    let elastic = format!(r#"{{"took":3,"hits":{{"total":{{"value":9}},"hits":[{hits}]}}}}"#);
    let resources = join(&|id| {
        format!(
            r#"{{"resource":{{"attributes":[{{"key":"k8s.cluster.name","value":{{"stringValue":"c{id}"}}}}]}},"scopeLogs":[{{"logRecords":[{{"timeUnixNano":"1795470902500000000","body":{{"stringValue":{}}}}}]}}]}}"#,
            quoted(&event(id))
        )
    });
    let otlp = format!(r#"{{"resourceLogs":[{resources}]}}"#);
    vec![
        ("CloudWatch", cloudwatch),
        ("Loki", loki),
        ("Elasticsearch", elastic),
        ("OpenTelemetry", otlp),
        ("webhook", event_list(0..30)),
    ]
}

#[test]
fn members_before_a_list_apply_to_its_items() {
    for (name, list) in lists() {
        // Also over several lines; members after the list do not apply to its items.
        for list in [list.replace("},{", "},\n {"), list] {
            let log = lines([&event(90), &list, &event(91)]);
            let (held, _) = run_stream(log.clone(), &Options::default());
            let expected = rows(&held);
            assert_eq!(expected.len(), 32, "{name}");
            for block_bytes in [1, 2_000, 1 << 20] {
                let (memory, summary) = run_stream(log.clone(), &limited(block_bytes));
                assert_eq!(summary.quarantined, 0, "{name}: {:?}", summary.problems);
                assert_eq!(rows(&memory), expected, "{name} in blocks of {block_bytes}");
            }
        }
    }
}

/// Text after a truncated list does not belong to its items.
#[test]
fn a_truncated_list() {
    let (name, list) = lists().swap_remove(0);
    let item = list.find(r#",{"id":"20""#).expect("an item");
    for end in [item + 100, item] {
        let log = lines([&list[..end], &event(90), &event(91)]);
        for block_bytes in [1, 1 << 20] {
            let (memory, _) = run_stream(log.clone(), &limited(block_bytes));
            let clusters = column(&memory, "cluster");
            let count = |cluster| clusters.iter().filter(|name| **name == cluster).count();
            assert_eq!((count("prod"), count("default")), (20, 2), "{name} cut at {end}");
        }
    }
}

/// A list whose wrapper has other members.
#[test]
fn members_next_to_a_list() {
    let items: Vec<_> = (0..30).map(event).collect();
    let klog = quoted("I1123 22:00:00.374797       1 controller.go:128] started");
    for head in [
        format!(r#"{{"@timestamp":"2026-11-23T22:00:00Z","agent":{{}},"message":{klog},"x":["#),
        format!(r#"{{"first":{},"x":["#, event(90).replace("auditID", "auditId")),
        r#"{"kind":"PodList","apiVersion":"v1","items":["#.to_owned(),
        format!(r#"{{"x":"{}","items":["#, "y".repeat(4_500)),
    ] {
        let log = format!("{}\n{head}{}]}}\n", event(91), items.join(","));
        let (memory, summary) = run_stream(log, &limited(1 << 20));
        assert_eq!((memory.rows().len(), summary.quarantined), (31, 0), "{head}: {summary:?}");
    }
}

/// Items that are much shorter than their wrapper do not slow it down.
#[test]
fn a_long_wrapper_of_short_items() {
    let head = format!(r#"{{"kind":"EventList","x":"{}","items":["#, "y".repeat(60_000));
    let log = format!("{}\n{head}{}1]}}\n", event(1), "{},".repeat(30_000));
    let options = Options { max_record_bytes: 100_000, ..Options::default() };
    let (memory, summary) = run_stream(log, &options);
    assert_eq!(memory.audit_ids(), ["id-1"]);
    assert!(summary.quarantined >= 30_000, "{summary:?}");
}

/// Damage in one line that exceeds the limit affects only its item.
#[test]
fn damage_in_a_list_affects_only_its_item() {
    type Damage = fn(&str) -> String;
    let damages: [(&str, Damage); 6] = [
        ("cut off", |item| item[..item.len() / 2].to_owned()),
        ("without its end", |item| item[..item.len() - 1].to_owned()),
        ("with a control character", |item| item.replacen("id-", "id\u{1}-", 1)),
        ("with NUL bytes", |item| item.replacen("id-", "id\0\0\0-", 1)),
        ("without a quote", |item| item.replacen('"', "", 1)),
        ("with a brace too many", |item| format!("{item}}}")),
    ];
    // Every size of blocks with every list, every damage and every position, but not with all combinations of them.
    let mut sizes = [1, 2_000, 1 << 20].into_iter().cycle();
    for (name, list) in lists() {
        let items: Vec<_> = list.match_indices(item_start(name)).map(|(start, _)| start).collect();
        assert_eq!(items.len(), 30, "{name}");
        for (how, damage) in damages {
            for damaged in [vec![1], vec![12], vec![12, 13, 25], vec![28]] {
                let mut log = list.clone();
                for &number in damaged.iter().rev() {
                    let item = items[number]..items[number + 1] - 1;
                    log.replace_range(item.clone(), &damage(&list[item]));
                }
                let log = lines([&event(90), &log, &event(91)]);
                let block_bytes = sizes.next().expect("endless");
                let (memory, summary) = run_stream(log, &limited(block_bytes));
                let context = format!("{name}, {damaged:?} {how}, blocks of {block_bytes}");
                let is_whole = how == "with a brace too many";
                let lost = if is_whole { 0 } else { damaged.len() };
                assert_eq!(memory.rows().len(), 32 - lost, "{context}: {summary:?}");
                // Adjacent items are one record.
                assert!(summary.quarantined > 0, "{context}: {summary:?}");
            }
        }
    }
}

/// How the items begin.
fn item_start(name: &str) -> &'static str {
    match name {
        "CloudWatch" => r#"{"id":"#,
        "Loki" => r#"{"stream":"#,
        "Elasticsearch" => r#"{"_index":"#,
        "OpenTelemetry" => r#"{"resource":"#,
        _ => r#"{"level":"#,
    }
}

/// Elements of a list in a body are not items, even if they resemble events.
#[test]
fn lists_in_a_damaged_event_are_not_items() {
    let items: Vec<_> = (0..30).map(event).collect();
    let forged = format!(r#""responseObject":{{"items":[{0},{0}]}}"#, event(70));
    let damaged = items[12].replacen("\"auditID\"", &format!("\u{1}{forged},\"auditID\""), 1);
    let mut items = items;
    items[12] = damaged;
    let log = format!("{}\n{}\n", event(90), list_of(&items));
    for block_bytes in [1, 1 << 20] {
        let (memory, _) = run_stream(log.clone(), &limited(block_bytes));
        let ids = memory.audit_ids();
        assert_eq!(ids.len(), 30, "{ids:?}");
        assert!(!ids.iter().any(|id| id == "id-70"), "{ids:?}");
    }
}

fn list_of(items: &[String]) -> String {
    format!(
        r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{}]}}"#,
        items.join(",")
    )
}
