//! What can go wrong between a source and its frames, said so that an installer can act on it.

use std::path::PathBuf;

use crate::{config::ConfigProblem, url::redact};

/// Why a source cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The configuration contradicts itself.
    #[error("the source is not set up right: {}", list(.0))]
    Config(Vec<ConfigProblem>),
    /// The password is not where the configuration says.
    #[error("cannot read the camera's password or passphrase from {from}; hint: {hint}")]
    Password {
        /// The file or variable.
        from: String,
        /// What to do.
        hint: &'static str,
    },
    /// GStreamer does not start.
    #[error("cannot start GStreamer: {0}; hint: run `make setup`")]
    Library(String),
    /// A part of GStreamer is not installed.
    #[error("GStreamer has no element \"{element}\"; hint: apt install {package}")]
    MissingElement {
        /// The element.
        element: String,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// GStreamer cannot decode this.
    #[error("no decoder for {format}; hint: apt install gstreamer1.0-libav gstreamer1.0-plugins-bad")]
    MissingDecoder {
        /// Media type.
        format: String,
    },
    /// The file or folder is not there or not readable.
    #[error("cannot read {}: {source}; hint: check the path and its permissions", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds no video that could be shown.
    #[error("{} holds no video that can be read ({detail}); hint: play it with ffprobe to see what it is", path.display())]
    NotAVideo {
        /// The path.
        path: PathBuf,
        /// What GStreamer said.
        detail: String,
    },
    /// A folder or pattern without pictures.
    #[error("no JPEG or PNG pictures at {0}; hint: check the directory or pattern")]
    NoImages(String),
    /// The parts of the pipeline do not fit together.
    #[error("cannot put the pipeline together: {0}; hint: this is a defect of Parapet, please report it")]
    Pipeline(String),
    /// No thread.
    #[error("cannot start a thread: {0}; hint: raise the limit of processes (ulimit -u)")]
    Thread(std::io::Error),
}

/// Why a video could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    /// Nothing was recorded in that time.
    #[error("no video is kept for {from} to {to}; hint: raise preroll_seconds, or ask sooner")]
    NothingKept {
        /// Asked start.
        from: parapet_core::Timestamp,
        /// Asked end.
        to: parapet_core::Timestamp,
    },
    /// The recording cannot be read again.
    #[error("cannot read the recording for a clip")]
    Source(#[from] OpenError),
    /// The disk.
    #[error("cannot write {}: {source}; hint: check free space and permissions", path.display())]
    Write {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The encoder or the muxer.
    #[error("cannot make {}: {detail}; hint: check free space, and that `make setup` ran", path.display())]
    Encode {
        /// The path.
        path: PathBuf,
        /// What GStreamer said.
        detail: String,
    },
}

fn list(problems: &[ConfigProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join(" · ")
}

/// What of a camera's address is probably wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Password,
    Path,
    Address,
}

impl Reason {
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::Password => "check username and password_file or password_env",
            Self::Path => "check the path in the address",
            Self::Address => "check address and port, and that the camera is on",
        }
    }

    /// The reason that [`explain`] hints at.
    pub(crate) fn of(explained: &str) -> Option<Self> {
        let hint = explained.rsplit_once("; hint: ")?.1;
        [Self::Password, Self::Path, Self::Address].into_iter().find(|reason| reason.hint() == hint)
    }
}

/// What an error message on GStreamer's bus says, with a hint and without passwords.
pub(crate) fn explain(error: &gstreamer::glib::Error, debug: Option<&str>) -> String {
    use gstreamer::{CoreError, ResourceError, StreamError};
    let hint = match error.kind::<ResourceError>() {
        Some(ResourceError::NotAuthorized) => Some(Reason::Password.hint()),
        Some(ResourceError::NotFound) => Some(Reason::Path.hint()),
        Some(
            ResourceError::OpenRead
            | ResourceError::OpenWrite
            | ResourceError::OpenReadWrite
            | ResourceError::Failed,
        ) => Some(Reason::Address.hint()),
        Some(ResourceError::Busy) => Some("another program has it open"),
        Some(ResourceError::Read | ResourceError::Write) => Some("the connection broke; see the network"),
        _ => None,
    };
    let hint = hint.or_else(|| match error.kind::<StreamError>() {
        Some(StreamError::CodecNotFound) => Some("apt install gstreamer1.0-libav gstreamer1.0-plugins-bad"),
        Some(StreamError::TypeNotFound | StreamError::WrongType) => Some("is this a video?"),
        Some(_) => Some("the data is damaged, or of a kind that GStreamer does not read"),
        None => None,
    });
    let hint = hint.or_else(|| {
        (error.kind::<CoreError>() == Some(CoreError::MissingPlugin))
            .then_some("apt install gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-libav")
    });
    // The last line of the debug text is the cause; the lines before name GStreamer's source files.
    let cause = debug.and_then(|d| d.lines().last()).map(str::trim).filter(|c| !c.is_empty());
    let mut text = error.message().trim_end_matches('.').to_owned();
    if let Some(cause) = cause.filter(|c| !c.contains(&text) && !c.contains(".c(")) {
        text = format!("{text} ({})", cause.trim_end_matches('.'));
    }
    redact(&match hint {
        Some(hint) => format!("{text}; hint: {hint}"),
        None => text,
    })
}

#[cfg(test)]
mod tests {
    use gstreamer::{ResourceError, glib};

    use super::*;

    #[test]
    fn a_refused_password_hints_at_it_and_shows_none() {
        let error = glib::Error::new(ResourceError::NotAuthorized, "Unauthorized");
        let text = explain(&error, Some("gstrtspsrc.c(1): x\nrtsp://admin:secret@10.0.0.5/1"));
        assert_eq!(
            text,
            "Unauthorized (rtsp://***@10.0.0.5/1); hint: check username and password_file or password_env"
        );
    }
}
