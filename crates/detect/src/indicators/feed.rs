//! Indicator feeds in CSV: one indicator per line, under a header.

use csv::StringRecord;
use podtrail_event::Severity;

use super::indicator::{FeedReader, Indicator, at_line, severity, short};
use super::value::{IndicatorKind, time};

/// The names that feeds use for each column.
const COLUMNS: &[(&str, Column)] = &[
    ("type", Column::Type),
    ("ioc_type", Column::Type),
    ("indicator_type", Column::Type),
    ("value", Column::Value(None)),
    ("indicator", Column::Value(None)),
    ("ioc", Column::Value(None)),
    ("ioc_value", Column::Value(None)),
    ("indicator_value", Column::Value(None)),
    ("ip", Column::Value(Some(IndicatorKind::Address))),
    ("ip_address", Column::Value(Some(IndicatorKind::Address))),
    ("ipaddress", Column::Value(Some(IndicatorKind::Address))),
    ("address", Column::Value(Some(IndicatorKind::Address))),
    ("src_ip", Column::Value(Some(IndicatorKind::Address))),
    ("dst_ip", Column::Value(Some(IndicatorKind::Address))),
    ("dstip", Column::Value(Some(IndicatorKind::Address))),
    ("network", Column::Value(Some(IndicatorKind::Address))),
    ("cidr", Column::Value(Some(IndicatorKind::Address))),
    ("image", Column::Value(Some(IndicatorKind::Image))),
    ("digest", Column::Value(Some(IndicatorKind::Digest))),
    ("sha256", Column::Value(Some(IndicatorKind::Digest))),
    ("sha256_hash", Column::Value(Some(IndicatorKind::Digest))),
    ("user", Column::Value(Some(IndicatorKind::User))),
    ("username", Column::Value(Some(IndicatorKind::User))),
    ("user_agent", Column::Value(Some(IndicatorKind::UserAgent))),
    ("source", Column::Source),
    ("feed", Column::Source),
    ("reporter", Column::Source),
    ("event_info", Column::Source),
    ("date", Column::Date),
    ("created", Column::Date),
    ("first_seen", Column::Date),
    ("first_seen_utc", Column::Date),
    ("firstseen", Column::Date),
    ("valid_from", Column::Date),
    ("valid_until", Column::Expires),
    ("expires", Column::Expires),
    ("expiration", Column::Expires),
    ("expiration_date", Column::Expires),
    ("severity", Column::Severity),
    ("description", Column::Description),
    ("comment", Column::Description),
    ("title", Column::Description),
    ("malware", Column::Description),
    ("malware_printable", Column::Description),
    ("threat_type", Column::Description),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Type,
    /// The kind, if the name of the column implies one.
    Value(Option<IndicatorKind>),
    Source,
    Date,
    Expires,
    Severity,
    Description,
}

/// The positions of the values in a line.
#[derive(Debug, Default)]
struct Layout {
    kind: Option<usize>,
    value: Option<(usize, Option<IndicatorKind>)>,
    source: Option<usize>,
    date: Option<usize>,
    expires: Option<usize>,
    severity: Option<usize>,
    description: Option<usize>,
}

impl Layout {
    /// Returns the positions by a header. If two columns have the same meaning, the one listed first in [`COLUMNS`]
    /// is used.
    fn of(header: &StringRecord) -> Self {
        let mut layout = Self::default();
        let names: Vec<String> = header.iter().map(column_name).collect();
        for (name, column) in COLUMNS {
            let Some(index) = names.iter().position(|known| known == name) else { continue };
            let place = match column {
                Column::Value(kind) => {
                    layout.value.get_or_insert((index, *kind));
                    continue;
                }
                Column::Type => &mut layout.kind,
                Column::Source => &mut layout.source,
                Column::Date => &mut layout.date,
                Column::Expires => &mut layout.expires,
                Column::Severity => &mut layout.severity,
                Column::Description => &mut layout.description,
            };
            place.get_or_insert(index);
        }
        layout
    }
}

/// Returns a column name without comment characters: some feeds put their header in a comment, as in
/// `# "first_seen_utc","ioc_value"`.
fn column_name(text: &str) -> String {
    let text = text.trim().trim_start_matches('#').trim().trim_matches('"');
    text.to_ascii_lowercase().replace([' ', '-'], "_")
}

pub(super) fn read(text: &str, found: &mut FeedReader) -> Result<(), String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut layout: Option<Layout> = None;
    let mut row = StringRecord::new();
    let mut first = None;
    loop {
        let line = reader.position().line();
        if !reader.read_record(&mut row).map_err(|error| error.to_string())? {
            break;
        }
        let line = row.position().map_or(line, csv::Position::line);
        let start = row.get(0).unwrap_or_default();
        let is_comment = start.starts_with('#');
        if start.is_empty() && row.len() == 1 {
            continue;
        }
        let Some(layout) = &layout else {
            let candidate = Layout::of(&row);
            if candidate.value.is_some() {
                layout = Some(candidate);
            } else if !is_comment {
                first.get_or_insert(line);
                break;
            }
            continue;
        };
        if is_comment {
            continue;
        }
        let (index, of_column) = layout.value.unwrap_or_default();
        let column = |index: Option<usize>| {
            // After a space, quotes are part of the value.
            let text = index.and_then(|index| row.get(index));
            text.map(|text| text.trim_matches('"')).filter(|text| !text.is_empty())
        };
        let value = column(Some(index)).ok_or_else(|| at_line(line, "missing value"))?;
        let name = column(layout.kind);
        let kind = name.and_then(IndicatorKind::of_type).or(of_column);
        if let (None, Some(name)) = (kind, name) {
            found.skip(&format!("type {name}"));
            continue;
        }
        let (kind, value) = match kind {
            Some(kind) => kind
                .read(value)
                .map_err(|error| at_line(line, &format!("'{}': {error}", short(value))))?,
            None => IndicatorKind::infer(value).ok_or_else(|| {
                let value = short(value);
                at_line(line, &format!("'{value}': unknown type; add a column 'type'"))
            })?,
        };
        let when = |index: Option<usize>, name: &str| match column(index) {
            None => Ok(None),
            Some(text) => time(text).map(Some).ok_or_else(|| {
                at_line(
                    line,
                    &format!(
                        "invalid {name} '{}'; expected a date such as 2026-11-30",
                        short(text)
                    ),
                )
            }),
        };
        let severity = match column(layout.severity) {
            None => Severity::High,
            Some(text) => severity(text).ok_or_else(|| {
                let text = short(text);
                at_line(
                    line,
                    &format!(
                        "unknown severity '{text}'; expected info, low, medium, high or critical"
                    ),
                )
            })?,
        };
        found.add(Indicator {
            kind,
            value,
            severity,
            source: column(layout.source).map(str::to_owned),
            description: column(layout.description).map(str::to_owned),
            date: when(layout.date, "date")?,
            expires: when(layout.expires, "end")?,
        })?;
    }
    match (layout, first) {
        (Some(_), _) => Ok(()),
        (None, line) => Err(at_line(
            line.unwrap_or(1),
            "missing header: expected a column 'value', 'indicator', 'ioc_value' or 'ip'",
        )),
    }
}
