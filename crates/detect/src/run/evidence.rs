//! The events behind matches, read from the lake by their ids.

use std::collections::{BTreeSet, HashMap};

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, StructArray, TimestampMicrosecondArray,
};
use chrono::DateTime;
use futures::TryStreamExt;
use podtrail_event::Source;
use podtrail_query::{Optimized, QueryError, Session};
use serde::Deserialize;

use crate::evidence::Evidence;
use crate::run::uncertain_writes::uncertain;

// The condition stands inside: no join of a hundred bytes an event may precede it.
const EVIDENCE_SQL: &str = "
SELECT
  recorded.event_id, audit_id, time, cluster, username, impersonated_username, verb, api_group, resource, subresource,
  namespace, name, outcome, client_ip, user_agent, source_file, source_sha256, source_line, source_offset, provider,
  truncated, workload['body_source'] AS body_source, workload['containers'] AS containers,
  workload['volumes'] AS volumes, outcome_uncertain, proxy_username
FROM (SELECT * FROM stages UNION ALL SELECT * FROM stages_history) AS recorded
WHERE recorded.event_id IN (SELECT event_id FROM evidence_ids)";

/// The table with the ids of the events to read, for the queries of this module.
const EVIDENCE_IDS: &str = "evidence_ids";

/// The query for why events are routine.
const ROUTINE_SQL: &str = "SELECT cluster, event_id, routine FROM routine_events";

/// A row of [`ROUTINE_SQL`].
#[derive(Deserialize)]
struct RoutineEvent {
    cluster: Option<String>,
    event_id: String,
    routine: String,
}

/// Returns the query for routine events, which [`read`] uses.
pub(crate) async fn routine(session: &Session) -> Result<Optimized, QueryError> {
    session.sql(ROUTINE_SQL).await?.optimize()
}

/// Reads the events with these ids, and why they are routine if that is requested; computing it takes long.
pub(crate) async fn read(
    session: &Session,
    ids: &BTreeSet<String>,
    with_routine: bool,
) -> Result<Vec<Evidence>, QueryError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids = ids.iter().map(String::as_str);
    let session = session.with_strings(EVIDENCE_IDS, "event_id", ids)?.on_all_cores();
    let mut batches = session.sql(EVIDENCE_SQL).await?.prepare().await?.run();
    let mut events = Vec::new();
    let mut has_uncertain = false;
    while let Some(batch) = batches.try_next().await? {
        events.extend((0..batch.num_rows()).filter_map(|row| evidence(&batch, row)));
        let uncertain = batch.column_by_name("outcome_uncertain");
        let uncertain = uncertain.and_then(AsArray::as_boolean_opt);
        has_uncertain |= uncertain.is_some_and(|column| column.true_count() > 0);
    }
    tracing::debug!(events = events.len(), "the evidence is read");
    if with_routine {
        let mut routine = routine_events(&session).await?;
        for event in &mut events {
            event.routine = routine.remove(&(event.cluster.clone(), event.event_id.clone()));
        }
    }
    // Such writes are rare, and finding the events after them takes long.
    if has_uncertain {
        let mut known = uncertain(&session).await?;
        for event in &mut events {
            event.uncertain = known.remove(&(event.cluster.clone(), event.event_id.clone()));
        }
    }
    Ok(events)
}

/// Returns why events whose ids are in the table `evidence_ids` are routine, by cluster and id; of several reasons, the
/// first in alphabetical order.
async fn routine_events(
    session: &Session,
) -> Result<HashMap<(Option<String>, String), String>, QueryError> {
    let sql = format!(
        "SELECT * FROM ({ROUTINE_SQL}) AS routine \
         WHERE routine.event_id IN (SELECT event_id FROM {EVIDENCE_IDS})"
    );
    let mut events = HashMap::new();
    for RoutineEvent { cluster, event_id, routine } in session.sql(&sql).await?.rows().await? {
        let reason = events.entry((cluster, event_id)).or_insert_with(|| routine.clone());
        if routine < *reason {
            *reason = routine;
        }
    }
    Ok(events)
}

fn evidence(batch: &RecordBatch, row: usize) -> Option<Evidence> {
    let text = |name| text(batch, name, row);
    let int = |name| {
        let column = batch.column_by_name(name)?.as_any().downcast_ref::<Int64Array>()?;
        column.is_valid(row).then(|| column.value(row))
    };
    let time =
        batch.column_by_name("time")?.as_any().downcast_ref::<TimestampMicrosecondArray>()?;
    let runs = runs(batch, row);
    Some(Evidence {
        event_id: text("event_id")?,
        audit_id: text("audit_id"),
        time: DateTime::from_timestamp_micros(time.value(row))?,
        cluster: text("cluster"),
        username: text("username"),
        impersonated_username: text("impersonated_username"),
        verb: text("verb"),
        api_group: text("api_group"),
        resource: text("resource"),
        subresource: text("subresource"),
        namespace: text("namespace"),
        name: text("name"),
        outcome: text("outcome"),
        client_ip: text("client_ip"),
        user_agent: text("user_agent"),
        provider: text("provider"),
        images: runs.images,
        shows_all_images: runs.shows_all_images,
        programs: runs.programs,
        hides_programs: runs.hides_programs,
        routine: None,
        proxy_username: text("proxy_username"),
        uncertain: None,
        source: Source {
            file: text("source_file"),
            line: int("source_line"),
            offset: int("source_offset"),
            sha256: text("source_sha256"),
        },
    })
}

pub(crate) fn text(batch: &RecordBatch, name: &str, row: usize) -> Option<String> {
    let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
    column.is_valid(row).then(|| column.value(row).to_owned())
}

/// Returns the struct array of the list `name` in `row`.
fn structs(batch: &RecordBatch, name: &str, row: usize) -> Option<StructArray> {
    let lists = batch.column_by_name(name)?.as_list_opt::<i32>()?;
    if lists.is_null(row) {
        return None;
    }
    lists.value(row).as_struct_opt().cloned()
}

/// Returns the strings of the list in `row`, or `None` if it is null.
fn strings(lists: Option<&ArrayRef>, row: usize) -> Option<Vec<String>> {
    let lists = lists?.as_list_opt::<i32>()?;
    if lists.is_null(row) {
        return None;
    }
    let texts = lists.value(row);
    Some(
        texts
            .as_string_opt::<i32>()?
            .iter()
            .map(|text| text.unwrap_or_default().to_owned())
            .collect(),
    )
}

/// What the workload in a row runs.
#[derive(Default)]
struct Runs {
    images: Vec<String>,
    shows_all_images: bool,
    programs: Vec<String>,
    hides_programs: bool,
}

/// Mount paths that hide no program of an image: data folders, and paths where agents mount the node.
const DATA_PATHS: [&str; 13] = [
    "/config",
    "/csi",
    "/data",
    "/dev",
    "/host",
    "/lib/modules",
    "/proc",
    "/registration",
    "/rootfs",
    "/run",
    "/sys",
    "/tmp",
    "/var",
];

fn runs(batch: &RecordBatch, row: usize) -> Runs {
    let mut runs = Runs::default();
    if let Some(containers) = structs(batch, "containers", row) {
        let images = containers.column_by_name("image");
        let images = images.and_then(|images| images.as_string_opt::<i32>());
        let is_whole =
            matches!(text(batch, "body_source", row).as_deref(), Some("request" | "response"));
        let is_cut = batch.column_by_name("truncated").and_then(|cut| cut.as_boolean_opt());
        let is_cut = is_cut.is_some_and(|cut| cut.is_valid(row) && cut.value(row));
        // A write of ephemeral containers does not show the others.
        let is_part = text(batch, "subresource", row).is_some();
        runs.shows_all_images = is_whole
            && !is_cut
            && !is_part
            && images.is_some_and(|images| images.null_count() == 0);
        runs.images.extend(images.into_iter().flatten().flatten().map(str::to_owned));
        for container in 0..containers.len() {
            runs.programs.extend(programs(&containers, container));
            runs.hides_programs |= hides_programs(&containers, container);
        }
    }
    if let Some(volumes) = structs(batch, "volumes", row) {
        let images = volumes.column_by_name("image_reference");
        let images = images.and_then(|images| images.as_string_opt::<i32>());
        runs.images.extend(images.into_iter().flatten().flatten().map(str::to_owned));
    }
    runs
}

/// Returns the programs that a container, its hooks and its probes specify. Arguments alone are appended to the
/// program of the image, or are the program if the image has no entry point: they are certain not to be a program
/// only if the first is an option.
fn programs(containers: &StructArray, row: usize) -> Vec<String> {
    let words = |name| strings(containers.column_by_name(name), row);
    let first = |words: Vec<String>| words.into_iter().next();
    let program = match (words("command").and_then(first), words("args").and_then(first)) {
        (Some(program), _) => Some(program),
        (None, Some(argument)) if !argument.starts_with('-') => Some(argument),
        _ => None,
    };
    let handlers =
        containers.column_by_name("handlers").and_then(|lists| lists.as_list_opt::<i32>());
    let handlers = handlers.filter(|lists| lists.is_valid(row)).map(|lists| lists.value(row));
    let handlers = handlers.as_ref().and_then(|handlers| handlers.as_struct_opt());
    let of_handlers = handlers.into_iter().flat_map(|handlers| {
        let commands = handlers.column_by_name("command");
        (0..handlers.len()).filter_map(move |row| strings(commands, row).and_then(first))
    });
    program.into_iter().chain(of_handlers).collect()
}

/// Returns whether a volume of a container is mounted outside [`DATA_PATHS`] and folders of `/etc`.
fn hides_programs(containers: &StructArray, row: usize) -> bool {
    let mounts = containers.column_by_name("volume_mounts");
    let mounts = mounts.and_then(|lists| lists.as_list_opt::<i32>());
    let mounts = mounts.filter(|lists| lists.is_valid(row)).map(|lists| lists.value(row));
    let mounts = mounts.as_ref().and_then(|mounts| mounts.as_struct_opt());
    let paths = mounts.and_then(|mounts| mounts.column_by_name("mount_path"));
    let paths = paths.and_then(|paths| paths.as_string_opt::<i32>());
    let lies_on_data = |path: &str| {
        let is_below = |folder: &&str| {
            path.strip_prefix(*folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let is_plain = !path.split('/').any(|part| part == "." || part == "..");
        // The dynamic loader reads `/etc/ld.so.preload`.
        let in_etc = path.strip_prefix("/etc/").is_some_and(|rest| !rest.starts_with("ld.so"));
        is_plain && !path.contains("//") && (in_etc || DATA_PATHS.iter().any(is_below))
    };
    paths.into_iter().flatten().any(|path| !path.is_some_and(lies_on_data))
}
