//! Command lines, interpreted as a shell interprets them.

use datafusion::logical_expr::{DocSection, Documentation};
use podtrail_event::{as_run as run, without_port_checks as without};

use super::strings::{Body, StringFunction};

const SECTION: DocSection =
    DocSection { include: true, label: "Command Functions", description: None };

pub(super) fn as_run() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Returns a command line as a shell would run it, with expansions applied: quotes, backslashes, `$IFS`, empty \
         parameters, braces, and variables that the line itself sets.",
        "as_run(text)",
    )
    .with_argument("text", "a command line")
    .with_sql_example("as_run('c''''at${IFS}/etc/pass\"wd\"') = 'cat /etc/passwd'")
    .build();
    let body = Body::Text(|arguments| {
        let [text] = arguments else { return Ok(None) };
        Ok(Some(run(text)))
    });
    StringFunction::new("as_run", body, documentation)
}

pub(super) fn without_port_checks() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Returns a command line without commands that only check whether a port is open, such as `(echo > /dev/tcp/db/5432)`, \
         and without sockets of the pod itself.",
        "without_port_checks(text)",
    )
    .with_argument("text", "a command line")
    .with_sql_example("without_port_checks('sh -c </dev/tcp/db/5432') = ' '")
    .build();
    let body = Body::Text(|arguments| {
        let [text] = arguments else { return Ok(None) };
        Ok(Some(without(text)))
    });
    StringFunction::new("without_port_checks", body, documentation)
}
