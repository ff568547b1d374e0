//! Indicators in JSON: STIX 2.1 bundles and MISP events.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use podtrail_event::Severity;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::indicator::{FeedReader, Indicator};
use super::pattern::{Comparison, read_pattern};
use super::value::{IndicatorKind, time};

/// A value of an unexpected type must not make the rest of the document unreadable.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Loose {
    Text(String),
    Flag(bool),
    Number(serde_json::Number),
    Other(IgnoredAny),
    #[default]
    #[serde(skip)]
    Missing,
}

impl Loose {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) if !text.trim().is_empty() => Some(text.trim()),
            _ => None,
        }
    }

    fn owned(&self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            Self::Number(number) => number.as_i64().map(|number| number != 0),
            Self::Text(text) => match text.as_str() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    fn time(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Number(number) => time(&number.to_string()),
            _ => self.text().and_then(time),
        }
    }
}

/// An element of a list; elements that are not objects are skipped.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Element<T> {
    Object(T),
    Other(IgnoredAny),
}

/// One document: a bundle, one STIX object, a MISP event, or a response with several events.
#[derive(Debug, Deserialize)]
struct Document {
    objects: Option<Vec<Element<Stix>>>,
    #[serde(rename = "Event")]
    event: Option<Event>,
    response: Option<Vec<Element<Wrapped>>>,
}

#[derive(Debug, Deserialize)]
struct Wrapped {
    #[serde(rename = "Event")]
    event: Event,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stix {
    r#type: Loose,
    id: Loose,
    name: Loose,
    description: Loose,
    pattern: Loose,
    pattern_type: Loose,
    created_by_ref: Loose,
    created: Loose,
    valid_from: Loose,
    valid_until: Loose,
    revoked: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event {
    info: Loose,
    date: Loose,
    timestamp: Loose,
    threat_level_id: Loose,
    #[serde(rename = "Orgc")]
    creator: Option<Organisation>,
    #[serde(rename = "Attribute")]
    attributes: Vec<Element<Attribute>>,
    #[serde(rename = "Object")]
    objects: Vec<Element<Object>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Organisation {
    name: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Object {
    #[serde(rename = "Attribute")]
    attributes: Vec<Element<Attribute>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Attribute {
    r#type: Loose,
    value: Loose,
    comment: Loose,
    timestamp: Loose,
    to_ids: Loose,
    deleted: Loose,
}

/// Reads a document, or a list of documents.
pub(super) fn read(text: &str, found: &mut FeedReader) -> Result<(), String> {
    let wrong = |error: serde_json::Error| format!("invalid JSON: {error}");
    if text.trim_start().starts_with('[') {
        // A list of STIX objects or MISP events.
        let elements: Vec<Element<Wrapped>> = serde_json::from_str(text).map_err(wrong)?;
        let events: Vec<_> = elements.into_iter().filter_map(object).collect();
        if !events.is_empty() {
            return events.iter().try_for_each(|wrapped| misp(&wrapped.event, found));
        }
        let objects: Vec<Element<Stix>> = serde_json::from_str(text).map_err(wrong)?;
        return stix(objects, found);
    }
    let document: Document = serde_json::from_str(text).map_err(wrong)?;
    match document {
        Document { objects: Some(objects), .. } => stix(objects, found),
        Document { event: Some(event), .. } => misp(&event, found),
        Document { response: Some(events), .. } => {
            events.into_iter().filter_map(object).try_for_each(|one| misp(&one.event, found))
        }
        _ => {
            Err("neither a STIX bundle (field 'objects') nor a MISP event (field 'Event')"
                .to_owned())
        }
    }
}

fn object<T>(element: Element<T>) -> Option<T> {
    match element {
        Element::Object(object) => Some(object),
        Element::Other(IgnoredAny) => None,
    }
}

fn stix(objects: Vec<Element<Stix>>, found: &mut FeedReader) -> Result<(), String> {
    let objects: Vec<Stix> = objects.into_iter().filter_map(object).collect();
    let names: HashMap<&str, &str> = objects
        .iter()
        .filter(|object| object.r#type.text() == Some("identity"))
        .filter_map(|object| object.id.text().zip(object.name.text()))
        .collect();
    for object in objects.iter().filter(|object| object.r#type.text() == Some("indicator")) {
        if object.revoked.flag() == Some(true) {
            found.skip("revoked");
            continue;
        }
        let language = object.pattern_type.text().unwrap_or("stix");
        if language != "stix" {
            found.skip(&format!("pattern of type {language}"));
            continue;
        }
        let Some(comparisons) = object.pattern.text().and_then(read_pattern) else {
            found.skip("pattern that is not a STIX pattern of alternatives");
            continue;
        };
        let creator = object.created_by_ref.text();
        let source = creator.map(|id| names.get(id).copied().unwrap_or(id).to_owned());
        let description = object.name.owned().or_else(|| object.description.owned());
        let date = object.created.time().or_else(|| object.valid_from.time());
        for Comparison { kind, path, values } in comparisons {
            let Some(kind) = kind else {
                found.skip(&format!("comparison of {path}"));
                continue;
            };
            for value in values {
                let Ok((kind, value)) = kind.read(&value) else {
                    found.skip(&format!("malformed value of {path}"));
                    continue;
                };
                found.add(Indicator {
                    kind,
                    value,
                    severity: Severity::High,
                    source: source.clone(),
                    description: description.clone(),
                    date,
                    expires: object.valid_until.time(),
                })?;
            }
        }
    }
    Ok(())
}

fn misp(event: &Event, found: &mut FeedReader) -> Result<(), String> {
    let of_objects = event.objects.iter().filter_map(|element| match element {
        Element::Object(object) => Some(&object.attributes),
        Element::Other(IgnoredAny) => None,
    });
    let lists = std::iter::once(&event.attributes).chain(of_objects);
    let creator = event.creator.as_ref().and_then(|creator| creator.name.text());
    // MISP threat levels: 1 is high, 2 medium, 3 low, 4 undefined.
    let severity = match &event.threat_level_id {
        Loose::Text(level) if level == "2" => Severity::Medium,
        Loose::Text(level) if level == "3" => Severity::Low,
        Loose::Number(level) if level.as_i64() == Some(2) => Severity::Medium,
        Loose::Number(level) if level.as_i64() == Some(3) => Severity::Low,
        _ => Severity::High,
    };
    for element in lists.flatten() {
        let Element::Object(attribute) = element else { continue };
        if attribute.deleted.flag() == Some(true) {
            found.skip("deleted");
            continue;
        }
        if attribute.to_ids.flag() == Some(false) {
            found.skip("not meant for detection (to_ids)");
            continue;
        }
        let name = attribute.r#type.text().unwrap_or_default();
        let Some(value) = attribute.value.text() else {
            found.skip("attribute without a value");
            continue;
        };
        let value = match name.split_once('|') {
            Some(("filename", _)) => value.rsplit_once('|').map_or(value, |(_, value)| value),
            Some(_) => value.split_once('|').map_or(value, |(value, _)| value),
            None => value,
        };
        let read = match IndicatorKind::of_type(name) {
            Some(kind) => kind.read(value).ok(),
            None if name == "other" => IndicatorKind::infer(value),
            None => {
                found.skip(&format!("type {name}"));
                continue;
            }
        };
        let Some((kind, value)) = read else {
            found.skip(&format!("malformed value of type {name}"));
            continue;
        };
        found.add(Indicator {
            kind,
            value,
            severity,
            source: creator.map(str::to_owned),
            description: match (event.info.text(), attribute.comment.text()) {
                (Some(info), Some(comment)) => Some(format!("{info}: {comment}")),
                (info, comment) => info.or(comment).map(str::to_owned),
            },
            date: attribute
                .timestamp
                .time()
                .or_else(|| event.date.time())
                .or_else(|| event.timestamp.time()),
            expires: None,
        })?;
    }
    Ok(())
}
