//! Detection of policy expressions that do not depend on the request.

/// Returns whether a CEL expression or a Rego program has the same result for every object: it is a constant, refers to
/// nothing in the request, or one side of an `||` or `&&` decides it.
///
/// Whether an expression that does depend on the object can ever fail is not checked.
pub(crate) fn is_constant(expression: &str) -> bool {
    let bare = without_texts(expression);
    if bare.contains("violation") || bare.contains("deny") {
        // Rego: a rule whose body is false never holds.
        return bare.replace(char::is_whitespace, "").contains("{false}");
    }
    if bare.contains("package ") {
        // Rego that never finds a violation.
        return true;
    }
    let words = words(&bare);
    let looks = words.iter().any(|word| {
        matches!(
            *word,
            "object"
                | "oldObject"
                | "request"
                | "params"
                | "namespaceObject"
                | "authorizer"
                | "variables"
                | "images"
                | "attestors"
                | "attestations"
                | "resource"
                | "http"
                | "globalContext"
                | "exceptions"
                | "user"
        )
    });
    !looks || parts(&bare).iter().any(|part| matches!(part.as_str(), "true" | "1==1" | "!false"))
}

/// Returns the expression without the content of its string literals.
fn without_texts(expression: &str) -> String {
    let mut bare = String::with_capacity(expression.len());
    let mut quote = None;
    let mut escaped = false;
    for character in expression.chars() {
        match quote {
            Some(open) => {
                if escaped {
                    escaped = false;
                } else if character == '\\' {
                    escaped = true;
                } else if character == open {
                    quote = None;
                    bare.push('\'');
                }
            }
            None if matches!(character, '\'' | '"') => {
                quote = Some(character);
                bare.push('\'');
            }
            None => bare.push(character),
        }
    }
    bare
}

fn words(bare: &str) -> Vec<&str> {
    bare.split(|character: char| !(character.is_alphanumeric() || character == '_'))
        .filter(|word| !word.is_empty())
        .collect()
}

/// Returns the operands of the outermost `||`, without surrounding spaces and parentheses.
fn parts(bare: &str) -> Vec<String> {
    let mut compact: String = bare.chars().filter(|character| !character.is_whitespace()).collect();
    while compact.starts_with('(') && compact.ends_with(')') && encloses(&compact) {
        compact = compact[1..compact.len() - 1].to_owned();
    }
    let mut parts = vec![String::new()];
    let mut depth = 0_i64;
    let mut characters = compact.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '|' if depth == 0 && characters.peek() == Some(&'|') => {
                characters.next();
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    parts.into_iter().map(|part| part.trim_matches(['(', ')']).to_owned()).collect()
}

/// Returns whether the last parenthesis closes the first one.
fn encloses(compact: &str) -> bool {
    let mut depth = 0_i64;
    for (at, character) in compact.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1 == compact.len();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_that_never_fail_are_constant() {
        for expression in [
            "true",
            " ( true ) ",
            "1 == 1",
            "!false",
            "'object' == 'object'",
            "object.spec.replicas <= 5 || true",
            "(true || object.spec.replicas <= 5)",
            "size('request') > 0",
            "package k8s\nx { true }",
            "package k8s\nviolation[{\"msg\": msg}] { false }",
        ] {
            assert!(is_constant(expression), "{expression}");
        }
        for expression in [
            "object.spec.replicas <= 5",
            "!has(object.spec.hostPID) || object.spec.hostPID == false",
            "object.metadata.labels['a'] == \"x\" && true",
            "variables.containers.all(c, !(c.name in ['true']))",
            "package k8s\nviolation[{\"msg\": msg}] { input.review.object.spec.hostPID }",
        ] {
            assert!(!is_constant(expression), "{expression}");
        }
    }
}
