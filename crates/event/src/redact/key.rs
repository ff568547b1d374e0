//! The redaction key of a lake, and the digests that replace secrets.

use std::fmt;

/// The prefix of a digest.
const MARK: &str = "redacted:";

/// Hexadecimal digits of a digest: 128 bits.
const DIGITS: usize = 32;

/// A key of 32 secret bytes for the digests of secrets.
///
/// Under one key, equal secrets have equal digests. Without the key a digest reveals nothing, not even to an attacker
/// who guesses secrets; with the key, guesses can be verified.
#[derive(Clone, PartialEq, Eq)]
pub struct RedactionKey([u8; 32]);

impl RedactionKey {
    /// Creates a key from random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Parses a key from 64 hexadecimal digits.
    pub fn from_hex(digits: &str) -> Option<Self> {
        blake3::Hash::from_hex(digits).ok().map(|bytes| Self(bytes.into()))
    }

    /// Returns the key as 64 hexadecimal digits, which are as secret as the key.
    pub fn to_hex(&self) -> String {
        blake3::Hash::from(self.0).to_hex().to_string()
    }

    /// Returns the replacement for a text that is treated as a secret.
    pub fn digest_of(&self, secret: &str) -> String {
        if is_digest(secret) { secret.to_owned() } else { self.digest(secret.as_bytes()) }
    }

    /// Returns the replacement for a secret: `redacted:` and 32 hexadecimal digits of its keyed BLAKE3 digest.
    pub(super) fn digest(&self, secret: &[u8]) -> String {
        let digest = blake3::keyed_hash(&self.0, secret).to_hex();
        format!("{MARK}{}", &digest[..DIGITS])
    }
}

impl fmt::Debug for RedactionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RedactionKey(…)")
    }
}

/// Returns whether a text is already such a digest, as in a log that was exported from a lake.
pub(super) fn is_digest(text: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.strip_prefix(MARK)
        .is_some_and(|digits| digits.len() == DIGITS && digits.bytes().all(is_digit))
}
