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
//! - credentials in a request URI: in parameters of its query, fragment and path, before a host, and in URIs in these;
//! - what may be any of these in a record that is damaged.
//!
//! Names of keys stay, as does every other byte of the text. What should hold a secret and cannot be understood is
//! taken for one. Not secret are ConfigMaps, environment variables and commands of containers, certificate requests,
//! and custom resources: who puts a secret there has published it in the cluster.

mod damaged;
mod key;
mod marks;
mod names;
mod query;
mod subject;
mod tokens;
mod walk;

use std::sync::LazyLock;

use aho_corasick::packed;
use memchr::{memchr2, memmem};
use serde_json::value::RawValue;

pub use damaged::redact_damaged;
pub use key::RedactionKey;

use subject::Subject;
use walk::Walk;

/// A text without any of these has nothing to redact, if it has an object reference. Most have none, and are
/// looked at no further.
const SIGNS: [&str; 18] = [
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
        || has_credential_in_uri(text)
}

/// Whether the request URI of an event has something to redact. A name that is written with escapes is a sign itself.
fn has_credential_in_uri(text: &[u8]) -> bool {
    static MEMBER: LazyLock<memmem::Finder<'_>> =
        LazyLock::new(|| memmem::Finder::new("requestURI\""));
    MEMBER.find_iter(text).any(|start| {
        let rest = text[start + "requestURI\"".len()..].trim_ascii_start();
        let Some(value) = rest.strip_prefix(b":").map(<[u8]>::trim_ascii_start) else {
            return false;
        };
        let Some(inner) = value.strip_prefix(b"\"") else { return false };
        let mut end = 0;
        while let Some(found) = inner.get(end..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
            end += found;
            if inner[end] == b'"' {
                break;
            }
            end += 2;
        }
        // What does not end is no valid text, which is looked at no further.
        let literal = value.get(..end + 2).and_then(|literal| str::from_utf8(literal).ok());
        let uri = literal.and_then(tokens::decode);
        // Under any key there is the same to redact.
        uri.is_none_or(|uri| query::redact_query(&uri, &RedactionKey::new([0; 32])).is_some())
    })
}

/// The text, if it is valid JSON.
fn valid(json: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(json).ok()?;
    serde_json::from_str::<&RawValue>(text).ok().map(|_| text)
}
