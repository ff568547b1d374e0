//! What an object of another kind holds of workloads, roles and what makes them: a custom resource, a ConfigMap, a policy.
//!
//! No list of kinds is complete, so everything is looked at that may make pods in the end: its members, and JSON and YAML
//! inside its strings.

use crate::objects::rbac::Rbac;
use crate::row;
use crate::tables::column::Text;

row! {
    /// What an object of another kind holds of workloads, of roles, and of what gives power over nodes.
    pub struct Embedded<'a> builds EmbeddedBuilder {
        /// Where pod specs, containers and host paths stand that are in the workload of the row: JSON pointers, with `#`
        /// where one leads into a text. At most 20.
        pub places: Option<Vec<Text<'a>>>,
        /// Roles and bindings. At most 20.
        pub rbac: Option<Vec<Rbac<'a>>>,
        /// What else gives power over nodes: `admin access` to devices, `device configuration` for a driver, `host device`,
        /// `host disk`, `user data` with which nodes start, `node file`, `node unit`, the `runtime socket`, a `remote task`,
        /// `privileged pods`, which security context constraints allow, or allow `for everybody`. Of a Secret also what its
        /// manifests ask for: `privileged container`, `host namespaces`, `host path`, `roles`.
        pub powers: Option<Vec<Text<'a>>>,
        /// What it fetches: addresses of repositories, charts, packages and images. At most 20.
        pub sources: Option<Vec<Text<'a>>>,
    }
}
