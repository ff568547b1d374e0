//! Events as Arrow record batches.

use std::sync::{Arc, LazyLock};

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::column::FieldDoc;
use crate::column::{Build, Column, LongTextBuilder};
use crate::tables::event::{Event, EventBuilder};

/// The cluster of events for which neither the user nor an envelope names one.
pub const DEFAULT_CLUSTER: &str = "default";

/// The partition columns of the `events` table, in order.
pub const PARTITION_COLUMNS: [&str; 3] = ["cluster", "date", "activity"];

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let DataType::Struct(fields) = Event::data_type() else { unreachable!("a row is a struct") };
    Arc::new(Schema::new(fields))
});

/// Returns the schema of the `events` table, partition columns included.
pub fn schema() -> SchemaRef {
    SCHEMA.clone()
}

/// Returns every column of the `events` table with its documentation, in table order.
pub fn documentation() -> Vec<FieldDoc> {
    Event::fields()
}

/// Collects events into record batches of [`schema`].
#[derive(Default)]
pub struct BatchBuilder {
    rows: EventBuilder<'static>,
}

impl BatchBuilder {
    /// Creates a builder of batches that refer to long texts in `log`, from which their events are parsed: such a
    /// column contains views instead of strings.
    pub fn over(log: &Buffer) -> Self {
        let mut rows = EventBuilder::default();
        for column in [&mut rows.request_object, &mut rows.response_object] {
            column.values = Some(LongTextBuilder::over(log.clone()));
        }
        Self { rows }
    }

    /// Appends one event.
    pub fn append(&mut self, event: &Event<'_>) {
        self.rows.append(event);
    }

    /// Returns the number of collected events.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns whether no event was collected.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the collected events as one batch.
    pub fn finish(mut self) -> RecordBatch {
        let (columns, validity) = self.rows.finish_columns();
        debug_assert!(validity.is_none_or(|nulls| nulls.null_count() == 0));
        let schema = schema();
        let fields = schema.fields().iter().zip(&columns).map(|(field, column)| {
            if field.data_type() == column.data_type() {
                return field.clone();
            }
            Arc::new(Field::clone(field).with_data_type(column.data_type().clone()))
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        match RecordBatch::try_new(schema, columns) {
            Ok(batch) => batch,
            Err(error) => unreachable!("columns and schema come from one declaration: {error}"),
        }
    }
}
