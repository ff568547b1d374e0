//! `podtrail hunt`: runs detections over log files or a lake.

use std::io::Write;

use anyhow::{Context, ensure};
use podtrail_detect::{
    AttackNames, Finding, Hunt, Incident, Severity, find_incidents, incidents,
    remembered_indicators, shell_word, show_only,
};
use podtrail_lake::Lake;
use podtrail_query::{LakeVersion, Limits, QueryError, Session};
use podtrail_report::{
    HtmlReport, LogSummary, escape, write_findings, write_findings_csv, write_findings_ecs,
    write_findings_jsonl, write_findings_ocsf, write_html, write_incidents, write_incidents_csv,
    write_incidents_jsonl, write_incidents_ocsf, write_other_findings, write_timeline_csv,
    write_timeline_jsonl,
};
use tokio::runtime::Runtime;

use crate::args::{FindArgs, FindingFormat, HuntArgs, Unit};
use crate::clock;
use crate::commands::{exceptions, indicators, ingest};
use crate::engine::Engine;
use crate::exit::Exit;
use crate::output;
use crate::output_file::OutputFile;
use crate::pack;
use crate::query_engine::Chosen;
use crate::stop;

pub(crate) fn run(runtime: &Runtime, arguments: &HuntArgs) -> anyhow::Result<Exit> {
    let scope = arguments.scope.scope()?;
    arguments.find.unit()?;
    let mut pack = pack::selected(&arguments.find)?;
    let indicators = indicators::given(&arguments.find, &pack)?;
    let report = arguments.report.as_deref().map(OutputFile::create).transpose()?;
    let mut exit = Exit::Ok;
    // A temporary lake is removed when this goes out of scope.
    let (lake, temporary) = if let Some(location) = &arguments.lake {
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
    let temporary_lake = temporary.iter().map(|dir| dir.path().to_owned());
    let temporary_report = report.iter().map(|file| file.temporary_path().to_owned());
    stop::exit_on_signal(runtime.handle(), temporary_lake.chain(temporary_report).collect());
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
    let (mut hunt, not_joined) = {
        let (session, shown) = (session.clone(), is_narrowed.then(|| shown.clone()));
        let (pack, jobs) = (pack.clone(), arguments.find.jobs);
        let run = Engine::new()?.run(memory(&arguments.find), move |threads| {
            threads.block_on(async {
                let mut hunt = podtrail_detect::hunt(&session, &pack, jobs, clock::now()).await?;
                let not_joined = find_incidents(&session, &pack, &mut hunt).await.err();
                if let Some(shown) = &shown {
                    show_only(&mut hunt, shown).await?;
                }
                Ok::<_, QueryError>((hunt, not_joined))
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
    let needs_summary = report.is_some() || arguments.find.format == FindingFormat::Table;
    let summary =
        if needs_summary { Some(runtime.block_on(LogSummary::read(&shown))?) } else { None };
    for failure in &hunt.failures {
        output::warn(&failure.to_string());
    }
    if let Some(error) = &not_joined {
        output::warn(&format!("findings are not joined into incidents: {error}"));
    }
    exceptions::warn_of_expired(&hunt.expired);
    let least = arguments.find.min_severity;
    let mut incidents = incidents(&hunt.findings, &pack.combined());
    let all = incidents.len();
    incidents.retain(|incident| incident.severity >= least.max(Severity::Medium));
    let lesser = all - incidents.len();
    let found = hunt.findings.len();
    hunt.findings.retain(|finding| finding.severity >= least);
    // Written before anything is printed, because the reader of standard output may close it, as head does.
    if let (Some(file), Some(summary)) = (report, &summary) {
        let context =
            runtime.block_on(podtrail_report::Context::read(&shown, &hunt.findings, summary))?;
        let report = HtmlReport {
            log: summary,
            incidents: &incidents,
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
    let names = pack.attack_names();
    let found = Found { findings: &hunt.findings, incidents: &incidents, names: &names };
    let next = next(arguments, &incidents);
    print(&arguments.find, &found, |out| match arguments.find.unit()? {
        Unit::Incidents if not_joined.is_none() => {
            Ok(write_story(summary.as_ref(), &hunt, &incidents, lesser, &next, out)?)
        }
        _ => Ok(write_table(summary.as_ref(), &hunt, out)?),
    })?;

    if !hunt.failures.is_empty() || not_joined.is_some() {
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
    let words = std::env::args_os().enumerate().map(|(index, word)| match index {
        0 => "podtrail".to_owned(),
        _ => shell_word(&word.to_string_lossy()),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// What a run prints.
#[derive(Clone, Copy)]
pub(crate) struct Found<'a> {
    /// The findings, most severe first.
    pub(crate) findings: &'a [Finding],
    /// The incidents, most severe first.
    pub(crate) incidents: &'a [Incident],
    /// The names of techniques and tactics.
    pub(crate) names: &'a AttackNames,
}

/// Prints findings or incidents in a format; `write_table` writes the table.
pub(crate) fn print(
    find: &FindArgs,
    found: &Found<'_>,
    write_table: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let Found { findings, incidents, names } = *found;
    let mut out: Box<dyn Write> = match find.format {
        FindingFormat::Table => Box::new(output::stdout()),
        _ => output::data_stdout(),
    };
    match (find.format, find.unit()?) {
        (FindingFormat::Table, _) => write_table(&mut out)?,
        (FindingFormat::Jsonl, Unit::Findings) => write_findings_jsonl(findings, &mut out)?,
        (FindingFormat::Jsonl, Unit::Incidents) => write_incidents_jsonl(incidents, &mut out)?,
        (FindingFormat::Csv, Unit::Findings) => write_findings_csv(findings, &mut out)?,
        (FindingFormat::Csv, Unit::Incidents) => write_incidents_csv(incidents, &mut out)?,
        (FindingFormat::Ocsf, Unit::Findings) => {
            write_findings_ocsf(findings, names, clock::now(), &mut out)?;
        }
        (FindingFormat::Ocsf, Unit::Incidents) => {
            write_incidents_ocsf(incidents, names, clock::now(), &mut out)?;
        }
        (FindingFormat::Ecs, _) => write_findings_ecs(findings, names, clock::now(), &mut out)?,
        (FindingFormat::TimelineJsonl, _) => write_timeline_jsonl(findings, &mut out)?,
        (FindingFormat::TimelineCsv, _) => write_timeline_csv(findings, &mut out)?,
    }
    Ok(out.flush()?)
}

/// Writes the incidents, the number of other findings, what was examined, and the next commands.
fn write_story(
    summary: Option<&LogSummary>,
    hunt: &Hunt,
    incidents: &[Incident],
    lesser: usize,
    next: &[String],
    out: &mut dyn Write,
) -> std::io::Result<()> {
    write_incidents(incidents, output::width(), out)?;
    match (incidents.len(), hunt.failures.len()) {
        (0, 0) => {
            writeln!(out, "nothing to act on: no incident, by {} detections\n", hunt.detections)?;
        }
        (0, failed) => {
            writeln!(out, "no incident, but {failed} of {} detections failed\n", hunt.detections)?;
        }
        _ => {}
    }
    if let Some(summary) = summary {
        summary.write(out)?;
    }
    writeln!(out, "findings    {}", count(hunt))?;
    write_other_findings(&hunt.findings, incidents, output::width(), out)?;
    if !hunt.excepted.is_empty() {
        writeln!(out, "excepted    {}", exceptions::hidden(&hunt.excepted))?;
    }
    if let Some(lowered) = exceptions::lowered(&hunt.findings) {
        writeln!(out, "lowered     {lowered}")?;
    }
    writeln!(out, "incidents   {}", count_incidents(incidents, lesser))?;
    for (index, command) in next.iter().enumerate() {
        writeln!(out, "{:<12}{}", if index == 0 { "next" } else { "" }, escape(command))?;
    }
    Ok(())
}

/// Returns the number of incidents of each severity; `lesser` are not shown.
fn count_incidents(incidents: &[Incident], lesser: usize) -> String {
    let mut counts = by_severity(incidents.iter().map(|incident| incident.severity));
    if counts.is_empty() {
        counts.push("none".to_owned());
    }
    if lesser > 0 {
        counts.push(format!("{lesser} less severe, not shown"));
    }
    counts.join(", ")
}

/// Returns the next commands.
fn next(arguments: &HuntArgs, incidents: &[Incident]) -> Vec<String> {
    let logs = arguments.logs.iter().map(|path| shell_word(&path.to_string_lossy()));
    let logs = logs.collect::<Vec<_>>().join(" ");
    let mut commands = Vec::new();
    let lake = arguments.lake.as_ref().map_or_else(|| "lake".to_owned(), ToString::to_string);
    if arguments.lake.is_none() {
        commands.push(format!("podtrail ingest {logs} --lake lake"));
    }
    if let Some(query) = incidents.first().and_then(|incident| incident.queries.first()) {
        commands.push(format!(
            "podtrail sql --lake {} -c {}",
            shell_word(&lake),
            shell_word(query)
        ));
    }
    commands.push(format!(
        "podtrail hunt --lake {} --findings --report report.html",
        shell_word(&lake)
    ));
    commands
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
    let counts = by_severity(hunt.findings.iter().map(|finding| finding.severity));
    if counts.is_empty() {
        return format!("none, by {} detections", hunt.detections);
    }
    format!("{}, by {} detections", counts.join(", "), hunt.detections)
}

/// Returns the number of each severity, the highest first.
fn by_severity(severities: impl Iterator<Item = Severity>) -> Vec<String> {
    let severities: Vec<Severity> = severities.collect();
    let counts = Severity::ALL.iter().rev().filter_map(|severity| {
        let count = severities.iter().filter(|other| *other == severity).count();
        (count > 0).then(|| format!("{count} {severity}"))
    });
    counts.collect()
}

/// Returns whether a session has no event in its scope.
async fn is_empty(session: &Session) -> Result<bool, QueryError> {
    let rows = session.sql("SELECT 1 FROM stages LIMIT 1").await?.collect().await?;
    Ok(rows.iter().all(|batch| batch.num_rows() == 0))
}
