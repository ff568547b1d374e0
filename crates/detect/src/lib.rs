//! The detection pack: one SQL file per detection, run over a [`Session`](podtrail_query::Session). Matches are
//! grouped into findings.

mod check;
mod error;
mod evidence;
mod findings;
mod incidents;
mod indicators;
mod pack;
mod run;
mod text_file;
mod yaml;

pub use check::cases::{CaseError, CaseReport, run_cases};
pub use check::lint::{LintProblem, lint};
pub use check::lint_exceptions::{ExceptionProblem, lint_exceptions};
pub use error::{DetectError, RunError};
pub use evidence::{Evidence, Uncertainty};
pub use findings::delivery::{Printed, Turn, mark_delivered, undelivered};
pub use findings::lifecycle::{ChangeError, find_recorded, set_state};
pub use findings::stored::read_recorded;
pub use incidents::act::act;
pub use incidents::incident::{Incident, Point, Step, incidents};
pub use incidents::recorded::{
    IncidentState, RecordedIncident, find_incident, incident_findings, recorded_incidents,
};
pub use incidents::response::{Action, Phase, shell_word};
pub use indicators::{
    INDICATOR_DETECTION, Indicator, IndicatorError, IndicatorKind, Indicators, Reading,
};
pub use pack::attack_names::{ATTACK_VERSION, AttackNames};
pub use pack::detection::{Detection, Head, HeadError, Input, Parameter, ParameterError};
pub use pack::exceptions::{Effect, Exception, ExceptionError, Origin, read_exceptions};
pub use pack::lookup_table::TableError;
pub use pack::navigator::navigator_layer;
pub use pack::pattern::{
    IdentityPattern, ImagePattern, NamePattern, Pattern, PatternError, Patterns,
};
pub use pack::saved_query::{SavedHead, SavedQuery, saved_queries};
pub use pack::{Pack, PackError};
pub use podtrail_event::{
    Confidence, Finding, FindingState, Lowered, RecordedFinding, Severity, Source,
};
pub use run::health::{HEALTH_CHECKS, HealthCheck, HealthOptions, last_seen};
pub use run::hunt::{Excepted, Failure, Hunt, find_incidents, hunt};
pub use run::incremental::{Again, DetectOptions, Detected, detect, remembered_indicators};
pub use run::visibility::show_only;
pub use text_file::{MAX_WRITTEN, read_text};
