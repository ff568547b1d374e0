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

#[cfg(test)]
mod tests {
    use super::*;

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
