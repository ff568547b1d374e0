//! Finds the stages of requests that a stage of another commit supersedes.

use arrow::array::ArrayRef;
use arrow::compute::concat;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, col};
use datafusion::prelude::{DataFrame, SessionContext};

use crate::log::snapshot::{DataFile, Snapshot};
use crate::maintain::merged_rows::Run;
use crate::read::last_stages::followed;

/// Maximum number of ids, which take about 64 MiB. The other rows stay undecided.
const MAX_IDS: usize = 256 << 10;

/// Returns the ids of rows in `runs` that do not show, but of which the files of the partition show, that a later stage
/// of their request follows; `None` if there are none.
pub(crate) async fn superseded(partition: &Snapshot, runs: &[Run]) -> Result<Option<ArrayRef>> {
    let Some(column) = partition.spec.rare_column else { return Ok(None) };
    let may_be_undecided = |file: &DataFile| {
        let nulls = file.stats.as_ref().and_then(|stats| stats.null_count.get(column)?.as_u64());
        nulls != Some(0)
    };
    let undecided: Vec<&str> = runs
        .iter()
        .flat_map(Run::files)
        .filter(|file| may_be_undecided(file))
        .map(|file| file.path.as_str())
        .collect();
    if undecided.is_empty() {
        return Ok(None);
    }
    let early =
        partition.clone().filtered(|_, at| undecided.contains(&partition.listed().path(at)));
    let id = partition.spec.id_column;
    let plan = followed(&scan(&early)?, &scan(partition)?)?;
    let plan =
        LogicalPlanBuilder::from(plan).project([col(id)])?.limit(0, Some(MAX_IDS))?.build()?;
    let batches = DataFrame::new(SessionContext::new().state(), plan).collect().await?;
    let ids: Vec<_> = batches.iter().map(|batch| batch.column(0).as_ref()).collect();
    if ids.is_empty() { Ok(None) } else { Ok(Some(concat(&ids)?)) }
}

fn scan(snapshot: &Snapshot) -> Result<LogicalPlan> {
    let table = snapshot.provider().map_err(|error| DataFusionError::External(error.into()))?;
    LogicalPlanBuilder::scan(snapshot.spec.name, provider_as_source(table), None)?.build()
}
