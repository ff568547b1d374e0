//! JSON records with the event in one member. A real sample was available only for `input.message`: the fixtures follow
//! the shippers' documentation.

use crate::support::event;
use crate::wrapped::{Case, check, quoted};

#[test]
fn every_wrapper() {
    let raw = event(1);
    let text = quoted(&raw);
    let line = quoted(&format!("{raw}\n"));
    let time = "2026-11-23T22:00:00.374797Z";
    check(vec![
        Case::new(
            "Fluent Bit",
            format!(
                r#"{{"date":1795471200.374797,"log":{line},"stream":"stdout","kubernetes":{{"pod_name":"a","host":"n1"}}}}"#
            ),
            &["fluent"],
        )
        .at("n1")
        .timed(),
        Case::new(
            "Fluent Bit, parsed beside the line",
            format!(r#"{{"@timestamp":"{time}","log":{line},"log_processed":{raw}}}"#),
            &["fluent"],
        )
        .timed(),
        Case::new(
            "Fluent Bit, parsed only",
            format!(r#"{{"@timestamp":"{time}","log_processed":{raw},"stream":"stdout"}}"#),
            &["fluent"],
        )
        .timed(),
        Case::new(
            "Fluentd with another key",
            format!(r#"{{"message":{text},"kubernetes":{{"host":"n1"}},"time":"{time}"}}"#),
            &["fluent"],
        )
        .at("n1")
        .timed(),
        Case::new(
            "CRI in Fluent Bit",
            format!(r#"{{"date":1795471200,"log":{}}}"#, quoted(&format!("{time} stdout F {raw}"))),
            &["fluent", "cri"],
        )
        .timed(),
        Case::new(
            "Filebeat",
            format!(
                r#"{{"@timestamp":"{time}","@metadata":{{"beat":"filebeat"}},"message":{text},"log":{{"offset":7,"file":{{"path":"/var/log/kubernetes/audit.log"}}}},"host":{{"name":"n1"}},"agent":{{"type":"filebeat"}}}}"#
            ),
            &["filebeat"],
        )
        .at("n1")
        .timed(),
        Case::new(
            "Filebeat, parsed",
            format!(r#"{{"@timestamp":"{time}","json":{raw},"agent":{{}},"host":{{"name":"n1"}}}}"#),
            &["filebeat"],
        )
        .at("n1")
        .timed(),
        Case::new(
            "Filebeat with the original",
            format!(
                r#"{{"@timestamp":"{time}","message":"list pods","event":{{"original":{text}}},"agent":{{}}}}"#
            ),
            &["filebeat"],
        )
        .timed(),
        Case::new(
            "Logstash with dots in its keys",
            format!(
                r#"{{"@timestamp":"{time}","@version":"1","event.original":{text},"host":{{"name":"n1"}}}}"#
            ),
            &["logstash"],
        )
        .at("n1")
        .timed(),
        Case::new(
            "elasticdump",
            format!(
                r#"{{"_index":"audit-1","_id":"x","_source":{{"@timestamp":"{time}","@version":"1","host":"n1","message":{text}}}}}"#
            ),
            &["elasticsearch", "logstash"],
        )
        .at("n1")
        .timed(),
        Case::new(
            "elasticdump of events",
            format!(r#"{{"_index":"audit-1","_id":"x","_source":{raw}}}"#),
            &["elasticsearch"],
        ),
        Case::new(
            "Vector",
            format!(
                r#"{{"file":"/var/log/audit.log","host":"n1","message":{text},"source_type":"file","timestamp":"{time}"}}"#
            ),
            &["vector"],
        )
        .at("n1")
        .timed(),
        Case::new(
            "logcli",
            format!(r#"{{"labels":{{"node":"n1"}},"line":{text},"timestamp":"{time}"}}"#),
            &["loki"],
        )
        .at("n1")
        .timed(),
        Case::new(
            "Grafana",
            format!(
                r#"[{{"line":{text},"timestamp":"1795471200374797001","date":"{time}","fields":{{}}}}]"#
            ),
            &["array", "loki"],
        )
        .timed(),
        Case::new(
            "Splunk export",
            format!(
                r#"{{"preview":false,"offset":0,"lastrow":true,"result":{{"_raw":{text},"_time":"2026-11-23 22:00:00.374797 UTC","host":"n1"}}}}"#
            ),
            &["splunk"],
        )
        .at("n1")
        .timed(),
        Case::new(
            "Splunk HEC with an object",
            format!(
                r#"{{"time":1795471200.374797,"host":"n1","sourcetype":"_json","event":{raw},"fields":{{}}}}"#
            ),
            &["splunk-hec"],
        )
        .at("n1")
        .timed(),
        Case::new(
            "Splunk HEC with text",
            format!(r#"{{"time":"1795471200.374797","host":"n1","event":{text}}}"#),
            &["splunk-hec"],
        )
        .at("n1")
        .timed(),
        Case::new(
            "GELF",
            format!(
                r#"{{"version":"1.1","host":"n1","short_message":"{{\"kind\":\"Ev","full_message":{text},"timestamp":1795471200.374797,"_x":1}}"#
            ),
            &["gelf"],
        )
        .at("n1")
        .timed(),
        Case::new(
            "Graylog export",
            format!(r#"{{"gl2_message_id":"x","source":"n1","message":{text},"timestamp":"{time}"}}"#),
            &["graylog"],
        )
        .at("n1")
        .timed(),
        Case::new(
            "kcat -J",
            format!(
                r#"{{"topic":"audit","partition":0,"offset":1,"tstype":"create","ts":1795471200374,"key":null,"payload":{text}}}"#
            ),
            &["kafka"],
        )
        .timed_at(1_795_471_200_374_000),
        Case::new(
            "Kafka Connect",
            format!(r#"{{"schema":{{"type":"string"}},"payload":{text}}}"#),
            &["kafka-connect"],
        ),
        Case::new(
            "journald",
            format!(
                r#"{{"__CURSOR":"s","__REALTIME_TIMESTAMP":"1795471200374797","_HOSTNAME":"n1","MESSAGE":{text}}}"#
            ),
            &["journald"],
        )
        .at("n1")
        .timed(),
        Case::new(
            "journald with bytes",
            format!(
                r#"{{"__REALTIME_TIMESTAMP":"1795471200374797","_HOSTNAME":"n1","MESSAGE":{:?}}}"#,
                raw.as_bytes()
            ),
            &["journald"],
        )
        .at("n1")
        .timed(),
        Case::new(
            "a security product",
            format!(r#"{{"input":{{"message":{text}}},"expected":{{"verb":"list"}}}}"#),
            &["json"],
        ),
        Case::new(
            "a security product with a list",
            format!(r#"{{"hostname":"n1","time":"{time}","batch":[{{"raw":{text}}}]}}"#),
            &["json"],
        )
        .at("n1")
        .timed(),
        Case::new("a log service", format!(r#"{{"content":{text},"line_num":"1"}}"#), &["json"]),
    ]);
}
