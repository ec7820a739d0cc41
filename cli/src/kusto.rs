//! Stores on Kusto, named by `https://CLUSTER/DATABASE`, which may be the begin of a connection
//! string.

#[cfg(feature = "kusto")]
pub(crate) use self::store::{no_vacuum, open};

/// Whether a location is an address of Kusto's.
pub(crate) fn is_address(location: &str) -> bool {
    let scheme = location.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    scheme.is_some_and(|scheme| ["http", "https"].contains(&scheme.as_str()))
}

/// The failure of a program without Kusto.
#[cfg(not(feature = "kusto"))]
pub(crate) fn not_built() -> crate::failure::Failure {
    crate::failure::Failure::usage(
        "this program was built without Kusto: build it with the feature kusto",
    )
}

#[cfg(feature = "kusto")]
mod store {
    use std::env::var;

    use langgraph_checkpoint_host::{
        KustoCheckpointer, KustoComponent, KustoLogin, KustoOptions, Limits,
    };

    use crate::failure::{Failure, Result};

    /// Opens a store. Who logs in is said by the connection string, or else by the environment.
    pub(crate) fn open(location: &str, table: Option<&str>) -> Result<KustoCheckpointer> {
        let mut options = KustoOptions::from_connection_string(location)?;
        if matches!(options.login, KustoLogin::None) {
            options.login = login();
        }
        options.table = table.map(str::to_owned);
        // One command makes one call after another.
        options.instances = Some(1);
        let component = KustoComponent::embedded(Limits::default())?;
        Ok(KustoCheckpointer::open(component, options)?)
    }

    fn login() -> KustoLogin {
        if let Ok(token) = var("KUSTO_ACCESS_TOKEN") {
            return KustoLogin::Token(token);
        }
        match (var("AZURE_TENANT_ID"), var("AZURE_CLIENT_ID"), var("AZURE_CLIENT_SECRET")) {
            (Ok(tenant), Ok(client_id), Ok(secret)) => {
                KustoLogin::ClientSecret { tenant, client_id, secret }
            }
            _ => KustoLogin::None,
        }
    }

    /// The failure of a vacuum.
    pub(crate) fn no_vacuum() -> Failure {
        Failure::usage("vacuum is for files of SQLite: Kusto drops rows by the table's retention")
    }
}
