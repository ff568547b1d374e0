//! Identifies the part of admission that denied a request.
//!
//! An audit event names it only in the message, which every plugin of the API server words differently
//! (`plugin/pkg/admission` and `k8s.io/apiserver/pkg/admission` of kubernetes/kubernetes,
//! `k8s.io/pod-security-admission`, openshift/apiserver-library-go), and in the annotation of a
//! ValidatingAdmissionPolicy.

use crate::column::Text;
use crate::json::value::Json;

/// Plugins by the prefix of their reason.
const BEGINNINGS: &[(&str, &str)] = &[
    ("violates PodSecurity ", "PodSecurity"),
    ("exceeded quota: ", "ResourceQuota"),
    ("failed quota: ", "ResourceQuota"),
    ("insufficient quota to ", "ResourceQuota"),
    ("status unknown for quota: ", "ResourceQuota"),
    ("node \"", "NodeRestriction"),
    ("node requested token ", "NodeRestriction"),
    ("could not determine node from user ", "NodeRestriction"),
    ("pod does not have \"kubernetes.io/config.mirror\" annotation, node \"", "NodeRestriction"),
    ("error looking up service account ", "ServiceAccount"),
    ("no API token found for service account ", "ServiceAccount"),
    ("a mirror pod may not reference ", "ServiceAccount"),
    ("unable to validate against any security context constraint", "SecurityContextConstraint"),
    ("unable to validate against any pod security policy", "PodSecurityPolicy"),
    ("no providers available to validate pod request", "PodSecurityPolicy"),
    ("unable to create new content in namespace ", "NamespaceLifecycle"),
    ("this namespace may not be deleted", "NamespaceLifecycle"),
    ("user not permitted to approve requests with signerName ", "CertificateApproval"),
    ("user not permitted to sign requests with signerName ", "CertificateSigning"),
    ("use of kubernetes.io/kube-apiserver-client signer with ", "CertificateSubjectRestriction"),
    ("cannot set an ownerRef on a resource ", "OwnerReferencesPermissionEnforcement"),
    ("cannot set blockOwnerDeletion ", "OwnerReferencesPermissionEnforcement"),
    ("Use of external IPs is denied", "DenyServiceExternalIPs"),
    ("pod tolerations (possibly merged ", "PodTolerationRestriction"),
    ("pod node label selector conflicts ", "PodNodeSelector"),
    ("no PriorityClass with name ", "Priority"),
    ("the integer value of priority ", "Priority"),
    ("pods with system-", "Priority"),
    ("pod rejected: RuntimeClass ", "RuntimeClass"),
    ("image policy webhook backend denied ", "ImagePolicyWebhook"),
    ("only dynamically provisioned pvc can be resized", "PersistentVolumeClaimResize"),
];

/// Plugins by a part of their reason.
const PARTS: &[(&str, &str)] = &[
    (" usage per ", "LimitRanger"),
    (" max limit to request ratio per ", "LimitRanger"),
    ("because service account ", "ServiceAccount"),
];

/// Returns the plugin, webhook or policy that denied a request with this message: `PodSecurity`, `webhook NAME`,
/// `ValidatingAdmissionPolicy NAME` … `None` if the message is not from admission.
pub(crate) fn refuser<'a>(message: &str) -> Option<Text<'a>> {
    if let Some(webhook) = webhook(message) {
        return Some(format!("webhook {webhook}").into());
    }
    let (_, reason) = message.split_once(" is forbidden: ")?;
    if let Some(policy) = policy(reason) {
        return Some(format!("{POLICY}{policy}").into());
    }
    // Several reasons of one plugin are in brackets.
    let reason = reason.strip_prefix('[').unwrap_or(reason);
    let beginning = BEGINNINGS.iter().find(|(beginning, _)| reason.starts_with(beginning));
    let known = beginning.or_else(|| PARTS.iter().find(|(part, _)| reason.contains(part)));
    known.map(|(_, plugin)| Text::from(*plugin))
}

/// Returns whether a message can only come from admission, regardless of the code, which these components choose.
pub(crate) fn chooses_its_code(message: &str) -> bool {
    webhook(message).is_some()
        || message.split_once(" is forbidden: ").is_some_and(|(_, reason)| policy(reason).is_some())
}

/// Returns the webhook of `admission webhook "NAME" denied the request: …`.
fn webhook(message: &str) -> Option<&str> {
    let (name, rest) = message.strip_prefix("admission webhook \"")?.split_once('"')?;
    rest.starts_with(" denied the request").then_some(name)
}

const POLICY: &str = "ValidatingAdmissionPolicy ";

/// Returns the policy of `ValidatingAdmissionPolicy 'NAME' with binding 'NAME' denied request: …`.
fn policy(reason: &str) -> Option<&str> {
    let (name, rest) = reason.strip_prefix(POLICY)?.strip_prefix('\'')?.split_once('\'')?;
    rest.starts_with(" with binding ").then_some(name)
}

/// The annotation in which policies record their violations, if configured to.
pub(crate) const POLICY_FAILURE: &str = "validation.policy.admission.k8s.io/validation_failure";

/// Returns the policy that denied according to the annotation [`POLICY_FAILURE`]; `None` if all of them only audit or
/// warn.
pub(crate) fn denying_policy<'a>(annotation: &str) -> Option<Text<'a>> {
    let failures: Json<'_> = serde_json::from_str(annotation).ok()?;
    let denies = |failure: &&Json<'_>| {
        let actions = failure.texts("validationActions");
        actions.into_iter().flatten().any(|action| &*action == "Deny")
    };
    let policy = failures.elements()?.iter().find(denies)?.text("policy")?;
    Some(format!("{POLICY}{}", &*policy).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plugin_is_recognized_by_its_message() {
        for (message, expected) in [
            (
                r#"pods "probe-psa" is forbidden: violates PodSecurity "baseline:latest": privileged (container "app" must not set securityContext.privileged=true)"#,
                "PodSecurity",
            ),
            (
                r#"admission webhook "validate.kyverno.svc-fail" denied the request: no"#,
                "webhook validate.kyverno.svc-fail",
            ),
            (
                r#"admission webhook "validation.gatekeeper.sh" denied the request without explanation"#,
                "webhook validation.gatekeeper.sh",
            ),
            (
                "deployments.apps \"x\" is forbidden: ValidatingAdmissionPolicy 'replica-limit' with binding 'replica-limit' denied request: too many replicas",
                "ValidatingAdmissionPolicy replica-limit",
            ),
            (
                r#"pods "a" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=2, limited: pods=2"#,
                "ResourceQuota",
            ),
            (
                r#"pods "a" is forbidden: failed quota: compute: must specify cpu for: app; memory for: app"#,
                "ResourceQuota",
            ),
            (
                r#"pods "static-evil" is forbidden: node "worker-1" can only create pods with an owner reference set to itself"#,
                "NodeRestriction",
            ),
            (
                r#"serviceaccounts "default" is forbidden: node requested token bound to a pod scheduled on a different node"#,
                "NodeRestriction",
            ),
            (
                r#"nodes "worker-1" is forbidden: node "worker-2" is not allowed to modify node "worker-1""#,
                "NodeRestriction",
            ),
            (
                r#"pods "x" is forbidden: pod does not have "kubernetes.io/config.mirror" annotation, node "worker-1" can only create mirror pods"#,
                "NodeRestriction",
            ),
            (
                r#"pods "a" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi"#,
                "LimitRanger",
            ),
            (
                r#"pods "a" is forbidden: [minimum cpu usage per Pod is 100m, but request is 1m, maximum cpu usage per Pod is 1, but limit is 2]"#,
                "LimitRanger",
            ),
            (
                r#"pods "a" is forbidden: error looking up service account web/none: serviceaccount "none" not found"#,
                "ServiceAccount",
            ),
            (
                r#"pods "a" is forbidden: volume with secret.secretName="s" is not allowed because service account a does not reference that secret"#,
                "ServiceAccount",
            ),
            (
                r#"pods "a-" is forbidden: unable to validate against any security context constraint: [provider "anyuid": Forbidden: not usable by user or serviceaccount]"#,
                "SecurityContextConstraint",
            ),
            (
                "pods \"a\" is forbidden: unable to validate against any pod security policy: []",
                "PodSecurityPolicy",
            ),
            (
                r#"pods "a" is forbidden: unable to create new content in namespace preview because it is being terminated"#,
                "NamespaceLifecycle",
            ),
            (
                r#"certificatesigningrequests.certificates.k8s.io "c" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed"#,
                "CertificateSubjectRestriction",
            ),
            (
                r#"certificatesigningrequests.certificates.k8s.io "c" is forbidden: user not permitted to approve requests with signerName "kubernetes.io/kubelet-serving""#,
                "CertificateApproval",
            ),
            (r#"pods "a" is forbidden: no PriorityClass with name high was found"#, "Priority"),
        ] {
            assert_eq!(refuser(message).as_deref(), Some(expected), "{message}");
        }
    }

    #[test]
    fn other_messages_name_no_plugin() {
        for message in [
            "",
            "Unauthorized",
            r#"pods is forbidden: User "bob" cannot list resource "pods" in API group "" at the cluster scope"#,
            r#"clusterroles.rbac.authorization.k8s.io "x" is forbidden: user "bob" (groups=["dev"]) is attempting to grant RBAC permissions not currently held:"#,
            r#"Pod "x" is invalid: spec.x: Invalid value: "admission webhook \"x\" denied the request""#,
            r#"Internal error occurred: failed calling webhook "x": connection refused"#,
            r#"admission webhook "x"#,
        ] {
            assert_eq!(refuser(message), None, "{message}");
            assert!(!chooses_its_code(message), "{message}");
        }
    }

    #[test]
    fn a_policy_that_only_audits_denies_nothing() {
        let annotation = |actions: &str| {
            format!(
                r#"[{{"message":"m","policy":"p.example","binding":"b","expressionIndex":"0","validationActions":{actions}}}]"#
            )
        };
        let denied = denying_policy(&annotation(r#"["Deny","Audit"]"#));
        assert_eq!(denied.as_deref(), Some("ValidatingAdmissionPolicy p.example"));
        assert_eq!(denying_policy(&annotation(r#"["Audit"]"#)), None);
        assert_eq!(denying_policy("no JSON"), None);
    }
}
