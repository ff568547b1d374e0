//! How far a request got.

/// The outcome of a request, as far as one event shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out. Where the log does not show what the request asked for, it may have been a dry run.
    Allowed,
    /// It was carried out as a dry run: nothing was stored.
    DryRun,
    /// Nobody is known to be behind it (401).
    DeniedAuthn,
    /// The authorizer forbade it, or RBAC's own check that nobody grants more than they have.
    DeniedAuthz,
    /// An admission plugin, webhook or policy refused it.
    DeniedAdmission,
    /// The object or patch was not acceptable (400, 422).
    Invalid,
    /// It met another version of the object, or one of that name (409).
    Conflict,
    /// It failed in another way.
    Error,
    /// The event does not say: no response at this stage.
    Unknown,
}

/// What decides an outcome.
#[derive(Debug, Default)]
pub(crate) struct Evidence<'a> {
    pub(crate) code: Option<i32>,
    pub(crate) decision: Option<&'a str>,
    pub(crate) message: Option<&'a str>,
    pub(crate) stage: Option<&'a str>,
    /// It is known to have been one.
    pub(crate) dry_run: bool,
    /// A ValidatingAdmissionPolicy left its annotation.
    pub(crate) policy_failure: bool,
}

impl Outcome {
    pub(crate) fn of(evidence: &Evidence<'_>) -> Self {
        let message = evidence.message.unwrap_or_default();
        if evidence.decision == Some("forbid") {
            return Self::DeniedAuthz;
        }
        if evidence.stage == Some("Panic") {
            return Self::Error;
        }
        match evidence.code {
            None | Some(0) => Self::Unknown,
            Some(..400) if evidence.dry_run => Self::DryRun,
            Some(..400) => Self::Allowed,
            Some(401) => Self::DeniedAuthn,
            // Without a decision annotation (other providers) a 403 is the authorizer's unless admission says so.
            Some(403) if message.contains("attempting to grant RBAC permissions") => {
                Self::DeniedAuthz
            }
            Some(403) if evidence.decision == Some("allow") || speaks_of_admission(message) => {
                Self::DeniedAdmission
            }
            Some(403) => Self::DeniedAuthz,
            Some(400..500) if evidence.policy_failure || speaks_of_admission(message) => {
                Self::DeniedAdmission
            }
            Some(400 | 422) => Self::Invalid,
            Some(409) => Self::Conflict,
            Some(_) => Self::Error,
        }
    }

    /// The name used in the `outcome` column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::DryRun => "dry_run",
            Self::DeniedAuthn => "denied_authn",
            Self::DeniedAuthz => "denied_authz",
            Self::DeniedAdmission => "denied_admission",
            Self::Invalid => "invalid",
            Self::Conflict => "conflict",
            Self::Error => "error",
            Self::Unknown => "unknown",
        }
    }
}

/// Whether a message is one of those with which admission refuses
/// (`k8s.io/apiserver` webhook errors, ValidatingAdmissionPolicy, Pod Security).
fn speaks_of_admission(message: &str) -> bool {
    (message.contains("admission webhook") && message.contains("denied the request"))
        || message.contains("ValidatingAdmissionPolicy")
        || message.contains("violates PodSecurity")
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
        assert_eq!(of(422, "allow", "spec.x: Required value"), "invalid");
        assert_eq!(of(409, "allow", ""), "conflict");
        assert_eq!(of(500, "allow", ""), "error");
        assert_eq!(of(0, "", ""), "unknown");
    }

    #[test]
    fn a_dry_run_stores_nothing() {
        let evidence = Evidence { code: Some(201), dry_run: true, ..Evidence::default() };
        assert_eq!(Outcome::of(&evidence), Outcome::DryRun);
        let evidence = Evidence { code: Some(403), dry_run: true, ..Evidence::default() };
        assert_eq!(Outcome::of(&evidence), Outcome::DeniedAuthz);
    }
}
