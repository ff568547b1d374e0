//! What the fuzz targets share: a run over bytes in memory, and what must hold of its rows.

pub mod accounting;
pub mod canonical;
pub mod run;
