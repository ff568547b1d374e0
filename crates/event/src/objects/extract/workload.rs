//! Workloads that requests write: their metadata, and the pod templates of their kind.

use std::collections::HashSet;

use super::container::{
    containers, containers_of, has_containers, host_process, image_container, profile,
    se_linux_options,
};
use super::volume::volume;
use crate::column::Text;
use crate::json::value::Json;
use crate::objects::bodies::{Bodies, Body};
use crate::objects::fields::{annotations, each_text, list_of, posture};
use crate::objects::kinds::{Template, WorkloadKind};
use crate::objects::pod_security;
use crate::objects::posture::Posture;
use crate::objects::workload::{
    ClaimTemplate, NameValue, NodeSelectorRequirement, Owner, Toleration, Workload,
};

/// Returns whether there is a pod template, or settings that apply to all pods of one.
pub(crate) fn has_template(kind: &WorkloadKind, json: &Json<'_>) -> bool {
    kind.templates.iter().any(|template| {
        let paths = template.defaults.iter().chain([&template.spec]);
        paths.into_iter().any(|path| !nodes(json, path).is_empty())
    })
}

/// Returns the workload of a kind with templates; `None` for a patch that leaves them unchanged.
pub(super) fn of_template<'a>(
    kind: &WorkloadKind,
    bodies: &Bodies<'a, '_>,
) -> Option<Workload<'a>> {
    let has_template = |json: &Json<'a>| has_template(kind, json);
    if let Some(patch) = bodies.patch()
        && !has_template(patch)
        // A value copied to the whole object may be anything.
        && !bodies.copies_all()
    {
        patch.get("spec")?;
        return Some(rows(kind, &Body { json: patch, source: "patch", whole: false }));
    }
    let Some(body) = bodies.best(has_template) else {
        return Some(Workload {
            kind: Some(kind.kind.into()),
            body_source: Some("none".into()),
            ..Workload::default()
        });
    };
    Some(rows(kind, &body))
}

/// Adds the posture of a workload that is written.
///
/// What a controller requests equals the template of the owner: there the request counts, and what is stored beyond it
/// was added by admission.
pub(crate) fn add_posture<'a>(
    workload: &mut Workload<'a>,
    kind: &WorkloadKind,
    bodies: &Bodies<'a, '_>,
    by_controller: bool,
) {
    let stored = Posture::of(workload);
    let request = bodies.request().filter(|_| {
        by_controller
            && bodies.patch().is_none()
            && workload.body_source.as_deref() == Some("response")
    });
    let requested = request
        .and_then(|json| Posture::of(&rows(kind, &Body { json, source: "request", whole: true })));
    let posture = requested.as_ref().or(stored.as_ref());
    workload.posture = posture.map(|posture| posture.digest().into());
    if let (Some(requested), Some(stored)) = (requested, stored) {
        workload.added_by_admission = Some(stored.beyond(&requested));
    }
}

/// Returns the workload written through `pods/ephemeralcontainers`: only the ephemeral containers are written.
pub(crate) fn ephemeral_containers<'a>(bodies: &Bodies<'a, '_>) -> Workload<'a> {
    const KEY: &str = "ephemeralContainers";
    fn holder<'b, 'a>(json: &'b Json<'a>) -> Option<&'b Json<'a>> {
        // Until 1.22 the body was a separate kind with the list at the top.
        let holders = [json.get("spec"), Some(json)];
        holders.into_iter().flatten().find(|spec| spec.get(KEY).is_some())
    }
    let mut workload = Workload { kind: Some("Pod".into()), ..Workload::default() };
    let Some(body) = bodies.best(|json| holder(json).is_some()) else {
        workload.body_source = Some("none".into());
        return workload;
    };
    workload.body_source = Some(body.source.into());
    workload.copied = bodies.copied();
    workload.containers =
        holder(body.json).map(|spec| containers_of(spec, KEY, "ephemeral", body.whole));
    // Settings of the pod itself are not written here, and not in the row.
    workload.pod_security_violations = Some(pod_security::violations(&workload, false));
    pod_security::conclude(&mut workload);
    workload
}

/// Returns all values at a path, where `*` steps into every element or member.
fn nodes<'b, 'a>(json: &'b Json<'a>, path: &[&str]) -> Vec<&'b Json<'a>> {
    let Some((first, rest)) = path.split_first() else { return vec![json] };
    match (*first, json) {
        ("*", Json::Array(elements)) => elements.iter().flat_map(|e| nodes(e, rest)).collect(),
        ("*", Json::Object(members)) => members.iter().flat_map(|(_, m)| nodes(m, rest)).collect(),
        (key, json) => json.get(key).map(|child| nodes(child, rest)).unwrap_or_default(),
    }
}

fn rows<'a>(kind: &WorkloadKind, body: &Body<'_, 'a>) -> Workload<'a> {
    let mut workload = template_rows(kind, body);
    workload.kind = Some(kind.kind.into());
    workload.body_source = Some(body.source.into());
    object_fields(&mut workload, body.json);
    pod_security::conclude(&mut workload);
    add_image_volumes(&mut workload);
    workload
}

/// Adds image volumes to the containers: they bring programs from the same registries.
///
/// They are added after the Pod Security checks, for which they are volumes. Container names never contain a slash.
pub(super) fn add_image_volumes(workload: &mut Workload<'_>) {
    let images: Vec<_> = workload.volumes.iter().flatten().filter_map(image_container).collect();
    if !images.is_empty() {
        workload.containers.get_or_insert_default().extend(images);
    }
}

/// Fills the columns besides the pod templates: metadata, replicas, schedule.
pub(super) fn object_fields<'a>(workload: &mut Workload<'a>, json: &Json<'a>) {
    if let Some(metadata) = json.get("metadata") {
        workload.generate_name = metadata.text("generateName");
        workload.owners = list_of(metadata, "ownerReferences", owner);
        workload.owner = workload.owners.as_deref().and_then(controlling);
        workload.labels = metadata.text_map("labels");
        workload.annotations = annotations(metadata);
        workload.field_managers = field_managers(metadata);
    }
    if let Some(spec) = json.get("spec") {
        let job = spec.at(&["jobTemplate", "spec"]).unwrap_or(spec);
        workload.replicas = spec.int("replicas");
        workload.parallelism = job.int("parallelism");
        workload.completions = job.int("completions");
        workload.schedule = spec.text("schedule");
        workload.time_zone = spec.text("timeZone");
        workload.suspend = spec.bool("suspend");
        workload.claim_templates = claim_templates(spec);
    }
}

/// Returns the claim templates of a StatefulSet, from which each pod gets its own claim.
fn claim_templates<'a>(spec: &Json<'a>) -> Option<Vec<ClaimTemplate<'a>>> {
    list_of(spec, "volumeClaimTemplates", |claim| ClaimTemplate {
        name: claim.get("metadata").and_then(|metadata| metadata.text("name")),
        storage_class: claim.get("spec").and_then(|spec| spec.text("storageClassName")),
        volume_name: claim.get("spec").and_then(|spec| spec.text("volumeName")),
    })
}

/// Returns the address of a node, by which it is recognized later.
pub(super) fn address(json: &Json<'_>) -> *const () {
    std::ptr::from_ref(json).cast()
}

/// Returns the addresses of the specs in the templates of a kind.
pub(super) fn known_specs(kind: &WorkloadKind, json: &Json<'_>) -> Vec<*const ()> {
    let paths = kind
        .templates
        .iter()
        .flat_map(|template| template.defaults.iter().copied().chain([template.spec]));
    paths.flat_map(|path| nodes(json, path)).map(address).collect()
}

/// Returns all pod templates merged into one. Most kinds have one.
fn template_rows<'a>(kind: &WorkloadKind, body: &Body<'_, 'a>) -> Workload<'a> {
    let mut rows: Option<Workload<'a>> = None;
    let mut add = |row: Workload<'a>| match &mut rows {
        Some(rows) => merge(rows, row),
        None => rows = Some(row),
    };
    for template in kind.templates {
        let metadata = nodes(body.json, template.metadata).first().copied();
        let defaults = defaults(template, body);
        for spec in nodes(body.json, template.spec) {
            let whole = body.whole && has_containers(spec);
            let mut row = template_row(spec, whole);
            row.pod_labels = metadata.and_then(|metadata| metadata.text_map("labels"));
            row.pod_annotations = metadata.and_then(annotations);
            let violations = match &defaults {
                None => pod_security::violations(&row, whole),
                Some(defaults) => {
                    let mut pod = row.clone();
                    merge(&mut pod, defaults.clone());
                    pod_security::violations(&pod, whole)
                }
            };
            row.pod_security_violations = Some(violations);
            add(row);
        }
        // Its lists would be repeated for each template.
        defaults.into_iter().for_each(&mut add);
    }
    rows.unwrap_or_default()
}

/// Returns the settings that all pods of a template also get.
fn defaults<'a>(template: &Template, body: &Body<'_, 'a>) -> Option<Workload<'a>> {
    let found = template.defaults.iter().flat_map(|path| nodes(body.json, path));
    found.map(|spec| template_row(spec, body.whole)).reduce(|mut first, next| {
        merge(&mut first, next);
        first
    })
}

fn owner<'a>(reference: &Json<'a>) -> Owner<'a> {
    Owner {
        kind: reference.text("kind"),
        name: reference.text("name"),
        uid: reference.text("uid"),
        controller: reference.bool("controller"),
    }
}

/// Returns the controlling owner, else the first one.
fn controlling<'a>(owners: &[Owner<'a>]) -> Option<Owner<'a>> {
    owners.iter().find(|owner| owner.controller == Some(true)).or(owners.first()).cloned()
}

fn field_managers<'a>(metadata: &Json<'a>) -> Option<Vec<Text<'a>>> {
    let managers = each_text(metadata, "managedFields", "manager")?;
    let mut seen = HashSet::new();
    Some(managers.into_iter().filter(|manager| seen.insert(manager.clone())).collect())
}

/// Returns the columns of one pod template.
pub(super) fn template_row<'a>(spec: &Json<'a>, whole: bool) -> Workload<'a> {
    let flag = |key| posture(Some(spec), key, whole);
    let dns = spec.get("dnsConfig");
    let mut row = Workload {
        host_pid: flag("hostPID"),
        host_ipc: flag("hostIPC"),
        host_network: flag("hostNetwork"),
        share_process_namespace: flag("shareProcessNamespace"),
        host_users: spec.bool("hostUsers"),
        os: spec.get("os").and_then(|os| os.text("name")),
        service_account_name: spec
            .text("serviceAccountName")
            .or_else(|| spec.text("serviceAccount")),
        automount_service_account_token: spec.bool("automountServiceAccountToken"),
        node_name: spec.text("nodeName"),
        node_selector: spec.text_map("nodeSelector"),
        node_affinity: required_affinity(spec),
        preferred_node_affinity: preferred_affinity(spec),
        tolerations: list_of(spec, "tolerations", |toleration| Toleration {
            key: toleration.text("key"),
            operator: toleration.text("operator"),
            value: toleration.text("value"),
            effect: toleration.text("effect"),
        }),
        priority_class_name: spec.text("priorityClassName"),
        runtime_class_name: spec.text("runtimeClassName"),
        scheduler_name: spec.text("schedulerName"),
        image_pull_secrets: each_text(spec, "imagePullSecrets", "name"),
        host_aliases: host_aliases(spec),
        dns_policy: spec.text("dnsPolicy"),
        dns_nameservers: dns.and_then(|dns| dns.texts("nameservers")),
        dns_searches: dns.and_then(|dns| dns.texts("searches")),
        dns_options: dns.and_then(|dns| list_of(dns, "options", name_value)),
        volumes: list_of(spec, "volumes", volume),
        containers: containers(spec, whole),
        ..Workload::default()
    };
    if let Some(context) = spec.get("securityContext") {
        pod_security_context(&mut row, context);
    }
    row
}

/// Merges another pod template: lists are concatenated; booleans are true if one of them is, and false if all are;
/// other values are those of the first template that sets them.
pub(super) fn merge<'a>(workload: &mut Workload<'a>, template: Workload<'a>) {
    fn any(into: &mut Option<bool>, from: Option<bool>) {
        *into = match (*into, from) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        };
    }
    fn first<T>(into: &mut Option<T>, from: Option<T>) {
        if into.is_none() {
            *into = from;
        }
    }
    any(&mut workload.host_pid, template.host_pid);
    any(&mut workload.host_ipc, template.host_ipc);
    any(&mut workload.host_network, template.host_network);
    any(&mut workload.share_process_namespace, template.share_process_namespace);
    any(&mut workload.host_process, template.host_process);
    first(&mut workload.pod_labels, template.pod_labels);
    first(&mut workload.pod_annotations, template.pod_annotations);
    first(&mut workload.host_users, template.host_users);
    first(&mut workload.os, template.os);
    first(&mut workload.service_account_name, template.service_account_name);
    first(&mut workload.automount_service_account_token, template.automount_service_account_token);
    first(&mut workload.node_name, template.node_name);
    first(&mut workload.node_selector, template.node_selector);
    first(&mut workload.priority_class_name, template.priority_class_name);
    first(&mut workload.runtime_class_name, template.runtime_class_name);
    first(&mut workload.scheduler_name, template.scheduler_name);
    first(&mut workload.run_as_user, template.run_as_user);
    first(&mut workload.run_as_group, template.run_as_group);
    first(&mut workload.run_as_non_root, template.run_as_non_root);
    first(&mut workload.fs_group, template.fs_group);
    first(&mut workload.seccomp_profile, template.seccomp_profile);
    first(&mut workload.seccomp_localhost_profile, template.seccomp_localhost_profile);
    first(&mut workload.app_armor_profile, template.app_armor_profile);
    first(&mut workload.app_armor_localhost_profile, template.app_armor_localhost_profile);
    first(&mut workload.se_linux_options, template.se_linux_options);
    first(&mut workload.dns_policy, template.dns_policy);
    join(&mut workload.node_affinity, template.node_affinity);
    join(&mut workload.preferred_node_affinity, template.preferred_node_affinity);
    join(&mut workload.tolerations, template.tolerations);
    join(&mut workload.supplemental_groups, template.supplemental_groups);
    join(&mut workload.sysctls, template.sysctls);
    join(&mut workload.image_pull_secrets, template.image_pull_secrets);
    join(&mut workload.host_aliases, template.host_aliases);
    join(&mut workload.dns_nameservers, template.dns_nameservers);
    join(&mut workload.dns_searches, template.dns_searches);
    join(&mut workload.dns_options, template.dns_options);
    join(&mut workload.volumes, template.volumes);
    join(&mut workload.claim_templates, template.claim_templates);
    join(&mut workload.containers, template.containers);
    join(&mut workload.pod_security_violations, template.pod_security_violations);
}

pub(super) fn join<T>(into: &mut Option<Vec<T>>, from: Option<Vec<T>>) {
    match (into.as_mut(), from) {
        (Some(into), Some(from)) => into.extend(from),
        (None, from) => *into = from,
        (Some(_), None) => {}
    }
}

const NODE_AFFINITY: [&str; 2] = ["affinity", "nodeAffinity"];

fn required_affinity<'a>(spec: &Json<'a>) -> Option<Vec<NodeSelectorRequirement<'a>>> {
    let required =
        spec.at(&NODE_AFFINITY)?.get("requiredDuringSchedulingIgnoredDuringExecution")?;
    Some(required.list("nodeSelectorTerms").iter().flat_map(requirements).collect())
}

fn preferred_affinity<'a>(spec: &Json<'a>) -> Option<Vec<NodeSelectorRequirement<'a>>> {
    let preferred =
        spec.at(&NODE_AFFINITY)?.get("preferredDuringSchedulingIgnoredDuringExecution")?;
    let terms = preferred.elements()?.iter().filter_map(|term| term.get("preference"));
    Some(terms.flat_map(requirements).collect())
}

/// Returns the requirements of one node selector term.
fn requirements<'b, 'a>(
    term: &'b Json<'a>,
) -> impl Iterator<Item = NodeSelectorRequirement<'a>> + use<'b, 'a> {
    let requirements = term.list("matchExpressions").iter().chain(term.list("matchFields"));
    requirements.map(|requirement| NodeSelectorRequirement {
        key: requirement.text("key"),
        operator: requirement.text("operator"),
        values: requirement.texts("values"),
    })
}

fn host_aliases<'a>(spec: &Json<'a>) -> Option<Vec<Text<'a>>> {
    list_of(spec, "hostAliases", |alias| {
        let mut line = alias.text("ip").unwrap_or_default().to_string();
        for name in alias.texts("hostnames").unwrap_or_default() {
            line.push(' ');
            line.push_str(&name);
        }
        Text::from(line)
    })
}

fn name_value<'a>(json: &Json<'a>) -> NameValue<'a> {
    NameValue { name: json.text("name"), value: json.text("value") }
}

fn pod_security_context<'a>(row: &mut Workload<'a>, context: &Json<'a>) {
    row.run_as_user = context.int("runAsUser");
    row.run_as_group = context.int("runAsGroup");
    row.run_as_non_root = context.bool("runAsNonRoot");
    row.fs_group = context.int("fsGroup");
    row.supplemental_groups = context
        .get("supplementalGroups")
        .and_then(Json::elements)
        .map(|groups| groups.iter().filter_map(Json::as_int).collect());
    row.sysctls = list_of(context, "sysctls", name_value);
    let context = Some(context);
    row.seccomp_profile = profile(context, "seccompProfile", "type");
    row.seccomp_localhost_profile = profile(context, "seccompProfile", "localhostProfile");
    row.app_armor_profile = profile(context, "appArmorProfile", "type");
    row.app_armor_localhost_profile = profile(context, "appArmorProfile", "localhostProfile");
    row.se_linux_options = context.and_then(se_linux_options);
    row.host_process = context.and_then(host_process);
}
