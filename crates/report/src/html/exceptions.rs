//! The exceptions that hid or lowered findings, with these findings.

use std::collections::BTreeMap;

use maud::{Markup, html};
use podtrail_detect::{Exception, Finding};

use super::report::HtmlReport;
use super::text::{log_or, object, plural, severity, time};

/// The maximum number of hidden findings that are listed per exception.
const MAX_HIDDEN: usize = 200;

pub(super) fn section(report: &HtmlReport<'_>) -> Markup {
    let mut hidden: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for excepted in &report.hunt.excepted {
        hidden.entry(&excepted.exception).or_default().push(&excepted.finding);
    }
    let mut lowered: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in &report.hunt.findings {
        if let Some(by) = &finding.lowered {
            lowered.entry(&by.by).or_default().push(finding);
        }
    }
    html! {
        p.note {
            "An exception hides or lowers findings that are known to be benign, and has an owner. "
            @if hidden.is_empty() { "No finding was hidden here. " }
            "Built-in exceptions only lower findings, which remain in this report."
        }
        @for exception in report.pack.exceptions() {
            @if let Some(findings) = hidden.get(exception.id.as_str()) {
                details.detection {
                    summary { (exception.id) " " span.absent { "hid " (plural(findings.len() as u64, "finding")) } }
                    (about(exception))
                    (list(findings))
                }
            }
            @if let Some(findings) = lowered.get(exception.id.as_str()) {
                details.detection {
                    summary { (exception.id) " " span.absent { "lowered " (plural(findings.len() as u64, "finding")) } }
                    (about(exception))
                    (list(findings))
                }
            }
        }
        @for exception in &report.hunt.expired {
            details.detection {
                summary { (exception.id) " " span.absent { "expired, not applied" } }
                (about(exception))
            }
        }
    }
}

fn about(exception: &Exception) -> Markup {
    html! {
        dl.facts {
            div.wide { dt { "Reason" } dd { (exception.reason) } }
            div { dt { "Owner" } dd { (exception.owner) } }
            div {
                dt { "Holds" }
                dd { @match exception.expires { Some(day) => { "until " (day) }, None => "no expiry" } }
            }
        }
    }
}

fn list(findings: &[&Finding]) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr { th scope="col" { "Severity" } th scope="col" { "Finding" } th scope="col" { "Identity" } th scope="col" { "Object" } th scope="col" { "First seen, UTC" } } }
                tbody {
                    @for finding in findings.iter().take(MAX_HIDDEN) {
                        tr {
                            td { (severity(finding.severity)) }
                            th scope="row" { (finding.title) }
                            td { (log_or(finding.identity.as_deref(), "not authenticated")) }
                            td { (object(finding)) }
                            td { (time(finding.first_seen)) }
                        }
                    }
                }
            }
        }
        @if findings.len() > MAX_HIDDEN { p.note { "and " (findings.len() - MAX_HIDDEN) " more" } }
    }
}
