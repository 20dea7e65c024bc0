//! libFuzzer's entry to [`leasehold_fuzz::key_template`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| leasehold_fuzz::key_template(data));
