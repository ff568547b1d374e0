//! The Kubernetes audit event and the workload it writes, as typed rows.
//!
//! A [`Parser`] turns the JSON of one `audit.k8s.io` `Event` into an [`Event`] row; [`BatchBuilder`] collects rows into
//! Arrow record batches of [`schema`], and an [`Exporter`] turns these back into JSON; what is no event is a
//! [`QuarantineRecord`]. The crate is pure: no I/O, no async, no state.

mod activity;
mod admission;
mod attribution;
mod batch;
mod body;
mod canonical;
mod certificate_request;
mod changes;
pub mod column;
mod config_map;
mod document;
mod embedded;
mod event;
mod export;
mod expression;
mod extract;
mod field_changes;
mod finding_state;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod grants;
mod guard;
mod history;
pub mod identity;
pub mod image;
mod ingress;
mod json_patch;
mod kinds;
mod namespace;
mod near_rfc3339;
mod network_policy;
mod outcome;
mod parse;
mod patch;
pub mod path;
mod persistent_volume;
mod platform_identities;
pub mod pod_security;
mod posture;
mod quarantine;
mod rbac;
mod redact;
mod request_uri;
mod role_effects;
mod secret;
mod selector;
mod service;
mod shell;
mod spec_write;
mod stage_status;
mod time_problem;
mod token_request;
pub mod user_agent;
mod webhook;
mod workload;

pub use activity::Activity;
pub use attribution::{Attribution, KnownBy, OwnedWrite, OwnerReference, attribute};
pub use batch::{BatchBuilder, DEFAULT_CLUSTER, PARTITION_COLUMNS, documentation, schema};
pub use canonical::EVENT_MEMBERS;
pub use certificate_request::CertificateRequest;
pub use changes::{Change, ChangeBuilder, changes};
pub use column::{Column, FieldDoc, LongText, Map, Micros, Text, bounded_name, sql_type};
pub use config_map::ConfigMap;
pub use document::Members;
pub use embedded::Embedded;
pub use event::{Event, Exec};
pub use export::{EXPORT_COLUMNS, ExportError, Exporter};
pub use finding_state::{
    FindingLowered, FindingSource, FindingState, finding_batch, finding_documentation,
    finding_schema,
};
pub use grants::{BindingSubject, Grant, grants};
pub use guard::{GuardChange, GuardChangeBuilder, GuardHistory};
pub use history::{History, PatchedObject, Write};
pub use identity::IdentityKind;
pub use image::ImageReference;
pub use ingress::Ingress;
pub use json_patch::JsonPatchError;
pub use near_rfc3339::near_rfc3339;
pub use network_policy::NetworkPolicy;
pub use outcome::Outcome;
pub use parse::{ParseError, Parser, code_of_reason};
pub use patch::{PatchError, PatchHints, PatchType};
pub use path::normalize_host_path;
pub use persistent_volume::{PersistentVolume, VolumeClaim};
pub use platform_identities::IMPERSONATION_PROXIES;
pub use posture::PostureFact;
pub use quarantine::{
    QuarantineRecord, quarantine_batch, quarantine_documentation, quarantine_records,
    quarantine_schema,
};
pub use rbac::{PolicyRule, Rbac, Subject};
pub use redact::{RedactionKey, redact, redact_damaged, redact_record};
pub use request_uri::{dry_run_fault, proxied_path, query_value, request_path};
pub use secret::Secret;
pub use selector::required_value;
pub use service::Service;
pub use shell::{as_run, without_port_checks};
pub use spec_write::writes_spec;
pub use stage_status::{StageStatus, mark_stages};
pub use time_problem::{CLOCK_SKEW, TimeProblem};
pub use token_request::TokenRequest;
pub use webhook::Webhook;
pub use workload::{Container, CopiedField, PodSecurityViolation, Volume, Workload};
