//! JSON Patch as the API server applies it, to a known or an unknown object.
//!
//! The rules are those of `gopkg.in/evanphx/json-patch.v4`, which accepts more than RFC 6902: an operation is a map in
//! which the last value of a key counts; text in a pointer before its first slash is ignored; an index may have a sign
//! and leading zeros, and counts from the end if it is negative; `replace` sets a missing member, and `copy` of one
//! yields null.
//!
//! For an unknown object, a [`Node`] shows what the patch sets. It is read in the worst case: values that the patch
//! sets and does not certainly remove are present.

use std::collections::BTreeMap;
use std::mem;

/// Maximum number of operations in one patch (`maxJSONPatchOperations` of kubernetes/apiserver).
const MAX_OPERATIONS: usize = 10_000;

/// Maximum size of copies: a body of the largest size (`AccumulatedCopySizeLimit` of kubernetes/apiserver).
const MAX_COPIED: usize = 3 << 20;

/// Maximum number of elements shifted or visited, and of values measured, for one patch.
const MAX_WORK: usize = 100_000_000;

/// Maximum depth of an object: that of the JSON parser.
const MAX_DEPTH: usize = 128;

/// The reason why a patch does not apply to an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonPatchError {
    /// An operation or its index is malformed.
    #[error("operation {0} of the JSON Patch is malformed")]
    Malformed(usize),
    /// The path of an operation does not exist.
    #[error("operation {0} of the JSON Patch does not apply: its path does not exist")]
    Missing(usize),
    /// A test failed: the object is another version.
    #[error("operation {0} of the JSON Patch does not apply: its test fails")]
    Test(usize),
    /// The operations exceed a limit of the API server.
    #[error("the JSON Patch exceeds the limits of the API server")]
    TooMuch,
    /// The object would be nested too deeply.
    #[error("the JSON Patch nests the object deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// The reason why one operation cannot be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unfit {
    Malformed,
    Missing,
    Test,
    TooMuch,
    TooDeep,
}

impl Unfit {
    fn of_operation(self, number: usize) -> JsonPatchError {
        match self {
            Self::Malformed => JsonPatchError::Malformed(number),
            Self::Missing => JsonPatchError::Missing(number),
            Self::Test => JsonPatchError::Test(number),
            Self::TooMuch => JsonPatchError::TooMuch,
            Self::TooDeep => JsonPatchError::TooDeep,
        }
    }
}

/// A JSON value that can be decomposed and rebuilt.
pub(crate) trait Tree: Clone + PartialEq {
    fn take_apart(self) -> Parts<Self>;
    fn null() -> Self;
    fn array(elements: Vec<Self>) -> Self;
    fn object(members: BTreeMap<String, Self>) -> Self;
    fn as_str(&self) -> Option<&str>;
    fn text(&self) -> String;
    /// Returns the depth, and the approximate size in bytes.
    fn measure(&self) -> (usize, usize);
}

/// A decomposed value. The last value of a duplicate key counts.
pub(crate) enum Parts<T> {
    Scalar(T),
    Array(Vec<T>),
    Object(BTreeMap<String, T>),
}

/// A partially known value.
#[derive(Debug, Clone)]
pub(crate) enum Node<T> {
    /// An unknown value of the object before the patch.
    Hidden,
    /// A whole value.
    Value(T),
    Object(BTreeMap<String, Node<T>>, Extent),
    Array(Vec<(Option<At>, Node<T>)>, Extent),
}

/// Whether all members or elements are present, or only those that the patch mentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    Whole,
    Part,
}

/// The position of an element in a list of unknown length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// From the start; 0 is the first.
    Start(usize),
    /// From the end; 1 is the last.
    End(usize),
}

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

enum Op {
    Add,
    Remove,
    Replace,
    Move,
    Copy,
    Test,
}

struct Operation<T> {
    op: Op,
    path: Vec<String>,
    from: Vec<String>,
    value: T,
}

impl<T: Tree> Operation<T> {
    fn read(operation: T) -> Option<Self> {
        let Parts::Object(mut members) = operation.take_apart() else { return None };
        let op = match members.get("op")?.as_str()? {
            "add" => Op::Add,
            "remove" => Op::Remove,
            "replace" => Op::Replace,
            "move" => Op::Move,
            "copy" => Op::Copy,
            "test" => Op::Test,
            _ => return None,
        };
        let path = pointer(members.get("path")?.as_str()?)?;
        let from = match op {
            Op::Move | Op::Copy => pointer(members.get("from")?.as_str()?)?,
            _ => Vec::new(),
        };
        Some(Self { op, path, from, value: members.remove("value").unwrap_or_else(T::null) })
    }
}

/// Returns the decoded tokens of a JSON Pointer; none for the whole document.
fn pointer(text: &str) -> Option<Vec<String>> {
    let tokens = text.split('/').skip(1).take(MAX_DEPTH + 1).map(|token| {
        if token.contains('~') {
            token.replace("~1", "/").replace("~0", "~")
        } else {
            token.to_owned()
        }
    });
    let tokens: Vec<_> = tokens.collect();
    // A non-empty pointer without a slash is invalid.
    let leads_nowhere = tokens.is_empty() && !text.is_empty();
    (tokens.len() <= MAX_DEPTH && !leads_nowhere).then_some(tokens)
}

/// Parses an index like `strconv.Atoi`.
fn index(token: &str) -> Option<i64> {
    let digits = token.strip_prefix(['+', '-']).unwrap_or(token);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { token.parse().ok() } else { None }
}

fn is_position(token: &str) -> bool {
    token == "-" || index(token).is_some()
}

/// Returns whether a member maps names, which may look like indices, to values.
fn is_map(name: &str) -> bool {
    matches!(
        name,
        "labels"
            | "annotations"
            | "matchLabels"
            | "nodeSelector"
            | "data"
            | "stringData"
            | "binaryData"
            | "limits"
            | "requests"
            | "overhead"
    )
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

/// The result of looking up a path.
enum Found<'n, T> {
    Node(&'n Node<T>),
    /// It may exist in the unknown object.
    Hidden,
    /// A missing member.
    Missing,
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

/// Returns the parent of the last token of a path, and that token. `value` is the value to be placed there.
fn parent<'n, T: Tree>(
    root: &'n mut Node<T>,
    path: &[String],
    value: &Node<T>,
    work: &mut usize,
) -> Result<(String, &'n mut Node<T>), Unfit> {
    let (last, parents) = path.split_last().ok_or(Unfit::Missing)?;
    let (depth, _) = value.measure(work)?;
    if path.len() + depth > MAX_DEPTH {
        return Err(Unfit::TooDeep);
    }
    let mut node = root;
    let mut name = "";
    for token in parents {
        node = node.child(token, name, work)?;
        name = token;
    }
    node.open(last, name);
    Ok((last.clone(), node))
}

fn spend(budget: &mut usize, work: usize) -> Result<(), Unfit> {
    *budget = budget.checked_sub(work).ok_or(Unfit::TooMuch)?;
    Ok(())
}

impl<T: Tree> Node<T> {
    /// Decomposes a whole value by one level.
    fn take_apart(&mut self) {
        let Self::Value(value) = self else { return };
        let value = mem::replace(value, T::null());
        *self = match value.take_apart() {
            Parts::Scalar(value) => Self::Value(value),
            Parts::Array(elements) => {
                let elements = elements.into_iter().map(|element| (None, Self::Value(element)));
                Self::Array(elements.collect(), Extent::Whole)
            }
            Parts::Object(members) => {
                let members = members.into_iter().map(|(name, value)| (name, Self::Value(value)));
                Self::Object(members.collect(), Extent::Whole)
            }
        };
    }

    /// Makes room for a child called `token`; the node itself has the name `name`.
    fn open(&mut self, token: &str, name: &str) {
        self.take_apart();
        match self {
            Self::Hidden if is_position(token) && !is_map(name) => {
                *self = Self::Array(Vec::new(), Extent::Part);
            }
            Self::Hidden => *self = Self::Object(BTreeMap::new(), Extent::Part),
            // It was taken for a list because its names look like indices.
            Self::Array(elements, Extent::Part) if !is_position(token) => {
                let members =
                    mem::take(elements).into_iter().enumerate().map(|(place, (at, node))| {
                        let name = match at {
                            Some(At::Start(index)) => index.to_string(),
                            Some(At::End(index)) => format!("-{index}"),
                            None => format!("+{place}"),
                        };
                        (name, node)
                    });
                *self = Self::Object(members.collect(), Extent::Part);
            }
            _ => {}
        }
    }

    /// Returns the child called `token`, and creates it if it may exist in the unknown object.
    fn child(&mut self, token: &str, name: &str, work: &mut usize) -> Result<&mut Self, Unfit> {
        self.open(token, name);
        match self {
            Self::Object(members, Extent::Part) => {
                let child = members.entry(token.to_owned()).or_insert(Self::Hidden);
                // What an earlier operation removed exists again, or was never removed.
                if matches!(child, Self::Value(value) if *value == T::null()) {
                    *child = Self::Hidden;
                }
                Ok(child)
            }
            Self::Object(members, Extent::Whole) => members.get_mut(token).ok_or(Unfit::Missing),
            Self::Array(elements, Extent::Whole) => {
                let place = place(token, elements.len())?;
                elements.get_mut(place).map(|(_, child)| child).ok_or(Unfit::Missing)
            }
            Self::Array(elements, Extent::Part) => {
                let at = At::of(token)?;
                spend(work, elements.len())?;
                let known = elements.iter().position(|(known, _)| *known == Some(at));
                let place = known.unwrap_or_else(|| {
                    elements.push((Some(at), Self::Hidden));
                    elements.len() - 1
                });
                elements.get_mut(place).map(|(_, child)| child).ok_or(Unfit::Missing)
            }
            Self::Hidden | Self::Value(_) => Err(Unfit::Missing),
        }
    }

    fn find(&mut self, path: &[String], work: &mut usize) -> Result<Found<'_, T>, Unfit> {
        let mut node = self;
        for (depth, token) in path.iter().enumerate() {
            let is_last = depth + 1 == path.len();
            node.take_apart();
            let child = match node {
                Self::Hidden => return Ok(Found::Hidden),
                Self::Value(_) => return Err(Unfit::Missing),
                Self::Object(members, extent) => match (members.get_mut(token), *extent) {
                    (Some(child), _) => child,
                    (None, Extent::Part) => return Ok(Found::Hidden),
                    (None, Extent::Whole) if is_last => return Ok(Found::Missing),
                    (None, Extent::Whole) => return Err(Unfit::Missing),
                },
                Self::Array(elements, Extent::Whole) => {
                    let place = place(token, elements.len())?;
                    elements.get_mut(place).map(|(_, child)| child).ok_or(Unfit::Missing)?
                }
                Self::Array(elements, Extent::Part) => {
                    let Ok(at) = At::of(token) else { return Ok(Found::Hidden) };
                    spend(work, elements.len())?;
                    match elements.iter_mut().find(|(known, _)| *known == Some(at)) {
                        Some((_, child)) => child,
                        None => return Ok(Found::Hidden),
                    }
                }
            };
            node = child;
        }
        Ok(match node {
            Self::Hidden => Found::Hidden,
            node => Found::Node(node),
        })
    }

    fn is_part(&self) -> bool {
        match self {
            Self::Hidden | Self::Object(_, Extent::Part) | Self::Array(_, Extent::Part) => true,
            Self::Value(_) => false,
            Self::Object(members, _) => members.values().any(Self::is_part),
            Self::Array(elements, _) => elements.iter().any(|(_, element)| element.is_part()),
        }
    }

    /// Returns the depth, and the approximate size in bytes.
    fn measure(&self, work: &mut usize) -> Result<(usize, usize), Unfit> {
        let (mut deepest, mut total) = (0, 2);
        let mut add = |name: usize, child: &Self, work: &mut usize| {
            let (depth, size) = child.measure(work)?;
            deepest = deepest.max(depth + 1);
            total += name + size;
            Ok(())
        };
        match self {
            Self::Hidden => {}
            Self::Value(value) => {
                let (depth, size) = value.measure();
                spend(work, size)?;
                return Ok((depth, size));
            }
            Self::Object(members, _) => {
                for (name, child) in members {
                    add(name.len() + 4, child, work)?;
                }
            }
            Self::Array(elements, _) => {
                for (_, child) in elements {
                    add(1, child, work)?;
                }
            }
        }
        spend(work, 1)?;
        Ok((deepest, total))
    }

    /// Returns the value; hidden values become empty objects.
    pub(crate) fn into_tree(self) -> T {
        match self {
            Self::Hidden => T::object(BTreeMap::new()),
            Self::Value(value) => value,
            Self::Object(members, _) => T::object(
                members.into_iter().map(|(name, child)| (name, child.into_tree())).collect(),
            ),
            Self::Array(mut elements, extent) => {
                if extent == Extent::Part {
                    elements.sort_by_key(|(at, _)| At::order(*at));
                }
                T::array(elements.into_iter().map(|(_, child)| child.into_tree()).collect())
            }
        }
    }
}

impl At {
    /// Orders positions from the start before positions from the end.
    fn order(at: Option<Self>) -> (u8, usize) {
        match at {
            Some(Self::Start(index)) => (0, index),
            None => (1, 0),
            Some(Self::End(index)) => (2, usize::MAX - index),
        }
    }

    fn of(token: &str) -> Result<Self, Unfit> {
        let index = index(token).ok_or(Unfit::Malformed)?;
        let distance = usize::try_from(index.unsigned_abs()).map_err(|_| Unfit::Missing)?;
        Ok(if index < 0 { Self::End(distance) } else { Self::Start(distance) })
    }
}

/// Returns the position of an element in a list of a known length.
fn place(token: &str, length: usize) -> Result<usize, Unfit> {
    match At::of(token)? {
        At::Start(index) if index < length => Ok(index),
        At::End(distance) => length.checked_sub(distance).ok_or(Unfit::Missing),
        At::Start(_) => Err(Unfit::Missing),
    }
}

/// Inserts an element before the one at `token`, or at the end.
fn insert<T>(
    elements: &mut Vec<(Option<At>, Node<T>)>,
    extent: Extent,
    token: &str,
    value: Node<T>,
) -> Result<(), Unfit> {
    // Counted from the end, the new element is included in the count.
    let at = if token == "-" { At::End(1) } else { At::of(token)? };
    if extent == Extent::Whole {
        let place = match at {
            At::Start(index) if index <= elements.len() => index,
            At::End(distance) => {
                (elements.len() + 1).checked_sub(distance).ok_or(Unfit::Missing)?
            }
            At::Start(_) => return Err(Unfit::Missing),
        };
        elements.insert(place, (None, value));
        return Ok(());
    }
    for (known, _) in &mut *elements {
        *known = match (*known, at) {
            (Some(At::Start(index)), At::Start(new)) if index >= new => Some(At::Start(index + 1)),
            (Some(At::End(index)), At::End(new)) if index >= new => Some(At::End(index + 1)),
            // An insertion at the end moves no position from the start.
            (Some(At::Start(index)), At::Start(_) | At::End(1)) => Some(At::Start(index)),
            // An insertion at the start moves no position from the end.
            (Some(At::End(index)), At::End(_) | At::Start(0)) => Some(At::End(index)),
            _ => None,
        };
    }
    elements.push((Some(at), value));
    Ok(())
}

fn remove<T>(
    elements: &mut Vec<(Option<At>, Node<T>)>,
    extent: Extent,
    token: &str,
) -> Result<(), Unfit> {
    if extent == Extent::Whole {
        let place = place(token, elements.len())?;
        elements.remove(place);
        return Ok(());
    }
    let at = At::of(token)?;
    elements.retain(|(known, _)| *known != Some(at));
    for (known, _) in elements {
        *known = match (*known, at) {
            (Some(At::Start(index)), At::Start(gone)) if index > gone => Some(At::Start(index - 1)),
            (Some(At::End(index)), At::End(gone)) if index > gone => Some(At::End(index - 1)),
            (Some(At::Start(index)), At::Start(_)) => Some(At::Start(index)),
            (Some(At::End(index)), At::End(_)) => Some(At::End(index)),
            // The last element may be this one; the others before it keep their positions.
            _ => None,
        };
    }
    Ok(())
}

impl Tree for serde_json::Value {
    fn take_apart(self) -> Parts<Self> {
        match self {
            Self::Array(elements) => Parts::Array(elements),
            Self::Object(members) => Parts::Object(members.into_iter().collect()),
            scalar => Parts::Scalar(scalar),
        }
    }

    fn null() -> Self {
        Self::Null
    }

    fn array(elements: Vec<Self>) -> Self {
        Self::Array(elements)
    }

    fn object(members: BTreeMap<String, Self>) -> Self {
        Self::Object(members.into_iter().collect())
    }

    fn as_str(&self) -> Option<&str> {
        self.as_str()
    }

    fn text(&self) -> String {
        self.to_string()
    }

    fn measure(&self) -> (usize, usize) {
        match self {
            Self::String(text) => (0, text.len() + 2),
            Self::Array(elements) => {
                measured(elements.iter().map(|element| (1, element.measure())))
            }
            Self::Object(members) => {
                measured(members.iter().map(|(name, value)| (name.len() + 4, value.measure())))
            }
            _ => (0, 4),
        }
    }
}

impl Tree for crate::json::value::Json<'_> {
    fn take_apart(self) -> Parts<Self> {
        match self {
            Self::Array(elements) => Parts::Array(elements),
            Self::Object(members) => {
                let members = members.into_iter().map(|(name, value)| (name.to_string(), value));
                Parts::Object(members.collect())
            }
            scalar => Parts::Scalar(scalar),
        }
    }

    fn null() -> Self {
        Self::Null
    }

    fn array(elements: Vec<Self>) -> Self {
        Self::Array(elements)
    }

    fn object(members: BTreeMap<String, Self>) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    fn measure(&self) -> (usize, usize) {
        match self {
            Self::Text(text) => (0, text.len() + 2),
            Self::Array(elements) => {
                measured(elements.iter().map(|element| (1, element.measure())))
            }
            Self::Object(members) => {
                measured(members.iter().map(|(name, value)| (name.len() + 4, value.measure())))
            }
            _ => (0, 4),
        }
    }
}

fn measured(children: impl Iterator<Item = (usize, (usize, usize))>) -> (usize, usize) {
    children.fold((1, 2), |(deepest, total), (own, (depth, size))| {
        (deepest.max(depth + 1), total + own + size)
    })
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
