//! Addresses of streams that never show their user and password. Does not resolve or connect.

use std::fmt;

use serde::{Deserialize, de};

/// An `rtsp://` or `rtsps://` address. `Debug` and `Display` leave out user and password.
#[derive(Clone, PartialEq, Eq)]
pub struct StreamUrl {
    scheme: String,
    user: Option<String>,
    password: Option<String>,
    /// Host, port, path and query.
    rest: String,
}

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not an {} address; hint: it looks like {}", kind.name(), kind.example())]
pub struct InvalidUrl {
    text: String,
    kind: Kind,
}

/// What an address leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rtsp,
    Rtmp,
    Srt,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Rtsp => "RTSP",
            Self::Rtmp => "RTMP",
            Self::Srt => "SRT",
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Rtsp => "rtsp://192.168.1.20:554/stream1",
            Self::Rtmp => "rtmp://192.168.1.20/live/drone1",
            Self::Srt => "srt://192.168.1.20:9000; everything else has options of its own",
        }
    }

    fn schemes(self) -> &'static [&'static str] {
        match self {
            Self::Rtsp => &["rtsp", "rtsps"],
            Self::Rtmp => &["rtmp", "rtmps"],
            Self::Srt => &["srt"],
        }
    }
}

impl StreamUrl {
    /// Reads an address, with or without `user:password@` (percent-encoded).
    ///
    /// # Errors
    /// It is no RTSP address; the message holds no password.
    pub fn parse(text: &str) -> Result<Self, InvalidUrl> {
        Self::parse_as(text, Kind::Rtsp)
    }

    fn parse_as(text: &str, kind: Kind) -> Result<Self, InvalidUrl> {
        let invalid = || InvalidUrl { text: redact(text), kind };
        let (scheme, after) = text.split_once("://").ok_or_else(invalid)?;
        let host_end = after.find('/').unwrap_or(after.len());
        // A password may hold an unescaped "@": the host begins after the last one.
        let (credentials, rest) = match after[..host_end].rfind('@') {
            Some(at) => (Some(&after[..at]), &after[at + 1..]),
            None => (None, after),
        };
        let host_is_empty = rest.is_empty() || rest.starts_with(['/', ':', '?']);
        if !kind.schemes().contains(&scheme) || host_is_empty || text.contains(char::is_whitespace) {
            return Err(invalid());
        }
        let (user, password) = match credentials.map(|c| c.split_once(':').unwrap_or((c, ""))) {
            Some((user, password)) => (Some(percent_decoded(user)), Some(percent_decoded(password))),
            None => (None, None),
        };
        Ok(Self { scheme: scheme.to_owned(), user, password, rest: rest.to_owned() })
    }

    /// The address without user and password.
    pub fn location(&self) -> String {
        format!("{}://{}", self.scheme, self.rest)
    }

    /// User and password as they stand in the address.
    pub(crate) fn credentials(&self) -> (Option<&str>, Option<&str>) {
        (self.user.as_deref(), self.password.as_deref())
    }

    /// The address with this user and password, and no other.
    #[must_use]
    pub fn with_credentials(self, user: &str, password: &str) -> Self {
        Self { user: Some(user.to_owned()), password: Some(password.to_owned()), ..self }
    }
}

impl fmt::Display for StreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let credentials = if self.user.is_some() { "***@" } else { "" };
        write!(f, "{}://{credentials}{}", self.scheme, self.rest)
    }
}

impl fmt::Debug for StreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamUrl({self})")
    }
}

impl<'de> Deserialize<'de> for StreamUrl {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// An `rtmp://` or `rtmps://` address of a stream to play. Shown without user and password.
#[derive(Clone, PartialEq, Eq)]
pub struct RtmpUrl(StreamUrl);

impl RtmpUrl {
    /// Reads an address, with or without `user:password@` (percent-encoded).
    ///
    /// # Errors
    /// It is no RTMP address of an application and a stream; the message holds no password.
    pub fn parse(text: &str) -> Result<Self, InvalidUrl> {
        let url = StreamUrl::parse_as(text, Kind::Rtmp)?;
        // Host, application and stream.
        if url.rest.split('/').filter(|part| !part.is_empty()).count() < 3 {
            return Err(InvalidUrl { text: redact(text), kind: Kind::Rtmp });
        }
        Ok(Self(url))
    }

    /// The address without user and password.
    pub fn location(&self) -> String {
        self.0.location()
    }

    pub(crate) fn credentials(&self) -> (Option<&str>, Option<&str>) {
        self.0.credentials()
    }
}

/// An `srt://host:port` address; stream id, passphrase and mode are options of their own.
#[derive(Clone, PartialEq, Eq)]
pub struct SrtUrl(StreamUrl);

impl SrtUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// It is no SRT address, or holds more than host and port.
    pub fn parse(text: &str) -> Result<Self, InvalidUrl> {
        let url = StreamUrl::parse_as(text, Kind::Srt)?;
        let port = url.rest.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        if port.is_none_or(|port| port == 0) || url.user.is_some() {
            // Whatever follows the port may be a passphrase.
            let text =
                text.split(['?', '/']).find(|part| part.contains(':') && *part != "srt:").unwrap_or("");
            return Err(InvalidUrl { text: redact(&format!("srt://{text}")), kind: Kind::Srt });
        }
        Ok(Self(url))
    }

    /// The address.
    pub fn location(&self) -> String {
        self.0.location()
    }
}

/// Text in and out as for [`StreamUrl`].
macro_rules! shown_as_stream_url {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
            }
        }
    };
}

shown_as_stream_url!(RtmpUrl);
shown_as_stream_url!(SrtUrl);

/// `text` with whatever stands between `://` and the last `@` of an authority blotted out: for messages that come
/// from libraries and may quote an address.
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (head, after) = rest.split_at(start + 3);
        out.push_str(head);
        let end =
            after.find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'')).unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(at) => {
                out.push_str("***");
                &after[at..]
            }
            None => after,
        };
    }
    out.push_str(rest);
    out
}

/// An address without its user and password, and these two, decoded, where there are any.
pub fn split_credentials(address: &str) -> (String, Option<String>, Option<String>) {
    let whole = || (address.to_owned(), None, None);
    let Some((scheme, after)) = address.split_once("://") else { return whole() };
    let host_end = after.find('/').unwrap_or(after.len());
    let Some(at) = after[..host_end].rfind('@') else { return whole() };
    let bare = format!("{scheme}://{}", &after[at + 1..]);
    let (user, password) = match after[..at].split_once(':') {
        Some((user, password)) => (user, Some(percent_decoded(password))),
        None => (&after[..at], None),
    };
    (bare, Some(percent_decoded(user)), password)
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let pair = bytes.get(i + 1..i + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match pair.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if bytes[i] == b'%' => {
                out.push(byte);
                i += 3;
            }
            _ => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_never_show() {
        let url = StreamUrl::parse("rtsp://admin:p%40ss:w@rd@10.0.0.5:554/h264?channel=1").unwrap();
        assert_eq!(url.to_string(), "rtsp://***@10.0.0.5:554/h264?channel=1");
        assert_eq!(format!("{url:?}"), "StreamUrl(rtsp://***@10.0.0.5:554/h264?channel=1)");
        assert_eq!(url.credentials(), (Some("admin"), Some("p@ss:w@rd")));
        assert_eq!(url.location(), "rtsp://10.0.0.5:554/h264?channel=1");
    }

    #[test]
    fn messages_of_libraries_are_redacted() {
        let text = "could not open 'rtsp://u:p@w@h/1' nor rtsp://h2/2 (http://a:b@c)";
        assert_eq!(redact(text), "could not open 'rtsp://***@h/1' nor rtsp://h2/2 (http://***@c)");
    }

    #[test]
    fn addresses_of_feeds_have_their_own_forms() {
        let url = RtmpUrl::parse("rtmp://u:secret@10.0.0.5:1935/live/drone1").unwrap();
        assert_eq!(
            (url.to_string(), url.location()),
            ("rtmp://***@10.0.0.5:1935/live/drone1".into(), "rtmp://10.0.0.5:1935/live/drone1".into())
        );
        assert_eq!(
            format!("{:?}", SrtUrl::parse("srt://10.0.0.5:9000").unwrap()),
            "SrtUrl(srt://10.0.0.5:9000)"
        );
        for bad in ["rtsp://h/live/x", "rtmp://h", "rtmp://h/live"] {
            assert!(
                RtmpUrl::parse(bad).unwrap_err().to_string().contains("hint: it looks like rtmp://"),
                "{bad}"
            );
        }
        for bad in [
            "srt://h",
            "srt://h:0",
            "srt://h:9000?passphrase=secret-secret",
            "srt://h:9000/x",
            "srt://u:secret@h:9000",
        ] {
            let error = SrtUrl::parse(bad).unwrap_err().to_string();
            assert!(error.contains("hint: it looks like srt://") && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn what_is_no_rtsp_address_is_refused_without_its_password() {
        for bad in ["", "10.0.0.5", "http://h/1", "rtsp://", "rtsp://u:p@", "rtsp:///path", "rtsp://a b/c"] {
            assert!(StreamUrl::parse(bad).is_err(), "{bad}");
        }
        let error = StreamUrl::parse("http://admin:secret@host/1").unwrap_err().to_string();
        assert!(!error.contains("secret") && error.contains("hint:"), "{error}");
    }
}
