//! CloudWatch Logs and the services that deliver it. Only for `aws logs tail` a real sample was available; the other
//! forms follow the documentation of AWS.

use podtrail_ingest::Options;

use crate::support::{event, event_list, gzip, lines, run_stream};
use crate::unwrapped::{
    Known, SHIPPED, SHIPPED_MILLIS, base64, check, check_skipped, column, quoted,
};

const STREAM: &str = "kube-apiserver-audit-0123456789abcdef0123456789abcdef";
const KLOG: &str = "I1123 21:55:01.374797      10 controller.go:128] synced";

fn payload(stream: &str, messages: &[&str]) -> String {
    let events: Vec<String> = messages
        .iter()
        .map(|message| {
            let message = quoted(message);
            format!(r#"{{"id":"3875","timestamp":{SHIPPED_MILLIS},"message":{message}}}"#)
        })
        .collect();
    format!(
        r#"{{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/aws/eks/prod/cluster","logStream":"{stream}","subscriptionFilters":["all"],"logEvents":[{}]}}"#,
        events.join(",")
    )
}

const CONTROL: &str = r#"{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"","logStream":"","subscriptionFilters":[],"logEvents":[{"id":"","timestamp":1795470902500,"message":"CWL CONTROL MESSAGE: Checking health of destination Firehose."}]}"#;

#[test]
fn every_format() {
    let raw = event(1);
    let payload = payload(STREAM, &[&raw]);
    let packed = base64(gzip(payload.as_bytes()));
    let message = quoted(&raw);
    let full = |envelopes| Known {
        envelopes,
        provider: "eks",
        cluster: "prod",
        node: STREAM,
        shipped_at: Some(SHIPPED_MILLIS),
    };
    let of_stream = |envelopes| Known { cluster: "default", ..full(envelopes) };
    let nameless = |envelopes| Known { provider: "", node: "", ..of_stream(envelopes) };
    let cases: Vec<(&str, String, Known<'_>)> = vec![
        ("subscription", payload.clone(), full("cloudwatch")),
        ("Lambda", format!(r#"{{"awslogs":{{"data":"{packed}"}}}}"#), full("lambda cloudwatch")),
        (
            "Kinesis",
            format!(
                r#"{{"Records":[{{"kinesis":{{"data":"{packed}"}},"eventSource":"aws:kinesis"}}]}}"#
            ),
            full("kinesis kinesis-record cloudwatch"),
        ),
        (
            "Firehose transformation",
            format!(r#"{{"invocationId":"i","records":[{{"recordId":"1","data":"{packed}"}}]}}"#),
            full("kinesis kinesis-record cloudwatch"),
        ),
        (
            "kinesis get-records",
            format!(
                r#"{{"Records":[{{"SequenceNumber":"1","Data":"{packed}","PartitionKey":"a"}}]}}"#
            ),
            full("kinesis kinesis-record cloudwatch"),
        ),
        (
            "get-log-events",
            format!(
                r#"{{"events":[{{"timestamp":{SHIPPED_MILLIS},"message":{message},"ingestionTime":1}}],"nextForwardToken":"f/1"}}"#
            ),
            nameless("cloudwatch-events"),
        ),
        (
            "filter-log-events",
            format!(
                r#"{{"events":[{{"logStreamName":"{STREAM}","timestamp":{SHIPPED_MILLIS},"message":{message},"ingestionTime":1,"eventId":"3"}}],"searchedLogStreams":[]}}"#
            ),
            of_stream("cloudwatch-events"),
        ),
        (
            "filter-log-events --query events",
            format!(
                r#"[{{"logStreamName":"{STREAM}","timestamp":{SHIPPED_MILLIS},"message":{message},"ingestionTime":1,"eventId":"3"}}]"#
            ),
            of_stream("array cloudwatch-event"),
        ),
        (
            "Insights",
            format!(
                r#"{{"results":[[{{"field":"@timestamp","value":"2026-11-23 21:55:02.500"}},{{"field":"@message","value":{message}}},{{"field":"@logStream","value":"{STREAM}"}},{{"field":"@log","value":"123456789012:/aws/eks/prod/cluster"}},{{"field":"@ptr","value":"x"}}]],"statistics":{{}},"status":"Complete"}}"#
            ),
            full("cloudwatch-insights cloudwatch-insights-row"),
        ),
        (
            "Insights rows",
            format!(
                r#"[[{{"field":"@timestamp","value":"2026-11-23 21:55:02.500"}},{{"field":"@message","value":{message}}}]]"#
            ),
            nameless("array cloudwatch-insights-row"),
        ),
        (
            "aws logs tail",
            format!("2026-11-23T21:55:02.500000+00:00 {STREAM} {raw}"),
            of_stream("aws-logs-tail"),
        ),
        (
            "aws logs tail --format short",
            format!("2026-11-23T21:55:02 {raw}"),
            Known { shipped_at: Some(SHIPPED_MILLIS - 500), ..nameless("aws-logs-tail") },
        ),
        ("export to S3", format!("{SHIPPED} {raw}"), nameless("cloudwatch-export")),
    ];
    for (name, log, known) in cases {
        check(name, log, &raw, &known);
    }
}

#[test]
fn deliveries_without_a_line_end() {
    let log = [
        payload(STREAM, &[&event(1), &event(2)]),
        CONTROL.to_owned(),
        payload(STREAM, &[&event_list([3, 4])]),
        event(5),
    ]
    .concat();
    for log in [log.clone().into_bytes(), gzip(log.as_bytes()), gzip(&gzip(log.as_bytes()))] {
        let (memory, summary) = run_stream(log, &Options::default());
        let mut ids = memory.audit_ids();
        ids.sort();
        assert_eq!(ids, ["id-1", "id-2", "id-3", "id-4", "id-5"]);
        assert_eq!((summary.quarantined, summary.skipped), (0, 1));
    }
}

#[test]
fn other_streams_are_skipped() {
    for stream in ["kube-apiserver-0123", "authenticator-0123", "cloud-controller-manager-0123"] {
        check_skipped(stream, payload(stream, &[KLOG, r#"{"level":"info"}"#]), 2);
        check_skipped(stream, format!("2026-11-23T21:55:02.500000+00:00 {stream} {KLOG}"), 1);
    }
    check_skipped("control message", CONTROL, 1);
}

/// Damage affects only its record.
#[test]
fn damage_is_reported() {
    let good = base64(gzip(payload(STREAM, &[&event(1)]).as_bytes()));
    let mut cut = gzip(payload(STREAM, &[&event(2)]).as_bytes());
    cut.truncate(cut.len() / 2);
    let bomb = gzip(&vec![b' '; 20_000_000]);
    let record = |data: &str| format!(r#"{{"kinesis":{{"data":"{data}"}}}}"#);
    let records =
        [record("%%%"), record(&base64(cut)), record(&good), record(&base64(bomb))].join(",");
    let log = format!(r#"{{"Records":[{records}]}}"#);
    let (memory, summary) = run_stream(log, &Options::default());
    assert_eq!(memory.audit_ids(), ["id-1"]);
    let reasons: Vec<&str> =
        memory.quarantine.iter().map(|record| record.reason.as_str()).collect();
    let [base64, gzip, size] = reasons[..] else { panic!("three: {summary:?}") };
    assert!(base64.starts_with("kinesis-record: invalid base64"), "{base64}");
    assert!(gzip.starts_with("kinesis-record: damaged gzip data"), "{gzip}");
    assert!(size.starts_with("kinesis-record: decompressed size exceeds 50 times"), "{size}");
}

#[test]
fn a_message_that_is_not_an_event() {
    let log = payload(STREAM, &[&event(1), "no event", &event(2)]);
    let (memory, summary) = run_stream(log, &Options::default());
    assert_eq!(memory.audit_ids(), ["id-1", "id-2"]);
    assert_eq!(summary.quarantined, 1);
    assert_eq!(memory.quarantine[0].bytes, b"no event");
}

/// Nested packages end at a depth that no pipeline reaches.
#[test]
fn nested_packages() {
    let mut log = event(1);
    for _ in 0..20 {
        log = format!(r#"{{"awslogs":{{"data":"{}"}}}}"#, base64(gzip(log.as_bytes())));
    }
    let (memory, summary) = run_stream(lines([log, event(2)]), &Options::default());
    assert_eq!(memory.audit_ids(), ["id-2"]);
    assert_eq!(summary.quarantined, 1);
    assert_eq!(memory.quarantine[0].reason, "envelopes nested too deeply");
}

/// Events of a long response have the positions of their strings.
#[test]
fn places() {
    let log = lines([
        r#"{"events":["#.to_owned(),
        format!(r#"{{"timestamp":1,"message":{}}},"#, quoted(&event(1))),
        format!(r#"{{"timestamp":2,"message":{}}}"#, quoted(&event(2))),
        r#"],"nextToken":"x"}"#.to_owned(),
    ]);
    let (memory, _) = run_stream(log.clone(), &Options::default());
    let rows = memory.rows();
    assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 3]);
    for row in rows {
        let at = usize::try_from(row.offset).expect("an offset");
        assert!(log[at..].starts_with(br#""{\"kind"#));
    }
    assert_eq!(column(&memory, "node"), ["", ""]);
}
