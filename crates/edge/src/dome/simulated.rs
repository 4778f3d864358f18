//! A dome that is not there, for tests: a town painted on a sphere round it, things that come and go in it, and a head
//! that turns at a speed of its own, in simulated time. Its pictures are what a pinhole camera would see. It can be told
//! where to look directly, or over HTTP in ONVIF's words.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use parapet_core::{Clock, ManualClock, Picture, Timestamp, time::seconds_between};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};

use super::control::{DomeControl, Told};

/// Size of the pictures.
pub(crate) const SIZE: (usize, usize) = (320, 180);
/// Horizontal field of view.
pub(crate) const FIELD_OF_VIEW: f32 = 60.0;

/// A direction, in degrees: to the right and downwards.
pub(crate) type Direction = (f64, f64);

/// An upright coloured thing in the town.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thing {
    /// Where its middle is.
    pub(crate) at: Direction,
    /// Its width and height in degrees.
    pub(crate) size: (f64, f64),
    pub(crate) rgb: [u8; 3],
    /// When it is there, in seconds from the beginning.
    pub(crate) there: (f64, f64),
}

/// The head of the dome.
pub(crate) struct Head {
    looks: Direction,
    target: Direction,
    /// Degrees a second.
    speed: f64,
    presets: BTreeMap<String, Direction>,
    /// How far beside each preset it comes to a stop.
    pub(crate) errors: BTreeMap<String, Direction>,
    /// Orders that it was given.
    pub(crate) orders: Vec<String>,
}

impl Head {
    fn go_to(&mut self, token: &str) -> bool {
        let Some(preset) = self.presets.get(token) else { return false };
        let error = self.errors.get(token).copied().unwrap_or_default();
        self.target = (preset.0 + error.0, preset.1 + error.1);
        self.orders.push(token.to_owned());
        true
    }

    /// What an operator at the joystick does.
    pub(crate) fn turn_to(&mut self, target: Direction) {
        self.target = target;
    }

    /// Time goes by.
    pub(crate) fn advance(&mut self, seconds: f64) {
        let (right, down) = (self.target.0 - self.looks.0, self.target.1 - self.looks.1);
        let far = right.hypot(down);
        let part = if far > 0.0 { (self.speed * seconds / far).min(1.0) } else { 0.0 };
        self.looks = (self.looks.0 + part * right, self.looks.1 + part * down);
    }

    pub(crate) fn looks(&self) -> Direction {
        self.looks
    }

    pub(crate) fn is_moving(&self) -> bool {
        self.looks != self.target
    }
}

/// A dome in a town. Clones are the same dome.
#[derive(Clone)]
pub(crate) struct SimulatedDome(Arc<Mutex<Head>>);

impl SimulatedDome {
    pub(crate) fn new(presets: &[(&str, Direction)], speed: f64) -> Self {
        Self(Arc::new(Mutex::new(Head {
            looks: (-30.0, 0.0),
            target: (-30.0, 0.0),
            speed,
            presets: presets.iter().map(|(token, at)| ((*token).to_owned(), *at)).collect(),
            errors: BTreeMap::new(),
            orders: Vec::new(),
        })))
    }

    pub(crate) fn head(&self) -> MutexGuard<'_, Head> {
        self.0.lock().expect("nobody panics while the head is held")
    }
}

impl DomeControl for SimulatedDome {
    fn go_to(&mut self, token: &str) {
        assert!(self.head().go_to(token), "the dome has no preset {token}");
    }

    fn told(&self) -> Told {
        Told::default()
    }
}

/// The town. Keeps the pictures of the directions that were looked at for long.
pub(crate) struct Town {
    things: Vec<Thing>,
    seen: BTreeMap<(i64, i64), Arc<Vec<u8>>>,
}

impl Town {
    pub(crate) fn new(things: Vec<Thing>) -> Self {
        Self { things, seen: BTreeMap::new() }
    }

    /// What is seen in a direction, `seconds` from the beginning.
    pub(crate) fn picture(&mut self, looks: Direction, seconds: f64) -> Picture {
        let key = ((looks.0 * 1e6) as i64, (looks.1 * 1e6) as i64);
        if self.seen.len() > 64 {
            self.seen.clear();
        }
        let houses = self.seen.entry(key).or_insert_with(|| Arc::new(houses(looks)));
        let (w, h) = SIZE;
        let mut rgb = houses.as_ref().clone();
        for thing in self.things.iter().filter(|t| (t.there.0..t.there.1).contains(&seconds)) {
            let half = (thing.size.0 / 2.0, thing.size.1 / 2.0);
            let corner = |x: f64, y: f64| project(looks, (thing.at.0 + x * half.0, thing.at.1 + y * half.1));
            let (Some((x0, y0)), Some((x1, y1))) = (corner(-1.0, -1.0), corner(1.0, 1.0)) else { continue };
            let span = |low: f64, high: f64, n: usize| {
                let at = |v: f64| (v * n as f64).round().clamp(0.0, n as f64) as usize;
                at(low)..at(high)
            };
            for y in span(y0, y1, h) {
                for x in span(x0, x1, w) {
                    // A little pattern, as things have.
                    let shade = if (x / 3 + y / 4) % 2 == 0 { 0 } else { 24 };
                    for (channel, value) in rgb[(y * w + x) * 3..][..3].iter_mut().zip(thing.rgb) {
                        *channel = value.saturating_sub(shade);
                    }
                }
            }
        }
        Picture::from_rgb(w, h, &rgb).expect("as many bytes as pixels")
    }
}

fn focal() -> f64 {
    0.5 / (f64::from(FIELD_OF_VIEW).to_radians() / 2.0).tan()
}

/// Where a direction of the world is seen, normalized; `None` behind the camera.
pub(crate) fn project(looks: Direction, at: Direction) -> Option<(f64, f64)> {
    let (azimuth, elevation) = ((at.0 - looks.0).to_radians(), at.1.to_radians());
    let (x, y, z) = (azimuth.sin() * elevation.cos(), elevation.sin(), azimuth.cos() * elevation.cos());
    let (sin, cos) = looks.1.to_radians().sin_cos();
    let (y, z) = (y * cos - z * sin, y * sin + z * cos);
    let aspect = SIZE.1 as f64 / SIZE.0 as f64;
    (z > 0.1).then(|| (0.5 + focal() * x / z, 0.5 + focal() * y / z / aspect))
}

/// Houses with windows, grey, everywhere others.
fn houses(looks: Direction) -> Vec<u8> {
    let (w, h) = SIZE;
    let ((sp, cp), (st, ct)) = (looks.0.to_radians().sin_cos(), looks.1.to_radians().sin_cos());
    let hash = |a: i64, b: i64| {
        let n = (a.wrapping_mul(0x9E37_79B9) ^ b.wrapping_mul(0x85EB_CA6B)).wrapping_mul(0xC2B2_AE35);
        ((n >> 13) & 0x7F) as f64
    };
    let mut rgb = Vec::with_capacity(w * h * 3);
    for row in 0..h {
        for column in 0..w {
            let x = (column as f64 + 0.5) / w as f64 - 0.5;
            let y = (row as f64 + 0.5 - h as f64 / 2.0) / w as f64;
            let (y, z) = (y * ct + focal() * st, focal() * ct - y * st);
            let (x, z) = (x * cp + z * sp, z * cp - x * sp);
            let (azimuth, elevation) = (x.atan2(z).to_degrees(), (y / x.hypot(z)).atan().to_degrees());
            let house = hash((azimuth / 2.3).floor() as i64, (elevation / 1.9).floor() as i64);
            let window = hash((azimuth / 0.6).floor() as i64, (elevation / 0.5).floor() as i64 + 999);
            rgb.extend([(60.0 + 0.8 * house + 0.3 * window) as u8; 3]);
        }
    }
    rgb
}

/// The ONVIF side of a simulated dome.
pub(crate) struct OnvifServer {
    pub(crate) address: SocketAddr,
    /// Tokens of presets that it was sent to.
    pub(crate) sent: mpsc::UnboundedReceiver<String>,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Service {
    dome: SimulatedDome,
    clock: ManualClock,
    password: &'static str,
    sent: mpsc::UnboundedSender<String>,
}

impl OnvifServer {
    /// Serves the dome on the loopback. Its own clock need not show the time of anybody else.
    pub(crate) async fn start(dome: SimulatedDome, clock: ManualClock, password: &'static str) -> Self {
        let (sender, sent) = mpsc::unbounded_channel();
        let service = Service { dome, clock, password, sent: sender };
        let router = Router::new().route("/onvif/{service}", post(answer)).with_state(service);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("the loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("the loopback works");
        });
        Self { address, sent, task }
    }
}

impl Drop for OnvifServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(service): State<Service>, request: String) -> (StatusCode, String) {
    let document = roxmltree::Document::parse(&request).expect("the client sends XML");
    let text = |name: &str| {
        let mut nodes = document.descendants().filter(|node| node.tag_name().name() == name);
        nodes.next().and_then(|node| node.text()).unwrap_or_default().to_owned()
    };
    let body = document.descendants().find(|node| node.tag_name().name() == "Body").expect("a body");
    let action = body.first_element_child().expect("a question").tag_name().name();
    let wrapped = |inner: &str| {
        format!(
            "<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:tt=\"http://www.onvif.org/ver10/schema\">\
             <SOAP-ENV:Body>{inner}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
        )
    };
    let fault = |code: &str, reason: &str| {
        let fault = wrapped(&format!(
            "<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value><SOAP-ENV:Subcode>\
             <SOAP-ENV:Value>ter:{code}</SOAP-ENV:Value></SOAP-ENV:Subcode></SOAP-ENV:Code><SOAP-ENV:Reason>\
             <SOAP-ENV:Text>{reason}</SOAP-ENV:Text></SOAP-ENV:Reason></SOAP-ENV:Fault>"
        ));
        (StatusCode::BAD_REQUEST, fault)
    };
    if action != "GetSystemDateAndTime" {
        let created = text("Created");
        let nonce = STANDARD.decode(text("Nonce")).unwrap_or_default();
        let expected = crate::onvif::digest(&nonce, &created, service.password);
        let fresh = created
            .parse::<Timestamp>()
            .is_ok_and(|created| seconds_between(created, service.clock.now()).abs() < 5.0);
        if !fresh || text("Username") != "viewer" || text("Password") != expected {
            return fault("NotAuthorized", "Sender not Authorized");
        }
    }
    let inner = match action {
        "GetSystemDateAndTime" => {
            let now = service.clock.now();
            let now = now.strftime("<tt:Time><tt:Hour>%H</tt:Hour><tt:Minute>%M</tt:Minute><tt:Second>%S</tt:Second></tt:Time><tt:Date><tt:Year>%Y</tt:Year><tt:Month>%m</tt:Month><tt:Day>%d</tt:Day></tt:Date>");
            format!("<r><tt:UTCDateTime>{now}</tt:UTCDateTime></r>")
        }
        "GetCapabilities" => "<r><tt:Media><tt:XAddr>http://192.168.1.64/onvif/media</tt:XAddr></tt:Media>\
             <tt:PTZ><tt:XAddr>http://192.168.1.64/onvif/ptz</tt:XAddr></tt:PTZ></r>"
            .to_owned(),
        "GetDeviceInformation" => "<r><Manufacturer>Simulated</Manufacturer><Model>Dome 1</Model></r>".to_owned(),
        "GetProfiles" => "<r><Profiles token=\"still\"><tt:Name>subStream</tt:Name><tt:VideoEncoderConfiguration>\
             <tt:Name>v</tt:Name><tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>640</tt:Width><tt:Height>360</tt:Height>\
             </tt:Resolution><tt:RateControl><tt:FrameRateLimit>12.5</tt:FrameRateLimit></tt:RateControl></tt:VideoEncoderConfiguration></Profiles>\
             <Profiles token=\"turning\"><tt:Name>mainStream</tt:Name><tt:VideoEncoderConfiguration><tt:Encoding>H265</tt:Encoding>\
             <tt:Resolution><tt:Width>2560</tt:Width><tt:Height>1440</tt:Height></tt:Resolution></tt:VideoEncoderConfiguration>\
             <tt:PTZConfiguration/></Profiles><Profiles token=\"sound\"><tt:Name>audio</tt:Name></Profiles></r>"
            .to_owned(),
        "GetStreamUri" if text("ProfileToken") == "sound" => {
            return fault("IncompleteConfiguration", "The media profile has no video source");
        }
        "GetStreamUri" => format!(
            "<r><MediaUri><tt:Uri>rtsp://admin:12345@192.168.1.64:554/{}</tt:Uri></MediaUri></r>",
            text("ProfileToken")
        ),
        "GetPresets" => {
            let head = service.dome.head();
            let presets = head
                .presets
                .keys()
                .map(|token| format!("<Preset token=\"{token}\"><tt:Name>The {token}</tt:Name></Preset>"));
            format!("<r>{}</r>", presets.collect::<String>())
        }
        "GotoPreset" => {
            let token = text("PresetToken");
            if text("ProfileToken") != "turning" || !service.dome.head().go_to(&token) {
                return fault("NoToken", "The requested preset token does not exist");
            }
            // A test that has ended no longer listens.
            let _ = service.sent.send(token);
            "<GotoPresetResponse/>".to_owned()
        }
        "GetStatus" => {
            let head = service.dome.head();
            let (x, y) = (head.looks().0 / 180.0, head.looks().1 / -90.0);
            let state = if head.is_moving() { "MOVING" } else { "IDLE" };
            format!(
                "<r><PTZStatus><tt:Position><tt:PanTilt x=\"{x}\" y=\"{y}\"/><tt:Zoom x=\"0\"/></tt:Position>\
                 <tt:MoveStatus><tt:PanTilt>{state}</tt:PanTilt><tt:Zoom>IDLE</tt:Zoom></tt:MoveStatus></PTZStatus></r>"
            )
        }
        // GetServices among them, as older domes do.
        _ => return fault("ActionNotSupported", "Optional Action Not Implemented"),
    };
    (StatusCode::OK, wrapped(&inner))
}
