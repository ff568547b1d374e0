//! The detection pack: one SQL file a detection, run over a [`Session`](podtrail_query::Session), its matches grouped
//! into findings.

mod attack_names;
mod cases;
mod detection;
mod evidence;
mod exceptions;
mod facts;
mod finding;
mod lint;
mod navigator;
mod pack;
mod run;
mod saved;
mod severity;
mod table;

pub use attack_names::AttackNames;
pub use cases::{CaseError, CaseReport, run_cases};
pub use detection::{Detection, Head, HeadError, Input, Parameter, ParameterError};
pub use evidence::{Evidence, Source};
pub use exceptions::{Exception, ExceptionError, read_exceptions};
pub use finding::Finding;
pub use lint::{ATTACK_VERSION, Problem, lint};
pub use navigator::navigator_layer;
pub use pack::{Pack, PackError};
pub use run::{DetectError, Excepted, Failure, Hunt, hunt};
pub use saved::{SavedHead, SavedQuery, saved_queries};
pub use severity::{Confidence, Severity};
pub use table::TableError;
// What a ready query is bound with.
pub use datafusion::common::ParamValues;
