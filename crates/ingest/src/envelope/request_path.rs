//! The object that a request path names, for logs without object references.
//!
//! Follows the rules of the API server (`k8s.io/apiserver/pkg/endpoints/request/requestinfo.go`).

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// The object that a request URI names.
#[derive(Debug, Default, PartialEq)]
pub(super) struct RequestPath {
    pub(super) api_group: String,
    pub(super) api_version: String,
    pub(super) namespace: String,
    pub(super) resource: String,
    pub(super) name: String,
    pub(super) subresource: String,
    /// A verb in the path (`proxy` or `watch`), as old clients wrote it.
    pub(super) verb: Option<&'static str>,
}

impl RequestPath {
    /// Parses a request URI; `None` if it is not that of a resource.
    pub(super) fn of(uri: &str) -> Option<Self> {
        let path = uri.split_once('?').map_or(uri, |(path, _)| path);
        let decoded: Vec<String> = path
            .trim_matches('/')
            .split('/')
            .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
            .collect();
        let parts: Vec<&str> = decoded.iter().map(String::as_str).collect();
        let (api_group, parts) = match parts.as_slice() {
            ["api", rest @ ..] => ("", rest),
            ["apis", group, rest @ ..] => (*group, rest),
            _ => return None,
        };
        let (api_version, mut parts) = parts.split_first()?;
        let verb = ["proxy", "watch"].into_iter().find(|verb| parts.first() == Some(verb));
        if verb.is_some() {
            parts = &parts[1..];
        }
        let mut namespace = "";
        if let ["namespaces", name, rest @ ..] = parts {
            namespace = name;
            let is_of_namespace = matches!(rest.first(), None | Some(&("status" | "finalize")));
            if !is_of_namespace {
                parts = rest;
            }
        }
        let part = |index: usize| parts.get(index).copied().unwrap_or_default().to_owned();
        parts.first()?;
        Some(Self {
            api_group: api_group.to_owned(),
            api_version: (*api_version).to_owned(),
            namespace: namespace.to_owned(),
            resource: part(0),
            name: part(1),
            subresource: if verb == Some("proxy") { String::new() } else { part(2) },
            verb,
        })
    }

    /// Returns the verb of a request with this HTTP method.
    pub(super) fn verb(&self, method: &str, uri: &str) -> String {
        let is_watch = || {
            let query = uri.split_once('?').map_or("", |(_, query)| query);
            query.split('&').any(|option| matches!(option, "watch=true" | "watch=1" | "watch"))
        };
        let verb = match (self.verb, method) {
            (Some(verb), _) => verb,
            (None, "POST") => "create",
            (None, "PUT") => "update",
            (None, "PATCH") => "patch",
            (None, "DELETE") if self.name.is_empty() => "deletecollection",
            (None, "DELETE") => "delete",
            (None, "GET" | "HEAD") if !self.name.is_empty() => "get",
            (None, "GET" | "HEAD") if is_watch() => "watch",
            (None, "GET" | "HEAD") => "list",
            (None, _) => return method.to_lowercase(),
        };
        verb.to_owned()
    }

    /// Returns the object reference of an audit event.
    pub(super) fn object_ref(&self) -> Value {
        let members = [
            ("resource", &self.resource),
            ("namespace", &self.namespace),
            ("name", &self.name),
            ("apiGroup", &self.api_group),
            ("apiVersion", &self.api_version),
            ("subresource", &self.subresource),
        ];
        let members = members.into_iter().filter(|(_, value)| !value.is_empty());
        members
            .map(|(key, value)| (key.to_owned(), Value::from(value.as_str())))
            .collect::<Map<_, _>>()
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_path() {
        for (uri, expected) in [
            ("/api/v1/pods", "|v1||pods||"),
            ("/api/v1/namespaces", "|v1||namespaces||"),
            ("/api/v1/namespaces/a", "|v1|a|namespaces|a|"),
            ("/api/v1/namespaces/a/status", "|v1|a|namespaces|a|status"),
            ("/api/v1/namespaces/a/finalize", "|v1|a|namespaces|a|finalize"),
            ("/api/v1/namespaces/a/pods?limit=5", "|v1|a|pods||"),
            ("/api/v1/namespaces/a/pods/b/exec?command=id", "|v1|a|pods|b|exec"),
            ("/api/v1/namespaces/a/services/b/proxy/x/y", "|v1|a|services|b|proxy"),
            ("/api/v1/nodes/n", "|v1||nodes|n|"),
            ("/apis/apps/v1/namespaces/a/deployments/b/scale", "apps|v1|a|deployments|b|scale"),
            (
                "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
                "rbac.authorization.k8s.io|v1||clusterroles|system:node|",
            ),
            ("/api/v1/watch/namespaces/a/pods", "|v1|a|pods||"),
            ("/api/v1/proxy/namespaces/a/pods/b/healthz", "|v1|a|pods|b|"),
        ] {
            let path = RequestPath::of(uri).unwrap();
            let RequestPath {
                api_group, api_version, namespace, resource, name, subresource, ..
            } = path;
            let found = [api_group, api_version, namespace, resource, name, subresource].join("|");
            assert_eq!(found, expected, "{uri}");
        }
        for uri in ["/", "", "/healthz", "/api", "/api/v1", "/apis/apps/v1", "/apis", "/version?x"]
        {
            assert_eq!(RequestPath::of(uri), None, "{uri}");
        }
    }

    #[test]
    fn every_verb() {
        for (method, uri, verb) in [
            ("GET", "/api/v1/pods", "list"),
            ("GET", "/api/v1/pods?limit=5&watch=true", "watch"),
            ("GET", "/api/v1/watch/pods", "watch"),
            ("GET", "/api/v1/nodes/n", "get"),
            ("POST", "/api/v1/namespaces/a/pods", "create"),
            ("PUT", "/api/v1/namespaces/a/pods/b", "update"),
            ("PATCH", "/api/v1/namespaces/a/pods/b", "patch"),
            ("DELETE", "/api/v1/namespaces/a/pods/b", "delete"),
            ("DELETE", "/api/v1/namespaces/a/pods", "deletecollection"),
        ] {
            assert_eq!(RequestPath::of(uri).unwrap().verb(method, uri), verb, "{method} {uri}");
        }
    }
}
