//! The ids of events by cluster: the same event may be in the logs of several.

use std::collections::{HashMap, HashSet};

use podtrail_query::{QueryError, Session};
use serde::Deserialize;

/// Event ids by the name of their cluster.
pub(crate) type EventIds = HashMap<Option<String>, HashSet<String>>;

#[derive(Deserialize)]
struct EventId {
    cluster: Option<String>,
    event_id: String,
}

/// Returns the ids that a query with the columns `cluster` and `event_id` returns.
pub(crate) async fn event_ids(session: &Session, sql: &str) -> Result<EventIds, QueryError> {
    let mut ids = EventIds::new();
    for EventId { cluster, event_id } in session.sql(sql).await?.rows().await? {
        ids.entry(cluster).or_default().insert(event_id);
    }
    Ok(ids)
}
