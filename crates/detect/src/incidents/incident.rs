//! The story of an incident, made of its findings.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use podtrail_event::identity::creates_for_owners;
use podtrail_event::{Confidence, Finding, Severity};
use serde::Serialize;

use super::act::{act, kind, object_name, resource};
use super::response::{Action, Phase, containment, queries};

/// The maximum number of names listed of a kind of entity.
const MAX_NAMES: usize = 50;

/// Repeated steps are shown as one from this number on.
const REPEATED: usize = 3;

/// The maximum number of objects named of repeated steps, besides the first and the last.
const MAX_REPEATED_NAMES: usize = 3;

/// Findings that belong together, as a story.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Incident {
    /// The id, 32 hexadecimal digits: equal in every run over the same findings.
    pub incident_id: String,
    /// Who did what, in one sentence.
    pub title: String,
    /// The severity of the most severe finding.
    pub severity: Severity,
    /// The confidence of the most reliable finding of that severity.
    pub confidence: Confidence,
    /// The sum of `points`.
    pub score: i64,
    /// Arrival of the first event.
    pub first_seen: DateTime<Utc>,
    /// Arrival of the last event.
    pub last_seen: DateTime<Utc>,
    /// Name of the cluster.
    pub cluster: Option<String>,
    /// The identities, the one with the most severe findings first.
    pub identities: Vec<String>,
    /// Identities that these impersonated.
    pub impersonated_identities: Vec<String>,
    /// The client addresses.
    pub client_ips: Vec<String>,
    /// The objects that were written, as `Kind namespace/name`.
    pub objects: Vec<String>,
    /// The Secrets that were read, as `namespace/name`; `*` for all of a namespace.
    pub secrets: Vec<String>,
    /// The images of workloads that were written.
    pub images: Vec<String>,
    /// ATT&CK tactics, by name, in the order of the steps.
    pub tactics: Vec<String>,
    /// ATT&CK technique ids.
    pub attack: Vec<String>,
    /// Why the findings belong together, one reason for each identity and address.
    pub links: Vec<String>,
    /// What happened, first step first. Findings below medium are only counted.
    pub steps: Vec<Step>,
    /// The points of each detection; each counts once, however often it matched.
    pub points: Vec<Point>,
    /// What the audit log cannot show of it.
    pub limits: Vec<String>,
    /// What to do now, in an order that does not warn the intruder. Nothing is run.
    pub containment: Vec<Action>,
    /// The next queries, as SQL.
    pub queries: Vec<String>,
    /// The number of findings of each severity, `info` first.
    pub counts: [u64; 5],
    /// The ids of the findings.
    pub finding_ids: Vec<String>,
}

impl Incident {
    /// Returns the first commands of each phase of the containment, and the number of the others.
    pub fn first_commands(&self) -> impl Iterator<Item = (Phase, &[Action], usize)> {
        const SHOWN: usize = 12;
        let phases = self.containment.chunk_by(|one, other| one.phase == other.phase);
        phases.filter_map(|actions| {
            let (shown, others) = actions.split_at(actions.len().min(SHOWN));
            Some((shown.first()?.phase, shown, others.len()))
        })
    }
}

/// Requests of an incident that form one act.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Arrival of the first request.
    pub time: DateTime<Utc>,
    /// Arrival of the last request.
    pub last: DateTime<Utc>,
    /// The severity of the most severe finding.
    pub severity: Severity,
    /// The ATT&CK tactic of that finding, by name.
    pub tactic: Option<String>,
    /// Who did it.
    pub identity: Option<String>,
    /// From which address.
    pub client_ip: Option<String>,
    /// What was done, such as `created Pod web/shell`.
    pub act: String,
    /// The object, as `Kind namespace/name`. Null if the log does not contain its name.
    pub object: Option<String>,
    /// The titles of the findings, the most severe first.
    pub titles: Vec<String>,
    /// The reason of the most severe finding.
    pub reason: Option<String>,
    /// The number of requests.
    pub requests: u64,
    /// The ids of the findings.
    pub finding_ids: Vec<String>,
    /// The ids of the first events.
    pub event_ids: Vec<String>,
}

/// The points that a detection adds to the score of an incident.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// Points.
    pub points: i64,
    /// Id of the detection.
    pub detection: String,
    /// Title of the detection.
    pub title: String,
    /// The event that earned them.
    pub event_id: Option<String>,
    /// The object of that event.
    pub object: Option<String>,
}

/// Returns the incidents of findings, the most severe first, then by score and time.
///
/// `combined` are the ids of detections that only add up the findings of others: they raise the severity, but are no
/// step and earn no points.
pub fn incidents<'f>(
    findings: impl IntoIterator<Item = &'f Finding>,
    combined: &BTreeSet<String>,
) -> Vec<Incident> {
    let mut groups: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        if let Some(id) = &finding.incident_id {
            groups.entry(id).or_default().push(finding);
        }
    }
    let mut incidents: Vec<_> =
        groups.into_iter().filter_map(|(id, findings)| incident(id, findings, combined)).collect();
    incidents.sort_by(|a, b| {
        (b.severity, b.score, a.first_seen, &a.incident_id).cmp(&(
            a.severity,
            a.score,
            b.first_seen,
            &b.incident_id,
        ))
    });
    incidents
}

fn incident(
    id: &str,
    mut findings: Vec<&Finding>,
    combined: &BTreeSet<String>,
) -> Option<Incident> {
    findings.sort_by_key(|finding| (finding.first_seen, &finding.finding_id));
    let severity = findings.iter().map(|finding| finding.severity).max()?;
    let confidence = findings.iter().filter(|f| f.severity == severity).map(|f| f.confidence);
    let (single, sums): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().partition(|finding| !combined.contains(&finding.detection));
    let at_least =
        |least| single.iter().copied().filter(|f| f.severity >= least).collect::<Vec<&Finding>>();
    let acts = [Severity::Medium, Severity::Low].into_iter().map(at_least);
    // A scope may show only the findings that add up others.
    let acts = acts.chain([sums]).find(|acts| !acts.is_empty()).unwrap_or_else(|| findings.clone());
    let steps = collapsed(steps(&acts));
    let points = points(&single);
    let mut identities = by_severity(&acts, |finding| finding.identity.as_ref());
    // A controller acts for the author of the owner, who is in the incident.
    identities.sort_by_key(|identity| creates_for_owners(identity));
    let title = title(&acts, &identities);
    let first_seen = acts.iter().map(|finding| finding.first_seen).min()?;
    let last_seen = acts.iter().map(|finding| finding.last_seen).max()?;
    let mut counts = [0; 5];
    for finding in &findings {
        for (count, level) in counts.iter_mut().zip(Severity::ALL) {
            *count += u64::from(finding.severity == *level);
        }
    }
    let mut incident = Incident {
        incident_id: id.to_owned(),
        title,
        severity,
        confidence: confidence.max().unwrap_or_default(),
        score: points.iter().map(|point| point.points).sum(),
        first_seen,
        last_seen,
        cluster: findings.first().and_then(|finding| finding.cluster.clone()),
        impersonated_identities: by_severity(&acts, |f| f.impersonated_identity.as_ref()),
        client_ips: by_severity(&acts, |finding| finding.client_ip.as_ref()),
        identities,
        objects: distinct(acts.iter().copied().filter(|f| is_write(f)).filter_map(object)),
        secrets: distinct(acts.iter().copied().filter_map(secret)),
        images: distinct(
            acts.iter().filter(|f| is_write(f)).flat_map(|finding| finding.images.iter().cloned()),
        ),
        tactics: distinct(steps.iter().filter_map(|step| step.tactic.clone())),
        attack: distinct(acts.iter().flat_map(|finding| finding.attack.iter().cloned())),
        links: links(&acts),
        limits: limits(&acts),
        containment: containment(&acts),
        queries: Vec::new(),
        steps,
        points,
        counts,
        finding_ids: findings.iter().map(|finding| finding.finding_id.clone()).collect(),
    };
    incident.queries = queries(&incident);
    Some(incident)
}

/// Returns the values of an attribute, those with the most severe findings first.
fn by_severity<'f>(
    findings: &[&'f Finding],
    attribute: impl Fn(&'f Finding) -> Option<&'f String>,
) -> Vec<String> {
    let mut values: BTreeMap<&String, (Severity, usize)> = BTreeMap::new();
    for finding in findings {
        if let Some(value) = attribute(finding) {
            let (severity, count) = values.entry(value).or_insert((Severity::Info, 0));
            *severity = (*severity).max(finding.severity);
            *count += 1;
        }
    }
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(|(a, x), (b, y)| y.cmp(x).then_with(|| a.cmp(b)));
    values.into_iter().take(MAX_NAMES).map(|(value, _)| value.clone()).collect()
}

fn distinct(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut known = BTreeSet::new();
    values.filter(|value| known.insert(value.clone())).take(MAX_NAMES).collect()
}

fn is_allowed(finding: &Finding) -> bool {
    finding.outcome.as_deref().is_none_or(|outcome| outcome == "allowed")
}

fn is_write(finding: &Finding) -> bool {
    let verb = finding.verb.as_deref().unwrap_or_default();
    is_allowed(finding)
        && matches!(verb, "create" | "update" | "patch" | "delete" | "deletecollection")
        && !finding.resource.as_deref().unwrap_or_default().starts_with("selfsubject")
}

fn named(finding: &Finding) -> Option<String> {
    Some(format!("{} {}", kind(resource(finding).0?), object_name(finding)?))
}

/// Returns the object that a finding writes.
fn object(finding: &Finding) -> Option<String> {
    match resource(finding).1 {
        Some("exec" | "attach" | "portforward" | "token" | "proxy" | "log") => None,
        _ => named(finding),
    }
}

fn secret(finding: &Finding) -> Option<String> {
    let is_read = matches!(finding.verb.as_deref(), Some("get" | "list" | "watch"));
    if finding.resource.as_deref() != Some("secrets") || !is_read || !is_allowed(finding) {
        return None;
    }
    Some(match (&finding.namespace, &finding.name) {
        (Some(namespace), Some(name)) => format!("{namespace}/{name}"),
        (Some(namespace), None) => format!("{namespace}/*"),
        (None, Some(name)) => name.clone(),
        (None, None) => "*".to_owned(),
    })
}

/// Returns why findings belong together: one reason for each identity and address.
fn links(findings: &[&Finding]) -> Vec<String> {
    distinct(findings.iter().filter_map(|finding| finding.incident_reason.clone()))
}

/// Returns the points of each detection, the highest first.
fn points(findings: &[&Finding]) -> Vec<Point> {
    let mut points: BTreeMap<&str, Point> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.risk > 0) {
        let point = Point {
            points: risk(finding),
            detection: finding.detection.clone(),
            title: finding.title.clone(),
            event_id: finding.event_ids.first().cloned(),
            object: object_name(finding),
        };
        let known = points.entry(&finding.detection).or_insert_with(|| point.clone());
        if point.points > known.points {
            *known = point;
        }
    }
    let mut points: Vec<_> = points.into_values().collect();
    points.sort_by(|a, b| (b.points, &a.detection).cmp(&(a.points, &b.detection)));
    points
}

/// Returns the points of a finding: those of its detection, fewer if its own severity is low, as in
/// `queries/risk/risk-of-identity.sql`.
fn risk(finding: &Finding) -> i64 {
    let most = match finding.severity {
        Severity::Info => 5,
        Severity::Low => 15,
        Severity::Medium => 45,
        Severity::High | Severity::Critical => i64::MAX,
    };
    finding.risk.min(most)
}

/// Returns the acts of findings: the findings whose first event is the same are one act.
fn steps(findings: &[&Finding]) -> Vec<Step> {
    let mut acts: BTreeMap<(DateTime<Utc>, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        let first = finding.event_ids.first().map_or(finding.finding_id.as_str(), String::as_str);
        acts.entry((finding.first_seen, first)).or_default().push(finding);
    }
    acts.into_values().filter_map(step).collect()
}

fn step(mut findings: Vec<&Finding>) -> Option<Step> {
    findings.sort_by(|a, b| {
        (b.severity, b.risk, &a.detection).cmp(&(a.severity, a.risk, &b.detection))
    });
    let top = findings.first()?;
    // Bursts show what was done, as the object of the first request is one of many.
    let requests = findings.iter().map(|finding| finding.count).max().unwrap_or(1);
    Some(Step {
        time: top.first_seen,
        last: findings.iter().map(|finding| finding.last_seen).max()?,
        severity: top.severity,
        tactic: top.tactics.first().cloned(),
        identity: top.identity.clone(),
        client_ip: top.client_ip.clone(),
        act: act(top),
        object: named(top),
        titles: distinct(findings.iter().map(|finding| finding.title.clone())),
        reason: top.reasons.first().cloned(),
        requests,
        finding_ids: findings.iter().map(|finding| finding.finding_id.clone()).collect(),
        event_ids: distinct(findings.iter().filter_map(|f| f.event_ids.first().cloned())),
    })
}

/// Returns the steps with repetitions as one: the same findings for one object after the other.
fn collapsed(steps: Vec<Step>) -> Vec<Step> {
    type Kind = (Option<String>, Option<String>, Vec<String>, Option<String>);
    let mut runs: BTreeMap<Kind, Vec<Step>> = BTreeMap::new();
    for step in steps {
        let verb = step.act.split(' ').next().map(str::to_owned);
        let kind = (step.identity.clone(), step.client_ip.clone(), step.titles.clone(), verb);
        runs.entry(kind).or_default().push(step);
    }
    let mut steps: Vec<Step> = runs
        .into_values()
        .flat_map(|run| match run.as_slice() {
            [first, others @ .., last] if run.len() >= REPEATED => {
                let name = |step: &Step| step.act.rsplit(' ').next().map(str::to_owned);
                let mut names: Vec<String> = others.iter().filter_map(name).collect();
                if names.len() > MAX_REPEATED_NAMES {
                    names.truncate(MAX_REPEATED_NAMES);
                    names.push("…".to_owned());
                }
                names.extend(name(last));
                let mut all = first.clone();
                all.act = format!("{}, {} ({} times)", first.act, names.join(", "), run.len());
                all.last = run.iter().map(|step| step.last).max().unwrap_or(first.last);
                all.severity = run.iter().map(|step| step.severity).max().unwrap_or(first.severity);
                all.requests = run.iter().map(|step| step.requests).sum();
                all.finding_ids = run.iter().flat_map(|step| step.finding_ids.clone()).collect();
                all.event_ids = run.iter().flat_map(|step| step.event_ids.clone()).collect();
                vec![all]
            }
            _ => run,
        })
        .collect();
    steps.sort_by_key(|step| step.time);
    steps
}

/// Returns who did what: the worst act, then the worst acts of two other kinds.
fn title(findings: &[&Finding], identities: &[String]) -> String {
    let is_person = |identity: &str| !creates_for_owners(identity);
    let mut ranked: Vec<&&Finding> = findings.iter().collect();
    ranked.sort_by(|a, b| {
        let rank = |finding: &Finding| {
            let by_person = finding.identity.as_deref().is_none_or(is_person);
            (by_person, finding.severity, is_workload(finding) && is_write(finding), finding.risk)
        };
        rank(b).cmp(&rank(a)).then_with(|| a.first_seen.cmp(&b.first_seen))
    });
    let Some(top) = ranked.first() else { return String::new() };
    let mut kinds = BTreeSet::from([class(top)]);
    let mut clauses = vec![qualified(top, findings)];
    for finding in &ranked {
        if clauses.len() < 3 && is_allowed(finding) && kinds.insert(class(finding)) {
            clauses.push(act(finding));
        }
    }
    let who = top.identity.as_deref().or(identities.first().map(String::as_str));
    let who = who.unwrap_or("An unauthenticated client");
    let did = match clauses.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first, second] => format!("{first} and {second}"),
        [first, others @ .., last] => format!("{first}, {} and {last}", others.join(", ")),
    };
    let is_other = |identity: &&String| {
        Some(identity.as_str()) != top.identity.as_deref() && is_person(identity)
    };
    let others: Vec<&String> = identities.iter().filter(is_other).collect();
    match others.as_slice() {
        [] => format!("{who} {did}"),
        [other] => format!("{who}, also as {other}, {did}"),
        others => format!("{who} and {} other identities {did}", others.len()),
    }
}

fn is_workload(finding: &Finding) -> bool {
    matches!(
        resource(finding).0,
        Some(
            "pods"
                | "deployments"
                | "daemonsets"
                | "statefulsets"
                | "replicasets"
                | "jobs"
                | "cronjobs"
                | "replicationcontrollers"
        )
    )
}

/// Returns what kind of act a finding shows, so that a title names acts of different kinds.
fn class(finding: &Finding) -> &'static str {
    let (resource, subresource) = resource(finding);
    match (resource.unwrap_or_default(), subresource) {
        (_, Some("exec" | "attach" | "ephemeralcontainers")) => "entry",
        (_, Some("token")) => "token",
        ("secrets", _) => "secrets",
        ("roles" | "clusterroles" | "rolebindings" | "clusterrolebindings", _) => "rbac",
        ("certificatesigningrequests", _) => "certificate",
        ("mutatingwebhookconfigurations" | "validatingwebhookconfigurations", _) => "webhook",
        _ if is_workload(finding)
            && finding.verb.as_deref().is_some_and(|v| v.starts_with("delete")) =>
        {
            "deletion"
        }
        _ if is_workload(finding) => "workload",
        ("events", _) => "events",
        _ => "other",
    }
}

/// Returns an act with what is special about its workload: `created privileged DaemonSet kube-system/agent`.
fn qualified(top: &Finding, findings: &[&Finding]) -> String {
    let act = act(top);
    let first = top.event_ids.first();
    let of_act = findings.iter().filter(|finding| finding.event_ids.first() == first);
    let is_privileged = of_act.into_iter().any(|finding| {
        finding.detection.contains("privileged-") || finding.detection.ends_with("-privileged")
    });
    match act.split_once(' ') {
        Some((verb, object))
            if is_privileged && is_workload(top) && matches!(verb, "created" | "changed") =>
        {
            format!("{verb} privileged {object}")
        }
        _ => act,
    }
}

/// Returns what the audit log cannot show of these acts.
fn limits(findings: &[&Finding]) -> Vec<String> {
    let has = |of: &dyn Fn(&Finding) -> bool| findings.iter().any(|finding| of(finding));
    let subresource = |finding: &Finding| resource(finding).1.map(str::to_owned);
    let mut limits = Vec::new();
    if has(&|finding| matches!(subresource(finding).as_deref(), Some("exec" | "attach"))) {
        limits.push("what was typed in a session and what it printed: the log contains only the first command");
    }
    if has(&|finding| is_workload(finding) && is_write(finding)) {
        limits.push("what the containers did on the node and on the network");
    }
    if has(&|finding| finding.resource.as_deref() == Some("secrets")) {
        limits.push("where the content of the Secrets was used outside the cluster");
    }
    if has(&|finding| subresource(finding).as_deref() == Some("proxy")) {
        limits.push("what the kubelet or service behind the proxy did");
    }
    if has(&|finding| {
        is_workload(finding)
            && is_write(finding)
            && finding.images.is_empty()
            && finding.verb.as_deref().is_some_and(|verb| verb == "create")
    }) {
        limits.push("the content of workloads that were written without a body in the log");
    }
    limits.into_iter().map(str::to_owned).collect()
}
