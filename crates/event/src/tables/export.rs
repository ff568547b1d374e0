//! Converts a row back to the JSON of its event: the inverse of [`Parser`](crate::Parser).
//!
//! A member comes from `extra` if that has it, else from the typed columns, which then contain it exactly. If an event
//! was converted from a record of another format, the record itself is exported, so that it is parsed as the same event
//! again.

use arrow::array::{
    Array, AsArray, Int32Array, ListArray, MapArray, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Int32Type, TimeUnit, TimestampMicrosecondType};
use serde_json::value::RawValue;

use crate::column::Micros;
use crate::json::canonical::Canonical;
use crate::json::members::members;

/// The columns from which an event is rebuilt, in any order.
pub const EXPORT_COLUMNS: [&str; 36] = [
    "event_id",
    "original",
    "audit_api_version",
    "level",
    "audit_id",
    "stage",
    "request_uri",
    "verb",
    "username",
    "user_uid",
    "user_groups",
    "user_extra",
    "impersonated_username",
    "impersonated_uid",
    "impersonated_groups",
    "impersonated_extra",
    "source_ips",
    "user_agent",
    "resource",
    "namespace",
    "name",
    "object_uid",
    "api_group",
    "api_version",
    "resource_version",
    "subresource",
    "status",
    "status_message",
    "status_reason",
    "status_code",
    "request_object",
    "response_object",
    "received_at",
    "stage_at",
    "annotations",
    "extra",
];

/// The reason why a row is not an event.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A column is missing, or has another type than in [`schema`](crate::schema).
    #[error("column `{0}` is missing or has another type than in the events table")]
    Column(&'static str),
    /// A column that must hold JSON text does not: podtrail did not write it.
    #[error("event {event_id}: `{column}` is not JSON text")]
    Json {
        /// Id of the event.
        event_id: String,
        /// Name of the column.
        column: &'static str,
    },
}

/// Writes the events of a batch that has [`EXPORT_COLUMNS`].
pub struct Exporter<'a> {
    event_id: &'a StringArray,
    original: &'a StringArray,
    audit_api_version: &'a StringArray,
    level: &'a StringArray,
    audit_id: &'a StringArray,
    stage: &'a StringArray,
    request_uri: &'a StringArray,
    verb: &'a StringArray,
    user: User<'a>,
    impersonated_user: User<'a>,
    source_ips: &'a ListArray,
    user_agent: &'a StringArray,
    /// Members of `objectRef` with their columns.
    object_ref: [(&'static str, &'a StringArray); 8],
    /// String members of `responseStatus` with their columns.
    response_status: [(&'static str, &'a StringArray); 3],
    status_code: &'a Int32Array,
    request_object: &'a StringArray,
    response_object: &'a StringArray,
    received_at: &'a TimestampMicrosecondArray,
    stage_at: &'a TimestampMicrosecondArray,
    annotations: &'a MapArray,
    extra: &'a StringArray,
}

/// The columns of a `UserInfo`.
struct User<'a> {
    username: &'a StringArray,
    uid: &'a StringArray,
    groups: &'a ListArray,
    extra: &'a MapArray,
}

impl<'a> Exporter<'a> {
    /// Finds the columns, in any order and among others.
    ///
    /// # Errors
    ///
    /// Returns an error if one is missing or has another type.
    pub fn new(batch: &'a RecordBatch) -> Result<Self, ExportError> {
        let text = |name| text_column(batch, name);
        let is_time = |data_type: &DataType| {
            matches!(data_type, DataType::Timestamp(TimeUnit::Microsecond, _))
        };
        let time =
            |name| Ok(column(batch, name, is_time)?.as_primitive::<TimestampMicrosecondType>());
        Ok(Self {
            event_id: text("event_id")?,
            original: text("original")?,
            audit_api_version: text("audit_api_version")?,
            level: text("level")?,
            audit_id: text("audit_id")?,
            stage: text("stage")?,
            request_uri: text("request_uri")?,
            verb: text("verb")?,
            user: User {
                username: text("username")?,
                uid: text("user_uid")?,
                groups: list_column(batch, "user_groups")?,
                extra: map_column(batch, "user_extra", is_text_list)?,
            },
            impersonated_user: User {
                username: text("impersonated_username")?,
                uid: text("impersonated_uid")?,
                groups: list_column(batch, "impersonated_groups")?,
                extra: map_column(batch, "impersonated_extra", is_text_list)?,
            },
            source_ips: list_column(batch, "source_ips")?,
            user_agent: text("user_agent")?,
            object_ref: [
                ("resource", text("resource")?),
                ("namespace", text("namespace")?),
                ("name", text("name")?),
                ("uid", text("object_uid")?),
                ("apiGroup", text("api_group")?),
                ("apiVersion", text("api_version")?),
                ("resourceVersion", text("resource_version")?),
                ("subresource", text("subresource")?),
            ],
            response_status: [
                ("status", text("status")?),
                ("message", text("status_message")?),
                ("reason", text("status_reason")?),
            ],
            status_code: column(batch, "status_code", |t| *t == DataType::Int32)?
                .as_primitive::<Int32Type>(),
            request_object: text("request_object")?,
            response_object: text("response_object")?,
            received_at: time("received_at")?,
            stage_at: time("stage_at")?,
            annotations: map_column(batch, "annotations", is_text)?,
            extra: text("extra")?,
        })
    }

    /// Appends the event in `row` to `out`: one JSON object in one line, without the line end.
    ///
    /// The members are in the order of the API server. White space between the tokens of bodies may differ from the
    /// original; nothing else does.
    ///
    /// # Errors
    ///
    /// Returns an error if `extra` or a body is not JSON; `out` then contains the beginning of the event.
    ///
    /// # Panics
    ///
    /// Panics if the batch has no such row.
    pub fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<(), ExportError> {
        if let Some(original) = value(self.original, row)
            && original.trim_start().starts_with('{')
            && serde_json::from_str::<&RawValue>(original).is_ok()
        {
            push_line(out, original);
            return Ok(());
        }
        self.write_columns(row, out)
    }

    /// Returns the `event_id` of the event in `row`, computed from the other columns: a digest of the whole event.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    ///
    /// # Panics
    ///
    /// Panics if the batch has no such row.
    pub fn event_id(&self, row: usize) -> Result<String, ExportError> {
        let mut event = Vec::new();
        self.write_columns(row, &mut event)?;
        Ok(Canonical::default().digest_of_text(&String::from_utf8_lossy(&event)))
    }

    /// Writes the event in the columns, which is the event parsed from `original` if that is another record.
    fn write_columns(&self, row: usize, out: &mut Vec<u8>) -> Result<(), ExportError> {
        let extra = match value(self.extra, row) {
            Some(extra) => members(extra).ok_or_else(|| self.not_json(row, "extra"))?,
            None => Vec::new(),
        };
        let mut object = Object::begin(out);
        let typed = |key: &str| !extra.iter().any(|(name, _)| &**name == key);

        if let Some(version) = value(self.audit_api_version, row) {
            if typed("kind") {
                object.text("kind", Some("Event"));
            }
            if typed("apiVersion") {
                object.text("apiVersion", Some(version));
            }
        }
        for (key, column) in [
            ("level", self.level),
            ("auditID", self.audit_id),
            ("stage", self.stage),
            ("requestURI", self.request_uri),
            ("verb", self.verb),
        ] {
            if typed(key) {
                object.text(key, value(column, row));
            }
        }
        for (key, user) in [("user", &self.user), ("impersonatedUser", &self.impersonated_user)] {
            if typed(key) && user.is_valid(row) {
                object.object(key, |object| user.write(row, object));
            }
        }
        if typed("sourceIPs") && self.source_ips.is_valid(row) {
            object.texts("sourceIPs", &self.source_ips.value(row));
        }
        if typed("userAgent") {
            object.text("userAgent", value(self.user_agent, row));
        }
        if typed("objectRef") && self.object_ref.iter().any(|(_, column)| column.is_valid(row)) {
            object.object("objectRef", |object| object.columns(&self.object_ref, row));
        }
        if typed("responseStatus") && self.has_status(row) {
            object.object("responseStatus", |object| {
                object.object("metadata", |_| {});
                object.columns(&self.response_status, row);
                if self.status_code.is_valid(row) {
                    object.raw("code", &self.status_code.value(row).to_string());
                }
            });
        }
        for (key, name, column) in [
            ("requestObject", "request_object", self.request_object),
            ("responseObject", "response_object", self.response_object),
        ] {
            if let Some(body) = value(column, row)
                && typed(key)
            {
                if serde_json::from_str::<&RawValue>(body).is_err() {
                    return Err(self.not_json(row, name));
                }
                object.raw(key, body);
            }
        }
        for (key, column) in
            [("requestReceivedTimestamp", self.received_at), ("stageTimestamp", self.stage_at)]
        {
            if typed(key) && column.is_valid(row) {
                let time = Micros(column.value(row)).to_rfc3339();
                object.text(key, time.or(Micros(0).to_rfc3339()).as_deref());
            }
        }
        if typed("annotations") && self.annotations.is_valid(row) {
            object.object("annotations", |object| object.text_map(self.annotations, row));
        }
        for (key, json) in &extra {
            object.raw(key, json.get());
        }
        object.end();
        Ok(())
    }

    fn has_status(&self, row: usize) -> bool {
        self.status_code.is_valid(row)
            || self.response_status.iter().any(|(_, column)| column.is_valid(row))
    }

    fn not_json(&self, row: usize, column: &'static str) -> ExportError {
        let event_id = value(self.event_id, row).unwrap_or_default().to_owned();
        ExportError::Json { event_id, column }
    }
}

impl User<'_> {
    fn is_valid(&self, row: usize) -> bool {
        self.username.is_valid(row)
            || self.uid.is_valid(row)
            || self.groups.is_valid(row)
            || self.extra.is_valid(row)
    }

    fn write(&self, row: usize, object: &mut Object<'_>) {
        object.text("username", value(self.username, row));
        object.text("uid", value(self.uid, row));
        if self.groups.is_valid(row) {
            object.texts("groups", &self.groups.value(row));
        }
        if self.extra.is_valid(row) {
            object.object("extra", |object| {
                let entries = self.extra.value(row);
                let values = entries.column(1).as_list::<i32>();
                for (index, key) in entries.column(0).as_string::<i32>().iter().enumerate() {
                    object.texts(key.unwrap_or_default(), &values.value(index));
                }
            });
        }
    }
}

/// A JSON object that is being written.
struct Object<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
}

impl<'o> Object<'o> {
    fn begin(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, is_empty: true }
    }

    fn end(self) {
        self.out.push(b'}');
    }

    fn key(&mut self, key: &str) {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        push_text(self.out, key);
        self.out.push(b':');
    }

    /// Writes a member with JSON text as its value.
    fn raw(&mut self, key: &str, json: &str) {
        self.key(key);
        push_line(self.out, json);
    }

    /// Writes a string member, unless there is no value.
    fn text(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.key(key);
            push_text(self.out, value);
        }
    }

    fn columns(&mut self, columns: &[(&str, &StringArray)], row: usize) {
        for (key, column) in columns {
            self.text(key, value(column, row));
        }
    }

    /// Writes a member that is a list of strings.
    fn texts(&mut self, key: &str, values: &dyn Array) {
        self.key(key);
        self.out.push(b'[');
        for (index, value) in values.as_string::<i32>().iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            push_text(self.out, value.unwrap_or_default());
        }
        self.out.push(b']');
    }

    /// Writes the entries of a map as members.
    fn text_map(&mut self, map: &MapArray, row: usize) {
        let entries = map.value(row);
        let keys = entries.column(0).as_string::<i32>();
        for (key, value) in keys.iter().zip(entries.column(1).as_string::<i32>()) {
            self.text(key.unwrap_or_default(), Some(value.unwrap_or_default()));
        }
    }

    fn object(&mut self, key: &str, write: impl FnOnce(&mut Object<'_>)) {
        self.key(key);
        let mut object = Object::begin(self.out);
        write(&mut object);
        object.end();
    }
}

/// Writes a JSON string.
fn push_text(out: &mut Vec<u8>, text: &str) {
    if let Err(error) = serde_json::to_writer(out, text) {
        unreachable!("a string is JSON, and memory takes it: {error}");
    }
}

/// Writes JSON text in one line: a line end in it can only be white space between two tokens.
fn push_line(out: &mut Vec<u8>, json: &str) {
    let in_line = |byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte };
    out.extend(json.trim().bytes().map(in_line));
}

fn value(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

fn column<'a>(
    batch: &'a RecordBatch,
    name: &'static str,
    fits: impl Fn(&DataType) -> bool,
) -> Result<&'a dyn Array, ExportError> {
    let column = batch.column_by_name(name).filter(|column| fits(column.data_type()));
    column.map(|column| &**column).ok_or(ExportError::Column(name))
}

fn text_column<'a>(
    batch: &'a RecordBatch,
    name: &'static str,
) -> Result<&'a StringArray, ExportError> {
    Ok(column(batch, name, is_text)?.as_string::<i32>())
}

fn list_column<'a>(
    batch: &'a RecordBatch,
    name: &'static str,
) -> Result<&'a ListArray, ExportError> {
    Ok(column(batch, name, is_text_list)?.as_list::<i32>())
}

fn map_column<'a>(
    batch: &'a RecordBatch,
    name: &'static str,
    value_fits: fn(&DataType) -> bool,
) -> Result<&'a MapArray, ExportError> {
    let fits = |data_type: &DataType| {
        let DataType::Map(entries, _) = data_type else { return false };
        let DataType::Struct(fields) = entries.data_type() else { return false };
        let types: Vec<_> = fields.iter().map(|field| field.data_type()).collect();
        matches!(types[..], [key, value] if is_text(key) && value_fits(value))
    };
    Ok(column(batch, name, fits)?.as_map())
}

fn is_text(data_type: &DataType) -> bool {
    *data_type == DataType::Utf8
}

fn is_text_list(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(element) if is_text(element.data_type()))
}
