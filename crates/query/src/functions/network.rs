//! Addresses and networks.

use std::net::IpAddr;

use datafusion::logical_expr::{DocSection, Documentation};
use ipnet::IpNet;

use super::strings::{Body, StringFunction};

const SECTION: DocSection =
    DocSection { include: true, label: "Network Functions", description: None };

pub(super) fn is_private_ip() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Returns whether an address is not public: private (RFC 1918, RFC 4193), shared (RFC 6598), \
         loopback or link-local. Null if the text is not an address.",
        "is_private_ip(ip)",
    )
    .with_argument("ip", "an IPv4 or IPv6 address")
    .with_sql_example("is_private_ip('10.0.0.1')")
    .build();
    let body = Body::Boolean(|arguments| {
        let [ip] = arguments else { return Ok(None) };
        Ok(address(ip).map(is_private))
    });
    StringFunction::new("is_private_ip", body, documentation)
}

pub(super) fn cidr_contains() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Returns whether an address is in a network. Null if either argument is invalid.",
        "cidr_contains(cidr, ip)",
    )
    .with_argument("cidr", "a network such as `10.0.0.0/8`, or one address")
    .with_argument("ip", "an IPv4 or IPv6 address")
    .with_sql_example("cidr_contains('10.0.0.0/8', '10.1.2.3')")
    .build();
    let body = Body::Boolean(|arguments| {
        let [cidr, ip] = arguments else { return Ok(None) };
        let Some(network) = network(cidr) else { return Ok(None) };
        Ok(address(ip).map(|address| network.contains(&address)))
    });
    StringFunction::new("cidr_contains", body, documentation)
}

pub(super) fn network_of() -> StringFunction {
    let documentation = Documentation::builder(
        SECTION,
        "Returns the network with this prefix length that contains an address. Null if the text is not an address, or has fewer bits.",
        "network_of(ip, length)",
    )
    .with_argument("ip", "an IPv4 or IPv6 address")
    .with_argument("length", "the prefix length in bits, as text")
    .with_sql_example("network_of('10.1.2.3', '8') = '10.0.0.0/8'")
    .build();
    let body = Body::Text(|arguments| {
        let [ip, length] = arguments else { return Ok(None) };
        let network = address(ip).zip(length.parse().ok());
        let network = network.and_then(|(address, length)| IpNet::new(address, length).ok());
        Ok(network.map(|network| network.trunc().to_string()))
    });
    StringFunction::new("network_of", body, documentation)
}

/// Parses an address; an IPv4-mapped IPv6 address (`::ffff:10.0.0.1`) is treated as the IPv4 address.
fn address(text: &str) -> Option<IpAddr> {
    text.trim().parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse().ok().or_else(|| address(text).map(IpNet::from))
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || (first == 100 && second & 0b1100_0000 == 64)
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}
