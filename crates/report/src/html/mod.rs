//! The report of a hunt as one self-contained HTML file: it opens from disk, makes no network requests, and can be
//! printed.
//!
//! Everything in it may come from a hostile log. Templates escape by default; [`text`] escapes invisible characters
//! and truncates long text; the page allows only its own script and style, by their digests; the script only reads
//! the page, and log text is never inserted into it.

mod attack;
mod context;
mod coverage;
mod detections;
mod exceptions;
mod findings;
mod identities;
mod incidents;
mod made;
mod report;
mod summary;
mod text;
mod time_steps;
mod timeline;

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

pub use context::{
    Activity, Context, EventFacts, IdentityFacts, ImageFacts, Lineage, NamespaceFacts, Period,
    SourceFile, WorkloadWrites,
};

pub use report::HtmlReport;

use crate::html::text::log;

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// Writes the report as one HTML file.
///
/// # Errors
/// If `out` fails.
pub fn write_html(report: &HtmlReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(page(report).into_string().as_bytes())
}

fn page(report: &HtmlReport<'_>) -> Markup {
    let sections: [(&str, &str, Markup); 12] = [
        ("incidents", "Incidents", incidents::section(report)),
        ("summary", "Summary", summary::section(report)),
        ("timeline", "Timeline", timeline::section(report)),
        ("attack", "ATT&CK", attack::section(report)),
        ("findings", "Findings", findings::section(report)),
        ("detections", "Detections", detections::section(report)),
        ("identities", "Identities", identities::identities(report)),
        ("namespaces", "Namespaces", identities::namespaces(report)),
        ("images", "Images", identities::images(report)),
        ("coverage", "Coverage and blind spots", coverage::section(report)),
        ("exceptions", "Exceptions", exceptions::section(report)),
        ("made", "How this report was created", made::section(report)),
    ];
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                meta name="color-scheme" content="light dark";
                title { (summary::title(report)) " · podtrail" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#findings" { "Skip to the findings" }
                header {
                    p.eyebrow { "Kubernetes audit log · hunt report" }
                    h1 { (summary::title(report)) }
                    p.lead { (summary::lead(report)) }
                    nav aria-label="Contents" {
                        ul { @for (id, title, _) in &sections { li { a href={ "#" (id) } { (title) } } } }
                    }
                }
                main {
                    @for (id, title, section) in &sections {
                        section id=(id) aria-labelledby={ (id) "-title" } {
                            h2 id={ (id) "-title" } { (title) }
                            (section)
                        }
                    }
                }
                footer {
                    p {
                        "Created by podtrail " (env!("CARGO_PKG_VERSION")) " on " (text::time(report.time)) " UTC. "
                        "Text from the log is shown unchanged, with invisible characters escaped, such as "
                        (log("\u{202e}")) "."
                    }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

/// Returns the content security policy: only the style and script of this page are allowed; nothing is fetched, sent
/// or framed.
fn policy() -> String {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    )
}
