//! The volumes of a pod template.

use crate::body::Json;
use crate::path::normalize_host_path;
use crate::workload::{ProjectedToken, Volume};

pub(super) fn volume<'a>(json: &Json<'a>) -> Volume<'a> {
    let source = |key: &str, field: &str| json.get(key).and_then(|source| source.text(field));
    let host_path_raw = source("hostPath", "path");
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
    }
}
