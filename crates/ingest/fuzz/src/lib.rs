//! Shared code of the fuzz targets: a run over bytes in memory, and the invariants of its rows.

pub mod accounting;
pub mod canonical;
pub mod run;
pub mod structured;

/// Makes this thread the only worker: passing work to another costs more than a short input.
pub fn set_up_pool() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread();
    pool.build_global().expect("the first pool");
}
