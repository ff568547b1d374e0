//! The context of the findings in the log. The reader of the lake fills it; each struct is one row.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

/// The context of the findings in the log.
#[derive(Debug, Default)]
pub struct Context {
    /// The events behind the findings, by event id.
    pub events: HashMap<String, EventFacts>,
    /// The origin of the workloads that they write, by event id.
    pub lineage: HashMap<String, Lineage>,
    /// Workload writes over time, in steps of [`timeline_step`](super::timeline_step).
    pub writes: Vec<WorkloadWrites>,
    /// The active identities, those with the most workload writes first.
    pub identities: Vec<IdentityFacts>,
    /// The namespaces with requests, those with the most workload writes first.
    pub namespaces: Vec<NamespaceFacts>,
    /// The images of written workloads, the newest first.
    pub images: Vec<ImageFacts>,
    /// What the log contains of each kind of request, those with the most missing bodies first.
    pub activity: Vec<Activity>,
    /// The files that the events came from.
    pub files: Vec<SourceFile>,
    /// The number of quarantined records.
    pub quarantined: u64,
}

/// An event behind a finding.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct EventFacts {
    /// The event id.
    pub event_id: String,
    /// The audit id.
    pub audit_id: Option<String>,
    /// The time at which the request arrived.
    pub time: DateTime<Utc>,
    /// The verb.
    pub verb: Option<String>,
    /// The resource, with its subresource as in `pods/exec`.
    pub resource: Option<String>,
    /// The name of the object.
    pub name: Option<String>,
    /// The outcome.
    pub outcome: Option<String>,
    /// The HTTP status.
    pub status_code: Option<i64>,
}

/// The origin of a workload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Lineage {
    /// The event that writes the workload.
    pub event_id: String,
    /// The kind of the object at the root of its owners.
    pub root_kind: Option<String>,
    /// The name of that object.
    pub root_name: Option<String>,
    /// The identity that last wrote the spec of that object.
    pub author: Option<String>,
    /// How the author is known.
    pub author_known_by: Option<String>,
    /// The time at which the author wrote it.
    pub author_time: Option<DateTime<Utc>>,
}

/// The number of workload writes in a step of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WorkloadWrites {
    /// The start of the step.
    pub start: DateTime<Utc>,
    /// The number of successful writes.
    pub writes: u64,
}

/// The activity of an identity.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct IdentityFacts {
    /// The user name.
    pub username: Option<String>,
    /// The kind: human, service_account, node, controller, anonymous, system.
    pub identity_kind: Option<String>,
    /// The time at which its first request arrived.
    pub first_seen: DateTime<Utc>,
    /// The time at which its last request arrived.
    pub last_seen: DateTime<Utc>,
    /// The number of requests.
    pub requests: u64,
    /// The number of denied requests.
    pub denied: u64,
    /// The number of successful workload writes.
    pub workload_writes: u64,
    /// The client addresses.
    pub client_ips: Option<Vec<String>>,
    /// The user agents, which the clients choose.
    pub user_agents: Option<Vec<String>>,
}

/// The activity in a namespace.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct NamespaceFacts {
    /// The name.
    pub namespace: String,
    /// The number of requests.
    pub requests: u64,
    /// The number of identities.
    pub identities: u64,
    /// The number of successful workload writes.
    pub workload_writes: u64,
}

/// An image of written workloads.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ImageFacts {
    /// The image, as named by the workload.
    pub image: String,
    /// The number of containers written with it.
    pub containers: u64,
    /// The namespaces of those workloads.
    pub namespaces: Option<Vec<String>>,
    /// The time at which it was first written.
    pub first_seen: DateTime<Utc>,
}

/// What the log contains of a kind of request.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Activity {
    /// The resource, with its subresource; null for other paths of the API.
    pub resource: Option<String>,
    /// The activity: workload, rbac, access, secret, write, read.
    pub activity: String,
    /// The number of requests.
    pub requests: u64,
    /// The number of successful writes that carry a body.
    pub writes: u64,
    /// The number of those whose body is not in the log.
    pub writes_without_body: u64,
    /// The number of truncated events.
    pub truncated: u64,
    /// The audit levels.
    pub levels: Option<Vec<String>>,
}

/// A file that events came from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SourceFile {
    /// The path, as given.
    pub file: Option<String>,
    /// SHA-256 of its bytes.
    pub sha256: Option<String>,
    /// The number of events in scope.
    pub events: u64,
    /// The time of the first event.
    pub first: DateTime<Utc>,
    /// The time of the last event.
    pub last: DateTime<Utc>,
}
