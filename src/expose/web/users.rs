//! Users with passwords: HTTP basic authentication against bcrypt hashes.
//!
//! bcrypt is slow on purpose. One password at a time is put to it, so that guesses cost one processor at most, and one
//! found good is known again by a keyed digest: Prometheus, asking every few seconds, pays for it once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bcrypt::HashParts;
use hyper::header::{self, HeaderMap};
use ring::hmac;
use ring::rand::SystemRandom;
use tokio::sync::Semaphore;

/// The highest cost taken: each step doubles the time, and 2¹⁶ rounds are some seconds of one processor.
pub const MOST_COST: u32 = 16;

/// What unknown users are put to, so that the time taken does not tell which names exist. Of the usual cost, 10.
const NOBODY: &str = "$2b$10$abcdefghijklmnopqrstuuIiAmR8dp.I0SaQCLAtSvxKVJT1kUzjq";

/// Judges a hash of the file.
///
/// # Errors
/// In words.
pub fn check_hash(hash: &str) -> Result<(), String> {
    let parts: HashParts = hash
        .parse()
        .map_err(|_| "is no bcrypt hash; make one with `htpasswd -nBC 10 \"\"`".to_owned())?;
    if parts.get_cost() > MOST_COST {
        return Err(format!(
            "its cost of {} makes each request wait for minutes; the highest taken is {MOST_COST}",
            parts.get_cost()
        ));
    }
    Ok(())
}

/// The users of one version of the file.
pub(super) struct Users {
    hashes: BTreeMap<String, String>,
    /// Made anew for each process: the digests mean nothing elsewhere.
    key: Option<hmac::Key>,
    /// Digests of names with passwords found good: one for each user at most, since bcrypt takes no second one.
    good: Mutex<BTreeSet<[u8; 32]>>,
    turn: Semaphore,
}

impl Users {
    pub(super) fn new(hashes: BTreeMap<String, String>) -> Self {
        Self {
            hashes,
            // Without randomness nothing is remembered, and every request pays.
            key: hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).ok(),
            good: Mutex::new(BTreeSet::new()),
            turn: Semaphore::new(1),
        }
    }

    /// Whether the request names a user with their password; true where there are no users.
    pub(super) async fn admit(&self, headers: &HeaderMap) -> bool {
        if self.hashes.is_empty() {
            return true;
        }
        let Some((name, password)) = credentials(headers) else {
            return false;
        };
        let digest = self.digest(&name, &password);
        let is_known = |digest: &[u8; 32]| {
            let good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
            good.contains(digest)
        };
        if digest.as_ref().is_some_and(is_known) {
            return true;
        }
        let Ok(_turn) = self.turn.acquire().await else {
            return false;
        };
        let known = self.hashes.get(&name).cloned();
        let is_user = known.is_some();
        let hash = known.unwrap_or_else(|| NOBODY.to_owned());
        // Longer passwords than bcrypt looks at (72 bytes) are refused, not cut.
        let verified = tokio::task::spawn_blocking(move || bcrypt::non_truncating_verify(password, &hash));
        let is_good = is_user && matches!(verified.await, Ok(Ok(true)));
        if let (true, Some(digest)) = (is_good, digest) {
            self.good
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(digest);
        }
        is_good
    }

    fn digest(&self, name: &str, password: &[u8]) -> Option<[u8; 32]> {
        // A name holds no colon (RFC 7617), so that no two pairs are written alike.
        let words = [name.as_bytes(), b":", password].concat();
        hmac::sign(self.key.as_ref()?, &words).as_ref().try_into().ok()
    }
}

/// Name and password of RFC 7617.
fn credentials(headers: &HeaderMap) -> Option<(String, Vec<u8>)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, words) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let words = STANDARD.decode(words.trim()).ok()?;
    let colon = words.iter().position(|byte| *byte == b':')?;
    let name = String::from_utf8(words[..colon].to_vec()).ok()?;
    Some((name, words[colon + 1..].to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(users: &Users, authorization: &str, admitted: bool) {
        let headers = [(header::AUTHORIZATION, authorization.parse().unwrap())];
        let found = users.admit(&headers.into_iter().collect()).await;
        assert_eq!(found, admitted, "{authorization}");
    }

    #[tokio::test]
    async fn only_a_user_with_their_password_is_admitted() {
        // As `htpasswd -nbBC 4 ada s3:cret` writes it.
        let hash = bcrypt::hash("s3:cret", 4).unwrap().replace("$2b$", "$2y$");
        let users = Users::new([("ada".to_owned(), hash)].into());
        let basic = |words: &str| format!("Basic {}", STANDARD.encode(words));
        for (authorization, admitted) in [
            (basic("ada:s3:cret"), true),
            (basic("ada:s3:cret"), true),
            (basic("ada:s3:cret").replace("Basic", "bASIC"), true),
            (basic("ada:s3"), false),
            (basic("ada:"), false),
            (basic("ada"), false),
            (basic("grace:s3:cret"), false),
            (basic(&format!("ada:s3:cret{}", "x".repeat(80))), false),
            ("Basic".to_owned(), false),
            ("Basic !!!".to_owned(), false),
            ("Bearer YWRhOnMzOmNyZXQ=".to_owned(), false),
        ] {
            check(&users, &authorization, admitted).await;
        }
        assert_eq!(users.good.lock().unwrap().len(), 1);
        assert!(!users.admit(&HeaderMap::new()).await);
        assert!(Users::new(BTreeMap::new()).admit(&HeaderMap::new()).await);
    }

    #[test]
    fn what_unknown_users_are_put_to_is_a_hash() {
        assert_eq!(check_hash(NOBODY), Ok(()));
        assert!(bcrypt::verify("x", NOBODY).is_ok_and(|same| !same));
        for bad in ["", "secret", "$1$abc", "$2y$10$short"] {
            assert!(check_hash(bad).unwrap_err().contains("no bcrypt hash"), "{bad}");
        }
        let dear = NOBODY.replace("$10$", "$31$");
        assert!(check_hash(&dear).unwrap_err().contains("cost of 31"));
    }
}
