//! libFuzzer's entry to [`leasehold_fuzz::program`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| leasehold_fuzz::program(data));
