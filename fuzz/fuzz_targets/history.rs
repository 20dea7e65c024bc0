//! libFuzzer's entry to [`leasehold_fuzz::history`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| leasehold_fuzz::history(data));
