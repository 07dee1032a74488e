//! libFuzzer's form of the target `cookie`; what it does stands in the library.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    mainstay_fuzz::cookie(input);
});
