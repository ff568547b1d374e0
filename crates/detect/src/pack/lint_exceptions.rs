//! How wide an exception may be: what the built-in pack must not hold, and what users are warned of.

use std::collections::BTreeSet;
use std::fmt;

use crate::pack::Pack;
use crate::pack::exceptions::{Effect, Exception, Origin};
use crate::pack::pattern::ImagePattern;

/// What is wrong with an exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionProblem {
    /// The exception's id.
    pub exception: String,
    /// What is wrong.
    pub message: String,
    /// Whether it is refused; else it is a warning, to somebody who answers for the exception.
    pub is_refused: bool,
}

impl fmt::Display for ExceptionProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let warning = if self.is_refused { "" } else { "warning: " };
        write!(formatter, "exception {}: {warning}{}", self.exception, self.message)
    }
}

/// Checks how wide the exceptions of a pack are. What is wider than it need be is refused in one that is built in, and a
/// warning in one of a user.
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

/// What an attacker may satisfy.
fn wide(
    exception: &Exception,
    detections: &BTreeSet<&str>,
    never: &BTreeSet<String>,
) -> Vec<String> {
    let mut messages = Vec::new();
    for pattern in &exception.detections {
        let id = pattern.text();
        if pattern.is_wild() {
            messages.push(format!("'{id}' covers detections that nobody thought of: name each"));
        } else if !detections.contains(id) {
            messages.push(format!("there is no detection '{id}'"));
        } else if never.contains(id) {
            messages.push(format!("what '{id}' finds is never a matter of course"));
        }
    }
    for pattern in exception.identities.iter().filter(|pattern| pattern.is_wild()) {
        messages.push(format!(
            "identities: whoever may create an account may take a name like '{pattern}': name each"
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
                .push(format!("{key}: whoever writes an object chooses '{pattern}': name each"));
        }
    }
    for pattern in exception.images.iter().flatten() {
        if pattern.is_wild_in_registry() && !is_registry_of_amazon(pattern) {
            messages.push(format!("images: '{pattern}' is in registries that anybody may run"));
        } else if pattern.is_wild_in_repository() {
            messages.push(format!(
                "images: '{pattern}' covers images with a shell: name each repository"
            ));
        }
    }
    messages
}

/// What is asked of an exception beside, where it holds for everybody.
fn not_for_all(exception: &Exception) -> Vec<String> {
    let mut messages = Vec::new();
    if exception.effect != Effect::Lower {
        messages.push("it must lower, not hide: 'effect: lower'".to_owned());
    }
    if exception.resources.is_none() {
        messages.push("it must name its resources".to_owned());
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
        messages.push("one of workloads must name their namespaces, names and images".to_owned());
    }
    if exception.images.iter().flatten().any(is_registry_of_amazon) && exception.providers.is_none()
    {
        messages.push("the registries of Amazon hold where the provider is known only".to_owned());
    }
    messages
}

/// Whether the only `*` in the registry is the region of an account of the Elastic Container Registry: Amazon says who has
/// the account, and everything below `amazonaws.com` is Amazon's.
fn is_registry_of_amazon(pattern: &ImagePattern) -> bool {
    let host = pattern.text().split('/').next().unwrap_or_default();
    let labels: Vec<&str> = host.split('.').collect();
    let [account, "dkr", "ecr", "*", "amazonaws", "com"] = labels.as_slice() else { return false };
    account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())
}
