//! Histories of channels of which a part becomes visible late or is gone.

use langgraph_checkpoint_guest::{ChannelHistory, DeltaChannelHistory, Error};

use super::*;

/// A checkpoint with a value of only one channel, after this parent.
fn step(parent: Option<usize>, number: usize, channel: &str) -> Call {
    let Call::Put(put) = checkpoint("chat", number, chat(2)) else { panic!("a put") };
    let parent = parent.map(|parent| format!("{parent:08}"));
    let config = Config {
        checkpoint_id: parent.map_or(put.config.checkpoint_id.clone(), Into::into),
        ..put.config
    };
    let channel = channel.to_owned();
    let mut checkpoint = put.checkpoint;
    checkpoint.channel_versions[0].channel.clone_from(&channel);
    checkpoint.channel_values[0].channel.clone_from(&channel);
    Call::Put(Put { config, checkpoint, new_versions: vec![channel], ..put })
}

fn write(number: usize) -> Call {
    Call::PutWrites(PutWrites {
        config: Config { checkpoint_id: format!("{number:08}").into(), ..config("chat") },
        writes: vec![NewWrite { channel: "messages".to_owned(), value: json("\"w\"") }],
        task_id: "task".into(),
        task_path: String::new(),
    })
}

fn history(kusto: &mut Kusto) -> Result<ChannelHistory, Error> {
    let channels = vec!["messages".to_owned()];
    let call = DeltaChannelHistory { config: config("chat"), channels, known: Vec::new() };
    match kusto.call(Call::DeltaChannelHistory(call))? {
        Outcome::History(mut histories) => Ok(histories.remove(0)),
        other => panic!("a history gave {other:?}"),
    }
}

/// A store of another process, with a virtual clock that advances when it waits.
fn other(options: &KustoOptions) -> Kusto {
    let mut kusto = open(KustoOptions { deadline_ms: Some(4_000), ..options.clone() });
    kusto.is_virtual = true;
    kusto
}

fn code(kusto: &mut Kusto) -> String {
    let begin = kusto.ahead;
    let error = history(kusto).unwrap_err();
    assert!(kusto.ahead - begin <= 4_000_000, "{} of 4 s", kusto.ahead - begin);
    error.code().to_owned()
}

/// Puts three checkpoints, of which the first has the value. Holds the second one back, if the
/// server can.
fn held_back(options: &KustoOptions) -> bool {
    let mut writer = open(options.clone());
    writer.call(step(None, 1, "messages")).unwrap();
    writer.call(write(1)).unwrap();
    let second = r#","faults":[{"kind":"delayed","on":"rows","count":1}]"#;
    let is_local = local(options, "faults", second);
    writer.call(step(Some(1), 2, "other")).unwrap();
    writer.call(step(Some(2), 3, "other")).unwrap();
    is_local
}

#[test]
fn a_parent_that_shows_late_ends_no_history() {
    let Some(options) = options("late_parent") else { return };
    if !held_back(&options) {
        return;
    }
    let mut kusto = other(&options);
    assert_eq!(latest(&mut kusto, "chat").unwrap().checkpoint_id, "00000003");
    assert_eq!(code(&mut kusto), "store-stale");
    local(&options, "release", "");
    let found = history(&mut kusto).unwrap();
    assert_eq!((found.seed, found.writes.len()), (Some(chat(2)), 1));
}

#[test]
fn a_parent_that_is_gone_ends_a_history_after_ten_minutes() {
    let Some(options) = options("gone_parent") else { return };
    if !held_back(&options) {
        return;
    }
    let mut kusto = other(&options);
    kusto.ahead = 11 * 60 * 1_000_000;
    let begin = kusto.ahead;
    let found = history(&mut kusto).unwrap();
    assert_eq!((found.seed, found.writes.len()), (None, 0));
    assert_eq!(kusto.ahead, begin, "nothing was waited for");
}

#[test]
fn a_parent_that_was_deleted_ends_a_history_at_once() {
    let Some(options) = options("deleted_parent") else { return };
    let mut writer = open(options.clone());
    writer.call(step(None, 1, "messages")).unwrap();
    writer.call(Call::DeleteThread(config("chat"))).unwrap();
    writer.call(step(Some(1), 2, "other")).unwrap();
    let mut kusto = other(&options);
    for store in [&mut writer, &mut kusto] {
        let found = history(store).unwrap();
        assert_eq!((found.seed, found.writes.len()), (None, 0));
    }
    assert_eq!(kusto.ahead, 0, "nothing was waited for");
}

#[test]
fn a_seed_that_lacks_a_part_is_late_and_after_ten_minutes_an_error() {
    let Some(options) = options("torn_seed") else { return };
    let mut writer = open(options.clone());
    let Call::Put(put) = step(None, 1, "messages") else { panic!("a put") };
    let metadata = json(format!("{{\"note\":\"{}\"}}", "long ".repeat(200_000)));
    writer.call(Call::Put(Put { metadata, ..put })).unwrap();
    writer.call(write(1)).unwrap();
    writer.call(step(Some(1), 2, "other")).unwrap();
    assert_eq!(history(&mut other(&options)).unwrap().seed, Some(chat(2)));
    let part = "CheckpointLog | where ['kind'] == 'checkpoint' and part == 1";
    if !run(&options, &format!(".delete table CheckpointLog records <| {part}")) {
        return;
    }
    let mut kusto = other(&options);
    assert_eq!(code(&mut kusto), "store-stale");
    kusto.ahead = 11 * 60 * 1_000_000;
    assert_eq!(code(&mut kusto), "incomplete-row");
}
