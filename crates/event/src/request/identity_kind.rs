//! The kind of an authenticated user.

use strum::{IntoStaticStr, VariantNames};

/// The kind of an authenticated user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum IdentityKind {
    /// A person, or an external client that authenticates like one.
    Human,
    /// A service account that is not a controller of the control plane.
    ServiceAccount,
    /// A kubelet.
    Node,
    /// A controller of the control plane: it writes what other objects specify.
    Controller,
    /// Another component of the platform, or a machine that joins with a bootstrap token.
    System,
    /// A service account of a cloud provider, such as of a pipeline outside of the cluster: neither a person nor the
    /// platform.
    CloudServiceAccount,
    /// `system:anonymous`, or a request that did not authenticate.
    Anonymous,
    /// The log does not show the user.
    Unknown,
}

impl IdentityKind {
    /// Returns the name used in the `identity_kind` column.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
