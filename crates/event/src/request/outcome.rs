//! The outcome of a request.

use strum::{IntoStaticStr, VariantNames};

use crate::column::Text;
use crate::request::admission::{chooses_its_code, refuser};

/// The outcome of a request, as far as one event shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// The request was carried out. If the log does not show its options, it may have been a dry run.
    Allowed,
    /// The request was carried out as a dry run: nothing was stored.
    DryRun,
    /// The request was not authenticated (401).
    DeniedAuthn,
    /// The authorizer denied the request, or RBAC's check against privilege escalation did.
    DeniedAuthz,
    /// An admission plugin, webhook or policy denied the request.
    DeniedAdmission,
    /// The object or patch was invalid (400, 422).
    Invalid,
    /// The request conflicted with another version of the object, or with an existing one (409).
    Conflict,
    /// The request failed in another way.
    Error,
    /// The event does not show it: no response at this stage.
    Unknown,
}

/// The properties that determine an outcome.
#[derive(Debug, Default)]
pub(crate) struct Evidence<'a> {
    pub(crate) code: Option<i32>,
    pub(crate) decision: Option<&'a str>,
    pub(crate) message: Option<&'a str>,
    pub(crate) stage: Option<&'a str>,
    /// Whether it is known to have been a dry run.
    pub(crate) dry_run: bool,
    /// Whether the request writes to the storage of the API server.
    pub(crate) stores: bool,
    /// Whether it deletes objects one by one: if it fails half-way, some are deleted (`registry.DeleteCollection`).
    pub(crate) is_collection: bool,
    /// The ValidatingAdmissionPolicy that denied the request according to its annotation.
    pub(crate) denying_policy: Option<Text<'a>>,
}

/// Prefixes of server error messages from before anything is stored. Clients cannot choose these words.
///
/// Sources: `k8s.io/apiserver` (`admission/plugin/webhook`, `admission/plugin/resourcequota`, `endpoints/handlers`),
/// etcd's `rpctypes`.
const NOTHING_STORED: &[&str] = &[
    "Internal error occurred: failed calling webhook ",
    "Internal error occurred: failed to call webhook ",
    "Internal error occurred: resource quota evaluat",
    "Internal error occurred: error resolving resource",
    "etcdserver: request is too large",
    "etcdserver: mvcc: database space exceeded",
    "rpc error: code = ResourceExhausted desc = trying to send message larger than max",
    "The apiserver is shutting down",
];

/// The message of clients and proxies for a 503 without a message.
const UNABLE: &str = "the server is currently unable to handle the request";

impl Evidence<'_> {
    /// Returns whether a write may have been carried out although the response is an error: it ended in a timeout
    /// (504), another server error, without a status or in a panic, and no message shows that it did not reach the
    /// storage.
    ///
    /// A client that sends `?timeout=1ms` gets a 504 for a write that continues.
    pub(crate) fn is_uncertain(&self) -> bool {
        let message = self.message.unwrap_or_default();
        let is_server_error = match self.code {
            // Whether an aggregated API was reachable at all; the API server itself never answers a write with it.
            Some(503) => !matches!(message, "" | "service unavailable" | UNABLE),
            // A server that wrote no status before the client disconnected.
            Some(0) => self.stage == Some("ResponseComplete"),
            Some(code) => code >= 500,
            None => false,
        };
        // A denied object does not undo the deletion of earlier ones.
        let is_half_done = self.is_collection
            && self.decision == Some("allow")
            && self.code.is_some_and(|code| code == 403 || code == 409 || code >= 500);
        let is_unanswered = (is_server_error || self.stage == Some("Panic"))
            && !chooses_its_code(message)
            && !NOTHING_STORED.iter().any(|beginning| message.starts_with(beginning));
        self.stores
            && !self.dry_run
            && self.decision != Some("forbid")
            && (is_half_done || is_unanswered)
    }
}

/// Returns whether a request of this kind changes what the API server stores.
///
/// Requests that the API server answers itself store nothing, regardless of the verb: streams and proxies, tokens,
/// reviews.
pub(crate) fn stores(verb: &str, api_group: &str, resource: &str, subresource: &str) -> bool {
    matches!(verb, "create" | "update" | "patch" | "delete" | "deletecollection")
        && !matches!(subresource, "exec" | "attach" | "portforward" | "proxy" | "token" | "log")
        && !matches!(api_group, "authentication.k8s.io" | "authorization.k8s.io")
        && !resource.is_empty()
}

impl Outcome {
    pub(crate) fn of(evidence: &Evidence<'_>) -> Self {
        let message = evidence.message.unwrap_or_default();
        if evidence.decision == Some("forbid") {
            return Self::DeniedAuthz;
        }
        if evidence.is_uncertain() {
            return Self::Allowed;
        }
        if evidence.stage == Some("Panic") {
            return Self::Error;
        }
        match evidence.code {
            None | Some(0) => Self::Unknown,
            Some(..400) if evidence.dry_run => Self::DryRun,
            Some(..400) => Self::Allowed,
            Some(401) => Self::DeniedAuthn,
            // RBAC's check against privilege escalation, after the authorizer has allowed the write.
            Some(403) if message.contains("attempting to grant RBAC permissions") => {
                Self::DeniedAuthz
            }
            // Without a decision annotation (other providers) a 403 comes from the authorizer unless the message is
            // from admission.
            Some(403) if evidence.decision == Some("allow") || refuser(message).is_some() => {
                Self::DeniedAdmission
            }
            Some(_) if chooses_its_code(message) => Self::DeniedAdmission,
            Some(400..500) if evidence.denying_policy.is_some() => Self::DeniedAdmission,
            Some(403) => Self::DeniedAuthz,
            Some(400 | 422) => Self::Invalid,
            Some(409) => Self::Conflict,
            Some(_) => Self::Error,
        }
    }

    /// Returns the part of admission that denied a request with this outcome, if known.
    pub(crate) fn denied_by<'a>(self, evidence: &Evidence<'a>) -> Option<Text<'a>> {
        if self != Self::DeniedAdmission {
            return None;
        }
        evidence.message.and_then(refuser).or_else(|| evidence.denying_policy.clone())
    }

    /// Returns the name used in the `outcome` column.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_decision_and_message_decide() {
        let of = |code, decision, message| {
            Outcome::of(&Evidence {
                code: Some(code),
                decision: Some(decision).filter(|d: &&str| !d.is_empty()),
                message: Some(message),
                ..Evidence::default()
            })
            .as_str()
        };
        assert_eq!(of(201, "allow", ""), "allowed");
        assert_eq!(of(101, "allow", ""), "allowed");
        assert_eq!(of(401, "", ""), "denied_authn");
        assert_eq!(of(403, "forbid", ""), "denied_authz");
        assert_eq!(of(403, "allow", "pods \"x\" is forbidden: exceeded quota"), "denied_admission");
        assert_eq!(of(403, "", ""), "denied_authz");
        let escalation = "user \"x\" is attempting to grant RBAC permissions not currently held";
        assert_eq!(of(403, "allow", escalation), "denied_authz");
        let webhook = "admission webhook \"v.example\" denied the request: no";
        assert_eq!(of(400, "allow", webhook), "denied_admission");
        assert_eq!(of(500, "allow", webhook), "denied_admission");
        let policy = "pods \"x\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request";
        assert_eq!(of(422, "allow", policy), "denied_admission");
        assert_eq!(of(403, "", "pods \"x\" is forbidden: exceeded quota: q"), "denied_admission");
        assert_eq!(of(403, "", "pods is forbidden: User \"x\" cannot list"), "denied_authz");
        let quoting = format!("Pod \"x\" is invalid: spec.y: Invalid value: \"{webhook}\"");
        assert_eq!(of(422, "allow", &quoting), "invalid");
        assert_eq!(of(404, "allow", "pods \"x\" not found"), "error");
        assert_eq!(of(429, "allow", "Cannot evict pod"), "error");
        assert_eq!(of(422, "allow", "spec.x: Required value"), "invalid");
        assert_eq!(of(409, "allow", ""), "conflict");
        assert_eq!(of(500, "allow", ""), "error");
        assert_eq!(of(0, "", ""), "unknown");
    }

    #[test]
    fn a_failed_write_may_have_been_executed() {
        let of = |code, message, stage| {
            let evidence = Evidence {
                code,
                message: Some(message),
                stage: Some(stage),
                decision: Some("allow"),
                stores: true,
                ..Evidence::default()
            };
            assert_eq!(evidence.is_uncertain(), Outcome::of(&evidence) == Outcome::Allowed);
            evidence.is_uncertain()
        };
        let timeout = "Timeout: request did not complete within requested timeout - context deadline exceeded";
        let done = "ResponseComplete";
        assert!(of(Some(0), "", done));
        assert!(!of(Some(0), "", "RequestReceived"));
        let of_collection = |code, stage| {
            let evidence = Evidence {
                code,
                stage: Some(stage),
                decision: Some("allow"),
                stores: true,
                is_collection: true,
                ..Evidence::default()
            };
            evidence.is_uncertain()
        };
        assert!(of_collection(Some(500), done));
        assert!(of_collection(Some(403), done));
        assert!(of_collection(None, "Panic"));
        assert!(!of_collection(Some(404), done));
        assert!(of(Some(504), timeout, done));
        assert!(of(Some(500), "etcdserver: request timed out", done));
        assert!(of(Some(500), "", done));
        assert!(of(Some(500), "", "Panic"));
        assert!(of(None, "", "Panic"));
        assert!(of(Some(503), "etcdserver: leader changed", done));
        for (code, message) in [
            (
                500,
                r#"Internal error occurred: failed calling webhook "v.example": connection refused"#,
            ),
            (500, "etcdserver: request is too large"),
            (503, ""),
            (503, "service unavailable"),
            (500, r#"admission webhook "v.example" denied the request: no"#),
            (429, "Too many requests"),
            (409, ""),
            (422, timeout),
            (404, ""),
        ] {
            assert!(!of(Some(code), message, done), "{code} {message}");
        }
        // Text chosen by the client is not at the beginning.
        assert!(of(Some(500), "pods \"etcdserver: request is too large\": timed out", done));
    }

    #[test]
    fn only_a_write_of_an_object_is_stored() {
        assert!(stores("create", "", "pods", ""));
        assert!(stores("create", "", "pods", "binding"));
        assert!(stores("deletecollection", "", "pods", ""));
        assert!(!stores("get", "", "pods", ""));
        assert!(!stores("create", "", "pods", "exec"));
        assert!(!stores("create", "", "nodes", "proxy"));
        assert!(!stores("create", "", "serviceaccounts", "token"));
        assert!(!stores("create", "authorization.k8s.io", "subjectaccessreviews", ""));
    }

    #[test]
    fn a_dry_run_stores_nothing() {
        let evidence = Evidence { code: Some(201), dry_run: true, ..Evidence::default() };
        assert_eq!(Outcome::of(&evidence), Outcome::DryRun);
        let evidence = Evidence { code: Some(403), dry_run: true, ..Evidence::default() };
        assert_eq!(Outcome::of(&evidence), Outcome::DeniedAuthz);
    }

    #[test]
    fn only_admission_denials_name_a_component() {
        let webhook = "admission webhook \"v.example\" denied the request: no";
        for (code, decision, message, policy, denied_by) in [
            (403, "allow", webhook, None, Some("webhook v.example")),
            (
                403,
                "allow",
                "",
                Some("ValidatingAdmissionPolicy p"),
                Some("ValidatingAdmissionPolicy p"),
            ),
            (403, "allow", "", None, None),
            (403, "forbid", webhook, None, None),
            (201, "allow", "", Some("ValidatingAdmissionPolicy p"), None),
        ] {
            let evidence = Evidence {
                code: Some(code),
                decision: Some(decision),
                message: Some(message),
                denying_policy: policy.map(Text::from),
                ..Evidence::default()
            };
            let by = Outcome::of(&evidence).denied_by(&evidence);
            assert_eq!(by.as_deref(), denied_by, "{code} {decision} {message}");
        }
    }
}
