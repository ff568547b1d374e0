//! Credentials in request URIs of proxied programs: in the query, in query-like text, and before a host.
//!
//! A URI in a parameter is encoded, once or several times; so values are also parsed as URIs.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::key::{RedactionKey, is_digest};

/// Suffixes of names that contain a credential, with any prefix.
const SECRET_ENDINGS: [&str; 22] = [
    "token",
    "tokens",
    "tokenhint",
    "secret",
    "secrets",
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "signature",
    "assertion",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "credential",
    "credentials",
    "jwt",
    "sessid",
    "sessionid",
    "cookie",
    "cookies",
];

/// Words that are too short as a suffix: they must be the last word of a name, as in `user_pw` and `authKey`.
const SECRET_WORDS: [&str; 15] = [
    "auth",
    "authorization",
    "bearer",
    "cred",
    "creds",
    "key",
    "keys",
    "otp",
    "pass",
    "psw",
    "pw",
    "pwd",
    "sid",
    "sig",
    "session",
];

/// Names that contain a credential if they consist of nothing else.
const SECRET_NAMES: [&str; 11] = [
    "code",
    "codeverifier",
    "codes",
    "authcode",
    "authorizationcode",
    "ticket",
    "csrf",
    "pin",
    "nonce",
    // The state with which a login continues, which identity providers leave free-form.
    "relaystate",
    "wresult",
];

/// The prefix of names that contain a credential: `SAMLResponse`, `SAMLart`, `saml_token`.
const SECRET_BEGINNING: &str = "saml";

/// Schemes of the `Authorization` header, which precede a credential.
const SCHEMES: [&str; 5] = ["basic", "bearer", "digest", "negotiate", "token"];

/// Parameters of the API server with arbitrary values that are not credentials of proxied programs: a selector, a
/// command, or a list position.
const OWN_PARAMETERS: [&str; 5] =
    ["command", "continue", "fieldSelector", "labelSelector", "resourceVersion"];

/// Maximum nesting of URIs in parameters; text that is encoded more often is treated as secret.
const MAX_NESTING: usize = 6;

/// Maximum number of passes with findings; after that the whole URI is treated as secret.
const MAX_PASSES: usize = 8;

/// Returns the URI with digests for its credentials; `None` if it has none. Redaction is idempotent.
pub(super) fn redact_query(uri: &str, key: &RedactionKey) -> Option<String> {
    let is_plain = |byte: u8| !matches!(byte, b'?' | b'#' | b';' | b'@' | b'%');
    if uri.bytes().all(is_plain) {
        return None;
    }
    let mut redacted = uri_text(uri, key, 0)?;
    // A digest in place of a credential may change the meaning of adjacent text; the stored URI must contain no
    // credential.
    for _ in 0..MAX_PASSES {
        match uri_text(&redacted, key, 0) {
            Some(again) => redacted = again,
            None => return Some(redacted),
        }
    }
    Some(key.digest(uri.as_bytes()))
}

/// Redacts a URI at a nesting depth.
fn uri_text(uri: &str, key: &RedactionKey, nesting: usize) -> Option<String> {
    let after_hosts = user_info(uri, key);
    let uri = after_hosts.as_deref().unwrap_or(uri);
    let start = uri.find(['?', '#']).unwrap_or(uri.len());
    let (path, query) = uri.split_at(start);
    let new_path = path_text(path, key, nesting);
    let new_query = pairs(query, key, nesting);
    if new_path.is_none() && new_query.is_none() {
        return after_hosts;
    }
    let path = new_path.map_or(Cow::Borrowed(path), Cow::Owned);
    let query = new_query.map_or(Cow::Borrowed(query), Cow::Owned);
    Some([path, query].concat())
}

/// Returns a path with digests for text after a semicolon, or after an encoded question mark.
fn path_text(path: &str, key: &RedactionKey, nesting: usize) -> Option<String> {
    let start = path.find([';', '%'])?;
    // From the beginning of the segment.
    let start = path[..start].rfind('/').map_or(0, |slash| slash + 1);
    let (plain, rest) = path.split_at(start);
    let mut redacted = String::from(plain);
    let mut changed = false;
    for segment in rest.split_inclusive('/') {
        let text = segment.strip_suffix('/').unwrap_or(segment);
        let (name, parameters) = text.split_at(text.find(';').unwrap_or(text.len()));
        let new_name = name.contains('%').then(|| decoded(name)).and_then(|plain| {
            // Below the path itself it is a value, which may be anything.
            let has_query =
                nesting > 0 || plain.contains(['?', '#', ';', '@']) || is_encoded(&plain);
            has_query.then(|| nested(name, key, nesting))?
        });
        let new_parameters = pairs(parameters, key, nesting);
        changed |= new_name.is_some() || new_parameters.is_some();
        redacted.push_str(new_name.as_deref().unwrap_or(name));
        redacted.push_str(new_parameters.as_deref().unwrap_or(parameters));
        redacted.push_str(&segment[text.len()..]);
    }
    changed.then_some(redacted)
}

/// Returns a URI with digests for the passwords in `scheme://user:password@host`.
fn user_info(uri: &str, key: &RedactionKey) -> Option<String> {
    let mut redacted = String::new();
    let mut rest = uri;
    let mut copied = 0;
    let at = |rest: &str| uri.len() - rest.len();
    while let Some(slashes) = rest.find("//") {
        rest = &rest[slashes + 2..];
        let is_authority = slashes == 0 && at(rest) == 2 || uri[..at(rest) - 2].ends_with(':');
        let ends = |letter: char| "/?#\"'<>\\".contains(letter) || letter.is_whitespace();
        let authority = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let Some(user) = authority.rfind('@').filter(|_| is_authority) else { continue };
        let user = &authority[..user];
        let name = user.find(':').map_or(0, |colon| colon + 1);
        let secret = &user[name..];
        let is_known = is_digest(&decoded(secret)) || is_digest(&decoded(user));
        if !secret.is_empty() && !is_known {
            let start = at(rest) + name;
            redacted.push_str(&uri[copied..start]);
            // A plain colon would be read as the one before the password.
            redacted.push_str(&encode(&key.digest(decoded(secret).as_bytes())));
            copied = start + secret.len();
        }
        rest = &rest[authority.len()..];
    }
    (copied > 0).then(|| redacted + &uri[copied..])
}

/// Redacts pairs of names and values with any separator: a fragment may resemble a query, and contain another
/// one.
fn pairs(text: &str, key: &RedactionKey, nesting: usize) -> Option<String> {
    let is_separator = |letter: char| matches!(letter, '&' | ';' | '?' | '#');
    let mut redacted = String::new();
    let mut changed = false;
    for piece in text.split_inclusive(is_separator) {
        let pair = piece.trim_end_matches(is_separator);
        let new = match pair.split_once('=') {
            Some((name, value)) if is_secret(name) => {
                let plain = decoded(value);
                let is_new = !value.is_empty() && !is_digest(&plain);
                is_new.then(|| format!("{name}={}", key.digest(plain.as_bytes())))
            }
            Some((name, _)) if nesting == 0 && OWN_PARAMETERS.contains(&name) => None,
            Some((name, value)) => {
                nested(value, key, nesting).map(|value| format!("{name}={value}"))
            }
            None => nested(pair, key, nesting),
        };
        changed |= new.is_some();
        redacted.push_str(new.as_deref().unwrap_or(pair));
        redacted.push_str(&piece[pair.len()..]);
    }
    changed.then_some(redacted)
}

/// Returns a value that may be an encoded URI or pairs, with digests for the credentials in it.
fn nested(value: &str, key: &RedactionKey, nesting: usize) -> Option<String> {
    let plain = decoded(value);
    if is_digest(&plain) {
        return None;
    }
    if says_secret(&plain) {
        return Some(key.digest(plain.as_bytes()));
    }
    if plain == value && !plain.contains(['=', '@', '{', '[']) {
        return None;
    }
    if nesting >= MAX_NESTING {
        return Some(key.digest(plain.as_bytes()));
    }
    if plain.trim_start().starts_with(['{', '[']) && names_secret(&plain) {
        return Some(key.digest(plain.as_bytes()));
    }
    let redacted = match plain.find(['?', '#']) {
        None if plain.contains('=') && !plain.contains("://") => pairs(&plain, key, nesting + 1),
        _ => uri_text(&plain, key, nesting + 1),
    }?;
    Some(if plain == value { redacted } else { encode(&redacted) })
}

/// Returns whether a value is or contains `name:credential`, or a header such as `Bearer credential`, regardless of the
/// name of its parameter.
fn says_secret(value: &str) -> bool {
    if !value.contains([':', ' ', '%', '+']) {
        return false;
    }
    let value = decoded_whole(value);
    let is_end = |letter: char| letter.is_whitespace() || "/?#&;,|\\\"'<>(){}[]".contains(letter);
    let words: Vec<&str> = value.split(is_end).filter(|word| !word.is_empty()).collect();
    let is_scheme = |word: &str| SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme));
    words.iter().enumerate().any(|(number, word)| {
        let next = words.get(number + 1).copied();
        let credential = match word.split_once(':') {
            Some((name, rest)) if is_secret(name) => {
                Some(rest).filter(|it| !it.is_empty()).or(next)
            }
            // The other schemes are common words.
            None if word.eq_ignore_ascii_case("bearer") || number == 0 && is_scheme(word) => next,
            _ => None,
        };
        credential.is_some_and(|credential| !is_digest(credential))
    })
}

/// Returns whether JSON in a parameter has a member with a secret name.
fn names_secret(json: &str) -> bool {
    json.split('"').any(|text| text.len() <= 64 && is_secret(text))
}

/// Returns whether the value of a parameter with this name, as written, is a credential.
fn is_secret(written: &str) -> bool {
    let words = words(&decoded_whole(written));
    let (Some(last), joined) = (words.last(), words.concat()) else { return false };
    joined.starts_with(SECRET_BEGINNING)
        || SECRET_WORDS.contains(&&**last)
        || SECRET_NAMES.contains(&&*joined)
        || SECRET_ENDINGS.iter().any(|ending| joined.ends_with(ending))
}

/// Returns the words of a name in lower case: `Token[]`, `user[password]`, `api-key`, `authKey`. Trailing numbers are
/// ignored.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for letter in name.chars() {
        let is_start = !before.is_alphanumeric() || before.is_lowercase() && letter.is_uppercase();
        if letter.is_alphanumeric() {
            if is_start {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.extend(letter.to_lowercase());
            }
        }
        before = letter;
    }
    for word in &mut words {
        word.truncate(word.trim_end_matches(|letter: char| letter.is_ascii_digit()).len());
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Decodes a text that may be encoded several times.
fn decoded_whole(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..MAX_NESTING {
        if !is_encoded(&text) {
            break;
        }
        text = decoded(&text).into_owned().into();
    }
    text
}

fn is_encoded(text: &str) -> bool {
    text.contains(['%', '+'])
}

/// Decodes a part of a query.
fn decoded(text: &str) -> Cow<'_, str> {
    if !is_encoded(text) {
        return Cow::Borrowed(text);
    }
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8_lossy().into_owned().into()
}

fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redact(uri: &str) -> Option<String> {
        redact_query(uri, &RedactionKey::new([7; 32]))
    }

    #[test]
    fn parameters_named_like_credentials_are_redacted() {
        for name in [
            "token",
            "access_token",
            "id_token",
            "client_secret",
            "password",
            "X-Amz-Security-Token",
            "X-Amz-Signature",
            "X-Amz-Credential",
            "apiKey",
            "api-key",
            "jwt",
            "acc%65ss_token",
            "%2574oken",
            "pw",
            "user_pw",
            "auth",
            "key",
            "authKey",
            "code",
            "tokens",
            "Token[]",
            "token[0]",
            "user[password]",
            "user%5Bpassword%5D",
            "token.1",
            "token2",
            "PASSWD",
            "Auth",
            "session_cookie",
            "csrf",
            "pin",
            "SAMLResponse",
            "saml",
            "SAMLart",
            "RelayState",
            "relay_state",
            "id_token_hint",
            "code_verifier",
        ] {
            for (before, after) in
                [("?a=1&", "&b=2"), ("?a=1;", ";b=2"), ("#", ""), ("?a#b=1&", "")]
            {
                let redacted = redact(&format!("/x{before}{name}=hunter%32{after}"));
                let redacted = redacted.unwrap_or_else(|| panic!("{before}{name}"));
                assert!(redacted.starts_with(&format!("/x{before}{name}=redacted:")), "{redacted}");
                assert!(redacted.ends_with(after), "{redacted}");
                assert!(!redacted.contains("hunter"), "{redacted}");
                assert_eq!(redact(&redacted), None);
            }
        }
    }

    #[test]
    fn a_uri_in_a_uri_is_redacted_too() {
        let once = |text: &str| encode(text);
        for inner in [
            "https://x.example/cb?token=hunter2&a=1",
            "https://x.example/cb?a=1;pw=hunter2",
            "https://x.example/cb#access_token=hunter2",
            "https://user:hunter2@x.example/",
            "//user:hunter2@x.example/",
            "https://hunter2@x.example/",
            "token=hunter2",
            "/login;jsessionid=1;token=hunter2/x",
            r#"{"a":{"token":"hunter2"}}"#,
            r#"[{"password" : "hunter2"}]"#,
        ] {
            let mut value = inner.to_owned();
            for depth in 0..10 {
                let uri = format!("/x?next={value}&b=2");
                // Verbatim, an inner URI is a part of the outer one.
                let redacted = redact(&uri).unwrap_or_else(|| panic!("{uri}"));
                assert!(!redacted.contains("hunter"), "{depth}: {redacted}");
                assert!(redacted.starts_with("/x?next="), "{redacted}");
                assert!(redacted.ends_with("&b=2"), "{redacted}");
                assert_eq!(redact(&redacted), None, "{redacted}");
                value = once(&value);
            }
        }
    }

    #[test]
    fn credentials_before_the_query_are_redacted() {
        for uri in [
            "/proxy/https://user:hunter2@x.example/y",
            "/x;token=hunter2/y",
            "/x;a=1;Token[]=hunter2",
            "/x%3Ftoken=hunter2",
            "/x%253Ftoken%253Dhunter2/y",
            "https://hunter2@x.example",
        ] {
            let redacted = redact(uri).unwrap_or_else(|| panic!("{uri}"));
            assert!(!redacted.contains("hunter"), "{redacted}");
            assert_eq!(redact(&redacted), None, "{redacted}");
        }
    }

    #[test]
    fn values_in_the_format_of_a_credential_are_redacted() {
        for value in [
            "token:hunter2",
            "Token%3Ahunter2",
            "Bearer+hunter2",
            "bearer%20hunter2",
            "Bearer%2520hunter2",
            "Basic%20aHVudGVyMg",
            "Authorization:%20Bearer%20hunter2",
            "authorization%3A%20hunter2",
            "a:b,token:hunter2",
            "user:alice%7Cpassword:hunter2",
            "https://x.example/token:hunter2",
            "x%20Bearer%20hunter2",
        ] {
            for uri in [format!("/x?q={value}&b=2"), format!("/x?{value}&b=2")] {
                let redacted = redact(&uri).unwrap_or_else(|| panic!("{uri}"));
                assert!(!redacted.contains("hunter2") && !redacted.contains("aHVu"), "{redacted}");
                assert!(redacted.ends_with("&b=2"), "{redacted}");
                assert_eq!(redact(&redacted), None, "{redacted}");
            }
        }
        for uri in [
            "/x?q=10:30:00&r=token:&s=bearer&t=a%20token&u=a%20basic%20thing",
            "/x?name=system:controller:token-cleaner&image=registry:5000/key",
        ] {
            assert_eq!(redact(uri), None, "{uri}");
        }
    }

    #[test]
    fn parameters_of_the_api_server_are_kept() {
        for uri in [
            "/api/v1/pods",
            "/api/v1/pods?limit=500&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEi&timeoutSeconds=3&watch=true",
            "/api/v1/namespaces/a/pods/b/exec?command=--token%3Dabc&container=c&stdin=true",
            "/api/v1/pods?labelSelector=token%3Dabc%2Ckey%21%3Dx&fieldSelector=spec.nodeName%3Dn",
            "/api/v1/namespaces/a/pods/b/log?container=c&follow=true&sinceTime=2026-11-24T10%3A00%3A00Z",
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Acontroller%3Atoken-cleaner",
            "/x/token=abc",
            "/x?token=&token&a==",
            "/x?",
            "/x?monkey=1&encode=2&author=3&keyboard=4&passenger=5",
            "/x?a=%zz%&b=%",
            "/a//b@c/d",
        ] {
            assert_eq!(redact(uri), None, "{uri}");
        }
    }

    #[test]
    fn equal_credentials_have_equal_digests_in_any_encoding() {
        let a = redact("/x?token=a%2Fb").unwrap();
        let b = redact("/x?token=a/%62").unwrap();
        assert_eq!(a, b);
        assert_ne!(a, redact("/x?token=a").unwrap());
    }
}
