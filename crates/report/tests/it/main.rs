//! Findings in every format.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking, and read best with plain values"
)]

mod csv;
mod ecs;
mod html;
mod ocsf;

use chrono::{DateTime, TimeDelta, Utc};
use podtrail_detect::{AttackNames, Confidence, Finding, Pack, Severity, Source};

/// Returns the names of the built-in pack.
fn names() -> AttackNames {
    Pack::built_in().unwrap().attack_names()
}

fn time() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

/// Returns a finding of two events with every field set.
fn finding() -> Finding {
    let first_seen = "2026-11-24T10:00:00.250Z".parse().unwrap();
    let source = |line, offset| Source {
        file: Some("logs/audit.log".to_owned()),
        line: Some(line),
        offset: Some(offset),
        sha256: Some("ab".repeat(32)),
    };
    let text = |text: &str| Some(text.to_owned());
    Finding {
        finding_id: "5f0c".repeat(8),
        detection: "privileged-container".to_owned(),
        title: "Privileged container".to_owned(),
        severity: Severity::High,
        confidence: Confidence::Medium,
        risk: 30,
        attack: vec!["T1610".to_owned(), "T1053.007".to_owned()],
        tactics: vec!["Execution".to_owned(), "Persistence".to_owned()],
        first_seen,
        last_seen: first_seen + TimeDelta::seconds(5),
        count: 2,
        event_ids: vec!["e1".to_owned(), "e2".to_owned()],
        audit_ids: vec!["a1".to_owned(), "a2".to_owned()],
        cluster: text("prod"),
        identity: text("alice"),
        impersonated_identity: text("root"),
        verb: text("create"),
        namespace: text("web"),
        resource: text("cronjobs"),
        name: text("backup"),
        images: vec!["nginx:1".to_owned(), "busybox".to_owned()],
        reasons: vec!["container c is privileged".to_owned(), "so is d".to_owned()],
        outcome: text("allowed"),
        client_ip: text("10.0.0.7"),
        user_agent: text("kubectl/v1.36"),
        source: source(7, 900),
        sources: vec![source(7, 900), source(9, 1400)],
        lowered: None,
        incident_id: None,
        incident_reason: None,
    }
}

/// Returns a finding of an event without optional fields.
fn blank() -> Finding {
    let nowhere = Source { file: None, line: None, offset: None, sha256: None };
    Finding {
        attack: Vec::new(),
        tactics: Vec::new(),
        count: 1,
        event_ids: vec!["e1".to_owned()],
        audit_ids: Vec::new(),
        cluster: None,
        identity: None,
        impersonated_identity: None,
        verb: None,
        namespace: None,
        resource: None,
        name: None,
        images: Vec::new(),
        reasons: Vec::new(),
        outcome: None,
        client_ip: None,
        user_agent: None,
        source: nowhere.clone(),
        sources: vec![nowhere],
        ..finding()
    }
}

/// A name that an attacker can choose.
const HOSTILE: &str =
    "=cmd|'/c calc'!A0,\"<script>alert(1)</script>\"\r\n\u{0}\u{1b}[31m\u{202e}]]>\u{e9}";
