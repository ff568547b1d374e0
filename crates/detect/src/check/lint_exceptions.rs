//! Checks that exceptions are not too broad: errors for built-in ones, warnings for those of users.

use std::collections::BTreeSet;
use std::fmt;

use crate::pack::Pack;
use crate::pack::exceptions::{Effect, Exception, Origin};
use crate::pack::pattern::ImagePattern;

/// A problem of an exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionProblem {
    /// The id of the exception.
    pub exception: String,
    /// The problem.
    pub message: String,
    /// Whether the exception is rejected; otherwise the problem is a warning to its owner.
    pub is_refused: bool,
}

impl fmt::Display for ExceptionProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let warning = if self.is_refused { "" } else { "warning: " };
        write!(formatter, "exception {}: {warning}{}", self.exception, self.message)
    }
}

/// Checks that the exceptions of a pack are not too broad. A broad built-in exception is rejected, a user's own
/// causes a warning.
pub fn lint_exceptions(pack: &Pack) -> Vec<ExceptionProblem> {
    let detections: BTreeSet<&str> =
        pack.detections().map(|detection| detection.head.id.as_str()).collect();
    let never = pack.never_excepted();
    let of_one = |exception: &Exception| {
        let mut messages = wide(exception, &detections, &never);
        let is_refused = exception.origin == Origin::BuiltIn;
        if is_refused {
            messages.extend(not_for_all(exception));
        }
        let id = exception.id.clone();
        messages.into_iter().map(move |message| ExceptionProblem {
            exception: id.clone(),
            message,
            is_refused,
        })
    };
    pack.exceptions().iter().flat_map(of_one).collect()
}

/// Returns the conditions that an attacker can satisfy.
fn wide(
    exception: &Exception,
    detections: &BTreeSet<&str>,
    never: &BTreeSet<String>,
) -> Vec<String> {
    let mut messages = Vec::new();
    for pattern in &exception.detections {
        let id = pattern.text();
        if pattern.is_wild() {
            messages.push(format!(
                "detections: '{id}' also covers detections added later; name each one"
            ));
        } else if !detections.contains(id) {
            messages.push(format!("unknown detection '{id}'"));
        } else if never.contains(id) {
            messages.push(format!("findings of '{id}' are never routine and must not be excepted"));
        }
    }
    for pattern in exception.identities.iter().filter(|pattern| pattern.is_wild()) {
        messages.push(format!(
            "identities: a user who can create accounts can choose a name that matches '{pattern}'; list each account by name"
        ));
    }
    let lists = [
        ("namespaces", &exception.namespaces),
        ("resources", &exception.resources),
        ("names", &exception.names),
        ("commands", &exception.commands),
    ];
    for (key, patterns) in lists {
        for pattern in patterns.iter().flatten().filter(|pattern| pattern.is_wild()) {
            messages
                .push(format!("{key}: the writer of an object can choose a value that matches '{pattern}'; name each one"));
        }
    }
    for pattern in exception.images.iter().flatten() {
        if pattern.is_wild_in_registry() && !is_registry_of_amazon(pattern) {
            messages.push(format!(
                "images: '{pattern}' matches registries under an attacker's control; specify the registry"
            ));
        } else if pattern.is_wild_in_repository() {
            messages.push(format!(
                "images: '{pattern}' matches images with a shell; name each repository"
            ));
        }
    }
    messages
}

/// Returns the further requirements for a built-in exception, which applies to all users.
fn not_for_all(exception: &Exception) -> Vec<String> {
    let mut messages = Vec::new();
    if exception.effect != Effect::Lower {
        messages.push("must lower findings, not hide them ('effect: lower')".to_owned());
    }
    if exception.resources.is_none() {
        messages.push("must name its resources".to_owned());
    }
    let of_workloads = |resource: &str| {
        const WORKLOADS: [&str; 7] = [
            "pods",
            "deployments",
            "daemonsets",
            "statefulsets",
            "replicasets",
            "jobs",
            "cronjobs",
        ];
        WORKLOADS.contains(&resource)
    };
    let mut resources = exception.resources.iter().flatten();
    if resources.any(|pattern| of_workloads(pattern.text()))
        && (exception.images.is_none()
            || exception.names.is_none()
            || exception.namespaces.is_none())
    {
        messages
            .push("must name namespaces, names and images, because it covers workloads".to_owned());
    }
    if exception.images.iter().flatten().any(is_registry_of_amazon) && exception.providers.is_none()
    {
        messages.push("must name its providers, because it covers registries of Amazon".to_owned());
    }
    messages
}

/// Returns whether the only `*` in the registry is the region of an Elastic Container Registry account: Amazon
/// assigns the accounts, and owns everything below `amazonaws.com`.
fn is_registry_of_amazon(pattern: &ImagePattern) -> bool {
    let host = pattern.text().split('/').next().unwrap_or_default();
    let labels: Vec<&str> = host.split('.').collect();
    let [account, "dkr", "ecr", "*", "amazonaws", "com"] = labels.as_slice() else { return false };
    account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())
}
