//! Passwords: which ones will do, and argon2id hashes of them. Secrets of sessions and tokens are random, so a plain
//! SHA-256 is enough for those.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, SaltString},
};
use parapet_store::{PasswordHash, SecretHash};
use sha2::{Digest, Sha256};

/// Fewer characters are guessed too soon.
pub(crate) const SHORTEST: usize = 10;
/// More are nobody's password, but work for the hash.
pub(crate) const LONGEST: usize = 200;

/// A hash that no password is known for, to be compared with where there is no person.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5MTIzNA$\
    uY6cIDUp3cKL5J3UQJgYpK4ZIm1bQ4n5B8xqM4m0Q2A";

/// Why a password will not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Too short or too long.
    #[error("the password has too few or too many characters; hint: 10 to 200")]
    Length,
    /// Easy to guess.
    #[error("the password is easy to guess; hint: not the name, and at least five different characters")]
    Guessable,
}

/// Whether a password will do for this name.
///
/// # Errors
/// Why not.
pub fn check_password(name: &str, password: &str) -> Result<(), WeakPassword> {
    if !(SHORTEST..=LONGEST).contains(&password.chars().count()) {
        return Err(WeakPassword::Length);
    }
    let different: std::collections::BTreeSet<char> = password.chars().collect();
    let plain = password.to_lowercase();
    if different.len() < 5 || plain.trim_end_matches(|c: char| c.is_ascii_digit()) == name {
        return Err(WeakPassword::Guessable);
    }
    Ok(())
}

/// The hash of a password: argon2id with OWASP's parameters (19 MiB, two passes) and a salt of its own. Takes some tens of
/// milliseconds.
pub fn hash_password(password: &str) -> PasswordHash {
    let salt = SaltString::encode_b64(&random::<16>()).expect("16 bytes make a salt");
    let hash = Argon2::default()
        .hash_password(password.as_bytes(), &salt)
        .expect("the default parameters and a password of any length are good");
    PasswordHash(hash.to_string())
}

/// Whether it is the password of this hash. Without a hash it takes as long and is not.
pub(crate) fn verify(password: &str, hash: Option<&PasswordHash>) -> bool {
    let parsed = argon2::PasswordHash::new(hash.map_or(NOBODY, |hash| &hash.0));
    let fits =
        parsed.is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok());
    fits && hash.is_some()
}

/// Bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A secret of 256 bits, as text that fits into headers.
pub(crate) fn secret() -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random::<32>())
}

/// A password for a person's first sign-in: 20 characters that are told apart in any typeface, in groups of five.
pub fn random_password() -> String {
    const CHARACTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut password = String::new();
    for (n, byte) in random::<20>().into_iter().enumerate() {
        if n > 0 && n.is_multiple_of(5) {
            password.push('-');
        }
        // 256 is a multiple of 32: every character is as likely.
        password.push(char::from(CHARACTERS[usize::from(byte % 32)]));
    }
    password
}

/// What the store keeps of a secret.
pub(crate) fn hash_secret(secret: &str) -> SecretHash {
    SecretHash(Sha256::digest(secret.as_bytes()).into())
}

/// What a page must repeat in a header when it changes something in the session of this secret: another site's page can
/// send the cookie, but cannot know this.
pub(crate) fn csrf(secret: &str) -> String {
    let digest = Sha256::new().chain_update("parapet csrf\0").chain_update(secret).finalize();
    hex::encode(&digest[..16])
}

/// Whether two texts are equal, in a time that does not tell where they differ.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_hash_and_nobody_elses() {
        let hash = hash_password("correct horse");
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.0);
        assert!(verify("correct horse", Some(&hash)));
        assert!(!verify("correct horsf", Some(&hash)));
        assert!(!verify("", None) && !verify("correct horse", None));
        assert_ne!(hash, hash_password("correct horse"), "a salt of its own");
        assert!(!format!("{hash:?}").contains("argon2"));
    }

    #[test]
    fn what_is_compared_for_nobody_costs_as_much_as_for_somebody() {
        let parsed = |text: &str| argon2::PasswordHash::new(text).unwrap().params.to_string();
        let hash = hash_password("correct horse");
        assert_eq!(parsed(&hash.0), parsed(NOBODY));
    }

    #[test]
    fn a_password_must_be_long_and_not_the_name() {
        assert_eq!(check_password("li-wei", "short"), Err(WeakPassword::Length));
        assert_eq!(check_password("li-wei", &"x1y2z".repeat(41)), Err(WeakPassword::Length));
        assert_eq!(check_password("li-wei", "aaaaaaaaaaaa"), Err(WeakPassword::Guessable));
        assert_eq!(check_password("li-weiliwei", "Li-weiliwei2026"), Err(WeakPassword::Guessable));
        assert_eq!(check_password("li-wei", "监控室的灯一直亮着吧"), Ok(()));
        for _ in 0..20 {
            let password = random_password();
            assert_eq!(check_password("admin", &password), Ok(()), "{password}");
            assert_eq!(password.len(), 23);
        }
    }

    #[test]
    fn secrets_differ_and_their_answers_do_too() {
        let (a, b) = (secret(), secret());
        assert_ne!(a, b);
        assert_eq!(a.len(), 43);
        assert_ne!(csrf(&a), csrf(&b));
        assert!(same("abc", "abc") && !same("abc", "abd") && !same("abc", "ab"));
    }
}
