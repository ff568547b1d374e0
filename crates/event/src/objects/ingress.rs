//! Ingresses that requests write.

use crate::column::Text;
use crate::json::value::Json;
use crate::objects::bodies::{Bodies, body_source};
use crate::objects::fields::each_text;
use crate::row;

row! {
    /// Ingress that a request writes (`networking.k8s.io`, before 1.22 also `extensions`).
    pub struct Ingress<'a> builds IngressBuilder {
        /// Body that the row shows: `response`, `request`, `patch` or `none`.
        pub body_source: Option<Text<'a>>,
        /// `spec.rules[].host`. A rule without a host applies to every host.
        pub hosts: Option<Vec<Text<'a>>>,
        /// `spec.tls[].hosts`.
        pub tls_hosts: Option<Vec<Text<'a>>>,
        /// Whether `spec.tls` has any entry. Null if the body does not show it.
        pub has_tls: Option<bool>,
        /// Backend Services of all paths, and the default backend.
        pub backend_services: Option<Vec<Text<'a>>>,
    }
}

/// Returns the Ingress that a request writes; `None` for a patch that leaves its spec unchanged.
pub(crate) fn ingress<'a>(bodies: &Bodies<'a, '_>) -> Option<Ingress<'a>> {
    if bodies.leaves_alone(&["spec"]) {
        return None;
    }
    let body = bodies.object("Ingress", &["spec"]);
    let mut row = Ingress { body_source: Some(body_source(body.as_ref())), ..Ingress::default() };
    let seen = body.and_then(|body| Some((body.json.get("spec")?, body.whole)));
    let Some((spec, whole)) = seen else { return Some(row) };
    row.hosts = each_text(spec, "rules", "host");
    row.tls_hosts = spec.get("tls").and_then(Json::elements).map(|entries| {
        entries.iter().flat_map(|entry| entry.texts("hosts").unwrap_or_default()).collect()
    });
    row.has_tls = match spec.member("tls") {
        Some(Json::Array(entries)) => Some(!entries.is_empty()),
        Some(Json::Null) => Some(false),
        Some(_) => None,
        None => whole.then_some(false),
    };
    row.backend_services = backend_services(spec);
    Some(row)
}

fn backend_services<'a>(spec: &Json<'a>) -> Option<Vec<Text<'a>>> {
    let paths = spec.list("rules").iter().filter_map(|rule| rule.at(&["http", "paths"]));
    let of_paths = paths.flat_map(|paths| paths.elements().unwrap_or_default());
    let backends = of_paths.filter_map(|path| path.get("backend"));
    // Until 1.18 the default backend was called `backend`, and a backend named its Service directly.
    let default = ["defaultBackend", "backend"].iter().filter_map(|key| spec.get(key));
    let names = backends.chain(default).filter_map(|backend| {
        let service = backend.get("service").and_then(|service| service.text("name"));
        service.or_else(|| backend.text("serviceName"))
    });
    let is_shown = ["rules", "defaultBackend", "backend"].iter().any(|key| spec.get(key).is_some());
    is_shown.then(|| names.collect())
}
