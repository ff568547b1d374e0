//! Distribution of one record's items over cores: an array or an API response may be a whole file.

/// Minimum size of a share that is worth another core.
pub(crate) const SHARE_BYTES: usize = 4 * 1024 * 1024;

/// Splits items into shares of some megabytes, in order. `bytes` returns the size of an item.
pub(crate) fn shares<T>(items: Vec<T>, bytes: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut shares: Vec<Vec<T>> = Vec::new();
    let mut room = 0_usize;
    for item in items {
        let size = bytes(&item);
        match shares.last_mut() {
            Some(share) if room > 0 => share.push(item),
            _ => {
                shares.push(vec![item]);
                room = SHARE_BYTES;
            }
        }
        room = room.saturating_sub(size);
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_a_few_megabytes() {
        const MIB: usize = 1024 * 1024;
        let deal = |sizes: &[usize]| shares(sizes.to_vec(), |size| *size);
        assert_eq!(deal(&[]), Vec::<Vec<usize>>::new());
        assert_eq!(deal(&[1, 2, 3]), [[1, 2, 3]]);
        assert_eq!(
            deal(&[3 * MIB, MIB, 1, 9 * MIB, 2]),
            [vec![3 * MIB, MIB], vec![1, 9 * MIB], vec![2]]
        );
    }
}
