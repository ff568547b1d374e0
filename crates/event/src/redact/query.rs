//! Credentials in the query of a request URI, as proxied programs take them.

use super::key::{RedactionKey, is_digest};

/// Parameters whose name ends so carry a credential; `-` counts as `_`, and case does not count.
const SECRET_ENDINGS: [&str; 12] = [
    "token",
    "secret",
    "password",
    "passwd",
    "signature",
    "assertion",
    "api_key",
    "apikey",
    "access_key",
    "accesskey",
    "secret_key",
    "private_key",
];

/// Names that are too short to be endings.
const SECRET_NAMES: [&str; 4] = ["jwt", "pass", "pwd", "sig"];

/// The URI with digests for the credentials in its query; nothing where it has none.
pub(super) fn redact_query(uri: &str, key: &RedactionKey) -> Option<String> {
    let (path, query) = uri.split_once('?')?;
    let mut redacted = format!("{path}?");
    let mut changed = false;
    for pair in query.split_inclusive('&') {
        match secret(pair.trim_end_matches('&')) {
            Some((name, secret)) => {
                redacted.extend([name, "=", &key.digest(secret.as_bytes())]);
                redacted.extend(pair.ends_with('&').then_some('&'));
                changed = true;
            }
            None => redacted += pair,
        }
    }
    changed.then_some(redacted)
}

/// The name as written, and the decoded value, of a parameter that carries a credential.
fn secret(pair: &str) -> Option<(&str, String)> {
    let (written, value) = pair.split_once('=')?;
    let (name, secret) = form_urlencoded::parse(pair.as_bytes()).next()?;
    let name = name.to_ascii_lowercase().replace('-', "_");
    let is_secret = SECRET_NAMES.contains(&&*name)
        || SECRET_ENDINGS.iter().any(|ending| name.ends_with(ending));
    (is_secret && !value.is_empty() && !is_digest(value)).then(|| (written, secret.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redact(uri: &str) -> Option<String> {
        redact_query(uri, &RedactionKey::new([7; 32]))
    }

    #[test]
    fn what_names_a_credential_is_one() {
        for name in [
            "token",
            "access_token",
            "id_token",
            "client_secret",
            "password",
            "X-Amz-Security-Token",
            "X-Amz-Signature",
            "apiKey",
            "api-key",
            "jwt",
            "acc%65ss_token",
        ] {
            let redacted = redact(&format!("/x?a=1&{name}=hunter%32&b=2")).unwrap();
            assert!(redacted.starts_with(&format!("/x?a=1&{name}=redacted:")), "{redacted}");
            assert!(redacted.ends_with("&b=2"), "{redacted}");
            assert!(!redacted.contains("hunter"), "{redacted}");
            assert_eq!(redact(&redacted), None);
        }
    }

    #[test]
    fn what_the_api_server_takes_is_none() {
        for uri in [
            "/api/v1/pods",
            "/api/v1/pods?limit=500&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEi&timeoutSeconds=3&watch=true",
            "/api/v1/namespaces/a/pods/b/exec?command=--token%3Dabc&container=c&stdin=true",
            "/x/token=abc",
            "/x?token=&token&a==",
            "/x?",
        ] {
            assert_eq!(redact(uri), None, "{uri}");
        }
    }

    #[test]
    fn equal_credentials_are_equal_however_they_are_written() {
        let a = redact("/x?token=a%2Fb").unwrap();
        let b = redact("/x?token=a/%62").unwrap();
        assert_eq!(a, b);
        assert_ne!(a, redact("/x?token=a").unwrap());
    }
}
