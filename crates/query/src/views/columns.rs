//! What the columns of the views hold.
//!
//! A column that comes from a table is explained there, in `podtrail-event`; the rest is here.

use podtrail_event::{
    Change, Column, FieldDoc, documentation, finding_documentation, quarantine_documentation,
};

/// The structs of the events table of which the columns of a view are members, the innermost first.
const STRUCTS: &[(&str, &[&str])] = &[
    ("workloads", &["workload"]),
    ("containers", &["workload.containers", "workload"]),
    ("volumes", &["workload.volumes", "workload"]),
    ("workload_tree", &["workload"]),
    ("bindings", &["rbac"]),
    ("role_rules", &["rbac.rules", "rbac"]),
    ("execs", &["exec"]),
    ("token_requests", &["token_request"]),
    ("certificate_requests", &["certificate_request"]),
    ("services", &["service"]),
    ("ingresses", &["ingress"]),
    ("secrets", &["secret"]),
    ("config_maps", &["config_map"]),
    ("persistent_volumes", &["persistent_volume"]),
    ("network_policies", &["network_policy"]),
    ("webhooks", &["webhooks"]),
];

type Texts = &'static [(&'static str, &'static str)];

/// The columns that views derive, or that mean something else there.
const DERIVED: &[(&[&str], Texts)] = &[
    (
        &["stages", "events"],
        &[
            (
                "effective_username",
                "As whom the request was made: `impersonated_username`, else `username`.",
            ),
            (
                "service_account_namespace",
                "The namespace in the user name of a service account; null for others.",
            ),
            (
                "service_account_name",
                "The name in the user name of a service account; null for others.",
            ),
            ("token_pod_name", "The pod that the token in use is bound to, from `user_extra`."),
            ("token_node_name", "The node that the token in use is bound to, from `user_extra`."),
            (
                "token_credential_id",
                "The id of the token in use, from `user_extra`: as `issued_credential_id` of `token_requests`.",
            ),
            (
                "proxy_username",
                "The impersonation proxy through which the request came, such as that of Rancher: `username` is then the user that it acts for, and nothing is impersonated. Null for other requests.",
            ),
            ("user_agent_tool", "The program that `user_agent` names first."),
            ("user_agent_version", "Its version."),
        ],
    ),
    (
        &[
            "stages",
            "events",
            "workloads",
            "containers",
            "volumes",
            "bindings",
            "role_rules",
            "certificate_requests",
            "services",
            "ingresses",
            "secrets",
            "config_maps",
            "namespaces",
            "persistent_volumes",
            "network_policies",
            "webhooks",
        ],
        &[(
            "created",
            "Whether the request makes an object, or tries to: a `create`, or an `update` or `patch` (server-side apply) that is answered 201.",
        )],
    ),
    (
        &["workloads", "containers", "volumes", "workload_tree", "changes"],
        &[
            (
                "object",
                "Kind and name of the workload, for people; its `generateName` and `*` where the name is not visible.",
            ),
            (
                "made_by_controller",
                "Whether a controller of the control plane made it for an owner: it is nobody's own act.",
            ),
            ("workload_name", "The name of the workload."),
            (
                "embedded_at",
                "Where the pod specs stand in an object of another kind, such as a custom resource or a ConfigMap; null where the kind says it.",
            ),
        ],
    ),
    (
        &["workload_tree"],
        &[
            (
                "root_kind",
                "The kind of the object at the root of the owners; that of the workload itself where nothing owns it.",
            ),
            ("root_name", "The name of that object."),
            ("root_uid", "Its uid."),
            (
                "depth",
                "How many owners lie between the workload and its root, the root included; 0 where nothing owns it.",
            ),
            (
                "author",
                "The identity that had last written the spec of the root: whom `author_username` acted as.",
            ),
            ("author_username", "The authenticated user of that write."),
            ("author_event_id", "The event of that write."),
            ("author_time", "The time of that write."),
            (
                "author_known_by",
                "`own request`, `owner chain`, `template hash` (by names alone) or `unknown`.",
            ),
        ],
    ),
    (
        &["bindings", "grants"],
        &[
            ("subject_kind", "`User`, `Group` or `ServiceAccount`."),
            ("subject_name", "The name of the subject."),
            ("subject_namespace", "The namespace of a service account."),
        ],
    ),
    (
        &["grants"],
        &[
            ("namespace", "The namespace of the binding; null is the whole cluster."),
            ("binding", "The name of the binding."),
            ("role_kind", "`roleRef.kind` of the binding."),
            ("role_name", "`roleRef.name` of the binding."),
            ("granted_at", "From when the subject held the role."),
            ("granted_by", "Who wrote the binding: whom that user acted as."),
            ("grant_event_id", "The event of that write."),
            ("revoked_at", "Until when the subject held the role; null while it does."),
            ("revoked_by", "Who ended it: whom that user acted as."),
            ("revoke_event_id", "The event that ended it."),
        ],
    ),
    (
        &["execs"],
        &[
            ("command_line", "`command`, joined by spaces."),
            ("subresource", "`exec`, `attach` or `portforward`, through the kubelet too."),
            ("node", "The node whose kubelet is asked, through `nodes/proxy`; null for others."),
        ],
    ),
    (
        &["token_requests"],
        &[(
            "issued_credential_id",
            "The id of the token that was issued: as `token_credential_id` of the requests made with it.",
        )],
    ),
    (
        &["namespaces"],
        &[
            ("labels", "The labels that the write sets."),
            ("enforce", "Label `pod-security.kubernetes.io/enforce`."),
            ("audit", "Label `pod-security.kubernetes.io/audit`."),
            ("warn", "Label `pod-security.kubernetes.io/warn`."),
        ],
    ),
    (
        &["webhooks"],
        &[
            ("name", "The name of the webhook configuration."),
            ("webhook", "The name of the webhook in it."),
        ],
    ),
    (
        &["identities"],
        &[
            ("first_seen", "The time of its first request."),
            ("last_seen", "The time of its last request."),
            ("requests", "How many requests it made."),
            (
                "denied",
                "How many of them were denied: `denied_authn`, `denied_authz` or `denied_admission`.",
            ),
            ("verbs", "The verbs of its requests."),
            ("resources", "The resources of its requests, with subresources as `pods/exec`."),
            ("namespaces", "The namespaces of its requests."),
            ("client_ips", "The addresses that they came from."),
            ("user_agents", "The user agents that it named."),
            ("hours", "The hours of the day in which it was seen, UTC, 0 to 23."),
            ("workload_writes", "How many writes of workloads were allowed."),
        ],
    ),
    (
        &["coverage"],
        &[
            ("requests", "How many requests there are."),
            (
                "writes",
                "How many of them are creates, updates and patches that were carried out and that a body belongs to.",
            ),
            ("writes_without_body", "How many of `writes` show neither body."),
            ("with_request_object", "How many requests show the body of the request."),
            ("with_response_object", "How many requests show the body of the response."),
            ("truncated", "How many events were cut short."),
        ],
    ),
    (
        &["quarantine"],
        &[("released_at", "When a newer podtrail could read it; null while it is refused.")],
    ),
];

/// What is known of the columns of views: asked for many columns, it reads the documentation of the tables once.
pub(crate) struct ViewColumns {
    events: Vec<FieldDoc>,
    findings: Vec<FieldDoc>,
    quarantine: Vec<FieldDoc>,
    changes: Vec<FieldDoc>,
}

impl ViewColumns {
    pub(crate) fn new() -> Self {
        Self {
            events: documentation(),
            findings: finding_documentation(),
            quarantine: quarantine_documentation(),
            changes: Change::fields(),
        }
    }

    /// What a column of a view or table holds; empty where nothing is known of it.
    pub(crate) fn description(&self, view: &str, column: &str) -> String {
        let derived = DERIVED.iter().filter(|(views, _)| views.contains(&view));
        let mut derived = derived.flat_map(|(_, texts)| *texts);
        if let Some((_, text)) = derived.find(|(name, _)| *name == column) {
            return (*text).to_owned();
        }
        let paths =
            STRUCTS.iter().find(|(name, _)| *name == view).map_or(&[][..], |(_, paths)| paths);
        let members = paths.iter().filter_map(|path| member(&self.events, path));
        let table = match view {
            "findings" | "findings_log" => &self.findings,
            "quarantine" => &self.quarantine,
            "changes" => &self.changes,
            _ => &self.events,
        };
        let mut known = members.flatten().chain(table).chain(&self.events);
        let known = known.find(|known| known.name == column);
        known.map(|known| known.doc.clone()).unwrap_or_default()
    }
}

/// The members of the struct at a path such as `workload.containers`.
fn member<'a>(fields: &'a [FieldDoc], path: &str) -> Option<&'a [FieldDoc]> {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let field = fields.iter().find(|field| field.name == name)?;
    if rest.is_empty() { Some(&field.fields) } else { member(&field.fields, rest) }
}
