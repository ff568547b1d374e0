//! The volumes of a pod template.

use crate::column::Text;
use crate::json::value::Json;
use crate::objects::path::normalize_host_path;
use crate::objects::workload::{ProjectedToken, Volume};

pub(super) fn volume<'a>(json: &Json<'a>) -> Volume<'a> {
    let source = |key: &str, field: &str| json.get(key).and_then(|source| source.text(field));
    let host_path_raw = source("hostPath", "path").or_else(|| host_disk(json));
    let r#type = match json {
        Json::Object(members) => members
            .iter()
            .find(|(key, value)| &**key != "name" && matches!(value, Json::Object(_)))
            .map(|(key, _)| key.clone()),
        _ => None,
    };
    let projections = json.get("projected").map(|projected| projected.list("sources"));
    Volume {
        name: json.text("name"),
        r#type,
        host_path: host_path_raw.as_deref().map(|path| normalize_host_path(path).into()),
        host_path_raw,
        host_path_type: source("hostPath", "type"),
        secret_name: source("secret", "secretName"),
        config_map_name: source("configMap", "name"),
        claim_name: source("persistentVolumeClaim", "claimName"),
        driver: source("csi", "driver").or_else(|| source("flexVolume", "driver")),
        image_reference: source("image", "reference"),
        projected_secrets: projections
            .map(|sources| sources.iter().filter_map(|s| s.get("secret")?.text("name")).collect()),
        projected_tokens: projections.map(|sources| {
            let tokens = sources.iter().filter_map(|source| source.get("serviceAccountToken"));
            tokens
                .map(|token| ProjectedToken {
                    audience: token.text("audience"),
                    expiration_seconds: token.int("expirationSeconds"),
                    path: token.text("path"),
                })
                .collect()
        }),
        source: network_source(json),
        git_directory: source("gitRepo", "directory"),
        claim_storage_class: json
            .at(&["ephemeral", "volumeClaimTemplate", "spec"])
            .and_then(|claim| claim.text("storageClassName")),
    }
}

/// Returns the directory of a KubeVirt disk image, which its pods get as a host path.
fn host_disk<'a>(json: &Json<'a>) -> Option<Text<'a>> {
    let image = json.get("hostDisk")?.text("path")?;
    let directory = image.rsplit_once('/').map_or("/", |(directory, _)| directory);
    Some(if directory.is_empty() { "/" } else { directory }.to_owned().into())
}

/// Returns the server or repository of a volume, if the volume names it.
pub(crate) fn network_source<'a>(json: &Json<'a>) -> Option<Text<'a>> {
    const SERVERS: [(&str, &str); 8] = [
        ("nfs", "server"),
        ("iscsi", "targetPortal"),
        ("glusterfs", "endpoints"),
        ("gitRepo", "repository"),
        ("quobyte", "registry"),
        ("scaleIO", "gateway"),
        ("storageos", "volumeName"),
        ("azureFile", "shareName"),
    ];
    let server = SERVERS.iter().find_map(|(source, field)| json.get(source)?.text(field));
    let monitor = |source: &str| json.get(source)?.list("monitors").first()?.as_text();
    // Drivers of network file systems take the server as an attribute.
    let attribute = || {
        let attributes = json.get("csi")?.get("volumeAttributes")?;
        ["server", "source", "share"].iter().find_map(|key| attributes.text(key))
    };
    server.or_else(|| monitor("cephfs")).or_else(|| monitor("rbd")).or_else(attribute)
}
