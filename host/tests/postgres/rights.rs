//! Rights, logins and names.

use langgraph_checkpoint_host::{Checkpointer, Error, Planner, PostgresOptions, PostgresStorage};

use crate::server::{Schema, url, url_of_role};
use crate::support::{at, config, put, put_writes};

pub(crate) const USE: &str = "GRANT USAGE ON SCHEMA $schema TO $role";
pub(crate) const WORK: &str =
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA $schema TO $role";

/// A role that may log in, with these grants.
pub(crate) async fn new_role(schema: &Schema, grants: &[&str]) -> String {
    let role = schema.mark();
    schema.rows(&format!("CREATE ROLE {role} LOGIN PASSWORD 'right'")).await;
    for grant in grants {
        schema.rows(&grant.replace("$role", &role)).await;
    }
    role
}

pub(crate) async fn end(schema: Schema, role: &str) {
    schema.rows(&format!("DROP OWNED BY {role} CASCADE")).await;
    schema.rows(&format!("DROP ROLE {role}")).await;
    schema.end().await;
}

fn open_as(role: &str, schema: &Schema) -> Checkpointer<PostgresStorage> {
    schema.open_at(&url_of_role(role, "right"), &schema.options())
}

fn is_denied(error: &Error) -> bool {
    matches!(error, Error::Denied(fault) if !fault.maybe_stored)
}

#[tokio::test]
async fn a_role_without_create_works_on_a_prepared_schema() {
    let schema = Schema::new().await;
    schema.open().setup().await.unwrap();
    let role = new_role(&schema, &[USE, WORK]).await;
    let checkpointer = open_as(&role, &schema);
    checkpointer.setup().await.unwrap();
    checkpointer.put(put("t", None, "1", "1")).await.unwrap();
    checkpointer.put_writes(put_writes("t", "1", "task")).await.unwrap();
    let tuple = checkpointer.get_tuple(config("t")).await.unwrap().unwrap();
    assert_eq!(tuple.pending_writes.len(), 1);
    checkpointer.delete_thread(config("t")).await.unwrap();
    assert_eq!(checkpointer.get_tuple(at("t", "1")).await.unwrap(), None);
    end(schema, &role).await;
}

#[tokio::test]
async fn a_missing_right_is_denied_and_named() {
    let schema = Schema::new().await;
    schema.open().setup().await.unwrap();
    let read = "GRANT SELECT ON ALL TABLES IN SCHEMA $schema TO $role";
    let role = new_role(&schema, &[USE, read]).await;
    let checkpointer = open_as(&role, &schema);
    assert_eq!(checkpointer.get_tuple(config("t")).await.unwrap(), None);
    let denied = checkpointer.put(put("t", None, "1", "1")).await.unwrap_err();
    assert!(is_denied(&denied));
    assert_eq!(denied.code(), "store-forbidden");
    assert!(denied.to_string().contains("permission denied for table lg_threads"), "{denied}");
    let none = Schema::new().await;
    assert_eq!(open_as(&role, &none).setup().await.unwrap_err().code(), "store-forbidden");
    end(schema, &role).await;
}

#[tokio::test]
async fn a_missing_database_and_a_refused_login_are_denied() {
    let schema = Schema::new().await;
    let (before, _) = url().rsplit_once('/').unwrap();
    let elsewhere = schema.open_at(&format!("{before}/lgtest_missing"), &schema.options());
    let missing = elsewhere.get_tuple(config("t")).await.unwrap_err();
    assert!(is_denied(&missing));
    assert_eq!(missing.code(), "store-not-provisioned");
    let stranger = url_of_role("lgtest_nobody", "secret%20phrase");
    let stranger = schema.open_at(&stranger, &schema.options());
    let refused = stranger.get_tuple(config("t")).await.unwrap_err();
    assert!(is_denied(&refused));
    assert_eq!(refused.code(), "store-unauthorized");
    assert!(!format!("{refused:?}").contains("secret phrase"));
    assert!(!format!("{stranger:?}").contains("secret phrase"));
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_one_are_unauthorized() {
    if std::env::var_os("POSTGRES_URL").is_some() {
        // The role `locked` needs a password only on the tests' own server.
        return;
    }
    let schema = Schema::new().await;
    schema.rows("CREATE ROLE locked LOGIN PASSWORD 'right'").await;
    schema.rows("CREATE SCHEMA $schema AUTHORIZATION locked").await;
    let open = |password| schema.open_at(&url_of_role("locked", password), &schema.options());
    for password in ["wrong", ""] {
        let refused = open(password).put(put("t", None, "1", "1")).await.unwrap_err();
        assert!(is_denied(&refused), "{refused}");
        assert_eq!(refused.code(), "store-unauthorized");
    }
    open("right").put(put("t", None, "1", "1")).await.unwrap();
    end(schema, "locked").await;
}

#[tokio::test]
async fn a_schema_that_is_dropped_is_not_provisioned() {
    let schema = Schema::new().await;
    let checkpointer = schema.open();
    checkpointer.put(put("t", None, "1", "1")).await.unwrap();
    schema.rows("DROP SCHEMA $schema CASCADE").await;
    let denied = checkpointer.put(put("t", Some("1"), "2", "2")).await.unwrap_err();
    assert!(is_denied(&denied));
    assert_eq!(denied.code(), "store-not-provisioned");
}

#[tokio::test]
async fn a_database_in_another_encoding_is_refused() {
    let schema = Schema::new().await;
    let name = schema.mark();
    let create = "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0";
    schema.rows(&format!("CREATE DATABASE {name} {create}")).await;
    let (before, _) = url().rsplit_once('/').unwrap();
    let checkpointer = schema.open_at(&format!("{before}/{name}"), &schema.options());
    let refused = checkpointer.put(put("t", None, "1", "1")).await.unwrap_err();
    assert!(is_denied(&refused));
    assert_eq!(refused.code(), "unsupported-server");
    drop(checkpointer);
    schema.rows(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
}

#[test]
fn a_schema_that_cannot_exist_is_refused() {
    for schema in ["", "a\0b", "pg_x", &"\u{e9}".repeat(32)] {
        let schema = schema.to_owned();
        let options = PostgresOptions { schema, ..PostgresOptions::default() };
        let url = "postgresql://localhost/app";
        let refused = Checkpointer::connect_postgres(Planner::native(), url, &options);
        assert_eq!(refused.unwrap_err().code(), "invalid-schema");
    }
}

#[tokio::test]
async fn hostile_schemas_ids_and_filters_are_only_names() {
    let schema = Schema::new().await;
    let long = format!("{}\u{e9}", "x".repeat(61));
    for name in ["\"; DROP SCHEMA public CASCADE; --", "$1", "%s {0} \\", "pg\"_temp", &long] {
        let options = PostgresOptions { schema: name.to_owned(), ..PostgresOptions::default() };
        let checkpointer = schema.open_at(url(), &options);
        let id = "'; DROP TABLE lg_records; --\\ $1 \u{1f600}";
        checkpointer.put(put(id, None, id, "1")).await.unwrap();
        let tuple = checkpointer.get_tuple(config(id)).await.unwrap().unwrap();
        assert_eq!(tuple.checkpoint_id, id);
        let quoted = name.replace('"', "\"\"");
        let count = format!("SELECT count(*) FROM \"{quoted}\".lg_records");
        assert_eq!(schema.rows(&count).await[0].get::<_, i64>(0), 1);
        schema.rows(&format!("DROP SCHEMA \"{quoted}\" CASCADE")).await;
    }
}
