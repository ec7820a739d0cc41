//! TLS, through rustls.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore,
    SignatureScheme,
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Which servers are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// All: the connection is encrypted, and nobody knows with whom.
    Everyone,
    /// Those with a certificate.
    Certified,
    /// Those with a certificate for the name of the host.
    Named,
}

/// What makes connections with TLS. The roots are those of a file in PEM, or else those that
/// browsers trust. Fails with what is wrong with the file.
pub(super) fn connector(
    trust: Trust,
    roots: Option<&str>,
) -> Result<MakeRustlsConnect, &'static str> {
    let provider = Arc::new(ring::default_provider());
    let certificates = match trust {
        Trust::Everyone => None,
        Trust::Certified | Trust::Named => {
            let roots = Arc::new(store(roots)?);
            let builder = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider));
            Some(builder.build().map_err(|_| "its sslrootcert has no certificate")?)
        }
    };
    let verifier = Verifier { trust, certificates, provider: Arc::clone(&provider) };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| "TLS cannot be used with its options")?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn store(roots: Option<&str>) -> Result<RootCertStore, &'static str> {
    let path = match roots {
        None | Some("system") => {
            return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
        }
        Some(path) => path,
    };
    let mut store = RootCertStore::empty();
    let unreadable = "its sslrootcert is no file with certificates in PEM";
    for certificate in CertificateDer::pem_file_iter(path).map_err(|_| unreadable)? {
        let certificate = certificate.map_err(|_| unreadable)?;
        store.add(certificate).map_err(|_| unreadable)?;
    }
    if store.is_empty() { Err(unreadable) } else { Ok(store) }
}

/// Verifies what libpq's `sslmode` says.
#[derive(Debug)]
struct Verifier {
    trust: Trust,
    /// `None` if everyone is trusted.
    certificates: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let Some(certificates) = &self.certificates else {
            return Ok(ServerCertVerified::assertion());
        };
        let verified = certificates.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        // The name is looked at last.
        match verified {
            Err(TlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.trust == Trust::Certified => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
