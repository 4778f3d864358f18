//! Pairs of real pictures without telemetry: crops before and after with masks of what changed (LEVIR-CD, DSIFN), and
//! photos of one roof from several places into which structures are drawn.

use std::{error::Error, path::Path};

use image::RgbImage;
use parapet_change::survey::{
    Eye, FeatureGrid, Fused, Gates, Patch, Prior, Reference, Registration, View, outlines,
};
use parapet_core::{
    Picture, Point,
    geo::{GroundPoint, GroundPolygon},
};
use parapet_survey::{Change, DeepFeatures, measure::TrueChange};

use super::roofs::Roof;

type Failure = Box<dyn Error>;

/// Satellite and aerial crops are enlarged by this, so that a house has as many cells as a structure on a roof.
const ENLARGED: u32 = 2;
/// What a pixel of an enlarged crop is taken to be: LEVIR-CD has 0.5 m a pixel (Chen and Shi 2020). Only what is
/// smaller than 2 m² hangs on it.
const CROP_METERS: f32 = 0.25;

fn picture(image: &RgbImage) -> Result<Picture, Failure> {
    Picture::from_rgb(image.width() as usize, image.height() as usize, image.as_raw())
        .ok_or_else(|| "an empty picture".into())
}

fn truth(corners: &[Point], meters: f32) -> Option<TrueChange> {
    let place = |p: &Point| GroundPoint { east: f64::from(p.x * meters), north: f64::from(-p.y * meters) };
    let footprint = GroundPolygon::new(corners.iter().map(place).collect()).ok()?;
    Some(TrueChange { change: Change::New, footprint })
}

fn view(patch: &Patch, features: &mut dyn DeepFeatures) -> Result<View, Failure> {
    let grids: Vec<FeatureGrid> = features.features(patch.picture())?;
    Ok(View::new(patch, grids, None::<Eye>))
}

/// The crops of a folder with `A`, `B` and `label`.
pub(crate) fn crops(folder: &Path, features: &mut dyn DeepFeatures) -> Result<Vec<Roof>, Failure> {
    let mut names: Vec<_> =
        std::fs::read_dir(folder.join("A"))?.filter_map(|e| Some(e.ok()?.file_name())).collect();
    // Pairs without a label say nothing.
    names.retain(|name| folder.join("label").join(name).exists());
    names.sort();
    let mut roofs = Vec::new();
    for name in names {
        let open = |side: &str| -> Result<RgbImage, Failure> {
            let image = image::open(folder.join(side).join(&name))?.into_rgb8();
            let (w, h) = (image.width() * ENLARGED, image.height() * ENLARGED);
            Ok(image::imageops::resize(&image, w, h, image::imageops::FilterType::CatmullRom))
        };
        let (before, after) = (open("A")?, open("B")?);
        let label = image::open(folder.join("label").join(&name))?.into_luma8();
        let mask: Vec<bool> = label.as_raw().iter().map(|v| *v > 127).collect();
        let scale = |p: &Point| Point::new(p.x * ENLARGED as f32, p.y * ENLARGED as f32);
        let truths = outlines(&mask, label.width() as usize, 20)
            .iter()
            .filter_map(|c| truth(&c.iter().map(scale).collect::<Vec<_>>(), CROP_METERS))
            .collect();
        let roof = vec![true; (before.width() * before.height()) as usize];
        let patches = [before, after].map(|i| picture(&i).map(Patch::whole));
        let [b, a] = patches;
        let (b, a) = (view(&b?, features)?, view(&a?, features)?);
        let fused = Fused::new(vec![b], vec![a], &roof, CROP_METERS.into()).ok_or("crops of two sizes")?;
        roofs.push(Roof::of_pixels(name.to_string_lossy().into_owned(), fused, CROP_METERS, truths));
    }
    Ok(roofs)
}

/// Where the photo lies in its figure, pixels: left, top, width, height.
const PHOTO: (u32, u32, u32, u32) = (130, 472, 760, 566);
/// Enlarged by this the roof, about 70 m long, has pixels of about this many metres.
const PHOTO_ENLARGED: f32 = 1.6;
const PHOTO_METERS: f32 = 0.085;
/// The roof in photo 3 of the figure's pixels, and its courtyards.
const ROOF: [(f32, f32); 6] =
    [(146.0, 674.0), (596.0, 606.0), (636.0, 620.0), (670.0, 862.0), (500.0, 906.0), (192.0, 956.0)];
const COURTYARDS: [(f32, f32, f32, f32); 3] =
    [(206.0, 714.0, 302.0, 884.0), (374.0, 694.0, 474.0, 858.0), (496.0, 676.0, 618.0, 838.0)];

fn in_patch((x, y): (f32, f32)) -> (f32, f32) {
    ((x - PHOTO.0 as f32) * PHOTO_ENLARGED, (y - PHOTO.1 as f32) * PHOTO_ENLARGED)
}

/// Five photos of one roof from different places: two before, two or three after, in other light and with structures
/// drawn on them where `drawn` says. Each pair of sets gives one roof.
pub(crate) fn composites(folder: &Path, features: &mut dyn DeepFeatures) -> Result<Vec<Roof>, Failure> {
    let photos: Vec<Patch> = (1..=5)
        .map(|k| -> Result<Patch, Failure> {
            let figure = image::open(folder.join(format!("{k}_dot.jpg")))?.into_rgb8();
            let photo = image::imageops::crop_imm(&figure, PHOTO.0, PHOTO.1, PHOTO.2, PHOTO.3).to_image();
            let enlarged = |v: u32| (v as f32 * PHOTO_ENLARGED) as u32 / 16 * 16;
            let (w, h) = (enlarged(PHOTO.2), enlarged(PHOTO.3));
            Ok(Patch::whole(picture(&image::imageops::resize(
                &photo,
                w,
                h,
                image::imageops::FilterType::CatmullRom,
            ))?))
        })
        .collect::<Result<_, _>>()?;
    let (width, height) = photos[0].dimensions();
    let outline = ROOF.map(|c| {
        let (east, north) = in_patch(c);
        GroundPoint { east: east.into(), north: north.into() }
    });
    let outline = GroundPolygon::new(outline.to_vec())?;
    let courtyards = COURTYARDS.map(|(l, t, r, b)| (in_patch((l, t)), in_patch((r, b))));
    let roof: Vec<bool> = (0..width * height)
        .map(|i| {
            let (x, y) = ((i % width) as f32, (i / width) as f32);
            let yard = courtyards.iter().any(|(a, b)| (a.0..b.0).contains(&x) && (a.1..b.1).contains(&y));
            !yard && outline.contains(GroundPoint { east: x.into(), north: y.into() })
        })
        .collect();
    let prior = Prior { reach_pixels: width as f32, turned: true };
    let reference = Reference::new(photos[2].clone(), &roof, prior);
    let gates = Gates { min_seen: 0.3, ..Gates::default() };
    let registered: Vec<Option<Registration>> = photos
        .iter()
        .enumerate()
        .map(|(k, photo)| if k == 2 { None } else { reference.register(photo, &gates).ok() })
        .collect();
    let mut roofs = Vec::new();
    for set in 0..8usize {
        // Photo 3 is the reference and always before; the others take turns.
        let others: Vec<usize> = [0, 1, 3, 4].into_iter().filter(|k| registered[*k].is_some()).collect();
        if others.len() < 2 {
            return Err("the photos of the roof cannot be laid on each other".into());
        }
        let (extra, after) = others.split_at(others.len() / 2);
        let (extra, after) = if set % 2 == 0 { (extra, after) } else { (after, extra) };
        let drawn: Vec<Drawn> =
            if set % 4 < 2 { Vec::new() } else { (0..3).map(|k| Drawn::new(set * 3 + k)).collect() };
        let mut before = vec![view(&photos[2], features)?];
        for k in extra {
            let registration = registered[*k].as_ref().ok_or("not registered")?;
            before.push(view(&reference.laid(&photos[*k], registration), features)?);
        }
        let mut looks = Vec::new();
        for k in after {
            let registration = registered[*k].as_ref().ok_or("not registered")?;
            let painted = drawn_on(&photos[*k], registration, &drawn, set)?;
            // The changed photo is registered again, as in use.
            if let Ok(registration) = reference.register(&painted, &gates) {
                looks.push(view(&reference.laid(&painted, &registration), features)?);
            }
        }
        let truths = drawn.iter().filter_map(|d| truth(&d.corners(), PHOTO_METERS)).collect();
        let fused = Fused::new(before, looks, &roof, PHOTO_METERS.into()).ok_or("no look after")?;
        roofs.push(Roof::of_pixels(format!("flat_roof {set}"), fused, PHOTO_METERS, truths));
    }
    Ok(roofs)
}

/// A structure on the roof, in pixels of the reference.
struct Drawn {
    at: (f32, f32),
    size: (f32, f32),
    turn: f32,
    color: [f32; 3],
}

impl Drawn {
    fn new(k: usize) -> Self {
        /// Free places of the roof in photo 3, in the figure's pixels.
        const PLACES: [(f32, f32); 6] =
            [(340.0, 680.0), (342.0, 800.0), (340.0, 900.0), (240.0, 690.0), (490.0, 880.0), (560.0, 650.0)];
        const COLORS: [[f32; 3]; 4] =
            [[45.0, 85.0, 165.0], [170.0, 60.0, 45.0], [215.0, 215.0, 210.0], [130.0, 135.0, 140.0]];
        let side = |k: usize| 36.0 + (k * 37 % 40) as f32;
        Self {
            at: in_patch(PLACES[k % PLACES.len()]),
            size: (side(k), side(k + 5) * 0.8),
            turn: -0.15,
            color: COLORS[k % COLORS.len()],
        }
    }

    /// A point of it by shares of its sides.
    fn point(&self, u: f32, v: f32) -> (f32, f32) {
        let (x, y) = ((u - 0.5) * self.size.0, (v - 0.5) * self.size.1);
        let (sin, cos) = self.turn.sin_cos();
        (self.at.0 + x * cos - y * sin, self.at.1 + x * sin + y * cos)
    }

    fn corners(&self) -> Vec<Point> {
        [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
            .map(|(u, v)| {
                let (x, y) = self.point(u, v);
                Point::new(x, y)
            })
            .to_vec()
    }
}

/// A photo with the structures and their shadows where it shows their places, in other light.
fn drawn_on(photo: &Patch, to: &Registration, drawn: &[Drawn], set: usize) -> Result<Patch, Failure> {
    let (w, h) = photo.dimensions();
    let mut rgb = photo.picture().to_rgb();
    let mut shaded = vec![false; w * h];
    let steps = |length: f32| (length * 4.0) as usize;
    let mut each = |d: &Drawn, shift: (f32, f32), put: &mut dyn FnMut(&mut Vec<u8>, usize, f32)| {
        for j in 0..steps(d.size.1) {
            for i in 0..steps(d.size.0) {
                let (u, v) = (i as f32 / steps(d.size.0) as f32, j as f32 / steps(d.size.1) as f32);
                let (x, y) = d.point(u, v);
                let (px, py) = to.second(f64::from(x + shift.0), f64::from(y + shift.1));
                if px >= 0.0 && py >= 0.0 && (px as usize) < w && (py as usize) < h {
                    put(&mut rgb, py as usize * w + px as usize, u * d.size.0);
                }
            }
        }
    };
    for d in drawn {
        each(d, (9.0, 7.0), &mut |rgb, i, _| {
            if !std::mem::replace(&mut shaded[i], true) {
                rgb[i * 3..i * 3 + 3].iter_mut().for_each(|c| *c = (f32::from(*c) * 0.5) as u8);
            }
        });
    }
    for d in drawn {
        each(d, (0.0, 0.0), &mut |rgb, i, along| {
            let rib = 0.85 + 0.15 * (along * 0.9).sin();
            for (c, color) in rgb[i * 3..i * 3 + 3].iter_mut().zip(d.color) {
                *c = (color * rib) as u8;
            }
        });
    }
    let (gain, warm) = ([0.8, 1.15, 0.9, 1.1][set % 4], [0.06, -0.05, -0.04, 0.05][set % 4]);
    for pixel in rgb.chunks_exact_mut(3) {
        for (c, tint) in pixel.iter_mut().zip([1.0 + warm, 1.0, 1.0 - warm]) {
            *c = (f32::from(*c) * gain * tint).clamp(0.0, 255.0) as u8;
        }
    }
    Ok(Patch::whole(Picture::from_rgb(w, h, &rgb).ok_or("an empty photo")?))
}
