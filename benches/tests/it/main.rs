//! What the generator promises.

mod generator;
