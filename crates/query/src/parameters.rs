//! The values of the parameters of a query, `$name`. They are bound, never inserted into its text.

use std::collections::BTreeMap;
use std::time::Duration;

use arrow::datatypes::DataType;
use chrono::{DateTime, Utc};
use datafusion::common::ParamValues;
use datafusion::common::metadata::ScalarAndMetadata;
use datafusion::scalar::ScalarValue;

/// Values by the name of the parameter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters(BTreeMap<String, Value>);

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// A string.
    Text(String),
    /// A list of strings.
    TextList(Vec<String>),
    /// A point in time, or null.
    Time(Option<DateTime<Utc>>),
    /// A duration, in nanoseconds at most 2^63.
    Interval(Duration),
}

impl Parameters {
    /// Returns the value of a parameter.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(crate) fn into_values(self) -> ParamValues {
        let values = self.0.into_iter();
        ParamValues::Map(
            values.map(|(name, value)| (name, ScalarAndMetadata::from(value.scalar()))).collect(),
        )
    }
}

impl FromIterator<(String, Value)> for Parameters {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl Value {
    fn scalar(self) -> ScalarValue {
        match self {
            Self::Integer(number) => ScalarValue::from(number),
            Self::Text(text) => ScalarValue::from(text),
            Self::TextList(texts) => {
                let texts: Vec<_> = texts.into_iter().map(ScalarValue::from).collect();
                ScalarValue::List(ScalarValue::new_list_nullable(&texts, &DataType::Utf8))
            }
            Self::Time(time) => {
                let micros = time.map(|time| time.timestamp_micros());
                ScalarValue::TimestampMicrosecond(micros, Some("UTC".into()))
            }
            Self::Interval(length) => {
                let nanoseconds = i64::try_from(length.as_nanos()).unwrap_or(i64::MAX);
                ScalarValue::new_interval_mdn(0, 0, nanoseconds)
            }
        }
    }
}
