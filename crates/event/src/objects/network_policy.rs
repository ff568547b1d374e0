//! NetworkPolicies that requests write.

use crate::column::Text;
use crate::json::value::Json;
use crate::objects::bodies::{Bodies, body_source};
use crate::row;

row! {
    /// NetworkPolicy that a request writes (`networking.k8s.io`).
    pub struct NetworkPolicy<'a> builds NetworkPolicyBuilder {
        /// Body that the row shows: `response`, `request`, `patch` or `none`.
        pub body_source: Option<Text<'a>>,
        /// `spec.policyTypes`: `Ingress`, `Egress`.
        pub policy_types: Option<Vec<Text<'a>>>,
        /// Whether `spec.podSelector` selects every pod of the namespace. Null if the body does not show it.
        pub selects_all: Option<bool>,
        /// Whether a rule allows all traffic in its direction: every port, and every peer or every address. Null if the
        /// body does not show the rules.
        pub allows_all: Option<bool>,
    }
}

/// Returns the policy that a request writes; `None` for a patch that leaves its spec unchanged.
pub(crate) fn network_policy<'a>(bodies: &Bodies<'a, '_>) -> Option<NetworkPolicy<'a>> {
    if bodies.leaves_alone(&["spec"]) {
        return None;
    }
    let body = bodies.object("NetworkPolicy", &["spec"]);
    let mut row =
        NetworkPolicy { body_source: Some(body_source(body.as_ref())), ..NetworkPolicy::default() };
    let seen = body.and_then(|body| Some((body.json.get("spec")?, body.whole)));
    let Some((spec, whole)) = seen else { return Some(row) };
    row.policy_types = spec.texts("policyTypes");
    row.selects_all = match spec.member("podSelector") {
        Some(selector @ Json::Object(_)) => match is_empty_selector(selector) {
            // In a patch, an empty selector may be the remainder of a selector of which only parts change.
            true if !whole => None,
            is_empty => Some(is_empty),
        },
        Some(Json::Null) => Some(true),
        Some(_) => None,
        None => whole.then_some(true),
    };
    let rules = ["ingress", "egress"].map(|direction| spec.get(direction).and_then(Json::elements));
    let allows_all = rules.iter().flatten().any(|rules| rules.iter().any(is_open));
    let is_shown = whole || rules.iter().any(Option::is_some);
    row.allows_all = is_shown.then_some(allows_all);
    Some(row)
}

fn is_empty_selector(selector: &Json<'_>) -> bool {
    let has_labels =
        matches!(selector.get("matchLabels"), Some(Json::Object(labels)) if !labels.is_empty());
    !has_labels && selector.list("matchExpressions").is_empty()
}

/// Returns whether a rule allows all traffic.
fn is_open(rule: &Json<'_>) -> bool {
    let has_ports = !rule.list("ports").is_empty();
    let mut peers = rule.list("from").iter().chain(rule.list("to")).peekable();
    !has_ports && (peers.peek().is_none() || peers.any(is_every_address))
}

fn is_every_address(peer: &Json<'_>) -> bool {
    let Some(block) = peer.get("ipBlock") else { return false };
    matches!(block.text("cidr").as_deref(), Some("0.0.0.0/0" | "::/0"))
        && block.list("except").is_empty()
}
