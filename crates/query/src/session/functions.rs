//! The functions of a session: what they are, and those that give tables.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, IntervalUnit};
use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::ParamValues;
use datafusion::common::metadata::ScalarAndMetadata;
use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::logical_expr::{Documentation, LogicalPlan};
use datafusion::prelude::Expr;
use datafusion::scalar::ScalarValue;

use super::Session;
use crate::error::QueryError;
use crate::functions::{functions, json};

/// A function as people look it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionDoc {
    /// Its name.
    pub name: String,
    /// How it is called.
    pub syntax: String,
    /// What it gives.
    pub description: String,
    /// Whether it is made for this field, or for JSON; the others are those of DataFusion.
    pub is_ours: bool,
}

/// A function that gives a table: a query with placeholders.
struct TableQuery {
    name: &'static str,
    syntax: &'static str,
    /// The types of the arguments, with their defaults.
    arguments: &'static [(Argument, Option<&'static str>)],
    sql: &'static str,
}

#[derive(Debug, Clone, Copy)]
enum Argument {
    Text,
    Interval,
}

const TABLE_QUERIES: &[TableQuery] = &[
    TableQuery {
        name: "timeline",
        syntax: "timeline('identity or object')",
        arguments: &[(Argument::Text, None)],
        sql: include_str!("../table_functions/timeline.sql"),
    },
    TableQuery {
        name: "diff",
        syntax: "diff('object')",
        arguments: &[(Argument::Text, None)],
        sql: include_str!("../table_functions/diff.sql"),
    },
    TableQuery {
        name: "lineage",
        syntax: "lineage('object')",
        arguments: &[(Argument::Text, None)],
        sql: include_str!("../table_functions/lineage.sql"),
    },
    TableQuery {
        name: "sessions",
        syntax: "sessions('identity', INTERVAL '30 minutes')",
        arguments: &[(Argument::Text, None), (Argument::Interval, Some("30 minutes"))],
        sql: include_str!("../table_functions/sessions.sql"),
    },
];

impl Session {
    /// Adds the functions that give tables; a session that runs detections alone has no use for their plans.
    ///
    /// # Errors
    /// When one of them cannot be planned.
    pub async fn add_table_functions(&self) -> Result<(), QueryError> {
        for query in TABLE_QUERIES {
            let plan = self.context.state().create_logical_plan(query.sql).await?;
            let function =
                TableQueryFunction { syntax: query.syntax, arguments: query.arguments, plan };
            self.context.register_udtf(query.name, Arc::new(function));
        }
        Ok(())
    }

    /// The names of the functions that give tables.
    pub fn table_functions(&self) -> Vec<String> {
        let mut names: Vec<_> = self.context.state().table_functions().keys().cloned().collect();
        names.sort();
        names
    }

    /// Every function, ours first, in the order of their names.
    pub fn functions(&self) -> Vec<FunctionDoc> {
        let state = self.context.state();
        let ours: Vec<_> = functions().iter().map(|function| function.name().to_owned()).collect();
        let scalar = state.scalar_functions().iter().map(|(name, f)| (name, f.documentation()));
        let aggregate =
            state.aggregate_functions().iter().map(|(name, f)| (name, f.documentation()));
        let window = state.window_functions().iter().map(|(name, f)| (name, f.documentation()));
        let engine = scalar.chain(aggregate).chain(window).filter_map(|(name, documentation)| {
            let Documentation { description, syntax_example, .. } = documentation?;
            Some(FunctionDoc {
                name: name.clone(),
                syntax: syntax_example.clone(),
                description: description.clone(),
                is_ours: ours.contains(name),
            })
        });
        let tables = TABLE_QUERIES.iter().map(|query| FunctionDoc {
            name: query.name.to_owned(),
            syntax: query.syntax.to_owned(),
            description: crate::views::comment(query.sql),
            is_ours: true,
        });
        let json = json::DOCUMENTATION.iter().map(|(syntax, description)| FunctionDoc {
            name: syntax.split_once('(').map_or(*syntax, |(name, _)| name).to_owned(),
            syntax: (*syntax).to_owned(),
            description: (*description).to_owned(),
            is_ours: true,
        });
        let mut all: Vec<_> = engine.chain(tables).chain(json).collect();
        all.sort_by(|a, b| b.is_ours.cmp(&a.is_ours).then_with(|| a.name.cmp(&b.name)));
        all.dedup_by(|a, b| a.name == b.name && a.is_ours == b.is_ours);
        all
    }
}

#[derive(Debug)]
struct TableQueryFunction {
    syntax: &'static str,
    arguments: &'static [(Argument, Option<&'static str>)],
    plan: LogicalPlan,
}

impl TableFunctionImpl for TableQueryFunction {
    fn call_with_args(&self, call: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let given = call.exprs();
        if given.len() > self.arguments.len() {
            return plan_err!("too many arguments: {}", self.syntax);
        }
        let mut values = Vec::with_capacity(self.arguments.len());
        for (position, (argument, default)) in self.arguments.iter().enumerate() {
            let value = match (given.get(position), default) {
                (Some(Expr::Literal(value, _)), _) => value.clone(),
                (Some(_), _) => {
                    return plan_err!("the arguments must be constants: {}", self.syntax);
                }
                (None, Some(default)) => ScalarValue::from(*default),
                (None, None) => return plan_err!("an argument is missing: {}", self.syntax),
            };
            let data_type = match argument {
                Argument::Text => DataType::Utf8,
                Argument::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
            };
            values.push(ScalarAndMetadata::from(value.cast_to(&data_type)?));
        }
        let plan = self.plan.clone().with_param_values(ParamValues::List(values))?;
        Ok(Arc::new(ViewTable::new(plan, None)))
    }
}
