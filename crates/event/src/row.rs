//! Structs whose fields are columns.

use arrow::datatypes::{DataType, FieldRef};

use crate::column::Column;

/// Returns the column name of a struct field: a raw identifier without its `r#`.
pub fn field_name(identifier: &'static str) -> &'static str {
    identifier.strip_prefix("r#").unwrap_or(identifier)
}

/// Returns the fields of a row.
pub fn struct_fields<T: Column>() -> Vec<FieldRef> {
    match T::data_type() {
        DataType::Struct(fields) => fields.iter().cloned().collect(),
        _ => unreachable!("a row is a struct"),
    }
}

/// Declares a struct whose fields are columns, together with its builder and documentation.
///
/// A struct with a lifetime borrows from the log. A struct without one owns its values; its `serde` attributes describe
/// how it is read from rows and how it looks as JSON. The columns of a field after `..` are columns of the struct, as
/// with `serde(flatten)`.
#[macro_export]
macro_rules! row {
    (
        $(#[doc = $about:literal])+
        pub struct $name:ident<$life:lifetime> builds $builder:ident {
            $( $(#[doc = $doc:literal])+ pub $field:ident: $type:ty, )+
        }
    ) => {
        $crate::row! {
            @generic [<$life>] [<'static>] [Default]
            $(#[doc = $about])+
            pub struct $name builds $builder {
                $( $(#[doc = $doc])+ pub $field: $type, )+
            }
        }
    };
    (
        $(#[doc = $about:literal])+
        $(#[derive($derive:path)])?
        pub struct $name:ident builds $builder:ident {
            $( $(#[doc = $doc:literal])+ $(#[serde($($serde:tt)*)])* pub $field:ident: $type:ty, )+
            $( .. $(#[doc = $rest_doc:literal])+ pub $rest:ident: $rest_type:ty, )?
        }
    ) => {
        $crate::row! {
            @generic [] [] [serde::Serialize, serde::Deserialize $(, $derive)?]
            $(#[doc = $about])+
            pub struct $name builds $builder {
                $( $(#[doc = $doc])+ $(#[serde($($serde)*)])* pub $field: $type, )+
                $( .. $(#[doc = $rest_doc])+ #[serde(flatten)] pub $rest: $rest_type, )?
            }
        }
    };
    (
        @generic [$($life:tt)*] [$($static:tt)*] [$($derive:path),*]
        $(#[doc = $about:literal])+
        pub struct $name:ident builds $builder:ident {
            $( $(#[doc = $doc:literal])+ $(#[serde($($serde:tt)*)])* pub $field:ident: $type:ty, )+
            $( .. $(#[doc = $rest_doc:literal])+ #[serde(flatten)] pub $rest:ident: $rest_type:ty, )?
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq, $($derive),*)]
        pub struct $name $($life)* {
            $( $(#[doc = $doc])+ $(#[serde($($serde)*)])* pub $field: $type, )+
            $( $(#[doc = $rest_doc])+ #[serde(flatten)] pub $rest: $rest_type, )?
        }

        #[doc = concat!("Collects [`", stringify!($name), "`] values into an Arrow struct column.")]
        pub struct $builder $($life)* {
            $( pub(crate) $field: <$type as $crate::column::Column>::Builder, )+
            $( pub(crate) $rest: <$rest_type as $crate::column::Column>::Builder, )?
            validity: arrow::array::NullBufferBuilder,
        }

        impl $($life)* Default for $builder $($life)* {
            fn default() -> Self {
                Self {
                    $( $field: Default::default(), )+
                    $( $rest: Default::default(), )?
                    validity: arrow::array::NullBufferBuilder::new(0),
                }
            }
        }

        impl $($life)* $crate::column::Column for $name $($life)* {
            type Builder = $builder $($static)*;

            fn data_type() -> arrow::datatypes::DataType {
                let fields = [$( arrow::datatypes::Field::new(
                    $crate::row::field_name(stringify!($field)),
                    <$type as $crate::column::Column>::data_type(),
                    true,
                ), )+];
                let fields = fields.into_iter().map(std::sync::Arc::new);
                $( let fields = fields.chain($crate::row::struct_fields::<$rest_type>()); )?
                arrow::datatypes::DataType::Struct(fields.collect())
            }

            fn fields() -> Vec<$crate::column::FieldDoc> {
                let fields = [$( $crate::column::FieldDoc {
                    name: $crate::row::field_name(stringify!($field)),
                    doc: [$( $doc.trim() ),+].join(" "),
                    data_type: <$type as $crate::column::Column>::data_type(),
                    fields: <$type as $crate::column::Column>::fields(),
                }, )+];
                let fields = fields.into_iter();
                $( let fields = fields.chain(<$rest_type as $crate::column::Column>::fields()); )?
                fields.collect()
            }
        }

        impl $($life)* $builder $($life)* {
            /// Returns the number of values appended so far.
            pub fn len(&self) -> usize {
                self.validity.len()
            }

            /// Returns whether nothing was appended.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Returns the columns of the appended values, in field order, and which rows are null.
            pub fn finish_columns(
                &mut self,
            ) -> (Vec<arrow::array::ArrayRef>, Option<arrow::buffer::NullBuffer>) {
                let columns = [$( $crate::column::Build::<$type>::finish(&mut self.$field), )+];
                let columns = columns.into_iter();
                $( let columns = columns.chain(self.$rest.finish_columns().0); )?
                (columns.collect(), self.validity.finish())
            }
        }

        impl $($life)* $crate::column::Build<$name $($life)*> for $builder $($static)* {
            fn append(&mut self, value: &$name $($life)*) {
                $( $crate::column::Build::<$type>::append(&mut self.$field, &value.$field); )+
                $( $crate::column::Build::<$rest_type>::append(&mut self.$rest, &value.$rest); )?
                self.validity.append_non_null();
            }

            fn append_nulls(&mut self, count: usize) {
                $( $crate::column::Build::<$type>::append_nulls(&mut self.$field, count); )+
                $( $crate::column::Build::<$rest_type>::append_nulls(&mut self.$rest, count); )?
                self.validity.append_n_nulls(count);
            }

            fn finish(&mut self) -> arrow::array::ArrayRef {
                let fields = $crate::row::struct_fields::<$name $($life)*>();
                let (columns, validity) = self.finish_columns();
                std::sync::Arc::new(arrow::array::StructArray::new(fields.into(), columns, validity))
            }
        }
    };
}
