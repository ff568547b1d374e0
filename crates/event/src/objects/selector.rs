//! Requirements of label and field selectors.

use std::borrow::Cow;

/// Returns the one value that a selector requires of a key (`k=v`, `k==v`, `k in (v)`); `None` if it also selects other
/// objects, as with `!=`, `notin`, `exists` or several values.
///
/// Further requirements only reduce the selection.
///
/// ```
/// # use podtrail_event::required_value;
/// assert_eq!(required_value("name=a,owner=helm", "owner").as_deref(), Some("helm"));
/// assert_eq!(required_value("owner in (helm, x)", "owner"), None);
/// assert_eq!(required_value("owner!=helm", "owner"), None);
/// ```
pub fn required_value<'a>(selector: &'a str, key: &str) -> Option<Cow<'a, str>> {
    requirements(selector).find_map(|text| required(text.trim(), key))
}

/// Splits a selector into requirements; commas in parentheses, or after a backslash in a field selector, do not
/// separate.
fn requirements(selector: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut is_escaped) = (0_usize, false);
    selector.split(move |c| {
        let ends = c == ',' && depth == 0 && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        ends
    })
}

fn required<'a>(requirement: &'a str, key: &str) -> Option<Cow<'a, str>> {
    let rest = requirement.strip_prefix(key)?;
    let operator = rest.trim_start();
    let value = match operator.strip_prefix("==").or_else(|| operator.strip_prefix('=')) {
        Some(value) => value.trim(),
        // A word must end before `in`.
        None if operator.len() < rest.len() => {
            let list = operator.strip_prefix("in")?.trim_start();
            let value = list.strip_prefix('(')?.strip_suffix(')')?.trim();
            if value.contains(',') {
                return None;
            }
            value
        }
        None => return None,
    };
    // A field selector escapes `\`, `,` and `=`.
    if !value.contains('\\') {
        return Some(Cow::Borrowed(value));
    }
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        plain.push(if character == '\\' { characters.next()? } else { character });
    }
    Some(Cow::Owned(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_value_is_required() {
        for (selector, key, value) in [
            ("owner=helm", "owner", Some("helm")),
            ("owner==helm", "owner", Some("helm")),
            (" owner = helm ", "owner", Some("helm")),
            ("a=b, owner in (helm)", "owner", Some("helm")),
            ("a in (x,owner=helm)", "owner", None),
            ("owner in (helm,other)", "owner", None),
            ("owner notin (helm)", "owner", None),
            ("owner!=helm", "owner", None),
            ("owner", "owner", None),
            ("!owner", "owner", None),
            ("xowner=helm", "owner", None),
            ("ownerx=helm", "owner", None),
            ("owner=helm2", "owner", Some("helm2")),
            ("owner>1", "owner", None),
            ("", "owner", None),
            ("metadata.namespace!=x", "metadata.namespace", None),
            ("metadata.name=a\\,b", "metadata.name", Some("a,b")),
            ("x=a\\,owner=helm", "owner", None),
        ] {
            assert_eq!(required_value(selector, key).as_deref(), value, "{selector}");
        }
    }
}
