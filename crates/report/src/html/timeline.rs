//! A chart of findings and workload writes over time.

use std::fmt::Display;

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use podtrail_detect::Severity;

use super::context::Period;
use super::report::HtmlReport;
use super::text::plural;
use super::time_steps::{step_of, timeline_step};
use crate::summary::{seconds, thousands};

const MAX_TICKS: i64 = 7;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 44.0;
const FINDINGS_BASE: f64 = 124.0;
const FINDINGS_HEIGHT: f64 = 108.0;
const WRITES_BASE: f64 = 214.0;
const WRITES_HEIGHT: f64 = 56.0;
const HEIGHT: f64 = 244.0;

/// The steps of the period of a report, with the counts in each.
struct Steps {
    start: i64,
    length: i64,
    /// The number of findings by severity, the lowest first.
    findings: Vec<[u64; 5]>,
    writes: Vec<u64>,
}

impl Steps {
    fn of(report: &HtmlReport<'_>) -> Option<Self> {
        let Period { first, last } = report.context.charted?;
        let length = timeline_step(first, last);
        let start = first.timestamp().div_euclid(length) * length;
        let count = usize::try_from((last.timestamp() - start) / length + 1).ok()?;
        let mut steps =
            Self { start, length, findings: vec![[0; 5]; count], writes: vec![0; count] };
        for finding in &report.hunt.findings {
            let step = steps.step(finding.first_seen);
            let level = Severity::ALL.iter().position(|severity| *severity == finding.severity);
            if let Some(count) =
                level.and_then(|level| steps.findings.get_mut(step)?.get_mut(level))
            {
                *count += 1;
            }
        }
        for writes in &report.context.writes {
            let step = steps.step(writes.start);
            if let Some(count) = steps.writes.get_mut(step) {
                *count += writes.writes;
            }
        }
        Some(steps)
    }

    /// Returns the step of a time. Times before the period belong to the first step, times after it to the last.
    fn step(&self, time: DateTime<Utc>) -> usize {
        let step = (time.timestamp() - self.start) / self.length;
        usize::try_from(step).unwrap_or(0).min(self.findings.len().saturating_sub(1))
    }

    fn time(&self, step: usize) -> DateTime<Utc> {
        let offset = i64::try_from(step).unwrap_or(0) * self.length;
        DateTime::from_timestamp(self.start + offset, 0).unwrap_or_default()
    }

    fn period(&self, step: usize) -> String {
        format!("{} to {}", seconds(self.time(step)), seconds(self.time(step + 1)))
    }

    /// Returns the position and width of a step.
    fn x(&self, step: usize) -> f64 {
        LEFT + self.width() * float(step as u64)
    }

    fn width(&self) -> f64 {
        (WIDTH - LEFT) / float(self.writes.len() as u64)
    }
}

pub(super) fn section(report: &HtmlReport<'_>) -> Markup {
    let Some(steps) = Steps::of(report) else {
        return html! { p.note { "No events." } };
    };
    let most_findings = steps.findings.iter().map(|counts| counts.iter().sum()).max().unwrap_or(0);
    let most_writes = steps.writes.iter().copied().max().unwrap_or(0);
    let description = format!(
        "At most {} and {} in {}.",
        plural(most_findings, "finding"),
        plural(most_writes, "workload write"),
        length(steps.length),
    );
    html! {
        figure {
            div.chart {
                svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-labelledby="chart-title chart-description" {
                    title #chart-title { "Findings and workload writes over time" }
                    desc #chart-description { (description) }
                    (frame(FINDINGS_BASE, FINDINGS_HEIGHT, most_findings, "Findings"))
                    (frame(WRITES_BASE, WRITES_HEIGHT, most_writes, "Workload writes"))
                    (ticks(&steps))
                    @for (step, counts) in steps.findings.iter().enumerate() {
                        (findings_bar(&steps, step, counts, most_findings))
                    }
                    @for (step, writes) in steps.writes.iter().enumerate().filter(|(_, writes)| **writes > 0) {
                        (bar(&steps, step, "writes", WRITES_BASE, height(*writes, most_writes, WRITES_HEIGHT)) )
                        (hover(&steps, step, WRITES_BASE, WRITES_HEIGHT, &plural(*writes, "workload write")))
                    }
                }
            }
            figcaption {
                ul.legend {
                    @for level in Severity::ALL.iter().rev().filter(|level| **level >= report.least) {
                        li class={ "level " (level) } { (level) }
                    }
                    li.writes { "Workload writes" }
                }
                p.note {
                    "One bar is " (length(steps.length)) ". A finding is at its first event; writes are successful "
                    "workload writes by any identity. Times are UTC."
                    @if let Some(outside) = outside(report) { " " (outside) }
                }
            }
        }
    }
}

/// Describes the findings that the chart does not place at their time.
fn outside(report: &HtmlReport<'_>) -> Option<String> {
    let charted = report.context.charted?;
    let times = || report.hunt.findings.iter().map(|finding| finding.first_seen);
    let before = times().filter(|time| *time < charted.first).count() as u64;
    let after = times().filter(|time| *time > charted.last).count() as u64;
    let (first, last) = report.log.first.zip(report.log.last)?;
    (before + after > 0 || first < charted.first || last > charted.last).then(|| {
        format!(
            "The log covers {} to {}; {} before the chart and {} after it are in its first and last bars.",
            seconds(first),
            seconds(last),
            plural(before, "finding"),
            thousands(after),
        )
    })
}

/// Renders the base line, the greatest count, and the title.
fn frame(base: f64, tall: f64, most: u64, title: &str) -> Markup {
    html! {
        line.base x1=(LEFT) y1=(base) x2=(WIDTH) y2=(base) {}
        line.grid x1=(LEFT) y1=(base - tall) x2=(WIDTH) y2=(base - tall) {}
        text.scale x=(LEFT - 8.0) y=(base - tall + 4.0) { (thousands(most)) }
        text.scale x=(LEFT - 8.0) y=(base) { "0" }
        text.panel x=(LEFT) y=(base - tall - 5.0) { (title) }
    }
}

fn findings_bar(steps: &Steps, step: usize, counts: &[u64; 5], most: u64) -> Markup {
    let mut base = FINDINGS_BASE;
    let mut words = Vec::new();
    html! {
        // The most severe at the bottom, where lengths are easiest to compare.
        @for (level, count) in Severity::ALL.iter().zip(counts).rev().filter(|(_, count)| **count > 0) {
            @let tall = height(*count, most, FINDINGS_HEIGHT);
            (bar(steps, step, level, base, tall))
            ({ base -= tall; words.push(format!("{} {level}", thousands(*count))); "" })
        }
        @if !words.is_empty() {
            (hover(steps, step, FINDINGS_BASE, FINDINGS_HEIGHT, &words.join(", ")))
        }
    }
}

fn bar(steps: &Steps, step: usize, class: impl Display, base: f64, tall: f64) -> Markup {
    let gap = (steps.width() * 0.15).min(1.5);
    html! {
        rect class={ "bar " (class) } x=(short(steps.x(step) + gap)) y=(short(base - tall))
            width=(short(steps.width() - gap)) height=(short(tall)) {}
    }
}

/// Renders an area over a whole step, so that thin bars have a tooltip.
fn hover(steps: &Steps, step: usize, base: f64, tall: f64, words: &str) -> Markup {
    html! {
        rect.hover x=(short(steps.x(step))) y=(base - tall) width=(short(steps.width())) height=(tall) {
            title { (steps.period(step)) ": " (words) }
        }
    }
}

fn ticks(steps: &Steps) -> Markup {
    let count = i64::try_from(steps.writes.len()).unwrap_or(i64::MAX);
    let between = step_of(TimeDelta::seconds(steps.length.saturating_mul(count)), MAX_TICKS);
    let mut day = String::new();
    html! {
        @for step in 0..steps.writes.len() {
            @let time = steps.time(step);
            @if time.timestamp() % between == 0 || step == 0 && between > steps.length * count {
                @let date = time.format("%d %b").to_string();
                @let clock = time.format(if between < 60 { "%H:%M:%S" } else { "%H:%M" }).to_string();
                line.grid x1=(short(steps.x(step))) y1=(FINDINGS_BASE) x2=(short(steps.x(step))) y2=(WRITES_BASE + 5.0) {}
                text.tick x=(short(steps.x(step) + 3.0)) y=(WRITES_BASE + 16.0) {
                    @if between >= 86_400 { (date) } @else if day == date { (clock) } @else { (date) " " (clock) }
                }
                ({ day = date; "" })
            }
        }
    }
}

/// Returns a height proportional to the count, with a visible minimum.
fn height(count: u64, most: u64, tall: f64) -> f64 {
    (float(count) / float(most.max(1)) * tall).max(1.5)
}

#[expect(clippy::cast_precision_loss, reason = "a chart is at most as wide as a screen")]
fn float(count: u64) -> f64 {
    count as f64
}

/// Formats a coordinate with one decimal.
fn short(coordinate: f64) -> String {
    format!("{coordinate:.1}")
}

/// Formats a duration in words.
fn length(seconds: i64) -> String {
    let units = [(604_800, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute")];
    let unit = units.into_iter().find(|(unit, _)| seconds % unit == 0);
    let (unit, name) = unit.unwrap_or((1, "second"));
    plural(u64::try_from(seconds / unit).unwrap_or(0), name)
}
