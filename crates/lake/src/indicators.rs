//! Threat intelligence indicators that later runs of `detect` reuse: a file in the lake.

use std::fs;
use std::io::ErrorKind;

use crate::error::LakeError;
use crate::lake::Lake;
use crate::whole_file;

const FILE_NAME: &str = "indicators.jsonl";

impl Lake {
    /// Returns the last argument of [`remember_indicators`](Self::remember_indicators).
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read.
    pub fn indicators(&self) -> Result<Option<String>, LakeError> {
        let path = self.dir().join(FILE_NAME);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LakeError::io("read", &path)(error)),
        }
    }

    /// Stores indicators, one per line, in `indicators.jsonl` in the directory of the lake, and replaces previous ones.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written, which keeps the previous file, or its name cannot be made
    /// durable.
    pub fn remember_indicators(&self, lines: &str) -> Result<(), LakeError> {
        whole_file::replace(self.dir(), FILE_NAME, lines.as_bytes())
    }
}
