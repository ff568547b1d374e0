//! Parses the JSON of one audit event into its row.
//!
//! Nothing is lost: the `extra` column keeps, as written, every member that the typed columns cannot reproduce exactly
//! (an unknown field, an unexpected type, a timestamp in another form).

mod written_object;

use std::ops::Range;

use chrono::NaiveDate;

use self::written_object::{Shown, write};
use crate::column::{LongText, Map, Micros, Text};
use crate::json::members::{Document, Member, Reader, Value};
use crate::json::value::Json;
use crate::objects::bodies::Bodies;
use crate::objects::kinds::workload_kind;
use crate::objects::secret::embedded_in_values;
use crate::redact::{RedactionKey, redact};
use crate::request::activity::{Activity, Request};
use crate::request::admission::{POLICY_FAILURE, denying_policy};
use crate::request::exec::Exec;
use crate::request::identity::{Identity, User as Identified};
use crate::request::identity_kind::IdentityKind;
use crate::request::near_rfc3339::near_rfc3339;
use crate::request::outcome::{Evidence, Outcome, stores};
use crate::request::time_problem::TimeProblem;
use crate::request::uri::{DryRun, RequestQuery, kubelet_exec};
use crate::tables::event::Event;

/// The reason why a JSON text is not an audit event.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// The text is not JSON, or more than one value.
    #[error("not valid JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The text is an object of another kind.
    #[error("not an audit event: kind {kind:?} of {api_version:?}")]
    Kind {
        /// The `kind` of the object.
        kind: String,
        /// The `apiVersion` of the object, if any.
        api_version: String,
    },
    /// The object lacks a member that every audit event has.
    #[error("not an audit event: {0} is missing")]
    Missing(&'static str),
}

/// Parses audit events (`audit.k8s.io` v1, v1beta1 or v1alpha1) from JSON text, with reusable buffers.
#[derive(Default)]
pub struct Parser {
    reader: Reader,
    redaction: Option<RedactionKey>,
    is_envelope_only: bool,
    /// The redacted text of the last event that contained a secret.
    redacted: Vec<u8>,
}

impl Parser {
    /// Creates a parser that redacts secrets with a key, if there is one.
    pub fn new(redaction: Option<RedactionKey>) -> Self {
        Self { redaction, ..Self::default() }
    }

    /// Returns this parser without the columns on objects: bodies are stored, but workloads, roles and other objects
    /// stay null. Used to measure the cost of these columns.
    #[must_use]
    pub fn envelope_only(self) -> Self {
        Self { is_envelope_only: true, ..self }
    }

    /// Parses one event.
    ///
    /// Fills every column except `cluster` and the columns on source and envelopes, which the text does not contain.
    /// `shipped_at` is the time of an event that has no time of its own. An invalid time (see [`TimeProblem`])
    /// invalidates only that time, not the event.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not one JSON object, is of another kind, or has no `auditID` or no timestamp.
    pub fn parse<'a>(
        &'a mut self,
        json: &'a [u8],
        shipped_at: Option<Micros>,
    ) -> Result<Event<'a>, ParseError> {
        let in_secret = if self.is_envelope_only { None } else { embedded_in_values(json) };
        let redacted = self.redaction.as_ref().and_then(|key| redact(json, key));
        let json = match redacted {
            Some(text) => {
                self.redacted = text;
                &self.redacted
            }
            None => json,
        };
        self.reader.read(json, |document| {
            let mut columns = Columns {
                is_envelope_only: self.is_envelope_only,
                fallback_time: shipped_at,
                ..Columns::default()
            };
            columns.event.shipped_at = shipped_at;
            columns.event.embedded = in_secret;
            columns.read(document)
        })
    }
}

/// The extra in which Kubernetes 1.32 and later names the credential of a request (KEP-4193).
const CREDENTIAL: &str = "authentication.kubernetes.io/credential-id";

/// A parsed timestamp of an event.
enum Timestamp {
    /// The member is missing, empty or not a string.
    Absent,
    /// An instant in the API server's form (`metav1.MicroTime`: six fraction digits, `Z`).
    Exact(Micros),
    /// An instant in another form of RFC 3339, or close to it.
    Other(Micros),
    /// A text that is not an instant at which events are stored.
    Absurd,
}

impl Timestamp {
    fn read(value: &Json<'_>) -> Self {
        match value.as_text() {
            Some(text) if !text.is_empty() => Self::of(&text),
            _ => Self::Absent,
        }
    }

    fn of(text: &str) -> Self {
        if let Some(time) = micro_time(text.as_bytes()) {
            return Self::Exact(time);
        }
        near_rfc3339(text).and_then(Micros::checked).map_or(Self::Absurd, Self::Other)
    }

    fn time(&self) -> Option<Micros> {
        match self {
            Self::Exact(time) | Self::Other(time) => Some(*time),
            Self::Absent | Self::Absurd => None,
        }
    }
}

/// Parses a `metav1.MicroTime`, the usual form: `2026-01-31T23:59:59.999999Z`.
fn micro_time(text: &[u8]) -> Option<Micros> {
    let number = |range: Range<usize>| {
        text[range].iter().try_fold(0, |number: u32, byte| {
            byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0'))
        })
    };
    let is_punctuated = text.len() == 27
        && (text[4], text[7], text[10]) == (b'-', b'-', b'T')
        && (text[13], text[16], text[19], text[26]) == (b':', b':', b'.', b'Z');
    if !is_punctuated {
        return None;
    }
    let year = i32::try_from(number(0..4)?).ok()?;
    let day = NaiveDate::from_ymd_opt(year, number(5..7)?, number(8..10)?)?;
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let time = day.and_hms_micro_opt(hour, minute, second, number(20..26)?)?;
    // Leap seconds are parsed elsewhere, because the column would produce another text.
    Micros::checked(time.and_utc().timestamp_micros())
}

/// Puts a string into a column. Returns false if the value is not a string, or the column has a value.
fn put<'a>(column: &mut Option<Text<'a>>, value: Json<'a>) -> bool {
    let is_free = column.is_none();
    *column = value.into_text();
    is_free && column.is_some()
}

/// Returns the strings of a list that contains only strings.
fn strings(value: Json<'_>) -> Option<Vec<Text<'_>>> {
    let Json::Array(elements) = value else { return None };
    elements.into_iter().map(Json::into_text).collect()
}

/// The columns of one event under construction.
#[derive(Default)]
struct Columns<'a, 't> {
    event: Event<'a>,
    is_envelope_only: bool,
    /// Members that the columns cannot reproduce exactly.
    extra: Vec<(Text<'a>, &'a str)>,
    request: Option<Value<'a, 't>>,
    response: Option<Value<'a, 't>>,
    object_ref: Option<&'a str>,
    fallback_time: Option<Micros>,
    denying_policy: Option<Text<'a>>,
}

impl<'a, 't> Columns<'a, 't> {
    fn read(mut self, document: Document<'a, 't>) -> Result<Event<'a>, ParseError> {
        self.check_kind(&document.members)?;
        let repeated: Vec<String> = repeated(&document.members, |member| &member.key)
            .into_iter()
            .map(str::to_owned)
            .collect();
        for Member { key, value } in document.members {
            let taken = self.member(&key, value);
            if !taken || repeated.iter().any(|other| **other == *key) {
                self.extra.push((key, value.json));
            }
        }
        if self.event.audit_id.is_none() {
            return Err(ParseError::Missing("auditID"));
        }
        let event = &mut self.event;
        // Without a valid time the event is stored at the earliest instant: neither the event nor a query fails.
        let safe = event.time_problem.is_some().then_some(Micros::FIRST);
        event.time = event.received_at.or(event.stage_at).or(self.fallback_time).or(safe);
        if event.time.is_none() {
            return Err(ParseError::Missing("timestamp"));
        }
        event.date = event.time.map(Micros::day);
        event.event_id = Some(document.digest.into());
        let verb = event.verb.as_deref().unwrap_or_default();
        // A patch that creates an object is a server-side apply, whose body is the object.
        let makes = event.status_code == Some(201);
        let verb = if makes && verb == "patch" { "create" } else { verb };
        let bodies = Bodies::new(verb, self.request, self.response);
        self.derive(&bodies);
        if !self.is_envelope_only {
            self.objects(&bodies);
        }
        self.event.extra = self.extra();
        Ok(self.event)
    }

    fn check_kind(&mut self, members: &[Member<'a, 't>]) -> Result<(), ParseError> {
        let named = |name: &str| members.iter().find(|member| &*member.key == name);
        let text = |name| named(name)?.value.read()?.into_text();
        let (kind, api_version) = (text("kind"), text("apiVersion"));
        let is_event = kind.as_deref().is_none_or(|kind| kind == "Event")
            && api_version.as_deref().is_none_or(|version| version.starts_with("audit.k8s.io/"));
        if !is_event {
            return Err(ParseError::Kind {
                kind: kind.unwrap_or_default().to_string(),
                api_version: api_version.unwrap_or_default().to_string(),
            });
        }
        self.event.audit_api_version = kind.and(api_version);
        Ok(())
    }

    /// Takes one member of the event. Returns false if the columns cannot reproduce it exactly.
    fn member(&mut self, key: &str, value: Value<'a, 't>) -> bool {
        match key {
            "requestObject" => {
                self.request = Some(value);
                return true;
            }
            "responseObject" => {
                self.response = Some(value);
                return true;
            }
            "objectRef" => self.object_ref = Some(value.json),
            _ => {}
        }
        // A value that no type can represent is kept as written; the event is still parsed.
        let value = value.read().unwrap_or(Json::Null);
        let event = &mut self.event;
        match key {
            "kind" | "apiVersion" => event.audit_api_version.is_some(),
            "level" => put(&mut event.level, value),
            "auditID" => put(&mut event.audit_id, value),
            "stage" => put(&mut event.stage, value),
            "requestURI" => put(&mut event.request_uri, value),
            "verb" => put(&mut event.verb, value),
            "userAgent" => put(&mut event.user_agent, value),
            "sourceIPs" => {
                event.source_ips = strings(value);
                event.source_ips.is_some()
            }
            "user" => {
                let user = User::read(value);
                event.username = user.username;
                event.user_uid = user.uid;
                event.user_groups = user.groups;
                event.user_extra = user.extra;
                user.exact
            }
            "impersonatedUser" => {
                let user = User::read(value);
                event.impersonated_username = user.username;
                event.impersonated_uid = user.uid;
                event.impersonated_groups = user.groups;
                event.impersonated_extra = user.extra;
                user.exact
            }
            "objectRef" => self.object_ref(value),
            "responseStatus" => self.response_status(value),
            "requestReceivedTimestamp" => {
                let (time, exact) = self.timestamp(&value);
                self.event.received_at = time;
                exact
            }
            "stageTimestamp" => {
                let (time, exact) = self.timestamp(&value);
                self.event.stage_at = time;
                exact
            }
            // v1beta1 and v1alpha1.
            "timestamp" => {
                let (time, _) = self.timestamp(&value);
                self.fallback_time = time.or(self.fallback_time);
                false
            }
            "metadata" => {
                let created = value.text("creationTimestamp");
                let created = created.and_then(|text| Timestamp::of(&text).time());
                self.fallback_time = self.fallback_time.or(created);
                false
            }
            "annotations" => self.annotations(value),
            _ => false,
        }
    }

    /// Returns the time of a timestamp member, and whether a column reproduces its text.
    fn timestamp(&mut self, value: &Json<'a>) -> (Option<Micros>, bool) {
        let timestamp = Timestamp::read(value);
        if matches!(timestamp, Timestamp::Absurd) {
            self.event.time_problem = Some(TimeProblem::Absurd.as_str().into());
        }
        (timestamp.time(), matches!(timestamp, Timestamp::Exact(_)))
    }

    fn object_ref(&mut self, value: Json<'a>) -> bool {
        let Json::Object(members) = value else { return false };
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
            exact &= put(column, value);
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

    fn response_status(&mut self, value: Json<'a>) -> bool {
        let Json::Object(members) = value else { return false };
        let event = &mut self.event;
        // The API server always writes an empty `metadata` and at least one other member.
        let mut has_metadata = false;
        let mut exact = members.len() > 1;
        for (key, value) in members {
            exact &= match &*key {
                "code" => {
                    let is_free = event.status_code.is_none();
                    event.status_code = value.as_int().and_then(|code| i32::try_from(code).ok());
                    is_free && event.status_code.is_some()
                }
                "status" => put(&mut event.status, value),
                "reason" => put(&mut event.status_reason, value),
                "message" => put(&mut event.status_message, value),
                "metadata" => {
                    let is_empty = value == Json::Object(Vec::new());
                    !std::mem::replace(&mut has_metadata, true) && is_empty
                }
                _ => false,
            };
        }
        exact && has_metadata
    }

    fn annotations(&mut self, value: Json<'a>) -> bool {
        let Json::Object(members) = value else { return false };
        let count = members.len();
        let entries =
            members.into_iter().filter_map(|(key, value)| Some((key, value.into_text()?)));
        let annotations = Map(entries.collect());
        let exact = annotations.0.len() == count && has_distinct_keys(&annotations.0);
        let event = &mut self.event;
        event.decision = annotations.get("authorization.k8s.io/decision").cloned();
        event.decision_reason = annotations.get("authorization.k8s.io/reason").cloned();
        self.denying_policy =
            annotations.get(POLICY_FAILURE).and_then(|failure| denying_policy(failure));
        event.truncated = annotations.get("audit.k8s.io/truncated").map(|value| &**value == "true");
        event.annotations = Some(annotations);
        exact
    }

    /// Fills the columns that are derived from others.
    fn derive(&mut self, bodies: &Bodies<'a, '_>) {
        let event = &mut self.event;
        event.request_object = self.request.map(|body| body.json.into());
        event.response_object = self.response.map(|body| body.json.into());
        let groups = event.user_groups.as_deref();
        let credential = event.user_extra.as_ref().and_then(|extra| extra.get(CREDENTIAL));
        let user = Identified {
            username: event.username.as_deref(),
            groups,
            credential: credential.and_then(|values| values.first()).map(|value| &**value),
        };
        let mut identity = Identity::of(&user);
        if identity.kind == IdentityKind::Unknown && event.status_code == Some(401) {
            identity =
                Identity { kind: IdentityKind::Anonymous, evidence: "status code 401".into() };
        }
        event.identity_kind = Some(identity.kind.as_str().into());
        event.identity_evidence = Some(identity.evidence.into_owned().into());
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
            // Google omits the query: the options are in the body, if anywhere.
            None => RequestQuery { exec: streams.then(Exec::default), ..RequestQuery::default() },
        };
        let verb = event.verb.as_deref().unwrap_or_default();
        let stores = stores(verb, api_group, resource, subresource);
        // OpenShift's RBAC proxy in its API server does not pass options on (`authorization/registry/util`).
        let may_be_dry = stores && api_group != "authorization.openshift.io";
        let dry_run = if may_be_dry {
            Self::dry_run(event, &query, bodies)
        } else {
            // Reads, streams and reviews are always carried out.
            event.request_uri.is_some().then_some(false)
        };
        event.dry_run = dry_run;
        event.field_manager = query.field_manager;
        event.force = query.force;
        let exec = if (api_group, resource, subresource) == ("", "nodes", "proxy") {
            event.request_uri.as_deref().and_then(kubelet_exec)
        } else {
            query.exec.map(|exec| exec.or_of_options(bodies))
        };
        event.exec = exec.map(Exec::with_words);
        let code = event.status_code.filter(|code| *code != 0);
        let failed =
            event.status.as_deref() == Some("Failure") && code.is_none_or(|code| code < 400);
        let code = match code {
            _ if failed => Some(code_of_reason(event.status_reason.as_deref())),
            None => bodies
                .failure()
                .map(|(code, reason)| code.unwrap_or_else(|| code_of_reason(reason.as_deref()))),
            code => code,
        };
        let code = code.or(event.status_code);
        // Kubernetes 1.20 has the message only in the body.
        let is_failure = code.is_some_and(|code| code >= 400);
        let message = event
            .status_message
            .clone()
            .or_else(|| if is_failure { bodies.status_message() } else { None });
        let evidence = Evidence {
            code,
            decision: event.decision.as_deref(),
            message: message.as_deref(),
            stage: event.stage.as_deref(),
            dry_run: dry_run == Some(true),
            stores,
            is_collection: verb == "deletecollection",
            denying_policy: self.denying_policy.take(),
        };
        let outcome = Outcome::of(&evidence);
        let denied_by = outcome.denied_by(&evidence).map(|by| Text::from(by.0.into_owned()));
        event.denied_by = denied_by;
        event.outcome = Some(outcome.as_str().into());
        event.outcome_uncertain = (outcome != Outcome::Unknown).then(|| evidence.is_uncertain());
        event.truncated.get_or_insert(false);
    }

    /// Returns whether a write is a dry run; `None` if the log does not show the deciding part.
    fn dry_run(
        event: &Event<'a>,
        query: &RequestQuery<'a>,
        bodies: &Bodies<'a, '_>,
    ) -> Option<bool> {
        if matches!(event.verb.as_deref(), Some("delete" | "deletecollection")) {
            // The options in a DeleteOptions body replace those of the query (apiserver, endpoints/handlers/delete.go).
            if let Some(options) = bodies.request() {
                let mut dry_run = DryRun::default();
                for value in options.texts("dryRun").into_iter().flatten() {
                    dry_run.add(&value);
                }
                return Some(dry_run == DryRun::All);
            }
            let shows_bodies =
                matches!(event.level.as_deref(), Some("Request" | "RequestResponse"));
            if query.dry_run && (!shows_bodies || event.truncated == Some(true)) {
                return None;
            }
        }
        event.request_uri.as_ref()?;
        // A stored object has a resource version; in a dry run it is that of the request, which is empty.
        let version = |body: Option<&Json<'a>>| body?.get("metadata")?.text("resourceVersion");
        let is_stored = event.verb.as_deref() == Some("create")
            && query.dry_run
            && version(bodies.response()).is_some_and(|version| !version.is_empty())
            && version(bodies.request()).is_none_or(|version| version.is_empty());
        Some(query.dry_run && !is_stored)
    }

    /// Fills the columns on the object that the request writes.
    fn objects(&mut self, bodies: &Bodies<'a, '_>) {
        let event = &mut self.event;
        let verb = event.verb.as_deref().unwrap_or_default();
        if !matches!(verb, "create" | "update" | "patch") {
            return;
        }
        event.partial_answer = bodies.partial_answer();
        // The value of `name` before a body completes it: the object reference is then no longer exact.
        let is_unnamed = verb == "create" && event.name.is_none() && event.subresource.is_none();
        let shown = write(event, bodies);
        // An object that creates pods is recognized by its content if its kind does not show it.
        if event.workload.is_some() && event.activity.as_deref() == Some(Activity::Write.as_str()) {
            event.activity = Some(Activity::Workload.as_str().into());
        }
        match shown {
            Shown::Nowhere if is_unnamed => self.identify([bodies.response(), bodies.request()]),
            Shown::Nowhere => {}
            Shown::InResponse => self.identify([bodies.response(), None]),
            Shown::InBoth => self.identify([bodies.response(), bodies.request()]),
        }
    }

    /// Takes name, namespace and uid from the object's metadata if the object reference lacks them.
    fn identify(&mut self, bodies: [Option<&Json<'a>>; 2]) {
        // Without an object reference the columns stay empty, or an export would create one.
        let Some(object_ref) = self.object_ref else { return };
        let event = &mut self.event;
        let mut taken = false;
        for body in bodies.into_iter().flatten() {
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
        if taken && !self.extra.iter().any(|(key, _)| &**key == "objectRef") {
            self.extra.push(("objectRef".into(), object_ref));
        }
    }

    /// Returns the members that no column reproduces, as one JSON object.
    fn extra(&self) -> Option<LongText<'a>> {
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

/// Returns the HTTP status of a failure that has only a reason (`metav1.StatusReason`).
pub fn code_of_reason(reason: Option<&str>) -> i32 {
    match reason.unwrap_or_default() {
        "Unauthorized" => 401,
        "Forbidden" => 403,
        "NotFound" => 404,
        "AlreadyExists" | "Conflict" => 409,
        "Gone" | "Expired" => 410,
        "Invalid" => 422,
        "TooManyRequests" => 429,
        "BadRequest" => 400,
        "MethodNotAllowed" => 405,
        "NotAcceptable" => 406,
        "UnsupportedMediaType" => 415,
        "RequestEntityTooLarge" => 413,
        "ServiceUnavailable" => 503,
        "Timeout" | "ServerTimeout" => 504,
        _ => 500,
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
    /// Only `extra` distinguishes an absent user from an empty one.
    fn read(value: Json<'a>) -> Self {
        let Json::Object(members) = value else { return Self::default() };
        let mut user = Self { exact: !members.is_empty(), ..Self::default() };
        for (key, value) in members {
            user.exact &= match &*key {
                "username" => put(&mut user.username, value),
                "uid" => put(&mut user.uid, value),
                "groups" => {
                    let is_free = user.groups.is_none();
                    user.groups = strings(value);
                    is_free && user.groups.is_some()
                }
                "extra" => user.extra(value),
                _ => false,
            };
        }
        user
    }

    fn extra(&mut self, value: Json<'a>) -> bool {
        let Json::Object(members) = value else { return false };
        let mut exact = self.extra.is_none();
        let mut entries = Vec::with_capacity(members.len());
        for (key, value) in members {
            // Some providers write a scalar instead of a list.
            let scalar = value.as_text();
            if let Some(values) = strings(value) {
                entries.push((key, values));
            } else {
                exact = false;
                entries.push((key, scalar.into_iter().collect()));
            }
        }
        exact &= has_distinct_keys(&entries);
        self.extra = Some(Map(entries));
        exact
    }
}

/// Returns the keys that occur more than once, for which a column would keep only the last value.
fn repeated<'m, T>(items: &'m [T], key: impl Fn(&'m T) -> &'m str) -> Vec<&'m str> {
    /// Up to this number, pairwise comparison is faster than sorting.
    const FEW: usize = 24;
    if items.len() <= FEW {
        let is_repeated = |(index, item): &(usize, &'m T)| {
            items[..*index].iter().any(|other| key(other) == key(item))
        };
        let repeated = items.iter().enumerate().filter(is_repeated);
        return repeated.map(|(_, item)| key(item)).collect();
    }
    let mut keys: Vec<_> = items.iter().map(key).collect();
    keys.sort_unstable();
    keys.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect()
}

/// Returns whether all keys are distinct: a map column with duplicates would be ambiguous.
fn has_distinct_keys<T>(entries: &[(Text<'_>, T)]) -> bool {
    repeated(entries, |(key, _)| key).is_empty()
}
