//! Documentation of the columns of the views.
//!
//! Columns that come from a table are documented there, in `podtrail-event`; the others are documented here.

use podtrail_event::{
    Change, Column, FieldDoc, documentation, finding_documentation, quarantine_documentation,
};

/// The structs of the events table whose fields are columns of a view, the innermost first.
const STRUCTS: &[(&str, &[&str])] = &[
    ("workloads", &["workload"]),
    ("containers", &["workload.containers", "workload"]),
    ("volumes", &["workload.volumes", "workload"]),
    ("workload_tree", &["workload"]),
    ("live_workloads", &["workload"]),
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

/// The columns that views derive, or that have another meaning there.
const DERIVED: &[(&[&str], Texts)] = &[
    (
        &["stages", "events"],
        &[
            (
                "effective_username",
                "The effective user of the request: `impersonated_username`, or `username` without impersonation.",
            ),
            (
                "service_account_namespace",
                "The namespace in the user name of a service account; null for other users.",
            ),
            (
                "service_account_name",
                "The name in the user name of a service account; null for other users.",
            ),
            ("token_pod_name", "The pod that the request's token is bound to, from `user_extra`."),
            (
                "token_node_name",
                "The node that the request's token is bound to, from `user_extra`.",
            ),
            (
                "token_credential_id",
                "The id of the request's token, from `user_extra`; the same as `issued_credential_id` in `token_requests`.",
            ),
            (
                "proxy_username",
                "The impersonation proxy that sent the request, such as that of Rancher; `username` is then the user it acts for, and the `impersonated_` columns are null. Null for other requests.",
            ),
            ("user_agent_tool", "The first program in `user_agent`."),
            ("user_agent_version", "The version of the first program in `user_agent`."),
        ],
    ),
    (
        &[
            "stages",
            "events",
            "workloads",
            "live_workloads",
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
            "Whether the request creates an object, or tries to: a `create`, or an `update` or `patch` (server-side apply) with response status 201.",
        )],
    ),
    (
        &["workloads", "live_workloads", "containers", "volumes", "workload_tree", "changes"],
        &[
            (
                "object",
                "The kind and name of the workload, for reading; `generateName` followed by `*` if the name is not visible.",
            ),
            (
                "made_by_controller",
                "Whether a controller of the control plane created it for an owner, so that it is not the act of an identity.",
            ),
            ("workload_name", "The name of the workload."),
            (
                "embedded_at",
                "The path of the pod specs in an object of another kind, such as a custom resource or a ConfigMap; null if the kind implies it.",
            ),
        ],
    ),
    (
        &["live_workloads"],
        &[
            ("images", "The images of all containers."),
            (
                "privileged",
                "Whether a container is privileged; null if the log does not show it of any.",
            ),
        ],
    ),
    (
        &["workload_tree", "live_workloads"],
        &[
            (
                "root_kind",
                "The kind of the object at the root of the owners; that of the workload itself if it has no owner.",
            ),
            ("root_name", "The name of the root object."),
            ("root_uid", "The uid of the root object."),
            (
                "depth",
                "The number of owners from the workload to its root, including the root; 0 without an owner.",
            ),
            (
                "author",
                "The identity that last wrote the spec of the root: the effective user after impersonation.",
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
            (
                "subject_namespace",
                "The namespace of the subject if it is a service account; null otherwise.",
            ),
        ],
    ),
    (
        &["grants"],
        &[
            ("namespace", "The namespace of the binding; null means cluster-wide."),
            ("binding", "The name of the binding."),
            ("role_kind", "`roleRef.kind` of the binding."),
            ("role_name", "`roleRef.name` of the binding."),
            ("granted_at", "The time at which the subject received the role."),
            (
                "granted_by",
                "The identity that wrote the binding: the effective user after impersonation.",
            ),
            ("grant_event_id", "The event of that write."),
            (
                "revoked_at",
                "The time at which the subject lost the role; null while it holds the role.",
            ),
            (
                "revoked_by",
                "The identity that ended the grant: the effective user after impersonation.",
            ),
            ("revoke_event_id", "The event that ended the grant."),
        ],
    ),
    (
        &["containers"],
        &[("command_line", "The elements of `command` and `args`, joined by spaces.")],
    ),
    (
        &["execs"],
        &[
            ("command_line", "The elements of `command`, joined by spaces."),
            (
                "subresource",
                "`exec`, `attach` or `portforward`, including requests through the kubelet.",
            ),
            (
                "node",
                "The node of the kubelet, for requests through `nodes/proxy`; null for others.",
            ),
        ],
    ),
    (
        &["token_requests"],
        &[(
            "issued_credential_id",
            "The id of the issued token; the same as `token_credential_id` of the requests made with it.",
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
            ("webhook", "The name of the webhook in the configuration."),
        ],
    ),
    (
        &["identities"],
        &[
            ("first_seen", "The time of the identity's first request."),
            ("last_seen", "The time of the identity's last request."),
            ("requests", "The number of its requests."),
            (
                "denied",
                "The number of its requests that were denied (`denied_authn`, `denied_authz` or `denied_admission`).",
            ),
            ("verbs", "The verbs of its requests."),
            ("resources", "The resources of its requests, with subresources as in `pods/exec`."),
            ("namespaces", "The namespaces of its requests."),
            ("client_ips", "The client addresses of its requests."),
            ("user_agents", "The user agents of its requests."),
            ("hours", "The hours of the day of its requests, UTC, 0 to 23."),
            ("workload_writes", "The number of its allowed workload writes."),
        ],
    ),
    (
        &["coverage"],
        &[
            ("requests", "The number of requests."),
            ("writes", "The number of successful creates, updates and patches that carry a body."),
            ("writes_without_body", "The number of `writes` with neither body in the log."),
            ("with_request_object", "The number of requests with a request body in the log."),
            ("with_response_object", "The number of requests with a response body in the log."),
            ("truncated", "The number of truncated events."),
        ],
    ),
    (
        &["incidents"],
        &[
            ("state", "`open`, `acknowledged`, `closed` or `suppressed`."),
            ("severity", "The severity of the most severe finding."),
            ("title", "The title of the most severe finding."),
            ("first_seen", "Arrival of the first event."),
            ("last_seen", "Arrival of the last event."),
            ("findings", "The number of findings."),
            ("identities", "The authenticated users."),
            ("client_ips", "The client addresses."),
            (
                "links",
                "Why the findings belong together, one reason for each identity and address.",
            ),
            ("state_at", "When the state of one of its findings last changed."),
        ],
    ),
    (
        &["incident_steps"],
        &[
            ("time", "Arrival of the first event."),
            ("last_time", "Arrival of the last event."),
            ("severity", "The severity of the most severe finding."),
            ("titles", "The titles of the findings, the most severe first."),
            ("finding_ids", "The ids of the findings, the most severe first."),
            ("event_id", "The first event."),
        ],
    ),
    (
        &["quarantine"],
        &[(
            "released_at",
            "The time at which a later version of podtrail parsed the record; null while it is quarantined.",
        )],
    ),
];

/// The documentation of columns, which reads that of the tables once for many columns.
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

    /// Returns the documentation of a column of a view or table; empty if there is none.
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
            "findings" | "findings_log" | "incidents" | "incident_findings" | "incident_steps" => {
                &self.findings
            }
            "quarantine" => &self.quarantine,
            "changes" => &self.changes,
            _ => &self.events,
        };
        let mut known = members.flatten().chain(table).chain(&self.events);
        let known = known.find(|known| known.name == column);
        known.map(|known| known.doc.clone()).unwrap_or_default()
    }
}

/// Returns the fields of the struct at a path such as `workload.containers`.
fn member<'a>(fields: &'a [FieldDoc], path: &str) -> Option<&'a [FieldDoc]> {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let field = fields.iter().find(|field| field.name == name)?;
    if rest.is_empty() { Some(&field.fields) } else { member(&field.fields, rest) }
}
