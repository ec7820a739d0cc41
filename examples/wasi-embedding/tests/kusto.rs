//! The embedding on a Kusto: the local one that `cargo xtask test` starts, or the cluster that the
//! environment names. Without either, the test prints so and does nothing.

use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the embedding prints; `None` without a Kusto.
fn printed(component: &str) -> Option<String> {
    let Ok(cluster_uri) = std::env::var("KUSTO_CLUSTER_URI") else {
        eprintln!("skipped: KUSTO_CLUSTER_URI names no cluster");
        return None;
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let database = std::env::var("KUSTO_DATABASE").unwrap_or_else(|_| format!("embedding_{now}"));
    let components = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/components");
    let output = Command::new(env!("CARGO_BIN_EXE_example-wasi-embedding"))
        .arg(components.join(component))
        .args([cluster_uri, database])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_component_runs_where_nothing_but_wasi_is_known() {
    let Some(printed) = printed("checkpointer-kusto.wasm") else { return };
    assert_eq!(
        printed,
        "stored 0001 of embedded\nmessages = [\"Is it raining in Oslo?\"]\ndeleted: true\n"
    );
}

#[test]
fn an_agent_composed_with_it_runs_where_outgoing_http_is_granted_and_nothing_else() {
    let Some(printed) = printed("agent-on-kusto.wasm") else { return };
    let answers = printed.lines().collect::<Vec<_>>();
    let [first, second] = answers[..] else { panic!("{answers:?}") };
    // On a cluster, earlier runs may have used the thread.
    assert!(first.ends_with("things, first: it rains"), "{first}");
    assert!(second.ends_with("things, first: it rains") && second != first, "{second}");
}
