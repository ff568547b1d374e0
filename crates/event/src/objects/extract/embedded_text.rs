//! Objects in text: JSON, YAML, templates of it, and Base64 of any of these.

use std::borrow::Cow;
use std::io::Read;

use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use flate2::read::MultiGzDecoder;

use crate::column::Text;
use crate::json::value::Json;

/// Maximum number of nodes of one search.
pub(super) const MAX_NODES: usize = 200_000;

/// Base64 of a relevant pod spec or role is longer on one line; a `uid` is shorter.
const ENCODED_RUN: usize = 40;

/// Returns whether a text has a run of Base64 characters that is long enough for a manifest.
pub(super) fn has_encoded_run(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut from = 0;
    // Skips text that cannot belong to a run with its last character.
    while let Some(run) = bytes.get(from..from + ENCODED_RUN) {
        match run.iter().rposition(|byte| !is_base64(*byte)) {
            None => return true,
            Some(at) => from += at + 1,
        }
    }
    false
}

/// Returns whether a byte is Base64, in the standard or URL alphabet.
pub(super) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Decodes Base64, also compressed by gzip, to at most `limit` bytes.
///
/// Fleet, Helm, Cluster API, Ignition and cloud-init carry manifests and node files in this form. Other encodings of
/// other controllers are not guessed.
pub(super) fn decoded(text: &str, limit: usize) -> Option<String> {
    // A data URL.
    let text = text.split_once(";base64,").map_or(text, |(_, data)| data);
    let mut plain = Vec::with_capacity(text.len().min(limit));
    for byte in text.bytes().take(limit) {
        match byte {
            b'-' => plain.push(b'+'),
            b'_' => plain.push(b'/'),
            byte if is_base64(byte) => plain.push(byte),
            // Decoders skip line breaks, which `base64` writes.
            b'\r' | b'\n' | b' ' | b'=' => {}
            _ => return None,
        }
    }
    if plain.len() < ENCODED_RUN {
        return None;
    }
    let bytes = BASE64.decode(plain).ok()?;
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut expanded = Vec::new();
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        // The beginning of a damaged or longer stream is searched all the same.
        let _end = MultiGzDecoder::new(&*bytes).take(limit).read_to_end(&mut expanded);
        expanded
    } else {
        bytes
    };
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Base64 without padding, whose last character may have unused bits.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// Returns the objects and lists in a text of JSON or YAML, as written or, if that fails, with template directives
/// removed.
pub(super) fn documents(text: &str) -> Vec<Json<'static>> {
    parsed(text).unwrap_or_else(|| match without_directives(text) {
        Cow::Borrowed(_) => Vec::new(),
        Cow::Owned(text) => parsed(&text).unwrap_or_default(),
    })
}

/// Returns the objects and lists in a text; `None` if it is neither JSON nor YAML.
pub(super) fn parsed(text: &str) -> Option<Vec<Json<'static>>> {
    let trimmed = text.trim_start();
    if trimmed.starts_with(['{', '['])
        && let Ok(json) = serde_json::from_str::<Json<'_>>(trimmed)
    {
        return Some(vec![owned(json)]);
    }
    let options = serde_saphyr::options! {
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_events: MAX_NODES,
            max_aliases: 1000,
            max_anchors: 1000,
            max_recorded_anchor_events: MAX_NODES,
        },
    };
    let documents: Vec<Json<'_>> = serde_saphyr::from_multiple_with_options(text, options).ok()?;
    let is_structured = |json: &Json<'_>| matches!(json, Json::Object(_) | Json::Array(_));
    Some(documents.into_iter().filter(is_structured).map(owned).collect())
}

/// Returns a text without the directives of a template engine or workflow, which a YAML parser rejects: lines that
/// consist of a directive are removed, other `{{…}}` are replaced by a word.
pub(super) fn without_directives(text: &str) -> Cow<'_, str> {
    if !text.contains("{{") {
        return Cow::Borrowed(text);
    }
    let is_directive = |line: &str| {
        let line = line.trim();
        line.starts_with("{{") && line.ends_with("}}")
    };
    let lines: Vec<&str> = text.lines().filter(|line| !is_directive(line)).collect();
    Cow::Owned(filled(&lines.join("\n"), "x").into_owned())
}

/// Returns a text with `word` in place of each `{{…}}`.
pub(super) fn filled<'t>(text: &'t str, word: &str) -> Cow<'t, str> {
    let Some((first, mut rest)) = text.split_once("{{") else { return Cow::Borrowed(text) };
    let mut plain = first.to_owned();
    while let Some((_, after)) = rest.split_once("}}") {
        plain.push_str(word);
        if let Some((between, next)) = after.split_once("{{") {
            plain.push_str(between);
            rest = next;
        } else {
            plain.push_str(after);
            return Cow::Owned(plain);
        }
    }
    Cow::Owned(plain)
}

/// Returns a value that borrows nothing. `yes` and similar words become booleans where the API has one, because tools
/// read YAML 1.1.
pub(super) fn owned(json: Json<'_>) -> Json<'static> {
    const FLAGS: [&str; 5] = ["hostPID", "hostIPC", "hostNetwork", "privileged", "adminAccess"];
    const YES: [&str; 10] = ["yes", "Yes", "YES", "on", "On", "ON", "y", "Y", "True", "TRUE"];
    match json {
        Json::Null => Json::Null,
        Json::Bool(value) => Json::Bool(value),
        Json::Number(value) => Json::Number(value),
        Json::Text(text) => Json::Text(text.0.into_owned().into()),
        Json::Array(elements) => Json::Array(elements.into_iter().map(owned).collect()),
        Json::Object(members) => Json::Object(
            members
                .into_iter()
                .map(|(key, value)| {
                    let is_yes = |text: &Text<'_>| YES.contains(&&**text);
                    let value = match value {
                        Json::Text(text) if FLAGS.contains(&&*key) && is_yes(&text) => {
                            Json::Bool(true)
                        }
                        other => owned(other),
                    };
                    (key.0.into_owned().into(), value)
                })
                .collect(),
        ),
    }
}

/// Returns whether a text sets a name to true: `hostPID: true`, `"hostPID": true`, or a patch of a path that ends in
/// it.
pub(super) fn sets_true(text: &str, key: &str) -> bool {
    /// Maximum distance of a value after its path.
    const NEAR: usize = 80;
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let punctuation = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | ')' | ']');
    memchr::memmem::find_iter(text.as_bytes(), key.as_bytes()).any(|at| {
        let (Some(before), Some(after)) = (text.get(..at), text.get(at + key.len()..)) else {
            return false;
        };
        if before.as_bytes().last().is_some_and(is_word) {
            return false;
        }
        let after = after.trim_start_matches(punctuation);
        let is_true = |value: &str| value.trim_start_matches(punctuation).starts_with("true");
        if let Some(value) = after.strip_prefix(':') {
            return is_true(value);
        }
        let near = after.get(..after.floor_char_boundary(NEAR)).unwrap_or_default();
        before.ends_with('/')
            && near
                .split_once("value")
                .and_then(|(_, value)| value.trim_start_matches(punctuation).strip_prefix(':'))
                .is_some_and(is_true)
    })
}

/// Returns the first host path in a text.
pub(super) fn host_path_in(text: &str) -> Option<&str> {
    /// Maximum distance of a path after `hostPath`.
    const NEAR: usize = 120;
    memchr::memmem::find_iter(text.as_bytes(), b"hostPath").find_map(|at| {
        let after = text.get(at + "hostPath".len()..)?;
        let near = after.get(..after.floor_char_boundary(NEAR))?;
        let (_, value) = near.split_once("path")?;
        let value = value.trim_start_matches(['"', '\'', '\\', ':', ' ', '\t']);
        let end = value.find(['"', '\'', '\\', ',', '}', ' ', '\n', '\r']).unwrap_or(value.len());
        value.get(..end).filter(|path| path.starts_with('/'))
    })
}
