//! What a pipeline's cameras on patrol will need, said before anything runs.

use std::{fmt, time::Duration};

use super::{
    PatrolEstimate,
    admission::{MODEL_CPU, Need, Room, VisitCost},
    processors,
};
use crate::config::Pipeline;

impl PatrolEstimate {
    /// For this machine, by rule of thumb; `None` where no camera is on patrol.
    pub fn of(pipeline: &Pipeline) -> Option<Self> {
        Self::on(pipeline, processors())
    }

    fn on(pipeline: &Pipeline, processors: usize) -> Option<Self> {
        let cameras = pipeline.cameras.values().filter(|camera| !camera.disabled);
        let patrols: Vec<_> = cameras.filter_map(|camera| camera.patrol).collect();
        let asked = patrols.iter().map(|patrol| patrol.every_seconds.as_f64()).max_by(f64::total_cmp)?;
        let config = &pipeline.node.patrol;
        let room = Room {
            cores: processors as f64 * f64::from(config.share.as_f32()),
            at_once: config.at_once_on(processors),
        };
        let cost = |looks| VisitCost::estimated(looks, MODEL_CPU);
        let need = Need::of(patrols.iter().map(|patrol| (patrol.every_seconds.as_f64(), cost(patrol.looks))));
        Some(Self {
            cameras: patrols.len(),
            need_cores: need.cores,
            room_cores: room.cores,
            asked: Duration::from_secs_f64(asked),
            promised: Duration::from_secs_f64(asked * need.stretch(room)),
        })
    }
}

impl fmt::Display for PatrolEstimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cameras, need_cores, room_cores, asked, promised } = self;
        write!(
            f,
            "{cameras} cameras on patrol need about {need_cores:.1} of the {room_cores:.1} processors that they may take \
             here (by rule of thumb, the node measures): "
        )?;
        if promised > asked {
            let (promised, asked) = (promised.as_secs_f64().ceil(), asked.as_secs());
            write!(f, "each will be looked at every {promised} s, not every {asked} s as is asked for")
        } else {
            write!(f, "each will be looked at every {} s at the latest", asked.as_secs())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fmt::Write as _, path::Path};

    use super::*;
    use crate::config::check;

    fn estimate(cameras: usize) -> Option<String> {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/nanodet-g");
        let mut text = format!(
            "[node]\nid = \"n\"\nsite = \"s\"\n[bus.embedded]\n[models.default]\nmanifest = \"{}\"\n",
            models.display()
        );
        for n in 0..cameras {
            writeln!(
                text,
                "[cameras.c{n}]\nsource.rtsp.url = \"rtsp://127.0.0.1/{n}\"\npatrol.every_seconds = 30"
            )
            .unwrap();
        }
        let pipeline = check(&text, Path::new("pipeline.toml")).unwrap();
        PatrolEstimate::on(&pipeline, 2).map(|estimate| estimate.to_string())
    }

    #[test]
    fn what_fits_and_what_does_not_is_said_before_anything_runs() {
        assert_eq!(estimate(0), None);
        let fits = estimate(200).unwrap();
        assert!(fits.ends_with("each will be looked at every 30 s at the latest"), "{fits}");
        let much = estimate(1000).unwrap();
        assert!(
            much.contains("of the 1.6 processors") && much.contains("not every 30 s as is asked for"),
            "{much}"
        );
    }
}
