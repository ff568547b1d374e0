//! Patches: their types, and their application to objects.
//!
//! Kubernetes accepts four types of patch, distinguished by the content type of the request, which an audit event does
//! not record. [`PatchType::of`] infers it from the event.
//!
//! The rules of strategic merge patches are those of `k8s.io/apimachinery/pkg/util/strategicpatch`; the merge keys are
//! the `patchMergeKey` and `listMapKey` tags of the Kubernetes API types.

pub(crate) mod json_patch;
pub(crate) mod spec_write;

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use crate::patch::json_patch::{Copied, JsonPatchError};

/// The type of a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchType {
    /// `application/json-patch+json`: RFC 6902.
    Json,
    /// `application/merge-patch+json`: RFC 7386. Lists are replaced.
    Merge,
    /// `application/strategic-merge-patch+json`: lists are merged by the keys that the API types declare.
    StrategicMerge,
    /// `application/apply-patch+yaml`: server-side apply.
    Apply,
}

/// The evidence in an audit event about a patch request, besides the patch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PatchHints<'a> {
    /// Whether the API server has Go types for the resource, which strategic merge patches require.
    pub built_in: bool,
    /// `fieldManager` of the query.
    pub field_manager: Option<&'a str>,
    /// `force` of the query.
    pub force: Option<bool>,
}

/// The reason why a patch does not apply to an object.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// The operations of a JSON Patch do not apply.
    #[error(transparent)]
    Json(#[from] JsonPatchError),
    /// The patch, or the target, is not a JSON object.
    #[error("merge patch and target must both be JSON objects")]
    NotAnObject,
    /// An element of a list that is merged by key lacks the key.
    #[error("an element of '{list}' lacks the merge key '{key}'")]
    NoMergeKey {
        /// The list.
        list: String,
        /// Its merge key.
        key: &'static str,
    },
    /// A directive of a strategic merge patch has an unknown value.
    #[error("unknown value '{0}' of the directive $patch")]
    Directive(Value),
}

impl PatchType {
    /// Infers the type of a patch from an audit event.
    ///
    /// - A list is a JSON Patch; the others are objects.
    /// - The API server rejects `force` except for server-side apply. Apply must name its field manager, and its body is a
    ///   manifest with `apiVersion` and `kind`, which other patches have no reason to repeat.
    /// - A strategic merge patch is recognized by its directives. The API server rejects it for custom resources, and if
    ///   an element of a merged list lacks the merge key. In doubt a patch of a built-in kind is strategic, as
    ///   `kubectl patch` and `kubectl apply` send it. A merge patch with whole lists then keeps elements that it omits.
    /// - Server-side apply of a custom resource is treated as a merge patch: its lists are atomic, unless its definition,
    ///   which a log does not show, declares otherwise.
    pub fn of(patch: &Value, hints: PatchHints<'_>) -> Self {
        if patch.is_array() {
            return Self::Json;
        }
        if !hints.built_in {
            return Self::Merge;
        }
        let is_manifest = ["apiVersion", "kind"].iter().all(|key| patch.get(key).is_some());
        if hints.force.is_some() || (is_manifest && hints.field_manager.is_some()) {
            return Self::Apply;
        }
        if lacks_merge_key(patch) { Self::Merge } else { Self::StrategicMerge }
    }

    /// Applies a patch to `object`, like the API server before defaulting and admission.
    ///
    /// Server-side apply also removes fields that the manager set before and now omits. The owner of a field is unknown
    /// here, so these fields stay.
    ///
    /// Both values must come from a parser that limits depth, such as `serde_json`.
    ///
    /// # Errors
    ///
    /// Returns an error if the patch does not apply. The object is then partially patched and must be discarded.
    pub fn apply(self, object: &mut Value, patch: &Value) -> Result<(), PatchError> {
        match self {
            Self::Json => apply_json_patch(object, patch).map(drop),
            Self::Merge => {
                let (Value::Object(object), Value::Object(patch)) = (object, patch) else {
                    return Err(PatchError::NotAnObject);
                };
                merge_patch(object, patch);
                Ok(())
            }
            Self::StrategicMerge | Self::Apply => {
                let (Value::Object(object), Value::Object(patch)) = (object, patch) else {
                    return Err(PatchError::NotAnObject);
                };
                let merge = if self == Self::Apply { Merge::Apply } else { Merge::Strategic };
                merge.objects(object, patch)
            }
        }
    }
}

/// Applies a JSON Patch. Returns what it copied or moved within the object.
pub(crate) fn apply_json_patch(
    object: &mut Value,
    patch: &Value,
) -> Result<Vec<Copied>, PatchError> {
    let operations = patch.as_array().cloned().unwrap_or_default();
    let (patched, copied) = json_patch::apply(std::mem::take(object), operations)?;
    *object = patched;
    Ok(copied)
}

/// Applies RFC 7386. The result is never nested deeper than both inputs.
fn merge_patch(object: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Null => {
                object.remove(name);
            }
            Value::Object(members) => {
                let child = object.entry(name.clone()).or_insert(Value::Null);
                if !child.is_object() {
                    *child = Value::Object(Map::new());
                }
                if let Value::Object(child) = child {
                    merge_patch(child, members);
                }
            }
            other => {
                object.insert(name.clone(), other.clone());
            }
        }
    }
}

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const SET_ELEMENT_ORDER: &str = "$setElementOrder/";
const DELETE_FROM_PRIMITIVE_LIST: &str = "$deleteFromPrimitiveList/";

/// Returns the members that identify the objects of a list; `None` if a list is replaced as a whole.
///
/// A strategic merge patch uses only the first one. In kinds that create pods, a list of one name has the same strategy
/// everywhere, so its path is not needed.
fn merge_keys(list: &str) -> Option<&'static [&'static str]> {
    Some(match list {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "volumes"
        | "env"
        | "imagePullSecrets"
        | "resourceClaims"
        | "schedulingGates"
        // Of webhook configurations and admission policies.
        | "webhooks"
        | "matchConditions"
        | "variables" => &["name"],
        "ports" => &["containerPort", "protocol"],
        "volumeMounts" => &["mountPath"],
        "volumeDevices" => &["devicePath"],
        "hostAliases" => &["ip"],
        "topologySpreadConstraints" => &["topologyKey", "whenUnsatisfiable"],
        "ownerReferences" => &["uid"],
        "conditions" => &["type"],
        _ => return None,
    })
}

/// Returns whether a list is a set of scalars.
fn is_set(list: &str) -> bool {
    list == "finalizers"
}

/// Returns whether server-side apply replaces an object as a whole (`structType=atomic`).
fn is_atomic(object: &str) -> bool {
    matches!(
        object,
        "nodeSelector"
            | "selector"
            | "labelSelector"
            | "namespaceSelector"
            | "secretKeyRef"
            | "configMapKeyRef"
            | "fieldRef"
            | "resourceFieldRef"
    )
}

/// Returns whether an element of a merged list lacks the merge key, which strategic merge patches require.
fn lacks_merge_key(patch: &Value) -> bool {
    match patch {
        Value::Object(members) => members.iter().any(|(name, value)| {
            let key = merge_keys(name).and_then(|keys| keys.first());
            let lacks = |element: &Value| {
                key.is_some_and(|key| {
                    element.is_object()
                        && element.get(key).is_none()
                        && element.get(DIRECTIVE).is_none()
                })
            };
            value.as_array().is_some_and(|elements| elements.iter().any(lacks))
                || lacks_merge_key(value)
        }),
        Value::Array(elements) => elements.iter().any(lacks_merge_key),
        _ => false,
    }
}

/// How two objects are merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Merge {
    Strategic,
    Apply,
}

impl Merge {
    fn objects(
        self,
        object: &mut Map<String, Value>,
        patch: &Map<String, Value>,
    ) -> Result<(), PatchError> {
        match patch.get(DIRECTIVE).map(|directive| (directive, directive.as_str())) {
            None | Some((_, Some("merge"))) => {}
            Some((_, Some("replace"))) => {
                *object = without_directives(patch);
                return Ok(());
            }
            Some((_, Some("delete"))) => {
                object.clear();
                return Ok(());
            }
            Some((other, _)) => return Err(PatchError::Directive(other.clone())),
        }
        if let Some(keys) = patch.get(RETAIN_KEYS).and_then(Value::as_array) {
            let keys: HashSet<&str> = keys.iter().filter_map(Value::as_str).collect();
            object.retain(|key, _| keys.contains(key.as_str()));
        }
        for (name, value) in patch.iter().filter(|(name, _)| !name.starts_with('$')) {
            self.member(object, name, value, patch)?;
        }
        for (directive, value) in patch {
            if let Some(name) = directive.strip_prefix(DELETE_FROM_PRIMITIVE_LIST) {
                delete_from_list(object, name, value);
            } else if let Some(name) = directive.strip_prefix(SET_ELEMENT_ORDER)
                && !patch.contains_key(name)
            {
                self.reorder(object, name, value)?;
            }
        }
        Ok(())
    }

    fn member(
        self,
        object: &mut Map<String, Value>,
        name: &str,
        value: &Value,
        patch: &Map<String, Value>,
    ) -> Result<(), PatchError> {
        if value.is_null() {
            object.remove(name);
            return Ok(());
        }
        let order = patch.get(&format!("{SET_ELEMENT_ORDER}{name}"));
        match (object.get_mut(name), value) {
            (Some(Value::Object(old)), Value::Object(new))
                if self == Self::Strategic || !is_atomic(name) =>
            {
                self.objects(old, new)
            }
            (Some(Value::Array(old)), Value::Array(new)) => {
                let merged = self.lists(name, std::mem::take(old), new, order)?;
                *old = merged;
                Ok(())
            }
            (_, Value::Array(new)) => {
                let merged = self.lists(name, Vec::new(), new, order)?;
                object.insert(name.to_owned(), Value::Array(merged));
                Ok(())
            }
            (_, Value::Object(new)) => {
                let mut added = Map::new();
                self.objects(&mut added, new)?;
                object.insert(name.to_owned(), Value::Object(added));
                Ok(())
            }
            (_, scalar) => {
                object.insert(name.to_owned(), scalar.clone());
                Ok(())
            }
        }
    }

    fn lists(
        self,
        name: &str,
        old: Vec<Value>,
        new: &[Value],
        order: Option<&Value>,
    ) -> Result<Vec<Value>, PatchError> {
        let Some(identity) = self.identity(name) else {
            return Ok(new.iter().filter(|element| !has_directive(element)).cloned().collect());
        };
        let server_order: Vec<_> = old.iter().map(|element| identity.of(element)).collect();
        let merged = self.elements(name, &identity, old, new)?;
        let wanted = order.and_then(Value::as_array).map_or(new, Vec::as_slice);
        let wanted: Vec<_> = wanted.iter().map(|element| identity.of(element)).collect();
        Ok(self.arrange(merged, &identity, &wanted, &server_order))
    }

    fn identity(self, list: &str) -> Option<Identity> {
        if is_set(list) {
            return Some(Identity::Itself);
        }
        let keys = merge_keys(list)?;
        Some(match self {
            Self::Strategic => Identity::Keys(keys.get(..1).unwrap_or(keys)),
            Self::Apply => Identity::Keys(keys),
        })
    }

    /// Returns the elements of both lists, without duplicates.
    fn elements(
        self,
        name: &str,
        identity: &Identity,
        mut old: Vec<Value>,
        new: &[Value],
    ) -> Result<Vec<Value>, PatchError> {
        let directive = |element: &Value| element.get(DIRECTIVE).cloned();
        let mut deleted = HashSet::new();
        for element in new {
            match directive(element) {
                None => {}
                Some(Value::String(text)) if text == "merge" => {}
                Some(Value::String(text)) if text == "replace" => old.clear(),
                Some(Value::String(text)) if text == "delete" => {
                    deleted.insert(identity.required(name, element)?);
                }
                Some(other) => return Err(PatchError::Directive(other)),
            }
        }
        old.retain(|element| identity.of(element).is_none_or(|key| !deleted.contains(&key)));

        let mut places: HashMap<_, _> = HashMap::new();
        for (place, element) in old.iter().enumerate() {
            if let Some(key) = identity.of(element) {
                places.entry(key).or_insert(place);
            }
        }
        for element in new.iter().filter(|element| !has_directive(element)) {
            let key = identity.required(name, element)?;
            let place = *places.entry(key).or_insert_with(|| {
                // An element of a set is identified by its text and stays unchanged.
                old.push(match (element, identity) {
                    (Value::Object(_), Identity::Keys(_)) => Value::Object(Map::new()),
                    (other, _) => other.clone(),
                });
                old.len() - 1
            });
            if let (Some(Value::Object(old)), Value::Object(new), Identity::Keys(_)) =
                (old.get_mut(place), element, identity)
            {
                self.objects(old, new)?;
            }
        }
        Ok(old)
    }

    /// Arranges the `wanted` elements in that order, with the others between them as on the server.
    fn arrange(
        self,
        elements: Vec<Value>,
        identity: &Identity,
        wanted: &[Option<String>],
        server_order: &[Option<String>],
    ) -> Vec<Value> {
        let wanted = places(wanted);
        let on_server = places(server_order);
        let (mut ordered, mut others) = (Vec::new(), Vec::new());
        for element in elements {
            let key = identity.of(&element).unwrap_or_default();
            let server_place = on_server.get(&key).copied();
            match wanted.get(&key) {
                Some(place) => ordered.push((*place, server_place, element)),
                None => others.push((server_place, element)),
            }
        }
        ordered.sort_by_key(|(place, ..)| *place);
        others.sort_by_key(|(server_place, _)| *server_place);

        let mut others = others.into_iter().peekable();
        let mut arranged = Vec::new();
        for (_, place, element) in ordered {
            let precedes = |other: Option<usize>| match (other, place) {
                (Some(other), Some(place)) => other < place,
                // Server-side apply appends new elements, a strategic merge patch prepends them.
                _ => self == Self::Apply,
            };
            while let Some((_, other)) = others.next_if(|(other, _)| precedes(*other)) {
                arranged.push(other);
            }
            arranged.push(element);
        }
        arranged.extend(others.map(|(_, other)| other));
        arranged
    }

    /// Orders a list without other changes.
    fn reorder(
        self,
        object: &mut Map<String, Value>,
        name: &str,
        order: &Value,
    ) -> Result<(), PatchError> {
        if self.identity(name).is_some()
            && let Some(Value::Array(list)) = object.get_mut(name)
        {
            *list = self.lists(name, std::mem::take(list), &[], Some(order))?;
        }
        Ok(())
    }
}

/// What identifies an element of a list.
enum Identity {
    Itself,
    Keys(&'static [&'static str]),
}

impl Identity {
    fn of(&self, element: &Value) -> Option<String> {
        let Self::Keys(keys) = self else { return Some(element.to_string()) };
        let mut identity = element.get(keys.first()?)?.to_string();
        for key in keys.iter().skip(1) {
            let value = element.get(key).map(Value::to_string);
            // The default of the only key that may be omitted.
            let value = value.or((*key == "protocol").then(|| "\"TCP\"".to_owned()));
            identity.push('\n');
            identity.push_str(&value.unwrap_or_default());
        }
        Some(identity)
    }

    fn required(&self, list: &str, element: &Value) -> Result<String, PatchError> {
        self.of(element).ok_or_else(|| PatchError::NoMergeKey {
            list: list.to_owned(),
            key: match self {
                Self::Keys([key, ..]) => key,
                _ => "",
            },
        })
    }
}

fn places(identities: &[Option<String>]) -> HashMap<String, usize> {
    let mut places = HashMap::new();
    for (place, identity) in identities.iter().enumerate() {
        if let Some(identity) = identity {
            places.entry(identity.clone()).or_insert(place);
        }
    }
    places
}

fn has_directive(element: &Value) -> bool {
    element.get(DIRECTIVE).is_some()
}

fn without_directives(patch: &Map<String, Value>) -> Map<String, Value> {
    let members = patch.iter().filter(|(name, value)| !name.starts_with('$') && !value.is_null());
    members.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn delete_from_list(object: &mut Map<String, Value>, name: &str, deleted: &Value) {
    if let (Some(Value::Array(list)), Value::Array(deleted)) = (object.get_mut(name), deleted) {
        let deleted: HashSet<String> = deleted.iter().map(Value::to_string).collect();
        list.retain(|element| !deleted.contains(&element.to_string()));
    }
}
