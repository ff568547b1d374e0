//! Writes whose response does not show whether they took effect, and what later events show about them.

use std::collections::HashMap;

use arrow::compute::concat_batches;
use podtrail_query::{QueryError, Session};
use serde::Deserialize;

use crate::evidence::Uncertainty;

/// The table with the uncertain writes, for the queries of this module.
const WRITES: &str = "uncertain_writes";

const WRITES_SQL: &str = "
SELECT
  recorded.cluster, recorded.event_id, time, verb, api_group, resource, namespace, name,
  workload['kind'] AS kind,
  coalesce(CAST(status_code AS VARCHAR), stage) AS answer
FROM (SELECT * FROM stages UNION ALL SELECT * FROM stages_history) AS recorded
WHERE recorded.event_id IN (SELECT event_id FROM evidence_ids) AND outcome_uncertain";

/// An object exists if it is read, bound, run, changed or deleted, or owns what a controller creates. It did not
/// exist if another create of its name succeeds first, or if it is not found.
const LATER_SQL: &str = "
WITH seen AS (
  SELECT
    written.cluster, written.event_id, later.time,
    concat(later.verb, ' ', concat_ws('/', later.resource, later.subresource), ' by ', later.username) AS shown_by,
    CASE
      WHEN later.verb = 'create' AND later.subresource IS NULL THEN written.verb <> 'create'
      WHEN later.status_code = 404 THEN written.verb <> 'create'
      ELSE written.verb = 'create'
    END AS carried_out
  FROM uncertain_writes AS written
  JOIN events AS later
    ON later.cluster = written.cluster
    AND later.resource = written.resource
    AND later.name = written.name
    AND (later.api_group IS NOT DISTINCT FROM written.api_group)
    AND (later.namespace IS NOT DISTINCT FROM written.namespace)
  WHERE written.verb IN ('create', 'delete') AND later.time >= written.time AND later.event_id <> written.event_id
    AND (later.outcome = 'allowed' AND NOT coalesce(later.outcome_uncertain, false) OR later.status_code = 404)
  UNION ALL
  SELECT
    written.cluster, written.event_id, later.time,
    concat(later.verb, ' ', later.resource, ' by ', later.username) AS shown_by,
    true AS carried_out
  FROM uncertain_writes AS written
  JOIN events AS later
    ON later.cluster = written.cluster
    AND later.workload['owner']['kind'] = written.kind
    AND later.workload['owner']['name'] = written.name
    AND (later.namespace IS NOT DISTINCT FROM written.namespace)
  WHERE written.verb = 'create' AND later.activity = 'workload' AND later.identity_kind = 'controller'
    AND later.outcome = 'allowed' AND NOT coalesce(later.outcome_uncertain, false) AND later.time >= written.time
),
firsts AS (
  SELECT *, row_number() OVER (PARTITION BY cluster, event_id ORDER BY time, shown_by) AS nth FROM seen
)
SELECT written.cluster, written.event_id, answer, carried_out, shown_by
FROM uncertain_writes AS written
LEFT JOIN firsts ON firsts.cluster = written.cluster AND firsts.event_id = written.event_id AND nth = 1";

/// A row of [`LATER_SQL`].
#[derive(Deserialize)]
struct UncertainWrite {
    cluster: Option<String>,
    event_id: String,
    answer: Option<String>,
    carried_out: Option<bool>,
    shown_by: Option<String>,
}

/// Returns what is known about the uncertain writes whose ids are in the table `evidence_ids`, by cluster and id.
pub(crate) async fn uncertain(
    session: &Session,
) -> Result<HashMap<(Option<String>, String), Uncertainty>, QueryError> {
    // As a table, whose size is known: a join with all events must keep these in memory, not the events.
    let writes = session.sql(WRITES_SQL).await?;
    let schema = writes.schema();
    let writes = concat_batches(&schema, &writes.collect().await?);
    let session =
        session.with_rows(WRITES, writes.map_err(|error| QueryError::Sql(error.into()))?)?;
    let writes: Vec<UncertainWrite> = session.sql(LATER_SQL).await?.rows().await?;
    let known = writes.into_iter().map(
        |UncertainWrite { cluster, event_id, answer, carried_out, shown_by }| {
            let answer = answer.unwrap_or_default();
            ((cluster, event_id), Uncertainty { answer, carried_out, shown_by })
        },
    );
    Ok(known.collect())
}
