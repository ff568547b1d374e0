//! What the SQL of a pack reads, by its text.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::logical_expr::sqlparser::ast::{
    BinaryOperator, Expr, Ident, Select, Value, Visit, Visitor, visit_relations,
};
use datafusion::logical_expr::sqlparser::dialect::PostgreSqlDialect;
use datafusion::logical_expr::sqlparser::parser::Parser;
use datafusion::logical_expr::sqlparser::tokenizer::{Token, Tokenizer};

/// What is only ever created: nothing of that is stored, so no update or patch makes it.
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

/// Views of what is only ever created.
const VIEWS_NEVER_PATCHED: &[&str] = &["execs", "token_requests"];

/// Why a query misses what a server-side apply makes; `None` where it does not.
pub(crate) fn misses_applied(sql: &str) -> Option<String> {
    // What is no SQL is reported when it is planned.
    let statements = Parser::parse_sql(&PostgreSqlDialect {}, sql).ok()?;
    let mut all = Comparisons::default();
    let _ = statements.visit(&mut all);
    let mut allowed = Allowed::default();
    let _ = statements.visit(&mut allowed);
    (all.creates > allowed.0).then(|| {
        "verb = 'create' misses what a server-side apply makes, a patch that is answered 201: compare the column 'created'"
            .to_owned()
    })
}

/// The names and texts in a query.
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
    /// Those of the verb with `create`, not with `patch`.
    creates: usize,
    /// Whether one names what is never patched.
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

/// How many comparisons with `create` alone stand where nothing else makes what is looked for.
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

/// The column that an expression is.
fn name(expression: &Expr) -> Option<&str> {
    let last = match expression {
        Expr::Identifier(Ident { value, .. }) => value,
        Expr::CompoundIdentifier(parts) => &parts.last()?.value,
        _ => return None,
    };
    Some(last)
}

/// The text that an expression is.
fn text(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}
