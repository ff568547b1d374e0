//! Tables in GitHub Flavored Markdown.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::escape::escape;

/// Writes the header row of a table.
///
/// # Errors
/// If the output fails.
pub fn markdown_header(
    out: &mut (impl Write + ?Sized),
    names: impl Iterator<Item = String> + Clone,
) -> io::Result<()> {
    markdown_row(out, names.clone())?;
    markdown_row(out, names.map(|_| "---".to_owned()))
}

/// Writes a row of a table. The cells are Markdown: [`escape_markdown`] converts text to it.
///
/// # Errors
/// If the output fails.
pub fn markdown_row(
    out: &mut (impl Write + ?Sized),
    cells: impl Iterator<Item = String>,
) -> io::Result<()> {
    let mut line = String::from("|");
    for cell in cells {
        // Writing to a string cannot fail.
        let _ = write!(line, " {cell} |");
    }
    writeln!(out, "{line}")
}

/// Escapes text for Markdown, so that it contains no links, images, HTML or cells.
pub fn escape_markdown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in escape(text).chars() {
        if "\\`*_[]<>|~&!".contains(character) {
            shown.push('\\');
        }
        shown.push(character);
    }
    shown
}
