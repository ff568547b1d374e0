//! An optimizer rule that reads only the struct fields that a query uses, also of structs in lists.
//!
//! DataFusion reads whole columns. A table whose schema declares fewer fields is read without the others, so the rule
//! gives each scan of the lake such a schema. It tracks the required parts of each column down the plan, through
//! projections, unions, joins and `unnest`; at any other node it requires all fields.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema};
use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::logical_plan::TableScanBuilder;
use datafusion::logical_expr::{
    Expr, Filter, Join, JoinType, LogicalPlan, Projection, TableScan, Union, Unnest,
};
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use podtrail_lake::LakeTable;

use crate::last_stages::LastStages;

/// The optimizer rule.
#[derive(Debug, Default)]
pub(crate) struct NarrowStructs;

impl OptimizerRule for NarrowStructs {
    fn name(&self) -> &'static str {
        "narrow_structs"
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        // A remaining subquery refers to columns from inside.
        if has_subqueries(&plan)? {
            return Ok(Transformed::no(plan));
        }
        let asked = Asked::all(plan.schema());
        Ok(narrow(&plan, &asked)?.map_or_else(|| Transformed::no(plan), Transformed::yes))
    }
}

fn has_subqueries(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply(|plan| {
        plan.apply_expressions(|expr| {
            expr.apply(|expr| {
                found |=
                    matches!(expr, Expr::Exists(_) | Expr::InSubquery(_) | Expr::ScalarSubquery(_));
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(found)
}

/// The required parts of a column.
#[derive(Debug, Clone, PartialEq)]
enum Need {
    All,
    /// These fields of a struct, or of the structs in a list; empty if only its presence matters.
    Members(BTreeMap<String, Need>),
}

impl Need {
    const fn nothing() -> Self {
        Self::Members(BTreeMap::new())
    }

    fn add(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::All, _) => {}
            (_, Self::All) => *self = Self::All,
            (Self::Members(members), Self::Members(others)) => {
                for (name, need) in others {
                    members.entry(name).or_insert_with(Self::nothing).add(need);
                }
            }
        }
    }

    /// Returns the type without the fields that are not required. A struct keeps at least one field, which shows
    /// whether it is null.
    fn of_type(&self, data_type: &DataType) -> DataType {
        let Self::Members(members) = self else { return data_type.clone() };
        match data_type {
            DataType::Struct(fields) => {
                let narrow = |field: &Arc<Field>, need: &Self| {
                    let data_type = need.of_type(field.data_type());
                    Arc::new(field.as_ref().clone().with_data_type(data_type))
                };
                let mut kept: Vec<Arc<Field>> = fields
                    .iter()
                    .filter_map(|field| Some(narrow(field, members.get(field.name())?)))
                    .collect();
                if kept.is_empty() {
                    let plain = fields.iter().find(|field| !field.data_type().is_nested());
                    let first = plain.or(fields.first());
                    kept.extend(first.map(|field| narrow(field, &Self::nothing())));
                }
                DataType::Struct(Fields::from(kept))
            }
            DataType::List(item) if matches!(item.data_type(), DataType::Struct(_)) => {
                let data_type = self.of_type(item.data_type());
                DataType::List(Arc::new(item.as_ref().clone().with_data_type(data_type)))
            }
            other => other.clone(),
        }
    }
}

/// The required parts of each column of a schema.
#[derive(Debug, Clone)]
struct Asked(Vec<Need>);

impl Asked {
    fn all(schema: &DFSchema) -> Self {
        Self(vec![Need::All; schema.fields().len()])
    }

    fn nothing(schema: &DFSchema) -> Self {
        Self(vec![Need::nothing(); schema.fields().len()])
    }

    /// Adds what an expression over the columns of `schema` requires of them, if `need` is required of its value.
    fn add(&mut self, expr: &Expr, need: Need, schema: &DFSchema) -> Result<()> {
        match expr {
            Expr::Column(column) => {
                if let Some(index) = schema.maybe_index_of_column(column) {
                    self.0[index].add(need);
                }
                Ok(())
            }
            Expr::Alias(alias) => self.add(&alias.expr, need, schema),
            Expr::IsNull(inner) | Expr::IsNotNull(inner) => {
                self.add(inner, Need::nothing(), schema)
            }
            Expr::ScalarFunction(function) if function.name() == "get_field" => {
                let Some((base, path)) = function.args.split_first() else { return Ok(()) };
                let Some(path) = path.iter().map(member_name).collect::<Option<Vec<_>>>() else {
                    return self.add(base, Need::All, schema);
                };
                let need = path.into_iter().rev().fold(need, |need, name| {
                    Need::Members(BTreeMap::from([(name.to_owned(), need)]))
                });
                self.add(base, need, schema)
            }
            other => {
                let mut result = Ok(());
                other.apply_children(|child| {
                    result = self.add(child, Need::All, schema);
                    let go_on = result.is_ok();
                    Ok(if go_on { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
                })?;
                result
            }
        }
    }

    fn add_all<'e>(
        &mut self,
        exprs: impl IntoIterator<Item = &'e Expr>,
        schema: &DFSchema,
    ) -> Result<()> {
        exprs.into_iter().try_for_each(|expr| self.add(expr, Need::All, schema))
    }
}

fn member_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(ScalarValue::Utf8(name) | ScalarValue::Utf8View(name), _) => name.as_deref(),
        _ => None,
    }
}

/// Returns the plan with narrower scans for these requirements; `None` if nothing changes.
fn narrow(plan: &LogicalPlan, asked: &Asked) -> Result<Option<LogicalPlan>> {
    let of_inputs = match plan {
        LogicalPlan::TableScan(scan) => return narrow_scan(scan, asked),
        LogicalPlan::Projection(Projection { expr, input, .. }) => {
            let mut of_input = Asked::nothing(input.schema());
            for (expr, need) in expr.iter().zip(&asked.0) {
                of_input.add(expr, need.clone(), input.schema())?;
            }
            vec![of_input]
        }
        LogicalPlan::Filter(Filter { predicate, input, .. }) => {
            let mut of_input = asked.clone();
            of_input.add(predicate, Need::All, input.schema())?;
            vec![of_input]
        }
        LogicalPlan::SubqueryAlias(_) | LogicalPlan::Limit(_) => vec![asked.clone()],
        LogicalPlan::Sort(sort) => {
            let mut of_input = asked.clone();
            of_input.add_all(sort.expr.iter().map(|sort| &sort.expr), sort.input.schema())?;
            vec![of_input]
        }
        LogicalPlan::Unnest(unnest) => vec![asked_below_unnest(unnest, asked)],
        LogicalPlan::Union(union) => return narrow_union(union, asked),
        LogicalPlan::Join(join) => match asked_below_join(join, asked)? {
            Some((left, right)) => vec![left, right],
            None => return Ok(None),
        },
        LogicalPlan::Aggregate(aggregate) => {
            let mut of_input = Asked::nothing(aggregate.input.schema());
            let exprs = aggregate.group_expr.iter().chain(&aggregate.aggr_expr);
            of_input.add_all(exprs, aggregate.input.schema())?;
            vec![of_input]
        }
        other => other.inputs().into_iter().map(|input| Asked::all(input.schema())).collect(),
    };
    let mut is_changed = false;
    let mut inputs = Vec::with_capacity(of_inputs.len());
    for (input, asked) in plan.inputs().into_iter().zip(&of_inputs) {
        let narrowed = narrow(input, asked)?;
        is_changed |= narrowed.is_some();
        inputs.push(narrowed.unwrap_or_else(|| input.clone()));
    }
    if !is_changed {
        return Ok(None);
    }
    Ok(Some(plan.with_new_exprs(plan.expressions(), inputs)?))
}

/// Narrows the inputs of a union. A column that one of them computes keeps its width in all of them.
fn narrow_union(union: &Union, asked: &Asked) -> Result<Option<LogicalPlan>> {
    let mut asked = asked.clone();
    loop {
        let mut is_changed = false;
        let mut inputs = Vec::with_capacity(union.inputs.len());
        for input in &union.inputs {
            let narrowed = narrow(input, &asked)?;
            is_changed |= narrowed.is_some();
            inputs.push(narrowed.map_or_else(|| input.clone(), Arc::new));
        }
        if !is_changed {
            return Ok(None);
        }
        let type_of =
            |input: &LogicalPlan, column: usize| input.schema().field(column).data_type().clone();
        let differing: Vec<usize> = (0..asked.0.len())
            .filter(|&column| {
                let mut types = inputs.iter().map(|input| type_of(input, column));
                let first = types.next();
                types.any(|other| Some(other) != first)
            })
            .collect();
        if differing.is_empty() {
            return Ok(Some(LogicalPlan::Union(Union::try_new(inputs)?)));
        }
        let before = asked.clone();
        for column in differing {
            asked.0[column] = Need::All;
        }
        if asked.0 == before.0 {
            // Their types already differ, so narrowing is not possible.
            return Ok(None);
        }
    }
}

/// Returns the requirements below an `unnest`: those of list elements apply to the list.
fn asked_below_unnest(unnest: &Unnest, asked: &Asked) -> Asked {
    let mut of_input = Asked::nothing(unnest.input.schema());
    for (&index, need) in unnest.dependency_indices.iter().zip(&asked.0) {
        of_input.0[index].add(need.clone());
    }
    for &index in &unnest.struct_type_columns {
        of_input.0[index] = Need::All;
    }
    of_input
}

/// Returns the requirements of both sides; `None` for a join whose columns are not those of its sides.
fn asked_below_join(join: &Join, asked: &Asked) -> Result<Option<(Asked, Asked)>> {
    let (left, right) = (join.left.schema(), join.right.schema());
    let (mut of_left, mut of_right) = match join.join_type {
        JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
            let (of_left, of_right) = asked.0.split_at(left.fields().len());
            (Asked(of_left.to_vec()), Asked(of_right.to_vec()))
        }
        JoinType::LeftSemi | JoinType::LeftAnti => (asked.clone(), Asked::nothing(right)),
        JoinType::RightSemi | JoinType::RightAnti => (Asked::nothing(left), asked.clone()),
        JoinType::LeftMark | JoinType::RightMark => return Ok(None),
    };
    let keys = join.on.iter().flat_map(|(left, right)| [left, right]);
    for expr in keys.chain(&join.filter) {
        // The table of a column identifies its side.
        of_left.add(expr, Need::All, left)?;
        of_right.add(expr, Need::All, right)?;
    }
    Ok(Some((of_left, of_right)))
}

fn narrow_scan(scan: &TableScan, asked: &Asked) -> Result<Option<LogicalPlan>> {
    let provider = source_as_provider(&scan.source)?;
    let last_stages = provider.downcast_ref::<LastStages>();
    let table = match last_stages {
        Some(last_stages) => last_stages.lake_table(),
        None => provider.downcast_ref::<LakeTable>(),
    };
    let Some(table) = table else { return Ok(None) };
    let schema = scan.source.schema();
    let of_table = DFSchema::try_from_qualified_schema(scan.table_name.clone(), &schema)?;
    let mut needs = Asked::nothing(&of_table);
    let all: Vec<usize> = (0..schema.fields().len()).collect();
    for (&index, need) in scan.projection.as_ref().unwrap_or(&all).iter().zip(&asked.0) {
        needs.0[index].add(need.clone());
    }
    needs.add_all(&scan.filters, &of_table)?;
    let fields: Vec<Arc<Field>> = schema
        .fields()
        .iter()
        .zip(&needs.0)
        .map(|(field, need)| {
            let data_type = need.of_type(field.data_type());
            Arc::new(field.as_ref().clone().with_data_type(data_type))
        })
        .collect();
    let narrow = Schema::new_with_metadata(fields, schema.metadata().clone());
    if narrow == *schema {
        return Ok(None);
    }
    let narrowed: Arc<dyn TableProvider> = Arc::new(table.narrowed(Arc::new(narrow)));
    let narrowed = match last_stages {
        Some(_) => Arc::new(LastStages::over(narrowed)),
        None => narrowed,
    };
    let scan = TableScanBuilder::new(scan.table_name.clone(), provider_as_source(narrowed))
        .with_projection(scan.projection.clone())
        .with_filters(scan.filters.clone())
        .with_fetch(scan.fetch)
        .with_statistics_requests(scan.statistics_requests.clone())
        .build()?;
    Ok(Some(LogicalPlan::TableScan(scan)))
}
