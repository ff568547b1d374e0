//! The row of the `events` table: one audit event, which is one stage of one request.

use crate::json::value::Json;
use crate::objects::certificate_request::CertificateRequest;
use crate::objects::config_map::ConfigMap;
use crate::objects::embedded::Embedded;
use crate::objects::extract::Bodies;
use crate::objects::ingress::Ingress;
use crate::objects::network_policy::NetworkPolicy;
use crate::objects::persistent_volume::{PersistentVolume, VolumeClaim};
use crate::objects::rbac::Rbac;
use crate::objects::secret::Secret;
use crate::objects::service::Service;
use crate::objects::token_request::TokenRequest;
use crate::objects::webhook::Webhook;
use crate::objects::workload::Workload;
use crate::request::shell::simple_command;
use crate::row;
use crate::tables::column::{Day, LongText, Map, Micros, Text};

row! {
    /// One audit event (`audit.k8s.io/v1` `Event`), typed, with where it came from.
    ///
    /// Columns by which queries prune stand first: Delta Lake keeps statistics of the first 32 leaf columns only.
    pub struct Event<'a> builds EventBuilder {
        /// The cluster: the name given at ingest, else what the envelope says, else `default`. Audit events do not name their cluster. A name of more than 512 bytes is cut, with a digest at its end. Partition column.
        pub cluster: Option<Text<'a>>,
        /// UTC day of `time`. Partition column.
        pub date: Option<Day>,
        /// What kind of request it is: `workload`, `rbac`, `access`, `secret`, `write` or `read`. Partition column.
        pub activity: Option<Text<'a>>,
        /// When the request arrived: `received_at`, else `stage_at`, else the v1beta1 `timestamp`, else `shipped_at`; 1970-01-01 where none of them can be (`time_problem`). Never null.
        pub time: Option<Micros>,
        /// `requestReceivedTimestamp`: the same for all stages of a request. Null outside of 1970 to 2199; the text is in `extra` then.
        pub received_at: Option<Micros>,
        /// `stageTimestamp`: when this stage was reached. Null outside of 1970 to 2199; the text is in `extra` then.
        pub stage_at: Option<Micros>,
        /// The API verb, or the lower-case HTTP method of a non-resource request.
        pub verb: Option<Text<'a>>,
        /// The authenticated user (`user.username`). Null when authentication failed.
        pub username: Option<Text<'a>>,
        /// `objectRef.namespace`, else the namespace in the object's own metadata.
        pub namespace: Option<Text<'a>>,
        /// `objectRef.resource`, plural and lower-case, such as `pods`.
        pub resource: Option<Text<'a>>,
        /// `objectRef.subresource`, such as `exec`, `status` or `ephemeralcontainers`.
        pub subresource: Option<Text<'a>>,
        /// `objectRef.apiGroup`; null is the core group.
        pub api_group: Option<Text<'a>>,
        /// `objectRef.name`, else the name in the response (creates with `generateName`), else in the request.
        pub name: Option<Text<'a>>,
        /// HTTP status code of the response.
        pub status_code: Option<i32>,
        /// How far the request got: `allowed` (it may have been a dry run where `dry_run` is null, and may not have been carried out where `outcome_uncertain`), `dry_run`, `denied_authn`, `denied_authz`, `denied_admission`, `invalid`, `conflict`, `error` or `unknown` (no response at this stage).
        pub outcome: Option<Text<'a>>,
        /// What `username` is: `human`, `service_account`, `node`, `controller` (of the control plane), `system` (another component of the platform), `cloud_service_account`, `anonymous`, or `unknown` where the log does not show the user. `identity_evidence` has the reason.
        pub identity_kind: Option<Text<'a>>,
        /// The LAST of `source_ips`, the only one that a client cannot choose.
        pub client_ip: Option<Text<'a>>,
        /// `userAgent`, as the client says.
        pub user_agent: Option<Text<'a>>,
        /// `RequestReceived`, `ResponseStarted`, `ResponseComplete` or `Panic`.
        pub stage: Option<Text<'a>>,
        /// The level of the policy rule: `Metadata`, `Request` or `RequestResponse`. It does not prove that a body is there.
        pub level: Option<Text<'a>>,
        /// `auditID`: the same for all stages of a request. Clients can choose it, so it is not a key.
        pub audit_id: Option<Text<'a>>,
        /// Digest of the whole event: equal events have equal ids, in whatever envelope they came. 32 hexadecimal digits.
        pub event_id: Option<Text<'a>>,
        /// `impersonatedUser.username`: whom `username` acted as.
        pub impersonated_username: Option<Text<'a>>,
        /// Annotation `authorization.k8s.io/decision`: `allow` or `forbid`.
        pub decision: Option<Text<'a>>,
        /// Whether the request was a dry run as the server understands it: nothing was stored. Only a write can be one, and only by `dryRun` of exactly `All`. Null where the log does not show what decides: neither the request URI nor the options of a delete, as on GKE, or a delete with `dryRun` in its query whose body, which would count instead, is not in the log.
        pub dry_run: Option<bool>,
        /// `objectRef.uid`, else the uid in the response.
        pub object_uid: Option<Text<'a>>,
        /// Whether the API server or a shipper cut the event short, by its own mark.
        pub truncated: Option<bool>,
        /// What the commit that stored the row has of the other stages of the same request: `complete` for a last stage with every earlier one, `last` for another last stage, `open` for an early stage without a later one, `superseded` for one with a later one. The view `events` looks elsewhere for what `last` and `open` lack.
        pub stage_status: Option<Text<'a>>,
        /// The file or stream that the event was read from, as named at ingest.
        pub source_file: Option<Text<'a>>,
        /// Line of the event in the decompressed source, from 1.
        pub source_line: Option<i64>,
        /// Byte offset of the event in the decompressed source, from 0.
        pub source_offset: Option<i64>,
        /// SHA-256 of the source file as it lies on disk, hexadecimal; null for standard input.
        pub source_sha256: Option<Text<'a>>,
        /// The envelopes that the event was taken out of, the outermost first; empty where it stood bare.
        pub envelopes: Option<Vec<Text<'a>>>,
        /// Who runs the cluster, where the envelope says: `aks`, `eks`, `gke`, `openshift` …
        pub provider: Option<Text<'a>>,
        /// The host or log stream of the API server, where the envelope or the path says; cut as `cluster`.
        pub node: Option<Text<'a>>,
        /// The time that the envelope gives, which is when it was logged or shipped.
        pub shipped_at: Option<Micros>,
        /// The record as it came, where the event was put together from another form or from a part of one.
        pub original: Option<Text<'a>>,
        /// `requestURI`: path and query as sent.
        pub request_uri: Option<Text<'a>>,
        /// `fieldManager` of the query.
        pub field_manager: Option<Text<'a>>,
        /// `force` of the query: a server-side apply that takes over fields.
        pub force: Option<bool>,
        /// What exec, attach and port-forward ask for: from the query, or from the body where the query does not say.
        pub exec: Option<Exec<'a>>,
        /// `user.uid`.
        pub user_uid: Option<Text<'a>>,
        /// `user.groups`.
        pub user_groups: Option<Vec<Text<'a>>>,
        /// `user.extra`.
        pub user_extra: Option<Map<'a, Vec<Text<'a>>>>,
        /// `impersonatedUser.uid`.
        pub impersonated_uid: Option<Text<'a>>,
        /// `impersonatedUser.groups`.
        pub impersonated_groups: Option<Vec<Text<'a>>>,
        /// `impersonatedUser.extra`.
        pub impersonated_extra: Option<Map<'a, Vec<Text<'a>>>>,
        /// `sourceIPs`: what `X-Forwarded-For` and `X-Real-Ip` claim, then the peer.
        pub source_ips: Option<Vec<Text<'a>>>,
        /// `objectRef.apiVersion`.
        pub api_version: Option<Text<'a>>,
        /// `objectRef.resourceVersion`.
        pub resource_version: Option<Text<'a>>,
        /// `responseStatus.status`: `Success` or `Failure`.
        pub status: Option<Text<'a>>,
        /// `responseStatus.reason`, such as `Forbidden`.
        pub status_reason: Option<Text<'a>>,
        /// `responseStatus.message`.
        pub status_message: Option<Text<'a>>,
        /// Annotation `authorization.k8s.io/reason`: which rule allowed the request.
        pub decision_reason: Option<Text<'a>>,
        /// All annotations.
        pub annotations: Option<Map<'a, Text<'a>>>,
        /// The workload that the request writes; null where it writes none.
        pub workload: Option<Workload<'a>>,
        /// The role or binding that the request writes; null where it writes none.
        pub rbac: Option<Rbac<'a>>,
        /// Which admission plugin, webhook or policy refused the request: `PodSecurity`, `webhook NAME`, `ValidatingAdmissionPolicy NAME`, `ResourceQuota` … Null where it was not refused, or by one that does not say so.
        pub denied_by: Option<Text<'a>>,
        /// The service account token that the request asks for; null where it asks for none.
        pub token_request: Option<TokenRequest<'a>>,
        /// The certificate that the request asks for, or approves; null where it does neither.
        pub certificate_request: Option<CertificateRequest<'a>>,
        /// The Service that the request writes; null where it writes none.
        pub service: Option<Service<'a>>,
        /// The Ingress that the request writes; null where it writes none.
        pub ingress: Option<Ingress<'a>>,
        /// The Secret that the request writes, without its values; null where it writes none.
        pub secret: Option<Secret<'a>>,
        /// The ConfigMap that the request writes; null where it writes none, or leaves its data alone.
        pub config_map: Option<ConfigMap<'a>>,
        /// The labels of the Namespace that the request writes; a label that a patch removes has no value. Null where the request writes no labels, or the body does not show them.
        pub namespace_labels: Option<Map<'a, Option<Text<'a>>>>,
        /// The PersistentVolume that the request writes; null where it writes none.
        pub persistent_volume: Option<PersistentVolume<'a>>,
        /// The NetworkPolicy that the request writes; null where it writes none.
        pub network_policy: Option<NetworkPolicy<'a>>,
        /// The admission webhooks that the request configures; null where it configures none, or the body does not show them.
        pub webhooks: Option<Vec<Webhook<'a>>>,
        /// The node to which the request binds a pod (`pods/binding`).
        pub bound_node: Option<Text<'a>>,
        /// `spec.replicas` of a write of a `scale` subresource.
        pub scale_replicas: Option<i64>,
        /// `apiVersion` of the event, such as `audit.k8s.io/v1`; null inside an `EventList`.
        pub audit_api_version: Option<Text<'a>>,
        /// `requestObject`, JSON text as logged, redacted secrets apart.
        pub request_object: Option<LongText<'a>>,
        /// `responseObject`, JSON text as logged, redacted secrets apart.
        pub response_object: Option<LongText<'a>>,
        /// JSON object with every member of the event that the other columns cannot give back exactly.
        pub extra: Option<LongText<'a>>,
        /// Whether the answer does not show if the write was carried out: it ended in a time-out (504), another server error or a panic of the API server. `outcome` is `allowed` then, for it may have been. Null for what has no answer.
        pub outcome_uncertain: Option<bool>,
        /// What a create, update or patch is answered with where the client asked for less than the object: `Table`, `PartialObjectMetadata` or `PartialObjectMetadataList`.
        pub partial_answer: Option<Text<'a>>,
        /// What an object of another kind holds of workloads, of roles, and of what gives power over nodes; null where it holds nothing of that.
        pub embedded: Option<Embedded<'a>>,
        /// The PersistentVolumeClaim that the request writes; null where it writes none.
        pub volume_claim: Option<VolumeClaim<'a>>,
        /// What is wrong with the times of the event: `absurd` where one of them is no time from 1970 to 2199, so that its text is in `extra` and `time` comes from another one; `future` where `time` is more than two hours later than when the event was read. Null where nothing is.
        pub time_problem: Option<Text<'a>>,
        /// What `identity_kind` rests on: the group, the table of platform users or the credential that decides, such as `group system:nodes` or `user of EKS`; `in no table` of a person.
        pub identity_evidence: Option<Text<'a>>,
        /// What the envelopes, shippers and stores put beside the event, by path: labels, tags, fields, host, index, log group and stream. Where two say the same path, the inner one. Up to 128 entries and 16 KiB, or as much as the event where that is less; null where there is nothing.
        pub envelope: Option<Map<'a, Text<'a>>>,
    }
}

row! {
    /// The options of an exec, attach or port-forward request (`PodExecOptions`, `PodPortForwardOptions`).
    pub struct Exec<'a> builds ExecBuilder {
        /// The command and its arguments.
        pub command: Option<Vec<Text<'a>>>,
        /// The container; null is the pod's default.
        pub container: Option<Text<'a>>,
        /// Whether standard input is attached.
        pub stdin: Option<bool>,
        /// Whether a terminal is allocated.
        pub tty: Option<bool>,
        /// The forwarded ports.
        pub ports: Option<Vec<Text<'a>>>,
        /// What a request through `nodes/proxy` has the kubelet do: `exec`, `attach` or `portforward`; null for other requests, whose subresource says it.
        pub action: Option<Text<'a>>,
        /// The namespace of the pod that a request through `nodes/proxy` names.
        pub namespace: Option<Text<'a>>,
        /// The pod that a request through `nodes/proxy` names.
        pub pod: Option<Text<'a>>,
        /// The words of the one program that runs: the command itself, or what it has a shell run (`sh -c`), where that is one simple command. Null where it is more: a shell to type into, several commands, substitutions, redirections or line breaks.
        pub words: Option<Vec<Text<'a>>>,
    }
}

impl<'a> Exec<'a> {
    /// These options, or where the query has none those of the body (`PodExecOptions`, `PodAttachOptions`,
    /// `PodPortForwardOptions`): Google and Azure put them there.
    pub(crate) fn or_of_options(self, bodies: &Bodies<'a, '_>) -> Self {
        if self != Self::default() {
            return self;
        }
        let Some(options) = bodies.request() else { return self };
        let port = |port: &Json<'a>| match port {
            Json::Number(Some(number)) => Some(Text::from(number.to_string())),
            other => other.as_text(),
        };
        let ports = options.get("ports").and_then(Json::elements);
        // Some stores print a list of one as its element.
        let command = || options.text("command").map(|command| vec![command]);
        Self {
            command: options.texts("command").or_else(command),
            container: options.text("container"),
            stdin: options.bool("stdin"),
            tty: options.bool("tty"),
            ports: ports.map(|ports| ports.iter().filter_map(port).collect()),
            ..self
        }
    }

    /// These options with the words of the one program that runs.
    pub(crate) fn with_words(mut self) -> Self {
        self.words = self.command.as_deref().and_then(simple_command);
        self
    }

    /// The same, independent of the text that it was read from.
    pub(crate) fn into_owned<'b>(self) -> Exec<'b> {
        let own = |text: Text<'a>| Text::from(text.0.into_owned());
        let own_all = |texts: Vec<Text<'a>>| texts.into_iter().map(own).collect();
        Exec {
            command: self.command.map(own_all),
            container: self.container.map(own),
            stdin: self.stdin,
            tty: self.tty,
            ports: self.ports.map(own_all),
            action: self.action.map(own),
            namespace: self.namespace.map(own),
            pod: self.pod.map(own),
            words: self.words.map(own_all),
        }
    }
}
