//! A hunt continues after a detection that fails, and its findings do not depend on its memory.

use podtrail_detect::{DetectError, Pack, hunt};
use podtrail_query::{Limits, Scope};

use crate::support::{cases, detection, folder, limited, log, privileged_pod, session_over};

#[tokio::test]
async fn a_broken_detection_is_reported_and_the_others_run() {
    let good = "SELECT event_id, 'seen' AS reason FROM events";
    let large = "SELECT event_id, string_agg(verb, ' ') AS reason FROM events GROUP BY event_id";
    let listed = "SELECT array_agg(event_id) AS event_id, 'both' AS reason FROM events";
    let queries = folder(&[
        ("a-column.sql", &detection("a-column", "SELECT event_id, nothing AS reason FROM events")),
        ("b-syntax.sql", &detection("b-syntax", "SELECT event_id FROM FROM events")),
        ("c-reason.sql", &detection("c-reason", "SELECT event_id FROM events")),
        ("d-type.sql", &detection("d-type", "SELECT 1 AS event_id, 'x' AS reason")),
        (
            "e-run.sql",
            &detection(
                "e-run",
                "SELECT event_id, 'x' AS reason FROM events WHERE 1 / (length(verb) - 6) > 0",
            ),
        ),
        ("f-write.sql", &detection("f-write", "CREATE TABLE mine AS SELECT 1")),
        ("x-large.sql", &detection("x-large", large)),
        ("y-listed.sql", &detection("y-listed", listed)),
        ("z-good.sql", &detection("z-good", good)),
    ]);
    let mut pack = Pack::built_in().unwrap();
    pack.keep(|_| false);
    pack.add_folder(queries.path()).unwrap();
    let session = session_over(log(&[
        privileged_pod("dana", "a", "10:00:00"),
        privileged_pod("dana", "b", "10:01:00"),
    ]));

    let hunt = hunt(&session, &pack, None, chrono::Utc::now()).await.unwrap();

    let failed: Vec<_> = hunt.failures.iter().map(|failure| &*failure.detection).collect();
    assert_eq!(failed, ["a-column", "b-syntax", "c-reason", "d-type", "e-run", "f-write"]);
    assert!(matches!(hunt.failures[2].error, DetectError::Column("reason")));
    assert!(matches!(hunt.failures[3].error, DetectError::Column("event_id")));
    let message = hunt.failures[0].to_string();
    assert!(message.contains("a-column") && message.contains("nothing"), "{message}");

    assert_eq!(hunt.detections, 9);
    let of = |id: &str| hunt.findings.iter().filter(|finding| finding.detection == id).count();
    assert_eq!((of("x-large"), of("y-listed"), of("z-good")), (2, 1, 2));
}

/// A view that does not fit is read by each query, as a part of its plan.
#[tokio::test(flavor = "multi_thread")]
async fn views_that_do_not_fit_the_cache_have_the_same_findings() {
    let log = std::fs::read_to_string(cases().join("../intrusion/audit.log")).unwrap();
    let logs = [("test".to_owned(), log)];
    let pack = Pack::built_in().unwrap();
    let now = chrono::Utc::now();
    let mut found = Vec::new();
    for cache in [Limits::HUNT, 200_000, 1] {
        let limits = Limits { cache, ..Limits::for_hunt(Limits::HUNT) };
        let hunt = hunt(&limited(&logs, Scope::default(), limits), &pack, None, now).await.unwrap();
        let failures: Vec<_> = hunt.failures.iter().map(ToString::to_string).collect();
        assert!(failures.is_empty(), "{cache}: {failures:?}");
        let findings = hunt.findings.into_iter();
        let mut findings: Vec<_> =
            findings.map(|f| (f.finding_id, f.severity, f.event_ids, f.reasons)).collect();
        findings.sort();
        found.push(findings);
    }
    assert!(found[0].len() > 20 && found.iter().all(|other| *other == found[0]));
}
