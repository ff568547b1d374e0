//! The text format of old API servers (`--audit-log-format=legacy`, and basic audit before 1.7).
//!
//! Each stage is one line without bodies and object reference; the object reference is derived from the request URI.
//! Basic audit writes two lines per request, the second with the response only. `ip` is the FIRST source address, which
//! a client can forge.

use std::iter::Peekable;
use std::str::{self, Chars};

use chrono::DateTime;
use podtrail_event::Micros;
use serde_json::{Map, Value, json};

use crate::envelope::candidate::{Candidate, Facts};
use crate::envelope::family::{Envelope, Opened, Record};
use crate::envelope::request_path::RequestPath;

/// `2017-03-21T03:57:09.106841886-04:00 AUDIT: id="…" stage="…" ip="…" method="list" user="admin" …`.
pub(super) struct Legacy;

impl Envelope for Legacy {
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>> {
        let event = event_of(str::from_utf8(record.span.bytes).ok()?)?;
        let inner = Candidate::rebuilt(record.span, event.to_string(), Facts::default());
        Some(Opened::with("legacy-text", vec![inner]))
    }
}

/// Converts a line to an audit event.
fn event_of(line: &str) -> Option<Value> {
    let (time, fields) = line.split_once(" AUDIT: id=")?;
    let instant = DateTime::parse_from_rfc3339(time).ok()?;
    let instant = Micros::checked(instant.timestamp_micros()).and_then(Micros::to_rfc3339);
    // An invalid time is kept as written.
    let time = instant.unwrap_or_else(|| time.to_owned());
    let fields = Fields::read(fields)?;

    let mut event = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        event.extend(value.map(|value| (key.to_owned(), value)));
    };
    put("auditID", Some(fields.id.as_str().into()));
    let code = fields.get("response").and_then(|code| code.parse::<u16>().ok());
    let stage = if code.is_some() { "ResponseComplete" } else { "RequestReceived" };
    put("stage", Some(fields.get("stage").unwrap_or(stage).into()));
    put("requestReceivedTimestamp", Some(time.into()));
    put("responseStatus", code.map(|code| json!({ "metadata": {}, "code": code })));

    let uri = fields.get("uri");
    let path = uri.and_then(RequestPath::of);
    put("requestURI", uri.map(Value::from));
    put("objectRef", path.as_ref().map(RequestPath::object_ref));
    // Basic audit logs the HTTP method.
    let verb = fields.get("method").map(|method| match &path {
        Some(path) if method.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            path.verb(method, uri.unwrap_or_default())
        }
        _ => method.to_lowercase(),
    });
    put("verb", verb.map(Value::from));
    put("user", user(fields.get("user"), fields.get("groups")));
    put("impersonatedUser", user(fields.get("as"), fields.get("asgroups")));
    put("sourceIPs", fields.get("ip").map(|ip| json!([ip])));
    put("userAgent", fields.get("user-agent").map(Value::from));
    Some(event.into())
}

fn user(name: Option<&str>, groups: Option<&str>) -> Option<Value> {
    let mut user = json!({ "username": name? });
    if let Some(groups) = groups.and_then(list) {
        user["groups"] = groups.into();
    }
    Some(user)
}

/// The fields of a line.
struct Fields {
    id: String,
    others: Vec<(String, String)>,
}

impl Fields {
    /// Parses `"id" key="value" …`; `None` for any other form.
    fn read(text: &str) -> Option<Self> {
        let mut rest = text.chars().peekable();
        let id = quoted(&mut rest)?;
        let mut others = Vec::new();
        while rest.next_if_eq(&' ').is_some() {
            let mut key = String::new();
            while let Some(letter) =
                rest.next_if(|letter| letter.is_ascii_alphabetic() || *letter == '-')
            {
                key.push(letter);
            }
            rest.next_if_eq(&'=')?;
            others.push((key, quoted(&mut rest)?));
        }
        rest.next().is_none().then_some(Self { id, others })
    }

    /// Returns the value of a field; `None` for placeholders such as `<none>`.
    fn get(&self, key: &str) -> Option<&str> {
        const NOTHING: &[&str] = &["<none>", "<self>", "<lookup>", "<unknown>", "<deferred>", ""];
        let (_, value) = self.others.iter().find(|(name, _)| name == key)?;
        (!NOTHING.contains(&value.as_str())).then_some(value)
    }
}

/// Parses the strings of `"a","b"`.
fn list(text: &str) -> Option<Vec<String>> {
    let mut rest = text.chars().peekable();
    let mut strings = vec![quoted(&mut rest)?];
    while rest.next_if_eq(&',').is_some() {
        strings.push(quoted(&mut rest)?);
    }
    rest.next().is_none().then_some(strings)
}

/// Parses a string in the form of Go's `%q`.
fn quoted(rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    rest.next_if_eq(&'"')?;
    let mut text = String::new();
    loop {
        match rest.next()? {
            '"' => return Some(text),
            '\\' => text.push(escaped(rest)?),
            letter => text.push(letter),
        }
    }
}

/// Parses the escape after a backslash. A byte that is not text (`\xff`) becomes a replacement character.
fn escaped(rest: &mut Peekable<Chars<'_>>) -> Option<char> {
    let digits = match rest.next()? {
        'a' => return Some('\u{7}'),
        'b' => return Some('\u{8}'),
        'f' => return Some('\u{c}'),
        'n' => return Some('\n'),
        'r' => return Some('\r'),
        't' => return Some('\t'),
        'v' => return Some('\u{b}'),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        other => return Some(other),
    };
    let mut code = 0;
    for _ in 0..digits {
        code = code * 16 + rest.next()?.to_digit(16)?;
    }
    let is_byte = digits == 2 && code > 0x7f;
    Some(if is_byte { char::REPLACEMENT_CHARACTER } else { char::from_u32(code)? })
}
