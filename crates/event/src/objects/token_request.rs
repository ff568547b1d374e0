//! Requests for a service account token. The token itself is only in the body column.

use crate::column::Text;
use crate::objects::bodies::{Bodies, body_source};
use crate::row;

row! {
    /// A `TokenRequest` (`authentication.k8s.io`), written to `serviceaccounts/token`.
    pub struct TokenRequest<'a> builds TokenRequestBuilder {
        /// Body that the row shows: `response`, `request` or `none`.
        pub body_source: Option<Text<'a>>,
        /// `spec.audiences`. Null or empty for the API server.
        pub audiences: Option<Vec<Text<'a>>>,
        /// `spec.expirationSeconds`: lifetime in seconds.
        pub expiration_seconds: Option<i64>,
        /// `spec.boundObjectRef.kind`: the token expires with this object.
        pub bound_kind: Option<Text<'a>>,
        /// `spec.boundObjectRef.name`.
        pub bound_name: Option<Text<'a>>,
        /// `spec.boundObjectRef.uid`.
        pub bound_uid: Option<Text<'a>>,
    }
}

pub(crate) fn token_request<'a>(bodies: &Bodies<'a, '_>) -> TokenRequest<'a> {
    let body = bodies.object("TokenRequest", &["spec"]);
    let mut row =
        TokenRequest { body_source: Some(body_source(body.as_ref())), ..TokenRequest::default() };
    let Some(spec) = body.and_then(|body| body.json.get("spec")) else { return row };
    row.audiences = spec.texts("audiences");
    row.expiration_seconds = spec.int("expirationSeconds");
    if let Some(bound) = spec.get("boundObjectRef") {
        row.bound_kind = bound.text("kind");
        row.bound_name = bound.text("name");
        row.bound_uid = bound.text("uid");
    }
    row
}
