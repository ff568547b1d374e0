//! The values of indicators: each is validated and normalized when it is read.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use ipnet::IpNet;
use podtrail_event::ImageReference;
use serde::{Deserialize, Serialize};

/// The maximum length of a value, in bytes.
const MAX_BYTES: usize = 4096;

/// The minimum number of characters other than `*` in a user agent pattern; a shorter one matches clients of all kinds.
const LEAST_OF_PATTERN: usize = 3;

/// The kind of value that an indicator is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndicatorKind {
    /// A network, or one address; compared with every entry of `source_ips`.
    Address,
    /// A repository, with or without a tag; compared with the images of workloads.
    Image,
    /// The digest of an image.
    Digest,
    /// A user name, case-insensitive; compared with real and impersonated users.
    User,
    /// A user agent, case-insensitive; `*` matches any characters.
    UserAgent,
}

impl IndicatorKind {
    /// Returns its name in the table of indicators.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Image => "image",
            Self::Digest => "digest",
            Self::User => "user",
            Self::UserAgent => "user_agent",
        }
    }

    /// Returns the kind for a type name of a feed; `None` for types that an audit log does not contain, such as
    /// domains.
    pub(super) fn of_type(name: &str) -> Option<Self> {
        let name: String = name.to_ascii_lowercase().replace([' ', '_'], "-");
        Some(match name.as_str() {
            "address" | "addr" | "ip" | "ip-address" | "ipv4" | "ipv6" | "ipv4-addr"
            | "ipv6-addr" | "ip-src" | "ip-dst" | "ip:port" | "ip-src|port" | "ip-dst|port"
            | "network" | "cidr" | "ipv4-network" | "ipv6-network" | "ipv4-cidr" | "ipv6-cidr" => {
                Self::Address
            }
            "image" | "container-image" | "docker-image" | "oci-image" => Self::Image,
            "digest" | "image-digest" | "sha256" | "sha-256" | "sha256-hash" | "hash-sha256"
            | "filehash-sha256" | "filename|sha256" => Self::Digest,
            "user" | "username" | "user-name" | "user-account" | "account" | "target-user"
            | "github-username" => Self::User,
            "user-agent" | "useragent" | "http-user-agent" | "agent" => Self::UserAgent,
            _ => return None,
        })
    }

    /// Infers the kind of a text without a type: an address, a SHA-256, or an image with its registry.
    pub(super) fn infer(text: &str) -> Option<(Self, String)> {
        if let Ok(network) = address(text) {
            return Some((Self::Address, network));
        }
        if let Ok(digest) = digest(text) {
            return Some((Self::Digest, digest));
        }
        let host = text.split_once('/').map(|(host, _)| host);
        let is_image = host.is_some_and(|host| host.contains('.')) && !text.contains("://");
        is_image.then(|| image(text).ok()).flatten()
    }

    /// Parses a value of this kind into its normalized form, and returns its actual kind: an image may be given by
    /// its digest.
    pub(super) fn read(self, text: &str) -> Result<(Self, String), ValueError> {
        let text = text.trim();
        if text.is_empty() || text.len() > MAX_BYTES {
            return Err(ValueError::Length);
        }
        Ok(match self {
            Self::Address => (self, address(text)?),
            Self::Image => image(text)?,
            Self::Digest => (self, digest(text)?),
            Self::User => (self, text.to_owned()),
            Self::UserAgent => {
                let others = text.chars().filter(|c| *c != '*').count();
                if text.contains('*') && others < LEAST_OF_PATTERN {
                    return Err(ValueError::Broad);
                }
                (self, text.to_owned())
            }
        })
    }
}

/// Why a text is not a value of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueError {
    Length,
    Address,
    Broad,
    Image,
    Digest,
}

impl fmt::Display for ValueError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Length => "value must have 1 to 4096 bytes",
            Self::Address => "not an address or a network such as 192.0.2.0/24",
            Self::Broad => "would match almost everything",
            Self::Image => "not an image such as registry.example/team/app, …:tag or …@sha256:…",
            Self::Digest => "not a SHA-256 digest of 64 hexadecimal digits",
        })
    }
}

/// Normalizes the network of an address, such as `10.0.0.7`, `10.0.0.0/8` or `[2001:db8::1]:443`; dots may be written
/// `[.]`.
fn address(text: &str) -> Result<String, ValueError> {
    let text: Cow<'_, str> =
        if text.contains("[.]") { text.replace("[.]", ".").into() } else { text.into() };
    let one = |text: &str| text.parse::<IpAddr>().ok().map(|address| address.to_canonical());
    let with_port = || {
        let (address, port) = text.rsplit_once(':')?;
        port.parse::<u16>().ok()?;
        let bare = address.strip_prefix('[').and_then(|bare| bare.strip_suffix(']'));
        match bare {
            Some(bare) => one(bare),
            None => one(address).filter(IpAddr::is_ipv4),
        }
    };
    let network = one(&text).map(IpNet::from);
    let network = network.or_else(|| text.parse::<IpNet>().ok());
    let network = network.or_else(|| with_port().map(IpNet::from)).ok_or(ValueError::Address)?;
    if network.prefix_len() == 0 {
        return Err(ValueError::Broad);
    }
    Ok(network.trunc().to_string())
}

/// Normalizes an image to `registry/repository` or `registry/repository:tag`, or to its digest if that is given.
fn image(text: &str) -> Result<(IndicatorKind, String), ValueError> {
    let text = ["docker://", "docker-pullable://", "oci://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme))
        .unwrap_or(text);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@+".contains(c);
    let parts = ImageReference::split(text);
    let repository = parts.repository();
    if !text.chars().all(is_plain) || repository.is_empty() || parts.tag.is_some_and(str::is_empty)
    {
        return Err(ValueError::Image);
    }
    if let Some(text) = parts.digest {
        return Ok((IndicatorKind::Digest, digest(text)?));
    }
    let tag = parts.tag.map(|tag| format!(":{tag}")).unwrap_or_default();
    Ok((IndicatorKind::Image, format!("{}/{repository}{tag}", parts.registry)))
}

fn digest(text: &str) -> Result<String, ValueError> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.strip_prefix("sha256:").unwrap_or(&text);
    if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ValueError::Digest);
    }
    Ok(format!("sha256:{digits}"))
}

/// Parses a time in the formats of feeds: RFC 3339, a date, either with a space, or seconds since 1970.
pub(super) fn time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim().trim_end_matches(" UTC");
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(date.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    for format in ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
            return Some(time.and_utc());
        }
    }
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0)?;
    DateTime::from_timestamp(seconds, 0)
}
