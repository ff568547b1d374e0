//! The properties of an event that determine which parts of it are secret.

use super::key::is_digest;
use crate::json::tokens::{decode, members};

/// The prefix of names of OpenShift token objects that are a digest of the token, not the token (OpenShift 4.6).
const HASHED_TOKEN: &str = "sha256~";

/// Shorter names of token objects are not tokens: OpenShift rejects them.
const LEAST_TOKEN: usize = 20;

/// What is treated as a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Nothing.
    Nothing,
    /// What the kind of an object implies: a Secret or a token request anywhere.
    ByKind,
    /// Data of Secrets, and copies of them.
    Secret,
    /// Tokens in token requests and token reviews.
    Token,
    /// Whole bodies, those of OpenShift's token objects.
    Bodies,
}

/// The subject of an event.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) scope: Scope,
    /// A token that is the name of the object, and so occurs in URI, reference and messages.
    pub(super) name: Option<String>,
}

impl Subject {
    /// Returns the subject of a text without object reference.
    pub(super) fn unknown() -> Self {
        Self { scope: Scope::ByKind, name: None }
    }

    /// Reads the subject of an event, which is valid JSON.
    pub(super) fn of(event: &str) -> Self {
        let mut subject = Self::unknown();
        let members = members(event);
        let mut has_reference = false;
        for (key, value) in &members {
            if key.eq_ignore_ascii_case("objectRef") {
                has_reference |= subject.read_reference(value);
            }
        }
        if !has_reference {
            for (key, value) in &members {
                if key.eq_ignore_ascii_case("requestURI") {
                    subject.read_uri(&decode(value).unwrap_or_default());
                }
            }
        }
        subject
    }

    fn read_reference(&mut self, reference: &str) -> bool {
        let members = members(reference);
        let texts = |key: &'static str| {
            let named = members.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(key));
            named.filter_map(|(_, value)| decode(value))
        };
        let subresource = texts("subresource").next().unwrap_or_default();
        for resource in texts("resource") {
            self.note(&resource.to_ascii_lowercase(), &subresource);
        }
        if self.scope == Scope::Bodies {
            self.name = texts("name").find(|name| is_token(name)).map(Into::into);
        }
        texts("resource").next().is_some()
    }

    fn read_uri(&mut self, uri: &str) {
        let path = uri.split('?').next().unwrap_or_default();
        for segment in path.split('/') {
            self.note(segment, "");
        }
    }

    fn note(&mut self, resource: &str, subresource: &str) {
        match resource {
            "secrets" => self.scope = Scope::Secret,
            "tokenreviews" => self.scope = Scope::Token,
            "serviceaccounts" if subresource.eq_ignore_ascii_case("token") => {
                self.scope = Scope::Token;
            }
            "oauthaccesstokens" | "oauthauthorizetokens" => self.scope = Scope::Bodies,
            _ => {}
        }
    }
}

/// Returns whether the name of a token object is the token.
fn is_token(name: &str) -> bool {
    name.len() >= LEAST_TOKEN && !name.starts_with(HASHED_TOKEN) && !is_digest(name)
}

/// Returns the scope of an object whose kind is `kind`.
pub(super) fn scope_of_kind(kind: &str) -> Option<Scope> {
    match kind {
        "Secret" | "SecretList" => Some(Scope::Secret),
        "TokenRequest" | "TokenReview" => Some(Scope::Token),
        _ => None,
    }
}
