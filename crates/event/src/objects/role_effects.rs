//! The powers that all rules of a role together grant.
//!
//! A role that lists every verb or resource, or spreads them over several rules, is as powerful as one with `*`. So
//! this module evaluates rules as the authorizer does, instead of comparing their text.
//!
//! Source: `k8s.io/kubernetes/pkg/apis/rbac/v1/evaluation_helpers.go` (`VerbMatches`, `APIGroupMatches`,
//! `ResourceMatches`), and the privilege escalation risks of the RBAC good practices.

use crate::column::Text;
use crate::objects::policy_rule::PolicyRule;

const CORE: &str = "";
const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";
const READ: &[&str] = &["get", "list", "watch"];
const CHANGE: &[&str] = &["update", "patch"];
const WRITE: &[&str] = &["create", "update", "patch"];

const WORKLOADS: &[(&str, &str)] = &[
    (CORE, "pods"),
    (CORE, "replicationcontrollers"),
    ("apps", "deployments"),
    ("apps", "daemonsets"),
    ("apps", "statefulsets"),
    ("apps", "replicasets"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
];

/// A subject with all verbs on all of these is a cluster administrator.
const EVERYTHING: &[(&str, &str)] = &[
    (CORE, "pods"),
    (CORE, "secrets"),
    (CORE, "configmaps"),
    (CORE, "serviceaccounts"),
    (CORE, "namespaces"),
    (CORE, "nodes"),
    ("apps", "deployments"),
    ("apps", "daemonsets"),
    ("batch", "jobs"),
    (RBAC, "clusterroles"),
    (RBAC, "clusterrolebindings"),
];

/// Returns the powers that a role grants; `None` if no rule is visible.
///
/// `selects_all` is set if the role aggregates rules of roles that it does not name. A rule that is restricted
/// by `resourceNames` counts only for verbs such as `bind` and `impersonate`, for which the named object can be the
/// one that matters.
pub(crate) fn effects<'a>(
    rules: Option<&[PolicyRule<'_>]>,
    selects_all: bool,
) -> Option<Vec<Text<'a>>> {
    if rules.is_none() && !selects_all {
        return None;
    }
    let rules = Rules(rules.unwrap_or_default());
    let everything = selects_all || rules.allow_everything();
    let named = |pairs: &[(&str, &str)], verbs: &[&str]| {
        pairs.iter().any(|(group, resource)| rules.allow_some(verbs, group, resource, true))
    };
    let unnamed = |pairs: &[(&str, &str)], verbs: &[&str]| {
        pairs.iter().any(|(group, resource)| rules.allow_some(verbs, group, resource, false))
    };
    let impersonates =
        |resources: &[&str]| resources.iter().any(|resource| rules.impersonate(resource));
    let found = [
        ("everything", everything),
        ("escalate", named(&[(RBAC, "clusterroles"), (RBAC, "roles")], &["escalate", "bind"])),
        ("impersonate", impersonates(&["users", "groups", "uids", "userextras/scopes"])),
        ("impersonate accounts", impersonates(&["serviceaccounts"])),
        ("tokens", unnamed(&[(CORE, "serviceaccounts/token")], &["create"])),
        (
            "certificates",
            unnamed(&[("certificates.k8s.io", "certificatesigningrequests/approval")], CHANGE)
                || named(&[("certificates.k8s.io", "signers")], &["approve", "sign"]),
        ),
        (
            "admission",
            unnamed(
                &[
                    (ADMISSION, "mutatingwebhookconfigurations"),
                    (ADMISSION, "validatingwebhookconfigurations"),
                    (ADMISSION, "mutatingadmissionpolicies"),
                    (ADMISSION, "mutatingadmissionpolicybindings"),
                    (ADMISSION, "validatingadmissionpolicies"),
                    (ADMISSION, "validatingadmissionpolicybindings"),
                ],
                &["create", "update", "patch", "delete", "deletecollection"],
            ),
        ),
        ("node proxy", named(&[(CORE, "nodes/proxy")], &["get", "create", "update", "patch"])),
        ("nodes", unnamed(&[(CORE, "nodes")], CHANGE)),
        ("volumes", unnamed(&[(CORE, "persistentvolumes")], &["create"])),
        ("secrets", unnamed(&[(CORE, "secrets")], READ)),
        (
            "exec",
            unnamed(&[(CORE, "pods/exec"), (CORE, "pods/attach")], &["create", "get"])
                || unnamed(&[(CORE, "pods/ephemeralcontainers")], CHANGE),
        ),
        ("workloads", unnamed(WORKLOADS, WRITE)),
        ("every path", rules.allow_every_path()),
    ];
    Some(found.into_iter().filter(|(_, holds)| *holds).map(|(name, _)| name.into()).collect())
}

struct Rules<'r>(&'r [PolicyRule<'r>]);

impl Rules<'_> {
    fn allow_everything(&self) -> bool {
        EVERYTHING.iter().all(|(group, resource)| {
            let some = |verbs: &[&str]| self.allow_some(verbs, group, resource, false);
            some(READ) && some(&["create"]) && some(CHANGE) && some(&["delete", "deletecollection"])
        })
    }

    /// Returns whether one of these verbs is allowed; `named` if a rule for named objects counts.
    fn allow_some(&self, verbs: &[&str], group: &str, resource: &str, named: bool) -> bool {
        let allows = |rule: &PolicyRule<'_>| {
            (named || !has_names(rule))
                && has(rule.verbs.as_deref(), |verb| verb == "*" || verbs.contains(&verb))
                && is_group(rule, group)
                && has(rule.resources.as_deref(), |rule| is_resource(rule, resource))
        };
        self.0.iter().any(allows)
    }

    /// Kubernetes 1.35 introduced verbs for parts of it, such as `impersonate:user-info`.
    fn impersonate(&self, resource: &str) -> bool {
        let impersonates =
            |verb: &str| verb == "*" || verb == "impersonate" || verb.starts_with("impersonate:");
        let allows = |rule: &PolicyRule<'_>| {
            // Users and groups are in the core group, identifiers and extras in this one.
            (is_group(rule, CORE) || is_group(rule, "authentication.k8s.io"))
                && has(rule.verbs.as_deref(), impersonates)
                && has(rule.resources.as_deref(), |rule| is_resource(rule, resource))
        };
        self.0.iter().any(allows)
    }

    fn allow_every_path(&self) -> bool {
        let allows = |rule: &PolicyRule<'_>| {
            has(rule.non_resource_urls.as_deref(), |url| url == "*" || url == "/*")
                && has(rule.verbs.as_deref(), |verb| verb == "*" || verb != "get")
        };
        self.0.iter().any(allows)
    }
}

fn has(texts: Option<&[Text<'_>]>, is: impl Fn(&str) -> bool) -> bool {
    texts.is_some_and(|texts| texts.iter().any(|text| is(text)))
}

fn has_names(rule: &PolicyRule<'_>) -> bool {
    rule.resource_names.as_ref().is_some_and(|names| !names.is_empty())
}

/// Returns whether a rule applies to a group. A rule in a patch may lack its groups; it may then apply to any.
fn is_group(rule: &PolicyRule<'_>, group: &str) -> bool {
    rule.api_groups.as_ref().is_none_or(Vec::is_empty)
        || has(rule.api_groups.as_deref(), |name| name == "*" || name == group)
}

/// `pods/*` has no meaning for Kubernetes, but for its authors.
fn is_resource(rule: &str, resource: &str) -> bool {
    if rule == "*" || rule == "*/*" || rule == resource {
        return true;
    }
    let Some((parent, part)) = resource.split_once('/') else { return false };
    rule.split_once('/').is_some_and(|(rule_parent, rule_part)| {
        (rule_parent == "*" && rule_part == part) || (rule_parent == parent && rule_part == "*")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule<'a>(groups: &[&'a str], resources: &[&'a str], verbs: &[&'a str]) -> PolicyRule<'a> {
        let texts = |texts: &[&'a str]| Some(texts.iter().copied().map(Text::from).collect());
        PolicyRule {
            api_groups: texts(groups),
            resources: texts(resources),
            verbs: texts(verbs),
            ..PolicyRule::default()
        }
    }

    fn of(rules: &[PolicyRule<'_>]) -> Vec<String> {
        effects(Some(rules), false).unwrap().iter().map(|effect| effect.to_string()).collect()
    }

    #[test]
    fn a_list_of_all_verbs_equals_a_wildcard() {
        let all = ["get", "list", "watch", "create", "update", "patch", "delete"];
        assert!(of(&[rule(&["*"], &["*"], &all)]).contains(&"everything".to_owned()));
        assert!(of(&[rule(&["*"], &["*"], &["*"])]).contains(&"everything".to_owned()));
        // In parts, and with resources listed.
        let resources: Vec<_> = EVERYTHING.iter().map(|(_, resource)| *resource).collect();
        let groups = ["", "apps", "batch", RBAC];
        let parts = [
            rule(&groups, &resources, &["list", "create"]),
            rule(&groups, &resources, &["patch", "deletecollection"]),
        ];
        assert!(of(&parts).contains(&"everything".to_owned()));
        assert!(!of(&parts[..1]).contains(&"everything".to_owned()));
        // Full rights on one custom API group are not everything.
        assert_eq!(of(&[rule(&["example.com"], &["*"], &["*"])]), Vec::<String>::new());
    }

    #[test]
    fn parts_of_resources_are_matched_as_the_authorizer_does() {
        for (resources, verbs, expected) in [
            (&["pods/*"][..], &["create"][..], &["exec"][..]),
            (&["*/exec"], &["create"], &["exec"]),
            (&["*/*"], &["get"], &["node proxy", "secrets", "exec"]),
            (&["pods"], &["create"], &["workloads"]),
            (&["serviceaccounts/token"], &["create"], &["tokens"]),
            (&["serviceaccounts"], &["impersonate"], &["impersonate accounts"]),
            (&["groups"], &["impersonate:user-info"], &["impersonate"]),
            (&["pods", "pods/log"], &["get", "list"], &[]),
        ] {
            assert_eq!(of(&[rule(&[""], resources, verbs)]), expected, "{resources:?} {verbs:?}");
        }
    }

    #[test]
    fn a_resource_name_limits_reads_but_not_binds() {
        let named = |resource, verb| PolicyRule {
            resource_names: Some(vec!["cluster-admin".into()]),
            ..rule(&["*"], &[resource], &[verb])
        };
        assert_eq!(of(&[named("secrets", "get")]), Vec::<String>::new());
        assert_eq!(of(&[named("clusterroles", "bind")]), ["escalate"]);
        assert_eq!(effects(None, false), None);
        assert_eq!(effects(None, true).unwrap()[0], "everything".into());
    }
}
