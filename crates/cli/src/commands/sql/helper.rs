//! Line editing: where a statement ends, and how a word can be completed.

use podtrail_detect::saved_queries;
use podtrail_query::{Session, is_complete};
use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use super::meta::COMMANDS;

const KEYWORDS: &[&str] = &[
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "COUNT",
    "CROSS",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "ELSE",
    "END",
    "EXISTS",
    "EXPLAIN",
    "FALSE",
    "FILTER",
    "FROM",
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER",
    "INTERVAL",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OVER",
    "PARTITION",
    "RESET",
    "SELECT",
    "SET",
    "SHOW",
    "TABLES",
    "THEN",
    "TIMESTAMP",
    "TRUE",
    "UNION",
    "UNNEST",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
];

const SCOPE: &[&str] = &[
    "scope",
    "scope.client_ip",
    "scope.cluster",
    "scope.from",
    "scope.identity",
    "scope.namespace",
    "scope.since",
    "scope.to",
];

pub(super) struct EditorHelper {
    /// Names of tables with the names of their columns.
    tables: Vec<(String, Vec<String>)>,
    functions: Vec<String>,
    table_functions: Vec<String>,
    saved: Vec<String>,
}

impl EditorHelper {
    pub(super) async fn of(session: &Session) -> Self {
        let mut tables = Vec::new();
        for table in session.tables() {
            let columns = session.columns(&table.name).await.unwrap_or_default();
            let columns: Vec<_> = columns.into_iter().map(|column| column.name).collect();
            tables.push((table.name, columns));
        }
        let call = |name: &str| format!("{name}(");
        let saved = saved_queries().unwrap_or_default();
        Self {
            tables,
            functions: session.functions().iter().map(|function| call(&function.name)).collect(),
            table_functions: session.table_functions().iter().map(|name| call(name)).collect(),
            saved: saved.into_iter().map(|query| query.name).collect(),
        }
    }

    /// Returns all completions for the last word of `line`, which begins at `start`.
    fn candidates(&self, line: &str, start: usize) -> Vec<&str> {
        let before = line[..start].trim_end();
        let mut words = before.split_whitespace();
        let first = words.next().unwrap_or_default();
        let tables = || self.tables.iter().map(|(name, _)| name.as_str());
        match first {
            "" if line.starts_with('\\') => {
                return COMMANDS.iter().map(|(name, _)| *name).collect();
            }
            "\\d" => return tables().collect(),
            "\\df" => {
                return self.functions.iter().map(|name| name.trim_end_matches('(')).collect();
            }
            "\\saved" => return self.saved.iter().map(String::as_str).collect(),
            _ => {}
        }
        let last = words.last().unwrap_or(first).to_ascii_uppercase();
        if ["SET", "RESET"].contains(&first.to_ascii_uppercase().as_str()) {
            return SCOPE.to_vec();
        }
        if ["FROM", "JOIN", "DESCRIBE"].contains(&last.as_str()) {
            return tables().chain(self.table_functions.iter().map(String::as_str)).collect();
        }
        // The columns of the tables that the statement names, or of all tables if it names none yet.
        let is_named = |name: &str| {
            line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
        };
        let named: Vec<_> = self.tables.iter().filter(|(name, _)| is_named(name)).collect();
        let from: Vec<_> = if named.is_empty() { self.tables.iter().collect() } else { named };
        let columns = from.into_iter().flat_map(|(_, columns)| columns.iter().map(String::as_str));
        if line[..start].ends_with('.') {
            return columns.collect();
        }
        columns
            .chain(self.functions.iter().map(String::as_str))
            .chain(tables())
            .chain(KEYWORDS.iter().copied())
            .collect()
    }
}

impl Completer for EditorHelper {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let line = &line[..position];
        let is_word = |c: char| c.is_alphanumeric() || "_\\?".contains(c);
        let is_set = ["set ", "reset "].iter().any(|set| {
            line.trim_start().get(..set.len()).is_some_and(|start| start.eq_ignore_ascii_case(set))
        });
        // The name of a saved query contains hyphens, a scope variable a dot.
        let is_word = |c: char| {
            is_word(c) || (is_set && c == '.') || (line.starts_with("\\saved") && c == '-')
        };
        let start = line
            .rfind(|c| !is_word(c))
            .map_or(0, |at| at + line[at..].chars().next().map_or(1, char::len_utf8));
        let word = line[start..].to_lowercase();
        let candidates = self.candidates(line, start).into_iter();
        let candidates = candidates.filter(|name| name.to_lowercase().starts_with(&word));
        let mut candidates: Vec<_> = candidates.map(str::to_owned).collect();
        candidates.sort();
        candidates.dedup();
        Ok((start, candidates))
    }
}

impl Validator for EditorHelper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let is_done = text.trim_start().starts_with('\\') || is_complete(text);
        Ok(if is_done { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Hinter for EditorHelper {
    type Hint = String;
}

impl Highlighter for EditorHelper {}

impl Helper for EditorHelper {}
