use podtrail_detect::Finding;
use podtrail_report::write_findings_csv;

use crate::{HOSTILE, blank, finding};

fn csv(findings: &[Finding]) -> String {
    let mut out = Vec::new();
    write_findings_csv(findings, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Returns the rows as an RFC 4180 reader parses them, without the header.
fn rows(findings: &[Finding]) -> Vec<Vec<String>> {
    let text = csv(findings);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect());
    rows.collect()
}

#[test]
fn a_finding_is_a_row_and_its_lists_are_joined() {
    let text = csv(&[finding()]);
    assert_eq!(
        text,
        "finding_id,detection,title,severity,confidence,risk,attack,tactics,first_seen,last_seen,count,cluster,identity,\
         impersonated_identity,verb,namespace,resource,name,images,reasons,outcome,client_ip,user_agent,source_file,\
         source_line,source_sha256,audit_ids,lowered_from,lowered_by,lowered_reason,\
         incident_id,incident_reason\r\n\
         5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c,privileged-container,Privileged container,high,medium,30,T1610; T1053.007,\
         Execution; Persistence,2026-11-24T10:00:00.250+00:00,2026-11-24T10:00:05.250+00:00,2,prod,alice,root,create,web,\
         cronjobs,backup,nginx:1; busybox,container c is privileged; so is d,allowed,10.0.0.7,kubectl/v1.36,\
         logs/audit.log,7,abababababababababababababababababababababababababababababababab,a1; a2,,,,,\r\n"
    );
}

#[test]
fn without_findings_there_is_a_header() {
    assert_eq!(csv(&[]).lines().count(), 1);
}

#[test]
fn formulas_are_written_as_text() {
    for start in ["=", "+", "-", "@", "\t", "\r"] {
        let name = format!("{start}HYPERLINK(\"http://x\")");
        let findings = [Finding {
            identity: Some(name.clone()),
            images: vec![name.clone(), "nginx".to_owned()],
            ..finding()
        }];
        let [row] = rows(&findings).try_into().unwrap();
        // A carriage return is escaped, so it is text.
        let text = match start {
            "\r" => name.replace('\r', "\\r"),
            _ => format!("'{name}"),
        };
        assert_eq!(row[12], text);
        assert_eq!(row[18], format!("{text}; nginx"));
    }
}

#[test]
fn a_hostile_name_stays_in_its_cell() {
    let hostile = Finding {
        name: Some(HOSTILE.to_owned()),
        user_agent: Some(format!("a{HOSTILE}")),
        ..finding()
    };
    let rows = rows(&[hostile, blank()]);
    assert_eq!(rows.len(), 2);
    let spelled =
        ['\r', '\0', '\u{1b}', '\u{202e}'].iter().fold(HOSTILE.to_owned(), |text, control| {
            text.replace(*control, &control.escape_debug().to_string().replace("\\0", "\\u{0}"))
        });
    assert_eq!(rows[0][17], format!("'{spelled}"));
    assert_eq!(rows[0][22], format!("a{spelled}"));
    assert_eq!(rows[1][17], "");
}
