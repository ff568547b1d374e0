//! The events behind findings.

use chrono::{DateTime, Utc};
use podtrail_event::Source;

/// The attributes of an event that a finding reports.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The event id.
    pub event_id: String,
    /// The audit id.
    pub audit_id: Option<String>,
    /// The time at which the request arrived.
    pub time: DateTime<Utc>,
    /// The cluster.
    pub cluster: Option<String>,
    /// The authenticated user.
    pub username: Option<String>,
    /// The user that it impersonated.
    pub impersonated_username: Option<String>,
    /// The verb.
    pub verb: Option<String>,
    /// The API group; null is the core group.
    pub api_group: Option<String>,
    /// The resource.
    pub resource: Option<String>,
    /// The subresource.
    pub subresource: Option<String>,
    /// The namespace.
    pub namespace: Option<String>,
    /// The object's name.
    pub name: Option<String>,
    /// The outcome.
    pub outcome: Option<String>,
    /// The client's address.
    pub client_ip: Option<String>,
    /// The user agent, which the client chooses.
    pub user_agent: Option<String>,
    /// The provider of the managed cluster, from the envelope of the event; null if the envelope names none.
    pub provider: Option<String>,
    /// The images of the workload that the event writes: of containers with any role, and of image volumes.
    pub images: Vec<String>,
    /// Whether these are all images that the workload runs: its whole body is in the log, and each container names an
    /// image.
    pub shows_all_images: bool,
    /// The programs that the workload specifies in containers, hooks and probes. Arguments that are added to the
    /// program of an image do not count.
    pub programs: Vec<String>,
    /// Whether a volume is mounted where it may hide programs of the images, or may be loaded by them.
    pub hides_programs: bool,
    /// Why the event is routine, if it is.
    pub routine: Option<String>,
    /// The impersonation proxy that sent the request.
    pub proxy_username: Option<String>,
    /// For a write whose response does not show whether it took effect: what is known about it.
    pub uncertain: Option<Uncertainty>,
    /// The position of the event in the logs.
    pub source: Source,
}

impl Evidence {
    /// Returns the resource, with its subresource as in `pods/exec`.
    pub(crate) fn whole_resource(&self) -> Option<String> {
        match (&self.resource, &self.subresource) {
            (Some(resource), Some(subresource)) => Some(format!("{resource}/{subresource}")),
            (resource, _) => resource.clone(),
        }
    }
}

/// What is known about a write that may have taken effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncertainty {
    /// The response: a status code, or `Panic`.
    pub answer: String,
    /// Whether later events show that the write took effect, or that it did not; `None` if they show neither.
    pub carried_out: Option<bool>,
    /// The first event that shows it.
    pub shown_by: Option<String>,
}

impl Uncertainty {
    /// Returns the reason for a finding.
    pub(crate) fn reason(&self) -> String {
        let answer =
            format!("response {} does not show whether the write took effect", self.answer);
        let shown_by = self.shown_by.as_deref().unwrap_or("a later event");
        match self.carried_out {
            Some(true) => format!("{answer}; '{shown_by}' shows that it did"),
            Some(false) => format!("{answer}; '{shown_by}' suggests that it did not"),
            None => answer,
        }
    }
}
