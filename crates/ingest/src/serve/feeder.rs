//! Plays a tape into a running RTSP medium, with the faults that a test asks for.

use std::{
    sync::{Arc, Condvar, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use gstreamer as gst;
use gstreamer_app::AppSrc;
use parapet_core::{Clock, SystemClock};

use super::tape::Tape;

/// What is wrong with a served camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// The connection stays, and nothing comes over it.
    Silent,
    /// The same picture comes again and again.
    Frozen,
}

/// One tape with its fault, and the thread that plays it while someone watches.
#[derive(Debug)]
pub(super) struct Feeder {
    tape: Arc<Tape>,
    clock: SystemClock,
    /// So far ahead of the clock, and keeping to it; without it, it begins with a keyframe at once.
    ahead: Option<Duration>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    fault: Fault,
    /// Counts media: a player of an earlier one stops.
    medium: u64,
    player: Option<JoinHandle<()>>,
}

impl Feeder {
    pub(super) fn new(tape: Arc<Tape>, clock: SystemClock, ahead: Option<Duration>) -> Self {
        Self { tape, clock, ahead, state: Mutex::default(), changed: Condvar::new() }
    }

    pub(super) fn tape(&self) -> &Tape {
        &self.tape
    }

    pub(super) fn set_fault(&self, fault: Fault) {
        self.state.lock().expect("no panic while held").fault = fault;
        self.changed.notify_all();
    }

    /// Starts to play into `source`; returns the number of the medium.
    pub(super) fn play(self: &Arc<Self>, name: &str, source: AppSrc) -> u64 {
        self.stop(None);
        let mut state = self.state.lock().expect("no panic while held");
        state.medium += 1;
        let (feeder, medium) = (Arc::clone(self), state.medium);
        let thread = std::thread::Builder::new()
            .name(format!("serve:{name}"))
            .spawn(move || feeder.run(medium, &source));
        match thread {
            Ok(thread) => state.player = Some(thread),
            Err(error) => tracing::error!(%error, "cannot start a thread for a served camera"),
        }
        medium
    }

    /// Ends the player (of this medium, if one is given) and waits for it.
    pub(super) fn stop(&self, medium: Option<u64>) {
        let player = {
            let mut state = self.state.lock().expect("no panic while held");
            if medium.is_some_and(|m| m != state.medium) {
                return;
            }
            state.medium += 1;
            state.player.take()
        };
        self.changed.notify_all();
        if player.is_some_and(|p| p.join().is_err()) {
            tracing::error!("the player of a served camera panicked");
        }
    }

    pub(super) fn is_playing(&self) -> bool {
        self.state.lock().expect("no panic while held").player.is_some()
    }

    fn run(&self, medium: u64, source: &AppSrc) {
        let tape = &self.tape;
        let opened = nanos(self.clock.monotonic());
        // Next unit, and when the tape's beginning would have been sent.
        let (mut next, mut zero) = begin(tape, self.ahead, opened);
        let mut last_keyframe = next;
        let mut fault = Fault::None;
        loop {
            let unit = &tape.units[next];
            let due = zero + nanos(unit.due);
            match self.wait_until(due, medium) {
                None => return,
                Some(Fault::None) if fault != Fault::None => {
                    // Comes back at a keyframe: what lies between was never sent.
                    fault = Fault::None;
                    (next, zero) = begin(tape, self.ahead, nanos(self.clock.monotonic()));
                    continue;
                }
                Some(present) => fault = present,
            }
            if unit.keyframe && fault == Fault::None {
                last_keyframe = next;
            }
            let sent = match fault {
                Fault::Silent => None,
                Fault::Frozen => Some((&tape.units[last_keyframe].data, due)),
                Fault::None => Some((&unit.data, zero + nanos(unit.pts))),
            };
            if let Some((data, shown)) = sent {
                let mut buffer = data.copy();
                let writable = buffer.get_mut().expect("just copied");
                writable.set_pts(gst::ClockTime::from_nseconds((shown - opened).max(0) as u64));
                writable.set_dts(None);
                if source.push_buffer(buffer).is_err() {
                    return;
                }
            }
            next += 1;
            if next == tape.units.len() {
                next = 0;
                zero += nanos(tape.length);
            }
        }
    }

    /// Waits in real time; the fault at that moment, or `None` once the medium is gone.
    fn wait_until(&self, due: i64, medium: u64) -> Option<Fault> {
        let mut state = self.state.lock().expect("no panic while held");
        loop {
            if state.medium != medium {
                return None;
            }
            let left = due - nanos(self.clock.monotonic());
            if left <= 0 {
                return Some(state.fault);
            }
            let left = Duration::from_nanos(left as u64);
            state = self.changed.wait_timeout(state, left).expect("no panic while held").0;
        }
    }
}

/// The unit to begin with, and when the tape's beginning would have been sent. The scene goes on while nobody watches, as
/// before a real camera.
fn begin(tape: &Tape, ahead: Option<Duration>, now: i64) -> (usize, i64) {
    let position = (now + nanos(ahead.unwrap_or_default())) % nanos(tape.length).max(1);
    let at = Duration::from_nanos(position as u64);
    if ahead.is_none() {
        let first = tape.keyframe_before(at);
        return (first, now - nanos(tape.units[first].due));
    }
    let first = tape.keyframe_after(at);
    let round = if first == 0 { nanos(tape.length) } else { 0 };
    (first, now - position + round)
}

fn nanos(duration: Duration) -> i64 {
    duration.as_nanos() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{codec::Codec, serve::tape::TapeUnit};

    /// Ten pictures, a tenth of a second apart, of which the first and the sixth are keyframes.
    fn tape() -> Tape {
        crate::elements::start_library().unwrap();
        let unit = |n: u64| {
            let due = Duration::from_millis(100 * n);
            TapeUnit { pts: due, due, keyframe: n.is_multiple_of(5), data: gst::Buffer::new() }
        };
        Tape { codec: Codec::H264, units: (0..10).map(unit).collect(), length: Duration::from_secs(1) }
    }

    #[test]
    fn a_camera_begins_at_once_or_keeps_to_its_time() {
        let (tape, ms) = (tape(), |ms: i64| ms * 1_000_000);
        // The keyframe before is sent now.
        assert_eq!(begin(&tape, None, ms(7_300)), (0, ms(7_300)));
        assert_eq!(begin(&tape, None, ms(7_700)), (5, ms(7_200)));
        // The next keyframe is sent when it is due: 300 ms ahead, at 7.2 s and 7.7 s.
        let ahead = Some(Duration::from_millis(300));
        assert_eq!(begin(&tape, ahead, ms(7_100)), (5, ms(6_700)));
        assert_eq!(begin(&tape, ahead, ms(7_300)), (0, ms(7_700)));
    }
}
