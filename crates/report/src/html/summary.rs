//! The summary: numbers, identities, namespaces, and the findings to read first.

use std::collections::BTreeMap;

use maud::{Markup, html};
use podtrail_detect::{Finding, Severity};

use super::report::HtmlReport;
use super::text::{
    count, filter_link, finding_href, log, log_list, log_or, object, plural, severity, shown, time,
};
use crate::summary::thousands;

/// Returns the number of findings of each severity, the lowest first.
pub(super) fn counts<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> [u64; 5] {
    let mut counts = [0; 5];
    for finding in findings {
        for (count, severity) in counts.iter_mut().zip(Severity::ALL) {
            *count += u64::from(finding.severity == *severity);
        }
    }
    counts
}

pub(super) fn title(report: &HtmlReport<'_>) -> String {
    let incidents = match report.incidents.len() {
        0 => "No incidents".to_owned(),
        count => plural(count as u64, "incident"),
    };
    let findings = match report.hunt.findings.len() {
        0 => "no findings".to_owned(),
        count => plural(count as u64, "finding"),
    };
    let findings = format!("{incidents}, {findings}");
    match report.log.clusters.as_slice() {
        [] => findings,
        [cluster] => format!("{findings} in cluster {}", shown(cluster)),
        clusters => format!("{findings} in {} clusters", clusters.len()),
    }
}

pub(super) fn lead(report: &HtmlReport<'_>) -> Markup {
    let summary = report.log;
    html! {
        (plural(report.hunt.detections as u64, "detection")) " examined "
        (plural(summary.events, "event")) " from " (thousands(summary.identities))
        @if summary.identities == 1 { " identity" } @else { " identities" }
        @if let (Some(first), Some(last)) = (summary.first, summary.last) {
            ", from " (time(first)) " to " (time(last)) " UTC"
        }
        "."
        @if report.hunt.findings.is_empty() {
            " No findings of severity " (report.least) " or above."
        } @else {
            @let named = most_severe(&report.hunt.findings);
            @if !named.is_empty() { " The most severe findings concern " (log_list(&named)) "." }
        }
    }
}

/// Returns every identity with a finding of the highest severity.
fn most_severe(findings: &[Finding]) -> Vec<String> {
    let highest = findings.iter().map(|finding| finding.severity).max();
    let ranked = ranked(findings, |finding| &finding.identity).into_iter();
    let has_highest = |counts: &[u64; 5]| {
        let levels = Severity::ALL.iter().zip(counts);
        levels.into_iter().any(|(level, count)| Some(*level) == highest && *count > 0)
    };
    let named = ranked.filter(|(counts, _)| has_highest(counts));
    named.filter_map(|(_, identity)| identity.clone()).collect()
}

pub(super) fn section(report: &HtmlReport<'_>) -> Markup {
    let findings = &report.hunt.findings;
    let identities = ranked(findings, |finding| &finding.identity);
    let namespaces = ranked(findings, |finding| &finding.namespace);
    html! {
        (tally(report))
        (limits(report))
        @if !findings.is_empty() {
            // On paper, the steps of incidents take their place.
            div.screen[!report.incidents.is_empty()] {
                h3 { "Read first" }
                ol.first {
                    @for finding in read_first(findings) {
                        li {
                            (severity(finding.severity))
                            div {
                                a href=(finding_href(finding)) { (finding.title) }
                                @if let Some(reason) = finding.reasons.first() { p { (log(reason)) } }
                                p.meta {
                                    (log_or(finding.identity.as_deref(), "not authenticated"))
                                    " · " (object(finding)) " · " (time(finding.first_seen))
                                }
                            }
                        }
                    }
                }
            }
            div.columns {
                (ranking("Who", "Identity", "not authenticated", &identities))
                (ranking("Where", "Namespace", "the cluster itself", &namespaces))
            }
        }
        dl.facts {
            div {
                dt { "Period, UTC" }
                dd {
                    @if let Some((first, last)) = report.log.first.zip(report.log.last) {
                        (time(first)) " to" br; (time(last))
                    } @else { "no events" }
                }
            }
            div { dt { "Clusters" } dd { (log_list(&report.log.clusters)) } }
            (fact("Events", &thousands(report.log.events)))
            (fact("Requests", &thousands(report.log.requests)))
            (fact("Identities", &thousands(report.log.identities)))
            (fact("Workload writes", &thousands(report.log.workload_writes)))
            (fact("Writes with body in the log", &thousands(report.log.visible_writes)))
            (fact("Excepted findings", &thousands(report.hunt.excepted.len() as u64)))
        }
    }
}

fn fact(name: &str, value: &str) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

/// Returns the number of findings of each severity; each number links to these findings.
fn tally(report: &HtmlReport<'_>) -> Markup {
    let counts = counts(&report.hunt.findings);
    html! {
        ul.tally {
            @for (level, count) in Severity::ALL.iter().zip(counts).rev().filter(|(level, _)| **level >= report.least) {
                li class={ "level " (level) } {
                    @if count > 0 {
                        a href={ "#severity=" (level) } { b { (thousands(count)) } " " (level) }
                    } @else {
                        span { b { "0" } " " (level) }
                    }
                }
            }
        }
    }
}

/// Returns the limitations that a reader must know before trusting the numbers.
fn limits(report: &HtmlReport<'_>) -> Markup {
    let failures = report.hunt.failures.len() as u64;
    let blind: u64 = report.log.blind_writes.iter().map(|(_, count)| count).sum();
    let quarantined = report.context.quarantined;
    let expired = report.hunt.expired.len() as u64;
    html! {
        @if failures + blind + quarantined + expired > 0 {
            ul.limits {
                @if failures > 0 {
                    li { strong { (plural(failures, "detection")) " failed. " } a href="#coverage" { "Which" } }
                }
                @if blind > 0 {
                    li {
                        strong { (plural(blind, "write")) " to workloads or roles without a body: " }
                        "detections cannot see their content. " a href="#coverage" { "Where" }
                    }
                }
                @if quarantined > 0 {
                    li { strong { (plural(quarantined, "record")) " could not be parsed. " } a href="#coverage" { "More" } }
                }
                @if expired > 0 {
                    li { strong { (plural(expired, "exception")) " expired and not applied. " } a href="#exceptions" { "Which" } }
                }
            }
        }
    }
}

/// Returns the most severe findings, those seen first before others, each kind once.
fn read_first(findings: &[Finding]) -> Vec<&Finding> {
    const SHOWN: usize = 7;
    let mut kinds: Vec<(&str, Option<&str>)> = Vec::new();
    let mut first = Vec::new();
    for finding in findings {
        let kind = (finding.detection.as_str(), finding.identity.as_deref());
        if first.len() < SHOWN && finding.severity > Severity::Low && !kinds.contains(&kind) {
            kinds.push(kind);
            first.push(finding);
        }
    }
    first
}

/// Returns the values of an attribute, those with the most severe findings first, with their numbers of findings.
fn ranked<'a>(
    findings: &'a [Finding],
    member: impl Fn(&'a Finding) -> &'a Option<String>,
) -> Vec<([u64; 5], &'a Option<String>)> {
    let mut groups: BTreeMap<&Option<String>, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        groups.entry(member(finding)).or_default().push(finding);
    }
    let mut rows: Vec<_> =
        groups.into_iter().map(|(name, findings)| (counts(findings), name)).collect();
    rows.sort_by(|(a, _), (b, _)| b.iter().rev().cmp(a.iter().rev()));
    rows
}

fn ranking(
    title: &str,
    column: &str,
    nobody: &str,
    rows: &[([u64; 5], &Option<String>)],
) -> Markup {
    const SHOWN: usize = 6;
    html! {
        div {
            h3 { (title) }
            table.ranking {
                thead {
                    tr {
                        th scope="col" { (column) }
                        @for level in Severity::ALL.iter().rev().take(4) {
                            th.number.level scope="col" { (level) }
                        }
                    }
                }
                tbody {
                    @for (counts, name) in rows.iter().take(SHOWN) {
                        tr {
                            th scope="row" {
                                @match name {
                                    Some(name) => (filter_link(name)),
                                    None => span.absent { (nobody) },
                                }
                            }
                            @for number in counts.iter().rev().take(4) {
                                td.number { (count(*number)) }
                            }
                        }
                    }
                }
            }
            @if rows.len() > SHOWN { p.note { "and " (rows.len() - SHOWN) " more" } }
        }
    }
}
