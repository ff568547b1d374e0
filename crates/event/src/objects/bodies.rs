//! The bodies of a request: which of them shows the written object, and how much of it.

use std::cell::OnceCell;

use crate::column::Text;
use crate::json::members::Value;
use crate::json::value::Json;
use crate::objects::workload::CopiedField;
use crate::patch::json_patch::{self, Copied};

/// The two bodies of a request, each parsed on demand and once.
pub(crate) struct Bodies<'a, 't> {
    is_patch: bool,
    request_value: Option<Value<'a, 't>>,
    response_value: Option<Value<'a, 't>>,
    request: OnceCell<Option<Request<'a>>>,
    response: OnceCell<Option<Json<'a>>>,
}

/// The body of a request.
struct Request<'a> {
    json: Json<'a>,
    /// Whether the object is complete.
    is_whole: bool,
    /// The values that a JSON Patch copies or moves within the object.
    copied: Vec<Copied>,
    /// The lists at the top of the object of which a JSON Patch shows only some elements.
    amended: Vec<String>,
}

impl<'a> Request<'a> {
    /// Parses a request; a JSON Patch becomes the partial object that it describes.
    fn of(json: Json<'a>, is_patch: bool) -> Self {
        match json {
            Json::Array(operations) if is_patch => {
                let patched = json_patch::of_unknown(operations);
                let (is_whole, amended) = (patched.is_whole(), patched.amended());
                Self { json: patched.node.into_tree(), is_whole, copied: patched.copied, amended }
            }
            json => Self { json, is_whole: !is_patch, copied: Vec::new(), amended: Vec::new() },
        }
    }
}

/// A body from which rows are read.
pub(crate) struct Body<'b, 'a> {
    pub(crate) json: &'b Json<'a>,
    /// `response`, `request` or `patch`.
    pub(crate) source: &'static str,
    /// Whether the object is complete, so that an absent field is known to be unset.
    pub(crate) whole: bool,
}

impl<'a, 't> Bodies<'a, 't> {
    pub(crate) fn new(
        verb: &str,
        request: Option<Value<'a, 't>>,
        response: Option<Value<'a, 't>>,
    ) -> Self {
        Self {
            is_patch: verb == "patch",
            request_value: request,
            response_value: response,
            request: OnceCell::new(),
            response: OnceCell::new(),
        }
    }

    /// Returns bodies with only the request, as JSON text.
    pub(crate) fn of_request(verb: &str, request: &'a str) -> Self {
        Self::new(verb, Some(Value::of_text(request)), None)
    }

    /// Returns bodies with only a whole object, as JSON text.
    pub(crate) fn of_object(object: &'a str) -> Self {
        Self::new("update", None, Some(Value::of_text(object)))
    }

    fn read_request(&self) -> Option<&Request<'a>> {
        let read = || Some(Request::of(self.request_value.and_then(Value::read)?, self.is_patch));
        self.request.get_or_init(read).as_ref()
    }

    /// Returns the request. A JSON Patch becomes the partial object that it describes.
    pub(crate) fn request(&self) -> Option<&Json<'a>> {
        self.read_request().map(|request| &request.json)
    }

    /// Returns the response; for a table with one row, the object in it.
    pub(crate) fn response(&self) -> Option<&Json<'a>> {
        let read = || self.response_value.and_then(Value::read).map(row_of_table);
        self.response.get_or_init(read).as_ref()
    }

    /// Returns the response as JSON text; for a table with one row, the object in it.
    pub(crate) fn text_of_response(&self) -> Option<String> {
        let body = self.response_value?.json;
        if !body.contains("\"Table\"") {
            return Some(body.to_owned());
        }
        let body: serde_json::Value = serde_json::from_str(body).ok()?;
        if body.get("kind").and_then(serde_json::Value::as_str) != Some("Table") {
            return Some(body.to_string());
        }
        Some(body.pointer("/rows/0/object")?.to_string())
    }

    /// Returns code and reason of a failure, if the response is a `Status` of the API server.
    pub(crate) fn failure(&self) -> Option<(Option<i32>, Option<Text<'a>>)> {
        // Most responses are objects, which are not parsed for this.
        if !self.response_value?.json.contains("\"Failure\"") {
            return None;
        }
        let status = self.response()?;
        let is = |key: &str, text: &str| status.text(key).as_deref() == Some(text);
        let is_failure = is("kind", "Status")
            && status.text("apiVersion").is_none_or(|version| &*version == "v1")
            && is("status", "Failure");
        let code = status.int("code").and_then(|code| i32::try_from(code).ok());
        is_failure.then(|| (code.filter(|code| *code >= 400), status.text("reason")))
    }

    /// Returns the fields to which a JSON Patch copies or moves a value.
    pub(crate) fn copied(&self) -> Option<Vec<CopiedField<'a>>> {
        let copied = &self.read_request()?.copied;
        (!copied.is_empty()).then(|| copied.iter().map(CopiedField::of).collect())
    }

    /// Returns whether a JSON Patch does more than podtrail can follow.
    pub(super) fn copies_all(&self) -> bool {
        let request = self.read_request();
        request.is_some_and(|request| request.copied.iter().any(|copied| copied.field.is_empty()))
    }

    /// Returns whether a JSON Patch adds to or removes from a list at the top of the object, without showing the rest.
    pub(crate) fn amends(&self, list: &str) -> bool {
        self.read_request().is_some_and(|request| request.amended.iter().any(|name| name == list))
    }

    /// Returns the request as a body.
    fn request_body(&self) -> Option<Body<'_, 'a>> {
        let request = self.read_request()?;
        let source = if self.is_patch { "patch" } else { "request" };
        Some(Body { json: &request.json, source, whole: request.is_whole })
    }

    /// Returns the body that shows the object best: the response if `is_object` accepts it, else the request.
    pub(crate) fn best(&self, is_object: impl Fn(&Json<'a>) -> bool) -> Option<Body<'_, 'a>> {
        if let Some(json) = self.response().filter(|json| is_object(json)) {
            return Some(Body { json, source: "response", whole: true });
        }
        self.request_body().filter(|body| is_object(body.json))
    }

    /// Returns the body that shows an object of `kind` best; `payload` are the members that characterize it.
    ///
    /// A response may be another object: a `Status` after a failure, or a `PartialObjectMetadata` or `Table` if the
    /// client requested it.
    pub(crate) fn object(&self, kind: &str, payload: &[&str]) -> Option<Body<'_, 'a>> {
        let response = self.response().filter(|json| match json.text("kind") {
            Some(named) => &*named == kind,
            None => payload.iter().any(|key| json.get(key).is_some()),
        });
        if let Some(json) = response {
            return Some(Body { json, source: "response", whole: true });
        }
        let is_request = |json: &&Json<'a>| {
            matches!(json, Json::Object(_)) && json.text("kind").is_none_or(|named| &*named == kind)
        };
        self.request_body().filter(|body| is_request(&body.json))
    }

    /// Returns the patch, if the request is a patch and the log shows it.
    pub(crate) fn patch(&self) -> Option<&Json<'a>> {
        self.request().filter(|_| self.is_patch)
    }

    /// Returns whether the request is a patch that leaves all of these members unchanged.
    pub(crate) fn leaves_alone(&self, keys: &[&str]) -> bool {
        let leaves = |patch: &Json<'a>| keys.iter().all(|key| patch.member(key).is_none());
        self.patch().is_some_and(leaves) && !self.copies_all()
    }

    /// Returns what the client requested in place of the object: `Table`, `PartialObjectMetadata` or
    /// `PartialObjectMetadataList`.
    pub(crate) fn partial_answer(&self) -> Option<Text<'a>> {
        let response = self.response_value?;
        // Most responses are not parsed for this.
        let kinds = ["\"Table\"", "\"PartialObjectMetadata"];
        if !kinds.iter().any(|kind| response.json.contains(kind)) {
            return None;
        }
        let kind = response.read()?.text("kind")?;
        matches!(&*kind, "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList")
            .then_some(kind)
    }

    /// Returns whether the predicate holds for the text of a body.
    pub(super) fn any(&self, is_such: impl Fn(&str) -> bool) -> bool {
        [self.request_value, self.response_value]
            .into_iter()
            .flatten()
            .any(|body| is_such(body.json))
    }

    /// Returns the message of a response that is a `Status`.
    pub(crate) fn status_message(&self) -> Option<Text<'a>> {
        let status = self.response().filter(|json| json.text("kind").as_deref() == Some("Status"));
        status?.text("message")
    }
}

/// Returns the object in a `Table` of one row, if the client requested it (`includeObject`); other bodies unchanged.
fn row_of_table(json: Json<'_>) -> Json<'_> {
    let rows = json.list("rows");
    if json.text("kind").as_deref() != Some("Table") || rows.len() != 1 {
        return json;
    }
    let object = rows.first().and_then(|row| row.get("object")).cloned();
    object.filter(|object| object.text("kind").is_some()).unwrap_or(json)
}

/// Returns the value of a row's column `body_source`.
pub(crate) fn body_source<'a>(body: Option<&Body<'_, '_>>) -> Text<'a> {
    body.map_or("none", |body| body.source).into()
}
