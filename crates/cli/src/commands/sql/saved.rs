//! Saved queries by name, and their list.

use std::io::Write;

use podtrail_detect::{SavedQuery, saved_queries};

use crate::exit::UsageError;
use crate::listing;
use crate::output;

/// Lists saved queries with their parameters.
pub(super) fn list(out: &mut dyn Write) -> anyhow::Result<()> {
    for query in saved_queries()? {
        writeln!(out, "{}: {}", query.name, query.head.title)?;
        let options = textwrap::Options::new(output::width())
            .initial_indent("  ")
            .subsequent_indent("  ")
            .break_words(false);
        writeln!(out, "{}", textwrap::fill(query.head.description.trim(), options))?;
        let parameters = query.head.parameters.iter().map(|(name, parameter)| {
            let (kind, default) = (parameter.type_name(), parameter.default_text());
            let default = if default.is_empty() { "none".to_owned() } else { default };
            [
                format!("  {name}={kind}"),
                format!("{} (default: {default})", parameter.description()),
            ]
        });
        listing::list(parameters, out)?;
        writeln!(out)?;
    }
    Ok(())
}

/// Returns the saved query with this name.
pub(super) fn find(name: &str) -> anyhow::Result<SavedQuery> {
    let query = saved_queries()?.into_iter().find(|query| query.name == name);
    query.ok_or_else(|| {
        UsageError(format!("unknown saved query '{name}'; --saved list lists all")).into()
    })
}
