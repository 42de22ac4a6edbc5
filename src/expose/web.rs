//! Who may talk to the server, and how: TLS, users and headers, as the web configuration file says them.
//!
//! The file is in the format of Prometheus' exporter-toolkit (`docs/web-configuration.md` there, v0.14) and is read by
//! [`crate::config`]. It holds for new connections and requests as soon as it changes; a file with mistakes leaves the
//! last good one in force.

mod tls;
mod users;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use tokio_rustls::TlsAcceptor;
use tracing::{error, info};

pub use tls::{ClientAuth, Tls, TlsVersion, cipher_suites, curves};
pub use users::{MOST_COST, check_hash};

use tls::Allowed;
use users::Users;

/// What the web configuration file says. `Default` lets everybody in, without TLS.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// TLS; none speaks plain HTTP.
    pub tls: Option<Tls>,
    /// bcrypt hashes of the users' passwords; without users nobody is asked.
    pub users: BTreeMap<String, String>,
    /// Sent with every answer, in place of our own of the same name.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// Settings made ready to be held to.
pub struct Door {
    tls: Option<(TlsAcceptor, Allowed)>,
    users: Users,
    headers: HeaderMap,
}

impl Door {
    /// Everybody may come in, without TLS.
    fn open() -> Self {
        Self {
            tls: None,
            users: Users::new(BTreeMap::new()),
            headers: HeaderMap::new(),
        }
    }

    /// Makes settings ready.
    ///
    /// # Errors
    /// In words, where certificates, keys or choices of TLS do not go together.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        let tls = settings.tls.as_ref().map(Tls::acceptor).transpose()?;
        Ok(Self {
            tls,
            users: Users::new(settings.users.clone()),
            headers: settings.headers.iter().cloned().collect(),
        })
    }

    /// What makes a TLS connection of a plain one, and whose certificates are good; none for plain HTTP.
    pub(super) const fn tls(&self) -> Option<&(TlsAcceptor, Allowed)> {
        self.tls.as_ref()
    }

    /// Whether a request with these headers comes from a user.
    pub(super) async fn admits(&self, headers: &HeaderMap) -> bool {
        self.users.admit(headers).await
    }

    /// Puts the configured headers over an answer's own.
    pub(super) fn dress(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
    }
}

/// Reads the file again: what it says, or all that is wrong with it.
pub type Load = Box<dyn Fn() -> Result<Settings, String> + Send + Sync>;

/// The file is read again when somebody comes, no more often than this, and never otherwise.
const LOOK: Duration = Duration::from_secs(1);

/// The door in force, and the file that it comes from.
pub struct Doors {
    load: Option<Arc<Load>>,
    /// How often, at most, the file is read again.
    every: Duration,
    now: Mutex<Now>,
}

struct Now {
    door: Arc<Door>,
    settings: Settings,
    looked: Instant,
    /// Somebody is reading the file. One at a time: a file system that hangs must not take a thread for each request.
    looking: bool,
    /// What was said of the file when it was last found wrong.
    wrong: Option<String>,
}

impl Doors {
    /// No file: everybody may come in.
    #[must_use]
    pub fn open() -> Self {
        Self::with(None, Settings::default(), Door::open())
    }

    /// As the file says now, and whenever it changes.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn from_file(load: Load) -> Result<Self, String> {
        let settings = load()?;
        let door = Door::new(&settings)?;
        Ok(Self::with(Some(Arc::new(load)), settings, door))
    }

    fn with(load: Option<Arc<Load>>, settings: Settings, door: Door) -> Self {
        let now = Now {
            door: Arc::new(door),
            settings,
            looked: Instant::now(),
            looking: false,
            wrong: None,
        };
        Self {
            load,
            every: LOOK,
            now: Mutex::new(now),
        }
    }

    /// Whether TLS is spoken as the file is now.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.door.tls.is_some()
    }

    /// The door for whoever comes now, and whether the file is good.
    pub(super) async fn current(&self) -> (Arc<Door>, bool) {
        if let Some(load) = self.due() {
            let read = tokio::task::spawn_blocking(move || {
                let settings = load()?;
                Ok((Door::new(&settings)?, settings))
            });
            let read = read.await;
            self.take(read.unwrap_or_else(|_| Err("it could not be read".to_owned())));
        }
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        (Arc::clone(&now.door), now.wrong.is_none())
    }

    /// How to read the file, where it is time to.
    fn due(&self) -> Option<Arc<Load>> {
        let load = self.load.as_ref()?;
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.looking || now.looked.elapsed() < self.every {
            return None;
        }
        now.looking = true;
        Some(Arc::clone(load))
    }

    fn take(&self, read: Result<(Door, Settings), String>) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.looking = false;
        now.looked = Instant::now();
        match read {
            Ok((door, settings)) => {
                // A file that has not changed keeps the door, and with it the passwords already found good.
                if settings != now.settings || now.wrong.is_some() {
                    info!("the web configuration was read again and is in force");
                    (now.door, now.settings, now.wrong) = (Arc::new(door), settings, None);
                }
            }
            Err(why) => {
                if now.wrong.as_ref() != Some(&why) {
                    why.lines().for_each(|problem| error!("{problem}"));
                    error!("the web configuration was not taken; that of before stays in force");
                    now.wrong = Some(why);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_user(name: &str) -> Settings {
        Settings {
            users: [(name.to_owned(), bcrypt::hash("secret", 4).unwrap())].into(),
            ..Settings::default()
        }
    }

    fn basic(user: &str) -> HeaderMap {
        use base64::Engine as _;
        let words = base64::engine::general_purpose::STANDARD.encode(format!("{user}:secret"));
        let value = HeaderValue::try_from(format!("Basic {words}")).unwrap();
        [(hyper::header::AUTHORIZATION, value)].into_iter().collect()
    }

    #[tokio::test]
    async fn a_changed_file_is_in_force_at_once_and_a_bad_one_leaves_the_last_good_one() {
        let file = Arc::new(Mutex::new(Ok(with_user("ada"))));
        let read = Arc::clone(&file);
        let mut doors = Doors::from_file(Box::new(move || read.lock().unwrap().clone())).unwrap();
        doors.every = Duration::ZERO;
        for (next, in_force, good) in [
            (Ok(with_user("ada")), "ada", true),
            (Ok(with_user("grace")), "grace", true),
            (Err("web.yml:1:1: no".to_owned()), "grace", false),
            (Ok(with_user("grace")), "grace", true),
        ] {
            *file.lock().unwrap() = next;
            let (door, is_good) = doors.current().await;
            assert_eq!(is_good, good, "{in_force}");
            for user in ["ada", "grace"] {
                assert_eq!(door.admits(&basic(user)).await, user == in_force, "{user}");
            }
        }
    }

    #[tokio::test]
    async fn the_file_is_not_read_for_every_request() {
        let reads = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counted = Arc::clone(&reads);
        let load = move || {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok(Settings::default())
        };
        let doors = Doors::from_file(Box::new(load)).unwrap();
        for _ in 0..100 {
            doors.current().await;
        }
        assert_eq!(reads.load(std::sync::atomic::Ordering::Relaxed), 1);
    }
}
