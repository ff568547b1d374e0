//! Recognition of pod specs, containers and their parts by the members that they have.

use crate::column::Text;
use crate::json::value::Json;

/// Returns whether an object is a pod spec, or a part of one that a patch or a policy sets.
pub(super) fn is_pod_spec(json: &Json<'_>) -> bool {
    const LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];
    const FLAGS: [&str; 3] = ["hostPID", "hostIPC", "hostNetwork"];
    let is_volume = |volume: &Json<'_>| {
        ["hostPath", "hostDisk"].iter().any(|key| volume.get(key).and_then(host_path_of).is_some())
            || ["flexVolume", "gitRepo", "nfs", "iscsi"]
                .iter()
                .any(|key| matches!(volume.get(key), Some(Json::Object(_))))
    };
    LISTS.iter().any(|list| json.list(list).iter().any(is_part_of_a_container))
        || FLAGS.iter().any(|flag| json.bool(flag) == Some(true))
        || json.list("volumes").iter().any(is_volume)
}

/// Returns whether a list element is a container: it has an image, or sets members that only containers have.
pub(super) fn is_part_of_a_container(json: &Json<'_>) -> bool {
    json.text("image").is_some() || has_what_containers_have(json)
}

/// Returns whether an object is a standalone container.
pub(super) fn is_container(json: &Json<'_>) -> bool {
    json.text("image").is_some() && has_what_containers_have(json)
}

pub(super) fn has_what_containers_have(json: &Json<'_>) -> bool {
    const LISTS: [&str; 5] = ["command", "args", "volumeMounts", "volumeDevices", "envFrom"];
    LISTS.iter().any(|list| !json.list(list).is_empty())
        || matches!(json.get("securityContext"), Some(Json::Object(context)) if !context.is_empty())
        || json.text("imagePullPolicy").is_some()
}

/// Returns whether a member is a security context that requests dangerous settings; charts use many names for them.
pub(super) fn is_dangerous_context(key: &str, value: &Json<'_>) -> bool {
    key.ends_with("ecurityContext")
        && (value.bool("privileged") == Some(true)
            || value.get("capabilities").is_some_and(|added| !added.list("add").is_empty())
            || value.at(&["windowsOptions", "hostProcess"]) == Some(&Json::Bool(true)))
}

pub(super) fn host_path_of<'a>(source: &Json<'a>) -> Option<Text<'a>> {
    let path = source.as_text().or_else(|| source.text("path"))?;
    path.starts_with('/').then_some(path)
}

/// Returns whether an object is a file of Ignition or cloud-init.
pub(super) fn is_node_file(file: &Json<'_>) -> bool {
    file.text("path").is_some() && (file.get("contents").is_some() || file.get("content").is_some())
}
