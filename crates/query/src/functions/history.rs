//! Functions over the requests on one object, in the order of their completion: `workload_changes(…) OVER (PARTITION
//! BY cluster, api_group, resource, namespace, name ORDER BY stage_at, …)` returns what each write of a workload
//! changed compared with the previous version; `patched_workload(…)` and `patched_rbac(…)` return the result of a
//! patch applied to the previous version, if the response does not contain it.
//!
//! A row depends only on earlier rows, so the engine passes one row at a time and keeps no partition in memory: only
//! the last version of the object is kept here.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    LimitEffect, PartitionEvaluator, Signature, Volatility, WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::scalar::ScalarValue;
use podtrail_event::column::{Build, Column};
use podtrail_event::{Change, History, Rbac, Workload, Write};

use super::columns::{Arguments, boolean, text};

/// The arguments, in order: columns of `events`.
#[derive(Clone, Copy)]
enum Argument {
    ApiGroup,
    Resource,
    Namespace,
    Name,
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

/// What a function returns for a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Gives {
    Changes,
    Workload,
    Rbac,
}

impl Gives {
    fn data_type(self) -> DataType {
        match self {
            Self::Changes => Vec::<Change<'_>>::data_type(),
            Self::Workload => Workload::data_type(),
            Self::Rbac => Rbac::data_type(),
        }
    }

    /// Returns null, the value of most rows, which is shared: to build a null of a nested type takes longer than to read
    /// a row.
    fn null(self) -> Result<ScalarValue> {
        static NULLS: [OnceLock<ScalarValue>; 3] = [const { OnceLock::new() }; 3];
        let shared = &NULLS[self as usize];
        if let Some(null) = shared.get() {
            return Ok(null.clone());
        }
        let null = ScalarValue::try_new_null(&self.data_type())?;
        Ok(shared.get_or_init(|| null).clone())
    }
}

/// A window function over the requests on one object.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct OfHistory {
    name: &'static str,
    gives: Gives,
    signature: Signature,
}

impl OfHistory {
    pub(super) fn workload_changes() -> Self {
        Self::new("workload_changes", Gives::Changes)
    }

    pub(super) fn patched_workload() -> Self {
        Self::new("patched_workload", Gives::Workload)
    }

    pub(super) fn patched_rbac() -> Self {
        Self::new("patched_rbac", Gives::Rbac)
    }

    fn new(name: &'static str, gives: Gives) -> Self {
        let signature = Signature::any(ARGUMENTS, Volatility::Immutable);
        Self { name, gives, signature }
    }
}

impl WindowUDFImpl for OfHistory {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(
        &self,
        _arguments: PartitionEvaluatorArgs,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        let null = self.gives.null()?;
        Ok(Box::new(Evaluator { gives: self.gives, null, history: None }))
    }

    fn field(&self, arguments: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(arguments.name(), self.gives.data_type(), true)))
    }

    fn limit_effect(&self, _arguments: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::None
    }
}

/// The history of the object whose writes form a partition.
#[derive(Debug)]
struct Evaluator {
    gives: Gives,
    null: ScalarValue,
    history: Option<History>,
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

        let (namespace, name) = (column(Argument::Namespace)?, column(Argument::Name)?);

        let api_group = text(&api_group, row).unwrap_or_default();
        let resource = text(&resource, row).unwrap_or_default();
        if self.history.is_none() {
            self.history =
                History::new(api_group, resource, text(&namespace, row), text(&name, row));
        }
        let write = Write {
            verb: text(&verb, row).unwrap_or_default(),
            subresource: text(&subresource, row).unwrap_or_default(),
            outcome: text(&outcome, row).unwrap_or_default(),
            object_uid: text(&object_uid, row),
            field_manager: text(&field_manager, row),
            force: boolean(&force, row),
            request_object: text(&request, row),
            response_object: text(&response, row),
        };
        let history = self.history.as_mut();
        match self.gives {
            Gives::Changes => {
                let changes = history.map(|history| history.write(&write));
                value(&changes.filter(|changes| !changes.is_empty()), &self.null)
            }
            Gives::Workload => {
                let patched = history.and_then(|history| history.patch(&write));
                value(
                    &patched.as_ref().and_then(podtrail_event::PatchedObject::workload),
                    &self.null,
                )
            }
            Gives::Rbac => {
                let patched = history.and_then(|history| history.patch(&write));
                value(&patched.as_ref().and_then(podtrail_event::PatchedObject::rbac), &self.null)
            }
        }
    }
}

#[expect(clippy::ref_option, reason = "the column belongs to the option")]
fn value<T>(row: &Option<T>, null: &ScalarValue) -> Result<ScalarValue>
where
    Option<T>: Column,
{
    if row.is_none() {
        return Ok(null.clone());
    }
    let mut builder = <Option<T> as Column>::Builder::default();
    builder.append(row);
    ScalarValue::try_from_array(&builder.finish(), 0)
}
