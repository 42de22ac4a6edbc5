//! TLS as the web configuration chooses it, by rustls: 1.2 and 1.3 only, whatever is asked for.

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{RootCertStore, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion};

/// What is asked of clients' certificates. Kinds that ask for one and verify nothing are not offered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// None is asked for.
    #[default]
    None,
    /// One that is given must be good.
    IfGiven,
    /// A good one must be given.
    Required,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// 1.2, of 2008.
    Tls12,
    /// 1.3, of 2018.
    Tls13,
}

/// TLS as the file says it, with the contents of the files that it names.
#[derive(Clone, PartialEq, Eq)]
pub struct Tls {
    /// The server's certificate and those between it and the root, PEM.
    pub certificates: Vec<u8>,
    /// Its key, PEM: PKCS #8, PKCS #1 (RSA) or SEC 1 (EC).
    pub key: Vec<u8>,
    /// Roots of clients' certificates, PEM.
    pub client_ca: Option<Vec<u8>>,
    /// What is asked of clients.
    pub client_auth: ClientAuth,
    /// A client's certificate must be for one of these host names or addresses; empty: any will do.
    pub allowed_sans: Vec<String>,
    /// The oldest version spoken.
    pub oldest: TlsVersion,
    /// The newest version spoken.
    pub newest: TlsVersion,
    /// Names of the cipher suites of TLS 1.2, as in [`cipher_suites`]; empty: all of them.
    pub cipher_suites: Vec<String>,
    /// Names of the curves, as in [`curves`], best first; empty: all of them.
    pub curves: Vec<String>,
    /// The server's order of cipher suites counts, not the client's.
    pub prefer_server_order: bool,
}

/// Nothing but 1.2 and 1.3, and no certificate yet.
impl Default for Tls {
    fn default() -> Self {
        Self {
            certificates: Vec::new(),
            key: Vec::new(),
            client_ca: None,
            client_auth: ClientAuth::None,
            allowed_sans: Vec::new(),
            oldest: TlsVersion::Tls12,
            newest: TlsVersion::Tls13,
            cipher_suites: Vec::new(),
            curves: Vec::new(),
            prefer_server_order: true,
        }
    }
}

/// Names of the cipher suites of TLS 1.2 that can be chosen. Those of 1.3 are not for choice, as with Go.
#[must_use]
pub fn cipher_suites() -> Vec<&'static str> {
    let all = ring::default_provider().cipher_suites;
    let old = all.iter().filter(|suite| suite.tls13().is_none());
    old.filter_map(|suite| suite.suite().as_str()).collect()
}

/// Names of the curves, as Go writes them.
const CURVES: [(&str, &dyn SupportedKxGroup); 3] = [
    ("X25519", ring::kx_group::X25519),
    ("CurveP256", ring::kx_group::SECP256R1),
    ("CurveP384", ring::kx_group::SECP384R1),
];

/// Names of the curves that can be chosen.
#[must_use]
pub fn curves() -> Vec<&'static str> {
    CURVES.iter().map(|(name, _)| *name).collect()
}

/// Whose verified certificates are good.
pub(in crate::expose) struct Allowed(Vec<ServerName<'static>>);

impl Allowed {
    /// Whether the client that gave these certificates, its own first, may go on.
    pub(in crate::expose) fn admits(&self, given: Option<&[CertificateDer<'_>]>) -> bool {
        let Some(own) = given.and_then(<[_]>::first) else {
            // Whether one had to be given was judged by the handshake.
            return true;
        };
        let is_for = |parsed: &ParsedCertificate<'_>| {
            self.0.iter().any(|name| verify_server_name(parsed, name).is_ok())
        };
        self.0.is_empty() || ParsedCertificate::try_from(own).is_ok_and(|parsed| is_for(&parsed))
    }
}

impl Tls {
    pub(super) fn acceptor(&self) -> Result<(TlsAcceptor, Allowed), String> {
        let provider = Arc::new(self.provider());
        let versions: Vec<&'static SupportedProtocolVersion> =
            [(TlsVersion::Tls12, &TLS12), (TlsVersion::Tls13, &TLS13)]
                .into_iter()
                .filter(|(version, _)| (self.oldest..=self.newest).contains(version))
                .map(|(_, version)| version)
                .collect();
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)
            .map_err(|error| format!("min_version and max_version leave no TLS: {error}"))?;
        let builder = match self.client_auth {
            ClientAuth::None => builder.with_no_client_auth(),
            ClientAuth::IfGiven | ClientAuth::Required => {
                let roots = roots(self.client_ca.as_deref().unwrap_or_default())?;
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = match self.client_auth {
                    ClientAuth::IfGiven => verifier.allow_unauthenticated(),
                    ClientAuth::None | ClientAuth::Required => verifier,
                };
                let verifier = verifier.build().map_err(|error| format!("client_ca: {error}"))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let chain = certificates(&self.certificates).map_err(|why| format!("cert: {why}"))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|error| format!("key: no private key in PEM: {error}"))?;
        let mut config = builder
            .with_single_cert(chain, key)
            .map_err(|error| format!("cert and key: {error}"))?;
        config.ignore_client_order = self.prefer_server_order;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let names = self.allowed_sans.iter().map(|name| {
            ServerName::try_from(name.clone())
                .map_err(|_| format!("client_allowed_sans: {name:?} is no host name and no address"))
        });
        let allowed = Allowed(names.collect::<Result<_, _>>()?);
        Ok((TlsAcceptor::from(Arc::new(config)), allowed))
    }

    /// ring's, less what was not chosen.
    fn provider(&self) -> CryptoProvider {
        let mut provider = ring::default_provider();
        if !self.cipher_suites.is_empty() {
            let is_chosen = |suite: &SupportedCipherSuite| {
                let name = suite.suite().as_str().unwrap_or_default();
                suite.tls13().is_some() || self.cipher_suites.iter().any(|chosen| chosen == name)
            };
            provider.cipher_suites.retain(is_chosen);
        }
        if !self.curves.is_empty() {
            let named = |chosen: &String| CURVES.iter().find(|(name, _)| name == chosen);
            provider.kx_groups = self
                .curves
                .iter()
                .filter_map(named)
                .map(|(_, group)| *group)
                .collect();
        }
        provider
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err("no certificate in PEM".to_owned()),
        Ok(found) => Ok(found),
        Err(error) => Err(format!("no certificates in PEM: {error}")),
    }
}

fn roots(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem).map_err(|why| format!("client_ca: {why}"))? {
        roots
            .add(certificate)
            .map_err(|error| format!("client_ca: {error}"))?;
    }
    Ok(roots)
}
