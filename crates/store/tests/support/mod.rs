//! Events to test with.

use parapet_core::{
    BBox, EndReason, EventId, IncidentEvent, IncidentId, IncidentKind, Label, Phase, Point, RunId, Severity,
    Timestamp, TrackId,
    geo::{GeoPoint, Place, Position},
};

/// Microseconds since a fixed morning.
pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(1_795_312_800_000_000 + micros).unwrap()
}

/// Event `sequence` of `of` in the life of incident `name`, different from all others in what can differ.
pub(crate) fn event(name: &str, sequence: u32, of: u32) -> IncidentEvent {
    let phase = match sequence {
        0 => Phase::Started,
        n if n + 1 == of => Phase::Ended,
        _ => Phase::Updated,
    };
    let ended = phase == Phase::Ended;
    let kind = IncidentKind::ALL[name.len() % 4];
    let step = sequence as f32 / 16.0;
    IncidentEvent {
        event_id: EventId::derive(&[name, &sequence.to_string()]),
        incident_id: IncidentId::derive(&[name]),
        sequence,
        phase,
        kind,
        severity: [Severity::Low, Severity::Medium, Severity::High][sequence as usize % 3],
        camera: "gate-north".parse().unwrap(),
        preset: (sequence % 2 == 1).then(|| "east".parse().unwrap()),
        run: RunId::derive(&[name, "run"]),
        rule: "keep-clear".parse().unwrap(),
        zone: (sequence % 3 != 2).then(|| "fire-lane".parse().unwrap()),
        at: at(i64::from(sequence) * 1_000_003),
        since: at(-30_000_000),
        started_at: at(0),
        ended_at: ended.then(|| at(i64::from(sequence) * 1_000_003 - 500_000)),
        end_reason: ended.then_some(EndReason::Cleared),
        label: sequence.is_multiple_of(2).then(|| Label::new("car")),
        track: (sequence % 4 != 3).then(|| TrackId(u64::from(sequence) + 7)),
        bbox: BBox::new(0.1, 0.2, 0.3 + step.min(0.5), 0.7).unwrap(),
        outline: ended.then(|| vec![Point::new(0.1, 0.2), Point::new(0.3, 0.2), Point::new(0.2, 0.7)]),
        count: sequence + 1,
        score: 0.1 + step.min(0.8),
        covered: (sequence > 0).then_some(step.min(1.0)),
        place: sequence.is_multiple_of(2).then(|| Place {
            position: Position {
                point: GeoPoint::new(30.5 + f64::from(sequence) / 8.0, 120.75).unwrap(),
                uncertainty_meters: 0.5,
            },
            building: Some("block-3".parse().unwrap()),
            area_square_meters: (sequence > 0).then_some(step),
        }),
    }
}
