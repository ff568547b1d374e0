//! Exceptions: findings that are known to be innocent, as data with owner, reason and expiry.
//!
//! An exception names who, where and what together, and everything that it names must hold for every event of a finding.
//! Names, images and commands are chosen by whoever writes a workload, so none of them is enough alone: an exception that
//! says which images run covers a workload only if all of it is visible, all its images are listed, and each container runs
//! the program of its image or one that is listed. What is in the table `never_excepted` of a pack is covered only where
//! it is named in full.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::Deserialize;

use crate::evidence::Evidence;
use crate::finding::Finding;
use crate::pattern::{IdentityPattern, ImagePattern, NamePattern, Patterns};

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

    /// Whether it is about this detection. One that is in `never` must be named in full.
    pub fn names(&self, detection: &str, never: &BTreeSet<String>) -> bool {
        if never.contains(detection) {
            return self.detections.iter().any(|pattern| pattern.text() == detection);
        }
        self.detections.matches(detection)
    }

    /// Whether it is about this finding, all of whose events are `events`.
    ///
    /// A finding without events, or of which some are not known, is covered by no exception.
    pub(crate) fn covers(
        &self,
        finding: &Finding,
        events: &[&Evidence],
        never: &BTreeSet<String>,
    ) -> bool {
        self.names(&finding.detection, never)
            && !events.is_empty()
            && events.len() == finding.event_ids.len()
            && events.iter().all(|event| self.covers_event(event))
    }

    fn covers_event(&self, event: &Evidence) -> bool {
        let one_of = |patterns: &Option<Patterns<NamePattern>>, value: Option<&str>| {
            let matches = |patterns: &Patterns<NamePattern>| {
                value.is_some_and(|value| patterns.matches(value))
            };
            patterns.as_ref().is_none_or(matches)
        };
        let is_named = |name: &Option<String>| {
            name.as_deref().is_some_and(|name| self.identities.matches(name))
        };
        is_named(&event.username)
            && (event.impersonated_username.is_none() || is_named(&event.impersonated_username))
            && one_of(&self.providers, event.provider.as_deref())
            && one_of(&self.namespaces, event.namespace.as_deref())
            && one_of(&self.resources, event.whole_resource().as_deref())
            && one_of(&self.names, event.name.as_deref())
            && one_of(&self.clusters, event.cluster.as_deref())
            && self.images.as_ref().is_none_or(|images| self.covers_images(images, event))
    }

    fn covers_images(&self, images: &Patterns<ImagePattern>, event: &Evidence) -> bool {
        let is_listed = |program: &String| {
            self.commands.as_ref().is_some_and(|commands| commands.matches(program))
        };
        event.shows_all_images
            && !(event.hides_programs && self.origin == Origin::BuiltIn)
            && !event.images.is_empty()
            && event.images.iter().all(|image| images.matches(image))
            && event.programs.iter().all(is_listed)
    }
}
