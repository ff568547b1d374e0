//! Digests in the place of secrets, before anything is made of an event: so no column, not even the digest of the
//! event, depends on a secret in clear.
//!
//! What is taken for secret:
//!
//! - values of `data` and `stringData` of Secrets, in requests, patches, responses, lists and tables, and of objects in
//!   other bodies that call themselves Secrets (templates, bundles, `List`);
//! - the same in copies: JSON in a string, such as `kubectl.kubernetes.io/last-applied-configuration` and the patches of
//!   mutating webhooks, and error messages that quote the object;
//! - tokens in TokenRequests and TokenReviews;
//! - bodies of OpenShift's OAuth tokens, and their names where these are the token;
//! - credentials in the query of a request URI.
//!
//! Names of keys stay, as does every other byte of the text. What should hold a secret and cannot be understood is
//! taken for one. Not secret are ConfigMaps, environment variables and commands of containers, certificate requests,
//! and custom resources: who puts a secret there has published it in the cluster.

mod key;
mod marks;
mod names;
mod query;
mod subject;
mod tokens;
mod walk;

use std::sync::LazyLock;

use aho_corasick::packed;
use memchr::memmem;
use serde_json::value::RawValue;

pub use key::RedactionKey;

use subject::Subject;
use walk::Walk;

/// A text without any of these has nothing to redact, if it has an object reference. Most have none, and are
/// looked at no further.
const SIGNS: [&str; 41] = [
    // A resource, the kind of an object, or one in JSON in a string.
    "\"secrets\"",
    "\"Secret\"",
    "\"SecretList\"",
    "Secret\\",
    "SecretList\\",
    "\"TokenRequest\"",
    "\"TokenReview\"",
    "TokenRequest\\",
    "TokenReview\\",
    "\"tokenreviews\"",
    "subresource\":\"token\"",
    "subresource\": \"token\"",
    "oauthaccesstokens",
    "oauthauthorizetokens",
    // Parameters of a request URI, in the usual cases.
    "oken=",
    "OKEN=",
    "ecret=",
    "ECRET=",
    "assword=",
    "ASSWORD=",
    "asswd=",
    "ASSWD=",
    "ignature=",
    "IGNATURE=",
    "ssertion=",
    "pi_key=",
    "pi-key=",
    "pikey=",
    "piKey=",
    "API_KEY=",
    "cess_key=",
    "cessKey=",
    "jwt=",
    "pass=",
    "pwd=",
    "sig=",
    "\\u003d",
    // ASCII letters that nobody has a reason to escape.
    "\\u004",
    "\\u005",
    "\\u006",
    "\\u007",
];

/// Searches for all of them at once; not there on a processor without the instructions for it.
static SIGN: LazyLock<Option<packed::Searcher>> =
    LazyLock::new(|| packed::Searcher::new(SIGNS.iter()));

/// The JSON text of an event with digests for its secrets; nothing where it has none, or is no JSON.
///
/// Redacting again changes nothing.
pub fn redact(event: &[u8], key: &RedactionKey) -> Option<Vec<u8>> {
    if !has_sign(event) {
        return None;
    }
    let event = valid(event)?;
    let Subject { scope, name } = Subject::of(event);
    let walk = Walk { key, secret: name.as_deref() };
    walk.event(event, scope).map(String::into_bytes)
}

/// The same for the record that an event was put together from, which may be one that was cut short.
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
        // What was cut off may be what says that the rest is a secret.
        None if is_cut => Some(key.digest(record).into_bytes()),
        // Something else around the event, a line of text for example: where the event has a secret, it has it too.
        None => redact(event, key).map(|_| key.digest(record).into_bytes()),
    }
}

/// Whether it is worth reading a text for secrets.
fn has_sign(text: &[u8]) -> bool {
    static REFERENCE: LazyLock<memmem::Finder<'_>> =
        LazyLock::new(|| memmem::Finder::new("\"objectRef\""));
    SIGN.as_ref().is_none_or(|sign| sign.find(text).is_some())
        || (REFERENCE.find(text).is_none()
            && ["secrets", "tokenreviews"]
                .iter()
                .any(|name| memmem::find(text, name.as_bytes()).is_some()))
}

/// The text, if it is valid JSON.
fn valid(json: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(json).ok()?;
    serde_json::from_str::<&RawValue>(text).ok().map(|_| text)
}
