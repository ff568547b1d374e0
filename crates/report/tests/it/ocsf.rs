//! The required attributes of OCSF 1.9.0 class 2004 and of its objects; as of 2026-11-29 from
//! <https://github.com/ocsf/ocsf-schema> (events/findings, objects).

use podtrail_detect::Finding;
use podtrail_report::write_findings_ocsf;
use serde_json::{Value, json};

use crate::{HOSTILE, blank, finding, names, time};

const CLASS_2004: &[&str] = &[
    "activity_id",
    "category_uid",
    "class_uid",
    "finding_info",
    "metadata",
    "severity_id",
    "time",
    "type_uid",
];

/// By the name of the attribute that contains the object, or a list of them.
const OBJECTS: &[(&str, &[&str])] = &[
    ("metadata", &["product", "version"]),
    // `title` was required before 1.4, and `vendor_name` before 1.5.
    ("product", &["name", "vendor_name"]),
    ("finding_info", &["uid", "title"]),
    ("analytic", &["type_id"]),
    ("api", &["operation"]),
    ("request", &["uid"]),
    ("service", &[]),
    ("file", &["name", "type_id"]),
    ("hashes", &["algorithm_id", "value"]),
    ("observables", &["name", "type_id"]),
];

/// Each object has at least one of these attributes.
const AT_LEAST_ONE: &[(&str, &[&str])] = &[
    ("attacks", &["tactic", "technique", "sub_technique"]),
    ("analytic", &["name", "uid"]),
    ("actor", &["process", "user", "session", "app_name", "app_uid"]),
    ("user", &["account", "name", "uid"]),
    ("src_endpoint", &["ip", "uid", "name", "hostname"]),
    ("evidences", &["actor", "api", "data", "file", "src_endpoint", "resources", "user"]),
    ("resources", &["name", "uid"]),
];

fn ocsf(finding: Finding) -> Value {
    let mut out = Vec::new();
    write_findings_ocsf(&[finding], &names(), time(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches('\n').count(), 1, "one line: {text}");
    serde_json::from_str(&text).unwrap()
}

/// Checks every object below `value` against the two lists.
fn check(name: &str, value: &Value) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| check(name, item)),
        Value::Object(members) => {
            for (object, required) in OBJECTS.iter().filter(|(object, _)| *object == name) {
                for key in *required {
                    assert!(members.contains_key(*key), "{object} has no {key}: {value}");
                }
            }
            for (object, some) in AT_LEAST_ONE.iter().filter(|(object, _)| *object == name) {
                let has_one = some.iter().any(|key| members.contains_key(*key));
                assert!(has_one, "{object} has none of {some:?}: {value}");
            }
            members.iter().for_each(|(key, value)| check(key, value));
        }
        Value::Null => panic!("{name} is null"),
        _ => {}
    }
}

#[test]
fn every_required_attribute_is_present() {
    let hostile = Finding {
        client_ip: Some(HOSTILE.to_owned()),
        name: Some(HOSTILE.to_owned()),
        verb: Some(HOSTILE.to_owned()),
        ..finding()
    };
    for finding in [finding(), hostile, blank()] {
        let event = ocsf(finding);
        for key in CLASS_2004 {
            assert!(event.get(key).is_some(), "no {key}: {event}");
        }
        check("", &event);
    }
}

#[test]
fn the_event_has_the_values_of_the_finding() {
    let event = ocsf(finding());
    assert_eq!(event["category_uid"], 2);
    assert_eq!(event["class_uid"], 2004);
    assert_eq!(event["activity_id"], 1);
    assert_eq!(event["type_uid"], 200_401);
    assert_eq!(event["severity_id"], 4);
    assert_eq!(event["severity"], "High");
    assert_eq!(event["time"], 1_795_521_600_000_i64);
    assert_eq!(event["start_time"], 1_795_514_400_250_i64);
    assert_eq!(event["end_time"], 1_795_514_405_250_i64);
    assert_eq!(event["metadata"]["version"], "1.9.0");
    let info = &event["finding_info"];
    assert_eq!(info["uid"], finding().finding_id);
    assert_eq!(info["title"], "Privileged container");
    assert_eq!(info["first_seen_time"], event["start_time"]);
    assert_eq!(info["last_seen_time"], event["end_time"]);
    assert_eq!(
        info["attacks"],
        json!([
            {"technique": {"uid": "T1610", "name": "Deploy Container"}, "version": "19"},
            {
                "technique": {"uid": "T1053", "name": "Scheduled Task/Job"},
                "sub_technique": {
                    "uid": "T1053.007",
                    "name": "Container Orchestration Job"
                },
                "version": "19"
            },
            {"tactic": {"uid": "TA0002", "name": "Execution"}, "version": "19"},
            {"tactic": {"uid": "TA0003", "name": "Persistence"}, "version": "19"},
        ])
    );
    let evidence = &event["evidences"][0];
    assert_eq!(evidence["actor"]["user"]["name"], "alice");
    assert_eq!(evidence["user"]["name"], "root");
    assert_eq!(evidence["api"]["operation"], "create");
    assert_eq!(evidence["api"]["request"]["uid"], "a1");
    assert_eq!(evidence["src_endpoint"]["ip"], "10.0.0.7");
    assert_eq!(evidence["http_request"]["user_agent"], "kubectl/v1.36");
    assert_eq!(evidence["file"]["path"], "logs/audit.log");
    assert_eq!(evidence["file"]["hashes"][0]["value"], finding().source.sha256.unwrap());
    assert_eq!(event["evidences"][1]["data"], json!({"event_id": "e2", "line": 9, "offset": 1400}));
    assert_eq!(
        event["resources"],
        json!([{"name": "backup", "type": "cronjobs", "namespace": "web"}])
    );
    assert_eq!(event["unmapped"]["images"], json!(["nginx:1", "busybox"]));
}

#[test]
fn each_observable_names_the_path_of_its_value() {
    let event = ocsf(finding());
    let observables = event["observables"].as_array().unwrap();
    assert_eq!(observables.len(), 5);
    for observable in observables {
        let path = observable["name"].as_str().unwrap().replace('[', ".").replace(']', "");
        let pointer = format!("/{}", path.replace('.', "/"));
        assert_eq!(event.pointer(&pointer), Some(&observable["value"]), "{observable}");
    }
}
