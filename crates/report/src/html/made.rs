//! The data that another person needs to reproduce the report, and to verify its evidence.

use maud::{Markup, html};

use super::report::HtmlReport;
use super::text::{count, log_or, plural, shown, time};

/// The maximum number of files that are listed.
const MAX_FILES: usize = 2_000;

pub(super) fn section(report: &HtmlReport<'_>) -> Markup {
    let files = &report.context.files;
    html! {
        dl.facts {
            div.wide { dt { "Command" } dd { code { (shown(&report.command)) } } }
            div { dt { "podtrail" } dd { "version " (env!("CARGO_PKG_VERSION")) } }
            div { dt { "Created, UTC" } dd { (time(report.time)) } }
            div { dt { "Detections" } dd { (report.hunt.detections) } }
            div.wide {
                dt { "Digest of the pack (BLAKE3 of its detections, tables and views)" }
                dd { code { (report.pack.digest()) } }
            }
        }
        div.scroll {
            table data-sortable data-fold="12" {
                caption {
                    "The source files of the events. Lines count from 1 and offsets from 0 in the decompressed file; "
                    "SHA-256 is that of the file as read, as " code { "sha256sum" } " prints it."
                }
                thead {
                    tr {
                        th scope="col" data-sort="ascending" { "File" }
                        th scope="col" { "SHA-256" }
                        th.number scope="col" data-sort="descending" { "Events" }
                        th scope="col" data-sort="ascending" { "First, UTC" }
                        th scope="col" data-sort="ascending" { "Last, UTC" }
                    }
                }
                tbody {
                    @for file in files.iter().take(MAX_FILES) {
                        tr {
                            th scope="row" { (log_or(file.file.as_deref(), "unknown")) }
                            td { code { (log_or(file.sha256.as_deref(), "not known")) } }
                            td.number { (count(file.events)) }
                            td data-value=(file.first.timestamp_micros()) { (time(file.first)) }
                            td data-value=(file.last.timestamp_micros()) { (time(file.last)) }
                        }
                    }
                }
            }
        }
        @if files.len() > MAX_FILES { p.note { "and " (plural((files.len() - MAX_FILES) as u64, "file")) " more" } }
    }
}
