//! Steps of time that are easy to read.

use chrono::{DateTime, TimeDelta, Utc};

/// Step lengths that are easy to read, in seconds.
const STEPS: [i64; 18] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400,
    604_800,
];
/// The maximum number of steps of a timeline.
const MAX_STEPS: i64 = 96;
/// Returns the length of a step of the timeline for this period, in seconds; some hundred steps cover it.
pub(super) fn timeline_step(first: DateTime<Utc>, last: DateTime<Utc>) -> i64 {
    step_of(last - first, MAX_STEPS)
}

/// Returns a step of which at most `most` cover the period, in seconds.
pub(super) fn step_of(period: TimeDelta, most: i64) -> i64 {
    let seconds = period.num_seconds().max(1);
    let step = STEPS.into_iter().find(|step| seconds / step < most);
    // A log of many years.
    step.unwrap_or_else(|| seconds / most + 1)
}
