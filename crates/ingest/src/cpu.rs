//! How much of a processor the threads of one stream took. GStreamer's threads are borrowed from a pool, so each stretch
//! of work is measured where it begins and where it ends, on the thread itself.

use std::{
    cell::Cell,
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Processor time of a stream's threads that have ended their work. Cheap to clone; stays when the stream is gone.
#[derive(Debug, Clone, Default)]
pub struct CpuTime(Arc<AtomicU64>);

thread_local! {
    /// What this thread had taken when its present work began.
    static BEGAN: Cell<Option<Duration>> = const { Cell::new(None) };
}

impl CpuTime {
    /// The sum so far; 0 where the system does not tell.
    pub fn total(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    pub(crate) fn add(&self, time: Duration) {
        self.0.fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
    }
}

/// Processor time that the calling thread has taken since it was started; `None` where the system does not tell.
pub fn thread_cpu_time() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
}

/// The calling thread begins to work for a stream.
pub(crate) fn work_begins() {
    BEGAN.set(thread_cpu_time());
}

/// It has done so; what that took.
pub(crate) fn work_ends() -> Option<Duration> {
    let began = BEGAN.take()?;
    Some(thread_cpu_time()?.saturating_sub(began))
}

/// The task, with what each stretch of its work takes told: for tasks that share a thread with others.
pub(crate) fn metered<T: Future>(task: T, tell: impl Fn(Duration)) -> impl Future<Output = T::Output> {
    let mut task = Box::pin(task);
    std::future::poll_fn(move |context| {
        let before = thread_cpu_time();
        let polled = task.as_mut().poll(context);
        if let Some((now, before)) = thread_cpu_time().zip(before) {
            tell(now.saturating_sub(before));
        }
        polled
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_is_measured_while_it_works_and_not_while_it_waits() {
        let measured = CpuTime::default();
        let sum = metered(
            async {
                tokio::task::yield_now().await;
                (0..20_000_000u64).fold(0u64, |sum, i| std::hint::black_box(sum.wrapping_mul(31) ^ i))
            },
            |took| measured.add(took),
        );
        let _ = std::hint::black_box(sum.await);
        if thread_cpu_time().is_some() {
            assert!(measured.total() > Duration::from_millis(1), "{:?}", measured.total());
        }
    }

    #[test]
    fn work_that_began_is_measured_once() {
        work_begins();
        let mut sum = 0u64;
        for i in 0..20_000_000u64 {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(i));
        }
        if thread_cpu_time().is_some() {
            assert!(work_ends().is_some_and(|took| took > Duration::from_millis(1)));
        }
        assert_eq!(work_ends(), None);
    }
}
