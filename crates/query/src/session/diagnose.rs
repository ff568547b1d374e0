//! Suggestions for wrong statements.

use datafusion::common::{Column, SchemaError, TableReference};
use datafusion::error::DataFusionError;
use datafusion::sql::parser::Statement;

use super::Session;
use super::views::names_of_with;
use crate::error::QueryError;
use crate::nearest::{SHOWN, nearest};
use crate::views::VIEW_NAMES;

impl Session {
    /// Returns the error of planning `statement`, with similar names for unknown ones.
    pub(super) async fn diagnose(
        &self,
        error: DataFusionError,
        statement: &Statement,
    ) -> QueryError {
        if let DataFusionError::SchemaError(schema_error, _) = error.find_root()
            && let SchemaError::FieldNotFound { field, valid_fields } = schema_error.as_ref()
        {
            return QueryError::UnknownColumn {
                name: field.flat_name(),
                nearest: nearest_columns(field, valid_fields),
                views: self.views_with(&field.name).await,
                is_quoted: statement.to_string().contains(&format!("\"{}\"", field.name)),
            };
        }
        let tables = self.context.state().resolve_table_references(statement).unwrap_or_default();
        let functions = self.table_functions();
        // A table function may be used in place of a table.
        let is_known = |table: &TableReference| {
            self.context.table_exist(table.clone()).unwrap_or(false)
                || functions.iter().any(|function| function == table.table())
        };
        if let Some(function) = functions.iter().find(|function| {
            let without_arguments = format!(".{function}' not found");
            error.find_root().message().ends_with(&without_arguments)
        }) {
            let documentation = self.functions().into_iter().find(|known| known.name == *function);
            let syntax =
                documentation.map_or_else(|| format!("{function}(…)"), |known| known.syntax);
            return QueryError::Syntax(format!("{function} requires arguments: {syntax}"));
        }
        if let Some(table) = tables.iter().find(|table| !is_known(table)) {
            return self.unknown_table(&table.to_string(), names_of_with(statement));
        }
        let message = error.find_root().message().into_owned();
        if let Some(name) = quoted(&message, "Invalid function '") {
            return self.unknown_function(name);
        }
        QueryError::of(error)
    }

    /// Returns views with a column of this name, in the order of the documentation.
    async fn views_with(&self, column: &str) -> Vec<String> {
        let mut views = Vec::new();
        for view in VIEW_NAMES {
            // A view that cannot be planned is not a suggestion.
            let columns = self.columns(view).await.unwrap_or_default();
            if columns.iter().any(|known| known.name == column) {
                views.push((*view).to_owned());
            }
        }
        // The base of all other views has nearly every column.
        if views.len() > SHOWN {
            views.truncate(1);
        }
        views
    }

    /// Returns the error for an unknown table, with suggestions from the tables of the lake and `others`.
    pub(super) fn unknown_table(&self, name: &str, others: Vec<String>) -> QueryError {
        let names = self.table_names().into_iter().chain(self.table_functions()).chain(others);
        QueryError::UnknownTable {
            nearest: nearest(name, names),
            instead: of_postgresql(name),
            name: name.to_owned(),
        }
    }

    fn unknown_function(&self, name: &str) -> QueryError {
        let state = self.context.state();
        let scalar = state.scalar_functions().keys();
        let names = scalar.chain(state.aggregate_functions().keys());
        let names = names.chain(state.window_functions().keys()).cloned();
        QueryError::UnknownFunction {
            nearest: nearest(name, names),
            instead: of_postgresql(name),
            name: name.to_owned(),
        }
    }
}

/// Returns the quoted text after the given beginning of a message.
fn quoted<'a>(message: &'a str, before: &str) -> Option<&'a str> {
    message.strip_prefix(before)?.split_once('\'').map(|(quoted, _)| quoted)
}

/// Returns columns similar to an unknown one, as they can be written in its place.
fn nearest_columns(wrong: &Column, columns: &[Column]) -> Vec<String> {
    let is_of = |column: &Column, table: &str| {
        column.relation.as_ref().is_some_and(|relation| relation.table() == table)
    };
    let Some(relation) = &wrong.relation else {
        return nearest(&wrong.name, columns.iter().map(|column| column.name.clone()));
    };
    // The table is known, and the column is not.
    let of_table = |table: &str, name: &str| {
        let of_table = columns.iter().filter(|column| is_of(column, table));
        nearest(name, of_table.map(|column| column.name.clone()))
    };
    let alike = of_table(relation.table(), &wrong.name);
    if !alike.is_empty() {
        return alike;
    }
    // The table is unknown: its name is wrong, or it is a column followed by one of its fields.
    if !columns.iter().any(|column| is_of(column, relation.table())) {
        let tables = columns.iter().filter_map(|column| column.relation.as_ref());
        let tables = nearest(relation.table(), tables.map(|table| table.table().to_owned()));
        let alike: Vec<_> = tables
            .iter()
            .flat_map(|table| {
                of_table(table, &wrong.name).into_iter().map(move |name| format!("{table}.{name}"))
            })
            .take(SHOWN)
            .collect();
        if !alike.is_empty() {
            return alike;
        }
        let structs = match relation.schema() {
            Some(table) => of_table(table, relation.table()),
            None => nearest(relation.table(), columns.iter().map(|column| column.name.clone())),
        };
        let table = relation.schema().map(|table| format!("{table}.")).unwrap_or_default();
        let members = structs.iter().map(|column| format!("{table}{column}.{}", wrong.name));
        let members: Vec<_> = members.collect();
        if !members.is_empty() {
            return members;
        }
    }
    // It may be a column of another table.
    let nearest = nearest(&wrong.name, columns.iter().map(|column| column.name.clone()));
    let mut of_others: Vec<_> = nearest
        .iter()
        .flat_map(|name| columns.iter().filter(move |column| column.name == *name))
        .map(Column::flat_name)
        .collect();
    of_others.truncate(SHOWN);
    of_others
}

/// Returns the replacement for a PostgreSQL function.
fn of_postgresql(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    let bare = name.strip_prefix("jsonb_").or_else(|| name.strip_prefix("json_"));
    Some(match bare.unwrap_or(&name) {
        "array_elements" | "array_elements_text" => {
            "UNNEST(json_get_array(json, 'name', …)) makes rows of the elements of an array"
        }
        "array_length" => "json_length counts the elements of an array",
        "extract_path" | "extract_path_text" => {
            "json #> '{spec,containers,0}' gives JSON, json #>> '{spec,containers,0}' and json_as_text text"
        }
        "each" | "each_text" | "object_keys" => {
            "UNNEST(json_object_keys(json)) makes rows of the names of an object, json -> name gives each value"
        }
        "path_query" | "path_query_array" | "path_query_first" | "path_exists" | "path_match"
        | "path_exists_opr" | "value" | "query" | "exists" | "extract" | "extract_string" => {
            "json #> '{spec,containers,0}' and json_get(json, 'spec', 'containers', 0) give the value at a path, \
             json_contains tests for one"
        }
        "typeof" | "type" => {
            "the first character of JSON text shows its type: left(json -> 'name', 1) after a cast to text"
        }
        _ => return None,
    })
}
