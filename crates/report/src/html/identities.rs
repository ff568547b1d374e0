//! Tables of identities, namespaces and images, those with findings first.

use std::collections::HashMap;

use maud::{Markup, html};
use podtrail_detect::{Finding, Severity};

use super::report::HtmlReport;
use super::text::{count, filter_link, log_list, plural, severity, shown, time};

/// The maximum number of rows in a table, those with findings first.
const MAX_ROWS: usize = 500;

/// The severity and number of the findings about a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Weight {
    worst: Option<Severity>,
    findings: u64,
}

/// Returns the weight of each value of an attribute of findings.
fn weights<'a, I: IntoIterator<Item = &'a str>>(
    findings: &'a [Finding],
    values: impl Fn(&'a Finding) -> I,
) -> HashMap<&'a str, Weight> {
    let mut weights: HashMap<&str, Weight> = HashMap::new();
    for finding in findings {
        for value in values(finding) {
            let weight = weights.entry(value).or_default();
            weight.worst = weight.worst.max(Some(finding.severity));
            weight.findings += 1;
        }
    }
    weights
}

/// Returns the rows that a table shows, the heaviest first.
fn heaviest<T>(rows: &[T], weight: impl Fn(&T) -> Weight) -> Vec<(&T, Weight)> {
    let mut rows: Vec<_> = rows.iter().map(|row| (row, weight(row))).collect();
    rows.sort_by(|(_, a), (_, b)| b.cmp(a));
    rows.truncate(MAX_ROWS);
    rows
}

fn weight_cell(weight: Weight) -> Markup {
    let rank = weight.worst.map_or(0, |worst| 1 + worst as u64);
    html! {
        td.weight data-value=(rank * 1_000_000 + weight.findings.min(999_999)) {
            @match weight.worst {
                Some(worst) => { (severity(worst)) " " (weight.findings) },
                None => span.absent { "none" },
            }
        }
    }
}

fn left_out(rows: usize) -> Markup {
    html! {
        @if rows > MAX_ROWS { p.note { (plural((rows - MAX_ROWS) as u64, "row")) " without findings, or with lesser ones, left out." } }
    }
}

pub(super) fn identities(report: &HtmlReport<'_>) -> Markup {
    let rows = &report.context.identities;
    let weights = weights(&report.hunt.findings, |finding| {
        [finding.identity.as_deref(), finding.impersonated_identity.as_deref()]
            .into_iter()
            .flatten()
    });
    let weight = |name: Option<&String>| {
        name.and_then(|name| weights.get(name.as_str())).copied().unwrap_or_default()
    };
    html! {
        table data-sortable data-fold="12" {
            thead {
                tr {
                    th scope="col" data-sort="ascending" { "Identity" }
                    th scope="col" data-sort="descending" { "Findings" }
                    th.number scope="col" data-sort="descending" { "Workload writes" }
                    th.number scope="col" data-sort="descending" { "Requests" }
                    th.number scope="col" data-sort="descending" { "Denied" }
                    th scope="col" data-sort="ascending" { "First seen, UTC" }
                    th scope="col" { "From, with" }
                }
            }
            tbody {
                @for (row, weight) in heaviest(rows, |row| weight(row.username.as_ref())) {
                    tr {
                        th scope="row" {
                            @match &row.username {
                                Some(name) => (filter_link(name)),
                                None => span.absent { "not authenticated" },
                            }
                            @if let Some(kind) = &row.identity_kind { span.absent { " " (shown(&kind.replace('_', " "))) } }
                        }
                        (weight_cell(weight))
                        td.number { (count(row.workload_writes)) }
                        td.number { (count(row.requests)) }
                        td.number { (count(row.denied)) }
                        td data-value=(row.first_seen.timestamp_micros()) { (time(row.first_seen)) }
                        td.small {
                            (log_list(row.client_ips.as_deref().unwrap_or_default()))
                            br;
                            span.absent { (log_list(row.user_agents.as_deref().unwrap_or_default())) }
                        }
                    }
                }
            }
        }
        (left_out(rows.len()))
    }
}

pub(super) fn namespaces(report: &HtmlReport<'_>) -> Markup {
    let rows = &report.context.namespaces;
    let weights = weights(&report.hunt.findings, |finding| finding.namespace.as_deref());
    html! {
        table data-sortable data-fold="12" {
            thead {
                tr {
                    th scope="col" data-sort="ascending" { "Namespace" }
                    th scope="col" data-sort="descending" { "Findings" }
                    th.number scope="col" data-sort="descending" { "Workload writes" }
                    th.number scope="col" data-sort="descending" { "Identities" }
                    th.number scope="col" data-sort="descending" { "Requests" }
                }
            }
            tbody {
                @for (row, weight) in heaviest(rows, |row| weights.get(row.namespace.as_str()).copied().unwrap_or_default()) {
                    tr {
                        th scope="row" { (filter_link(&row.namespace)) }
                        (weight_cell(weight))
                        td.number { (count(row.workload_writes)) }
                        td.number { (count(row.identities)) }
                        td.number { (count(row.requests)) }
                    }
                }
            }
        }
        (left_out(rows.len()))
    }
}

pub(super) fn images(report: &HtmlReport<'_>) -> Markup {
    let rows = &report.context.images;
    let weights =
        weights(&report.hunt.findings, |finding| finding.images.iter().map(String::as_str));
    html! {
        p.note { "Images in successful workload writes by any identity, if the body is in the log." }
        table data-sortable data-fold="12" {
            thead {
                tr {
                    th scope="col" data-sort="ascending" { "Image" }
                    th scope="col" data-sort="descending" { "Findings" }
                    th.number scope="col" data-sort="descending" { "Containers written" }
                    th scope="col" data-sort="ascending" { "First written, UTC" }
                    th scope="col" { "Namespaces" }
                }
            }
            tbody {
                @for (row, weight) in heaviest(rows, |row| weights.get(row.image.as_str()).copied().unwrap_or_default()) {
                    tr {
                        th scope="row" { (filter_link(&row.image)) }
                        (weight_cell(weight))
                        td.number { (count(row.containers)) }
                        td data-value=(row.first_seen.timestamp_micros()) { (time(row.first_seen)) }
                        td.small { (log_list(row.namespaces.as_deref().unwrap_or_default())) }
                    }
                }
            }
        }
        (left_out(rows.len()))
    }
}
