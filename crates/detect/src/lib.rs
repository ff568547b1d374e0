//! The detection pack: one SQL file a detection, run over a [`Session`](podtrail_query::Session), its matches grouped
//! into findings.

mod attack_names;
mod cases;
mod delivery;
mod detect;
mod detection;
mod evidence;
mod exception;
mod exceptions;
mod facts;
mod finding;
mod head;
mod health;
mod indicators;
mod life;
mod lint;
mod lint_exceptions;
mod lint_sql;
mod memory;
mod navigator;
mod pack;
mod pattern;
mod recorded;
mod run;
mod saved;
mod severity;
mod shown;
mod table;
mod text;
mod uncertain;

pub use attack_names::AttackNames;
pub use cases::{CaseError, CaseReport, run_cases};
pub use delivery::{Printed, Turn, mark_delivered, undelivered};
pub use detect::{Again, DetectOptions, Detected, RunError, detect, remembered_indicators};
pub use detection::{Detection, Head, HeadError, Input, Parameter, ParameterError};
pub use evidence::{Evidence, Source};
pub use exceptions::{Effect, Exception, ExceptionError, Origin, read_exceptions};
pub use finding::{Finding, Lowered};
pub use health::{HEALTH_CHECKS, HealthCheck, HealthOptions, last_seen};
pub use indicators::{
    INDICATOR_DETECTION, Indicator, IndicatorError, IndicatorKind, Indicators, Reading,
};
pub use life::{ChangeError, find_recorded, set_state};
pub use lint::{ATTACK_VERSION, Problem, lint};
pub use lint_exceptions::{ExceptionProblem, lint_exceptions};
pub use navigator::navigator_layer;
pub use pack::{Pack, PackError};
pub use pattern::{IdentityPattern, ImagePattern, NamePattern, Pattern, PatternError, Patterns};
pub use recorded::{Recorded, State, read_recorded};
pub use run::{DetectError, Excepted, Failure, Hunt, hunt};
pub use saved::{SavedHead, SavedQuery, saved_queries};
pub use severity::{Confidence, Severity};
pub use shown::show_only;
pub use table::TableError;
pub use text::{MOST_WRITTEN, read_text};
pub use uncertain::Uncertainty;
// What a ready query is bound with.
pub use datafusion::common::ParamValues;
