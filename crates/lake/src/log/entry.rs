//! The actions of a log entry, as they are written: "Actions" of the Delta Lake protocol.

use std::collections::BTreeMap;

use chrono::Utc;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::error::LakeError;
use crate::log::columns::Columns;
use crate::spec::TableSpec;

/// The characters of a path that the log encodes: it is a URI, of which Spark and delta-rs encode these.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'*')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// An action.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Action {
    CommitInfo(Map<String, Value>),
    Protocol(Value),
    MetaData(Value),
    Add(AddFile),
    Remove(RemoveFile),
    Txn(Transaction),
}

/// A file that a commit adds.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AddFile {
    /// Its path, relative to the table, with `/`.
    #[serde(serialize_with = "encoded")]
    pub(crate) path: String,
    /// The values of the partition columns.
    pub(crate) partition_values: BTreeMap<&'static str, Option<String>>,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// When it was written, in milliseconds since the Unix epoch.
    pub(crate) modification_time: i64,
    /// Whether its rows are new.
    pub(crate) data_change: bool,
    /// Statistics of its rows, as JSON.
    pub(crate) stats: String,
}

/// A file that a commit removes.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RemoveFile {
    /// Its path, relative to the table, with `/`.
    #[serde(serialize_with = "encoded")]
    pub(crate) path: String,
    /// Whether its rows are removed, too.
    pub(crate) data_change: bool,
    /// When it is removed, in milliseconds since the Unix epoch.
    pub(crate) deletion_timestamp: i64,
    /// Whether the following members are set.
    pub(crate) extended_file_metadata: bool,
    /// The values of the partition columns.
    pub(crate) partition_values: BTreeMap<&'static str, Option<String>>,
    /// Its size in bytes.
    pub(crate) size: u64,
}

/// The number of an application transaction.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Transaction {
    /// The name of the application.
    pub(crate) app_id: String,
    /// The number.
    pub(crate) version: i64,
    /// When it was set, in milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_updated: Option<i64>,
}

/// What a commit does, for the history of the table.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    /// Creates the table.
    Create,
    /// Appends files.
    Append,
    /// Replaces files by others with the same rows, of at most this number of bytes.
    Optimize { target_size: u64 },
    /// Removes the rows for which an SQL expression holds.
    Delete { predicate: String },
    /// Changes properties of the table.
    SetProperties { properties: Map<String, Value> },
}

impl Operation {
    /// Returns whether the rows of the table change.
    pub(crate) fn changes_data(&self) -> bool {
        match self {
            Self::Create | Self::Append | Self::Delete { .. } => true,
            Self::Optimize { .. } | Self::SetProperties { .. } => false,
        }
    }

    /// Returns its name, and its parameters, as Spark records them.
    fn recorded(&self, spec: &TableSpec) -> (&'static str, Value) {
        // As text, like all parameters: the history of a table is a map of strings in Spark.
        let columns = json!(spec.partition_columns).to_string();
        match self {
            Self::Create => ("CREATE TABLE", json!({"partitionBy": columns})),
            Self::Append => ("WRITE", json!({"mode": "Append", "partitionBy": columns})),
            Self::Optimize { target_size } => {
                ("OPTIMIZE", json!({"targetSize": target_size.to_string()}))
            }
            Self::Delete { predicate } => ("DELETE", json!({"predicate": predicate})),
            Self::SetProperties { properties } => {
                ("SET TBLPROPERTIES", json!({"properties": json!(properties).to_string()}))
            }
        }
    }

    /// Returns the first action of a commit, which describes it.
    pub(crate) fn info(
        &self,
        spec: &TableSpec,
        info: impl IntoIterator<Item = (String, Value)>,
    ) -> Action {
        let (operation, parameters) = self.recorded(spec);
        let all = [
            ("timestamp".to_owned(), Utc::now().timestamp_millis().into()),
            ("operation".to_owned(), operation.into()),
            ("operationParameters".to_owned(), parameters),
            ("engineInfo".to_owned(), concat!("podtrail/", env!("CARGO_PKG_VERSION")).into()),
        ];
        Action::CommitInfo(all.into_iter().chain(info).collect())
    }
}

/// Returns the actions, besides the description, of the commit that creates a table with these properties.
pub(crate) fn creation(
    spec: &TableSpec,
    properties: &Map<String, Value>,
) -> Result<[Action; 2], LakeError> {
    let columns = Columns::of(&spec.commented_schema()).map_err(LakeError::arrow(spec.name))?;
    // Versions 1 and 2 are those of tables without features: any engine reads them and may append.
    let protocol = json!({"minReaderVersion": 1, "minWriterVersion": 2});
    let metadata = json!({
        "id": Uuid::now_v7().to_string(),
        "format": {"provider": "parquet", "options": {}},
        "schemaString": to_json(spec, &columns)?,
        "partitionColumns": spec.partition_columns,
        "configuration": properties,
        "createdTime": Utc::now().timestamp_millis(),
    });
    Ok([Action::Protocol(protocol), Action::MetaData(metadata)])
}

/// Returns the contents of an entry.
pub(crate) fn contents(spec: &TableSpec, actions: &[Action]) -> Result<Vec<u8>, LakeError> {
    let mut contents = String::new();
    for action in actions {
        contents.push_str(&to_json(spec, action)?);
        contents.push('\n');
    }
    Ok(contents.into_bytes())
}

fn to_json<T: Serialize>(spec: &TableSpec, value: &T) -> Result<String, LakeError> {
    serde_json::to_string(value).map_err(|error| LakeError::Unsupported {
        table: spec.name,
        detail: format!("an action of its log cannot be written: {error}"),
    })
}

/// Writes a path as a URI.
pub(crate) fn encoded<S: Serializer>(path: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&utf8_percent_encode(path, ENCODED))
}
