//! libFuzzer's form of the target `account`; what it does stands in the library.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    mainstay_fuzz::account(input);
});
