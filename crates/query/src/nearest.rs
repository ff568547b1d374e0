//! Names similar to a misspelt one.

/// The maximum number of names shown.
pub(crate) const SHOWN: usize = 3;

/// Returns up to three names similar to `name`, the most similar first.
pub(crate) fn nearest(name: &str, names: impl Iterator<Item = String>) -> Vec<String> {
    /// Names with a lower similarity are unrelated.
    const ALIKE: f64 = 0.75;
    /// The maximum length of compared names: comparing takes time and memory proportional to the product of the
    /// lengths.
    const LONGEST: usize = 256;
    if name.len() > LONGEST {
        return Vec::new();
    }
    let name = name.to_lowercase();
    let mut alike: Vec<_> = names
        .map(|other| {
            (strsim::damerau_levenshtein(&name, &other), strsim::jaro_winkler(&name, &other), other)
        })
        .filter(|(edits, likeness, _)| *likeness > ALIKE && *edits <= name.len().div_ceil(3).max(2))
        .collect();
    alike.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
    alike.dedup_by(|a, b| a.2 == b.2);
    alike.into_iter().take(SHOWN).map(|(_, _, name)| name).collect()
}
