//! Partially known objects, and where values are placed in them.

use std::collections::BTreeMap;
use std::mem;

use super::error::{MAX_DEPTH, Unfit};
use super::operation::index;
use super::tree::{Parts, Tree};

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

/// The result of looking up a path.
pub(super) enum Found<'n, T> {
    Node(&'n Node<T>),
    /// It may exist in the unknown object.
    Hidden,
    /// A missing member.
    Missing,
}

pub(super) fn is_position(token: &str) -> bool {
    token == "-" || index(token).is_some()
}

/// Returns whether a member maps names, which may look like indices, to values.
pub(super) fn is_map(name: &str) -> bool {
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

/// Returns the parent of the last token of a path, and that token. `value` is the value to be placed there.
pub(super) fn parent<'n, T: Tree>(
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

pub(super) fn spend(budget: &mut usize, work: usize) -> Result<(), Unfit> {
    *budget = budget.checked_sub(work).ok_or(Unfit::TooMuch)?;
    Ok(())
}

impl<T: Tree> Node<T> {
    /// Decomposes a whole value by one level.
    pub(super) fn take_apart(&mut self) {
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
    pub(super) fn open(&mut self, token: &str, name: &str) {
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
    pub(super) fn child(
        &mut self,
        token: &str,
        name: &str,
        work: &mut usize,
    ) -> Result<&mut Self, Unfit> {
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

    pub(super) fn find(
        &mut self,
        path: &[String],
        work: &mut usize,
    ) -> Result<Found<'_, T>, Unfit> {
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

    pub(super) fn is_part(&self) -> bool {
        match self {
            Self::Hidden | Self::Object(_, Extent::Part) | Self::Array(_, Extent::Part) => true,
            Self::Value(_) => false,
            Self::Object(members, _) => members.values().any(Self::is_part),
            Self::Array(elements, _) => elements.iter().any(|(_, element)| element.is_part()),
        }
    }

    /// Returns the depth, and the approximate size in bytes.
    pub(super) fn measure(&self, work: &mut usize) -> Result<(usize, usize), Unfit> {
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
    pub(super) fn order(at: Option<Self>) -> (u8, usize) {
        match at {
            Some(Self::Start(index)) => (0, index),
            None => (1, 0),
            Some(Self::End(index)) => (2, usize::MAX - index),
        }
    }

    pub(super) fn of(token: &str) -> Result<Self, Unfit> {
        let index = index(token).ok_or(Unfit::Malformed)?;
        let distance = usize::try_from(index.unsigned_abs()).map_err(|_| Unfit::Missing)?;
        Ok(if index < 0 { Self::End(distance) } else { Self::Start(distance) })
    }
}

/// Returns the position of an element in a list of a known length.
pub(super) fn place(token: &str, length: usize) -> Result<usize, Unfit> {
    match At::of(token)? {
        At::Start(index) if index < length => Ok(index),
        At::End(distance) => length.checked_sub(distance).ok_or(Unfit::Missing),
        At::Start(_) => Err(Unfit::Missing),
    }
}

/// Inserts an element before the one at `token`, or at the end.
pub(super) fn insert<T>(
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

pub(super) fn remove<T>(
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
