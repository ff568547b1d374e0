//! Checks the headers of all detections of a pack, and the columns and values of their queries.

use std::collections::BTreeSet;
use std::fmt;

use chrono::DateTime;
use podtrail_query::{Limits, QueryError, Scope, Session};

use crate::check::lint_sql::{misses_applied, words};
use crate::pack::Pack;
use crate::pack::attack_names::{ATTACK_VERSION, AttackNames};
use crate::pack::detection::Head;
use crate::pack::facts::{FACTS, facts};

/// The controls of the CSA Cloud Controls Matrix that detections provide evidence for.
const CONTROLS: [&str; 4] = ["IAM-16", "AIS-06", "DSP-15", "IPY-03"];

/// The id in the file that `detections new` writes.
const PLACEHOLDER: &str = "WL-000";

/// A problem of a detection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintProblem {
    /// The id of the detection.
    pub detection: String,
    /// The problem.
    pub message: String,
}

impl fmt::Display for LintProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.detection, self.message)
    }
}

/// Checks every detection: header, columns, compared values and ATT&CK ids.
///
/// # Errors
/// If the pack's tables and views cannot be set up.
pub async fn lint(pack: &Pack) -> Result<Vec<LintProblem>, QueryError> {
    let session = Session::in_memory(&[], Scope::default(), Limits::default())?;
    let no_facts = facts(&[], |_, _| None).map_err(|error| QueryError::Sql(error.into()))?;
    let session = pack.prepare(&session, DateTime::UNIX_EPOCH)?.with_rows(FACTS, no_facts)?;
    let names = pack.attack_names();
    let mut problems = Vec::new();
    let never = pack.never_routine();
    for detection in pack.detections() {
        let mut messages = head(&detection.head, &names);
        if detection.head.routine.is_some() && never.contains(&detection.head.id) {
            messages.push("key 'routine' is not allowed for detections that `never_excepted` marks as never routine".to_owned());
        }
        let taken = detection.head.aliases.iter().filter(|alias| {
            pack.detections().any(|other| {
                other.head.id == **alias
                    || (other.head.id != detection.head.id && other.head.aliases.contains(alias))
            })
        });
        messages.extend(taken.map(|alias| format!("alias '{alias}' belongs to another detection")));
        messages.extend(misses_applied(&detection.sql));
        match session.sql(&detection.sql).await {
            Err(error) => messages.push(error.to_string()),
            Ok(query) => {
                let columns: BTreeSet<_> =
                    query.schema().fields().iter().map(|field| field.name().clone()).collect();
                for column in ["event_id", "reason"] {
                    if !columns.contains(column) {
                        messages.push(format!("query must return a column '{column}'"));
                    }
                }
                messages.extend(query.impossible_values()?);
                // Binding also checks that every parameter of the query is declared.
                match detection
                    .parameters(DateTime::UNIX_EPOCH)
                    .map(|values| query.with_parameters(values))
                {
                    Err(error) => messages.push(error.to_string()),
                    Ok(Err(error)) => messages.push(error.to_string()),
                    Ok(Ok(_)) => {}
                }
            }
        }
        let id = &detection.head.id;
        problems.extend(
            messages.into_iter().map(|message| LintProblem { detection: id.clone(), message }),
        );
    }
    for name in pack.views.keys() {
        // A detection that reads the view fails, too, but not every view has one.
        if let Err(error) = session.sql(&format!("SELECT * FROM {name}")).await {
            let message = error.to_string();
            problems.push(LintProblem { detection: format!("views/{name}"), message });
        }
    }
    problems.extend(unread(pack, &session).await?);
    Ok(problems)
}

/// The views whose columns show what an attacker may do.
const SECURITY_VIEWS: &[&str] = &[
    "workloads",
    "containers",
    "volumes",
    "bindings",
    "role_rules",
    "execs",
    "token_requests",
    "certificate_requests",
    "services",
    "ingresses",
    "secrets",
    "config_maps",
    "namespaces",
    "persistent_volumes",
    "network_policies",
    "webhooks",
];

/// Returns the columns of these views that no query of the pack reads, unless its table `unread_columns` gives a
/// reason.
async fn unread(pack: &Pack, session: &Session) -> Result<Vec<LintProblem>, QueryError> {
    // A pack without this table contains a user's own detections, which need not read every column.
    let Some(known) = pack.unread_columns() else { return Ok(Vec::new()) };
    let read: BTreeSet<_> = pack.queries().flat_map(words).collect();
    let mut problems = Vec::new();
    for view in SECURITY_VIEWS {
        let rows = session.sql(&format!("SELECT * FROM {view}")).await?;
        for field in rows.schema().fields() {
            let column = field.name();
            let is_known = known.contains(&(*view, column.as_str()));
            let message = match (read.contains(column), is_known) {
                (false, false) => format!(
                    "no detection reads column '{column}'; add one, or give a reason in the table unread_columns"
                ),
                (true, true) => {
                    format!(
                        "column '{column}' of the table unread_columns is read; remove it there"
                    )
                }
                _ => continue,
            };
            problems.push(LintProblem { detection: (*view).to_owned(), message });
        }
    }
    Ok(problems)
}

fn head(head: &Head, names: &AttackNames) -> Vec<String> {
    let mut messages = Vec::new();
    let lists = [
        ("attack", head.attack.is_empty()),
        ("tactics", head.tactics.is_empty()),
        ("blind_spots", head.blind_spots.is_none()),
        ("false_positives", head.false_positives.is_empty()),
        ("triage", head.triage.is_empty()),
        ("references", head.references.is_empty()),
        ("covers", head.covers.is_empty()),
    ];
    let missing = lists.iter().filter(|(_, is_missing)| *is_missing);
    messages.extend(missing.map(|(key, _)| format!("header lacks '{key}'")));
    let unknown = |kind: &str, value: &str| {
        let successor = names.successor(value).map(|new| format!("; use {new}"));
        let successor = successor.unwrap_or_default();
        format!("unknown {kind} '{value}' in ATT&CK {ATTACK_VERSION}{successor}")
    };
    let techniques = head.attack.iter().filter(|id| names.technique(id).is_none());
    messages.extend(techniques.map(|id| unknown("technique", id)));
    let tactics = head.tactics.iter().filter(|name| names.tactic_id(name).is_none());
    messages.extend(tactics.map(|name| unknown("tactic", name)));
    if head.covers.iter().any(|id| id == PLACEHOLDER) {
        messages.push(format!(
            "covers: {PLACEHOLDER} is a placeholder; name the ids of queries/README.md that it covers"
        ));
    }
    let strange = head.controls.iter().filter(|control| !CONTROLS.contains(&control.as_str()));
    messages.extend(strange.map(|control| format!("unknown control '{control}'")));
    messages
}
