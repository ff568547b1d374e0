//! The share of a list of inputs that one of several runs reads.

use std::fmt;
use std::str::FromStr;

/// One of several shares. Every file belongs to exactly one, by its name: runs on several machines divide a list of
/// inputs without coordination, if the files have the same names on all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    number: u64,
    count: u64,
}

impl Shard {
    /// Returns whether the file of this name belongs to the share.
    pub(crate) fn contains(self, name: &str) -> bool {
        let digest = blake3::hash(name.as_bytes());
        let hash =
            digest.as_bytes().iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte));
        hash % self.count == self.number - 1
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shard = || {
            let (number, count) = text.split_once('/')?;
            let (number, count) = (number.parse().ok()?, count.parse().ok()?);
            (1..=count).contains(&number).then_some(Self { number, count })
        };
        shard().ok_or_else(|| format!("expected I/N with I from 1 to N, such as 2/8, got '{text}'"))
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.number, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_in_one_shard() {
        let shards: Vec<Shard> = (1..=5).map(|n| format!("{n}/5").parse().unwrap()).collect();
        let mut sizes = [0; 5];
        for name in (0..1000).map(|n| format!("audit-{n}.log.gz")) {
            let inside: Vec<_> = (0..5).filter(|n| shards[*n].contains(&name)).collect();
            assert_eq!(inside.len(), 1, "{name}");
            sizes[inside[0]] += 1;
        }
        assert!(sizes.iter().all(|size| (150..250).contains(size)), "{sizes:?}");
    }

    #[test]
    fn a_shard_is_one_of_its_number() {
        for wrong in ["", "1", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "a/b"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
        assert_eq!("2/8".parse::<Shard>().unwrap().to_string(), "2/8");
    }
}
