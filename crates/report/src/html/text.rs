//! Text of a log on a page.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use podtrail_detect::{Finding, Severity};

use crate::escape::escape;
use crate::summary::{seconds, thousands};

/// A log may say anything at any length; a page shows this many characters of it.
const LONGEST: usize = 600;

/// The text as it can be shown: cut where it is too long, and what cannot be seen spelled out.
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

/// Text of a log. Its direction does not reach the text around it, and it may break after what joins the parts of a name.
pub(super) fn log(text: &str) -> Markup {
    let text = shown(text);
    let parts = text.split_inclusive(['/', ':', '@', ',']);
    html! { bdi { @for (index, part) in parts.enumerate() { @if index > 0 { wbr; } (part) } } }
}

/// Text that a log may lack.
pub(super) fn log_or(text: Option<&str>, otherwise: &str) -> Markup {
    html! {
        @if let Some(text) = text { (log(text)) } @else { span.absent { (otherwise) } }
    }
}

/// Items with commas between them, the first of them where they are many.
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

/// What follows `#` in the address of a page that shows the findings in which `text` stands.
pub(super) fn filter_href(text: &str) -> String {
    let words = shown(text);
    let phrase =
        if words.contains(char::is_whitespace) { format!("\"{words}\"").into() } else { words };
    format!("#q={}", utf8_percent_encode(&phrase, NON_ALPHANUMERIC))
}

/// A link that shows the findings in which `text` of a log stands.
pub(super) fn filter_link(text: &str) -> Markup {
    html! { a href=(filter_href(text)) { (log(text)) } }
}

/// A link to a finding.
pub(super) fn finding_href(finding: &Finding) -> String {
    format!("#f-{}", finding.finding_id)
}

/// A severity in words and colour.
pub(super) fn severity(severity: Severity) -> Markup {
    html! { span class={ "severity " (severity) } { (severity) } }
}

/// A time to the second.
pub(super) fn time(time: DateTime<Utc>) -> Markup {
    html! { time datetime=(time.to_rfc3339_opts(SecondsFormat::Micros, true)) { (seconds(time)) } }
}

/// A time to the millisecond.
pub(super) fn exact_time(time: DateTime<Utc>) -> Markup {
    html! {
        time datetime=(time.to_rfc3339_opts(SecondsFormat::Micros, true)) {
            (time.format("%Y-%m-%d %H:%M:%S%.3f"))
        }
    }
}

/// A count, muted where it is none.
pub(super) fn count(count: u64) -> Markup {
    html! { @if count == 0 { span.absent { "0" } } @else { (thousands(count)) } }
}

/// `1 finding`, `2,000 findings`.
pub(super) fn plural(count: u64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", thousands(count))
}

/// The object of a finding: `pods web/nginx`.
pub(super) fn object(finding: &Finding) -> Markup {
    html! {
        @if let Some(namespace) = &finding.namespace { (log(namespace)) " / " }
        (log_or(finding.name.as_deref(), "name not in the log"))
    }
}
