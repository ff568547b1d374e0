//! Attribution of workloads: from objects that controllers created to the identity that requested them.
//!
//! A control plane controller creates a ReplicaSet's pods from a template that a user wrote into a Deployment.
//! [`attribute`] climbs from every write to the object at the root of its owners, and returns the identity that last
//! wrote that object's spec.
//!
//! Owner references are set by clients and can be forged. So the climb ends at the first object whose spec a person has
//! written: a Job that names another user's CronJob as its owner belongs to its own writer.

use std::borrow::Cow;
use std::collections::HashMap;

/// Maximum number of owner levels; built-in kinds need two.
const MAX_DEPTH: usize = 6;

/// A write of a workload, or of a custom resource that may own one.
#[derive(Debug, Clone, Copy, Default)]
pub struct OwnedWrite<'a> {
    /// The namespace; `None` for cluster-scoped objects.
    pub namespace: Option<&'a str>,
    /// The plural resource, such as `deployments`.
    pub resource: &'a str,
    /// The kind, if it is known.
    pub kind: Option<&'a str>,
    /// The object's name; `None` if the log does not show it.
    pub name: Option<&'a str>,
    /// The object's uid.
    pub uid: Option<&'a str>,
    /// The owner named in the body.
    pub owner: Option<OwnerReference<'a>>,
    /// Whether the body shows the whole object, so that it has no owner if it names none.
    pub whole: bool,
    /// The verb.
    pub verb: &'a str,
    /// `identity_kind` of the writer.
    pub identity_kind: &'a str,
    /// The user name of the writer.
    pub username: &'a str,
    /// Whether the write was carried out; `None` if the log does not show it.
    pub stored: Option<bool>,
    /// Whether the spec was written, rather than only status, scale or metadata.
    pub writes_spec: bool,
}

/// An entry of `metadata.ownerReferences`.
#[derive(Debug, Clone, Copy)]
pub struct OwnerReference<'a> {
    /// The owner's kind.
    pub kind: &'a str,
    /// The owner's name.
    pub name: &'a str,
    /// The owner's uid.
    pub uid: Option<&'a str>,
}

/// The evidence for an author.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownBy {
    /// The writer of the request is the author.
    OwnRequest,
    /// Owner references lead to the object that the author wrote.
    OwnerChain,
    /// The bodies do not show the owners, but the names do: controllers name objects after their owner.
    TemplateHash,
    /// The author is unknown.
    Unknown,
}

impl KnownBy {
    /// Returns the name used in the column `author_known_by`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OwnRequest => "own request",
            Self::OwnerChain => "owner chain",
            Self::TemplateHash => "template hash",
            Self::Unknown => "unknown",
        }
    }
}

/// The author of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribution<'a> {
    /// The kind of the root object.
    pub root_kind: Option<&'a str>,
    /// The name of the root object.
    pub root_name: Option<&'a str>,
    /// The uid of the root object.
    pub root_uid: Option<&'a str>,
    /// Number of owner levels between the object and its root, the root included; 0 for the object itself.
    pub depth: usize,
    /// The write that identifies the author, as an index into the writes.
    pub author: Option<usize>,
    /// The evidence for the author.
    pub known_by: KnownBy,
}

/// Attributes each write of one cluster. Writes must be in chronological order.
pub fn attribute<'a>(writes: &[OwnedWrite<'a>]) -> Vec<Attribution<'a>> {
    let mut forest = Forest::default();
    let places: Vec<Place> = writes.iter().map(|write| forest.place(write)).collect();
    // Owner references can be resolved only after all objects are known.
    let places: Vec<Place> =
        writes.iter().zip(places).map(|(write, place)| forest.link(write, place)).collect();
    let attribute = |(index, (write, place)): (usize, (&OwnedWrite<'a>, Place))| {
        forest.record(index, write, place);
        forest.attribution(index, writes, place)
    };
    writes.iter().zip(places).enumerate().map(attribute).collect()
}

/// The known owner of an object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Owner {
    /// No body showed the owner.
    #[default]
    Unseen,
    /// The object has no owner.
    None,
    /// The owner is this object.
    Is(usize),
}

/// The place of a write in the forest.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// The object; `None` if its name is unknown.
    object: Option<usize>,
    owner: Owner,
}

type Key<'a> = (Option<&'a str>, Cow<'a, str>, &'a str);

/// An object, in its state at the time of the current write.
#[derive(Debug)]
struct Object<'a> {
    key: Key<'a>,
    kind: Option<&'a str>,
    uid: Option<&'a str>,
    /// Whether the log contains a write of it.
    written: bool,
    /// Whether an identity other than a controller created it.
    made_by_hand: bool,
    owner: Owner,
    /// The first owner in the log, for objects that existed before the log begins.
    first_owner: Owner,
    /// The last write of the spec by an identity other than a controller that was certainly carried out.
    author: Option<usize>,
    /// The last such write that was possibly carried out.
    possible_author: Option<usize>,
}

/// The objects of a cluster, each below its owner.
#[derive(Debug, Default)]
struct Forest<'a> {
    objects: Vec<Object<'a>>,
    /// At any time a namespace has at most one object of a resource and name.
    by_name: HashMap<Key<'a>, usize>,
    by_uid: HashMap<&'a str, usize>,
}

impl<'a> Forest<'a> {
    fn object(&mut self, key: Key<'a>) -> usize {
        if let Some(&object) = self.by_name.get(&key) {
            return object;
        }
        let object = self.objects.len();
        self.by_name.insert(key.clone(), object);
        self.objects.push(Object {
            key,
            kind: None,
            uid: None,
            written: false,
            made_by_hand: false,
            owner: Owner::Unseen,
            first_owner: Owner::Unseen,
            author: None,
            possible_author: None,
        });
        object
    }

    /// Finds or creates the object that is written.
    fn place(&mut self, write: &OwnedWrite<'a>) -> Place {
        let Some(name) = write.name else { return Place { object: None, owner: Owner::Unseen } };
        let index = self.object((write.namespace, Cow::Borrowed(write.resource), name));
        let object = &mut self.objects[index];
        object.kind = object.kind.or(write.kind);
        if write.stored != Some(false) {
            object.written = true;
            if let Some(uid) = write.uid {
                self.by_uid.insert(uid, index);
            }
        }
        Place { object: Some(index), owner: Owner::Unseen }
    }

    /// Resolves the named owner.
    fn link(&mut self, write: &OwnedWrite<'a>, place: Place) -> Place {
        let owner = match write.owner {
            Some(reference) => Owner::Is(self.referenced(write.namespace, reference)),
            None if write.whole => Owner::None,
            None => Owner::Unseen,
        };
        if let (Some(object), Owner::Is(_)) = (place.object, owner) {
            let first = &mut self.objects[object].first_owner;
            if *first == Owner::Unseen && write.stored != Some(false) {
                *first = owner;
            }
        }
        Place { owner, ..place }
    }

    fn referenced(&mut self, namespace: Option<&'a str>, reference: OwnerReference<'a>) -> usize {
        if let Some(&object) = reference.uid.and_then(|uid| self.by_uid.get(uid)) {
            let kind = &mut self.objects[object].kind;
            *kind = kind.or(Some(reference.kind));
            return object;
        }
        let resource = plural(reference.kind);
        // Owners are in the same namespace or are cluster-scoped.
        let in_none = (None, Cow::Owned(resource.clone()), reference.name);
        let in_same = (namespace, Cow::Owned(resource), reference.name);
        let object = match (self.by_name.get(&in_same), self.by_name.get(&in_none)) {
            (None, Some(&object)) => object,
            _ => self.object(in_same),
        };
        let owner = &mut self.objects[object];
        owner.kind = owner.kind.or(Some(reference.kind));
        owner.uid = owner.uid.or(reference.uid);
        object
    }

    /// Applies a write to the state of its object.
    fn record(&mut self, index: usize, write: &OwnedWrite<'a>, place: Place) {
        let Some(object) = place.object else { return };
        let object = &mut self.objects[object];
        if write.stored == Some(false) {
            return;
        }
        let by_controller = write.identity_kind == "controller";
        if write.verb == "create" && write.stored == Some(true) {
            object.made_by_hand = !by_controller;
            object.owner = Owner::Unseen;
            object.author = None;
            object.possible_author = None;
        }
        object.uid = write.uid.or(object.uid);
        if place.owner != Owner::Unseen {
            object.owner = place.owner;
        }
        if write.writes_spec && !by_controller {
            let author = match write.stored {
                Some(_) => &mut object.author,
                None => &mut object.possible_author,
            };
            *author = Some(index);
        }
    }

    /// Climbs to the root of a write.
    fn attribution(
        &mut self,
        index: usize,
        writes: &[OwnedWrite<'a>],
        place: Place,
    ) -> Attribution<'a> {
        let write = &writes[index];
        let own = write.identity_kind != "controller";
        let mut climb = self.climb(writes, write, place);
        if own {
            climb.author = Some(index);
            climb.known_by = KnownBy::OwnRequest;
        } else if climb.author.is_some() {
            climb.known_by =
                if climb.inferred { KnownBy::TemplateHash } else { KnownBy::OwnerChain };
        } else if climb.ownerless && climb.depth == 0 {
            climb.author = Some(index);
            climb.known_by = KnownBy::OwnRequest;
        }
        let root = climb.root.map(|root| &self.objects[root]);
        Attribution {
            root_kind: root.map_or(write.kind.filter(|_| own), |root| root.kind),
            root_name: root.map(|root| root.key.2),
            root_uid: root.and_then(|root| root.uid),
            depth: climb.depth,
            author: climb.author,
            known_by: climb.known_by,
        }
    }

    fn climb(&mut self, writes: &[OwnedWrite<'a>], write: &OwnedWrite<'a>, place: Place) -> Climb {
        let mut climb = Climb::default();
        let mut path = Vec::with_capacity(MAX_DEPTH + 1);
        let mut next = match (place.object, place.owner) {
            (Some(object), _) => Some(object),
            (None, Owner::Is(owner)) => {
                climb.depth = 1;
                Some(owner)
            }
            (None, owner) => {
                climb.ownerless = owner == Owner::None;
                None
            }
        };
        while let Some(current) = next {
            climb.root = Some(current);
            path.push(current);
            let (owner, inferred) = match self.objects[current].owner_at_the_time() {
                // The write's own body is the best evidence, even if the write was denied.
                _ if climb.depth == 0 && place.owner != Owner::Unseen => (place.owner, false),
                Owner::Unseen => (self.inferred_owner(current, write.username), true),
                owner => (owner, false),
            };
            climb.ownerless = owner == Owner::None;
            let object = &self.objects[current];
            if let Some(author) = object.author.or(object.possible_author) {
                climb.author = Some(author);
                // An operator writes what the custom resource that owns the object specifies.
                let operated = writes[author].identity_kind == "service_account"
                    && matches!(owner, Owner::Is(owner) if self.objects[owner].is_custom());
                if !operated {
                    break;
                }
            }
            let Owner::Is(owner) = owner else { break };
            if climb.depth == MAX_DEPTH || path.contains(&owner) {
                break;
            }
            climb.depth += 1;
            climb.inferred |= inferred;
            next = Some(owner);
        }
        climb
    }

    /// Returns the owner after which controllers named an object, if the log contains a write of that owner.
    fn inferred_owner(&mut self, object: usize, writer: &str) -> Owner {
        let Object { key: (namespace, resource, name), made_by_hand: false, .. } =
            &self.objects[object]
        else {
            return Owner::Unseen;
        };
        let (namespace, resource, name) = (*namespace, resource.clone(), *name);
        let makers = CONTROLLERS.iter().filter(|controller| controller.makes == resource);
        let by = makers.clone().find(|controller| writer.ends_with(controller.account));
        for controller in makers {
            if by.is_some_and(|by| by.account != controller.account) {
                continue;
            }
            let Some(owner_name) = controller.suffix.strip(name) else { continue };
            let key = (namespace, Cow::Borrowed(controller.owner), owner_name);
            // A ReplicaSet may predate the log; then its Deployment counts.
            let in_log = self.is_written(&key)
                || controller.owner == "replicasets"
                    && Suffix::Hash.strip(owner_name).is_some_and(|deployment| {
                        self.is_written(&(namespace, "deployments".into(), deployment))
                    });
            if in_log {
                let owner = self.object(key);
                let kind = &mut self.objects[owner].kind;
                *kind = kind.or(Some(controller.owner_kind));
                return Owner::Is(owner);
            }
        }
        Owner::Unseen
    }

    fn is_written(&self, key: &Key<'a>) -> bool {
        self.by_name.get(key).is_some_and(|&object| self.objects[object].written)
    }
}

impl Object<'_> {
    fn owner_at_the_time(&self) -> Owner {
        if self.owner == Owner::Unseen && !self.made_by_hand {
            self.first_owner
        } else {
            self.owner
        }
    }

    /// Returns whether the object is of a kind without a controller in the control plane.
    fn is_custom(&self) -> bool {
        const BUILT_IN: [&str; 8] = [
            "cronjobs",
            "daemonsets",
            "deployments",
            "jobs",
            "nodes",
            "replicasets",
            "replicationcontrollers",
            "statefulsets",
        ];
        !BUILT_IN.contains(&&*self.key.1)
    }
}

/// The path from a write to its root.
#[derive(Debug)]
struct Climb {
    root: Option<usize>,
    depth: usize,
    author: Option<usize>,
    known_by: KnownBy,
    /// Whether a step was inferred from names alone.
    inferred: bool,
    /// Whether the root certainly has no owner.
    ownerless: bool,
}

impl Default for Climb {
    fn default() -> Self {
        Self {
            root: None,
            depth: 0,
            author: None,
            known_by: KnownBy::Unknown,
            inferred: false,
            ownerless: false,
        }
    }
}

/// The naming scheme of a controller.
struct Controller {
    /// The suffix of its user name.
    account: &'static str,
    owner: &'static str,
    owner_kind: &'static str,
    makes: &'static str,
    suffix: Suffix,
}

const fn controller(
    account: &'static str,
    (owner, owner_kind): (&'static str, &'static str),
    makes: &'static str,
    suffix: Suffix,
) -> Controller {
    Controller { account, owner, owner_kind, makes, suffix }
}

/// The controllers of kube-controller-manager that create workloads (kubernetes/kubernetes `pkg/controller`).
const CONTROLLERS: [Controller; 7] = [
    controller(
        ":deployment-controller",
        ("deployments", "Deployment"),
        "replicasets",
        Suffix::Hash,
    ),
    controller(":cronjob-controller", ("cronjobs", "CronJob"), "jobs", Suffix::Number),
    controller(":replicaset-controller", ("replicasets", "ReplicaSet"), "pods", Suffix::Random),
    controller(":daemon-set-controller", ("daemonsets", "DaemonSet"), "pods", Suffix::Random),
    controller(":job-controller", ("jobs", "Job"), "pods", Suffix::Random),
    controller(
        ":replication-controller",
        ("replicationcontrollers", "ReplicationController"),
        "pods",
        Suffix::Random,
    ),
    controller(":statefulset-controller", ("statefulsets", "StatefulSet"), "pods", Suffix::Number),
];

/// What follows the owner's name and a hyphen.
#[derive(Clone, Copy)]
enum Suffix {
    /// The hash of the pod template, up to ten letters and digits.
    Hash,
    /// The five random characters of `generateName`.
    Random,
    /// An ordinal, or the time of a run.
    Number,
}

impl Suffix {
    fn strip(self, name: &str) -> Option<&str> {
        // No vowels, and no digits that resemble them: `k8s.io/apimachinery/pkg/util/rand`.
        let random = |suffix: &str| {
            suffix.bytes().all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte))
        };
        let (owner, suffix) = name.rsplit_once('-')?;
        let fits = match self {
            Self::Hash => (1..=10).contains(&suffix.len()) && random(suffix),
            Self::Random => suffix.len() == 5 && random(suffix),
            Self::Number => !suffix.is_empty() && suffix.bytes().all(|byte| byte.is_ascii_digit()),
        };
        fits.then_some(owner)
    }
}

/// Returns the resource of a kind, as Kubernetes guesses it (`meta.UnsafeGuessKindToResource`).
fn plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    if let Some(stem) = kind.strip_suffix('y') {
        return format!("{stem}ies");
    }
    if kind.ends_with('s') { kind + "es" } else { kind + "s" }
}
