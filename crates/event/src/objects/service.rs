//! Services that requests write: what they expose, and where.

use crate::column::{Map, Text};
use crate::json::value::Json;
use crate::objects::bodies::{Bodies, body_source};
use crate::objects::fields::list_of;
use crate::row;

row! {
    /// Service that a request writes.
    pub struct Service<'a> builds ServiceBuilder {
        /// Body that the row shows: `response`, `request`, `patch` or `none`.
        pub body_source: Option<Text<'a>>,
        /// `spec.type`: `ClusterIP`, `NodePort`, `LoadBalancer` or `ExternalName`. Null if unset, which means
        /// `ClusterIP`.
        pub r#type: Option<Text<'a>>,
        /// `spec.clusterIP`.
        pub cluster_ip: Option<Text<'a>>,
        /// `spec.externalIPs`.
        pub external_ips: Option<Vec<Text<'a>>>,
        /// `spec.externalName`.
        pub external_name: Option<Text<'a>>,
        /// `spec.loadBalancerSourceRanges`. Null or empty for any source.
        pub load_balancer_source_ranges: Option<Vec<Text<'a>>>,
        /// `spec.ports`.
        pub ports: Option<Vec<ServicePort<'a>>>,
        /// `spec.selector`.
        pub selector: Option<Map<'a, Text<'a>>>,
    }
}

row! {
    /// Port of a Service.
    pub struct ServicePort<'a> builds ServicePortBuilder {
        /// `name`.
        pub name: Option<Text<'a>>,
        /// `port`.
        pub port: Option<i64>,
        /// `targetPort`: a number or the name of a container port.
        pub target_port: Option<Text<'a>>,
        /// `nodePort`: the port that is open on every node. Null if unset.
        pub node_port: Option<i64>,
        /// `protocol`.
        pub protocol: Option<Text<'a>>,
    }
}

/// Returns the Service that a request writes; `None` for a patch that leaves its spec unchanged.
pub(crate) fn service<'a>(bodies: &Bodies<'a, '_>) -> Option<Service<'a>> {
    if bodies.leaves_alone(&["spec"]) {
        return None;
    }
    let body = bodies.object("Service", &["spec"]);
    let mut row = Service { body_source: Some(body_source(body.as_ref())), ..Service::default() };
    let Some(spec) = body.and_then(|body| body.json.get("spec")) else { return Some(row) };
    row.r#type = spec.text("type");
    row.cluster_ip = spec.text("clusterIP");
    row.external_ips = spec.texts("externalIPs");
    row.external_name = spec.text("externalName");
    row.load_balancer_source_ranges = spec.texts("loadBalancerSourceRanges");
    row.selector = spec.text_map("selector");
    row.ports = list_of(spec, "ports", port);
    Some(row)
}

fn port<'a>(port: &Json<'a>) -> ServicePort<'a> {
    let target = port.get("targetPort");
    ServicePort {
        name: port.text("name"),
        port: port.int("port"),
        target_port: target.and_then(|target| match target {
            Json::Number(Some(number)) => Some(number.to_string().into()),
            other => other.as_text(),
        }),
        node_port: port.int("nodePort"),
        protocol: port.text("protocol"),
    }
}
