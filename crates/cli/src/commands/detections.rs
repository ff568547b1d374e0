//! `podtrail detections`: lists, explains, tests and creates detections.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, bail, ensure};
use podtrail_detect::{
    Detection, HEALTH_CHECKS, HealthCheck, Pack, Severity, lint, navigator_layer, run_cases,
};
use podtrail_report::{escape_markdown, markdown_header, markdown_row};
use tokio::runtime::Runtime;

use crate::args::{DetectionsCommand, PackArgs, ReferenceFormat};
use crate::clock;
use crate::commands::exceptions;
use crate::exit::Exit;
use crate::output;
use crate::output_file::OutputFile;
use crate::pack;

pub(crate) fn run(runtime: &Runtime, command: &DetectionsCommand) -> anyhow::Result<Exit> {
    match command {
        DetectionsCommand::List { format, pack } => list(&pack_of(pack)?, *format),
        DetectionsCommand::Show { id, pack } => show(&pack_of(pack)?, id),
        DetectionsCommand::Test { ids, cases, pack } => test(runtime, &pack_of(pack)?, ids, cases),
        DetectionsCommand::Lint(arguments) => check(runtime, &pack_of(arguments)?),
        DetectionsCommand::New { id, queries, family, cases } => {
            new(id, &queries.join(family), cases)
        }
        DetectionsCommand::Coverage { navigator, pack } => coverage(&pack_of(pack)?, *navigator),
    }
}

fn pack_of(arguments: &PackArgs) -> anyhow::Result<Pack> {
    pack::load(&arguments.queries)
}

fn list(pack: &Pack, format: ReferenceFormat) -> anyhow::Result<Exit> {
    let mut out = output::stdout();
    match format {
        ReferenceFormat::Table => lines(pack, &mut out)?,
        ReferenceFormat::Markdown => page(pack, &mut out)?,
    }
    out.flush()?;
    Ok(Exit::Ok)
}

fn lines(pack: &Pack, out: &mut dyn Write) -> io::Result<()> {
    for detection in pack.detections() {
        let head = &detection.head;
        let attack = head.attack.join(", ");
        writeln!(out, "{:<9} {:<40} {} ({attack})", head.severity, head.id, head.title)?;
    }
    for HealthCheck { severity, id, title, attack, .. } in HEALTH_CHECKS {
        writeln!(out, "{severity:<9} {id:<40} {title} ({})", attack.join(", "))?;
    }
    Ok(())
}

const PAGE: &str = "# Detections

The detections of the built-in pack by family, most severe first; each family is a folder of SQL files.
`podtrail detections show ID` shows the blind spots, false positives, next steps and SQL of a detection.
[queries/README.md](../queries/README.md) explains the files. `podtrail detections list --format markdown` prints this page.
";

/// Writes the page docs/detections.md, which links to the files.
fn page(pack: &Pack, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{PAGE}")?;
    let mut families: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for detection in pack.detections() {
        families.entry(detection.family()).or_default().push(detection);
    }
    for (family, detections) in &mut families {
        detections.sort_by_key(|detection| Reverse(detection.head.severity));
        writeln!(out, "## {family}\n")?;
        let title = pack.family_title(family);
        if !title.is_empty() {
            writeln!(out, "{}\n", escape_markdown(title))?;
        }
        head_row(out)?;
        for Detection { head, file, .. } in detections {
            let link = format!("[{}](../{})", head.id, file.display());
            row(out, link, &head.title, head.severity, &head.attack, &head.description)?;
        }
        writeln!(out)?;
    }
    writeln!(out, "## health\n\nChecks of the lake itself, which `podtrail detect` runs.\n")?;
    head_row(out)?;
    for HealthCheck { severity, id, title, attack, description } in HEALTH_CHECKS {
        row(out, (*id).to_owned(), title, severity, attack, description)?;
    }
    Ok(())
}

fn head_row(out: &mut dyn Write) -> io::Result<()> {
    let names = ["detection", "title", "severity", "ATT&CK", "description"];
    markdown_header(out, names.into_iter().map(str::to_owned))
}

fn row(
    out: &mut dyn Write,
    link: String,
    title: &str,
    severity: Severity,
    attack: &[impl AsRef<str>],
    description: &str,
) -> io::Result<()> {
    // The first sentence of the description.
    let sees = description.split_inclusive(". ").next().unwrap_or_default().trim();
    let attack: Vec<_> = attack.iter().map(AsRef::as_ref).collect();
    let texts = [title, &severity.to_string(), &attack.join(", "), sees].map(escape_markdown);
    markdown_row(out, [link].into_iter().chain(texts))
}

fn show(pack: &Pack, id: &str) -> anyhow::Result<Exit> {
    if let Some(HealthCheck { title, severity, attack, description, .. }) = pack::health_check(id) {
        let mut out = output::stdout();
        writeln!(out, "{id}: {title}\n\n{}\n", textwrap::fill(description, output::width()))?;
        writeln!(out, "severity    {severity}\ntechniques  {}", attack.join(", "))?;
        writeln!(out, "\n`podtrail detect` runs this check of the lake itself.")?;
        out.flush()?;
        return Ok(Exit::Ok);
    }
    let Detection { head, sql, .. } = pack::find(pack, id)?;
    let mut out = output::stdout();
    writeln!(out, "{}: {}", head.id, head.title)?;
    writeln!(out)?;
    writeln!(out, "{}", textwrap::fill(&head.description, output::width()))?;
    writeln!(out)?;
    let facts = [
        ("aliases", head.aliases.join(", ")),
        ("severity", head.severity.to_string()),
        ("routine", head.routine.map_or_else(String::new, |severity| severity.to_string())),
        ("confidence", head.confidence.to_string()),
        ("risk", head.risk.to_string()),
        ("tactics", head.tactics.join(", ")),
        ("techniques", head.attack.join(", ")),
        ("controls", head.controls.join(", ")),
        ("covers", head.covers.join(", ")),
        ("version", head.version.to_string()),
    ];
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        writeln!(out, "{name:<12}{value}")?;
    }
    for (name, parameter) in &head.parameters {
        let (kind, default) = (parameter.type_name(), parameter.default_text());
        writeln!(
            out,
            "{:<12}{name} ({kind}, {default}): {}",
            "parameter",
            parameter.description()
        )?;
    }
    let texts = [
        ("Blind spots", head.blind_spots.as_slice().to_vec()),
        ("False positives", head.false_positives.clone()),
        ("Next steps", head.triage.clone()),
        ("References", head.references.clone()),
    ];
    for (title, lines) in texts.iter().filter(|(_, lines)| !lines.is_empty()) {
        writeln!(out)?;
        writeln!(out, "{title}:")?;
        for line in lines {
            let options = textwrap::Options::new(output::width())
                .initial_indent("- ")
                .subsequent_indent("  ")
                .break_words(false);
            writeln!(out, "{}", textwrap::fill(line, options))?;
        }
    }
    writeln!(out)?;
    writeln!(out, "{sql}")?;
    out.flush()?;
    Ok(Exit::Ok)
}

fn test(runtime: &Runtime, pack: &Pack, ids: &[String], cases: &Path) -> anyhow::Result<Exit> {
    ensure!(cases.is_dir(), "{}: no such folder of case files; use --cases DIR", cases.display());
    for id in ids {
        pack::find(pack, id)?;
    }
    let reports = runtime.block_on(run_cases(pack, ids, cases, clock::now()))?;
    let failed = reports.iter().filter(|report| !report.problems.is_empty()).count();
    let mut out = output::stdout();
    for report in &reports {
        writeln!(out, "{report}")?;
    }
    writeln!(out, "{} detections, {failed} failed", reports.len())?;
    out.flush()?;
    Ok(if failed == 0 { Exit::Ok } else { Exit::Failed })
}

fn check(runtime: &Runtime, pack: &Pack) -> anyhow::Result<Exit> {
    let problems = runtime.block_on(lint(pack))?;
    let mut out = output::stdout();
    for problem in &problems {
        writeln!(out, "{problem}")?;
    }
    let refused = exceptions::write_problems(pack, &mut out)?;
    let count = problems.len() + refused;
    writeln!(out, "{} detections, {count} problems", pack.detections().count())?;
    out.flush()?;
    Ok(if count == 0 { Exit::Ok } else { Exit::Failed })
}

/// The header and query that [`new`] starts a detection with.
const SCAFFOLD: &str = "/*
id: {id}
title: Short title for lists
severity: low
confidence: medium
risk: 10
attack: [T1610]
tactics: [Execution]
description: >-
  What happens, and why an attacker does it.
blind_spots: >-
  What the detection cannot see, and why.
false_positives:
  - Benign behaviour that matches
triage:
  - The next question, in SQL or words
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WL-000]
*/
SELECT event_id, object || ' is written' AS reason
FROM workloads
WHERE outcome = 'allowed' AND NOT made_by_controller
";

fn new(id: &str, family: &Path, cases: &Path) -> anyhow::Result<Exit> {
    let text = SCAFFOLD.replace("{id}", id);
    Detection::parse(id, &text)?;
    let file = family.join(format!("{id}.sql"));
    if file.exists() {
        bail!("{} already exists", file.display());
    }
    let folders =
        [family.to_owned(), cases.join(id).join("match"), cases.join(id).join("no-match")];
    for folder in &folders {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let mut written = OutputFile::create(&file)?;
    written.write_all(text.as_bytes()).with_context(|| file.display().to_string())?;
    written.finish()?;
    let case = cases.join(id).display().to_string();
    output::note(&format!(
        "wrote {}; add logs that it must find to {case}/match and look-alikes to {case}/no-match, one event per line",
        file.display()
    ));
    Ok(Exit::Ok)
}

fn coverage(pack: &Pack, navigator: bool) -> anyhow::Result<Exit> {
    let mut out = output::stdout();
    if navigator {
        serde_json::to_writer_pretty(&mut out, &navigator_layer(pack))?;
        writeln!(out)?;
    } else {
        for (technique, detections) in pack.techniques() {
            writeln!(out, "{technique:<10} {:>3}  {}", detections.len(), detections.join(", "))?;
        }
    }
    out.flush()?;
    Ok(Exit::Ok)
}
