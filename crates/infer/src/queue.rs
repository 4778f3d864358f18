//! Frames that wait for the model: bounded, taken in batches of one input size, shed where the queue is full.
//!
//! The greediest camera pays: of the cameras with most pictures waiting the one that was served most of late, and of
//! its frames the oldest.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc::Sender},
};

use parapet_core::CameraId;

use crate::{config::Overload, session::Output};

/// A frame that waits: one input tensor for each of its tiles, all of one size.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) camera: CameraId,
    /// Width and height of the input.
    pub(crate) input: (usize, usize),
    /// Lowest score that is of interest.
    pub(crate) threshold: f32,
    /// `[3, height, width]` each.
    pub(crate) tensors: Vec<Vec<f32>>,
    /// Where the answer goes; dropped unanswered when the engine stops.
    pub(crate) reply: Sender<Reply>,
}

/// The answer to a [`Job`].
#[derive(Debug)]
pub(crate) struct Reply {
    /// The job's tensors, to be used again.
    pub(crate) tensors: Vec<Vec<f32>>,
    pub(crate) result: Result<Vec<Output>, Refusal>,
}

/// Why a job has no result.
#[derive(Debug)]
pub(crate) enum Refusal {
    Shed,
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

impl Job {
    pub(crate) fn answer(self, result: Result<Vec<Output>, Refusal>) {
        // A camera that was removed while it waited does not listen any more.
        drop(self.reply.send(Reply { tensors: self.tensors, result }));
    }
}

/// The queue has been closed.
#[derive(Debug)]
pub(crate) struct Closed;

#[derive(Debug)]
pub(crate) struct Queue {
    capacity: usize,
    overload: Overload,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Job>,
    /// Pictures served to each camera, halved now and then so that the past fades.
    served: BTreeMap<CameraId, u32>,
    served_since_halving: u32,
    closed: bool,
}

impl Queue {
    /// Holds at most `capacity` frames.
    pub(crate) fn new(capacity: usize, overload: Overload) -> Self {
        Self { capacity: capacity.max(1), overload, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Adds a frame; when full, sheds one or waits. The cameras that lost a frame are told, and returned to be counted.
    pub(crate) fn push(&self, job: Job) -> Result<Option<CameraId>, Closed> {
        let mut state = self.lock();
        while self.overload == Overload::Wait && state.waiting.len() >= self.capacity && !state.closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return Err(Closed);
        }
        state.waiting.push_back(job);
        let victim = (state.waiting.len() > self.capacity).then(|| state.shed()).flatten();
        drop(state);
        self.changed.notify_all();
        Ok(victim.map(|job| {
            let camera = job.camera.clone();
            job.answer(Err(Refusal::Shed));
            camera
        }))
    }

    /// The oldest frame and those after it that have its size, up to `max_batch` pictures in all (a frame of more
    /// tiles comes alone); blocks until there is one. `None` once closed.
    pub(crate) fn take(&self, max_batch: usize) -> Option<Vec<Job>> {
        let mut state = self.lock();
        while state.waiting.is_empty() && !state.closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let batch = (!state.closed).then(|| state.take(max_batch));
        drop(state);
        self.changed.notify_all();
        batch
    }

    /// Frames that wait now.
    pub(crate) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Nothing is taken or added any more; what waits is dropped unanswered.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.waiting.clear();
        drop(state);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, max_batch: usize) -> Vec<Job> {
        let mut batch: Vec<Job> = Vec::new();
        let mut pictures = 0;
        let mut i = 0;
        while i < self.waiting.len() {
            let job = &self.waiting[i];
            let fits = batch
                .first()
                .is_none_or(|first| first.input == job.input && pictures + job.tensors.len() <= max_batch);
            if !fits {
                i += 1;
                continue;
            }
            pictures += job.tensors.len();
            batch.extend(self.waiting.remove(i));
            if pictures >= max_batch {
                break;
            }
        }
        for job in &batch {
            let pictures = job.tensors.len() as u32;
            *self.served.entry(job.camera.clone()).or_default() += pictures;
            self.served_since_halving += pictures;
        }
        if self.served_since_halving >= 512 {
            self.served_since_halving = 0;
            self.served.retain(|_, n| {
                *n /= 2;
                *n > 0
            });
        }
        batch
    }

    fn shed(&mut self) -> Option<Job> {
        let mut waiting: BTreeMap<&CameraId, usize> = BTreeMap::new();
        for job in &self.waiting {
            *waiting.entry(&job.camera).or_default() += job.tensors.len();
        }
        let greed = |job: &Job| {
            (waiting.get(&job.camera).copied(), self.served.get(&job.camera).copied().unwrap_or(0))
        };
        // The first of the greatest: the oldest.
        let mut victim = 0;
        for i in 1..self.waiting.len() {
            if greed(&self.waiting[i]) > greed(&self.waiting[victim]) {
                victim = i;
            }
        }
        self.waiting.remove(victim)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    fn job(camera: &str, input: (usize, usize), tiles: usize) -> (Job, Receiver<Reply>) {
        let (reply, answer) = channel();
        let camera = camera.parse().unwrap();
        (Job { camera, input, threshold: 0.5, tensors: vec![vec![]; tiles], reply }, answer)
    }

    fn cameras(batch: &[Job]) -> Vec<&str> {
        batch.iter().map(|j| j.camera.as_str()).collect()
    }

    #[test]
    fn a_batch_holds_frames_of_one_size_in_the_order_they_came() {
        let queue = Queue::new(16, Overload::Shed);
        for (camera, side) in [("a", 416), ("b", 640), ("c", 416), ("d", 416), ("e", 416)] {
            queue.push(job(camera, (side, side), 1).0).unwrap();
        }
        assert_eq!(cameras(&queue.take(3).unwrap()), ["a", "c", "d"]);
        assert_eq!(cameras(&queue.take(3).unwrap()), ["b"]);
        assert_eq!(cameras(&queue.take(3).unwrap()), ["e"]);
    }

    #[test]
    fn a_frame_of_many_tiles_comes_whole() {
        let queue = Queue::new(16, Overload::Shed);
        for (camera, tiles) in [("a", 6), ("b", 3), ("c", 2), ("d", 1)] {
            queue.push(job(camera, (416, 416), tiles).0).unwrap();
        }
        assert_eq!(cameras(&queue.take(4).unwrap()), ["a"]);
        assert_eq!(cameras(&queue.take(4).unwrap()), ["b", "d"]);
    }

    #[test]
    fn the_camera_with_most_waiting_loses_its_oldest_frame() {
        let queue = Queue::new(3, Overload::Shed);
        let (quiet, quiet_answer) = job("quiet", (416, 416), 1);
        let (oldest, oldest_answer) = job("greedy", (416, 416), 1);
        queue.push(quiet).unwrap();
        queue.push(oldest).unwrap();
        queue.push(job("greedy", (416, 416), 1).0).unwrap();
        let shed = queue.push(job("late", (416, 416), 1).0).unwrap();
        assert_eq!(shed.unwrap().as_str(), "greedy");
        assert!(matches!(oldest_answer.try_recv().unwrap().result, Err(Refusal::Shed)));
        assert!(quiet_answer.try_recv().is_err());
        assert_eq!(cameras(&queue.take(9).unwrap()), ["quiet", "greedy", "late"]);
    }

    #[test]
    fn among_equals_the_camera_that_was_served_most_pays() {
        let queue = Queue::new(2, Overload::Shed);
        for _ in 0..3 {
            queue.push(job("fast", (416, 416), 1).0).unwrap();
            queue.take(1).unwrap();
        }
        queue.push(job("slow", (416, 416), 1).0).unwrap();
        queue.push(job("fast", (416, 416), 1).0).unwrap();
        assert_eq!(queue.push(job("new", (416, 416), 1).0).unwrap().unwrap().as_str(), "fast");
    }

    #[test]
    fn waiting_cameras_lose_nothing() {
        let queue = Queue::new(1, Overload::Wait);
        queue.push(job("a", (416, 416), 1).0).unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| queue.push(job("b", (416, 416), 1).0));
            assert_eq!(cameras(&queue.take(1).unwrap()), ["a"]);
            assert!(second.join().unwrap().unwrap().is_none());
        });
        assert_eq!(cameras(&queue.take(1).unwrap()), ["b"]);
    }

    #[test]
    fn closing_lets_everyone_go() {
        let queue = Queue::new(4, Overload::Shed);
        let (job_a, answer) = job("a", (416, 416), 1);
        queue.push(job_a).unwrap();
        queue.close();
        assert!(answer.recv().is_err());
        assert!(queue.take(1).is_none());
        assert!(queue.push(job("b", (416, 416), 1).0).is_err());
    }
}
