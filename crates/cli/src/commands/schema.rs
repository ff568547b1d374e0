//! `podtrail schema`: the columns of the tables, from the code that declares them.

use std::io::{self, Write};

use podtrail_event::{FieldDoc, documentation, finding_documentation};

use crate::exit::Exit;
use crate::output;

pub(crate) fn run() -> anyhow::Result<Exit> {
    let mut out = output::stdout();
    for (table, columns) in [("events", documentation()), ("findings", finding_documentation())] {
        writeln!(out, "## `{table}`\n\n| column | type | what it holds |\n|---|---|---|")?;
        for field in columns {
            write(&mut out, &field, "")?;
        }
        writeln!(out)?;
    }
    out.flush()?;
    Ok(Exit::Ok)
}

fn write(out: &mut dyn Write, field: &FieldDoc, parent: &str) -> io::Result<()> {
    let name = format!("{parent}{}", field.name);
    writeln!(out, "| `{name}` | {} | {} |", field.sql_type(), field.doc)?;
    for inner in &field.fields {
        write(out, inner, &format!("{name}."))?;
    }
    Ok(())
}
