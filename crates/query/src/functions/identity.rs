//! Functions of user names and user agents.

use datafusion::logical_expr::{DocSection, Documentation};
use podtrail_event::IdentityKind;
use podtrail_event::user_agent::UserAgent;

use super::strings::{Body, StringFunction};

const SECTION: DocSection =
    DocSection { include: true, label: "Identity Functions", description: None };

pub(super) fn is_controller() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Returns whether a user name belongs to a controller of the control plane, judged by name and namespace.",
        "is_controller(username)",
    )
    .with_argument("username", "a user name")
    .with_sql_example("is_controller('system:serviceaccount:kube-system:job-controller')")
    .build();
    let body = Body::Boolean(|arguments| {
        let [username] = arguments else { return Ok(None) };
        Ok(Some(IdentityKind::of_name(username) == IdentityKind::Controller))
    });
    StringFunction::new("is_controller", body, documentation)
}

pub(super) fn identity_kind() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Returns the kind of a user by its name alone; the column `identity_kind` also considers groups and credentials.",
        "identity_kind(username)",
    )
    .with_argument("username", "a user name")
    .with_sql_example("identity_kind('alice@example.com') = 'human'")
    .build();
    let body = Body::Text(|arguments| {
        let [username] = arguments else { return Ok(None) };
        Ok(Some(IdentityKind::of_name(username).as_str().to_owned()))
    });
    StringFunction::new("identity_kind", body, documentation)
}

pub(super) fn makes() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Returns whether a controller of the control plane routinely writes such an object for an owner of this kind.",
        "controller_makes(username, verb, resource, owner_kind)",
    )
    .with_argument("username", "a user name")
    .with_argument("verb", "the verb of the request")
    .with_argument("resource", "the written resource")
    .with_argument("owner_kind", "the kind of the owner")
    .with_sql_example(
        "controller_makes('system:serviceaccount:kube-system:job-controller', 'create', 'pods', 'Job')",
    )
    .build();
    let body = Body::Boolean(|arguments| {
        let [username, verb, resource, owner_kind] = arguments else { return Ok(None) };
        Ok(Some(podtrail_event::identity::makes(username, verb, resource, owner_kind)))
    });
    StringFunction::new("controller_makes", body, documentation)
}

pub(super) fn user_agent_tool() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Returns the first program in a user agent, such as `kubectl`. The client chooses it.",
        "user_agent_tool(user_agent)",
    )
    .with_argument("user_agent", "a user agent")
    .with_sql_example(
        "user_agent_tool('kubectl/v1.29.1 (linux/amd64) kubernetes/bc401b9') = 'kubectl'",
    )
    .build();
    let body = Body::Text(|arguments| {
        let [user_agent] = arguments else { return Ok(None) };
        Ok(UserAgent::of(user_agent).tool.map(str::to_owned))
    });
    StringFunction::new("user_agent_tool", body, documentation)
}

pub(super) fn user_agent_version() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Returns the version of the first program in a user agent, such as `v1.29.1`.",
        "user_agent_version(user_agent)",
    )
    .with_argument("user_agent", "a user agent")
    .with_sql_example("user_agent_version('kubectl/v1.29.1 (linux/amd64)') = 'v1.29.1'")
    .build();
    let body = Body::Text(|arguments| {
        let [user_agent] = arguments else { return Ok(None) };
        Ok(UserAgent::of(user_agent).version.map(str::to_owned))
    });
    StringFunction::new("user_agent_version", body, documentation)
}
