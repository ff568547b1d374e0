//! Text of a log in a page.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use podtrail_detect::{Finding, Severity};

use crate::escape::escape;
pub(super) use crate::summary::plural;
use crate::summary::{seconds, thousands};

/// The maximum number of characters shown; text in a log may have any length.
const LONGEST: usize = 600;

/// Returns the text for display: truncated if it is too long, with invisible characters escaped.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        None => escape(text),
        Some((end, _)) => {
            let length = text.chars().count() as u64;
            let (begin, _) = text.split_at(end);
            format!("{}… ({} characters)", escape(begin), thousands(length)).into()
        }
    }
}

/// Renders text of a log. Its direction does not affect the surrounding text, and it may break after separators in
/// names.
pub(super) fn log(text: &str) -> Markup {
    let text = shown(text);
    let parts = text.split_inclusive(['/', ':', '@', ',']);
    html! { bdi { @for (index, part) in parts.enumerate() { @if index > 0 { wbr; } (part) } } }
}

/// Renders text that a log may lack.
pub(super) fn log_or(text: Option<&str>, otherwise: &str) -> Markup {
    html! {
        @if let Some(text) = text { (log(text)) } @else { span.absent { (otherwise) } }
    }
}

/// Renders items separated by commas, only the first ones if there are many.
pub(super) fn log_list(items: &[String]) -> Markup {
    const SHOWN: usize = 4;
    html! {
        @for (index, item) in items.iter().take(SHOWN).enumerate() {
            @if index > 0 { ", " }
            (log(item))
        }
        @if items.len() > SHOWN {
            span.absent { " and " (items.len() - SHOWN) " more" }
        }
    }
}

/// Returns the URL fragment of a page that filters the findings by `text`.
pub(super) fn filter_href(text: &str) -> String {
    let words = shown(text);
    let phrase =
        if words.contains(char::is_whitespace) { format!("\"{words}\"").into() } else { words };
    format!("#q={}", utf8_percent_encode(&phrase, NON_ALPHANUMERIC))
}

/// Renders a link that filters the findings by `text` of a log.
pub(super) fn filter_link(text: &str) -> Markup {
    html! { a href=(filter_href(text)) { (log(text)) } }
}

/// Returns a link to a finding.
pub(super) fn finding_href(finding: &Finding) -> String {
    format!("#f-{}", finding.finding_id)
}

/// Renders a severity as a coloured word.
pub(super) fn severity(severity: Severity) -> Markup {
    html! { span class={ "severity " (severity) } { (severity) } }
}

/// Renders a time to the second.
pub(super) fn time(time: DateTime<Utc>) -> Markup {
    html! { time datetime=(time.to_rfc3339_opts(SecondsFormat::Micros, true)) { (seconds(time)) } }
}

/// Renders a time to the millisecond.
pub(super) fn exact_time(time: DateTime<Utc>) -> Markup {
    html! {
        time datetime=(time.to_rfc3339_opts(SecondsFormat::Micros, true)) {
            (time.format("%Y-%m-%d %H:%M:%S%.3f"))
        }
    }
}

/// Renders a count, muted if it is zero.
pub(super) fn count(count: u64) -> Markup {
    html! { @if count == 0 { span.absent { "0" } } @else { (thousands(count)) } }
}

/// Renders the object of a finding: `pods web/nginx`.
pub(super) fn object(finding: &Finding) -> Markup {
    html! {
        @if let Some(namespace) = &finding.namespace { (log(namespace)) " / " }
        (log_or(finding.name.as_deref(), "name not in the log"))
    }
}
