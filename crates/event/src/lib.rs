//! The Kubernetes audit event and the workload it writes, as typed rows.
//!
//! A [`Parser`] turns the JSON of one `audit.k8s.io` `Event` into an [`Event`] row; [`BatchBuilder`] collects rows into
//! Arrow record batches of [`schema`], and an [`Exporter`] turns these back into JSON; what is no event is a
//! [`QuarantineRecord`]. The crate is pure: no I/O, no async, no state.

mod activity;
mod batch;
mod body;
mod canonical;
pub mod column;
mod document;
mod event;
mod export;
mod extract;
mod identity;
mod image;
mod kinds;
mod outcome;
mod parse;
mod path;
mod pod_security;
mod quarantine;
mod rbac;
mod redact;
mod request_uri;
mod workload;

pub use activity::Activity;
pub use batch::{BatchBuilder, PARTITION_COLUMNS, documentation, schema};
pub use column::{Column, FieldDoc, LongText, Micros, Text};
pub use document::Members;
pub use event::{Event, Exec};
pub use export::{EXPORT_COLUMNS, ExportError, Exporter};
pub use identity::IdentityKind;
pub use image::ImageReference;
pub use outcome::Outcome;
pub use parse::{ParseError, Parser};
pub use path::normalize_host_path;
pub use quarantine::{
    QuarantineRecord, quarantine_batch, quarantine_comment, quarantine_records, quarantine_schema,
};
pub use rbac::{PolicyRule, Rbac, Subject};
pub use redact::{RedactionKey, redact, redact_record};
pub use workload::{Container, Volume, Workload};
