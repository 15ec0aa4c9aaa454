#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| liveops_fuzz::snapshot::check(bytes));
