//! Threat intelligence indicators that later runs of `detect` reuse: a file in the lake.

use std::io::{self, ErrorKind};

use crate::error::LakeError;
use crate::lake::Lake;

const FILE_NAME: &str = "indicators.jsonl";

impl Lake {
    /// Returns the last argument of [`remember_indicators`](Self::remember_indicators).
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read.
    pub fn indicators(&self) -> Result<Option<String>, LakeError> {
        let failed = || LakeError::io("read", self.folder.show(FILE_NAME));
        let Some(contents) = self.folder.read(FILE_NAME).map_err(failed())? else {
            return Ok(None);
        };
        let invalid = |error| io::Error::new(ErrorKind::InvalidData, error);
        String::from_utf8(contents.into()).map(Some).map_err(invalid).map_err(failed())
    }

    /// Stores indicators, one per line, in `indicators.jsonl` in the lake, and replaces previous ones.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written, which keeps the previous file, or its name cannot be made
    /// durable.
    pub fn remember_indicators(&self, lines: &str) -> Result<(), LakeError> {
        self.folder.check_writable()?;
        let replaced = self.folder.replace(FILE_NAME, lines.as_bytes());
        replaced.map_err(LakeError::io("write", self.folder.show(FILE_NAME)))
    }
}
