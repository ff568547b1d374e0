//! Patterns of exceptions. `*` matches any characters within one part of a name, and `**` as a whole part matches any
//! number of parts, so that a pattern never matches more than it shows.

use std::{fmt, iter};

use podtrail_event::ImageReference;
use podtrail_query::glob_matches;
use serde::Deserialize;

/// One or more patterns, of which one must match.
///
/// An empty list is an error, because it could mean everything or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<P>", bound = "P: Deserialize<'de>")]
pub struct Patterns<P>(Vec<P>);

/// A pattern that can be matched against a text.
pub trait Pattern {
    /// Returns whether it matches a text.
    fn matches(&self, text: &str) -> bool;
}

/// Why a pattern, or a list of patterns, is invalid.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The list is empty.
    #[error("empty list of patterns; omit the key, or use '*' to match everything")]
    Empty,
    /// The pattern is the empty string.
    #[error("empty pattern")]
    Blank,
    /// `**` must be a whole part of a name.
    #[error("invalid pattern '{0}'; '**' must be a whole part, as in 'registry.internal/**'")]
    Crossing(String),
}

impl<P> TryFrom<Vec<P>> for Patterns<P> {
    type Error = PatternError;

    fn try_from(patterns: Vec<P>) -> Result<Self, Self::Error> {
        if patterns.is_empty() { Err(PatternError::Empty) } else { Ok(Self(patterns)) }
    }
}

impl<P: Pattern> Patterns<P> {
    /// Returns whether one of them matches.
    pub fn matches(&self, text: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(text))
    }
}

impl<P> Patterns<P> {
    /// Returns the patterns.
    pub fn iter(&self) -> std::slice::Iter<'_, P> {
        self.0.iter()
    }
}

impl<'p, P> IntoIterator for &'p Patterns<P> {
    type Item = &'p P;
    type IntoIter = std::slice::Iter<'p, P>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A pattern of a text without parts, such as a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct NamePattern(String);

/// A pattern of a user name, whose parts are separated by colons.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct IdentityPattern(String);

/// A pattern of an image: registry, repository, and optionally a tag or digest.
///
/// It is parsed as runtimes parse an image, and compared part by part: the labels of the registry's host, its port,
/// the components of the repository. Without a tag or digest it matches every one, as with `:*`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ImagePattern(String);

const CROSSING: &str = "**";

fn checked(text: String) -> Result<String, PatternError> {
    if text.is_empty() {
        return Err(PatternError::Blank);
    }
    let mut parts = text.split(['/', ':', '@']);
    if parts.any(|part| part.contains(CROSSING) && part != CROSSING) {
        return Err(PatternError::Crossing(text));
    }
    Ok(text)
}

macro_rules! pattern {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = PatternError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                checked(text).map(Self)
            }
        }

        impl $name {
            /// Returns the pattern as written.
            pub fn text(&self) -> &str {
                &self.0
            }

            /// Returns whether it contains `*`.
            pub fn is_wild(&self) -> bool {
                self.0.contains('*')
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

pattern!(NamePattern);
pattern!(IdentityPattern);
pattern!(ImagePattern);

impl Pattern for NamePattern {
    fn matches(&self, text: &str) -> bool {
        self.0 == CROSSING || glob_matches(&self.0, text)
    }
}

impl Pattern for IdentityPattern {
    fn matches(&self, text: &str) -> bool {
        in_parts(&self.0, text, ':')
    }
}

impl Pattern for ImagePattern {
    fn matches(&self, image: &str) -> bool {
        if self.0 == CROSSING {
            return true;
        }
        // A reference that a runtime would reject, or parse in another way, must not match.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@+".contains(c);
        if !image.chars().all(is_plain) || image.matches('@').count() > 1 {
            return false;
        }
        let (wanted, image) = (ImageReference::split(&self.0), ImageReference::split(image));
        in_parts(wanted.registry, image.registry, '.')
            && in_parts(&wanted.repository(), &image.repository(), '/')
            && wanted
                .tag
                .is_none_or(|tag| tag == "*" || image.tag.is_some_and(|t| glob_matches(tag, t)))
            && (wanted.digest.is_none() || wanted.digest == image.digest)
    }
}

impl ImagePattern {
    /// Returns whether the host of the registry contains `*`.
    pub fn is_wild_in_registry(&self) -> bool {
        self.0 == CROSSING || ImageReference::split(&self.0).registry.contains('*')
    }

    /// Returns whether the repository contains `*`.
    pub fn is_wild_in_repository(&self) -> bool {
        self.0 == CROSSING || ImageReference::split(&self.0).repository().contains('*')
    }
}

/// Returns whether a pattern matches a text part by part; `**` matches any number of parts.
fn in_parts(pattern: &str, text: &str, separator: char) -> bool {
    let parts: Vec<&str> = text.split(separator).collect();
    // Whether the pattern parts so far match the first n parts of the text, for every n.
    let mut reached = vec![false; parts.len() + 1];
    reached[0] = true;
    for pattern in pattern.split(separator) {
        reached = if pattern == CROSSING {
            let mut any = false;
            let mut from_here = |reached: &bool| {
                any |= *reached;
                any
            };
            reached.iter().map(&mut from_here).collect()
        } else {
            let matched = reached
                .iter()
                .zip(&parts)
                .map(|(reached, text)| *reached && glob_matches(pattern, text));
            iter::once(false).chain(matched).collect()
        };
    }
    reached.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(pattern: &str, image: &str) -> bool {
        ImagePattern::try_from(pattern.to_owned()).unwrap().matches(image)
    }

    #[test]
    fn a_star_stays_within_its_part_of_an_image() {
        for (pattern, yes, no) in [
            (
                "registry.k8s.io/kube-proxy:*",
                &[
                    "registry.k8s.io/kube-proxy",
                    "registry.k8s.io/kube-proxy:v1",
                    "registry.k8s.io/kube-proxy@sha256:00",
                ][..],
                &[
                    "registry.k8s.io/kube-proxy/evil:v1",
                    "registry.k8s.io.evil.example/kube-proxy:v1",
                    "evil.example/registry.k8s.io/kube-proxy:v1",
                    "registry.k8s.io:5000/kube-proxy:v1",
                    "registry.k8s.io/e2e-test-images/busybox:1",
                    "registry.k8s.io/kube-proxy:v1@sha256:00@x",
                    "registry.k8s.io/kube-proxy:v1 evil.example/x",
                    "REGISTRY.K8S.IO/kube-proxy:v1",
                    "kube-proxy",
                ][..],
            ),
            (
                "quay.io/cilium/*",
                &["quay.io/cilium/cilium:v1"],
                &["quay.io/cilium/a/b", "quay.io/cilium"],
            ),
            (
                "quay.io/cilium/**",
                &["quay.io/cilium/cilium:v1", "quay.io/cilium/a/b"],
                &["quay.io/ciliumx/a"],
            ),
            (
                "602401143452.dkr.ecr.*.amazonaws.com/eks/kube-proxy",
                &["602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/kube-proxy:v1"],
                &[
                    "602401143452.dkr.ecr.eu-west-1.evil.example.amazonaws.com/eks/kube-proxy:v1",
                    "evil.example/602401143452.dkr.ecr.x.amazonaws.com/eks/kube-proxy",
                    "666.dkr.ecr.eu-west-1.amazonaws.com/eks/kube-proxy",
                ],
            ),
            (
                "calico/node",
                &["docker.io/calico/node:v3", "calico/node", "index.docker.io/calico/node"],
                &["ghcr.io/calico/node"],
            ),
            ("*/calico/node", &["docker.io/a/calico/node"], &["evil.example/calico/node"]),
            (
                "registry.internal/ci/dind:1.*",
                &["registry.internal/ci/dind:1.2"],
                &["registry.internal/ci/dind", "registry.internal/ci/dind:2"],
            ),
            (
                "registry.internal/x@sha256:00",
                &["registry.internal/x:1@sha256:00"],
                &["registry.internal/x:1", "registry.internal/x@sha256:000"],
            ),
            ("**", &["evil.example/x"], &[]),
        ] {
            for text in yes {
                assert!(image(pattern, text), "{pattern} must match {text}");
            }
            for text in no {
                assert!(!image(pattern, text), "{pattern} must not match {text}");
            }
        }
    }

    #[test]
    fn a_star_stays_within_its_part_of_an_identity() {
        for (pattern, text, expected) in [
            ("alice", "alice", true),
            ("al*", "alice", true),
            ("*", "alice", true),
            ("*", "system:serviceaccount:a:b", false),
            ("**", "system:serviceaccount:a:b", true),
            ("system:serviceaccount:*:default", "system:serviceaccount:a:default", true),
            ("system:serviceaccount:*-operator", "system:serviceaccount:a:x-operator", false),
            ("system:serviceaccount:a:**", "system:serviceaccount:a:b", true),
            ("system:serviceaccount:a:**", "system:serviceaccount:ab:b", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXcYb", false),
            ("a*a", "a", false),
            ("*a*", "bab", true),
        ] {
            let pattern = IdentityPattern::try_from(pattern.to_owned()).unwrap();
            assert_eq!(pattern.matches(text), expected, "{pattern} of {text}");
        }
    }

    #[test]
    fn blank_crossing_and_empty_patterns_are_rejected() {
        let of = |text: &str| ImagePattern::try_from(text.to_owned()).unwrap_err();
        assert_eq!(of(""), PatternError::Blank);
        assert_eq!(of("quay.io/a**"), PatternError::Crossing("quay.io/a**".to_owned()));
        assert_eq!(Patterns::<NamePattern>::try_from(vec![]).unwrap_err(), PatternError::Empty);
    }
}
