//! The severity of a finding, and the confidence in it.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::column::named_column;

/// Severity, from least to most.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
    VariantNames,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Severity {
    /// A fact, for context.
    Info,
    /// Often benign.
    Low,
    /// Needs a review.
    Medium,
    /// Rarely benign.
    High,
    /// Never benign.
    Critical,
}

/// How reliable a match is.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
    VariantNames,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Confidence {
    /// Most matches are benign.
    Low,
    /// Benign matches are known.
    #[default]
    Medium,
    /// Benign matches are rare.
    High,
}

impl Confidence {
    /// Returns the next lower confidence; the lowest stays.
    #[must_use]
    pub fn lower(self) -> Self {
        match self {
            Self::Low | Self::Medium => Self::Low,
            Self::High => Self::Medium,
        }
    }
}

named_column!(Severity, Confidence);
