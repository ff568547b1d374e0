//! Labels, tags, fields and metadata that shippers and stores add to the event.
//!
//! They fill the column `envelope`, by path, and the columns `cluster`, `provider` and `node`. A member names the
//! cluster if the words of its path say so: `cluster`, `cluster_name`, `k8s.cluster.name`, `kubernetes_cluster`,
//! `clusterName`, `labels.cluster`. A path with a word that belongs neither to Kubernetes nor to a shipper, such as
//! `elasticsearch.cluster.name`, names the cluster of another system. Names take precedence over IDs.

use std::borrow::Cow;
use std::sync::Arc;

use podtrail_event::{EVENT_MEMBERS, bounded_name};
use serde_json::value::RawValue;

use crate::envelope::event_text::mentions_events;
use crate::json::{self, Object, ObjectWriter};

/// Maximum entries kept of one envelope, and of all envelopes around an event.
const MAX_ENTRIES: usize = 128;
/// Maximum length of a value in bytes; of a longer value, the beginning and a digest are kept.
const LONGEST_VALUE: usize = 2 * 1024;
const LONGEST_PATH: usize = 256;
/// Maximum bytes kept of all envelopes around an event.
const MAX_BYTES: usize = 16 * 1024;
/// Bytes that every event may keep, even if it is short.
const LEAST_BYTES: usize = 2 * 1024;
/// Maximum depth of nested objects that are read.
const MAX_LEVELS: usize = 6;

/// The labels of all envelopes around an event, the innermost first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Labels {
    own: Vec<(String, String)>,
    source: Source,
    outer: Option<Arc<Labels>>,
}

/// The origin of an event, from labels.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Source {
    /// The name of the cluster.
    pub(super) cluster: Option<String>,
    /// An ID of the cluster.
    pub(super) cluster_id: Option<String>,
    pub(super) provider: Option<&'static str>,
    /// The log stream of the API server.
    pub(super) stream: Option<String>,
    /// Another control plane component that wrote the log.
    pub(super) component: Option<&'static str>,
}

impl Labels {
    /// Collects the labels from the members of an envelope beside the event.
    pub(super) fn of_object(object: &Object<'_>) -> Self {
        let mut own = Vec::new();
        collect(object, "", MAX_LEVELS, &mut own);
        Self::of_bounded(own)
    }

    /// Creates labels from pairs of path and value.
    pub(super) fn new<'v>(labels: impl IntoIterator<Item = (String, Cow<'v, str>)>) -> Self {
        let mut own = Vec::new();
        for (path, value) in labels {
            push(path, &value, &mut own);
        }
        Self::of_bounded(own)
    }

    fn of_bounded(own: Vec<(String, String)>) -> Self {
        Self { source: Source::of(&own), own, outer: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.own.is_empty()
    }

    /// Returns these labels inside the labels of an outer envelope.
    pub(super) fn inside(mut self, outer: Option<&Arc<Self>>) -> Self {
        self.outer = outer.cloned();
        self
    }

    fn layers(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |labels| labels.outer.as_deref())
    }

    /// Returns the value at a path, from the innermost envelope that has it.
    pub(crate) fn get(&self, path: &str) -> Option<&str> {
        let mut entries = self.layers().flat_map(|labels| &labels.own);
        entries.find(|(name, _)| name == path).map(|(_, value)| value.as_str())
    }

    /// Returns the name of the cluster from the innermost envelope that has one, else an ID.
    pub(crate) fn cluster(&self) -> Option<&str> {
        let name = self.layers().find_map(|labels| labels.source.cluster.as_deref());
        name.or_else(|| self.layers().find_map(|labels| labels.source.cluster_id.as_deref()))
    }

    pub(crate) fn provider(&self) -> Option<&'static str> {
        self.layers().find_map(|labels| labels.source.provider)
    }

    pub(crate) fn stream(&self) -> Option<&str> {
        self.layers().find_map(|labels| labels.source.stream.as_deref())
    }

    /// Returns the control plane component that wrote this log, if it is not the API server.
    pub(super) fn component(&self) -> Option<&'static str> {
        self.layers().find_map(|labels| labels.source.component)
    }

    /// Returns the entries to store with an event of this length, by path.
    pub(crate) fn entries(&self, event_length: usize) -> Vec<(&str, Cow<'_, str>)> {
        let mut left = event_length.clamp(LEAST_BYTES, MAX_BYTES);
        let mut entries: Vec<(&str, Cow<'_, str>)> = Vec::new();
        for (path, value) in self.layers().flat_map(|labels| &labels.own) {
            let length = path.len() + value.len();
            if entries.len() == MAX_ENTRIES {
                break;
            }
            if length <= left && entries.iter().all(|(name, _)| name != path) {
                left -= length;
                entries.push((path, value.as_str().into()));
            }
        }
        entries
    }

    /// Returns the labels that distinguish clusters, the outer ones last.
    pub(crate) fn identities(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = self.layers().flat_map(|labels| &labels.own);
        entries.filter(|(path, _)| identifies(path)).map(|(path, value)| (&**path, &**value))
    }

    /// Returns the labels that may distinguish clusters where none certainly does.
    pub(crate) fn hints(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = self.layers().flat_map(|labels| &labels.own);
        entries.filter(|(path, _)| hints(path)).map(|(path, value)| (&**path, &**value))
    }

    /// Returns all entries as one JSON object.
    pub(crate) fn to_json(entries: &[(&str, Cow<'_, str>)]) -> String {
        let mut object = ObjectWriter::default();
        for (path, value) in entries {
            object.text(path, value);
        }
        object.finish()
    }
}

/// Collects the members of an object that are not members of an event.
fn collect(object: &Object<'_>, prefix: &str, levels: usize, own: &mut Vec<(String, String)>) {
    let is_event = object.iter().any(|(key, _)| is_audit_id(key));
    let is_list = object.get("items").is_some();
    for (key, value) in object.iter() {
        if own.len() >= MAX_ENTRIES {
            return;
        }
        if is_list && matches!(key, "kind" | "apiVersion" | "items") {
            continue;
        }
        let is_member = is_event && EVENT_MEMBERS.iter().any(|member| is_spelling(key, member));
        if is_member || is_of_event(key) || prefix.len() + key.len() > LONGEST_PATH {
            continue;
        }
        let path = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
        add(&path, value, levels, own);
    }
}

fn add(path: &str, value: &RawValue, levels: usize, own: &mut Vec<(String, String)>) {
    match value.get().as_bytes().first() {
        Some(b'{') if levels > 0 => {
            if let Some(object) = json::object(value) {
                collect(&object, path, levels - 1, own);
            }
        }
        Some(b'[') if levels > 0 && value.get().len() <= MAX_BYTES => {
            add_list(path, value, levels, own);
        }
        Some(b'"') => {
            if mentions_events(value.get().as_bytes()) {
                return;
            }
            let Some(text) = json::text(value).filter(|text| !text.is_empty()) else { return };
            // `ddtags` of Datadog.
            if text.contains(':') && text.contains(',') && path.ends_with("tags") {
                text.split(',').for_each(|tag| add_tag(path, tag, own));
            }
            push(path.to_owned(), &text, own);
        }
        Some(b'{' | b'[' | b'n') | None => {}
        Some(_) => push(path.to_owned(), value.get(), own),
    }
}

/// Adds a list: attributes with a key and a value each, or plain values.
fn add_list(path: &str, value: &RawValue, levels: usize, own: &mut Vec<(String, String)>) {
    if mentions_events(value.get().as_bytes()) {
        return;
    }
    let Some(elements) = json::list(value) else { return };
    if elements.first().is_some_and(|first| first.get().starts_with('{')) {
        for element in elements {
            let Some(pair) = json::object(element) else { continue };
            let name =
                pair.text("key").or_else(|| pair.text("field")).or_else(|| pair.text("name"));
            if let (Some(name), Some(value)) = (name, pair.get("value"))
                && !is_of_event(&name)
                && own.len() < MAX_ENTRIES
                && path.len() + name.len() < LONGEST_PATH
            {
                add(&format!("{path}.{name}"), any_value(value), levels - 1, own);
            }
        }
        return;
    }
    if elements.is_empty() {
        return;
    }
    for tag in elements.iter().filter_map(|element| json::text(element)) {
        add_tag(path, &tag, own);
    }
    push(path.to_owned(), value.get(), own);
}

/// Returns the value of an OpenTelemetry `AnyValue`, or the value itself.
pub(super) fn any_value(value: &RawValue) -> &RawValue {
    const KINDS: &[&str] = &["stringValue", "intValue", "boolValue", "doubleValue"];
    let inner = || {
        let object = json::object(value)?;
        KINDS.iter().find_map(|kind| object.get(kind))
    };
    inner().unwrap_or(value)
}

/// Adds a tag of the form `name:value` or `name=value`.
fn add_tag(path: &str, tag: &str, own: &mut Vec<(String, String)>) {
    let Some((name, value)) = tag.trim().split_once([':', '=']) else { return };
    let is_name = |letter: char| letter.is_alphanumeric() || "_-./".contains(letter);
    if !name.is_empty() && name.len() < 64 && name.chars().all(is_name) {
        push(format!("{path}.{name}"), value, own);
    }
}

fn push(path: String, value: &str, own: &mut Vec<(String, String)>) {
    if own.len() >= MAX_ENTRIES || value.is_empty() {
        return;
    }
    own.push((path, bounded_name(value, LONGEST_VALUE).into_owned()));
}

/// Returns whether a key matches a name, ignoring case and word separators.
pub(super) fn is_spelling(key: &str, name: &str) -> bool {
    let mut plain =
        key.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase());
    let mut wanted = name.bytes().map(|byte| byte.to_ascii_lowercase());
    loop {
        match (plain.next(), wanted.next()) {
            (None, None) => return true,
            (a, b) if a == b => {}
            _ => return false,
        }
    }
}

pub(super) fn is_audit_id(key: &str) -> bool {
    is_spelling(key, "auditID")
}

/// Returns whether a member belongs to an event, or to a copy of it that a store has decoded.
fn is_of_event(key: &str) -> bool {
    const BEGINNINGS: &[&str] = &[
        "auditid",
        "impersonateduser",
        "objectref",
        "requestobject",
        "requesturi",
        "responseobject",
        "responsestatus",
        "sourceips",
        "protopayload",
    ];
    let last = key.strip_prefix("kubernetes.audit.").map_or(key, |_| "auditid");
    let plain: String = last
        .bytes()
        .filter(u8::is_ascii_alphanumeric)
        .take(16)
        .map(|byte| char::from(byte.to_ascii_lowercase()))
        .collect();
    BEGINNINGS.iter().any(|name| plain.starts_with(name))
}

/// Splits a path into words in lower case: `k8sClusterName` has three.
fn words(path: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut was_small = false;
    let mut is_open = false;
    for letter in path.chars() {
        if !letter.is_alphanumeric() {
            is_open = false;
            continue;
        }
        if !is_open || letter.is_uppercase() && was_small {
            words.push(String::new());
        }
        is_open = true;
        was_small = letter.is_lowercase() || letter.is_numeric();
        if let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
    }
    // Words that are written as one.
    words
        .into_iter()
        .flat_map(|word| match word.split_once("cluster") {
            Some((before, after)) => {
                vec![before.to_owned(), "cluster".to_owned(), after.to_owned()]
            }
            None => vec![word],
        })
        .filter(|word| !word.is_empty())
        .collect()
}

/// Returns whether a list separated by blanks contains a word.
fn is_one_of(word: &str, list: &str) -> bool {
    list.split(' ').any(|other| other == word)
}

/// Words that may precede `cluster`: those of Kubernetes, of shippers, and generic ones.
const BEFORE_CLUSTER: &str = "\
    agent aks app attribute attributes audit aws azure cloud cluster common container \
    context custom data dd ddtags eks env environment event extra field fields gcp gke \
    global host input io json k3s k8s kube kubernetes kv label labels log logs meta metadata \
    my node ocp okd openshift orchestrator origin platform properties rancher record \
    resource resources result results rke rke2 rosa aro scope site source src stream \
    structured tag tags tanzu target workload msg message doks oke ack iks talos managed \
    member";

/// Returns how a path names a Kubernetes cluster: by name or by ID.
fn cluster_path(path: &str) -> Option<Naming> {
    if !path.as_bytes().windows(7).any(|part| part.eq_ignore_ascii_case(b"cluster")) {
        return None;
    }
    let words = words(path);
    let at = words.iter().rposition(|word| word == "cluster")?;
    if !words[..at].iter().all(|word| is_one_of(word, BEFORE_CLUSTER)) {
        return None;
    }
    let after: Vec<&str> = words[at + 1..].iter().map(String::as_str).collect();
    let is_id = match after.as_slice() {
        [] | ["name" | "alias" | "label" | "display" | "arn"] | ["display", "name"] => false,
        ["id" | "uid" | "uuid" | "guid"] => true,
        _ => return None,
    };
    Some(Naming { is_id, words: words.len() })
}

/// How a path names a cluster; the smaller value takes precedence.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Naming {
    is_id: bool,
    words: usize,
}

/// Returns whether different values at a path certainly belong to different clusters.
fn identifies(path: &str) -> bool {
    cluster_path(path).is_some()
        || matches!(
            path,
            "owner"
                | "logGroup"
                | "resourceId"
                | "_ResourceId"
                | "cloud.account.id"
                | "cloud.region"
                | "cloud.project.id"
                | "resource.labels.project_id"
                | "resource.labels.location"
        )
        || path.ends_with("log_group")
}

/// Returns whether different values at a path may belong to different clusters.
fn hints(path: &str) -> bool {
    const WORDS: &str = "\
        account cluster customer datacenter dc env environment farm index landscape project \
        realm region site subscription tenant";
    words(path).iter().any(|word| is_one_of(word, WORDS))
}

/// EKS log streams without audit events; the suffix with the host number is omitted.
const STREAMS: &[&str] = &[
    "kube-apiserver",
    "authenticator",
    "kube-controller-manager",
    "kube-scheduler",
    "cloud-controller-manager",
];
const AUDIT_STREAM: &str = "kube-apiserver-audit-";

/// Control plane components whose logs contain no audit events.
const COMPONENTS: &[&str] = &[
    "authenticator",
    "aws-iam-authenticator",
    "cloud-controller-manager",
    "cluster-autoscaler",
    "etcd",
    "guard",
    "kcm",
    "kube-controller-manager",
    "kube-scheduler",
    "scheduler",
];

impl Source {
    fn of(labels: &[(String, String)]) -> Self {
        let mut source = Self::default();
        let mut best: [Option<Naming>; 2] = [None, None];
        let mut group = None;
        for (path, value) in labels {
            if let Some(naming) = cluster_path(path)
                && !matches!(&**value, "true" | "false" | "-" | "null" | "none" | "unknown")
                && !value.starts_with(['[', '{'])
            {
                let is_id = usize::from(naming.is_id);
                if best[is_id].as_ref().is_none_or(|before| naming < *before) {
                    let name = name_of_arn(value).unwrap_or(value).to_owned();
                    let place =
                        if naming.is_id { &mut source.cluster_id } else { &mut source.cluster };
                    (*place, best[is_id]) = (Some(name), Some(naming));
                }
                if path.contains("openshift") {
                    source.provider = source.provider.or(Some("openshift"));
                }
            }
            if let Some(name) = cluster_of_group(value).filter(|_| !is_of_client(path)) {
                group = group.or(Some(name));
            }
            if let Some(name) = cluster_of_resource_id(value).filter(|_| !is_of_client(path)) {
                source.cluster.get_or_insert(name);
                source.provider = Some("aks");
            }
            match stream_of(value).filter(|_| !is_of_client(path)) {
                Some((stream, true)) => source.stream = Some(stream.to_owned()),
                Some((_, false)) => source.component = Some("log streams of EKS"),
                None => {}
            }
            if COMPONENTS.contains(&&**value) && names_component(path) {
                source.component = Some("other components of a control plane");
            }
        }
        if source.stream.is_some() || group.is_some() {
            source.provider = Some("eks");
        }
        source.cluster = source.cluster.or(group.map(str::to_owned));
        source
    }
}

/// Returns whether a path is a member of the event that a store flattened, such as `user.username`. The client chooses its
/// value, which therefore does not name a cluster.
fn is_of_client(path: &str) -> bool {
    const WORDS: [&str; 4] = ["annotations", "groups", "user", "username"];
    words(path).iter().any(|word| WORDS.contains(&word.as_str()))
}

fn names_component(path: &str) -> bool {
    const LAST: &str = "app category component container name process program service source type";
    words(path).last().is_some_and(|word| is_one_of(word, LAST))
}

/// Returns the name in `arn:aws:eks:<region>:<account>:cluster/<name>`.
fn name_of_arn(value: &str) -> Option<&str> {
    let rest = value.strip_prefix("arn:")?;
    rest.contains(":eks:").then(|| rest.rsplit_once(":cluster/"))?.map(|(_, name)| name)
}

/// Returns the cluster of an EKS log group, which may be part of a path, an ARN or the name of a source.
pub(super) fn cluster_of_group(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("/aws/eks/")?;
    let (name, after) = rest.split_once("/cluster")?;
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    let is_end = after.is_empty() || after.starts_with(['/', ':', ' ', ',']);
    (is_end && !name.is_empty() && name.chars().all(is_name)).then_some(name)
}

/// Returns the cluster in the resource ID of an AKS cluster, in lower case.
fn cluster_of_resource_id(text: &str) -> Option<String> {
    const START: &str = "/subscriptions/";
    text.get(..START.len()).filter(|start| start.eq_ignore_ascii_case(START))?;
    let small = text.to_ascii_lowercase();
    let rest = small.strip_prefix(START)?;
    let (_, name) = rest.split_once("/managedclusters/")?;
    let name = name.split('/').next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// Returns the EKS log stream that a text names, alone or after a `/` or `:`, and whether it contains audit events.
fn stream_of(text: &str) -> Option<(&str, bool)> {
    const DIGITS: usize = 32;
    let name = text.rsplit(['/', ':']).next()?;
    let (component, digits) = name.rsplit_once('-')?;
    if digits.len() != DIGITS || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    if name.starts_with(AUDIT_STREAM) {
        return Some((name, true));
    }
    STREAMS.contains(&component).then_some((name, false))
}
