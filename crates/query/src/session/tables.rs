//! The documentation of a session's tables.

use podtrail_event::sql_type;

use super::Session;
use crate::error::QueryError;
use crate::views::{self, ViewColumns};

/// A table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDoc {
    /// The name.
    pub name: String,
    /// What one row is, in Markdown; empty for tables added to the session.
    pub description: String,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDoc {
    /// The name.
    pub name: String,
    /// The SQL type.
    pub sql_type: String,
    /// What it contains, in Markdown; empty for tables added to the session.
    pub description: String,
}

impl Session {
    pub(super) fn table_names(&self) -> Vec<String> {
        let catalogs = self.context.catalog_names();
        let catalogs = catalogs.iter().filter_map(|name| self.context.catalog(name));
        let schemas = catalogs.flat_map(|catalog| {
            let names = catalog.schema_names();
            names.into_iter().filter_map(move |name| catalog.schema(&name)).collect::<Vec<_>>()
        });
        let mut names: Vec<_> = schemas.flat_map(|schema| schema.table_names()).collect();
        names.sort();
        names
    }

    /// Returns the tables and views, ordered by name. The variant `…_history` of each view is left out.
    pub fn tables(&self) -> Vec<TableDoc> {
        let names = self.table_names().into_iter().filter(|name| !name.ends_with("_history"));
        let tables = names.map(|name| TableDoc { description: views::description(&name), name });
        tables.collect()
    }

    /// Returns the columns of a table or view.
    ///
    /// # Errors
    /// If the table is unknown.
    pub async fn columns(&self, table: &str) -> Result<Vec<ColumnDoc>, QueryError> {
        if !self.context.table_exist(table).map_err(QueryError::of)? {
            return Err(self.unknown_table(table, Vec::new()));
        }
        let schema = self.context.table_provider(table).await.map_err(QueryError::of)?.schema();
        let view = table.strip_suffix("_history").unwrap_or(table);
        let known = ViewColumns::new();
        let columns = schema.fields().iter().map(|field| ColumnDoc {
            name: field.name().clone(),
            sql_type: sql_type(field.data_type()),
            description: known.description(view, field.name()),
        });
        Ok(columns.collect())
    }
}
