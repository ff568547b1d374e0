//! A table of text columns.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The maximum number of rows that share a layout.
const GROUP_ROWS: usize = 10_000;

/// The maximum size of text that shares a layout, in bytes.
const GROUP_BYTES: usize = 32 << 20;

/// A column that is shortened keeps at least this width.
const LEAST_WIDTH: usize = 12;

/// Rows, and the width that each column needs for them.
///
/// Rows of one group have the same widths, and a frame of their own. Cells contain neither line ends nor control
/// characters.
pub(crate) struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    widths: Vec<usize>,
    bytes: usize,
}

impl Table {
    pub(crate) fn new(header: Vec<String>) -> Self {
        let widths = header.iter().map(|cell| cell.width()).collect();
        Self { header, rows: Vec::new(), widths, bytes: 0 }
    }

    pub(crate) fn add(&mut self, row: Vec<String>) {
        for (width, cell) in self.widths.iter_mut().zip(&row) {
            *width = cell.width().max(*width);
        }
        self.bytes += row.iter().map(String::len).sum::<usize>();
        self.rows.push(row);
    }

    /// Returns the number of rows that are not written yet.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns whether it contains a full group.
    pub(crate) fn is_full(&self) -> bool {
        self.rows.len() >= GROUP_ROWS || self.bytes >= GROUP_BYTES
    }

    /// Returns the header and the rows.
    pub(crate) fn cells(&self) -> (&[String], &[Vec<String>]) {
        (&self.header, &self.rows)
    }

    /// Removes the rows.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(std::mem::take(&mut self.header));
    }

    /// Returns whether its lines have at most this width.
    pub(crate) fn fits(&self, width: usize) -> bool {
        self.width_with(usize::MAX) <= width
    }

    /// Shortens the cells of the widest columns until lines have at most this width. Returns whether that was possible;
    /// otherwise there are too many columns, and nothing is changed.
    pub(crate) fn shorten(&mut self, width: usize) -> bool {
        if self.width_with(LEAST_WIDTH) > width {
            return false;
        }
        let (mut most, mut too_many) = (LEAST_WIDTH, width + 1);
        while most + 1 < too_many {
            let middle = usize::midpoint(most, too_many);
            if self.width_with(middle) <= width { most = middle } else { too_many = middle }
        }
        for cell in self.rows.iter_mut().flatten().chain(&mut self.header) {
            shorten(cell, most);
        }
        for width in &mut self.widths {
            *width = (*width).min(most);
        }
        true
    }

    /// Returns the width of lines if no column is wider than `most`.
    fn width_with(&self, most: usize) -> usize {
        self.widths.iter().map(|width| (*width).min(most) + 3).sum::<usize>() + 1
    }

    /// Writes its rows, and empties it.
    pub(crate) fn write(&mut self, out: &mut dyn Write) -> io::Result<()> {
        // Each cell has a blank on both sides, and a separator of one column.
        let inner = self.widths.iter().map(|width| width + 3).sum::<usize>().saturating_sub(1);
        rule(out, ["┌", "─", "┐"], inner)?;
        self.line(out, &self.header)?;
        rule(out, ["╞", "═", "╡"], inner)?;
        self.rows.iter().try_for_each(|row| self.line(out, row))?;
        rule(out, ["└", "─", "┘"], inner)?;
        self.clear();
        Ok(())
    }

    fn line(&self, out: &mut dyn Write, cells: &[String]) -> io::Result<()> {
        for (number, (cell, width)) in cells.iter().zip(&self.widths).enumerate() {
            out.write_all(if number == 0 { "│ " } else { "  " }.as_bytes())?;
            out.write_all(cell.as_bytes())?;
            repeat(out, " ", width - cell.width() + 1)?;
        }
        out.write_all("│\n".as_bytes())
    }
}

/// Shortens a cell to a width, with `…` in place of its end.
fn shorten(cell: &mut String, most: usize) {
    if cell.width() <= most {
        return;
    }
    let mut width = 1;
    let end = cell.char_indices().find(|(_, character)| {
        width += character.width().unwrap_or(0);
        width > most
    });
    cell.truncate(end.map_or(cell.len(), |(at, _)| at));
    cell.push('…');
}

fn rule(out: &mut dyn Write, [left, middle, right]: [&str; 3], width: usize) -> io::Result<()> {
    out.write_all(left.as_bytes())?;
    repeat(out, middle, width)?;
    out.write_all(right.as_bytes())?;
    out.write_all(b"\n")
}

/// Writes a character many times, in pieces, because a column may be megabytes wide.
fn repeat(out: &mut dyn Write, character: &str, count: usize) -> io::Result<()> {
    const PIECE: usize = 256;
    if count >= PIECE {
        let piece = character.repeat(PIECE);
        for _ in 0..count / PIECE {
            out.write_all(piece.as_bytes())?;
        }
    }
    for _ in 0..count % PIECE {
        out.write_all(character.as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(header: &[&str], rows: &[&[&str]]) -> String {
        let cells = |row: &[&str]| row.iter().map(|cell| (*cell).to_owned()).collect();
        let mut table = Table::new(cells(header));
        for row in rows {
            table.add(cells(row));
        }
        let mut out = Vec::new();
        table.write(&mut out).unwrap();
        assert_eq!(table.len(), 0);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_widest_columns_are_shortened_to_a_width() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let table = || {
            let mut table = Table::new(row(["a", "b", "c"]));
            table.add(row(["short", &"日本".repeat(20), &"x".repeat(300)]));
            table
        };
        let mut wide = table();
        assert!(!wide.fits(80));
        assert!(wide.shorten(80));
        assert!(wide.fits(80));
        let mut out = Vec::new();
        wide.write(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().all(|line| line.width() <= 80), "{text}");
        assert!(text.contains("│ short   日本"), "{text}");
        assert_eq!(text.matches('…').count(), 2, "{text}");
        // Three columns need 12 columns of the screen each.
        assert!(!table().shorten(30));
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let expected = "\
┌─────────────────┐
│ name       日本 │
╞═════════════════╡
│ a               │
│ e\u{301}mallory   1    │
└─────────────────┘
";
        assert_eq!(written(&["name", "日本"], &[&["a", ""], &["e\u{301}mallory", "1"]]), expected);
        assert_eq!(written(&["n"], &[]), "┌───┐\n│ n │\n╞═══╡\n└───┘\n");
        let wide = "x".repeat(1000);
        let lines = written(&["n"], &[&["y"], &[&wide]]);
        assert!(lines.lines().all(|line| line.width() == 1004), "{lines}");
    }
}
