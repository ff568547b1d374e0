//! User agents: only a hint, because clients choose them.

/// The first product of a user agent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UserAgent<'a> {
    /// The program, such as `kubectl`, without the `.exe` of Windows.
    pub tool: Option<&'a str>,
    /// Its version as claimed, such as `v1.29.1` or `8.1`.
    pub version: Option<&'a str>,
}

impl<'a> UserAgent<'a> {
    /// Splits a user agent. Clients of client-go send `program/version (os/architecture) kubernetes/commit/part`; the
    /// program name is that of its file, so it may contain spaces.
    ///
    /// ```
    /// # use podtrail_event::user_agent::UserAgent;
    /// let client = UserAgent::of("kubectl/v1.29.1 (linux/amd64) kubernetes/bc401b9");
    /// assert_eq!((client.tool, client.version), (Some("kubectl"), Some("v1.29.1")));
    /// ```
    pub fn of(user_agent: &'a str) -> Self {
        let product = user_agent.split(" (").next().unwrap_or_default().trim();
        let (tool, version) = match product.split_once('/') {
            Some((tool, rest)) => {
                let end = rest.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(rest.len());
                (tool, &rest[..end])
            }
            None => (product.split_whitespace().next().unwrap_or_default(), ""),
        };
        let tool = tool.trim();
        let tool = tool.strip_suffix(".exe").unwrap_or(tool);
        let filled = |text: &'a str| (!text.is_empty()).then_some(text);
        Self { tool: filled(tool), version: filled(version) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_product_is_tool_and_version() {
        let manager = "kube-controller-manager/v1.36.0 (linux/amd64) kubernetes/98b3519/system:serviceaccount:kube-system:job-controller";
        for (user_agent, tool, version) in [
            ("kubectl/v1.29.1 (linux/amd64) kubernetes/bc401b9", Some("kubectl"), Some("v1.29.1")),
            ("kubectl.exe/v1.30.0 (windows/amd64) kubernetes/x", Some("kubectl"), Some("v1.30.0")),
            (manager, Some("kube-controller-manager"), Some("v1.36.0")),
            ("kubelet/v1.29.6+aba1e8d (linux/amd64) x", Some("kubelet"), Some("v1.29.6+aba1e8d")),
            ("Go-http-client/2.0", Some("Go-http-client"), Some("2.0")),
            ("python-requests/2.31.0", Some("python-requests"), Some("2.31.0")),
            ("OpenAPI-Generator/29.0.0/python", Some("OpenAPI-Generator"), Some("29.0.0")),
            ("curl/8.1", Some("curl"), Some("8.1")),
            ("Lens/6.5 (linux)", Some("Lens"), Some("6.5")),
            ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", Some("Mozilla"), Some("5.0")),
            ("my tool/v0.0.0 (linux/amd64) kubernetes/$Format", Some("my tool"), Some("v0.0.0")),
            ("okhttp", Some("okhttp"), None),
            ("Terraform (linux/amd64)", Some("Terraform"), None),
            ("some words", Some("some"), None),
            ("curl/", Some("curl"), None),
            ("/8.1", None, Some("8.1")),
            ("  ", None, None),
            ("", None, None),
            ("ünïcode/1 ", Some("ünïcode"), Some("1")),
        ] {
            assert_eq!(UserAgent::of(user_agent), UserAgent { tool, version }, "{user_agent}");
        }
    }
}
