//! Ingests audit log files into the lake.
//!
//! Bytes pass through the modules in this order. `source` expands inputs into sources (`walk`), opens and hashes each
//! (`open`), decompresses it as a stream (`decompress`) and unpacks archives (`archive`). `framing` cuts the stream
//! into blocks of whole records. A source without audit events is rejected (`sniff`). All cores parse blocks
//! (`run::parse`), after `envelope` has extracted the events; `reject` names records that are not events.
//! `run::pipeline` commits rows in units of bounded size to a [`Sink`].
//!
//! Bad input is normal. A record that is not an audit event is quarantined with its bytes and position. A file that is
//! not an audit log is rejected by name. [`Summary::problems`] reports both, and the run continues. Only an error that
//! affects every event, such as a full disk, ends a run.

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
pub use source::shard::Shard;
