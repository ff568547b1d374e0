//! Paths as PostgreSQL writes them: `'{metadata,name}'`.

/// Returns the steps of an array literal; `None` is a null. The error describes the problem.
pub(super) fn parse(text: &str) -> Result<Vec<Option<String>>, &'static str> {
    let inner = text.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let Some(inner) = inner else { return Err("its braces are missing") };
    if inner.trim().is_empty() {
        return Ok(Vec::new());
    }
    let mut steps = Vec::new();
    let mut characters = inner.chars().peekable();
    loop {
        while characters.next_if(|c| c.is_whitespace()).is_some() {}
        let step = if characters.next_if_eq(&'"').is_some() {
            let mut step = String::new();
            loop {
                match characters.next() {
                    None => return Err("a quote is not closed"),
                    Some('"') => break,
                    Some('\\') => step.extend(characters.next()),
                    Some(character) => step.push(character),
                }
            }
            while characters.next_if(|c| c.is_whitespace()).is_some() {}
            Some(step)
        } else {
            let mut step = String::new();
            while let Some(character) = characters.next_if(|c| *c != ',') {
                match character {
                    '{' | '}' => return Err("braces stand in it"),
                    '"' => return Err("unexpected quote within a step"),
                    '\\' => step.extend(characters.next()),
                    _ => step.push(character),
                }
            }
            let step = step.trim_end();
            if step.is_empty() {
                return Err("a step is empty");
            }
            (!step.eq_ignore_ascii_case("null")).then(|| step.to_owned())
        };
        steps.push(step);
        match characters.next() {
            None => return Ok(steps),
            Some(',') => {}
            Some(_) => return Err("unexpected character after a quote"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn array_literals_are_read() {
        for (text, expected) in [
            ("{}", vec![]),
            ("{a}", vec![Some("a")]),
            (" { a , b c } ", vec![Some("a"), Some("b c")]),
            (r#"{"a,b",c\,d,"e\"f"}"#, vec![Some("a,b"), Some("c,d"), Some("e\"f")]),
            (r#"{"",NULL,"null",-1}"#, vec![Some(""), None, Some("null"), Some("-1")]),
        ] {
            let steps = parse(text).unwrap();
            let steps: Vec<_> = steps.iter().map(Option::as_deref).collect();
            assert_eq!(steps, expected, "{text}");
        }
        for text in ["", "a,b", "{a", "{a,}", "{,a}", r#"{"a}"#, r#"{"a"b}"#, "{{a}}", "$.a"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
