//! OpenTelemetry: `ExportLogsServiceRequest` as JSON, from its file exporter and from OpenShift's cluster logging.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::envelope::candidate::{Candidate, Facts};
use crate::envelope::event_text::mentions_events;
use crate::envelope::family::{Envelope, Opened, Record};
use crate::envelope::labels::{Labels, any_value};
use crate::framing::span::Span;
use crate::instant::instant;
use crate::json::{self, Object, ObjectWriter};

/// `{"resourceLogs":[{"resource":…,"scopeLogs":[{"logRecords":[{"body":…}]}]}]}`.
pub(super) struct Otlp;

/// Maximum nesting; no event nests deeper. Each level of a value is read once for each level above it.
const MAX_LEVELS: usize = 64;

impl Envelope for Otlp {
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>> {
        let resources = record.object.as_ref()?.list("resourceLogs")?;
        let mut opened = Opened { name: "otlp", ..Opened::default() };
        let mut rest = record.span;
        for resource in resources {
            let Some(resource) = json::object(resource) else { continue };
            let source = Source::of(resource.object("resource"));
            let scopes = resource.list("scopeLogs").unwrap_or_default();
            let records =
                scopes.into_iter().filter_map(|scope| json::object(scope)?.list("logRecords"));
            for log_record in records.flatten() {
                let at = rest.take(log_record.get().as_bytes());
                if source.is_other {
                    opened.skipped += 1;
                    continue;
                }
                let inner = inner(at, log_record, &source);
                opened
                    .values
                    .push(inner.unwrap_or_else(|| Candidate::verbatim(at, Facts::default())));
            }
        }
        Some(opened)
    }
}

/// Returns the content of a log record; `None` if it has no body.
fn inner<'a>(at: Span<'a>, log_record: &'a RawValue, source: &Source<'a>) -> Option<Candidate<'a>> {
    const TIMES: &[&str] = &["timeUnixNano", "observedTimeUnixNano"];
    let members = json::object(log_record)?;
    let shipped_at = TIMES.iter().find_map(|key| instant(members.get(key)?));
    let mut labels = attributes(members.list("attributes").unwrap_or_default());
    labels.extend(members.text("severityText").map(|text| ("severityText".to_owned(), text)));
    let labels = Labels::new(labels).inside(source.facts.labels.as_ref());
    let labels = if labels.is_empty() { source.facts.labels.clone() } else { Some(labels.into()) };
    let facts = Facts { shipped_at, labels, ..source.facts.clone() };
    let body = members.object("body")?;
    if let Some(text) = body.get("stringValue") {
        return Candidate::of(at, text, facts);
    }
    let list = body.get("kvlistValue")?;
    Some(Candidate::rebuilt(at, object_of(list, MAX_LEVELS)?, facts))
}

/// The relevant attributes of a resource.
#[derive(Default)]
struct Source<'a> {
    facts: Facts<'a>,
    /// Whether its logs are known not to be Kubernetes audit logs.
    is_other: bool,
}

impl<'a> Source<'a> {
    fn of(resource: Option<Object<'a>>) -> Self {
        let attributes = attributes(
            resource.and_then(|resource| resource.list("attributes")).unwrap_or_default(),
        );
        let first = |keys: &[&str]| {
            let find = |key: &&str| attributes.iter().find(|(name, _)| name == key);
            let found: Option<&(String, Cow<'_, str>)> = keys.iter().find_map(find);
            found.map(|(_, value)| Cow::Owned(value.clone().into_owned()))
        };
        let openshift = first(&["openshift.cluster.uid", "openshift.cluster_id"]);
        // https://opentelemetry.io/docs/specs/semconv/registry/attributes/cloud/
        let provider = match first(&["cloud.platform"]).as_deref() {
            _ if openshift.is_some() => Some("openshift"),
            Some("aws_eks") => Some("eks"),
            Some("azure_aks" | "azure.aks") => Some("aks"),
            Some("gcp_kubernetes_engine") => Some("gke"),
            _ => None,
        };
        let log_type = first(&["openshift.log.type", "log_type"]);
        let log_source = first(&["openshift.log.source", "log_source"]);
        let labels = attributes.iter().map(|(key, value)| (key.clone(), Cow::Borrowed(&**value)));
        let labels = Labels::new(labels);
        let facts = Facts {
            labels: (!labels.is_empty()).then(|| labels.into()),
            provider,
            cluster: openshift.or_else(|| first(&["k8s.cluster.name", "k8s.cluster.uid"])),
            node: first(&["k8s.node.name", "host.name"]),
            ..Facts::default()
        };
        let is_other = log_type.is_some_and(|kind| kind != "audit")
            || log_source.is_some_and(|source| matches!(&*source, "auditd" | "ovn"));
        Self { facts, is_other }
    }
}

/// Returns the attributes whose values are neither lists nor objects and do not contain an event.
fn attributes(list: Vec<&RawValue>) -> Vec<(String, Cow<'_, str>)> {
    const MOST: usize = 128;
    let pair = |attribute: &RawValue| {
        let attribute = json::object(attribute)?;
        let value = any_value(attribute.get("value")?);
        let text = match value.get().as_bytes().first()? {
            b'{' | b'[' => return None,
            b'"' => json::text(value)?,
            _ => value.get().into(),
        };
        let is_label = !mentions_events(text.as_bytes());
        is_label.then_some((attribute.text("key")?.into_owned(), Cow::Owned(text.into_owned())))
    };
    list.into_iter().take(MOST).filter_map(pair).collect()
}

/// Returns the JSON object for a `KeyValueList`.
fn object_of(list: &RawValue, levels: usize) -> Option<String> {
    let mut object = ObjectWriter::default();
    for pair in json::object(list)?.list("values").unwrap_or_default() {
        let pair = json::object(pair)?;
        object.raw(&pair.text("key")?, &value_of(pair.get("value")?, levels.checked_sub(1)?)?);
    }
    Some(object.finish())
}

/// Returns the JSON value for an `AnyValue`, in which 64-bit integers are strings.
fn value_of(value: &RawValue, levels: usize) -> Option<String> {
    let value = json::object(value)?;
    let Some((kind, inner)) = value.iter().next() else { return Some("null".to_owned()) };
    match kind {
        "kvlistValue" => object_of(inner, levels),
        "arrayValue" => {
            let levels = levels.checked_sub(1)?;
            let values = json::object(inner)?.list("values").unwrap_or_default();
            let values: Option<Vec<String>> =
                values.into_iter().map(|value| value_of(value, levels)).collect();
            Some(format!("[{}]", values?.join(",")))
        }
        "intValue" => {
            let digits = json::text(inner).unwrap_or_else(|| inner.get().into());
            digits.parse::<i64>().ok().map(|number| number.to_string())
        }
        "stringValue" | "boolValue" | "doubleValue" | "bytesValue" => Some(inner.get().to_owned()),
        _ => None,
    }
}
