//! Lines of text with an event after a prefix: syslog, `kubectl logs`, files of Fluentd, kcat.

use std::str;

use podtrail_event::Micros;
use serde::de::IgnoredAny;

use crate::envelope::candidate::{Candidate, Facts};
use crate::envelope::event_text::mentions_events;
use crate::envelope::family::{Envelope, Opened, Record};
use crate::instant::{Instant, instant_of};
use crate::json;
use crate::reject::component_line;

/// `<134>1 2026-11-23T22:00:00Z host app - - - {…}` and similar forms.
pub(super) struct Prefixed;

/// A line without its prefix.
struct Line<'a> {
    name: &'static str,
    text: &'a str,
    node: Option<&'a str>,
    time: Option<Micros>,
}

/// The parsers of line forms, the most specific first.
const FORMS: &[fn(&str) -> Option<Line<'_>>] = &[fluentd, kubectl, syslog, kcat];

impl Envelope for Prefixed {
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>> {
        let bytes = record.span.bytes;
        if json::is_open(bytes) {
            return None;
        }
        let whole = str::from_utf8(bytes).ok()?;
        let line = FORMS.iter().filter_map(|form| form(whole)).find(|line| is_content(line.text));
        let named = line.map(|line| {
            let facts = Facts {
                node: line.node.filter(|node| *node != "-").map(Into::into),
                shipped_at: line.time,
                ..Facts::default()
            };
            (line.name, line.text, facts)
        });
        let (name, text, facts) = named.or_else(|| {
            // An unknown prefix cannot be interpreted, so it is kept.
            let facts = Facts { original: Some(bytes.into()), ..Facts::default() };
            Some(("text", behind_prefix(whole)?, facts))
        })?;
        // Syslog daemons escape the line end.
        let text = text.strip_suffix("#012").unwrap_or(text);
        let at = record.span.locate(text.as_bytes());
        let inner = Candidate::verbatim(at, facts);
        Some(Opened::with(name, vec![inner]))
    }
}

/// Returns whether the text after a prefix is JSON, or a component's log line.
fn is_content(text: &str) -> bool {
    let is_legacy =
        || text.starts_with(|first: char| first.is_ascii_digit()) && text.contains(" AUDIT: id=");
    if json::is_open(text.as_bytes()) {
        mentions_events(text.as_bytes())
    } else {
        component_line(text.as_bytes()).is_some() || is_legacy()
    }
}

/// Parses `2026-11-23T22:00:00+00:00<TAB>tag<TAB>{…}`, the form of Fluentd's file output.
fn fluentd(line: &str) -> Option<Line<'_>> {
    let mut fields = line.splitn(3, '\t');
    let time = Instant::of(fields.next()?)?.stored();
    let (_tag, text) = (fields.next()?, fields.next()?);
    Some(Line { name: "fluentd", text, node: None, time })
}

/// Parses `[pod/kube-apiserver-n1/kube-apiserver] 2026-11-23T22:00:00Z {…}`, with one prefix or both (`--prefix`,
/// `--timestamps`).
fn kubectl(line: &str) -> Option<Line<'_>> {
    let (pod, rest) = match line.strip_prefix("[pod/") {
        Some(rest) => {
            let (prefix, rest) = rest.split_once("] ")?;
            (prefix.split('/').next(), rest)
        }
        None => (None, line),
    };
    let timed = rest.split_once([' ', '\t']).and_then(|(time, text)| Some((dated(time)?, text)));
    let is_timed = timed.is_some();
    let (time, text) = timed.map_or((None, rest), |(time, text)| (time.stored(), text));
    if pod.is_none() && !is_timed {
        return None;
    }
    // The name of a static pod ends with its node.
    let node = pod.and_then(|pod| pod.strip_prefix("kube-apiserver-"));
    Some(Line { name: "kubectl-logs", text: text.trim_start(), node, time })
}

/// Parses a time with a date, not a bare number.
fn dated(text: &str) -> Option<Instant> {
    text.contains('T').then(|| Instant::of(text))?
}

/// Parses RFC 5424, RFC 3164, and what daemons write to files: the same without the priority.
fn syslog(line: &str) -> Option<Line<'_>> {
    // Over TCP, each message may be preceded by its length.
    let framed = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let line = framed.strip_prefix(' ').filter(|rest| rest.starts_with('<')).unwrap_or(line);
    let Some(prioritised) = line.strip_prefix('<') else { return plain_syslog(line) };
    let (priority, rest) = prioritised.split_once('>')?;
    if priority.is_empty() || !priority.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match rest.strip_prefix("1 ") {
        Some(rest) => rfc5424(rest),
        None => plain_syslog(rest),
    }
}

/// Parses `TIMESTAMP HOST APP PROCID MSGID STRUCTURED-DATA MESSAGE`.
fn rfc5424(rest: &str) -> Option<Line<'_>> {
    let mut fields = rest.splitn(6, ' ');
    let time = instant_of(fields.next()?);
    let node = fields.next()?;
    let rest = fields.nth(3)?;
    let mut text = rest.strip_prefix('-').unwrap_or(rest);
    while text.starts_with('[') {
        text = &text[end_of_element(text)?..];
    }
    let text = text.strip_prefix(' ')?.trim_start_matches('\u{feff}');
    Some(Line { name: "syslog", text, node: Some(node), time })
}

/// Returns the end of `[id name="value"]`; brackets in values are escaped.
fn end_of_element(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            ']' if !is_escaped => return Some(at + 1),
            _ => is_escaped = letter == '\\' && !is_escaped,
        }
    }
    None
}

/// Parses `Nov 23 22:00:00 host tag[1]: MESSAGE`, or the same with a full timestamp. The short timestamp has neither
/// year nor offset and is ignored.
fn plain_syslog(line: &str) -> Option<Line<'_>> {
    let (time, rest) = match line.split_once(' ')? {
        (time, rest) if dated(time).is_some() => (dated(time), rest),
        _ => (None, after_bsd_time(line)?),
    };
    let (node, rest) = rest.split_once(' ')?;
    // The tag contains neither blanks nor braces, and may be missing.
    let text = match rest.split_once(": ") {
        Some((tag, text)) if !tag.contains([' ', '{']) => text,
        _ => rest,
    };
    Some(Line {
        name: "syslog",
        text: text.trim_start(),
        node: Some(node),
        time: time.and_then(Instant::stored),
    })
}

/// Returns the text after `Nov 23 22:00:00 `.
fn after_bsd_time(line: &str) -> Option<&str> {
    const MONTHS: &str = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec";
    let (month, rest) = line.split_once(' ')?;
    if month.len() != 3 || !MONTHS.split(' ').any(|name| name == month) {
        return None;
    }
    let (day, rest) = rest.trim_start().split_once(' ')?;
    day.parse::<u8>().ok()?;
    let (time, rest) = rest.split_once(' ')?;
    let is_time = time.len() == 8 && time.split(':').all(|part| part.parse::<u8>().is_ok());
    is_time.then_some(rest)
}

/// Parses `1795471200374 key {…}`: milliseconds, key and payload, as printed by `kcat -f '%T %k %s'`.
fn kcat(line: &str) -> Option<Line<'_>> {
    let (time, rest) = line.split_once(' ')?;
    let is_millis = time.len() == 13 && time.bytes().all(|byte| byte.is_ascii_digit());
    let (key, _) = rest.split_once('{')?;
    let is_key = key.len() < 256 && (key.is_empty() || key.ends_with(' '));
    let time = (is_millis && is_key).then(|| instant_of(time))?;
    Some(Line { name: "kafka", text: &rest[key.len()..], node: None, time })
}

/// Returns the event after an unknown prefix, such as the file names of `grep` and the container names of `stern`.
///
/// The event must be complete and the prefix plain text, so that half an event before it is not mistaken for a prefix.
fn behind_prefix(line: &str) -> Option<&str> {
    const MAX_PREFIX: usize = 256;
    let (prefix, _) = line.split_once('{')?;
    let is_plain = |letter: char| !letter.is_control() && !matches!(letter, '"' | '\\' | '}');
    let is_prefix = prefix.len() <= MAX_PREFIX
        && prefix.chars().all(is_plain)
        && prefix.starts_with(|letter: char| letter.is_alphanumeric() || "[<./".contains(letter))
        && prefix.ends_with([' ', '\t', ':', '|', '>']);
    let text = &line[prefix.len()..];
    let is_event = is_prefix
        && mentions_events(text.as_bytes())
        && serde_json::from_str::<IgnoredAny>(text).is_ok();
    is_event.then_some(text)
}
