//! Selects the files for a query: by partition values, which is exact, and by file statistics, which keeps some
//! unneeded files.

use std::collections::HashSet;
use std::fmt::{Debug, Formatter};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, UInt64Array};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, ColumnStatistics, DFSchema, Result, Statistics};
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};
use datafusion::scalar::ScalarValue;

/// Returns whether partition values alone decide the filter, equally for every row of a file.
pub(crate) fn is_partition_filter(filter: &Expr, partition_columns: &[&str]) -> bool {
    let reads_partitions_only =
        filter.column_refs().iter().all(|column| partition_columns.contains(&column.name.as_str()));
    let is_fixed = !filter.is_volatile() && !filter.contains_outer();
    let has_subquery = filter.exists(|expr| {
        Ok(matches!(
            expr,
            Expr::ScalarSubquery(_)
                | Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::SetComparison(_)
                | Expr::ScalarVariable(..)
                | Expr::Placeholder(_)
        ))
    });
    reads_partitions_only && is_fixed && !has_subquery.unwrap_or(true)
}

/// Returns which partitions, one per row, the filters on partition columns select.
pub(crate) fn matching_partitions(
    state: &dyn Session,
    filters: &[Expr],
    partition_columns: &[&str],
    partitions: &RecordBatch,
) -> Result<Vec<bool>> {
    let mut keep = vec![true; partitions.num_rows()];
    let schema = DFSchema::try_from(partitions.schema())?;
    for filter in filters.iter().filter(|filter| is_partition_filter(filter, partition_columns)) {
        let filter = state.create_physical_expr(unqualified(filter)?, &schema)?;
        let matches = evaluate(filter.as_ref(), partitions)?;
        retain(&mut keep, |partition| matches.is_valid(partition) && matches.value(partition));
    }
    Ok(keep)
}

/// The filters of a scan that statistics of files can decide.
pub(crate) struct Pruning(Vec<PruningPredicate>);

impl Pruning {
    /// Takes the filters that partition values alone do not decide, over columns of `schema`.
    pub(crate) fn new(
        state: &dyn Session,
        filters: &[Expr],
        partition_columns: &[&str],
        schema: &SchemaRef,
    ) -> Result<Self> {
        let table_schema = DFSchema::try_from(schema.clone())?;
        let mut predicates = Vec::new();
        for filter in filters.iter().filter(|it| !is_partition_filter(it, partition_columns)) {
            // A filter that cannot be planned here is evaluated above the scan.
            let Ok(filter) = unqualified(filter)
                .and_then(|filter| state.create_physical_expr(filter, &table_schema))
            else {
                continue;
            };
            let predicate = PruningPredicateBuilder::new().with_file_schema(schema.clone());
            predicates.extend(predicate.try_build(filter).ok());
        }
        Ok(Self(predicates))
    }

    /// Returns which files may have rows for the filters.
    pub(crate) fn prune(&self, files: &FileStatistics) -> Result<Vec<bool>> {
        let mut keep = vec![true; files.num_containers()];
        for predicate in &self.0 {
            let may_match = predicate.prune(files)?;
            retain(&mut keep, |file| may_match[file]);
        }
        Ok(keep)
    }
}

fn retain(keep: &mut [bool], matches: impl Fn(usize) -> bool) {
    for (file, keep) in keep.iter_mut().enumerate() {
        *keep &= matches(file);
    }
}

fn evaluate(filter: &dyn PhysicalExpr, rows: &RecordBatch) -> Result<BooleanArray> {
    let array = filter.evaluate(rows)?.into_array(rows.num_rows())?;
    // A filter may be an untyped null.
    let array = arrow::compute::cast(&array, &DataType::Boolean)?;
    Ok(array.as_boolean().clone())
}

/// Returns the filter without table names, which the schemas here do not have.
fn unqualified(filter: &Expr) -> Result<Expr> {
    let unqualified = filter.clone().transform(|expr| {
        Ok(match expr {
            Expr::Column(column) if column.relation.is_some() => {
                Transformed::yes(Expr::Column(Column::new_unqualified(column.name)))
            }
            expr => Transformed::no(expr),
        })
    });
    Ok(unqualified?.data)
}

/// The statistics of files, for all columns.
pub(crate) struct FileStatistics {
    schema: SchemaRef,
    files: Vec<Arc<Statistics>>,
}

impl FileStatistics {
    /// Creates statistics in the order of the schema's columns.
    pub(crate) fn new(schema: SchemaRef, files: Vec<Arc<Statistics>>) -> Self {
        Self { schema, files }
    }

    fn bound(
        &self,
        column: &Column,
        bound: impl Fn(&ColumnStatistics) -> &Precision<ScalarValue>,
    ) -> Option<ArrayRef> {
        let index = self.schema.index_of(&column.name).ok()?;
        let unknown = ScalarValue::try_from(self.schema.field(index).data_type()).ok()?;
        let values = self.files.iter().map(|file| {
            // Bounds that are not values of a row, such as cut text, are still bounds.
            let value = bound(&file.column_statistics[index]).get_value();
            value.cloned().unwrap_or_else(|| unknown.clone())
        });
        ScalarValue::iter_to_array(values).ok()
    }
}

impl Debug for FileStatistics {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("FileStatistics")
            .field("files", &self.files.len())
            .finish_non_exhaustive()
    }
}

impl PruningStatistics for FileStatistics {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bound(column, |statistics| &statistics.min_value)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bound(column, |statistics| &statistics.max_value)
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let index = self.schema.index_of(&column.name).ok()?;
        let counts = self.files.iter().map(|file| exact(file.column_statistics[index].null_count));
        Some(Arc::new(counts.collect::<UInt64Array>()))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(self.files.iter().map(|file| exact(file.num_rows)).collect::<UInt64Array>()))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

fn exact(count: Precision<usize>) -> Option<u64> {
    match count {
        Precision::Exact(count) => u64::try_from(count).ok(),
        _ => None,
    }
}
