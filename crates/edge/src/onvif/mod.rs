//! A client for domes that speak ONVIF: where their presets are, going there, and whether they move. SOAP 1.2 over HTTP,
//! PTZ service version 2.0, with WS-Security user name tokens. Finds devices, and asks them what they are and where their
//! streams are. No events, no continuous moves.

mod discover;
mod look;
mod message;
mod security;

use std::{env, fs, io, path::PathBuf, sync::Arc, time::Duration};

use jiff::SignedDuration;
use parapet_core::Clock;
use reqwest::{Client, Url};

pub use discover::{FoundDevice, discover};
pub use look::{Device, Profile, look};
use message::Services;
pub use message::{DomePreset, DomeStatus};
use security::Credentials;
#[cfg(test)]
pub(crate) use security::digest;

use crate::config::OnvifConfig;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// An answer is never larger: 256 presets take about 100 kB.
const ANSWER_BYTES: usize = 1 << 20;

/// Why a dome cannot be told anything.
#[derive(Debug, thiserror::Error)]
pub enum OnvifError {
    /// The address.
    #[error("\"{0}\" is no address of a dome; hint: http://HOST/onvif/device_service")]
    Address(String),
    /// The password.
    #[error("cannot read the password of the dome from {}", path.display())]
    PasswordFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The password.
    #[error("the environment has no variable {0}; hint: it should hold the password of the dome")]
    PasswordEnv(String),
    /// The program has no TLS, or the system no resources.
    #[error("cannot make an HTTP client")]
    Client(#[source] reqwest::Error),
    /// The network.
    #[error("cannot ask the dome at {url} ({action}); hint: is it switched on, and is the address right?")]
    Request {
        /// What was asked.
        action: &'static str,
        /// Of whom.
        url: Url,
        /// What the network said.
        #[source]
        source: reqwest::Error,
    },
    /// The dome knows no such user.
    #[error(
        "the dome lets nobody in ({action}); hint: check username and password of an ONVIF user with PTZ rights"
    )]
    NotAuthorized {
        /// What was asked.
        action: &'static str,
    },
    /// The dome refuses.
    #[error("the dome refuses {action}: {reason}; hint: `parapet dome presets` lists what it has")]
    Fault {
        /// What was asked.
        action: &'static str,
        /// What it said.
        reason: String,
    },
    /// The answer is no answer.
    #[error(
        "cannot understand the dome's answer to {action}: {what}; hint: does the address lead to an ONVIF service?"
    )]
    Answer {
        /// What was asked.
        action: &'static str,
        /// What is wrong.
        what: String,
    },
    /// It does not turn.
    #[error(
        "the dome has no {what}; hint: it must have a PTZ service and a media profile with a PTZ configuration"
    )]
    NoPtz {
        /// What it lacks.
        what: &'static str,
    },
}

/// A dome that answers.
#[derive(Debug)]
pub struct OnvifClient {
    http: Client,
    ptz: Url,
    profile: String,
    credentials: Option<Credentials>,
    clock: Arc<dyn Clock>,
    /// The dome's clock against ours: tokens are dated, and domes refuse what is dated wrongly.
    skew: SignedDuration,
}

impl OnvifClient {
    /// Asks the dome for its clock, its services and the profile that turns it.
    ///
    /// # Errors
    /// See [`OnvifError`].
    pub async fn connect(config: &OnvifConfig, clock: Arc<dyn Clock>) -> Result<Self, OnvifError> {
        let device = Url::parse(&config.url).map_err(|_| OnvifError::Address(config.url.clone()))?;
        let mut client = Self::bare(device.clone(), credentials(config)?, clock)?;
        client.skew = client.clock_skew(&device).await?;
        let Services { media, ptz } = client.services(&device).await?;
        let (Some(media), Some(ptz)) = (media, ptz) else {
            return Err(OnvifError::NoPtz { what: "PTZ service" });
        };
        client.ptz = reached(&device, &ptz);
        client.profile = match &config.profile {
            Some(profile) => profile.clone(),
            None => client.turning_profile(&reached(&device, &media)).await?,
        };
        Ok(client)
    }

    /// A client that has asked nothing yet.
    fn bare(
        device: Url,
        credentials: Option<Credentials>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OnvifError> {
        let http = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .map_err(OnvifError::Client)?;
        let (profile, skew) = (String::new(), SignedDuration::ZERO);
        Ok(Self { http, ptz: device, profile, credentials, clock, skew })
    }

    /// The presets that the dome has.
    ///
    /// # Errors
    /// See [`OnvifError`].
    pub async fn presets(&self) -> Result<Vec<DomePreset>, OnvifError> {
        let action = "GetPresets";
        let answer = self.ask(&self.ptz, action, &message::get_presets(&self.profile)).await?;
        message::presets(&answer).map_err(|what| OnvifError::Answer { action, what })
    }

    /// Sends the dome to a preset; it has hardly begun to move when this returns.
    ///
    /// # Errors
    /// See [`OnvifError`].
    pub async fn go_to(&self, preset: &str) -> Result<(), OnvifError> {
        let answer = self.ask(&self.ptz, "GotoPreset", &message::goto_preset(&self.profile, preset)).await?;
        drop(answer);
        Ok(())
    }

    /// Where the dome looks, and whether it moves.
    ///
    /// # Errors
    /// See [`OnvifError`].
    pub async fn status(&self) -> Result<DomeStatus, OnvifError> {
        let action = "GetStatus";
        let answer = self.ask(&self.ptz, action, &message::get_status(&self.profile)).await?;
        message::status(&answer).map_err(|what| OnvifError::Answer { action, what })
    }

    async fn clock_skew(&self, device: &Url) -> Result<SignedDuration, OnvifError> {
        let action = "GetSystemDateAndTime";
        // ONVIF Core 5.12: this one question must be answered without a token.
        let answer = self.send(device, action, &message::envelope(None, message::GET_TIME)).await?;
        let theirs = message::time(&answer).map_err(|what| OnvifError::Answer { action, what })?;
        Ok(theirs.map_or(SignedDuration::ZERO, |theirs| theirs.duration_since(self.clock.now())))
    }

    async fn services(&self, device: &Url) -> Result<Services, OnvifError> {
        let action = "GetServices";
        let answer = match self.ask(device, action, message::GET_SERVICES).await {
            // Profile S came before GetServices.
            Err(OnvifError::Fault { .. }) => {
                self.ask(device, "GetCapabilities", message::GET_CAPABILITIES).await?
            }
            other => other?,
        };
        message::services(&answer).map_err(|what| OnvifError::Answer { action, what })
    }

    async fn turning_profile(&self, media: &Url) -> Result<String, OnvifError> {
        let action = "GetProfiles";
        let answer = self.ask(media, action, message::GET_PROFILES).await?;
        message::turning_profile(&answer)
            .map_err(|what| OnvifError::Answer { action, what })?
            .ok_or(OnvifError::NoPtz { what: "media profile that turns it" })
    }

    /// Sends a question with a fresh token.
    async fn ask(&self, url: &Url, action: &'static str, body: &str) -> Result<String, OnvifError> {
        let token = self.credentials.as_ref().map(|credentials| {
            let created = self.clock.now().checked_add(self.skew).unwrap_or(self.clock.now());
            credentials.token(created, &security::nonce())
        });
        self.send(url, action, &message::envelope(token.as_deref(), body)).await
    }

    async fn send(&self, url: &Url, action: &'static str, envelope: &str) -> Result<String, OnvifError> {
        let failed = |source| OnvifError::Request { action, url: url.clone(), source };
        let answer = self
            .http
            .post(url.clone())
            .header("content-type", "application/soap+xml; charset=utf-8")
            .body(envelope.to_owned())
            .send()
            .await
            .map_err(failed)?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(failed)?;
        if status == reqwest::StatusCode::UNAUTHORIZED {
            return Err(OnvifError::NotAuthorized { action });
        }
        if bytes.len() > ANSWER_BYTES {
            return Err(OnvifError::Answer { action, what: format!("it has {} bytes", bytes.len()) });
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        match message::fault(&text) {
            Some(fault) if fault.not_authorized => Err(OnvifError::NotAuthorized { action }),
            Some(fault) => Err(OnvifError::Fault { action, reason: fault.reason }),
            None if !status.is_success() => {
                Err(OnvifError::Answer { action, what: format!("HTTP status {status}") })
            }
            None => Ok(text),
        }
    }
}

/// Behind address translation a device names the address that it knows itself by; it was reached by ours.
fn reached(device: &Url, named: &str) -> Url {
    let mut url = device.clone();
    if let Ok(named) = device.join(named) {
        url.set_path(named.path());
        url.set_query(named.query());
    }
    url
}

fn credentials(config: &OnvifConfig) -> Result<Option<Credentials>, OnvifError> {
    let Some(username) = &config.username else { return Ok(None) };
    let password = match (&config.password_file, &config.password_env) {
        (Some(path), _) => {
            let text = fs::read_to_string(path)
                .map_err(|source| OnvifError::PasswordFile { path: path.clone(), source })?;
            text.lines().next().unwrap_or_default().to_owned()
        }
        (None, Some(variable)) => {
            env::var(variable).map_err(|_| OnvifError::PasswordEnv(variable.clone()))?
        }
        (None, None) => String::new(),
    };
    Ok(Some(Credentials::new(username.clone(), password)))
}
