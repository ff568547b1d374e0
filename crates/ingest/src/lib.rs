//! From audit log files to the table.
//!
//! Bytes go one way through the modules, in this order: inputs are expanded to sources (`walk`), each is opened and
//! hashed (`open`), decompressed as a stream (`decode`), taken apart if it is an archive (`archive`), cut into blocks of whole records (`frame`), refused when it
//! holds no audit events (`sniff`), parsed block by block on all cores (`parse`), with batches of events taken apart on
//! the way (`envelope`) and what is no event named (`reject`), and committed in units of bounded size (`pipeline`, [`Sink`]).
//!
//! Bad input is normal. A record that is no audit event is quarantined with its bytes and place; a file that is no audit
//! log is refused by name; both are told in [`Summary::problems`], and the run goes on. Only what keeps every event out
//! of the table, such as a full disk, ends it.

mod envelope;
mod error;
mod framing;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod instant;
mod json;
mod reject;
mod run;
mod source;

pub use error::IngestError;
pub use podtrail_event::{QuarantineRecord, RedactionKey};
pub use run::explain::Explanation;
pub use run::follow::follow;
#[cfg(feature = "lake")]
pub use run::lake::{LakeSink, Retry, RetrySummary, ingest};
pub use run::options::Options;
pub use run::pipeline::ingest_into;
pub use run::progress::{NoProgress, Progress};
pub use run::retry::{Retried, retry};
pub use run::sink::{Committed, Sink};
pub use run::split_records::PIECE;
pub use run::summary::{Problem, Summary};
pub use source::input::Input;
