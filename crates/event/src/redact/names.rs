//! Under which names secrets stand.

use super::subject::Scope;

/// Members that are bodies: in an event, and in the log entries of clouds.
const EVENT_BODIES: [&str; 2] = ["requestObject", "responseObject"];
const ENTRY_BODIES: [&str; 2] = ["request", "response"];

/// How the strings and numbers below a value are to be taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Cover {
    /// As they come.
    #[default]
    None,
    /// Each is a secret.
    Text,
    /// Each is a secret in base64.
    Base64,
    /// The value is a secret as a whole.
    Whole,
}

/// Whether what stands under a name is secret. Case does not count: a misspelled member is ignored by the API server,
/// and its value logged.
pub(super) fn cover(scope: Scope, name: &str) -> Cover {
    match scope {
        Scope::Secret if name.eq_ignore_ascii_case("data") => Cover::Base64,
        Scope::Secret if name.eq_ignore_ascii_case("stringData") => Cover::Text,
        Scope::Token if name.eq_ignore_ascii_case("token") => Cover::Text,
        Scope::Bodies if is_body(name) || ENTRY_BODIES.contains(&name) => Cover::Whole,
        _ => Cover::None,
    }
}

/// Whether a member of an event is a body.
pub(super) fn is_body(name: &str) -> bool {
    EVENT_BODIES.contains(&name)
}

/// Whether an annotation holds a copy of the object, or a patch to it. Copies may be compressed (Rancher's are).
pub(super) fn is_copy(annotation: &str) -> bool {
    annotation.contains("last-applied")
        || annotation.ends_with("/applied")
        || annotation.starts_with("patch.webhook.admission.k8s.io/")
}
