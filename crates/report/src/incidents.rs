//! Incidents as text for a terminal, and as JSON lines.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::Style;
use podtrail_detect::{Finding, Incident, RecordedIncident, Severity, Step};
use serde::Serialize;

use crate::escape::escape;
use crate::findings::style;
use crate::summary::{plural, seconds, thousands};

/// The maximum number of steps shown of an incident; the JSON lines contain all.
const MAX_STEPS: usize = 60;

/// Writes one incident per line, as JSON.
///
/// # Errors
/// If `out` fails.
pub fn write_incidents_jsonl(incidents: &[impl Serialize], out: &mut dyn Write) -> io::Result<()> {
    for incident in incidents {
        serde_json::to_writer(&mut *out, incident)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Writes incidents as text, `width` columns wide: for each, what happened, step by step, why its findings belong
/// together, what the log cannot show, and what to do. The most severe incident is last, where a terminal shows it.
///
/// Colours are ANSI sequences; the caller removes them if the output is not a terminal.
///
/// # Errors
/// If `out` fails.
pub fn write_incidents(
    incidents: &[Incident],
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    for incident in incidents {
        write_incident(incident, width.max(60), out)?;
        writeln!(out)?;
    }
    Ok(())
}

/// Writes the id, state, severity, score, time and title of recorded incidents.
///
/// # Errors
/// If `out` fails.
pub fn write_recorded_incidents(
    incidents: &[RecordedIncident],
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    for RecordedIncident { state, incident, .. } in incidents {
        let style = style(incident.severity);
        writeln!(
            out,
            "{}  {state:<12}  {style}{:<8}{style:#}  score {}  last seen {} UTC",
            incident.incident_id.get(..12).unwrap_or_default(),
            incident.severity.as_str(),
            incident.score,
            seconds(incident.last_seen),
        )?;
        for line in wrapped(&escape(&incident.title), width.max(60), "  ", "  ") {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

fn write_incident(incident: &Incident, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let style = style(incident.severity);
    let bold = Style::new().bold();
    let severity = incident.severity.as_str().to_uppercase();
    let title = format!("{severity:<9}{}", escape(&incident.title));
    for (index, line) in wrapped(&title, width, "", "         ").into_iter().enumerate() {
        match line.strip_prefix(&severity).filter(|_| index == 0) {
            Some(rest) => writeln!(out, "{style}{severity}{style:#}{bold}{rest}{bold:#}")?,
            None => writeln!(out, "{bold}{line}{bold:#}")?,
        }
    }
    let findings: u64 = incident.counts.iter().sum();
    let facts = format!(
        "{} to {} UTC, cluster {}; score {} from {}, confidence {}; {}; id {}",
        seconds(incident.first_seen),
        incident.last_seen.format("%H:%M:%S"),
        escape(incident.cluster.as_deref().unwrap_or("?")),
        incident.score,
        plural(incident.points.len() as u64, "detection"),
        incident.confidence,
        plural(findings, "finding"),
        incident.incident_id.get(..12).unwrap_or_default(),
    );
    labelled(out, width, "when", &facts)?;
    let from = list(&incident.client_ips);
    if !from.is_empty() {
        labelled(out, width, "from", &from)?;
    }
    // One identity at one address needs no explanation.
    for link in incident.links.iter().skip(1) {
        labelled(out, width, "link", &escape(link))?;
    }
    let left_out = incident.steps.len().saturating_sub(MAX_STEPS);
    let least = least_shown(&incident.steps);
    let mut shown = 0;
    for step in &incident.steps {
        if (step.severity > least || left_out == 0) || step.severity == least && shown < MAX_STEPS {
            write_step(step, incident, width, out)?;
            shown += 1;
        }
    }
    if shown < incident.steps.len() {
        let more = (incident.steps.len() - shown) as u64;
        labelled(out, width, "", &format!("and {} more", plural(more, "step")))?;
    }
    for limit in &incident.limits {
        labelled(out, width, "unseen", limit)?;
    }
    for (phase, actions, others) in incident.first_commands() {
        labelled(out, width, "do", &format!("# {}", phase.title()))?;
        for action in actions {
            let note = action.note.map(|note| format!("   # {note}")).unwrap_or_default();
            // Commands are not wrapped, so that they can be copied.
            writeln!(out, "         {}{note}", escape(&action.command))?;
        }
        if others > 0 {
            let more = plural(others as u64, "command");
            labelled(
                out,
                width,
                "",
                &format!("# and {more} more, see --incidents --format jsonl"),
            )?;
        }
    }
    Ok(())
}

/// Writes the number of findings that are in none of the incidents shown, by detection, the most severe first.
///
/// # Errors
/// If `out` fails.
pub fn write_other_findings(
    findings: &[Finding],
    incidents: &[Incident],
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    const SHOWN: usize = 6;
    let mut kinds: BTreeMap<(Reverse<Severity>, &str), u64> = BTreeMap::new();
    let shown: BTreeSet<&str> = incidents.iter().map(|i| i.incident_id.as_str()).collect();
    let is_other =
        |finding: &&Finding| finding.incident_id.as_deref().is_none_or(|id| !shown.contains(id));
    for finding in findings.iter().filter(is_other) {
        *kinds.entry((Reverse(finding.severity), &finding.title)).or_default() += 1;
    }
    let total: u64 = kinds.values().sum();
    if total == 0 {
        return Ok(());
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by(|((a, x), m), ((b, y), n)| (a, Reverse(m), x).cmp(&(b, Reverse(n), y)));
    let named = kinds.iter().take(SHOWN).map(|((Reverse(severity), title), count)| {
        format!("{} {severity}: {title}", thousands(*count))
    });
    let mut text = format!("{} more: {}", thousands(total), named.collect::<Vec<_>>().join(" · "));
    if kinds.len() > SHOWN {
        let others: u64 = kinds.iter().skip(SHOWN).map(|(_, count)| count).sum();
        let _ =
            write!(text, " · {} of {} other detections", thousands(others), kinds.len() - SHOWN);
    }
    for line in wrapped(&text, width.max(60), "others      ", "            ") {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// Returns the lowest severity of the most severe steps that fit.
fn least_shown(steps: &[Step]) -> Severity {
    let mut severities: Vec<_> = steps.iter().map(|step| step.severity).collect();
    severities.sort_unstable_by(|a, b| b.cmp(a));
    severities.get(MAX_STEPS - 1).or(severities.last()).copied().unwrap_or(Severity::Info)
}

fn write_step(
    step: &Step,
    incident: &Incident,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    const TITLES: usize = 3;
    let style = style(step.severity);
    let mut text = String::new();
    // The identity of the title needs no repetition.
    if step.identity.as_ref() != incident.identities.first() {
        text.push_str(&escape(step.identity.as_deref().unwrap_or("an unauthenticated client")));
        text.push(' ');
    }
    text.push_str(&escape(&step.act));
    if step.requests > 1 && !step.act.ends_with(" times)") {
        let _ = write!(text, " ({} requests)", thousands(step.requests));
    }
    text.push_str(": ");
    let titles: Vec<_> = step.titles.iter().take(TITLES).map(|title| escape(title)).collect();
    text.push_str(&titles.join(" · "));
    if step.titles.len() > TITLES {
        let _ = write!(text, " · +{}", step.titles.len() - TITLES);
    }
    let mark = step.severity.as_str();
    let first = format!("  {} ", step.time.format("%H:%M:%S"));
    let lines = wrapped(&format!("{mark:<8} {text}"), width.saturating_sub(11), "", "         ");
    for (index, line) in lines.into_iter().enumerate() {
        match line.strip_prefix(mark).filter(|_| index == 0) {
            Some(rest) => writeln!(out, "{first}{style}{mark}{style:#}{rest}")?,
            None => writeln!(out, "           {line}")?,
        }
    }
    Ok(())
}

fn list(values: &[String]) -> String {
    const SHOWN: usize = 6;
    let mut text =
        values.iter().take(SHOWN).map(|v| escape(v).into_owned()).collect::<Vec<_>>().join(", ");
    if values.len() > SHOWN {
        let _ = write!(text, " and {} more", values.len() - SHOWN);
    }
    text
}

fn labelled(out: &mut dyn Write, width: usize, label: &str, text: &str) -> io::Result<()> {
    for line in wrapped(text, width, &format!("  {label:<7}"), "         ") {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn wrapped(text: &str, width: usize, first: &str, next: &str) -> Vec<String> {
    let options = textwrap::Options::new(width)
        .initial_indent(first)
        .subsequent_indent(next)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .break_words(false);
    textwrap::wrap(text, options).into_iter().map(std::borrow::Cow::into_owned).collect()
}
