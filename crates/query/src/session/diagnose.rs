//! What a wrong statement may have meant.

use datafusion::common::SchemaError;
use datafusion::common::TableReference;
use datafusion::error::DataFusionError;
use datafusion::sql::parser::Statement;

use super::Session;
use crate::error::QueryError;

impl Session {
    /// The error of planning `statement`, with names that are like those it does not know.
    pub(super) fn diagnose(&self, error: DataFusionError, statement: &Statement) -> QueryError {
        if let DataFusionError::SchemaError(schema_error, _) = error.find_root()
            && let SchemaError::FieldNotFound { field, valid_fields } = schema_error.as_ref()
        {
            let names = valid_fields.iter().map(|field| field.name.clone());
            // Names in the table that was named come first.
            let of_table = valid_fields.iter().filter(|valid| valid.relation == field.relation);
            let nearest = match nearest(&field.name, of_table.map(|valid| valid.name.clone())) {
                none if none.is_empty() => nearest(&field.name, names),
                nearest => nearest,
            };
            return QueryError::UnknownColumn { name: field.flat_name(), nearest };
        }
        let tables = self.context.state().resolve_table_references(statement).unwrap_or_default();
        let functions = self.table_functions();
        // A table function stands where a table can.
        let is_known = |table: &TableReference| {
            self.context.table_exist(table.clone()).unwrap_or(false)
                || functions.iter().any(|function| function == table.table())
        };
        if let Some(table) = tables.iter().find(|table| !is_known(table)) {
            return self.unknown_table(&table.to_string());
        }
        match advice(&error) {
            Some(advice) => QueryError::Syntax(advice.to_owned()),
            None => QueryError::of(error),
        }
    }

    /// There is no table of this name.
    pub(super) fn unknown_table(&self, name: &str) -> QueryError {
        let names = self.table_names().into_iter().chain(self.table_functions());
        QueryError::UnknownTable { nearest: nearest(name, names), name: name.to_owned() }
    }
}

/// Up to three of these names that are like `name`, the most like first.
pub(crate) fn nearest(name: &str, names: impl Iterator<Item = String>) -> Vec<String> {
    /// Below it names are alike by chance only.
    const ALIKE: f64 = 0.75;
    const SHOWN: usize = 3;
    /// Comparing takes the time and memory of one length times the other.
    const LONGEST: usize = 256;
    if name.len() > LONGEST {
        return Vec::new();
    }
    let name = name.to_lowercase();
    let mut alike: Vec<_> = names
        .map(|other| {
            (strsim::damerau_levenshtein(&name, &other), strsim::jaro_winkler(&name, &other), other)
        })
        .filter(|(edits, likeness, _)| *likeness > ALIKE && *edits <= name.len().div_ceil(3).max(2))
        .collect();
    alike.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
    alike.dedup_by(|a, b| a.2 == b.2);
    alike.into_iter().take(SHOWN).map(|(_, _, name)| name).collect()
}

/// What to write instead, where the engine reports only that it cannot do something.
fn advice(error: &DataFusionError) -> Option<&'static str> {
    let message = error.find_root().message().into_owned();
    if message.contains("Unsupported SQL type JSON") {
        return Some(
            "there is no type JSON: ->, ->>, #> and json_get read JSON text as it is, without a cast",
        );
    }
    if message.contains("Dot access not supported") {
        return Some(
            "a name after a bracket and a dot is not supported: column['member'] gives a member of a struct, \
             json -> 'member' and json_get that of JSON text",
        );
    }
    None
}
