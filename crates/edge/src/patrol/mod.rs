//! 轮巡: more cameras than the machine could watch all the time are visited in turn, each at least every so often. Threads
//! that mostly wait take the turns; whose turn it is ([`schedule`]) and what can be promised ([`admission`]) is pure. What
//! cannot be kept is taken back for all cameras alike and told; nothing queues.

mod admission;
mod config;
mod estimate;
mod schedule;
mod visit;

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use parapet_core::{CameraId, Clock, EndReason, IncidentEvent};
use tracing::{error, info, warn};

pub use self::{
    admission::PatrolEstimate,
    config::{CameraPatrolConfig, NodePatrolConfig},
};
use self::{
    admission::{MODEL_CPU, Need, Room, Stretch, VisitCost},
    schedule::{Schedule, Turn},
    visit::{Patrolled, Visit},
};
use crate::{
    camera::{CameraSpec, CameraThread, Order},
    live::CameraInfo,
    telemetry,
};

/// Metrics are brought up to date this often.
const PUBLISH_EVERY: Duration = Duration::from_secs(1);
/// What is needed is looked at again this often, in times of [`PUBLISH_EVERY`].
const ADMIT_EVERY: u32 = 5;

/// Looks at once for each processor: on most machines below the number of frames for which a model's queue has room, so
/// that none is shed.
const LOOKS_EACH: usize = 2;

/// The threads that visit cameras in turn; none run while there is no camera to visit.
pub(crate) struct Patrol {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    room: Room,
    /// Looks that are taken at once: waiting for a camera costs nothing, looking does.
    looks: Turnstile,
    clock: Arc<dyn Clock>,
}

/// Lets so many through at once.
struct Turnstile {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Turnstile {
    fn new(at_once: usize) -> Self {
        Self { free: Mutex::new(at_once), freed: Condvar::new() }
    }

    /// Waits for a place; it is free again when what is returned is dropped.
    fn pass(&self) -> Passed<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.freed.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Passed(self)
    }
}

struct Passed<'a>(&'a Turnstile);

impl Drop for Passed<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}

struct State {
    schedule: Schedule,
    seats: BTreeMap<CameraId, Seat>,
    stretch: Stretch,
    /// Late looks since the need was looked at, and the longest interval as a multiple of what was asked for.
    late: u32,
    longest_of_asked: f64,
    /// Longest time between two looks at a camera that answers, since the start.
    longest_ever: Duration,
    closed: bool,
}

/// A camera on patrol, from outside of its visits.
struct Seat {
    /// `None` while it is visited.
    patrolled: Option<Box<Patrolled>>,
    /// Told to a visit that goes on.
    stop: Arc<AtomicBool>,
    leaving: Option<Order>,
    /// What was left open by others, for the next visit.
    to_adopt: Vec<IncidentEvent>,
    cost: VisitCost,
    /// What the model takes for a look, on its own thread.
    model: f64,
}

impl Patrol {
    /// Nobody is visited yet.
    pub(crate) fn new(config: &NodePatrolConfig, clock: Arc<dyn Clock>) -> Self {
        let processors = processors();
        let room = Room {
            cores: processors as f64 * f64::from(config.share.as_f32()),
            at_once: config.at_once_on(processors),
        };
        let state = State {
            schedule: Schedule::new(room.at_once),
            seats: BTreeMap::new(),
            stretch: Stretch::new(),
            late: 0,
            longest_of_asked: 0.0,
            longest_ever: Duration::ZERO,
            closed: false,
        };
        let looks = Turnstile::new(LOOKS_EACH * processors);
        let shared = Shared { state: Mutex::new(state), changed: Condvar::new(), room, looks, clock };
        Self { shared: Arc::new(shared), threads: Vec::new() }
    }

    /// Takes a camera in. `model_time`: what the model takes for one of its pictures, where that was measured.
    fn add(
        &mut self,
        spec: CameraSpec,
        config: CameraPatrolConfig,
        model_time: Option<Duration>,
    ) -> io::Result<PatrolSeat> {
        let id = spec.id.clone();
        spec.live.insert(CameraInfo::new(&id, &spec.site, &spec.config));
        let model = model_time.map_or(MODEL_CPU, |time| time.as_secs_f64());
        let seat = Seat {
            cost: VisitCost::estimated(config.looks, model),
            model,
            patrolled: Some(Box::new(Patrolled::new(spec, config))),
            stop: Arc::default(),
            leaving: None,
            to_adopt: Vec::new(),
        };
        let every = Duration::from_secs_f64(config.every_seconds.as_f64());
        let wanted = (self.shared.lock().seats.len() + 1).min(self.shared.room.at_once) + 1;
        // First of all what can fail: a camera that is not watched has no turn.
        while self.threads.len() < wanted {
            let (shared, first) = (self.shared.clone(), self.threads.is_empty());
            let name = if first { "patrol".to_owned() } else { format!("patrol:{}", self.threads.len()) };
            let run = move || if first { shared.keep_watch() } else { shared.walk() };
            self.threads.push(std::thread::Builder::new().name(name).spawn(run)?);
        }
        let mut state = self.shared.lock();
        let factor = state.stretch.factor();
        state.schedule.add(id.clone(), every, factor, self.shared.clock.monotonic());
        state.seats.insert(id.clone(), seat);
        drop(state);
        self.shared.changed.notify_all();
        Ok(PatrolSeat { id, shared: self.shared.clone() })
    }

    /// Says what the cameras need and what they are promised, once they are all there.
    pub(crate) fn admit(&self) {
        let mut state = self.shared.lock();
        if !state.seats.is_empty() {
            self.shared.follow(&mut state, true);
        }
    }
}

impl Drop for Patrol {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                error!("a thread of the patrol panicked");
            }
        }
    }
}

/// Processors of this machine that this process may use.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while the patrol is held")
    }

    /// A thread that takes turns until the patrol is closed.
    fn walk(&self) {
        let mut state = self.lock();
        loop {
            if state.closed {
                return;
            }
            let id = match state.schedule.next(self.clock.monotonic()) {
                Turn::Visit(id) => id,
                Turn::Wait(None) => {
                    state = self.changed.wait(state).expect("no panic while the patrol is held");
                    continue;
                }
                Turn::Wait(Some(time)) => {
                    let waited = self.changed.wait_timeout(state, time);
                    state = waited.expect("no panic while the patrol is held").0;
                    continue;
                }
            };
            let factor = state.stretch.factor();
            let Some(seat) = state.seats.get_mut(&id) else { continue };
            let (Some(mut patrolled), stop) = (seat.patrolled.take(), seat.stop.clone()) else { continue };
            patrolled.adopt(std::mem::take(&mut seat.to_adopt));
            drop(state);
            let detail = promise_in_words(patrolled.config(), factor);
            let visit = patrolled.visit(&detail, &stop, &self.looks, &mut || self.looked(&id));
            state = self.lock();
            self.ended(&mut state, &id, patrolled, visit);
            self.changed.notify_all();
        }
    }

    /// A picture of the camera was looked at.
    fn looked(&self, id: &CameraId) {
        let (now, at) = (self.clock.monotonic(), self.clock.now());
        let mut state = self.lock();
        let factor = state.stretch.factor();
        let Some(looked) = state.schedule.looked(id, factor, now) else { return };
        if let Some(interval) = looked.interval {
            state.longest_ever = state.longest_ever.max(interval);
            let of_asked = interval.as_secs_f64() / looked.asked.as_secs_f64();
            state.longest_of_asked = state.longest_of_asked.max(of_asked);
            telemetry::patrol_looked(id, at, interval, looked.late);
        }
        state.late += u32::from(looked.late);
    }

    fn ended(&self, state: &mut State, id: &CameraId, patrolled: Box<Patrolled>, visit: Visit) {
        let (now, factor) = (self.clock.monotonic(), state.stretch.factor());
        telemetry::patrol_visited(visit.looks > 0, visit.cost.cpu, visit.cost.wall);
        state.schedule.ended(id, visit.looks > 0, factor, now);
        if let Some(seat) = state.seats.get_mut(id) {
            // What came to nothing says nothing about those that do.
            if visit.looks > 0 {
                let cpu = visit.cost.cpu + f64::from(visit.looks) * seat.model;
                seat.cost.follow(VisitCost { cpu, wall: visit.cost.wall });
            }
            seat.patrolled = Some(patrolled);
        }
    }

    /// The thread that keeps the metrics and the promise up to date until the patrol is closed.
    fn keep_watch(&self) {
        let mut state = self.lock();
        let mut rounds = 0;
        while !state.closed {
            rounds += 1;
            if rounds % ADMIT_EVERY == 0 {
                self.follow(&mut state, false);
            }
            let (longest, promised) = state.schedule.longest(self.clock.monotonic());
            state.longest_ever = state.longest_ever.max(longest);
            let (cameras, failing) = state.schedule.count();
            telemetry::patrol(&telemetry::PatrolState {
                longest,
                longest_ever: state.longest_ever,
                promised,
                stretch: state.stretch.factor(),
                answering: cameras - failing,
                failing,
            });
            let until = self.clock.monotonic() + PUBLISH_EVERY;
            while !state.closed {
                let left = until.saturating_sub(self.clock.monotonic());
                if left.is_zero() {
                    break;
                }
                let waited = self.changed.wait_timeout(state, left);
                state = waited.expect("no panic while the patrol is held").0;
            }
        }
    }

    /// Looks at what is needed, and takes back or gives again what is promised.
    fn follow(&self, state: &mut State, say: bool) {
        let costs = state.seats.values().filter_map(|seat| {
            let config = seat.patrolled.as_ref().map(|patrolled| *patrolled.config());
            Some((config?.every_seconds.as_f64(), seat.cost))
        });
        // Those that are visited just now are as the others.
        let (all, known) = (state.seats.len() as f64, costs.clone().count() as f64);
        let mut need = Need::of(costs);
        if known > 0.0 {
            need = Need { cores: need.cores * all / known, visits: need.visits * all / known };
        }
        let (late, before) = (std::mem::take(&mut state.late), state.stretch.factor());
        let longest = std::mem::take(&mut state.longest_of_asked);
        let changed = state.stretch.follow(need, self.room, longest);
        telemetry::patrol_need(need.cores, self.room.cores);
        // What shrinks is told once it is all gone.
        if !say && (!changed || (1.0 + f64::EPSILON..before).contains(&state.stretch.factor())) {
            return;
        }
        let (stretch, cameras) = (state.stretch.factor(), state.seats.len());
        let (need_cores, room_cores) = (round(need.cores), round(self.room.cores));
        let at_once = self.room.at_once;
        if stretch > 1.0 {
            warn!(
                cameras,
                need_cores,
                room_cores,
                visits = round(need.visits),
                at_once,
                late,
                stretch = round(stretch),
                "more is on patrol than the machine can look at: all intervals are longer by one factor"
            );
        } else {
            info!(
                cameras,
                need_cores,
                room_cores,
                visits = round(need.visits),
                at_once,
                "each camera on patrol is looked at within its interval"
            );
        }
    }
}

/// To hundredths, for people.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// What a camera's status says.
fn promise_in_words(config: &CameraPatrolConfig, stretch: f64) -> String {
    let every = config.every_seconds.as_f64();
    if stretch > 1.0 {
        let promised = (every * stretch).ceil();
        format!(
            "on patrol: looked at every {promised} s at the latest instead of every {every} s, for more is configured than the machine can look at"
        )
    } else {
        format!("on patrol: looked at every {every} s at the latest")
    }
}

/// A camera's place on the patrol.
pub(crate) struct PatrolSeat {
    id: CameraId,
    shared: Arc<Shared>,
}

impl PatrolSeat {
    fn tell(&self, order: Order) {
        let mut state = self.shared.lock();
        if let Order::Adopt(events) = order {
            if let Some(seat) = state.seats.get_mut(&self.id) {
                seat.to_adopt.extend(events);
            }
            return;
        }
        // Not visited again.
        state.schedule.remove(&self.id);
        if let Some(seat) = state.seats.get_mut(&self.id) {
            seat.leaving.get_or_insert(order);
            seat.stop.store(true, Ordering::Relaxed);
        }
    }

    /// Waits for the end of a visit, and ends what is open or leaves it to others, as it was told.
    fn leave(self) {
        self.tell(Order::Stop(EndReason::Interrupted));
        let mut state = self.shared.lock();
        while state.seats.get(&self.id).is_some_and(|seat| seat.patrolled.is_none()) {
            state = self.shared.changed.wait(state).expect("no panic while the patrol is held");
        }
        let seat = state.seats.remove(&self.id);
        drop(state);
        if let Some(Seat { patrolled: Some(mut patrolled), leaving, .. }) = seat {
            match leaving {
                Some(Order::Stop(reason)) => patrolled.finish(reason),
                _ => patrolled.leave(),
            }
        }
    }
}

/// A camera at work: watched all the time by a thread of its own, or on patrol.
pub(crate) enum Duty {
    Always(CameraThread),
    Patrolled(PatrolSeat),
}

impl Duty {
    /// Starts to watch as the camera's options say. `model_time` measures the model, for the first camera that asks.
    pub(crate) fn start(
        spec: CameraSpec,
        patrol: &mut Patrol,
        model_time: Option<Duration>,
    ) -> io::Result<Self> {
        match spec.config.patrol {
            Some(config) => patrol.add(spec, config, model_time).map(Self::Patrolled),
            None => CameraThread::start(spec).map(Self::Always),
        }
    }

    /// Whether the source was opened and is watched; a camera on patrol has its turn.
    pub(crate) fn is_started(&self) -> bool {
        match self {
            Self::Always(thread) => thread.is_started(),
            Self::Patrolled(_) => true,
        }
    }

    /// Tells it something; [`Self::join`] waits for its end, if it is to end.
    pub(crate) fn tell(&self, order: Order) {
        match self {
            Self::Always(thread) => thread.tell(order),
            Self::Patrolled(seat) => seat.tell(order),
        }
    }

    /// Waits for the end.
    pub(crate) fn join(self) {
        match self {
            Self::Always(thread) => thread.join(),
            Self::Patrolled(seat) => seat.leave(),
        }
    }
}
