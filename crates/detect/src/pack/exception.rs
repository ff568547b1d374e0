//! An exception as it stands in its file.
//!
//! This file needs no query engine, so that it can be fuzzed without one.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::Deserialize;

use crate::pack::pattern::{IdentityPattern, ImagePattern, NamePattern, Patterns};

/// One exception. A key that is absent does not limit; a list that is there is never empty.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Its id.
    pub id: String,
    /// Why these findings are innocent.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// What becomes of the findings.
    #[serde(default)]
    pub effect: Effect,
    /// The last day on which it holds; none is for good.
    #[serde(default)]
    pub expires: Option<NaiveDate>,
    /// The ids of the detections that it is about.
    pub detections: Patterns<NamePattern>,
    /// The authenticated users. Where one acts as another, both must match.
    pub identities: Patterns<IdentityPattern>,
    /// The providers of managed clusters, such as `eks`, as the envelope of the event says. An event that came without an
    /// envelope of a provider does not match: in it, everything may be written by whoever holds a certificate.
    #[serde(default)]
    pub providers: Option<Patterns<NamePattern>>,
    /// The namespaces; objects without one do not match.
    #[serde(default)]
    pub namespaces: Option<Patterns<NamePattern>>,
    /// The resources, with a subresource as `pods/exec`.
    #[serde(default)]
    pub resources: Option<Patterns<NamePattern>>,
    /// The images: each image of the workload must match one of them, those of init and ephemeral containers and of image
    /// volumes too. Where the exception is built in, no volume may be mounted where it could lie over their programs: of his
    /// own images a user knows what they run.
    #[serde(default)]
    pub images: Option<Patterns<ImagePattern>>,
    /// The programs that containers, hooks and probes of these images may be told to run, beside the images' own.
    #[serde(default)]
    pub commands: Option<Patterns<NamePattern>>,
    /// The names of the objects.
    #[serde(default)]
    pub names: Option<Patterns<NamePattern>>,
    /// The clusters.
    #[serde(default)]
    pub clusters: Option<Patterns<NamePattern>>,
    /// Whose it is.
    #[serde(skip)]
    pub origin: Origin,
}

/// Whose an exception is: what `podtrail detections lint` asks of it depends on that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Origin {
    /// It was written by the user, who answers for it.
    #[default]
    User,
    /// It is compiled in, and nobody who uses it has looked at it.
    BuiltIn,
}

/// What an exception does to the findings that it covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// They are hidden, and counted.
    #[default]
    Hide,
    /// They are printed as `low`, with the reason, and weigh nothing.
    Lower,
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

/// Reads exceptions from the text of the file at `path`.
pub(crate) fn parse_exceptions(path: &Path, text: &str) -> Result<Vec<Exception>, ExceptionError> {
    serde_saphyr::from_str(text)
        .map_err(|error| ExceptionError::Yaml { path: path.to_owned(), message: error.to_string() })
}
