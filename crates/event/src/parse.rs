//! From the JSON of one audit event to its row.
//!
//! Nothing is lost on the way: a member that the typed columns cannot give back exactly (an unknown field, an odd type,
//! a timestamp in another form) is kept as written in the `extra` column.

use chrono::DateTime;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::activity::{Activity, Request};
use crate::body::Json;
use crate::canonical::event_digest;
use crate::column::{Map, Micros, Text};
use crate::event::Event;
use crate::extract::{self, Bodies};
use crate::identity::IdentityKind;
use crate::kinds::{rbac_kind, workload_kind};
use crate::outcome::{Evidence, Outcome};
use crate::request_uri::RequestQuery;

/// Why a JSON text is not an audit event.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// The text is not JSON, or more than one value.
    #[error("not valid JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// It is an object of another kind.
    #[error("not an audit event: kind {kind:?} of {api_version:?}")]
    Kind {
        /// The `kind` it names.
        kind: String,
        /// The `apiVersion` it names, if any.
        api_version: String,
    },
    /// It lacks what every audit event has.
    #[error("not an audit event: no {0}")]
    Missing(&'static str),
}

/// Reads one audit event (`audit.k8s.io` v1, v1beta1 or v1alpha1) from its JSON text.
///
/// Every column is filled but `cluster` and those on the source and the envelopes, which the text does not know.
/// `shipped_at` is the time of an event that has none itself.
///
/// # Errors
/// When the text is not one JSON object, names another kind, or has no `auditID` or no timestamp.
pub fn parse(json: &[u8], shipped_at: Option<Micros>) -> Result<Event<'_>, ParseError> {
    let raw: &RawValue = serde_json::from_slice(json)?;
    let Members(members) = serde_json::from_str(raw.get())?;
    let mut reader = Reader { fallback_time: shipped_at, ..Reader::default() };
    reader.event.shipped_at = shipped_at;
    reader.read(raw.get(), members)
}

/// The members of an object, their values as JSON text.
struct Members<'a>(Vec<(Text<'a>, &'a str)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(20);
                while let Some((key, value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    members.push((key, value.get()));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

/// Reads a value of type `T`, or nothing where the JSON is of another type.
fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    serde_json::from_str(json).ok()
}

fn members(json: &str) -> Option<Vec<(Text<'_>, &str)>> {
    read::<Members<'_>>(json).map(|members| members.0)
}

/// A string without escapes is borrowed at once, without a second parser.
fn text(json: &str) -> Option<Text<'_>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { read(json) } else { Some(inner.into()) }
}

/// An RFC 3339 instant, and whether it is in the one form that the API server writes
/// (`metav1.MicroTime`: six fraction digits, `Z`).
fn instant(json: &str) -> Option<(Micros, bool)> {
    let text = text(json)?;
    let bytes = text.as_bytes();
    let micros = DateTime::parse_from_rfc3339(&text).ok()?.timestamp_micros();
    let exact = bytes.len() == 27
        && bytes[10] == b'T'
        && bytes[26] == b'Z'
        && bytes[17..19] != *b"60"
        && (0..=253_402_300_799_999_999).contains(&micros);
    Some((Micros(micros), exact))
}

/// Whether `DeleteOptions` ask for a dry run.
fn is_dry_run(options: &str) -> bool {
    read::<Json<'_>>(options).is_some_and(|options| !options.list("dryRun").is_empty())
}

#[derive(Default)]
struct Reader<'a> {
    event: Event<'a>,
    extra: Vec<(Text<'a>, &'a str)>,
    request: Option<&'a str>,
    response: Option<&'a str>,
    object_ref: Option<&'a str>,
    fallback_time: Option<Micros>,
    policy_failure: bool,
}

impl<'a> Reader<'a> {
    fn read(
        mut self,
        json: &'a str,
        members: Vec<(Text<'a>, &'a str)>,
    ) -> Result<Event<'a>, ParseError> {
        self.check_kind(&members)?;
        for (key, value) in members {
            if !self.member(&key, value) {
                self.extra.push((key, value));
            }
        }
        if self.event.audit_id.is_none() {
            return Err(ParseError::Missing("auditID"));
        }
        let event = &mut self.event;
        event.time = event.received_at.or(event.stage_at).or(self.fallback_time);
        if event.time.is_none() {
            return Err(ParseError::Missing("timestamp"));
        }
        event.date = event.time.map(Micros::day);
        event.event_id = Some(event_digest(json).into());
        self.derive();
        self.bodies();
        self.event.extra = self.extra();
        Ok(self.event)
    }

    fn check_kind(&mut self, members: &[(Text<'a>, &'a str)]) -> Result<(), ParseError> {
        let value = |key: &str| members.iter().find(|(name, _)| &**name == key).map(|(_, v)| *v);
        let kind = value("kind").and_then(text);
        let api_version = value("apiVersion").and_then(text);
        let is_event = kind.as_deref().is_none_or(|kind| kind == "Event")
            && api_version.as_deref().is_none_or(|version| version.starts_with("audit.k8s.io/"));
        if !is_event {
            return Err(ParseError::Kind {
                kind: kind.unwrap_or_default().to_string(),
                api_version: api_version.unwrap_or_default().to_string(),
            });
        }
        match (kind, api_version) {
            (Some(_), Some(version)) => self.event.audit_api_version = Some(version),
            _ => self.extra.extend(
                members.iter().filter(|(key, _)| matches!(&**key, "kind" | "apiVersion")).cloned(),
            ),
        }
        Ok(())
    }

    /// Takes one member of the event; false where the columns cannot give it back exactly.
    fn member(&mut self, key: &str, json: &'a str) -> bool {
        let event = &mut self.event;
        let into = |column: &mut Option<Text<'a>>| {
            *column = text(json);
            column.is_some()
        };
        match key {
            "kind" | "apiVersion" => true,
            "level" => into(&mut event.level),
            "auditID" => into(&mut event.audit_id),
            "stage" => into(&mut event.stage),
            "requestURI" => into(&mut event.request_uri),
            "verb" => into(&mut event.verb),
            "userAgent" => into(&mut event.user_agent),
            "sourceIPs" => {
                event.source_ips = read(json);
                event.source_ips.is_some()
            }
            "user" => {
                let user = User::read(json);
                event.username = user.username;
                event.user_uid = user.uid;
                event.user_groups = user.groups;
                event.user_extra = user.extra;
                // An absent user and an empty one are told apart by `extra`.
                user.exact && json != "{}"
            }
            "impersonatedUser" => {
                let user = User::read(json);
                event.impersonated_username = user.username;
                event.impersonated_uid = user.uid;
                event.impersonated_groups = user.groups;
                event.impersonated_extra = user.extra;
                user.exact && json != "{}"
            }
            "objectRef" => {
                self.object_ref = Some(json);
                self.object_ref(json)
            }
            "responseStatus" => self.response_status(json),
            "requestObject" => {
                self.request = Some(json);
                true
            }
            "responseObject" => {
                self.response = Some(json);
                true
            }
            "requestReceivedTimestamp" => {
                let (time, exact) = instant(json).unzip();
                event.received_at = time;
                exact == Some(true)
            }
            "stageTimestamp" => {
                let (time, exact) = instant(json).unzip();
                event.stage_at = time;
                exact == Some(true)
            }
            // v1beta1 and v1alpha1.
            "timestamp" => {
                self.fallback_time = instant(json).map(|(time, _)| time).or(self.fallback_time);
                false
            }
            "metadata" => {
                let created = members(json).and_then(|members| {
                    let (_, value) =
                        members.into_iter().find(|(key, _)| &**key == "creationTimestamp")?;
                    instant(value)
                });
                self.fallback_time = self.fallback_time.or(created.map(|(time, _)| time));
                false
            }
            "annotations" => self.annotations(json),
            _ => false,
        }
    }

    fn object_ref(&mut self, json: &'a str) -> bool {
        let Some(members) = members(json) else { return false };
        let event = &mut self.event;
        let mut exact = !members.is_empty();
        for (key, value) in members {
            let column = match &*key {
                "resource" => &mut event.resource,
                "namespace" => &mut event.namespace,
                "name" => &mut event.name,
                "uid" => &mut event.object_uid,
                "apiGroup" => &mut event.api_group,
                "apiVersion" => &mut event.api_version,
                "resourceVersion" => &mut event.resource_version,
                "subresource" => &mut event.subresource,
                _ => {
                    exact = false;
                    continue;
                }
            };
            *column = text(value);
            exact &= column.is_some();
        }
        // v1alpha1 wrote `group/version` into one field.
        if event.api_group.is_none()
            && let Some((group, version)) =
                event.api_version.as_deref().and_then(|version| version.split_once('/'))
        {
            let (group, version) = (group.to_owned(), version.to_owned());
            event.api_group = Some(group.into());
            event.api_version = Some(version.into());
            exact = false;
        }
        exact
    }

    fn response_status(&mut self, json: &'a str) -> bool {
        let Some(members) = members(json) else { return false };
        let event = &mut self.event;
        // The API server always prints an empty `metadata`.
        let mut exact = members.iter().any(|(key, value)| &**key == "metadata" && *value == "{}");
        for (key, value) in members {
            exact &= match &*key {
                "code" => {
                    event.status_code = read(value);
                    event.status_code.is_some()
                }
                "status" => {
                    event.status = text(value);
                    event.status.is_some()
                }
                "reason" => {
                    event.status_reason = text(value);
                    event.status_reason.is_some()
                }
                "message" => {
                    event.status_message = text(value);
                    event.status_message.is_some()
                }
                "metadata" => true,
                _ => false,
            };
        }
        exact
    }

    fn annotations(&mut self, json: &'a str) -> bool {
        let Some(members) = members(json) else { return false };
        let mut exact = true;
        let mut annotations = Vec::with_capacity(members.len());
        for (key, value) in members {
            match text(value) {
                Some(value) => annotations.push((key, value)),
                None => exact = false,
            }
        }
        let annotations = Map(annotations);
        let event = &mut self.event;
        event.decision = annotations.get("authorization.k8s.io/decision").cloned();
        event.decision_reason = annotations.get("authorization.k8s.io/reason").cloned();
        self.policy_failure =
            annotations.get("validation.policy.admission.k8s.io/validation_failure").is_some();
        event.truncated = annotations.get("audit.k8s.io/truncated").map(|value| &**value == "true");
        event.annotations = Some(annotations);
        exact
    }

    /// Fills the columns that follow from others.
    fn derive(&mut self) {
        let event = &mut self.event;
        event.identity_kind = Some(IdentityKind::of(event.username.as_deref()).as_str().into());
        event.client_ip = event.source_ips.as_ref().and_then(|ips| ips.last().cloned());
        let (api_group, resource, subresource) = (
            event.api_group.as_deref().unwrap_or_default(),
            event.resource.as_deref().unwrap_or_default(),
            event.subresource.as_deref().unwrap_or_default(),
        );
        let activity = Activity::of(&Request {
            verb: event.verb.as_deref().unwrap_or_default(),
            api_group,
            resource,
            subresource,
            makes_pods: workload_kind(api_group, resource).is_some(),
        });
        event.activity = Some(activity.as_str().into());

        let streams = matches!(subresource, "exec" | "attach" | "portforward");
        let query = match &event.request_uri {
            Some(Text(std::borrow::Cow::Borrowed(uri))) => RequestQuery::of(uri, streams),
            Some(uri) => RequestQuery::of(uri, streams).into_owned(),
            None => RequestQuery::default(),
        };
        let verb = event.verb.as_deref().unwrap_or_default();
        let dry_run = match self.request {
            // A DeleteOptions body replaces the query's options (apiserver, endpoints/handlers/delete.go).
            Some(options) if matches!(verb, "delete" | "deletecollection") => is_dry_run(options),
            _ => query.dry_run,
        };
        event.dry_run = Some(dry_run);
        event.field_manager = query.field_manager;
        event.force = query.force;
        event.exec = query.exec;
        let outcome = Outcome::of(&Evidence {
            code: event.status_code,
            decision: event.decision.as_deref(),
            message: event.status_message.as_deref(),
            stage: event.stage.as_deref(),
            dry_run,
            policy_failure: self.policy_failure,
        });
        event.outcome = Some(outcome.as_str().into());
        event.truncated.get_or_insert(false);
    }

    fn bodies(&mut self) {
        let (request, response) = (self.request, self.response);
        let event = &mut self.event;
        event.request_object = request.map(Text::from);
        event.response_object = response.map(Text::from);

        let verb = event.verb.as_deref().unwrap_or_default();
        if !matches!(verb, "create" | "update" | "patch") {
            return;
        }
        let group = event.api_group.as_deref().unwrap_or_default();
        let resource = event.resource.as_deref().unwrap_or_default();
        let subresource = event.subresource.as_deref();
        let workload = workload_kind(group, resource);
        let rbac = rbac_kind(group, resource);
        let parse = || Bodies::parse(verb, request, response);
        // What `name` says before a body adds to it: such an object reference is not exact any more.
        let unnamed = event.name.is_none() && subresource.is_none();
        match (workload, rbac, subresource) {
            (Some(kind), _, None) => {
                let bodies = parse();
                event.workload = extract::workload(&kind, &bodies);
                self.identify(bodies.response.as_ref(), bodies.request.as_ref());
            }
            (Some(_), _, Some("ephemeralcontainers")) => {
                let bodies = parse();
                event.workload = Some(extract::ephemeral_containers(&bodies));
                self.identify(bodies.response.as_ref(), None);
            }
            (_, Some(kind), None) => {
                let bodies = parse();
                event.rbac = extract::rbac(kind, &bodies);
                self.identify(bodies.response.as_ref(), bodies.request.as_ref());
            }
            _ if verb == "create" && unnamed => {
                let response = response.and_then(read::<Json<'a>>);
                let request = request.and_then(read::<Json<'a>>);
                self.identify(response.as_ref(), request.as_ref());
            }
            _ => {}
        }
    }

    /// Takes name, namespace and uid from the object's own metadata where the object reference lacks them.
    fn identify(&mut self, response: Option<&Json<'a>>, request: Option<&Json<'a>>) {
        let event = &mut self.event;
        let mut taken = false;
        for body in [response, request].into_iter().flatten() {
            let Some(metadata) = body.get("metadata") else { continue };
            for (column, key) in [
                (&mut event.name, "name"),
                (&mut event.namespace, "namespace"),
                (&mut event.object_uid, "uid"),
            ] {
                if column.is_none() {
                    *column = metadata.text(key);
                    taken |= column.is_some();
                }
            }
        }
        if taken
            && let Some(json) = self.object_ref
            && !self.extra.iter().any(|(key, _)| &**key == "objectRef")
        {
            self.extra.push(("objectRef".into(), json));
        }
    }

    /// The members that no column gives back, as one JSON object.
    fn extra(&self) -> Option<Text<'a>> {
        if self.extra.is_empty() {
            return None;
        }
        let mut json = String::from("{");
        for (key, value) in &self.extra {
            if json.len() > 1 {
                json.push(',');
            }
            json.push_str(&serde_json::Value::from(&**key).to_string());
            json.push(':');
            json.push_str(value);
        }
        json.push('}');
        Some(json.into())
    }
}

/// A `UserInfo`.
#[derive(Default)]
struct User<'a> {
    username: Option<Text<'a>>,
    uid: Option<Text<'a>>,
    groups: Option<Vec<Text<'a>>>,
    extra: Option<Map<'a, Vec<Text<'a>>>>,
    exact: bool,
}

impl<'a> User<'a> {
    fn read(json: &'a str) -> Self {
        let mut user = Self { exact: true, ..Self::default() };
        let Some(members) = members(json) else { return Self::default() };
        for (key, value) in members {
            user.exact &= match &*key {
                "username" => {
                    user.username = text(value);
                    user.username.is_some()
                }
                "uid" => {
                    user.uid = text(value);
                    user.uid.is_some()
                }
                "groups" => {
                    user.groups = read(value);
                    user.groups.is_some()
                }
                "extra" => user.extra(value),
                _ => false,
            };
        }
        user
    }

    fn extra(&mut self, json: &'a str) -> bool {
        let Some(members) = members(json) else { return false };
        let mut exact = true;
        let mut entries = Vec::with_capacity(members.len());
        for (key, value) in members {
            if let Some(values) = read::<Vec<Text<'a>>>(value) {
                entries.push((key, values));
            } else {
                exact = false;
                // Some providers write a scalar where the API has a list.
                entries.push((key, text(value).into_iter().collect()));
            }
        }
        self.extra = Some(Map(entries));
        exact
    }
}
