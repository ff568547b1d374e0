//! `grants(…) OVER (PARTITION BY cluster ORDER BY time, event_id)`: the grant that begins with each subject of a
//! binding write, and how it ended.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StructArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use datafusion::error::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    LimitEffect, PartitionEvaluator, Signature, Volatility, WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;
use podtrail_event::{BindingSubject, grants};

use super::columns::{Arguments, boolean, from_rows, rows, strings, text};

/// The arguments, in order.
#[derive(Clone, Copy)]
enum Argument {
    EventId,
    Time,
    Verb,
    Resource,
    Namespace,
    Name,
    RoleKind,
    RoleName,
    HasSubject,
    SubjectKind,
    SubjectNamespace,
    SubjectName,
    Adds,
    Username,
}

const ARGUMENTS: usize = Argument::Username as usize + 1;

/// The window function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Grants {
    signature: Signature,
}

impl Grants {
    pub(super) fn new() -> Self {
        Self { signature: Signature::any(ARGUMENTS, Volatility::Immutable) }
    }
}

impl WindowUDFImpl for Grants {
    fn name(&self) -> &'static str {
        "grants"
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
        Ok(Arc::new(Field::new(arguments.name(), DataType::Struct(members()), true)))
    }

    /// Later rows end the grants of earlier rows.
    fn limit_effect(&self, _arguments: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::Unknown
    }
}

fn members() -> Fields {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Fields::from(vec![
        text("role_kind"),
        text("role_name"),
        Field::new("revoked_at", instant, true),
        text("revoked_by"),
        text("revoke_event_id"),
    ])
}

#[derive(Debug)]
struct Evaluator;

impl PartitionEvaluator for Evaluator {
    fn evaluate_all(&mut self, arrays: &[ArrayRef], count: usize) -> Result<ArrayRef> {
        let arguments = Arguments::new(arrays);
        let column = |argument: Argument| arguments.text(argument as usize);
        let (event_id, verb, resource) =
            (column(Argument::EventId)?, column(Argument::Verb)?, column(Argument::Resource)?);
        let (namespace, name) = (column(Argument::Namespace)?, column(Argument::Name)?);
        let (role_kind, role_name) = (column(Argument::RoleKind)?, column(Argument::RoleName)?);
        let has_subject = arguments.boolean(Argument::HasSubject as usize)?;
        let (subject_kind, subject_namespace, subject_name) = (
            column(Argument::SubjectKind)?,
            column(Argument::SubjectNamespace)?,
            column(Argument::SubjectName)?,
        );
        let adds = arguments.boolean(Argument::Adds as usize)?;

        let subject = |row| {
            let parts =
                (text(&subject_kind, row), text(&subject_namespace, row), text(&subject_name, row));
            (boolean(&has_subject, row) == Some(true)).then_some(parts)
        };
        let subjects: Vec<_> = (0..count)
            .map(|row| BindingSubject {
                event_id: text(&event_id, row).unwrap_or_default(),
                verb: text(&verb, row).unwrap_or_default(),
                resource: text(&resource, row).unwrap_or_default(),
                namespace: text(&namespace, row),
                name: text(&name, row),
                role: text(&role_kind, row).zip(text(&role_name, row)),
                subject: subject(row),
                adds: boolean(&adds, row) == Some(true),
            })
            .collect();

        let found = grants(&subjects);
        let roles: Vec<_> = found.iter().map(|found| found.and_then(|found| found.role)).collect();
        let end = rows(found.iter().map(|found| found.and_then(|found| found.revoked)))?;
        let of_end = |argument: Argument| from_rows(arguments.array(argument as usize)?, &end);
        let columns: Vec<ArrayRef> = vec![
            strings(roles.iter().map(|role| role.map(|(kind, _)| kind))),
            strings(roles.iter().map(|role| role.map(|(_, name)| name))),
            of_end(Argument::Time)?,
            of_end(Argument::Username)?,
            of_end(Argument::EventId)?,
        ];
        let begins: NullBuffer = found.iter().map(Option::is_some).collect::<Vec<_>>().into();
        Ok(Arc::new(StructArray::try_new(members(), columns, Some(begins))?))
    }
}
