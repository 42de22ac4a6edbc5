//! The web configuration file: YAML in the format of Prometheus' exporter-toolkit, which operators have for their other
//! exporters (`docs/web-configuration.md` there, v0.14). All problems are told at once.
//!
//! What that format has and this program has not (certificates that nobody verifies, HTTP/2, TLS before 1.2) is refused
//! by name rather than passed over.

use std::path::Path;

use hyper::header::{HeaderName, HeaderValue};
use saphyr::{LoadableYamlNode as _, MarkedYaml, Marker};

use super::suggest::did_you_mean;
use super::{ConfigError, read_text};
use crate::expose::web::{ClientAuth, Settings, Tls, TlsVersion, check_hash, cipher_suites, curves};
use crate::problem::Problem;

/// Headers that may be set: those of the format.
const HEADERS: [&str; 5] = [
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-XSS-Protection",
    "Content-Security-Policy",
];

/// Reads and validates a file, and reads the certificates and keys that it names.
pub fn load(path: &Path) -> Result<Settings, ConfigError> {
    let text = read_text(path).map_err(|error| ConfigError::Read {
        path: path.to_owned(),
        error,
    })?;
    parse(&path.display().to_string(), &text).map_err(ConfigError::Problems)
}

/// Reads and validates the text of a file. `file` is its name, for messages and as the base of relative paths.
pub fn parse(file: &str, text: &str) -> Result<Settings, Vec<Problem>> {
    let mut walk = Walk {
        file,
        base: Path::new(file).parent().unwrap_or(Path::new("")),
        problems: Vec::new(),
    };
    let mut settings = Settings::default();
    match MarkedYaml::load_from_str(text).as_deref() {
        Ok([]) => {}
        Ok([document]) => walk.document(document, &mut settings),
        Ok([_, second, ..]) => walk.problem(second.span.start, "only one document may be in this file"),
        Err(error) => {
            let why = format!("no YAML: {}", error.info());
            walk.problem(*error.marker(), &why);
        }
    }
    if walk.problems.is_empty() {
        return Ok(settings);
    }
    walk.problems
        .sort_by_key(|problem| (problem.line, problem.column));
    Err(walk.problems)
}

type Node<'a> = MarkedYaml<'a>;

struct Walk<'a> {
    file: &'a str,
    /// The directory of the file.
    base: &'a Path,
    problems: Vec<Problem>,
}

impl Walk<'_> {
    fn document(&mut self, document: &Node<'_>, settings: &mut Settings) {
        // A file of comments alone.
        if document.data.is_null() {
            return;
        }
        let known = ["tls_server_config", "http_server_config", "basic_auth_users"];
        self.mapping(document, "the file", &known, |walk, key, node| match key {
            "tls_server_config" => settings.tls = walk.tls(node),
            "http_server_config" => settings.headers = walk.http(node),
            _ => walk.users(node, settings),
        });
    }

    fn users(&mut self, node: &Node<'_>, settings: &mut Settings) {
        for (name, key, value) in self.entries(node, "basic_auth_users") {
            if name.contains(':') {
                self.problem(
                    key.span.start,
                    &format!("user \"{}\": a name holds no colon", shown(&name)),
                );
            }
            if let Some(hash) = self.text(value, &name) {
                match check_hash(&hash) {
                    Ok(()) => drop(settings.users.insert(name, hash)),
                    Err(why) => self.problem(value.span.start, &format!("user \"{}\": {why}", shown(&name))),
                }
            }
        }
    }

    fn http(&mut self, node: &Node<'_>) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = Vec::new();
        self.mapping(
            node,
            "http_server_config",
            &["headers", "http2"],
            |walk, key, node| {
                if key == "http2" {
                    // On by default there, so that files say it; HTTP/1.1 is spoken all the same.
                    walk.boolean(node, key);
                    return;
                }
                walk.mapping(node, "headers", &HEADERS, |walk, name, node| {
                    let Some(value) = walk.text(node, name) else {
                        return;
                    };
                    match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                        (Ok(name), Ok(value)) => headers.push((name, value)),
                        _ => walk.problem(node.span.start, &format!("{name}: is no value of a header")),
                    }
                });
            },
        );
        headers
    }

    fn tls(&mut self, node: &Node<'_>) -> Option<Tls> {
        let mut tls = Tls::default();
        let before = self.problems.len();
        self.mapping(node, "tls_server_config", &TLS_KEYS, |walk, key, node| {
            walk.tls_key(key, node, &mut tls);
        });
        if self.problems.len() > before {
            return None;
        }
        for (is_missing, what) in [
            (tls.certificates.is_empty(), "has neither cert_file nor cert"),
            (tls.key.is_empty(), "has neither key_file nor key"),
            (
                tls.client_auth != ClientAuth::None && tls.client_ca.is_none(),
                "asks for certificates of clients, and has neither client_ca_file nor client_ca to verify them",
            ),
            (
                tls.client_auth == ClientAuth::None && tls.client_ca.is_some(),
                "has roots for certificates of clients, and asks for none; write client_auth_type: \
                 RequireAndVerifyClientCert",
            ),
            (tls.oldest > tls.newest, "has a min_version above its max_version"),
        ] {
            if is_missing {
                self.problem(node.span.start, &format!("tls_server_config {what}"));
            }
        }
        Some(tls)
    }

    fn tls_key(&mut self, key: &str, node: &Node<'_>, tls: &mut Tls) {
        match key {
            "cert_file" => tls.certificates = self.file(node, key),
            "cert" => tls.certificates = self.text(node, key).unwrap_or_default().into_bytes(),
            "key_file" => tls.key = self.file(node, key),
            "key" => tls.key = self.text(node, key).unwrap_or_default().into_bytes(),
            "client_ca_file" => tls.client_ca = Some(self.file(node, key)),
            "client_ca" => tls.client_ca = self.text(node, key).map(String::into_bytes),
            "client_auth_type" => self.client_auth(node, key, tls),
            "client_allowed_sans" => tls.allowed_sans = self.texts(node, key),
            "min_version" => tls.oldest = self.version(node, key).unwrap_or(tls.oldest),
            "max_version" => tls.newest = self.version(node, key).unwrap_or(tls.newest),
            "cipher_suites" => tls.cipher_suites = self.chosen(node, key, &cipher_suites()),
            "curve_preferences" => tls.curves = self.chosen(node, key, &curves()),
            _ => tls.prefer_server_order = self.boolean(node, key),
        }
    }

    fn client_auth(&mut self, node: &Node<'_>, key: &str, tls: &mut Tls) {
        let Some(kind) = self.text(node, key) else { return };
        tls.client_auth = match kind.as_str() {
            "NoClientCert" => ClientAuth::None,
            "VerifyClientCertIfGiven" => ClientAuth::IfGiven,
            "RequireAndVerifyClientCert" => ClientAuth::Required,
            "RequestClientCert" | "RequireAnyClientCert" => {
                let why = format!(
                    "{key}: {kind} verifies nothing, which is not offered; write RequireAndVerifyClientCert"
                );
                return self.problem(node.span.start, &why);
            }
            other => {
                let known = [
                    "NoClientCert",
                    "VerifyClientCertIfGiven",
                    "RequireAndVerifyClientCert",
                ];
                return self.unknown(node, key, other, &known);
            }
        };
    }

    fn version(&mut self, node: &Node<'_>, key: &str) -> Option<TlsVersion> {
        match self.text(node, key)?.as_str() {
            "TLS12" => Some(TlsVersion::Tls12),
            "TLS13" => Some(TlsVersion::Tls13),
            "TLS10" | "TLS11" => {
                let why = format!("{key}: TLS before 1.2 is not spoken; write TLS12");
                self.problem(node.span.start, &why);
                None
            }
            other => {
                self.unknown(node, key, other, &["TLS12", "TLS13"]);
                None
            }
        }
    }

    /// A list of words out of those known.
    fn chosen(&mut self, node: &Node<'_>, key: &str, known: &[&str]) -> Vec<String> {
        let chosen = self.texts(node, key);
        for word in &chosen {
            // Those of TLS 1.3 are always spoken.
            if !known.contains(&word.as_str())
                && !word.starts_with("TLS_AES_")
                && !word.starts_with("TLS_CHACHA20_")
            {
                self.unknown(node, key, word, known);
            }
        }
        chosen
    }

    /// The content of a file that is named relative to this one.
    fn file(&mut self, node: &Node<'_>, key: &str) -> Vec<u8> {
        let Some(name) = self.text(node, key) else {
            return Vec::new();
        };
        let path = self.base.join(name);
        read_text(&path).map_or_else(
            |error| {
                let why = format!("{key}: {}: {error}", path.display());
                self.problem(node.span.start, &why);
                Vec::new()
            },
            String::into_bytes,
        )
    }

    /// Walks a mapping whose keys are known.
    fn mapping(
        &mut self,
        node: &Node<'_>,
        what: &str,
        known: &[&str],
        mut each: impl FnMut(&mut Self, &str, &Node<'_>),
    ) {
        for (name, key, value) in self.entries(node, what) {
            if known.contains(&name.as_str()) {
                each(self, &name, value);
                continue;
            }
            let hint = did_you_mean(&name, known.iter().copied())
                .unwrap_or_else(|| format!("; known are {}", known.join(", ")));
            let why = format!("unknown key \"{}\" in {what}{hint}", shown(&name));
            self.problem(key.span.start, &why);
        }
    }

    /// Names, keys and values of a mapping.
    fn entries<'n, 'i>(
        &mut self,
        node: &'n Node<'i>,
        what: &str,
    ) -> Vec<(String, &'n Node<'i>, &'n Node<'i>)> {
        let Some(mapping) = node.data.as_mapping() else {
            self.problem(node.span.start, &format!("{what} must be keys with values"));
            return Vec::new();
        };
        let mut entries = Vec::new();
        for (key, value) in mapping {
            match key.data.as_str() {
                Some(name) => entries.push((name.to_owned(), key, value)),
                None => self.problem(
                    key.span.start,
                    &format!("a key of {what} must be a word; put it in quotes"),
                ),
            }
        }
        entries
    }

    fn text(&mut self, node: &Node<'_>, key: &str) -> Option<String> {
        let text = node.data.as_str().filter(|text| !text.is_empty());
        if text.is_none() {
            self.problem(node.span.start, &format!("{}: must be text", shown(key)));
        }
        text.map(str::to_owned)
    }

    fn texts(&mut self, node: &Node<'_>, key: &str) -> Vec<String> {
        let Some(list) = node.data.as_vec() else {
            self.problem(node.span.start, &format!("{key}: must be a list"));
            return Vec::new();
        };
        list.iter().filter_map(|node| self.text(node, key)).collect()
    }

    fn boolean(&mut self, node: &Node<'_>, key: &str) -> bool {
        node.data.as_bool().unwrap_or_else(|| {
            self.problem(node.span.start, &format!("{key}: must be true or false"));
            false
        })
    }

    fn unknown(&mut self, node: &Node<'_>, key: &str, word: &str, known: &[&str]) {
        let hint = did_you_mean(word, known.iter().copied())
            .unwrap_or_else(|| format!("; known are {}", known.join(", ")));
        self.problem(
            node.span.start,
            &format!("{key}: unknown \"{}\"{hint}", shown(word)),
        );
    }

    fn problem(&mut self, at: Marker, message: &str) {
        self.problems.push(Problem {
            file: self.file.to_owned(),
            line: at.line().max(1),
            column: at.col() + 1,
            message: message.to_owned(),
        });
    }
}

/// The keys of `tls_server_config`.
const TLS_KEYS: [&str; 13] = [
    "cert_file",
    "cert",
    "key_file",
    "key",
    "client_ca_file",
    "client_ca",
    "client_auth_type",
    "client_allowed_sans",
    "min_version",
    "max_version",
    "cipher_suites",
    "curve_preferences",
    "prefer_server_cipher_suites",
];

/// Somebody else's word in a message.
fn shown(word: &str) -> impl std::fmt::Display + '_ {
    word.escape_debug()
}

#[cfg(test)]
mod tests;
