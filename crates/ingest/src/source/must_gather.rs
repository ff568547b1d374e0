//! Bundles of `oc adm must-gather`, in which only the path of a log names its node.

use std::path::Path;

/// Returns the node of a log in such a bundle: `…/audit_logs/<server>/<node>-audit.log.gz`, or with the time of
/// rotation, `<node>-audit-2021-03-09T14-07-27.129.log.gz`.
pub(crate) fn node_of_path(path: &str) -> Option<String> {
    let path = Path::new(path);
    let folder = path.parent()?.parent()?.file_name()?;
    if folder != "audit_logs" {
        return None;
    }
    let name = path.file_name()?.to_str()?;
    let end = name.rfind("-audit.log").or_else(|| {
        let end = name.rfind("-audit-")?;
        let time = &name[end + "-audit-".len()..];
        time.starts_with(|first: char| first.is_ascii_digit()).then_some(end)
    })?;
    Some(name[..end].to_owned()).filter(|node| !node.is_empty())
}
