//! The visible part of a hunt: findings are judged on the whole lake, and shown if they concern the scope.

use std::collections::BTreeSet;

use podtrail_event::Finding;
use podtrail_query::{QueryError, Session};

use crate::run::event_ids::event_ids;
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
    let in_scope = event_ids(&shown, sql).await?;
    let is_shown = |finding: &Finding| {
        let ids = in_scope.get(&finding.cluster);
        ids.is_some_and(|ids| finding.event_ids.iter().any(|id| ids.contains(id)))
    };
    hunt.findings.retain(is_shown);
    hunt.excepted.retain(|excepted| is_shown(&excepted.finding));
    Ok(())
}
