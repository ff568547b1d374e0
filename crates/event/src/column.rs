//! Conversion of Rust values to Arrow columns.
//!
//! [`Column`] is implemented for the scalar types of rows, for lists and maps of them and, by the [`row!`](crate::row)
//! macro, for structs. The macro is the only place where a column is declared: the struct field, its Arrow type and its
//! documentation come from the same lines.
//!
//! Lists name their child `element` and maps `key_value`, as the Parquet and Delta Lake specifications require.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use arrow::array::{
    Array, ArrayRef, BooleanBuilder, Date32Builder, Int32Builder, Int64Builder, ListArray,
    MapArray, NullBufferBuilder, StringArray, StringBuilder, StringViewBuilder, StructArray,
    TimestampMicrosecondBuilder, new_null_array,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use chrono::{DateTime, SecondsFormat, Utc};

/// A value that can be stored in an Arrow column; every column is nullable.
pub trait Column {
    /// Collects values into an array.
    type Builder: Build<Self> + Default;

    /// Returns the Arrow type of the column.
    fn data_type() -> DataType;

    /// Returns the documented fields, if the value is a struct or a list of structs.
    fn fields() -> Vec<FieldDoc> {
        Vec::new()
    }
}

/// Collects values of `T` into an Arrow array.
pub trait Build<T: ?Sized> {
    /// Appends one value.
    fn append(&mut self, value: &T);

    /// Appends nulls.
    fn append_nulls(&mut self, count: usize);

    /// Returns the array of the appended values, and resets the builder.
    fn finish(&mut self) -> ArrayRef;
}

/// One documented field of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDoc {
    /// Name of the column or struct field.
    pub name: &'static str,
    /// Documentation in Markdown.
    pub doc: String,
    /// Arrow type.
    pub data_type: DataType,
    /// Inner fields, if the type is a struct or a list of structs.
    pub fields: Vec<FieldDoc>,
}

impl FieldDoc {
    /// Returns the type as SQL engines name it.
    pub fn sql_type(&self) -> String {
        sql_type(&self.data_type)
    }
}

/// Returns an Arrow type as SQL engines name it.
pub fn sql_type(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "string".to_owned(),
        DataType::Binary => "binary".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int32 => "int".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        DataType::Struct(_) => "struct".to_owned(),
        DataType::List(element) => format!("array<{}>", sql_type(element.data_type())),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => {
                let types: Vec<_> = fields.iter().map(|f| sql_type(f.data_type())).collect();
                format!("map<{}>", types.join(", "))
            }
            other => format!("map<{other}>"),
        },
        other => other.to_string(),
    }
}

/// A string, borrowed from the log unless it has JSON escapes.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<'a>(pub Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Text(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Text(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Text<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Text(text)
    }
}

/// Returns the text if it has at most `most` bytes, which must be 64 or more; else its beginning, `~` and a digest of
/// the whole text.
///
/// The writer of an envelope chooses the cluster name in it, which every event of the envelope repeats and which names
/// a directory.
pub fn bounded_name(text: &str, most: usize) -> Cow<'_, str> {
    /// `~` and 128 bits in hexadecimal digits.
    const DIGITS: usize = 32;
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let digest = blake3::hash(text.as_bytes()).to_hex();
    let end = text.floor_char_boundary(most.saturating_sub(DIGITS + 1));
    Cow::Owned(format!("{}~{}", &text[..end], &digest[..DIGITS]))
}

/// An instant: microseconds since the Unix epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Micros(pub i64);

/// A UTC calendar day: days since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub i32);

impl Micros {
    /// The first instant at which an event is stored: 1970-01-01T00:00:00Z.
    pub const FIRST: Self = Self(0);

    /// The last instant: 2199-12-31T23:59:59.999999Z.
    pub const LAST: Self = Self(7_258_118_400_000_000 - 1);

    /// Returns the instant if an event may be stored at it.
    ///
    /// SQL engines use nanoseconds in some places, which 64 bits hold only from 1677 to 2262. One event outside of that
    /// range would fail every query that reads it, and so would one near its ends when an interval is added to its
    /// time.
    pub fn checked(micros: i64) -> Option<Self> {
        (Self::FIRST.0..=Self::LAST.0).contains(&micros).then_some(Self(micros))
    }

    /// Returns the instant in the API server's form (`metav1.MicroTime`): RFC 3339, six digits of a second, `Z`.
    ///
    /// `None` for an instant about 260,000 years away.
    pub fn to_rfc3339(self) -> Option<String> {
        let time = DateTime::from_timestamp_micros(self.0)?;
        Some(time.to_rfc3339_opts(SecondsFormat::Micros, true))
    }

    /// Returns the UTC day of the instant.
    pub fn day(self) -> Day {
        const MICROS_PER_DAY: i64 = 86_400_000_000;
        Day(i32::try_from(self.0.div_euclid(MICROS_PER_DAY)).unwrap_or(i32::MAX))
    }
}

/// A map with string keys, in the order of the log.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Map<'a, T>(pub Vec<(Text<'a>, T)>);

impl<T> Map<'_, T> {
    /// Returns the value stored under `key`.
    pub fn get(&self, key: &str) -> Option<&T> {
        self.0.iter().find(|(k, _)| &**k == key).map(|(_, value)| value)
    }
}

/// Implements [`Column`] for a type whose values an Arrow builder takes.
macro_rules! scalar_column {
    ($type:ty, $builder:ty, $data_type:expr, |$value:ident| $raw:expr) => {
        impl $crate::column::Column for $type {
            type Builder = $builder;

            fn data_type() -> arrow::datatypes::DataType {
                $data_type
            }
        }

        impl $crate::column::Build<$type> for $builder {
            fn append(&mut self, $value: &$type) {
                self.append_value($raw);
            }

            fn append_nulls(&mut self, count: usize) {
                <$builder>::append_nulls(self, count);
            }

            fn finish(&mut self) -> arrow::array::ArrayRef {
                std::sync::Arc::new(<$builder>::finish(self))
            }
        }
    };
}

scalar_column!(bool, BooleanBuilder, DataType::Boolean, |v| *v);
scalar_column!(i32, Int32Builder, DataType::Int32, |v| *v);
scalar_column!(i64, Int64Builder, DataType::Int64, |v| *v);
scalar_column!(Day, Date32Builder, DataType::Date32, |v| v.0);

// Numbers that do not fit, which no count reaches, become the largest.
scalar_column!(u64, Int64Builder, DataType::Int64, |v| i64::try_from(*v).unwrap_or(i64::MAX));
scalar_column!(String, StringBuilder, DataType::Utf8, |v| v);

/// Implements [`Column`] for enumerations that `strum` names: a column with the names.
macro_rules! named_column {
    ($($type:ty),+) => { $(
        impl $type {
            /// All values, in the order of their declaration.
            pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

            /// Returns the name, as in columns, arguments and files.
            pub fn as_str(self) -> &'static str {
                self.into()
            }
        }

        $crate::column::scalar_column!(
            $type,
            arrow::array::StringBuilder,
            arrow::datatypes::DataType::Utf8,
            |value| value.as_str()
        );
    )+ };
}

pub(crate) use {named_column, scalar_column};

scalar_column!(Text<'_>, StringBuilder, DataType::Utf8, |v| &**v);

/// A text that is often long, such as a body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LongText<'a>(pub Text<'a>);

impl Deref for LongText<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a, T: Into<Text<'a>>> From<T> for LongText<'a> {
    fn from(text: T) -> Self {
        LongText(text.into())
    }
}

impl Column for LongText<'_> {
    type Builder = LongTextBuilder;

    fn data_type() -> DataType {
        DataType::Utf8
    }
}

/// Builds a column of long texts.
///
/// If it has the log from which they are read, the column contains views into the log instead of copies.
#[derive(Default)]
pub struct LongTextBuilder {
    views: StringViewBuilder,
    log: Option<Buffer>,
    /// The number of `log` among the buffers of the views, once a view refers to it.
    log_number: Option<u32>,
}

impl LongTextBuilder {
    /// Creates a builder that refers to texts in `log`.
    pub(crate) fn over(log: Buffer) -> Self {
        Self { log: Some(log), ..Self::default() }
    }

    /// Refers to a text in the log. Returns false if the text is not in it.
    fn refer(&mut self, text: &str) -> bool {
        let Some(log) = &self.log else { return false };
        let Some(start) = text.as_ptr().addr().checked_sub(log.as_ptr().addr()) else {
            return false;
        };
        let (Ok(offset), Ok(length)) = (u32::try_from(start), u32::try_from(text.len())) else {
            return false;
        };
        if start + text.len() > log.len() {
            return false;
        }
        let views = &mut self.views;
        let number = *self.log_number.get_or_insert_with(|| views.append_block(log.clone()));
        views.try_append_view(number, offset, length).is_ok()
    }
}

impl Build<LongText<'_>> for LongTextBuilder {
    fn append(&mut self, text: &LongText<'_>) {
        if !self.refer(text) {
            self.views.append_value(&**text);
        }
    }

    fn append_nulls(&mut self, count: usize) {
        for _ in 0..count {
            self.views.append_null();
        }
    }

    fn finish(&mut self) -> ArrayRef {
        let views = self.views.finish();
        if self.log.is_some() {
            return Arc::new(views);
        }
        Arc::new(views.iter().collect::<StringArray>())
    }
}

/// Builds a UTC timestamp column from [`Micros`].
#[derive(Default)]
pub struct MicrosBuilder(TimestampMicrosecondBuilder);

impl Column for Micros {
    type Builder = MicrosBuilder;

    fn data_type() -> DataType {
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
    }
}

impl Build<Micros> for MicrosBuilder {
    fn append(&mut self, micros: &Micros) {
        self.0.append_value(micros.0);
    }

    fn append_nulls(&mut self, count: usize) {
        self.0.append_nulls(count);
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish().with_timezone("UTC"))
    }
}

impl Column for DateTime<Utc> {
    type Builder = MicrosBuilder;

    fn data_type() -> DataType {
        Micros::data_type()
    }
}

impl Build<DateTime<Utc>> for MicrosBuilder {
    fn append(&mut self, time: &DateTime<Utc>) {
        Build::append(self, &Micros(time.timestamp_micros()));
    }

    fn append_nulls(&mut self, count: usize) {
        Build::<Micros>::append_nulls(self, count);
    }

    fn finish(&mut self) -> ArrayRef {
        Build::<Micros>::finish(self)
    }
}

/// Builds a nullable column from options.
///
/// Most columns of most events are null: nulls are appended when a value follows, and a column without any value has no
/// builder and no memory of its own. So the columns in a null struct cost nothing.
#[derive(Default)]
pub struct OptionBuilder<B> {
    /// Created for the first value.
    pub(crate) values: Option<B>,
    /// Trailing nulls that are not in `values` yet.
    nulls: usize,
}

impl<T: Column> Column for Option<T> {
    type Builder = OptionBuilder<T::Builder>;

    fn data_type() -> DataType {
        T::data_type()
    }

    fn fields() -> Vec<FieldDoc> {
        T::fields()
    }
}

impl<B: Build<T> + Default, T: Column> Build<Option<T>> for OptionBuilder<B> {
    fn append(&mut self, value: &Option<T>) {
        let Some(value) = value else {
            self.nulls += 1;
            return;
        };
        let values = self.values.get_or_insert_default();
        if self.nulls > 0 {
            values.append_nulls(std::mem::take(&mut self.nulls));
        }
        values.append(value);
    }

    fn append_nulls(&mut self, count: usize) {
        self.nulls += count;
    }

    fn finish(&mut self) -> ArrayRef {
        let nulls = std::mem::take(&mut self.nulls);
        let Some(mut values) = self.values.take() else {
            return null_array(T::data_type(), nulls);
        };
        values.append_nulls(nulls);
        values.finish()
    }
}

/// Returns nulls, which share their memory with all other nulls of their type.
fn null_array(data_type: DataType, count: usize) -> ArrayRef {
    static SHARED: LazyLock<Mutex<HashMap<DataType, ArrayRef>>> = LazyLock::new(Mutex::default);
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let longest = shared.get(&data_type).filter(|array| array.len() >= count);
    if let Some(array) = longest {
        return array.slice(0, count);
    }
    let array = new_null_array(&data_type, count.next_power_of_two());
    shared.insert(data_type, array.clone());
    array.slice(0, count)
}

/// Builds a list column.
pub struct ListBuilder<B> {
    values: B,
    end: i32,
    offsets: Vec<i32>,
    validity: NullBufferBuilder,
}

impl<B: Default> Default for ListBuilder<B> {
    fn default() -> Self {
        Self { values: B::default(), end: 0, offsets: vec![0], validity: NullBufferBuilder::new(0) }
    }
}

impl<T: Column> Column for Vec<T> {
    type Builder = ListBuilder<T::Builder>;

    fn data_type() -> DataType {
        DataType::List(element_field::<T>())
    }

    fn fields() -> Vec<FieldDoc> {
        T::fields()
    }
}

fn element_field<T: Column>() -> Arc<Field> {
    Arc::new(Field::new("element", T::data_type(), true))
}

impl<B: Build<T>, T: Column> Build<Vec<T>> for ListBuilder<B> {
    fn append(&mut self, elements: &Vec<T>) {
        for element in elements {
            self.values.append(element);
            self.end += 1;
        }
        self.offsets.push(self.end);
        self.validity.append_non_null();
    }

    fn append_nulls(&mut self, count: usize) {
        self.offsets.extend(std::iter::repeat_n(self.end, count));
        self.validity.append_n_nulls(count);
    }

    fn finish(&mut self) -> ArrayRef {
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        self.end = 0;
        Arc::new(ListArray::new(
            element_field::<T>(),
            OffsetBuffer::new(ScalarBuffer::from(offsets)),
            self.values.finish(),
            self.validity.finish(),
        ))
    }
}

/// Builds a map column with string keys.
pub struct MapBuilder<B> {
    keys: StringBuilder,
    values: B,
    end: i32,
    offsets: Vec<i32>,
    validity: NullBufferBuilder,
}

impl<B: Default> Default for MapBuilder<B> {
    fn default() -> Self {
        Self {
            keys: StringBuilder::default(),
            values: B::default(),
            end: 0,
            offsets: vec![0],
            validity: NullBufferBuilder::new(0),
        }
    }
}

impl<T: Column> Column for Map<'_, T> {
    type Builder = MapBuilder<T::Builder>;

    fn data_type() -> DataType {
        let entries = DataType::Struct(map_fields::<T>());
        DataType::Map(Arc::new(Field::new("key_value", entries, false)), false)
    }
}

fn map_fields<T: Column>() -> Fields {
    vec![Field::new("key", DataType::Utf8, false), Field::new("value", T::data_type(), true)].into()
}

impl<'a, B: Build<T>, T: Column> Build<Map<'a, T>> for MapBuilder<B> {
    fn append(&mut self, map: &Map<'a, T>) {
        for (key, value) in &map.0 {
            self.keys.append_value(&**key);
            self.values.append(value);
            self.end += 1;
        }
        self.offsets.push(self.end);
        self.validity.append_non_null();
    }

    fn append_nulls(&mut self, count: usize) {
        self.offsets.extend(std::iter::repeat_n(self.end, count));
        self.validity.append_n_nulls(count);
    }

    fn finish(&mut self) -> ArrayRef {
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        self.end = 0;
        let columns = vec![Build::<Text>::finish(&mut self.keys), self.values.finish()];
        let entries = StructArray::new(map_fields::<T>(), columns, None);
        let field = Field::new("key_value", entries.data_type().clone(), false);
        Arc::new(MapArray::new(
            Arc::new(field),
            OffsetBuffer::new(ScalarBuffer::from(offsets)),
            entries,
            self.validity.finish(),
            false,
        ))
    }
}
