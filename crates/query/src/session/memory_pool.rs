//! The memory of the operators of a session.

use std::fmt::{Display, Formatter};

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{
    GreedyMemoryPool, MemoryLimit, MemoryPool, MemoryReservation,
};

/// First come, first served, but those that can spill to disk leave a part to those that cannot.
///
/// Two sorts side by side are an example: the first would take all there is, and the second need some to begin with, which
/// it cannot spill.
#[derive(Debug)]
pub(super) struct SpillFirstPool {
    all: GreedyMemoryPool,
    /// How much may be reserved when one that can spill asks for more, in bytes.
    spillable: usize,
}

impl SpillFirstPool {
    /// A pool of so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self { all: GreedyMemoryPool::new(bytes), spillable: bytes / 8 * 7 }
    }
}

impl MemoryPool for SpillFirstPool {
    fn name(&self) -> &'static str {
        "spill first"
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.all.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.all.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let reserved = self.all.reserved();
        let consumer = reservation.consumer();
        if consumer.can_spill() && reserved.saturating_add(additional) > self.spillable {
            return Err(DataFusionError::ResourcesExhausted(format!(
                "{} asks for {additional} bytes more, and {reserved} of {self} are in use",
                consumer.name()
            )));
        }
        self.all.try_grow(reservation, additional)
    }

    fn reserved(&self) -> usize {
        self.all.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.all.memory_limit()
    }
}

impl Display for SpillFirstPool {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} bytes for operators that spill", self.spillable)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::execution::memory_pool::MemoryConsumer;

    use super::*;

    #[test]
    fn what_cannot_spill_finds_room() {
        let pool: Arc<dyn MemoryPool> = Arc::new(SpillFirstPool::new(800));
        let sort = MemoryConsumer::new("sort").with_can_spill(true).register(&pool);
        let merge = MemoryConsumer::new("merge").register(&pool);
        sort.try_grow(700).unwrap();
        assert!(sort.try_grow(1).unwrap_err().to_string().contains("sort asks for 1 bytes more"));
        merge.try_grow(100).unwrap();
        assert!(merge.try_grow(1).is_err());
        sort.shrink(101);
        assert!(sort.try_grow(1).is_ok());
    }
}
