//! The live heap, counted.
//!
//! A binary that holds inputs to a bound of memory makes [`Counting`] its global
//! allocator. Beyond `LIVE_BYTES_MAX` it refuses to allocate, which ends the
//! process before the machine feels it.
#![expect(
    unsafe_code,
    reason = "an allocator is unsafe to be; this one passes on what it is asked"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering},
};

/// Bytes of heap that nothing here comes near, unless it grows without an end.
const LIVE_BYTES_MAX: usize = 2 * 1024 * 1024 * 1024;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, with what lives counted.
#[derive(Debug)]
pub struct Counting;

/// Starts the peak anew from what lives now.
pub fn reset_peak() {
    PEAK.store(LIVE.load(Ordering::Relaxed), Ordering::Relaxed);
}

/// The most bytes that lived at once since [`reset_peak`].
#[must_use]
pub fn peak_bytes() -> usize {
    PEAK.load(Ordering::Relaxed)
}

fn add(bytes: usize) -> bool {
    let live = LIVE.fetch_add(bytes, Ordering::Relaxed) + bytes;
    if live > LIVE_BYTES_MAX {
        LIVE.fetch_sub(bytes, Ordering::Relaxed);
        return false;
    }
    PEAK.fetch_max(live, Ordering::Relaxed);
    true
}

fn sub(bytes: usize) {
    LIVE.fetch_sub(bytes, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator with the arguments it came with;
// a null pointer is how an allocator says that it has no more.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !add(layout.size()) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller keeps the contract of `alloc`, which is the same.
        let memory = unsafe { System.alloc(layout) };
        if memory.is_null() {
            sub(layout.size());
        }
        memory
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !add(layout.size()) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller keeps the contract of `alloc_zeroed`, which is the same.
        let memory = unsafe { System.alloc_zeroed(layout) };
        if memory.is_null() {
            sub(layout.size());
        }
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        sub(layout.size());
        // SAFETY: the memory came from `System` with this layout.
        unsafe { System.dealloc(memory, layout) };
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both are counted for a moment, as both may live while the bytes are moved.
        if !add(size) {
            return std::ptr::null_mut();
        }
        // SAFETY: the memory came from `System` with this layout, and the caller keeps
        // the contract of `realloc`, which is the same.
        let moved = unsafe { System.realloc(memory, layout, size) };
        sub(if moved.is_null() { size } else { layout.size() });
        moved
    }
}
