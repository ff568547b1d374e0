//! Lines of container logs, which the runtime splits when they are long.
//!
//! containerd and CRI-O write `<time> stdout P <text>` for a part and `F` for the last one. Docker writes
//! `{"log":"…","stream":"stdout","time":"…"}`, where only the last part ends with a newline. Lines of the other stream
//! may be interleaved with the parts of a line. A shipper may have reformatted Docker's lines: with blanks, other
//! escapes, reordered members, or an object over several lines.

use std::borrow::Cow;
use std::str;

use crate::framing::frame::trim_end;
use crate::instant::{Instant, instant};
use crate::json::{self, Extent, Object};
use memchr::{memchr, memchr2, memmem};
use podtrail_event::Micros;

/// A line of a container log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) stream: Stream,
    /// Whether its text continues in the next line of its stream.
    pub(crate) is_partial: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Out,
    Err,
}

impl Part {
    /// Parses a line of a container log. For a line that is an audit event, this costs almost nothing.
    pub(crate) fn of(line: &[u8]) -> Option<Self> {
        match line.first()? {
            b'0'..=b'9' => CriLine::of(line).map(|line| line.part),
            b'{' => Self::of_docker(line).or_else(|| Self::of_docker_reformatted(line)),
            _ => None,
        }
    }

    /// Returns the part at the start of `text` and its length up to the line end: a line, or an object over several
    /// lines if `may_span` is set.
    pub(crate) fn at_start(text: &[u8], may_span: bool) -> Next {
        let end = memchr2(b'\n', 0, text);
        let line = &text[..end.unwrap_or(text.len())];
        if let Some(part) = Self::of(trim_end(line)) {
            return if end.is_some() { Next::Part(part, line.len()) } else { Next::Open(part) };
        }
        if end.is_none() {
            return Next::Cut;
        }
        if !may_span || !begins_docker(text) {
            return Next::Other;
        }
        match json::extent(&text[..text.len().min(LONGEST_OBJECT)]) {
            Extent::Complete(length) => {
                let Some(part) = Self::of(&text[..length]) else { return Next::Other };
                let blanks = text[length..].iter().take_while(|byte| b" \t\r,".contains(byte));
                let length = length + blanks.count();
                if length < text.len() { Next::Part(part, length) } else { Next::Open(part) }
            }
            Extent::Incomplete if text.len() < LONGEST_OBJECT => Next::Cut,
            Extent::Incomplete | Extent::Invalid { .. } => Next::Other,
        }
    }

    /// Parses a line in Docker's exact form.
    fn of_docker(line: &[u8]) -> Option<Self> {
        // A quote inside the text is escaped, so the text cannot contain this delimiter.
        const AFTER: &[u8] = b"\",\"stream\":\"";
        let text = line.strip_prefix(b"{\"log\":\"")?;
        let end = memmem::rfind(text, AFTER)?;
        let (stream, _) = Stream::at_start(&text[end + AFTER.len()..])?;
        let text = &text[..end];
        Some(Self { stream, is_partial: !ends_with_newline(text) && !is_whole(text) })
    }

    /// Parses Docker's object in any other formatting.
    fn of_docker_reformatted(line: &[u8]) -> Option<Self> {
        if !begins_docker(line) {
            return None;
        }
        let DockerLine { text, stream, .. } = DockerLine::of(&Object::read(line)?)?;
        let is_partial = !text.ends_with('\n') && !is_whole(text.as_bytes());
        Some(Self { stream, is_partial })
    }
}

/// What a position where a part may begin contains.
pub(crate) enum Next {
    /// A part with this length in bytes.
    Part(Part, usize),
    /// A part that reaches to the end of the available text.
    Open(Part),
    /// Something else.
    Other,
    /// The text ends before the part does.
    Cut,
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

/// Docker's form of a container's line, or of a part of one.
#[derive(Debug)]
pub(crate) struct DockerLine<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) stream: Stream,
    pub(crate) time: Option<Micros>,
}

impl<'a> DockerLine<'a> {
    /// Returns the line in an object that has no other members.
    pub(crate) fn of(object: &Object<'a>) -> Option<Self> {
        let is_docker =
            object.iter().all(|(key, _)| matches!(key, "log" | "stream" | "time" | "attrs"));
        if !is_docker {
            return None;
        }
        let stream = object.text("stream")?;
        let (stream, _) = Stream::at_start(stream.as_bytes())?;
        Some(Self { text: object.text("log")?, stream, time: instant(object.get("time")?) })
    }
}

/// The form of containerd and CRI-O: `2026-11-24T10:09:15.123456789Z stdout P text`.
///
/// Parsed like `parseCRILog` of `k8s.io/cri-client`: four fields separated by single blanks. The third field holds tags
/// separated by colons, the first of which is `P` or `F`. A line without text may have lost its last blank.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CriLine<'a> {
    pub(crate) part: Part,
    pub(crate) time: Instant,
    pub(crate) text: &'a [u8],
}

impl<'a> CriLine<'a> {
    pub(crate) fn of(line: &'a [u8]) -> Option<Self> {
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
        let time = Instant::of(str::from_utf8(&line[..space]).ok()?)?;
        Some(Self { part: Part { stream, is_partial }, time, text })
    }
}

impl Stream {
    fn at_start(text: &[u8]) -> Option<(Self, &[u8])> {
        let out = text.strip_prefix(b"stdout").map(|rest| (Self::Out, rest));
        out.or_else(|| text.strip_prefix(b"stderr").map(|rest| (Self::Err, rest)))
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

#[cfg(test)]
mod tests {
    use crate::framing::frame::{Framer, Limits};

    const LIMIT: usize = 64 << 20;

    /// Returns offset and length of every record.
    fn records(log: &str, block: usize, record: usize) -> Vec<(u64, usize)> {
        let mut framer = Framer::new(log.as_bytes(), Limits { block, record });
        let mut records = Vec::new();
        while let Some(block) = framer.next_block() {
            records.extend(
                block
                    .records
                    .iter()
                    .map(|record| (block.offset + record.start as u64, record.end - record.start)),
            );
        }
        records
    }

    fn cri(stream: &str, tag: &str, text: &str) -> String {
        format!("2026-11-24T10:09:15.123456789Z {stream} {tag} {text}")
    }

    fn docker(stream: &str, text: &str) -> String {
        let text = serde_json::Value::from(text);
        format!(r#"{{"log":{text},"stream":"{stream}","time":"2026-11-24T10:09:15.123456789Z"}}"#)
    }

    /// Returns lines, and how many of them form each record.
    ///
    /// Based on the documentation of the runtimes; no real sample was available.
    fn table() -> Vec<(Vec<String>, Vec<usize>)> {
        let out = |tag, text| cri("stdout", tag, text);
        let err = |tag, text| cri("stderr", tag, text);
        let long = "x".repeat(16 * 1024);
        let braces = format!("{{{}}}", "x".repeat(16 * 1024 - 2));
        vec![
            (vec![out("F", "a"), out("F", "b")], vec![1, 1]),
            (vec![out("P", "a "), out("P", "b,"), out("F", "c")], vec![3]),
            (vec![out("P:x", "a"), out("F:x", "")], vec![2]),
            (vec![out("P", "a"), err("F", "e"), out("F", "b")], vec![3]),
            (
                vec![out("P", "a"), err("P", "e"), out("F", "b"), err("F", "f"), out("F", "c")],
                vec![4, 1],
            ),
            (vec![out("P", "a"), "text".into(), out("F", "b")], vec![1, 1, 1]),
            (vec![out("P", "a"), out("P", "b")], vec![2]),
            (vec![out("X", "a"), cri("stdlog", "P", "b")], vec![1, 1]),
            (vec!["2026-11-24 10:09:15 stdout P a".into(), "3 P".into()], vec![1, 1]),
            (vec![docker("stdout", "a\n"), docker("stdout", "b\n")], vec![1, 1]),
            (vec![docker("stdout", "a"), docker("stdout", "b"), docker("stdout", "c\n")], vec![3]),
            (vec![docker("stdout", "a\\n"), docker("stdout", "\",\"stream\":\"\n")], vec![2]),
            (
                vec![docker("stdout", &long), docker("stderr", "e\n"), docker("stdout", "\n")],
                vec![3],
            ),
            (vec![docker("stdout", "{a}"), docker("stdout", "{b}")], vec![1, 1]),
            (vec![docker("stdout", &braces), docker("stdout", "}\n")], vec![2]),
        ]
    }

    #[test]
    fn the_parts_of_a_line_are_one_record() {
        for (lines, counts) in table() {
            let log = lines.join("\n") + "\n";
            let mut expected = Vec::new();
            let mut offset = 0;
            let mut rest = &lines[..];
            for count in counts {
                let (record, others) = rest.split_at(count);
                let record = record.join("\n");
                expected.push((offset, record.trim_end().len()));
                offset += record.len() as u64 + 1;
                rest = others;
            }
            for block in [1, 50, 1000, 1 << 22] {
                assert_eq!(records(&log, block, LIMIT), expected, "{lines:?} in blocks of {block}");
            }
        }
    }

    /// A part that is never completed neither consumes the rest of the log nor waits forever.
    #[test]
    fn parts_without_end() {
        let part = cri("stdout", "P", "x");
        let log = format!("{}\nother\n", vec![&part[..]; 50_000].join("\n"));
        let length = part.len() + 1;
        for (limit, groups) in [(LIMIT, 4), (length * 1000 - 1, 50), (length * 1000 - 2, 51)] {
            let whole = records(&log, 1 << 22, limit);
            assert_eq!(whole.len(), groups + 1);
            assert_eq!(whole.last().map(|(_, length)| *length), Some("other".len()));
            assert_eq!(records(&log, 5000, limit), whole);
        }
    }
}
