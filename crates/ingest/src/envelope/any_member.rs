//! JSON objects of unknown form with events in their members: most security products keep the original line so.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::envelope::candidate::{Candidate, Facts};
use crate::envelope::event_text::mentions_events;
use crate::envelope::family::{Envelope, Opened, Record};
use crate::envelope::member_path::{find_text, find_time};
use crate::envelope::salvage;
use crate::json::{self, Object};

/// Any JSON object with an event in a member.
pub(super) struct AnyMember;

/// Maximum depth at which members of an unknown object are searched.
const MAX_LEVELS: usize = 4;

impl Envelope for AnyMember {
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>> {
        const TIMES: &[&str] = &["@timestamp", "timestamp", "time", "date", "eventTime"];
        const HOSTS: &[&str] = &["host.name", "hostname", "host"];
        let object = record.object.as_ref()?;
        // The content of a Kubernetes object is a user's text, not a log; an object that resembles an event is a
        // damaged event.
        let is_kubernetes_object =
            object.get("kind").is_some() && object.get("apiVersion").is_some();
        let is_event = object.get("auditID").is_some();
        if is_kubernetes_object || is_event || !mentions_events(record.span.bytes) {
            return None;
        }
        let mut found = Vec::new();
        look_into(object, MAX_LEVELS, &mut found);
        leave_out_copies(&mut found);
        if found.is_empty() {
            return None;
        }
        let facts = Facts {
            node: find_text(object, HOSTS),
            shipped_at: find_time(object, TIMES),
            ..Facts::default()
        };
        let mut rest = record.span;
        let mut values = Vec::with_capacity(found.len());
        for value in found {
            let inner = Candidate::at(rest.take(value.get().as_bytes()), value, facts.clone());
            values.extend(inner);
        }
        Some(Opened::with("json", values))
    }
}

/// What identifies an event among others.
#[derive(PartialEq)]
struct Known {
    id: String,
    stage: Option<String>,
}

impl Known {
    fn of(event: &[u8]) -> Option<Self> {
        let event = Object::read(event)?;
        let id = event.text("auditID")?.into_owned();
        Some(Self { id, stage: event.text("stage").map(Cow::into_owned) })
    }
}

/// Removes decoded or truncated copies of an event that the record also contains in a better form: its complete text is
/// the most faithful, then its members.
fn leave_out_copies(found: &mut Vec<&RawValue>) {
    /// A record with more events is a list of events.
    const MANY: usize = 16;
    if found.len() < 2 || found.len() > MANY {
        return;
    }
    let rated: Vec<(Option<Known>, u8)> = found
        .iter()
        .map(|value| match json::text(value) {
            Some(text) => {
                if let Some(known) = Known::of(text.trim().as_bytes()) {
                    return (Some(known), 0);
                }
                let whole = salvage::complete(text.as_bytes());
                (whole.and_then(|whole| Known::of(&whole)), 2)
            }
            None => (Known::of(value.get().as_bytes()), 1),
        })
        .collect();
    let mut best: Vec<bool> = vec![true; found.len()];
    for (index, (known, rank)) in rated.iter().enumerate() {
        let Some(known) = known else { continue };
        // Two copies in the same form are two events, regardless of the audit ID that the client chose.
        let is_better = |(other, other_rank): &(Option<Known>, u8)| {
            other_rank < rank && other.as_ref() == Some(known)
        };
        best[index] = !rated.iter().any(is_better);
    }
    let mut best = best.into_iter();
    found.retain(|_| best.next().unwrap_or(true));
}

/// Collects the members that are events or text that contains one.
fn look_into<'a>(object: &Object<'a>, levels: usize, found: &mut Vec<&'a RawValue>) {
    for (_, value) in object.iter() {
        look_at(value, levels, found);
    }
}

fn look_at<'a>(value: &'a RawValue, levels: usize, found: &mut Vec<&'a RawValue>) {
    if !mentions_events(value.get().as_bytes()) {
        return;
    }
    match value.get().as_bytes().first() {
        Some(b'"') if json::text(value).is_some_and(|text| text.contains('{')) => {
            found.push(value);
        }
        Some(b'[') if levels > 0 => {
            for element in json::list(value).into_iter().flatten() {
                look_at(element, levels - 1, found);
            }
        }
        Some(b'{') => {
            let Some(object) = json::object(value) else { return };
            if object.get("auditID").is_some() && object.get("stage").is_some() {
                found.push(value);
            } else if levels > 0 {
                look_into(&object, levels - 1, found);
            }
        }
        _ => {}
    }
}
