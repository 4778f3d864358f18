//! A camera that is killed, silenced and frozen again and again: each time a health event, frames again within five
//! seconds of its return, and no thread or file descriptor is left behind. Alone in its process, which it counts.
#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not see as tests")]

mod common;
#[path = "common/served.rs"]
mod served;
#[path = "common/watched.rs"]
mod watched;

use std::time::Duration;

use parapet_core::{Clock, HealthEvent, HealthState, RunId};
use parapet_ingest::serve::Fault;
use served::{config, served};
use watched::Watched;

const RETURN: Duration = Duration::from_secs(5);

/// Threads and open files of this process.
fn census() -> (usize, usize) {
    let count = |what: &str| std::fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
    (count("task"), count("fd"))
}

#[test]
fn twenty_troubles_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, name) = served(folder.path(), None);
    let mut camera = Watched::open(&config(&server.url(&name)));
    camera.health(HealthEvent::Connected);
    let mut runs: Vec<RunId> = vec![camera.frame().run];
    let mut censuses = Vec::new();
    let mut slowest = Duration::ZERO;
    for round in 0..20 {
        let last = camera.frame();
        let returned = match round % 3 {
            0 => {
                server.stop();
                let told = camera.any_health(&[HealthEvent::EndOfStream, HealthEvent::Failed]);
                assert_eq!(told.state, HealthState::Offline);
                server.restart().unwrap();
                camera.clock.monotonic()
            }
            1 => {
                server.set_fault(&name, Fault::Silent).unwrap();
                assert_eq!(camera.health(HealthEvent::Silent).state, HealthState::Offline);
                server.set_fault(&name, Fault::None).unwrap();
                camera.clock.monotonic()
            }
            _ => {
                server.set_fault(&name, Fault::Frozen).unwrap();
                assert_eq!(camera.health(HealthEvent::Froze).state, HealthState::Frozen);
                server.set_fault(&name, Fault::None).unwrap();
                camera.clock.monotonic()
            }
        };
        let seen = camera.health.len();
        let mut frame = camera.other_frame(&last);
        // The picture may have moved once more in the run that froze; what counts is the one after it.
        while frame.run == last.run && round % 3 != 2 {
            frame = camera.other_frame(&frame);
        }
        let took = camera.clock.monotonic().saturating_sub(returned);
        slowest = slowest.max(took);
        assert!(took < RETURN, "round {round}: frames only after {took:?}");
        assert!(camera.health.len() >= seen);
        if frame.run != *runs.last().unwrap() {
            runs.push(frame.run);
        }
        // At rest: streaming, with the run settled.
        camera.frame();
        censuses.push(census());
    }
    println!("slowest return {slowest:?}; threads and descriptors {censuses:?}");
    assert!(runs.len() > 12, "a reconnect starts a new run: {}", runs.len());
    let mut distinct = runs.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), runs.len());
    let most = |of: &[(usize, usize)]| {
        (of.iter().map(|c| c.0).max().unwrap(), of.iter().map(|c| c.1).max().unwrap())
    };
    // Each kind of trouble has happened in the first six rounds: nothing may be added after.
    let (early, late) = (most(&censuses[..8]), most(&censuses[8..]));
    assert!(late.0 <= early.0 && late.1 <= early.1, "grew from {early:?} to {late:?}: {censuses:?}");
    assert!(camera.health.iter().any(|h| h.reconnects >= 12));
    camera.stream.stop();
    drop(server);
    let names: Vec<String> = std::fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|t| std::fs::read_to_string(t.ok()?.path().join("comm")).ok())
        .collect();
    let ours = |name: &String| {
        ["ingest:", "preroll:", "serve:", "camera-server"].iter().any(|n| name.starts_with(n))
    };
    assert!(!names.iter().any(ours), "threads are left: {names:?}");
}
