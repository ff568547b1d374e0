//! `guard_changes(…) OVER (PARTITION BY cluster, api_group, resource, namespace, name ORDER BY stage_at, …)`: what
//! each write of a security control removes compared with the previous version.
//!
//! A row depends only on earlier rows, so the engine passes one row at a time and keeps no partition in memory: only
//! the last version of the object is kept here.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{Field, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    LimitEffect, PartitionEvaluator, Signature, Volatility, WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::scalar::ScalarValue;
use podtrail_event::column::{Build, Column};
use podtrail_event::{GuardChange, GuardHistory, Write};

use super::columns::{Arguments, boolean, text};

/// The arguments, in order: columns of `events`.
#[derive(Clone, Copy)]
enum Argument {
    ApiGroup,
    Resource,
    Subresource,
    Verb,
    Outcome,
    ObjectUid,
    FieldManager,
    Force,
    RequestObject,
    ResponseObject,
}

const ARGUMENTS: usize = Argument::ResponseObject as usize + 1;

/// The window function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct GuardChanges {
    signature: Signature,
}

impl GuardChanges {
    pub(super) fn new() -> Self {
        Self { signature: Signature::any(ARGUMENTS, Volatility::Immutable) }
    }
}

impl WindowUDFImpl for GuardChanges {
    fn name(&self) -> &'static str {
        "guard_changes"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(
        &self,
        _arguments: PartitionEvaluatorArgs,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Evaluator { history: None }))
    }

    fn field(&self, arguments: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(arguments.name(), Vec::<GuardChange<'_>>::data_type(), true)))
    }

    fn limit_effect(&self, _arguments: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::None
    }
}

/// The history of the object whose writes form a partition.
#[derive(Debug)]
struct Evaluator {
    history: Option<GuardHistory>,
}

impl PartitionEvaluator for Evaluator {
    fn supports_bounded_execution(&self) -> bool {
        true
    }

    fn is_causal(&self) -> bool {
        true
    }

    fn evaluate(&mut self, arrays: &[ArrayRef], rows: &Range<usize>) -> Result<ScalarValue> {
        let arguments = Arguments::new(arrays);
        let row = rows.start;
        let column = |argument: Argument| arguments.text(argument as usize);
        let (api_group, resource) = (column(Argument::ApiGroup)?, column(Argument::Resource)?);
        let (verb, subresource) = (column(Argument::Verb)?, column(Argument::Subresource)?);
        let (outcome, object_uid) = (column(Argument::Outcome)?, column(Argument::ObjectUid)?);
        let field_manager = column(Argument::FieldManager)?;
        let force = arguments.boolean(Argument::Force as usize)?;
        let (request, response) =
            (column(Argument::RequestObject)?, column(Argument::ResponseObject)?);

        let api_group = text(&api_group, row).unwrap_or_default();
        let resource = text(&resource, row).unwrap_or_default();
        let history = self.history.get_or_insert_with(|| GuardHistory::new(api_group, resource));
        let changes = history.write(&Write {
            verb: text(&verb, row).unwrap_or_default(),
            subresource: text(&subresource, row).unwrap_or_default(),
            outcome: text(&outcome, row).unwrap_or_default(),
            object_uid: text(&object_uid, row),
            field_manager: text(&field_manager, row),
            force: boolean(&force, row),
            request_object: text(&request, row),
            response_object: text(&response, row),
        });
        let changes = Some(changes).filter(|changes| !changes.is_empty());
        let mut builder = <Option<Vec<GuardChange<'_>>> as Column>::Builder::default();
        builder.append(&changes);
        ScalarValue::try_from_array(&builder.finish(), 0)
    }
}
