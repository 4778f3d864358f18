//! How the C library keeps memory, which GStreamer, the decoders and ONNX Runtime take theirs from as Rust does.
//! Other C libraries keep it in ways of their own.

use std::{convert::Infallible, time::Duration};

const GIVEN_BACK_EVERY: Duration = Duration::from_secs(30);

/// As they are, its allocators keep what cameras that have gone leave behind, scattered over an arena for each
/// few threads: the memory of a node on which cameras come and go grows for hours. Two arenas, and pictures in
/// mappings of their own, keep it together (`benches/soak`). Call before the first thread is started.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn keep_together() {
    const ARENAS: libc::c_int = 2;
    const MAPPED_FROM_BYTES: libc::c_int = 1 << 20;
    #[expect(
        unsafe_code,
        reason = "the C library's settings; no thread runs yet, and both are in their ranges"
    )]
    // SAFETY: `mallopt` only sets parameters of the allocator, and is called before any thread is started.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, ARENAS);
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_FROM_BYTES);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn keep_together() {}

/// Gives back to the system what lies free between what is in use, every half a minute, as long as it is polled:
/// by itself the C library gives back only what is free at an arena's end.
pub(crate) async fn give_back() -> Infallible {
    let mut times = tokio::time::interval(GIVEN_BACK_EVERY);
    times.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        times.tick().await;
        if let Err(error) = tokio::task::spawn_blocking(trim).await {
            tracing::warn!(%error, "cannot give memory back");
        }
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn trim() {
    #[expect(unsafe_code, reason = "the C library's own way; nothing else gives the middle of an arena back")]
    // SAFETY: `malloc_trim` may be called at any time from any thread; it takes the arenas' locks, and touches
    // only what is free.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}
