//! The present. The libraries take it as an argument.

use chrono::{DateTime, Utc};

#[expect(clippy::disallowed_methods, reason = "this is where the command takes it")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}
