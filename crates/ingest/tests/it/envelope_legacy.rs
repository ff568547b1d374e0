//! The text format of old API servers. No real log was available: the fixtures follow `EventString` of
//! `k8s.io/apiserver/pkg/audit/format.go` and its tests.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int32Type, TimestampMicrosecondType};
use podtrail_ingest::Options;

use crate::support::{Memory, event, run_stream};
use crate::wrapped::unwrap;

const EXEC: &str = r#"2017-03-21T03:57:09.106841886-04:00 AUDIT: id="7e4d1a1a" stage="ResponseComplete" ip="10.0.0.1" method="create" user="ad\"min" groups="\"system:masters\",\"system:authenticated\"" as="bob" asgroups="<lookup>" user-agent="kubectl/v1.7.0 \u00fc" namespace="default" uri="/api/v1/namespaces/default/pods/web/exec?command=id" response="101""#;
const NOBODY: &str = r#"2017-03-21T03:57:09Z AUDIT: id="x" stage="RequestReceived" ip="<unknown>" method="get" user="<none>" groups="<none>" as="<self>" asgroups="<lookup>" user-agent="" namespace="<none>" uri="/healthz" response="<deferred>""#;
const BASIC: &str = r#"2017-03-21T03:57:09.1-04:00 AUDIT: id="y" ip="10.0.0.1" method="GET" user="admin" groups="\"system:masters\"" as="<self>" asgroups="<lookup>" namespace="kube-system" uri="/api/v1/namespaces/kube-system/secrets""#;
const BASIC_RESPONSE: &str = r#"2017-03-21T03:57:09.2-04:00 AUDIT: id="y" response="200""#;

fn text(memory: &Memory, column: &str) -> Option<String> {
    let column = memory.batches[0].column_by_name(column).expect("a column").as_string::<i32>();
    column.is_valid(0).then(|| column.value(0).to_owned())
}

/// A column and its value.
type Column = (&'static str, Option<&'static str>);

#[test]
fn every_column() {
    #[rustfmt::skip]
    let cases: &[(&str, &[Column])] = &[
        (EXEC, &[
            ("audit_id", Some("7e4d1a1a")), ("stage", Some("ResponseComplete")), ("verb", Some("create")),
            ("username", Some("ad\"min")), ("impersonated_username", Some("bob")), ("client_ip", Some("10.0.0.1")),
            ("user_agent", Some("kubectl/v1.7.0 ü")), ("namespace", Some("default")), ("resource", Some("pods")),
            ("subresource", Some("exec")), ("name", Some("web")), ("activity", Some("access")), ("original", Some(EXEC)),
            ("request_object", None), ("api_group", None), ("extra", None),
        ]),
        (NOBODY, &[
            ("audit_id", Some("x")), ("stage", Some("RequestReceived")), ("verb", Some("get")), ("username", None),
            ("impersonated_username", None), ("client_ip", None), ("user_agent", None), ("namespace", None),
            ("resource", None), ("outcome", Some("unknown")), ("request_uri", Some("/healthz")), ("extra", None),
        ]),
        (BASIC, &[
            ("audit_id", Some("y")), ("stage", Some("RequestReceived")), ("verb", Some("list")),
            ("resource", Some("secrets")), ("namespace", Some("kube-system")), ("username", Some("admin")),
        ]),
        (BASIC_RESPONSE, &[
            ("audit_id", Some("y")), ("stage", Some("ResponseComplete")), ("verb", None), ("outcome", Some("allowed")),
        ]),
    ];
    for (line, columns) in cases {
        let (memory, summary) = run_stream(*line, &Options::default());
        assert_eq!((summary.events_added, summary.quarantined), (1, 0), "{line}");
        for (column, value) in *columns {
            assert_eq!(text(&memory, column).as_deref(), *value, "{column} of {line}");
        }
    }
}

#[test]
fn times_groups_and_codes() {
    let (memory, _) = run_stream(EXEC, &Options::default());
    let batch = &memory.batches[0];
    let time = batch.column_by_name("received_at").expect("a column");
    // 07:57:09 UTC.
    assert_eq!(time.as_primitive::<TimestampMicrosecondType>().value(0), 1_490_083_029_106_841);
    let code = batch.column_by_name("status_code").expect("a column");
    assert_eq!(code.as_primitive::<Int32Type>().value(0), 101);
    let groups = batch.column_by_name("user_groups").expect("a column").as_list::<i32>().value(0);
    let groups: Vec<_> = groups.as_string::<i32>().iter().flatten().map(str::to_owned).collect();
    assert_eq!(groups, ["system:masters", "system:authenticated"]);
}

#[test]
fn among_others_and_wrapped() {
    let wrapped = format!(r#"{{"log":{},"stream":"a"}}"#, crate::wrapped::quoted(EXEC));
    let (events, reasons, _) = unwrap(format!("{}\n{EXEC}\n{wrapped}\n", event(1)));
    assert!(reasons.is_empty(), "{reasons:?}");
    assert_eq!(events[1].envelopes, ["legacy-text"]);
    assert_eq!(events[2].envelopes, ["fluent", "legacy-text"]);
    assert_eq!(events[1].event_id, events[2].event_id);
}

/// A line that deviates from the API server's form is quarantined.
#[test]
fn damaged_lines() {
    let cuts = (40..EXEC.len() - 1).step_by(7).filter(|at| EXEC.is_char_boundary(*at));
    let mut lines: Vec<String> = cuts.map(|at| EXEC[..at].to_owned()).collect();
    lines.push(EXEC.replace("\\u00fc", "\\ud800"));
    lines.push(EXEC.replace("\\u00fc", "\\UFFFFFFFF"));
    lines.push(EXEC.replace("ip=", "ip:"));
    let count = lines.len();
    // Without a closing quote, or with a field less: a cut between two fields leaves a valid line.
    let (events, reasons, summary) = unwrap(format!("{EXEC}\n{}\n", lines.join("\n")));
    assert_eq!(summary.skipped, 0);
    assert_eq!(events.len() + reasons.len(), count + 1);
    assert!(reasons.len() > count / 2);
}
