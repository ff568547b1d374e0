//! The files in `tests/sqllogic`: statements and their results. The events of `<name>.jsonl`, one per line, are in the
//! lake that `<name>.slt` queries. `UPDATE_SQLLOGIC=1 cargo test --workspace --test it sqllogic` writes the results.

use std::fs;
use std::path::Path;

use datafusion::arrow::array::Array;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use podtrail_query::{Limits, QueryError, Scope, Session};
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};

use crate::lake;

struct Database(Session);

impl Database {
    async fn rows(&self, sql: &str) -> Result<DBOutput<DefaultColumnType>, QueryError> {
        let query = self.0.sql(sql).await?;
        let types = vec![DefaultColumnType::Text; query.schema().fields().len()];
        let options = FormatOptions::new().with_null("NULL");
        let mut rows = Vec::new();
        for batch in query.collect().await? {
            for row in 0..batch.num_rows() {
                let value = |column: &dyn Array| {
                    let column = ArrayFormatter::try_new(column, &options).unwrap();
                    match column.value(row).to_string() {
                        text if text.is_empty() => "(empty)".to_owned(),
                        text => without_paths(&text),
                    }
                };
                let row: Vec<_> = batch.columns().iter().map(|column| value(column)).collect();
                // A plan has several lines, and a line of a file is a row.
                if row.iter().any(|value| value.contains('\n')) {
                    rows.extend(row.join("\t").lines().map(|line| vec![line.to_owned()]));
                } else {
                    rows.push(row);
                }
            }
        }
        Ok(DBOutput::Rows { types, rows })
    }
}

/// Replaces the paths of data files, which differ from run to run, in the text of a plan.
fn without_paths(text: &str) -> String {
    let line = |line: &str| match (line.find("file_groups={"), line.find("]]}")) {
        (Some(start), Some(end)) => {
            let files = line[start..end].matches(".parquet").count();
            format!("{}file_groups={{{files} files}}{}", &line[..start], &line[end + 3..])
        }
        _ => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[async_trait::async_trait]
impl AsyncDB for Database {
    type Error = QueryError;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, QueryError> {
        self.rows(sql).await
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &'static str {
        "podtrail"
    }
}

#[tokio::test]
async fn statements_return_what_their_files_show() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sqllogic");
    let mut files: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "slt"));
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let events = fs::read_to_string(file.with_extension("jsonl")).unwrap_or_default();
        let events: Vec<_> = events.lines().map(str::to_owned).collect();
        let (_dir, lake) = lake(&[events]).await;
        let limits = Limits { partitions: Some(1), ..Limits::default() };
        let session = Session::open(&lake, Scope::default(), limits).unwrap();
        let session = &session;
        let mut runner = Runner::new(|| async { Ok(Database(session.clone())) });
        if std::env::var_os("UPDATE_SQLLOGIC").is_some_and(|value| !value.is_empty()) {
            let validator = sqllogictest::default_validator;
            let normalizer = sqllogictest::default_normalizer;
            let columns = sqllogictest::default_column_validator;
            let name = file.to_str().unwrap();
            runner.update_test_file(name, "\t", validator, normalizer, columns).await.unwrap();
        } else if let Err(error) = runner.run_file_async(&file).await {
            panic!("{error}");
        }
    }
}
