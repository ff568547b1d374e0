//! Views that are planned when a query first names them, over tables that are opened then: planning all views, or
//! reading the log of a large table, takes longer than many queries.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use datafusion::catalog::{
    CatalogProvider, MemoryCatalogProvider, MemoryCatalogProviderList, MemorySchemaProvider,
    SchemaProvider, TableProvider,
};
use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::prelude::Expr;
use tokio::sync::OnceCell;

use crate::cached::{Cache, CachedView};

/// How the rows of a view are provided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only other views read it.
    Hidden,
    /// It is expanded in each query.
    Inlined,
    /// Its rows are cached in memory, if the session has a cache.
    Kept,
    /// Its rows are cached, separately for each activity.
    KeptByActivity,
}

impl Kind {
    /// Returns the table of a view with these rows, in a session that caches rows if it has a cache.
    pub(super) fn table(
        self,
        rows: DataFrame,
        cache: Option<&Arc<Cache>>,
    ) -> Arc<dyn TableProvider> {
        match (cache.cloned(), self) {
            (Some(cache), Self::Kept) => {
                Arc::new(CachedView::whole(cache, rows.into_unoptimized_plan()))
            }
            (Some(cache), Self::KeptByActivity) => {
                Arc::new(CachedView::by_activity(cache, rows.into_unoptimized_plan()))
            }
            _ => rows.into_view(),
        }
    }
}

/// The views of a session, and the tables that they read.
pub(super) struct LazyViews {
    tables: Arc<dyn SchemaProvider>,
    views: HashMap<String, View>,
    cache: Option<Arc<Cache>>,
    /// Plans with all the views, including the hidden ones.
    planner: OnceLock<SessionState>,
}

struct View {
    rows: Rows,
    kind: Kind,
    table: OnceCell<Arc<dyn TableProvider>>,
}

/// The source of the rows of a view.
pub(super) enum Rows {
    /// A query over other views.
    Query(String),
    /// The rows of a table that match a predicate, or all.
    Table { name: &'static str, predicate: Option<Expr> },
}

impl LazyViews {
    /// Creates an empty set of views over tables that queries cannot name.
    pub(super) fn over(tables: Arc<dyn SchemaProvider>, cache: Option<Arc<Cache>>) -> Self {
        Self { tables, views: HashMap::new(), cache, planner: OnceLock::new() }
    }

    /// Adds a view.
    pub(super) fn add(&mut self, name: String, rows: Rows, kind: Kind) {
        self.views.insert(name, View { rows, kind, table: OnceCell::new() });
    }

    /// Makes these views visible in the default schema of `state`, next to what is registered there later.
    pub(super) fn show_in(self, state: &SessionState) -> Result<()> {
        let names = state.config_options().catalog.clone();
        let views = Arc::new(self);
        let planner = SessionStateBuilder::new_from_existing(state.clone())
            .with_catalog_list(Arc::new(MemoryCatalogProviderList::new()))
            .build();
        let catalog = MemoryCatalogProvider::new();
        catalog.register_schema(&names.default_schema, Arc::new(All(Arc::downgrade(&views))))?;
        planner.catalog_list().register_catalog(names.default_catalog.clone(), Arc::new(catalog));
        views.planner.get_or_init(|| planner);

        let Some(catalog) = state.catalog_list().catalog(&names.default_catalog) else {
            return exec_err!("unknown catalog {}", names.default_catalog);
        };
        let visible = Visible { views, registered: MemorySchemaProvider::new() };
        catalog.register_schema(&names.default_schema, Arc::new(visible))?;
        Ok(())
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(view) = self.views.get(name) else { return Ok(None) };
        Ok(Some(view.table.get_or_try_init(|| self.plan(view)).await?.clone()))
    }

    async fn plan(&self, view: &View) -> Result<Arc<dyn TableProvider>> {
        let Some(planner) = self.planner.get() else {
            return exec_err!("these views are not registered yet");
        };
        let plan = match &view.rows {
            Rows::Query(sql) => planner.create_logical_plan(sql).await?,
            Rows::Table { name, predicate } => {
                let Some(table) = self.tables.table(name).await? else {
                    return exec_err!("unknown table {name}");
                };
                let rows = LogicalPlanBuilder::scan(*name, provider_as_source(table), None)?;
                match predicate {
                    Some(predicate) => rows.filter(predicate.clone())?.build()?,
                    None => rows.build()?,
                }
            }
        };
        let rows = DataFrame::new(planner.clone(), plan);
        Ok(view.kind.table(rows, self.cache.as_ref()))
    }

    fn visible(&self, name: &str) -> Option<&View> {
        self.views.get(name).filter(|view| view.kind != Kind::Hidden)
    }
}

impl fmt::Debug for LazyViews {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.views.keys()).finish()
    }
}

/// All views. A weak reference, because the views own the planner.
#[derive(Debug)]
struct All(Weak<LazyViews>);

#[async_trait]
impl SchemaProvider for All {
    fn table_names(&self) -> Vec<String> {
        self.0.upgrade().map_or_else(Vec::new, |views| views.views.keys().cloned().collect())
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        match self.0.upgrade() {
            Some(views) => views.table(name).await,
            None => Ok(None),
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        self.0.upgrade().is_some_and(|views| views.views.contains_key(name))
    }
}

/// The views that a query may name, and tables registered next to them.
#[derive(Debug)]
struct Visible {
    views: Arc<LazyViews>,
    registered: MemorySchemaProvider,
}

#[async_trait]
impl SchemaProvider for Visible {
    fn table_names(&self) -> Vec<String> {
        let mut names = self.registered.table_names();
        let views = self.views.views.iter().filter(|(_, view)| view.kind != Kind::Hidden);
        names.extend(views.map(|(name, _)| name.clone()));
        names.sort();
        names.dedup();
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        match self.registered.table(name).await? {
            Some(table) => Ok(Some(table)),
            None if self.views.visible(name).is_some() => self.views.table(name).await,
            None => Ok(None),
        }
    }

    fn register_table(
        &self,
        name: String,
        table: Arc<dyn TableProvider>,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        self.registered.register_table(name, table)
    }

    fn deregister_table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        self.registered.deregister_table(name)
    }

    fn table_exist(&self, name: &str) -> bool {
        self.registered.table_exist(name) || self.views.visible(name).is_some()
    }
}
