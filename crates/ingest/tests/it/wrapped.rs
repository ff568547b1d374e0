//! Events from envelopes, and their facts.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use podtrail_ingest::{Options, Summary};

use crate::support::{event, lines, run_stream};

/// When the envelopes of these tests were written: 2026-11-23T22:00:00.374797Z.
pub(crate) const SHIPPED: i64 = 1_795_471_200_374_797;

/// One event from its envelopes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unwrapped {
    pub(crate) event_id: String,
    pub(crate) audit_id: String,
    pub(crate) envelopes: Vec<String>,
    pub(crate) node: Option<String>,
    pub(crate) shipped_at: Option<i64>,
    pub(crate) original: Option<String>,
    pub(crate) extra: Option<String>,
    pub(crate) line: i64,
    pub(crate) offset: i64,
}

/// Returns the events of a log in the order of their positions, the reasons of quarantined records, and the summary.
pub(crate) fn unwrap(log: impl Into<Vec<u8>>) -> (Vec<Unwrapped>, Vec<String>, Summary) {
    let (memory, summary) = run_stream(log, &Options::default());
    let mut events: Vec<_> = memory.batches.iter().flat_map(unwrapped).collect();
    events.sort_by_key(|event| (event.offset, event.audit_id.clone()));
    let reasons = memory.quarantine.iter().map(|record| record.reason.clone()).collect();
    (events, reasons, summary)
}

fn unwrapped(batch: &RecordBatch) -> Vec<Unwrapped> {
    let column = |name: &str| batch.column_by_name(name).expect("a column");
    let text = |name: &str, row: usize| {
        let column = column(name).as_string::<i32>();
        column.is_valid(row).then(|| column.value(row).to_owned())
    };
    let number = |name: &str, row: usize| {
        column(name).as_primitive::<arrow::datatypes::Int64Type>().value(row)
    };
    let time = |row: usize| {
        let column = column("shipped_at").as_primitive::<TimestampMicrosecondType>();
        column.is_valid(row).then(|| column.value(row))
    };
    let list = |row: usize| {
        let list = column("envelopes").as_list::<i32>().value(row);
        list.as_string::<i32>().iter().flatten().map(str::to_owned).collect()
    };
    (0..batch.num_rows())
        .map(|row| Unwrapped {
            event_id: text("event_id", row).expect("an id"),
            audit_id: text("audit_id", row).expect("an id"),
            envelopes: list(row),
            node: text("node", row),
            shipped_at: time(row),
            original: text("original", row),
            extra: text("extra", row),
            line: number("source_line", row),
            offset: number("source_offset", row),
        })
        .collect()
}

/// The id of the bare event.
pub(crate) fn bare_id(id: usize) -> String {
    let (events, ..) = unwrap(lines([event(id)]));
    events[0].event_id.clone()
}

/// Returns JSON text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// An envelope around the event with the id 1, and its facts.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) log: String,
    pub(crate) envelopes: &'static [&'static str],
    pub(crate) node: Option<&'static str>,
    pub(crate) shipped_at: Option<i64>,
    pub(crate) keeps_original: bool,
}

impl Case {
    pub(crate) fn new(
        name: &'static str,
        log: impl Into<String>,
        envelopes: &'static [&'static str],
    ) -> Self {
        let log = log.into();
        Self { name, log, envelopes, node: None, shipped_at: None, keeps_original: false }
    }

    pub(crate) fn at(self, node: &'static str) -> Self {
        Self { node: Some(node), ..self }
    }

    pub(crate) fn timed(self) -> Self {
        self.timed_at(SHIPPED)
    }

    pub(crate) fn timed_at(self, micros: i64) -> Self {
        Self { shipped_at: Some(micros), ..self }
    }

    pub(crate) fn rebuilt(self) -> Self {
        Self { keeps_original: true, ..self }
    }
}

/// Checks that each log yields the one event, equal to the bare one, with the facts of its envelopes, and quarantines
/// nothing.
pub(crate) fn check(cases: Vec<Case>) {
    let id = bare_id(1);
    for case in cases {
        let name = case.name;
        let (events, reasons, summary) = unwrap(case.log.clone());
        assert!(reasons.is_empty(), "{name}: {reasons:?}");
        assert!(summary.problems.is_empty(), "{name}: {summary:?}");
        let [event] = &events[..] else { panic!("{name}: {} events", events.len()) };
        assert_eq!(event.event_id, id, "{name}: {event:#?}");
        assert_eq!(event.envelopes, case.envelopes, "{name}");
        assert_eq!(event.node.as_deref(), case.node, "{name}");
        assert_eq!(event.shipped_at, case.shipped_at, "{name}");
        assert_eq!(event.original.is_some(), case.keeps_original, "{name}");
        assert_eq!(event.extra, None, "{name}");
        if let Some(original) = &event.original {
            assert_eq!(original, case.log.trim_end(), "{name}");
        }
        check_cuts(name, &case.log);
    }
}

/// A truncated record affects only itself, and does not become another event unless the original is kept.
fn check_cuts(name: &str, log: &str) {
    let cuts = (1..log.len()).step_by(5).filter(|at| log.is_char_boundary(*at));
    let records: Vec<_> = cuts.map(|at| format!("{}\n{}", &log[..at], event(9))).collect();
    let (events, _, _) = unwrap(records.join("\n"));
    let others = events.iter().filter(|event| event.audit_id == "id-9").count();
    assert_eq!(others, records.len(), "{name}");
    let id = bare_id(1);
    for event in events.iter().filter(|event| event.audit_id != "id-9") {
        assert!(event.event_id == id || event.original.is_some(), "{name}: {event:#?}");
    }
}
