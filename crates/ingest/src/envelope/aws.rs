//! Amazon Web Services: EKS writes audit events to CloudWatch Logs, with one log group per cluster and one log stream
//! per control plane process. CloudWatch delivers them in many forms.
//!
//! Only the name of the log group, `/aws/eks/<cluster>/cluster`, names the cluster. CloudWatch truncates messages at
//! 256 KiB: see the `salvage` module.

use std::borrow::Cow;

use podtrail_event::Micros;
use serde_json::value::RawValue;

use crate::envelope::candidate::{Candidate, Facts};
use crate::envelope::event_text::mentions_events;
use crate::envelope::family::{Envelope, Opened, Record};
use crate::envelope::labels::{Labels, cluster_of_group};
use crate::envelope::packed::open_packed;
use crate::framing::span::Span;
use crate::instant::{Instant, instant, instant_of};
use crate::json::{self, Object};

const PROVIDER: &str = "eks";
const AUDIT_STREAM: &str = "kube-apiserver-audit-";

/// Log streams of a cluster's log group that contain no audit events.
const OTHER_STREAMS: &[&str] = &[
    "kube-apiserver-",
    "authenticator-",
    "kube-controller-manager-",
    "kube-scheduler-",
    "cloud-controller-manager-",
];

/// CloudWatch Logs: subscriptions, API responses, Insights, the AWS CLI and exports, also inside Lambda and Kinesis
/// records.
pub(super) struct Aws;

impl Envelope for Aws {
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>> {
        let Some(object) = &record.object else {
            return insights_row(record.span).or_else(|| log_line(record.span));
        };
        if object.get("auditID").is_some() {
            return None;
        }
        subscription(record.span, object)
            .or_else(|| lambda(record, object))
            .or_else(|| kinesis_list(record.span, object))
            .or_else(|| kinesis_record(record, object))
            .or_else(|| api_answer(record.span, object))
            .or_else(|| api_event(record.span, object))
            .or_else(|| insights_results(record.span, object))
    }
}

/// The parsed names of a log group and a log stream.
#[derive(Debug, Clone, Default)]
struct Stream<'a> {
    cluster: Option<Cow<'a, str>>,
    name: Option<Cow<'a, str>>,
}

impl<'a> Stream<'a> {
    fn new(group: Option<&str>, name: Option<Cow<'a, str>>) -> Self {
        let cluster = group.and_then(cluster_of_group).map(str::to_owned);
        Self { cluster: cluster.map(Cow::Owned), name }
    }

    fn is_audit(&self) -> bool {
        self.name.as_deref().is_some_and(|name| name.starts_with(AUDIT_STREAM))
    }

    /// Returns whether the stream is known to contain no audit events.
    fn is_other(&self) -> bool {
        !self.is_audit() && self.name.as_deref().is_some_and(is_other_stream)
    }

    fn facts(&self, shipped_at: Option<Micros>) -> Facts<'a> {
        Facts {
            provider: (self.cluster.is_some() || self.is_audit()).then_some(PROVIDER),
            cluster: self.cluster.clone(),
            node: self.name.clone(),
            shipped_at,
            ..Facts::default()
        }
    }
}

fn is_other_stream(name: &str) -> bool {
    OTHER_STREAMS.iter().any(|prefix| name.starts_with(prefix))
}

/// Opens a subscription message: `{"messageType":"DATA_MESSAGE","logGroup":…,"logStream":…,"logEvents":[…]}`.
fn subscription<'a>(whole: Span<'a>, object: &Object<'a>) -> Option<Opened<'a>> {
    const NAME: &str = "cloudwatch";
    let kind = object.text("messageType")?;
    let events = object.list("logEvents")?;
    if kind == "CONTROL_MESSAGE" {
        return Some(Opened::skipped(NAME));
    }
    let stream = Stream::new(object.text("logGroup").as_deref(), object.text("logStream"));
    Some(log_events(NAME, whole, &stream, events))
}

/// Opens the input of a Lambda function: `{"awslogs":{"data":"…"}}`.
fn lambda<'a>(record: &Record<'a>, object: &Object<'a>) -> Option<Opened<'a>> {
    let data = object.object("awslogs")?.text("data")?;
    Some(open_packed("lambda", record, &data))
}

/// Opens the records of a Kinesis stream in the forms of Lambda, Firehose and the AWS CLI.
fn kinesis_list<'a>(whole: Span<'a>, object: &Object<'a>) -> Option<Opened<'a>> {
    let records = object.list("Records").or_else(|| object.list("records"))?;
    packed_data(&json::object(records.first()?)?)?;
    Some(Opened::with("kinesis", Candidate::elements(whole, records)))
}

fn kinesis_record<'a>(record: &Record<'a>, object: &Object<'a>) -> Option<Opened<'a>> {
    let data = packed_data(object)?;
    Some(open_packed("kinesis-record", record, &data))
}

fn packed_data<'a>(record: &Object<'a>) -> Option<Cow<'a, str>> {
    if let Some(kinesis) = record.object("kinesis") {
        return kinesis.text("data");
    }
    if record.get("recordId").is_some() {
        return record.text("data");
    }
    record.get("PartitionKey")?;
    record.text("Data")
}

/// Opens a response of `get-log-events` or `filter-log-events`: `{"events":[{"timestamp":…,"message":"…"}],…}`.
fn api_answer<'a>(whole: Span<'a>, object: &Object<'a>) -> Option<Opened<'a>> {
    const MARKS: &[&str] = &["nextForwardToken", "nextBackwardToken", "searchedLogStreams"];
    let events = object.list("events")?;
    let is_answer = MARKS.iter().any(|mark| object.get(mark).is_some())
        || events.first().and_then(|event| json::object(event)).is_some_and(|first| {
            first.get("message").is_some() && first.get("timestamp").is_some_and(is_number)
        });
    is_answer.then(|| log_events("cloudwatch-events", whole, &Stream::default(), events))
}

/// Opens one event of such a response, as `--query events` or `jq` extract it.
fn api_event<'a>(whole: Span<'a>, object: &Object<'a>) -> Option<Opened<'a>> {
    const MARKS: &[&str] = &["ingestionTime", "eventId", "logStreamName"];
    let message = object.get("message")?;
    let is_event = object.get("timestamp").is_some_and(is_number)
        && MARKS.iter().any(|mark| object.get(mark).is_some());
    if !is_event {
        return None;
    }
    let stream = Stream::new(None, object.text("logStreamName"));
    let shipped_at = object.get("timestamp").and_then(instant);
    Some(one("cloudwatch-event", message_of(whole, message, &stream, shipped_at)?))
}

fn is_number(value: &RawValue) -> bool {
    value.get().starts_with(|first: char| first.is_ascii_digit())
}

/// Opens the events of one log stream, or of several streams that each event names.
fn log_events<'a>(
    name: &'static str,
    whole: Span<'a>,
    stream: &Stream<'a>,
    events: Vec<&'a RawValue>,
) -> Opened<'a> {
    let mut opened = Opened { name, ..Opened::default() };
    let mut rest = whole;
    for event in events {
        let at = rest.take(event.get().as_bytes());
        match log_event(at, stream, event) {
            Some(Message::Event(inner)) => opened.values.push(inner),
            Some(Message::Other) => opened.skipped += 1,
            // Not a log event: its bytes are kept, so that it is quarantined.
            None => opened.values.push(Candidate::verbatim(at, stream.facts(None))),
        }
    }
    opened
}

fn log_event<'a>(at: Span<'a>, stream: &Stream<'a>, event: &'a RawValue) -> Option<Message<'a>> {
    let event = json::object(event)?;
    let shipped_at = event.get("timestamp").and_then(instant);
    let message = event.get("message")?;
    let message = match event.text("logStreamName") {
        Some(name) => {
            let stream = Stream { name: Some(name), ..stream.clone() };
            message_of(at, message, &stream, shipped_at)
        }
        None => message_of(at, message, stream, shipped_at),
    };
    let labels = Labels::of_object(&event);
    message.map(|message| match message {
        Message::Event(inner) if !labels.is_empty() => {
            let facts = Facts { labels: Some(labels.into()), ..inner.facts };
            Message::Event(Candidate { facts, ..inner })
        }
        message => message,
    })
}

/// The content of a log event's message.
enum Message<'a> {
    /// A possible audit event.
    Event(Candidate<'a>),
    /// A log line of another component.
    Other,
}

fn message_of<'a>(
    at: Span<'a>,
    message: &'a RawValue,
    stream: &Stream<'a>,
    shipped_at: Option<Micros>,
) -> Option<Message<'a>> {
    // An event counts, regardless of the name of its stream.
    if stream.is_other() && !mentions_events(message.get().as_bytes()) {
        return Some(Message::Other);
    }
    Candidate::of(at, message, stream.facts(shipped_at)).map(Message::Event)
}

fn one<'a>(name: &'static str, message: Message<'a>) -> Opened<'a> {
    match message {
        Message::Event(inner) => Opened::with(name, vec![inner]),
        Message::Other => Opened::skipped(name),
    }
}

/// Opens a response of Insights: `{"results":[[{"field":"@message","value":"…"},…],…],…}`.
fn insights_results<'a>(whole: Span<'a>, object: &Object<'a>) -> Option<Opened<'a>> {
    let rows = object.list("results")?;
    let is_answer = match rows.first() {
        Some(first) => is_insights_row(first.get().as_bytes()),
        None => object.get("statistics").is_some(),
    };
    if !is_answer {
        return None;
    }
    Some(Opened::with("cloudwatch-insights", Candidate::elements(whole, rows)))
}

/// Opens one row of such a response.
fn insights_row(span: Span<'_>) -> Option<Opened<'_>> {
    if !is_insights_row(span.bytes) {
        return None;
    }
    let fields: Vec<Object<'_>> = serde_json::from_slice(span.bytes).ok()?;
    let field = |name: &str| {
        let field = fields.iter().find(|field| field.text("field").is_some_and(|n| n == name));
        field?.get("value")
    };
    let stream = Stream::new(
        field("@log").and_then(json::text).as_deref(),
        field("@logStream").and_then(json::text),
    );
    let labels = fields.iter().filter_map(|field| {
        let (name, value) = (field.text("field")?, field.text("value")?);
        let is_label = name != "@message" && !mentions_events(value.as_bytes());
        is_label.then(|| (name.into_owned(), value))
    });
    let labels = Labels::new(labels);
    // Insights writes UTC without an offset.
    let shipped_at = field("@timestamp")
        .and_then(json::text)
        .and_then(|time| instant_of(&format!("{time} UTC")));
    let message = message_of(span, field("@message")?, &stream, shipped_at)?;
    let message = match message {
        Message::Event(inner) => {
            let facts = Facts { labels: Some(labels.into()), ..inner.facts };
            Message::Event(Candidate { facts, ..inner })
        }
        Message::Other => Message::Other,
    };
    Some(one("cloudwatch-insights-row", message))
}

fn is_insights_row(text: &[u8]) -> bool {
    let mut rest = text;
    [&b"["[..], b"{", b"\"field\""].iter().all(|token| {
        rest = rest.trim_ascii_start();
        rest.strip_prefix(*token).map(|after| rest = after).is_some()
    })
}

/// Opens a line of `aws logs tail`, `<time> <stream> {…}`, of its short form or of an export to S3, `<time> {…}`.
fn log_line(line: Span<'_>) -> Option<Opened<'_>> {
    let (time, message) = first_word(line)?;
    if let Some((name, message)) = first_word(message)
        && is_other_stream(name)
    {
        const NAME: &str = "aws-logs-tail";
        let shipped_at = Instant::of(time)?.stored();
        let stream = Stream { name: Some(name.into()), ..Stream::default() };
        if stream.is_other() {
            return Some(Opened::skipped(NAME));
        }
        return Some(one_line(NAME, message, stream.facts(shipped_at)));
    }
    let (name, shipped_at) = time_of_line(time)?;
    let is_event = message.bytes.first() == Some(&b'{')
        && memchr::memmem::find(message.bytes, b"\"auditID\"").is_some();
    is_event.then(|| one_line(name, message, Stream::default().facts(shipped_at)))
}

fn one_line<'a>(name: &'static str, message: Span<'a>, facts: Facts<'a>) -> Opened<'a> {
    Opened::with(name, vec![Candidate::verbatim(message, facts)])
}

fn first_word(line: Span<'_>) -> Option<(&str, Span<'_>)> {
    let end = memchr::memchr(b' ', line.bytes)?;
    Some((std::str::from_utf8(&line.bytes[..end]).ok()?, line.after(end)))
}

/// Parses the time at the start of a line, in one of two exact forms; other tools write other forms.
fn time_of_line(text: &str) -> Option<(&'static str, Option<Micros>)> {
    const SHORT: usize = "2023-05-20T05:26:57".len();
    const EXPORTED: usize = "2023-05-20T05:26:57.511Z".len();
    match text.len() {
        // Also UTC without an offset.
        SHORT => Some(("aws-logs-tail", Instant::of(&format!("{text}Z"))?.stored())),
        EXPORTED if text.ends_with('Z') => Some(("cloudwatch-export", Instant::of(text)?.stored())),
        _ => None,
    }
}
