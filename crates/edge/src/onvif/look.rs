//! What one device says of itself: what it is, its media profiles, and where their streams are.

use std::sync::Arc;

use parapet_core::Clock;
use reqwest::Url;
use serde::Serialize;

use super::{OnvifClient, OnvifError, message, reached, security::Credentials};

/// Profiles that are asked for their streams.
const MOST_PROFILES: usize = 16;
/// A smaller stream is good for analysis from this width on.
const SMALLEST_WIDTH: u32 = 480;

/// A device and its streams.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Device {
    /// Who made it.
    pub manufacturer: Option<String>,
    /// What it is.
    pub model: Option<String>,
    /// Its software.
    pub firmware: Option<String>,
    /// Whether it is a dome.
    pub turns: bool,
    /// Its media profiles.
    pub profiles: Vec<Profile>,
    /// The stream that clips should come from.
    pub url: Option<String>,
    /// A smaller stream for analysis.
    pub substream_url: Option<String>,
}

/// A media profile.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    /// Its token.
    pub profile: String,
    /// Its name.
    pub name: String,
    /// How it is encoded, as the device says.
    pub codec: Option<String>,
    /// Pixels across.
    pub width: Option<u32>,
    /// Pixels down.
    pub height: Option<u32>,
    /// Pictures a second.
    pub fps: Option<f64>,
    /// Where its stream is, without user and password.
    pub url: Option<String>,
    /// Whether it turns the dome.
    pub turns: bool,
}

/// Asks a device of this address, or of this host.
///
/// # Errors
/// See [`OnvifError`].
pub async fn look(
    address: &str,
    username: Option<&str>,
    password: Option<&str>,
    clock: Arc<dyn Clock>,
) -> Result<Device, OnvifError> {
    let wrong = || OnvifError::Address(parapet_ingest::redact(address));
    let whole = if address.contains("://") {
        address.to_owned()
    } else {
        format!("http://{address}/onvif/device_service")
    };
    let url = Url::parse(&whole).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || url.password().is_some() {
        return Err(wrong());
    }
    let credentials =
        username.map(|name| Credentials::new(name.to_owned(), password.unwrap_or_default().to_owned()));
    let mut client = OnvifClient::bare(url.clone(), credentials, clock)?;
    client.skew = client.clock_skew(&url).await?;
    let services = client.services(&url).await?;
    let about = client.ask(&url, "GetDeviceInformation", message::GET_DEVICE_INFORMATION).await?;
    let about = message::device_information(&about)
        .map_err(|what| OnvifError::Answer { action: "GetDeviceInformation", what })?;
    let media = services.media.as_deref().ok_or(OnvifError::NoPtz { what: "media service" })?;
    let media = reached(&url, media);
    let action = "GetProfiles";
    let answer = client.ask(&media, action, message::GET_PROFILES).await?;
    let mut profiles = message::profiles(&answer).map_err(|what| OnvifError::Answer { action, what })?;
    profiles.truncate(MOST_PROFILES);
    for profile in &mut profiles {
        // A profile without video has no stream: the others still do.
        let asked = client.ask(&media, "GetStreamUri", &message::get_stream_uri(&profile.profile)).await;
        let named = match asked {
            Ok(answer) => message::stream_uri(&answer).ok().flatten(),
            Err(OnvifError::Fault { .. } | OnvifError::Answer { .. }) => None,
            Err(error) => return Err(error),
        };
        profile.url = named.and_then(|named| reachable(&named, &url));
    }
    let (main, smaller) = suggested(&profiles);
    Ok(Device {
        manufacturer: about.0,
        model: about.1,
        firmware: about.2,
        turns: services.ptz.is_some() && profiles.iter().any(|profile| profile.turns),
        url: main.and_then(|profile| profile.url.clone()),
        substream_url: smaller.and_then(|profile| profile.url.clone()),
        profiles,
    })
}

/// The address of a stream at the host by which the device was reached, without user and password.
fn reachable(named: &str, device: &Url) -> Option<String> {
    let (bare, _, _) = parapet_ingest::split_credentials(named.trim());
    let mut url = Url::parse(&bare).ok()?;
    if !matches!(url.scheme(), "rtsp" | "rtsps") {
        return None;
    }
    url.set_host(device.host_str()).ok()?;
    Some(url.to_string())
}

/// The largest stream that can be kept as it comes, and the smallest beside it that shows enough.
fn suggested(profiles: &[Profile]) -> (Option<&Profile>, Option<&Profile>) {
    let pixels = |profile: &&Profile| profile.width.unwrap_or(0) * profile.height.unwrap_or(0);
    let kept = |profile: &&Profile| {
        let codec = profile.codec.as_deref().unwrap_or("H264").to_uppercase();
        profile.url.is_some() && matches!(codec.as_str(), "H264" | "H265")
    };
    // Of equals the first: devices list the main stream first.
    let main = profiles.iter().filter(kept).rev().max_by_key(pixels);
    let smaller = profiles
        .iter()
        .filter(kept)
        .filter(|profile| profile.width.is_some_and(|width| width >= SMALLEST_WIDTH))
        .filter(|profile| main.is_some_and(|main| main.url != profile.url && pixels(profile) < pixels(&main)))
        .min_by_key(pixels);
    (main, smaller)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(name: &str, codec: &str, width: u32) -> Profile {
        Profile {
            profile: name.into(),
            name: name.into(),
            codec: Some(codec.into()),
            width: Some(width),
            height: Some(width / 2),
            fps: None,
            url: Some(format!("rtsp://h/{name}")),
            turns: false,
        }
    }

    #[test]
    fn the_largest_stream_is_kept_and_the_smallest_that_shows_enough_is_analysed() {
        let profiles = [
            profile("thumb", "H264", 320),
            profile("jpeg", "JPEG", 4000),
            profile("main", "H265", 2560),
            profile("sub", "H264", 704),
        ];
        let (main, smaller) = suggested(&profiles);
        assert_eq!((main.unwrap().name.as_str(), smaller.unwrap().name.as_str()), ("main", "sub"));
        assert_eq!(suggested(&profiles[2..3]).1, None);
        assert_eq!(suggested(&[]), (None, None));
    }

    #[test]
    fn a_stream_is_where_the_device_was_reached_and_has_no_password() {
        let device = Url::parse("http://203.0.113.9:8000/onvif/device_service").unwrap();
        assert_eq!(
            reachable("rtsp://admin:secret@192.168.1.64:554/Streaming/101?a=b", &device).unwrap(),
            "rtsp://203.0.113.9:554/Streaming/101?a=b"
        );
        assert_eq!(reachable("http://192.168.1.64/x", &device), None);
        assert_eq!(reachable("nonsense", &device), None);
    }
}
