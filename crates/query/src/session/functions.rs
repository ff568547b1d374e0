//! The functions of a session: their documentation, and the table functions.

use std::collections::HashSet;
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
use datafusion::sql::parser::Statement;

use super::Session;
use crate::functions::documentation::ADDED;
use crate::functions::{WINDOW_FUNCTIONS, functions};

/// The documentation of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionDoc {
    /// The name.
    pub name: String,
    /// The syntax.
    pub syntax: String,
    /// What it returns, in Markdown.
    pub description: String,
    /// The arguments with their descriptions; empty if the description covers them.
    pub arguments: Vec<(String, String)>,
    /// An example expression, or an example query for a table function. podtrail's own expressions evaluate to true,
    /// and its queries run on any lake.
    pub example: String,
    /// Whether it is podtrail's own or a JSON function; the others belong to DataFusion.
    pub is_ours: bool,
}

/// A table function: a query with placeholders.
struct TableQuery {
    name: &'static str,
    syntax: &'static str,
    example: &'static str,
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
        syntax: "timeline('identity, address or object')",
        example: "SELECT time, verb, resource, name, outcome FROM timeline('mallory@example.com') ORDER BY time",
        arguments: &[(Argument::Text, None)],
        sql: include_str!("../table_functions/timeline.sql"),
    },
    TableQuery {
        name: "diff",
        syntax: "diff('object')",
        example: "SELECT time, username, change, before, after FROM diff('checkout/checkout-api') ORDER BY time",
        arguments: &[(Argument::Text, None)],
        sql: include_str!("../table_functions/diff.sql"),
    },
    TableQuery {
        name: "lineage",
        syntax: "lineage('object')",
        example: "SELECT time, object, username, author FROM lineage('daemonsets/kube-system/node-agent') ORDER BY time",
        arguments: &[(Argument::Text, None)],
        sql: include_str!("../table_functions/lineage.sql"),
    },
    TableQuery {
        name: "sessions",
        syntax: "sessions('identity', INTERVAL '30 minutes')",
        example: "SELECT username, started, ended, requests FROM sessions('*@example.com', INTERVAL '1 hour')",
        arguments: &[(Argument::Text, None), (Argument::Interval, Some("30 minutes"))],
        sql: include_str!("../table_functions/sessions.sql"),
    },
];

impl Session {
    /// Adds the table functions that `statement` calls: planning them takes time that other statements save.
    pub(super) async fn add_table_functions(&self, statement: &Statement) -> Result<()> {
        let state = self.context.state();
        let tables = state.resolve_table_references(statement)?;
        for query in TABLE_QUERIES {
            let is_called = tables.iter().any(|table| table.table() == query.name);
            if is_called && !state.table_functions().contains_key(query.name) {
                let plan = state.create_logical_plan(query.sql).await?;
                let (syntax, arguments) = (query.syntax, query.arguments);
                let function = TableQueryFunction { syntax, arguments, plan };
                self.context.register_udtf(query.name, Arc::new(function));
            }
        }
        Ok(())
    }

    /// Returns the names of the table functions.
    pub fn table_functions(&self) -> Vec<String> {
        let state = self.context.state();
        let ours = TABLE_QUERIES.iter().map(|query| query.name.to_owned());
        let mut names: Vec<_> = state.table_functions().keys().cloned().chain(ours).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Returns every function, podtrail's own first, ordered by name.
    pub fn functions(&self) -> Vec<FunctionDoc> {
        let state = self.context.state();
        let mut ours: Vec<_> =
            functions().iter().map(|function| function.name().to_owned()).collect();
        ours.extend(WINDOW_FUNCTIONS.iter().map(|&name| name.to_owned()));
        let scalar = state.scalar_functions().iter().map(|(name, f)| (name, f.documentation()));
        let aggregate =
            state.aggregate_functions().iter().map(|(name, f)| (name, f.documentation()));
        let window = state.window_functions().iter().map(|(name, f)| (name, f.documentation()));
        let engine = scalar.chain(aggregate).chain(window).filter_map(|(name, documentation)| {
            let Documentation { description, syntax_example, sql_example, arguments, .. } =
                documentation?;
            Some(FunctionDoc {
                name: name.clone(),
                syntax: syntax_example.clone(),
                description: description.clone(),
                arguments: arguments.clone().unwrap_or_default(),
                example: sql_example.clone().unwrap_or_default(),
                is_ours: ours.contains(name),
            })
        });
        let tables = TABLE_QUERIES.iter().map(|query| FunctionDoc {
            name: query.name.to_owned(),
            syntax: query.syntax.to_owned(),
            description: crate::views::comment(query.sql),
            arguments: Vec::new(),
            example: query.example.to_owned(),
            is_ours: true,
        });
        let added = ADDED.iter().map(|added| FunctionDoc {
            name: added.syntax.split_once('(').map_or(added.syntax, |(name, _)| name).to_owned(),
            syntax: added.syntax.to_owned(),
            description: added.description.to_owned(),
            arguments: Vec::new(),
            example: added.example.to_owned(),
            is_ours: true,
        });
        // If two functions have the same name, the first is kept.
        let mut all: Vec<_> = tables.chain(added).chain(engine).collect();
        let mut known = HashSet::new();
        all.retain(|function| known.insert(function.name.clone()));
        all.sort_by(|a, b| b.is_ours.cmp(&a.is_ours).then_with(|| a.name.cmp(&b.name)));
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
            return plan_err!("too many arguments; syntax: {}", self.syntax);
        }
        let mut values = Vec::with_capacity(self.arguments.len());
        for (position, (argument, default)) in self.arguments.iter().enumerate() {
            let value = match (given.get(position), default) {
                (Some(Expr::Literal(value, _)), _) => value.clone(),
                (Some(_), _) => {
                    return plan_err!(
                        "arguments are constants, and strings have single quotes: {}",
                        self.syntax
                    );
                }
                (None, Some(default)) => ScalarValue::from(*default),
                (None, None) => return plan_err!("missing argument; syntax: {}", self.syntax),
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
