//! The columns of a table, as its log describes them: "Schema Serialization Format" of the Delta Lake protocol.

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::error::ArrowError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The columns of a table, or the members of a struct.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "struct", tag = "type")]
pub(crate) struct Columns {
    pub(crate) fields: Vec<Column>,
}

/// A column, or a member of a struct.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) data_type: ColumnType,
    nullable: bool,
    #[serde(default)]
    metadata: Map<String, Value>,
}

/// The type of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum ColumnType {
    /// A type without parts, such as `string` or `long`.
    Primitive(String),
    Nested(Nested),
}

/// A type with parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "type")]
pub(crate) enum Nested {
    Struct { fields: Vec<Column> },
    Array { element_type: Box<ColumnType>, contains_null: bool },
    Map { key_type: Box<ColumnType>, value_type: Box<ColumnType>, value_contains_null: bool },
}

impl Columns {
    /// Returns the columns of an Arrow schema; the metadata of a field, such as its comment, is that of the column.
    ///
    /// # Errors
    /// If Delta Lake lacks a type.
    pub(crate) fn of(schema: &Schema) -> Result<Self, ArrowError> {
        let fields = schema.fields().iter().map(|field| Column::of(field));
        Ok(Self { fields: fields.collect::<Result<_, _>>()? })
    }

    /// Returns the column with this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Column> {
        self.fields.iter().find(|column| column.name == name)
    }
}

impl Column {
    fn of(field: &Field) -> Result<Self, ArrowError> {
        let metadata = field.metadata().iter();
        Ok(Self {
            name: field.name().clone(),
            data_type: ColumnType::of(field.data_type())?,
            nullable: field.is_nullable(),
            metadata: metadata.map(|(key, value)| (key.clone(), value.as_str().into())).collect(),
        })
    }
}

impl ColumnType {
    fn of(data_type: &DataType) -> Result<Self, ArrowError> {
        let primitive = match data_type {
            DataType::Utf8 => "string",
            DataType::Binary => "binary",
            DataType::Boolean => "boolean",
            DataType::Int32 => "integer",
            DataType::Int64 => "long",
            DataType::Float64 => "double",
            DataType::Date32 => "date",
            DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) if &**zone == "UTC" => {
                "timestamp"
            }
            _ => return Nested::of(data_type).map(Self::Nested),
        };
        Ok(Self::Primitive(primitive.to_owned()))
    }
}

impl Nested {
    fn of(data_type: &DataType) -> Result<Self, ArrowError> {
        let part = |field: &Field| ColumnType::of(field.data_type()).map(Box::new);
        let unsupported = || ArrowError::SchemaError(format!("Delta Lake lacks type {data_type}"));
        match data_type {
            DataType::Struct(fields) => {
                let fields = fields.iter().map(|field| Column::of(field));
                Ok(Self::Struct { fields: fields.collect::<Result<_, _>>()? })
            }
            DataType::List(item) => {
                Ok(Self::Array { element_type: part(item)?, contains_null: item.is_nullable() })
            }
            DataType::Map(entries, _) => {
                let DataType::Struct(members) = entries.data_type() else {
                    return Err(unsupported());
                };
                let [key, value] = &members[..] else { return Err(unsupported()) };
                Ok(Self::Map {
                    key_type: part(key)?,
                    value_type: part(value)?,
                    value_contains_null: value.is_nullable(),
                })
            }
            _ => Err(unsupported()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    #[test]
    fn columns_are_as_in_the_protocol() {
        let member = |name, data_type| Arc::new(Field::new(name, data_type, true));
        let list = DataType::List(member("element", DataType::Utf8));
        let entries = [Field::new("key", DataType::Utf8, false), Field::new("value", list, true)];
        let entries = Field::new("entries", DataType::Struct(entries.to_vec().into()), false);
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let fields = vec![member("time", time), member("n", DataType::Int64)];
        let comment = [("comment".to_owned(), "Names.".to_owned())];
        let schema = Schema::new(vec![
            Field::new("name", DataType::Utf8, false).with_metadata(comment.into()),
            Field::new("extra", DataType::Map(Arc::new(entries), false), true),
            Field::new("object", DataType::Struct(fields.into()), true),
        ]);
        let columns = Columns::of(&schema).unwrap();
        let expected = json!({"type": "struct", "fields": [
            {"name": "name", "type": "string", "nullable": false, "metadata": {"comment": "Names."}},
            {"name": "extra", "nullable": true, "metadata": {}, "type": {
                "type": "map", "keyType": "string", "valueContainsNull": true,
                "valueType": {"type": "array", "elementType": "string", "containsNull": true},
            }},
            {"name": "object", "nullable": true, "metadata": {}, "type": {"type": "struct", "fields": [
                {"name": "time", "type": "timestamp", "nullable": true, "metadata": {}},
                {"name": "n", "type": "long", "nullable": true, "metadata": {}},
            ]}},
        ]});
        assert_eq!(serde_json::to_value(&columns).unwrap(), expected);
        assert_eq!(serde_json::from_value::<Columns>(expected).unwrap(), columns);
        let unknown = Schema::new(vec![Field::new("x", DataType::UInt64, true)]);
        assert!(Columns::of(&unknown).unwrap_err().to_string().contains("UInt64"));
        assert!(serde_json::from_value::<Columns>(json!("string")).is_err());
    }
}
