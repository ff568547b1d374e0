//! The result of each type of patch on an object, and the inference of the type.

use podtrail_event::{PatchHints, PatchType, changes};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const BUILT_IN: PatchHints<'_> = PatchHints { built_in: true, field_manager: None, force: None };

fn patched(kind: PatchType, object: &Value, patch: &Value) -> Value {
    let mut object = object.clone();
    kind.apply(&mut object, patch).unwrap();
    object
}

#[test]
fn the_kind_is_inferred_from_the_event() {
    let manager = |name, force| PatchHints { built_in: true, field_manager: Some(name), force };
    let custom = PatchHints { built_in: false, ..manager("kubectl", None) };
    let manifest = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 1}});
    // As `kubectl apply` sends it, client-side.
    let client_side = json!({"metadata": {"resourceVersion": "1874"}, "spec": {"template": {"spec": {
        "$setElementOrder/containers": [{"name": "app"}],
        "containers": [{"image": "registry.internal/orders/api:3.13.0", "name": "app"}],
    }}}});
    let nameless = json!({"spec": {"containers": [{"image": "x"}]}});
    for (patch, hints, kind) in [
        (json!([{"op": "remove", "path": "/spec/hostPID"}]), BUILT_IN, PatchType::Json),
        (json!([]), custom, PatchType::Json),
        (manifest.clone(), manager("argocd-controller", Some(true)), PatchType::Apply),
        (manifest.clone(), manager("kubectl", None), PatchType::Apply),
        (manifest.clone(), BUILT_IN, PatchType::StrategicMerge),
        (manifest, custom, PatchType::Merge),
        (client_side, manager("kubectl-client-side-apply", None), PatchType::StrategicMerge),
        (json!({"spec": {"replicas": 3}}), BUILT_IN, PatchType::StrategicMerge),
        (json!({"spec": {"replicas": 3}}), custom, PatchType::Merge),
        (nameless, BUILT_IN, PatchType::Merge),
        (
            json!({"spec": {"containers": [{"$patch": "replace"}]}}),
            BUILT_IN,
            PatchType::StrategicMerge,
        ),
    ] {
        assert_eq!(PatchType::of(&patch, hints), kind, "{patch} {hints:?}");
    }
}

#[test]
fn a_strategic_merge_patch_follows_its_keys_and_directives() {
    for (what, object, patch, expected) in [
        (
            "an element is merged by name",
            json!({"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]}),
            json!({"containers": [{"name": "b", "image": "2"}]}),
            json!({"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "2"}]}),
        ),
        (
            "what is new comes first",
            json!({"containers": [{"name": "a"}]}),
            json!({"containers": [{"name": "b"}]}),
            json!({"containers": [{"name": "b"}, {"name": "a"}]}),
        ),
        (
            "unless the patch gives an order",
            json!({"containers": [{"name": "a"}, {"name": "kept"}]}),
            json!({"$setElementOrder/containers": [{"name": "a"}, {"name": "b"}], "containers": [{"name": "b"}]}),
            json!({"containers": [{"name": "a"}, {"name": "b"}, {"name": "kept"}]}),
        ),
        (
            "an order alone",
            json!({"env": [{"name": "a"}, {"name": "b"}]}),
            json!({"$setElementOrder/env": [{"name": "b"}, {"name": "a"}]}),
            json!({"env": [{"name": "b"}, {"name": "a"}]}),
        ),
        (
            "an order of a list without a key changes nothing",
            json!({"command": ["a"]}),
            json!({"$setElementOrder/command": ["b"]}),
            json!({"command": ["a"]}),
        ),
        (
            "an element is deleted",
            json!({"volumes": [{"name": "a"}, {"name": "b"}]}),
            json!({"volumes": [{"name": "a", "$patch": "delete"}]}),
            json!({"volumes": [{"name": "b"}]}),
        ),
        (
            "a list is replaced",
            json!({"volumes": [{"name": "a"}]}),
            json!({"volumes": [{"$patch": "replace"}, {"name": "b"}]}),
            json!({"volumes": [{"name": "b"}]}),
        ),
        (
            "an object is replaced",
            json!({"securityContext": {"runAsUser": 1, "runAsNonRoot": true}}),
            json!({"securityContext": {"$patch": "replace", "runAsUser": 2}}),
            json!({"securityContext": {"runAsUser": 2}}),
        ),
        (
            "an object is emptied",
            json!({"securityContext": {"runAsUser": 1}}),
            json!({"securityContext": {"$patch": "delete"}}),
            json!({"securityContext": {}}),
        ),
        (
            "the other sources of a volume go",
            json!({"volumes": [{"name": "v", "emptyDir": {}}]}),
            json!({"volumes": [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/"}}]}),
            json!({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}),
        ),
        (
            // As the Job controller sends it.
            "a finalizer goes",
            json!({"metadata": {"finalizers": ["batch.kubernetes.io/job-tracking", "x"]}}),
            json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["batch.kubernetes.io/job-tracking"]}}),
            json!({"metadata": {"finalizers": ["x"]}}),
        ),
        (
            "a finalizer comes, once",
            json!({"finalizers": ["x"]}),
            json!({"finalizers": ["y", "x"]}),
            json!({"finalizers": ["y", "x"]}),
        ),
        (
            "what is no text is one finalizer too, once",
            json!({"finalizers": [{"a": null}]}),
            json!({"finalizers": [{"a": null}, {"b": null}]}),
            json!({"finalizers": [{"a": null}, {"b": null}]}),
        ),
        (
            "null deletes, also in what is new",
            json!({"hostPID": true}),
            json!({"hostPID": null, "securityContext": {"runAsUser": null, "fsGroup": 1}}),
            json!({"securityContext": {"fsGroup": 1}}),
        ),
        (
            "a port is known by its number alone",
            json!({"ports": [{"containerPort": 53, "protocol": "UDP"}]}),
            json!({"ports": [{"containerPort": 53, "protocol": "TCP"}]}),
            json!({"ports": [{"containerPort": 53, "protocol": "TCP"}]}),
        ),
        (
            "a mount is known by its path, a host alias by its address",
            json!({"volumeMounts": [{"mountPath": "/a", "name": "v"}], "hostAliases": [{"ip": "1.1.1.1", "hostnames": ["a"]}]}),
            json!({"volumeMounts": [{"mountPath": "/a", "name": "w"}], "hostAliases": [{"ip": "1.1.1.1", "hostnames": ["b"]}]}),
            json!({"volumeMounts": [{"mountPath": "/a", "name": "w"}], "hostAliases": [{"ip": "1.1.1.1", "hostnames": ["b"]}]}),
        ),
        (
            "lists without a key are replaced",
            json!({"tolerations": [{"key": "a"}], "command": ["a", "b"], "sysctls": [{"name": "a"}]}),
            json!({"tolerations": [{"key": "b"}], "command": ["c"], "sysctls": []}),
            json!({"tolerations": [{"key": "b"}], "command": ["c"], "sysctls": []}),
        ),
        (
            "an empty patch of a merged list changes nothing",
            json!({"containers": [{"name": "a"}]}),
            json!({"containers": []}),
            json!({"containers": [{"name": "a"}]}),
        ),
    ] {
        assert_eq!(patched(PatchType::StrategicMerge, &object, &patch), expected, "{what}");
    }
}

#[test]
fn server_side_apply_merges_by_all_keys_and_replaces_atomic_objects() {
    for (object, patch, expected) in [
        (
            json!({"ports": [{"containerPort": 53, "protocol": "UDP"}]}),
            json!({"ports": [{"containerPort": 53}]}),
            json!({"ports": [{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53}]}),
        ),
        (
            json!({"ports": [{"containerPort": 53, "protocol": "TCP"}]}),
            json!({"ports": [{"containerPort": 53, "name": "dns"}]}),
            json!({"ports": [{"containerPort": 53, "protocol": "TCP", "name": "dns"}]}),
        ),
        (
            json!({"nodeSelector": {"a": "1"}, "securityContext": {"fsGroup": 1}}),
            json!({"nodeSelector": {"b": "1"}, "securityContext": {"runAsUser": 1}}),
            json!({"nodeSelector": {"b": "1"}, "securityContext": {"fsGroup": 1, "runAsUser": 1}}),
        ),
        (
            json!({"containers": [{"name": "a"}]}),
            json!({"containers": [{"name": "b"}]}),
            json!({"containers": [{"name": "a"}, {"name": "b"}]}),
        ),
    ] {
        assert_eq!(patched(PatchType::Apply, &object, &patch), expected, "{patch}");
    }
}

#[test]
fn a_json_patch_may_count_from_the_end() {
    let object = json!({"containers": [{"image": "a"}, {"image": "b", "env": [1, 2]}]});
    for (patch, expected) in [
        (
            json!([{"op": "replace", "path": "/containers/-1/image", "value": "c"}]),
            json!({"containers": [{"image": "a"}, {"image": "c", "env": [1, 2]}]}),
        ),
        (
            json!([{"op": "remove", "path": "/containers/-2"}, {"op": "add", "path": "/containers/-1/env/-1", "value": 3}]),
            json!({"containers": [{"image": "b", "env": [1, 2, 3]}]}),
        ),
        (
            json!([{"op": "add", "path": "/containers/1/env/-2", "value": 3}, {"op": "add", "path": "/containers/-", "value": 4}]),
            json!({"containers": [{"image": "a"}, {"image": "b", "env": [1, 3, 2]}, 4]}),
        ),
    ] {
        assert_eq!(patched(PatchType::Json, &object, &patch), expected, "{patch}");
    }
}

#[test]
fn a_patch_that_does_not_apply_is_an_error() {
    // Each copy nearly doubles the object.
    let copies =
        (0..64).map(|copy| json!({"op": "copy", "from": "/a", "path": format!("/a/{}", copy % 2)}));
    let mut grows = vec![json!({"op": "add", "path": "/a", "value": {}})];
    grows.extend(copies);
    let deep = "/a".repeat(200);
    for (kind, patch, message) in [
        (PatchType::Json, json!([{"op": "remove", "path": "/x"}]), "does not apply"),
        (PatchType::Json, json!([{"op": "remove", "path": "/b/-1"}]), "does not apply"),
        (PatchType::Json, json!([{"op": "test", "path": "/b", "value": 2}]), "does not apply"),
        (PatchType::Json, json!([{"op": "paint", "path": "/x"}]), "is malformed"),
        (PatchType::Json, json!([{"op": "add", "path": deep, "value": 1}]), "is malformed"),
        (PatchType::Json, json!(grows), "exceeds the limits"),
        (
            PatchType::Json,
            json!(vec![json!({"op": "test", "path": "/b", "value": 1}); 10_001]),
            "exceeds the limits",
        ),
        (PatchType::Merge, json!(1), "must both be JSON objects"),
        (PatchType::StrategicMerge, json!("x"), "must both be JSON objects"),
        (PatchType::StrategicMerge, json!({"$patch": "paint"}), "of the directive $patch"),
        (
            PatchType::StrategicMerge,
            json!({"env": [{"value": "x"}]}),
            "'env' lacks the merge key 'name'",
        ),
        (PatchType::StrategicMerge, json!({"env": ["x"]}), "'env' lacks the merge key 'name'"),
        (
            PatchType::StrategicMerge,
            json!({"env": [{"$patch": "delete"}]}),
            "'env' lacks the merge key 'name'",
        ),
    ] {
        let mut object = json!({"b": 1});
        let error = kind.apply(&mut object, &patch).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

/// A pod template that the property tests edit.
#[derive(Debug, Clone)]
struct Model {
    replicas: u8,
    host_pid: Option<bool>,
    volumes: Vec<(String, String)>,
    containers: Vec<ModelContainer>,
}

#[derive(Debug, Clone)]
struct ModelContainer {
    name: String,
    image: String,
    command: Option<Vec<String>>,
    privileged: Option<bool>,
    env: Vec<(String, String)>,
}

impl Model {
    fn object(&self) -> Value {
        let volume =
            |(name, path): &(String, String)| json!({"name": name, "hostPath": {"path": path}});
        let mut spec = json!({
            "containers": self.containers.iter().map(ModelContainer::object).collect::<Vec<_>>(),
            "volumes": self.volumes.iter().map(volume).collect::<Vec<_>>(),
        });
        if let Some(host_pid) = self.host_pid {
            spec["hostPID"] = json!(host_pid);
        }
        json!({"kind": "Deployment", "spec": {"replicas": self.replicas, "template": {"spec": spec}}})
    }
}

impl ModelContainer {
    fn object(&self) -> Value {
        let variable = |(name, value): &(String, String)| json!({"name": name, "value": value});
        let mut container = json!({
            "name": self.name,
            "image": self.image,
            "securityContext": {},
            "env": self.env.iter().map(variable).collect::<Vec<_>>(),
        });
        if let Some(command) = &self.command {
            container["command"] = json!(command);
        }
        if let Some(privileged) = self.privileged {
            container["securityContext"]["privileged"] = json!(privileged);
        }
        container
    }
}

/// One edit; numbers select an element, modulo the number of elements.
#[derive(Debug, Clone)]
enum Edit {
    Replicas(u8),
    HostPid(Option<bool>),
    AddVolume(String),
    RemoveVolume(usize),
    AddContainer(String),
    RemoveContainer(usize),
    Image(usize, String),
    Command(usize, Option<Vec<String>>),
    Privileged(usize, Option<bool>),
    Variable(usize, String, String),
    RemoveVariable(usize, usize),
}

const SPEC: &str = "/spec/template/spec";

impl Edit {
    /// Edits the model, and returns the equivalent JSON Patch and strategic merge patch.
    fn make(&self, model: &mut Model, fresh: &str) -> Option<(Value, Value)> {
        let template = |spec: Value| json!({"spec": {"template": {"spec": spec}}});
        let at = |position: usize, count: usize| (count > 0).then(|| position % count);
        let set = |path: String, value: Option<Value>, was_set: bool| match value {
            // RFC 6902: `add` on a member sets it, whether or not it exists.
            Some(value) => json!([{"op": "add", "path": path, "value": value}]),
            None if was_set => json!([{"op": "remove", "path": path}]),
            None => json!([]),
        };
        Some(match self {
            Self::Replicas(replicas) => {
                model.replicas = *replicas;
                let operation =
                    json!({"op": "replace", "path": "/spec/replicas", "value": replicas});
                (json!([operation]), json!({"spec": {"replicas": replicas}}))
            }
            Self::HostPid(value) => {
                let was_set = std::mem::replace(&mut model.host_pid, *value).is_some();
                let json = set(format!("{SPEC}/hostPID"), value.map(Value::from), was_set);
                (json, template(json!({"hostPID": value})))
            }
            Self::AddVolume(path) => {
                model.volumes.insert(0, (fresh.to_owned(), path.clone()));
                let volume = json!({"name": fresh, "hostPath": {"path": path}});
                let json =
                    json!([{"op": "add", "path": format!("{SPEC}/volumes/0"), "value": volume}]);
                (json, template(json!({"volumes": [volume]})))
            }
            Self::RemoveVolume(position) => {
                let position = at(*position, model.volumes.len())?;
                let (name, _) = model.volumes.remove(position);
                let json = json!([{"op": "remove", "path": format!("{SPEC}/volumes/{position}")}]);
                (json, template(json!({"volumes": [{"name": name, "$patch": "delete"}]})))
            }
            Self::AddContainer(image) => {
                let container = ModelContainer {
                    name: fresh.to_owned(),
                    image: image.clone(),
                    command: None,
                    privileged: Some(true),
                    env: vec![],
                };
                let object = container.object();
                model.containers.insert(0, container);
                let path = format!("{SPEC}/containers/0");
                let json = json!([{"op": "add", "path": path, "value": object}]);
                (json, template(json!({"containers": [object]})))
            }
            Self::RemoveContainer(position) => {
                if model.containers.len() < 2 {
                    return None;
                }
                let position = position % model.containers.len();
                let name = model.containers.remove(position).name;
                let json =
                    json!([{"op": "remove", "path": format!("{SPEC}/containers/{position}")}]);
                (json, template(json!({"containers": [{"name": name, "$patch": "delete"}]})))
            }
            Self::Image(position, _)
            | Self::Command(position, _)
            | Self::Privileged(position, _)
            | Self::Variable(position, ..)
            | Self::RemoveVariable(position, _) => {
                let position = at(*position, model.containers.len())?;
                let path = format!("{SPEC}/containers/{position}");
                let container = &mut model.containers[position];
                let (json, mut element) = match self {
                    Self::Image(_, image) => {
                        container.image.clone_from(image);
                        (set(path + "/image", Some(json!(image)), true), json!({"image": image}))
                    }
                    Self::Command(_, command) => {
                        let was_set =
                            std::mem::replace(&mut container.command, command.clone()).is_some();
                        let value = command.as_ref().map(|command| json!(command));
                        (set(path + "/command", value, was_set), json!({"command": command}))
                    }
                    Self::Privileged(_, value) => {
                        let was_set =
                            std::mem::replace(&mut container.privileged, *value).is_some();
                        let json = set(
                            path + "/securityContext/privileged",
                            value.map(Value::from),
                            was_set,
                        );
                        (json, json!({"securityContext": {"privileged": value}}))
                    }
                    Self::Variable(_, name, value) => {
                        let variable = json!({"name": name, "value": value});
                        let known = container.env.iter().position(|(known, _)| known == name);
                        let operation = if let Some(at) = known {
                            container.env[at].1.clone_from(value);
                            json!({"op": "replace", "path": format!("{path}/env/{at}"), "value": variable})
                        } else {
                            container.env.insert(0, (name.clone(), value.clone()));
                            json!({"op": "add", "path": format!("{path}/env/0"), "value": variable})
                        };
                        (json!([operation]), json!({"env": [variable]}))
                    }
                    Self::RemoveVariable(_, variable) => {
                        let at = at(*variable, container.env.len())?;
                        let (name, _) = container.env.remove(at);
                        let json = json!([{"op": "remove", "path": format!("{path}/env/{at}")}]);
                        (json, json!({"env": [{"name": name, "$patch": "delete"}]}))
                    }
                    _ => return None,
                };
                element["name"] = json!(container.name);
                (json, template(json!({"containers": [element]})))
            }
        })
    }
}

/// The merge patch from one value to another, as RFC 7386 describes its application.
fn merge_patch(before: &Map<String, Value>, after: &Map<String, Value>) -> Value {
    let mut patch = Map::new();
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    for (name, new) in after {
        match (before.get(name), new) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                patch.insert(name.clone(), merge_patch(old, new));
            }
            (old, new) if old != Some(new) => {
                patch.insert(name.clone(), new.clone());
            }
            _ => {}
        }
    }
    Value::Object(patch)
}

fn word() -> impl Strategy<Value = String> {
    "[a-z~/]{1,6}"
}

fn edit() -> impl Strategy<Value = Edit> {
    let element = 0..8_usize;
    let flag = || proptest::option::of(any::<bool>());
    prop_oneof![
        any::<u8>().prop_map(Edit::Replicas),
        flag().prop_map(Edit::HostPid),
        word().prop_map(Edit::AddVolume),
        element.clone().prop_map(Edit::RemoveVolume),
        word().prop_map(Edit::AddContainer),
        element.clone().prop_map(Edit::RemoveContainer),
        (element.clone(), word()).prop_map(|(at, image)| Edit::Image(at, image)),
        (element.clone(), proptest::option::of(proptest::collection::vec(word(), 0..3)))
            .prop_map(|(at, command)| Edit::Command(at, command)),
        (element.clone(), flag()).prop_map(|(at, value)| Edit::Privileged(at, value)),
        (element.clone(), "[A-C]", word())
            .prop_map(|(at, name, value)| Edit::Variable(at, name, value)),
        (element.clone(), element).prop_map(|(at, variable)| Edit::RemoveVariable(at, variable)),
    ]
}

fn model() -> impl Strategy<Value = Model> {
    let container =
        (word(), proptest::option::of(any::<bool>())).prop_map(|(image, privileged)| {
            ModelContainer { name: String::new(), image, command: None, privileged, env: vec![] }
        });
    let containers = proptest::collection::vec(container, 1..4);
    (any::<u8>(), containers).prop_map(|(replicas, mut containers)| {
        for (position, container) in containers.iter_mut().enumerate() {
            container.name = format!("c{position}");
        }
        Model { replicas, host_pid: None, volumes: vec![], containers }
    })
}

proptest! {
    #[test]
    fn every_kind_of_patch_produces_the_intended_version(
        mut model in model(),
        edits in proptest::collection::vec(edit(), 1..8),
    ) {
        let first = model.object();
        let mut by_patches = [first.clone(), first.clone(), first.clone()];
        for (number, edit) in edits.iter().enumerate() {
            let before = model.object();
            let Some((json, strategic)) = edit.make(&mut model, &format!("new{number}")) else { continue };
            let after = model.object();
            let merge = merge_patch(before.as_object().unwrap(), after.as_object().unwrap());
            let kinds = [PatchType::Json, PatchType::StrategicMerge, PatchType::Merge];
            for ((kind, patch), object) in kinds.into_iter().zip([json, strategic, merge]).zip(&mut by_patches) {
                kind.apply(object, &patch).unwrap();
                prop_assert_eq!(&*object, &after, "{:?} {}", kind, patch);
                if kind != PatchType::Merge {
                    prop_assert_eq!(PatchType::of(&patch, BUILT_IN), kind);
                }
            }
        }
        let rows = changes("apps", "deployments", &first, &model.object());
        for object in &by_patches {
            prop_assert_eq!(&changes("apps", "deployments", &first, object), &rows);
        }
    }

    #[test]
    fn no_patch_panics(object in json_value(), patch in json_value(), ops in proptest::collection::vec(operation(), 0..5)) {
        for kind in [PatchType::Json, PatchType::Merge, PatchType::StrategicMerge, PatchType::Apply] {
            for patch in [&patch, &json!(ops)] {
                let _ = kind.apply(&mut object.clone(), patch);
                let _ = PatchType::of(patch, BUILT_IN);
            }
        }
    }
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("containers".to_owned()),
        Just("name".to_owned()),
        Just("$patch".to_owned()),
        Just("$retainKeys".to_owned()),
        Just("$setElementOrder/containers".to_owned()),
        Just("$deleteFromPrimitiveList/finalizers".to_owned()),
        Just("finalizers".to_owned()),
        Just("0".to_owned()),
    ]
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(json!("delete")),
        Just(json!("replace")),
        Just(json!("a")),
        Just(json!(1)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::vec((name(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn operation() -> impl Strategy<Value = Value> {
    let path = || "(/(containers|name|0|-|1)){0,3}";
    let op = prop_oneof![Just("add"), Just("remove"), Just("replace"), Just("move"), Just("copy")];
    (op, path(), path(), json_value()).prop_map(
        |(op, path, from, value)| json!({"op": op, "path": path, "from": from, "value": value}),
    )
}
