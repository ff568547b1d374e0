//! Changes that weaken a guard: an admission policy, its binding or webhook, an exemption from one, a namespace, a
//! network policy, a node, or the workload of a security agent.
//!
//! There are many kinds, most of them custom resources, so versions are compared as JSON independently of the kind. A
//! value that a version no longer contains is lost. A new value is a gap if it is under a name that exempts objects.
//! Without the previous version, the new version is judged alone; if the log shows only a patch, the patch is judged
//! alone.

pub(crate) mod guard_change;
mod leaves;
mod node;
mod policy;
mod workload;

use serde_json::Value;

use self::guard_change::{Found, GuardChange, Kind, MAX_CHANGES, payload};
use self::leaves::partial;
use self::node::metadata;
use self::policy::{collected, compare, gaps, only_certificates};
use self::workload::workload;
use crate::analysis::history::Write;
use crate::patch::{PatchHints, PatchType};

/// The known state of one guard after the writes so far.
#[derive(Debug)]
pub struct GuardHistory {
    kind: Kind,
    built_in: bool,
    uid: Option<String>,
    version: Option<Value>,
}

/// Maximum length of a version in memory; longer versions are not compared.
const MAX_LENGTH: usize = 4 << 20;

impl GuardHistory {
    /// Creates the history of an object without any writes.
    pub fn new(api_group: &str, resource: &str) -> Self {
        let built_in = matches!(
            api_group,
            "" | "apps"
                | "extensions"
                | "batch"
                | "admissionregistration.k8s.io"
                | "networking.k8s.io"
        );
        Self { kind: Kind::of(api_group, resource), built_in, uid: None, version: None }
    }

    /// Returns what `write` weakens. Writes must be given in chronological order.
    pub fn write(&mut self, write: &Write<'_>) -> Vec<GuardChange<'static>> {
        if write.outcome != "allowed" || !matches!(write.subresource, "" | "finalize") {
            return Vec::new();
        }
        let mut found = match write.verb {
            // The version stays: a recreated object is compared with it.
            "delete" | "deletecollection" => {
                self.uid = None;
                let mut found = Found::new(self.version.is_some());
                found.push("removed", "", None, None);
                found
            }
            "create" => {
                let after = whole(write);
                let before = std::mem::replace(&mut self.version, after);
                self.uid = write.object_uid.map(str::to_owned);
                self.created(before.as_ref())
            }
            "update" | "patch" => self.rewritten(write),
            _ => Found::new(false),
        };
        found.rows.truncate(MAX_CHANGES);
        found.rows
    }

    fn created(&self, before: Option<&Value>) -> Found {
        let mut found = Found::new(before.is_some());
        let Some(after) = &self.version else { return found };
        match (&self.kind, before) {
            (Kind::Namespace | Kind::Node, _) => metadata(&mut found, None, after, true, None),
            (Kind::Exemption, None) => found.push("exempted", "", None, payload(after).as_ref()),
            (Kind::Workload(_), _) | (_, None) => {}
            (kind, Some(before)) => compare(&mut found, kind, before, after),
        }
        found
    }

    fn rewritten(&mut self, write: &Write<'_>) -> Found {
        if let Some(uid) = write.object_uid {
            if self.uid.as_deref().is_some_and(|known| known != uid) {
                self.version = None;
            }
            self.uid = Some(uid.to_owned());
        }
        let before = self.version.take();
        let patch = (write.verb == "patch").then(|| parse(write.request_object)).flatten();
        let answered = whole(write);
        // A version to which the patch does not apply was not the current one.
        let (before, after) = match (before, answered) {
            (before, Some(after)) => (before, Some(after)),
            (Some(before), None) => match self.patched(&before, patch.as_ref(), write) {
                Some(after) => (Some(before), Some(after)),
                None => (None, None),
            },
            (None, None) => (None, None),
        };
        let mut found = Found::new(before.is_some());
        if let (Some(before), Some(after)) = (&before, &after) {
            match &self.kind {
                Kind::Namespace | Kind::Node => {
                    metadata(&mut found, Some(before), after, true, None);
                }
                Kind::Workload(kind) => workload(&mut found, kind, Some(before), after),
                kind => compare(&mut found, kind, before, after),
            }
        } else {
            let partial = patch.as_ref().map(partial);
            self.seen(&mut found, partial.as_ref(), after.as_ref(), patch.is_some(), write);
        }
        self.version = after;
        found
    }

    fn patched(&self, before: &Value, patch: Option<&Value>, write: &Write<'_>) -> Option<Value> {
        let patch = patch?;
        let hints = PatchHints {
            built_in: self.built_in,
            field_manager: write.field_manager,
            force: write.force,
        };
        let mut after = before.clone();
        PatchType::of(patch, hints).apply(&mut after, patch).ok()?;
        Some(after)
    }

    /// Reports what a write alone shows, if the previous version is unknown.
    fn seen(
        &self,
        found: &mut Found,
        partial: Option<&Value>,
        after: Option<&Value>,
        is_patch: bool,
        write: &Write<'_>,
    ) {
        match &self.kind {
            Kind::Namespace | Kind::Node => match (partial, after) {
                (Some(partial), _) => metadata(found, None, partial, false, after),
                (None, Some(after)) => metadata(found, None, after, true, None),
                (None, None) => found.push("unseen", "", None, None),
            },
            Kind::Workload(kind) => {
                if let Some(shown) = partial.or(after.filter(|_| is_patch)) {
                    workload(found, kind, None, shown);
                }
            }
            kind => {
                if let Some(partial) = partial {
                    collected(found, None, partial);
                    // Labels and annotations of a policy guard nothing.
                    if payload(partial).is_none() {
                        return;
                    }
                }
                let whole = after.and_then(payload);
                let Some(shown) = whole.or_else(|| partial.and_then(payload)) else {
                    found.push("unseen", "", None, None);
                    return;
                };
                if let Some(partial) = partial
                    && only_certificates(partial)
                {
                    found.push("certificate", "", None, None);
                    return;
                }
                gaps(found, kind, &shown, after.is_some());
                if after.is_none() || write.request_object.is_none() {
                    found.push("unseen", "", None, Some(&shown));
                } else {
                    found.push("weakened", "", None, None);
                }
            }
        }
    }
}

fn parse(text: Option<&str>) -> Option<Value> {
    serde_json::from_str(text.filter(|text| text.len() <= MAX_LENGTH)?).ok()
}

/// Returns the whole object after a write, if the log shows it.
fn whole(write: &Write<'_>) -> Option<Value> {
    let is_object = |body: &Value| {
        let kind = body.get("kind").and_then(Value::as_str).unwrap_or_default();
        let is_other =
            matches!(kind, "Status" | "Table" | "PartialObjectMetadata") || kind.ends_with("List");
        !is_other && body.is_object() && (body.get("metadata").is_some() || payload(body).is_some())
    };
    let request = write.request_object.filter(|_| write.verb != "patch");
    [write.response_object, request].into_iter().find_map(|text| parse(text).filter(is_object))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::Text;

    fn changes(
        api_group: &str,
        resource: &str,
        writes: &[(&str, &str, Option<&str>)],
    ) -> Vec<String> {
        let mut history = GuardHistory::new(api_group, resource);
        let mut last = Vec::new();
        for (verb, request, response) in writes {
            last = history.write(&Write {
                verb,
                outcome: "allowed",
                request_object: Some(*request),
                response_object: *response,
                ..Write::default()
            });
        }
        let text = |text: Option<Text<'static>>| text.unwrap_or_default().to_string();
        last.into_iter().map(|row| format!("{} {}", text(row.change), text(row.field))).collect()
    }

    const ADMISSION: &str = "admissionregistration.k8s.io";
    const WEBHOOK: &str = r#"{"metadata":{"name":"a"},"webhooks":[{"name":"w","failurePolicy":"Fail",
        "clientConfig":{"caBundle":"QQ==","service":{"name":"s","namespace":"n"}},"namespaceSelector":{},
        "rules":[{"operations":["CREATE","UPDATE"],"resources":["pods"],"apiGroups":[""]}]}]}"#;
    const TABLE: Option<&str> = Some(r#"{"kind":"Table","metadata":{}}"#);

    fn webhook(patch: &str) -> Vec<String> {
        changes(
            ADMISSION,
            "validatingwebhookconfigurations",
            &[("create", WEBHOOK, None), ("patch", patch, TABLE)],
        )
    }

    #[test]
    fn a_webhook_is_compared_with_the_previous_version() {
        for (patch, expected) in [
            (r#"{"webhooks":[{"name":"w","failurePolicy":"Ignore"}]}"#, "not enforced"),
            (r#"[{"op":"remove","path":"/webhooks/0/rules/0/operations/0"}]"#, "narrowed"),
            (r#"[{"op":"replace","path":"/webhooks/0/rules","value":[]}]"#, "emptied"),
            (r#"[{"op":"replace","path":"/webhooks","value":[]}]"#, "emptied"),
            (
                r#"[{"op":"add","path":"/webhooks/0/namespaceSelector","value":{"matchLabels":{"kubernetes.io/metadata.name":"x"}}}]"#,
                "narrowed",
            ),
            (
                r#"{"webhooks":[{"name":"w","clientConfig":{"service":{"name":"x"}}}]}"#,
                "redirected",
            ),
            (
                r#"{"webhooks":[{"name":"w","matchConditions":[{"name":"m","expression":"false"}]}]}"#,
                "narrowed",
            ),
            (r#"{"metadata":{"ownerReferences":[{"uid":"1"}]}}"#, "collected"),
        ] {
            let found = webhook(patch);
            assert!(found.iter().any(|row| row.starts_with(expected)), "{patch}: {found:?}");
        }
        for patch in [
            r#"{"metadata":{"labels":{"a":"b"}}}"#,
            r#"{"webhooks":[{"name":"w","timeoutSeconds":20}]}"#,
            r#"[{"op":"add","path":"/webhooks/0/rules/0/operations/-","value":"DELETE"}]"#,
            r#"[{"op":"add","path":"/webhooks/-","value":{"name":"v","failurePolicy":"Ignore","namespaceSelector":{"matchLabels":{"a":"b"}},"rules":[]}}]"#,
        ] {
            let found: Vec<_> = webhook(patch)
                .into_iter()
                .filter(|row| !row.starts_with("emptied webhooks[v]"))
                .collect();
            assert_eq!(found, Vec::<String>::new(), "{patch}");
        }
        assert_eq!(
            webhook(r#"{"webhooks":[{"name":"w","clientConfig":{"caBundle":"Qg=="}}]}"#),
            ["certificate webhooks[w].clientConfig.caBundle"]
        );
    }

    #[test]
    fn without_a_previous_version_a_write_is_judged_alone() {
        let policy = r#"{"metadata":{"name":"a"},"spec":{"validations":[{"expression":"true"}]}}"#;
        let found =
            changes(ADMISSION, "validatingadmissionpolicies", &[("update", policy, Some(policy))]);
        assert!(
            found.contains(&"condition spec.validations[0].expression".to_owned()),
            "{found:?}"
        );
        let patch = r#"{"spec":{"match":{"kinds":[]}}}"#;
        let found = changes("constraints.gatekeeper.sh", "k8snopriv", &[("patch", patch, TABLE)]);
        assert!(found.contains(&"emptied spec.match.kinds".to_owned()), "{found:?}");
        let patch = r#"{"webhooks":[{"name":"w","clientConfig":{"caBundle":"Qg=="}}]}"#;
        let found =
            changes(ADMISSION, "validatingwebhookconfigurations", &[("patch", patch, TABLE)]);
        assert_eq!(found, ["certificate "]);
        // A new policy only adds protection, even if it omits fields.
        let found =
            changes(ADMISSION, "validatingadmissionpolicies", &[("create", policy, Some(policy))]);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn changes_that_stop_an_agent_are_found() {
        let agent = r#"{"metadata":{"name":"falco"},"spec":{"template":{"spec":{"hostPID":true,
            "tolerations":[{"operator":"Exists"}],
            "containers":[{"name":"c","image":"falcosecurity/falco:1","args":["-A"]}]}}}}"#;
        let spec = |spec: &str| format!(r#"{{"spec":{{"template":{{"spec":{spec}}}}}}}"#);
        for (patch, expected) in [
            (r#"{"nodeSelector":{"x":"y"}}"#, "stopped"),
            (r#"{"tolerations":[]}"#, "stopped"),
            (r#"{"containers":[{"name":"c","image":"registry.k8s.io/pause:1"}]}"#, "stopped"),
            (r#"{"containers":[{"name":"c","command":["sleep","1"]}]}"#, "stopped"),
            (
                r#"{"containers":[{"name":"c","resources":{"requests":{"memory":"1Ti"}}}]}"#,
                "stopped",
            ),
            (r#"{"hostPID":null}"#, "spec"),
        ] {
            let patch = spec(patch);
            let found =
                changes("apps", "daemonsets", &[("create", agent, None), ("patch", &patch, TABLE)]);
            assert!(found.iter().any(|row| row.starts_with(expected)), "{patch}: {found:?}");
        }
        for patch in [
            r#"{"containers":[{"name":"c","image":"falcosecurity/falco:2"}]}"#,
            r#"{"containers":[{"name":"c","resources":{"limits":{"memory":"512Mi","cpu":"1"}}}]}"#,
        ] {
            let patch = spec(patch);
            let found =
                changes("apps", "daemonsets", &[("create", agent, None), ("patch", &patch, TABLE)]);
            assert_eq!(found, Vec::<String>::new(), "{patch}");
        }
    }

    #[test]
    fn malformed_bodies_do_not_stop_the_comparison() {
        for text in [
            "",
            "{",
            "[]",
            "null",
            r#"[{"op":"add","path":"","value":1}]"#,
            r#"{"spec":[1,{"a":null}]}"#,
        ] {
            for (group, resource) in
                [("", "nodes"), ("", "namespaces"), ("apps", "daemonsets"), (ADMISSION, "x")]
            {
                changes(
                    group,
                    resource,
                    &[("update", text, Some(text)), ("patch", text, Some(text))],
                );
            }
        }
    }
}
