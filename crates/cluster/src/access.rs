//! Who may use a worker, and how connections are protected.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;

use http::HeaderValue;
use tonic::transport::{Certificate, ClientTlsConfig, Identity, ServerTlsConfig};
use url::{Host, Url};

use crate::error::ClusterError;
use crate::file::read;

/// The length of a token, in bytes.
const TOKEN_BYTES: std::ops::RangeInclusive<usize> = 16..=1024;

/// The secrets and certificates of one process. Plans contain none of them.
#[derive(Clone, Default)]
pub struct Access {
    token: Option<HeaderValue>,
    authority: Option<Certificate>,
    identity: Option<Identity>,
    server_name: Option<String>,
}

impl fmt::Debug for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Access")
            .field("token", &self.token.is_some())
            .field("authority", &self.authority.is_some())
            .field("identity", &self.identity.is_some())
            .field("server_name", &self.server_name)
            .finish()
    }
}

impl Access {
    /// Reads the token that all processes of a cluster share, from a file with one line.
    ///
    /// # Errors
    /// If the file cannot be read, or does not contain a token.
    pub fn with_token(self, file: &Path) -> Result<Self, ClusterError> {
        let text = read(file)?;
        let token = text.trim_end_matches(['\r', '\n']);
        let is_token =
            TOKEN_BYTES.contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
        let value = HeaderValue::from_str(&format!("Bearer {token}")).ok().filter(|_| is_token);
        let mut value = value.ok_or_else(|| ClusterError::Token(file.into()))?;
        value.set_sensitive(true);
        Ok(Self { token: Some(value), ..self })
    }

    /// Reads the certificates of the authority that signs those of workers, as PEM; connections use TLS then.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn with_authority(self, file: &Path) -> Result<Self, ClusterError> {
        Ok(Self { authority: Some(Certificate::from_pem(read(file)?)), ..self })
    }

    /// Reads the certificate of this process and its key, as PEM.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn with_identity(self, certificate: &Path, key: &Path) -> Result<Self, ClusterError> {
        let identity = Identity::from_pem(read(certificate)?, read(key)?);
        Ok(Self { identity: Some(identity), ..self })
    }

    /// Sets the name that certificates of workers must have, in place of the host in their address.
    pub fn with_server_name(self, name: String) -> Self {
        Self { server_name: Some(name), ..self }
    }

    /// Returns the header value of requests.
    pub(crate) fn token(&self) -> Option<&HeaderValue> {
        self.token.as_ref()
    }

    /// Returns the URL of a worker.
    ///
    /// # Errors
    /// If the address is invalid, or other machines can reach it and it is not protected.
    pub(crate) fn url(&self, address: &str) -> Result<Url, ClusterError> {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        let invalid = || ClusterError::Workers(address.to_owned());
        let url = Url::parse(&format!("{scheme}://{address}")).map_err(|_| invalid())?;
        let is_address = url.host().is_some()
            && address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
            && url.path() == "/"
            && !address.contains(['/', '@', '?', '#']);
        if !is_address {
            return Err(invalid());
        }
        self.check(&url)?;
        Ok(url)
    }

    /// Rejects a URL that other machines can reach, unless connections to it are protected.
    pub(crate) fn check(&self, url: &Url) -> Result<(), ClusterError> {
        let is_loopback = match url.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        if is_loopback
            || (url.scheme() == "https" && self.authority.is_some() && self.token.is_some())
        {
            return Ok(());
        }
        let address = url.host_str().unwrap_or_default().to_owned();
        Err(ClusterError::Unprotected(address, "--tls-ca, --token-file"))
    }

    /// Returns the TLS settings of connections to workers; `None` for connections without TLS.
    pub(crate) fn client_tls(&self) -> Option<ClientTlsConfig> {
        let mut tls = ClientTlsConfig::new().ca_certificate(self.authority.clone()?);
        if let Some(identity) = &self.identity {
            tls = tls.identity(identity.clone());
        }
        if let Some(name) = &self.server_name {
            tls = tls.domain_name(name);
        }
        Some(tls)
    }

    /// Returns the TLS settings of a worker that listens on this address; `None` for one without TLS.
    ///
    /// # Errors
    /// If other machines can reach the address, and it is not protected.
    pub(crate) fn server_tls(
        &self,
        address: IpAddr,
        client_certificates: bool,
    ) -> Result<Option<ServerTlsConfig>, ClusterError> {
        // Workers also connect to each other, so they need the authority.
        let is_protected =
            self.identity.is_some() && self.authority.is_some() && self.token.is_some();
        if !address.is_loopback() && !is_protected {
            let missing = "--tls-cert, --tls-key, --tls-ca, --token-file";
            return Err(ClusterError::Unprotected(address.to_string(), missing));
        }
        let (Some(identity), Some(authority)) = (&self.identity, &self.authority) else {
            return Ok(None);
        };
        let tls = ServerTlsConfig::new().identity(identity.clone());
        Ok(Some(if client_certificates { tls.client_ca_root(authority.clone()) } else { tls }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_off_loopback_need_tls_and_a_token() {
        let open = Access::default();
        for address in ["127.0.0.1:5000", "[::1]:5000", "localhost:5000", "127.1.2.3:80"] {
            assert_eq!(open.url(address).unwrap().scheme(), "http", "{address}");
        }
        for address in
            ["10.0.0.1:5000", "worker:5000", "[2001:db8::1]:5000", "localhost.example:5000"]
        {
            let error = open.url(address).unwrap_err().to_string();
            assert!(error.contains("TLS and a token are required"), "{error}");
        }
        for address in ["", "worker", "worker:x", "worker:5000/x", "user@worker:5000", "a:99999"] {
            assert!(matches!(open.url(address), Err(ClusterError::Workers(_))), "{address}");
        }
        assert!(open.server_tls("0.0.0.0".parse().unwrap(), false).is_err());
        assert!(open.server_tls("127.0.0.1".parse().unwrap(), false).unwrap().is_none());
    }
}
