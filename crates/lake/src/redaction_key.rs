//! The key with which a lake's secrets are redacted: a file in the lake, created once.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use podtrail_event::RedactionKey;

use crate::error::LakeError;
use crate::lake::Lake;
use crate::whole_file;

const FILE_NAME: &str = "redaction.key";

impl Lake {
    /// Returns the key of this lake, and creates it if it does not exist.
    ///
    /// The key is in `redaction.key` in the directory of the lake: 64 hexadecimal digits that only the owner can read.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read or written, or contains something else.
    pub fn redaction_key(&self) -> Result<RedactionKey, LakeError> {
        let path = self.dir().join(FILE_NAME);
        if let Some(key) = read(&path)? {
            return Ok(key);
        }
        make(self.dir(), &path)?;
        // Another process may have created the key first.
        read(&path)?.ok_or_else(|| LakeError::RedactionKey { path })
    }
}

fn read(path: &Path) -> Result<Option<RedactionKey>, LakeError> {
    let digits = match fs::read_to_string(path) {
        Ok(digits) => digits,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == ErrorKind::InvalidData => String::new(),
        Err(error) => return Err(LakeError::io("read", path)(error)),
    };
    let key = RedactionKey::from_hex(digits.trim_end());
    key.map(Some).ok_or_else(|| LakeError::RedactionKey { path: path.to_path_buf() })
}

fn make(dir: &Path, path: &Path) -> Result<(), LakeError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| LakeError::io("write", path)(io::Error::other(error.to_string())))?;
    let digits = format!("{}\n", RedactionKey::new(bytes).to_hex());
    whole_file::create(dir, FILE_NAME, digits.as_bytes())
}
