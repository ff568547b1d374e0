//! `podtrail sql`: a query over a lake.

use std::io::Write;

use anyhow::Context;
use podtrail_lake::Lake;
use podtrail_query::{Limits, QueryError, Session};
use podtrail_report::write_rows;
use tokio::runtime::Runtime;

use crate::args::SqlArgs;
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(arguments: &SqlArgs) -> anyhow::Result<Exit> {
    let scope = arguments.scope.scope()?;
    let runtime = Runtime::new().context("cannot start threads")?;
    let (schema, batches) = runtime.block_on(async {
        let lake = Lake::open(&arguments.lake).await?;
        let session = Session::open(&lake, scope, Limits::default()).await?;
        let query = session.sql(&arguments.command).await?;
        let schema = query.schema().inner().clone();
        let batches = query.collect().await.map_err(QueryError::from)?;
        anyhow::Ok((schema, batches))
    })?;
    let mut out = output::raw_stdout();
    write_rows(&schema, &batches, arguments.format, &mut out)?;
    out.flush()?;
    Ok(Exit::Ok)
}
