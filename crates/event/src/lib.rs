//! The Kubernetes audit event and the workload it writes, as typed rows.
//!
//! A [`Parser`] turns the JSON of one `audit.k8s.io` `Event` into an [`Event`] row. A [`BatchBuilder`] collects rows
//! into Arrow record batches of [`schema`], and an [`Exporter`] turns these back into JSON. A record that is not an
//! event becomes a [`QuarantineRecord`]. The crate is pure: no I/O, no async, no state.

mod analysis;
pub mod column;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod json;
mod objects;
mod parse;
mod patch;
mod redact;
mod request;
pub mod row;
mod tables;

pub use objects::{image, path, pod_security};
pub use request::{identity, user_agent};

pub use analysis::attribution::{Attribution, KnownBy, OwnedWrite, OwnerReference, attribute};
pub use analysis::change::{Change, ChangeBuilder};
pub use analysis::changes::changes;
pub use analysis::grants::{BindingSubject, Grant, grants};
pub use analysis::guard::GuardHistory;
pub use analysis::guard::guard_change::{GuardChange, GuardChangeBuilder};
pub use analysis::history::{History, PatchedObject, Write};

pub use column::{Column, FieldDoc, LongText, Map, Micros, Text, bounded_name, sql_type};
pub use json::canonical::EVENT_MEMBERS;
pub use json::members::Members;
pub use objects::certificate_request::CertificateRequest;
pub use objects::config_map::ConfigMap;
pub use objects::embedded::Embedded;
pub use objects::image::ImageReference;
pub use objects::ingress::Ingress;
pub use objects::network_policy::NetworkPolicy;
pub use objects::path::normalize_host_path;
pub use objects::persistent_volume::{PersistentVolume, VolumeClaim};
pub use objects::policy_rule::PolicyRule;
pub use objects::rbac::{Rbac, Subject};
pub use objects::secret::Secret;
pub use objects::selector::required_value;
pub use objects::service::Service;
pub use objects::token_request::TokenRequest;
pub use objects::webhook::Webhook;
pub use objects::workload::{
    Container, CopiedField, PodSecurityViolation, PostureFact, Volume, Workload,
};
pub use parse::{ParseError, Parser, code_of_reason};
pub use patch::json_patch::JsonPatchError;
pub use patch::spec_write::writes_spec;
pub use patch::{PatchError, PatchHints, PatchType};
pub use redact::{RedactionKey, redact, redact_damaged, redact_record};
pub use request::activity::Activity;
pub use request::exec::Exec;
pub use request::identity_kind::IdentityKind;
pub use request::near_rfc3339::near_rfc3339;
pub use request::outcome::Outcome;
pub use request::platform_identities::IMPERSONATION_PROXIES;
pub use request::shell::{as_run, without_port_checks};
pub use request::time_problem::{CLOCK_SKEW, TimeProblem};
pub use request::uri::{dry_run_fault, proxied_path, query_value, request_path};
pub use tables::batch::{BatchBuilder, DEFAULT_CLUSTER, PARTITION_COLUMNS, documentation, schema};
pub use tables::event::Event;
pub use tables::export::{EXPORT_COLUMNS, ExportError, Exporter};
pub use tables::finding::{
    Finding, FindingState, Lowered, RecordedFinding, Source, finding_batch, finding_documentation,
    finding_schema,
};
pub use tables::quarantine::{
    QuarantineRecord, quarantine_batch, quarantine_documentation, quarantine_records,
    quarantine_schema,
};
pub use tables::severity::{Confidence, Severity};
pub use tables::superseded::mark_superseded;
