//! Findings: matches of a detection, grouped by identity and object or by episode.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use podtrail_event::{Finding, Lowered, Severity};

use crate::evidence::Evidence;
use crate::pack::detection::Head;

/// The value of `by` for findings whose events are all routine.
const ROUTINE: &str = "routine";

/// Lowers the severity of a finding to `severity` if it is higher, and sets its risk to 0. The first lowering is kept.
pub(crate) fn lower(finding: &mut Finding, severity: Severity, by: &str, reason: &str) {
    finding.risk = 0;
    if finding.severity > severity {
        let (by, reason) = (by.to_owned(), reason.to_owned());
        finding.lowered.get_or_insert(Lowered { from: finding.severity, by, reason });
        finding.severity = severity;
    }
}

/// An event that a detection matched.
#[derive(Clone, Copy)]
pub(crate) struct Hit<'a> {
    pub(crate) event: &'a Evidence,
    pub(crate) reason: &'a str,
    /// The severity, if it differs from that of the detection.
    pub(crate) severity: Option<Severity>,
    /// The points, if they differ from those of the detection.
    pub(crate) risk: Option<i64>,
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
        return finding(head, finding_id(head, &key), &mut hits);
    }
    let key: Vec<_> = key(first).into_iter().chain([Some(first.event_id.as_str())]).collect();
    finding(head, finding_id(head, &key), &mut hits)
}

fn order(event: &Evidence) -> (DateTime<Utc>, &str) {
    (event.time, &event.event_id)
}

fn finding(head: &Head, id: String, hits: &mut [Hit<'_>]) -> Option<Finding> {
    // The rows of a query have no order.
    hits.sort_by_key(|hit| (order(hit.event), hit.reason));
    let mut reasons: Vec<String> = Vec::new();
    for hit in &*hits {
        if !reasons.iter().any(|known| known == hit.reason) {
            reasons.push(hit.reason.to_owned());
        }
    }
    let severities = hits.iter().map(|hit| hit.severity.unwrap_or(head.severity));
    let severity = severities.max().unwrap_or(head.severity);
    let risk = hits.iter().filter_map(|hit| hit.risk).max().unwrap_or(head.risk.into());
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
    // The images of other objects do not belong to the object that the finding names.
    let of_object = events.iter().filter(|event| {
        (&event.namespace, &event.resource, &event.name)
            == (&first.namespace, &first.resource, &first.name)
    });
    for image in of_object.flat_map(|event| &event.images) {
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
        risk,
        attack,
        tactics: head.tactics.clone(),
        first_seen: first.time,
        last_seen: last.time,
        count: events.len() as u64,
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
        incident_id: None,
        incident_reason: None,
    };
    if let Some((severity, reason)) = routine {
        lower(&mut finding, severity, ROUTINE, &reason);
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
