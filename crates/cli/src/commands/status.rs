//! `podtrail status`: shows the state of a lake.

use std::io::Write;

use anyhow::Context;
use podtrail_lake::Lake;
use podtrail_report::Status;
use tokio::runtime::Runtime;

use crate::args::{StatusArgs, StatusFormat};
use crate::clock;
use crate::exit::Exit;
use crate::output;
use crate::output_file::OutputFile;

pub(crate) fn run(runtime: &Runtime, arguments: &StatusArgs) -> anyhow::Result<Exit> {
    let status = runtime.block_on(async {
        let lake = Lake::open(&arguments.lake)?;
        Ok::<_, anyhow::Error>(Status::read(&lake, clock::now()).await?)
    })?;
    let mut text = Vec::new();
    match arguments.format {
        StatusFormat::Table => status.write(&mut text)?,
        StatusFormat::Json => status.write_json(&mut text)?,
        StatusFormat::Openmetrics => status.write_openmetrics(&mut text)?,
    }
    if let Some(path) = &arguments.output {
        // Others read it meanwhile, such as node exporter.
        let mut file = OutputFile::create(path)?;
        file.write_all(&text).with_context(|| format!("cannot write {}", path.display()))?;
        file.finish()?;
    } else {
        let mut out = output::data_stdout();
        out.write_all(&text)?;
        out.flush()?;
    }
    Ok(Exit::Ok)
}
