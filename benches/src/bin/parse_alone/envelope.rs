//! The audit event as every parser here reads it: each field of the envelope as a typed value, strings borrowed if
//! JSON escapes allow it, and the two bodies in the parser's type for raw JSON.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

/// An audit event with bodies of type `B`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[serde(bound(deserialize = "'de: 'a, B: Deserialize<'de>"))]
pub(crate) struct Event<'a, B> {
    pub(crate) kind: Option<Text<'a>>,
    pub(crate) api_version: Option<Text<'a>>,
    pub(crate) level: Text<'a>,
    #[serde(rename = "auditID")]
    pub(crate) audit_id: Text<'a>,
    pub(crate) stage: Text<'a>,
    #[serde(rename = "requestURI")]
    pub(crate) request_uri: Text<'a>,
    pub(crate) verb: Text<'a>,
    pub(crate) user: User<'a>,
    pub(crate) impersonated_user: Option<User<'a>>,
    #[serde(rename = "sourceIPs", default)]
    pub(crate) source_ips: Vec<Text<'a>>,
    pub(crate) user_agent: Option<Text<'a>>,
    pub(crate) object_ref: Option<ObjectRef<'a>>,
    pub(crate) response_status: Option<Status<'a>>,
    pub(crate) request_object: Option<B>,
    pub(crate) response_object: Option<B>,
    pub(crate) request_received_timestamp: Text<'a>,
    pub(crate) stage_timestamp: Text<'a>,
    pub(crate) annotations: Option<Pairs<'a, Text<'a>>>,
}

/// A string, borrowed if possible. A bare `Cow` inside an `Option` would always be owned.
#[derive(Deserialize)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

#[derive(Deserialize)]
pub(crate) struct User<'a> {
    #[serde(borrow)]
    pub(crate) username: Option<Text<'a>>,
    pub(crate) uid: Option<Text<'a>>,
    #[serde(default)]
    pub(crate) groups: Vec<Text<'a>>,
    pub(crate) extra: Option<Pairs<'a, Vec<Text<'a>>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ObjectRef<'a> {
    #[serde(borrow)]
    pub(crate) resource: Option<Text<'a>>,
    pub(crate) namespace: Option<Text<'a>>,
    pub(crate) name: Option<Text<'a>>,
    pub(crate) uid: Option<Text<'a>>,
    pub(crate) api_group: Option<Text<'a>>,
    pub(crate) api_version: Option<Text<'a>>,
    pub(crate) resource_version: Option<Text<'a>>,
    pub(crate) subresource: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct Status<'a> {
    #[serde(borrow)]
    pub(crate) status: Option<Text<'a>>,
    pub(crate) reason: Option<Text<'a>>,
    pub(crate) message: Option<Text<'a>>,
    pub(crate) code: Option<i32>,
}

/// An object as pairs in the order of the log.
pub(crate) struct Pairs<'a, T>(pub(crate) Vec<(Text<'a>, T)>);

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Pairs<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor<'a, T>(PhantomData<(&'a (), T)>);

        impl<'de: 'a, 'a, T: Deserialize<'de>> Visitor<'de> for PairsVisitor<'a, T> {
            type Value = Pairs<'a, T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::with_capacity(4);
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(PairsVisitor(PhantomData))
    }
}

impl<B> Event<'_, B> {
    /// Returns the total length of the strings in the envelope: the same for every parser, so that none may leave
    /// them unread.
    pub(crate) fn envelope_bytes(&self) -> usize {
        let own = [&self.level, &self.audit_id, &self.stage, &self.request_uri, &self.verb];
        let times = [&self.request_received_timestamp, &self.stage_timestamp];
        let optional = [&self.kind, &self.api_version, &self.user_agent];
        let annotations = self.annotations.iter().flat_map(|Pairs(pairs)| pairs);
        length(own)
            + length(times)
            + length(optional.into_iter().flatten())
            + length(&self.source_ips)
            + self.user.bytes()
            + self.impersonated_user.as_ref().map_or(0, User::bytes)
            + self.object_ref.as_ref().map_or(0, ObjectRef::bytes)
            + self.response_status.as_ref().map_or(0, Status::bytes)
            + length(annotations.flat_map(|(key, value)| [key, value]))
    }
}

impl User<'_> {
    fn bytes(&self) -> usize {
        let extra = self.extra.iter().flat_map(|Pairs(pairs)| pairs);
        length(&self.username)
            + length(&self.uid)
            + length(&self.groups)
            + extra.map(|(key, values)| length([key]) + length(values)).sum::<usize>()
    }
}

impl ObjectRef<'_> {
    fn bytes(&self) -> usize {
        let fields = [
            &self.resource,
            &self.namespace,
            &self.name,
            &self.uid,
            &self.api_group,
            &self.api_version,
            &self.resource_version,
            &self.subresource,
        ];
        length(fields.into_iter().flatten())
    }
}

impl Status<'_> {
    fn bytes(&self) -> usize {
        length([&self.status, &self.reason, &self.message].into_iter().flatten())
            + usize::from(self.code.is_some())
    }
}

fn length<'a>(texts: impl IntoIterator<Item = &'a Text<'a>>) -> usize {
    texts.into_iter().map(|Text(text)| text.len()).sum()
}
