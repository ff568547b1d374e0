//! The MITRE ATT&CK tactics and techniques of the findings.

use std::collections::BTreeMap;

use maud::{Markup, html};
use podtrail_detect::{ATTACK_VERSION, Finding, Severity};

use super::report::HtmlReport;
use super::summary::counts;
use super::text::{count, filter_href};

pub(super) fn section(report: &HtmlReport<'_>) -> Markup {
    let findings = &report.hunt.findings;
    if findings.is_empty() {
        return html! { p.note { "No findings." } };
    }
    let names = report.pack.attack_names();
    let tactics = group(findings, |finding| &finding.tactics);
    let techniques = group(findings, |finding| &finding.attack);
    let mut tactics: Vec<_> = tactics.into_iter().collect();
    // In the order of the matrix; unknown tactics come last.
    tactics.sort_by_key(|(name, _)| {
        names.tactics().position(|(_, known)| known == *name).unwrap_or(usize::MAX)
    });
    html! {
        p.note {
            "Techniques of the " a href="https://attack.mitre.org/" rel="noreferrer" { "MITRE ATT&CK" }
            " Enterprise matrix, version " (ATTACK_VERSION) ". A finding may have several."
        }
        div.columns {
            (table("Tactic", tactics.iter().map(|(name, findings)| {
                let label = html! { a href=(filter_href(name)) { (name) } };
                (label, counts(findings.iter().copied()))
            })))
            (table("Technique", techniques.iter().map(|(id, findings)| {
                let label = html! {
                    a href=(filter_href(id)) { (id) } " " (names.technique(id).unwrap_or_default())
                };
                (label, counts(findings.iter().copied()))
            })))
        }
    }
}

/// Groups the findings by each value of a list.
fn group<'a>(
    findings: &'a [Finding],
    list: impl Fn(&'a Finding) -> &'a [String],
) -> BTreeMap<&'a str, Vec<&'a Finding>> {
    let mut groups: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        for value in list(finding) {
            groups.entry(value).or_default().push(finding);
        }
    }
    groups
}

fn table(name: &str, rows: impl Iterator<Item = (Markup, [u64; 5])>) -> Markup {
    html! {
        table data-sortable {
            thead {
                tr {
                    th scope="col" data-sort="ascending" { (name) }
                    @for level in Severity::ALL.iter().rev().take(4) {
                        th.number.level scope="col" data-sort="descending" { (level) }
                    }
                    th.number scope="col" data-sort="descending" { "All" }
                }
            }
            tbody {
                @for (label, counts) in rows {
                    tr {
                        th scope="row" { (label) }
                        @for count_of in counts.iter().rev().take(4) { td.number { (count(*count_of)) } }
                        td.number { (count(counts.iter().sum())) }
                    }
                }
            }
        }
    }
}
