//! Records that could not be parsed: kept whole, with their source and the reason.
//!
//! The table only grows. A further row releases a record that a later version could parse.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, Int64Builder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{
    DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType,
};
use arrow::error::ArrowError;

use crate::column::FieldDoc;

/// One record that could not be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineRecord {
    /// File or stream that the record was read from, as named at ingest.
    pub source_file: String,
    /// SHA-256 of the source file on disk, hexadecimal; `None` for standard input.
    pub source_sha256: Option<String>,
    /// Line in the decompressed source, from 1; `None` if the source has no lines.
    pub source_line: Option<i64>,
    /// Byte offset in the decompressed source, from 0.
    pub source_offset: i64,
    /// Name of the cluster that was given for the source, if any.
    pub cluster: Option<String>,
    /// Length of the record in bytes; larger than that of `bytes` if the record was too long to keep.
    pub length: i64,
    /// Why the record was rejected.
    pub reason: String,
    /// When the record was rejected, in microseconds since the Unix epoch.
    pub quarantined_at: i64,
    /// Bytes of the record.
    pub bytes: Vec<u8>,
    /// Id of the record that this row releases, because it could be parsed after all; `bytes` is then empty.
    pub releases: Option<String>,
}

impl QuarantineRecord {
    /// Returns 32 hexadecimal digits that are equal only for equal records, regardless of their source: as with
    /// events, the same damaged line in a copy, a gzip or an overlapping rotation of a log is one record.
    pub fn id(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        if let Some(released) = &self.releases {
            hasher.update(b"release of ");
            hasher.update(released.as_bytes());
        } else {
            hasher.update(&self.length.to_le_bytes());
            hasher.update(&self.bytes);
        }
        hasher.finalize().to_hex()[..32].to_owned()
    }

    /// Returns whether only a part of the record was kept.
    pub fn is_cut(&self) -> bool {
        u64::try_from(self.length).is_ok_and(|length| length > self.bytes.len() as u64)
    }

    /// Returns the row that releases this record. `at` is in microseconds since the Unix epoch.
    pub fn release(&self, reason: String, at: i64) -> Self {
        Self {
            reason,
            quarantined_at: at,
            bytes: Vec::new(),
            releases: Some(self.id()),
            ..self.clone()
        }
    }
}

/// Returns the columns: name, type and documentation.
fn columns() -> [(&'static str, DataType, &'static str); 11] {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    [
        ("quarantine_id", DataType::Utf8, "Digest of the record, 32 hexadecimal digits."),
        ("source_file", DataType::Utf8, "File or stream that the record was read from."),
        (
            "source_sha256",
            DataType::Utf8,
            "SHA-256 of the source file on disk. Null for standard input.",
        ),
        ("source_line", DataType::Int64, "Line in the decompressed source, from 1."),
        ("source_offset", DataType::Int64, "Byte offset in the decompressed source, from 0."),
        (
            "cluster",
            DataType::Utf8,
            "Name of the cluster that was given for the source. Null if none was given.",
        ),
        ("length", DataType::Int64, "Length of the record in bytes."),
        ("reason", DataType::Utf8, "Why the record was rejected."),
        ("quarantined_at", time, "When the record was rejected."),
        ("bytes", DataType::Binary, "Bytes of the record; only its beginning if it was too long."),
        (
            "releases",
            DataType::Utf8,
            "The `quarantine_id` of the record that this row releases, because it could be parsed. Null in a record.",
        ),
    ]
}

/// Returns the schema of the `quarantine` table.
pub fn quarantine_schema() -> SchemaRef {
    let fields = columns().map(|(name, data_type, _)| Field::new(name, data_type, true));
    Arc::new(Schema::new(fields.to_vec()))
}

/// Returns the columns of the `quarantine` table with their documentation.
pub fn quarantine_documentation() -> Vec<FieldDoc> {
    let field = |(name, data_type, doc): (_, _, &str)| FieldDoc {
        name,
        doc: doc.to_owned(),
        data_type,
        fields: Vec::new(),
    };
    columns().map(field).to_vec()
}

/// Returns the records as one batch of [`quarantine_schema`].
///
/// # Errors
///
/// Returns an error if the records together are larger than 2 GiB.
pub fn quarantine_batch(records: &[QuarantineRecord]) -> Result<RecordBatch, ArrowError> {
    let total: usize = records.iter().map(|record| record.bytes.len()).sum();
    if i32::try_from(total).is_err() {
        return Err(ArrowError::OffsetOverflowError(total));
    }
    let mut ids = StringBuilder::new();
    let mut files = StringBuilder::new();
    let mut digests = StringBuilder::new();
    let mut lines = Int64Builder::new();
    let mut offsets = Int64Builder::new();
    let mut clusters = StringBuilder::new();
    let mut lengths = Int64Builder::new();
    let mut reasons = StringBuilder::new();
    let mut times = TimestampMicrosecondBuilder::new().with_timezone("UTC");
    let mut bytes = BinaryBuilder::new();
    let mut releases = StringBuilder::new();
    for record in records {
        ids.append_value(record.id());
        files.append_value(&record.source_file);
        digests.append_option(record.source_sha256.as_deref());
        lines.append_option(record.source_line);
        offsets.append_value(record.source_offset);
        clusters.append_option(record.cluster.as_deref());
        lengths.append_value(record.length);
        reasons.append_value(&record.reason);
        times.append_value(record.quarantined_at);
        bytes.append_value(&record.bytes);
        releases.append_option(record.releases.as_deref());
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(ids.finish()),
        Arc::new(files.finish()),
        Arc::new(digests.finish()),
        Arc::new(lines.finish()),
        Arc::new(offsets.finish()),
        Arc::new(clusters.finish()),
        Arc::new(lengths.finish()),
        Arc::new(reasons.finish()),
        Arc::new(times.finish()),
        Arc::new(bytes.finish()),
        Arc::new(releases.finish()),
    ];
    RecordBatch::try_new(quarantine_schema(), columns)
}

/// Reads the records of a batch that has the columns of [`quarantine_schema`], in any order.
///
/// # Errors
///
/// Returns an error if a column is missing or has another type.
pub fn quarantine_records(batch: &RecordBatch) -> Result<Vec<QuarantineRecord>, ArrowError> {
    let columns = quarantine_schema()
        .fields()
        .iter()
        .map(|field| {
            let column = batch.column_by_name(field.name());
            column.filter(|column| column.data_type() == field.data_type()).ok_or_else(|| {
                ArrowError::SchemaError(format!(
                    "column `{}` is missing or has another type",
                    field.name()
                ))
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let [_, files, digests, lines, offsets, clusters, lengths, reasons, times, bytes, releases] =
        columns[..]
    else {
        unreachable!("the schema has as many columns")
    };
    let text = |column: &ArrayRef, row: usize| {
        column.is_valid(row).then(|| column.as_string::<i32>().value(row).to_owned())
    };
    let number = |column: &ArrayRef, row: usize| {
        column.is_valid(row).then(|| column.as_primitive::<Int64Type>().value(row))
    };
    let record = |row: usize| QuarantineRecord {
        source_file: text(files, row).unwrap_or_default(),
        source_sha256: text(digests, row),
        source_line: number(lines, row),
        source_offset: number(offsets, row).unwrap_or_default(),
        cluster: text(clusters, row),
        length: number(lengths, row).unwrap_or_default(),
        reason: text(reasons, row).unwrap_or_default(),
        quarantined_at: times.as_primitive::<TimestampMicrosecondType>().value(row),
        bytes: bytes.as_binary::<i32>().value(row).to_vec(),
        releases: text(releases, row),
    };
    Ok((0..batch.num_rows()).map(record).collect())
}
