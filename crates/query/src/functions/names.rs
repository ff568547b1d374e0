//! Patterns of names.

use datafusion::logical_expr::{DocSection, Documentation};
use datafusion::prelude::Expr;

use super::strings::{Body, StringFunction};
use crate::glob::{glob_expr, glob_matches};

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
        Ok(Some(glob_matches(pattern, name)))
    });
    StringFunction::new("glob", body, documentation).with_simplify(|arguments| match arguments {
        // Expressions of the engine allow it to prune files.
        [name, Expr::Literal(pattern, _)] => {
            Some(glob_expr(name.clone(), pattern.try_as_str().flatten()?))
        }
        _ => None,
    })
}
