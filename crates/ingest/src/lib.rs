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

mod archive;
mod block;
mod budget;
mod clusters;
mod decode;
mod envelope;
mod error;
mod expansion;
mod explain;
mod follow;
mod frame;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod input;
mod instant;
mod json;
#[cfg(feature = "lake")]
mod lake;
mod lz4;
mod must_gather;
mod open;
mod options;
mod parse;
mod pieces;
mod pipeline;
mod progress;
mod read;
mod reject;
mod retry;
mod shares;
mod sink;
mod sniff;
mod span;
mod split;
mod summary;
mod utf16;
mod walk;
mod window;
mod wrapper;

pub use error::IngestError;
pub use explain::Explanation;
pub use follow::follow;
pub use input::Input;
#[cfg(feature = "lake")]
pub use lake::{LakeSink, Retry, RetrySummary, ingest};
pub use options::Options;
pub use pieces::PIECE;
pub use pipeline::ingest_into;
pub use podtrail_event::{QuarantineRecord, RedactionKey};
pub use progress::{NoProgress, Progress};
pub use retry::{Retried, retry};
pub use sink::{Committed, Sink};
pub use summary::{Problem, Summary};
