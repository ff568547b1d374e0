//! Findings: matches of a detection, grouped by identity and object or by episode.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::pack::detection::Head;
use crate::pack::severity::{Confidence, Severity};
use crate::run::evidence::{Evidence, Source};

/// Matches of a detection by one identity on one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable id: the same detection, version, identity and object have the same id in every run.
    pub finding_id: String,
    /// The id of the detection.
    pub detection: String,
    /// The title of the detection.
    pub title: String,
    /// The severity: that of the detection, unless its query returns another.
    pub severity: Severity,
    /// How reliable a match of the detection is.
    pub confidence: Confidence,
    /// The points that the finding adds to the risk of a workload write or identity.
    pub risk: u32,
    /// ATT&CK technique ids.
    #[serde(default)]
    pub attack: Vec<String>,
    /// ATT&CK tactics.
    #[serde(default)]
    pub tactics: Vec<String>,
    /// The time at which the first request of the evidence arrived.
    pub first_seen: DateTime<Utc>,
    /// The time at which the last request of the evidence arrived.
    pub last_seen: DateTime<Utc>,
    /// The number of events in the evidence.
    pub count: usize,
    /// Their event ids, ordered by time.
    #[serde(default)]
    pub event_ids: Vec<String>,
    /// Their audit ids, ordered by time.
    #[serde(default)]
    pub audit_ids: Vec<String>,
    /// The cluster.
    pub cluster: Option<String>,
    /// The authenticated user; null if there was none.
    pub identity: Option<String>,
    /// The user that it impersonated, if any.
    pub impersonated_identity: Option<String>,
    /// The verb of the first event.
    pub verb: Option<String>,
    /// The namespace of the object.
    pub namespace: Option<String>,
    /// The resource of the object, with its subresource as in `pods/exec`.
    pub resource: Option<String>,
    /// The name of the object.
    pub name: Option<String>,
    /// The images of the written workload.
    #[serde(default)]
    pub images: Vec<String>,
    /// The reasons, one per line.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// The outcome of the first event.
    pub outcome: Option<String>,
    /// The client address of the first event.
    pub client_ip: Option<String>,
    /// The user agent of the first event, which the client chooses.
    pub user_agent: Option<String>,
    /// The position of the first event in the logs.
    #[serde(default)]
    pub source: Source,
    /// The positions of all events of the evidence in the logs.
    #[serde(default)]
    pub sources: Vec<Source>,
    /// Why the severity is lower than that of the detection, if it was lowered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowered: Option<Lowered>,
    /// Whether only the id identifies the finding, because other findings of its detection may have the same events.
    #[serde(skip)]
    pub is_keyed: bool,
}

/// Why the severity of a finding is lower than that of its detection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lowered {
    /// The original severity.
    pub from: Severity,
    /// The id of the exception that lowered it, or `routine`.
    pub by: String,
    /// The reason of the exception, or why the events are routine.
    pub reason: String,
}

/// The value of `by` for findings whose events are all routine.
const ROUTINE: &str = "routine";

impl Finding {
    /// Lowers the severity to `severity` if it is higher, and sets the risk to 0. The first lowering is kept.
    pub(crate) fn lower(&mut self, severity: Severity, by: &str, reason: &str) {
        self.risk = 0;
        if self.severity > severity {
            let (by, reason) = (by.to_owned(), reason.to_owned());
            let lowered = Lowered { from: self.severity, by, reason };
            self.lowered.get_or_insert(lowered);
            self.severity = severity;
        }
    }
}

/// An event that a detection matched.
#[derive(Clone, Copy)]
pub(crate) struct Hit<'a> {
    pub(crate) event: &'a Evidence,
    pub(crate) reason: &'a str,
    /// The severity, if it differs from that of the detection.
    pub(crate) severity: Option<Severity>,
    /// The ATT&CK techniques, if they are fewer than those of the detection.
    pub(crate) attack: &'a [String],
}

/// The attributes that group the matches of a detection into one finding.
type Key<'a> = [Option<&'a str>; 7];

fn key(evidence: &Evidence) -> Key<'_> {
    [
        evidence.cluster.as_deref(),
        evidence.username.as_deref(),
        evidence.impersonated_username.as_deref(),
        evidence.api_group.as_deref(),
        evidence.resource.as_deref(),
        evidence.namespace.as_deref(),
        evidence.name.as_deref(),
    ]
}

/// Groups the matches of a detection into findings, first seen first.
pub(crate) fn findings(head: &Head, hits: &[Hit<'_>]) -> Vec<Finding> {
    let mut groups: BTreeMap<Key<'_>, Vec<Hit<'_>>> = BTreeMap::new();
    for hit in hits {
        groups.entry(key(hit.event)).or_default().push(*hit);
    }
    let mut findings: Vec<_> = groups
        .iter_mut()
        .filter_map(|(key, hits)| finding(head, finding_id(head, key), hits))
        .collect();
    findings.sort_by(|a, b| (a.first_seen, &a.finding_id).cmp(&(b.first_seen, &b.finding_id)));
    findings
}

/// Returns the findings of events that belong together, such as a burst or a sequence; one per cluster if the same
/// events are in the logs of several.
pub(crate) fn episodes(head: &Head, hits: Vec<Hit<'_>>, key: Option<&str>) -> Vec<Finding> {
    let mut clusters: BTreeMap<Option<&str>, Vec<Hit<'_>>> = BTreeMap::new();
    for hit in hits {
        clusters.entry(hit.event.cluster.as_deref()).or_default().push(hit);
    }
    clusters.into_values().filter_map(|hits| episode(head, hits, key)).collect()
}

/// Returns the finding of an episode. Its id derives from the first event, so that it stays the same while the
/// episode grows; with a key, from the key and the identity.
fn episode(head: &Head, mut hits: Vec<Hit<'_>>, own_key: Option<&str>) -> Option<Finding> {
    let first = hits.iter().map(|hit| hit.event).min_by_key(|event| order(event))?;
    if own_key.is_some() {
        let who = [&first.cluster, &first.username, &first.impersonated_username];
        let key: Vec<_> = who.into_iter().map(Option::as_deref).chain([own_key]).collect();
        let found = finding(head, finding_id(head, &key), &mut hits)?;
        return Some(Finding { is_keyed: true, ..found });
    }
    let key: Vec<_> = key(first).into_iter().chain([Some(first.event_id.as_str())]).collect();
    finding(head, finding_id(head, &key), &mut hits)
}

fn order(event: &Evidence) -> (DateTime<Utc>, &str) {
    (event.time, &event.event_id)
}

fn finding(head: &Head, id: String, hits: &mut [Hit<'_>]) -> Option<Finding> {
    hits.sort_by_key(|hit| order(hit.event));
    let mut reasons: Vec<String> = Vec::new();
    for hit in &*hits {
        if !reasons.iter().any(|known| known == hit.reason) {
            reasons.push(hit.reason.to_owned());
        }
    }
    let severities = hits.iter().map(|hit| hit.severity.unwrap_or(head.severity));
    let severity = severities.max().unwrap_or(head.severity);
    let mut attack: Vec<String> = Vec::new();
    for technique in hits.iter().flat_map(|hit| hit.attack) {
        if !attack.contains(technique) {
            attack.push(technique.clone());
        }
    }
    if attack.is_empty() {
        attack.clone_from(&head.attack);
    }
    let mut events: Vec<&Evidence> = hits.iter().map(|hit| hit.event).collect();
    let is_routine = events.iter().all(|event| event.routine.is_some());
    let routine = head.routine.filter(|_| is_routine).map(|lower| {
        let routines: BTreeSet<_> =
            events.iter().filter_map(|event| event.routine.as_deref()).collect();
        reasons.extend(routines.iter().map(|routine| format!("routine: {routine}")));
        (lower, routines.into_iter().collect::<Vec<_>>().join("; "))
    });
    events.dedup_by(|a, b| a.event_id == b.event_id);
    let mut confidence = head.confidence;
    let mut doubts = events.iter().filter_map(|event| event.uncertain.as_ref()).peekable();
    if doubts.peek().is_some() {
        // One event that is known to have taken effect is enough.
        let is_known = events.iter().any(|event| {
            event.uncertain.as_ref().is_none_or(|doubt| doubt.carried_out == Some(true))
        });
        if !is_known {
            confidence = confidence.lower();
        }
        for doubt in doubts {
            let reason = doubt.reason();
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
    }
    let proxies: BTreeSet<_> =
        events.iter().filter_map(|event| event.proxy_username.as_deref()).collect();
    reasons.extend(
        proxies.iter().map(|proxy| format!("sent through the impersonation proxy {proxy}")),
    );
    let (first, last) = (*events.first()?, *events.last()?);
    let mut images: Vec<String> = Vec::new();
    for image in events.iter().flat_map(|event| &event.images) {
        if !images.contains(image) {
            images.push(image.clone());
        }
    }
    let mut finding = Finding {
        finding_id: id,
        detection: head.id.clone(),
        title: head.title.clone(),
        severity,
        confidence,
        risk: head.risk,
        attack,
        tactics: head.tactics.clone(),
        first_seen: first.time,
        last_seen: last.time,
        count: events.len(),
        event_ids: events.iter().map(|event| event.event_id.clone()).collect(),
        audit_ids: events.iter().filter_map(|event| event.audit_id.clone()).collect(),
        cluster: first.cluster.clone(),
        identity: first.username.clone(),
        impersonated_identity: first.impersonated_username.clone(),
        verb: first.verb.clone(),
        namespace: first.namespace.clone(),
        resource: first.whole_resource(),
        name: first.name.clone(),
        images,
        reasons,
        outcome: first.outcome.clone(),
        client_ip: first.client_ip.clone(),
        user_agent: first.user_agent.clone(),
        source: first.source.clone(),
        sources: events.iter().map(|event| event.source.clone()).collect(),
        lowered: None,
        is_keyed: false,
    };
    if let Some((lower, reason)) = routine {
        finding.lower(lower, ROUTINE, &reason);
    }
    Some(finding)
}

fn finding_id(head: &Head, key: &[Option<&str>]) -> String {
    digest(&head.id, head.version, key)
}

/// Returns a digest of detection, version and key: 128 bits of BLAKE3, each part prefixed with its length.
pub(crate) fn digest(detection: &str, version: u32, key: &[Option<&str>]) -> String {
    let mut hasher = blake3::Hasher::new();
    let version = version.to_string();
    let parts = [Some(detection), Some(version.as_str())].into_iter().chain(key.iter().copied());
    for part in parts {
        let length = part.map_or(u64::MAX, |part| part.len() as u64);
        hasher.update(&length.to_le_bytes());
        hasher.update(part.unwrap_or_default().as_bytes());
    }
    let mut id = hasher.finalize().to_hex().to_string();
    id.truncate(32);
    id
}
