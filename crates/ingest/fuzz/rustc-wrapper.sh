#!/usr/bin/env bash
# Coverage counters, as libFuzzer wants them, in the crates that are tested and in the targets. Their dependencies stay fast.
# These flags are stable, so that no nightly toolchain is needed: RUSTC_WRAPPER="$PWD/rustc-wrapper.sh" cargo build --release
rustc=$1
shift
case ${CARGO_MANIFEST_DIR:-} in
  */crates/event | */crates/ingest | */crates/ingest/fuzz)
    set -- "$@" -Cpasses=sancov-module -Ccodegen-units=1
    for option in level=4 inline-8bit-counters pc-table trace-compares; do
      set -- "$@" "-Cllvm-args=-sanitizer-coverage-$option"
    done
    ;;
esac
exec "$rustc" "$@"
