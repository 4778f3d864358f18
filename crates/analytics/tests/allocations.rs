//! A view at work asks for next to no memory: what a frame needs is kept from the frames before.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

#[path = "../benches/crowd/mod.rs"]
mod crowd;

thread_local! {
    /// Allocations of this thread; other tests' threads do not count.
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counting.
struct Counting;

#[expect(unsafe_code, reason = "only an allocator can count allocations; it hands everything on as it is")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(at, layout, size) }
    }
}

fn count() {
    COUNT.with(|count| count.set(count.get() + 1));
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of a frame, in the mean: the lists of detections, of standing tracks and of open incidents, which go out, and
/// now and then a list that grows.
const ALLOWED: f64 = 4.0;

#[test]
fn a_view_with_a_hundred_tracks_and_twenty_zones_allocates_four_times_a_frame_at_most() {
    let mut view = crowd::View::new();
    let mut open = 0;
    for _ in 0..2_000 {
        open = view.step().open.len();
    }
    assert!(open >= 10, "incidents are open while it is measured, not {open}");
    let before = COUNT.with(Cell::get);
    let frames = 500;
    for _ in 0..frames {
        view.step();
    }
    let each = (COUNT.with(Cell::get) - before) as f64 / f64::from(frames);
    assert!(each <= ALLOWED, "{each:.1} allocations a frame");
}
