//! Ingestion into a real lake, repeated.

use std::io;

use podtrail_ingest::{Input, NoProgress, Options, Summary, ingest};
use podtrail_lake::Lake;
use tokio::runtime::Runtime;

use crate::support::{Folder, event, event_list, gzip, lines};

fn summary(lake: &Lake, runtime: &Runtime, inputs: &[Input]) -> Summary {
    ingest(lake, runtime.handle(), inputs, &Options::default(), &NoProgress).expect("a summary")
}

/// Equal events add nothing: the same file, its gzip, an overlapping rotation, another envelope.
#[test]
fn ingesting_again_adds_nothing() -> io::Result<()> {
    let log = lines((0..100).map(event));
    let folder = Folder::new()
        .with("in/audit.log", [log.clone(), lines(["oops"])].concat())
        .with("again/audit.log.gz", gzip(&log))
        .with("again/overlap.log", lines((50..120).map(event)))
        .with("again/webhook.json", event_list(0..10));
    let runtime = Runtime::new()?;
    let lake = runtime.block_on(Lake::create(&folder.path("lake"))).expect("a lake");

    let first = summary(&lake, &runtime, &[Input::Path(folder.path("in"))]);
    assert_eq!((first.records, first.events_added, first.quarantined), (101, 100, 1));
    let again = summary(&lake, &runtime, &[Input::Path(folder.path("in"))]);
    assert_eq!((again.records, again.events_added, again.quarantined), (101, 0, 1));
    let other = summary(&lake, &runtime, &[Input::Path(folder.path("again"))]);
    assert_eq!((other.records, other.events_added, other.duplicates), (180, 20, 160));
    assert_eq!(other.records, other.events_added + other.duplicates + other.quarantined);
    Ok(())
}

/// The writer of an envelope can choose any cluster name.
#[test]
fn any_cluster_name_is_stored() -> io::Result<()> {
    let names = [
        "a".repeat(300),
        "é".repeat(250),
        "集".repeat(100),
        "x".repeat(100_000),
        "%".repeat(255),
        "..".to_owned(),
        "../../../etc".to_owned(),
        ".".to_owned(),
        "a/b".to_owned(),
        "a\\b".to_owned(),
        "a\0b".to_owned(),
        "a\nb".to_owned(),
        "trailing. ".to_owned(),
        "cluster=a".to_owned(),
        "__HIVE_DEFAULT_PARTITION__".to_owned(),
        "'; DROP TABLE events".to_owned(),
        String::new(),
    ];
    let log = names.iter().enumerate().map(|(id, name)| {
        let resource = serde_json::json!({"attributes": [{"key": "k8s.cluster.name", "value": {"stringValue": name}}]});
        let body = serde_json::json!({"stringValue": event(id)});
        serde_json::json!({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [{"body": body}]}]}]}).to_string()
    });
    let folder = Folder::new().with("in/otlp.jsonl", lines(log));
    let runtime = Runtime::new()?;
    let lake = runtime.block_on(Lake::create(&folder.path("lake"))).expect("a lake");
    let first = summary(&lake, &runtime, &[Input::Path(folder.path("in"))]);
    assert_eq!((first.events_added, first.quarantined), (names.len() as u64, 0), "{first:?}");
    let again = summary(&lake, &runtime, &[Input::Path(folder.path("in"))]);
    assert_eq!((again.events_added, again.duplicates), (0, names.len() as u64));

    let events = runtime.block_on(lake.events()).expect("events");
    let mut clusters: Vec<_> =
        events.days().unwrap().into_iter().filter_map(|day| day.cluster).collect();
    clusters.sort();
    let stored = |name: &String| match name.len() {
        0 => "default".to_owned(),
        513.. => podtrail_event::bounded_name(name, 512).into_owned(),
        _ => name.clone(),
    };
    let mut expected: Vec<_> = names.iter().map(stored).collect();
    expected.sort();
    assert_eq!(clusters, expected);
    Ok(())
}

/// An event from a log without a cluster name equals its copy with one; events of two clusters stay separate.
#[test]
fn an_event_without_a_cluster_equals_that_of_any_cluster() -> io::Result<()> {
    let labelled = |id, cluster| {
        let mut record: serde_json::Value = serde_json::from_str(&event(id)).expect("an event");
        record["openshift"] = serde_json::json!({ "cluster_id": cluster });
        record.to_string()
    };
    let folder = Folder::new()
        .with("bare.log", lines((0..4).chain([9]).map(event)))
        .with("prod.log", lines((0..3).map(|id| labelled(id, "prod"))))
        .with("lab.log", lines((2..5).map(|id| labelled(id, "lab"))));
    let runtime = Runtime::new()?;
    let clusters = |name: &str, order: &[&str]| {
        let lake = runtime.block_on(Lake::create(&folder.path(name))).expect("a lake");
        for files in order {
            let files: Vec<_> =
                files.split(' ').map(|file| Input::Path(folder.path(file))).collect();
            summary(&lake, &runtime, &files);
        }
        let events = runtime.block_on(lake.events()).expect("events");
        let days = events.days().unwrap().into_iter();
        let mut clusters: Vec<_> =
            days.map(|day| (day.cluster.unwrap_or_default(), day.rows)).collect();
        clusters.sort();
        clusters
    };
    let expected = |named: &[(&str, u64)]| {
        named.iter().map(|(name, rows)| ((*name).to_owned(), *rows)).collect::<Vec<_>>()
    };
    let together = expected(&[("default", 1), ("lab", 3), ("prod", 3)]);
    assert_eq!(clusters("together", &["bare.log prod.log lab.log"]), together);
    assert_eq!(clusters("bare-last", &["prod.log", "lab.log", "bare.log"]), together);
    // Stored events stay unchanged.
    let bare_first = expected(&[("default", 5), ("lab", 1)]);
    assert_eq!(clusters("bare-first", &["bare.log", "prod.log lab.log"]), bare_first);
    Ok(())
}
