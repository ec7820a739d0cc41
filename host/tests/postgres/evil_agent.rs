//! What an agent that sends its own statements may do with a schema: only what the component
//! `checkpointer` does, and only for a limited time. The role is a superuser here: the host alone
//! confines it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use langgraph_checkpoint_guest::{
    Access, Answer, Call, Moment, Need, Outcome, PostgresOptions as GuestOptions, Progress, Store,
    StoreOptions,
};
use langgraph_checkpoint_host::{
    AgentLimits, Batch, Checkpointer, List, MetadataFilter, Planner, PostgresAgentStorage,
    PostgresOptions, Statement, StorageAdapter, StorageError, Stored, Value,
};
use langgraph_checkpoint_tests::transcript;
use tokio_postgres::types::Type;

use crate::proxy::Proxy;
use crate::rights::{self, USE, WORK};
use crate::server::{Schema, admin, url, url_of_role, url_with};
use crate::support::evil::{EVIL, endless};
use crate::support::{config, large, play, put, put_writes};

async fn open_at(url: &str, schema: &Schema, limits: AgentLimits) -> PostgresAgentStorage {
    PostgresAgentStorage::connect(url, &schema.options(), limits).await.unwrap()
}

async fn open(schema: &Schema, limits: AgentLimits) -> PostgresAgentStorage {
    open_at(url(), schema, limits).await
}

fn store(schema: &str) -> Store {
    Store::open(StoreOptions::Postgres(GuestOptions { schema: schema.to_owned() })).unwrap()
}

/// The first batch of a call.
fn first(schema: &str, call: Call) -> Batch {
    match store(schema).start(call, Moment::default()).unwrap().1 {
        Progress::Need(Need::Sql(batch)) => batch,
        other => panic!("{other:?}"),
    }
}

/// Runs a call whose batches a storage answers.
async fn outcome(
    storage: &PostgresAgentStorage,
    schema: &Schema,
    call: Call,
) -> Result<Outcome, StorageError> {
    let store = store(&schema.name);
    let (mut operation, mut progress) = store.start(call, Moment::default()).unwrap();
    loop {
        let batch = match progress {
            Progress::Done(outcome) => return Ok(outcome),
            Progress::Need(Need::Sql(batch)) => batch,
            Progress::Need(other) => panic!("{other:?}"),
        };
        let sets = storage.run(batch).await?;
        progress = operation.advance(Answer::Sql(sets), Moment::default()).unwrap();
    }
}

fn batch(access: Access, text: &str) -> Batch {
    let statement = Statement { text: text.to_owned(), parameters: vec![Vec::new()] };
    Batch { access, statements: vec![statement] }
}

fn every_call() -> Vec<Call> {
    vec![
        Call::Setup,
        Call::Put(put("t", None, "1", "1")),
        Call::PutWrites(put_writes("t", "1", "task")),
        Call::List(List { config: config("t"), ..List::default() }),
        Call::DeleteThread(config("t")),
    ]
}

/// Statements that are PostgreSQL's own; `SCHEMA` is replaced by a schema's quoted name.
const EVIL_IN_POSTGRESQL: &[&str] = &[
    "SELECT 1",
    "SELECT thread_id FROM SCHEMA.lg_threads",
    "DELETE FROM SCHEMA.lg_threads",
    "SELECT secret FROM SCHEMA.others",
    "SELECT rolname FROM pg_roles",
    "SELECT rolpassword FROM pg_authid",
    "SELECT usename, query FROM pg_stat_activity",
    "SELECT table_name FROM information_schema.tables",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT pg_sleep(3600)",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
    "SELECT pg_advisory_lock(1)",
    "SELECT set_config('statement_timeout', '0', false)",
    "SELECT repeat('x', 1000000000)",
    "SELECT query_to_xml('SELECT secret FROM SCHEMA.others', true, true, '')",
    "COPY SCHEMA.others TO PROGRAM 'cat'",
    "COPY SCHEMA.others FROM '/etc/passwd'",
    "DO $$ BEGIN DELETE FROM SCHEMA.others; END $$",
    "CALL mine()",
    "SET statement_timeout = 0",
    "SET LOCAL statement_timeout = 0",
    "SET ROLE postgres",
    "SET TRANSACTION READ WRITE",
    "RESET ALL",
    "DISCARD ALL",
    "LISTEN mine",
    "NOTIFY mine",
    "PREPARE mine AS SELECT 1",
    "EXECUTE mine",
    "DECLARE mine CURSOR FOR SELECT 1",
    "LOCK TABLE SCHEMA.lg_threads",
    "TRUNCATE SCHEMA.lg_threads",
    "GRANT ALL ON SCHEMA SCHEMA TO PUBLIC",
    "CREATE ROLE mine SUPERUSER",
    "CREATE SCHEMA mine",
    "CREATE EXTENSION dblink",
    "CREATE FUNCTION SCHEMA.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "ALTER SYSTEM SET fsync = off",
    "ALTER TABLE SCHEMA.lg_threads DISABLE TRIGGER ALL",
    "CHECKPOINT",
    "EXPLAIN ANALYZE SELECT 1",
    "",
    ";",
];

/// A planner's statement, changed a little.
fn changed(text: &str, schema: &str) -> Vec<String> {
    let other = |name: &str| text.replace(&quoted(schema), name);
    let all = [
        format!("{text} "),
        format!(" {text}"),
        format!("{text};"),
        format!("{text}; DELETE FROM {}.others", quoted(schema)),
        format!("/**/{text}"),
        format!("{text} -- "),
        text.to_lowercase(),
        other("public"),
        other("\"public\""),
        other("pg_temp"),
        text.replace("lg_threads", "others"),
        text.replace("text", "regclass"),
    ];
    all.into_iter().filter(|changed| changed != text).collect()
}

fn quoted(schema: &str) -> String {
    format!("\"{}\"", schema.replace('"', "\"\""))
}

#[tokio::test]
async fn no_statement_but_the_planners_reaches_the_server() {
    let schema = Schema::new().await;
    let proxy = Proxy::start().await;
    let storage = open_at(&proxy.url, &schema, AgentLimits::default()).await;
    outcome(&storage, &schema, Call::Put(put("t", None, "1", "1"))).await.unwrap();
    schema.rows("CREATE TABLE $schema.others (secret text)").await;
    schema.rows("INSERT INTO $schema.others VALUES ('of others')").await;
    let before = schema.digest().await;

    let name = &schema.name;
    let mut texts: Vec<String> = EVIL.iter().map(|evil| evil.replace("DIR", "/tmp")).collect();
    texts.extend(endless());
    texts.extend(EVIL_IN_POSTGRESQL.iter().map(|evil| evil.replace("SCHEMA", &quoted(name))));
    let mut batches: Vec<Batch> = [Access::Read, Access::Write]
        .into_iter()
        .flat_map(|access| texts.iter().map(move |text| batch(access, text)))
        .collect();
    for call in every_call() {
        let planned = first(name, call);
        for (at, statement) in planned.statements.iter().enumerate() {
            batches.extend(changed(&statement.text, name).into_iter().map(|text| {
                let mut evil = planned.clone();
                evil.statements[at].text = text;
                evil
            }));
        }
    }
    // Whether another schema is there is nothing that an agent may ask.
    batches.push(first("public", Call::Setup));
    let mut look = first(name, Call::Setup);
    look.statements[0].parameters = vec![vec![
        Value::Text("pg_catalog".to_owned()),
        Value::Text("pg_catalog.pg_authid".to_owned()),
    ]];
    batches.push(look.clone());
    let both = first(name, Call::Setup).statements.remove(0).parameters;
    look.statements[0].parameters.extend(both);
    batches.push(look);

    proxy.round_trips.store(0, Ordering::Relaxed);
    for evil in batches {
        let shown = format!("{evil:?}");
        let error = storage.run(evil).await.expect_err(&shown);
        assert_eq!((error.code(), error.stored()), ("storage-refused", Stored::Nothing), "{shown}");
    }
    assert_eq!(proxy.round_trips.load(Ordering::Relaxed), 0);
    assert_eq!(schema.digest().await, before);
    assert_eq!(schema.rows("SELECT secret FROM $schema.others").await.len(), 1);
    schema.end().await;
}

#[tokio::test]
async fn an_agent_makes_no_tables() {
    let schema = Schema::new().await;
    let storage = open(&schema, AgentLimits::default()).await;
    schema.rows("DROP SCHEMA $schema CASCADE").await;
    let error = outcome(&storage, &schema, Call::Setup).await.unwrap_err();
    assert_eq!(error.code(), "storage-refused");
    let found = "SELECT FROM pg_namespace WHERE nspname = $1::text";
    let there = schema.admin.query_typed(found, &[(&schema.name, Type::TEXT)]).await;
    assert!(there.unwrap().is_empty());
}

#[tokio::test]
async fn a_refused_statement_takes_the_rest_of_its_batch_along() {
    let schema = Schema::new().await;
    let storage = open(&schema, AgentLimits::default()).await;
    let mut evil = first(&schema.name, Call::Put(put("t", None, "1", "1")));
    evil.statements.extend(batch(Access::Write, "COMMIT").statements);
    let error = storage.run(evil).await.unwrap_err();
    assert_eq!((error.code(), error.stored()), ("storage-refused", Stored::Nothing));
    assert!(schema.rows("SELECT FROM $schema.lg_threads").await.is_empty());
    schema.end().await;
}

#[tokio::test]
async fn a_batch_that_reads_writes_nothing() {
    let schema = Schema::new().await;
    let storage = open(&schema, AgentLimits::default()).await;
    for call in [
        Call::Put(put("t", None, "1", "1")),
        Call::PutWrites(put_writes("t", "1", "task")),
        Call::DeleteThread(config("t")),
    ] {
        let evil = Batch { access: Access::Read, ..first(&schema.name, call) };
        let error = storage.run(evil).await.unwrap_err();
        assert_eq!((error.code(), error.stored()), ("storage-read-only", Stored::Nothing));
    }
    assert!(schema.rows("SELECT FROM $schema.lg_threads").await.is_empty());
    schema.end().await;
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended_on_the_server_too() {
    let schema = Schema::new().await;
    let named = url_with(&format!("application_name={}", schema.mark()));
    let limits = AgentLimits { time_limit: Duration::from_millis(300), ..AgentLimits::default() };
    let storage = open_at(&named, &schema, limits).await;
    outcome(&storage, &schema, Call::Put(put("t", None, "1", "1"))).await.unwrap();
    // A session that waits for a lock does not notice that its client has gone.
    let holder = admin(url()).await;
    let lock = format!("BEGIN; SELECT FROM {}.lg_threads FOR UPDATE", quoted(&schema.name));
    holder.batch_execute(&lock).await.unwrap();
    let late = outcome(&storage, &schema, Call::Put(put("t", None, "2", "2"))).await.unwrap_err();
    assert_eq!(late.code(), "storage-timeout");
    let active = format!(
        "SELECT FROM pg_stat_activity WHERE application_name = '{}' AND state = 'active'",
        schema.mark()
    );
    while !schema.rows(&active).await.is_empty() {
        tokio::task::yield_now().await;
    }
    holder.batch_execute("ROLLBACK").await.unwrap();
    outcome(&storage, &schema, Call::Put(put("t", None, "3", "3"))).await.unwrap();
    assert_eq!(schema.rows("SELECT FROM $schema.lg_records").await.len(), 2);
    schema.end().await;
}

#[tokio::test]
async fn what_a_batch_brings_and_gives_has_its_limits() {
    let schema = Schema::new().await;
    let storage = open(&schema, AgentLimits::default()).await;
    outcome(&storage, &schema, Call::Put(large("t", None, "1", 40))).await.unwrap();
    let list = || first(&schema.name, Call::List(List { config: config("t"), ..List::default() }));
    let many = |batch: Batch, count: usize| Batch {
        statements: batch.statements.into_iter().cycle().take(count).collect(),
        ..batch
    };
    let mut runs = list();
    let parameters = runs.statements[0].parameters.remove(0);
    let count = parameters.len() * 10;
    runs.statements[0].parameters = vec![parameters; 10];
    let default = AgentLimits::default();
    for (name, limits, batch) in [
        ("rows_max", AgentLimits { rows_max: 30, ..default }, list()),
        ("answer_bytes_max", AgentLimits { answer_bytes_max: 9_999, ..default }, list()),
        ("batch_bytes_max", AgentLimits { batch_bytes_max: 999, ..default }, list()),
        ("statement_bytes_max", AgentLimits { statement_bytes_max: 99, ..default }, list()),
        ("parameters_max", AgentLimits { parameters_max: count - 1, ..default }, runs),
        ("statements_max", AgentLimits { statements_max: 9, ..default }, many(list(), 10)),
    ] {
        let limited = open(&schema, limits).await;
        for _ in 0..2 {
            let error = limited.run(batch.clone()).await.map(|_| ()).unwrap_err();
            assert_eq!((error.code(), error.stored()), ("storage-refused", Stored::Nothing));
            assert!(error.to_string().contains(name), "{name}: {error}");
        }
        storage.run(batch).await.unwrap();
    }
    schema.end().await;
}

#[tokio::test]
async fn every_call_passes_with_a_role_that_has_rights_on_its_tables_alone() {
    for (name, transcript) in transcript::common() {
        for prepare in [false, true] {
            let schema = Schema::new().await;
            schema.open().setup().await.unwrap();
            let role = rights::new_role(&schema, &[USE, WORK]).await;
            let (url, limits) = (url_of_role(&role, "right"), AgentLimits::default());
            let options = PostgresOptions { prepare, ..schema.options() };
            let storage = PostgresAgentStorage::connect(&url, &options, limits).await.unwrap();
            let checkpointer = Checkpointer::new(Planner::native(), storage);
            play(&checkpointer, &name, &transcript).await;
            assert_eq!(schema.digest().await, transcript.stored, "{name}: the stored bytes");
            rights::end(schema, &role).await;
        }
    }
}

#[tokio::test]
async fn lists_with_any_conditions_pass() {
    let schema = Schema::new().await;
    let storage = open(&schema, AgentLimits::default()).await;
    let filter = |n: usize| MetadataFilter {
        key: format!("key {n}"),
        json: "\"2026-01-02T03:04:05.678Z\"".to_owned(),
    };
    for count in [0, 1, 16] {
        for thread in [config("t"), Default::default()] {
            for before in ["c2".into(), Default::default()] {
                let list = List {
                    config: thread.clone(),
                    before,
                    filter: (0..count).map(filter).collect(),
                    ..List::default()
                };
                let page = outcome(&storage, &schema, Call::List(list)).await.unwrap();
                assert!(matches!(page, Outcome::Page(_)));
            }
        }
    }
    schema.end().await;
}
