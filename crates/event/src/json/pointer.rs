//! JSON Pointers (RFC 6901).

/// Returns the decoded reference tokens of a pointer; none for the whole document.
pub(crate) fn reference_tokens(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"))
}
