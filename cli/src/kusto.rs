//! Stores on Kusto, named by `https://CLUSTER/DATABASE`, which may be the begin of a connection
//! string.

#[cfg(feature = "kusto")]
pub(crate) use self::store::{cannot, delete, open};

/// Whether a location is an address of Kusto's.
pub(crate) fn is_address(location: &str) -> bool {
    let scheme = location.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    scheme.is_some_and(|scheme| ["http", "https"].contains(&scheme.as_str()))
}

#[cfg(feature = "kusto")]
mod store {
    use std::env::var;

    use langgraph_checkpoint_host::{
        Config, Error, Id, KustoCheckpointer, KustoComponent, KustoLogin, KustoOptions, Limits,
        Work,
    };

    use crate::arguments::Store;
    use crate::failure::{Failure, Result};

    /// Opens a store. Who logs in is said by the connection string, or else by the environment.
    pub(crate) fn open(store: &Store) -> Result<KustoCheckpointer> {
        let mut options = KustoOptions::from_connection_string(&store.location)?;
        if matches!(options.login, KustoLogin::None) {
            options.login = login();
        }
        options.table.clone_from(&store.table);
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

    /// Deletes threads. Kusto does not count what it hides.
    pub(crate) async fn delete(
        checkpointer: &KustoCheckpointer,
        ids: Vec<Id>,
    ) -> std::result::Result<Work, Error> {
        let mut work = Work::default();
        for thread_id in ids {
            checkpointer.delete_thread(Config { thread_id, ..Config::default() }).await?;
            work.threads += 1;
        }
        Ok(work)
    }

    /// The failure of a command that Kusto's stores do not have.
    pub(crate) fn cannot() -> Failure {
        Failure::usage("on Kusto there are history, show and delete, without options that count")
    }
}
