//! Connection strings, as libpq has them.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::options::PostgresOptions;
use super::tls::{self, Trust};
use crate::error::Error;

/// How long a connection is idle before the system looks whether the other end is there. Less than
/// what firewalls and load balancers wait until they forget it.
const KEEPALIVES_IDLE: Duration = Duration::from_secs(60);

/// Where a database is, and how to get there.
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
}

impl Address {
    /// Reads a connection string. Fails with `invalid-connection-string`.
    pub(super) fn parse(text: &str, options: &PostgresOptions) -> Result<Self, Error> {
        let (rest, sslmode, roots) = divided(&in_small_letters(text))?;
        let mut config: Config = rest.parse().map_err(|_| invalid(KNOWN))?;
        let (mode, trust) = match (sslmode.as_deref(), &roots) {
            (Some("disable"), _) => (SslMode::Disable, Trust::Everyone),
            (None | Some("allow" | "prefer"), _) => (SslMode::Prefer, Trust::Everyone),
            (Some("require"), None) => (SslMode::Require, Trust::Everyone),
            (Some("require" | "verify-ca"), _) => (SslMode::Require, Trust::Certified),
            (Some("verify-full"), _) => (SslMode::Require, Trust::Named),
            _ => {
                return Err(invalid(
                    "its sslmode has to be disable, prefer, require, verify-ca or verify-full",
                ));
            }
        };
        config.ssl_mode(mode);
        let counts = [config.get_hosts().len(), config.get_hostaddrs().len()];
        let hosts = counts.into_iter().max().unwrap_or(0).max(1);
        if counts.into_iter().any(|count| count > 0 && count != hosts) {
            return Err(invalid("its host and hostaddr have to be lists of the same length"));
        }
        if config.get_ports().len() > 1 && config.get_ports().len() != hosts {
            return Err(invalid("its port has to be one, or one for each host"));
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            config.host("localhost");
        }
        if config.get_application_name().is_none() {
            config.application_name(&options.application_name);
        }
        if config.get_keepalives_idle() > KEEPALIVES_IDLE {
            config.keepalives_idle(KEEPALIVES_IDLE);
        }
        Ok(Self { config, tls: tls::connector(trust, roots.as_deref()).map_err(invalid)? })
    }
}

/// A URL with its scheme as the driver knows it; other text as it is.
fn in_small_letters(text: &str) -> String {
    match text.split_once("://") {
        Some((scheme, rest)) if scheme.to_ascii_lowercase().starts_with("postgres") => {
            format!("{}://{rest}", scheme.to_ascii_lowercase())
        }
        _ => text.to_owned(),
    }
}

/// A connection string without what the driver does not know: the values of `sslmode` and
/// `sslrootcert`.
fn divided(text: &str) -> Result<(String, Option<String>, Option<String>), Error> {
    let is_url = text.starts_with("postgresql://") || text.starts_with("postgres://");
    let (mut rest, options, separator) = match text.split_once('?') {
        Some((before, options)) if is_url => (format!("{before}?"), options, '&'),
        None if is_url => return Ok((text.to_owned(), None, None)),
        _ => (String::new(), text, ' '),
    };
    let (mut sslmode, mut roots) = (None, None);
    for option in options.split(separator) {
        let place = match option.split_once('=') {
            Some(("sslmode", _)) => &mut sslmode,
            Some(("sslrootcert", _)) => &mut roots,
            _ => {
                if !rest.is_empty() && !rest.ends_with('?') {
                    rest.push(separator);
                }
                rest.push_str(option);
                continue;
            }
        };
        let value = option.split_once('=').map_or("", |(_, value)| value);
        *place = Some(if is_url {
            let value = percent_decode_str(value).decode_utf8();
            value.map_err(|_| invalid("an option of it is not UTF-8"))?.into_owned()
        } else {
            value.trim_matches('\'').to_owned()
        });
    }
    Ok((rest.trim_end_matches('?').to_owned(), sslmode, roots))
}

const KNOWN: &str = "pass a URL such as postgresql://user@host/database, or key=value pairs; the \
     options are user, password, host, hostaddr, port, dbname, application_name, options, \
     connect_timeout, sslmode, sslrootcert, sslnegotiation, channel_binding, \
     target_session_attrs, load_balance_hosts, tcp_user_timeout, keepalives, keepalives_idle, \
     keepalives_interval and keepalives_retries";

/// The error for a connection string. It says nothing of the string, which has the password.
fn invalid(what: &str) -> Error {
    let message = format!("the connection string is not one of PostgreSQL: {what}");
    Error::invalid("invalid-connection-string", &message)
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::Host;

    use super::*;

    fn parse(text: &str) -> Result<Address, Error> {
        Address::parse(text, &PostgresOptions::default())
    }

    #[test]
    fn urls_and_pairs_say_the_same() {
        for text in [
            "postgresql://ann:p%40ss@db.example:5433/app?sslmode=verify-full&connect_timeout=3",
            "PostgreSQL://ann:p%40ss@db.example:5433/app?sslmode=verify-full&connect_timeout=3",
            "host=db.example port=5433 user=ann password='p@ss' dbname=app sslmode=verify-full \
             connect_timeout=3",
        ] {
            let Address { config, .. } = parse(text).unwrap();
            assert_eq!(config.get_user(), Some("ann"));
            assert_eq!(config.get_password(), Some(b"p@ss".as_slice()));
            assert_eq!(config.get_hosts(), [Host::Tcp("db.example".to_owned())]);
            assert_eq!(config.get_ports(), [5433]);
            assert_eq!(config.get_dbname(), Some("app"));
            assert_eq!(config.get_ssl_mode(), SslMode::Require);
            assert_eq!(config.get_connect_timeout(), Some(&Duration::from_secs(3)));
            assert_eq!(config.get_application_name(), Some("langgraph-checkpoint-wasm"));
        }
    }

    #[test]
    fn what_is_left_out_has_the_defaults_of_libpq() {
        for text in ["postgresql:///app", "dbname=app"] {
            let Address { config, .. } = parse(text).unwrap();
            assert_eq!(config.get_hosts(), [Host::Tcp("localhost".to_owned())]);
            assert_eq!(config.get_ssl_mode(), SslMode::Prefer);
        }
    }

    #[test]
    fn an_error_says_what_to_do_and_nothing_of_the_string() {
        for text in [
            "mysql://ann:secret@db/app",
            "postgresql://ann:secret@db/app?sslmode=secret",
            "postgresql://ann:secret@db/app?secret=secret",
            "postgresql://ann:secret@db:port/app",
            "postgresql://ann:secret@db/app?sslmode=verify-full&sslrootcert=/no/secret",
            "host=secret,b port=1,2,3",
            "hostaddr=127.0.0.1 port=1,2 user=secret",
            "host=secret,b hostaddr=127.0.0.1",
            "secret",
        ] {
            let error = parse(text).err().unwrap();
            assert_eq!(error.code(), "invalid-connection-string");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
