//! `attribute(…) OVER (PARTITION BY cluster ORDER BY time)`: the author of each workload write.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int32Array, StructArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use datafusion::error::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    LimitEffect, PartitionEvaluator, Signature, Volatility, WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;
use podtrail_event::{OwnedWrite, OwnerReference, attribute};

use super::columns::{Arguments, boolean, from_rows, rows, strings, text};

/// The arguments, in order.
#[derive(Clone, Copy)]
enum Argument {
    EventId,
    Time,
    Verb,
    Resource,
    Kind,
    Namespace,
    Name,
    Uid,
    OwnerKind,
    OwnerName,
    OwnerUid,
    Whole,
    IdentityKind,
    Username,
    EffectiveUsername,
    Stored,
    WritesSpec,
}

const ARGUMENTS: usize = Argument::WritesSpec as usize + 1;

/// The window function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Attribute {
    signature: Signature,
}

impl Attribute {
    pub(super) fn new() -> Self {
        Self { signature: Signature::any(ARGUMENTS, Volatility::Immutable) }
    }
}

impl WindowUDFImpl for Attribute {
    fn name(&self) -> &'static str {
        "attribute"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(
        &self,
        _arguments: PartitionEvaluatorArgs,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Evaluator))
    }

    fn field(&self, arguments: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(arguments.name(), DataType::Struct(members()), false)))
    }

    /// Later rows can show the owner of an object in earlier rows.
    fn limit_effect(&self, _arguments: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::Unknown
    }
}

fn members() -> Fields {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Fields::from(vec![
        text("root_kind"),
        text("root_name"),
        text("root_uid"),
        Field::new("depth", DataType::Int32, false),
        text("author"),
        text("author_username"),
        text("author_event_id"),
        Field::new("author_time", instant, true),
        text("author_known_by"),
    ])
}

#[derive(Debug)]
struct Evaluator;

impl PartitionEvaluator for Evaluator {
    fn evaluate_all(&mut self, arrays: &[ArrayRef], count: usize) -> Result<ArrayRef> {
        let arguments = Arguments::new(arrays);
        let column = |argument: Argument| arguments.text(argument as usize);
        let (verb, resource, kind) =
            (column(Argument::Verb)?, column(Argument::Resource)?, column(Argument::Kind)?);
        let (namespace, name, uid) =
            (column(Argument::Namespace)?, column(Argument::Name)?, column(Argument::Uid)?);
        let (owner_kind, owner_name, owner_uid) = (
            column(Argument::OwnerKind)?,
            column(Argument::OwnerName)?,
            column(Argument::OwnerUid)?,
        );
        let whole = arguments.boolean(Argument::Whole as usize)?;
        let (identity_kind, username) =
            (column(Argument::IdentityKind)?, column(Argument::Username)?);
        let stored = arguments.boolean(Argument::Stored as usize)?;
        let writes_spec = arguments.boolean(Argument::WritesSpec as usize)?;

        let owner = |row| {
            let (kind, name) = (text(&owner_kind, row)?, text(&owner_name, row)?);
            Some(OwnerReference { kind, name, uid: text(&owner_uid, row) })
        };
        let writes: Vec<_> = (0..count)
            .map(|row| OwnedWrite {
                namespace: text(&namespace, row),
                resource: text(&resource, row).unwrap_or_default(),
                kind: text(&kind, row),
                name: text(&name, row),
                uid: text(&uid, row),
                owner: owner(row),
                whole: boolean(&whole, row) == Some(true),
                verb: text(&verb, row).unwrap_or_default(),
                identity_kind: text(&identity_kind, row).unwrap_or_default(),
                username: text(&username, row).unwrap_or_default(),
                stored: boolean(&stored, row),
                writes_spec: boolean(&writes_spec, row) == Some(true),
            })
            .collect();

        let found = attribute(&writes);
        let author = rows(found.iter().map(|found| found.author))?;
        let of_author =
            |argument: Argument| from_rows(arguments.array(argument as usize)?, &author);
        let depth = found.iter().map(|found| i32::try_from(found.depth).unwrap_or(i32::MAX));
        let columns: Vec<ArrayRef> = vec![
            strings(found.iter().map(|found| found.root_kind)),
            strings(found.iter().map(|found| found.root_name)),
            strings(found.iter().map(|found| found.root_uid)),
            Arc::new(depth.collect::<Int32Array>()),
            of_author(Argument::EffectiveUsername)?,
            of_author(Argument::Username)?,
            of_author(Argument::EventId)?,
            of_author(Argument::Time)?,
            strings(found.iter().map(|found| Some(found.known_by.as_str()))),
        ];
        Ok(Arc::new(StructArray::try_new(members(), columns, None)?))
    }
}
