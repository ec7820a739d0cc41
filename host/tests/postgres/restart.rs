//! A server that is killed under load.

use std::sync::Arc;

use langgraph_checkpoint_host::List;
use tokio::task::JoinSet;

use crate::server::{Schema, Server};
use crate::support::{config, put, put_writes};

const THREADS: usize = 4;
const PUTS: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_and_restarted_loses_no_acknowledged_checkpoint() {
    let server = Server::start(&["fsync=on"]);
    let schema = Schema::on(&server.url).await;
    let checkpointer = Arc::new(schema.open_at(&server.url, &schema.options()));
    checkpointer.setup().await.unwrap();
    let mut writing = JoinSet::new();
    for thread in 0..THREADS {
        let checkpointer = Arc::clone(&checkpointer);
        writing.spawn(async move {
            let thread = format!("t{thread}");
            for number in 1..=PUTS {
                let parent = (number > 1).then(|| format!("{:06}", number - 1));
                let id = format!("{number:06}");
                checkpointer.put(put(&thread, parent.as_deref(), &id, &id[5..])).await.unwrap();
                checkpointer.put_writes(put_writes(&thread, &id, "task")).await.unwrap();
            }
        });
    }
    // Under load: some of the calls are acknowledged before, and some wait.
    while checkpointer.get_tuple(config("t0")).await.unwrap().is_none() {}
    let server = tokio::task::spawn_blocking(move || {
        for _ in 0..3 {
            server.kill_and_restart();
        }
        server
    });
    let server = server.await.unwrap();
    while let Some(written) = writing.join_next().await {
        written.unwrap();
    }
    for thread in 0..THREADS {
        let list = List { config: config(&format!("t{thread}")), ..List::default() };
        let tuples = checkpointer.list(list).try_collect().await.unwrap();
        assert_eq!(tuples.len(), PUTS);
        assert!(tuples.iter().all(|tuple| tuple.pending_writes.len() == 1));
    }
    drop(checkpointer);
    drop(server);
}
