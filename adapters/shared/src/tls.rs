//! Encrypted connections.

use std::fmt;
use std::sync::Arc;

use liveops_core::error::{StoreError, StoreErrorKind};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

/// Whom a client trusts, and how it proves who it is. A server's certificate is always verified, its name too.
///
/// ```
/// use liveops_adapters::Tls;
///
/// let system = Tls::default(); // the system's authorities
/// # let pem = b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
/// let own = Tls::default().roots(pem); // these alone, read from a file
/// assert!(own.config().is_err(), "which has to hold certificates");
/// ```
#[derive(Clone, Default)]
pub struct Tls {
    roots: Option<Vec<u8>>,
    client: Option<Client>,
}

#[derive(Clone)]
struct Client {
    certificates: Vec<u8>,
    key: Vec<u8>,
}

impl Tls {
    /// Trusts these authorities and no others: certificates in PEM.
    #[must_use]
    pub fn roots(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = Some(pem.into());
        self
    }

    /// Shows the server a certificate: its chain and its private key, both in PEM.
    #[must_use]
    pub fn client(mut self, certificates_pem: impl Into<Vec<u8>>, key_pem: impl Into<Vec<u8>>) -> Self {
        self.client = Some(Client { certificates: certificates_pem.into(), key: key_pem.into() });
        self
    }

    /// The authorities that were named, in PEM.
    pub fn roots_pem(&self) -> Option<&[u8]> {
        self.roots.as_deref()
    }

    /// The client's chain and key, in PEM.
    pub fn client_pem(&self) -> Option<(&[u8], &[u8])> {
        self.client.as_ref().map(|client| (&client.certificates[..], &client.key[..]))
    }

    /// What rustls is told.
    ///
    /// Errors: `store_misconfigured` for PEM that is none, and for a key that is not the certificate's.
    pub fn config(&self) -> Result<ClientConfig, StoreError> {
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|_| misconfigured("a TLS provider with safe versions"))?
            .with_root_certificates(self.trusted()?);
        let Some(Client { certificates, key }) = &self.client else { return Ok(builder.with_no_client_auth()) };
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| misconfigured("a client's private key in PEM"))?;
        let chain = certificates_of(certificates, "a client's certificates in PEM")?;
        builder
            .with_client_auth_cert(chain, key)
            .map_err(|_| misconfigured("the private key of the client's certificate"))
    }

    fn trusted(&self) -> Result<RootCertStore, StoreError> {
        let mut store = RootCertStore::empty();
        let Some(pem) = &self.roots else {
            // Some of a system's may be of no use. With none at all every server is refused, and says so.
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            return Ok(store);
        };
        let wanted = "certificates of authorities in PEM";
        for certificate in certificates_of(pem, wanted)? {
            store.add(certificate).map_err(|_| misconfigured(wanted))?;
        }
        Ok(store)
    }
}

/// Names no key.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("own_roots", &self.roots.is_some()).field("client", &self.client.is_some()).finish()
    }
}

fn certificates_of(pem: &[u8], wanted: &'static str) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    read.ok().filter(|all| !all.is_empty()).ok_or_else(|| misconfigured(wanted))
}

fn misconfigured(wanted: &'static str) -> StoreError {
    StoreError::with_source(StoreErrorKind::Misconfigured, format!("wanted: {wanted}"))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use rustls::pki_types::ServerName;
    use rustls::server::WebPkiClientVerifier;
    use rustls::{ClientConnection, ServerConfig, ServerConnection};

    use super::*;

    /// An authority, a server and a client that it vouches for, made by `openssl` in a folder that goes with it.
    struct Certificates(PathBuf);

    impl Certificates {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("liveops-tls-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            let made = Self(folder);
            let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
            made.openssl(&[
                &["req", "-x509", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem"],
                &key[..],
            ]);
            for who in ["server", "client"] {
                let (out, request) = (format!("{who}.pem"), format!("{who}.csr"));
                let (subject, key_file) = (format!("/CN={who}"), format!("{who}.key"));
                made.openssl(&[&["req", "-subj", &subject, "-keyout", &key_file, "-out", &request], &key[..5]]);
                std::fs::write(made.0.join("names"), "subjectAltName=DNS:db.example\n").unwrap();
                let signing =
                    ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"];
                made.openssl(&[&["x509", "-req", "-in", &request, "-out", &out], &signing]);
            }
            made
        }

        fn openssl(&self, arguments: &[&[&str]]) {
            let out = Command::new("openssl").args(arguments.concat()).current_dir(&self.0).output().unwrap();
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        }

        fn pem(&self, name: impl AsRef<Path>) -> Vec<u8> {
            std::fs::read(self.0.join(name)).unwrap()
        }

        fn server(&self) -> ServerConfig {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(&self.pem("ca.pem")).unwrap()).unwrap();
            let provider = Arc::new(default_provider());
            let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider));
            ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_client_cert_verifier(clients.build().unwrap())
                .with_single_cert(
                    certificates_of(&self.pem("server.pem"), "").unwrap(),
                    PrivateKeyDer::from_pem_slice(&self.pem("server.key")).unwrap(),
                )
                .unwrap()
        }
    }

    impl Drop for Certificates {
        fn drop(&mut self) {
            _ = std::fs::remove_dir_all(&self.0);
        }
    }

    /// Whether the two come to an understanding, without a network.
    fn shake_hands(tls: &Tls, server: &Certificates, name: &'static str) -> Result<(), String> {
        let config = tls.config().map_err(|error| error.to_string())?;
        let mut client = ClientConnection::new(config.into(), ServerName::try_from(name).unwrap()).unwrap();
        let mut server = ServerConnection::new(server.server().into()).unwrap();
        for _ in 0..10 {
            let mut wire = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut wire).unwrap();
            }
            while !wire.is_empty() {
                let read = server.read_tls(&mut &wire[..]).unwrap();
                wire.drain(..read);
                server.process_new_packets().map_err(|error| format!("server: {error}"))?;
            }
            while server.wants_write() {
                server.write_tls(&mut wire).unwrap();
            }
            while !wire.is_empty() {
                let read = client.read_tls(&mut &wire[..]).unwrap();
                wire.drain(..read);
                client.process_new_packets().map_err(|error| format!("client: {error}"))?;
            }
        }
        if client.is_handshaking() || server.is_handshaking() { Err("undecided".to_owned()) } else { Ok(()) }
    }

    #[test]
    fn a_server_is_verified_and_a_client_shows_who_it_is() {
        let (own, other) = (Certificates::new("own"), Certificates::new("other"));
        let client = |of: &Certificates| Tls::default().client(of.pem("client.pem"), of.pem("client.key"));
        let tls = client(&own).roots(own.pem("ca.pem"));
        assert_eq!(shake_hands(&tls, &own, "db.example"), Ok(()));
        for (tls, name, who) in [
            (&tls, "other.example", "client: "),
            (&client(&own).roots(other.pem("ca.pem")), "db.example", "client: "),
            (&client(&own), "db.example", "client: "),
            (&client(&other).roots(own.pem("ca.pem")), "db.example", "server: "),
            (&Tls::default().roots(own.pem("ca.pem")), "db.example", "server: "),
        ] {
            let refused = shake_hands(tls, &own, name).unwrap_err();
            assert!(refused.starts_with(who), "{refused}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_refused_and_never_shown() {
        let made = Certificates::new("bad");
        let (certificate, key) = (made.pem("client.pem"), made.pem("client.key"));
        let other = made.pem("server.key");
        for tls in [
            Tls::default().roots("not PEM"),
            Tls::default().roots(&key[..]),
            Tls::default().roots("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"),
            Tls::default().client("not PEM", &key[..]),
            Tls::default().client(&certificate[..], "secret, and not PEM"),
            Tls::default().client(&certificate[..], &other[..]),
        ] {
            let error = tls.config().unwrap_err();
            assert_eq!(error.kind, StoreErrorKind::Misconfigured);
            let said = format!("{tls:?} {error:?} {error} {:?}", error.source);
            assert!(!said.contains("secret") && !said.contains("BEGIN"), "{said}");
        }
        let own = Tls::default().roots(made.pem("ca.pem")).client(&certificate[..], &key[..]);
        assert_eq!(own.client_pem(), Some((&certificate[..], &key[..])));
        assert!(own.config().is_ok() && own.roots_pem().is_some());
    }
}
