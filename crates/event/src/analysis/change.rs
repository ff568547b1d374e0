//! The changes of a workload, while they are collected.

use crate::column::Text;
use crate::objects::kinds::WorkloadKind;
use crate::row;

row! {
    /// Change of a workload by a write.
    pub struct Change<'a> builds ChangeBuilder {
        /// API kind of the workload, such as `Deployment`.
        pub kind: Option<Text<'a>>,
        /// Kind of the change: `container added`, `container removed`, `image`, `command`, `security weakened`,
        /// `security strengthened`, `volume added`, `volume removed`, `volume`, `env added`, `env removed`, `env`,
        /// `handler`, `service account`, `node name`, `node selector`, `node affinity`, `tolerations`, `image pull
        /// secrets`, `replicas`, `schedule`, `time zone` or `suspend`; `env loads code`, `env source`, `env from`,
        /// `volume settings`, `volume mounts`, `devices`, `resource claims`, `resources`, `ports`, `probe`,
        /// `lifecycle`, `pull policy`, `security context`, `affinity`, `dns`, `host aliases`, `priority`, `runtime
        /// class`, `scheduler`, `labels`, `annotations`, `pod labels` or `pod annotations`; else `field`.
        pub change: Option<Text<'a>>,
        /// Name of the container. Null for a change of the pod or workload.
        pub container: Option<Text<'a>>,
        /// Field that changed; the role of an added or removed container; the name of a volume or environment variable;
        /// the id of a Pod Security check.
        pub field: Option<Text<'a>>,
        /// Value before. Null if it was unset, or if the log does not show the previous version.
        pub before: Option<Text<'a>>,
        /// Value after. Null if it is unset.
        pub after: Option<Text<'a>>,
    }
}

/// The rows collected so far.
#[derive(Default)]
pub(crate) struct Rows(Vec<Change<'static>>);

impl Rows {
    /// Returns the rows of an object of this kind.
    pub(super) fn of(mut self, kind: &WorkloadKind) -> Vec<Change<'static>> {
        if kind.kind == "Pod" {
            self.0.retain(can_change_in_a_pod);
        }
        for row in &mut self.0 {
            row.kind = Some(kind.kind.into());
        }
        self.0
    }

    /// Returns whether there is a row with this change of one of these fields of a container.
    pub(crate) fn has(&self, change: &str, container: &str, fields: &[&str]) -> bool {
        self.0.iter().any(|row| {
            row.change.as_deref() == Some(change)
                && row.container.as_deref() == Some(container)
                && row.field.as_deref().is_some_and(|field| fields.contains(&field))
        })
    }

    pub(crate) fn push(
        &mut self,
        change: &'static str,
        container: Option<&str>,
        field: Option<&str>,
        before: Option<String>,
        after: Option<String>,
    ) {
        let owned = |text: &str| Text::from(text.to_owned());
        self.0.push(Change {
            kind: None,
            change: Some(change.into()),
            container: container.map(owned),
            field: field.map(owned),
            before: before.map(Text::from),
            after: after.map(Text::from),
        });
    }

    /// Adds a row if the two values differ.
    pub(super) fn value(
        &mut self,
        change: &'static str,
        container: Option<&str>,
        field: &str,
        before: Option<String>,
        after: Option<String>,
    ) {
        if before != after {
            self.push(change, container, Some(field), before, after);
        }
    }
}

/// Returns whether a change is possible in a pod. Pods are almost immutable (`ValidatePodUpdate`): other differences
/// were written by admission or through a subresource.
fn can_change_in_a_pod(row: &Change<'_>) -> bool {
    match row.change.as_deref() {
        Some("container added") => row.field.as_deref() == Some("ephemeral"),
        Some(
            "image"
            | "tolerations"
            | "node selector"
            | "node affinity"
            | "security weakened"
            | "security strengthened"
            | "resources"
            | "labels",
        ) => true,
        _ => false,
    }
}
