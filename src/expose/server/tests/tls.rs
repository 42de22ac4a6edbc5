//! TLS, client certificates and users on real sockets, with certificates of the kinds that servers have (`tests/tls`).

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio_rustls::{TlsConnector, rustls};

use super::*;
use crate::expose::web::{self, ClientAuth, Tls, TlsVersion};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name)
}

fn pem(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

fn tls(certificate: &str, key: &str) -> Tls {
    Tls {
        certificates: pem(certificate),
        key: pem(key),
        ..Tls::default()
    }
}

fn doors(tls: Tls) -> Doors {
    let settings = web::Settings {
        tls: Some(tls),
        ..web::Settings::default()
    };
    Doors::from_file(Box::new(move || Ok(settings.clone()))).unwrap()
}

/// Connects as a client that trusts the root of the tests; with a certificate of its own where `own` says so.
async fn connect(
    address: SocketAddr,
    versions: &[&'static SupportedProtocolVersion],
    own: bool,
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(path("ca.crt")).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let config = if own {
        let chain = vec![CertificateDer::from_pem_file(path("client.crt")).unwrap()];
        let key = PrivateKeyDer::from_pem_file(path("client.key")).unwrap();
        config.with_client_auth_cert(chain, key).unwrap()
    } else {
        config.with_no_client_auth()
    };
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// What a scrape with these further headers is answered; nothing where the connection does not last.
async fn scrape(stream: io::Result<TlsStream<TcpStream>>, headers: &str) -> String {
    let Ok(mut stream) = stream else {
        return String::new();
    };
    let request = format!("GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
    // In TLS 1.3 a client learns only from its first read that its certificate was refused.
    stream.write_all(request.as_bytes()).await.ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    String::from_utf8(answer).unwrap()
}

#[test]
fn certificates_with_keys_of_every_common_kind_serve_both_versions() {
    for (certificate, key) in [
        ("ec.crt", "ec.sec1.key"),
        ("ec.crt", "ec.pkcs8.key"),
        ("rsa.crt", "rsa.pkcs1.key"),
        ("rsa.crt", "rsa.pkcs8.key"),
    ] {
        beside(
            doors(tls(certificate, key)),
            Limits::default(),
            1,
            async |address, _| {
                for versions in [&[&TLS12], &[&TLS13]] {
                    let answer = scrape(connect(address, versions, false).await, "").await;
                    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{key}: {answer}");
                }
            },
        );
    }
}

#[test]
fn versions_and_suites_that_were_not_chosen_are_not_spoken() {
    let newest_only = Tls {
        oldest: TlsVersion::Tls13,
        ..tls("ec.crt", "ec.pkcs8.key")
    };
    let rsa_suites_only = Tls {
        cipher_suites: vec!["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256".to_owned()],
        ..tls("ec.crt", "ec.pkcs8.key")
    };
    for chosen in [newest_only, rsa_suites_only] {
        beside(doors(chosen), Limits::default(), 1, async |address, _| {
            assert!(connect(address, &[&TLS12], false).await.is_err());
            let answer = scrape(connect(address, &[&TLS13], false).await, "").await;
            assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        });
    }
}

#[test]
fn only_clients_with_a_good_certificate_for_an_allowed_name_come_in() {
    for (client_auth, name, own, admitted) in [
        (ClientAuth::Required, None, true, true),
        (ClientAuth::Required, None, false, false),
        (ClientAuth::IfGiven, None, false, true),
        (ClientAuth::IfGiven, None, true, true),
        (ClientAuth::Required, Some("prometheus.example"), true, true),
        (ClientAuth::Required, Some("other.example"), true, false),
    ] {
        let tls = Tls {
            client_auth,
            client_ca: Some(pem("ca.crt")),
            allowed_sans: name.map(str::to_owned).into_iter().collect(),
            ..tls("ec.crt", "ec.pkcs8.key")
        };
        beside(doors(tls), Limits::default(), 1, async |address, _| {
            let answer = scrape(connect(address, &[&TLS13], own).await, "").await;
            assert_eq!(
                answer.starts_with("HTTP/1.1 200"),
                admitted,
                "{client_auth:?} {name:?} {own}: {answer}"
            );
        });
    }
}

#[test]
fn certificates_and_keys_that_do_not_belong_together_are_told() {
    for (tls, expected) in [
        (tls("ec.crt", "client.key"), "cert and key: "),
        (tls("ec.crt", "ec.crt"), "key: no private key"),
        (tls("ec.pkcs8.key", "ec.pkcs8.key"), "cert: no certificate"),
    ] {
        let settings = web::Settings {
            tls: Some(tls),
            ..web::Settings::default()
        };
        let why = web::Door::new(&settings).err().unwrap();
        assert!(why.starts_with(expected), "{why}");
    }
}

#[test]
fn users_are_asked_for_and_headers_are_sent_with_every_answer() {
    let settings = web::Settings {
        users: [("ada".to_owned(), bcrypt::hash("secret", 4).unwrap())].into(),
        headers: vec![(hyper::header::X_FRAME_OPTIONS, "deny".parse().unwrap())],
        tls: Some(tls("ec.crt", "ec.pkcs8.key")),
    };
    let settings = Mutex::new(settings);
    let doors = Doors::from_file(Box::new(move || Ok(settings.lock().unwrap().clone()))).unwrap();
    beside(doors, Limits::default(), 1, async |address, _| {
        for (headers, status) in [
            ("", "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic"),
            ("authorization: Basic YWRhOnNlY3JldA==\r\n", "HTTP/1.1 200"),
            ("authorization: Basic YWRhOnNlY3JldB==\r\n", "HTTP/1.1 401"),
        ] {
            let answer = scrape(connect(address, &[&TLS13], false).await, headers).await;
            let head = answer.replace("content-type: text/plain; charset=utf-8\r\n", "");
            assert!(head.starts_with(status), "{answer}");
            assert!(answer.contains("x-frame-options: deny\r\n"), "{answer}");
        }
    });
}

#[test]
fn clients_that_never_finish_shaking_hands_do_not_keep_a_scrape_out() {
    let limits = Limits {
        connections: 4,
        ..Limits::default()
    };
    beside(
        doors(tls("ec.crt", "ec.pkcs8.key")),
        limits,
        1,
        async |address, _| {
            let mut crowd = Vec::new();
            for _ in 0..20 {
                let mut client = TcpStream::connect(address).await.unwrap();
                // The beginning of a ClientHello, and nothing more.
                client.write_all(&[22, 3, 1, 2, 0]).await.unwrap();
                crowd.push(client);
            }
            let answer = scrape(connect(address, &[&TLS13], false).await, "").await;
            assert!(
                answer.contains("flinktail_http_connections_dropped_total{reason=\"displaced\"} "),
                "{answer}"
            );
        },
    );
}
