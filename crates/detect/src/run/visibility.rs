//! The visible part of a hunt: findings are judged on the whole lake, and shown if they concern the scope.

use std::collections::{BTreeSet, HashSet};

use arrow::array::AsArray;
use podtrail_event::Finding;
use podtrail_query::{QueryError, Session};

use crate::run::hunt::Hunt;

/// Keeps the findings, and the excepted ones, whose evidence has an event in the scope of `shown`: another session
/// over the version of the lake that was hunted in.
///
/// # Errors
/// If the events in scope cannot be read.
pub async fn show_only(hunt: &mut Hunt, shown: &Session) -> Result<(), QueryError> {
    let excepted = hunt.excepted.iter().map(|excepted| &excepted.finding);
    let all = hunt.findings.iter().chain(excepted);
    let ids: BTreeSet<&str> =
        all.flat_map(|finding| &finding.event_ids).map(String::as_str).collect();
    let shown = shown.with_strings("found_events", "event_id", ids)?;
    let sql = "SELECT cluster, event_id FROM stages
        WHERE event_id IN (SELECT event_id FROM found_events)";
    let mut in_scope: HashSet<(Option<String>, String)> = HashSet::new();
    for batch in shown.sql(sql).await?.collect().await? {
        let columns = [0, 1].map(|column| batch.column(column).as_string_opt::<i32>());
        let [Some(clusters), Some(ids)] = columns else { continue };
        let rows = clusters.iter().zip(ids);
        in_scope.extend(
            rows.filter_map(|(cluster, id)| Some((cluster.map(str::to_owned), id?.to_owned()))),
        );
    }
    // The same event may be in the logs of several clusters.
    let is_shown = |finding: &Finding| {
        let mut ids = finding.event_ids.iter();
        ids.any(|id| in_scope.contains(&(finding.cluster.clone(), id.clone())))
    };
    hunt.findings.retain(is_shown);
    hunt.excepted.retain(|excepted| is_shown(&excepted.finding));
    Ok(())
}
