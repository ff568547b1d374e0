//! Round trip: every exported event equals the original as JSON.

use arrow::array::RecordBatch;
use podtrail_event::{BatchBuilder, EXPORT_COLUMNS, Event, Exporter, ParseError, Parser, schema};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::json;
use serde_json::value::RawValue;

use crate::{event, row};

fn batch<'a>(events: impl IntoIterator<Item = Event<'a>>) -> RecordBatch {
    let mut builder = BatchBuilder::default();
    for event in events {
        builder.append(&event);
    }
    builder.finish()
}

fn export(batch: &RecordBatch, row: usize) -> String {
    let mut line = Vec::new();
    Exporter::new(batch).unwrap().write(row, &mut line).unwrap();
    String::from_utf8(line).unwrap()
}

fn export_of(json: &str) -> String {
    export(&batch([row(json)]), 0)
}

/// Returns JSON text without white space, members sorted by key, strings decoded if they are valid, numbers as written.
/// Members with the same key keep their order.
fn canonical(json: &str) -> String {
    fn string(literal: &str) -> String {
        serde_json::from_str::<String>(literal)
            .map_or(literal.to_owned(), |text| format!("{text:?}"))
    }
    match json.as_bytes()[0] {
        b'{' => {
            let Members(members) = serde_json::from_str(json).unwrap();
            let mut members: Vec<_> =
                members.iter().map(|(key, value)| (string(key), canonical(value))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            let members: Vec<_> =
                members.iter().map(|(key, value)| format!("{key}:{value}")).collect();
            format!("{{{}}}", members.join(","))
        }
        b'[' => {
            let elements: Vec<&RawValue> = serde_json::from_str(json).unwrap();
            let elements: Vec<_> = elements.iter().map(|value| canonical(value.get())).collect();
            format!("[{}]", elements.join(","))
        }
        b'"' => string(json),
        _ => json.to_owned(),
    }
}

/// Members as written, keys included: as literals.
struct Members<'a>(Vec<(&'a str, &'a str)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    members.push((key.get(), value.get()));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

/// JSON text made of parts, so that keys repeat, numbers are unusual and white space is anywhere.
#[derive(Debug, Clone)]
enum Json {
    Scalar(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    fn print(&self, space: &str) -> String {
        match self {
            Json::Scalar(text) => text.clone(),
            Json::Array(elements) => {
                let elements: Vec<_> = elements.iter().map(|value| value.print(space)).collect();
                format!("[{space}{}{space}]", elements.join(&format!("{space},")))
            }
            Json::Object(members) => {
                let members: Vec<_> = members
                    .iter()
                    .map(|(key, value)| format!("{key}{space}:{space}{}", value.print(space)))
                    .collect();
                format!("{{{space}{}{space}}}", members.join(&format!(",{space}")))
            }
        }
    }
}

fn literal(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn string() -> impl Strategy<Value = String> {
    let odd = [
        r#""""#,
        r#""\u0026\u003c""#,
        r#""\/\b\f\n\r\t\"\\""#,
        r#""\ud83d\ude00""#,
        r#""\ud800""#,
        r#""\udc00\ud800x""#,
        r#""\u0000""#,
        "\"\u{2028}\u{9b}\u{7f}\u{202e}\"",
        r#""null""#,
        r#""2026-11-24T10:05:57.915000Z""#,
    ];
    prop_oneof![
        6 => "[a-z:./-]{0,12}".prop_map(|text| literal(&text)),
        2 => ".*".prop_map(|text| literal(&text)),
        2 => select(odd.to_vec()).prop_map(str::to_owned),
    ]
}

fn number() -> impl Strategy<Value = String> {
    let odd = [
        "0",
        "-0",
        "-0.0",
        "1.0",
        "200",
        "2147483647",
        "2147483648",
        "-2147483648",
        "1e2",
        "1E+2",
        "2.0e-7",
        "18446744073709551616",
        "-9223372036854775809",
        "0.1000000000000000055511151231257827",
        "1e999",
    ];
    prop_oneof![
        select(odd.to_vec()).prop_map(str::to_owned),
        any::<i64>().prop_map(|n| n.to_string())
    ]
}

fn scalar() -> impl Strategy<Value = Json> {
    let word = select(vec!["null", "true", "false"]).prop_map(str::to_owned);
    prop_oneof![word, number(), string()].prop_map(Json::Scalar)
}

/// Any value; few keys, so that they repeat.
fn value() -> impl Strategy<Value = Json> {
    let key = prop_oneof![
        2 => select(vec!["a", "b", "metadata", "name", "namespace", "uid"]).prop_map(literal),
        1 => string(),
    ];
    scalar().prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::Array),
            vec((key.clone(), inner), 0..4).prop_map(Json::Object),
        ]
    })
}

/// Usually the value that a member should have.
fn mostly(right: BoxedStrategy<Json>) -> BoxedStrategy<Json> {
    prop_oneof![12 => right, 1 => value()].boxed()
}

fn text() -> BoxedStrategy<Json> {
    mostly(string().prop_map(Json::Scalar).boxed())
}

fn texts() -> BoxedStrategy<Json> {
    mostly(vec(text(), 0..4).prop_map(Json::Array).boxed())
}

fn map(values: BoxedStrategy<Json>) -> BoxedStrategy<Json> {
    let key = prop_oneof![
        3 => select(vec!["a", "authorization.k8s.io/decision", "audit.k8s.io/truncated"]).prop_map(literal),
        1 => string(),
    ];
    mostly(vec((key, values), 0..4).prop_map(Json::Object).boxed())
}

/// An object with some of these members, occasionally another one or one of them repeated, in any order.
fn object(members: Vec<(&'static str, BoxedStrategy<Json>)>) -> BoxedStrategy<Json> {
    let known: Vec<_> = members
        .iter()
        .map(|(key, value)| weighted(0.8, (Just(literal(key)), value.clone())).boxed())
        .collect();
    let again =
        weighted(0.08, select(members).prop_flat_map(|(key, right)| (Just(literal(key)), right)));
    let unknown = weighted(0.15, (string(), value()));
    (known, again, unknown)
        .prop_map(|(known, again, unknown)| {
            known.into_iter().chain([again, unknown]).flatten().collect::<Vec<_>>()
        })
        .prop_shuffle()
        .prop_map(Json::Object)
        .boxed()
}

fn one_of(texts: &[&'static str]) -> BoxedStrategy<Json> {
    mostly(select(texts.to_vec()).prop_map(|text| Json::Scalar(literal(text))).boxed())
}

fn timestamp() -> BoxedStrategy<Json> {
    let micros = "20[0-9]{2}-0[1-9]-[0-2][1-8]T[01][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{6}Z";
    let odd = [
        "2026-11-24T10:05:57Z",
        "2026-11-24T10:05:57.915Z",
        "2026-11-24T10:05:57.915000000Z",
        "2026-11-24T10:05:57.915000+00:00",
        "2026-11-24T10:05:60.915000Z",
        "2026-11-24t10:05:57.915000z",
        "2026-11-24 10:05:57.915000Z",
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59.999999Z",
    ];
    let written = prop_oneof![
        8 => micros.prop_map(|text| literal(&text)),
        1 => select(odd.to_vec()).prop_map(literal),
    ];
    mostly(written.prop_map(Json::Scalar).boxed())
}

fn user() -> BoxedStrategy<Json> {
    mostly(object(vec![
        ("username", text()),
        ("uid", text()),
        ("groups", texts()),
        ("extra", map(texts())),
    ]))
}

fn object_ref() -> BoxedStrategy<Json> {
    mostly(object(vec![
        ("resource", one_of(&["pods", "deployments", "roles", "secrets", "x"])),
        ("namespace", text()),
        ("name", text()),
        ("uid", text()),
        ("apiGroup", one_of(&["", "apps", "rbac.authorization.k8s.io"])),
        ("apiVersion", one_of(&["v1", "apps/v1beta1", ""])),
        ("resourceVersion", text()),
        ("subresource", one_of(&["exec", "status", ""])),
    ]))
}

fn response_status() -> BoxedStrategy<Json> {
    let metadata = mostly(Just(Json::Object(Vec::new())).boxed());
    let code = mostly(prop_oneof![Just("200".to_owned()), number()].prop_map(Json::Scalar).boxed());
    mostly(object(vec![
        ("metadata", metadata),
        ("status", text()),
        ("message", text()),
        ("reason", text()),
        ("code", code),
    ]))
}

fn audit_event() -> BoxedStrategy<Json> {
    object(vec![
        ("kind", one_of(&["Event"])),
        ("apiVersion", one_of(&["audit.k8s.io/v1", "audit.k8s.io/v1beta1"])),
        ("level", text()),
        ("auditID", text()),
        ("stage", text()),
        ("requestURI", text()),
        ("verb", one_of(&["create", "update", "patch", "get", "delete"])),
        ("user", user()),
        ("impersonatedUser", user()),
        ("sourceIPs", texts()),
        ("userAgent", text()),
        ("objectRef", object_ref()),
        ("responseStatus", response_status()),
        ("requestObject", value().boxed()),
        ("responseObject", value().boxed()),
        ("requestReceivedTimestamp", timestamp()),
        ("stageTimestamp", timestamp()),
        ("timestamp", timestamp()),
        ("metadata", object(vec![("creationTimestamp", timestamp())])),
        ("annotations", map(text())),
    ])
}

/// Returns the row with its JSON text in one form.
fn normal(mut event: Event<'_>) -> Event<'_> {
    for column in [&mut event.request_object, &mut event.response_object, &mut event.extra] {
        *column = column.as_deref().map(|json| canonical(json).into());
    }
    event
}

/// Returns whether the text has a key that no string can represent.
fn has_a_lone_surrogate_for_a_key(json: &str) -> bool {
    let Members(members) = serde_json::from_str(json).unwrap();
    members.iter().any(|(key, _)| serde_json::from_str::<String>(key).is_err())
}

proptest! {
    #[test]
    fn every_event_is_exported_unchanged(
        events in vec(audit_event(), 1..4),
        space in select(vec!["", " ", "\n", "\r\n\t"]),
    ) {
        let texts: Vec<_> = events.iter().map(|event| event.print(space)).collect();
        let mut parsers: Vec<_> = texts.iter().map(|_| Parser::default()).collect();
        let mut parsed = Vec::new();
        for (text, parser) in texts.iter().zip(&mut parsers) {
            match parser.parse(text.as_bytes(), None) {
                Ok(event) => parsed.push((text, event)),
                Err(ParseError::Kind { .. } | ParseError::Missing(_)) => {}
                Err(error) => prop_assert!(has_a_lone_surrogate_for_a_key(text), "{error}: {text}"),
            }
        }
        let batch = batch(parsed.iter().map(|(_, event)| event.clone()));
        for (row, (text, event)) in parsed.into_iter().enumerate() {
            let line = export(&batch, row);
            prop_assert!(!line.contains(['\n', '\r']), "{}", line);
            prop_assert_eq!(canonical(&line), canonical(text));
            let mut parser = Parser::default();
            let again = parser.parse(line.as_bytes(), None).unwrap();
            prop_assert_eq!(normal(again), normal(event));
        }
    }
}

#[test]
fn members_are_in_the_order_of_the_api_server() {
    let json = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"a","stage":"ResponseComplete","requestURI":"/api","verb":"create","user":{"username":"alice","uid":"1","groups":["dev"],"extra":{"k":["v"]}},"impersonatedUser":{"username":"bob"},"sourceIPs":["10.0.0.7"],"userAgent":"kubectl","objectRef":{"resource":"pods","namespace":"web","name":"app","uid":"u","apiGroup":"g","apiVersion":"v1","resourceVersion":"7","subresource":"status"},"responseStatus":{"metadata":{},"status":"Failure","message":"no","reason":"Forbidden","code":403},"requestObject":{"b":1,"a":2.50},"responseObject":[],"requestReceivedTimestamp":"2026-11-24T10:05:57.915000Z","stageTimestamp":"2026-11-24T10:05:57.920001Z","annotations":{"authorization.k8s.io/decision":"forbid"}}"#;
    assert_eq!(export_of(json), json);
}

#[test]
fn empty_values_are_distinguished() {
    for members in [
        json!({"user": {}}),
        json!({"user": null}),
        json!({"user": {"username": ""}}),
        json!({"user": {"extra": {}}}),
        json!({"user": {"groups": []}}),
        json!({"user": {"groups": null}}),
        json!({"objectRef": {}}),
        json!({"objectRef": null}),
        json!({"responseStatus": {}}),
        json!({"responseStatus": {"metadata": {}}}),
        json!({"responseStatus": {"code": 200}}),
        json!({"responseStatus": {"metadata": {}, "code": 200}}),
        json!({"requestObject": null}),
        json!({"annotations": {}}),
        json!({"annotations": null}),
        json!({"sourceIPs": []}),
        json!({"sourceIPs": null}),
        json!({"stageTimestamp": null}),
        json!({"verb": null}),
    ] {
        let json = event("get", "", "pods", members);
        assert_eq!(canonical(&export_of(&json)), canonical(&json));
    }
    let absent = r#"{"auditID":"a","verb":"create","responseObject":{"metadata":{"name":"x"}},"stageTimestamp":"2026-11-24T10:05:57.920001Z"}"#;
    assert_eq!(canonical(&export_of(absent)), canonical(absent));
}

#[test]
fn repeated_members_are_all_exported() {
    for json in [
        r#"{"auditID":"a","verb":"get","verb":"list","stageTimestamp":"2026-11-24T10:05:57.920001Z"}"#,
        r#"{"auditID":"a","verb":7,"verb":"list","stageTimestamp":"2026-11-24T10:05:57.920001Z"}"#,
        r#"{"auditID":"a","kind":"Event","apiVersion":"audit.k8s.io/v1","kind":"Event","stageTimestamp":"2026-11-24T10:05:57.920001Z"}"#,
        r#"{"auditID":"a","user":{"username":"a","username":"b"},"stageTimestamp":"2026-11-24T10:05:57.920001Z"}"#,
        r#"{"auditID":"a","annotations":{"k":"1","k":"2"},"stageTimestamp":"2026-11-24T10:05:57.920001Z"}"#,
        r#"{"auditID":"a","requestObject":{},"requestObject":[],"stageTimestamp":"2026-11-24T10:05:57.920001Z"}"#,
    ] {
        assert_eq!(canonical(&export_of(json)), canonical(json));
    }
}

#[test]
fn a_record_of_another_format_is_exported_unchanged() {
    let json = event("get", "", "pods", json!({}));
    let with = |original: &str| {
        let mut event = row(&json);
        event.original = Some(original.to_owned().into());
        export(&batch([event]), 0)
    };
    assert_eq!(with("{\"protoPayload\":\n {}}\n"), r#"{"protoPayload":  {}}"#);
    // The rest of a truncated text is not a record.
    assert_eq!(canonical(&with(r#"{"protoPayload": {"met"#)), canonical(&json));
    assert_eq!(canonical(&with("<14>1 2026 audit: {}")), canonical(&json));
}

#[test]
fn rows_not_written_by_podtrail_are_rejected() {
    let json = event("get", "", "pods", json!({}));
    for (column, broken) in [
        ("extra", Event { extra: Some("[]".into()), ..row(&json) }),
        ("response_object", Event { response_object: Some("{".into()), ..row(&json) }),
    ] {
        let id = broken.event_id.clone().unwrap();
        let batch = batch([broken]);
        let error = Exporter::new(&batch).unwrap().write(0, &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), format!("event {}: `{column}` is not JSON text", &*id));
    }
    let batch = batch([row(&json)]);
    let narrow = batch.project(&[0, 1]).unwrap();
    let error = Exporter::new(&narrow).err().unwrap();
    assert_eq!(
        error.to_string(),
        "column `event_id` is missing or has another type than in the events table"
    );
    assert!(EXPORT_COLUMNS.iter().all(|column| schema().index_of(column).is_ok()));
}
