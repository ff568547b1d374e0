//! The Pod Security level of a workload in a version of the standards.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, Int64Array, StringArray, StructArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::{as_int64_array, as_list_array, as_string_array, as_struct_array};
use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature,
    Volatility,
};

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
            "The Pod Security level that a workload reaches in a version of the standards: `privileged`, `baseline` \
             or `restricted`.",
            "pod_security_level(violations, version)",
        )
        .with_argument("violations", "`pod_security_violations` of a workload")
        .with_argument("version", "a minor version such as `1.29`, or `latest`")
        .with_sql_example("pod_security_level(pod_security_violations, '1.29')")
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
                Violations::of(&lists.value(row))?.level(minor).map(Some)
            })
            .collect::<Result<StringArray>>()?;
        Ok(ColumnarValue::Array(Arc::new(levels)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// The violations of one workload.
struct Violations {
    level: ArrayRef,
    since: Int64Array,
    until: Int64Array,
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

    fn level(&self, minor: i64) -> Result<&'static str> {
        let levels = as_string_array(&self.level)?;
        let fails = |standard: &str| {
            levels.iter().enumerate().any(|(row, level)| {
                level == Some(standard)
                    && (self.since.is_null(row) || self.since.value(row) <= minor)
                    && (self.until.is_null(row) || minor <= self.until.value(row))
            })
        };
        Ok(match (fails("baseline"), fails("restricted")) {
            (true, _) => "privileged",
            (false, true) => "baseline",
            (false, false) => "restricted",
        })
    }
}

fn member<'a>(violations: &'a StructArray, name: &str) -> Result<&'a ArrayRef> {
    match violations.column_by_name(name) {
        Some(column) => Ok(column),
        None => exec_err!("a Pod Security violation has no member '{name}'"),
    }
}

fn minors(violations: &StructArray, name: &str) -> Result<Int64Array> {
    Ok(as_int64_array(&cast(member(violations, name)?, &DataType::Int64)?)?.clone())
}

/// The minor version in `1.29`, `v1.29` or `v1.29.3`; `latest` is later than any.
fn minor(version: &str) -> Result<i64> {
    if version == "latest" {
        return Ok(i64::MAX);
    }
    let parts = version.trim_start_matches('v').split_once('.');
    let minor = parts.filter(|(major, _)| *major == "1").map(|(_, rest)| rest);
    match minor.and_then(|rest| rest.split(['.', '-', '+']).next()?.parse().ok()) {
        Some(minor) => Ok(minor),
        None => exec_err!("'{version}' is no version of Kubernetes: give 1.29 or latest"),
    }
}
