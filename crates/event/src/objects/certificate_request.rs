//! Certificates that CertificateSigningRequests request, and their approval.
//!
//! `spec.request` is a PKCS#10 request in PEM. It is parsed step by step rather than as one structure, because an
//! attacker could add elements that the API server ignores and a strict parser rejects.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use der::oid::ObjectIdentifier;
use der::{Decode, Length, Reader, SliceReader, Tag};

use crate::column::Text;
use crate::json::value::Json;
use crate::objects::bodies::{Bodies, body_source};
use crate::row;

// X.520 (RFC 4519), PKCS#9 (RFC 2985) and the certificate extensions of RFC 5280.
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANIZATION_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
const EXTENSION_REQUEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14");
const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");

row! {
    /// CertificateSigningRequest that a request writes (`certificates.k8s.io`).
    pub struct CertificateRequest<'a> builds CertificateRequestBuilder {
        /// Body that the row shows: `response`, `request`, `patch` or `none`.
        pub body_source: Option<Text<'a>>,
        /// `spec.signerName`.
        pub signer_name: Option<Text<'a>>,
        /// `spec.usages`.
        pub usages: Option<Vec<Text<'a>>>,
        /// `spec.expirationSeconds`: requested lifetime in seconds.
        pub expiration_seconds: Option<i64>,
        /// Common name (CN) of the subject: the user name in a client certificate.
        pub common_name: Option<Text<'a>>,
        /// Organizations (O) of the subject: the groups in a client certificate.
        pub organizations: Option<Vec<Text<'a>>>,
        /// DNS names among the subject alternative names.
        pub dns_names: Option<Vec<Text<'a>>>,
        /// `Approved` or `Denied`, from `status.conditions` of a write of `approval`. Null for other writes.
        pub approval: Option<Text<'a>>,
    }
}

/// Returns the certificate request that is written. `is_approval` is set for the subresource `approval`. `None` for a
/// patch that leaves it unchanged.
pub(crate) fn certificate_request<'a>(
    bodies: &Bodies<'a, '_>,
    is_approval: bool,
) -> Option<CertificateRequest<'a>> {
    let payload: &[&str] = if is_approval { &["status"] } else { &["spec"] };
    if bodies.leaves_alone(payload) {
        return None;
    }
    let body = bodies.object("CertificateSigningRequest", &["spec", "status"]);
    let mut row = CertificateRequest {
        body_source: Some(body_source(body.as_ref())),
        ..CertificateRequest::default()
    };
    let Some(body) = body else { return Some(row) };
    if is_approval {
        row.approval = body.json.get("status").and_then(approval);
    }
    let Some(spec) = body.json.get("spec") else { return Some(row) };
    row.signer_name = spec.text("signerName");
    row.usages = spec.texts("usages");
    row.expiration_seconds = spec.int("expirationSeconds");
    if let Some(subject) = spec.text("request").as_deref().and_then(Subject::of_request) {
        row.common_name = subject.common_name.map(Text::from);
        row.organizations = Some(subject.organizations.into_iter().map(Text::from).collect());
        row.dns_names = subject.dns_names.map(|names| names.into_iter().map(Text::from).collect());
    }
    Some(row)
}

fn approval<'a>(status: &Json<'a>) -> Option<Text<'a>> {
    let types = status.list("conditions").iter().filter_map(|condition| condition.text("type"));
    // A request that sets both is rejected.
    types.into_iter().find(|r#type| matches!(&**r#type, "Approved" | "Denied"))
}

/// Longer requests are not parsed: real ones have a few kilobytes.
const LONGEST_REQUEST: usize = 256 * 1024;

/// The subject of a certificate.
#[derive(Debug, Default, PartialEq)]
struct Subject {
    common_name: Option<String>,
    organizations: Vec<String>,
    dns_names: Option<Vec<String>>,
}

impl Subject {
    /// Reads the subject of a PKCS#10 request, which is PEM in Base64.
    fn of_request(request: &str) -> Option<Self> {
        if request.len() > LONGEST_REQUEST {
            return None;
        }
        Self::of_der(&der_of_pem(&decode_base64(request)?)?)
    }

    /// Reads the subject of a `CertificationRequest` (RFC 2986, section 4).
    fn of_der(der: &[u8]) -> Option<Self> {
        let request = values(der, SEQUENCE).next()?;
        let info = values(request, SEQUENCE).next()?;
        let name = values(info, SEQUENCE).next()?;
        let mut subject = Self::default();
        for (r#type, tag, value) in values(name, SET).flat_map(attributes) {
            if r#type == COMMON_NAME {
                subject.common_name = text(tag, value).or(subject.common_name.take());
            } else if r#type == ORGANIZATION_NAME {
                subject.organizations.extend(text(tag, value));
            }
        }
        subject.dns_names = dns_names(info);
        Some(subject)
    }
}

/// Returns the DNS subject alternative names of a `CertificationRequestInfo`.
fn dns_names(info: &[u8]) -> Option<Vec<String>> {
    let requested = values(info, ATTRIBUTES).flat_map(attributes);
    let extensions = requested
        .filter(|(r#type, ..)| *r#type == EXTENSION_REQUEST)
        .flat_map(|(_, _, set)| values(set, SEQUENCE))
        .flat_map(|extensions| values(extensions, SEQUENCE));
    let mut names = Vec::new();
    for extension in extensions {
        if first_oid(extension) != Some(SUBJECT_ALT_NAME) {
            continue;
        }
        let general_names = values(values(extension, OCTET_STRING).next()?, SEQUENCE).next()?;
        names.extend(values(general_names, DNS_NAME).map(lossy));
    }
    Some(names)
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const OCTET_STRING: u8 = 0x04;
/// `[0] IMPLICIT` of a `CertificationRequestInfo`.
const ATTRIBUTES: u8 = 0xA0;
/// `[2] IMPLICIT IA5String` of a `GeneralName`.
const DNS_NAME: u8 = 0x82;

/// Returns consecutive elements as tags and values, up to the first that cannot be parsed.
fn elements(der: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut reader = SliceReader::new(der).ok();
    std::iter::from_fn(move || {
        let reader = reader.as_mut().filter(|reader| !reader.is_finished())?;
        let tag = reader.read_byte().ok()?;
        let length = Length::decode(reader).ok()?;
        Some((tag, reader.read_slice(length).ok()?))
    })
}

/// Returns the values with a tag.
fn values(der: &[u8], tag: u8) -> impl Iterator<Item = &[u8]> {
    elements(der).filter(move |(found, _)| *found == tag).map(|(_, value)| value)
}

/// Returns the attributes in a set: type, tag of the value, and bytes of the value.
fn attributes(set: &[u8]) -> impl Iterator<Item = (ObjectIdentifier, u8, &[u8])> {
    values(set, SEQUENCE).filter_map(|attribute| {
        let (tag, value) = elements(attribute).nth(1)?;
        Some((first_oid(attribute)?, tag, value))
    })
}

fn first_oid(der: &[u8]) -> Option<ObjectIdentifier> {
    ObjectIdentifier::from_bytes(values(der, OBJECT_IDENTIFIER).next()?).ok()
}

/// Decodes a string of any type that Go accepts in a name.
fn text(tag: u8, value: &[u8]) -> Option<String> {
    match Tag::try_from(tag).ok()? {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString => {
            Some(lossy(value))
        }
        Tag::TeletexString => Some(value.iter().copied().map(char::from).collect()),
        Tag::BmpString => {
            let units = value.chunks_exact(2).map(|unit| u16::from_be_bytes([unit[0], unit[1]]));
            Some(
                char::decode_utf16(units)
                    .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                    .collect(),
            )
        }
        _ => None,
    }
}

fn lossy(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

/// Returns the bytes of the first certificate request in a PEM text, parsed as leniently as by Go: lines may have any
/// length.
fn der_of_pem(pem: &[u8]) -> Option<Vec<u8>> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE REQUEST-----";
    const END: &str = "-----END";
    let text = std::str::from_utf8(pem).ok()?;
    let (_, rest) = text.split_once(BEGIN)?;
    let (block, _) = rest.split_once(END)?;
    // Headers precede an empty line and contain a colon, which Base64 does not.
    let block = match block.rfind(':') {
        Some(colon) => block.get(colon..)?.split_once("\n\n").map(|(_, block)| block)?,
        None => block,
    };
    decode_base64(block)
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let text: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let value = parts.concat();
        let mut der = vec![tag];
        match u8::try_from(value.len()) {
            Ok(length @ ..128) => der.push(length),
            Ok(length) => der.extend([0x81, length]),
            Err(_) => unreachable!("the tests are short"),
        }
        der.extend(value);
        der
    }

    fn attribute(r#type: &[u8], tag: u8, value: &[u8]) -> Vec<u8> {
        element(SEQUENCE, &[&element(OBJECT_IDENTIFIER, &[r#type]), &element(tag, &[value])])
    }

    /// A request with only the elements that are read.
    fn request(names: &[Vec<u8>]) -> Vec<u8> {
        let name = element(SEQUENCE, &[&names.concat()]);
        let info = element(SEQUENCE, &[&element(0x02, &[&[0]]), &name]);
        element(SEQUENCE, &[&info])
    }

    const COMMON_NAME: &[u8] = &[0x55, 4, 3];
    const ORGANIZATION: &[u8] = &[0x55, 4, 10];
    const UTF8: u8 = 0x0C;

    #[test]
    fn input_that_a_strict_parser_rejects_is_decoded() {
        let masters = attribute(ORGANIZATION, UTF8, b"system:masters");
        let utf16: Vec<u8> = "system:masters".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (what, names) in [
            ("plain", vec![element(SET, &[&masters])]),
            ("twice in a set", vec![element(SET, &[&masters, &masters])]),
            ("out of order", vec![element(SET, &[&masters, &attribute(COMMON_NAME, UTF8, b"a")])]),
            (
                "two octets a character",
                vec![element(SET, &[&attribute(ORGANIZATION, 0x1E, &utf16)])],
            ),
            ("T61", vec![element(SET, &[&attribute(ORGANIZATION, 0x14, b"system:masters")])]),
            (
                "behind a value of no known type",
                vec![
                    element(SET, &[&attribute(COMMON_NAME, 0x1B, b"x")]),
                    element(SET, &[&masters]),
                ],
            ),
        ] {
            let subject = Subject::of_der(&request(&names)).unwrap();
            assert!(subject.organizations.contains(&"system:masters".to_owned()), "{what}");
        }
    }

    #[test]
    fn the_last_common_name_counts_as_in_go() {
        let names = [b"first", b"other"].map(|name| {
            let name = attribute(COMMON_NAME, UTF8, name);
            element(SET, &[&name])
        });
        let subject = Subject::of_der(&request(&names)).unwrap();
        assert_eq!(subject.common_name.as_deref(), Some("other"));
    }

    #[test]
    fn pem_is_read_like_in_go() {
        let body = STANDARD.encode(request(&[]));
        for pem in [
            format!(
                "-----BEGIN CERTIFICATE REQUEST-----\n{body}\n-----END CERTIFICATE REQUEST-----\n"
            ),
            format!(
                "text\n-----BEGIN CERTIFICATE REQUEST-----\r\n{body}\r\n-----END CERTIFICATE REQUEST-----"
            ),
            format!(
                "-----BEGIN CERTIFICATE REQUEST-----\nA: b\nC: d\n\n{body}\n-----END CERTIFICATE REQUEST-----"
            ),
        ] {
            assert_eq!(der_of_pem(pem.as_bytes()), Some(request(&[])), "{pem}");
        }
        for pem in
            ["", "-----BEGIN CERTIFICATE REQUEST-----", "-----BEGIN CERTIFICATE-----\n-----END"]
        {
            assert_eq!(der_of_pem(pem.as_bytes()), None, "{pem}");
        }
    }

    #[test]
    fn bytes_that_are_not_a_request_are_rejected() {
        for der in
            [&b""[..], b"\x30", b"\x30\x84\xff\xff\xff\xff", b"\x30\x80\x00\x00", &[0x30; 300]]
        {
            let subject = Subject::of_der(der).unwrap_or_default();
            assert_eq!(subject.common_name, None);
        }
    }
}
