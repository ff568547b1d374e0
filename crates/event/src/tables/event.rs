//! The row of the `events` table: one audit event, which is one stage of one request.

use crate::column::{Day, LongText, Map, Micros, Text};
use crate::objects::certificate_request::CertificateRequest;
use crate::objects::config_map::ConfigMap;
use crate::objects::embedded::Embedded;
use crate::objects::ingress::Ingress;
use crate::objects::network_policy::NetworkPolicy;
use crate::objects::persistent_volume::{PersistentVolume, VolumeClaim};
use crate::objects::rbac::Rbac;
use crate::objects::secret::Secret;
use crate::objects::service::Service;
use crate::objects::token_request::TokenRequest;
use crate::objects::webhook::Webhook;
use crate::objects::workload::Workload;
use crate::request::exec::Exec;
use crate::row;

row! {
    /// One audit event (`audit.k8s.io/v1` `Event`), typed, with its source.
    ///
    /// Columns by which queries prune come first: Delta Lake keeps statistics of the first 32 leaf columns only.
    pub struct Event<'a> builds EventBuilder {
        /// Name of the cluster: the name given at ingest, else the name in the envelope, else `default`. Audit events
        /// do not name their cluster. A name longer than 512 bytes is cut and ends with a digest. Partition column.
        pub cluster: Option<Text<'a>>,
        /// UTC day of `time`. Partition column.
        pub date: Option<Day>,
        /// Kind of the request: `workload`, `rbac`, `access`, `secret`, `write` or `read`. Partition column.
        pub activity: Option<Text<'a>>,
        /// When the request arrived: `received_at`, else `stage_at`, else the v1beta1 `timestamp`, else `shipped_at`;
        /// 1970-01-01 if none of them is valid (see `time_problem`). Never null.
        pub time: Option<Micros>,
        /// `requestReceivedTimestamp`: equal for all stages of a request. Null outside of 1970 to 2199, with the text
        /// in `extra`.
        pub received_at: Option<Micros>,
        /// `stageTimestamp`: when this stage was reached. Null outside of 1970 to 2199, with the text in `extra`.
        pub stage_at: Option<Micros>,
        /// Kubernetes API verb, or the lower-case HTTP method of a non-resource request.
        pub verb: Option<Text<'a>>,
        /// Authenticated user (`user.username`). Null if authentication failed.
        pub username: Option<Text<'a>>,
        /// `objectRef.namespace`, else the namespace in the object's own metadata. Null for cluster-scoped and
        /// non-resource requests.
        pub namespace: Option<Text<'a>>,
        /// `objectRef.resource`, plural and lower-case, such as `pods`. Null for non-resource requests.
        pub resource: Option<Text<'a>>,
        /// `objectRef.subresource`, such as `exec`, `status` or `ephemeralcontainers`. Null for the object itself.
        pub subresource: Option<Text<'a>>,
        /// `objectRef.apiGroup`. Null for the core group.
        pub api_group: Option<Text<'a>>,
        /// `objectRef.name`, else the name in the response (creates with `generateName`), else the name in the request.
        /// Null for requests on collections.
        pub name: Option<Text<'a>>,
        /// HTTP status code of the response. Null if the event has no response.
        pub status_code: Option<i32>,
        /// How the request ended: `allowed` (possibly a dry run if `dry_run` is null; possibly not carried out if
        /// `outcome_uncertain`), `dry_run`, `denied_authn`, `denied_authz`, `denied_admission`, `invalid`, `conflict`,
        /// `error` or `unknown` (no response at this stage).
        pub outcome: Option<Text<'a>>,
        /// Kind of `username`: `human`, `service_account`, `node`, `controller` (of the control plane), `system`
        /// (another component of the platform), `cloud_service_account`, `anonymous`, or `unknown` if the log does not
        /// show the user. `identity_evidence` has the reason.
        pub identity_kind: Option<Text<'a>>,
        /// Last of `source_ips`, the only address that a client cannot forge.
        pub client_ip: Option<Text<'a>>,
        /// `userAgent`, as sent by the client.
        pub user_agent: Option<Text<'a>>,
        /// `RequestReceived`, `ResponseStarted`, `ResponseComplete` or `Panic`.
        pub stage: Option<Text<'a>>,
        /// Audit level of the policy rule: `Metadata`, `Request` or `RequestResponse`. The level does not guarantee
        /// that a body is present.
        pub level: Option<Text<'a>>,
        /// `auditID`: equal for all stages of a request. Clients can choose it, so it is not a key.
        pub audit_id: Option<Text<'a>>,
        /// Digest of the whole event, 32 hexadecimal digits: equal events have equal ids in every envelope.
        pub event_id: Option<Text<'a>>,
        /// `impersonatedUser.username`: the user that `username` impersonated. Null without impersonation.
        pub impersonated_username: Option<Text<'a>>,
        /// Annotation `authorization.k8s.io/decision`: `allow` or `forbid`.
        pub decision: Option<Text<'a>>,
        /// Whether the API server treated the request as a dry run, so that nothing was stored. Only a write with
        /// `dryRun` of exactly `All` is one. Null if the log does not show the deciding part: an event without request
        /// URI and delete options, as on GKE, or a delete with `dryRun` in its query whose body, which takes
        /// precedence, is not in the log.
        pub dry_run: Option<bool>,
        /// `objectRef.uid`, else the uid in the response.
        pub object_uid: Option<Text<'a>>,
        /// Whether the API server or a shipper marked the event as truncated.
        pub truncated: Option<bool>,
        /// Whether a later stage of the same request is known: `false` for a last stage. Null for an early stage that
        /// was written before a later one was found; the view `events` looks for one, and a compaction fills it in.
        pub superseded: Option<bool>,
        /// File or stream that the event was read from, as named at ingest.
        pub source_file: Option<Text<'a>>,
        /// Line of the event in the decompressed source, from 1.
        pub source_line: Option<i64>,
        /// Byte offset of the event in the decompressed source, from 0.
        pub source_offset: Option<i64>,
        /// SHA-256 of the source file on disk (compressed, if it is), hexadecimal. Null for standard input.
        pub source_sha256: Option<Text<'a>>,
        /// Envelopes from which the event was extracted, the outermost first. Empty for a bare event.
        pub envelopes: Option<Vec<Text<'a>>>,
        /// Provider of the cluster, from the envelope: `aks`, `eks`, `gke`, `openshift` … Null if the envelope does not
        /// show it.
        pub provider: Option<Text<'a>>,
        /// Host or log stream of the API server, from the envelope or the path. Cut like `cluster`. Null if neither
        /// shows it.
        pub node: Option<Text<'a>>,
        /// When the event was logged or shipped, from the envelope. Null if the envelope has no time.
        pub shipped_at: Option<Micros>,
        /// Original record, if the event was converted from another format or rebuilt from a part of an event. Null
        /// otherwise.
        pub original: Option<Text<'a>>,
        /// `requestURI`: path and query as sent.
        pub request_uri: Option<Text<'a>>,
        /// `fieldManager` parameter of the query.
        pub field_manager: Option<Text<'a>>,
        /// `force` parameter of the query: a server-side apply that takes ownership of fields.
        pub force: Option<bool>,
        /// Options of exec, attach and port-forward requests, from the query, else from the body. Null for other
        /// requests.
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
        /// `sourceIPs`: the addresses claimed in `X-Forwarded-For` and `X-Real-Ip`, then the address of the peer.
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
        /// Annotation `authorization.k8s.io/reason`: the rule that allowed the request.
        pub decision_reason: Option<Text<'a>>,
        /// All annotations of the event.
        pub annotations: Option<Map<'a, Text<'a>>>,
        /// Workload that the request writes. Null for other requests.
        pub workload: Option<Workload<'a>>,
        /// Role or binding that the request writes. Null for other requests.
        pub rbac: Option<Rbac<'a>>,
        /// Admission plugin, webhook or policy that denied the request: `PodSecurity`, `webhook NAME`,
        /// `ValidatingAdmissionPolicy NAME`, `ResourceQuota` … Null if admission did not deny it, or if the message
        /// does not name the plugin.
        pub denied_by: Option<Text<'a>>,
        /// Service account token that the request requests. Null for other requests.
        pub token_request: Option<TokenRequest<'a>>,
        /// Certificate that the request requests or approves. Null for other requests.
        pub certificate_request: Option<CertificateRequest<'a>>,
        /// Service that the request writes. Null for other requests.
        pub service: Option<Service<'a>>,
        /// Ingress that the request writes. Null for other requests.
        pub ingress: Option<Ingress<'a>>,
        /// Secret that the request writes, without its values. Null for other requests.
        pub secret: Option<Secret<'a>>,
        /// ConfigMap that the request writes. Null for other requests, and for a patch that does not change its data.
        pub config_map: Option<ConfigMap<'a>>,
        /// Labels of the Namespace that the request writes; a label that a patch removes has a null value. Null if the
        /// request writes no labels, or the body does not show them.
        pub namespace_labels: Option<Map<'a, Option<Text<'a>>>>,
        /// PersistentVolume that the request writes. Null for other requests.
        pub persistent_volume: Option<PersistentVolume<'a>>,
        /// NetworkPolicy that the request writes. Null for other requests.
        pub network_policy: Option<NetworkPolicy<'a>>,
        /// Admission webhooks that the request configures. Null if it configures none, or the body does not show them.
        pub webhooks: Option<Vec<Webhook<'a>>>,
        /// Node to which the request binds a pod (`pods/binding`). Null for other requests.
        pub bound_node: Option<Text<'a>>,
        /// `spec.replicas` in a write of a `scale` subresource. Null for other requests.
        pub scale_replicas: Option<i64>,
        /// `apiVersion` of the event, such as `audit.k8s.io/v1`. Null inside an `EventList`.
        pub audit_api_version: Option<Text<'a>>,
        /// `requestObject`: JSON text as logged, except for redacted secrets.
        pub request_object: Option<LongText<'a>>,
        /// `responseObject`: JSON text as logged, except for redacted secrets.
        pub response_object: Option<LongText<'a>>,
        /// JSON object with every member of the event that the other columns cannot reproduce exactly. Null if there is
        /// none.
        pub extra: Option<LongText<'a>>,
        /// Whether the response does not show if the write was carried out: it ended in a timeout (504), another server
        /// error or a panic of the API server. `outcome` is then `allowed`, because the write may have been stored.
        /// Null if there is no response.
        pub outcome_uncertain: Option<bool>,
        /// Kind of the response if the client requested less than the whole object: `Table`, `PartialObjectMetadata` or
        /// `PartialObjectMetadataList`. Null for other responses.
        pub partial_answer: Option<Text<'a>>,
        /// Pod specs, roles and powers over nodes inside an object of another kind. Null if the object contains none.
        pub embedded: Option<Embedded<'a>>,
        /// PersistentVolumeClaim that the request writes. Null for other requests.
        pub volume_claim: Option<VolumeClaim<'a>>,
        /// Problem with the times of the event: `absurd` if one of them is outside of 1970 to 2199, so that its text is
        /// in `extra` and `time` comes from another one; `future` if `time` is more than two hours later than the
        /// ingest of the event. Null if there is no problem.
        pub time_problem: Option<Text<'a>>,
        /// Reason for `identity_kind`: the group, the table of platform users or the credential that decides, such as
        /// `group system:nodes` or `user of EKS`; `in no table` for a person.
        pub identity_evidence: Option<Text<'a>>,
        /// Labels, tags, fields, host, index, log group and stream that envelopes, shippers and stores added, by path.
        /// If two envelopes have the same path, the inner value is kept. At most 128 entries and 16 KiB, or the size of
        /// the event if that is smaller. Null if there are none.
        pub envelope: Option<Map<'a, Text<'a>>>,
    }
}
