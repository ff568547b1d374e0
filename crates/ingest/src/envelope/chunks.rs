//! Distribution of one record's items over cores: an array or an API response may be a whole file.

/// Minimum size of a chunk that is worth another core.
pub(crate) const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// Splits items into chunks of some megabytes, in order. `bytes` returns the size of an item.
pub(crate) fn chunks<T>(items: Vec<T>, bytes: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut chunks: Vec<Vec<T>> = Vec::new();
    let mut left = 0_usize;
    for item in items {
        let size = bytes(&item);
        match chunks.last_mut() {
            Some(chunk) if left > 0 => chunk.push(item),
            _ => {
                chunks.push(vec![item]);
                left = CHUNK_BYTES;
            }
        }
        left = left.saturating_sub(size);
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_of_some_megabytes() {
        const MIB: usize = 1024 * 1024;
        let split = |sizes: &[usize]| chunks(sizes.to_vec(), |size| *size);
        assert_eq!(split(&[]), Vec::<Vec<usize>>::new());
        assert_eq!(split(&[1, 2, 3]), [[1, 2, 3]]);
        assert_eq!(
            split(&[3 * MIB, MIB, 1, 9 * MIB, 2]),
            [vec![3 * MIB, MIB], vec![1, 9 * MIB], vec![2]]
        );
    }
}
