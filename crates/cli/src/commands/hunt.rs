//! `podtrail hunt`: runs detections over log files or a lake.

use std::io::Write;

use anyhow::{Context, ensure};
use podtrail_detect::{AttackNames, Finding, Hunt, Severity, remembered_indicators, show_only};
use podtrail_lake::Lake;
use podtrail_query::{LakeVersion, Limits, QueryError, Session};
use podtrail_report::{
    HtmlReport, LogSummary, write_findings, write_findings_csv, write_findings_ecs,
    write_findings_jsonl, write_findings_ocsf, write_html,
};
use tokio::runtime::Runtime;

use crate::args::{FindArgs, FindingFormat, HuntArgs};
use crate::clock;
use crate::commands::{exceptions, indicators, ingest};
use crate::engine::Engine;
use crate::exit::Exit;
use crate::output;
use crate::output_file::OutputFile;
use crate::pack;
use crate::query_engine::Chosen;

pub(crate) fn run(runtime: &Runtime, arguments: &HuntArgs) -> anyhow::Result<Exit> {
    let scope = arguments.scope.scope()?;
    let mut pack = pack::selected(&arguments.find)?;
    let indicators = indicators::given(&arguments.find, &pack)?;
    let report = arguments.report.as_deref().map(OutputFile::create).transpose()?;
    let mut exit = Exit::Ok;
    // A temporary lake is removed when this goes out of scope.
    let (lake, _temporary) = if let Some(location) = &arguments.lake {
        let only_reads = arguments.logs.is_empty();
        let lake = if only_reads {
            Lake::open(location)
        } else {
            runtime.block_on(Lake::create(location))
        };
        (lake?, None)
    } else {
        let dir = tempfile::Builder::new().prefix("podtrail-").tempdir();
        let dir = dir.context("cannot create a temporary lake; use --lake LAKE")?;
        (runtime.block_on(Lake::create(dir.path()))?, Some(dir))
    };
    if !arguments.logs.is_empty() {
        // The logs of a hunt belong to the cluster in its scope.
        let cluster = arguments.scope.cluster.first().filter(|name| !name.contains('*'));
        let cluster = cluster.map(String::as_str);
        let mut options = ingest::options(runtime, &lake, cluster, arguments.no_redact)?;
        options.exclude.extend(report.iter().map(|file| file.temporary_path().to_owned()));
        let summary = ingest::read(runtime, &lake, &arguments.logs, &options)?;
        ingest::report_problems(&summary);
        exit = ingest::exit(&summary);
        if summary.interrupted {
            return Ok(exit);
        }
        ingest::check_read(&summary)?;
        let is_empty = summary.events_added == 0 && summary.duplicates == 0;
        ensure!(
            !is_empty || arguments.lake.is_some(),
            "no audit event in the input, nothing was examined"
        );
    }
    let indicators = match indicators {
        Some(indicators) => Some(indicators),
        None => remembered_indicators(&lake)?,
    };
    pack.set_indicators(indicators.unwrap_or_default());
    let version = LakeVersion::newest(&lake);
    let queries = Chosen::of(&arguments.engine, false)?;
    let session = version.session(scope.judged(), arguments.find.limits())?;
    let session = session.with_engine(queries.engine.clone());
    // The activity of a namespace or identity is judged by comparison with others; the scope only selects what is
    // shown.
    let is_narrowed = scope != scope.judged();
    let shown = if is_narrowed {
        let limits = Limits { memory: arguments.find.memory / 2, ..Limits::default() };
        version.session(scope, limits)?.with_engine(queries.engine.clone())
    } else {
        session.clone()
    };
    let mut hunt = {
        let (session, shown) = (session.clone(), is_narrowed.then(|| shown.clone()));
        let (pack, jobs) = (pack.clone(), arguments.find.jobs);
        let run = Engine::new()?.run(memory(&arguments.find), move |threads| {
            threads.block_on(async {
                let mut hunt = podtrail_detect::hunt(&session, &pack, jobs, clock::now()).await?;
                if let Some(shown) = &shown {
                    show_only(&mut hunt, shown).await?;
                }
                Ok::<_, QueryError>(hunt)
            })
        });
        runtime.block_on(run)??
    };
    queries.report();
    // After the hunt, which decides which columns are cached, and only if it is printed, because it takes long in a
    // large lake.
    if runtime.block_on(is_empty(&shown))? {
        output::warn("no event is in scope, nothing was examined");
        exit = Exit::PartlyBad;
    }
    let is_told = report.is_some() || arguments.find.format == FindingFormat::Table;
    let summary = if is_told { Some(runtime.block_on(LogSummary::read(&shown))?) } else { None };
    for failure in &hunt.failures {
        output::warn(&failure.to_string());
    }
    exceptions::warn_of_expired(&hunt.expired);
    let least = arguments.find.min_severity;
    let found = hunt.findings.len();
    hunt.findings.retain(|finding| finding.severity >= least);
    // Written before anything is printed, because the reader of standard output may close it, as head does.
    if let (Some(file), Some(summary)) = (report, &summary) {
        let context =
            runtime.block_on(podtrail_report::Context::read(&shown, &hunt.findings, summary))?;
        let report = HtmlReport {
            log: summary,
            hunt: &hunt,
            pack: &pack,
            context: &context,
            least,
            left_out: found - hunt.findings.len(),
            command: command_line(),
            time: clock::now(),
        };
        write_report(&report, file)?;
    }
    print(arguments.find.format, &hunt.findings, &pack.attack_names(), |out| {
        write_table(summary.as_ref(), &hunt, out)
    })?;

    if !hunt.failures.is_empty() {
        return Ok(Exit::Failed);
    }
    let alarm = arguments.find.fail_on;
    if alarm.is_some_and(|level| hunt.findings.iter().any(|finding| finding.severity >= level)) {
        exit = Exit::Findings;
    }
    Ok(exit)
}

/// Writes the report and gives the file its name.
fn write_report(report: &HtmlReport<'_>, mut file: OutputFile) -> anyhow::Result<()> {
    let path = file.path().to_owned();
    write_html(report, &mut file).with_context(|| format!("cannot write {}", path.display()))?;
    file.finish()?;
    output::note(&format!("wrote report {}", path.display()));
    Ok(())
}

/// Returns the memory, in bytes, at which a hunt is cancelled: cached and decoded rows need about the same amount again as the
/// queries themselves.
pub(crate) fn memory(find: &FindArgs) -> usize {
    find.memory.saturating_mul(2)
}

/// Returns the command line of this process, quoted for a shell.
fn command_line() -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+~".contains(c);
    let words = std::env::args_os().enumerate().map(|(index, word)| {
        let word = word.to_string_lossy();
        match index {
            0 => "podtrail".to_owned(),
            _ if !word.is_empty() && word.chars().all(is_plain) => word.into_owned(),
            _ => format!("'{}'", word.replace('\'', "'\\''")),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Prints findings in a format; `write_table` writes the table.
pub(crate) fn print(
    format: FindingFormat,
    findings: &[Finding],
    names: &AttackNames,
    write_table: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let mut out: Box<dyn Write> = match format {
        FindingFormat::Table => Box::new(output::stdout()),
        _ => output::data_stdout(),
    };
    match format {
        FindingFormat::Table => write_table(&mut out)?,
        FindingFormat::Jsonl => write_findings_jsonl(findings, &mut out)?,
        FindingFormat::Csv => write_findings_csv(findings, &mut out)?,
        FindingFormat::Ocsf => write_findings_ocsf(findings, names, clock::now(), &mut out)?,
        FindingFormat::Ecs => write_findings_ecs(findings, names, clock::now(), &mut out)?,
    }
    Ok(out.flush()?)
}

fn write_table(
    summary: Option<&LogSummary>,
    hunt: &Hunt,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    if let Some(summary) = summary {
        summary.write(out)?;
    }
    writeln!(out, "findings    {}", count(hunt))?;
    if !hunt.excepted.is_empty() {
        writeln!(out, "excepted    {}", exceptions::hidden(&hunt.excepted))?;
    }
    if let Some(lowered) = exceptions::lowered(&hunt.findings) {
        writeln!(out, "lowered     {lowered}")?;
    }
    writeln!(out)?;
    write_findings(&hunt.findings, output::width(), out)
}

/// Returns the number of findings of each severity.
fn count(hunt: &Hunt) -> String {
    let counts: Vec<_> = Severity::ALL
        .iter()
        .rev()
        .filter_map(|severity| {
            let count =
                hunt.findings.iter().filter(|finding| finding.severity == *severity).count();
            (count > 0).then(|| format!("{count} {severity}"))
        })
        .collect();
    if counts.is_empty() {
        return format!("none, by {} detections", hunt.detections);
    }
    format!("{}, by {} detections", counts.join(", "), hunt.detections)
}

/// Returns whether a session has no event in its scope.
async fn is_empty(session: &Session) -> Result<bool, QueryError> {
    let rows = session.sql("SELECT 1 FROM stages LIMIT 1").await?.collect().await?;
    Ok(rows.iter().all(|batch| batch.num_rows() == 0))
}
