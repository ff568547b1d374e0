//! Request URIs, parsed as the API server and the kubelet parse them.

use std::borrow::Cow;

use datafusion::logical_expr::{DocSection, Documentation};
use podtrail_event::{
    dry_run_fault as fault, proxied_path as proxied, query_value as value, request_path as path,
    required_value as required,
};

use super::strings::{Body, StringFunction};

const SECTION: DocSection =
    DocSection { include: true, label: "Request Functions", description: None };

pub(super) fn query_value() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Returns the first value of a query parameter as the API server parses it: unescaped once, pairs with `;` or an invalid escape \
         dropped. Null if the parameter is missing.",
        "query_value(request_uri, name)",
    )
    .with_argument("request_uri", "the URI of a request")
    .with_argument("name", "the name of the parameter")
    .with_sql_example("query_value('/api/v1/secrets?labelSelector=owner%3Dhelm', 'labelSelector') = 'owner=helm'")
    .build();
    let body = Body::Text(|arguments| {
        let [uri, name] = arguments else { return Ok(None) };
        Ok(value(uri, name).map(Cow::into_owned))
    });
    StringFunction::new("query_value", body, documentation)
}

pub(super) fn required_value() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Returns the value that a label or field selector requires for a key (`=`, `==`, `in` with one value). Null if it \
         also selects other values, as with `!=`.",
        "required_value(selector, key)",
    )
    .with_argument("selector", "a label or field selector")
    .with_argument("key", "a label or field")
    .with_sql_example("required_value('name=web,owner=helm', 'owner') = 'helm'")
    .build();
    let body = Body::Text(|arguments| {
        let [selector, key] = arguments else { return Ok(None) };
        Ok(required(selector, key).map(Cow::into_owned))
    });
    StringFunction::new("required_value", body, documentation)
}

pub(super) fn request_path() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Returns the path of a request, unescaped once and without `//`, `.` and `..`. Null if an escape is invalid.",
        "request_path(request_uri)",
    )
    .with_argument("request_uri", "the URI of a request")
    .with_sql_example("request_path('/api//v1/x/../%70ods?limit=1') = '/api/v1/pods'")
    .build();
    let body = Body::Text(|arguments| {
        let [uri] = arguments else { return Ok(None) };
        Ok(path(uri))
    });
    StringFunction::new("request_path", body, documentation)
}

pub(super) fn proxied_path() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Returns the path that a request through the API server's proxy sends to a kubelet, pod or service, unescaped once and \
         without `//`, `.` and `..`. Null for other requests.",
        "proxied_path(request_uri)",
    )
    .with_argument("request_uri", "the URI of a request")
    .with_sql_example("proxied_path('/api/v1/nodes/worker-1/proxy/x/../%72un/web/app/c?cmd=id') = '/run/web/app/c'")
    .build();
    let body = Body::Text(|arguments| {
        let [uri] = arguments else { return Ok(None) };
        Ok(proxied(uri))
    });
    StringFunction::new("proxied_path", body, documentation)
}

pub(super) fn dry_run_fault() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Returns why the API server does not accept the `dryRun` of a request as a dry run: malformed, misspelled or not `All`. \
         Null if it is valid or missing.",
        "dry_run_fault(request_uri)",
    )
    .with_argument("request_uri", "the URI of a request")
    .with_sql_example("dry_run_fault('/api/v1/pods?dryRun=all') = 'dryRun is ''all'''")
    .build();
    let body = Body::Text(|arguments| {
        let [uri] = arguments else { return Ok(None) };
        Ok(fault(uri))
    });
    StringFunction::new("dry_run_fault", body, documentation)
}
