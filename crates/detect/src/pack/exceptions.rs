//! Exceptions: findings that are known to be benign, as data with owner, reason and expiry.
//!
//! An exception combines who, where and what, and each of its conditions must hold for every event of a finding.
//! The author of a workload chooses names, images and commands, so none of them is sufficient alone: an exception with
//! images covers a workload only if its whole body is visible, all its images are listed, and each container runs the
//! program of its image or a listed one. Detections in the table `never_excepted` of a pack are covered only if the
//! exception gives their full id.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::path::Path;

use chrono::NaiveDate;
use podtrail_event::Finding;
use podtrail_event::identity::service_account;
use podtrail_event::user_agent::UserAgent;

use crate::evidence::Evidence;
pub(crate) use crate::pack::exception::parse_exceptions;
pub use crate::pack::exception::{Effect, Exception, ExceptionError, Origin};
use crate::pack::head::Head;
use crate::pack::pattern::{ImagePattern, NamePattern, Patterns};
use crate::text_file::{MAX_WRITTEN, read_text};

/// Reads a file of exceptions.
///
/// # Errors
/// If it cannot be read, or is not a list of exceptions.
pub fn read_exceptions(path: &Path) -> Result<Vec<Exception>, ExceptionError> {
    let text = read_text(path, MAX_WRITTEN)
        .map_err(|source| ExceptionError::Read { path: path.to_owned(), source })?;
    parse_exceptions(path, &text)
}

/// What no exception may cover.
#[derive(Debug, Default)]
pub(crate) struct ExceptionLimits {
    /// Detections that an exception must name by full id.
    pub(crate) never: BTreeSet<String>,
    /// The ids that detections had before, by id.
    pub(crate) aliases: BTreeMap<String, Vec<String>>,
    /// User agents of interactive clients, and of shell and attack tools.
    pub(crate) by_hand: BTreeSet<String>,
}

impl ExceptionLimits {
    /// Returns whether a service account is used through an interactive or shell client, which suggests a stolen
    /// token. The client chooses its user agent, so this only detects clients that do not disguise themselves.
    fn is_by_hand(&self, event: &Evidence) -> bool {
        let is_account = event.username.as_deref().and_then(service_account).is_some();
        let tool = event.user_agent.as_deref().and_then(|agent| UserAgent::of(agent).tool);
        is_account && tool.is_some_and(|tool| self.by_hand.contains(&tool.to_lowercase()))
    }
}

impl Exception {
    /// Returns whether it has expired on `day`.
    pub fn is_expired(&self, day: NaiveDate) -> bool {
        self.expires.is_some_and(|last| last < day)
    }

    /// Returns whether it covers the detection with this header. A detection in `never` must be named by full id.
    pub fn names(&self, head: &Head, never: &BTreeSet<String>) -> bool {
        self.names_id(&head.id, &head.aliases, never)
    }

    fn names_id(&self, detection: &str, aliases: &[String], never: &BTreeSet<String>) -> bool {
        if never.contains(detection) {
            return self.detections.iter().any(|pattern| pattern.text() == detection);
        }
        let mut ids = iter::once(detection).chain(aliases.iter().map(String::as_str));
        ids.any(|id| self.detections.matches(id))
    }

    /// Returns whether it covers this finding, whose events are `events`.
    ///
    /// No exception covers a finding without events, or with events that are not in the lake.
    pub(crate) fn covers(
        &self,
        finding: &Finding,
        events: &[&Evidence],
        limits: &ExceptionLimits,
    ) -> bool {
        let aliases = limits.aliases.get(&finding.detection).map_or(&[][..], Vec::as_slice);
        self.names_id(&finding.detection, aliases, &limits.never)
            && !events.is_empty()
            && !(self.origin == Origin::BuiltIn
                && events.iter().any(|event| limits.is_by_hand(event)))
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
