//! Image references, split like by container runtimes (`distribution/reference`).

/// The parts of an image reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageReference<'a> {
    /// The registry host, with its port; `docker.io` if none is named.
    pub registry: &'a str,
    /// The repository; one-part names of Docker Hub lack their `library/` here, see [`ImageReference::repository`].
    path: &'a str,
    /// The tag, if any.
    pub tag: Option<&'a str>,
    /// The digest, if any, such as `sha256:…`.
    pub digest: Option<&'a str>,
}

impl<'a> ImageReference<'a> {
    /// Splits a reference. Every string has parts; those of a malformed reference are unusual.
    ///
    /// ```
    /// # use podtrail_event::ImageReference;
    /// let image = ImageReference::split("nginx:1.29");
    /// assert_eq!((image.registry, &*image.repository(), image.tag), ("docker.io", "library/nginx", Some("1.29")));
    /// ```
    pub fn split(image: &'a str) -> Self {
        let (name, digest) = match image.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (image, None),
        };
        // The first component is a host only if it cannot be a Docker Hub user name.
        let (registry, rest) = match name.split_once('/') {
            Some((host, rest))
                if host == "localhost"
                    || host.contains(['.', ':'])
                    || host.chars().any(char::is_uppercase) =>
            {
                (host, rest)
            }
            _ => ("docker.io", name),
        };
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
            _ => (rest, None),
        };
        let registry = if registry == "index.docker.io" { "docker.io" } else { registry };
        Self { registry, path, tag, digest }
    }

    /// Returns the repository inside the registry.
    pub fn repository(&self) -> std::borrow::Cow<'a, str> {
        if self.registry == "docker.io" && !self.path.is_empty() && !self.path.contains('/') {
            format!("library/{}", self.path).into()
        } else {
            self.path.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_split_as_runtimes_do() {
        for (image, registry, repository, tag, digest) in [
            ("nginx", "docker.io", "library/nginx", None, None),
            ("docker.io/nginx:1", "docker.io", "library/nginx", Some("1"), None),
            ("index.docker.io/library/nginx", "docker.io", "library/nginx", None, None),
            ("alpine/socat:latest", "docker.io", "alpine/socat", Some("latest"), None),
            ("ghcr.io/a/b/c:v1@sha256:00", "ghcr.io", "a/b/c", Some("v1"), Some("sha256:00")),
            ("localhost/x", "localhost", "x", None, None),
            ("registry:5000/x/y", "registry:5000", "x/y", None, None),
            ("10.0.0.1:5000/miner:2", "10.0.0.1:5000", "miner", Some("2"), None),
            ("", "docker.io", "", None, None),
        ] {
            let parts = ImageReference::split(image);
            assert_eq!(parts.registry, registry, "{image}");
            assert_eq!(parts.repository(), repository, "{image}");
            assert_eq!((parts.tag, parts.digest), (tag, digest), "{image}");
        }
    }
}
