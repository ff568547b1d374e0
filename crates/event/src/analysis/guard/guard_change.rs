//! The changes that weaken a guard, while they are collected.

use serde_json::{Map, Value};

use crate::column::Text;
use crate::objects::kinds::{WorkloadKind, workload_kind};
use crate::row;

row! {
    /// Change that weakens or opens a guard.
    pub struct GuardChange<'a> builds GuardChangeBuilder {
        /// Kind of the change. For a policy: `removed`, `emptied`, `not enforced`, `exempted`, `narrowed`,
        /// `redirected`, `certificate`, `condition`, `opened`, `weakened`, `collected` (it was given an owner or a time
        /// to live) or `unseen`. For a namespace or node: `label`, `annotation`, `taint removed`, `taints replaced`,
        /// `control plane opened` (no taint is left), `cordoned`, `uncordoned`. For a workload: `removed`, `stopped`,
        /// `spec`.
        pub change: Option<Text<'a>>,
        /// Path of the field in the object; list elements by their name, else by their position.
        pub field: Option<Text<'a>>,
        /// Value before, as JSON. Null if there was none, or the log does not show the previous version.
        pub before: Option<Text<'a>>,
        /// Value after, as JSON. Null if there is none.
        pub after: Option<Text<'a>>,
        /// Whether the previous version is known.
        pub compared: Option<bool>,
    }
}

/// Maximum number of reported changes; more add no information.
pub(super) const MAX_CHANGES: usize = 64;
/// Maximum length of a reported value.
const MAX_SHOWN: usize = 400;

#[derive(Debug)]
pub(super) enum Kind {
    Policy,
    /// An exemption object: everything in it exempts objects.
    Exemption,
    /// A network policy: it lists what is permitted, and everything else is denied.
    Network,
    Namespace,
    Node,
    Workload(WorkloadKind),
}

impl Kind {
    pub(super) fn of(api_group: &str, resource: &str) -> Self {
        match (api_group, resource) {
            ("", "namespaces") => Self::Namespace,
            ("", "nodes") => Self::Node,
            (_, resource) if resource.ends_with("networkpolicies") => Self::Network,
            (_, "policyexceptions") | ("config.gatekeeper.sh", _) => Self::Exemption,
            _ => workload_kind(api_group, resource).map_or(Self::Policy, Self::Workload),
        }
    }
}

/// The changes found so far.
pub(super) struct Found {
    pub(super) rows: Vec<GuardChange<'static>>,
    pub(super) compared: bool,
}

impl Found {
    pub(super) fn new(compared: bool) -> Self {
        Self { rows: Vec::new(), compared }
    }

    pub(super) fn push(
        &mut self,
        change: &'static str,
        field: &str,
        before: Option<&Value>,
        after: Option<&Value>,
    ) {
        if self.rows.len() >= MAX_CHANGES {
            return;
        }
        self.rows.push(GuardChange {
            change: Some(change.into()),
            field: Some(field.to_owned().into()),
            before: before.map(shown),
            after: after.map(shown),
            compared: Some(self.compared),
        });
    }
}

pub(super) fn shown(value: &Value) -> Text<'static> {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.chars().take(MAX_SHOWN).collect::<String>().into()
}

/// Returns the content of an object without its identity.
pub(super) fn payload(object: &Value) -> Option<Value> {
    let members = object.as_object()?;
    let said = members
        .iter()
        .filter(|(key, _)| !matches!(key.as_str(), "apiVersion" | "kind" | "metadata" | "status"))
        .map(|(key, value)| (key.clone(), value.clone()));
    let said: Map<String, Value> = said.collect();
    (!said.is_empty()).then_some(Value::Object(said))
}
