//! The embedding against a Kusto: the local one that `cargo xtask test` starts, or the cluster
//! that the environment names. Without either it says so and does nothing.

use std::path::Path;
use std::process::Command;

#[test]
fn the_component_runs_where_nothing_but_wasi_is_known() {
    let Ok(cluster_uri) = std::env::var("KUSTO_CLUSTER_URI") else {
        eprintln!("skipped: KUSTO_CLUSTER_URI names no cluster");
        return;
    };
    let database = std::env::var("KUSTO_DATABASE").unwrap_or_else(|_| "embedding".to_owned());
    let component = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../target/components/checkpointer-kusto.wasm");
    let output = Command::new(env!("CARGO_BIN_EXE_example-wasi-embedding"))
        .arg(component)
        .args([cluster_uri, database])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "stored 0001 of embedded\nmessages = [\"Is it raining in Oslo?\"]\ndeleted: true\n"
    );
}
