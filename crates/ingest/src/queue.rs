//! The bounded crossing from GStreamer's threads to the camera's thread.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard},
    time::Duration,
};

use parapet_core::{CameraHealth, Frame};

/// What a camera has to say.
#[derive(Debug, Clone)]
pub enum StreamEvent {
    /// A picture.
    Frame(Frame),
    /// The camera's state changed.
    Health(CameraHealth),
    /// The recording is over; nothing follows. Live sources never end.
    Ended,
}

/// Frames in order, with health between them. A live queue replaces its oldest frame when full; an offline one makes
/// the source wait. Health is never dropped for a frame.
#[derive(Debug)]
pub(crate) struct FrameQueue {
    capacity: usize,
    live: bool,
    state: Mutex<State>,
    filled: Condvar,
    emptied: Condvar,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<StreamEvent>,
    frames: usize,
    closed: bool,
}

/// What became of an offered frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer {
    Taken,
    /// Taken, and the oldest waiting frame was dropped for it.
    Replaced,
    /// Nobody will ask any more.
    Closed,
}

/// State changes that nobody reads are kept up to this number.
const KEPT_EVENTS: usize = 256;

impl FrameQueue {
    pub(crate) fn new(capacity: usize, live: bool) -> Self {
        Self { capacity, live, state: Mutex::default(), filled: Condvar::new(), emptied: Condvar::new() }
    }

    pub(crate) fn offer(&self, frame: Frame) -> Offer {
        let mut state = self.lock();
        while !self.live && !state.closed && state.frames >= self.capacity {
            state = self.emptied.wait(state).expect("no panic while the queue is held");
        }
        if state.closed {
            return Offer::Closed;
        }
        let mut offer = Offer::Taken;
        if state.frames >= self.capacity
            && let Some(oldest) = state.events.iter().position(|e| matches!(e, StreamEvent::Frame(_)))
        {
            state.events.remove(oldest);
            state.frames -= 1;
            offer = Offer::Replaced;
        }
        state.events.push_back(StreamEvent::Frame(frame));
        state.frames += 1;
        self.filled.notify_one();
        offer
    }

    pub(crate) fn announce(&self, event: StreamEvent) {
        let mut state = self.lock();
        if state.events.len() - state.frames >= KEPT_EVENTS
            && let Some(oldest) = state.events.iter().position(|e| matches!(e, StreamEvent::Health(_)))
        {
            state.events.remove(oldest);
        }
        state.events.push_back(event);
        self.filled.notify_one();
    }

    /// The next event; `None` after `timeout`, or at once when the queue is closed and empty.
    pub(crate) fn take(&self, timeout: Duration) -> Option<StreamEvent> {
        let (mut state, _) = self
            .filled
            .wait_timeout_while(self.lock(), timeout, |s| s.events.is_empty() && !s.closed)
            .expect("no panic while the queue is held");
        let event = state.events.pop_front()?;
        if matches!(event, StreamEvent::Frame(_)) {
            state.frames -= 1;
            self.emptied.notify_one();
        }
        Some(event)
    }

    /// Whether frames wait to be taken.
    pub(crate) fn has_frames(&self) -> bool {
        self.lock().frames > 0
    }

    /// Lets everyone go who waits, and takes no more frames. What is in the queue can still be taken.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
        self.emptied.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while the queue is held")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parapet_core::{HealthEvent, HealthState, Picture, RunId, Timestamp};

    use super::*;

    fn frame(sequence: u64) -> Frame {
        Frame {
            camera: "gate".parse().unwrap(),
            preset: None,
            run: RunId::derive(&["test"]),
            sequence,
            captured_at: Timestamp::UNIX_EPOCH,
            picture: Arc::new(Picture::from_rgb(1, 1, &[0, 0, 0]).unwrap()),
        }
    }

    fn health() -> StreamEvent {
        StreamEvent::Health(CameraHealth {
            camera: "gate".parse().unwrap(),
            state: HealthState::Offline,
            event: HealthEvent::Silent,
            at: Timestamp::UNIX_EPOCH,
            run: None,
            reconnects: 0,
            detail: None,
        })
    }

    fn sequences(queue: &FrameQueue) -> Vec<Option<u64>> {
        std::iter::from_fn(|| queue.take(Duration::ZERO))
            .map(|e| if let StreamEvent::Frame(f) = e { Some(f.sequence) } else { None })
            .collect()
    }

    #[test]
    fn a_live_queue_replaces_its_oldest_frame_and_keeps_health() {
        let queue = FrameQueue::new(2, true);
        assert_eq!(queue.offer(frame(0)), Offer::Taken);
        queue.announce(health());
        assert_eq!(queue.offer(frame(1)), Offer::Taken);
        assert_eq!(queue.offer(frame(2)), Offer::Replaced);
        assert_eq!(sequences(&queue), [None, Some(1), Some(2)]);
    }

    #[test]
    fn an_offline_queue_makes_the_source_wait() {
        let queue = Arc::new(FrameQueue::new(2, false));
        let source = Arc::clone(&queue);
        let producer = std::thread::Builder::new()
            .spawn(move || (0..100).all(|n| source.offer(frame(n)) == Offer::Taken));
        let taken: Vec<u64> = (0..100)
            .map(|_| match queue.take(Duration::from_secs(10)) {
                Some(StreamEvent::Frame(f)) => f.sequence,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(taken, (0..100).collect::<Vec<_>>());
        assert!(producer.unwrap().join().unwrap());
    }

    #[test]
    fn closing_lets_a_waiting_source_go() {
        let queue = Arc::new(FrameQueue::new(1, false));
        assert_eq!(queue.offer(frame(0)), Offer::Taken);
        let source = Arc::clone(&queue);
        let producer = std::thread::Builder::new().spawn(move || source.offer(frame(1))).unwrap();
        queue.close();
        assert_eq!(producer.join().unwrap(), Offer::Closed);
        assert_eq!(sequences(&queue), [Some(0)]);
    }
}
