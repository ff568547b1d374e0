//! The key with which a lake's secrets are redacted: a file in the lake, created once.

use std::io;

use podtrail_event::RedactionKey;

use crate::error::LakeError;
use crate::lake::Lake;

const FILE_NAME: &str = "redaction.key";

impl Lake {
    /// Returns the key of this lake, and creates it if it does not exist.
    ///
    /// The key is in `redaction.key` in the lake: 64 hexadecimal digits. On disk only the owner can read it; in an object
    /// store, everyone who can read the lake.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read or written, or contains something else.
    pub fn redaction_key(&self) -> Result<RedactionKey, LakeError> {
        if let Some(key) = self.read_key()? {
            return Ok(key);
        }
        self.make_key()?;
        // Another process may have created the key first.
        self.read_key()?.ok_or_else(|| self.no_key())
    }

    fn no_key(&self) -> LakeError {
        LakeError::RedactionKey { place: self.folder.show(FILE_NAME) }
    }

    fn read_key(&self) -> Result<Option<RedactionKey>, LakeError> {
        let contents = self.folder.read(FILE_NAME);
        let contents = contents.map_err(LakeError::io("read", self.folder.show(FILE_NAME)))?;
        let Some(contents) = contents else { return Ok(None) };
        let digits = std::str::from_utf8(&contents).unwrap_or_default();
        let key = RedactionKey::from_hex(digits.trim_end());
        key.map(Some).ok_or_else(|| self.no_key())
    }

    fn make_key(&self) -> Result<(), LakeError> {
        let failed = || LakeError::io("write", self.folder.show(FILE_NAME));
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)
            .map_err(|error| failed()(io::Error::other(error.to_string())))?;
        let digits = format!("{}\n", RedactionKey::new(bytes).to_hex());
        self.folder.check_writable()?;
        self.folder.create(FILE_NAME, digits.as_bytes()).map_err(failed())
    }
}
