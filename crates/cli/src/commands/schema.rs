//! `podtrail schema`: the columns of the events table, from the code that declares them.

use std::io::{self, Write};

use podtrail_event::{FieldDoc, documentation};

use crate::exit::Exit;
use crate::output;

pub(crate) fn run() -> anyhow::Result<Exit> {
    let mut out = output::stdout();
    writeln!(out, "| column | type | what it holds |\n|---|---|---|")?;
    for field in documentation() {
        write(&mut out, &field, "")?;
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
