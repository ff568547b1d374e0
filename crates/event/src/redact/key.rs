//! The key of a lake's redactions, and what stands in the place of a secret.

use std::fmt;

/// What a digest begins with.
const MARK: &str = "redacted:";

/// Hexadecimal digits of a digest: 128 bits.
const DIGITS: usize = 32;

/// 32 secret bytes under which secrets are digested.
///
/// Under one key equal secrets have equal digests. Without the key a digest says nothing, not even to somebody who
/// guesses; with it, guesses can be tried.
#[derive(Clone, PartialEq, Eq)]
pub struct RedactionKey([u8; 32]);

impl RedactionKey {
    /// A key of random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key that 64 hexadecimal digits say.
    pub fn from_hex(digits: &str) -> Option<Self> {
        blake3::Hash::from_hex(digits).ok().map(|bytes| Self(bytes.into()))
    }

    /// The key as 64 hexadecimal digits, to be kept as secret as the key.
    pub fn to_hex(&self) -> String {
        blake3::Hash::from(self.0).to_hex().to_string()
    }

    /// What stands for a text that is taken for a secret.
    pub fn digest_of(&self, secret: &str) -> String {
        if is_digest(secret) { secret.to_owned() } else { self.digest(secret.as_bytes()) }
    }

    /// What stands for a secret: `redacted:` and 32 hexadecimal digits of its keyed BLAKE3 digest.
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

/// Whether a text is such a digest already, as in a log that was exported from a lake.
pub(super) fn is_digest(text: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.strip_prefix(MARK)
        .is_some_and(|digits| digits.len() == DIGITS && digits.bytes().all(is_digit))
}
