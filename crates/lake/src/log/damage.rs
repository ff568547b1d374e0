//! Detection of log files that cannot be read or must not be followed.
//!
//! The library that reads logs fails with its parser's error, without the file name; and if a checkpoint is unusable,
//! it reads the log entries without a warning. This module reads each file of the log separately and names its
//! problems.

use std::collections::HashMap;
use std::path::Path;

use chrono::NaiveDate;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};

use crate::log::snapshot::is_inside;
use crate::log::stats::FileStats;
use crate::log::{decoded, entry_version};
use crate::maintain::verify::Problem;
use crate::spec::TableSpec;
use crate::store::{Folder, LOG, Listed};

/// The file that names the newest checkpoint.
const HINT: &str = "_last_checkpoint";

/// Maximum length of a hint, which normally has a few hundred bytes.
const LONGEST_HINT: u64 = 1 << 20;

/// Returns the problems of the log files of the table at `root`.
pub(crate) fn damages(spec: &TableSpec, root: &Folder) -> Vec<Problem> {
    let log = root.folder(LOG);
    let mut found = Found { spec, problems: Vec::new() };
    let files = match log.list() {
        Ok(files) => files,
        Err(error) => {
            found.add(LOG.to_owned(), format!("cannot be read: {error}"));
            return found.problems;
        }
    };
    let mut names: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    names.sort_unstable();
    let mut expected = None;
    let checkpoints: Vec<&str> = names.iter().copied().filter(|name| is_checkpoint(name)).collect();
    for name in &names {
        if let Some(version) = entry_version(name) {
            if let Some(expected) = expected.filter(|expected| *expected != version) {
                found.add(
                    LOG.to_owned(),
                    format!("entries {expected} to {} are missing", version - 1),
                );
            }
            if expected.is_none() && version > 0 && checkpoints.is_empty() {
                let detail = format!("the log begins with entry {version}, without a checkpoint");
                found.add(LOG.to_owned(), detail);
            }
            expected = Some(version + 1);
            found.read_entry(&log, name, version);
        }
    }
    for name in &checkpoints {
        if let Err(detail) = read_checkpoint(&log, name) {
            let detail =
                format!("the checkpoint is unusable: {detail}; the log entries are read instead");
            found.add(format!("{LOG}/{name}"), detail);
        }
        let version = name.split('.').next().and_then(|version| version.parse::<i64>().ok());
        if let Some((version, next)) =
            version.zip(expected).filter(|(version, next)| version >= next)
        {
            let detail = format!("has version {version}, but the newest entry is {}", next - 1);
            found.add(format!("{LOG}/{name}"), detail);
        }
    }
    if let Some(hint) = files.iter().find(|file| file.path == HINT)
        && let Err(detail) = check_hint(&log, hint, &checkpoints)
    {
        let detail =
            format!("does not name an existing checkpoint: {detail}; the log is listed instead");
        found.add(format!("{LOG}/{HINT}"), detail);
    }
    found.problems
}

/// Returns whether a file is a checkpoint, or a part of one, and is not being written (`….checkpoint.parquet#1`).
fn is_checkpoint(name: &str) -> bool {
    let extension = Path::new(name).extension();
    let is_whole = extension.is_some_and(|extension| extension == "parquet" || extension == "json");
    is_whole && name.contains(".checkpoint.")
}

struct Found<'a> {
    spec: &'a TableSpec,
    problems: Vec<Problem>,
}

impl Found<'_> {
    fn add(&mut self, path: String, detail: String) {
        self.problems.push(Problem { path, detail });
    }

    fn read_entry(&mut self, log: &Folder, name: &str, version: i64) {
        let path = format!("{LOG}/{name}");
        let contents = match log.read(name) {
            Ok(Some(contents)) => contents,
            // A vacuum removed it meanwhile.
            Ok(None) => return,
            Err(error) => return self.add(path, format!("cannot be read: {error}")),
        };
        let mut is_empty = true;
        for (number, line) in (1..).zip(contents.split(|byte| *byte == b'\n')) {
            if line.trim_ascii().is_empty() {
                continue;
            }
            is_empty = false;
            match serde_json::from_slice::<Map<String, Value>>(line) {
                Ok(action) => {
                    let details = self.check_action(&action).into_iter();
                    let details =
                        details.map(|detail| format!("line {number} of entry {version} {detail}"));
                    let path = &path;
                    self.problems
                        .extend(details.map(|detail| Problem { path: path.clone(), detail }));
                }
                Err(error) => {
                    self.add(
                        path.clone(),
                        format!("line {number} of entry {version} is not a JSON object: {error}"),
                    );
                }
            }
        }
        if is_empty {
            self.add(path, format!("entry {version} is empty"));
        }
    }

    /// Returns the problems of one line of an entry.
    fn check_action(&self, action: &Map<String, Value>) -> Vec<String> {
        let object = |key: &str| action.get(key).and_then(Value::as_object);
        let mut found = Vec::new();
        if let Some(add) = action.get("add").filter(|add| !add.is_null()) {
            match add.as_object() {
                Some(add) => found.extend(self.check_add(add)),
                None => found.push("adds no file: `add` is not an object".to_owned()),
            }
        }
        if object("remove").is_some_and(|remove| !remove.get("path").is_some_and(Value::is_string))
        {
            found.push("removes a file without a `path`".to_owned());
        }
        let schema = object("metaData").map(|metadata| metadata.get("schemaString"));
        if schema.is_some_and(|schema| !schema.is_some_and(is_schema)) {
            found.push("has an invalid `schemaString`".to_owned());
        }
        let reader = object("protocol").map(|protocol| protocol.get("minReaderVersion"));
        if let Some(reader) = reader
            && !reader.and_then(Value::as_i64).is_some_and(|version| (1..=3).contains(&version))
        {
            found.push("requires an unknown `minReaderVersion`".to_owned());
        }
        found
    }

    fn check_add(&self, add: &Map<String, Value>) -> Vec<String> {
        let Some(path) = add.get("path").and_then(Value::as_str) else {
            return vec!["adds a file without a `path`".to_owned()];
        };
        let path = decoded(path);
        if !is_inside(&path) {
            return vec![format!("adds '{path}', which is outside the table")];
        }
        let mut found = Vec::new();
        let mut wrong = |what: &str| found.push(format!("adds {path} {what}"));
        if add.get("size").and_then(Value::as_u64).is_none() {
            wrong("without a `size` in bytes");
        }
        if add.get("modificationTime").and_then(Value::as_i64).is_none() {
            wrong("without a `modificationTime` in milliseconds");
        }
        if add.get("deletionVector").is_some_and(|vector| !vector.is_null()) {
            wrong("with a deletion vector, which is not supported");
        }
        if let Err(detail) = self.check_partition(add.get("partitionValues")) {
            wrong(&detail);
        }
        if let Err(detail) = check_stats(add.get("stats")) {
            wrong(&format!("with invalid `stats`: {detail}"));
        }
        found
    }

    fn check_partition(&self, values: Option<&Value>) -> Result<(), String> {
        let values = values.cloned().unwrap_or_default();
        let values: HashMap<String, Option<String>> = serde_json::from_value(values)
            .map_err(|error| format!("with invalid `partitionValues`: {error}"))?;
        for column in self.spec.partition_columns {
            if !values.contains_key(*column) {
                return Err(format!("without a partition value of `{column}`"));
            }
        }
        if let Some(column) = values.keys().find(|name| !self.spec.is_partition_column(name)) {
            return Err(format!(
                "with a partition value of `{column}`, which is not a partition column"
            ));
        }
        let date = values.get("date").and_then(Option::as_deref).filter(|date| !date.is_empty());
        match date {
            Some(date) if date.parse::<NaiveDate>().is_err() || date.len() != 10 => {
                Err(format!("with the partition value '{date}', which is not a date"))
            }
            _ => Ok(()),
        }
    }
}

/// Returns whether a value is the text of a JSON object, as the schema of a table is.
fn is_schema(schema: &Value) -> bool {
    schema.as_str().is_some_and(|text| serde_json::from_str::<Map<String, Value>>(text).is_ok())
}

/// Checks statistics, which are JSON in a string and are optional.
fn check_stats(stats: Option<&Value>) -> Result<(), String> {
    let text = match stats {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::String(text)) => text,
        Some(_) => return Err("not a string".to_owned()),
    };
    // Deserialization into a struct would take a list's items as its members.
    let object: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| error.to_string())?;
    let stats: FileStats =
        serde_json::from_value(Value::Object(object)).map_err(|error| error.to_string())?;
    stats.check()
}

/// Reads a checkpoint, or a part of one, to its end.
fn read_checkpoint(log: &Folder, name: &str) -> Result<(), String> {
    if Path::new(name).extension().is_some_and(|extension| extension == "json") {
        let contents = log.read(name).map_err(|error| error.to_string())?;
        for line in contents.unwrap_or_default().split(|byte| *byte == b'\n') {
            if !line.trim_ascii().is_empty() {
                serde_json::from_slice::<Map<String, Value>>(line)
                    .map_err(|error| error.to_string())?;
            }
        }
        return Ok(());
    }
    let file = log.open(name).map_err(|error| error.to_string())?;
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
    for column in ["add", "metaData", "protocol"] {
        if builder.schema().column_with_name(column).is_none() {
            return Err(format!("column `{column}` is missing"));
        }
    }
    for rows in builder.build().map_err(|error| error.to_string())? {
        rows.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Checks that the hint names a checkpoint whose files exist.
fn check_hint(log: &Folder, hint: &Listed, checkpoints: &[&str]) -> Result<(), String> {
    if hint.size > LONGEST_HINT {
        return Err(format!("has {} bytes", hint.size));
    }
    let text = log.read(&hint.path).map_err(|error| error.to_string())?.unwrap_or_default();
    let hint: Map<String, Value> =
        serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    let Some(version) = hint.get("version").and_then(Value::as_u64) else {
        return Err("`version` is missing".to_owned());
    };
    let start = format!("{version:020}.checkpoint.");
    let parts = hint.get("parts").and_then(Value::as_u64);
    let there = checkpoints.iter().filter(|name| name.starts_with(&start)).count() as u64;
    if there == 0 || parts.is_some_and(|parts| parts > there) {
        let parts = parts.unwrap_or(1);
        return Err(format!("version {version} in {parts} parts"));
    }
    Ok(())
}
