//! Copies on Kusto that take more than one request, and those that are cut short.

use super::lifecycle::{copy, verify};
use super::*;

/// The checkpoints of a thread whose copy takes several requests.
const CHECKPOINTS: usize = 12;

/// Puts that thread, and returns the ids of its checkpoints, the newest first.
fn large_thread(kusto: &mut Kusto) -> Vec<String> {
    let note = "long ".repeat(90_000);
    for step in 1..=CHECKPOINTS {
        let Call::Put(put) = checkpoint("chat", step, json(step.to_string())) else {
            panic!("a put")
        };
        let metadata = json(format!("{{\"step\":{step},\"note\":\"{note}\"}}"));
        kusto.call(Call::Put(Put { metadata, ..put })).unwrap();
    }
    (1..=CHECKPOINTS).rev().map(|step| format!("{step:08}")).collect()
}

#[test]
fn a_copy_of_several_requests_shows_only_as_a_whole_and_a_second_one_makes_it() {
    let Some(options) = options("staged") else { return };
    let mut kusto = open(KustoOptions { deadline_ms: Some(4_000), ..options.clone() });
    let all = large_thread(&mut kusto);
    // The second request is lost, then all are sent and the command is not.
    for fault in [
        r#","faults":[{"kind":"permanent","on":"rows","after":1}]"#,
        r#","faults":[{"kind":"permanent","on":"mgmt"}]"#,
    ] {
        if !local(&options, "faults", fault) {
            return;
        }
        copy(&mut kusto, false).unwrap_err();
        local(&options, "faults", r#","faults":[]"#);
        for store in [&mut kusto, &mut open(options.clone())] {
            assert_eq!(ids(store, "copy"), [""; 0]);
            assert!(latest(store, "copy").is_none());
            let call = Call::Threads(langgraph_checkpoint_guest::Threads::default());
            let Ok(Outcome::Threads(page)) = store.call(call) else { panic!("threads") };
            assert_eq!(page.threads.len(), 1);
        }
    }
    // The command's answer is lost, and it is sent again.
    local(&options, "faults", r#","faults":[{"kind":"cut-after","on":"mgmt","count":1}]"#);
    let Ok(Outcome::Worked(work)) = copy(&mut kusto, false) else { panic!("work") };
    assert_eq!((work.threads, work.checkpoints), (1, CHECKPOINTS as u64));
    for store in [&mut kusto, &mut open(options.clone())] {
        assert_eq!(ids(store, "copy"), all);
        assert_eq!(verify(store, "copy").problems, []);
        assert_eq!(
            latest(store, "copy").unwrap().metadata,
            latest(store, "chat").unwrap().metadata
        );
    }
    kusto.call(checkpoint("copy", CHECKPOINTS + 1, chat(1))).unwrap();
    assert_eq!(copy(&mut kusto, false), Err("existing-thread".to_owned()));
}

#[test]
fn a_copy_waits_until_the_store_shows_what_it_has_staged() {
    let Some(options) = options("staged_late") else { return };
    let mut kusto = open(options.clone());
    let all = large_thread(&mut kusto);
    let late = r#","faults":[{"kind":"delayed","on":"rows","queries":8}]"#;
    if !local(&options, "faults", late) {
        return;
    }
    kusto.is_virtual = true;
    copy(&mut kusto, false).unwrap();
    assert_eq!(ids(&mut kusto, "copy"), all);
}

#[test]
fn a_copy_that_the_server_finds_too_large_shows_only_as_a_whole() {
    let Some(options) = options("staged_small") else { return };
    let mut kusto = open(options.clone());
    for step in 1..=3 {
        kusto.call(checkpoint("chat", step, json(step.to_string()))).unwrap();
    }
    if !local(&options, "faults", r#","faults":[{"kind":"too-large","on":"rows","count":1}]"#) {
        return;
    }
    copy(&mut kusto, false).unwrap();
    for store in [&mut kusto, &mut open(options.clone())] {
        assert_eq!(ids(store, "copy"), ["00000003", "00000002", "00000001"]);
    }
    let staged = rows(&options, "CheckpointLog | where ['kind'] == 'staged-checkpoint'");
    assert!(staged.is_none_or(|staged| staged == 3), "{staged:?}");
}
