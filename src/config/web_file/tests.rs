//! Web configuration files, good and bad, against what they say and the messages they get.

use super::*;

/// A good file with everything in it; the certificates are those of the tests.
const WHOLE: &str = "
tls_server_config:
  cert_file: ec.crt
  key_file: ec.sec1.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
  client_allowed_sans: [prometheus.example]
  min_version: TLS12
  max_version: TLS13
  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256]
  curve_preferences: [CurveP256, X25519]
  prefer_server_cipher_suites: false
http_server_config:
  http2: true
  headers:
    Strict-Transport-Security: max-age=31536000
    X-Frame-Options: deny
basic_auth_users:
  ada: $2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG
";

/// As if it stood beside the certificates.
fn file() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/web.yml").to_owned()
}

#[test]
fn every_key_has_its_effect() {
    let settings = parse(&file(), WHOLE).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert!(crate::expose::web::Door::new(&settings).is_ok());
    let tls = settings.tls.unwrap();
    assert!(tls.certificates.starts_with(b"-----BEGIN CERTIFICATE"));
    assert!(tls.key.starts_with(b"-----BEGIN EC PARAMETERS"));
    assert!(tls.client_ca.unwrap().starts_with(b"-----BEGIN CERTIFICATE"));
    assert_eq!(tls.client_auth, ClientAuth::Required);
    assert_eq!(tls.allowed_sans, ["prometheus.example"]);
    assert_eq!((tls.oldest, tls.newest), (TlsVersion::Tls12, TlsVersion::Tls13));
    assert_eq!(tls.cipher_suites.len(), 2);
    assert_eq!(tls.curves, ["CurveP256", "X25519"]);
    assert!(!tls.prefer_server_order);
    assert_eq!(settings.headers.len(), 2);
    assert_eq!(settings.headers[1].1, "deny");
    assert_eq!(settings.users.len(), 1);
}

#[test]
fn certificates_may_stand_in_the_file_itself() {
    let indented = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name);
        std::fs::read_to_string(path).unwrap().replace('\n', "\n    ")
    };
    let text = format!(
        "tls_server_config:\n  cert: |\n    {}\n  key: |\n    {}\n",
        indented("rsa.crt"),
        indented("rsa.pkcs8.key")
    );
    let settings = parse("web.yml", &text).unwrap();
    assert!(crate::expose::web::Door::new(&settings).is_ok());
}

#[test]
fn an_empty_file_asks_for_nothing() {
    for text in ["", "# nothing yet\n", "---\n"] {
        assert!(parse("web.yml", text).unwrap() == Settings::default(), "{text:?}");
    }
}

/// `bad.txt` holds cases: lines of YAML, then `=> line:column: message` for each problem in the order told.
#[test]
fn every_bad_file_gets_exactly_its_messages() {
    crate::config::tests::check_bad("src/config/web_file/tests/bad.txt", 20, |text| {
        // Named so that relative paths lead nowhere.
        parse("bad", text).map(drop)
    });
}

proptest::proptest! {
    #[test]
    fn no_text_is_fatal(text in "[a-z_:\\- \n\"'\\[\\]{}&*!|>#]{0,120}") {
        if let Err(problems) = parse("web.yml", &text) {
            proptest::prop_assert!(!problems.is_empty());
        }
    }
}
