//! Partition values: their encoding in Delta Lake, and the partition of each row.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::scalar::ScalarValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use podtrail_event::bounded_name;

use crate::spec::TableSpec;

/// The values of the partition columns, in their order, as text; `None` for null.
pub(crate) type PartitionValues = Vec<Option<String>>;

/// The directory name for null in Hive and every Delta Lake engine.
const NULL_DIRECTORY: &str = "__HIVE_DEFAULT_PARTITION__";

/// Other characters are percent-encoded in directory names: a cluster name may contain any character.
const DIRECTORY_ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Maximum length of a value in a directory name, in bytes: with the column name it stays below the 255 bytes of file
/// systems.
const LONGEST_VALUE: usize = 200;

/// Returns the directory of a partition, relative to the table: `cluster=prod/date=2026-01-31/activity=rbac`. A value
/// that is too long is cut and ends with a digest: the log has the full value, directories only separate partitions.
pub(crate) fn directory(columns: &[&str], values: &PartitionValues) -> String {
    let parts: Vec<String> = columns
        .iter()
        .zip(values)
        .map(|(column, value)| match value {
            Some(value) => {
                let encoded = utf8_percent_encode(value, DIRECTORY_ENCODED).to_string();
                format!("{column}={}", bounded_name(&encoded, LONGEST_VALUE))
            }
            None => format!("{column}={NULL_DIRECTORY}"),
        })
        .collect();
    parts.join("/")
}

/// Returns a partition value in the type of its column.
pub(crate) fn typed(
    value: Option<&str>,
    data_type: &DataType,
) -> datafusion::common::Result<ScalarValue> {
    match value {
        Some(text) => ScalarValue::try_from_string(text.to_owned(), data_type),
        None => ScalarValue::try_from(data_type),
    }
}

/// Numbers partitions in the order in which rows first name them.
pub(crate) struct Partitions {
    columns: Vec<usize>,
    converter: RowConverter,
    by_row: HashMap<Box<[u8]>, usize>,
    by_values: HashMap<PartitionValues, usize>,
    values: Vec<PartitionValues>,
    /// The partition column whose value may be unknown, and the value that means unknown.
    unknown: Option<(usize, &'static str)>,
    /// Partitions that differ only in that column.
    alike: HashMap<PartitionValues, Vec<usize>>,
}

impl Partitions {
    pub(crate) fn new(spec: &TableSpec) -> Result<Self, ArrowError> {
        let columns = spec
            .partition_columns
            .iter()
            .map(|column| spec.schema.index_of(column))
            .collect::<Result<Vec<_>, _>>()?;
        let sort_fields = columns
            .iter()
            .map(|&column| SortField::new(spec.schema.field(column).data_type().clone()))
            .collect();
        Ok(Self {
            columns,
            converter: RowConverter::new(sort_fields)?,
            by_row: HashMap::new(),
            by_values: HashMap::new(),
            values: Vec::new(),
            unknown: spec.unknown.and_then(|(column, value)| {
                let number = spec.partition_columns.iter().position(|name| *name == column)?;
                Some((number, value))
            }),
            alike: HashMap::new(),
        })
    }

    /// Returns the partition number of every row of the batch.
    pub(crate) fn assign(&mut self, batch: &RecordBatch) -> Result<Vec<usize>, ArrowError> {
        if self.columns.is_empty() {
            if self.values.is_empty() {
                self.number(Vec::new());
            }
            return Ok(vec![0; batch.num_rows()]);
        }
        let arrays: Vec<ArrayRef> =
            self.columns.iter().map(|&column| batch.column(column).clone()).collect();
        let options = FormatOptions::new();
        let formatters = arrays
            .iter()
            .map(|array| ArrayFormatter::try_new(array.as_ref(), &options))
            .collect::<Result<Vec<_>, _>>()?;
        let rows = self.converter.convert_columns(&arrays)?;
        let mut numbers = Vec::with_capacity(batch.num_rows());
        for (index, row) in rows.iter().enumerate() {
            if let Some(&number) = self.by_row.get(row.as_ref()) {
                numbers.push(number);
                continue;
            }
            let values = arrays
                .iter()
                .zip(&formatters)
                .map(|(array, formatter)| {
                    // Delta Lake stores an empty partition value as null.
                    let text = array.is_valid(index).then(|| formatter.value(index).to_string());
                    text.filter(|text| !text.is_empty())
                })
                .collect();
            let number = self.number(values);
            self.by_row.insert(row.as_ref().into(), number);
            numbers.push(number);
        }
        Ok(numbers)
    }

    fn number(&mut self, values: PartitionValues) -> usize {
        if let Some(&number) = self.by_values.get(&values) {
            return number;
        }
        let number = self.values.len();
        self.by_values.insert(values.clone(), number);
        if let Some(rest) = self.without_unknown(&values) {
            self.alike.entry(rest).or_default().push(number);
        }
        self.values.push(values);
        number
    }

    /// Returns the values without the column whose value may be unknown.
    fn without_unknown(&self, values: &PartitionValues) -> Option<PartitionValues> {
        let (column, _) = self.unknown?;
        let mut rest = values.clone();
        *rest.get_mut(column)? = None;
        Some(rest)
    }

    /// Returns whether the values are those of rows from an unknown source.
    pub(crate) fn is_unknown(&self, values: &PartitionValues) -> bool {
        self.unknown.is_some_and(|(column, unknown)| {
            values.get(column).is_some_and(|value| value.as_deref() == Some(unknown))
        })
    }

    /// Returns the partitions whose rows may equal rows of a partition with these values: that partition, and those
    /// that differ only in a value that is unknown in either.
    pub(crate) fn comparable(&self, values: &PartitionValues) -> Vec<usize> {
        let Some(rest) = self.without_unknown(values) else {
            return self.find(values).into_iter().collect();
        };
        let is_unknown = self.is_unknown(values);
        let alike = self.alike.get(&rest).map(Vec::as_slice).unwrap_or_default();
        let is_comparable = |number: &&usize| {
            let others = self.values(**number);
            is_unknown || others == values || self.is_unknown(others)
        };
        alike.iter().filter(is_comparable).copied().collect()
    }

    /// Returns the values of a partition by its number.
    pub(crate) fn values(&self, number: usize) -> &PartitionValues {
        &self.values[number]
    }

    /// Returns the number of the partition with these values, if it has any row.
    pub(crate) fn find(&self, values: &PartitionValues) -> Option<usize> {
        self.by_values.get(values).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_name_is_short_and_plain() {
        let columns = ["cluster", "date"];
        let directory_of = |cluster: &str| {
            let values = vec![Some(cluster.to_owned()), Some("2026-11-24".to_owned())];
            directory(&columns, &values)
        };
        let names = [
            "a".repeat(300),
            "a".repeat(301),
            "é".repeat(100),
            format!("{}b", "é".repeat(100)),
            "%".repeat(254),
            "../../..".to_owned(),
            "..".to_owned(),
            "a/b\\c".to_owned(),
            "a\0b\nc. ".to_owned(),
            "集群".repeat(1000),
        ];
        let mut seen = std::collections::HashSet::new();
        for name in names {
            let directory = directory_of(&name);
            let (cluster, rest) = directory.split_once('/').unwrap();
            assert!(cluster.starts_with("cluster=") && rest == "date=2026-11-24", "{directory}");
            assert!(cluster.len() <= 255 && !cluster.contains(['\0', '\n', '\\']), "{directory}");
            assert!(seen.insert(directory), "{name}");
        }
        assert_eq!(directory_of("prod"), "cluster=prod/date=2026-11-24");
    }
}
