//! The commands on a Kusto: the local one that `cargo xtask test` starts, or the cluster that the
//! environment names. Without either, the test prints so and does nothing.

#![cfg(feature = "kusto")]
#![allow(dead_code, reason = "no test uses all of the support")]

mod support;

use langgraph_checkpoint_host::{
    ChannelValue, ChannelVersion, Checkpoint, Config, KustoCheckpointer, KustoComponent,
    KustoLogin, KustoOptions, Limits, Payload, Put, Version,
};
use support::{done, run};

const ID: &str = "1ef4f797-8335-6428-8001-000000000001";

#[tokio::test]
async fn a_thread_on_kusto_is_listed_and_deleted() {
    let Ok(cluster) = std::env::var("KUSTO_CLUSTER_URI") else {
        eprintln!("skipped: KUSTO_CLUSTER_URI names no cluster");
        return;
    };
    let database = std::env::var("KUSTO_DATABASE").unwrap_or_else(|_| "cli".to_owned());
    let token = std::env::var("KUSTO_ACCESS_TOKEN").ok();
    let login = token.map_or(KustoLogin::None, KustoLogin::Token);
    let options = KustoOptions { login, ..KustoOptions::new(cluster.as_str(), database.as_str()) };
    let component = KustoComponent::embedded(Limits::default()).unwrap();
    let checkpointer = KustoCheckpointer::open(component, options).unwrap();
    let thread = format!("cli-{}", std::process::id());
    checkpointer.put(put(&thread)).await.unwrap();
    checkpointer.close().await.unwrap();

    let store = format!("{}/{database}", cluster.trim_end_matches('/'));
    let (store, thread) = (store.as_str(), thread.as_str());
    let history = done(&["history", store, thread, "--json"]);
    assert_eq!(
        history.trim_end(),
        format!(
            r#"{{"checkpointId":"{ID}","ts":"2024-04-19T17:19:01.000Z","channels":["messages"],"#
        ) + r#""metadata":{"step":1},"writes":0}"#
    );
    let threads = done(&["threads", store, "--prefix", thread, "--json"]);
    assert!(threads.contains(r#""namespaces":1,"checkpoints":1,"writes":0"#), "{threads}");
    let ended = run(&["vacuum", store]);
    assert_eq!((ended.status, ended.stdout.as_str()), (2, ""));
    let namespaces = done(&["namespaces", store, thread, "--json"]);
    assert!(namespaces.starts_with(r#"{"namespace":"","checkpoints":1,"#), "{namespaces}");
    let gone = run(&["prune", store, thread, "nobody", "--dry-run", "--json"]);
    assert_eq!((gone.status, gone.stderr.as_str()), (1, "thread nobody does not exist\n"));

    let diff = done(&["diff", store, thread, ID, "--values", "--json"]);
    let value = r#"{"bytes":6,"value":["hi"]}"#;
    let channel = format!(r#"{{"channel":"messages","versionAfter":1,"after":{value}}}"#);
    assert_eq!(diff.trim_end(), format!(r#"{{"channels":[{channel}],"writes":[]}}"#));
    let lines = run(&["export", store, "-", "--jsonl", "--thread", thread]);
    assert_eq!(lines.status, 0, "{lines:?}");
    assert!(lines.stdout.contains(r#""channel_values":{"messages":["hi"]}"#), "{lines:?}");
    let folder = tempfile::tempdir().unwrap();
    let back = folder.path().join("back.db");
    let again = folder.path().join("again.db");
    let [back, again] = [back.to_str().unwrap(), again.to_str().unwrap()];
    done(&["export", store, back, "--thread", thread]);
    done(&["import", back, again, "--verify"]);
    assert_eq!(done(&["history", again, thread, "--json"]), history);
    let run_id = format!("{thread}-run");
    let removed = r#"{"threads":1,"checkpoints":1,"#;
    assert!(done(&["delete-runs", store, &run_id, "--dry-run", "--json"]).starts_with(removed));
    assert!(done(&["delete-runs", store, &run_id, "--yes", "--json"]).starts_with(removed));
    assert_eq!(run(&["delete-runs", store, &run_id, "--yes"]).status, 1);
    let dry = done(&["import", back, store, "--dry-run"]);
    assert!(dry.starts_with("1 threads: 1 would be imported"), "{dry}");
    assert_eq!(run(&["history", store, thread]).status, 1);
    let imported = done(&["import", back, store, "--verify"]);
    assert!(imported.starts_with("1 threads: 1 imported"), "{imported}");
    assert_eq!(done(&["history", store, thread, "--json"]), history);
    done(&["delete", store, thread, "--yes"]);
    assert_eq!(run(&["history", store, thread]).status, 1);
    assert_eq!(run(&["delete", store, thread, "--yes"]).status, 1);
}

fn put(thread: &str) -> Put {
    let json = |text: &str| Payload { kind: "json".to_owned(), bytes: text.into() };
    let messages = "messages".to_owned();
    let version = Version::Number(1.0);
    Put {
        config: Config { thread_id: thread.into(), ..Config::default() },
        checkpoint: Checkpoint {
            id: ID.into(),
            v: 4.0,
            ts: "2024-04-19T17:19:01.000Z".to_owned(),
            channel_versions: vec![ChannelVersion { channel: messages.clone(), version }],
            channel_values: vec![ChannelValue {
                channel: messages.clone(),
                value: json(r#"["hi"]"#).into(),
            }],
            rest: json(r#"{"versions_seen":{}}"#),
        },
        metadata: json(r#"{"step":1}"#),
        new_versions: vec![messages],
        run_id: format!("{thread}-run").as_str().into(),
        known: None,
    }
}
