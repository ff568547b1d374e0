//! Container runtime formats: CRI lines and Docker's json-file.
//!
//! Both runtimes split a line into parts of 16 KiB. The parts arrive as one record of several lines, interleaved with
//! whole lines and with parts of the other stream.

use std::borrow::Cow;

use memchr::memmem;
use podtrail_event::Micros;

use super::lifted::is_whole;
use super::{Envelope, Facts, Inner, Opened, Place, Record};
use crate::framing::container_line::{CriLine, DockerLine, Next, Part as LinePart, Stream};
use crate::framing::span::{Span, count_lines};
use crate::json::{self, Extent, Object};
use crate::reject::component_line;
use crate::run::split_records::Mark;

/// `2026-11-23T22:00:00.374797001Z stdout F {…}` and `{"log":"{…}\n","stream":"stdout","time":"…"}`.
pub(super) struct ContainerRuntime;

impl Envelope for ContainerRuntime {
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>> {
        match &record.object {
            Some(object) => {
                let part = docker_part(record.span.place(), object)?;
                Some(join("docker", vec![part]))
            }
            None => open_cri_lines(record.span),
        }
    }
}

/// Joins the lines into which Docker split one line of a container.
///
/// Returns `None` if `record` does not consist of such lines.
pub(super) fn join_docker_lines(record: Span<'_>) -> Option<Opened<'_>> {
    if !record.bytes.contains(&b'\n')
        || !matches!(LinePart::at_start(record.bytes, true), Next::Part(..))
    {
        return None;
    }
    let mut parts = Vec::new();
    let mut rest = record;
    while !rest.bytes.is_empty() {
        let Extent::Complete(length) = json::extent(rest.bytes) else { return None };
        let object = Object::read(&rest.bytes[..length])?;
        parts.push(docker_part(rest.place(), &object)?);
        rest = rest.after(length);
    }
    // A single part needs no joining.
    (parts.len() > 1).then(|| join("docker", parts))
}

fn open_cri_lines(record: Span<'_>) -> Option<Opened<'_>> {
    let parts: Option<Vec<_>> = lines(record).map(|(place, line)| cri_part(place, line)).collect();
    let parts = parts?;
    (!parts.is_empty()).then(|| join("cri", parts))
}

/// Marks the first line of a file as a part, if it may be the end of a line in another file.
pub(super) fn end_of_line<'a>(record: Span<'a>, mut opened: Opened<'a>) -> Opened<'a> {
    // An event ends with a brace.
    let is_end = |inner: &Inner<'_>| {
        let text = inner.text.trim_ascii();
        !json::is_open(text) && text.ends_with(b"}") && component_line(text).is_none()
    };
    let source = || match json::extent(record.bytes) {
        Extent::Complete(length) => {
            let line = DockerLine::of(&Object::read(&record.bytes[..length])?)?;
            Some((line.stream, line.time))
        }
        _ => CriLine::of(record.bytes).map(|line| (line.part.stream, line.time.stored())),
    };
    if opened.pieces.is_empty()
        && opened.values.len() == 1
        && opened.values.iter().all(is_end)
        && let Some((stream, time)) = source()
        && let Some(inner) = opened.values.pop()
    {
        let (is_stderr, place) = (stream == Stream::Err, inner.place);
        let part =
            Part { is_stderr, text: inner.text, is_last: true, place, time, seams: Vec::new() };
        opened.pieces.push(piece_of(part, false));
    }
    opened
}

/// A part of a container's line.
struct Part<'a> {
    is_stderr: bool,
    text: Cow<'a, [u8]>,
    /// Whether it is the last part of its line.
    is_last: bool,
    place: Place,
    time: Option<Micros>,
    /// Where parts were appended that begin like an event.
    seams: Vec<Seam>,
}

/// The start of a part within the joined line.
struct Seam {
    at: usize,
    place: Place,
    time: Option<Micros>,
}

/// Returns whether a text begins like an event; the order of members may vary.
fn begins_event(text: &[u8]) -> bool {
    const HEAD: usize = 4096;
    let head = &text[..text.len().min(HEAD)];
    head.starts_with(b"{") && memmem::find(head, b"\"auditID\"").is_some()
}

fn cri_part(place: Place, line: &[u8]) -> Option<Part<'_>> {
    let CriLine { part, time, text } = CriLine::of(line)?;
    let before = line.len() - text.len();
    Some(Part {
        is_stderr: part.stream == Stream::Err,
        text: text.into(),
        is_last: !part.is_partial,
        place: Place { offset: place.offset + before as u64, line: place.line },
        time: time.stored(),
        seams: Vec::new(),
    })
}

fn docker_part<'a>(place: Place, object: &Object<'a>) -> Option<Part<'a>> {
    let DockerLine { text, stream, time } = DockerLine::of(object)?;
    let is_stderr = stream == Stream::Err;
    let is_last = text.ends_with('\n');
    let text = match text {
        Cow::Borrowed(text) => text.as_bytes().into(),
        Cow::Owned(text) => text.into_bytes().into(),
    };
    Some(Part { is_stderr, text, is_last, place, time, seams: Vec::new() })
}

/// Joins parts to the container's lines, in the order in which the lines ended.
fn join<'a>(name: &'static str, parts: Vec<Part<'a>>) -> Opened<'a> {
    let mut values = Vec::with_capacity(1);
    let mut open: [Option<Part<'a>>; 2] = [None, None];
    for part in parts {
        let unfinished = &mut open[usize::from(part.is_stderr)];
        let part = match unfinished.take() {
            None => part,
            Some(mut before) => {
                if begins_event(&part.text) {
                    let (at, place, time) = (before.text.len(), part.place, part.time);
                    before.seams.push(Seam { at, place, time });
                }
                before.text.to_mut().extend_from_slice(&part.text);
                Part { is_last: part.is_last, ..before }
            }
        };
        if part.is_last {
            values.extend(lines_of(part));
        } else {
            *unfinished = Some(part);
        }
    }
    // A line that is incomplete at the end of a file continues in another file.
    let mut pieces = Vec::new();
    for mut part in open.into_iter().flatten() {
        if let Some(Seam { at, place, time }) = part.seams.pop() {
            let text = part.text.to_mut().split_off(at).into();
            let last = Part {
                is_stderr: part.is_stderr,
                text,
                is_last: false,
                place,
                time,
                seams: Vec::new(),
            };
            values.extend(lines_of(part));
            part = last;
        }
        pieces.push(piece_of(part, true));
    }
    Opened { name, values, pieces, ..Opened::default() }
}

/// Returns an incomplete line as a part with its mark, and as the container line it would form.
fn piece_of(part: Part<'_>, goes_on: bool) -> (Mark, Inner<'_>, Vec<u8>) {
    let mark = Mark::of_runtime(part.is_stderr, goes_on, part.time);
    let time = part.time.unwrap_or(Micros::FIRST).to_rfc3339().unwrap_or_default();
    let stream = if part.is_stderr { "stderr" } else { "stdout" };
    let tag = if goes_on { "P" } else { "F" };
    let raw = [format!("{time} {stream} {tag} ").as_bytes(), &part.text].concat();
    (mark, line_of(part), raw)
}

fn line_of(part: Part<'_>) -> Inner<'_> {
    let facts = Facts { shipped_at: part.time, ..Facts::default() };
    Inner { text: part.text, place: part.place, facts }
}

/// Splits joined parts into lines. If the end of a line is missing, the next line was appended to it: text that is not
/// one value is split where an event begins.
fn lines_of(mut part: Part<'_>) -> Vec<Inner<'_>> {
    let inner = |text, place, time| {
        let facts = Facts { shipped_at: time, ..Facts::default() };
        Inner { text, place, facts }
    };
    let mut lines = Vec::with_capacity(1);
    if !part.seams.is_empty() && !is_whole(&part.text) {
        for Seam { at, place, time } in std::mem::take(&mut part.seams).into_iter().rev() {
            let text = part.text.to_mut().split_off(at);
            lines.push(inner(text.into(), place, time));
        }
    }
    lines.push(inner(part.text, part.place, part.time));
    lines.reverse();
    lines
}

/// Returns the lines of a record verbatim: a part may begin or end with a blank.
fn lines(record: Span<'_>) -> impl Iterator<Item = (Place, &[u8])> {
    let mut place = record.place();
    let lines = record.bytes.split_inclusive(|byte| *byte == b'\n').map(move |whole| {
        let at = place;
        place = Place {
            offset: place.offset + whole.len() as u64,
            line: place.line + count_lines(whole),
        };
        let line = whole.strip_suffix(b"\n").unwrap_or(whole);
        (at, line.strip_suffix(b"\r").unwrap_or(line))
    });
    lines.filter(|(_, line)| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Room;

    fn span(record: &str) -> Span<'_> {
        Span::at(Place { offset: 10, line: 3 }, record.as_bytes())
    }

    fn texts(opened: &Opened<'_>) -> Vec<(String, u64)> {
        let text = |inner: &Inner<'_>| String::from_utf8(inner.text.to_vec()).unwrap();
        opened.values.iter().map(|inner| (text(inner), inner.place.line)).collect()
    }

    /// Blanks and commas at the seams belong to the line.
    #[test]
    fn cri_parts_are_joined_by_stream() {
        let record = "2026-11-23T22:00:00Z stdout P {\"a\": \n\
                      2026-11-23T22:00:01Z stderr F I1123 whole\r\n\
                      2026-11-23T22:00:02Z stderr P of the \n\
                      2026-11-23T22:00:03Z stdout P ,\n\
                      2026-11-23T22:00:04Z stdout F , 1}\n\
                      2026-11-23T22:00:05Z stderr F other\n\
                      2026-11-23T22:00:06Z stdout P cut";
        let opened = ContainerRuntime.open(&Record::new(span(record), &Room::default())).unwrap();
        let expected = [("I1123 whole", 4), (r#"{"a": ,, 1}"#, 3), ("of the other", 5)];
        assert_eq!(texts(&opened), expected.map(|(text, line)| (text.to_owned(), line)));
        let [(mark, part, _)] = opened.pieces.as_slice() else { panic!("a part without its end") };
        assert!(mark.goes_on);
        assert_eq!((part.text.as_ref(), part.place.line), (b"cut".as_slice(), 9));
        assert_eq!(opened.values[1].place.offset, 10 + 30);
    }

    #[test]
    fn docker_parts_are_joined_by_stream() {
        let record = concat!(
            r#"{"log":"{\"a\": ","stream":"stdout","time":"2026-11-23T22:00:00Z"}"#,
            "\n",
            r#"{"log":"klog\n","stream":"stderr","time":"2026-11-23T22:00:01Z"}"#,
            "\n",
            r#"{"log":" 1}\n","stream":"stdout","time":"2026-11-23T22:00:02Z"}"#,
        );
        let opened = join_docker_lines(span(record)).unwrap();
        let expected = [("klog\n", 4), ("{\"a\":  1}\n", 3)];
        assert_eq!(texts(&opened), expected.map(|(text, line)| (text.to_owned(), line)));
    }

    /// The end of the first line is missing.
    #[test]
    fn an_event_behind_an_unfinished_line_is_a_line() {
        let time = "2026-11-23T22:00:00Z stdout";
        let record = format!(
            "{time} P {{\"auditID\":\"a\",\"a\":\n{time} P {{\"auditID\":\"a\",\n{time} F \"b\":1}}"
        );
        let opened = ContainerRuntime.open(&Record::new(span(&record), &Room::default())).unwrap();
        let expected = [(r#"{"auditID":"a","a":"#, 3), (r#"{"auditID":"a","b":1}"#, 4)];
        assert_eq!(texts(&opened), expected.map(|(text, line)| (text.to_owned(), line)));
        // A value that contains an event is one value.
        let record =
            format!("{time} P {{\"items\":[\n{time} P {{\"auditID\":\"a\"\n{time} F }}]}}");
        let opened = ContainerRuntime.open(&Record::new(span(&record), &Room::default())).unwrap();
        assert_eq!(texts(&opened), [(r#"{"items":[{"auditID":"a"}]}"#.to_owned(), 3)]);
    }

    #[test]
    fn other_lines_are_neither() {
        for record in [
            "2026-11-23T22:00:00Z stdout X {}",
            "2026-11-23T22:00:00Z stdlog F {}",
            "yesterday stdout F {}",
            "2026-11-23T22:00:00Z stdout F {}\nother",
            "",
            r#"{"log":"x\n","stream":"stdout"}"#,
            r#"{"log":"x\n","stream":"stdout","time":"2026-11-23T22:00:00Z","kubernetes":{}}"#,
        ] {
            assert!(
                ContainerRuntime.open(&Record::new(span(record), &Room::default())).is_none(),
                "{record}"
            );
            assert!(join_docker_lines(span(record)).is_none(), "{record}");
        }
    }
}
