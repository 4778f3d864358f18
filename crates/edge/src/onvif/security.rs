//! WS-Security user name tokens with a password digest (OASIS Web Services Security, `UsernameToken` Profile 1.0): the
//! password itself never travels, and a token is good for one question at about its time.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use parapet_core::Timestamp;
use sha1::{Digest, Sha1};
use uuid::Uuid;

use super::message::escaped;

const DIGEST: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest";
const BASE64: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";

/// Name and password of a user of the dome.
pub(super) struct Credentials {
    username: String,
    password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Bytes that no token had before.
pub(super) fn nonce() -> [u8; 16] {
    // Version 7 holds the time and 74 random bits.
    *Uuid::now_v7().as_bytes()
}

impl Credentials {
    pub(super) fn new(username: String, password: String) -> Self {
        Self { username, password }
    }

    /// The `Security` header of a message created at an instant of the dome's clock.
    pub(super) fn token(&self, created: Timestamp, nonce: &[u8]) -> String {
        let created = format!("{created:.3}");
        let digest = digest(nonce, &created, &self.password);
        let (username, nonce) = (escaped(&self.username), STANDARD.encode(nonce));
        format!(
            "<wsse:Security s:mustUnderstand=\"1\"><wsse:UsernameToken><wsse:Username>{username}</wsse:Username>\
             <wsse:Password Type=\"{DIGEST}\">{digest}</wsse:Password>\
             <wsse:Nonce EncodingType=\"{BASE64}\">{nonce}</wsse:Nonce>\
             <wsu:Created>{created}</wsu:Created></wsse:UsernameToken></wsse:Security>"
        )
    }
}

/// `Base64(SHA-1(nonce + created + password))`.
pub(crate) fn digest(nonce: &[u8], created: &str, password: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(nonce);
    hash.update(created);
    hash.update(password);
    STANDARD.encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_programmers_guide() {
        // ONVIF Application Programmer's Guide 1.0, section 6.1.1.3.
        let nonce = STANDARD.decode("LKqI6G/AikKCQrN0zqZFlg==").unwrap();
        let digest = digest(&nonce, "2010-09-16T07:50:45Z", "userpassword");
        assert_eq!(digest, "tuOSpGlFlIXsozq4HFNeeGeFLEI=");
    }

    #[test]
    fn a_password_is_never_shown_and_a_name_cannot_break_the_message() {
        let credentials = Credentials::new("a<b&\"".into(), "secret".into());
        let token = credentials.token(Timestamp::UNIX_EPOCH, &[1; 16]);
        assert!(token.contains("a&lt;b&amp;&quot;") && !token.contains("secret"), "{token}");
        assert!(token.contains("1970-01-01T00:00:00.000Z"));
        assert!(!format!("{credentials:?}").contains("secret"));
        assert_ne!(nonce(), nonce());
    }
}
