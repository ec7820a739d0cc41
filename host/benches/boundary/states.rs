//! The states that are stored: conversations of an agent with tools, the same in every run.

use langgraph_checkpoint_host::{
    ChannelValue, ChannelVersion, Checkpoint, Config, Id, KeptElements, NewValue, Payload, Put,
    Run, Version,
};

/// The sizes, by name, in messages of about 1 KB.
pub(crate) const SIZES: [(&str, usize); 4] =
    [("3.8 KB", 4), ("35 KB", 36), ("235 KB", 240), ("2 MB", 2048)];

/// How many messages a step appends.
pub(crate) const APPENDED: usize = 2;

const WORDS: [&str; 16] = [
    "arrive", "before", "noon", "the", "ticket", "is", "refunded", "when", "a", "train", "leaves",
    "from", "platform", "seven", "with", "luggage",
];

/// The messages of a conversation, each as JSON. No two have the same bytes.
pub(crate) fn messages(first: usize, count: usize) -> Vec<String> {
    (first..first + count).map(message).collect()
}

/// A list of messages as one value.
pub(crate) fn list(messages: &[String]) -> Vec<u8> {
    format!("[{}]", messages.join(",")).into_bytes()
}

/// A whole value.
pub(crate) fn whole(bytes: Vec<u8>) -> NewValue {
    NewValue::Whole(Payload { kind: "json".to_owned(), bytes })
}

/// The base and messages after it.
pub(crate) fn appended(kept: usize, fresh: &[String]) -> NewValue {
    NewValue::Edited(vec![
        Run::Kept(KeptElements { first: 0, count: kept as u32 }),
        Run::Fresh(fresh.join(",").into_bytes()),
    ])
}

/// A checkpoint with this state.
pub(crate) fn put(thread: &str, parent: Option<&str>, id: &str, messages: NewValue) -> Put {
    let version = |channel: &str| ChannelVersion {
        channel: channel.to_owned(),
        version: Version::Number(3.0),
    };
    Put {
        config: Config {
            thread_id: thread.into(),
            checkpoint_id: parent.map_or(Id::Absent, Id::from),
            ..Config::default()
        },
        checkpoint: Checkpoint {
            id: id.into(),
            v: 4.0,
            ts: "2026-11-21T09:30:00.000Z".to_owned(),
            channel_versions: vec![version("messages"), version("branch:to:model")],
            channel_values: vec![ChannelValue { channel: "messages".to_owned(), value: messages }],
            rest: json(r#"{"versions_seen":{"__input__":{},"__start__":{"__start__":1}}}"#),
        },
        metadata: json(METADATA),
        new_versions: vec!["messages".to_owned()],
        run_id: Id::Absent,
        known: None,
    }
}

/// The metadata of every checkpoint.
pub(crate) const METADATA: &str = r#"{"source":"loop","step":3,"parents":{}}"#;

fn json(text: &str) -> Payload {
    Payload { kind: "json".to_owned(), bytes: text.as_bytes().to_vec() }
}

fn message(number: usize) -> String {
    let class = if number.is_multiple_of(2) { "HumanMessage" } else { "AIMessage" };
    let content = prose(number, 780);
    format!(
        r#"{{"lc":1,"type":"constructor","id":["langchain_core","messages","{class}"],"kwargs":{{"#
    ) + &format!(
        r#""content":"{content}","id":"run-{number:08}","tool_calls":[],"additional_kwargs":{{}},"#
    ) + r#""response_metadata":{"model":"m"}}}"#
}

/// Words in an order that looks random and never changes.
fn prose(seed: usize, length: usize) -> String {
    let mut state = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut text = String::with_capacity(length + 16);
    while text.len() < length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        text.push_str(WORDS[(state >> 60) as usize]);
        text.push(' ');
    }
    text
}
