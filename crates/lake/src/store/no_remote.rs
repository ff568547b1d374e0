//! Object stores in a build without them.

use std::sync::Arc;

use object_store::ObjectStore;

use crate::store::location::ObjectUrl;

/// Makes the client of the store that a URL names.
///
/// # Errors
/// Always.
pub(crate) fn build(_: &ObjectUrl) -> Result<Arc<dyn ObjectStore>, String> {
    Err("this build does not support object stores; build podtrail with `--features cloud`"
        .to_owned())
}
