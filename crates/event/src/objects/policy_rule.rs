//! A rule of a role.

use crate::column::Text;
use crate::row;

row! {
    /// Rule of a role.
    pub struct PolicyRule<'a> builds PolicyRuleBuilder {
        /// `apiGroups`. The empty string is the core group.
        pub api_groups: Option<Vec<Text<'a>>>,
        /// `resources`, with subresources such as `pods/exec`.
        pub resources: Option<Vec<Text<'a>>>,
        /// `resourceNames`. Null or empty for every name.
        pub resource_names: Option<Vec<Text<'a>>>,
        /// `verbs`.
        pub verbs: Option<Vec<Text<'a>>>,
        /// `nonResourceURLs`.
        pub non_resource_urls: Option<Vec<Text<'a>>>,
    }
}
