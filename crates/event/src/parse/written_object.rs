//! Fills the column for the object that a request writes, by its resource.

use crate::column::Text;
use crate::objects::bodies::Bodies;
use crate::objects::certificate_request::certificate_request;
use crate::objects::config_map::config_map;
use crate::objects::extract::{add_posture, embedded, ephemeral_containers, joined, workload};
use crate::objects::ingress::ingress;
use crate::objects::kinds::{is_searched, rbac_kind, webhook_kind, workload_kind};
use crate::objects::namespace;
use crate::objects::network_policy::network_policy;
use crate::objects::persistent_volume::{persistent_volume, volume_claim};
use crate::objects::rbac::rbac;
use crate::objects::secret::secret;
use crate::objects::service::service;
use crate::objects::token_request::token_request;
use crate::objects::webhook::webhooks;
use crate::tables::event::Event;

/// Which bodies show the object that the object reference names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// No body that was read.
    Nowhere,
    /// The response: the request is a part of it or another object.
    InResponse,
    /// Both bodies.
    InBoth,
}

/// Fills the column for the object of a create, update or patch. Bodies of resources without a column are not parsed.
pub(crate) fn write<'a>(event: &mut Event<'a>, bodies: &Bodies<'a, '_>) -> Shown {
    let group = event.api_group.clone().unwrap_or_default();
    let resource = event.resource.clone().unwrap_or_default();
    match event.subresource.clone().as_deref() {
        None => write_object(event, &group, &resource, bodies),
        Some(subresource) => write_part(event, &group, &resource, subresource, bodies),
    }
}

fn write_object<'a>(
    event: &mut Event<'a>,
    group: &str,
    resource: &str,
    bodies: &Bodies<'a, '_>,
) -> Shown {
    if let Some(kind) = workload_kind(group, resource) {
        let by_controller = event.identity_kind.as_deref() == Some("controller");
        event.workload = workload(&kind, bodies);
        if let Some(workload) = &mut event.workload {
            add_posture(workload, &kind, bodies, by_controller);
        }
        if is_searched(group, resource) {
            let (more, embedded) = embedded(Some(&kind), group, resource, bodies);
            event.workload = joined(event.workload.take(), more);
            event.embedded = embedded;
        }
        return Shown::InBoth;
    }
    if let Some(kind) = rbac_kind(group, resource) {
        event.rbac = rbac(kind, event.name.as_deref(), bodies);
        return Shown::InBoth;
    }
    if let Some(kind) = webhook_kind(group, resource) {
        event.webhooks = webhooks(kind, bodies);
        return Shown::InBoth;
    }
    match (group, resource) {
        ("", "services") => event.service = service(bodies),
        ("", "secrets") => event.secret = Some(secret(bodies)),
        ("", "configmaps") => {
            event.config_map = config_map(bodies);
            (event.workload, event.embedded) = embedded(None, group, resource, bodies);
        }
        ("", "persistentvolumeclaims") => event.volume_claim = volume_claim(bodies),
        ("", "namespaces") => event.namespace_labels = namespace::labels(bodies),
        ("", "persistentvolumes") => event.persistent_volume = persistent_volume(bodies),
        // The older form of `pods/binding`.
        ("", "bindings") => event.bound_node = bound_node(bodies),
        ("networking.k8s.io" | "extensions", "ingresses") => event.ingress = ingress(bodies),
        ("networking.k8s.io" | "extensions", "networkpolicies") => {
            event.network_policy = network_policy(bodies);
        }
        ("certificates.k8s.io", "certificatesigningrequests") => {
            event.certificate_request = certificate_request(bodies, false);
        }
        _ if is_searched(group, resource) => {
            let is_controller = event.identity_kind.as_deref() == Some("controller");
            // A version of a DaemonSet or StatefulSet that its controller keeps.
            if is_controller && (group, resource) == ("apps", "controllerrevisions") {
                return Shown::Nowhere;
            }
            (event.workload, event.embedded) = embedded(None, group, resource, bodies);
            if event.workload.is_none() && event.embedded.is_none() {
                return Shown::Nowhere;
            }
        }
        _ => return Shown::Nowhere,
    }
    Shown::InBoth
}

fn write_part<'a>(
    event: &mut Event<'a>,
    group: &str,
    resource: &str,
    subresource: &str,
    bodies: &Bodies<'a, '_>,
) -> Shown {
    match (group, resource, subresource) {
        ("", "pods", "ephemeralcontainers") => {
            event.workload = Some(ephemeral_containers(bodies));
            return Shown::InResponse;
        }
        ("", "serviceaccounts", "token") => event.token_request = Some(token_request(bodies)),
        ("", "pods", "binding") => event.bound_node = bound_node(bodies),
        ("certificates.k8s.io", "certificatesigningrequests", "approval") => {
            event.certificate_request = certificate_request(bodies, true);
        }
        (_, _, "scale") => event.scale_replicas = scale_replicas(bodies),
        _ => {}
    }
    Shown::Nowhere
}

/// Returns `target.name` of a `Binding`. The response is a `Status`.
fn bound_node<'a>(bodies: &Bodies<'a, '_>) -> Option<Text<'a>> {
    bodies.object("Binding", &["target"])?.json.get("target")?.text("name")
}

fn scale_replicas(bodies: &Bodies<'_, '_>) -> Option<i64> {
    bodies.object("Scale", &["spec"])?.json.get("spec")?.int("replicas")
}
