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
            let nearest = nearest(&field.name, names);
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
        QueryError::of(error)
    }

    /// There is no table of this name.
    pub(super) fn unknown_table(&self, name: &str) -> QueryError {
        let names = self.table_names().into_iter().chain(self.table_functions());
        QueryError::UnknownTable { nearest: nearest(name, names), name: name.to_owned() }
    }
}

/// Up to three of these names that are like `name`, the most like first.
fn nearest(name: &str, names: impl Iterator<Item = String>) -> Vec<String> {
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
