//! Detects whether a write changes the spec of an object.

use datafusion::logical_expr::{DocSection, Documentation};
use podtrail_event::writes_spec as write_of_spec;

use super::strings::{Body, StringFunction};

const SECTION: DocSection =
    DocSection { include: true, label: "Workload Functions", description: None };

pub(super) fn writes_spec() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Returns whether a create, update or patch writes the spec of an object, apart from the number of replicas. True if \
         the bodies do not show it.",
        "writes_spec(verb, request_object, response_object)",
    )
    .with_argument("verb", "the verb of the request")
    .with_argument("request_object", "the request body, empty if it is not visible")
    .with_argument("response_object", "the response body, empty if it is not visible")
    .with_sql_example("writes_spec('patch', '{\"metadata\": {}}', '') = false")
    .build();
    let body = Body::Boolean(|arguments| {
        let [verb, request, response] = arguments else { return Ok(None) };
        let visible = |body: &&str| !body.is_empty();
        let (request, response) = (Some(*request).filter(visible), Some(*response).filter(visible));
        Ok(Some(write_of_spec(verb, request, response)))
    });
    StringFunction::new("writes_spec", body, documentation)
}
