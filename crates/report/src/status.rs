//! How a lake is, for people, as JSON and as OpenMetrics text.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::escape::escape;
use crate::summary::{seconds, thousands};

/// How a lake is at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// The moment.
    pub at: DateTime<Utc>,
    /// The version of the `events` table.
    pub events_version: i64,
    /// What arrives, by cluster.
    pub clusters: Vec<ClusterStatus>,
    /// Records in the quarantine that were not released.
    pub quarantined: u64,
    /// Those of them that were refused in the last 24 hours.
    pub quarantined_last_day: u64,
    /// The last run of the detections, if one is known.
    pub detect: Option<DetectStatus>,
    /// How many findings are open, by severity, the most severe first.
    pub open_findings: Vec<OpenFindings>,
}

/// What arrives from one cluster.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClusterStatus {
    /// Its name.
    pub cluster: String,
    /// Events in the lake.
    pub events: u64,
    /// Events a day, in the mean of the last seven days that have any.
    pub events_per_day: u64,
    /// When the last request arrived at the API server.
    pub last_event: Option<DateTime<Utc>>,
    /// How long ago that was, in seconds.
    pub lag_seconds: Option<u64>,
}

/// A run of the detections.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DetectStatus {
    /// When it began.
    pub last_run: DateTime<Utc>,
    /// How long it took, in seconds.
    pub duration_seconds: f64,
    /// Whether all detections could be run.
    pub complete: bool,
    /// How many versions of the `events` table no complete run of all detections has looked at.
    pub versions_behind: i64,
}

/// Findings that somebody has to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenFindings {
    /// Their severity.
    pub severity: &'static str,
    /// How many they are.
    pub count: u64,
}

impl Status {
    /// Writes it for people.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        for cluster in &self.clusters {
            writeln!(out, "cluster     {}", escape(&cluster.cluster))?;
            if let (Some(last), Some(lag)) = (cluster.last_event, cluster.lag_seconds) {
                writeln!(out, "  last      {} UTC, {} ago", seconds(last), short(lag))?;
            }
            let (events, per_day) = (thousands(cluster.events), thousands(cluster.events_per_day));
            writeln!(out, "  events    {events}, {per_day} a day")?;
        }
        writeln!(
            out,
            "quarantine  {} records, {} of the last day",
            thousands(self.quarantined),
            thousands(self.quarantined_last_day)
        )?;
        match &self.detect {
            None => writeln!(out, "detect      never ran: `podtrail detect` runs the detections")?,
            Some(run) => {
                let ago = self.at.signed_duration_since(run.last_run).num_seconds();
                writeln!(
                    out,
                    "detect      {} UTC, {} ago, in {:.1} s, {} versions behind{}",
                    seconds(run.last_run),
                    short(u64::try_from(ago).unwrap_or_default()),
                    run.duration_seconds,
                    run.versions_behind,
                    if run.complete { "" } else { ", some detections failed" }
                )?;
            }
        }
        let open: Vec<_> = self.open_findings.iter().filter(|open| open.count > 0).collect();
        let open: Vec<_> =
            open.iter().map(|open| format!("{} {}", open.count, open.severity)).collect();
        writeln!(
            out,
            "open        {}",
            if open.is_empty() { "nothing".to_owned() } else { open.join(", ") }
        )
    }

    /// Writes it as one JSON object.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        out.write_all(b"\n")
    }

    /// Writes it as OpenMetrics text (<https://prometheus.io/docs/specs/om/open_metrics_spec/>), which the textfile
    /// collector of node exporter reads too.
    ///
    /// # Errors
    /// When `out` fails.
    #[expect(
        clippy::cast_precision_loss,
        reason = "OpenMetrics has no numbers but floating point ones"
    )]
    pub fn write_openmetrics(&self, out: &mut dyn Write) -> io::Result<()> {
        let by_cluster = |value: &dyn Fn(&ClusterStatus) -> Option<f64>| -> Vec<_> {
            let sample = |cluster: &ClusterStatus| {
                Some((label("cluster", &cluster.cluster), value(cluster)?))
            };
            self.clusters.iter().filter_map(sample).collect()
        };
        let unix = |time: DateTime<Utc>| time.timestamp_micros() as f64 / 1e6;
        gauge(
            out,
            "last_event_timestamp_seconds",
            "When the last request of the cluster arrived at its API server.",
            &by_cluster(&|cluster| cluster.last_event.map(unix)),
        )?;
        gauge(
            out,
            "lag_seconds",
            "How long ago that was when this was written.",
            &by_cluster(&|cluster| cluster.lag_seconds.map(|lag| lag as f64)),
        )?;
        let events = by_cluster(&|cluster| Some(cluster.events as f64));
        gauge(out, "events", "Events of the cluster in the lake.", &events)?;
        gauge(
            out,
            "events_per_day",
            "Events a day, in the mean of the last seven days that have any.",
            &by_cluster(&|cluster| Some(cluster.events_per_day as f64)),
        )?;
        let alone = |value: f64| [(String::new(), value)];
        gauge(
            out,
            "quarantined_records",
            "Records in the quarantine that were not released.",
            &alone(self.quarantined as f64),
        )?;
        if let Some(run) = &self.detect {
            gauge(
                out,
                "detect_last_run_timestamp_seconds",
                "When the last run of the detections began.",
                &alone(unix(run.last_run)),
            )?;
            gauge(
                out,
                "detect_last_run_duration_seconds",
                "How long it took.",
                &alone(run.duration_seconds),
            )?;
            gauge(
                out,
                "detect_last_run_complete",
                "Whether all detections could be run: 1 or 0.",
                &alone(f64::from(u8::from(run.complete))),
            )?;
            gauge(
                out,
                "detect_versions_behind",
                "Versions of the events table that no complete run has looked at.",
                &alone(run.versions_behind as f64),
            )?;
        }
        let open = self.open_findings.iter();
        let open: Vec<_> =
            open.map(|open| (label("severity", open.severity), open.count as f64)).collect();
        gauge(out, "open_findings", "Findings that nobody has acknowledged or closed.", &open)?;
        out.write_all(b"# EOF\n")
    }
}

/// One metric with its samples: labels and value.
fn gauge(out: &mut dyn Write, name: &str, help: &str, samples: &[(String, f64)]) -> io::Result<()> {
    writeln!(out, "# TYPE podtrail_{name} gauge")?;
    if name.ends_with("_seconds") {
        writeln!(out, "# UNIT podtrail_{name} seconds")?;
    }
    writeln!(out, "# HELP podtrail_{name} {help}")?;
    for (labels, value) in samples {
        writeln!(out, "podtrail_{name}{labels} {value}")?;
    }
    Ok(())
}

/// A label, its value escaped as the format asks.
fn label(name: &str, value: &str) -> String {
    let mut label = format!("{{{name}=\"");
    for character in value.chars() {
        // Writing to a string cannot fail.
        let _ = match character {
            '\\' => label.write_str("\\\\"),
            '"' => label.write_str("\\\""),
            '\n' => label.write_str("\\n"),
            other => label.write_char(other),
        };
    }
    label.push_str("\"}");
    label
}

/// A span in its two largest units.
fn short(seconds: u64) -> String {
    let span = Duration::from_secs(seconds);
    let text = humantime::format_duration(span).to_string();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}
