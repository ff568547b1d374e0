//! Patterns of names.

use datafusion::logical_expr::{DocSection, Documentation};
use datafusion::prelude::Expr;

use super::strings::{Body, StringFunction};
use crate::scope::matches;

const SECTION: DocSection =
    DocSection { include: true, label: "Name Functions", description: None };

pub(super) fn glob() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Returns whether a name matches a pattern, in which `*` matches any characters, as in the scope.",
        "glob(name, pattern)",
    )
    .with_argument("name", "any text")
    .with_argument("pattern", "a pattern such as `kube-*`")
    .with_sql_example("glob('kube-system', 'kube-*')")
    .build();
    let body = Body::Boolean(|arguments| {
        let [name, pattern] = arguments else { return Ok(None) };
        Ok(Some(is_match(name, pattern)))
    });
    StringFunction::new("glob", body, documentation).with_simplify(|arguments| match arguments {
        // Expressions of the engine allow it to prune files.
        [name, Expr::Literal(pattern, _)] => {
            Some(matches(name.clone(), pattern.try_as_str().flatten()?))
        }
        _ => None,
    })
}

fn is_match(name: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return name == pattern };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some((_, after)) = name.split_once(part) else { return false };
        name = after;
    }
    name.ends_with(last)
}
