//! The status of a lake, as text, as JSON and as OpenMetrics.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use chrono::{DateTime, Utc};
use podtrail_detect::{FindingState, Severity, last_seen};
use podtrail_lake::{Day, Lake};
use podtrail_query::{QueryError, Session, instant_sql};
use serde::{Deserialize, Serialize};

use crate::escape::escape;
use crate::summary::{seconds, thousands};

/// The status of a lake at one time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// The time.
    pub at: DateTime<Utc>,
    /// The version of the `events` table.
    pub events_version: i64,
    /// The incoming events, by cluster.
    pub clusters: Vec<ClusterStatus>,
    /// The number of quarantined records that were not released.
    pub quarantined: u64,
    /// The number of those that were quarantined in the last 24 hours.
    pub quarantined_last_day: u64,
    /// The last detection run, if one is known.
    pub detect: Option<DetectStatus>,
    /// The number of open findings by severity, the most severe first.
    pub open_findings: Vec<OpenFindings>,
}

/// The incoming events of a cluster.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClusterStatus {
    /// The name.
    pub cluster: String,
    /// The number of events in the lake.
    pub events: u64,
    /// The mean number of events per day, over the last seven days with events.
    pub events_per_day: u64,
    /// The time at which the last request arrived at the API server.
    pub last_event: Option<DateTime<Utc>>,
    /// The age of that request, in seconds.
    pub lag_seconds: Option<u64>,
}

/// A detection run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DetectStatus {
    /// The start of the run.
    pub last_run: DateTime<Utc>,
    /// The duration in seconds.
    pub duration_seconds: f64,
    /// Whether all detections succeeded.
    pub complete: bool,
    /// The number of versions of the `events` table that no complete run of all detections has examined.
    pub versions_behind: i64,
}

/// Open findings of a severity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenFindings {
    /// The severity.
    pub severity: &'static str,
    /// The number of findings.
    pub count: u64,
}

impl Status {
    /// Reads the status of a lake at the time `at`, which is now.
    ///
    /// # Errors
    /// If the lake cannot be read.
    pub async fn read(lake: &Lake, at: DateTime<Utc>) -> Result<Self, QueryError> {
        let events = lake.events().await?;
        let findings = lake.findings().await?;
        let run = lake.last_detect_run(&findings)?;
        let watermark = findings.watermark.unwrap_or(-1);
        let session = Session::over_findings(&findings.rows)?
            .with_snapshot("quarantine_log", &lake.quarantine().await?)?;
        let quarantined = "SELECT count(*) AS count FROM quarantine_log AS refused WHERE releases IS NULL
        AND NOT EXISTS (SELECT 1 FROM quarantine_log AS release WHERE release.releases = refused.quarantine_id)";
        let day_before = at.checked_sub_days(chrono::Days::new(1)).unwrap_or(at);
        let last_day = format!("{quarantined} AND quarantined_at >= {}", instant_sql(day_before));
        let mut open_findings = Vec::new();
        for severity in Severity::ALL.iter().copied().rev().map(Severity::as_str) {
            let states = FindingState::ALL.iter().copied().filter(|state| state.is_open());
            let states: Vec<_> = states.map(|state| format!("'{state}'")).collect();
            let states = states.join(", ");
            let sql = format!(
                "SELECT count(*) AS count FROM findings WHERE severity = '{severity}' AND state IN ({states})"
            );
            open_findings.push(OpenFindings { severity, count: count(&session, &sql).await? });
        }
        Ok(Self {
            at,
            events_version: events.version(),
            clusters: clusters(events.days()?, &last_seen(&events, at).await?, at),
            quarantined: count(&session, quarantined).await?,
            quarantined_last_day: count(&session, &last_day).await?,
            detect: run.map(|run| DetectStatus {
                last_run: run.started_at,
                duration_seconds: run
                    .finished_at
                    .signed_duration_since(run.started_at)
                    .to_std()
                    .unwrap_or_default()
                    .as_secs_f64(),
                complete: run.complete,
                versions_behind: events.version() - watermark,
            }),
            open_findings,
        })
    }

    /// Writes the status as text.
    ///
    /// # Errors
    /// If `out` fails.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        for cluster in &self.clusters {
            writeln!(out, "cluster     {}", escape(&cluster.cluster))?;
            if let (Some(last), Some(lag)) = (cluster.last_event, cluster.lag_seconds) {
                writeln!(out, "  last      {} UTC, {} ago", seconds(last), short(lag))?;
            }
            let (events, per_day) = (thousands(cluster.events), thousands(cluster.events_per_day));
            writeln!(out, "  events    {events}, {per_day} per day")?;
        }
        writeln!(
            out,
            "quarantine  {} records, {} in the last day",
            thousands(self.quarantined),
            thousands(self.quarantined_last_day)
        )?;
        match &self.detect {
            None => writeln!(out, "detect      never ran; `podtrail detect` runs the detections")?,
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
            if open.is_empty() { "none".to_owned() } else { open.join(", ") }
        )
    }

    /// Writes the status as one JSON object.
    ///
    /// # Errors
    /// If `out` fails.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        out.write_all(b"\n")
    }

    /// Writes the status as OpenMetrics text (<https://prometheus.io/docs/specs/om/open_metrics_spec/>), which the
    /// textfile collector of node exporter also reads.
    ///
    /// # Errors
    /// If `out` fails.
    #[expect(clippy::cast_precision_loss, reason = "OpenMetrics numbers are floating-point")]
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
            "Time at which the last request of the cluster arrived at its API server.",
            &by_cluster(&|cluster| cluster.last_event.map(unix)),
        )?;
        gauge(
            out,
            "lag_seconds",
            "Age of the last request when this file was written.",
            &by_cluster(&|cluster| cluster.lag_seconds.map(|lag| lag as f64)),
        )?;
        let events = by_cluster(&|cluster| Some(cluster.events as f64));
        gauge(out, "events", "Number of events of the cluster in the lake.", &events)?;
        gauge(
            out,
            "events_per_day",
            "Mean number of events per day, over the last seven days with events.",
            &by_cluster(&|cluster| Some(cluster.events_per_day as f64)),
        )?;
        let alone = |value: f64| [(String::new(), value)];
        gauge(
            out,
            "quarantined_records",
            "Number of quarantined records that were not released.",
            &alone(self.quarantined as f64),
        )?;
        if let Some(run) = &self.detect {
            gauge(
                out,
                "detect_last_run_timestamp_seconds",
                "Start time of the last detection run.",
                &alone(unix(run.last_run)),
            )?;
            gauge(
                out,
                "detect_last_run_duration_seconds",
                "Duration of the last detection run.",
                &alone(run.duration_seconds),
            )?;
            gauge(
                out,
                "detect_last_run_complete",
                "Whether all detections of the last run succeeded: 1 or 0.",
                &alone(f64::from(u8::from(run.complete))),
            )?;
            gauge(
                out,
                "detect_versions_behind",
                "Number of versions of the events table that no complete run has examined.",
                &alone(run.versions_behind as f64),
            )?;
        }
        let open = self.open_findings.iter();
        let open: Vec<_> =
            open.map(|open| (label("severity", open.severity), open.count as f64)).collect();
        gauge(
            out,
            "open_findings",
            "Number of findings that nobody has acknowledged or closed.",
            &open,
        )?;
        out.write_all(b"# EOF\n")
    }
}

/// Writes a metric with its samples, each with labels and value.
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

/// Returns a label whose value is escaped as the format requires.
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

/// Returns a duration in its two largest units.
fn short(seconds: u64) -> String {
    let span = Duration::from_secs(seconds);
    let text = humantime::format_duration(span).to_string();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

async fn count(session: &Session, sql: &str) -> Result<u64, QueryError> {
    #[derive(Deserialize)]
    struct Row {
        count: u64,
    }
    let rows: Vec<Row> = session.sql(sql).await?.rows().await?;
    Ok(rows.iter().map(|row| row.count).sum())
}

fn clusters(
    days: Vec<Day>,
    last_seen: &BTreeMap<Option<String>, DateTime<Utc>>,
    at: DateTime<Utc>,
) -> Vec<ClusterStatus> {
    const USUAL_DAYS: usize = 7;
    let mut clusters: BTreeMap<Option<String>, Vec<Day>> = BTreeMap::new();
    for day in days {
        clusters.entry(day.cluster.clone()).or_default().push(day);
    }
    let status = |(cluster, days): (Option<String>, Vec<Day>)| {
        let last_event = last_seen.get(&cluster).copied();
        // Days in the future, from clocks that run ahead, are not part of the average.
        let known = days.iter().filter(|day| day.date <= last_event.map(|last| last.date_naive()));
        let usual: Vec<u64> = known.rev().take(USUAL_DAYS).map(|day| day.rows).collect();
        let lag = last_event.map(|last| at.signed_duration_since(last).num_seconds());
        ClusterStatus {
            cluster: cluster.unwrap_or_default(),
            events: days.iter().map(|day| day.rows).sum(),
            events_per_day: usual.iter().sum::<u64>() / (usual.len() as u64).max(1),
            last_event,
            lag_seconds: lag.map(|lag| u64::try_from(lag).unwrap_or_default()),
        }
    };
    clusters.into_iter().map(status).collect()
}
