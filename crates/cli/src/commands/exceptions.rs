//! `podtrail exceptions`: findings that are known to be benign.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use podtrail_detect::{
    Effect, Excepted, Exception, Finding, Pack, lint_exceptions, read_exceptions, show_only,
};
use podtrail_lake::{Lake, LakeLocation};
use podtrail_query::{LakeVersion, Limits, Scope};
use podtrail_report::write_findings;
use tokio::runtime::Runtime;

use crate::args::ExceptionsCommand;
use crate::clock;
use crate::exit::Exit;
use crate::output;
use crate::pack;

pub(crate) fn run(runtime: &Runtime, command: &ExceptionsCommand) -> anyhow::Result<Exit> {
    match command {
        ExceptionsCommand::List { files } => list(files),
        ExceptionsCommand::Lint { files, pack } => {
            let mut pack = pack::load(&pack.queries)?;
            for file in files {
                pack.add_exceptions(read_exceptions(file)?);
            }
            lint(&pack)
        }
        ExceptionsCommand::Preview { files, lake, scope, pack } => {
            let mut pack = pack::load(&pack.queries)?;
            pack.clear_exceptions();
            for file in files {
                pack.add_exceptions(read_exceptions(file)?);
            }
            let exceptions = pack.exceptions().to_vec();
            let never = pack.never_excepted();
            pack.keep(|detection| exceptions.iter().any(|e| e.names(&detection.head, &never)));
            preview(runtime, &pack, lake, scope.scope()?)
        }
    }
}

fn list(files: &[PathBuf]) -> anyhow::Result<Exit> {
    let mut exceptions = Pack::built_in()?.exceptions().to_vec();
    for file in files {
        exceptions.extend(read_exceptions(file)?);
    }
    let mut out = output::stdout();
    for Exception { id, owner, reason, expires, .. } in &exceptions {
        let expires = expires.map_or_else(|| "no expiry".to_owned(), |day| format!("until {day}"));
        writeln!(out, "{id:<40} {expires:<16} {owner}: {reason}")?;
    }
    out.flush()?;
    Ok(Exit::Ok)
}

fn lint(pack: &Pack) -> anyhow::Result<Exit> {
    let mut out = output::stdout();
    let refused = write_problems(pack, &mut out)?;
    writeln!(out, "{} exceptions, {refused} rejected", pack.exceptions().len())?;
    out.flush()?;
    Ok(if refused == 0 { Exit::Ok } else { Exit::Failed })
}

/// Writes the problems of a pack's exceptions, and returns the number of errors among them.
pub(crate) fn write_problems(pack: &Pack, out: &mut dyn Write) -> io::Result<usize> {
    let problems = lint_exceptions(pack);
    for problem in &problems {
        writeln!(out, "{problem}")?;
    }
    Ok(problems.iter().filter(|problem| problem.is_refused).count())
}

fn preview(
    runtime: &Runtime,
    pack: &Pack,
    lake: &LakeLocation,
    scope: Scope,
) -> anyhow::Result<Exit> {
    for problem in lint_exceptions(pack) {
        output::note(&problem.to_string());
    }
    let hunt = runtime.block_on(async {
        let lake = Lake::open(lake)?;
        let version = LakeVersion::newest(&lake);
        let session = version.session(scope.judged(), Limits::for_hunt(Limits::HUNT))?;
        let mut hunt = podtrail_detect::hunt(&session, pack, None, clock::now()).await?;
        if scope != scope.judged() {
            show_only(&mut hunt, &version.session(scope, Limits::default())?).await?;
        }
        anyhow::Ok(hunt)
    })?;
    for failure in &hunt.failures {
        output::warn(&failure.to_string());
    }
    warn_of_expired(&hunt.expired);
    let mut out = output::stdout();
    let mut by_exception: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for Excepted { exception, finding } in &hunt.excepted {
        by_exception.entry(exception).or_default().push(finding.clone());
    }
    for finding in &hunt.findings {
        if let Some(lowered) = &finding.lowered {
            by_exception.entry(&lowered.by).or_default().push(finding.clone());
        }
    }
    for exception in pack.exceptions() {
        let findings = by_exception.remove(exception.id.as_str()).unwrap_or_default();
        let does = match exception.effect {
            Effect::Hide => "hides",
            Effect::Lower => "lowers",
        };
        let Exception { id, reason, .. } = exception;
        writeln!(out, "{id} {does} {} findings: {reason}", findings.len())?;
        write_findings(&findings, output::width(), &mut out)?;
        writeln!(out)?;
    }
    writeln!(out, "{} other findings of these detections remain visible", hunt.findings.len())?;
    out.flush()?;
    Ok(if hunt.failures.is_empty() { Exit::Ok } else { Exit::Failed })
}

/// Prints a warning for each expired exception.
pub(crate) fn warn_of_expired(expired: &[Exception]) {
    for Exception { id, owner, expires, .. } in expired {
        let day = expires.map(|day| format!(" on {day}")).unwrap_or_default();
        output::warn(&format!("exception {id} of {owner} expired{day} and is not applied"));
    }
}

/// Returns how many findings each exception hides, the most frequent first.
pub(crate) fn hidden(excepted: &[Excepted]) -> String {
    hits(excepted.iter().map(|excepted| excepted.exception.as_str()))
}

/// Returns how many findings each exception lowers, the most frequent first, or `None` if none is lowered.
pub(crate) fn lowered(findings: &[Finding]) -> Option<String> {
    let lowered = findings.iter().filter_map(|finding| finding.lowered.as_ref());
    let by: Vec<_> = lowered.map(|lowered| lowered.by.as_str()).collect();
    (!by.is_empty()).then(|| hits(by.into_iter()))
}

fn hits<'a>(by: impl Iterator<Item = &'a str>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for by in by {
        *counts.entry(by).or_default() += 1;
    }
    let all: usize = counts.values().sum();
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let counts: Vec<_> = counts.iter().map(|(id, count)| format!("{id} {count}")).collect();
    format!("{all} ({})", counts.join(", "))
}
