//! Size limits of statements. The engine walks expressions and plans recursively, and copies them, so the nesting,
//! chaining and repetition in a statement are limited before it is parsed or planned.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::logical_expr::sqlparser::ast::{Query, Visit, Visitor, visit_relations};
use datafusion::logical_expr::sqlparser::dialect::PostgreSqlDialect;
use datafusion::logical_expr::sqlparser::keywords::Keyword;
use datafusion::logical_expr::sqlparser::tokenizer::{Location, Token, Tokenizer};
use datafusion::sql::parser::{DFParserBuilder, Statement};

use crate::error::QueryError;

/// The maximum length of a statement, or of a sequence of statements, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// The maximum number of tokens (names, values and signs): enough for an IN list of seventy thousand values.
const MAX_TOKENS: usize = 150_000;

/// The maximum number of operators and SQL keywords in a statement: each may be one level of an expression or plan.
const MAX_STEPS: usize = 4_000;

/// The maximum depth of brackets.
const MAX_NESTED: usize = 100;

/// The maximum number of table reads if each name of WITH is replaced by its query: forty names that each use the
/// previous one twice would be a plan with a trillion nodes.
const MAX_COPIES: u64 = 1_000;

/// Parses the statements of a text, and rejects those that are too large.
pub(super) fn parse(sql: &str) -> Result<Vec<Statement>, QueryError> {
    let sql = check_text(sql)?;
    let parser = DFParserBuilder::new(sql.as_ref()).with_dialect(&PostgreSqlDialect {}).build();
    let statements = parser.and_then(|mut parser| parser.parse_statements());
    let statements = statements.map_err(QueryError::of)?;
    statements.iter().try_for_each(check_copies)?;
    Ok(Vec::from(statements))
}

fn too_large(why: String) -> QueryError {
    QueryError::TooLarge(why)
}

/// Returns the text if it is not too large, with a space before each sign of a number that the tokenizer takes for
/// the end of an operator, as in `->-1`.
fn check_text(sql: &str) -> Result<Cow<'_, str>, QueryError> {
    if sql.len() > MAX_BYTES {
        let length = sql.len();
        return Err(too_large(format!("{length} bytes; the maximum is {MAX_BYTES}")));
    }
    // The parser reports text that cannot be split into tokens.
    let mut tokens = Vec::new();
    let mut tokenizer = Tokenizer::new(&PostgreSqlDialect {}, sql);
    if tokenizer.tokenize_with_location_into_buf(&mut tokens).is_err() {
        return Ok(Cow::Borrowed(sql));
    }
    let mut signs = Vec::new();
    let (mut all, mut steps, mut nested) = (0_usize, 0_usize, 0_usize);
    for token in &tokens {
        match &token.token {
            Token::CustomBinaryOperator(operator) => {
                steps += 1;
                if let Some(length) = operator_length(operator) {
                    let Location { line, column } = token.span.start;
                    signs.push(Location { line, column: column + length });
                }
            }
            Token::Whitespace(_) => continue,
            Token::SemiColon => (steps, nested) = (0, 0),
            Token::LParen => nested += 1,
            Token::RParen => nested = nested.saturating_sub(1),
            Token::Word(word) if word.keyword == Keyword::NoKeyword => {}
            Token::Comma
            | Token::Period
            | Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::NationalStringLiteral(_)
            | Token::EscapedStringLiteral(_)
            | Token::Placeholder(_) => {}
            _ => steps += 1,
        }
        all += 1;
        if nested > MAX_NESTED {
            return Err(too_large(format!("brackets are nested deeper than {MAX_NESTED}")));
        }
        if steps > MAX_STEPS {
            let why =
                "operators and words of SQL, a list such as IN (…) takes any number of values";
            return Err(too_large(format!("more than {MAX_STEPS} {why}")));
        }
    }
    if all > MAX_TOKENS {
        return Err(too_large(format!("{all} words and signs; the maximum is {MAX_TOKENS}")));
    }
    Ok(spaced(sql, &signs))
}

/// Returns the length of an operator without the signs at its end that PostgreSQL takes for signs of the operand: an
/// operator ends with a sign only if it contains one of certain characters.
fn operator_length(operator: &str) -> Option<u64> {
    let bare = operator.trim_end_matches(['+', '-']);
    let is_operator = operator.contains(['~', '!', '@', '#', '%', '^', '&', '|', '`', '?']);
    (!is_operator && !bare.is_empty() && bare.len() < operator.len()).then_some(bare.len() as u64)
}

/// Inserts spaces into a text at these positions, which are in order.
fn spaced<'a>(sql: &'a str, places: &[Location]) -> Cow<'a, str> {
    if places.is_empty() {
        return Cow::Borrowed(sql);
    }
    let mut places = places.iter().peekable();
    let mut spaced = String::with_capacity(sql.len() + places.len());
    let (mut line, mut column) = (1, 1);
    for character in sql.chars() {
        if places.next_if(|place| place.line == line && place.column == column).is_some() {
            spaced.push(' ');
        }
        spaced.push(character);
        if character == '\n' {
            (line, column) = (line + 1, 1);
        } else {
            column += 1;
        }
    }
    Cow::Owned(spaced)
}

/// Visits every query with a WITH clause.
struct Copies;

impl Visitor for Copies {
    type Break = u64;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<u64> {
        match copies(query, &HashMap::new()) {
            copies if copies > MAX_COPIES => ControlFlow::Break(copies),
            _ => ControlFlow::Continue(()),
        }
    }
}

fn check_copies(statement: &Statement) -> Result<(), QueryError> {
    let mut statement = statement;
    while let Statement::Explain(explain) = statement {
        statement = &explain.statement;
    }
    let Statement::Statement(statement) = statement else { return Ok(()) };
    match statement.visit(&mut Copies) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(_) => Err(too_large(format!(
            "the queries of WITH, each inserted where it is named, read more than {MAX_COPIES} tables"
        ))),
    }
}

/// Returns the number of tables that a query reads if the names of WITH are replaced by their queries.
fn copies(query: &Query, known: &HashMap<String, u64>) -> u64 {
    let mut known = known.clone();
    for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
        let copies = copies(&cte.query, &known);
        known.insert(cte.alias.name.value.to_lowercase(), copies);
    }
    let mut all = 0_u64;
    let _ = visit_relations(&*query.body, |name| {
        let copies = known.get(&name.to_string().to_lowercase()).copied().unwrap_or(1);
        all = all.saturating_add(copies);
        ControlFlow::<()>::Continue(())
    });
    // A query that reads no table is also a part of the plan.
    all.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(sql: &str, why: &str) {
        let error = parse(sql).unwrap_err();
        assert!(matches!(error, QueryError::TooLarge(_)), "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }

    #[test]
    fn oversized_statements_are_rejected_before_planning() {
        refused(&format!("SELECT 1{}", " + 1".repeat(20_000)), "operators");
        refused(&format!("SELECT {}1", "- ".repeat(20_000)), "operators");
        refused(&format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(3_000)), "operators");
        refused(&format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000)), "brackets");
        refused(&format!("SELECT '{}'", "x".repeat(2 << 20)), "bytes");
        refused(&format!("SELECT 1 IN ({}1)", "1,".repeat(100_000)), "words and signs");
        let doubling = (1..40)
            .map(|n| format!(", t{n} AS (SELECT * FROM t{0} UNION ALL SELECT * FROM t{0})", n - 1));
        let doubling =
            format!("WITH t0 AS (SELECT 1){} SELECT * FROM t39", doubling.collect::<String>());
        refused(&doubling, "WITH");
        refused(&format!("SELECT * FROM ({doubling})"), "WITH");
    }

    #[test]
    fn ordinary_statements_are_accepted() {
        parse(&format!("SELECT 1 IN ({}1)", "1,".repeat(50_000))).unwrap();
        parse(&format!("SELECT 1 WHERE {}true", "a = 1 OR ".repeat(500))).unwrap();
        let chain = (1..40).map(|n| format!(", t{n} AS (SELECT * FROM t{})", n - 1));
        parse(&format!("WITH t0 AS (SELECT 1){} SELECT * FROM t39", chain.collect::<String>()))
            .unwrap();
    }
}
