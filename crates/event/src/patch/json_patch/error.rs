//! Why a patch does not apply.

/// Maximum depth of an object: that of the JSON parser.
pub(super) const MAX_DEPTH: usize = 128;

/// The reason why a patch does not apply to an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonPatchError {
    /// An operation or its index is malformed.
    #[error("operation {0} of the JSON Patch is malformed")]
    Malformed(usize),
    /// The path of an operation does not exist.
    #[error("operation {0} of the JSON Patch does not apply: its path does not exist")]
    Missing(usize),
    /// A test failed: the object is another version.
    #[error("operation {0} of the JSON Patch does not apply: its test fails")]
    Test(usize),
    /// The operations exceed a limit of the API server.
    #[error("the JSON Patch exceeds the limits of the API server")]
    TooMuch,
    /// The object would be nested too deeply.
    #[error("the JSON Patch nests the object deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// The reason why one operation cannot be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    Malformed,
    Missing,
    Test,
    TooMuch,
    TooDeep,
}

impl Unfit {
    pub(super) fn of_operation(self, number: usize) -> JsonPatchError {
        match self {
            Self::Malformed => JsonPatchError::Malformed(number),
            Self::Missing => JsonPatchError::Missing(number),
            Self::Test => JsonPatchError::Test(number),
            Self::TooMuch => JsonPatchError::TooMuch,
            Self::TooDeep => JsonPatchError::TooDeep,
        }
    }
}
