//! Redaction: replaces secrets with digests before an event is processed, so that no column, not even the digest of the
//! event, depends on a plain secret.
//!
//! Treated as secrets:
//!
//! - values of `data` and `stringData` of Secrets, in requests, patches, responses, lists and tables, and of objects in
//!   other bodies whose kind is Secret (templates, bundles, `List`);
//! - the same in copies: JSON in a string, such as `kubectl.kubernetes.io/last-applied-configuration` and the patches of
//!   mutating webhooks, and error messages that quote the object;
//! - tokens in TokenRequests and TokenReviews;
//! - bodies of OpenShift's OAuth tokens, and their names if these are the token;
//! - credentials in a request URI: in parameters of its query, fragment and path, before a host, and in URIs in these;
//! - text in a damaged record that may be any of these.
//!
//! Names of keys stay, as does every other byte of the text. A value that should contain a secret and cannot be parsed
//! is treated as one. ConfigMaps, environment variables and commands of containers, certificate requests, and custom
//! resources are not secret: a user who puts a secret there has published it in the cluster.

mod damaged;
mod key;
mod marks;
mod names;
mod query;
mod signs;
mod subject;
mod walk;

pub use damaged::redact_damaged;
pub use key::RedactionKey;

use signs::{has_sign, valid};
use subject::Subject;
use walk::Walk;

/// Returns the JSON text of an event with digests for its secrets; `None` if it has none, or is not JSON.
///
/// Redaction is idempotent.
pub fn redact(event: &[u8], key: &RedactionKey) -> Option<Vec<u8>> {
    if !has_sign(event) {
        return None;
    }
    let event = valid(event)?;
    let Subject { scope, name } = Subject::of(event);
    let walk = Walk { key, secret: name.as_deref() };
    walk.event(event, scope).map(String::into_bytes)
}

/// Redacts the record from which an event was rebuilt, which may be truncated.
pub fn redact_record(
    record: &[u8],
    event: &[u8],
    is_cut: bool,
    key: &RedactionKey,
) -> Option<Vec<u8>> {
    if !has_sign(record) && !has_sign(event) {
        return None;
    }
    let Subject { scope, name } = valid(event).map_or_else(Subject::unknown, Subject::of);
    let walk = Walk { key, secret: name.as_deref() };
    match valid(record) {
        Some(record) => walk.record(record, scope).map(String::into_bytes),
        // The truncated part may be what identifies the rest as a secret.
        None if is_cut => Some(key.digest(record).into_bytes()),
        // Other text around the event, for example a line of text: if the event contains a secret, so does the record.
        None => redact(event, key).map(|_| key.digest(record).into_bytes()),
    }
}
