//! The PersistentVolume that a request writes: a way to a path of a node around the checks of pod volumes.

use crate::json::value::Json;
use crate::objects::extract::{Bodies, body_source, network_source};
use crate::objects::path::normalize_host_path;
use crate::row;
use crate::tables::column::Text;

row! {
    /// The PersistentVolume that a request writes.
    pub struct PersistentVolume<'a> builds PersistentVolumeBuilder {
        /// Which body the row shows: `response`, `request`, `patch` or `none`.
        pub body_source: Option<Text<'a>>,
        /// The type key of the volume source, such as `hostPath`, `local`, `nfs` or `csi`.
        pub r#type: Option<Text<'a>>,
        /// `hostPath.path` or `local.path`, normalised like that of a pod's volume.
        pub host_path: Option<Text<'a>>,
        /// `hostPath.path` or `local.path` as written.
        pub host_path_raw: Option<Text<'a>>,
        /// `spec.claimRef.namespace`.
        pub claim_namespace: Option<Text<'a>>,
        /// `spec.claimRef.name`.
        pub claim_name: Option<Text<'a>>,
        /// `spec.storageClassName`: a claim of the same class is bound to it where `claimRef` names none.
        pub storage_class: Option<Text<'a>>,
        /// `csi.driver` or `flexVolume.driver`.
        pub driver: Option<Text<'a>>,
        /// The server, repository or share from which it comes, as of the volumes of pods.
        pub source: Option<Text<'a>>,
    }
}

row! {
    /// The PersistentVolumeClaim that a request writes.
    pub struct VolumeClaim<'a> builds VolumeClaimBuilder {
        /// Which body the row shows: `response`, `request`, `patch` or `none`.
        pub body_source: Option<Text<'a>>,
        /// `spec.storageClassName`.
        pub storage_class: Option<Text<'a>>,
        /// `spec.volumeName`: the PersistentVolume that is asked for, or was bound.
        pub volume_name: Option<Text<'a>>,
        /// `spec.volumeMode`: `Filesystem` or `Block`.
        pub volume_mode: Option<Text<'a>>,
    }
}

/// The claim that a request writes; `None` for a patch that leaves its spec alone.
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

/// Members of the spec that are objects, and no volume source.
const NO_SOURCE: [&str; 3] = ["capacity", "claimRef", "nodeAffinity"];

/// The volume that a request writes; `None` for a patch that leaves its spec alone.
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
