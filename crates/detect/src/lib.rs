//! The detection pack: one SQL file a detection, run over a [`Session`](podtrail_query::Session), its matches grouped
//! into findings.

mod detection;
mod evidence;
mod finding;
mod pack;
mod run;
mod severity;

pub use detection::{Detection, Head, HeadError, Parameter};
pub use evidence::{Evidence, Source};
pub use finding::Finding;
pub use pack::{Pack, PackError};
pub use run::{DetectError, Failure, Hunt, hunt};
pub use severity::Severity;
