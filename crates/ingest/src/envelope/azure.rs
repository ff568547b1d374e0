//! Azure: AKS writes audit events to diagnostic settings, in the categories `kube-audit` and `kube-audit-admin`. They
//! arrive through Event Hubs, storage accounts, Log Analytics and Defender.
//!
//! The cluster name is the last segment of the resource ID in lower case: names in Azure are case-insensitive, and
//! diagnostic records write IDs in upper case where Log Analytics uses lower case. Exports truncate the text of an
//! event at 16 KiB, the `AzureDiagnostics` table at 32,766 bytes: see the `salvage` module.

use std::borrow::Cow;

use podtrail_event::Micros;
use serde_json::value::RawValue;

use crate::envelope::candidate::{Candidate, Facts};
use crate::envelope::family::{Envelope, Opened, Record};
use crate::framing::span::Span;
use crate::instant::instant;
use crate::json::{self, Object, ObjectWriter};

/// What the `AKSAudit` tables contain in place of a body that is too large for a column.
const BODY_LEFT_OUT: &str = "skipped-too-big-size-object";

/// Diagnostic records, Log Analytics rows and API responses, and Defender rows.
pub(super) struct Azure;

impl Envelope for Azure {
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>> {
        let object = record.object.as_ref()?;
        if object.get("auditID").is_some() {
            return None;
        }
        records(record.span, object)
            .or_else(|| defender(record, object))
            .or_else(|| diagnostic_record(record.span, object))
            .or_else(|| diagnostics_row(record.span, object))
            .or_else(|| audit_row(record, object))
            .or_else(|| query_answer(record, object))
    }
}

/// Opens a message of Event Hubs: `{"records":[…]}`.
fn records<'a>(whole: Span<'a>, object: &Object<'a>) -> Option<Opened<'a>> {
    let records = object.list("records")?;
    let first = json::object(records.first()?)?;
    first.get("category").or_else(|| first.get("operationName"))?;
    Some(Opened::with("azure-records", Candidate::elements(whole, records)))
}

/// Opens a diagnostic record: `{"category":"kube-audit","resourceId":…,"properties":{"log":…,"pod":…},"time":…}`.
fn diagnostic_record<'a>(whole: Span<'a>, object: &Object<'a>) -> Option<Opened<'a>> {
    const NAME: &str = "azure-diagnostics";
    let category = object.text("category").or_else(|| object.text("Category"))?;
    let properties = object.get("properties")?;
    let facts = Facts {
        shipped_at: object.get("time").and_then(instant),
        ..facts_of_resource(object.text("resourceId"))
    };
    if !is_audit_category(&category) {
        let is_log = log_of(properties).is_some();
        return is_log.then(|| Opened::skipped(NAME));
    }
    let inner = if let Some(members) = json::object(properties) {
        let facts = Facts { node: members.text("pod"), ..facts };
        Candidate::of(whole, members.get("log")?, facts)?
    } else {
        // The properties are JSON in a string.
        let text = json::text(properties)?;
        let members = Object::read(text.as_bytes())?;
        let node = members.text("pod").map(|pod| pod.into_owned().into());
        let log = members.get("log")?;
        let text = match json::text(log) {
            Some(text) => text.into_owned(),
            None => log.get().to_owned(),
        };
        let place = whole.locate(properties.get().as_bytes()).place();
        Candidate { json: text.into_bytes().into(), place, facts: Facts { node, ..facts } }
    };
    Some(Opened::with(NAME, vec![inner]))
}

/// Returns the `log` member of properties that are an object or JSON in a string.
fn log_of(properties: &RawValue) -> Option<String> {
    match json::text(properties) {
        Some(text) => Object::read(text.as_bytes())?.get("log").map(|log| log.get().to_owned()),
        None => json::object(properties)?.get("log").map(|log| log.get().to_owned()),
    }
}

fn is_audit_category(category: &str) -> bool {
    category.to_ascii_lowercase().starts_with("kube-audit")
}

fn facts_of_resource(id: Option<Cow<'_, str>>) -> Facts<'static> {
    let Some(id) = id.map(|id| id.to_ascii_lowercase()) else { return Facts::default() };
    let provider = if id.contains("/managedclusters/") {
        "aks"
    } else if id.contains("/connectedclusters/") {
        "azure-arc"
    } else {
        return Facts::default();
    };
    let cluster = id.rsplit('/').next().map(|name| name.to_owned().into());
    Facts { provider: Some(provider), cluster, ..Facts::default() }
}

/// Opens a row of the `AzureDiagnostics` table.
fn diagnostics_row<'a>(whole: Span<'a>, object: &Object<'a>) -> Option<Opened<'a>> {
    const NAME: &str = "azure-log-analytics";
    let log = object.get("log_s")?;
    if object.text("Category").is_some_and(|category| !is_audit_category(&category)) {
        return Some(Opened::skipped(NAME));
    }
    let facts = Facts { node: object.text("pod_s"), ..facts_of_row(object) };
    let inner = Candidate::of(whole, log, facts)?;
    Some(Opened::with(NAME, vec![inner]))
}

fn facts_of_row<'a>(row: &Object<'a>) -> Facts<'a> {
    const IDS: &[&str] = &["_ResourceId", "ResourceId"];
    const TIMES: &[&str] = &["TimeGenerated", "TimeGenerated [UTC]"];
    Facts {
        shipped_at: TIMES.iter().find_map(|key| instant(row.get(key)?)),
        ..facts_of_resource(IDS.iter().find_map(|key| row.text(key)))
    }
}

/// Columns of the tables `AKSAudit`, `AKSAuditAdmin`, `ArcK8sAudit` and `ArcK8sAuditAdmin`, with the event members they
/// hold.
const AUDIT_COLUMNS: &[(&str, &str)] = &[
    ("Level", "level"),
    ("AuditId", "auditID"),
    ("Stage", "stage"),
    ("RequestUri", "requestURI"),
    ("Verb", "verb"),
    ("User", "user"),
    ("SourceIps", "sourceIPs"),
    ("UserAgent", "userAgent"),
    ("ObjectRef", "objectRef"),
    ("ResponseStatus", "responseStatus"),
    ("RequestObject", "requestObject"),
    ("ResponseObject", "responseObject"),
    ("RequestReceivedTime", "requestReceivedTimestamp"),
    ("StageReceivedTime", "stageTimestamp"),
    ("Annotations", "annotations"),
];

/// Opens a row of those tables. `dynamic` columns are JSON, or JSON in a string.
fn audit_row<'a>(record: &Record<'a>, object: &Object<'a>) -> Option<Opened<'a>> {
    object.get("AuditId")?;
    object.get("RequestUri")?;
    let mut event = ObjectWriter::default();
    let mut truncated = false;
    for (column, member) in AUDIT_COLUMNS {
        let Some(value) = object.get(column) else { continue };
        if json::text(value).is_some_and(|text| text == BODY_LEFT_OUT) {
            truncated = true;
        } else if let Some(json) = member_of_column(member, value) {
            event.raw(member, &json);
        }
    }
    let facts = Facts {
        node: object.text("PodName").filter(|name| !name.is_empty()),
        truncated,
        ..facts_of_row(object)
    };
    let inner = Candidate::rebuilt(record.span, event.finish(), facts);
    Some(Opened::with("azure-log-analytics", vec![inner]))
}

/// Returns the event member for a column; `None` if the column is empty.
fn member_of_column<'a>(member: &str, value: &'a RawValue) -> Option<Cow<'a, str>> {
    let Some(text) = json::text(value) else {
        return (value.get() != "null").then_some(value.get().into());
    };
    match member {
        _ if text.is_empty() => None,
        "requestReceivedTimestamp" | "stageTimestamp" => {
            let time =
                instant(value).and_then(Micros::to_rfc3339).unwrap_or_else(|| text.into_owned());
            Some(json::quote(&time).into())
        }
        "user" | "sourceIPs" | "objectRef" | "responseStatus" | "requestObject"
        | "responseObject" | "annotations" => {
            let is_json =
                json::is_open(text.as_bytes()) && serde_json::from_str::<&RawValue>(&text).is_ok();
            match member {
                _ if is_json => Some(text),
                "sourceIPs" => Some(format!("[{}]", value.get()).into()),
                _ => Some(value.get().into()),
            }
        }
        _ => Some(value.get().into()),
    }
}

/// Opens a Defender alert row of the `CloudAuditEvents` table. The event is in `properties.RawEventData`; its own
/// members are capitalized, nested members are not.
fn defender<'a>(record: &Record<'a>, object: &Object<'a>) -> Option<Opened<'a>> {
    let properties = object.object("properties")?;
    let raw = properties.get("RawEventData")?;
    let text = json::text(raw);
    let members = match &text {
        Some(text) => Object::read(text.as_bytes())?,
        None => json::object(raw)?,
    };
    members.get("AuditID").or_else(|| members.get("auditID"))?;
    let mut event = ObjectWriter::default();
    for (key, value) in members.iter() {
        if value.get() != "null" && key != "DataPipelineMetadata" {
            event.raw(&member_of_defender(key), value.get());
        }
    }
    let facts = Facts {
        shipped_at: object.get("time").and_then(instant),
        ..facts_of_resource(properties.text("AzureResourceId"))
    };
    Some(Opened::with("defender", vec![Candidate::rebuilt(record.span, event.finish(), facts)]))
}

fn member_of_defender(key: &str) -> Cow<'_, str> {
    const ODD: &[(&str, &str)] = &[("ApiVersion", "apiVersion"), ("APIVersion", "apiVersion")];
    if let Some((_, member)) = ODD.iter().find(|(odd, _)| *odd == key) {
        return (*member).into();
    }
    match key.chars().next() {
        Some(first) if first.is_ascii_uppercase() => {
            format!("{}{}", first.to_ascii_lowercase(), &key[1..]).into()
        }
        _ => key.into(),
    }
}

/// Other columns of Log Analytics that are read, besides [`AUDIT_COLUMNS`].
const OTHER_COLUMNS: &[&str] = &[
    "log_s",
    "pod_s",
    "Category",
    "PodName",
    "ResourceId",
    "TimeGenerated",
    "TimeGenerated [UTC]",
    "_ResourceId",
];

/// Opens a response of the query API: `{"tables":[{"columns":[{"name":…}],"rows":[[…],…]}]}`. Each row becomes an
/// object.
fn query_answer<'a>(record: &Record<'a>, object: &Object<'a>) -> Option<Opened<'a>> {
    const NAME: &str = "azure-query";
    let tables: Vec<Table<'a>> =
        object.list("tables")?.into_iter().map(Table::of).collect::<Option<_>>()?;
    let is_ours = |name: &str| matches!(name, "log_s" | "AuditId");
    if !tables.iter().any(|table| table.columns.iter().flatten().any(|name| is_ours(name))) {
        return None;
    }
    let mut opened = Opened { name: NAME, ..Opened::default() };
    let mut rest = record.span;
    for row in tables.iter().flat_map(|table| table.rows.iter().map(move |row| (table, row))) {
        let (table, row) = row;
        let at = rest.take(row.get().as_bytes());
        let text = table.object_of(row).unwrap_or_else(|| row.get().to_owned());
        if let Err(reason) = record.budget.take(text.len()) {
            opened.damaged = Some((at, format!("table row: {reason}")));
            break;
        }
        let json = text.into_bytes().into();
        opened.values.push(Candidate { json, place: at.place(), facts: Facts::default() });
    }
    Some(opened)
}

/// A table of a response.
struct Table<'a> {
    /// The names of its columns; `None` for columns that are not read.
    columns: Vec<Option<String>>,
    rows: Vec<&'a RawValue>,
}

impl<'a> Table<'a> {
    fn of(table: &'a RawValue) -> Option<Self> {
        let table = json::object(table)?;
        let is_read = |name: &str| {
            OTHER_COLUMNS.contains(&name) || AUDIT_COLUMNS.iter().any(|(column, _)| *column == name)
        };
        let columns = table.list("columns")?.into_iter().map(|column| {
            let name = json::object(column)?.text("name")?;
            is_read(&name).then(|| name.into_owned())
        });
        Some(Self { columns: columns.collect(), rows: table.list("rows")? })
    }

    fn object_of(&self, row: &RawValue) -> Option<String> {
        let cells = json::list(row)?;
        let mut object = ObjectWriter::default();
        for (column, cell) in self.columns.iter().zip(cells) {
            if let Some(column) = column {
                object.raw(column, cell.get());
            }
        }
        Some(object.finish())
    }
}
