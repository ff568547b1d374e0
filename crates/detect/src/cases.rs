//! The case files of detections: logs in which one must find something, and look-alikes in which it must not.
//!
//! `<cases>/<detection id>/match/*.jsonl` and `<cases>/<detection id>/no-match/*.jsonl`, one audit event a line.

use std::fmt;
use std::path::{Path, PathBuf};

use podtrail_event::{BatchBuilder, ParseError, Parser};
use podtrail_query::{QueryError, Scope, Session};

use crate::finding::Finding;
use crate::pack::Pack;
use crate::run::hunt;

/// How many case files of each kind a detection needs.
const AT_LEAST: usize = 2;

/// What a case file expects of its detection.
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
    /// The last two parts of the path, such as `match/pod-create.jsonl`; the name of the case's cluster.
    place: String,
    expectation: Expectation,
    log: String,
}

/// What the case files of one detection showed.
#[derive(Debug, Default)]
pub struct CaseReport {
    /// The detection's id.
    pub detection: String,
    /// How many case files it has.
    pub cases: usize,
    /// What is wrong; empty when all is well.
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
        /// What the system says.
        source: std::io::Error,
    },
    /// A line is not an audit event.
    #[error("{place}, line {line}: {source}")]
    Event {
        /// The case file, by its last two parts.
        place: String,
        /// The line, from 1.
        line: i64,
        /// What is wrong with it.
        source: ParseError,
    },
    /// The events could not be queried.
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// Runs every detection of `pack` over its case files in `folder`.
///
/// # Errors
/// When a case file cannot be read. What a detection finds or not is in the reports.
pub async fn run_cases(pack: &Pack, folder: &Path) -> Result<Vec<CaseReport>, CaseError> {
    let mut reports = Vec::new();
    for detection in pack.detections() {
        let id = &detection.head.id;
        reports.push(Box::pin(run_case_files(&pack.only(id), id, &folder.join(id))).await?);
    }
    Ok(reports)
}

async fn run_case_files(pack: &Pack, id: &str, folder: &Path) -> Result<CaseReport, CaseError> {
    let mut cases = Vec::new();
    let mut problems = Vec::new();
    for expectation in Expectation::ALL {
        let found = read(folder, expectation)?;
        if found.len() < AT_LEAST {
            let folder = expectation.folder();
            problems.push(format!("{folder}: {} of at least {AT_LEAST} case files", found.len()));
        }
        cases.extend(found);
    }
    // One session for all of them, each a cluster of its own: detections never mix clusters.
    let session = Session::in_memory(vec![batch(&cases)?], Scope::default()).await?;
    let hunt = hunt(&session, pack).await?;
    problems.extend(hunt.failures.iter().map(ToString::to_string));
    for case in &cases {
        let is_of_case = |finding: &&Finding| finding.cluster.as_ref() == Some(&case.place);
        let reasons: Vec<_> =
            hunt.findings.iter().filter(is_of_case).flat_map(|finding| &finding.reasons).collect();
        match (case.expectation, reasons.first()) {
            (Expectation::Match, None) => problems.push(format!("{}: not found", case.place)),
            (Expectation::NoMatch, Some(reason)) => {
                problems.push(format!("{}: found: {reason}", case.place));
            }
            _ => {}
        }
        if reasons.iter().any(|reason| reason.is_empty()) {
            problems.push(format!("{}: a finding without a reason", case.place));
        }
    }
    Ok(CaseReport { detection: id.to_owned(), cases: cases.len(), problems })
}

/// The case files of one kind, by name; none where there is no such folder.
fn read(folder: &Path, expectation: Expectation) -> Result<Vec<Case>, CaseError> {
    let folder = folder.join(expectation.folder());
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
        let log = std::fs::read_to_string(&path).map_err(|source| error(&path, source))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(Case { place: format!("{}/{name}", expectation.folder()), expectation, log })
    };
    files.into_iter().map(case).collect()
}

fn batch(cases: &[Case]) -> Result<arrow::array::RecordBatch, CaseError> {
    let mut parser = Parser::default();
    let mut events = BatchBuilder::default();
    for case in cases {
        for (line, json) in (1..).zip(case.log.lines()) {
            let mut event = parser
                .parse(json.as_bytes(), None)
                .map_err(|source| CaseError::Event { place: case.place.clone(), line, source })?;
            event.cluster = Some(case.place.as_str().into());
            event.source_file = Some(case.place.as_str().into());
            event.source_line = Some(line);
            events.append(&event);
        }
    }
    Ok(events.finish())
}
