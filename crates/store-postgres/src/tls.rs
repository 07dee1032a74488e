//! TLS, as libpq's `sslmode` names its degrees:
//!
//! | `sslmode` | encrypted | the server's certificate |
//! |---|---|---|
//! | `disable` | no | |
//! | `prefer` (where nothing is said) | where the server can | is not looked at |
//! | `require` | yes | is not looked at, unless `sslrootcert` is given |
//! | `verify-ca` | yes | is signed by a known authority |
//! | `verify-full` | yes | and names the host |
//!
//! Known authorities are those of `sslrootcert`, a PEM file, or else the system's. The
//! first three keep no one out who can stand in between; over a network use
//! `verify-full`.

use std::sync::Arc;

use mainstay_core::Error;
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

/// What a URL says of TLS.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TlsParams {
    pub(crate) mode: TlsMode,
    root_file: Option<String>,
}

/// libpq's `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsMode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl TlsParams {
    /// Takes what is said of TLS out of a URL, whose other parameters stay.
    ///
    /// # Errors
    /// `Unavailable` where `sslmode` is none of libpq's.
    pub(crate) fn take(url: &str) -> Result<(String, Self), Error> {
        let mut params = Self { mode: TlsMode::Prefer, root_file: None };
        let Some((address, query)) = url.split_once('?') else {
            return Ok((url.to_owned(), params));
        };
        let mut others = Vec::new();
        for pair in query.split('&') {
            match pair.split_once('=') {
                Some(("sslmode", mode)) => params.mode = TlsMode::parse(mode)?,
                Some(("sslrootcert", file)) => params.root_file = Some(file.replace("%2F", "/")),
                _ => others.push(pair),
            }
        }
        if params.root_file.is_some() && params.mode == TlsMode::Require {
            params.mode = TlsMode::VerifyCa;
        }
        let url = match others[..] {
            [] => address.to_owned(),
            _ => format!("{address}?{}", others.join("&")),
        };
        Ok((url, params))
    }

    /// What a connection is opened with.
    ///
    /// # Errors
    /// `Unavailable` where no authority's certificate can be read.
    pub(crate) fn connector(&self) -> Result<MakeRustlsConnect, Error> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(Error::internal)?;
        let config = match self.mode {
            TlsMode::VerifyFull => {
                builder.with_root_certificates(self.roots()?).with_no_client_auth()
            }
            mode => {
                let authority = match mode {
                    TlsMode::VerifyCa => {
                        let roots = Arc::new(self.roots()?);
                        let verifier = WebPkiServerVerifier::builder_with_provider(
                            roots,
                            Arc::clone(&provider),
                        );
                        Some(verifier.build().map_err(Error::internal)?)
                    }
                    _ => None,
                };
                let verifier = Arc::new(AnyHost { authority, provider });
                builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
            }
        };
        Ok(MakeRustlsConnect::new(config))
    }

    fn roots(&self) -> Result<RootCertStore, Error> {
        let mut roots = RootCertStore::empty();
        match &self.root_file {
            Some(file) => {
                let unreadable = || {
                    Error::unavailable(format!(
                        "sslrootcert names {file}, which holds no certificates in PEM"
                    ))
                };
                let all = CertificateDer::pem_file_iter(file)
                    .map_err(|error| unreadable().with_source(error))?;
                for one in all {
                    let one = one.map_err(|error| unreadable().with_source(error))?;
                    roots.add(one).map_err(|error| unreadable().with_source(error))?;
                }
                if roots.is_empty() {
                    return Err(unreadable());
                }
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        Ok(roots)
    }
}

impl TlsMode {
    fn parse(text: &str) -> Result<Self, Error> {
        Ok(match text {
            "disable" => Self::Disable,
            "prefer" | "allow" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            other => {
                return Err(Error::unavailable(format!(
                    "`sslmode={other}` of `[database] url` is unknown: use disable, prefer, \
                     require, verify-ca or verify-full"
                )));
            }
        })
    }

    /// As the library that connects knows it.
    pub(crate) fn ssl_mode(self) -> SslMode {
        match self {
            Self::Disable => SslMode::Disable,
            Self::Prefer => SslMode::Prefer,
            Self::Require | Self::VerifyCa | Self::VerifyFull => SslMode::Require,
        }
    }
}

/// Takes a certificate whatever host it names, and where no authority is given whoever
/// signed it. That the server holds its key is always seen to.
#[derive(Debug)]
struct AnyHost {
    authority: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyHost {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        use rustls::CertificateError::{NotValidForName, NotValidForNameContext};
        let Some(authority) = &self.authority else {
            return Ok(ServerCertVerified::assertion());
        };
        let verified = authority.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            // The name is looked at last: all else was in order.
            Err(rustls::Error::InvalidCertificate(
                NotValidForName | NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(url: &str) -> String {
        match TlsParams::take(url) {
            Ok((url, params)) => format!("{url} {:?} {:?}", params.mode, params.root_file),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_a_url_says_of_tls_is_taken_out_of_it() {
        assert_eq!(taken("postgres://db/app"), "postgres://db/app Prefer None");
        assert_eq!(
            taken("postgres://db/app?sslmode=verify-full&connect_timeout=3"),
            "postgres://db/app?connect_timeout=3 VerifyFull None"
        );
        assert_eq!(
            taken("postgres://db/app?sslmode=require&sslrootcert=/etc/ca.pem"),
            "postgres://db/app VerifyCa Some(\"/etc/ca.pem\")"
        );
        assert!(taken("postgres://db/app?sslmode=on").contains("`sslmode=on`"));
    }
}
