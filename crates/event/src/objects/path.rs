//! Host paths as the kernel of a node resolves them.

/// Returns a host path in normal form: no `//`, `.` or `..`, no trailing `/`, and with the symbolic links of every
/// current Linux distribution resolved: `/bin` is `/usr/bin`, `/lib` is `/usr/lib`, `/var/run` is `/run`, and the root
/// of a process is `/`.
///
/// ```
/// # use podtrail_event::normalize_host_path;
/// assert_eq!(normalize_host_path("/var//run/../run/docker.sock/"), "/run/docker.sock");
/// assert_eq!(normalize_host_path("/lib/systemd"), "/usr/lib/systemd");
/// assert_eq!(normalize_host_path("/proc/1/root/etc"), "/etc");
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
        // After each component: `/var/run/..` is `/`, not `/var`.
        follow_link(&mut parts);
    }
    format!("/{}", parts.join("/"))
}

/// Replaces a path that is a link by its target.
fn follow_link(parts: &mut Vec<&str>) {
    let target: &[&str] = match parts.as_slice() {
        // Merged /usr: Debian since 12, Fedora since 17, and all later distributions.
        ["bin"] => &["usr", "bin"],
        ["sbin"] => &["usr", "sbin"],
        ["lib"] => &["usr", "lib"],
        ["lib32"] => &["usr", "lib32"],
        ["lib64"] => &["usr", "lib64"],
        ["libx32"] => &["usr", "libx32"],
        ["var", "run"] => &["run"],
        ["var", "lock"] => &["run", "lock"],
        // OSTree systems, such as those of OpenShift.
        ["var", "roothome"] => &["root"],
        ["var", "home"] => &["home"],
        ["var", "opt"] => &["opt"],
        ["var", "usrlocal"] => &["usr", "local"],
        // The mounts that a process of the node sees.
        ["proc", _, "root" | "cwd"] | ["proc", _, "task", _, "root" | "cwd"] => &[],
        _ => return,
    };
    parts.clear();
    parts.extend(target);
}

/// Returns whether a host path is `ancestor` or below it, in any spelling.
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

/// Returns whether one of two host paths is the other or below it: access to either includes a part of both.
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
    fn within_compares_components() {
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
    fn every_spelling_of_a_path_has_one_normal_form() {
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
            ("/bin", "/usr/bin"),
            ("/bin/..", "/usr"),
            ("/lib/systemd/system", "/usr/lib/systemd/system"),
            ("/lib64", "/usr/lib64"),
            ("/library", "/library"),
            ("/home/lib", "/home/lib"),
            ("/var/roothome/.ssh", "/root/.ssh"),
            ("/proc/1/root", "/"),
            ("/proc/self/task/7/cwd/etc", "/etc"),
            ("/proc/1/rootfs", "/proc/1/rootfs"),
        ] {
            assert_eq!(normalize_host_path(raw), normal, "{raw}");
        }
    }
}
