//! Lines of container logs, which the runtime splits when they are long.
//!
//! containerd and CRI-O write `<time> stdout P <text>` for a part and `F` for the last one. Docker writes
//! `{"log":"…","stream":"stdout","time":"…"}`, where only the last part ends with a newline. Lines of the other stream
//! may be interleaved with the parts of a line. A shipper may have reformatted Docker's lines: with blanks, other
//! escapes, reordered members, or an object over several lines.
//!
//! Every line of a log is tested for these forms, so an audit event must be ruled out by its first bytes. That is why
//! Docker's exact form is scanned here, instead of parsed as JSON.

use std::borrow::Cow;
use std::str;

use memchr::{memchr, memchr2, memmem};
use podtrail_event::Micros;

use crate::framing::span::trim_end;
use crate::instant::{Instant, instant};
use crate::json::{self, Extent, Object};

/// What a container runtime states about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LineTag {
    pub(crate) stream: Stream,
    /// Whether its text continues in the next line of its stream.
    pub(crate) is_partial: bool,
}

/// The output stream of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Out,
    Err,
}

/// A line of a container log: a whole line of the container, or a part of one.
#[derive(Debug, Clone)]
pub(crate) struct ContainerLine<'a> {
    pub(crate) tag: LineTag,
    /// When it was written, if the time is in the range in which events are stored.
    pub(crate) time: Option<Micros>,
    pub(crate) text: Cow<'a, [u8]>,
}

/// What a position where a container line may begin contains.
pub(crate) enum Next {
    /// A container line with this length in bytes.
    Line(LineTag, usize),
    /// A container line that reaches to the end of the available text.
    Open(LineTag),
    /// Something else.
    Other,
    /// The text ends before the line does.
    Cut,
}

impl LineTag {
    /// Reads the tag of a container line. For a line that is an audit event, this costs almost nothing.
    pub(crate) fn of(line: &[u8]) -> Option<Self> {
        match line.first()? {
            b'0'..=b'9' => ContainerLine::of_cri(line).map(|line| line.tag),
            b'{' => Self::of_docker(line).or_else(|| Self::of_docker_reformatted(line)),
            _ => None,
        }
    }

    /// Returns the tag of the container line at the start of `text` and its length up to the line end: a line, or an
    /// object over several lines if `may_span` is set.
    pub(crate) fn at_start(text: &[u8], may_span: bool) -> Next {
        let end = memchr2(b'\n', 0, text);
        let line = &text[..end.unwrap_or(text.len())];
        if let Some(tag) = Self::of(trim_end(line)) {
            return if end.is_some() { Next::Line(tag, line.len()) } else { Next::Open(tag) };
        }
        if end.is_none() {
            return Next::Cut;
        }
        if !may_span || !begins_docker(text) {
            return Next::Other;
        }
        match json::extent(&text[..text.len().min(LONGEST_OBJECT)]) {
            Extent::Complete(length) => {
                let Some(tag) = Self::of(&text[..length]) else { return Next::Other };
                let blanks = text[length..].iter().take_while(|byte| b" \t\r,".contains(byte));
                let length = length + blanks.count();
                if length < text.len() { Next::Line(tag, length) } else { Next::Open(tag) }
            }
            Extent::Incomplete if text.len() < LONGEST_OBJECT => Next::Cut,
            Extent::Incomplete | Extent::Invalid { .. } => Next::Other,
        }
    }

    /// Reads the tag of a line in Docker's exact form.
    fn of_docker(line: &[u8]) -> Option<Self> {
        // A quote inside the text is escaped, so the text cannot contain this delimiter.
        const AFTER: &[u8] = b"\",\"stream\":\"";
        let text = line.strip_prefix(b"{\"log\":\"")?;
        let end = memmem::rfind(text, AFTER)?;
        let (stream, _) = Stream::at_start(&text[end + AFTER.len()..])?;
        let text = &text[..end];
        Some(Self { stream, is_partial: !ends_with_newline(text) && !is_whole(text) })
    }

    /// Reads the tag of Docker's object in any other formatting.
    fn of_docker_reformatted(line: &[u8]) -> Option<Self> {
        begins_docker(line)
            .then(|| ContainerLine::of_docker(&Object::read(line)?))?
            .map(|line| line.tag)
    }
}

/// Returns whether an object begins with a member of Docker's lines.
fn begins_docker(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"{") else { return false };
    let Some(name) = rest.trim_ascii_start().strip_prefix(b"\"") else { return false };
    let is_member = |member: &&[u8]| name.starts_with(member);
    // An escaped name may be any name.
    name.first() == Some(&b'\\') || DOCKER_MEMBERS.iter().any(is_member)
}

/// Docker's buffer with every character escaped as `\\uXXXX`, and the same length again for the rest.
const LONGEST_OBJECT: usize = 256 * 1024;

const DOCKER_MEMBERS: [&[u8]; 4] = [b"log\"", b"stream\"", b"time\"", b"attrs\""];

impl<'a> ContainerLine<'a> {
    /// Reads Docker's form: an object with its members only.
    pub(crate) fn of_docker(object: &Object<'a>) -> Option<Self> {
        let is_docker =
            object.iter().all(|(key, _)| matches!(key, "log" | "stream" | "time" | "attrs"));
        if !is_docker {
            return None;
        }
        let stream = object.text("stream")?;
        let (stream, _) = Stream::at_start(stream.as_bytes())?;
        let text = json::into_bytes(object.text("log")?);
        let is_partial = !text.ends_with(b"\n") && !is_whole(&text);
        Some(Self { tag: LineTag { stream, is_partial }, time: instant(object.get("time")?), text })
    }

    /// Reads the form of containerd and CRI-O: `2026-11-24T10:09:15.123456789Z stdout P text`.
    ///
    /// Parsed like `parseCRILog` of `k8s.io/cri-client`: four fields separated by single blanks. The third field holds
    /// tags separated by colons, the first of which is `P` or `F`. A line without text may have lost its last blank.
    pub(crate) fn of_cri(line: &'a [u8]) -> Option<Self> {
        const SHORTEST_TIME: usize = "2026-11-24T10:09:15Z".len();
        const LONGEST_TIME: usize = "2026-11-24T10:09:15.123456789+01:00".len();
        let space = memchr(b' ', &line[..line.len().min(LONGEST_TIME + 1)])?;
        if space < SHORTEST_TIME || line[4] != b'-' || line[10] != b'T' {
            return None;
        }
        let (stream, rest) = Stream::at_start(&line[space + 1..])?;
        let rest = rest.strip_prefix(b" ")?;
        let (tags, text) = match memchr(b' ', rest) {
            Some(end) => (&rest[..end], &rest[end + 1..]),
            None => (rest, &rest[rest.len()..]),
        };
        let is_partial = match tags {
            [b'P'] | [b'P', b':', ..] => true,
            [b'F'] | [b'F', b':', ..] => false,
            _ => return None,
        };
        let time = Instant::of(str::from_utf8(&line[..space]).ok()?)?.stored();
        Some(Self { tag: LineTag { stream, is_partial }, time, text: text.into() })
    }

    /// Writes a line in the form of containerd and CRI-O.
    pub(crate) fn to_cri(&self) -> Vec<u8> {
        let time = self.time.unwrap_or(Micros::FIRST).to_rfc3339().unwrap_or_default();
        let tag = if self.tag.is_partial { "P" } else { "F" };
        let head = format!("{time} {} {tag} ", self.tag.stream.name());
        [head.as_bytes(), &self.text].concat()
    }
}

impl Stream {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Out => "stdout",
            Self::Err => "stderr",
        }
    }

    fn at_start(text: &[u8]) -> Option<(Self, &[u8])> {
        let streams = [Self::Out, Self::Err].into_iter();
        let mut found = streams.filter_map(|stream| {
            text.strip_prefix(stream.name().as_bytes()).map(|rest| (stream, rest))
        });
        found.next()
    }
}

/// Returns whether the raw content of a JSON string ends with a newline: an `n` after an odd number of backslashes.
fn ends_with_newline(text: &[u8]) -> bool {
    let Some(text) = text.strip_suffix(b"n") else { return false };
    text.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// Returns whether a text without a trailing newline is complete: shippers that write this form strip newlines. A part
/// that Docker split fills its buffer.
fn is_whole(text: &[u8]) -> bool {
    const BUFFER: usize = 16 * 1024;
    text.first() == Some(&b'{') && text.last() == Some(&b'}') && text.len() < BUFFER
}
