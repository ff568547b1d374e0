//! `podtrail findings`: states of findings, and changes by people.

use serde_json::{Value, json};

use crate::detect::{Fixture, names};
use crate::{podtrail, privileged_pod};

fn list(lake: &str, flags: &[&str]) -> Vec<Value> {
    let arguments = ["findings", "list", "--lake", lake, "--format", "jsonl"];
    podtrail(arguments.into_iter().chain(flags.iter().copied())).expect(0).jsonl()
}

fn id(lake: &str, name: &str) -> String {
    let found = list(lake, &[]);
    let finding = found.iter().find(|finding| finding["name"] == name).unwrap();
    finding["finding_id"].as_str().unwrap().to_owned()
}

#[test]
fn a_finding_is_acknowledged_closed_and_found_again() {
    let mut lake = Fixture::new();
    let pod = |name: &str, minute: u32| {
        privileged_pod(name, &format!("2026-11-24T10:{minute:02}:00.000000Z"))
    };
    lake.ingest(&[pod("a", 0), pod("b", 0)]);
    lake.detect(&[]).expect(0);
    let (a, b) = (id(&lake.lake, "a"), id(&lake.lake, "b"));
    let ack = ["findings", "ack", &a[..8], &b, "--lake", &lake.lake];
    podtrail(ack.into_iter().chain(["--by", "eve", "--note", "looked at"])).expect(0);
    podtrail(["findings", "close", &b, "--lake", &lake.lake, "--by", "bob"]).expect(0);
    let stands = |name: &str| {
        let found = list(&lake.lake, &[]);
        let finding = found.into_iter().find(|finding| finding["name"] == name).unwrap();
        ["state", "state_by", "note", "count", "sequence"].map(|key| finding[key].clone())
    };
    let expected = [json!("acknowledged"), json!("eve"), json!("looked at"), json!(1), json!(3)];
    assert_eq!(stands("a"), expected);
    assert_eq!(stands("b"), [json!("closed"), json!("bob"), json!(null), json!(1), json!(4)]);
    assert_eq!(names(&list(&lake.lake, &["--state", "closed"])), ["b"]);
    assert_eq!(list(&lake.lake, &["--state", "new", "--state", "seen_again"]), Vec::<Value>::new());
    assert_eq!(list(&lake.lake, &["--min-severity", "high"]), Vec::<Value>::new());

    // An acknowledged finding is not printed again; a closed one is.
    lake.ingest(&[pod("a", 5), pod("b", 5)]);
    let printed = lake.detect(&[]).expect(0).jsonl();
    assert_eq!(names(&printed), ["b"]);
    assert_eq!(printed[0]["count"], 2);
    let list = list(&lake.lake, &[]);
    let of = |name: &str| list.iter().find(|finding| finding["name"] == name).unwrap();
    assert_eq!((&of("a")["state"], &of("a")["count"]), (&json!("acknowledged"), &json!(2)));
    assert_eq!((&of("a")["state_by"], &of("a")["note"]), (&json!("eve"), &json!("looked at")));
    assert_eq!(
        (&of("b")["state"], &of("b")["state_by"]),
        (&json!("delivered"), &json!("podtrail"))
    );
}

#[test]
fn show_prints_all_details_of_a_finding() {
    let mut lake = Fixture::new();
    let hostile = |event: String| event.replace("kubectl", "kubectl\\u001b[31m\\u202e");
    let pod = hostile(privileged_pod("a", "2026-11-24T10:00:00.000000Z"));
    let near =
        hostile(privileged_pod("near", "2026-11-24T10:50:00.000000Z")).replace("true", "false");
    let far = privileged_pod("far", "2026-11-24T11:10:00.000000Z").replace("true", "false");
    let other = privileged_pod("other", "2026-11-24T10:10:00.000000Z")
        .replace("true", "false")
        .replace("alice", "zoe");
    lake.ingest(&[pod.clone(), near, far, other]);
    lake.detect(&[]).expect(0);
    let id = id(&lake.lake, "a");
    let run = podtrail(["findings", "show", &id[..10], "--lake", &lake.lake]).expect(0);
    let shown = &run.stdout;
    for part in [
        "MEDIUM   Privileged container  T1610 T1611",
        "who    alice",
        &id,
        "\nEvidence\n",
        "\nSource\n",
        "1.log",
        "Requests of alice from 2026-11-24 09:00:00 to 2026-11-24 11:00:00 UTC",
        "near",
        "\nOwners of the written objects\n",
        "own request",
        "\nRaw events\n",
        r#""auditID":"audit-a""#,
        r#""userAgent":"kubectl\u001b[31m\u202e""#,
    ] {
        assert!(shown.contains(part), "{part} is not in {run}");
    }
    assert!(!shown.contains("far") && !shown.contains("other"), "{run}");
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{run}");
    let sha256 = lake.sql("SELECT DISTINCT source_sha256 AS s FROM stages")[0]["s"].clone();
    assert!(shown.contains(sha256.as_str().unwrap()), "{run}");
    let wide = ["findings", "show", &id, "--around", "2h", "--lake", &lake.lake];
    assert!(podtrail(wide).expect(0).stdout.contains("far"));
}
