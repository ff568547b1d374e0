//! Statements, and their permissions.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Schema};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::sqlparser::dialect::PostgreSqlDialect;
use datafusion::logical_expr::sqlparser::tokenizer::{Token, Tokenizer};
use datafusion::logical_expr::{self, DdlStatement, LogicalPlan};
use datafusion::prelude::Expr;
use datafusion::sql::parser::Statement as SqlStatement;
use datafusion_functions_json::{JSON_UNION_DATA_TYPE, functions::json_union_to_text};
use podtrail_event::sql_type;

use super::{Query, Session, bounds};
use crate::error::QueryError;
use crate::functions::json::refuse_json_as_text;
use crate::permission::{Permission, Permissions};

/// One SQL statement.
#[derive(Debug, Clone)]
pub struct Statement(SqlStatement);

impl fmt::Display for Statement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A planned statement.
pub enum Planned {
    /// It returns rows.
    Rows(Query),
    /// It sets a variable.
    Set {
        /// The variable, in lower case.
        variable: String,
        /// The value as text.
        value: String,
    },
    /// It resets a variable.
    Reset {
        /// The variable, in lower case.
        variable: String,
    },
}

/// Parses the statements of a text, separated by `;`. Deeply nested brackets may take the parser very long.
///
/// # Errors
/// If one of them is not SQL, or too large.
pub fn parse(sql: &str) -> Result<Vec<Statement>, QueryError> {
    let statements = bounds::parse(sql)?;
    Ok(statements.into_iter().map(Statement).collect())
}

/// Returns whether a text ends with a `;` outside quotes and comments, or contains no statement.
pub fn is_complete(sql: &str) -> bool {
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize() else { return false };
    let last = tokens.iter().rev().find(|token| !matches!(token, Token::Whitespace(_)));
    last.is_none_or(|token| *token == Token::SemiColon)
}

impl Session {
    /// Returns the session with access to files outside the lake as tables: CSV (`FROM 'file.csv'`), Parquet and JSON lines.
    pub fn with_external_files(self) -> Self {
        Self { context: self.context.enable_url_table(), ..self }
    }

    /// Plans one statement. Statements that create a table or view are run, if they are allowed.
    ///
    /// # Errors
    /// If the statement is invalid, or `permissions` do not allow it; nothing is changed then.
    pub async fn plan(
        &self,
        statement: Statement,
        permissions: Permissions,
    ) -> Result<Planned, QueryError> {
        let plan = self.plan_of(statement.0).await?;
        match plan {
            LogicalPlan::Statement(logical_expr::Statement::SetVariable(set)) => {
                return Ok(Planned::Set { variable: set.variable, value: set.value });
            }
            LogicalPlan::Statement(logical_expr::Statement::ResetVariable(reset)) => {
                return Ok(Planned::Reset { variable: reset.variable });
            }
            LogicalPlan::DescribeTable(table) => {
                let rows = self.context.read_batch(members(table.schema.as_ref())?)?;
                return Ok(Planned::Rows(Query::of(rows, self.engine.clone())));
            }
            _ => {}
        }
        check(&plan, permissions)?;
        let rows = self.context.execute_logical_plan(plan).await.map_err(QueryError::of)?;
        Ok(Planned::Rows(Query::of(as_text(rows)?, self.engine.clone())))
    }
}

impl Session {
    /// Returns the plan of a statement, or an error with suggestions.
    pub(super) async fn plan_of(&self, statement: SqlStatement) -> Result<LogicalPlan, QueryError> {
        self.add_table_functions(&statement).await?;
        let plan = self.context.state().statement_to_plan(statement.clone()).await;
        let plan = match plan {
            Ok(plan) => plan,
            Err(error) => return Err(self.diagnose(error, &statement).await),
        };
        refuse_json_as_text(&plan)?;
        Ok(plan)
    }
}

/// Returns the columns of a table with their types, and the members of structs as SQL writes them.
fn members(schema: &Schema) -> Result<RecordBatch, DataFusionError> {
    fn add(name: &str, data_type: &DataType, rows: &mut Vec<[String; 2]>) {
        rows.push([name.to_owned(), sql_type(data_type)]);
        let (name, data_type) = match data_type {
            DataType::List(element) => (format!("{name}[1]"), element.data_type()),
            other => (name.to_owned(), other),
        };
        if let DataType::Struct(fields) = data_type {
            for field in fields {
                add(&format!("{name}['{}']", field.name()), field.data_type(), rows);
            }
        }
    }
    let mut rows = Vec::new();
    for field in schema.fields() {
        add(field.name(), field.data_type(), &mut rows);
    }
    let column = |index: usize| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row[index])))
    };
    Ok(RecordBatch::try_from_iter([("column_name", column(0)), ("data_type", column(1))])?)
}

/// Checks that every part of a plan is allowed.
fn check(plan: &LogicalPlan, permissions: Permissions) -> Result<(), QueryError> {
    let mut refused = None;
    plan.apply_with_subqueries(|node| {
        let (what, needs) = match node {
            LogicalPlan::Ddl(ddl @ DdlStatement::CreateExternalTable(_)) => {
                (sql_name(ddl.name()), Permission::External)
            }
            LogicalPlan::Ddl(ddl) => (sql_name(ddl.name()), Permission::Write),
            LogicalPlan::Dml(dml) => (sql_name(&dml.op.to_string()), Permission::Write),
            LogicalPlan::Copy(_) => ("COPY".to_owned(), Permission::Write),
            LogicalPlan::Statement(statement) => (sql_name(statement.name()), Permission::None),
            _ => return Ok(TreeNodeRecursion::Continue),
        };
        let allowed = match needs {
            Permission::Write => permissions.write,
            Permission::External => permissions.external,
            Permission::None => false,
        };
        if allowed {
            return Ok(TreeNodeRecursion::Continue);
        }
        refused = Some(QueryError::Refused { what, needs });
        Ok(TreeNodeRecursion::Stop)
    })?;
    refused.map_or(Ok(()), Err)
}

/// Returns the SQL keywords of a statement that the engine calls `CreateMemoryTable`, for example.
fn sql_name(engine_name: &str) -> String {
    let mut words = String::new();
    for character in engine_name.chars() {
        if character.is_uppercase() && words.ends_with(|last: char| last != ' ') {
            words.push(' ');
        }
        words.extend(character.to_uppercase());
    }
    words.replace(" MEMORY ", " ")
}

/// Converts every column that `->` or `json_get` returns to JSON text, because no output format supports its type.
fn as_text(rows: DataFrame) -> Result<DataFrame, DataFusionError> {
    let is_json = |index: usize| *rows.schema().field(index).data_type() == *JSON_UNION_DATA_TYPE;
    if !(0..rows.schema().fields().len()).any(is_json) {
        return Ok(rows);
    }
    let columns = rows.schema().columns().into_iter().enumerate().map(|(index, column)| {
        let name = column.name.clone();
        let column = Expr::Column(column);
        if is_json(index) { json_union_to_text(column).alias(name) } else { column }
    });
    let columns: Vec<_> = columns.collect();
    rows.select(columns)
}
