//! Changes that stop the pods of a workload, or that restrict what they can monitor.

use serde_json::Value;

use super::guard_change::{Found, shown};
use super::leaves::{is_empty, keys, leaves};
use super::policy::collected;
use crate::objects::image::ImageReference;
use crate::objects::kinds::WorkloadKind;

/// Reports changes that stop the pods of a workload, or that restrict what they can monitor.
pub(super) fn workload(
    found: &mut Found,
    kind: &WorkloadKind,
    before: Option<&Value>,
    after: &Value,
) {
    collected(found, before, after);
    let old = before.map(leaves);
    let new = leaves(after);
    let spec_of =
        kind.templates.first().map(|template| template.spec.join(".")).unwrap_or_default();
    let in_spec = |path: &str| {
        path.strip_prefix(spec_of.as_str()).map(|rest| rest.trim_start_matches('.').to_owned())
    };
    for (path, value) in &new {
        let was = old.as_ref().and_then(|old| old.get(path).copied());
        if was == Some(*value) {
            continue;
        }
        if matches!(path.as_str(), "spec.replicas" | "spec.parallelism") {
            if value.as_i64() == Some(0) {
                found.push("stopped", path, was, Some(value));
            }
        } else if path == "spec.suspend" {
            if value.as_bool() == Some(true) {
                found.push("stopped", path, was, Some(value));
            }
        } else if let Some(inside) = in_spec(path) {
            if let Some(change) = stop(&inside, was, Some(value)) {
                found.push(change, path, was, Some(value));
            }
        } else if path.starts_with("spec.updateStrategy") || path.starts_with("spec.strategy") {
            found.push("spec", path, was, Some(value));
        }
    }
    let Some(old) = old else { return };
    for (path, value) in old.iter().filter(|(path, _)| !new.contains_key(*path)) {
        let Some(inside) = in_spec(path) else { continue };
        if let Some(change) = stop(&inside, Some(value), None) {
            found.push(change, path, Some(value), None);
        }
    }
}

/// Returns the change if a field of a pod spec stops its pods; `None` if they run as before.
fn stop(path: &str, before: Option<&Value>, after: Option<&Value>) -> Option<&'static str> {
    let first = keys(path).next().unwrap_or_default();
    let last = keys(path).next_back().unwrap_or_default();
    let text = after.and_then(Value::as_str).unwrap_or_default();
    let is_default = after.is_none_or(is_empty);
    match first {
        // With these no node matches, or another component starts the pod.
        "nodeSelector" => {
            let is_platform =
                matches!(path, "nodeSelector.kubernetes.io/os" | "nodeSelector.kubernetes.io/arch");
            let is_usual = is_platform && matches!(text, "linux" | "amd64" | "arm64");
            (!is_default && !is_usual).then_some("stopped")
        }
        "affinity" | "topologySpreadConstraints" => {
            let is_preferred =
                keys(path).any(|key| key.starts_with("preferred")) || last == "weight";
            (!is_default && !is_preferred).then_some("stopped")
        }
        "tolerations" => (after.is_none_or(is_empty)).then_some("stopped"),
        "schedulerName" => (!matches!(text, "" | "default-scheduler")).then_some("stopped"),
        "schedulingGates"
        | "runtimeClassName"
        | "nodeName"
        | "activeDeadlineSeconds"
        | "resourceClaims"
        | "os"
        | "overhead" => (!is_default).then_some("stopped"),
        "serviceAccountName"
        | "serviceAccount"
        | "hostPID"
        | "automountServiceAccountToken"
        | "hostNetwork"
        | "hostIPC"
        | "securityContext"
        | "volumes" => Some("spec"),
        "initContainers" => (!is_default && last != "image").then_some("spec"),
        "containers" | "$setElementOrder/containers" => container_stop(path, last, before, after),
        _ => None,
    }
}

fn container_stop(
    path: &str,
    last: &str,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Option<&'static str> {
    let text = after.and_then(Value::as_str).unwrap_or_default();
    let under = |name: &str| keys(path).any(|key| key == name);
    // A resource quantity that no node has, or that is too small to run.
    if under("requests") || under("limits") {
        let amount = after.map(shown).unwrap_or_default();
        return match last {
            "cpu" => (self::amount(&amount).is_some_and(|cpus| !(0.01..64.0).contains(&cpus)))
                .then_some("stopped"),
            "memory" => (self::amount(&amount)
                .is_some_and(|bytes| !(16.0 * 1024.0 * 1024.0..=256e9).contains(&bytes)))
            .then_some("stopped"),
            "ephemeral-storage" => {
                (self::amount(&amount).is_some_and(|bytes| bytes >= 1e12)).then_some("stopped")
            }
            // Such as example.com/device.
            _ if path.contains('/') && after.is_some() => Some("stopped"),
            _ => None,
        };
    }
    if under("command") || under("args") {
        let is_idle = matches!(
            text.rsplit('/').next().unwrap_or_default(),
            "sleep" | "tail" | "true" | "false" | "pause" | "cat" | "echo" | "exit"
        ) || text.contains("sleep ")
            || text.contains("exit ")
            || text.contains("/dev/null");
        return Some(if under("command") || is_idle { "stopped" } else { "spec" });
    }
    if under("env") || under("envFrom") {
        let name = path.to_ascii_uppercase();
        let is_off = matches!(
            text.to_ascii_lowercase().as_str(),
            "false" | "0" | "off" | "no" | "none" | "disabled"
        ) || (["DISABL", "SKIP", "BYPASS"].iter().any(|word| name.contains(word))
            && !text.is_empty()
            && last == "value");
        return is_off.then_some("spec");
    }
    match last {
        "image" => {
            let repository = |value: Option<&Value>| {
                value.and_then(Value::as_str).map(|image| {
                    let parts = ImageReference::split(image);
                    (parts.registry.to_owned(), parts.repository().into_owned())
                })
            };
            (before.is_some() && repository(before) != repository(after)).then_some("stopped")
        }
        "imagePullPolicy" => (text == "Never").then_some("stopped"),
        _ if under("livenessProbe") || under("startupProbe") || under("lifecycle") => {
            (after.is_some() && (under("exec") || before.is_none() && last != "name"))
                .then_some("spec")
        }
        _ if under("volumeMounts") => (after.is_none() || last == "$patch").then_some("spec"),
        _ if under("securityContext") => Some("spec"),
        "$patch" => Some("spec"),
        "name" => (after.is_none() && !under("ports")).then_some("spec"),
        _ => None,
    }
}

/// Returns the number of a quantity such as `500m`, `2` or `128Mi`.
fn amount(quantity: &str) -> Option<f64> {
    match quantity.strip_suffix('m') {
        Some(milli) => milli.parse::<f64>().ok().map(|milli| milli / 1000.0),
        None => scaled(quantity),
    }
}

fn scaled(quantity: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 12] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
    ];
    for (unit, factor) in UNITS {
        if let Some(number) = quantity.strip_suffix(unit) {
            return number.parse::<f64>().ok().map(|number| number * factor);
        }
    }
    quantity.parse().ok()
}
