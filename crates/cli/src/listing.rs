//! Lists of names with descriptions, for reading.

use std::io::{self, Write};

use podtrail_report::escape;

use crate::output;

/// Writes pairs of a name and a text; the texts are aligned and wrapped to the screen.
pub(crate) fn list<S: AsRef<str>>(
    pairs: impl Iterator<Item = [S; 2]>,
    out: &mut dyn Write,
) -> io::Result<()> {
    /// The text of a longer name starts on the next line.
    const WIDEST: usize = 34;
    let pairs: Vec<_> = pairs.collect();
    let widths = pairs.iter().map(|[name, _]| name.as_ref().chars().count());
    let indent = widths.filter(|width| *width <= WIDEST).max().unwrap_or(0) + 2;
    let spaces = " ".repeat(indent);
    for [name, text] in &pairs {
        let (name, text) = (escape(name.as_ref()), text.as_ref().split_whitespace());
        let text = text.collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            writeln!(out, "{name}")?;
            continue;
        }
        let first = format!("{name:<indent$}");
        let is_wide = name.chars().count() + 2 > indent;
        if is_wide {
            writeln!(out, "{name}")?;
        }
        let options = textwrap::Options::new(output::width().max(indent + 20))
            .initial_indent(if is_wide { &spaces } else { &first })
            .subsequent_indent(&spaces)
            .break_words(false);
        writeln!(out, "{}", textwrap::fill(&escape(&text), options))?;
    }
    Ok(())
}
