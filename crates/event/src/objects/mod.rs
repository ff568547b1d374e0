//! Kubernetes API objects as detections need them: rows for workloads, RBAC, webhooks and other kinds.

pub(crate) mod bodies;
pub(crate) mod certificate_request;
pub(crate) mod config_map;
pub(crate) mod embedded;
pub(crate) mod extract;
pub(crate) mod fields;
pub mod image;
pub(crate) mod ingress;
pub(crate) mod kinds;
pub(crate) mod namespace;
pub(crate) mod network_policy;
pub mod path;
pub(crate) mod persistent_volume;
pub mod pod_security;
pub(crate) mod policy_rule;
pub(crate) mod posture;
pub(crate) mod rbac;
pub(crate) mod role_effects;
pub(crate) mod secret;
pub(crate) mod selector;
pub(crate) mod service;
pub(crate) mod token_request;
pub(crate) mod webhook;
pub(crate) mod workload;
