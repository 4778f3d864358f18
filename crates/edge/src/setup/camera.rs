//! Cameras before they are added: found on the network, asked what they are, looked at. And the pictures that a preset's
//! zones are drawn on.

use std::{fs, time::Duration};

use axum::{
    Json,
    extract::{Path, Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use parapet_core::{CameraId, Frame, PresetId};
use parapet_ingest::{GlanceAt, GlanceError, Transport, first_picture, glance};
use serde::{Deserialize, Serialize};

use super::{
    Desk, Setup,
    refusal::Refusal,
    routes::{Body, blocking, body},
};
use crate::{
    assembly::picture_from,
    config::CameraConfig,
    evidence::encode_jpeg,
    onvif::{self, Device, FoundDevice, OnvifError},
};

/// Longest wait for the first picture.
const PATIENCE: Duration = Duration::from_secs(10);
/// JPEG quality of stills: zones are drawn on them.
const QUALITY: u8 = 90;
/// A reference picture is no larger, bytes.
const MOST_PICTURE: u64 = 32 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DiscoverAsked {
    #[serde(default = "three")]
    seconds: u64,
}

fn three() -> u64 {
    3
}

#[derive(Serialize)]
pub(super) struct Discovered {
    devices: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    device: FoundDevice,
    /// The camera of the pipeline file that has this host.
    camera: Option<String>,
}

pub(super) async fn discover(
    State(setup): State<Setup>,
    asked: Body<DiscoverAsked>,
) -> Result<Json<Discovered>, Refusal> {
    let seconds = body(asked)?.seconds.clamp(1, 10);
    let found = onvif::discover(Duration::from_secs(seconds)).await;
    let found = found.map_err(|error| Refusal::Failed(error.to_string()))?;
    let known = blocking(&setup, |desk| Ok(hosts(&desk.read()?))).await?;
    let camera = |host: &str| known.iter().find(|(known, _)| known == host).map(|(_, camera)| camera.clone());
    let devices = found.into_iter().map(|device| Listed { camera: camera(&device.host), device }).collect();
    Ok(Json(Discovered { devices }))
}

/// Hosts of the cameras' addresses.
fn hosts(text: &str) -> Vec<(String, String)> {
    let Ok(table) = text.parse::<toml::Table>() else { return Vec::new() };
    let mut hosts = Vec::new();
    for (name, camera) in table.get("cameras").and_then(toml::Value::as_table).into_iter().flatten() {
        let source = camera.get("source").and_then(toml::Value::as_table);
        let urls = source.into_iter().flatten().filter_map(|(_, kind)| kind.get("url")?.as_str());
        let dome = camera.get("dome").and_then(|dome| dome.get("onvif")?.get("url")?.as_str());
        for url in urls.chain(dome) {
            let (bare, _, _) = parapet_ingest::split_credentials(url);
            if let Some(host) =
                reqwest::Url::parse(&bare).ok().and_then(|url| Some(url.host_str()?.to_owned()))
            {
                hosts.push((host, name.clone()));
            }
        }
    }
    hosts
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProbeAsked {
    address: String,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
}

pub(super) async fn probe(
    State(setup): State<Setup>,
    asked: Body<ProbeAsked>,
) -> Result<Json<Device>, Refusal> {
    let ProbeAsked { address, username, password } = body(asked)?;
    let looked = onvif::look(&address, username.as_deref(), password.as_deref(), setup.0.clock.clone());
    looked.await.map(Json).map_err(|error| match error {
        OnvifError::Address(_) => Refusal::refused("地址无效", "this is no address of a device"),
        OnvifError::NotAuthorized { .. } => Refusal::CameraPassword,
        OnvifError::Request { source, .. } if source.is_timeout() => Refusal::CameraSilent,
        OnvifError::Request { source, .. } if source.is_connect() => Refusal::CameraUnreachable,
        _ => Refusal::CameraNotUnderstood,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StillAsked {
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    transport: Option<Transport>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    camera: Option<CameraId>,
}

pub(super) async fn still(State(setup): State<Setup>, asked: Body<StillAsked>) -> Result<Response, Refusal> {
    let asked = body(asked)?;
    let Ok(_turn) = setup.0.stills.try_acquire() else { return Err(Refusal::Busy) };
    let frame = blocking(&setup, move |desk| desk.look(asked)).await?;
    let headers = [
        (header::CONTENT_TYPE.as_str(), "image/jpeg".to_owned()),
        ("x-captured-at", frame.captured_at.to_string()),
        ("x-width", frame.picture.width().to_string()),
        ("x-height", frame.picture.height().to_string()),
    ];
    let jpeg = encode_jpeg(&frame.picture, QUALITY).map_err(|error| Refusal::Failed(error.to_string()))?;
    Ok((headers, jpeg).into_response())
}

impl Desk {
    fn look(&self, asked: StillAsked) -> Result<Frame, Refusal> {
        let StillAsked { url, username, password, transport, text, camera } = asked;
        let seen = match (url, text, camera) {
            (Some(url), None, None) => {
                let transport = transport.unwrap_or_default();
                let at = GlanceAt::new(&url, username.as_deref(), password.as_deref(), transport)
                    .map_err(|_| Refusal::refused("地址应为 rtsp://…", "the address should be rtsp://…"))?;
                glance(at, &self.clock, PATIENCE)
            }
            (None, Some(text), Some(camera)) => {
                let pipeline = self.pipeline(&text)?;
                let camera: &CameraConfig = pipeline.cameras.get(&camera).ok_or(Refusal::NotFound)?;
                first_picture(camera.source.clone(), &self.clock, PATIENCE)
            }
            _ => {
                return Err(Refusal::refused(
                    "请给出 url，或 text 和 camera",
                    "give either url, or text and camera",
                ));
            }
        };
        seen.map_err(|error| match error {
            GlanceError::Password => Refusal::CameraPassword,
            GlanceError::Unreachable(_) => Refusal::CameraUnreachable,
            GlanceError::NoStream(_) => Refusal::CameraNoStream,
            GlanceError::Silent(_) => Refusal::CameraSilent,
            GlanceError::NoVideo(_) => Refusal::CameraNoVideo,
            GlanceError::Open(error) => Refusal::refused(
                format!("无法打开视频源：{error}"),
                format!("the source cannot be opened: {error}"),
            ),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfPreset {
    #[serde(default)]
    pub(super) preset: Option<PresetId>,
}

/// The picture that the zones of a preset are drawn on.
pub(super) async fn reference(
    State(setup): State<Setup>,
    Path(camera): Path<String>,
    Query(OfPreset { preset }): Query<OfPreset>,
) -> Result<Response, Refusal> {
    let read = blocking(&setup, move |desk| {
        let pipeline = desk.in_force()?;
        let camera = pipeline.cameras.iter().find(|(id, _)| id.as_str() == camera);
        let preset = preset.as_ref().and_then(|preset| camera?.1.presets.get(preset));
        let path = preset.and_then(|preset| preset.reference_pictures.first()).ok_or(Refusal::NotFound)?;
        if fs::metadata(path).map_err(|_| Refusal::NotFound)?.len() > MOST_PICTURE {
            return Err(Refusal::NotFound);
        }
        // Drawn anew: whatever else the file holds stays here.
        let image = image::open(path).map_err(|_| Refusal::NotFound)?;
        encode_jpeg(&picture_from(image), QUALITY).map_err(|error| Refusal::Failed(error.to_string()))
    });
    Ok(([(header::CONTENT_TYPE, "image/jpeg")], read.await?).into_response())
}
