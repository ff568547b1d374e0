//! What user names and user agents say.

use datafusion::logical_expr::{DocSection, Documentation};
use podtrail_event::IdentityKind;

use super::strings::{Body, StringFunction};

const SECTION: DocSection =
    DocSection { include: true, label: "Identity Functions", description: None };

pub(super) fn is_controller() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Whether a user name is that of a controller of the control plane, by its name and its namespace.",
        "is_controller(username)",
    )
    .with_argument("username", "a user name")
    .with_sql_example("is_controller('system:serviceaccount:kube-system:job-controller')")
    .build();
    let body = Body::Boolean(|arguments| {
        let [username] = arguments else { return Ok(None) };
        Ok(Some(IdentityKind::of(Some(username)) == IdentityKind::Controller))
    });
    StringFunction::new("is_controller", body, documentation)
}

pub(super) fn user_agent_tool() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "The program that a user agent names first, such as `kubectl`. The client chooses it.",
        "user_agent_tool(user_agent)",
    )
    .with_argument("user_agent", "a user agent")
    .with_sql_example(
        "user_agent_tool('kubectl/v1.29.1 (linux/amd64) kubernetes/bc401b9') = 'kubectl'",
    )
    .build();
    let body = Body::Text(|arguments| {
        let [user_agent] = arguments else { return Ok(None) };
        Ok(product(user_agent).0.map(str::to_owned))
    });
    StringFunction::new("user_agent_tool", body, documentation)
}

pub(super) fn user_agent_version() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "The version of the program that a user agent names first, such as `v1.29.1`.",
        "user_agent_version(user_agent)",
    )
    .with_argument("user_agent", "a user agent")
    .with_sql_example("user_agent_version('kubectl/v1.29.1 (linux/amd64)') = 'v1.29.1'")
    .build();
    let body = Body::Text(|arguments| {
        let [user_agent] = arguments else { return Ok(None) };
        Ok(product(user_agent).1.map(str::to_owned))
    });
    StringFunction::new("user_agent_version", body, documentation)
}

/// The first product of a user agent (RFC 9110): its name, and its version if it has one.
fn product(user_agent: &str) -> (Option<&str>, Option<&str>) {
    let Some(product) = user_agent.split_whitespace().next() else { return (None, None) };
    let (name, version) = match product.split_once('/') {
        Some((name, version)) => (name, Some(version)),
        None => (product, None),
    };
    let filled = |part: &&str| !part.is_empty();
    (Some(name).filter(filled), version.filter(filled))
}
