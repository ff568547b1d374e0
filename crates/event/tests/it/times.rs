//! Invalid times, which invalidate no event and fail no query.

use podtrail_event::{BatchBuilder, Exporter, Micros, Parser, TimeProblem};
use serde_json::{Value, json};

const RIGHT: &str = "2026-11-24T10:05:57.915000Z";

fn event(received: Value, stage: Value) -> String {
    let members = json!({"requestReceivedTimestamp": received, "stageTimestamp": stage});
    crate::event("get", "", "pods", members)
}

fn micros(text: &str) -> Micros {
    Micros(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros())
}

#[test]
fn times_that_cannot_be_stored_are_kept_as_text() {
    for absurd in [
        "1600-01-01T00:00:00.000000Z",
        "0000-01-01T00:00:00.000000Z",
        "1677-09-21T00:12:43.145224Z",
        "1969-12-31T23:59:59.999999Z",
        "2200-01-01T00:00:00.000000Z",
        "2262-04-11T23:47:16.854776Z",
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59-23:59",
        "12026-11-24T10:05:57.915000Z",
        "-0001-11-24T10:05:57.915000Z",
        "2026-02-30T10:05:57.915000Z",
        "yesterday",
    ] {
        for (received, stage, time) in [
            (absurd, RIGHT, micros(RIGHT)),
            (RIGHT, absurd, micros(RIGHT)),
            (absurd, absurd, Micros::FIRST),
        ] {
            let json = event(received.into(), stage.into());
            let event = crate::row(&json);
            assert_eq!(event.time, Some(time), "{json}");
            assert_eq!(event.date, Some(time.day()));
            assert_eq!(event.time_problem.as_deref(), Some(TimeProblem::Absurd.as_str()));
            assert_eq!(event.received_at, (received == RIGHT).then_some(time));
            assert_eq!(event.stage_at, (stage == RIGHT).then_some(time));

            let mut builder = BatchBuilder::default();
            builder.append(&event);
            let batch = builder.finish();
            let mut exported = Vec::new();
            Exporter::new(&batch).unwrap().write(0, &mut exported).unwrap();
            let exported: Value = serde_json::from_slice(&exported).unwrap();
            assert_eq!(exported, serde_json::from_str::<Value>(&json).unwrap());
        }
    }
}

#[test]
fn the_time_of_the_envelope_is_the_fallback() {
    let json = event("1600-01-01T00:00:00.000000Z".into(), "9999-01-01T00:00:00.000000Z".into());
    let mut parser = Parser::default();
    let event = parser.parse(json.as_bytes(), Some(micros(RIGHT))).unwrap();
    assert_eq!(event.time, Some(micros(RIGHT)));
    assert_eq!(event.time_problem.as_deref(), Some("absurd"));
}

#[test]
fn unusual_times_are_parsed() {
    for (text, time) in [
        ("1970-01-01T00:00:00.000000Z", 0),
        // A leap second is the first moment of the next.
        ("2016-12-31T23:59:60.000000Z", 1_483_228_800_000_000),
        ("2016-12-31T23:59:60.5Z", 1_483_228_800_500_000),
        ("2199-12-31T23:59:59.999999Z", Micros::LAST.0),
        ("2026-11-24T11:05:57.915+01:00", micros(RIGHT).0),
    ] {
        let json = event(text.into(), text.into());
        let event = crate::row(&json);
        assert_eq!(event.time, Some(Micros(time)), "{text}");
        assert_eq!(event.time_problem, None, "{text}");
    }
}

#[test]
fn a_missing_time_is_not_a_time_problem() {
    for missing in [json!(""), json!(null), json!(1)] {
        let json = event(missing.clone(), RIGHT.into());
        assert_eq!(crate::row(&json).time_problem, None);
        let json = event(missing.clone(), missing);
        assert!(Parser::default().parse(json.as_bytes(), None).is_err(), "{json}");
    }
}

#[test]
fn a_time_one_hour_ahead_is_accepted() {
    const HOUR: i64 = 3_600_000_000;
    let now = micros(RIGHT);
    let problem = |time| TimeProblem::of_reading(Micros(time), now);
    assert_eq!(problem(now.0 - HOUR), None);
    assert_eq!(problem(now.0 + HOUR), None);
    assert_eq!(problem(now.0 + 2 * HOUR), None);
    assert_eq!(problem(now.0 + 2 * HOUR + 1), Some(TimeProblem::Future));
    assert_eq!(problem(Micros::LAST.0), Some(TimeProblem::Future));
}
