//! The detection pack: one SQL file per detection, run over a [`Session`](podtrail_query::Session). Matches are
//! grouped into findings.

mod findings;
mod pack;
mod run;

pub use findings::delivery::{Printed, Turn, mark_delivered, undelivered};
pub use findings::finding::{Finding, Lowered};
pub use findings::lifecycle::{ChangeError, find_recorded, set_state};
pub use findings::stored::{Recorded, State, read_recorded};
pub use findings::visibility::show_only;
pub use pack::attack_names::AttackNames;
pub use pack::cases::{CaseError, CaseReport, run_cases};
pub use pack::detection::{Detection, Head, HeadError, Input, Parameter, ParameterError};
pub use pack::exceptions::{Effect, Exception, ExceptionError, Origin, read_exceptions};
pub use pack::lint::{ATTACK_VERSION, Problem, lint};
pub use pack::lint_exceptions::{ExceptionProblem, lint_exceptions};
pub use pack::lookup_table::TableError;
pub use pack::navigator::navigator_layer;
pub use pack::pattern::{
    IdentityPattern, ImagePattern, NamePattern, Pattern, PatternError, Patterns,
};
pub use pack::saved_query::{SavedHead, SavedQuery, saved_queries};
pub use pack::severity::{Confidence, Severity};
pub use pack::text_file::{MAX_WRITTEN, read_text};
pub use pack::{Pack, PackError};
pub use run::evidence::{Evidence, Source};
pub use run::health::{HEALTH_CHECKS, HealthCheck, HealthOptions, last_seen};
pub use run::incremental::{
    Again, DetectOptions, Detected, RunError, detect, remembered_indicators,
};
pub use run::indicators::{
    INDICATOR_DETECTION, Indicator, IndicatorError, IndicatorKind, Indicators, Reading,
};
pub use run::uncertain_writes::Uncertainty;
pub use run::{DetectError, Excepted, Failure, Hunt, hunt};
