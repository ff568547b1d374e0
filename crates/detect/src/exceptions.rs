//! Exceptions: findings that are known to be innocent, as data with owner, reason and expiry.
//!
//! An exception names who, where and what together, so that nobody hides behind a name alone.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use glob::Pattern;
use serde::Deserialize;

use crate::finding::Finding;

/// One exception. A list that is empty does not limit; patterns may use `*` for any characters.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Its id.
    pub id: String,
    /// Why these findings are innocent.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds; none is for good.
    #[serde(default)]
    pub expires: Option<NaiveDate>,
    /// The ids of the detections that it is about.
    pub detections: Vec<Globs>,
    /// The authenticated users.
    pub identities: Vec<Globs>,
    /// The namespaces; objects without one do not match.
    #[serde(default)]
    pub namespaces: Vec<Globs>,
    /// The images: each image of the finding must match one of them.
    #[serde(default)]
    pub images: Vec<Globs>,
    /// The names of the objects.
    #[serde(default)]
    pub names: Vec<Globs>,
    /// The clusters.
    #[serde(default)]
    pub clusters: Vec<Globs>,
}

/// A pattern in which `*` stands for any characters.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Globs(Pattern);

impl TryFrom<String> for Globs {
    type Error = glob::PatternError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Pattern::new(&text).map(Self)
    }
}

/// Why exceptions could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ExceptionError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not a list of exceptions.
    #[error("{}: {message}", path.display())]
    Yaml {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
}

/// Reads a file of exceptions.
///
/// # Errors
/// When it cannot be read, or is not a list of exceptions.
pub fn read_exceptions(path: &Path) -> Result<Vec<Exception>, ExceptionError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ExceptionError::Read { path: path.to_owned(), source })?;
    parse_exceptions(path, &text)
}

/// Reads exceptions from the text of the file at `path`.
pub(crate) fn parse_exceptions(path: &Path, text: &str) -> Result<Vec<Exception>, ExceptionError> {
    serde_saphyr::from_str(text)
        .map_err(|error| ExceptionError::Yaml { path: path.to_owned(), message: error.to_string() })
}

impl Exception {
    /// Whether it no longer holds on `day`.
    pub fn is_expired(&self, day: NaiveDate) -> bool {
        self.expires.is_some_and(|last| last < day)
    }

    /// Whether it is about this detection.
    pub fn names(&self, detection: &str) -> bool {
        one_of(&self.detections, Some(detection))
    }

    /// Whether it is about this finding.
    pub fn covers(&self, finding: &Finding) -> bool {
        self.names(&finding.detection)
            && one_of(&self.identities, finding.identity.as_deref())
            && one_of(&self.namespaces, finding.namespace.as_deref())
            && one_of(&self.names, finding.name.as_deref())
            && one_of(&self.clusters, finding.cluster.as_deref())
            && (self.images.is_empty()
                || (!finding.images.is_empty()
                    && finding.images.iter().all(|image| one_of(&self.images, Some(image)))))
    }
}

fn one_of(patterns: &[Globs], value: Option<&str>) -> bool {
    patterns.is_empty()
        || value.is_some_and(|value| patterns.iter().any(|pattern| pattern.0.matches(value)))
}
