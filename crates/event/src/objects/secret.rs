//! Secrets that requests write: everything except their values.

use std::borrow::Cow;

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::column::Text;
use crate::json::members::Value;
use crate::objects::bodies::{Bodies, body_source};
use crate::objects::embedded::Embedded;
use crate::objects::extract::powers_in_secret;
use crate::objects::fields::set_keys;
use crate::row;

row! {
    /// Secret that a request writes.
    pub struct Secret<'a> builds SecretBuilder {
        /// Body that the row shows: `response`, `request`, `patch` or `none`.
        pub body_source: Option<Text<'a>>,
        /// `type`, such as `kubernetes.io/service-account-token`. Null if unset, which means `Opaque`.
        pub r#type: Option<Text<'a>>,
        /// Annotation `kubernetes.io/service-account.name`: the service account whose token the Secret holds.
        pub service_account_name: Option<Text<'a>>,
        /// Keys of `data` and `stringData`, never the values. For a patch, the keys that it sets.
        pub keys: Option<Vec<Text<'a>>>,
    }
}

pub(crate) fn secret<'a>(bodies: &Bodies<'a, '_>) -> Secret<'a> {
    let body = bodies.object("Secret", &["data", "stringData", "type"]);
    let mut row = Secret { body_source: Some(body_source(body.as_ref())), ..Secret::default() };
    let Some(body) = body else { return row };
    row.r#type = body.json.text("type");
    row.service_account_name = body
        .json
        .at(&["metadata", "annotations"])
        .and_then(|annotations| annotations.text("kubernetes.io/service-account.name"));
    row.keys = match (set_keys(body.json, "data"), set_keys(body.json, "stringData")) {
        (None, None) => body.whole.then(Vec::new),
        (data, strings) => Some(data.into_iter().chain(strings).flatten().collect()),
    };
    row
}

/// The members that decide whether an event writes a Secret, with its bodies.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Write<'a> {
    #[serde(borrow)]
    verb: Cow<'a, str>,
    #[serde(borrow)]
    object_ref: ObjectRef<'a>,
    #[serde(borrow)]
    request_object: Option<&'a RawValue>,
    #[serde(borrow)]
    response_object: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ObjectRef<'a> {
    #[serde(borrow)]
    resource: Cow<'a, str>,
    #[serde(borrow)]
    api_group: Option<Cow<'a, str>>,
}

/// Returns what the manifests in a written Secret request, computed before its values are redacted.
///
/// Secrets in which Helm keeps releases are excluded: the requests that applied the release show the same. To be
/// excluded, a Secret must contain only the key of a release, which no other controller reads manifests from.
pub(crate) fn embedded_in_values(event: &[u8]) -> Option<Embedded<'static>> {
    memmem::find(event, b"\"secrets\"")?;
    let event: Write<'_> = serde_json::from_slice(event).ok()?;
    let is_write = matches!(&*event.verb, "create" | "update" | "patch");
    let is_core = event.object_ref.api_group.is_none_or(|group| group.is_empty());
    if !is_write || !is_core || &*event.object_ref.resource != "secrets" {
        return None;
    }
    let [request, response] = [event.request_object, event.response_object]
        .map(|body| body.map(|body| Value::of_text(body.get())));
    let bodies = Bodies::new(&event.verb, request, response);
    let secret = secret(&bodies);
    let is_release = secret.r#type.as_deref() == Some("helm.sh/release.v1")
        && secret.keys.is_some_and(|keys| matches!(&*keys, [key] if &**key == "release"));
    if is_release { None } else { powers_in_secret(&bodies) }
}
