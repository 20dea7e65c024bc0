//! libFuzzer's entry to [`leasehold_fuzz::lock_key`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| leasehold_fuzz::lock_key(data));
