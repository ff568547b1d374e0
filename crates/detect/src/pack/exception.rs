//! The file format of exceptions.
//!
//! This file does not depend on the query engine, so that it can be fuzzed without one.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::Deserialize;

use crate::pack::pattern::{IdentityPattern, ImagePattern, NamePattern, Patterns};
use crate::yaml;

/// An exception. An absent key does not limit it; a list is never empty.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Its id.
    pub id: String,
    /// The reason why these findings are benign.
    pub reason: String,
    /// The person or team responsible for it.
    pub owner: String,
    /// What happens to the findings.
    #[serde(default)]
    pub effect: Effect,
    /// The last day on which it applies; absent for no expiry.
    #[serde(default)]
    pub expires: Option<NaiveDate>,
    /// The ids of the detections that it covers.
    pub detections: Patterns<NamePattern>,
    /// The authenticated users. With impersonation, both users must match.
    pub identities: Patterns<IdentityPattern>,
    /// The providers of managed clusters, such as `eks`, as named by the envelope of the event. An event without the
    /// envelope of a provider does not match, because any holder of a client certificate can choose all of its fields.
    #[serde(default)]
    pub providers: Option<Patterns<NamePattern>>,
    /// The namespaces; objects without a namespace do not match.
    #[serde(default)]
    pub namespaces: Option<Patterns<NamePattern>>,
    /// The resources, with a subresource as in `pods/exec`.
    #[serde(default)]
    pub resources: Option<Patterns<NamePattern>>,
    /// The images: each image of the workload must match one of them, including those of init and ephemeral
    /// containers and of image volumes. For built-in exceptions, no volume may be mounted where it could hide their
    /// programs; users know what their own images run.
    #[serde(default)]
    pub images: Option<Patterns<ImagePattern>>,
    /// The programs that containers, hooks and probes of these images may run, besides the images' own.
    #[serde(default)]
    pub commands: Option<Patterns<NamePattern>>,
    /// The names of the objects.
    #[serde(default)]
    pub names: Option<Patterns<NamePattern>>,
    /// The clusters.
    #[serde(default)]
    pub clusters: Option<Patterns<NamePattern>>,
    /// Where the exception comes from.
    #[serde(skip)]
    pub origin: Origin,
}

/// The origin of an exception, which decides how strict `podtrail exceptions lint` is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Origin {
    /// Written by the user, who is responsible for it.
    #[default]
    User,
    /// Compiled into podtrail, and not reviewed by its users.
    BuiltIn,
}

/// What an exception does to the findings that it covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Hide the findings, and count them.
    #[default]
    Hide,
    /// Print the findings as `low`, with the reason, and with a risk of 0.
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
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is not a list of exceptions.
    #[error("{}: {message}", path.display())]
    Yaml {
        /// The file.
        path: PathBuf,
        /// The problem.
        message: String,
    },
}

/// Parses exceptions from the text of the file at `path`.
pub(crate) fn parse_exceptions(path: &Path, text: &str) -> Result<Vec<Exception>, ExceptionError> {
    yaml::parse(text).map_err(|message| ExceptionError::Yaml { path: path.to_owned(), message })
}
