//! Names of members that contain secrets.

use super::subject::Scope;

/// Members that are bodies: in an event, and in the log entries of clouds.
const EVENT_BODIES: [&str; 2] = ["requestObject", "responseObject"];
const ENTRY_BODIES: [&str; 2] = ["request", "response"];

/// How the strings and numbers in a value are treated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Cover {
    /// Unchanged.
    #[default]
    None,
    /// Each is a secret.
    Text,
    /// Each is a secret in base64.
    Base64,
    /// The value is a secret as a whole.
    Whole,
}

/// Returns how the value of a name is treated. Case is ignored: the API server ignores a misspelled member, but logs
/// its value.
pub(super) fn cover(scope: Scope, name: &str) -> Cover {
    match scope {
        Scope::Secret if name.eq_ignore_ascii_case("data") => Cover::Base64,
        Scope::Secret if name.eq_ignore_ascii_case("stringData") => Cover::Text,
        Scope::Token if name.eq_ignore_ascii_case("token") => Cover::Text,
        Scope::Bodies if is_body(name) || ENTRY_BODIES.contains(&name) => Cover::Whole,
        _ => Cover::None,
    }
}

/// Returns whether a member of an event is a body.
pub(super) fn is_body(name: &str) -> bool {
    EVENT_BODIES.contains(&name)
}

/// Returns whether an annotation contains a copy of the object, or a patch to it. Copies may be compressed (Rancher's
/// are).
pub(super) fn is_copy(annotation: &str) -> bool {
    annotation.contains("last-applied")
        || annotation.ends_with("/applied")
        || annotation.starts_with("patch.webhook.admission.k8s.io/")
}
