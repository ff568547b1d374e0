//! YAML files of a pack.

use serde::de::DeserializeOwned;

/// Parses a text. The error is one line with its position.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_saphyr::from_str(text).map_err(|error| error.without_snippet().to_string())
}
