//! OpenShift: the records of cluster logging, and the lines of `oc adm node-logs`.
//!
//! The ViaQ model of cluster logging merges an event with its own members and overwrites one of them: `level` becomes a
//! log level, and the audit level moves to `k8s_audit_level` or, from the OpenShift API server, to
//! `openshift_audit_level`. Such a record also parses as an event, so this envelope must be detected first.

use podtrail_event::EVENT_MEMBERS;

use crate::envelope::candidate::{Candidate, Facts};
use crate::envelope::family::{Envelope, Opened, Record};
use crate::envelope::lifted::line_beside;
use crate::framing::span::Span;
use crate::instant::instant;
use crate::json::{Object, ObjectWriter};

const PROVIDER: &str = "openshift";

/// Members in which ViaQ keeps the audit level.
const AUDIT_LEVELS: &[&str] = &["k8s_audit_level", "openshift_audit_level"];

/// ViaQ records, and lines with a node name before the event.
pub(super) struct OpenShift;

impl Envelope for OpenShift {
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>> {
        match &record.object {
            Some(object) if object.get("auditID").is_some() => viaq_event(record, object),
            Some(object) => other_viaq_record(object),
            None => node_line(record.span),
        }
    }
}

fn viaq_event<'a>(record: &Record<'a>, object: &Object<'a>) -> Option<Opened<'a>> {
    let level = AUDIT_LEVELS.iter().find_map(|key| object.get(key));
    let openshift = object.object("openshift");
    if level.is_none() && openshift.is_none() {
        return None;
    }
    // Older event versions have a `timestamp` of their own.
    let is_old = object.text("apiVersion").is_some_and(|version| version != "audit.k8s.io/v1");
    let mut event = ObjectWriter::default();
    for (key, value) in object.iter() {
        match key {
            "level" => event.raw(key, level.unwrap_or(value).get()),
            "timestamp" if !is_old => {}
            _ if !EVENT_MEMBERS.contains(&key) => {}
            _ => event.raw(key, value.get()),
        }
    }
    let facts = Facts {
        provider: Some(PROVIDER),
        node: object.text("hostname"),
        shipped_at: object.get("@timestamp").and_then(instant),
        ..Facts::default()
    };
    if let Some(line) = line_beside(record, object, &facts) {
        return Some(Opened::with("viaq", vec![line]));
    }
    Some(Opened::with("viaq", vec![Candidate::rebuilt(record.span, event.finish(), facts)]))
}

/// Opens a ViaQ record of host or network audit logs, which are not Kubernetes audit logs.
fn other_viaq_record<'a>(object: &Object<'a>) -> Option<Opened<'a>> {
    object.get("openshift")?;
    let is_other = object.text("log_type")? == "audit"
        && matches!(&*object.text("log_source")?, "auditd" | "ovn");
    is_other.then(|| Opened::skipped("viaq"))
}

/// Parses a line of `oc adm node-logs` for several nodes: `<node> {…}`.
fn node_line(line: Span<'_>) -> Option<Opened<'_>> {
    let space = memchr::memchr(b' ', line.bytes)?;
    let node = std::str::from_utf8(&line.bytes[..space]).ok().filter(|name| is_node_name(name))?;
    let event = line.after(space);
    let is_event = event.bytes.first() == Some(&b'{')
        && memchr::memmem::find(event.bytes, b"\"auditID\"").is_some();
    if !is_event {
        return None;
    }
    // Logs of any cluster may be collected in this form, so it does not determine the provider.
    let facts = Facts { node: Some(node.into()), ..Facts::default() };
    let values = vec![Candidate::verbatim(event, facts)];
    Some(Opened::with("node-logs", values))
}

/// Returns whether a word can be a node name: a DNS subdomain (RFC 1123) that is not a number, which would rather be a
/// time.
fn is_node_name(word: &str) -> bool {
    const LONGEST: usize = 253;
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    word.len() <= LONGEST
        && word.bytes().any(|byte| byte.is_ascii_lowercase())
        && word.bytes().all(|byte| is_inner(byte) || matches!(byte, b'-' | b'.'))
        && word.bytes().next().is_some_and(is_inner)
        && word.bytes().last().is_some_and(is_inner)
}
