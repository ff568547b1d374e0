//! The Pod Security level of a workload in a version of the Pod Security Standards.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, Int32Array, StringArray, StructArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::{as_int32_array, as_list_array, as_string_array, as_struct_array};
use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature,
    Volatility,
};
use podtrail_event::pod_security::{Level, level_at};

const SECTION: DocSection =
    DocSection { include: true, label: "Workload Functions", description: None };

/// `pod_security_level(violations, version)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct PodSecurityLevel {
    signature: Signature,
    documentation: Documentation,
}

impl PodSecurityLevel {
    pub(super) fn new() -> Self {
        let documentation = Documentation::builder(
            SECTION,
            "Returns the Pod Security level of a workload in a version of the standards: `privileged`, `baseline` \
             or `restricted`.",
            "pod_security_level(violations, version)",
        )
        .with_argument(
            "violations",
            "the field `pod_security_violations` of the column `workload` of `events`",
        )
        .with_argument("version", "a minor version such as `1.29`, or `latest`")
        .with_sql_example(
            "pod_security_level(workload['pod_security_violations'], '1.29') = 'privileged'",
        )
        .build();
        Self { signature: Signature::user_defined(Volatility::Immutable), documentation }
    }
}

impl ScalarUDFImpl for PodSecurityLevel {
    fn name(&self) -> &'static str {
        "pod_security_level"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        match arguments {
            [DataType::List(item), version]
                if matches!(item.data_type(), DataType::Struct(_))
                    && (version.is_string() || version.is_null()) =>
            {
                Ok(vec![arguments[0].clone(), DataType::Utf8])
            }
            _ => plan_err!("pod_security_level takes a list of violations and a version"),
        }
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let [lists, versions] = arrays.as_slice() else {
            return exec_err!("pod_security_level takes two arguments");
        };
        let lists = as_list_array(lists)?;
        let versions = as_string_array(versions)?;
        let levels = (0..lists.len())
            .map(|row| {
                if lists.is_null(row) || versions.is_null(row) {
                    return Ok(None);
                }
                let minor = minor(versions.value(row))?;
                Violations::of(&lists.value(row))?.level(minor)
            })
            .collect::<Result<StringArray>>()?;
        Ok(ColumnarValue::Array(Arc::new(levels)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// The Pod Security violations of one workload.
struct Violations {
    level: ArrayRef,
    since: Int32Array,
    until: Int32Array,
}

impl Violations {
    fn of(list: &ArrayRef) -> Result<Self> {
        let violations = as_struct_array(list)?;
        Ok(Self {
            level: cast(member(violations, "level")?, &DataType::Utf8)?,
            since: minors(violations, "since")?,
            until: minors(violations, "until")?,
        })
    }

    fn level(&self, minor: i32) -> Result<Option<&'static str>> {
        let levels = as_string_array(&self.level)?.iter();
        let violations = levels.zip(&self.since).zip(&self.until);
        let violations = violations.map(|((level, since), until)| (level, since, until));
        Ok(level_at(violations, minor).map(Level::as_str))
    }
}

fn member<'a>(violations: &'a StructArray, name: &str) -> Result<&'a ArrayRef> {
    let column = violations.column_by_name(name);
    column.map_or_else(|| exec_err!("a Pod Security violation lacks the field '{name}'"), Ok)
}

fn minors(violations: &StructArray, name: &str) -> Result<Int32Array> {
    Ok(as_int32_array(&cast(member(violations, name)?, &DataType::Int32)?)?.clone())
}

/// Returns the minor version in `1.29`, `v1.29` or `v1.29.3`; `latest` is later than any.
fn minor(version: &str) -> Result<i32> {
    if version == "latest" {
        return Ok(i32::MAX);
    }
    let parts = version.trim_start_matches('v').split_once('.');
    let minor = parts.filter(|(major, _)| *major == "1").map(|(_, rest)| rest);
    let minor = minor.and_then(|rest| rest.split(['.', '-', '+']).next()?.parse().ok());
    minor.map_or_else(
        || {
            exec_err!(
                "invalid Kubernetes version '{version}'; expected a version such as 1.29, or latest"
            )
        },
        Ok,
    )
}
