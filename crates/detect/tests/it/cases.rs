//! The built-in pack: the headers of all detections, and their case files.

use std::collections::BTreeSet;

use podtrail_detect::{Pack, lint, run_cases};

use crate::support::cases;

#[tokio::test]
async fn every_detection_is_complete_and_compares_possible_values() {
    let problems = lint(&Pack::built_in().unwrap()).await.unwrap();
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn a_former_technique_is_replaced_by_its_successor() {
    let names = Pack::built_in().unwrap().attack_names();
    // T1562.005 does not exist.
    let parts = (1..=13).filter(|part| *part != 5).map(|part| format!("T1562.{part:03}"));
    for old in parts.chain(["T1562".to_owned()]) {
        assert_eq!(names.technique(&old), None, "{old}");
        let new = names.successor(&old).unwrap_or_else(|| panic!("{old} has no successor"));
        assert!(names.technique(new).is_some(), "{old} is {new}, which is unknown");
    }
    assert_eq!(names.successor("Defense Evasion"), Some("Stealth or Defense Impairment"));
    let tactics: Vec<_> = names.tactics().map(|(id, _)| id).collect();
    assert!(tactics.windows(2).any(|pair| pair == ["TA0005", "TA0112"]), "{tactics:?}");
}

#[test]
fn every_folder_of_case_files_has_a_detection() {
    let pack = Pack::built_in().unwrap();
    let ids: BTreeSet<_> = pack.detections().map(|detection| detection.head.id.clone()).collect();
    let folders: BTreeSet<_> = std::fs::read_dir(cases())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    let strange: Vec<_> = folders.difference(&ids).collect();
    assert!(strange.is_empty(), "no such detections: {strange:?}");
}

#[tokio::test]
async fn every_case_file_gives_the_result_of_its_folder() {
    let reports =
        run_cases(&Pack::built_in().unwrap(), &[], &cases(), chrono::Utc::now()).await.unwrap();
    let failed: Vec<_> = reports
        .iter()
        .filter(|report| !report.problems.is_empty())
        .map(ToString::to_string)
        .collect();
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}
