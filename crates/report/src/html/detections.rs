//! The detections with findings: what each detects, its false positives, blind spots and next steps.

use maud::{Markup, html};
use podtrail_detect::Head;

use super::report::HtmlReport;
use super::text::{filter_href, plural, severity};

pub(super) fn section(report: &HtmlReport<'_>) -> Markup {
    let found =
        |id: &str| report.hunt.findings.iter().filter(|finding| finding.detection == id).count();
    let mut heads: Vec<(&Head, usize)> = report
        .pack
        .detections()
        .map(|detection| (&detection.head, found(&detection.head.id)))
        .filter(|(_, count)| *count > 0)
        .collect();
    heads.sort_by(|(a, _), (b, _)| b.severity.cmp(&a.severity).then_with(|| a.title.cmp(&b.title)));
    html! {
        p.note {
            (plural(heads.len() as u64, "detection")) " of " (report.hunt.detections) " reported findings. Each entry "
            "shows its description, false positives, blind spots and next steps."
        }
        @for (head, count) in heads {
            details.detection id={ "d-" (head.id) } {
                summary { (severity(head.severity)) " " (head.title) " " span.absent { (plural(count as u64, "finding")) } }
                (about(head))
            }
        }
    }
}

fn about(head: &Head) -> Markup {
    html! {
        p { (head.description) }
        dl.facts {
            @if !head.false_positives.is_empty() {
                div.wide { dt { "False positives" } dd { ul { @for case in &head.false_positives { li { (case) } } } } }
            }
            @if let Some(blind_spots) = &head.blind_spots {
                div.wide { dt { "Blind spots" } dd { (blind_spots) } }
            }
            @if !head.triage.is_empty() {
                div.wide { dt { "Next steps" } dd { @for question in &head.triage { pre { (question) } } } }
            }
            @if !head.references.is_empty() {
                div.wide { dt { "Sources" } dd { ul { @for source in &head.references { li { (reference(source)) } } } } }
            }
            div {
                dt { "Detection" }
                dd { a href=(filter_href(&head.id)) { (head.id) } span.absent { ", version " (head.version) } }
            }
        }
    }
}

/// Returns a link if the text is a web address; anyone can write a detection.
fn reference(source: &str) -> Markup {
    html! {
        @if source.starts_with("https://") { a href=(source) rel="noreferrer" { (source) } } @else { (source) }
    }
}
