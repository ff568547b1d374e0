//! The version that both sides of a connection must have in common.

use std::fs::File;
use std::path::PathBuf;
use std::sync::OnceLock;

use podtrail_query::function_names;

use crate::error::ClusterError;

/// Returns the version of this build: it differs between two builds, and between builds with other functions.
///
/// Plans are decoded without checks of their meaning, so both sides must be the same program. The hash covers the
/// executable file, and the names of all functions that a plan may call.
///
/// # Errors
/// If the executable cannot be read.
pub fn build_version() -> Result<String, ClusterError> {
    static VERSION: OnceLock<String> = OnceLock::new();
    if let Some(version) = VERSION.get() {
        return Ok(version.clone());
    }
    let functions = function_names().map_err(|error| ClusterError::Engine(error.to_string()))?;
    let file = program().and_then(File::open).map_err(ClusterError::Version)?;
    let mut hash = blake3::Hasher::new();
    hash.update_reader(file).map_err(ClusterError::Version)?;
    for name in functions {
        hash.update(name.as_bytes());
        hash.update(b"\n");
    }
    let hash = hash.finalize().to_hex();
    let version = format!("{}-{}", env!("CARGO_PKG_VERSION"), &hash[..16]);
    Ok(VERSION.get_or_init(|| version).clone())
}

/// Returns the path of the running program. On Linux, it is readable even after an upgrade has replaced the file.
fn program() -> std::io::Result<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() { Ok(running) } else { std::env::current_exe() }
}
