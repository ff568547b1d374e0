//! What the log contains, and what it cannot show.

use maud::{Markup, html};

use super::report::HtmlReport;
use super::text::{count, log, log_list, log_or, plural};
use crate::escape::escape;

pub(super) fn section(report: &HtmlReport<'_>) -> Markup {
    let summary = report.log;
    let truncated: u64 = report.context.activity.iter().map(|row| row.truncated).sum();
    html! {
        ul {
            li { "An audit log shows requests to the Kubernetes API. It does not show what runs inside a container, on a node or on the network." }
            @if summary.visible_writes == summary.workload_writes {
                li { "The body of every workload write is in the log." }
            } @else {
                li {
                    (plural(summary.workload_writes - summary.visible_writes.min(summary.workload_writes), "write"))
                    " to workloads, of " (summary.workload_writes) ", without a body: detections cannot see what they run."
                }
            }
            @if truncated > 0 {
                li { (plural(truncated, "event")) " truncated before ingest." }
            }
            @if report.context.quarantined > 0 {
                li {
                    (plural(report.context.quarantined, "record"))
                    " could not be parsed as audit events and are not part of this report; a lake keeps them in its quarantine."
                }
            }
            @for failure in &report.hunt.failures {
                li { strong { "Not run: " } (escape(&failure.to_string())) }
            }
        }
        table data-sortable data-fold="12" {
            caption { "Requests by resource" }
            thead {
                tr {
                    th scope="col" data-sort="ascending" { "Resource" }
                    th scope="col" data-sort="ascending" { "Activity" }
                    th.number scope="col" data-sort="descending" { "Requests" }
                    th.number scope="col" data-sort="descending" { "Writes" }
                    th.number scope="col" data-sort="descending" { "Without body" }
                    th scope="col" { "Audit levels" }
                }
            }
            tbody {
                @for row in &report.context.activity {
                    tr {
                        th scope="row" { (log_or(row.resource.as_deref(), "other paths of the API")) }
                        td { (log(&row.activity)) }
                        td.number { (count(row.requests)) }
                        td.number { (count(row.writes)) }
                        td.number { (count(row.writes_without_body)) }
                        td { (log_list(row.levels.as_deref().unwrap_or_default())) }
                    }
                }
            }
        }
    }
}
