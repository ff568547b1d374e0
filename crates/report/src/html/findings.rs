//! The findings, each with its evidence and the origin of its workload.

use std::collections::BTreeSet;

use maud::{Markup, html};
use podtrail_detect::{AttackNames, Finding, Severity, Source};

use super::context::{Context, Lineage, MAX_EVENTS};
use super::report::HtmlReport;
use super::text::{
    exact_time, filter_link, finding_href, log, log_list, log_or, object, plural, severity, time,
};
use crate::summary::thousands;

/// The maximum number of findings in a report, the most severe first.
const MAX_FINDINGS: usize = 5_000;
pub(super) fn section(report: &HtmlReport<'_>) -> Markup {
    let findings = &report.hunt.findings;
    let names = report.pack.attack_names();
    html! {
        @if findings.is_empty() {
            p.note { "No findings of severity " (report.least) " or above." }
        } @else {
            (filter(report))
            table #findings-table data-sortable {
                caption.hidden { "Findings; the row below each shows its reasons and opens its evidence" }
                thead {
                    tr {
                        th scope="col" data-sort="descending" { "Severity" }
                        th scope="col" data-sort="ascending" { "Finding" }
                        th scope="col" data-sort="ascending" { "Identity" }
                        th scope="col" data-sort="ascending" { "Object" }
                        th scope="col" data-sort="ascending" { "First seen, UTC" }
                        th.number scope="col" data-sort="descending" { "Events" }
                    }
                }
                @for finding in findings.iter().take(MAX_FINDINGS) {
                    (row(finding, &names, report.context))
                }
            }
            p #no-match hidden { "No finding matches the filter." }
            @if findings.len() > MAX_FINDINGS {
                p.note {
                    (thousands((findings.len() - MAX_FINDINGS) as u64)) " more findings, less severe or later, are not in "
                    "this file: " code { "--format jsonl" } " prints all."
                }
            }
        }
        @if report.left_out > 0 {
            p.note {
                (plural(report.left_out as u64, "finding")) " below severity " (report.least) " not shown; "
                code { "--min-severity info" } " shows them."
            }
        }
    }
}

/// Renders the filter, which is hidden until the script shows it, because it needs the script.
fn filter(report: &HtmlReport<'_>) -> Markup {
    html! {
        form #filter role="search" hidden {
            label.hidden for="query" { "Find in findings" }
            input #query type="search" autocomplete="off" spellcheck="false"
                placeholder="Find an identity, image, namespace, audit ID, technique …";
            fieldset {
                legend.hidden { "Severity" }
                @for level in Severity::ALL.iter().rev().filter(|level| **level >= report.least) {
                    label class={ "level " (level) } { input type="checkbox" name="severity" value=(level) checked; " " (level) }
                }
            }
            output for="query" aria-live="polite" {}
        }
    }
}

fn row(finding: &Finding, names: &AttackNames, context: &Context) -> Markup {
    let rank = Severity::ALL.iter().position(|level| *level == finding.severity).unwrap_or(0);
    html! {
        tbody id={ "f-" (finding.finding_id) } data-severity=(finding.severity) {
            tr {
                td data-value=(rank) { (severity(finding.severity)) }
                th scope="row" {
                    (finding.title) " "
                    a.permalink href=(finding_href(finding)) title="Link to this finding" {
                        span aria-hidden="true" { "#" }
                        span.hidden { "Link to this finding" }
                    }
                }
                td { (log_or(finding.identity.as_deref(), "not authenticated")) }
                td {
                    (object(finding))
                    @if let Some(resource) = &finding.resource { span.absent { " " (log(resource)) } }
                }
                td data-value=(finding.first_seen.timestamp_micros()) { (time(finding.first_seen)) }
                td.number data-value=(finding.count) { (thousands(finding.count)) }
            }
            tr.more {
                td colspan="6" {
                    details {
                        summary {
                            @match finding.reasons.as_slice() {
                                [] => "Evidence",
                                [reason, more @ ..] => {
                                    (log(reason))
                                    @if !more.is_empty() { span.absent { " and " (plural(more.len() as u64, "reason")) } }
                                }
                            }
                        }
                        (details(finding, names, context))
                    }
                }
            }
        }
    }
}

fn details(finding: &Finding, names: &AttackNames, context: &Context) -> Markup {
    let lineage = lineage(finding, context);
    html! {
        dl.facts {
            @if finding.reasons.len() > 1 {
                div.wide { dt { "Why" } dd { ul { @for reason in finding.reasons.iter().take(MAX_EVENTS) { li { (log(reason)) } } } } }
            }
            @if let Some(lowered) = &finding.lowered {
                div.wide {
                    dt { "Lowered" }
                    dd { "from " (lowered.from) " by " (log(&lowered.by)) ": " (log(&lowered.reason)) }
                }
            }
            div {
                dt { "Who" }
                dd {
                    @match &finding.identity {
                        Some(identity) => (filter_link(identity)),
                        None => span.absent { "not authenticated" },
                    }
                    @if let Some(other) = &finding.impersonated_identity { " as " (filter_link(other)) }
                }
            }
            div {
                dt { "From" }
                dd {
                    (log_or(finding.client_ip.as_deref(), "address not in the log"))
                    br;
                    (log_or(finding.user_agent.as_deref(), "user agent not in the log"))
                }
            }
            div {
                dt { "What" }
                dd {
                    (log_or(finding.verb.as_deref(), "?")) " " (log_or(finding.resource.as_deref(), ""))
                    " " (log_or(finding.name.as_deref(), "name not in the log"))
                    @if let Some(outcome) = &finding.outcome { ", " (log(outcome)) }
                }
            }
            div {
                dt { "Where" }
                dd {
                    @if let Some(namespace) = &finding.namespace { "namespace " (filter_link(namespace)) ", " }
                    "cluster " (log_or(finding.cluster.as_deref(), "unknown"))
                }
            }
            @if !finding.images.is_empty() {
                div { dt { "Images" } dd { (log_list(&finding.images)) } }
            }
            @for origin in &lineage {
                div { dt { "Root owner" } dd { (root(origin)) } }
                div { dt { "Author" } dd { (author(origin)) } }
            }
            div {
                dt { "When, UTC" }
                dd {
                    (exact_time(finding.first_seen))
                    @if finding.count > 1 { " to " (exact_time(finding.last_seen)) }
                }
            }
            div {
                dt { "ATT&CK" }
                dd {
                    @for id in &finding.attack {
                        a href=(technique_href(id)) rel="noreferrer" { (id) }
                        " " (names.technique(id).unwrap_or_default()) br;
                    }
                    span.absent { (finding.tactics.join(", ")) }
                }
            }
            div {
                dt { "Detection" }
                dd {
                    a href={ "#d-" (finding.detection) } { (finding.detection) }
                    span.absent { ", confidence " (finding.confidence) ", risk " (finding.risk) }
                }
            }
            div { dt { "Finding" } dd { code { (finding.finding_id) } } }
        }
        (evidence(finding, context))
    }
}

/// Returns the origins of a finding's workloads, each once.
fn lineage<'a>(finding: &Finding, context: &'a Context) -> Vec<&'a Lineage> {
    let mut seen = BTreeSet::new();
    let known = finding.event_ids.iter().take(MAX_EVENTS).filter_map(|id| context.lineage.get(id));
    known
        .filter(|origin| seen.insert((&origin.root_kind, &origin.root_name, &origin.author)))
        .take(3)
        .collect()
}

fn root(origin: &Lineage) -> Markup {
    html! {
        @match (&origin.root_kind, &origin.root_name) {
            (None, None) => span.absent { "not in the log" },
            (kind, name) => {
                (log_or(kind.as_deref(), "")) " " (log_or(name.as_deref(), "name not in the log"))
            }
        }
    }
}

fn author(origin: &Lineage) -> Markup {
    html! {
        @match &origin.author {
            None => span.absent { "unknown, because the log begins after its spec was written" },
            Some(author) => {
                (filter_link(author))
                span.absent {
                    @if let Some(how) = &origin.author_known_by { ", known by " (log(how)) }
                    @if let Some(when) = origin.author_time { ", " (time(when)) }
                }
            }
        }
    }
}

fn evidence(finding: &Finding, context: &Context) -> Markup {
    let events = finding.event_ids.iter().zip(&finding.sources);
    let shown = finding.event_ids.len().min(MAX_EVENTS);
    let mut files: Vec<(&str, Option<&str>)> = Vec::new();
    for source in finding.sources.iter().take(shown) {
        let file = (source.file.as_deref().unwrap_or_default(), source.sha256.as_deref());
        if !files.contains(&file) {
            files.push(file);
        }
    }
    html! {
        h4 { "Evidence" }
        div.scroll {
            table.evidence {
                thead {
                    tr {
                        th scope="col" { "Time, UTC" }
                        th scope="col" { "Request" }
                        th scope="col" { "Audit ID" }
                        th scope="col" { "File and line" }
                        th.number scope="col" { "Offset" }
                    }
                }
                tbody {
                    @for (id, source) in events.take(shown) {
                        (event(id, source, context))
                    }
                }
            }
        }
        @if finding.event_ids.len() > shown {
            p.note { "and " (plural((finding.event_ids.len() - shown) as u64, "event")) " more: " code { "--format jsonl" } " prints all" }
        }
        ul.digests {
            @for (file, digest) in files {
                li { (log(file)) " " span.absent { "SHA-256" } " " code { (log_or(digest, "not known")) } }
            }
        }
    }
}

fn event(id: &str, source: &Source, context: &Context) -> Markup {
    let facts = context.events.get(id);
    html! {
        tr {
            td { @if let Some(facts) = facts { (exact_time(facts.time)) } }
            td {
                @if let Some(facts) = facts {
                    (log_or(facts.verb.as_deref(), "?")) " " (log_or(facts.resource.as_deref(), ""))
                    " " (log_or(facts.name.as_deref(), ""))
                    @if let Some(code) = facts.status_code { span.absent { " " (code) } }
                }
            }
            td { code { (log_or(facts.and_then(|facts| facts.audit_id.as_deref()), "none")) } }
            td {
                (log_or(source.file.as_deref(), "unknown"))
                @if let Some(line) = source.line { ":" (line) }
            }
            td.number { @if let Some(offset) = source.offset { (offset) } }
        }
    }
}

/// Returns the page of a technique; an id has only digits and a dot.
pub(super) fn technique_href(id: &str) -> String {
    format!("https://attack.mitre.org/techniques/{}/", id.replace('.', "/"))
}
