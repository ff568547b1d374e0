//! Into a real lake, and again.

use std::io;

use podtrail_ingest::{Input, NoProgress, Options, Summary, ingest};
use podtrail_lake::Lake;
use tokio::runtime::Runtime;

use crate::support::{Folder, event, event_list, gzip, lines};

fn summary(lake: &Lake, runtime: &Runtime, inputs: &[Input]) -> Summary {
    ingest(lake, runtime.handle(), inputs, &Options::default(), &NoProgress).expect("a summary")
}

/// The same events add nothing: the same file, its gzip, an overlapping rotation, another envelope.
#[test]
fn again_adds_nothing() -> io::Result<()> {
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
