//! What the log says around the findings. Whoever reads the lake fills it; one struct is one row.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

/// What the log says around the findings.
#[derive(Debug, Default)]
pub struct Context {
    /// The events behind the findings, by event id.
    pub events: HashMap<String, EventFacts>,
    /// Where the workloads that they write come from, by event id.
    pub lineage: HashMap<String, Lineage>,
    /// Writes of workloads over time, in steps of [`timeline_step`](super::timeline_step).
    pub writes: Vec<WorkloadWrites>,
    /// Who did something, those who write workloads first.
    pub identities: Vec<IdentityFacts>,
    /// Where something was done, where workloads are written first.
    pub namespaces: Vec<NamespaceFacts>,
    /// Images of written workloads, those that were seen first last.
    pub images: Vec<ImageFacts>,
    /// What the log shows of each kind of request, the blindest first.
    pub activity: Vec<Activity>,
    /// The files that the events came from.
    pub files: Vec<SourceFile>,
    /// How many records were refused and wait in the quarantine.
    pub quarantined: u64,
}

/// An event behind a finding.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct EventFacts {
    /// The event's id.
    pub event_id: String,
    /// The audit id.
    pub audit_id: Option<String>,
    /// When the request arrived.
    pub time: DateTime<Utc>,
    /// The verb.
    pub verb: Option<String>,
    /// The resource, with its subresource as `pods/exec`.
    pub resource: Option<String>,
    /// The object's name.
    pub name: Option<String>,
    /// The outcome.
    pub outcome: Option<String>,
    /// The HTTP status.
    pub status_code: Option<i64>,
}

/// Where a workload comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Lineage {
    /// The event that writes the workload.
    pub event_id: String,
    /// The kind of the object at the root of its owners.
    pub root_kind: Option<String>,
    /// The name of that object.
    pub root_name: Option<String>,
    /// Who had last written the spec of that object.
    pub author: Option<String>,
    /// How that is known.
    pub author_known_by: Option<String>,
    /// When the author wrote it.
    pub author_time: Option<DateTime<Utc>>,
}

/// How many workloads were written in a step of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WorkloadWrites {
    /// When the step begins.
    pub start: DateTime<Utc>,
    /// Writes that were carried out.
    pub writes: u64,
}

/// What an identity did.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct IdentityFacts {
    /// The user name.
    pub username: Option<String>,
    /// The kind: human, service_account, node, controller, anonymous, system.
    pub identity_kind: Option<String>,
    /// When its first request arrived.
    pub first_seen: DateTime<Utc>,
    /// When its last request arrived.
    pub last_seen: DateTime<Utc>,
    /// Requests.
    pub requests: u64,
    /// Requests that were refused.
    pub denied: u64,
    /// Writes of workloads that were carried out.
    pub workload_writes: u64,
    /// The addresses that it came from.
    pub client_ips: Option<Vec<String>>,
    /// The programs that it says it used.
    pub user_agents: Option<Vec<String>>,
}

/// What was done in a namespace.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct NamespaceFacts {
    /// The name.
    pub namespace: String,
    /// Requests.
    pub requests: u64,
    /// Identities.
    pub identities: u64,
    /// Writes of workloads that were carried out.
    pub workload_writes: u64,
}

/// An image of workloads that were written.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ImageFacts {
    /// The image, as the workload names it.
    pub image: String,
    /// Containers that were written with it.
    pub containers: u64,
    /// The namespaces of those workloads.
    pub namespaces: Option<Vec<String>>,
    /// When it was first written.
    pub first_seen: DateTime<Utc>,
}

/// What the log shows of a kind of request.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Activity {
    /// The resource, with its subresource; none for other paths of the API.
    pub resource: Option<String>,
    /// The activity: workload, rbac, access, secret, write, read.
    pub activity: String,
    /// Requests.
    pub requests: u64,
    /// Writes that were carried out and carry a body.
    pub writes: u64,
    /// Those of them whose body the log does not show.
    pub writes_without_body: u64,
    /// Events that were cut short on the way.
    pub truncated: u64,
    /// The audit levels.
    pub levels: Option<Vec<String>>,
}

/// A file that events came from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SourceFile {
    /// Its path, as it was given.
    pub file: Option<String>,
    /// SHA-256 of its bytes.
    pub sha256: Option<String>,
    /// Events in scope.
    pub events: u64,
    /// When the first of them arrived.
    pub first: DateTime<Utc>,
    /// When the last of them arrived.
    pub last: DateTime<Utc>,
}
