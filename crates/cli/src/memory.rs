//! How the C library keeps memory, which GStreamer, the decoders and ONNX Runtime take theirs from as Rust does.

/// As they are, its allocators keep what cameras that have gone leave behind, scattered over an arena for each few threads: the
/// memory of a node on which cameras come and go grows for hours. Two arenas, and pictures in mappings of their own, that are
/// given back, keep it level (`benches/soak`). Call before the first thread is started.
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

/// Other C libraries keep memory in ways of their own.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn keep_together() {}
