//! A hunt continues after a detection that fails.

use podtrail_detect::{DetectError, Pack, hunt};

use crate::support::{detection, folder, log, privileged_pod, session_over};

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
