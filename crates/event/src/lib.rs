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
mod event;
mod export;
mod extract;
mod finding_state;
mod grants;
mod history;
pub mod identity;
pub mod image;
mod ingress;
mod kinds;
mod namespace;
mod network_policy;
mod outcome;
mod parse;
mod patch;
pub mod path;
mod persistent_volume;
pub mod pod_security;
mod quarantine;
mod rbac;
mod redact;
mod request_uri;
mod secret;
mod service;
mod spec_write;
mod stage_status;
mod token_request;
pub mod user_agent;
mod webhook;
mod workload;

pub use activity::Activity;
pub use attribution::{Attribution, KnownBy, OwnedWrite, OwnerReference, attribute};
pub use batch::{BatchBuilder, PARTITION_COLUMNS, documentation, schema};
pub use certificate_request::CertificateRequest;
pub use changes::{Change, ChangeBuilder, changes};
pub use column::{Column, FieldDoc, LongText, Micros, Text, sql_type};
pub use config_map::ConfigMap;
pub use document::Members;
pub use event::{Event, Exec};
pub use export::{EXPORT_COLUMNS, ExportError, Exporter};
pub use finding_state::{
    FindingLowered, FindingSource, FindingState, finding_batch, finding_documentation,
    finding_schema,
};
pub use grants::{BindingSubject, Grant, grants};
pub use history::{History, Write};
pub use identity::IdentityKind;
pub use image::ImageReference;
pub use ingress::Ingress;
pub use network_policy::NetworkPolicy;
pub use outcome::Outcome;
pub use parse::{ParseError, Parser};
pub use patch::{PatchError, PatchHints, PatchType};
pub use path::normalize_host_path;
pub use persistent_volume::PersistentVolume;
pub use quarantine::{
    QuarantineRecord, quarantine_batch, quarantine_documentation, quarantine_records,
    quarantine_schema,
};
pub use rbac::{PolicyRule, Rbac, Subject};
pub use redact::{RedactionKey, redact, redact_record};
pub use secret::Secret;
pub use service::Service;
pub use spec_write::writes_spec;
pub use stage_status::{StageStatus, mark_stages};
pub use token_request::TokenRequest;
pub use webhook::Webhook;
pub use workload::{Container, PodSecurityViolation, Volume, Workload};
