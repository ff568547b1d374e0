//! Expressions as messages show them.

use datafusion::logical_expr::Expr;

/// Returns an expression as written, for the title of a column.
pub(super) fn title(expr: &Expr) -> String {
    match expr {
        Expr::Column(column) | Expr::OuterReferenceColumn(_, column) => column.name.clone(),
        Expr::Alias(alias) => alias.name.clone(),
        Expr::Literal(value, _) => match value.try_as_str() {
            Some(Some(text)) => format!("'{text}'"),
            _ => value.to_string(),
        },
        Expr::Cast(cast) => title(&cast.expr),
        _ => expr.schema_name().to_string(),
    }
}
