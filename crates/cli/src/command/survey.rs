//! `parapet survey`: what is new on roofs between drone flights.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::tz::TimeZone;
use parapet_core::{
    CameraId, Detector as _, Frame, Language, Picture, RunId, Timestamp, geo::PoseError, site::Site,
};
use parapet_infer::{DetectorOptions, Engine, EngineConfig, Manifest, Tiling};
use parapet_ingest::flight::{FlightOptions, Pick, SiteArea};
use parapet_survey::{
    CompareOptions, Head, NetworkFeatures, ObjectReport, Progress, Recorded, RoofState, Stage, SurveyReport,
    Tools, compare, meters_per_width, objects, read_report, timeline, write, write_objects, write_timeline,
};

use crate::{failure::Mistake, home};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Compare two flights: what is new, has grown or is gone on the roofs of a site.
    Compare(Box<Compare>),
    /// Vehicles, bikes and people on the ground of a site, with their places.
    Objects(Box<Objects>),
    /// What became of each finding over several comparisons: area against date, first signs, built, removed.
    Timeline {
        /// GeoJSON file of the site.
        site: PathBuf,
        /// Folders that `survey compare` wrote.
        #[arg(required = true, value_name = "DIR")]
        comparisons: Vec<PathBuf>,
        /// Where `timeline.json`, `.geojson`, `.csv` and `.kml` go.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

/// How flights are read.
#[derive(Debug, clap::Args)]
pub(crate) struct Reading {
    /// Altitude of the site's ground, where the telemetry has no heights above the take-off place.
    #[arg(long, value_name = "METERS", allow_hyphen_values = true)]
    ground_altitude: Option<f64>,
    /// Take-off place above the site's ground, when the drone started from a roof.
    #[arg(long, default_value_t = 0.0, value_name = "METERS", allow_hyphen_values = true)]
    take_off_height: f64,
    /// Focal length in picture widths (35 mm equivalent / 36), in place of what the files say.
    #[arg(long, value_name = "WIDTHS")]
    focal: Option<f64>,
    /// Where a drone that writes no gimbal angles looks: −90 is straight down, 0 the horizon.
    #[arg(long, value_name = "DEGREES", allow_hyphen_values = true)]
    assumed_pitch: Option<f64>,
    /// Zone of times that are written without one.
    #[arg(long, default_value = "Asia/Shanghai", value_name = "ZONE")]
    time_zone: String,
    /// Time between the pictures of a video that are looked at.
    #[arg(long, default_value_t = 1.0, value_name = "SECONDS")]
    every: f64,
}

impl Reading {
    /// Opens a flight over a site and says what was left out of it.
    fn open(&self, path: &Path, site: &Site) -> anyhow::Result<Recorded> {
        if self.every.is_nan() || self.every <= 0.0 {
            return Err(Mistake("--every must be more than 0 seconds".into()).into());
        }
        let time_zone = TimeZone::get(&self.time_zone)
            .map_err(|e| Mistake(format!("--time-zone {}: {e}; hint: as Asia/Shanghai", self.time_zone)))?;
        let how = FlightOptions {
            ground_altitude: self.ground_altitude,
            assumed_pitch: self.assumed_pitch,
            time_zone,
            take_off_height: self.take_off_height,
            focal: self.focal,
            pick: Pick::Every(std::time::Duration::from_secs_f64(self.every)),
            site: Some(SiteArea::of(site)),
            ..FlightOptions::default()
        };
        let flight = Recorded::open(path, &how, PoseError::CONSUMER_DRONE).map_err(Mistake::of)?;
        for skipped in flight.flight().skipped() {
            tracing::warn!(file = %skipped.name, reason = %skipped.reason, "left out of the flight");
        }
        for problem in &flight.flight().report().problems {
            tracing::warn!(flight = %path.display(), problem = %problem.text(Language::En), "telemetry");
        }
        Ok(flight)
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Objects {
    #[command(flatten)]
    home: home::Home,
    /// The flight.
    flight: PathBuf,
    /// GeoJSON file of the site.
    #[arg(long, value_name = "FILE")]
    site: PathBuf,
    /// Where `objects.json`, `.geojson`, `.csv` and `.kml` go.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// Folder of the detector.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// Detections less sure than this are left out, 0 to 1; without it the model's own threshold.
    #[arg(long, value_name = "SCORE")]
    min_score: Option<f32>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Compare {
    #[command(flatten)]
    home: home::Home,
    /// The earlier flight: a folder of stills, a video with its .SRT, a transport stream with KLV, or an orthophoto
    /// with its world file.
    before: PathBuf,
    /// The later flight.
    after: PathBuf,
    /// GeoJSON file of the site: outline, buildings with footprint and height, approved structures.
    #[arg(long, value_name = "FILE")]
    site: PathBuf,
    /// Where the report, the pictures and the findings as GeoJSON, CSV and KML go.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// Findings less likely than this are left out, 0 to 1.
    #[arg(long, default_value_t = CompareOptions::default().min_confidence)]
    min_confidence: f32,
    /// Changes smaller than this are left out.
    #[arg(long, default_value_t = CompareOptions::default().min_area, value_name = "SQUARE_METERS")]
    min_area: f32,
    /// Folder of the network whose features are compared.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Compare(options) => run_compare(&options),
        Command::Objects(options) => run_objects(&options),
        Command::Timeline { site, comparisons, out } => run_timeline(&site, &comparisons, &out),
    }
}

/// Reads a site file.
pub(crate) fn read_site(path: &Path) -> anyhow::Result<Site> {
    let text = fs::read_to_string(path)
        .map_err(|e| Mistake(format!("cannot read the site file {}: {e}", path.display())))?;
    Site::from_geojson(&text).map_err(|e| Mistake(format!("{}: {e}", path.display())).into())
}

fn run_compare(options: &Compare) -> anyhow::Result<()> {
    let home = options.home.directory()?;
    let site = read_site(&options.site)?;
    let mut before = options.reading.open(&options.before, &site)?;
    let mut after = options.reading.open(&options.after, &site)?;
    let how = CompareOptions {
        min_confidence: options.min_confidence,
        min_area: options.min_area,
        ..CompareOptions::default()
    };
    let survey = compare_with(&home, options.model.as_deref(), &mut before, &mut after, &site, &how)?;
    write(&survey, &options.out)?;
    tell(&survey.report, &options.out);
    if survey.report.before.refused.is_some() || survey.report.after.refused.is_some() {
        return Err(crate::failure::Silent(1).into());
    }
    Ok(())
}

/// From above small detectors know cars best at this length in their input (measured: tiling helps below it and hurts
/// above), and a car is so long.
const CAR: (f64, f64) = (64.0, 4.5);

fn run_objects(options: &Objects) -> anyhow::Result<()> {
    let home = options.home.directory()?;
    let site = read_site(&options.site)?;
    let mut flight = options.reading.open(&options.flight, &site)?;
    let model = options.model.clone().unwrap_or_else(|| home.join("models/nanodet-g"));
    let manifest = Manifest::load(&model).map_err(Mistake::of)?;
    let side = manifest.input_size().0;
    let across = meters_per_width(&flight, &site).unwrap_or(60.0);
    let tiles = (CAR.0 * across / (CAR.1 * f64::from(side as u32))).round().clamp(1.0, 4.0) as usize;
    let engine = Engine::start(&manifest, &EngineConfig::default())?;
    let detector = DetectorOptions {
        score_threshold: options.min_score,
        tiles: (tiles > 1).then_some(Tiling { columns: tiles, rows: tiles, overlap: 0.2, whole: false }),
        ..DetectorOptions::default()
    };
    let camera: CameraId = "survey".parse()?;
    let mut detector = engine.detector(&camera, detector).map_err(Mistake::of)?;
    let mut sequence = 0;
    let mut detect = |picture: &Picture| {
        sequence += 1;
        let frame = Frame {
            camera: camera.clone(),
            preset: None,
            run: RunId::derive(&["survey"]),
            sequence,
            captured_at: Timestamp::UNIX_EPOCH,
            picture: Arc::new(picture.clone()),
        };
        detector.detect(&frame)
    };
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "pictures {bar:30} {pos}/{len} {elapsed} elapsed, {eta} left",
    )?);
    let report = objects(&mut flight, &site, &mut detect, &mut |done, of| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    write_objects(&report, &options.out)?;
    tell_objects(&report, tiles, &options.out);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the result of the command")]
fn tell_objects(report: &ObjectReport, tiles: usize, out: &Path) {
    println!(
        "{} pictures, {tiles} × {tiles} tiles each; {} things on the ground",
        report.pictures,
        report.objects.len()
    );
    for object in &report.objects {
        println!(
            "  {:<10} {} ± {:.1} m  {:>4.1} m long  confidence {:.0} %  in {} pictures{}",
            object.label.as_str(),
            object.position.point,
            object.position.uncertainty_meters,
            object.length_meters,
            100.0 * object.score,
            object.sightings,
            object.zone.as_ref().map_or(String::new(), |zone| format!("  in {zone}")),
        );
    }
    println!("list: {}", out.join("objects.csv").display());
}

/// Compares two flights with the models of an installation, behind a progress bar.
pub(crate) fn compare_with(
    home: &Path,
    model: Option<&Path>,
    before: &mut Recorded,
    after: &mut Recorded,
    site: &Site,
    how: &CompareOptions,
) -> anyhow::Result<parapet_survey::Survey> {
    let model = model.map_or_else(|| home.join("models/efficientnet-lite0"), Path::to_owned);
    let manifest = Manifest::load(&model).map_err(Mistake::of)?;
    let engine = Engine::start(&manifest, &EngineConfig::default())?;
    let head = Head::built_in();
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "{msg:16} {bar:30} {pos}/{len} {elapsed} elapsed, {eta} left",
    )?);
    let survey = compare(
        before,
        after,
        site,
        &mut Tools {
            features: &mut NetworkFeatures::new(&engine)?,
            head: &head,
            occupied: None,
            examined: None,
        },
        how,
        &mut |Progress { stage, done, of }| {
            bar.set_message(match stage {
                Stage::Before => "earlier flight",
                Stage::After => "later flight",
                Stage::Roofs => "roofs",
            });
            bar.set_length(of as u64);
            bar.set_position(done as u64);
        },
    )
    .context("cannot compare the flights")?;
    bar.finish_and_clear();
    Ok(survey)
}

/// The report in a few lines.
#[expect(clippy::print_stdout, reason = "the result of the command")]
fn tell(report: &SurveyReport, out: &Path) {
    for (name, flight) in [("earlier", &report.before), ("later", &report.after)] {
        let pictures = format!("{} pictures, {} looked at", flight.pictures, flight.looked_at);
        println!("{name} flight {}: {pictures}", flight.name);
        if let Some(reason) = &flight.refused {
            println!("  cannot be compared: {} · {}", reason.text(Language::En), reason.text(Language::ZhCn));
        }
    }
    let judged = report.roofs.iter().filter(|r| matches!(r.state, RoofState::Judged { .. })).count();
    println!("{judged} of {} roofs judged", report.roofs.len());
    for roof in &report.roofs {
        if let RoofState::NotJudged { reason } = &roof.state {
            println!(
                "  {} not judged: {} · {}",
                roof.building,
                reason.text(Language::En),
                reason.text(Language::ZhCn)
            );
        }
    }
    println!("{} suspected changes, each to be checked by a person", report.findings.len());
    for finding in &report.findings {
        println!(
            "  {:<12} {:<8} {:>6.1} ± {:.1} m²  confidence {:.0} %  {} ± {:.1} m  seen in {} of {} looks",
            finding.building.as_str(),
            finding.change.text(Language::En),
            finding.area_m2,
            finding.area_error_m2,
            100.0 * finding.confidence,
            finding.position.point,
            finding.position.uncertainty_meters,
            finding.looks_seen,
            finding.looks_asked,
        );
    }
    println!("report: {}", out.join("report.json").display());
}

#[expect(clippy::print_stdout, reason = "the result of the command")]
fn run_timeline(site: &Path, comparisons: &[PathBuf], out: &Path) -> anyhow::Result<()> {
    let site = read_site(site)?;
    let mut reports = Vec::new();
    for folder in comparisons {
        let report = read_report(&folder.join("report.json")).map_err(Mistake::of)?;
        if report.site != site.id {
            let text = format!(
                "{} is of site \"{}\", not of \"{}\"; hint: name the site file that it was made with",
                folder.display(),
                report.site,
                site.id
            );
            return Err(Mistake(text).into());
        }
        reports.push(report);
    }
    let timeline = timeline(&site, &reports);
    write_timeline(&timeline, out)?;
    println!("{} surveys, {} structures", timeline.surveys.len(), timeline.histories.len());
    for history in &timeline.histories {
        let areas: Vec<String> = history
            .sightings
            .iter()
            .map(|s| {
                format!(
                    "{} {:.1} m²",
                    s.at.map_or(String::new(), |at| at.to_string()[..10].to_owned()),
                    s.area_m2
                )
            })
            .collect();
        println!(
            "  {:<12} {} ({})  {}",
            history.building.as_str(),
            history.milestone.text(Language::En),
            history.milestone.text(Language::ZhCn),
            areas.join(" → ")
        );
    }
    println!("timeline: {}", out.join("timeline.json").display());
    Ok(())
}
