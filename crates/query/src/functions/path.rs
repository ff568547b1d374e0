//! Host paths in normal form.

use datafusion::logical_expr::{DocSection, Documentation};
use podtrail_event::path::{is_within, normalize_host_path, overlaps};

use super::strings::{Body, StringFunction};

const SECTION: DocSection =
    DocSection { include: true, label: "Path Functions", description: None };

pub(super) fn normalize_path() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Normalizes a path: no `//`, `.` or `..`, no trailing `/`, and `/var/run` as `/run`.",
        "normalize_path(path)",
    )
    .with_argument("path", "a path on a node")
    .with_sql_example("normalize_path('/var//run/../run/docker.sock/') = '/run/docker.sock'")
    .build();
    let body = Body::Text(|arguments| {
        let [path] = arguments else { return Ok(None) };
        Ok(Some(normalize_host_path(path)))
    });
    StringFunction::new("normalize_path", body, documentation)
}

pub(super) fn path_within() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Returns whether a path is `ancestor` or below it, after normalizing both.",
        "path_within(path, ancestor)",
    )
    .with_argument("path", "a path on a node")
    .with_argument("ancestor", "a folder on a node")
    .with_sql_example("path_within('/etc/kubernetes/pki', '/etc')")
    .build();
    let body = Body::Boolean(|arguments| {
        let [path, ancestor] = arguments else { return Ok(None) };
        Ok(Some(is_within(path, ancestor)))
    });
    StringFunction::new("path_within", body, documentation)
}

pub(super) fn path_overlaps() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Returns whether one of two paths equals the other or is below it, so that a mount of either shows a part of the other.",
        "path_overlaps(path, other)",
    )
    .with_argument("path", "a path on a node")
    .with_argument("other", "another path on a node")
    .with_sql_example("path_overlaps('/', '/run/containerd/containerd.sock')")
    .build();
    let body = Body::Boolean(|arguments| {
        let [path, other] = arguments else { return Ok(None) };
        Ok(Some(overlaps(path, other)))
    });
    StringFunction::new("path_overlaps", body, documentation)
}
