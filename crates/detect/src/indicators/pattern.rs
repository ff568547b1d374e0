//! STIX patterns that are alternatives of single comparisons: `[a = 'x' OR b = 'y'] OR [c ISSUBSET 'z']`.
//!
//! Patterns with combined conditions (`AND`, `FOLLOWEDBY`, `NOT`, qualifiers such as `WITHIN`) are skipped: a part of
//! them would match more than the author meant.

use super::value::IndicatorKind;

/// One comparison of a pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    /// The kind of value that is compared; `None` if it is not supported, or not with this operator.
    pub(super) kind: Option<IndicatorKind>,
    /// The object path as written in the pattern.
    pub(super) path: String,
    /// The values; one of them must match.
    pub(super) values: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Sign(char),
    Word(String),
    Text(String),
}

/// Returns the comparisons of a pattern, of which one must match; `None` if it is not a pattern, or combines
/// conditions.
pub(super) fn read_pattern(pattern: &str) -> Option<Vec<Comparison>> {
    let tokens = tokens(pattern)?;
    let mut rest = tokens.iter().peekable();
    let mut comparisons = Vec::new();
    let mut depth = 0_usize;
    let mut is_inside = false;
    loop {
        // A comparison, or an opening bracket.
        match rest.next()? {
            Token::Sign('(') => {
                depth += 1;
                continue;
            }
            Token::Sign('[') if !is_inside => {
                is_inside = true;
                continue;
            }
            Token::Word(path) if is_inside => {
                let operator = match rest.next()? {
                    Token::Sign('=') => "=".to_owned(),
                    Token::Word(word) => word.to_ascii_uppercase(),
                    _ => return None,
                };
                let values = values(&operator, &mut rest)?;
                comparisons.push(comparison(path, &operator, values));
            }
            _ => return None,
        }
        // Closing brackets, up to the next alternative.
        loop {
            match rest.next() {
                Some(Token::Sign(')')) => depth = depth.checked_sub(1)?,
                Some(Token::Sign(']')) if is_inside => is_inside = false,
                Some(Token::Word(word)) if word.eq_ignore_ascii_case("OR") => break,
                None if !is_inside && depth == 0 => return Some(comparisons),
                _ => return None,
            }
        }
    }
}

fn values<'t>(operator: &str, rest: &mut impl Iterator<Item = &'t Token>) -> Option<Vec<String>> {
    let text = |token: Option<&Token>| match token? {
        Token::Text(text) => Some(text.clone()),
        // A number or a time, which no supported kind uses.
        Token::Word(word) => Some(word.clone()),
        Token::Sign(_) => None,
    };
    match operator {
        "=" | "LIKE" | "MATCHES" | "ISSUBSET" | "ISSUPERSET" => Some(vec![text(rest.next())?]),
        "IN" => {
            let mut values = Vec::new();
            if rest.next()? != &Token::Sign('(') {
                return None;
            }
            loop {
                values.push(text(rest.next())?);
                match rest.next()? {
                    Token::Sign(',') => {}
                    Token::Sign(')') => return Some(values),
                    _ => return None,
                }
            }
        }
        _ => None,
    }
}

fn comparison(path: &str, operator: &str, mut values: Vec<String>) -> Comparison {
    // A literal star would be taken for a wildcard.
    let has_star = values.iter().any(|value| value.contains('*'));
    let kind = kind_of(path).filter(|kind| match (operator, kind) {
        (_, IndicatorKind::UserAgent) if has_star => false,
        ("=" | "IN", _) | ("ISSUBSET", IndicatorKind::Address) => true,
        // `_` matches any single character; in practice lists mean the literal character.
        ("LIKE", IndicatorKind::UserAgent) => {
            for value in &mut values {
                *value = value.replace('%', "*");
            }
            true
        }
        _ => false,
    });
    Comparison { kind, path: path.to_owned(), values }
}

fn kind_of(path: &str) -> Option<IndicatorKind> {
    let path: String = path.to_ascii_lowercase().chars().filter(|c| !"'\"".contains(*c)).collect();
    let (object, property) = path.split_once(':')?;
    let last = property.rsplit('.').next().unwrap_or(property);
    Some(match (object, property) {
        ("ipv4-addr" | "ipv6-addr", "value")
        | ("network-traffic", "src_ref.value" | "dst_ref.value") => IndicatorKind::Address,
        ("user-account", "account_login" | "user_id") => IndicatorKind::User,
        ("file", "hashes.sha-256") => IndicatorKind::Digest,
        ("network-traffic", _) if last == "user-agent" => IndicatorKind::UserAgent,
        _ if object.starts_with("x-") => match last {
            "digest" | "image_digest" | "sha-256" => IndicatorKind::Digest,
            "image" | "image_ref" | "reference" | "repository" => IndicatorKind::Image,
            "name" | "value" if object.contains("image") => IndicatorKind::Image,
            "user-agent" | "user_agent" => IndicatorKind::UserAgent,
            "username" | "user_name" => IndicatorKind::User,
            _ => return None,
        },
        _ => return None,
    })
}

fn tokens(pattern: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(&next) = rest.peek() {
        if next.is_whitespace() {
            rest.next();
        } else if next == '\'' {
            rest.next();
            tokens.push(Token::Text(quoted(&mut rest)?));
        } else if "[](),=".contains(next) {
            rest.next();
            tokens.push(Token::Sign(next));
        } else {
            let mut word = String::new();
            while let Some(&next) = rest.peek() {
                if next == '\'' {
                    // A part of a path, as in hashes.'SHA-256'.
                    rest.next();
                    word.push_str(&quoted(&mut rest)?);
                } else if next == '[' && word.contains(':') {
                    // An index, as in values[0].
                    while rest.next()? != ']' {}
                } else if next.is_whitespace() || "[](),=".contains(next) {
                    break;
                } else {
                    word.push(next);
                    rest.next();
                }
            }
            tokens.push(Token::Word(word));
        }
    }
    Some(tokens)
}

/// Returns the text up to the closing quote; a backslash escapes quotes and itself.
fn quoted(rest: &mut impl Iterator<Item = char>) -> Option<String> {
    let mut text = String::new();
    loop {
        match rest.next()? {
            '\'' => return Some(text),
            '\\' => text.push(rest.next()?),
            other => text.push(other),
        }
    }
}
