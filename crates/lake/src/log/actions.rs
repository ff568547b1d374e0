//! Parses the actions of log entries.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::LakeError;
use crate::log::columns::Columns;
use crate::log::decoded;
use crate::log::entry::Transaction;
use crate::log::snapshot::is_inside;
use crate::spec::TableSpec;

/// The protocol of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Protocol {
    /// The version that a reader must support.
    pub(crate) min_reader_version: i32,
    /// The version that a writer must support.
    pub(crate) min_writer_version: i32,
    /// The features that a reader must support, from reader version 3 on.
    pub(crate) reader_features: Option<Vec<String>>,
    /// The features that a writer must support, from writer version 7 on.
    pub(crate) writer_features: Option<Vec<String>>,
}

/// The metadata of a table.
#[derive(Debug, Clone)]
pub(crate) struct Metadata {
    /// The action as in the log.
    pub(crate) action: Value,
    /// Its columns.
    pub(crate) columns: Columns,
    /// The names of its partition columns, in their order.
    pub(crate) partition_columns: Vec<String>,
    /// Its properties.
    pub(crate) configuration: HashMap<String, String>,
}

impl Metadata {
    fn of(action: Value) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Members {
            schema_string: String,
            #[serde(default)]
            partition_columns: Vec<String>,
            #[serde(default)]
            configuration: Option<HashMap<String, Option<String>>>,
        }
        let invalid = |error: serde_json::Error| format!("`metaData` is invalid: {error}");
        let members = Members::deserialize(&action).map_err(invalid)?;
        let properties = members.configuration.unwrap_or_default().into_iter();
        Ok(Self {
            columns: serde_json::from_str(&members.schema_string).map_err(invalid)?,
            partition_columns: members.partition_columns,
            configuration: properties.filter_map(|(key, value)| Some((key, value?))).collect(),
            action,
        })
    }
}

/// A file that an entry adds.
#[derive(Debug)]
pub(crate) struct AddedFile {
    /// Its path on disk, relative to the table, with `/`.
    pub(crate) path: String,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// When it was written, in milliseconds since the Unix epoch.
    pub(crate) modified: i64,
    /// The values of the partition columns, in their order; `None` for null.
    pub(crate) values: Vec<Option<String>>,
    /// Statistics of its rows, as JSON.
    pub(crate) stats: Option<String>,
    /// Why a table with this file cannot be read.
    pub(crate) refused: Option<String>,
}

/// The actions of an entry, or of a checkpoint without its files.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    /// The files that it adds.
    pub(crate) added: Vec<AddedFile>,
    /// The paths of the files that it removes.
    pub(crate) removed: Vec<String>,
    /// The protocol that it sets.
    pub(crate) protocol: Option<Protocol>,
    /// The metadata that it sets.
    pub(crate) metadata: Option<Metadata>,
    /// The application transactions that it sets, by their application.
    pub(crate) transactions: HashMap<String, Transaction>,
    /// The names of sidecars of a checkpoint.
    pub(crate) sidecars: Vec<String>,
    /// The first reason why this table cannot be read.
    pub(crate) refused: Option<String>,
}

impl Parsed {
    /// Adds the actions of an older entry: where both have a value, the newer one stays.
    pub(crate) fn merge_older(&mut self, older: Self) {
        self.added.extend(older.added);
        self.removed.extend(older.removed);
        self.protocol = self.protocol.take().or(older.protocol);
        self.metadata = self.metadata.take().or(older.metadata);
        for (application, transaction) in older.transactions {
            self.transactions.entry(application).or_insert(transaction);
        }
        self.sidecars.extend(older.sidecars);
        self.refused = self.refused.take().or(older.refused);
    }

    /// Adds an action that describes the table, by its name in the log.
    pub(crate) fn describe(&mut self, name: &str, action: Value) -> Result<(), String> {
        #[derive(Deserialize)]
        struct Sidecar {
            path: String,
        }
        fn of<T: DeserializeOwned>(name: &str, action: Value) -> Result<T, String> {
            serde_json::from_value(action).map_err(|error| format!("`{name}` is invalid: {error}"))
        }
        match name {
            "metaData" => self.metadata = Some(Metadata::of(action)?),
            "protocol" => self.protocol = Some(of(name, action)?),
            "txn" => {
                let transaction: Transaction = of(name, action)?;
                self.transactions.insert(transaction.app_id.clone(), transaction);
            }
            "sidecar" => self.sidecars.push(of::<Sidecar>(name, action)?.path),
            _ => {}
        }
        Ok(())
    }
}

/// Returns why a table with this file cannot be read, if it cannot.
pub(crate) fn refusal(path: &str, has_deletion_vector: bool) -> Option<String> {
    if has_deletion_vector {
        return Some(format!("{path} has a deletion vector"));
    }
    (!is_inside(path)).then(|| format!("{path} is outside the table"))
}

/// Parses an entry, the contents of the file `path` of the table.
pub(crate) fn parse(spec: &TableSpec, path: &str, contents: &[u8]) -> Result<Parsed, LakeError> {
    let mut parsed = Parsed::default();
    for (number, line) in (1..).zip(contents.split(|byte| *byte == b'\n')) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        parse_line(spec, line, &mut parsed).map_err(|detail| LakeError::Damaged {
            table: spec.name,
            path: path.to_owned(),
            detail: format!("line {number}: {detail}"),
        })?;
    }
    Ok(parsed)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Action<'a> {
    #[serde(borrow)]
    add: Option<&'a RawValue>,
    #[serde(borrow)]
    remove: Option<&'a RawValue>,
    meta_data: Option<Value>,
    protocol: Option<Value>,
    txn: Option<Value>,
    sidecar: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Add {
    path: String,
    #[serde(default)]
    partition_values: HashMap<String, Option<String>>,
    size: u64,
    modification_time: i64,
    deletion_vector: Option<Value>,
    stats: Option<String>,
}

#[derive(Deserialize)]
struct Remove {
    path: String,
}

fn parse_line(spec: &TableSpec, line: &[u8], parsed: &mut Parsed) -> Result<(), String> {
    // Deserialization into a struct would take a list's items as its members.
    let is_object = |text: &[u8]| text.trim_ascii_start().starts_with(b"{");
    if !is_object(line) {
        return Err("not a JSON object".to_owned());
    }
    let invalid = |error: serde_json::Error| error.to_string();
    let action: Action<'_> = serde_json::from_slice(line).map_err(invalid)?;
    if let Some(add) = action.add.map(RawValue::get) {
        if !is_object(add.as_bytes()) {
            return Err("`add` is not an object".to_owned());
        }
        let mut add: Add = serde_json::from_str(add).map_err(invalid)?;
        let path = decoded(&add.path);
        let has_vector = add.deletion_vector.is_some_and(|vector| !vector.is_null());
        let refused = refusal(&path, has_vector);
        let mut value = |column: &&str| {
            let value = add.partition_values.remove(*column).flatten();
            value.filter(|text| !text.is_empty())
        };
        let values = spec.partition_columns.iter().map(&mut value).collect();
        parsed.added.push(AddedFile {
            path,
            size: add.size,
            modified: add.modification_time,
            values,
            stats: add.stats,
            refused,
        });
    }
    if let Some(remove) = action.remove.map(RawValue::get) {
        if !is_object(remove.as_bytes()) {
            return Err("`remove` is not an object".to_owned());
        }
        let remove: Remove = serde_json::from_str(remove).map_err(invalid)?;
        parsed.removed.push(decoded(&remove.path));
    }
    let described = [
        ("metaData", action.meta_data),
        ("protocol", action.protocol),
        ("txn", action.txn),
        ("sidecar", action.sidecar),
    ];
    for (name, action) in described {
        if let Some(action) = action {
            parsed.describe(name, action)?;
        }
    }
    Ok(())
}
