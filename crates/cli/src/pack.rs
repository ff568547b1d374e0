//! The pack that arguments select.

use std::path::PathBuf;

use podtrail_detect::{Detection, HEALTH_CHECKS, HealthCheck, Pack, read_exceptions};

use crate::args::FindArgs;
use crate::exit::UsageError;

/// How similar a known id must be to be suggested in place of an unknown one.
const SIMILAR: f64 = 0.85;

/// Returns the built-in pack with the detections of these folders added.
pub(crate) fn load(folders: &[PathBuf]) -> anyhow::Result<Pack> {
    let mut pack = Pack::built_in()?;
    for folder in folders {
        pack.add_folder(folder)?;
    }
    Ok(pack)
}

/// Returns the pack that the options select: folders, single detections, parameters and exceptions.
pub(crate) fn selected(arguments: &FindArgs) -> anyhow::Result<Pack> {
    let mut pack = load(&arguments.queries)?;
    for (id, name, value) in &arguments.param {
        find(&pack, id)?;
        pack.set_parameter(id, name, value)
            .map_err(|error| UsageError(format!("--param {id}.{name}: {error}")))?;
    }
    if !arguments.detection.is_empty() {
        for id in arguments.detection.iter().filter(|id| health_check(id).is_none()) {
            find(&pack, id)?;
        }
        pack.keep(|detection| arguments.detection.iter().any(|id| detection.has_id(id)));
    }
    if arguments.no_exceptions {
        pack.clear_exceptions();
    } else {
        for file in &arguments.exceptions {
            pack.add_exceptions(read_exceptions(file)?);
        }
    }
    Ok(pack)
}

/// Returns ids with the present id in place of an alias. Those of health checks stay.
pub(crate) fn current_ids(pack: &Pack, ids: &[String]) -> Vec<String> {
    let current = |id: &String| pack.get(id).map_or(id, |detection| &detection.head.id).clone();
    ids.iter().map(current).collect()
}

/// Returns the health check of a lake with this id; health checks are not part of the pack.
pub(crate) fn health_check(id: &str) -> Option<&'static HealthCheck> {
    HEALTH_CHECKS.iter().find(|check| check.id == id)
}

/// Returns the detection with this id or alias.
pub(crate) fn find<'a>(pack: &'a Pack, id: &str) -> anyhow::Result<&'a Detection> {
    pack.get(id).ok_or_else(|| {
        let ids = pack.detections().map(|detection| detection.head.id.as_str());
        let similar = |known: &&str| strsim::jaro_winkler(known, id);
        let nearest = ids.max_by(|a, b| similar(a).total_cmp(&similar(b)));
        let nearest = nearest.filter(|known| similar(known) >= SIMILAR);
        let nearest = nearest.map(|known| format!(": did you mean '{known}'?")).unwrap_or_default();
        let hint = if nearest.is_empty() { "; `podtrail detections list` lists all" } else { "" };
        UsageError(format!("unknown detection '{id}'{nearest}{hint}")).into()
    })
}
