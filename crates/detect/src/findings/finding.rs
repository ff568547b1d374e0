//! Findings: what a detection saw, told once for each identity and object, or for each episode.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::pack::detection::Head;
use crate::pack::severity::{Confidence, Severity};
use crate::run::evidence::{Evidence, Source};

/// What a detection saw one identity do to one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable: the same detection, version, identity and object have the same id in every run.
    pub finding_id: String,
    /// The detection's id.
    pub detection: String,
    /// The detection's title.
    pub title: String,
    /// The detection's severity, unless its query says another.
    pub severity: Severity,
    /// How often a match of the detection is what it seems to be.
    pub confidence: Confidence,
    /// What the finding adds to the risk of a workload write or identity.
    pub risk: u32,
    /// ATT&CK technique ids.
    #[serde(default)]
    pub attack: Vec<String>,
    /// ATT&CK tactics.
    #[serde(default)]
    pub tactics: Vec<String>,
    /// When the first event of the evidence arrived.
    pub first_seen: DateTime<Utc>,
    /// When the last event of the evidence arrived.
    pub last_seen: DateTime<Utc>,
    /// How many events the evidence has.
    pub count: usize,
    /// Their event ids, in order of time.
    #[serde(default)]
    pub event_ids: Vec<String>,
    /// Their audit ids, in order of time.
    #[serde(default)]
    pub audit_ids: Vec<String>,
    /// The cluster.
    pub cluster: Option<String>,
    /// The authenticated user; null where there was none.
    pub identity: Option<String>,
    /// Whom that user acted as, if anybody.
    pub impersonated_identity: Option<String>,
    /// The verb of the first event.
    pub verb: Option<String>,
    /// The object's namespace.
    pub namespace: Option<String>,
    /// The object's resource, with its subresource as `pods/exec`.
    pub resource: Option<String>,
    /// The object's name.
    pub name: Option<String>,
    /// The images of the workload that was written.
    #[serde(default)]
    pub images: Vec<String>,
    /// Why, one line each.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// The outcome of the first event.
    pub outcome: Option<String>,
    /// The client address of the first event.
    pub client_ip: Option<String>,
    /// The client of the first event, as it says.
    pub user_agent: Option<String>,
    /// Where the first event stands.
    #[serde(default)]
    pub source: Source,
    /// Where every event of the evidence stands.
    #[serde(default)]
    pub sources: Vec<Source>,
    /// Why it is less severe than its detection has it, where something lowered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowered: Option<Lowered>,
    /// Whether it is known by its id alone: others of its detection may have the same events.
    #[serde(skip)]
    pub is_keyed: bool,
}

/// Why a finding is less severe than its detection has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lowered {
    /// What its severity was.
    pub from: Severity,
    /// The id of the exception that lowered it, or `routine`.
    pub by: String,
    /// The reason of the exception, or what the events are as a matter of course.
    pub reason: String,
}

/// What lowers a finding whose events are all a matter of course.
const ROUTINE: &str = "routine";

impl Finding {
    /// Lowers it to `severity`, if it is above: it weighs nothing then. What lowered it first stands.
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
    /// Where it is not the detection's.
    pub(crate) severity: Option<Severity>,
}

/// What makes two matches of a detection one finding.
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

/// Groups the matches of one detection into findings, first seen first.
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

/// The finding of events that belong together, such as a burst or a sequence; one a cluster, where the same events are in
/// the logs of several.
pub(crate) fn episodes(head: &Head, hits: Vec<Hit<'_>>, key: Option<&str>) -> Vec<Finding> {
    let mut clusters: BTreeMap<Option<&str>, Vec<Hit<'_>>> = BTreeMap::new();
    for hit in hits {
        clusters.entry(hit.event.cluster.as_deref()).or_default().push(hit);
    }
    clusters.into_values().filter_map(|hits| episode(head, hits, key)).collect()
}

/// It is known by its first event, so that it stays the same finding while the episode grows; with a key, by that and who it was.
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
        // One write that was carried out is enough.
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
    reasons.extend(proxies.iter().map(|proxy| format!("through the impersonation proxy {proxy}")));
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
        attack: head.attack.clone(),
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

/// Digest of detection, version and key: 128 bits of BLAKE3, every part with its length before it.
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
