//! Signing in by an identity provider: OpenID Connect Core 1.0, authorization code flow with PKCE (RFC 7636).
//!
//! The provider says who somebody is; what they may do is the center's: grants that an administrator gave, or what the
//! configuration gives to the groups that the provider names.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use openidconnect::{
    AdditionalClaims, AsyncHttpClient, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    IdTokenFields, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    StandardErrorResponse, StandardTokenResponse, TokenResponse,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim,
        CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
        CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use parapet_core::{Clock, Grant, UserName};
use parapet_store::{SecretHash, UserChange, UserRow};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tracing::{info, warn};

use super::{People, SignInError, SignedIn, deed, hash_secret, secret};
use crate::config::{ConfigError, OidcConfig};

/// Where the provider sends browsers back to, below the center's own address.
pub(crate) const CALLBACK: &str = "/api/session/oidc/callback";
/// For so long a person may take to prove who they are.
pub(crate) const PATIENCE: Duration = Duration::from_mins(10);
/// What the provider says about itself, its keys included, is asked for again after so long.
const METADATA_HOLDS: Duration = Duration::from_mins(10);
/// People on their way at once; beyond it the oldest has to begin again.
const MOST_PENDING: usize = 1000;
/// The longest answer of a provider.
const MOST_BYTES: usize = 1 << 20;

/// Everything that a provider says of a person beside the standard claims.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Others(Map<String, Value>);
impl AdditionalClaims for Others {}

type Answer = StandardTokenResponse<
    IdTokenFields<
        Others,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;
type RelyingParty = Client<
    Others,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Answer,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Why a provider signed nobody in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OidcError {
    /// The answer belongs to no attempt of this browser, or it took too long.
    #[error("the answer belongs to no attempt of this browser")]
    Expired,
    /// The provider, or the person there, said no.
    #[error("the identity provider refused: {0}")]
    Refused(String),
    /// The provider knows them; the center does not.
    #[error("nobody here is \"{0}\"")]
    Unknown(String),
    /// The provider cannot be reached, or answers what cannot be believed.
    #[error("{0}")]
    Provider(String),
    #[error(transparent)]
    Store(#[from] parapet_store::StoreError),
}

/// Somebody on their way to the provider.
struct Pending {
    browser: SecretHash,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
    began: Duration,
}

/// What a browser needs to go there and come back.
pub(crate) struct Departure {
    /// Where to send it.
    pub(crate) url: String,
    /// What it keeps, so that nobody else's answer is taken for its own.
    pub(crate) browser: String,
}

/// The provider's word about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    /// The issuer, a space, and its subject.
    subject: String,
    name: String,
    display_name: String,
    groups: BTreeSet<String>,
}

/// An identity provider.
pub(crate) struct Oidc {
    config: OidcConfig,
    secret: Option<String>,
    client: Asker,
    clock: Arc<dyn Clock>,
    metadata: tokio::sync::Mutex<Option<(Duration, CoreProviderMetadata)>>,
    pending: Mutex<HashMap<String, Pending>>,
}

impl std::fmt::Debug for Oidc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Oidc").field("issuer", &self.config.issuer).finish_non_exhaustive()
    }
}

impl Oidc {
    /// Reads the secret; the provider is asked when somebody signs in.
    pub(crate) fn new(config: &OidcConfig, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            // A provider must not send the center elsewhere (openidconnect's documentation).
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| ConfigError::Oidc("issuer", error.to_string()))?;
        let secret = match &config.client_secret_file {
            Some(path) => Some(
                fs::read_to_string(path)
                    .map_err(|source| ConfigError::TokenFile { path: path.clone(), source })?
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .trim()
                    .to_owned(),
            ),
            None => None,
        };
        let config = config.clone();
        Ok(Self {
            config,
            secret,
            client: Asker(client),
            clock,
            metadata: tokio::sync::Mutex::default(),
            pending: Mutex::default(),
        })
    }

    /// The provider's name for people.
    pub(crate) fn name(&self) -> &str {
        &self.config.name
    }

    /// Sends a browser to the provider.
    pub(crate) async fn begin(&self) -> Result<Departure, OidcError> {
        let party = self.party().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = party
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .set_pkce_challenge(challenge);
        for scope in &self.config.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let (url, state, nonce) = request.url();
        let (browser, now) = (secret(), self.clock.monotonic());
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.retain(|_, one| now.saturating_sub(one.began) < PATIENCE);
        if pending.len() >= MOST_PENDING {
            let oldest = pending.iter().min_by_key(|(_, one)| one.began).map(|(state, _)| state.clone());
            oldest.and_then(|state| pending.remove(&state));
        }
        let one = Pending { browser: hash_secret(&browser), nonce, verifier, began: now };
        pending.insert(state.secret().clone(), one);
        Ok(Departure { url: url.into(), browser })
    }

    /// Takes a browser that comes back with `code` and `state`, and asks the provider who it is.
    async fn identity(&self, code: &str, state: &str, browser: &str) -> Result<Identity, OidcError> {
        let now = self.clock.monotonic();
        let one = {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            let known = pending.get(state).is_some_and(|one| one.browser == hash_secret(browser));
            // An answer counts once, and nobody can use up another's.
            if known { pending.remove(state) } else { None }
        };
        let one = one.filter(|one| now.saturating_sub(one.began) < PATIENCE).ok_or(OidcError::Expired)?;
        let party = self.party().await?;
        let failed = |what: &str, error: &dyn std::error::Error| {
            OidcError::Provider(format!("{what}: {}", with_causes(error)))
        };
        let answer = party
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| failed("the provider names no token endpoint", &error))?
            .set_pkce_verifier(one.verifier)
            .request_async(&self.client)
            .await
            .map_err(|error| failed("the provider gave no token", &error))?;
        let token = answer
            .id_token()
            .ok_or_else(|| OidcError::Provider("the provider gave no ID token; hint: it has to be an OpenID provider, and the scope \"openid\" allowed".to_owned()))?;
        let now = SystemTime::from(self.clock.now());
        let verifier = party.id_token_verifier().set_time_fn(move || now.into());
        let claims = match token.claims(&verifier, &one.nonce) {
            Ok(claims) => claims,
            Err(error) => {
                // The provider may have new keys.
                *self.metadata.lock().await = None;
                return Err(failed("the ID token does not hold", &error));
            }
        };
        let all = serde_json::to_value(claims).unwrap_or_default();
        let subject = format!("{} {}", claims.issuer().as_str(), claims.subject().as_str());
        self.config.identity(subject, &all)
    }

    async fn party(&self) -> Result<RelyingParty, OidcError> {
        let metadata = self.metadata().await?;
        let id = ClientId::new(self.config.client_id.clone());
        let secret = self.secret.clone().map(ClientSecret::new);
        let redirect =
            RedirectUrl::new(format!("{}{CALLBACK}", self.config.public_url.trim_end_matches('/')))
                .map_err(|error| OidcError::Provider(error.to_string()))?;
        Ok(RelyingParty::from_provider_metadata(metadata, id, secret).set_redirect_uri(redirect))
    }

    async fn metadata(&self) -> Result<CoreProviderMetadata, OidcError> {
        let now = self.clock.monotonic();
        let mut kept = self.metadata.lock().await;
        if let Some((at, metadata)) = kept.as_ref()
            && now.saturating_sub(*at) < METADATA_HOLDS
        {
            return Ok(metadata.clone());
        }
        let issuer = IssuerUrl::new(self.config.issuer.clone())
            .map_err(|error| OidcError::Provider(error.to_string()))?;
        let metadata = CoreProviderMetadata::discover_async(issuer, &self.client).await.map_err(|error| {
            OidcError::Provider(format!(
                "{} does not say how to sign in: {}",
                self.config.issuer,
                with_causes(&error)
            ))
        })?;
        *kept = Some((now, metadata.clone()));
        Ok(metadata)
    }
}

/// Asks a provider; no redirects, no long answers, no long waits.
struct Asker(reqwest::Client);

impl<'c> AsyncHttpClient<'c> for Asker {
    type Error = SendError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, SendError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let mut answer = self.0.execute(request.try_into()?).await?;
            let mut body = Vec::new();
            while let Some(part) = answer.chunk().await? {
                if body.len() + part.len() > MOST_BYTES {
                    return Err(SendError::TooLong);
                }
                body.extend_from_slice(&part);
            }
            let mut response = HttpResponse::new(body);
            *response.status_mut() = answer.status();
            *response.headers_mut() = answer.headers().clone();
            Ok(response)
        })
    }
}

#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error("the answer is longer than {MOST_BYTES} bytes")]
    TooLong,
}

impl OidcConfig {
    /// What the claims of an ID token say, by the names that the configuration gives them.
    fn identity(&self, subject: String, claims: &Value) -> Result<Identity, OidcError> {
        let name = claim(claims, &self.user_claim).and_then(Value::as_str);
        let name = name.ok_or_else(|| {
            OidcError::Provider(format!(
                "the ID token has no \"{}\"; hint: set user_claim to a claim that it has, and scopes to what asks for it",
                self.user_claim
            ))
        })?;
        // Anybody may write any address into their account until it is verified.
        if self.user_claim == "email" && claims.get("email_verified").and_then(Value::as_bool) != Some(true) {
            return Err(OidcError::Unknown(name.to_owned()));
        }
        let words = |value: &Value| match value {
            Value::String(one) => vec![one.clone()],
            Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let display_name = claims.get("name").and_then(Value::as_str).unwrap_or(name);
        Ok(Identity {
            subject,
            name: name.to_lowercase(),
            display_name: display_name.chars().filter(|c| !c.is_control()).take(80).collect(),
            groups: claim(claims, &self.groups_claim).map(words).unwrap_or_default().into_iter().collect(),
        })
    }

    /// What members of these groups may do; `None` where groups say nothing here.
    fn grants_of(&self, groups: &BTreeSet<String>) -> Option<Vec<Grant>> {
        let given = self.groups.iter().filter(|given| groups.contains(&given.group));
        (!self.groups.is_empty()).then(|| {
            given
                .map(|given| Grant {
                    role: given.role,
                    site: given.site.clone(),
                    camera: given.camera.clone(),
                })
                .collect()
        })
    }
}

/// A claim by its name, or by its way down with dots (`realm_access.roles`).
fn claim<'a>(claims: &'a Value, path: &str) -> Option<&'a Value> {
    claims.get(path).or_else(|| path.split('.').try_fold(claims, |value, name| value.get(name)))
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl People {
    /// Signs in whom the provider names.
    ///
    /// A person is known by the provider's subject. The first time, they become the one here with their name who has no
    /// password and belongs to no other subject, or a new one if their groups give them something to do.
    pub(crate) async fn sign_in_by(
        &self,
        oidc: &Oidc,
        code: &str,
        state: &str,
        browser: &str,
    ) -> Result<SignedIn, OidcError> {
        let identity = oidc.identity(code, state, browser).await?;
        let grants = oidc.config.grants_of(&identity.groups);
        let user = match self.store.user_of_subject(&identity.subject).await? {
            Some(user) => self.with_grants(user, None, grants).await?,
            None => self.meet(&identity, grants).await?,
        };
        if !user.enabled {
            return Err(OidcError::Unknown(identity.name));
        }
        let signed_in = self.open_session(user).await.map_err(|error| match error {
            SignInError::Store(error) => OidcError::Store(error),
            SignInError::Wrong | SignInError::Locked(_) => OidcError::Unknown(identity.name.clone()),
        })?;
        info!(
            name = signed_in.caller.name,
            issuer = oidc.config.issuer,
            "signed in by the identity provider"
        );
        Ok(signed_in)
    }

    /// The person of a subject that comes for the first time.
    async fn meet(&self, identity: &Identity, grants: Option<Vec<Grant>>) -> Result<UserRow, OidcError> {
        let unknown = || OidcError::Unknown(identity.name.clone());
        let name: UserName = identity.name.parse().map_err(|_| unknown())?;
        if let Some(user) = self.store.user(&name).await? {
            // Whoever has a password is somebody else until an administrator says otherwise.
            if user.password.is_some() || user.subject.is_some() {
                warn!(%name, "somebody of this name is here already; the identity provider's is not let in");
                return Err(unknown());
            }
            return self.with_grants(user, Some(identity.subject.clone()), grants).await;
        }
        let grants = grants.filter(|grants| !grants.is_empty()).ok_or_else(unknown)?;
        let now = self.clock.now();
        let mut entry = deed(now, name.as_str(), "user.add", "user", name.as_str());
        entry.detail = json!({
            "display_name": identity.display_name, "grants": grants, "password": false, "subject": identity.subject,
        });
        let row = UserRow {
            name,
            display_name: identity.display_name.clone(),
            password: None,
            subject: Some(identity.subject.clone()),
            enabled: true,
            grants,
            created_at: now,
            seen_at: None,
        };
        if self.store.add_user(&row, &entry).await? { Ok(row) } else { Err(unknown()) }
    }

    /// The person with what their groups give them now, and with their subject if they had none.
    async fn with_grants(
        &self,
        user: UserRow,
        subject: Option<String>,
        grants: Option<Vec<Grant>>,
    ) -> Result<UserRow, OidcError> {
        let grants = grants.filter(|grants| *grants != user.grants);
        if subject.is_none() && grants.is_none() {
            return Ok(user);
        }
        let mut entry = deed(self.clock.now(), user.name.as_str(), "user.change", "user", user.name.as_str());
        entry.detail = json!({ "grants": grants, "subject": subject, "by": "identity provider" });
        let change = UserChange { grants, subject, ..UserChange::default() };
        let changed = self.store.change_user(&user.name, &change, &entry).await?;
        changed.ok_or_else(|| OidcError::Unknown(user.name.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use parapet_core::Role;

    use super::*;
    use crate::config::GroupGrant;

    fn config() -> OidcConfig {
        OidcConfig {
            groups_claim: "realm_access.roles".to_owned(),
            groups: vec![GroupGrant {
                group: "street".to_owned(),
                role: Role::Operator,
                site: Some("harbour".parse().unwrap()),
                camera: None,
            }],
            ..OidcConfig::default()
        }
    }

    #[test]
    fn claims_are_read_by_the_names_that_the_provider_gives_them() {
        let claims = json!({
            "preferred_username": "Li-Wei", "name": "李伟\n", "realm_access": { "roles": ["street", "x"] },
        });
        let identity = config().identity("i s".to_owned(), &claims).unwrap();
        assert_eq!((identity.name.as_str(), identity.display_name.as_str()), ("li-wei", "李伟"));
        let grants = config().grants_of(&identity.groups).unwrap();
        assert_eq!(grants, [Grant::at(Role::Operator, "harbour".parse().unwrap())]);
        assert_eq!(config().grants_of(&BTreeSet::new()), Some(Vec::new()));
        assert_eq!(OidcConfig::default().grants_of(&identity.groups), None, "an administrator decides");
        let error = config().identity("i s".to_owned(), &json!({})).unwrap_err();
        assert!(error.to_string().contains("hint: set user_claim"), "{error}");
    }

    #[test]
    fn an_address_counts_only_when_it_is_verified() {
        let config = OidcConfig { user_claim: "email".to_owned(), ..OidcConfig::default() };
        let with = |verified| json!({ "email": "a@example.org", "email_verified": verified });
        assert!(config.identity(String::new(), &with(true)).is_ok());
        assert!(matches!(config.identity(String::new(), &with(false)), Err(OidcError::Unknown(_))));
    }
}
