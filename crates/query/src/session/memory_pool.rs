//! The memory pool of a session's operators.

use std::fmt::{Display, Formatter};

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{
    GreedyMemoryPool, MemoryLimit, MemoryPool, MemoryReservation,
};

/// Grants memory first come, first served, but operators that can spill to disk leave a part to those that cannot.
///
/// Two concurrent sorts are an example: the first would take all memory, and the second needs some to start, which it
/// cannot spill.
#[derive(Debug)]
pub(super) struct SpillFirstPool {
    all: GreedyMemoryPool,
    /// The limit of reserved memory for requests of operators that can spill, in bytes.
    spillable: usize,
}

impl SpillFirstPool {
    /// Creates a pool of this number of bytes.
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
                "{} requests {additional} more bytes; {reserved} of {self} are in use",
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
    fn operators_that_cannot_spill_get_memory() {
        let pool: Arc<dyn MemoryPool> = Arc::new(SpillFirstPool::new(800));
        let sort = MemoryConsumer::new("sort").with_can_spill(true).register(&pool);
        let merge = MemoryConsumer::new("merge").register(&pool);
        sort.try_grow(700).unwrap();
        assert!(sort.try_grow(1).unwrap_err().to_string().contains("sort requests 1 more bytes"));
        merge.try_grow(100).unwrap();
        assert!(merge.try_grow(1).is_err());
        sort.shrink(101);
        assert!(sort.try_grow(1).is_ok());
    }
}
