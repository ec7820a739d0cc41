//! Calls that race, from several checkpointers as from several processes: nothing dangles, nothing
//! stays behind, and what was acknowledged is read.

use std::sync::Arc;

use langgraph_checkpoint_host::{Checkpointer, List, PostgresStorage};
use tokio::task::JoinSet;

use crate::server::{Schema, url_of_role};
use crate::support::{config, large, put_writes, whole};

type Opened = Arc<Checkpointer<PostgresStorage>>;

fn id(number: usize) -> String {
    format!("{number:06}")
}

/// Stores a state of which neighbours share most chunks.
async fn put(checkpointer: &Opened, number: usize, parent: Option<usize>) {
    let parent = parent.map(id);
    let put = large("t", parent.as_deref(), &id(number), 20 + number % 7);
    checkpointer.put(put).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn setups_at_once_all_succeed() {
    for _ in 0..12 {
        let schema = Schema::new().await;
        let mut setups = JoinSet::new();
        for _ in 0..8 {
            let checkpointer = schema.open();
            setups.spawn(async move { checkpointer.setup().await });
        }
        while let Some(setup) = setups.join_next().await {
            setup.unwrap().unwrap();
        }
        schema.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_that_fork_one_thread_lose_nothing_that_was_acknowledged() {
    let schema = Schema::new().await;
    let first: Opened = Arc::new(schema.open());
    put(&first, 1, None).await;
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        let checkpointer: Opened = Arc::new(schema.open());
        writers.spawn(async move {
            let number = |time: usize| if time == 0 { 1 } else { 4 * time + writer };
            for time in 1..=40 {
                put(&checkpointer, number(time), Some(number(time - 1))).await;
            }
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }
    let list = List { config: config("t"), ..List::default() };
    let tuples = schema.open().list(list).try_collect().await.unwrap();
    assert_eq!(tuples.len(), 161);
    for tuple in tuples {
        let number: usize = tuple.checkpoint_id.parse().unwrap();
        let parent = if number < 8 { 1 } else { number - 4 };
        if number > 1 {
            assert_eq!(tuple.parent_checkpoint_id, Some(id(parent)));
        }
        let stored = large("t", None, &id(number), 20 + number % 7);
        let found: Vec<_> = tuple.channel_values.into_iter().map(|entry| entry.value).collect();
        let values: Vec<_> = whole(&stored).into_iter().map(|entry| entry.value).collect();
        assert_eq!(found, values);
    }
    assert_eq!(schema.leftovers().await, [0, 0, 0]);
    schema.end().await;
}

/// Puts, writes and deletions of one thread at once.
async fn race(one: Opened, other: Opened, remover: Opened, times: usize) {
    let mut racing = JoinSet::new();
    racing.spawn(async move {
        for time in 1..=times {
            put(&one, 2 * time, Some(2 * time - 2)).await;
        }
    });
    racing.spawn(async move {
        for time in 1..=times {
            let writes = put_writes("t", &id(2 * time), &format!("task {time}"));
            other.put_writes(writes).await.unwrap();
            put(&other, 2 * time + 1, Some(2 * time - 1)).await;
        }
    });
    racing.spawn(async move {
        for _ in 0..times {
            remover.delete_thread(config("t")).await.unwrap();
        }
    });
    while let Some(ended) = racing.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delete_leaves_nothing_of_the_puts_that_it_races() {
    let schema = Schema::new().await;
    let [one, other, remover]: [Opened; 3] = std::array::from_fn(|_| Arc::new(schema.open()));
    one.setup().await.unwrap();
    race(one, other, Arc::clone(&remover), 60).await;
    assert_eq!(schema.leftovers().await, [0, 0, 0]);
    remover.delete_thread(config("t")).await.unwrap();
    for table in ["lg_threads", "lg_records", "lg_chunks"] {
        let rows = schema.rows(&format!("SELECT count(*) FROM $schema.{table}")).await;
        assert_eq!(rows[0].get::<_, i64>(0), 0, "{table}");
    }
    schema.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn isolation_levels_of_the_role_change_nothing() {
    for level in ["repeatable read", "serializable"] {
        let schema = Schema::new().await;
        let role = schema.mark();
        schema.rows(&format!("CREATE ROLE {role} LOGIN PASSWORD 'right'")).await;
        schema
            .rows(&format!("ALTER ROLE {role} SET default_transaction_isolation = '{level}'"))
            .await;
        schema.rows(&format!("CREATE SCHEMA $schema AUTHORIZATION {role}")).await;
        let url = url_of_role(&role, "right");
        let [one, other, remover]: [Opened; 3] =
            std::array::from_fn(|_| Arc::new(schema.open_at(&url, &schema.options())));
        race(Arc::clone(&one), other, remover, 25).await;
        assert_eq!(schema.leftovers().await, [0, 0, 0]);
        put(&one, 100, None).await;
        let tuple = one.get_tuple(config("t")).await.unwrap().unwrap();
        assert_eq!(tuple.checkpoint_id, id(100));
        schema.rows(&format!("DROP OWNED BY {role} CASCADE")).await;
        schema.rows(&format!("DROP ROLE {role}")).await;
    }
}
