//! `podtrail schema`: prints the tables, views and functions of SQL, from the code that declares them.

use std::io::{self, Write};

use podtrail_event::{FieldDoc, documentation, finding_documentation, quarantine_documentation};
use podtrail_query::{ColumnDoc, FunctionDoc, Session, TableDoc, VIEW_NAMES};
use podtrail_report::{markdown_header, markdown_row};
use tokio::runtime::Runtime;

use crate::args::{ReferenceFormat, SchemaArgs};
use crate::exit::Exit;
use crate::listing::list;
use crate::output;

pub(crate) fn run(runtime: &Runtime, arguments: &SchemaArgs) -> anyhow::Result<Exit> {
    let session = Session::empty()?;
    let mut out = output::stdout();
    if arguments.functions {
        let ours = session.functions().into_iter().filter(|function| function.is_ours);
        match arguments.format {
            ReferenceFormat::Table => list(ours.map(|f| [f.syntax, f.description]), &mut out)?,
            ReferenceFormat::Markdown => functions_page(&session, ours.collect(), &mut out)?,
        }
    } else if !arguments.names.is_empty() {
        for name in &arguments.names {
            runtime.block_on(one(&session, name, &mut out))?;
        }
    } else {
        let views = runtime.block_on(views(&session))?;
        match arguments.format {
            ReferenceFormat::Table if arguments.all => {
                tables().iter().try_for_each(|table| print_table(table, &mut out))?;
                views.iter().try_for_each(|view| print_view(view, &mut out))?;
            }
            ReferenceFormat::Table => {
                let names = views.iter().map(|(view, _)| [&view.name, &view.description]);
                list(names, &mut out)?;
                writeln!(
                    out,
                    "\npodtrail schema NAME prints the columns of a view, --all those of all views"
                )?;
            }
            ReferenceFormat::Markdown => schema_page(&views, &mut out)?,
        }
    }
    out.flush()?;
    Ok(Exit::Ok)
}

/// A table of the lake, as any engine that reads Delta Lake shows it.
struct Table {
    name: &'static str,
    description: &'static str,
    columns: Vec<FieldDoc>,
}

fn tables() -> [Table; 3] {
    [
        Table {
            name: "events",
            description: "One row per audit event, which is one stage of a request.",
            columns: documentation(),
        },
        Table {
            name: "findings",
            description: "One row per state of a finding; the last row is the current state. `podtrail detect` creates the table.",
            columns: finding_documentation(),
        },
        Table {
            name: "quarantine",
            description: "One row per quarantined record, or per release of one.",
            columns: quarantine_documentation(),
        },
    ]
}

type View = (TableDoc, Vec<ColumnDoc>);

/// Returns the views with their columns; a view comes after the views it is built on.
async fn views(session: &Session) -> anyhow::Result<Vec<View>> {
    let mut views = Vec::new();
    for view in session.tables() {
        let columns = session.columns(&view.name).await?;
        views.push((view, columns));
    }
    let place = |name: &str| VIEW_NAMES.iter().position(|view| *view == name);
    views.sort_by_key(|(view, _)| place(&view.name).unwrap_or(VIEW_NAMES.len()));
    Ok(views)
}

/// Calls `take` with the name, type and text of each column, and of the fields of structs.
fn each_column(
    columns: &[FieldDoc],
    parent: &str,
    take: &mut dyn FnMut(String, String, &str) -> io::Result<()>,
) -> io::Result<()> {
    for column in columns {
        let name = format!("{parent}{}", column.name);
        take(name.clone(), column.sql_type(), &column.doc)?;
        each_column(&column.fields, &format!("{name}."), take)?;
    }
    Ok(())
}

/// Prints the table, view or function of this name.
async fn one(session: &Session, name: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    if let Some(function) = session.functions().into_iter().find(|known| known.name == name) {
        list([[function.syntax, function.description]].into_iter(), out)?;
        return Ok(());
    }
    let columns = session.columns(name).await?;
    if let Some(table) = tables().iter().find(|table| table.name == name) {
        print_table(table, out)?;
    }
    let variant = name.strip_suffix("_history").unwrap_or(name);
    let view = session.tables().into_iter().find(|view| view.name == variant);
    let description = view.map(|view| view.description).unwrap_or_default();
    let view = (TableDoc { name: name.to_owned(), description }, columns);
    Ok(print_view(&view, out)?)
}

fn print_table(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let Table { name, description, columns } = table;
    writeln!(out, "table {name}: {description}")?;
    let mut lines = Vec::new();
    each_column(columns, "", &mut |name, sql_type, doc| {
        lines.push([format!("  {name}  {sql_type}"), doc.to_owned()]);
        Ok(())
    })?;
    list(lines.into_iter(), out)?;
    writeln!(out)
}

fn print_view((view, columns): &View, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "view {}: {}", view.name, view.description)?;
    let lines = columns.iter().map(|column| {
        [format!("  {}  {}", column.name, column.sql_type), column.description.clone()]
    });
    list(lines, out)?;
    writeln!(out)
}

const SCHEMA_PAGE: &str = "# Schema

A lake has three Delta Lake tables, which any engine can read: `events`, `quarantine`, and `findings` after the first
`podtrail detect`. `podtrail sql` adds the views below, limited to the scope of the session. Every column may be null.
Times are in microseconds, UTC. In SQL, a struct field is `workload['kind']`, and a field of a list element is
`workload['containers'][1]['image']`. `podtrail schema --format markdown` prints this page.

## Tables
";

/// Writes the page docs/schema.md.
fn schema_page(views: &[View], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{SCHEMA_PAGE}")?;
    let tables = tables();
    for Table { name, description, columns } in &tables {
        writeln!(out, "### Table `{name}`\n\n{description}\n")?;
        columns_header(out)?;
        each_column(columns, "", &mut |name, sql_type, doc| column(out, &name, &sql_type, doc))?;
        writeln!(out)?;
    }
    writeln!(out, "## Views\n")?;
    writeln!(
        out,
        "Each view except `findings`, `findings_log`, `incidents`, `incident_findings`, `incident_steps` and `quarantine` has a variant with the suffix `_history`, which shows the period before the scope.\n"
    )?;
    for (view, columns) in views {
        writeln!(out, "### View `{}`\n\n{}\n", view.name, view.description)?;
        let table = tables.iter().find(|table| view.name.starts_with(table.name));
        view_columns(out, columns, table.unwrap_or(&tables[0]))?;
        writeln!(out)?;
    }
    Ok(())
}

/// Names the columns that a view shares with its table, and documents the others.
fn view_columns(out: &mut dyn Write, columns: &[ColumnDoc], table: &Table) -> io::Result<()> {
    let is_of_table = |column: &ColumnDoc| {
        table.columns.iter().any(|field| {
            (field.name, &field.doc, field.sql_type())
                == (column.name.as_str(), &column.description, column.sql_type.clone())
        })
    };
    let (same, others): (Vec<_>, Vec<_>) = columns.iter().partition(|column| is_of_table(column));
    let end = if others.is_empty() { "." } else { ", and:\n" };
    if same.len() == table.columns.len() {
        writeln!(out, "Every column of the table `{}`{end}", table.name)?;
    } else {
        let names: Vec<_> = same.iter().map(|column| format!("`{}`", column.name)).collect();
        writeln!(out, "As in the table `{}`: {}{end}", table.name, names.join(", "))?;
    }
    if !others.is_empty() {
        columns_header(out)?;
        for other in others {
            column(out, &other.name, &other.sql_type, &other.description)?;
        }
    }
    Ok(())
}

fn columns_header(out: &mut dyn Write) -> io::Result<()> {
    markdown_header(out, ["column", "type", "description"].into_iter().map(str::to_owned))
}

fn column(out: &mut dyn Write, name: &str, sql_type: &str, doc: &str) -> io::Result<()> {
    markdown_row(out, [format!("`{name}`"), format!("`{sql_type}`"), doc.to_owned()].into_iter())
}

const FUNCTIONS_PAGE: &str = "# Functions

The SQL functions of podtrail, in addition to the [functions of DataFusion](https://datafusion.apache.org/user-guide/sql/index.html).
`\\df` lists both in the interactive shell. An example without columns evaluates to true.
`podtrail schema --functions --format markdown` prints this page.

## Table functions

They are used in place of a table, and read the scope of the session. Their arguments are constants.
";

/// Writes the page docs/functions.md.
fn functions_page(
    session: &Session,
    functions: Vec<FunctionDoc>,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "{FUNCTIONS_PAGE}")?;
    let names = session.table_functions();
    let (tables, scalars): (Vec<_>, Vec<_>) =
        functions.into_iter().partition(|function| names.contains(&function.name));
    for function in &tables {
        function_section(function, out)?;
    }
    writeln!(out, "## Scalar functions\n")?;
    for function in &scalars {
        function_section(function, out)?;
    }
    Ok(())
}

fn function_section(function: &FunctionDoc, out: &mut dyn Write) -> io::Result<()> {
    let FunctionDoc { syntax, description, arguments, example, .. } = function;
    writeln!(out, "### `{syntax}`\n\n{description}\n")?;
    for (name, meaning) in arguments {
        writeln!(out, "- `{name}`: {meaning}")?;
    }
    if !arguments.is_empty() {
        writeln!(out)?;
    }
    writeln!(out, "```sql\n{example}\n```\n")
}
