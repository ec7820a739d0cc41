//! Connections with TLS, as libpq's `sslmode` says.

use langgraph_checkpoint_guest::Access;
use langgraph_checkpoint_host::{
    Batch, PostgresOptions, PostgresStorage, Statement, StorageAdapter, StorageError, Value,
};

use crate::server::Server;

/// An authority, and a certificate of it for `localhost` and not for 127.0.0.1, with its key. They
/// are for this test only, for a hundred years, and the authority's key is gone.
const CERTIFICATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/postgres/certificates");

/// Whether the session is encrypted, as the server sees it.
async fn is_encrypted(url: &str) -> Result<bool, StorageError> {
    let text = "SELECT ssl::int::bigint FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let statement = Statement { text: text.to_owned(), parameters: vec![Vec::new()] };
    let storage = PostgresStorage::new(url, &PostgresOptions::default()).unwrap();
    let batch = Batch { access: Access::Read, statements: vec![statement] };
    Ok(storage.run(batch).await?[0].rows == [[Value::Integer(1)]])
}

#[tokio::test]
async fn a_mode_says_what_is_encrypted_and_verified() {
    let server = Server::start(&[&format!("tls={CERTIFICATES}")]);
    let by_name = server.url.replace("127.0.0.1", "localhost");
    let root = format!("sslrootcert={CERTIFICATES}/root.pem");
    for (url, options, expected) in [
        (&server.url, String::new(), Some(true)),
        (&server.url, "sslmode=disable".to_owned(), Some(false)),
        (&server.url, "sslmode=prefer".to_owned(), Some(true)),
        (&server.url, "sslmode=require".to_owned(), Some(true)),
        (&server.url, format!("sslmode=require&{root}"), Some(true)),
        (&server.url, format!("sslmode=verify-ca&{root}"), Some(true)),
        (&server.url, "sslmode=verify-ca".to_owned(), None),
        (&server.url, format!("sslmode=verify-full&{root}"), None),
        (&by_name, format!("sslmode=verify-full&{root}"), Some(true)),
        (&by_name, "sslmode=verify-full".to_owned(), None),
        (&by_name, "sslmode=verify-full&sslrootcert=system".to_owned(), None),
    ] {
        match (is_encrypted(&format!("{url}?{options}")).await, expected) {
            (Ok(encrypted), Some(expected)) => assert_eq!(encrypted, expected, "{options}"),
            (Err(error), None) => assert_eq!(error.code(), "storage-unreachable", "{options}"),
            (Ok(_), None) => panic!("{options}: an unknown server was trusted"),
            (Err(error), Some(_)) => panic!("{options}: {error:?}"),
        }
    }
}

#[tokio::test]
async fn a_server_without_tls_is_used_only_if_nothing_asks_for_it() {
    let url = crate::server::url();
    assert!(!is_encrypted(&format!("{url}?sslmode=prefer")).await.unwrap());
    let refused = is_encrypted(&format!("{url}?sslmode=require")).await.unwrap_err();
    assert_eq!(refused.code(), "storage-unreachable");
}
