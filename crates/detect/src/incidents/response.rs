//! What to do about an incident: commands to contain it, and the next queries. They are shown and never run.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use podtrail_event::Finding;
use serde::Serialize;

use super::act::resource;
use super::incident::Incident;

/// The maximum number of commands of one phase.
const MAX_COMMANDS: usize = 1000;

/// A command that contains an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Action {
    /// The order: the commands of one phase may run at once.
    pub phase: Phase,
    /// The command for a shell.
    pub command: String,
    /// What else to know or do.
    pub note: Option<&'static str>,
}

/// The order of containment. What the intruder does not notice comes first; what must not be done one by one is one
/// phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Save what deletion destroys.
    Preserve,
    /// Cut access, all of it at once.
    Revoke,
    /// Remove what runs and what returns.
    Remove,
    /// Replace what was read.
    Rotate,
}

impl Phase {
    /// Returns a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Preserve => "preserve evidence",
            Self::Revoke => "revoke access, all at once",
            Self::Remove => "remove what runs and returns",
            Self::Rotate => "rotate what was read",
        }
    }
}

/// Returns the commands for allowed acts, in each phase those for the most severe findings first.
pub(super) fn containment(findings: &[&Finding]) -> Vec<Action> {
    let is_allowed =
        |finding: &Finding| finding.outcome.as_deref().is_none_or(|outcome| outcome == "allowed");
    let object = |finding: &Finding| {
        (finding.resource.clone(), finding.namespace.clone(), finding.name.clone())
    };
    let mut deleted = HashMap::new();
    for finding in findings.iter().filter(|f| f.verb.as_deref() == Some("delete") && is_allowed(f))
    {
        let last = deleted.entry(object(finding)).or_insert(finding.first_seen);
        *last = finding.first_seen.max(*last);
    }
    let mut by_severity: Vec<&&Finding> = findings.iter().collect();
    by_severity.sort_by_key(|finding| Reverse(finding.severity));
    let mut known = BTreeSet::new();
    let mut counts: BTreeMap<Phase, usize> = BTreeMap::new();
    let mut actions: Vec<Action> = Vec::new();
    for finding in by_severity {
        // The intruder has deleted it already.
        let is_gone = deleted.get(&object(finding)).is_some_and(|time| *time > finding.last_seen);
        let is_allowed = is_allowed(finding) && !is_gone;
        for action in actions_for(finding).into_iter().filter(|_| is_allowed) {
            let count = counts.entry(action.phase).or_default();
            if *count < MAX_COMMANDS && known.insert(action.command.clone()) {
                *count += 1;
                actions.push(action);
            }
        }
    }
    actions.sort_by_key(|action| action.phase);
    actions
}

fn actions_for(finding: &Finding) -> Vec<Action> {
    let (Some(resource), subresource) = resource(finding) else { return Vec::new() };
    // The API server accepts no such name, and kubectl would read it as an option.
    let Some(bare) = finding.name.as_deref().filter(|name| !name.starts_with('-')) else {
        return Vec::new();
    };
    let verb = finding.verb.as_deref().unwrap_or_default();
    let is_write = matches!(verb, "create" | "update" | "patch");
    let place = match finding.namespace.as_deref() {
        Some(namespace) => format!(" -n {}", shell_word(namespace)),
        None => String::new(),
    };
    let name = shell_word(bare);
    let action =
        |phase, command: String, note: Option<&'static str>| Action { phase, command, note };
    let file =
        |kind: &str, ending: &str| shell_word(&format!("{kind}-{bare}.{ending}").replace('/', "-"));
    let save = |kind: &str| {
        let command = format!("kubectl get {kind} {name}{place} -o yaml > {}", file(kind, "yaml"));
        action(Phase::Preserve, command, None)
    };
    match (resource, subresource) {
        ("pods", Some("exec" | "attach" | "ephemeralcontainers")) => vec![
            action(
                Phase::Preserve,
                format!(
                    "kubectl logs {name}{place} --all-containers --timestamps > {}",
                    file("pod", "log")
                ),
                None,
            ),
            action(Phase::Remove, format!("kubectl delete pod {name}{place}"), None),
        ],
        ("serviceaccounts", Some("token")) => vec![action(
            Phase::Revoke,
            format!(
                "kubectl delete serviceaccount {name}{place} && kubectl create serviceaccount {name}{place}"
            ),
            Some("ends all tokens of the account; restart its pods"),
        )],
        ("rolebindings" | "clusterrolebindings", None) if verb == "create" => vec![
            save(resource),
            action(Phase::Revoke, format!("kubectl delete {resource} {name}{place}"), None),
        ],
        ("rolebindings" | "clusterrolebindings" | "roles" | "clusterroles", None) if is_write => {
            vec![
                save(resource),
                action(
                    Phase::Revoke,
                    format!("kubectl edit {resource} {name}{place}"),
                    Some("remove what was added"),
                ),
            ]
        }
        ("certificatesigningrequests", _) if is_write => vec![
            save("csr"),
            action(
                Phase::Revoke,
                format!("kubectl delete csr {name}"),
                Some("an issued certificate stays valid: remove the bindings of its user, too"),
            ),
        ],
        ("mutatingwebhookconfigurations" | "validatingwebhookconfigurations", None) if is_write => {
            vec![
                save(resource),
                action(Phase::Remove, format!("kubectl delete {resource} {name}"), None),
            ]
        }
        ("deployments" | "statefulsets" | "replicasets" | "replicationcontrollers", None)
            if is_write =>
        {
            vec![
                save(resource),
                action(
                    Phase::Remove,
                    format!("kubectl scale {resource} {name}{place} --replicas=0"),
                    None,
                ),
            ]
        }
        ("cronjobs", None) if is_write => vec![
            save(resource),
            action(
                Phase::Remove,
                format!(
                    "kubectl patch cronjob {name}{place} -p '{{\"spec\":{{\"suspend\":true}}}}'"
                ),
                None,
            ),
        ],
        ("daemonsets" | "jobs" | "pods", None) if is_write => vec![
            save(resource),
            action(Phase::Remove, format!("kubectl delete {resource} {name}{place}"), None),
        ],
        ("namespaces", None) if is_write => vec![action(
            Phase::Remove,
            format!("kubectl get namespace {name} --show-labels"),
            Some("restore the labels pod-security.kubernetes.io/*"),
        )],
        ("secrets", None) if verb == "get" => vec![action(
            Phase::Rotate,
            format!("kubectl describe secret {name}{place}"),
            Some("replace its credentials at their source, then the Secret"),
        )],
        _ => Vec::new(),
    }
}

/// Returns text as one word of a shell. Names from a log may contain anything.
pub fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// Returns the next queries.
pub(super) fn queries(incident: &Incident) -> Vec<String> {
    let literal = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let mut queries = Vec::new();
    if let Some(identity) = incident.identities.first() {
        queries.push(format!(
            "SELECT time, verb, resource, namespace, name, outcome FROM timeline({}) ORDER BY time",
            literal(identity)
        ));
    }
    if let Some(client_ip) = incident.client_ips.first() {
        queries.push(format!(
            "SELECT username, count(*) AS requests, min(time) AS first, max(time) AS last FROM events WHERE client_ip = {} GROUP BY username",
            literal(client_ip)
        ));
    }
    let mut names = incident.objects.iter().filter_map(|object| object.rsplit(['/', ' ']).next());
    if let Some(name) = names.next_back() {
        queries.push(format!(
            "SELECT time, username, verb, resource, subresource, outcome FROM events WHERE name = {} ORDER BY time",
            literal(name)
        ));
    }
    queries
}
