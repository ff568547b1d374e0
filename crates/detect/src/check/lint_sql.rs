//! Checks of the SQL of a pack that work on its text.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::logical_expr::sqlparser::ast::{
    BinaryOperator, Expr, Ident, Select, Value, Visit, Visitor, visit_relations,
};
use datafusion::logical_expr::sqlparser::dialect::PostgreSqlDialect;
use datafusion::logical_expr::sqlparser::parser::Parser;
use datafusion::logical_expr::sqlparser::tokenizer::{Token, Tokenizer};

/// Resources that are only ever created: they are not stored, so no update or patch creates them.
const NEVER_PATCHED: &[&str] = &[
    "bindings",
    "localsubjectaccessreviews",
    "selfsubjectaccessreviews",
    "selfsubjectreviews",
    "selfsubjectrulesreviews",
    "subjectaccessreviews",
    "tokenreviews",
    "localresourceaccessreviews",
    "resourceaccessreviews",
    "projectrequests",
    "imagestreamimports",
    "imagestreammappings",
];

/// Views of resources that are only ever created.
const VIEWS_NEVER_PATCHED: &[&str] = &["execs", "token_requests"];

/// Returns why a query misses server-side applies, or `None` if it does not.
pub(crate) fn misses_applied(sql: &str) -> Option<String> {
    // Invalid SQL is reported when it is planned.
    let statements = Parser::parse_sql(&PostgreSqlDialect {}, sql).ok()?;
    let mut all = Comparisons::default();
    let _ = statements.visit(&mut all);
    let mut allowed = Allowed::default();
    let _ = statements.visit(&mut allowed);
    (all.creates > allowed.0).then(|| {
        "verb = 'create' misses objects created by server-side apply (patch with status 201); compare the column 'created'"
            .to_owned()
    })
}

/// Returns the names and strings in a query.
pub(crate) fn words(sql: &str) -> BTreeSet<String> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize().unwrap_or_default();
    let word = |token| match token {
        Token::Word(word) => Some(word.value),
        Token::SingleQuotedString(text) => Some(text),
        _ => None,
    };
    tokens.into_iter().filter_map(word).collect()
}

/// The comparisons in a part of a query.
#[derive(Default)]
struct Comparisons {
    /// The number of comparisons of the verb with `create`, but not with `patch`.
    creates: usize,
    /// Whether one names a resource that is never patched.
    of_reviews: bool,
}

impl Visitor for Comparisons {
    type Break = ();

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        let (column, values) = match expression {
            Expr::BinaryOp { left, op: BinaryOperator::Eq | BinaryOperator::NotEq, right } => {
                let values = text(right).or_else(|| text(left)).into_iter().collect();
                (name(left).or_else(|| name(right)), values)
            }
            Expr::InList { expr, list, .. } => {
                (name(expr), list.iter().filter_map(text).collect::<Vec<_>>())
            }
            _ => return ControlFlow::Continue(()),
        };
        match column {
            Some("verb") if values.contains(&"create") && !values.contains(&"patch") => {
                self.creates += 1;
            }
            Some("subresource") if !values.is_empty() => self.of_reviews = true,
            Some("resource") if !values.is_empty() => {
                self.of_reviews |= values.iter().all(|value| NEVER_PATCHED.contains(value));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The number of comparisons with `create` alone that are correct, because nothing else creates the resource.
#[derive(Default)]
struct Allowed(usize);

impl Visitor for Allowed {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let mut found = Comparisons::default();
        let _ = select.selection.visit(&mut found);
        let mut sources = 0;
        let mut never_patched = 0;
        let _ = visit_relations(&select.from, |relation| {
            sources += 1;
            let relation = relation.to_string();
            let relation = relation.strip_suffix("_history").unwrap_or(&relation);
            never_patched += usize::from(VIEWS_NEVER_PATCHED.contains(&relation));
            ControlFlow::<()>::Continue(())
        });
        if found.of_reviews || (sources > 0 && sources == never_patched) {
            self.0 += found.creates;
        }
        ControlFlow::Continue(())
    }
}

/// Returns the column name of an expression, if it is a column.
fn name(expression: &Expr) -> Option<&str> {
    let last = match expression {
        Expr::Identifier(Ident { value, .. }) => value,
        Expr::CompoundIdentifier(parts) => &parts.last()?.value,
        _ => return None,
    };
    Some(last)
}

/// Returns the string of an expression, if it is a string literal.
fn text(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}
