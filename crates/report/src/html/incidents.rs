//! The incidents: what happened, step by step, with a graph of who did what to which object.

use maud::{Markup, html};
use podtrail_detect::{Incident, Severity, Step};

use super::report::HtmlReport;
use super::text::{exact_time, log, log_list, plural, severity, shown, time};
use crate::summary::thousands;

/// The maximum number of incidents shown in full.
/// Points of a finding, below which print leaves them out: those of medium findings are higher.
const PRINTED_POINTS: i64 = 20;

const MAX_INCIDENTS: usize = 25;

/// The maximum number of steps shown of an incident.
const MAX_STEPS: usize = 80;

/// The maximum number of nodes in each column of a graph.
const MAX_NODES: usize = 8;

pub(super) fn section(report: &HtmlReport<'_>) -> Markup {
    let incidents = report.incidents;
    html! {
        @if incidents.is_empty() {
            p { "Nothing to act on: no incident of severity medium or above." }
        }
        @for incident in incidents.iter().take(MAX_INCIDENTS) { (article(incident)) }
        @if incidents.len() > MAX_INCIDENTS {
            p.note { "and " (incidents.len() - MAX_INCIDENTS) " less severe incidents" }
        }
    }
}

fn article(incident: &Incident) -> Markup {
    let anchor = format!("i-{}", incident.incident_id);
    let findings: u64 = incident.counts.iter().sum();
    html! {
        article.incident id=(anchor) aria-labelledby={ (anchor) "-title" } {
            h3 id={ (anchor) "-title" } { (severity(incident.severity)) " " (log(&incident.title)) }
            p.meta {
                (time(incident.first_seen)) " to " (time(incident.last_seen)) " UTC"
                @if let Some(cluster) = &incident.cluster { " · cluster " (log(cluster)) }
                " · score " (incident.score) " · confidence " (incident.confidence) " · "
                (plural(findings, "finding"))
            }
            (graph(incident))
            h4 { "Steps" }
            ol.steps {
                @for step in incident.steps.iter().take(MAX_STEPS) { (item(step, incident)) }
            }
            @if incident.steps.len() > MAX_STEPS {
                p.note { "and " (incident.steps.len() - MAX_STEPS) " more steps" }
            }
            @if incident.links.len() > 1 {
                h4 { "Why these findings belong together" }
                ul { @for link in &incident.links { li { (log(link)) } } }
            }
            dl.facts {
                (fact("Identities", &incident.identities))
                (fact("Addresses", &incident.client_ips))
                (fact("Objects written", &incident.objects))
                (fact("Secrets read", &incident.secrets))
                (fact("Images", &incident.images))
            }
            @if !incident.limits.is_empty() {
                h4 { "What the log cannot show" }
                ul { @for limit in &incident.limits { li { (limit) } } }
            }
            @if !incident.containment.is_empty() {
                h4 { "What to do" }
                (containment(incident))
            }
            details {
                summary { "Score: " (incident.score) " points" }
                // On paper, without those of everyday findings.
                ul {
                    @for point in &incident.points {
                        li.screen[point.points < PRINTED_POINTS] {
                            "+" (point.points) " " (point.title)
                            @if let Some(object) = &point.object { ", " (log(object)) }
                            @if let Some(event_id) = &point.event_id { ", event " (log(event_id)) }
                        }
                    }
                }
            }
        }
    }
}

fn item(step: &Step, incident: &Incident) -> Markup {
    html! {
        li {
            (exact_time(step.time)) " " (severity(step.severity)) " "
            @if let Some(tactic) = &step.tactic { span.tactic { (tactic) } " " }
            @if step.identity.as_ref() != incident.identities.first() {
                b { (log(step.identity.as_deref().unwrap_or("an unauthenticated client"))) } " "
            }
            (log(&step.act))
            @if step.requests > 1 { " (" (thousands(step.requests)) " requests)" }
            div.why { (step.titles.join(" · ")) }
        }
    }
}

fn fact(name: &str, values: &[String]) -> Markup {
    html! { @if !values.is_empty() { div { dt { (name) } dd { (log_list(values)) } } } }
}

fn containment(incident: &Incident) -> Markup {
    html! {
        pre {
            @for (phase, actions, others) in incident.first_commands() {
                "# " (phase.title()) "\n"
                @for action in actions {
                    (shown(&action.command))
                    @if let Some(note) = action.note { "   # " (note) }
                    "\n"
                }
                @if others > 0 { "# and " (plural(others as u64, "command")) " more\n" }
            }
        }
    }
}

/// Returns a graph in three columns: addresses, identities, and the objects of their most severe steps.
fn graph(incident: &Incident) -> Markup {
    const ROW: usize = 26;
    const COLUMNS: [usize; 3] = [10, 170, 620];
    const ENDS: [usize; 2] = [150, 470];
    let mut steps: Vec<&Step> = incident.steps.iter().collect();
    steps.sort_by_key(|step| std::cmp::Reverse(step.severity));
    let mut columns: [Vec<&str>; 3] = Default::default();
    let mut edges: Vec<(usize, usize, usize, Severity)> = Vec::new();
    for step in steps {
        let nodes = [step.client_ip.as_deref(), step.identity.as_deref(), step.object.as_deref()];
        let mut rows = [None; 3];
        for ((row, column), node) in rows.iter_mut().zip(&mut columns).zip(nodes) {
            let Some(node) = node else { continue };
            *row = column.iter().position(|known| *known == node);
            if row.is_none() && column.len() < MAX_NODES {
                column.push(node);
                *row = Some(column.len() - 1);
            }
        }
        for (column, pair) in rows.windows(2).enumerate() {
            if let [Some(from), Some(to)] = pair
                && !edges.iter().any(|(c, f, t, _)| (*c, f, t) == (column, from, to))
            {
                edges.push((column, *from, *to, step.severity));
            }
        }
    }
    let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
    let height = rows * ROW + 10;
    let id = format!("g-{}", incident.incident_id);
    html! {
        figure {
            div.chart {
                svg.graph viewBox={ "0 0 960 " (height) } role="img" aria-labelledby={ (id) "-title" } {
                    title id={ (id) "-title" } { "Addresses, identities and objects; the steps below describe the lines" }
                    @for (column, from, to, severity) in &edges {
                        line class={ "edge " (severity) } x1=(ENDS[*column]) y1=(from * ROW + 18)
                            x2=(COLUMNS[*column + 1] - 4) y2=(to * ROW + 18) {}
                    }
                    @for (column, nodes) in columns.iter().enumerate() {
                        @for (row, node) in nodes.iter().enumerate() {
                            text x=(COLUMNS[column]) y=(row * ROW + 22) { (short(node, column)) title { (shown(node)) } }
                        }
                    }
                }
            }
        }
    }
}

/// Returns text that fits its column.
fn short(text: &str, column: usize) -> String {
    let most = [20, 44, 50][column.min(2)];
    let text = shown(text);
    if text.chars().count() <= most {
        return text.into_owned();
    }
    let kept: String = text.chars().take(most - 1).collect();
    format!("{kept}…")
}
