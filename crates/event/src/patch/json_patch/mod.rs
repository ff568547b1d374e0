//! JSON Patch as the API server applies it, to a known or an unknown object.
//!
//! The rules are those of `gopkg.in/evanphx/json-patch.v4`, which accepts more than RFC 6902: an operation is a map in
//! which the last value of a key counts; text in a pointer before its first slash is ignored; an index may have a sign
//! and leading zeros, and counts from the end if it is negative; `replace` sets a missing member, and `copy` of one
//! yields null.
//!
//! For an unknown object, a [`Node`] shows what the patch sets. It is read in the worst case: values that the patch
//! sets and does not certainly remove are present.

mod error;
mod node;
mod operation;
mod tree;

pub use self::error::JsonPatchError;
pub(crate) use self::node::Node;
pub(crate) use self::tree::Tree;

use self::error::{MAX_DEPTH, Unfit};
use self::node::{Extent, Found, insert, is_position, parent, remove, spend};
use self::operation::{Op, Operation};
use self::tree::Parts;

/// Maximum number of operations in one patch (`maxJSONPatchOperations` of kubernetes/apiserver).
const MAX_OPERATIONS: usize = 10_000;

/// Maximum size of copies: a body of the largest size (`AccumulatedCopySizeLimit` of kubernetes/apiserver).
const MAX_COPIED: usize = 3 << 20;

/// Maximum number of elements shifted or visited, and of values measured, for one patch.
const MAX_WORK: usize = 100_000_000;

/// A value that a `copy` or `move` placed somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copied {
    /// The member names on the path to it, without list positions.
    pub(crate) field: String,
    /// The value as JSON text; `None` if it is unknown.
    pub(crate) value: Option<String>,
    path: Vec<String>,
}

/// The result of a patch.
pub(crate) struct Patched<T> {
    pub(crate) node: Node<T>,
    pub(crate) copied: Vec<Copied>,
}

/// Returns the paths that a patch, as JSON text, writes or removes; `None` if it is not a JSON Patch.
pub(crate) fn written_paths(patch: &str) -> Option<Vec<Vec<String>>> {
    let operations: Vec<serde_json::Value> = serde_json::from_str(patch).ok()?;
    let operations = operations.into_iter().filter_map(Operation::read);
    let paths =
        operations.filter(|operation| !matches!(operation.op, Op::Test)).flat_map(|operation| {
            let from = matches!(operation.op, Op::Move).then_some(operation.from);
            [Some(operation.path), from].into_iter().flatten()
        });
    Some(paths.collect())
}

/// Applies a patch to a whole object.
pub(crate) fn apply<T: Tree>(
    object: T,
    operations: Vec<T>,
) -> Result<(T, Vec<Copied>), JsonPatchError> {
    if operations.len() > MAX_OPERATIONS {
        return Err(JsonPatchError::TooMuch);
    }
    let mut run = Run::new(Node::Value(object));
    for (number, operation) in operations.into_iter().enumerate() {
        let operation = Operation::read(operation).ok_or(JsonPatchError::Malformed(number))?;
        run.operation(operation).map_err(|unfit| unfit.of_operation(number))?;
    }
    Ok((run.root.into_tree(), run.copied))
}

/// Returns what a patch sets in an unknown object.
///
/// The log shows that the API server accepted the patch, so an operation that seems not to apply is skipped.
pub(crate) fn of_unknown<T: Tree>(operations: Vec<T>) -> Patched<T> {
    let mut run = Run::new(Node::Hidden);
    for operation in operations.into_iter().take(MAX_OPERATIONS) {
        let Some(operation) = Operation::read(operation) else { continue };
        if run.operation(operation) == Err(Unfit::TooMuch) {
            // The effect of the remaining operations is unknown.
            run.copied.push(Copied { field: String::new(), value: None, path: Vec::new() });
            break;
        }
    }
    Patched { node: run.root, copied: run.copied }
}

impl<T: Tree> Patched<T> {
    /// Returns whether the patch replaces the object as a whole.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.node, Node::Value(_) | Node::Object(_, Extent::Whole))
    }

    /// Returns the lists at the top of which the patch shows only some elements.
    pub(crate) fn amended(&self) -> Vec<String> {
        let Node::Object(members, _) = &self.node else { return Vec::new() };
        let is_part = |node: &Node<T>| matches!(node, Node::Array(_, Extent::Part));
        members.iter().filter(|(_, node)| is_part(node)).map(|(name, _)| name.clone()).collect()
    }
}

struct Run<T> {
    root: Node<T>,
    work: usize,
    copied_bytes: usize,
    /// Values asserted by tests that the patch does not set.
    tested: Vec<(Vec<String>, T)>,
    copied: Vec<Copied>,
}

impl<T: Tree> Run<T> {
    fn new(root: Node<T>) -> Self {
        Self {
            root,
            work: MAX_WORK,
            copied_bytes: MAX_COPIED,
            tested: Vec::new(),
            copied: Vec::new(),
        }
    }

    fn operation(&mut self, operation: Operation<T>) -> Result<(), Unfit> {
        let Operation { op, path, from, value } = operation;
        match op {
            Op::Add => {
                self.overwrite(&path);
                self.add(&path, Node::Value(value))
            }
            Op::Replace if path.is_empty() => match value.take_apart() {
                Parts::Scalar(_) => Err(Unfit::Malformed),
                Parts::Array(elements) => {
                    self.copied.clear();
                    self.root = Node::Value(T::array(elements));
                    Ok(())
                }
                Parts::Object(members) => {
                    self.copied.clear();
                    self.root = Node::Value(T::object(members));
                    Ok(())
                }
            },
            Op::Replace => {
                self.overwrite(&path);
                self.replace(&path, Node::Value(value))
            }
            Op::Remove => {
                self.overwrite(&path);
                self.remove(&path)
            }
            Op::Copy => {
                let value = self.get(&from)?;
                self.put(path, value)
            }
            Op::Move => {
                let value = self.get(&from)?;
                self.remove(&from)?;
                self.put(path, value)
            }
            Op::Test => self.test(path, value),
        }
    }

    /// Places a value that was at another path.
    fn put(&mut self, path: Vec<String>, value: Node<T>) -> Result<(), Unfit> {
        let (_, size) = value.measure(&mut self.work)?;
        self.copied_bytes = self.copied_bytes.checked_sub(size).ok_or(Unfit::TooMuch)?;
        let text = (!value.is_part()).then(|| value.clone().into_tree().text());
        self.overwrite(&path);
        self.add(&path, value)?;
        let names = path.iter().filter(|token| !is_position(token)).map(String::as_str);
        let field = names.collect::<Vec<_>>().join(".");
        self.copied.push(Copied { field, value: text, path });
        Ok(())
    }

    /// Forgets what was copied to a path that is now written. An added element overwrites none.
    fn overwrite(&mut self, path: &[String]) {
        if path.last().is_some_and(|last| !is_position(last)) {
            self.copied.retain(|copied| {
                !copied.path.starts_with(path) || copied.path.iter().any(|token| is_position(token))
            });
        }
    }

    fn add(&mut self, path: &[String], value: Node<T>) -> Result<(), Unfit> {
        let (last, parent) = parent(&mut self.root, path, &value, &mut self.work)?;
        match parent {
            Node::Object(members, _) => {
                members.insert(last, value);
                Ok(())
            }
            Node::Array(elements, extent) => {
                spend(&mut self.work, elements.len())?;
                self.tested.clear();
                insert(elements, *extent, &last, value)
            }
            Node::Hidden | Node::Value(_) => Err(Unfit::Missing),
        }
    }

    fn replace(&mut self, path: &[String], value: Node<T>) -> Result<(), Unfit> {
        let (last, parent) = parent(&mut self.root, path, &value, &mut self.work)?;
        match parent {
            Node::Object(members, _) => {
                members.insert(last, value);
                Ok(())
            }
            Node::Array(..) => {
                *parent.child(&last, "", &mut self.work)? = value;
                Ok(())
            }
            Node::Hidden | Node::Value(_) => Err(Unfit::Missing),
        }
    }

    fn remove(&mut self, path: &[String]) -> Result<(), Unfit> {
        let (last, parent) = parent(&mut self.root, path, &Node::Hidden, &mut self.work)?;
        match parent {
            Node::Object(members, Extent::Whole) => {
                members.remove(&last).map(drop).ok_or(Unfit::Missing)
            }
            Node::Object(members, Extent::Part) => {
                members.insert(last, Node::Value(T::null()));
                Ok(())
            }
            Node::Array(elements, extent) => {
                spend(&mut self.work, elements.len())?;
                self.tested.clear();
                remove(elements, *extent, &last)
            }
            Node::Hidden | Node::Value(_) => Err(Unfit::Missing),
        }
    }

    fn get(&mut self, path: &[String]) -> Result<Node<T>, Unfit> {
        if path.is_empty() {
            return Err(Unfit::Missing);
        }
        let node = match self.root.find(path, &mut self.work)? {
            Found::Node(node) => node,
            Found::Missing => return Ok(Node::Value(T::null())),
            Found::Hidden => return Ok(self.tested(path)),
        };
        // Measured before it is copied.
        let (_, size) = node.measure(&mut self.work)?;
        if size > self.copied_bytes { Err(Unfit::TooMuch) } else { Ok(node.clone()) }
    }

    /// Returns the value of a hidden node that a test has asserted.
    fn tested(&self, path: &[String]) -> Node<T> {
        let asserted = |(tested, value): &(Vec<String>, T)| {
            let rest = path.strip_prefix(tested.as_slice())?;
            let mut work = MAX_DEPTH;
            let mut node = Node::Value(value.clone());
            match node.find(rest, &mut work) {
                Ok(Found::Node(node)) => Some(node.clone()),
                _ => None,
            }
        };
        self.tested.iter().rev().find_map(asserted).unwrap_or(Node::Hidden)
    }

    fn test(&mut self, path: Vec<String>, value: T) -> Result<(), Unfit> {
        if path.is_empty() {
            return Ok(());
        }
        match self.root.find(&path, &mut self.work)? {
            Found::Node(node) => {
                let (_, size) = node.measure(&mut self.work)?;
                spend(&mut self.work, size)?;
                let is_part = node.is_part();
                if is_part || node.clone().into_tree() == value { Ok(()) } else { Err(Unfit::Test) }
            }
            Found::Missing if value == T::null() => Ok(()),
            Found::Missing => Err(Unfit::Test),
            Found::Hidden => {
                self.tested.push((path, value));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn shown(patch: &Value) -> (Value, Vec<(String, Option<String>)>) {
        let Value::Array(operations) = patch.clone() else { unreachable!() };
        let patched = of_unknown(operations);
        let copied = patched.copied.into_iter().map(|copied| (copied.field, copied.value));
        (patched.node.into_tree(), copied.collect())
    }

    #[test]
    fn a_patch_of_an_unknown_object_shows_the_fields_that_it_sets() {
        let container = json!({"name": "a", "image": "b"});
        for (what, patch, expected) in [
            (
                "members and elements",
                json!([
                    {"op": "test", "path": "/metadata/name", "value": "x"},
                    {"op": "add", "path": "/spec/containers/-", "value": container},
                    {"op": "replace", "path": "/spec/containers/0/image", "value": "c"},
                    {"op": "add", "path": "/spec/containers/0/securityContext", "value": {}},
                    {"op": "add", "path": "/spec/containers/0/securityContext/privileged", "value": true},
                    {"op": "remove", "path": "/spec/hostPID"},
                    {"op": "add", "path": "/metadata/annotations/a~1b", "value": "1"},
                ]),
                json!({
                    "spec": {
                        "containers": [{"image": "c", "securityContext": {"privileged": true}}, container],
                        "hostPID": null,
                    },
                    "metadata": {"annotations": {"a/b": "1"}},
                }),
            ),
            (
                "a negative index",
                json!([{"op": "add", "path": "/spec/containers/-1/securityContext", "value": {"privileged": true}}]),
                json!({"spec": {"containers": [{"securityContext": {"privileged": true}}]}}),
            ),
            (
                "an element that is added does not overwrite another",
                json!([
                    {"op": "add", "path": "/spec/containers/0", "value": {"name": "evil"}},
                    {"op": "add", "path": "/spec/containers/0", "value": {"name": "good"}},
                    {"op": "replace", "path": "/spec/containers/1/image", "value": "e"},
                ]),
                json!({"spec": {"containers": [{"name": "good"}, {"name": "evil", "image": "e"}]}}),
            ),
            (
                "what is taken from another place does not take away what was added",
                json!([
                    {"op": "add", "path": "/spec/containers/-", "value": {"name": "evil"}},
                    {"op": "remove", "path": "/spec/containers/0"},
                ]),
                json!({"spec": {"containers": [{"name": "evil"}]}}),
            ),
            (
                "what was added and is taken away is gone",
                json!([
                    {"op": "add", "path": "/spec/containers/-", "value": {"name": "a"}},
                    {"op": "remove", "path": "/spec/containers/-1"},
                ]),
                json!({"spec": {"containers": []}}),
            ),
            (
                "a command that is put together from its end",
                json!([
                    {"op": "add", "path": "/command/0", "value": "nsenter"},
                    {"op": "add", "path": "/command/0", "value": "-c"},
                    {"op": "add", "path": "/command/0", "value": "sh"},
                ]),
                json!({"command": ["sh", "-c", "nsenter"]}),
            ),
            (
                "what stands before the first slash",
                json!([{"op": "add", "path": "x/spec/hostPID", "value": true}]),
                json!({"spec": {"hostPID": true}}),
            ),
            (
                "labels that look like positions",
                json!([{"op": "add", "path": "/metadata/labels/1", "value": "a"}, {"op": "add", "path": "/metadata/labels/b", "value": "c"}]),
                json!({"metadata": {"labels": {"1": "a", "b": "c"}}}),
            ),
        ] {
            assert_eq!(shown(&patch).0, expected, "{what}");
        }
    }

    #[test]
    fn a_copied_value_is_in_the_patch_or_hidden() {
        let patch = json!([
            {"op": "add", "path": "/metadata/annotations/x", "value": "evil"},
            {"op": "copy", "from": "/metadata/annotations/x", "path": "/spec/a"},
            {"op": "move", "from": "/metadata/annotations/x", "path": "/spec/b"},
            {"op": "copy", "from": "/spec/known/to/the/object", "path": "/spec/containers/0/image"},
            {"op": "test", "path": "/spec/told", "value": {"by": true}},
            {"op": "copy", "from": "/spec/told/by", "path": "/spec/d"},
            {"op": "copy", "path": "/spec/e"},
        ]);
        let (object, copied) = shown(&patch);
        let expected = json!({
            "metadata": {"annotations": {"x": null}},
            "spec": {"a": "evil", "b": "evil", "containers": [{"image": {}}], "d": true},
        });
        assert_eq!(object, expected);
        let some = |field: &str, value: &str| (field.to_owned(), Some(value.to_owned()));
        let hidden = ("spec.containers.image".to_owned(), None);
        let expected = [
            some("spec.a", "\"evil\""),
            some("spec.b", "\"evil\""),
            hidden,
            some("spec.d", "true"),
        ];
        assert_eq!(copied, expected);
    }

    #[test]
    fn a_test_does_not_apply_to_a_changed_list() {
        let patch = json!([
            {"op": "test", "path": "/l/0", "value": false},
            {"op": "remove", "path": "/l/0"},
            {"op": "copy", "from": "/l/0", "path": "/a"},
        ]);
        assert_eq!(shown(&patch).1, [("a".to_owned(), None)]);
    }

    #[test]
    fn a_hostile_patch_is_bounded() {
        let long = "/a".repeat(200_000);
        assert_eq!(shown(&json!([{"op": "add", "path": long, "value": 1}])).0, json!({}));
        let mut doubling = vec![json!({"op": "add", "path": "/a", "value": {"b": "c"}})];
        let growing =
            (0..64).map(|copy| json!({"op": "copy", "from": "/a", "path": format!("/a/{copy}")}));
        doubling.extend(growing);
        doubling.push(json!({"op": "add", "path": "/spec/hostPID", "value": true}));
        let (_, copied) = shown(&json!(doubling));
        assert_eq!(copied.last(), Some(&(String::new(), None)));
        let many: Vec<_> =
            (0..20_000).map(|_| json!({"op": "add", "path": "/l/0", "value": 1})).collect();
        let (object, _) = shown(&json!(many));
        assert_eq!(object["l"].as_array().map(Vec::len), Some(MAX_OPERATIONS));
    }
}
