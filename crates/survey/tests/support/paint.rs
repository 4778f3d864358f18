//! Paints flights over one made-up roof with exact truth: boxes and planes with simple materials under a sun, seen by
//! a pinhole. For tests and for learning where nothing has been rendered; far simpler than a real roof.

use parapet_core::{
    Picture,
    geo::{Attitude, GeoPoint, GroundPoint, GroundPolygon, Lens, LocalFrame, Pose, PoseError, View},
    site::{ApprovedStructure, Building, Name, Site},
};
use parapet_survey::{Change, Flight, FlightError, Georeference, SurveyPicture};

/// Random numbers that are the same each time (Steele et al. 2014).
#[derive(Clone)]
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
    pub(crate) fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

type Rgb = [f32; 3];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Surface {
    /// Plain, with noise of this strength.
    Rough(f32),
    /// Ribs of this many metres across the first axis.
    Ribbed(f32),
    /// Panes of this many metres with a light frame.
    Panes(f32),
    /// Leaves.
    Leaves,
}

/// A box that may be turned about the vertical.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Block {
    at: (f64, f64),
    half: (f64, f64),
    turn: (f64, f64),
    low: f64,
    high: f64,
    color: Rgb,
    surface: Surface,
}

impl Block {
    fn new(at: (f64, f64), size: (f64, f64), turn: f64, z: (f64, f64), color: Rgb, surface: Surface) -> Self {
        let turn = turn.sin_cos();
        Self {
            at,
            half: (size.0 / 2.0, size.1 / 2.0),
            turn: (turn.1, turn.0),
            low: z.0,
            high: z.1,
            color,
            surface,
        }
    }

    fn local(&self, x: f64, y: f64) -> (f64, f64) {
        let (dx, dy) = (x - self.at.0, y - self.at.1);
        (dx * self.turn.0 + dy * self.turn.1, dy * self.turn.0 - dx * self.turn.1)
    }

    fn hit(&self, o: [f64; 3], d: [f64; 3]) -> Option<(f64, usize)> {
        let (ox, oy) = self.local(o[0], o[1]);
        let (dx, dy) = (d[0] * self.turn.0 + d[1] * self.turn.1, d[1] * self.turn.0 - d[0] * self.turn.1);
        let slabs = [
            (ox, dx, -self.half.0, self.half.0),
            (oy, dy, -self.half.1, self.half.1),
            (o[2], d[2], self.low, self.high),
        ];
        let (mut near, mut far, mut axis) = (0.0f64, f64::INFINITY, 2);
        for (k, (o, d, low, high)) in slabs.into_iter().enumerate() {
            let d = if d.abs() < 1e-12 { 1e-12 } else { d };
            let (a, b) = ((low - o) / d, (high - o) / d);
            let (a, b) = (a.min(b), a.max(b));
            if a > near {
                (near, axis) = (a, k);
            }
            far = far.min(b);
        }
        (near < far && near > 1e-6).then_some((near, axis))
    }

    fn outline(&self) -> Vec<GroundPoint> {
        [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
            .map(|(sx, sy)| {
                let (x, y) = (sx * self.half.0, sy * self.half.1);
                GroundPoint {
                    east: self.at.0 + x * self.turn.0 - y * self.turn.1,
                    north: self.at.1 + x * self.turn.1 + y * self.turn.0,
                }
            })
            .to_vec()
    }
}

/// A true change.
#[derive(Clone, Debug)]
pub(crate) struct Truth {
    pub(crate) change: Change,
    pub(crate) footprint: GroundPolygon,
}

/// A roof before and after.
pub(crate) struct Scene {
    pub(crate) site: Site,
    pub(crate) truths: Vec<Truth>,
    roof: RoofPaint,
    standing: Vec<Block>,
    before: Vec<Block>,
    after: Vec<Block>,
    seed: u64,
}

#[derive(Clone)]
struct RoofPaint {
    color: Rgb,
    rough: f32,
    seams: f64,
    turn: (f64, f64),
}

const FRAME: GeoPoint = GeoPoint { latitude: 30.53, longitude: 120.68 };

impl Scene {
    /// A roof from a seed; with `changed`, one to three structures came, went or grew.
    pub(crate) fn new(seed: u64, changed: bool) -> Self {
        let mut draw = Draw(seed.wrapping_mul(0x1234_5678_9ABC_DEF1));
        let d = &mut draw;
        let (length, depth, height) = (d.within(22.0, 40.0), d.within(10.0, 16.0), d.within(14.0, 24.0));
        let turn = d.within(-1.5, 1.5);
        let (cos, sin) = (turn.cos(), turn.sin());
        let place = |u: f64, v: f64| (u * cos - v * sin, u * sin + v * cos);
        let palette: [Rgb; 6] = [
            [0.55, 0.54, 0.52],
            [0.30, 0.30, 0.31],
            [0.62, 0.45, 0.38],
            [0.45, 0.52, 0.45],
            [0.75, 0.74, 0.72],
            [0.48, 0.45, 0.40],
        ];
        let roof = RoofPaint {
            color: palette[d.below(palette.len())],
            rough: d.within(0.1, 0.35) as f32,
            seams: d.within(1.0, 5.0),
            turn: (cos, sin),
        };
        let grey = |d: &mut Draw| {
            let v = d.within(0.25, 0.8) as f32;
            [v, v * d.within(0.92, 1.05) as f32, v * d.within(0.88, 1.08) as f32]
        };
        let body = Block::new(
            (0.0, 0.0),
            (length, depth),
            turn,
            (0.0, height),
            [0.6, 0.55, 0.5],
            Surface::Rough(0.1),
        );
        let mut standing = vec![body];
        let rim = d.within(0.4, 1.1);
        let rim_color = grey(d);
        for (u, v, w, h) in [
            (0.0, depth / 2.0, length, 0.25),
            (0.0, -depth / 2.0, length, 0.25),
            (length / 2.0, 0.0, 0.25, depth),
            (-length / 2.0, 0.0, 0.25, depth),
        ] {
            standing.push(Block::new(
                place(u, v),
                (w, h),
                turn,
                (height, height + rim),
                rim_color,
                Surface::Rough(0.1),
            ));
        }
        // Things are laid out so that they do not stand in each other.
        let mut taken: Vec<(f64, f64, f64)> = Vec::new();
        let mut spot = |d: &mut Draw, w: f64, h: f64| -> Option<(f64, f64)> {
            let r = w.hypot(h) / 2.0;
            for _ in 0..30 {
                let u = d.within(-length / 2.0 + 0.7 + w / 2.0, length / 2.0 - 0.7 - w / 2.0);
                let v = d.within(-depth / 2.0 + 0.7 + h / 2.0, depth / 2.0 - 0.7 - h / 2.0);
                if u.is_nan() || v.is_nan() || w + 1.5 > length || h + 1.5 > depth {
                    return None;
                }
                if taken.iter().all(|t| (t.0 - u).hypot(t.1 - v) > t.2 + r) {
                    taken.push((u, v, r));
                    return Some((u, v));
                }
            }
            None
        };
        let on_roof = |u: f64, v: f64, size: (f64, f64), h: (f64, f64), color: Rgb, surface: Surface| {
            Block::new(place(u, v), size, turn, (height + h.0, height + h.1), color, surface)
        };
        let mut approved = Vec::new();
        for _ in 0..=d.below(2) {
            let size = (d.within(3.0, 5.0), d.within(3.0, 5.0));
            if let Some((u, v)) = spot(d, size.0, size.1) {
                let hut = on_roof(u, v, size, (0.0, d.within(2.6, 3.6)), grey(d), Surface::Rough(0.12));
                approved.push(ApprovedStructure {
                    footprint: GroundPolygon::new(hut.outline()).unwrap(),
                    note: None,
                });
                standing.push(hut);
            }
        }
        let (mut before, mut after, mut truths) = (Vec::new(), Vec::new(), Vec::new());
        if changed {
            for _ in 0..=d.below(3) {
                let size = (d.within(2.0, 8.0), d.within(2.0, 6.5));
                let Some((u, v)) = spot(d, size.0, size.1) else { continue };
                let built = violation(d, &|s, h, c, f| on_roof(u, v, s, h, c, f), size);
                let footprint =
                    GroundPolygon::new(on_roof(u, v, size, (0.0, 1.0), [0.0; 3], Surface::Leaves).outline())
                        .unwrap();
                let change = match d.below(10) {
                    0..=5 => {
                        after.extend(built);
                        Change::New
                    }
                    6..=8 => {
                        before.extend(built);
                        Change::Removed
                    }
                    _ => {
                        before.extend(walls(
                            d,
                            &|a, s, h, c, f| {
                                let (x, y) = (u + a.0, v + a.1);
                                on_roof(x, y, s, h, c, f)
                            },
                            size,
                        ));
                        after.extend(built);
                        Change::Grown
                    }
                };
                truths.push(Truth { change, footprint });
            }
        }
        // A structure that stood before and stands.
        if d.chance(0.5) {
            let size = (d.within(2.0, 6.0), d.within(2.0, 5.0));
            if let Some((u, v)) = spot(d, size.0, size.1) {
                standing.extend(violation(d, &|s, h, c, f| on_roof(u, v, s, h, c, f), size));
            }
        }
        for _ in 0..d.below(7) {
            let size = (d.within(0.8, 1.8), d.within(0.8, 1.6));
            if let Some((u, v)) = spot(d, size.0, size.1) {
                standing.push(on_roof(u, v, size, (0.0, d.within(0.6, 2.0)), grey(d), Surface::Rough(0.05)));
            }
        }
        // A row of solar heaters, of which some are moved or turned.
        let heater: Rgb = [0.08, 0.09, 0.16];
        for _ in 0..d.below(3) {
            let n = 2 + d.below(5);
            let Some((u, v)) = spot(d, n as f64 * 1.5, 2.0) else { continue };
            let moved = d.chance(0.3);
            for k in 0..n {
                let u = u + (k as f64 - (n as f64 - 1.0) / 2.0) * 1.5;
                let there = on_roof(u, v, (1.1, 1.7), (0.3, 0.9), heater, Surface::Panes(0.35));
                let shifted = on_roof(
                    u + d.within(-0.4, 0.4),
                    v + d.within(-0.3, 0.3),
                    (1.1, 1.7),
                    (0.3, 0.9),
                    heater,
                    Surface::Panes(0.35),
                );
                if !moved {
                    standing.push(there);
                } else if d.chance(0.9) {
                    before.push(there);
                    after.push(shifted);
                }
            }
        }
        // Clutter, each flight its own: laundry, plants, people, sheets, puddles.
        for side in [&mut before, &mut after] {
            for _ in 0..d.below(9) {
                let vivid = [d.unit() as f32, d.unit() as f32, d.unit() as f32];
                let (size, h, color, surface) = match d.below(6) {
                    0 => ((d.within(0.8, 2.5), d.within(0.3, 0.8)), (1.3, 1.4), vivid, Surface::Rough(0.2)),
                    1 => ((0.5, 0.5), (0.0, 1.7), vivid, Surface::Rough(0.2)),
                    2 => (
                        (d.within(0.4, 1.2), d.within(0.4, 1.2)),
                        (0.0, 0.7),
                        [0.15, 0.35, 0.1],
                        Surface::Leaves,
                    ),
                    3 => ((d.within(0.6, 1.8), d.within(0.6, 1.4)), (0.0, 0.05), vivid, Surface::Rough(0.1)),
                    4 => (
                        (d.within(1.0, 5.0), d.within(1.0, 3.0)),
                        (0.0, 0.004),
                        roof.color.map(|c| c * 0.55),
                        Surface::Rough(0.02),
                    ),
                    _ => (
                        (d.within(0.4, 1.0), d.within(0.4, 0.9)),
                        (0.0, d.within(0.3, 0.9)),
                        grey(d),
                        Surface::Rough(0.1),
                    ),
                };
                if let Some((u, v)) = spot(d, size.0, size.1) {
                    side.push(on_roof(u, v, size, h, color, surface));
                }
            }
        }
        let footprint = GroundPolygon::new(standing[0].outline()).unwrap();
        let around = [(-60.0, -60.0), (60.0, -60.0), (60.0, 60.0), (-60.0, 60.0)];
        let building = Building {
            id: "b1".parse().unwrap(),
            name: Name::default(),
            footprint,
            storeys: None,
            height,
            approved,
        };
        let site = Site {
            id: "made-up".parse().unwrap(),
            name: Name::default(),
            frame: LocalFrame::at(FRAME),
            outline: GroundPolygon::new(around.map(|(east, north)| GroundPoint { east, north }).to_vec())
                .unwrap(),
            buildings: vec![building],
            zones: Vec::new(),
            cameras: Vec::new(),
        };
        Self { site, truths, roof, standing, before, after, seed }
    }

    /// The flight before (0) or after (1): `looks` pictures whose telemetry has errors of `noise` times a consumer
    /// drone's.
    pub(crate) fn flight(&self, side: usize, looks: usize, noise: f64) -> Painted {
        let mut d = Draw(self.seed ^ (side as u64 + 1) << 40);
        let azimuth = d.within(0.0, std::f64::consts::TAU);
        let elevation = d.within(0.5, 1.2);
        let sun = [azimuth.sin() * elevation.cos(), azimuth.cos() * elevation.cos(), elevation.sin()];
        let (gain, warm) = (d.within(0.8, 1.25) as f32, d.within(-0.06, 0.06) as f32);
        let shade = d.within(0.3, 0.6) as f32;
        let wet = d.within(0.8, 1.1) as f32;
        let mut blocks = self.standing.clone();
        blocks.extend(if side == 0 { self.before.clone() } else { self.after.clone() });
        let e = PoseError::CONSUMER_DRONE;
        let bias =
            (d.normal() * e.horizontal_meters * noise * 0.7, d.normal() * e.horizontal_meters * noise * 0.7);
        let yaw = d.within(0.0, 360.0);
        let pictures = (0..looks)
            .map(|k| {
                let (east, north) = (d.within(-11.0, 11.0), d.within(-8.0, 8.0));
                let (height, attitude) = (
                    d.within(56.0, 64.0),
                    Attitude {
                        yaw: yaw + 180.0 * (k % 2) as f64 + d.normal(),
                        pitch: -90.0 + d.normal().abs() * 0.7,
                        roll: d.normal() * 0.5,
                    },
                );
                let frame = &self.site.frame;
                let pose = Pose { position: frame.geo(GroundPoint { east, north }), height, attitude };
                let said = Pose {
                    position: frame.geo(GroundPoint {
                        east: east + bias.0 + d.normal() * 0.2 * noise,
                        north: north + bias.1 + d.normal() * 0.2 * noise,
                    }),
                    height: height + d.normal() * e.height_meters * noise,
                    attitude: Attitude {
                        yaw: attitude.yaw + d.normal() * e.yaw_degrees * noise,
                        pitch: attitude.pitch + d.normal() * e.tilt_degrees * noise,
                        roll: attitude.roll + d.normal() * e.tilt_degrees * noise,
                    },
                };
                (pose, said)
            })
            .collect::<Vec<_>>();
        let lens = Lens::new(0.667, HEIGHT as f64 / WIDTH as f64).unwrap();
        let infos = pictures
            .iter()
            .enumerate()
            .map(|(k, (_, said))| SurveyPicture {
                name: format!("{side}-{k}.jpg"),
                captured_at: None,
                width: WIDTH,
                height: HEIGHT,
                georeference: Georeference::Camera { pose: *said, lens, error: e },
            })
            .collect();
        Painted {
            name: ["before", "after"][side].into(),
            views: pictures.iter().map(|(pose, _)| View::new(*pose, lens, &self.site.frame)).collect(),
            infos,
            blocks,
            roof: RoofPaint { color: self.roof.color.map(|c| c * wet), ..self.roof.clone() },
            light: Light { sun, gain, warm, shade },
            noise: d,
        }
    }
}

fn violation(
    d: &mut Draw,
    block: &dyn Fn((f64, f64), (f64, f64), Rgb, Surface) -> Block,
    size: (f64, f64),
) -> Vec<Block> {
    let h = d.within(2.2, 3.1);
    let steel: [Rgb; 5] =
        [[0.15, 0.28, 0.6], [0.6, 0.16, 0.13], [0.8, 0.8, 0.8], [0.5, 0.52, 0.54], [0.2, 0.45, 0.3]];
    let color = steel[d.below(steel.len())];
    match d.below(4) {
        0 | 1 => vec![block(size, (0.0, h), color, Surface::Ribbed(d.within(0.3, 0.8) as f32))],
        2 => vec![block(size, (0.0, h), [0.25, 0.32, 0.38], Surface::Panes(d.within(0.7, 1.2) as f32))],
        _ => vec![block(size, (h - 0.1, h), color, Surface::Ribbed(d.within(0.3, 0.8) as f32))],
    }
}

type BlockAt<'a> = dyn Fn((f64, f64), (f64, f64), (f64, f64), Rgb, Surface) -> Block + 'a;

fn walls(d: &mut Draw, block: &BlockAt<'_>, (w, h): (f64, f64)) -> Vec<Block> {
    let brick = [0.55, 0.27, 0.2];
    let top = d.within(0.6, 2.0);
    [
        ((0.0, h / 2.0), (w, 0.24)),
        ((0.0, -h / 2.0), (w, 0.24)),
        ((w / 2.0, 0.0), (0.24, h)),
        ((-w / 2.0, 0.0), (0.24, h)),
    ]
    .map(|(at, size)| block(at, size, (0.0, top), brick, Surface::Rough(0.2)))
    .to_vec()
}

#[derive(Clone, Copy)]
struct Light {
    sun: [f64; 3],
    gain: f32,
    warm: f32,
    shade: f32,
}

/// Pixels of a painted picture.
pub(crate) const WIDTH: usize = 960;
pub(crate) const HEIGHT: usize = 540;

/// A flight that is painted when it is looked at.
pub(crate) struct Painted {
    pub(crate) name: String,
    pub(crate) infos: Vec<SurveyPicture>,
    views: Vec<View>,
    blocks: Vec<Block>,
    roof: RoofPaint,
    light: Light,
    noise: Draw,
}

impl Flight for Painted {
    fn name(&self) -> &str {
        &self.name
    }
    fn pictures(&self) -> &[SurveyPicture] {
        &self.infos
    }
    fn visit(&mut self, wanted: &[usize], each: &mut dyn FnMut(usize, &Picture)) -> Result<(), FlightError> {
        for index in wanted {
            each(*index, &self.paint(*index));
        }
        Ok(())
    }
}

impl Painted {
    /// One picture.
    pub(crate) fn paint(&self, index: usize) -> Picture {
        let view = &self.views[index];
        let eye = [view.foot().east, view.foot().north, view.pose().height];
        let mut rgb = Vec::with_capacity(WIDTH * HEIGHT * 3);
        let mut noise = Draw(self.noise.0 ^ index as u64);
        for y in 0..HEIGHT {
            for x in 0..WIDTH {
                let p = parapet_core::Point::new(
                    (x as f32 + 0.5) / WIDTH as f32,
                    (y as f32 + 0.5) / HEIGHT as f32,
                );
                let color = view.ground(p, 0.0).map_or([0.5; 3], |g| {
                    let d = [g.east - eye[0], g.north - eye[1], -eye[2]];
                    self.color(eye, d)
                });
                let grain = (noise.unit() + noise.unit() - 1.0) as f32 * 4.0;
                rgb.extend(
                    color.map(|c| {
                        ((c.clamp(0.0, 1.0)).powf(1.0 / 2.2) * 255.0 + grain).clamp(0.0, 255.0) as u8
                    }),
                );
            }
        }
        Picture::from_rgb(WIDTH, HEIGHT, &rgb).unwrap()
    }

    fn nearest(&self, o: [f64; 3], d: [f64; 3]) -> Option<(f64, usize, usize)> {
        self.blocks
            .iter()
            .enumerate()
            .filter_map(|(k, b)| b.hit(o, d).map(|(t, axis)| (t, axis, k)))
            .min_by(|a, b| a.0.total_cmp(&b.0))
    }

    fn color(&self, o: [f64; 3], d: [f64; 3]) -> Rgb {
        let hit = self.nearest(o, d).filter(|(t, _, _)| *t < 1.0);
        let (t, axis, block) = hit.map_or((1.0, 2, None), |(t, axis, k)| (t, axis, Some(k)));
        let at = [0, 1, 2].map(|i| o[i] + d[i] * t);
        let base = match block {
            None => {
                let n = fbm(at[0] * 0.3, at[1] * 0.3, 3);
                [0.25 + 0.25 * n, 0.3 + 0.2 * n, 0.2 + 0.2 * n]
            }
            Some(0) if axis == 2 => self.roof_color(at),
            Some(k) => surface_color(&self.blocks[k], at, axis),
        };
        let facing: f64 = match (axis, block) {
            (2, _) | (_, None) => self.light.sun[2],
            (axis, Some(k)) => {
                let b = &self.blocks[k];
                let (ax, ay) = if axis == 0 { b.turn } else { (-b.turn.1, b.turn.0) };
                let side = -(d[0] * ax + d[1] * ay).signum();
                ((self.light.sun[0] * ax + self.light.sun[1] * ay) * side).max(0.0)
            }
        };
        let from = [0, 1, 2].map(|i| at[i] + self.light.sun[i] * 1e-3 - d[i] * 1e-5);
        let far = self.light.sun.map(|s| s * 200.0);
        let lit = if self.blocks.iter().any(|b| b.hit(from, far).is_some()) { 0.0 } else { facing as f32 };
        let (shade, gain, warm) = (self.light.shade, self.light.gain, self.light.warm);
        let light =
            [shade * 0.85 + lit * (1.0 + warm), shade * 0.95 + lit, shade * 1.15 + lit * (1.0 - warm)];
        [0, 1, 2].map(|i| base[i] * light[i] * gain * 0.75)
    }

    fn roof_color(&self, at: [f64; 3]) -> Rgb {
        let r = &self.roof;
        let (u, v) = (at[0] * r.turn.0 + at[1] * r.turn.1, at[1] * r.turn.0 - at[0] * r.turn.1);
        let fine = fbm(u * 1.3, v * 1.3, 3) - 0.5;
        let stains = fbm(u * 0.25 + 40.0, v * 0.25, 3) - 0.5;
        let line = |c: f64| f32::from(u8::from((c / r.seams).rem_euclid(1.0) * r.seams < 0.09));
        let seam = 1.0 - 0.3 * line(u).max(line(v + 0.7));
        let tone = (1.0 + r.rough * (3.0 * fine + 2.5 * stains)) * seam;
        r.color.map(|c| c * tone)
    }
}

fn surface_color(b: &Block, at: [f64; 3], axis: usize) -> Rgb {
    let (u, v) = b.local(at[0], at[1]);
    let (u, v) = match axis {
        0 => (v, at[2]),
        1 => (u, at[2]),
        _ => (u, v),
    };
    let tone = match b.surface {
        Surface::Rough(strength) => 1.0 + strength * 2.0 * (fbm(u * 2.5 + b.at.0, v * 2.5 + b.at.1, 3) - 0.5),
        Surface::Ribbed(width) => {
            let phase = (u / f64::from(width)).rem_euclid(1.0) as f32;
            (0.85 + 0.25 * (phase * std::f32::consts::TAU).sin()) * (0.9 + 0.2 * fbm(u * 0.7, v * 0.7, 2))
        }
        Surface::Panes(width) => {
            let frame = |c: f64| (c / f64::from(width)).rem_euclid(1.0) < 0.09;
            if frame(u) || frame(v) { 2.2 } else { 0.9 + 0.3 * fbm(u * 0.6, v * 0.6, 2) }
        }
        Surface::Leaves => 0.4 + 1.4 * fbm(u * 6.0, v * 6.0, 2),
    };
    b.color.map(|c| c * tone)
}

/// Smooth noise of several octaves, 0..1.
fn fbm(x: f64, y: f64, octaves: i32) -> f32 {
    let (mut sum, mut size, mut scale) = (0.0, 0.5, 1.0);
    for _ in 0..octaves {
        sum += size * value_noise(x * scale, y * scale);
        size *= 0.5;
        scale *= 2.17;
    }
    sum / (1.0 - 0.5f32.powi(octaves))
}

fn value_noise(x: f64, y: f64) -> f32 {
    let (x0, y0) = (x.floor(), y.floor());
    let (fx, fy) = ((x - x0) as f32, (y - y0) as f32);
    let at = |dx: i64, dy: i64| {
        let mut h = ((x0 as i64 + dx) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ ((y0 as i64 + dy) as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
        h ^= h >> 29;
        h = h.wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (h >> 40) as f32 / (1u64 << 24) as f32
    };
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let (ex, ey) = (ease(fx), ease(fy));
    let top = at(0, 0) + (at(1, 0) - at(0, 0)) * ex;
    let bottom = at(0, 1) + (at(1, 1) - at(0, 1)) * ex;
    top + (bottom - top) * ey
}
