//! The traces in the events of findings: what the same intruder can be recognized by in other events.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use podtrail_event::Finding;
use podtrail_event::identity::creates_for_owners;
use podtrail_query::{QueryError, Session};
use serde::Deserialize;

/// The maximum number of events of a finding whose traces are read. Findings with more events are bursts of the same
/// request.
const MAX_EVENTS: usize = 50;

/// The table with the ids of the events to read, for the queries of this module.
const TRACE_IDS: &str = "trace_ids";

const TRACES_SQL: &str = "
SELECT
  recorded.event_id, cluster, time, username, client_ip, token_credential_id, token_pod_name,
  annotations['authentication.kubernetes.io/issued-credential-id'] AS issued_credential_id,
  resource, subresource, namespace, name, outcome, workload['service_account_name'] AS runs_as
FROM (SELECT * FROM stages UNION ALL SELECT * FROM stages_history) AS recorded
WHERE recorded.event_id IN (SELECT event_id FROM trace_ids)";

const SUBJECTS_SQL: &str = "
SELECT bindings.event_id, cluster, subject_kind, subject_name, subject_namespace
FROM bindings
WHERE bindings.event_id IN (SELECT event_id FROM trace_ids) AND outcome = 'allowed' AND subject_name IS NOT NULL";

const AUTHORS_SQL: &str = "
SELECT tree.event_id, tree.cluster, author_username, origin.client_ip
FROM (
  SELECT workload_tree.event_id, cluster, author_username, author_event_id FROM workload_tree
  WHERE made_by_controller AND author_username IS NOT NULL AND workload_tree.event_id IN (SELECT event_id FROM trace_ids)
) AS tree
LEFT JOIN (
  SELECT event_id, cluster, client_ip FROM stages UNION ALL SELECT event_id, cluster, client_ip FROM stages_history
) AS origin ON origin.event_id = author_event_id AND origin.cluster = tree.cluster";

const ADDRESSES_SQL: &str = "
SELECT cluster, client_ip, username, min(time) AS first
FROM (
  SELECT cluster, stages.client_ip, username, time FROM stages
  WHERE stages.client_ip IN (SELECT client_ip FROM trace_addresses)
  UNION ALL
  SELECT cluster, stages.client_ip, stages.username, time FROM stages
  WHERE stages.username IN (SELECT username FROM trace_identities)
    AND (stages.client_ip IS NULL OR stages.client_ip NOT IN (SELECT client_ip FROM trace_addresses))
)
GROUP BY cluster, client_ip, username";

/// The traces in one event.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Trace {
    pub(super) event_id: String,
    pub(super) cluster: Option<String>,
    pub(super) time: DateTime<Utc>,
    pub(super) username: Option<String>,
    pub(super) client_ip: Option<String>,
    pub(super) token_credential_id: Option<String>,
    pub(super) token_pod_name: Option<String>,
    pub(super) issued_credential_id: Option<String>,
    pub(super) resource: Option<String>,
    pub(super) subresource: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    pub(super) outcome: Option<String>,
    pub(super) runs_as: Option<String>,
}

/// A subject of a binding that an event writes.
#[derive(Debug, Clone, Deserialize)]
struct Subject {
    event_id: String,
    cluster: Option<String>,
    subject_kind: Option<String>,
    subject_name: String,
    subject_namespace: Option<String>,
}

impl Subject {
    /// Returns the user name of the subject. A group joins nobody, except the one of requests without credentials.
    fn username(&self) -> Option<String> {
        match self.subject_kind.as_deref()? {
            "User" => Some(self.subject_name.clone()),
            "ServiceAccount" => {
                let namespace = self.subject_namespace.as_deref()?;
                Some(format!("system:serviceaccount:{namespace}:{}", self.subject_name))
            }
            "Group" if self.subject_name == "system:unauthenticated" => {
                Some("system:anonymous".to_owned())
            }
            _ => None,
        }
    }
}

/// The identity behind an object that a controller created.
#[derive(Debug, Clone, Deserialize)]
struct Author {
    event_id: String,
    cluster: Option<String>,
    author_username: String,
    client_ip: Option<String>,
}

/// An address from which an identity sent requests.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct AddressUse {
    pub(super) cluster: Option<String>,
    pub(super) client_ip: Option<String>,
    pub(super) username: Option<String>,
    pub(super) first: DateTime<Utc>,
}

/// An event in a cluster.
type EventKey = (Option<String>, String);

/// The traces in the events of findings.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    events: HashMap<EventKey, Trace>,
    /// The user names that the binding of an event grants a role to.
    subjects: HashMap<EventKey, Vec<String>>,
    /// Who is behind an object that a controller created: user name and address.
    authors: HashMap<EventKey, (String, Option<String>)>,
    pub(super) addresses: Vec<AddressUse>,
}

impl Traces {
    /// Reads the traces of findings; of each, those of its first events.
    ///
    /// # Errors
    /// If the events cannot be read.
    pub(crate) async fn read<'f>(
        session: &Session,
        findings: impl Iterator<Item = &'f Finding> + Clone,
    ) -> Result<Self, QueryError> {
        let ids: BTreeSet<&str> = findings
            .clone()
            .flat_map(|finding| finding.event_ids.iter().take(MAX_EVENTS))
            .map(String::as_str)
            .collect();
        if ids.is_empty() {
            return Ok(Self::default());
        }
        let session = session.with_strings(TRACE_IDS, "event_id", ids)?.on_all_cores();
        let events: Vec<Trace> = session.sql(TRACES_SQL).await?.rows().await?;
        tracing::debug!(events = events.len(), "the events of the traces are read");
        let mut traces = Self::default();
        if events.iter().any(|event| event.resource.as_deref().is_some_and(is_binding)) {
            for subject in session.sql(SUBJECTS_SQL).await?.rows::<Subject>().await? {
                if let Some(username) = subject.username() {
                    let key = (subject.cluster, subject.event_id);
                    traces.subjects.entry(key).or_default().push(username);
                }
            }
        }
        // Finding the author takes long, and detections usually examine what people write.
        if findings
            .clone()
            .any(|finding| finding.identity.as_deref().is_some_and(creates_for_owners))
        {
            for author in session.sql(AUTHORS_SQL).await?.rows::<Author>().await? {
                let key = (author.cluster, author.event_id);
                traces.authors.insert(key, (author.author_username, author.client_ip));
            }
        }
        tracing::debug!(authors = traces.authors.len(), "the authors are read");
        let addresses = events.iter().filter_map(|event| event.client_ip.as_deref());
        let identities = events.iter().filter_map(|event| event.username.as_deref());
        let session = session
            .with_strings("trace_addresses", "client_ip", addresses.collect::<BTreeSet<_>>())?
            .with_strings("trace_identities", "username", identities.collect::<BTreeSet<_>>())?;
        traces.addresses = session.sql(ADDRESSES_SQL).await?.rows().await?;
        tracing::debug!(addresses = traces.addresses.len(), "the addresses are read");
        traces.events =
            events.into_iter().map(|e| ((e.cluster.clone(), e.event_id.clone()), e)).collect();
        Ok(traces)
    }

    /// Returns the traces of the events of a finding.
    pub(super) fn of<'a>(&'a self, finding: &'a Finding) -> impl Iterator<Item = &'a Trace> {
        finding
            .event_ids
            .iter()
            .take(MAX_EVENTS)
            .filter_map(|id| self.events.get(&(finding.cluster.clone(), id.clone())))
    }

    /// Returns the user names to which the binding of an event grants a role.
    pub(super) fn subjects(&self, trace: &Trace) -> &[String] {
        let key = (trace.cluster.clone(), trace.event_id.clone());
        self.subjects.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Returns the identity and address behind an event: those of the author of the object if a controller created it.
    pub(super) fn actor<'a>(&'a self, trace: &'a Trace) -> (Option<&'a str>, Option<&'a str>) {
        let key = (trace.cluster.clone(), trace.event_id.clone());
        match self.authors.get(&key) {
            Some((username, client_ip)) => (Some(username), client_ip.as_deref()),
            None => (trace.username.as_deref(), trace.client_ip.as_deref()),
        }
    }
}

fn is_binding(resource: &str) -> bool {
    matches!(resource, "rolebindings" | "clusterrolebindings")
}
