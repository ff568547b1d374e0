//! The Secret that a request writes: everything but its values.

use crate::column::Text;
use crate::extract::{Bodies, body_source, set_keys};
use crate::row;

row! {
    /// The Secret that a request writes.
    pub struct Secret<'a> builds SecretBuilder {
        /// Which body the row shows: `response`, `request`, `patch` or `none`.
        pub body_source: Option<Text<'a>>,
        /// `type`, such as `kubernetes.io/service-account-token`; null where unset, which means `Opaque`.
        pub r#type: Option<Text<'a>>,
        /// Annotation `kubernetes.io/service-account.name`: the account whose token the Secret is to hold.
        pub service_account_name: Option<Text<'a>>,
        /// The keys of `data` and `stringData`; never the values. Of a patch those that it sets.
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
