//! `podtrail export`: prints the events of a lake as they arrived.

use std::io::Write;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use futures::TryStreamExt;
use podtrail_event::{EXPORT_COLUMNS, Exporter};
use podtrail_lake::Lake;
use podtrail_query::{Limits, Parameters, QueryError, Scope, Session};
use podtrail_report::escape_json;
use tokio::runtime::Runtime;

use crate::args::ExportArgs;
use crate::exit::Exit;
use crate::output;

/// The number of events that are sorted together, unless one day has more. A sort that exceeds memory spills to disk,
/// so the whole lake is not sorted in one pass.
const SORTED_EVENTS: i64 = 200_000;

pub(crate) fn run(runtime: &Runtime, arguments: &ExportArgs) -> anyhow::Result<Exit> {
    let scope = arguments.scope.scope()?;
    let mut out = output::raw_stdout();
    runtime.block_on(async {
        let lake = Lake::open(&arguments.lake)?;
        export(&lake, scope, &mut out).await
    })?;
    out.flush()?;
    Ok(Exit::Ok)
}

async fn export(lake: &Lake, scope: Scope, out: &mut impl Write) -> anyhow::Result<()> {
    let for_people = output::is_terminal();
    let session = Session::open(lake, scope, Limits::default())?;
    let columns = EXPORT_COLUMNS.join(", ");
    let mut line = Vec::new();
    for Period { first, last } in periods(&session).await? {
        let sql = format!(
            "SELECT {columns} FROM stages WHERE date BETWEEN DATE '{first}' AND DATE '{last}'
             ORDER BY time, event_id"
        );
        let mut events = session.query(&sql, Parameters::default()).await?.run();
        while let Some(batch) = events.try_next().await? {
            let exporter = Exporter::new(&batch)?;
            for row in 0..batch.num_rows() {
                line.clear();
                exporter.write(row, &mut line)?;
                if for_people {
                    escape_json(&mut line);
                }
                line.push(b'\n');
                out.write_all(&line)?;
            }
        }
    }
    Ok(())
}

/// A range of days, both inclusive.
struct Period {
    first: String,
    last: String,
}

/// Returns the days that have events, in order; consecutive days with few events are grouped.
async fn periods(session: &Session) -> Result<Vec<Period>, QueryError> {
    const DAYS: &str = "
        SELECT CAST(date AS VARCHAR) AS day, count(*) AS events FROM stages GROUP BY date ORDER BY date";
    let mut periods: Vec<Period> = Vec::new();
    let mut held = 0;
    for batch in session.sql(DAYS).await?.collect().await? {
        let days = batch.column(0).as_string::<i32>();
        for (day, &count) in
            days.iter().flatten().zip(batch.column(1).as_primitive::<Int64Type>().values())
        {
            match periods.last_mut() {
                Some(period) if held + count <= SORTED_EVENTS => {
                    day.clone_into(&mut period.last);
                    held += count;
                }
                _ => {
                    periods.push(Period { first: day.to_owned(), last: day.to_owned() });
                    held = count;
                }
            }
        }
    }
    Ok(periods)
}
