//! What is said to a dome and what its answers mean. Elements are found by their names without namespaces: domes differ
//! in prefixes, and some in versions of namespaces.

use jiff::{civil, tz::TimeZone};
use parapet_core::Timestamp;
use roxmltree::{Document, Node};
use uuid::Uuid;

use super::look::Profile;

pub(super) const GET_TIME: &str = "<tds:GetSystemDateAndTime/>";
pub(super) const GET_SERVICES: &str =
    "<tds:GetServices><tds:IncludeCapability>false</tds:IncludeCapability></tds:GetServices>";
pub(super) const GET_CAPABILITIES: &str =
    "<tds:GetCapabilities><tds:Category>All</tds:Category></tds:GetCapabilities>";
pub(super) const GET_PROFILES: &str = "<trt:GetProfiles/>";

pub(super) const GET_DEVICE_INFORMATION: &str = "<tds:GetDeviceInformation/>";

const PTZ_NAMESPACE: &str = "/ptz/wsdl";
const MEDIA_NAMESPACE: &str = "/ver10/media/wsdl";

/// A preset as the dome has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomePreset {
    /// What it is called with.
    pub token: String,
    /// What people called it.
    pub name: String,
}

/// Where a dome looks.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DomeStatus {
    /// Whether it turns or zooms; `None` where it does not say.
    pub moving: Option<bool>,
    /// Pan and tilt in the dome's own units, usually -1..=1.
    pub pan_tilt: Option<[f64; 2]>,
    /// Zoom in the dome's own units, usually 0..=1.
    pub zoom: Option<f64>,
}

/// Addresses of services, as the dome names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Services {
    pub(super) media: Option<String>,
    pub(super) ptz: Option<String>,
}

/// What a device answers to a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProbeMatch {
    pub(super) addresses: Vec<String>,
    pub(super) scopes: Vec<String>,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) reason: String,
    pub(super) not_authorized: bool,
}

/// Text as it may stand between tags and in attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// A whole message.
pub(super) fn envelope(security: Option<&str>, body: &str) -> String {
    let header = security.map(|token| format!("<s:Header>{token}</s:Header>")).unwrap_or_default();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:wsse=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd\" \
         xmlns:wsu=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd\" \
         xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\" \
         xmlns:trt=\"http://www.onvif.org/ver10/media/wsdl\" \
         xmlns:tt=\"http://www.onvif.org/ver10/schema\" \
         xmlns:tptz=\"http://www.onvif.org/ver20/ptz/wsdl\">\
         {header}<s:Body>{body}</s:Body></s:Envelope>"
    )
}

fn with_profile(action: &str, profile: &str, rest: &str) -> String {
    let profile = escaped(profile);
    format!("<tptz:{action}><tptz:ProfileToken>{profile}</tptz:ProfileToken>{rest}</tptz:{action}>")
}

pub(super) fn get_presets(profile: &str) -> String {
    with_profile("GetPresets", profile, "")
}

pub(super) fn get_status(profile: &str) -> String {
    with_profile("GetStatus", profile, "")
}

pub(super) fn goto_preset(profile: &str, preset: &str) -> String {
    let preset = format!("<tptz:PresetToken>{}</tptz:PresetToken>", escaped(preset));
    with_profile("GotoPreset", profile, &preset)
}

pub(super) fn get_stream_uri(profile: &str) -> String {
    format!(
        "<trt:GetStreamUri><trt:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP\
         </tt:Protocol></tt:Transport></trt:StreamSetup><trt:ProfileToken>{}</trt:ProfileToken></trt:GetStreamUri>",
        escaped(profile)
    )
}

/// A search for devices that send video (WS-Discovery of April 2005, as ONVIF has it).
pub(super) fn probe(id: &Uuid) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
         xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\" \
         xmlns:dn=\"http://www.onvif.org/ver10/network/wsdl\"><s:Header>\
         <a:MessageID>uuid:{id}</a:MessageID>\
         <a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>\
         <a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action></s:Header>\
         <s:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>"
    )
}

/// The devices in an answer to the search `id`; none in what is no answer to it.
pub(super) fn probe_matches(answer: &str, id: &Uuid) -> Vec<ProbeMatch> {
    let Ok(document) = Document::parse(answer) else { return Vec::new() };
    let relates = all(document.root(), "RelatesTo").filter_map(|node| node.text());
    if !relates.into_iter().any(|text| text.contains(&id.to_string())) {
        return Vec::new();
    }
    let words = |node: Node<'_, '_>, name: &'static str| {
        let texts = all(node, name).filter_map(|node| node.text());
        texts.flat_map(str::split_whitespace).map(str::to_owned).collect()
    };
    all(document.root(), "ProbeMatch")
        .map(|found| ProbeMatch { addresses: words(found, "XAddrs"), scopes: words(found, "Scopes") })
        .collect()
}

/// Manufacturer, model and firmware.
type Maker = (Option<String>, Option<String>, Option<String>);

pub(super) fn device_information(answer: &str) -> Result<Maker, String> {
    let document = parsed(answer)?;
    let text = |name: &'static str| {
        let found = all(document.root(), name).find_map(|node| node.text())?;
        let short: String = found.trim().chars().filter(|c| !c.is_control()).take(100).collect();
        Some(short).filter(|text| !text.is_empty())
    };
    Ok((text("Manufacturer"), text("Model"), text("FirmwareVersion")))
}

/// The media profiles; where their streams are is another question.
pub(super) fn profiles(answer: &str) -> Result<Vec<Profile>, String> {
    let document = parsed(answer)?;
    let profile = |node: Node<'_, '_>| {
        let video = all(node, "VideoEncoderConfiguration").next();
        let text = |name: &'static str| {
            let found = video.and_then(|video| all(video, name).find_map(|node| node.text()));
            found.map(|text| text.trim().to_owned())
        };
        let named = node.children().find(|child| child.tag_name().name() == "Name").and_then(|n| n.text());
        Some(Profile {
            profile: node.attribute("token")?.to_owned(),
            name: named.unwrap_or_default().trim().chars().take(100).collect(),
            codec: text("Encoding"),
            width: text("Width").and_then(|text| text.parse().ok()),
            height: text("Height").and_then(|text| text.parse().ok()),
            fps: text("FrameRateLimit").and_then(|text| text.parse().ok()),
            url: None,
            turns: all(node, "PTZConfiguration").next().is_some(),
        })
    };
    Ok(all(document.root(), "Profiles").filter_map(profile).collect())
}

/// The address of `GetStreamUri`.
pub(super) fn stream_uri(answer: &str) -> Result<Option<String>, String> {
    let document = parsed(answer)?;
    Ok(all(document.root(), "Uri").find_map(|node| node.text()).map(|text| text.trim().to_owned()))
}

/// The refusal in an answer, if it is one.
pub(super) fn fault(answer: &str) -> Option<Fault> {
    let document = Document::parse(answer).ok()?;
    let fault = all(document.root(), "Fault").next()?;
    let codes: Vec<&str> = all(fault, "Value").filter_map(|value| value.text()).collect();
    let reason = all(fault, "Text").chain(all(fault, "faultstring")).find_map(|text| text.text());
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    Some(Fault {
        reason: reason.map_or_else(|| codes.join(", "), str::to_owned),
        not_authorized: codes
            .iter()
            .any(|code| code.contains("NotAuthorized") || code.contains("FailedAuthentication")),
    })
}

/// The dome's clock; `None` if it does not say.
pub(super) fn time(answer: &str) -> Result<Option<Timestamp>, String> {
    let document = parsed(answer)?;
    let Some(utc) = all(document.root(), "UTCDateTime").next() else { return Ok(None) };
    let number = |name: &'static str| {
        let text = all(utc, name).next().and_then(|node| node.text());
        text.and_then(|text| text.trim().parse::<i16>().ok()).ok_or_else(|| format!("its time has no {name}"))
    };
    let small = |name: &'static str| Ok::<_, String>(i8::try_from(number(name)?).unwrap_or(-1));
    let date = civil::Date::new(number("Year")?, small("Month")?, small("Day")?);
    // A leap second is as good as the second before it.
    let time = civil::Time::new(small("Hour")?, small("Minute")?, small("Second")?.min(59), 0);
    let (date, time) = (date.map_err(|error| error.to_string())?, time.map_err(|error| error.to_string())?);
    let zoned = date.to_datetime(time).to_zoned(TimeZone::UTC).map_err(|error| error.to_string())?;
    Ok(Some(zoned.timestamp()))
}

/// Where the services are, out of `GetServices` or `GetCapabilities`.
pub(super) fn services(answer: &str) -> Result<Services, String> {
    let document = parsed(answer)?;
    let address = |node: Node<'_, '_>| {
        all(node, "XAddr").find_map(|address| address.text()).map(|address| address.trim().to_owned())
    };
    let by_namespace = |wanted: &str| {
        all(document.root(), "Service")
            .find(|service| {
                all(*service, "Namespace").any(|n| n.text().is_some_and(|text| text.trim().ends_with(wanted)))
            })
            .and_then(address)
    };
    let by_name = |name: &'static str| all(document.root(), name).find_map(address);
    let ptz = by_namespace(PTZ_NAMESPACE).or_else(|| by_name("PTZ"));
    let media = by_namespace(MEDIA_NAMESPACE).or_else(|| by_name("Media"));
    Ok(Services { media, ptz })
}

/// The first media profile with a PTZ configuration.
pub(super) fn turning_profile(answer: &str) -> Result<Option<String>, String> {
    let document = parsed(answer)?;
    Ok(all(document.root(), "Profiles")
        .find(|profile| all(*profile, "PTZConfiguration").next().is_some())
        .and_then(|profile| profile.attribute("token"))
        .map(str::to_owned))
}

/// The presets of `GetPresets`; entries without a token cannot be called and are left out.
pub(super) fn presets(answer: &str) -> Result<Vec<DomePreset>, String> {
    let document = parsed(answer)?;
    Ok(all(document.root(), "Preset")
        .filter_map(|preset| {
            let token = preset.attribute("token")?.to_owned();
            let name = all(preset, "Name").next().and_then(|name| name.text()).unwrap_or_default();
            Some(DomePreset { token, name: name.trim().to_owned() })
        })
        .collect())
}

/// The state of `GetStatus`.
pub(super) fn status(answer: &str) -> Result<DomeStatus, String> {
    let document = parsed(answer)?;
    let status = all(document.root(), "PTZStatus").next().ok_or("it has no PTZStatus")?;
    let number =
        |node: Node<'_, '_>, name: &str| node.attribute(name).and_then(|text| text.parse::<f64>().ok());
    let position = all(status, "Position").next();
    let said: Vec<bool> = all(status, "MoveStatus")
        .flat_map(|status| status.descendants().filter(Node::is_text).filter_map(|text| text.text()))
        .filter_map(|text| match text.trim() {
            "MOVING" => Some(true),
            "IDLE" => Some(false),
            // UNKNOWN, and what the standard does not know.
            _ => None,
        })
        .collect();
    Ok(DomeStatus {
        moving: (!said.is_empty()).then(|| said.contains(&true)),
        pan_tilt: position
            .and_then(|position| all(position, "PanTilt").next())
            .and_then(|node| Some([number(node, "x")?, number(node, "y")?])),
        zoom: position.and_then(|position| all(position, "Zoom").next()).and_then(|node| number(node, "x")),
    })
}

fn parsed(answer: &str) -> Result<Document<'_>, String> {
    Document::parse(answer).map_err(|error| error.to_string())
}

fn all<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.descendants().filter(move |node| node.is_element() && node.tag_name().name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_found_in_both_answers() {
        let new = r#"<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>
            <d:GetServicesResponse xmlns:d="http://www.onvif.org/ver10/device/wsdl">
            <d:Service><d:Namespace>http://www.onvif.org/ver20/media/wsdl</d:Namespace><d:XAddr>http://1.2.3.4/m2</d:XAddr></d:Service>
            <d:Service><d:Namespace>http://www.onvif.org/ver10/media/wsdl</d:Namespace><d:XAddr>http://1.2.3.4/m</d:XAddr></d:Service>
            <d:Service><d:Namespace>http://www.onvif.org/ver20/ptz/wsdl</d:Namespace><d:XAddr> http://1.2.3.4/p </d:XAddr></d:Service>
            </d:GetServicesResponse></e:Body></e:Envelope>"#;
        let old = r#"<a xmlns:t="x"><t:Capabilities><t:Media><t:XAddr>http://1.2.3.4/m</t:XAddr></t:Media>
            <t:PTZ><t:XAddr>http://1.2.3.4/p</t:XAddr></t:PTZ></t:Capabilities></a>"#;
        let expected =
            Services { media: Some("http://1.2.3.4/m".into()), ptz: Some("http://1.2.3.4/p".into()) };
        assert_eq!(services(new).unwrap(), expected);
        assert_eq!(services(old).unwrap(), expected);
        assert_eq!(services("<a/>").unwrap(), Services { media: None, ptz: None });
        assert!(services("not xml").is_err());
    }

    #[test]
    fn a_dome_that_does_not_say_whether_it_moves_is_not_believed_to_stand() {
        let answer = |moves: &str| {
            format!(
                "<r><PTZStatus><Position><PanTilt x=\"0.25\" y=\"-0.5\"/><Zoom x=\"0\"/></Position>{moves}</PTZStatus></r>"
            )
        };
        let moving = |moves: &str| status(&answer(moves)).unwrap().moving;
        assert_eq!(moving(""), None);
        assert_eq!(moving("<MoveStatus><PanTilt>UNKNOWN</PanTilt></MoveStatus>"), None);
        assert_eq!(moving("<MoveStatus><PanTilt>IDLE</PanTilt><Zoom>MOVING</Zoom></MoveStatus>"), Some(true));
        assert_eq!(moving("<MoveStatus><PanTilt>IDLE</PanTilt></MoveStatus>"), Some(false));
        let status = status(&answer("")).unwrap();
        assert_eq!((status.pan_tilt, status.zoom), (Some([0.25, -0.5]), Some(0.0)));
    }

    #[test]
    fn the_first_profile_that_turns_is_taken() {
        let answer = r#"<r><Profiles token="a"><Name>fixed</Name></Profiles>
            <Profiles token="b"><PTZConfiguration token="p"/></Profiles></r>"#;
        assert_eq!(turning_profile(answer).unwrap().as_deref(), Some("b"));
    }

    #[test]
    fn a_refusal_says_why() {
        let refusal = |code: &str| {
            format!(
                "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><s:Fault><s:Code><s:Value>s:Sender\
                 </s:Value><s:Subcode><s:Value>{code}</s:Value></s:Subcode></s:Code><s:Reason><s:Text>no</s:Text></s:Reason>\
                 </s:Fault></s:Body></s:Envelope>"
            )
        };
        let refused = fault(&refusal("ter:NoToken")).unwrap();
        assert_eq!((refused.reason.as_str(), refused.not_authorized), ("no", false));
        assert!(fault(&refusal("ter:NotAuthorized")).unwrap().not_authorized);
        assert_eq!(fault("<ok/>"), None);
    }

    #[test]
    fn the_domes_clock_is_read() {
        let answer = "<r><UTCDateTime><Time><Hour>7</Hour><Minute>50</Minute><Second>60</Second></Time>\
                      <Date><Year>2026</Year><Month>11</Month><Day>22</Day></Date></UTCDateTime></r>";
        assert_eq!(time(answer).unwrap().unwrap().to_string(), "2026-11-22T07:50:59Z");
        assert_eq!(time("<r/>").unwrap(), None);
        assert!(time(&answer.replace("2026", "soon")).is_err());
        assert!(time(&answer.replace("<Month>11", "<Month>13")).is_err());
    }

    #[test]
    fn presets_without_a_token_cannot_be_called() {
        let answer = "<r><Preset token=\"1\"><Name>Gate</Name></Preset><Preset><Name>x</Name></Preset><Preset token=\"2\"/></r>";
        let tokens: Vec<String> =
            presets(answer).unwrap().into_iter().map(|p| format!("{}={}", p.token, p.name)).collect();
        assert_eq!(tokens, ["1=Gate", "2="]);
    }
}
