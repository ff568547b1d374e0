//! Every built-in detection over its case files: what it must find, and the look-alikes that it must not.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use podtrail_detect::{Pack, hunt};

use crate::support::{cases, session};

/// The entries of a folder, by name; none where there is no such folder.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut entries: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The last two parts of a path, such as `match/pod-create.jsonl`.
fn place(file: &Path) -> String {
    format!("{}/{}", name(file.parent().unwrap()), name(file))
}

#[test]
fn every_detection_has_cases_and_every_case_a_detection() {
    let pack = Pack::built_in().unwrap();
    let ids: BTreeSet<_> = pack.detections().map(|detection| detection.head.id.clone()).collect();
    let folders: BTreeSet<_> = entries(&cases()).iter().map(|folder| name(folder)).collect();
    let mut problems: Vec<String> =
        folders.difference(&ids).map(|folder| format!("{folder}: no such detection")).collect();
    for id in &ids {
        for expectation in ["match", "no-match"] {
            let files = entries(&cases().join(id).join(expectation));
            if files.len() < 2 {
                problems.push(format!("{id}/{expectation}: {} of at least 2 files", files.len()));
            }
            let is_log = |file: &PathBuf| file.extension().is_some_and(|ext| ext == "jsonl");
            let others = files.iter().filter(|file| !is_log(file));
            problems.extend(others.map(|file| format!("{}: not a .jsonl file", file.display())));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[tokio::test]
async fn every_case_file_gives_what_its_folder_says() {
    let pack = Pack::built_in().unwrap();
    let mut problems = Vec::new();
    for folder in entries(&cases()) {
        let id = name(&folder);
        // One session for all files of a detection, each a cluster of its own: detections never mix clusters.
        let files: Vec<_> =
            ["match", "no-match"].iter().flat_map(|kind| entries(&folder.join(kind))).collect();
        let logs = files.iter().map(|file| std::fs::read_to_string(file).unwrap());
        let logs: Vec<_> = files.iter().map(|file| place(file)).zip(logs).collect();
        let hunt = hunt(&session(&logs).await, &pack.only(&id)).await.unwrap();
        problems.extend(hunt.failures.iter().map(ToString::to_string));
        for (place, _) in &logs {
            let found = hunt.findings.iter().filter(|found| found.cluster.as_ref() == Some(place));
            let reasons: Vec<_> = found.flat_map(|finding| &finding.reasons).collect();
            if place.starts_with("match/") == reasons.is_empty() {
                problems.push(format!("{id}/{place}: {reasons:?}"));
            }
            if reasons.iter().any(|reason| reason.is_empty()) {
                problems.push(format!("{id}/{place}: a finding without a reason"));
            }
        }
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
