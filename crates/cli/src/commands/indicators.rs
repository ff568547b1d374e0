//! Reads the files of `--indicators`.

use podtrail_detect::{INDICATOR_DETECTION, Indicators, Pack};
use podtrail_report::thousands;

use crate::args::FindArgs;
use crate::clock;
use crate::output;

/// Returns the given indicators, if any, and warns about those that are skipped.
pub(crate) fn given(find: &FindArgs, pack: &Pack) -> anyhow::Result<Option<Indicators>> {
    if find.indicators.is_empty() {
        return Ok(None);
    }
    let (indicators, readings) = Indicators::read(&find.indicators, clock::now())?;
    for reading in readings {
        let skipped = reading.skipped.iter().map(|(what, count)| (*count, what.as_str()));
        let expired = (reading.expired, "expired");
        let skipped = skipped.chain([expired]).filter(|(count, _)| *count > 0);
        let skipped: Vec<_> = skipped.map(|(count, what)| format!("{count} {what}")).collect();
        if !skipped.is_empty() {
            output::warn(&format!(
                "{}: {} indicators used; skipped: {}",
                reading.path.display(),
                thousands((reading.indicators - reading.expired) as u64),
                skipped.join(", ")
            ));
        }
    }
    if pack.get(INDICATOR_DETECTION).is_none() {
        output::warn(&format!(
            "indicators are not searched for, because --detection excludes {INDICATOR_DETECTION}"
        ));
    }
    Ok(Some(indicators))
}
