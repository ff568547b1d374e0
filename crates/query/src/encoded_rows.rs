//! Rows in memory in which repeated values of a column are stored once in each batch, and a scan of them.
//!
//! Most columns of events repeat a few values: names, programs, groups. Stored once, ten million events take a fifth of the
//! memory. A scan restores the columns that a query reads, batch by batch; those that a filter does not read only for the
//! rows that pass it.

use std::fmt::{self, Formatter};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, RecordBatch, RecordBatchOptions,
    StructArray, UInt32Array, new_null_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{cast, filter, take};
use arrow::datatypes::{DataType, FieldRef, Fields, SchemaRef};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use datafusion::common::config::ConfigOptions;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{HashMap, Result, Statistics, internal_datafusion_err};
use datafusion::datasource::source::{DataSource, DataSourceExec};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::utils::{collect_columns, reassign_expr_columns};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, conjunction};
use datafusion::physical_plan::execution_plan::SchedulingType;
use datafusion::physical_plan::filter_pushdown::{FilterPushdownPropagation, PushedDown};
use datafusion::physical_plan::projection::{all_alias_free_columns, new_projections_for_columns};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan, PhysicalExpr};
use futures::stream;

/// The part of the rows that pass a filter, as the engine estimates it for filters that it cannot analyze.
const PASSING: f64 = 0.2;

/// One batch of rows.
#[derive(Debug)]
pub(crate) struct EncodedRows {
    /// The number of rows.
    pub(crate) rows: usize,
    /// By the number of the column in the table; `None` for those that are not kept.
    columns: Vec<Option<Encoded>>,
}

/// A column of one batch.
#[derive(Debug)]
struct Encoded {
    values: Values,
    /// The size of the column as it is restored, in bytes.
    restored_bytes: usize,
}

#[derive(Debug)]
enum Values {
    /// Nulls only.
    Nulls,
    /// The values of the rows.
    Each(ArrayRef),
    /// The distinct values, and the index of the value of each row, in the smallest type that can hold it.
    Distinct { values: Box<Values>, count: usize, indices: ArrayRef },
    /// Structs, each member on its own: most members of an object are null.
    Struct { fields: Fields, members: Vec<Encoded>, nulls: Option<NullBuffer> },
    /// Lists, whose items are encoded.
    List {
        item: FieldRef,
        offsets: OffsetBuffer<i32>,
        items: Box<Encoded>,
        nulls: Option<NullBuffer>,
    },
}

impl EncodedRows {
    /// Encodes a batch, whose columns are the `kept` of `all` columns.
    pub(crate) fn encode(
        batch: &RecordBatch,
        kept: &[usize],
        all: usize,
    ) -> Result<Self, ArrowError> {
        let mut columns: Vec<_> = (0..all).map(|_| None).collect();
        for (&index, column) in kept.iter().zip(batch.columns()) {
            columns[index] = Some(Encoded::of(column)?);
        }
        Ok(Self { rows: batch.num_rows(), columns })
    }

    /// Returns its size in memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.columns.iter().flatten().map(|column| column.values.bytes()).sum()
    }

    /// Restores these columns, of the rows for which `passes` is true, or of all rows.
    pub(crate) fn restore(
        &self,
        columns: &[usize],
        schema: &SchemaRef,
        passes: Option<&BooleanArray>,
    ) -> Result<RecordBatch, ArrowError> {
        let rows = passes.map_or(self.rows, BooleanArray::true_count);
        let restored = columns.iter().zip(schema.fields()).map(|(&column, field)| {
            let encoded = self.columns.get(column).and_then(Option::as_ref);
            let encoded = encoded.ok_or_else(|| {
                ArrowError::InvalidArgumentError(format!("column {} is not kept", field.name()))
            })?;
            match (&encoded.values, passes) {
                (Values::Nulls, _) => Ok(new_null_array(field.data_type(), rows)),
                (Values::Distinct { values, count, indices }, Some(passes)) => {
                    let values = values.restore(field.data_type(), *count)?;
                    take(&values, &filter(indices, passes)?, None)
                }
                (values, Some(passes)) => {
                    filter(&values.restore(field.data_type(), self.rows)?, passes)
                }
                (values, None) => values.restore(field.data_type(), self.rows),
            }
        });
        let restored = restored.collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(schema.clone(), restored, &options)
    }
}

impl Values {
    /// Encodes the members of structs and the items of lists; other values stay as they are.
    fn of_parts(column: ArrayRef) -> Result<Self, ArrowError> {
        Ok(match column.data_type() {
            DataType::Struct(_) => {
                let (fields, members, nulls) = column.as_struct().clone().into_parts();
                let members = members.iter().map(Encoded::of).collect::<Result<_, _>>()?;
                Self::Struct { fields, members, nulls }
            }
            DataType::List(_) => {
                let (item, offsets, items, nulls) = column.as_list::<i32>().clone().into_parts();
                Self::List { item, offsets, items: Box::new(Encoded::of(&items)?), nulls }
            }
            _ => {
                let mut column = column;
                column.shrink_to_fit();
                Self::Each(column)
            }
        })
    }

    /// Returns the size in memory, in bytes.
    fn bytes(&self) -> usize {
        let of_nulls =
            |nulls: &Option<NullBuffer>| nulls.as_ref().map_or(0, |it| it.buffer().len());
        match self {
            Self::Nulls => 0,
            Self::Each(values) => values.get_array_memory_size(),
            Self::Distinct { values, indices, .. } => {
                values.bytes() + indices.get_array_memory_size()
            }
            Self::Struct { members, nulls, .. } => {
                of_nulls(nulls) + members.iter().map(|member| member.values.bytes()).sum::<usize>()
            }
            Self::List { offsets, items, nulls, .. } => {
                of_nulls(nulls) + offsets.inner().inner().len() + items.values.bytes()
            }
        }
    }

    /// Restores all rows.
    fn restore(&self, data_type: &DataType, rows: usize) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Nulls => new_null_array(data_type, rows),
            Self::Each(values) => values.clone(),
            Self::Distinct { values, count, indices } => {
                take(&values.restore(data_type, *count)?, indices, None)?
            }
            Self::Struct { fields, members, nulls } => {
                let members = members.iter().zip(fields);
                let members =
                    members.map(|(member, field)| member.values.restore(field.data_type(), rows));
                let members = members.collect::<Result<_, _>>()?;
                Arc::new(StructArray::try_new(fields.clone(), members, nulls.clone())?)
            }
            Self::List { item, offsets, items, nulls } => {
                let count = offsets.last().and_then(|end| usize::try_from(*end).ok());
                let items = items.values.restore(item.data_type(), count.unwrap_or_default())?;
                let (item, offsets) = (item.clone(), offsets.clone());
                Arc::new(ListArray::try_new(item, offsets, items, nulls.clone())?)
            }
        })
    }
}

impl Encoded {
    fn of(column: &ArrayRef) -> Result<Self, ArrowError> {
        let restored_bytes = column.to_data().get_slice_memory_size()?;
        let rows = u32::try_from(column.len()).unwrap_or(u32::MAX);
        if column.null_count() == column.len() {
            return Ok(Self { values: Values::Nulls, restored_bytes });
        }
        let (first, indices) = match column.data_type() {
            DataType::Utf8 => distinct(column.as_string::<i32>().iter()),
            data_type if data_type.is_nested() => {
                let converter = RowConverter::new(vec![SortField::new(data_type.clone())])?;
                let keys = converter.convert_columns(std::slice::from_ref(column))?;
                distinct(keys.iter())
            }
            _ => (Vec::new(), Vec::new()),
        };
        let is_repeated = !indices.is_empty() && first.len() < column.len() / 4 * 3;
        let values = if is_repeated {
            let values = take(column, &UInt32Array::from(first), None)?;
            let (count, values) = (values.len(), Values::of_parts(values)?);
            let indices = smallest(&UInt32Array::from(indices), count)?;
            Values::Distinct { values: Box::new(values), count, indices }
        } else {
            // A copy: the column may be a part of a larger one, which would stay in memory.
            Values::of_parts(take(column, &UInt32Array::from_iter_values(0..rows), None)?)?
        };
        Ok(Self { values, restored_bytes })
    }
}

/// Returns the row of the first occurrence of each distinct value, and the number of the value of each row.
fn distinct<T: std::hash::Hash + Eq>(values: impl Iterator<Item = T>) -> (Vec<u32>, Vec<u32>) {
    let mut numbers: HashMap<T, u32> = HashMap::default();
    let mut first = Vec::new();
    let indices = (0..).zip(values).map(|(row, value)| {
        let next = u32::try_from(first.len()).unwrap_or(u32::MAX);
        *numbers.entry(value).or_insert_with(|| {
            first.push(row);
            next
        })
    });
    let indices = indices.collect();
    (first, indices)
}

/// Returns indices into this number of values in the smallest type.
fn smallest(indices: &UInt32Array, count: usize) -> Result<ArrayRef, ArrowError> {
    let data_type = match count {
        0..=0x100 => DataType::UInt8,
        0x101..=0x1_0000 => DataType::UInt16,
        _ => DataType::UInt32,
    };
    cast(indices, &data_type)
}

/// A scan of encoded rows.
#[derive(Debug, Clone)]
pub(crate) struct EncodedSource {
    /// The columns of the table.
    table: SchemaRef,
    partitions: Vec<Vec<Arc<EncodedRows>>>,
    /// The columns of the scan, as numbers in the table.
    columns: Vec<usize>,
    schema: SchemaRef,
    /// Over the columns of the table.
    filter: Option<Arc<dyn PhysicalExpr>>,
}

impl EncodedSource {
    /// Returns a plan that reads these columns of `batches`, in at most this number of partitions.
    ///
    /// # Errors
    /// If the table lacks a column.
    pub(crate) fn plan(
        table: &SchemaRef,
        batches: &[Arc<EncodedRows>],
        columns: Vec<usize>,
        partitions: usize,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let size = batches.len().div_ceil(partitions.max(1)).max(1);
        let mut partitions: Vec<_> = batches.chunks(size).map(<[_]>::to_vec).collect();
        partitions.resize_with(partitions.len().max(1), Vec::new);
        let schema = Arc::new(table.project(&columns)?);
        let source = Self { table: table.clone(), partitions, columns, schema, filter: None };
        Ok(DataSourceExec::from_data_source(source))
    }

    /// Restores the rows of a batch that pass the filter; `None` if none does.
    fn restore(&self, batch: &EncodedRows) -> Result<Option<RecordBatch>> {
        let Some(condition) = &self.filter else {
            return Ok(Some(batch.restore(&self.columns, &self.schema, None)?));
        };
        let mut columns: Vec<usize> = collect_columns(condition)
            .iter()
            .map(datafusion::physical_expr::expressions::Column::index)
            .collect();
        columns.sort_unstable();
        let schema = Arc::new(self.table.project(&columns)?);
        let condition = reassign_expr_columns(condition.clone(), &schema)?;
        let passes = condition.evaluate(&batch.restore(&columns, &schema, None)?)?;
        let passes = passes.into_array(batch.rows)?;
        let passes = passes.as_boolean_opt().ok_or_else(|| {
            internal_datafusion_err!("a filter returned {}, not booleans", passes.data_type())
        })?;
        if !passes.has_true() {
            return Ok(None);
        }
        Ok(Some(batch.restore(&self.columns, &self.schema, Some(passes))?))
    }
}

impl DataSource for EncodedSource {
    fn open(
        &self,
        partition: usize,
        _context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let batches = self.partitions.get(partition).cloned().unwrap_or_default();
        let source = self.clone();
        let rows = batches.into_iter().filter_map(move |batch| source.restore(&batch).transpose());
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), stream::iter(rows))))
    }

    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "cached rows, partitions={}", self.partitions.len())?;
        match &self.filter {
            Some(filter) => write!(formatter, ", predicate={filter}"),
            None => Ok(()),
        }
    }

    fn output_partitioning(&self) -> Partitioning {
        Partitioning::UnknownPartitioning(self.partitions.len())
    }

    fn eq_properties(&self) -> EquivalenceProperties {
        EquivalenceProperties::new(self.schema.clone())
    }

    fn scheduling_type(&self) -> SchedulingType {
        SchedulingType::NonCooperative
    }

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        let partitions = match partition {
            Some(partition) => self.partitions.get(partition).map(std::slice::from_ref),
            None => Some(self.partitions.as_slice()),
        };
        let batches = partitions.unwrap_or_default().iter().flatten();
        let (mut rows, mut bytes) = (0, 0);
        for batch in batches {
            rows += batch.rows;
            let columns = self.columns.iter().filter_map(|column| batch.columns[*column].as_ref());
            bytes += columns.map(|column| column.restored_bytes).sum::<usize>();
        }
        let (num_rows, total_byte_size) = match self.filter {
            None => (Precision::Exact(rows), Precision::Inexact(bytes)),
            Some(_) => (Precision::Inexact(part(rows)), Precision::Inexact(part(bytes))),
        };
        Ok(Arc::new(Statistics {
            num_rows,
            total_byte_size,
            ..Statistics::new_unknown(&self.schema)
        }))
    }

    fn with_fetch(&self, _: Option<usize>) -> Option<Arc<dyn DataSource>> {
        None
    }

    fn fetch(&self) -> Option<usize> {
        None
    }

    fn try_swapping_with_projection(
        &self,
        projection: &ProjectionExprs,
    ) -> Result<Option<Arc<dyn DataSource>>> {
        let expressions: Vec<_> = projection.iter().cloned().collect();
        if !all_alias_free_columns(&expressions) {
            return Ok(None);
        }
        let columns = new_projections_for_columns(&expressions, &self.columns);
        let schema = Arc::new(self.table.project(&columns)?);
        Ok(Some(Arc::new(Self { columns, schema, ..self.clone() })))
    }

    fn try_pushdown_filters(
        &self,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        _config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn DataSource>>> {
        let result = vec![PushedDown::Yes; filters.len()];
        let filters = filters.into_iter().map(|filter| reassign_expr_columns(filter, &self.table));
        let mut filters = filters.collect::<Result<Vec<_>>>()?;
        filters.extend(self.filter.clone());
        let filtered = Self { filter: Some(conjunction(filters)), ..self.clone() };
        let propagation = FilterPushdownPropagation::with_parent_pushdown_result(result);
        Ok(propagation.with_updated_node(Arc::new(filtered)))
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.filter.as_ref().map_or(Ok(TreeNodeRecursion::Continue), visit)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "an estimate"
)]
fn part(count: usize) -> usize {
    (count as f64 * PASSING) as usize
}
