//! The case files of detections: logs in which a detection must find something, and look-alikes in which it must not.
//!
//! `<cases>/<detection id>/match/*.jsonl` and `<cases>/<detection id>/no-match/*.jsonl`, one audit event per line. A match
//! named `*.<severity>.jsonl` must have this severity.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use podtrail_event::{BatchBuilder, Finding, Micros, ParseError, Parser, Severity, TimeProblem};
use podtrail_query::{Limits, QueryError, Scope, Session};

use crate::indicators::{INDICATOR_DETECTION, IndicatorError, Indicators};
use crate::pack::Pack;
use crate::pack::detection::{Detection, Input};
use crate::run::hunt::hunt;
use crate::text_file::read_text;

/// The minimum number of case files of each kind per detection.
const AT_LEAST: usize = 2;

/// The maximum size of a case file, in bytes.
const MAX_LOG: u64 = 16 << 20;

/// Whether a case file must match its detection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expectation {
    Match,
    NoMatch,
}

impl Expectation {
    const ALL: [Self; 2] = [Self::Match, Self::NoMatch];

    fn folder(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::NoMatch => "no-match",
        }
    }
}

struct Case {
    detection: String,
    /// The last two parts of the path, such as `match/pod-create.jsonl`.
    place: String,
    expectation: Expectation,
    /// The expected severity of its most severe finding, if the name of the file has one.
    severity: Option<Severity>,
    log: String,
}

impl Case {
    /// Returns the name of the cluster that the case runs in.
    fn cluster(&self) -> String {
        format!("{}/{}", self.detection, self.place)
    }
}

/// The results of the case files of one detection.
#[derive(Debug, Default)]
pub struct CaseReport {
    /// The id of the detection.
    pub detection: String,
    /// The number of case files.
    pub cases: usize,
    /// The problems; empty if all cases passed.
    pub problems: Vec<String>,
}

impl fmt::Display for CaseReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.problems.is_empty() { "ok" } else { "FAILED" };
        write!(formatter, "{verdict:<7} {} ({} cases)", self.detection, self.cases)?;
        self.problems.iter().try_for_each(|problem| write!(formatter, "\n        {problem}"))
    }
}

/// Why case files could not be run.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// A file or folder cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The indicators of the cases cannot be read.
    #[error(transparent)]
    Indicators(#[from] IndicatorError),
    /// A line is not an audit event.
    #[error("{place}, line {line}: {source}")]
    Event {
        /// The last two parts of the path of the case file.
        place: String,
        /// The line, from 1.
        line: i64,
        /// The parse error.
        source: ParseError,
    },
    /// The events could not be queried.
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// Runs detections of `pack` over their case files in `folder`: those with these ids, or all if none is given.
///
/// The events count as read at `now`.
///
/// # Errors
/// If a case file cannot be read. Failed cases are in the reports.
pub async fn run_cases(
    pack: &Pack,
    ids: &[String],
    folder: &Path,
    now: DateTime<Utc>,
) -> Result<Vec<CaseReport>, CaseError> {
    let is_wanted =
        |detection: &Detection| ids.is_empty() || ids.iter().any(|id| detection.has_id(id));
    let mut pack = pack.clone();
    pack.clear_exceptions();
    // A detection that combines the findings of others needs them to run.
    let weighs = pack
        .detections()
        .any(|detection| is_wanted(detection) && detection.head.input == Input::Facts);
    if !weighs {
        pack.keep(is_wanted);
    }
    let indicators = folder.join(INDICATOR_DETECTION).join("indicators.csv");
    if indicators.exists() {
        pack.set_indicators(Indicators::read(&[indicators], now)?.0);
    }
    let mut reports = Vec::new();
    let mut cases = Vec::new();
    for detection in pack.detections().filter(|detection| is_wanted(detection)) {
        let mut report = CaseReport { detection: detection.head.id.clone(), ..Default::default() };
        for expectation in Expectation::ALL {
            let found = read(folder, &report.detection, expectation)?;
            if found.len() < AT_LEAST {
                let folder = expectation.folder();
                let problem =
                    format!("{folder}: {} of at least {AT_LEAST} case files", found.len());
                report.problems.push(problem);
            }
            report.cases += found.len();
            cases.extend(found);
        }
        reports.push(report);
    }
    // All cases share one session, each as a separate cluster: detections never combine clusters.
    let events = vec![batch(&cases, now)?];
    let session = Session::in_memory(&events, Scope::default(), Limits::for_hunt(Limits::HUNT))?;
    let hunt = hunt(&session, &pack, None, now).await?;
    for report in &mut reports {
        let of_detection = |detection: &str| detection == report.detection;
        let failures = hunt.failures.iter().filter(|failure| of_detection(&failure.detection));
        report.problems.extend(failures.map(ToString::to_string));
        let cases = cases.iter().filter(|case| of_detection(&case.detection));
        let findings: Vec<_> =
            hunt.findings.iter().filter(|finding| of_detection(&finding.detection)).collect();
        report.problems.extend(cases.flat_map(|case| problems(case, &findings)));
    }
    Ok(reports)
}

/// Returns the problems of what a detection found in one of its case files.
fn problems(case: &Case, findings: &[&Finding]) -> Vec<String> {
    let cluster = case.cluster();
    let of_case =
        findings.iter().filter(|finding| finding.cluster.as_deref() == Some(cluster.as_str()));
    let of_case: Vec<_> = of_case.collect();
    let reasons: Vec<_> = of_case.iter().flat_map(|finding| &finding.reasons).collect();
    let mut problems = Vec::new();
    match (case.expectation, reasons.first()) {
        (Expectation::Match, None) => {
            problems.push(format!("{}: no finding, but one is expected", case.place));
        }
        (Expectation::NoMatch, Some(reason)) => {
            problems.push(format!("{}: unexpected finding: {reason}", case.place));
        }
        _ => {}
    }
    let found = of_case.iter().map(|finding| finding.severity).max();
    if let Some((expected, found)) = case.severity.zip(found)
        && expected != found
    {
        problems.push(format!("{}: severity is {found}, expected {expected}", case.place));
    }
    if reasons.iter().any(|reason| reason.is_empty()) {
        problems.push(format!("{}: finding without a reason", case.place));
    }
    problems
}

/// Reads the case files of one kind, ordered by name; none if the folder does not exist.
fn read(folder: &Path, detection: &str, expectation: Expectation) -> Result<Vec<Case>, CaseError> {
    let folder = folder.join(detection).join(expectation.folder());
    let error = |path: &Path, source| CaseError::Read { path: path.to_owned(), source };
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(|source| error(&folder, source))? {
        let path = entry.map_err(|source| error(&folder, source))?.path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            files.push(path);
        }
    }
    files.sort();
    let case = |path: PathBuf| {
        let log = read_text(&path, MAX_LOG).map_err(|source| error(&path, source))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let place = format!("{}/{name}", expectation.folder());
        let severity = Path::new(path.file_stem().unwrap_or_default()).extension();
        let severity =
            severity.and_then(OsStr::to_str).and_then(|name| name.parse::<Severity>().ok());
        Ok(Case { detection: detection.to_owned(), place, expectation, severity, log })
    };
    files.into_iter().map(case).collect()
}

fn batch(cases: &[Case], now: DateTime<Utc>) -> Result<arrow::array::RecordBatch, CaseError> {
    let mut parser = Parser::default();
    let mut events = BatchBuilder::default();
    for case in cases {
        let cluster = case.cluster();
        for (line, json) in (1..).zip(case.log.lines()) {
            let mut event = parser
                .parse(json.as_bytes(), None)
                .map_err(|source| CaseError::Event { place: case.place.clone(), line, source })?;
            // Cases contain the same events, so each event gets an id of its own.
            let id = blake3::hash(format!("{cluster}:{line}").as_bytes()).to_hex();
            event.event_id = Some(id[..32].into());
            event.cluster = Some(cluster.as_str().into());
            event.source_file = Some(cluster.as_str().into());
            event.source_line = Some(line);
            let now = Micros(now.timestamp_micros());
            if let Some(problem) = event.time.and_then(|time| TimeProblem::of_reading(time, now)) {
                event.time_problem = Some(problem.as_str().into());
            }
            events.append(&event);
        }
    }
    Ok(events.finish())
}
