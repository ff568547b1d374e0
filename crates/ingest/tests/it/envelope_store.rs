//! Responses of log stores: lists of records. No real sample was available: the fixtures follow the stores' API
//! documentation.

use crate::support::{event, pretty};
use crate::wrapped::{SHIPPED, bare_id, quoted, unwrap};

/// Each list holds the events 1 and 2, the second of them on host `n2`.
#[test]
fn every_list() {
    let (one, two) = (quoted(&event(1)), quoted(&event(2)));
    let cases = [
        (
            "Elasticsearch",
            format!(
                r#"{{"took":1,"hits":{{"total":{{"value":2}},"hits":[{{"_index":"a","_source":{}}},{{"_index":"a","_source":{{"@timestamp":"2026-11-23T22:00:00.374797Z","agent":{{}},"host":{{"name":"n2"}},"message":{two}}}}}]}}}}"#,
                event(1)
            ),
            "elasticsearch-search elasticsearch filebeat",
        ),
        (
            "Splunk",
            format!(
                r#"{{"preview":false,"results":[{{"_raw":{one}}},{{"_raw":{two},"_time":"2026-11-23T22:00:00.374797+00:00","host":"n2"}}]}}"#
            ),
            "splunk-results splunk",
        ),
        (
            "Loki",
            format!(
                r#"{{"status":"success","data":{{"resultType":"streams","result":[{{"stream":{{"job":"a"}},"values":[["1795471200374797001",{one}]]}},{{"stream":{{"node":"n2"}},"values":[["1795471200374797001",{two},{{"x":"y"}}]]}}]}}}}"#
            ),
            "loki",
        ),
        (
            "pushed to Loki",
            format!(
                r#"{{"streams":[{{"stream":{{}},"values":[["1795471200374797001",{one}]]}},{{"stream":{{"host":"n2"}},"values":[["1795471200374797001",{two}]]}}]}}"#
            ),
            "loki",
        ),
    ];
    for (name, log, envelopes) in cases {
        for log in [pretty(&log), log] {
            let (events, reasons, _) = unwrap(log.clone());
            assert!(reasons.is_empty(), "{name}: {reasons:?}");
            let [first, second] = &events[..] else { panic!("{name}: two events") };
            assert_eq!([&first.event_id, &second.event_id], [&bare_id(1), &bare_id(2)], "{name}");
            assert_eq!(second.envelopes.join(" "), envelopes, "{name}");
            assert_eq!((first.node.as_deref(), second.node.as_deref()), (None, Some("n2")));
            assert_eq!(second.shipped_at, Some(SHIPPED), "{name}");
            let offset = usize::try_from(second.offset).expect("an offset");
            let line = log[..offset].matches('\n').count() + 1;
            assert_eq!(second.line, i64::try_from(line).expect("a line"), "{name}");
        }
    }
}

/// Other records in a list are not lost.
#[test]
fn foreign_elements() {
    let log = format!(r#"{{"results":[{{"_raw":{}}},7,{{"_raw":"x"}},null]}}"#, quoted(&event(1)));
    let (events, reasons, _) = unwrap(log);
    assert_eq!((events.len(), reasons.len()), (1, 3));
}

/// A list without events is not an audit log.
#[test]
fn other_lists() {
    for log in [
        r#"{"results":[{"_raw":"GET /"}]}"#,
        r#"{"results":[]}"#,
        r#"{"hits":{"hits":[{"_index":"a","_source":{"message":"GET /"}}]}}"#,
        r#"{"streams":[{"stream":{},"values":[["1795471200374797001","GET /"]]}]}"#,
        r#"{"log":"GET /\n","stream":"stdout","time":"2026-11-23T22:00:00Z"}"#,
        r#"{"@timestamp":"2026-11-23T22:00:00Z","agent":{},"message":"{\"a\":1}"}"#,
    ] {
        let (events, reasons, summary) = unwrap(log);
        assert!(events.is_empty() && reasons.is_empty(), "{log}");
        assert_eq!(summary.files, 0, "{log}");
        assert!(summary.problems[0].message.starts_with("not an audit log"), "{log}");
    }
}
