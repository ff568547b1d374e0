//! Periods in which subjects held roles, derived from the writes of bindings.

use std::collections::HashMap;

/// One subject of one write of a binding. Subjects of the same write are consecutive.
#[derive(Debug, Clone, Copy, Default)]
pub struct BindingSubject<'a> {
    /// Identifies the write.
    pub event_id: &'a str,
    /// The verb.
    pub verb: &'a str,
    /// `rolebindings` or `clusterrolebindings`.
    pub resource: &'a str,
    /// The binding's namespace; `None` for cluster role bindings.
    pub namespace: Option<&'a str>,
    /// The binding's name.
    pub name: Option<&'a str>,
    /// `roleRef.kind` and `roleRef.name`, if the body shows them.
    pub role: Option<(&'a str, &'a str)>,
    /// Kind, namespace and name of the subject; `None` if the write shows none.
    pub subject: Option<Subject<'a>>,
    /// Whether the write adds to the existing subjects: a JSON Patch whose result is not visible.
    pub adds: bool,
}

type Subject<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);

/// A role that a subject holds from a write on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant<'a> {
    /// `roleRef.kind` and `roleRef.name`; `None` if no write has shown them.
    pub role: Option<(&'a str, &'a str)>,
    /// The first row of the write that revoked it, as an index into the rows; `None` while it is held.
    pub revoked: Option<usize>,
}

/// A binding that exists.
#[derive(Default)]
struct Binding<'a> {
    role: Option<(&'a str, &'a str)>,
    /// The row at which each subject was granted.
    held: HashMap<Subject<'a>, usize>,
}

/// Returns the grant that begins with each row of one cluster, in chronological order; `None` if none begins.
pub fn grants<'a>(rows: &[BindingSubject<'a>]) -> Vec<Option<Grant<'a>>> {
    let mut grants = vec![None; rows.len()];
    // By namespace, so that all bindings of a deleted namespace end together.
    let mut spaces: HashMap<_, HashMap<&str, Binding<'a>>> = HashMap::new();
    let mut first = 0;
    for write in rows.chunk_by(|a, b| a.event_id == b.event_id) {
        let row = first;
        first += write.len();
        let head = write[0];
        let space = spaces.entry((head.resource, head.namespace)).or_default();
        if head.verb == "deletecollection" {
            for (_, binding) in space.drain() {
                end(&mut grants, binding.held, row);
            }
            continue;
        }
        let Some(name) = head.name else { continue };
        if matches!(head.verb, "create" | "delete") {
            if let Some(binding) = space.remove(name) {
                end(&mut grants, binding.held, row);
            }
            if head.verb == "delete" {
                continue;
            }
        }
        let binding = space.entry(name).or_default();
        let before = std::mem::take(&mut binding.held);
        if head.role.is_some() && head.role != binding.role {
            end(&mut grants, before, row);
        } else {
            binding.held = before;
        }
        binding.role = head.role.or(binding.role);
        let mut dropped =
            if head.adds { HashMap::new() } else { std::mem::take(&mut binding.held) };
        for (offset, subject) in write.iter().enumerate() {
            let Some(subject) = subject.subject else { continue };
            let granted = dropped.remove(&subject).or(binding.held.get(&subject).copied());
            let granted = granted.unwrap_or_else(|| {
                grants[row + offset] = Some(Grant { role: binding.role, revoked: None });
                row + offset
            });
            binding.held.insert(subject, granted);
        }
        end(&mut grants, dropped, row);
    }
    grants
}

fn end(grants: &mut [Option<Grant<'_>>], held: HashMap<Subject<'_>, usize>, row: usize) {
    for granted in held.into_values() {
        if let Some(grant) = &mut grants[granted] {
            grant.revoked = Some(row);
        }
    }
}
