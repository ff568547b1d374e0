//! Findings as text for a terminal, and as JSON lines.

use std::borrow::Cow;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use podtrail_detect::{Finding, Severity};

use crate::escape::escape;

/// Writes one finding per line, as JSON.
///
/// # Errors
/// If `out` fails.
pub fn write_findings_jsonl(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    for finding in findings {
        serde_json::to_writer(&mut *out, finding)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Writes findings as text, `width` columns wide: who, what, where, when, from where, why, and the evidence.
///
/// Colours are ANSI sequences; the caller removes them if the output is not a terminal.
///
/// # Errors
/// If `out` fails.
pub fn write_findings(findings: &[Finding], width: usize, out: &mut dyn Write) -> io::Result<()> {
    for finding in findings {
        let style = style(finding.severity);
        let severity = finding.severity.as_str().to_uppercase();
        let bold = Style::new().bold();
        writeln!(
            out,
            "{style}{severity:<9}{style:#}{bold}{}{bold:#}  {}",
            finding.title,
            finding.attack.join(" ")
        )?;
        // Findings of health checks have no events.
        if !finding.event_ids.is_empty() {
            line(out, width, "who", &who(finding))?;
            line(out, width, "what", &what(finding))?;
        }
        line(out, width, "where", &place(finding))?;
        line(out, width, "when", &when(finding))?;
        line(out, width, "from", &from(finding))?;
        for reason in &finding.reasons {
            line(out, width, "why", &escape(reason))?;
        }
        if let Some(lowered) = &finding.lowered {
            let was = format!("{}, lowered by {}", lowered.from, escape(&lowered.by));
            line(out, width, "was", &was)?;
        }
        line(out, width, "proof", &proof(finding))?;
        if let Some(audit_id) = finding.audit_ids.first() {
            line(out, width, "audit", &escape(audit_id))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

pub(crate) fn style(severity: Severity) -> Style {
    let style = Style::new().bold();
    match severity {
        Severity::Critical | Severity::High => style.fg_color(Some(AnsiColor::Red.into())),
        Severity::Medium => style.fg_color(Some(AnsiColor::Yellow.into())),
        Severity::Low => style.fg_color(Some(AnsiColor::Cyan.into())),
        Severity::Info => style,
    }
}

/// Writes a labelled line, wrapped with a hanging indent.
fn line(out: &mut dyn Write, width: usize, label: &str, text: &str) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let first = format!("  {label:<7}");
    let options = textwrap::Options::new(width.max(40))
        .initial_indent(&first)
        .subsequent_indent("         ")
        // Names, paths and ids are not broken, so that they can be copied.
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .break_words(false);
    for folded in textwrap::wrap(text, options) {
        writeln!(out, "{folded}")?;
    }
    Ok(())
}

fn shown(text: Option<&String>) -> Option<Cow<'_, str>> {
    text.map(|text| escape(text))
}

fn who(finding: &Finding) -> String {
    let who = shown(finding.identity.as_ref()).unwrap_or("not authenticated".into());
    match shown(finding.impersonated_identity.as_ref()) {
        Some(other) => format!("{who} as {other}"),
        None => who.into_owned(),
    }
}

fn what(finding: &Finding) -> String {
    let verb = shown(finding.verb.as_ref()).unwrap_or("?".into());
    let resource = shown(finding.resource.as_ref()).unwrap_or_default();
    let name = shown(finding.name.as_ref()).unwrap_or_else(|| match finding.verb.as_deref() {
        _ if resource.is_empty() => "a path without a resource".into(),
        Some("list" | "watch" | "deletecollection") => "(all)".into(),
        _ => "(name not in the log)".into(),
    });
    let mut what = [verb, resource, name]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    if !finding.images.is_empty() {
        let images: Vec<_> = finding.images.iter().map(|image| escape(image)).collect();
        what.push_str(" with ");
        what.push_str(&images.join(", "));
    }
    if let Some(outcome) = finding.outcome.as_deref().filter(|outcome| *outcome != "allowed") {
        what.push_str(", outcome ");
        what.push_str(outcome);
    }
    what
}

fn place(finding: &Finding) -> String {
    let Some(cluster) = shown(finding.cluster.as_ref()) else { return String::new() };
    if let (Some(resource), true) = (&finding.resource, finding.event_ids.is_empty()) {
        return format!("{} of cluster {cluster}", escape(resource));
    }
    match shown(finding.namespace.as_ref()) {
        Some(namespace) => format!("namespace {namespace} of cluster {cluster}"),
        None => format!("cluster {cluster}"),
    }
}

fn when(finding: &Finding) -> String {
    let first = finding.first_seen.format("%Y-%m-%d %H:%M:%S%.3f");
    if finding.count <= 1 {
        return format!("{first} UTC");
    }
    let last = finding.last_seen.format("%Y-%m-%d %H:%M:%S%.3f");
    format!("{first} to {last} UTC, {} times", finding.count)
}

fn from(finding: &Finding) -> String {
    let parts = [finding.client_ip.as_ref(), finding.user_agent.as_ref()];
    let parts: Vec<_> = parts.into_iter().filter_map(shown).collect();
    parts.join(", ")
}

fn proof(finding: &Finding) -> String {
    let file = shown(finding.source.file.as_ref()).unwrap_or_default();
    match finding.source.line {
        Some(line) => format!("{file}:{line}"),
        None => file.into_owned(),
    }
}
