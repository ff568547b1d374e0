//! Patterns of names, in which `*` matches any characters.

use datafusion::prelude::{Expr, lit};

/// Returns whether a pattern matches a whole name.
pub fn glob_matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    // The leftmost match of each fragment leaves the most text for the rest.
    for fragment in middle.split('*') {
        let Some((_, after)) = left.split_once(fragment) else { return false };
        left = after;
    }
    left.ends_with(last)
}

/// Returns the predicate that a pattern matches a column, in expressions of the engine, by which it skips files.
pub(crate) fn glob_expr(column: Expr, pattern: &str) -> Expr {
    if !pattern.contains('*') {
        return column.eq(lit(pattern));
    }
    // The wildcards of LIKE are escaped, so that `_` in a name matches only itself.
    let like = pattern.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    column.like(lit(like.replace('*', "%")))
}
