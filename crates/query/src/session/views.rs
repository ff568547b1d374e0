//! Views that are planned when a query first names them, over tables that are opened then: planning all views, or
//! reading the log of a large table, takes longer than many queries.
//!
//! Views form layers: the views of a lake, and over them those of a pack of detections. A view names others in plain
//! SQL; the same SQL is also planned for another period, with their names replaced.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use datafusion::catalog::{
    CatalogProvider, MemoryCatalogProvider, MemoryCatalogProviderList, MemorySchemaProvider,
    SchemaProvider, TableProvider,
};
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, exec_err};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::sqlparser::ast::{
    ObjectNamePart, Query, TableAlias, TableFactor, Visit, VisitMut, Visitor, VisitorMut,
};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::Expr;
use datafusion::sql::parser::Statement;
use tokio::sync::OnceCell;

use super::bounds;
use crate::cached_views::{Cache, CachedView, is_selection};
use crate::error::QueryError;
use crate::last_stages::LastStages;

/// The table of [`Rows::LastStages`].
const EVENTS: &str = "events";

/// How the rows of a view are provided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only other views of the layer read it.
    Hidden,
    /// It is expanded in each query.
    Inlined,
    /// Its rows are cached in memory, if the session has a cache.
    Kept,
    /// Its rows are cached, separately for each activity.
    KeptByActivity,
}

impl Kind {
    fn table(
        self,
        name: &str,
        rows: DataFrame,
        cache: Option<&Arc<Cache>>,
    ) -> Result<Arc<dyn TableProvider>> {
        Ok(match (cache.cloned(), self) {
            (Some(_), Self::Kept) if is_selection(rows.logical_plan())? => rows.into_view(),
            (Some(cache), Self::Kept) => {
                Arc::new(CachedView::whole(cache, name, rows.into_unoptimized_plan())?)
            }
            (Some(cache), Self::KeptByActivity) => {
                Arc::new(CachedView::by_activity(cache, name, rows.into_unoptimized_plan())?)
            }
            _ => rows.into_view(),
        })
    }
}

/// The source of the rows of a view.
pub(super) enum Rows {
    /// A query, with the names that replace those of the views in it.
    Query { sql: String, names: BTreeMap<String, String> },
    /// The rows of a table below the views that match a predicate, or all.
    Table { name: &'static str, predicate: Option<Expr> },
    /// The last stages of requests in the table of events, likewise.
    LastStages { predicate: Option<Expr> },
}

/// The views of a layer, and the tables that they read.
pub(super) struct Views {
    views: HashMap<String, View>,
    /// What views name besides those of their layer.
    outer: Option<Arc<dyn SchemaProvider>>,
    /// The tables of [`Rows::Table`], which queries cannot name.
    tables: Arc<dyn SchemaProvider>,
    cache: Option<Arc<Cache>>,
    /// Plans with all the views, including the hidden ones.
    planner: OnceLock<SessionState>,
}

struct View {
    rows: Rows,
    kind: Kind,
    table: OnceCell<Arc<dyn TableProvider>>,
}

impl Views {
    /// Creates a layer without views over tables that queries cannot name.
    pub(super) fn over_tables(tables: Arc<dyn SchemaProvider>, cache: Option<Arc<Cache>>) -> Self {
        Self { tables, outer: None, views: HashMap::new(), cache, planner: OnceLock::new() }
    }

    /// Creates a layer without views, over all that queries can name in `outer`.
    pub(super) fn over(outer: Arc<dyn SchemaProvider>, cache: Option<Arc<Cache>>) -> Self {
        let tables = Arc::new(MemorySchemaProvider::new());
        Self { tables, outer: Some(outer), views: HashMap::new(), cache, planner: OnceLock::new() }
    }

    /// Adds a view.
    pub(super) fn add(&mut self, name: String, rows: Rows, kind: Kind) {
        self.views.insert(name, View { rows, kind, table: OnceCell::new() });
    }

    /// Returns what queries can name: the visible views, and below them the outer tables. `state` plans the views.
    pub(super) fn into_schema(self, state: &SessionState) -> Result<Arc<dyn SchemaProvider>> {
        let views = Arc::new(self);
        let planner = with_schema(state, Arc::new(All(Arc::downgrade(&views))))?;
        views.planner.get_or_init(|| planner);
        let below = views.outer.clone();
        Ok(Arc::new(Layer { views: Some(views), tables: MemorySchemaProvider::new(), below }))
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match (self.views.get(name), &self.outer) {
            (Some(view), _) => {
                Ok(Some(view.table.get_or_try_init(|| self.plan(name, view)).await?.clone()))
            }
            (None, Some(outer)) => outer.table(name).await,
            (None, None) => Ok(None),
        }
    }

    async fn plan(&self, name: &str, view: &View) -> Result<Arc<dyn TableProvider>> {
        let Some(planner) = self.planner.get() else {
            return exec_err!("these views are not registered yet");
        };
        let plan = match &view.rows {
            Rows::Query { sql, names } => {
                let dialect = planner.config_options().sql_parser.dialect;
                let mut statement = planner.sql_to_statement(sql, &dialect)?;
                rename(&mut statement, names);
                planner.statement_to_plan(statement).await?
            }
            Rows::Table { name: table, predicate } => {
                rows_of(table, self.below(table).await?, predicate.as_ref())?
            }
            Rows::LastStages { predicate } => {
                let table = LastStages::over(self.below(EVENTS).await?);
                rows_of(EVENTS, Arc::new(table), predicate.as_ref())?
            }
        };
        let rows = DataFrame::new(planner.clone(), plan);
        view.kind.table(name, rows, self.cache.as_ref())
    }

    async fn below(&self, name: &str) -> Result<Arc<dyn TableProvider>> {
        let table = self.tables.table(name).await?;
        table.ok_or_else(|| exec_datafusion_err!("unknown table {name}"))
    }

    fn visible(&self, name: &str) -> Option<&View> {
        self.views.get(name).filter(|view| view.kind != Kind::Hidden)
    }
}

impl fmt::Debug for Views {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.views.keys()).finish()
    }
}

/// Returns the rows of a table that match a predicate, or all.
fn rows_of(
    name: &str,
    table: Arc<dyn TableProvider>,
    predicate: Option<&Expr>,
) -> Result<LogicalPlan> {
    let rows = LogicalPlanBuilder::scan(name, provider_as_source(table), None)?;
    match predicate {
        Some(predicate) => rows.filter(predicate.clone())?.build(),
        None => rows.build(),
    }
}

/// Returns a copy of `state` in which unqualified names are those of `schema`.
pub(super) fn with_schema(
    state: &SessionState,
    schema: Arc<dyn SchemaProvider>,
) -> Result<SessionState> {
    let names = state.config_options().catalog.clone();
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema(&names.default_schema, schema)?;
    let state = SessionStateBuilder::new_from_existing(state.clone())
        .with_catalog_list(Arc::new(MemoryCatalogProviderList::new()))
        .build();
    state.catalog_list().register_catalog(names.default_catalog, Arc::new(catalog));
    Ok(state)
}

/// All views of a layer. A weak reference, because the views own the planner.
#[derive(Debug)]
struct All(Weak<Views>);

#[async_trait]
impl SchemaProvider for All {
    fn table_names(&self) -> Vec<String> {
        let views = self.0.upgrade();
        let outer = views.as_ref().and_then(|views| views.outer.as_ref());
        let mut names = outer.map_or_else(Vec::new, |outer| outer.table_names());
        names.extend(views.iter().flat_map(|views| views.views.keys().cloned()));
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        match self.0.upgrade() {
            Some(views) => views.table(name).await,
            None => Ok(None),
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        self.0.upgrade().is_some_and(|views| {
            let is_outer = || views.outer.as_ref().is_some_and(|outer| outer.table_exist(name));
            views.views.contains_key(name) || is_outer()
        })
    }
}

/// What queries can name: tables and views over those of the layer below.
#[derive(Debug)]
pub(super) struct Layer {
    views: Option<Arc<Views>>,
    tables: MemorySchemaProvider,
    below: Option<Arc<dyn SchemaProvider>>,
}

impl Layer {
    /// Returns a layer without tables.
    pub(super) fn over(below: Arc<dyn SchemaProvider>) -> Self {
        Self { views: None, tables: MemorySchemaProvider::new(), below: Some(below) }
    }
}

#[async_trait]
impl SchemaProvider for Layer {
    fn table_names(&self) -> Vec<String> {
        let mut names = self.tables.table_names();
        let views = self.views.iter().flat_map(|views| &views.views);
        let visible = views.filter(|(_, view)| view.kind != Kind::Hidden);
        names.extend(visible.map(|(name, _)| name.clone()));
        names.extend(self.below.iter().flat_map(|below| below.table_names()));
        names.sort();
        names.dedup();
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        if let Some(table) = self.tables.table(name).await? {
            return Ok(Some(table));
        }
        match (&self.views, &self.below) {
            (Some(views), _) if views.visible(name).is_some() => views.table(name).await,
            (_, Some(below)) => below.table(name).await,
            (_, None) => Ok(None),
        }
    }

    fn register_table(
        &self,
        name: String,
        table: Arc<dyn TableProvider>,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        self.tables.register_table(name, table)
    }

    fn deregister_table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        self.tables.deregister_table(name)
    }

    fn table_exist(&self, name: &str) -> bool {
        self.tables.table_exist(name)
            || self.views.as_ref().is_some_and(|views| views.visible(name).is_some())
            || self.below.as_ref().is_some_and(|below| below.table_exist(name))
    }
}

/// Returns the names of the tables and views that the query of each view reads.
///
/// # Errors
/// If a query is not one statement, or views read each other in a circle.
pub(super) fn references(
    state: &SessionState,
    views: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, BTreeSet<String>>, QueryError> {
    let mut references = BTreeMap::new();
    for (name, sql) in views {
        let statements = bounds::parse(sql)?;
        let [statement] = statements.as_slice() else {
            return Err(QueryError::Syntax(format!("view '{name}' is not one query")));
        };
        let tables = state.resolve_table_references(statement).map_err(QueryError::of)?;
        let tables = tables.iter().map(|table| table.table().to_owned());
        references.insert(name.clone(), tables.collect::<BTreeSet<_>>());
    }
    // Views that read only others without a circle are removed until none remains.
    let mut open: BTreeSet<&String> = references.keys().collect();
    loop {
        let reads_open = |name: &String| references[name].iter().any(|read| open.contains(read));
        let remaining: BTreeSet<_> = open.iter().copied().filter(|name| reads_open(name)).collect();
        if remaining.is_empty() {
            return Ok(references);
        }
        if remaining.len() == open.len() {
            return Err(QueryError::CircularViews(remaining.into_iter().cloned().collect()));
        }
        open = remaining;
    }
}

/// Replaces the names of tables and views in a statement. A replaced name remains usable for its columns.
fn rename(statement: &mut Statement, names: &BTreeMap<String, String>) {
    let mut replace = Replace { names, of_with: names_of_with(statement) };
    if let Statement::Statement(sql) = statement {
        let _ = sql.visit(&mut replace);
    }
}

struct Replace<'n> {
    names: &'n BTreeMap<String, String>,
    of_with: Vec<String>,
}

impl VisitorMut for Replace<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, alias, args: None, .. } = table
            && let [ObjectNamePart::Identifier(name)] = name.0.as_mut_slice()
            && !self.of_with.contains(&name.value)
            && let Some(new) = self.names.get(&name.value)
        {
            let old = std::mem::replace(&mut name.value, new.clone());
            alias.get_or_insert_with(|| TableAlias {
                explicit: true,
                name: old.as_str().into(),
                columns: Vec::new(),
                at: None,
            });
        }
        ControlFlow::Continue(())
    }
}

/// Returns the names that the queries of WITH have in a statement.
pub(super) fn names_of_with(statement: &Statement) -> Vec<String> {
    struct Names(Vec<String>);
    impl Visitor for Names {
        type Break = ();

        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            let tables = query.with.iter().flat_map(|with| &with.cte_tables);
            self.0.extend(tables.map(|table| table.alias.name.value.clone()));
            ControlFlow::Continue(())
        }
    }
    let mut statement = statement;
    while let Statement::Explain(explain) = statement {
        statement = &explain.statement;
    }
    let mut names = Names(Vec::new());
    if let Statement::Statement(statement) = statement {
        let _ = statement.visit(&mut names);
    }
    names.0
}
