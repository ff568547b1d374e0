//! Pod specs, roles and powers over nodes inside an object of another kind: a custom resource, a ConfigMap, a policy.
//!
//! No list of kinds is complete, so everything that may eventually create pods is searched: members, and JSON and YAML
//! inside strings.

use crate::column::Text;
use crate::objects::rbac::Rbac;
use crate::row;

row! {
    /// Pod specs, roles and powers over nodes that an object of another kind contains.
    pub struct Embedded<'a> builds EmbeddedBuilder {
        /// Places of the pod specs, containers and host paths shown in `workload`: JSON pointers, with `#` where one
        /// leads into a text. At most 20.
        pub places: Option<Vec<Text<'a>>>,
        /// Roles and bindings. At most 20.
        pub rbac: Option<Vec<Rbac<'a>>>,
        /// Other powers over nodes: `admin access` to devices, `device configuration` for a driver, `host device`,
        /// `host disk`, `user data` with which nodes start, `node file`, `node unit`, the `runtime socket`, a `remote
        /// task`, `privileged pods` that security context constraints allow, possibly `for everybody`. For a Secret
        /// also what its manifests request: `privileged container`, `host namespaces`, `host path`, `roles`.
        pub powers: Option<Vec<Text<'a>>>,
        /// Addresses of repositories, charts, packages and images that it fetches. At most 20.
        pub sources: Option<Vec<Text<'a>>>,
    }
}
