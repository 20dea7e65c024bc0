//! libFuzzer's entry to [`leasehold_fuzz::memory_model`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| leasehold_fuzz::memory_model(data));
