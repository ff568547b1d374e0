//! Admission webhooks that requests configure: services that see every later write and may change or deny it.

use crate::column::Text;
use crate::json::value::Json;
use crate::objects::bodies::Bodies;
use crate::objects::fields::list_of;
use crate::row;

row! {
    /// Webhook of a ValidatingWebhookConfiguration or MutatingWebhookConfiguration.
    pub struct Webhook<'a> builds WebhookBuilder {
        /// `name`.
        pub name: Option<Text<'a>>,
        /// `clientConfig.url`: an endpoint that is not a Service of the cluster.
        pub url: Option<Text<'a>>,
        /// `clientConfig.service.namespace`.
        pub service_namespace: Option<Text<'a>>,
        /// `clientConfig.service.name`.
        pub service_name: Option<Text<'a>>,
        /// `failurePolicy`: `Fail` or `Ignore`. Null if unset.
        pub failure_policy: Option<Text<'a>>,
        /// `rules[].operations`.
        pub operations: Option<Vec<Text<'a>>>,
        /// `rules[].apiGroups` with `rules[].resources`, as `group/resource`: `apps/deployments`, `/pods` of the core
        /// group, `*/*`. Wildcards first, at most 1,000.
        pub resources: Option<Vec<Text<'a>>>,
        /// `namespaceSelector`, as JSON.
        pub namespace_selector: Option<Text<'a>>,
        /// Number of `matchConditions`.
        pub match_conditions: Option<i32>,
        /// `timeoutSeconds`.
        pub timeout_seconds: Option<i64>,
    }
}

/// More entries help no reader, and two lists of thousands would produce millions.
const MAX_RESOURCES: usize = 1000;

/// Returns the webhooks that a request configures; `None` if the log does not show them, or a patch leaves them
/// unchanged.
pub(crate) fn webhooks<'a>(
    kind: &'static str,
    bodies: &Bodies<'a, '_>,
) -> Option<Vec<Webhook<'a>>> {
    if bodies.leaves_alone(&["webhooks"]) {
        return None;
    }
    let body = bodies.object(kind, &["webhooks"])?;
    list_of(body.json, "webhooks", webhook)
}

fn webhook<'a>(webhook: &Json<'a>) -> Webhook<'a> {
    let client = webhook.get("clientConfig");
    let service = client.and_then(|client| client.get("service"));
    let rules = webhook.get("rules").and_then(Json::elements);
    let conditions = webhook.get("matchConditions").and_then(Json::elements);
    Webhook {
        name: webhook.text("name"),
        url: client.and_then(|client| client.text("url")),
        service_namespace: service.and_then(|service| service.text("namespace")),
        service_name: service.and_then(|service| service.text("name")),
        failure_policy: webhook.text("failurePolicy"),
        operations: rules.map(operations),
        resources: rules.map(resources),
        namespace_selector: webhook
            .get("namespaceSelector")
            .and_then(|selector| serde_json::to_string(selector).ok())
            .map(Text::from),
        match_conditions: conditions
            .map(|conditions| i32::try_from(conditions.len()).unwrap_or(i32::MAX)),
        timeout_seconds: webhook.int("timeoutSeconds"),
    }
}

fn operations<'a>(rules: &[Json<'a>]) -> Vec<Text<'a>> {
    let mut operations: Vec<_> =
        rules.iter().flat_map(|rule| rule.texts("operations").unwrap_or_default()).collect();
    operations.sort_unstable();
    operations.dedup();
    operations
}

fn resources<'a>(rules: &[Json<'a>]) -> Vec<Text<'a>> {
    let wildcards_first = |rule: &Json<'a>, key: &str| {
        let mut names = rule.texts(key).unwrap_or_default();
        names.sort_by_key(|name| !name.starts_with('*'));
        names
    };
    let mut resources: Vec<Text<'a>> = Vec::new();
    for rule in rules {
        let names = wildcards_first(rule, "resources");
        for group in wildcards_first(rule, "apiGroups") {
            for name in &names {
                if resources.len() == MAX_RESOURCES {
                    return resources;
                }
                resources.push(format!("{}/{}", &*group, &**name).into());
            }
        }
    }
    resources
}
