//! Google Cloud: GKE converts audit events to Cloud Audit Logs entries. This module converts them back.
//!
//! An entry contains less than the event. Missing members stay missing: the level, the user's groups, the query of the
//! request. Three members are inferred:
//!
//! * The stage. Cloud Logging has one entry per request, written at its end; a session, such as exec, also has one at its
//!   beginning, whose `operation` is marked as the first and not the last.
//! * The HTTP status. Entries have a gRPC code, which is converted by the mapping of `google.rpc.Code`; a `Status` in the
//!   response takes precedence. A success is 200, although the API server may have returned 201.
//! * `UNKNOWN` of an exec, attach or port-forward: the gRPC code for 101, Switching Protocols.
//!
//! The name of the cluster is `resource.labels.cluster_name` alone: two clusters of one name in two locations or projects
//! are distinguished by the name given at ingest. `original` contains the whole entry.

use std::borrow::Cow;
use std::net::IpAddr;

use podtrail_event::{Micros, code_of_reason};
use serde_json::value::RawValue;

use crate::envelope::candidate::{Candidate, Facts};
use crate::envelope::event_text::mentions_events;
use crate::envelope::family::{Envelope, Opened, Record};
use crate::envelope::packed::open_packed;
use crate::instant::instant_of;
use crate::json::{self, Object, ObjectWriter};

const PROVIDER: &str = "gke";
const KUBERNETES: &str = "k8s.io";

/// Cloud Logging entries: as exported, as dumped by Google's Go client, in Pub/Sub messages and in BigQuery rows.
pub(super) struct Gcp;

impl Envelope for Gcp {
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>> {
        let object = record.object.as_ref()?;
        pubsub(record, object)
            .or_else(|| log_entry(record, object))
            .or_else(|| component_entry(object))
            .or_else(|| go_dump(record, object))
            .or_else(|| bigquery_row(record, object))
    }
}

/// Opens a Pub/Sub message, pushed or pulled: `{"message":{"data":"<base64>","messageId":…},…}`.
fn pubsub<'a>(record: &Record<'a>, object: &Object<'a>) -> Option<Opened<'a>> {
    const MARKS: &[&str] = &["messageId", "message_id", "publishTime"];
    let message = object.object("message")?;
    let data = message.text("data").filter(|_| MARKS.iter().any(|m| message.get(m).is_some()))?;
    Some(open_packed("pubsub", record, &data))
}

/// Opens a `LogEntry` as the API and sinks write it.
fn log_entry<'a>(record: &Record<'a>, object: &Object<'a>) -> Option<Opened<'a>> {
    Entry::of(object, "protoPayload")?.open("cloud-logging", record)
}

/// Opens a control plane component's own log entry: a `LogEntry` with a text or JSON payload.
fn component_entry<'a>(object: &Object<'a>) -> Option<Opened<'a>> {
    const PREFIX: &str = "k8s_";
    object.get("logName")?;
    let kind = object.object("resource")?.text("type")?;
    let payload = object.get("textPayload").or_else(|| object.get("jsonPayload"))?;
    let is_component = kind.starts_with(PREFIX) && !mentions_events(payload.get().as_bytes());
    is_component.then(|| Opened::skipped("cloud-logging"))
}

/// Opens a `LogEntry` as dumped by Google's Go client, with the payload as JSON text next to it:
/// `{"Entry":{…},"AuditPayload":"{…}"}`.
fn go_dump<'a>(record: &Record<'a>, object: &Object<'a>) -> Option<Opened<'a>> {
    let outer = object.object("Entry")?;
    let payload = object.text("AuditPayload")?;
    let entry = Entry {
        payload: Object::read(payload.as_bytes())?,
        insert_id: outer.text("InsertID"),
        timestamp: outer.text("Timestamp"),
        received: None,
        labels: outer.object("Labels"),
        operation: outer.object("Operation"),
        cluster: outer.object("Resource").as_ref().and_then(cluster_of),
    };
    entry.open("cloud-logging-go", record)
}

/// Opens a row of the table that a BigQuery sink fills, in which bodies are JSON text.
fn bigquery_row<'a>(record: &Record<'a>, object: &Object<'a>) -> Option<Opened<'a>> {
    Entry::of(object, "protopayload_auditlog")?.open("bigquery", record)
}

fn cluster_of(resource: &Object<'_>) -> Option<String> {
    Some(resource.object("labels")?.text("cluster_name")?.into_owned())
}

/// An entry, independent of its encoding.
struct Entry<'e> {
    /// `google.cloud.audit.AuditLog`, in camel case.
    payload: Object<'e>,
    insert_id: Option<Cow<'e, str>>,
    timestamp: Option<Cow<'e, str>>,
    received: Option<Cow<'e, str>>,
    labels: Option<Object<'e>>,
    operation: Option<Object<'e>>,
    cluster: Option<String>,
}

impl<'e> Entry<'e> {
    /// Reads an entry with the member names of the API, whose payload is in the named member.
    fn of(object: &Object<'e>, payload: &str) -> Option<Self> {
        Some(Self {
            payload: object.object(payload)?,
            insert_id: object.text("insertId"),
            timestamp: object.text("timestamp"),
            received: object.text("receiveTimestamp"),
            labels: object.object("labels"),
            operation: object.object("operation"),
            cluster: object.object("resource").as_ref().and_then(cluster_of),
        })
    }

    fn open<'a>(&self, name: &'static str, record: &Record<'a>) -> Option<Opened<'a>> {
        // Reduced exports omit the service name.
        let is_kubernetes = match self.payload.text("serviceName") {
            Some(service) => service == KUBERNETES,
            None => self.payload.text("methodName")?.starts_with("io.k8s."),
        };
        if !is_kubernetes {
            return None;
        }
        let time = |text: &Option<Cow<'_, str>>| text.as_deref().and_then(instant_of);
        let facts = Facts {
            provider: Some(PROVIDER),
            cluster: self.cluster.clone().map(Cow::Owned),
            shipped_at: time(&self.received).or_else(|| time(&self.timestamp)),
            ..Facts::default()
        };
        Some(Opened::with(name, vec![Candidate::rebuilt(record.span, self.event(), facts)]))
    }

    /// Rebuilds the audit event from the entry.
    fn event(&self) -> String {
        let method = self.payload.text("methodName").unwrap_or_default();
        let resource_name = self.payload.text("resourceName").unwrap_or_default();
        let method = Method::of(&method);
        let mut target = method.has_resource.then(|| Target::of(&resource_name)).flatten();
        let own_path = target.as_ref().and_then(Target::own_path);
        if own_path.is_some() {
            target = None;
        }
        if let Some(target) = &mut target {
            target.subresource = target.subresource.or(method.subresource);
        }
        let request = self.body("request", "requestJson");
        let response = self.body("response", "responseJson");

        let mut event = ObjectWriter::default();
        event.text("kind", "Event");
        event.text("apiVersion", "audit.k8s.io/v1");
        if let Some(id) = &self.insert_id {
            event.text("auditID", id);
        }
        event.text("stage", self.stage());
        if !method.has_resource && !resource_name.is_empty() {
            event.text("requestURI", &format!("/{}", resource_name.trim_start_matches('/')));
        }
        if let Some(path) = own_path {
            event.text("requestURI", &path);
        }
        // The path of a proxied request is part of the resource name, without its query.
        if let Some(path) = target.as_ref().and_then(Target::proxied_path) {
            event.text("requestURI", &path);
        }
        event.text("verb", method.verb);
        self.write_caller(&mut event);
        if let Some(target) = &target {
            event.raw("objectRef", &target.object_ref());
        }
        let subresource = target.as_ref().and_then(|target| target.subresource);
        let status = self.status(response.as_deref(), subresource.unwrap_or_default());
        event.raw("responseStatus", &status);
        for (key, body) in [("requestObject", request), ("responseObject", response)] {
            if let Some(body) = body {
                event.raw(key, &body);
            }
        }
        if let Some(text) = self.timestamp.as_deref() {
            // An invalid time is kept as written.
            let time = instant_of(text).and_then(Micros::to_rfc3339);
            event.text("requestReceivedTimestamp", time.as_deref().unwrap_or(text));
        }
        if let Some(labels) = &self.labels {
            event.raw("annotations", &annotations(labels));
        }
        event.finish()
    }

    fn stage(&self) -> &'static str {
        let is = |key| {
            let operation = self.operation.as_ref();
            operation.and_then(|members| members.get(key)).is_some_and(|v| v.get() == "true")
        };
        if is("first") && !is("last") { "ResponseStarted" } else { "ResponseComplete" }
    }

    fn write_caller(&self, event: &mut ObjectWriter) {
        let authentication = self.payload.object("authenticationInfo");
        if let Some(authentication) = &authentication {
            let username = authentication.text("principalEmail").filter(|name| !name.is_empty());
            if let Some(username) = username.or_else(|| authentication.text("principalSubject")) {
                let mut user = ObjectWriter::default();
                user.text("username", &username);
                event.raw("user", &user.finish());
            }
            // Not observed in real entries; documented as the authority that the requestor selected.
            if let Some(authority) = authentication.text("authoritySelector") {
                let mut user = ObjectWriter::default();
                user.text("username", &authority);
                event.raw("impersonatedUser", &user.finish());
            }
        }
        let Some(metadata) = self.payload.object("requestMetadata") else { return };
        // `private` and `gce-internal-ip` also occur here.
        let address = metadata.text("callerIp").filter(|ip| ip.parse::<IpAddr>().is_ok());
        if let Some(address) = address {
            event.raw("sourceIPs", &format!("[{}]", json::quote(&address)));
        }
        if let Some(agent) = metadata.text("callerSuppliedUserAgent") {
            event.text("userAgent", &agent);
        }
    }

    /// Returns a body without the members that protobuf adds.
    fn body(&self, key: &str, text_key: &str) -> Option<String> {
        if let Some(value) = self.payload.get(key).filter(|value| value.get() != "null") {
            return Some(match json::object(value) {
                Some(members) => without_type(&members),
                None => value.get().to_owned(),
            });
        }
        let text = self.payload.text(text_key)?;
        let value: &RawValue = serde_json::from_str(&text).ok()?;
        Some(json::object(value).map_or_else(|| text.to_string(), |body| without_type(&body)))
    }

    /// Returns whether the response is a `Status`, by its protobuf type.
    fn answers_status(&self) -> bool {
        let response = self.payload.object("response");
        response
            .and_then(|response| response.text("@type").map(|kind| kind.ends_with(".Status")))
            .unwrap_or(false)
    }

    /// Returns whether the authorizer explicitly denied the request.
    fn is_refused(&self) -> bool {
        let grants = self.payload.list("authorizationInfo").unwrap_or_default();
        grants.into_iter().any(|grant| {
            let grant = json::object(grant);
            grant.and_then(|grant| grant.get("granted")).is_some_and(|v| v.get() == "false")
        })
    }

    fn status(&self, response: Option<&str>, subresource: &str) -> String {
        let response = response.and_then(|body| Object::read(body.as_bytes()));
        if let Some(status) = response
            && (status.text("kind").is_some_and(|kind| kind == "Status") || self.answers_status())
            && let Some(code) = code_of(&status)
        {
            let mut members = ObjectWriter::default();
            members.raw("metadata", "{}");
            for key in ["status", "message", "reason", "details"] {
                if let Some(value) = status.get(key) {
                    members.raw(key, value.get());
                }
            }
            members.raw("code", &code.to_string());
            return members.finish();
        }

        let status = self.payload.object("status");
        let get = |key: &str| status.as_ref().and_then(|members| members.get(key));
        let code = get("code").and_then(whole_number).unwrap_or(0);
        // `PERMISSION_DENIED`.
        let code = if code == 0 && self.is_refused() { 7 } else { code };
        let is_session = matches!(subresource, "exec" | "attach" | "portforward");
        let mut members = ObjectWriter::default();
        members.raw("metadata", "{}");
        if let Some(message) = get("message").and_then(json::text) {
            members.text("message", &message);
        }
        if let Some(code) = http_code(code, is_session) {
            members.raw("code", &code.to_string());
        }
        members.finish()
    }
}

/// Returns the HTTP status of a `Status`; of a failure without one, the status that corresponds to its reason.
fn code_of(status: &Object<'_>) -> Option<i64> {
    let code = status.get("code").and_then(whole_number).filter(|code| *code != 0);
    let is_failure = status.text("status").is_some_and(|status| status == "Failure");
    if is_failure && code.is_none_or(|code| code < 400) {
        return Some(i64::from(code_of_reason(status.text("reason").as_deref())));
    }
    code
}

/// A parsed method name such as `io.k8s.core.v1.pods.exec.create`. Its group is abbreviated: see [`Target`].
struct Method<'e> {
    verb: &'e str,
    has_resource: bool,
    subresource: Option<&'e str>,
}

impl<'e> Method<'e> {
    fn of(name: &'e str) -> Self {
        let name = name.strip_prefix("io.k8s.").unwrap_or(name);
        let (resource, verb) = name.rsplit_once('.').unwrap_or(("", name));
        // Group, version, resource, subresource: `core.v1.pods.exec`.
        let is_version = |word: &str| {
            word.len() > 1 && word.starts_with('v') && word.as_bytes()[1].is_ascii_digit()
        };
        let mut words = resource.split('.').skip_while(|word| !is_version(word)).skip(2);
        Self { verb, has_resource: !resource.is_empty(), subresource: words.next() }
    }
}

/// A parsed resource name such as `core/v1/namespaces/a/pods/b/exec`.
#[derive(Default)]
struct Target<'e> {
    group: &'e str,
    version: &'e str,
    namespace: Option<&'e str>,
    resource: &'e str,
    name: Option<&'e str>,
    subresource: Option<&'e str>,
    /// The segments after the subresource.
    rest: Vec<&'e str>,
}

impl<'e> Target<'e> {
    /// Parses a path like `k8s.io/apiserver`, which counts a namespace as contained in itself.
    fn of(name: &'e str) -> Option<Self> {
        let mut parts = name.split('/').filter(|part| !part.is_empty());
        let group = parts.next().filter(|group| *group != "core").unwrap_or_default();
        let version = parts.next()?;
        let mut target = Self { group, version, ..Self::default() };
        let parts: Vec<&str> = parts.collect();
        let parts = match parts.as_slice() {
            ["namespaces", namespace, rest @ ..] => {
                target.namespace = Some(namespace);
                if matches!(rest, [] | ["status" | "finalize"]) { parts.as_slice() } else { rest }
            }
            cluster_wide => cluster_wide,
        };
        let mut parts = parts.iter().copied();
        target.resource = parts.next()?;
        target.name = parts.next();
        target.subresource = parts.next();
        target.rest = parts.collect();
        Some(target)
    }

    /// Returns a non-resource path of the API server, which GKE writes as a core resource: `core/v1/healthz` is
    /// `/healthz`.
    fn own_path(&self) -> Option<String> {
        const PATHS: [&str; 8] =
            ["healthz", "livez", "readyz", "version", "metrics", "openapi", "statusz", "flagz"];
        let is_path =
            self.group.is_empty() && self.namespace.is_none() && PATHS.contains(&self.resource);
        is_path.then(|| {
            let parts = [Some(self.resource), self.name, self.subresource].into_iter().flatten();
            let parts: Vec<&str> = parts.chain(self.rest.iter().copied()).collect();
            format!("/{}", parts.join("/"))
        })
    }

    /// Returns the part of a proxied request's path that the resource name contains.
    fn proxied_path(&self) -> Option<String> {
        let name =
            self.name.filter(|_| self.subresource == Some("proxy") && !self.rest.is_empty())?;
        let namespace = self.namespace.map_or(String::new(), |name| format!("namespaces/{name}/"));
        let (version, resource, rest) = (self.version, self.resource, self.rest.join("/"));
        Some(format!("/api/{version}/{namespace}{resource}/{name}/proxy/{rest}"))
    }

    fn object_ref(&self) -> String {
        let mut members = ObjectWriter::default();
        members.text("resource", self.resource);
        for (key, value) in [
            ("namespace", self.namespace),
            ("name", self.name),
            ("apiGroup", Some(self.group).filter(|group| !group.is_empty())),
        ] {
            if let Some(value) = value {
                members.text(key, value);
            }
        }
        members.text("apiVersion", self.version);
        if let Some(subresource) = self.subresource {
            members.text("subresource", subresource);
        }
        members.finish()
    }
}

/// Returns the HTTP status for a `google.rpc.Code`; `None` for `UNKNOWN`, which covers every status without a code.
fn http_code(code: i64, is_session: bool) -> Option<u16> {
    Some(match code {
        0 => 200,
        2 if is_session => 101,
        1 => 499,
        3 | 9 | 11 => 400,
        4 => 504,
        5 => 404,
        6 | 10 => 409,
        7 => 403,
        8 => 429,
        12 => 501,
        13 | 15 => 500,
        14 => 503,
        16 => 401,
        _ => return None,
    })
}

/// Returns an integer that protobuf may have converted to a double.
fn whole_number(value: &RawValue) -> Option<i64> {
    let number = value.get();
    number.strip_suffix(".0").unwrap_or(number).parse().ok()
}

/// Returns a body without `@type`. A JSON patch, which is a list, is then the only other member.
fn without_type(body: &Object<'_>) -> String {
    let is_patch = body.text("@type").is_some_and(|kind| kind == "k8s.io/Patch");
    let mut members = body.iter().filter(|(key, _)| *key != "@type");
    if is_patch
        && let (Some((_, only)), None) = (members.next(), members.next())
        && only.get().starts_with('[')
        && is_json_patch(only)
    {
        return only.get().to_owned();
    }
    let mut writer = ObjectWriter::default();
    for (key, value) in body.iter().filter(|(key, _)| *key != "@type") {
        writer.raw(key, value.get());
    }
    writer.finish()
}

fn is_json_patch(value: &RawValue) -> bool {
    let steps = json::list(value).unwrap_or_default();
    !steps.is_empty()
        && steps.into_iter().all(|step| json::object(step).is_some_and(|s| s.get("op").is_some()))
}

/// Returns the labels of an entry as annotations of the event. BigQuery does not allow `.` and `/` in names.
fn annotations(labels: &Object<'_>) -> String {
    let mut annotations = ObjectWriter::default();
    for (key, value) in labels.iter() {
        let key = match key {
            "authorization_k8s_io_decision" => "authorization.k8s.io/decision",
            "authorization_k8s_io_reason" => "authorization.k8s.io/reason",
            "audit_k8s_io_truncated" => "audit.k8s.io/truncated",
            other => other,
        };
        annotations.raw(key, value.get());
    }
    annotations.finish()
}
