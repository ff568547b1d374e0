//! PersistentVolumes that requests write: access to a node path that bypasses the checks of pod volumes.

use crate::column::Text;
use crate::json::value::Json;
use crate::objects::bodies::{Bodies, body_source};
use crate::objects::extract::network_source;
use crate::objects::path::normalize_host_path;
use crate::row;

row! {
    /// PersistentVolume that a request writes.
    pub struct PersistentVolume<'a> builds PersistentVolumeBuilder {
        /// Body that the row shows: `response`, `request`, `patch` or `none`.
        pub body_source: Option<Text<'a>>,
        /// Type key of the volume source, such as `hostPath`, `local`, `nfs` or `csi`.
        pub r#type: Option<Text<'a>>,
        /// `hostPath.path` or `local.path`, normalized like that of a pod volume.
        pub host_path: Option<Text<'a>>,
        /// `hostPath.path` or `local.path` as written.
        pub host_path_raw: Option<Text<'a>>,
        /// `spec.claimRef.namespace`.
        pub claim_namespace: Option<Text<'a>>,
        /// `spec.claimRef.name`.
        pub claim_name: Option<Text<'a>>,
        /// `spec.storageClassName`: without `claimRef`, a claim of the same class can bind to the volume.
        pub storage_class: Option<Text<'a>>,
        /// `csi.driver` or `flexVolume.driver`.
        pub driver: Option<Text<'a>>,
        /// Server, repository or share of the volume, as for pod volumes. Null if it names none.
        pub source: Option<Text<'a>>,
    }
}

row! {
    /// PersistentVolumeClaim that a request writes.
    pub struct VolumeClaim<'a> builds VolumeClaimBuilder {
        /// Body that the row shows: `response`, `request`, `patch` or `none`.
        pub body_source: Option<Text<'a>>,
        /// `spec.storageClassName`.
        pub storage_class: Option<Text<'a>>,
        /// `spec.volumeName`: the requested or bound PersistentVolume.
        pub volume_name: Option<Text<'a>>,
        /// `spec.volumeMode`: `Filesystem` or `Block`.
        pub volume_mode: Option<Text<'a>>,
    }
}

/// Returns the claim that a request writes; `None` for a patch that leaves its spec unchanged.
pub(crate) fn volume_claim<'a>(bodies: &Bodies<'a, '_>) -> Option<VolumeClaim<'a>> {
    if bodies.leaves_alone(&["spec"]) {
        return None;
    }
    let body = bodies.object("PersistentVolumeClaim", &["spec"]);
    let source = Some(body_source(body.as_ref()));
    let spec = body.and_then(|body| body.json.get("spec"));
    let text = |key| spec.and_then(|spec| spec.text(key));
    Some(VolumeClaim {
        body_source: source,
        storage_class: text("storageClassName"),
        volume_name: text("volumeName"),
        volume_mode: text("volumeMode"),
    })
}

/// Object members of the spec that are not volume sources.
const NO_SOURCE: [&str; 3] = ["capacity", "claimRef", "nodeAffinity"];

/// Returns the volume that a request writes; `None` for a patch that leaves its spec unchanged.
pub(crate) fn persistent_volume<'a>(bodies: &Bodies<'a, '_>) -> Option<PersistentVolume<'a>> {
    if bodies.leaves_alone(&["spec"]) {
        return None;
    }
    let body = bodies.object("PersistentVolume", &["spec"]);
    let mut row = PersistentVolume {
        body_source: Some(body_source(body.as_ref())),
        ..PersistentVolume::default()
    };
    let Some(spec) = body.and_then(|body| body.json.get("spec")) else { return Some(row) };
    if let Json::Object(members) = spec {
        let is_source = |(key, value): &&(Text<'a>, Json<'a>)| {
            matches!(value, Json::Object(_)) && !NO_SOURCE.contains(&&**key)
        };
        row.r#type = members.iter().find(is_source).map(|(key, _)| key.clone());
    }
    row.host_path_raw =
        ["hostPath", "local"].iter().find_map(|source| spec.get(source)?.text("path"));
    row.host_path = row.host_path_raw.as_deref().map(|path| normalize_host_path(path).into());
    row.storage_class = spec.text("storageClassName");
    row.driver = ["csi", "flexVolume"].iter().find_map(|source| spec.get(source)?.text("driver"));
    row.source = network_source(spec);
    if let Some(claim) = spec.get("claimRef") {
        row.claim_namespace = claim.text("namespace");
        row.claim_name = claim.text("name");
    }
    Some(row)
}
