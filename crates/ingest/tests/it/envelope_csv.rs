//! CSV exports with the event in a column. No real sample was available: the quoting follows RFC 4180.

use crate::support::event;
use crate::wrapped::{bare_id, unwrap};

fn field(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[test]
fn every_dialect() {
    let (one, two) = (field(&event(1)), field(&event(2)));
    for (name, header, rows) in [
        (
            "Insights",
            "@timestamp,@message",
            [format!("2026-11-23 22:00:00.374,{one}"), format!("x,{two}")],
        ),
        ("Splunk", "\"_raw\",\"_time\",host", [format!("{one},\"2026\",n1"), format!("{two},,")]),
        (
            "semicolons",
            "TimeGenerated [UTC];log_s",
            [format!("\"11/23/2026, 10:00\";{one}"), format!(";{two}")],
        ),
        ("tabs", "time\tmessage", [format!("x\t{one}"), format!("y\t{two}")]),
        ("one column", "@message", [one.clone(), two.clone()]),
    ] {
        let log = format!("\u{feff}{header}\r\n{}\r\n{}\r\n", rows[0], rows[1]);
        let (events, reasons, summary) = unwrap(log);
        assert!(reasons.is_empty(), "{name}: {reasons:?}");
        assert_eq!(summary.skipped, 1, "{name}: the header");
        let [first, second] = &events[..] else { panic!("{name}: two events, {summary:?}") };
        assert_eq!([&first.event_id, &second.event_id], [&bare_id(1), &bare_id(2)], "{name}");
        assert_eq!((first.line, second.line), (2, 3), "{name}");
        assert_eq!(first.envelopes, ["csv"]);
    }
}

#[test]
fn a_damaged_row_affects_only_that_row() {
    let rows = [field(&event(1)), field(&event(2)), field(&event(3))];
    let log = format!("@message\n{}\n{}\n{}\n", rows[0], &rows[1][..300], rows[2]);
    let (events, reasons, _) = unwrap(log);
    assert_eq!((events.len(), reasons.len()), (2, 1));
}

#[test]
fn events_in_columns_are_rejected_by_name() {
    for log in ["TimeGenerated,Level,AuditId,Verb\n2026,Metadata,x,get\n", "a,message\n1,GET /\n"] {
        let (events, _, summary) = unwrap(log);
        assert!(events.is_empty());
        assert_eq!(
            summary.problems[0].message,
            "not an audit log: a CSV export without a column of audit events as JSON text: export JSON instead"
        );
    }
}
