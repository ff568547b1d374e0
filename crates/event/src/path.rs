//! Host paths as the kernel of a node sees them.

/// A host path in normal form: no `//`, `.` or `..`, no trailing `/`, and `/var/run` as `/run`, its target on every
/// current Linux distribution.
///
/// ```
/// # use podtrail_event::normalize_host_path;
/// assert_eq!(normalize_host_path("/var//run/../run/docker.sock/"), "/run/docker.sock");
/// assert_eq!(normalize_host_path("/etc/.."), "/");
/// ```
pub fn normalize_host_path(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
        // As soon as it is complete: `/var/run/..` is `/`, not `/var`.
        if parts == ["var", "run"] {
            parts.remove(0);
        }
    }
    format!("/{}", parts.join("/"))
}

/// Whether a host path is `ancestor` or below it, whatever the spelling.
///
/// ```
/// # use podtrail_event::path::is_within;
/// assert!(is_within("/var/run/docker.sock", "/run"));
/// assert!(!is_within("/etc", "/etc/kubernetes"));
/// ```
pub fn is_within(path: &str, ancestor: &str) -> bool {
    let (path, ancestor) = (normalize_host_path(path), normalize_host_path(ancestor));
    is_normal_within(&path, &ancestor)
}

/// Whether one of two host paths is the other or below it: to hold either is to hold something of both.
///
/// ```
/// # use podtrail_event::path::overlaps;
/// assert!(overlaps("/", "/etc/kubernetes"));
/// assert!(!overlaps("/etc/kubernetes", "/etc/kubernetes-backup"));
/// ```
pub fn overlaps(path: &str, other: &str) -> bool {
    let (path, other) = (normalize_host_path(path), normalize_host_path(other));
    is_normal_within(&path, &other) || is_normal_within(&other, &path)
}

fn is_normal_within(path: &str, ancestor: &str) -> bool {
    ancestor == "/"
        || path
            .strip_prefix(ancestor)
            .is_some_and(|below| below.is_empty() || below.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_is_by_components() {
        for (path, ancestor, within, overlap) in [
            ("/etc/kubernetes/pki", "/etc/kubernetes", true, true),
            ("/etc/kubernetes", "/etc/kubernetes/", true, true),
            ("/etc/kubernetes2", "/etc/kubernetes", false, false),
            ("/etc", "/etc/kubernetes", false, true),
            ("/", "/etc", false, true),
            ("/etc", "/", true, true),
            ("/", "/", true, true),
            ("/var/run/containerd/containerd.sock", "/run/containerd", true, true),
            ("/var/lib/../run/docker.sock", "/run/docker.sock", true, true),
            ("/var", "/run", false, false),
            ("", "/etc", false, true),
            ("etc//x", "/etc", true, true),
        ] {
            assert_eq!(is_within(path, ancestor), within, "{path} within {ancestor}");
            assert_eq!(overlaps(path, ancestor), overlap, "{path} overlaps {ancestor}");
            assert_eq!(overlaps(ancestor, path), overlap, "{ancestor} overlaps {path}");
        }
    }

    #[test]
    fn every_spelling_of_a_path_is_one_path() {
        for (raw, normal) in [
            ("/", "/"),
            ("//", "/"),
            ("", "/"),
            ("/..", "/"),
            ("/var/run", "/run"),
            ("/var/./run/", "/run"),
            ("/var/run/..", "/"),
            ("/var/running", "/var/running"),
            ("/home/var/run", "/home/var/run"),
            ("/var/lib/../run/containerd/containerd.sock", "/run/containerd/containerd.sock"),
            ("etc", "/etc"),
        ] {
            assert_eq!(normalize_host_path(raw), normal, "{raw}");
        }
    }
}
