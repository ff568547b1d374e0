//! Container runtime formats: CRI lines and Docker's json-file.
//!
//! `framing::container_line` reads the forms. Both runtimes split a line into parts of 16 KiB. The parts arrive as one
//! record of several lines, interleaved with whole lines and with parts of the other stream.

use std::borrow::Cow;

use podtrail_event::Micros;

use crate::envelope::candidate::{Candidate, Facts};
use crate::envelope::event_text::{begins_event, is_whole};
use crate::envelope::family::{Envelope, Opened, Record};
use crate::envelope::part::Part;
use crate::framing::container_line::{ContainerLine, LineTag, Next, Stream};
use crate::framing::span::{Place, Span, count_lines};
use crate::json::{self, Extent, Object};
use crate::reject::component_line;

/// `2026-11-23T22:00:00.374797001Z stdout F {…}` and `{"log":"{…}\n","stream":"stdout","time":"…"}`.
pub(super) struct ContainerRuntime;

impl Envelope for ContainerRuntime {
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>> {
        match &record.object {
            Some(object) => {
                let line = ContainerLine::of_docker(object)?;
                Some(join("docker", record, vec![Line::of(line, record.span.place())]))
            }
            None => open_cri_lines(record),
        }
    }
}

/// Opens the lines into which Docker split one line of a container. They are one record, although each is a JSON value.
pub(super) fn open_docker_lines<'a>(record: &Record<'a>) -> Option<Opened<'a>> {
    let text = record.span.bytes;
    if !text.contains(&b'\n') || !matches!(LineTag::at_start(text, true), Next::Line(..)) {
        return None;
    }
    let mut lines = Vec::new();
    let mut rest = record.span;
    while !rest.bytes.is_empty() {
        let Extent::Complete(length) = json::extent(rest.bytes) else { return None };
        let line = ContainerLine::of_docker(&Object::read(&rest.bytes[..length])?)?;
        lines.push(Line::of(line, rest.place()));
        rest = rest.after(length);
    }
    // A single line needs no joining.
    (lines.len() > 1).then(|| join("docker", record, lines))
}

fn open_cri_lines<'a>(record: &Record<'a>) -> Option<Opened<'a>> {
    let mut lines = Vec::with_capacity(1);
    for (place, text) in lines_of(record.span) {
        let line = ContainerLine::of_cri(text)?;
        let before = (text.len() - line.text.len()) as u64;
        lines.push(Line::of(line, Place { offset: place.offset + before, ..place }));
    }
    (!lines.is_empty()).then(|| join("cri", record, lines))
}

/// A line of a container, as far as its parts were joined.
struct Line<'a> {
    tag: LineTag,
    text: Cow<'a, [u8]>,
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

impl<'a> Line<'a> {
    fn of(line: ContainerLine<'a>, place: Place) -> Self {
        let ContainerLine { tag, time, text } = line;
        Self { tag, text, place, time, seams: Vec::new() }
    }

    /// Appends the part that follows.
    fn append(&mut self, part: &Self) {
        if begins_event(&part.text) {
            self.seams.push(Seam { at: self.text.len(), place: part.place, time: part.time });
        }
        self.text.to_mut().extend_from_slice(&part.text);
        self.tag = part.tag;
    }

    /// Splits the line into a line and the text from a seam on.
    fn split_off(&mut self, Seam { at, place, time }: Seam) -> Self {
        let text = self.text.to_mut().split_off(at).into();
        Self { tag: self.tag, text, place, time, seams: Vec::new() }
    }

    /// Splits the line where events begin, if it is not one value: if the end of a line is missing, the next line was
    /// appended to it.
    fn into_values(mut self) -> Vec<Candidate<'a>> {
        let mut lines = Vec::with_capacity(1);
        if !self.seams.is_empty() && !is_whole(&self.text) {
            while let Some(seam) = self.seams.pop() {
                lines.push(self.split_off(seam));
            }
        }
        lines.push(self);
        lines.into_iter().rev().map(Self::into_value).collect()
    }

    fn into_value(self) -> Candidate<'a> {
        let facts = Facts { shipped_at: self.time, ..Facts::default() };
        Candidate { json: self.text, place: self.place, facts }
    }

    /// Returns the line as a part of a line that continues in another file, with the container line it would form.
    fn into_part(self) -> Part {
        let line = ContainerLine { tag: self.tag, time: self.time, text: self.text };
        Part::of_runtime(line, self.place)
    }
}

/// Joins lines to the container's lines, in the order in which these ended.
fn join<'a>(name: &'static str, record: &Record<'a>, lines: Vec<Line<'a>>) -> Opened<'a> {
    let mut whole = Vec::with_capacity(1);
    let mut open: [Option<Line<'a>>; 2] = [None, None];
    for line in lines {
        let unfinished = &mut open[usize::from(line.tag.stream == Stream::Err)];
        let line = match unfinished.take() {
            None => line,
            Some(mut before) => {
                before.append(&line);
                before
            }
        };
        if line.tag.is_partial {
            *unfinished = Some(line);
        } else {
            whole.push(line);
        }
    }
    let mut parts = Vec::new();
    // The first line of a source may be the end of a line in another source.
    if record.is_first
        && open.iter().all(Option::is_none)
        && let [only] = whole.as_slice()
        && only.seams.is_empty()
        && is_end(&only.text)
    {
        parts.extend(whole.pop().map(Line::into_part));
    }
    let mut values: Vec<_> = whole.into_iter().flat_map(Line::into_values).collect();
    // A line that is incomplete at the end of a source continues in another source.
    for mut line in open.into_iter().flatten() {
        if let Some(seam) = line.seams.pop() {
            let last = line.split_off(seam);
            values.extend(line.into_values());
            line = last;
        }
        parts.push(line.into_part());
    }
    Opened { name, values, parts, ..Opened::default() }
}

/// Returns whether a text may be the end of an event, which ends with a brace.
fn is_end(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    !json::is_open(text) && text.ends_with(b"}") && component_line(text).is_none()
}

/// Returns the lines of a record verbatim: a part may begin or end with a blank.
fn lines_of(record: Span<'_>) -> impl Iterator<Item = (Place, &[u8])> {
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
    use crate::envelope::unpack_budget::UnpackBudget;

    fn span(record: &str) -> Span<'_> {
        Span::at(Place { offset: 10, line: 3 }, record.as_bytes())
    }

    fn record(text: &str) -> Record<'_> {
        Record::new(span(text), &UnpackBudget::default())
    }

    fn texts(opened: &Opened<'_>) -> Vec<(String, u64)> {
        let text = |line: &Candidate<'_>| String::from_utf8(line.json.to_vec()).unwrap();
        opened.values.iter().map(|line| (text(line), line.place.line)).collect()
    }

    /// Blanks and commas at the part boundaries belong to the line.
    #[test]
    fn cri_parts_are_joined_by_stream() {
        let log = "2026-11-23T22:00:00Z stdout P {\"a\": \n\
                      2026-11-23T22:00:01Z stderr F I1123 whole\r\n\
                      2026-11-23T22:00:02Z stderr P of the \n\
                      2026-11-23T22:00:03Z stdout P ,\n\
                      2026-11-23T22:00:04Z stdout F , 1}\n\
                      2026-11-23T22:00:05Z stderr F other\n\
                      2026-11-23T22:00:06Z stdout P cut";
        let opened = ContainerRuntime.open(&record(log)).unwrap();
        let expected = [("I1123 whole", 4), (r#"{"a": ,, 1}"#, 3), ("of the other", 5)];
        assert_eq!(texts(&opened), expected.map(|(text, line)| (text.to_owned(), line)));
        let [part] = opened.parts.as_slice() else { panic!("a part without its end") };
        assert!(part.mark.goes_on);
        assert_eq!((part.text.as_slice(), part.place.line), (b"cut".as_slice(), 9));
        assert_eq!(opened.values[1].place.offset, 10 + 30);
    }

    #[test]
    fn docker_parts_are_joined_by_stream() {
        let log = concat!(
            r#"{"log":"{\"a\": ","stream":"stdout","time":"2026-11-23T22:00:00Z"}"#,
            "\n",
            r#"{"log":"klog\n","stream":"stderr","time":"2026-11-23T22:00:01Z"}"#,
            "\n",
            r#"{"log":" 1}\n","stream":"stdout","time":"2026-11-23T22:00:02Z"}"#,
        );
        let opened = open_docker_lines(&record(log)).unwrap();
        let expected = [("klog\n", 4), ("{\"a\":  1}\n", 3)];
        assert_eq!(texts(&opened), expected.map(|(text, line)| (text.to_owned(), line)));
    }

    /// The end of the first line is missing.
    #[test]
    fn an_event_behind_an_unfinished_line_is_a_line() {
        let time = "2026-11-23T22:00:00Z stdout";
        let log = format!(
            "{time} P {{\"auditID\":\"a\",\"a\":\n{time} P {{\"auditID\":\"a\",\n{time} F \"b\":1}}"
        );
        let opened = ContainerRuntime.open(&record(&log)).unwrap();
        let expected = [(r#"{"auditID":"a","a":"#, 3), (r#"{"auditID":"a","b":1}"#, 4)];
        assert_eq!(texts(&opened), expected.map(|(text, line)| (text.to_owned(), line)));
        // A value that contains an event is one value.
        let log = format!("{time} P {{\"items\":[\n{time} P {{\"auditID\":\"a\"\n{time} F }}]}}");
        let opened = ContainerRuntime.open(&record(&log)).unwrap();
        assert_eq!(texts(&opened), [(r#"{"items":[{"auditID":"a"}]}"#.to_owned(), 3)]);
    }

    #[test]
    fn other_lines_are_neither() {
        for log in [
            "2026-11-23T22:00:00Z stdout X {}",
            "2026-11-23T22:00:00Z stdlog F {}",
            "yesterday stdout F {}",
            "2026-11-23T22:00:00Z stdout F {}\nother",
            "",
            r#"{"log":"x\n","stream":"stdout"}"#,
            r#"{"log":"x\n","stream":"stdout","time":"2026-11-23T22:00:00Z","kubernetes":{}}"#,
        ] {
            assert!(ContainerRuntime.open(&record(log)).is_none(), "{log}");
            assert!(open_docker_lines(&record(log)).is_none(), "{log}");
        }
    }
}
