//! Extracts from the bodies of a write the object that it writes.
//!
//! A row shows the stored object if the response has it, else the request. For a patch it shows what the patch sets:
//! absent fields are unknown, not unset.

mod container;
mod embedded;
mod embedded_text;
mod pod_spec_shapes;
mod set_values;
mod volume;
mod workload;

use crate::objects::bodies::Bodies;
use crate::objects::kinds::WorkloadKind;
use crate::objects::workload::Workload;

pub(crate) use embedded::{embedded, joined, powers_in_secret};
pub(crate) use volume::network_source;
pub(crate) use workload::{add_posture, ephemeral_containers, has_template};

/// Returns the workload written through the main resource; `None` for a patch that leaves the pod template unchanged.
pub(crate) fn workload<'a>(kind: &WorkloadKind, bodies: &Bodies<'a, '_>) -> Option<Workload<'a>> {
    let mut workload = if kind.templates.is_empty() {
        embedded(None, "", "", bodies).0
    } else {
        workload::of_template(kind, bodies)
    }?;
    workload.copied = bodies.copied();
    Some(workload)
}
