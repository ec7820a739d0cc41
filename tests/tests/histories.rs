//! A history that continues from a known one equals the history that is read whole, whatever has
//! happened to the ancestors since.

use langgraph_checkpoint_guest::{
    Call, ChannelHistory, ChannelValue, ChannelVersion, Checkpoint, Config, DeltaChannelHistory,
    Id, NewWrite, Outcome, Payload, Put, PutWrites, Version,
};
use langgraph_checkpoint_tests::caller::Caller;
use langgraph_checkpoint_tests::native::Native;
use proptest::prelude::*;

const CHANNELS: [&str; 2] = ["messages", "__resume__"];

#[derive(Clone, Debug)]
enum Step {
    /// A child of the newest checkpoint, as a graph makes it.
    Grow { writes: u8 },
    /// A put of a checkpoint, new or repeated, with any parent and perhaps a value.
    Put { id: u8, parent: u8, value: Option<u8> },
    /// A write of a task to a checkpoint; in the second channel it replaces an earlier one.
    Write { id: u8, task: u8, channel: usize, value: u8 },
    /// A read of the first channels' histories, from the newest checkpoint or another.
    Read { id: Option<u8> },
    /// The thread is deleted.
    Delete,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..3_u8).prop_map(|writes| Step::Grow { writes }),
        2 => (0..60_u8, 0..60_u8, proptest::option::of(any::<u8>()))
            .prop_map(|(id, parent, value)| Step::Put { id, parent, value }),
        2 => (0..60_u8, 0..3_u8, 0..2_usize, any::<u8>())
            .prop_map(|(id, task, channel, value)| Step::Write { id, task, channel, value }),
        8 => proptest::option::weighted(0.2, 0..60_u8).prop_map(|id| Step::Read { id }),
        1 => Just(Step::Delete),
    ]
}

/// A thread, and the histories that were returned last.
struct Thread {
    native: Native,
    next: u8,
    given: [Option<ChannelHistory>; 2],
    went_on: usize,
}

impl Thread {
    fn new() -> Self {
        Self { native: Native::in_memory(), next: 0, given: [None, None], went_on: 0 }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Grow { writes } => {
                for task in 0..writes {
                    self.write(self.next, task, 0, task);
                }
                self.put(self.next + 1, self.next, None);
                self.next += 1;
            }
            Step::Put { id, parent, value } => self.put(id, parent, value),
            Step::Write { id, task, channel, value } => self.write(id, task, channel, value),
            Step::Read { id } => self.read(id),
            Step::Delete => {
                self.native.call(Call::DeleteThread(config(None))).unwrap();
            }
        }
    }

    fn put(&mut self, id: u8, parent: u8, value: Option<u8>) {
        let channel = || CHANNELS[0].to_owned();
        let call = Put {
            config: config(Some(parent)),
            checkpoint: Checkpoint {
                id: name(id).as_str().into(),
                v: 4.0,
                ts: String::new(),
                channel_versions: vec![ChannelVersion {
                    channel: channel(),
                    version: Version::Number(1.0),
                }],
                channel_values: value
                    .map(|value| ChannelValue { channel: channel(), value: text(value).into() })
                    .into_iter()
                    .collect(),
                rest: json("{}".to_owned()),
            },
            metadata: json("{}".to_owned()),
            new_versions: vec![channel()],
            run_id: Id::Absent,
            known: None,
        };
        self.native.call(Call::Put(call)).unwrap();
    }

    fn write(&mut self, id: u8, task: u8, channel: usize, value: u8) {
        let writes = vec![NewWrite { channel: CHANNELS[channel].to_owned(), value: text(value) }];
        let task_id = format!("task-{task}").as_str().into();
        let task_path = if task == 2 { "~path".to_owned() } else { String::new() };
        let call = PutWrites { config: config(Some(id)), writes, task_id, task_path };
        self.native.call(Call::PutWrites(call)).unwrap();
    }

    fn read(&mut self, id: Option<u8>) {
        let known = self.given.iter().flatten().filter_map(|given| given.known.clone());
        let known: Vec<_> = known.collect();
        let again = self.histories(id, known);
        let whole = self.histories(id, Vec::new());
        for ((mut found, whole), before) in again.into_iter().zip(whole).zip(&mut self.given) {
            if found.goes_on {
                let before = before.as_ref().unwrap();
                found.writes.splice(0..0, before.writes.iter().cloned());
                assert_eq!(found.seed, None);
                found.seed.clone_from(&before.seed);
                found.goes_on = false;
                self.went_on += 1;
            }
            assert_eq!(found, whole);
            *before = Some(found);
        }
    }

    fn histories(&mut self, id: Option<u8>, known: Vec<Vec<u8>>) -> Vec<ChannelHistory> {
        let channels = CHANNELS.map(str::to_owned).into();
        let call = DeltaChannelHistory { config: config(id), channels, known };
        match self.native.call(Call::DeltaChannelHistory(call)).unwrap() {
            Outcome::History(histories) => histories,
            other => panic!("a history gave {other:?}"),
        }
    }
}

fn json(text: String) -> Payload {
    Payload { kind: "json".to_owned(), bytes: text.into_bytes() }
}

/// A distinct value; every second one is a chunk.
fn text(value: u8) -> Payload {
    let filler = "x".repeat(if value.is_multiple_of(2) { 0 } else { 300 });
    json(format!("[\"{value}{filler}\"]"))
}

fn name(id: u8) -> String {
    format!("{id:03}")
}

fn config(id: Option<u8>) -> Config {
    let checkpoint_id = id.map(|id| name(id).as_str().into()).unwrap_or_default();
    Config { thread_id: "thread-1".into(), checkpoint_id, ..Config::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_history_that_goes_on_is_the_whole_one(steps in prop::collection::vec(step(), 1..40)) {
        let mut thread = Thread::new();
        for step in &steps {
            thread.step(step);
        }
    }
}

#[test]
fn a_thread_that_grows_is_read_on() {
    let mut thread = Thread::new();
    for _ in 0..20 {
        thread.step(&Step::Grow { writes: 2 });
        thread.step(&Step::Read { id: None });
        thread.step(&Step::Read { id: None });
    }
    // The first two reads have no ancestor, and the third has no known history.
    assert_eq!(thread.went_on, 37);
    let known = thread.given[0].as_ref().unwrap().known.clone().unwrap();
    assert!(known.len() < 100);
    thread.native.rounds = 0;
    let histories = thread.histories(None, vec![known]);
    assert_eq!((histories[0].writes.len(), thread.native.rounds), (0, 1));
}

/// No damaged column misleads a walk, whether or not a part of it is known.
#[test]
fn a_history_of_damaged_ancestors_is_the_right_one_or_an_error() {
    let damages = [
        "channels = '[\"messages\"]'",
        "channels = '[]'",
        "channels = '[\"messages'",
        "parent_checkpoint_id = NULL",
        "parent_checkpoint_id = '003'",
        "parent_checkpoint_id = '009'",
    ];
    let mut refused = 0;
    for (damage, id) in damages.iter().flat_map(|damage| (2..=10).map(move |id| (damage, id))) {
        let mut thread = Thread::new();
        thread.step(&Step::Put { id: 2, parent: 1, value: Some(7) });
        thread.next = 2;
        for _ in 0..6 {
            thread.step(&Step::Grow { writes: 1 });
        }
        thread.step(&Step::Read { id: None });
        for _ in 0..2 {
            thread.step(&Step::Grow { writes: 1 });
        }
        let known = thread.given[0].as_ref().unwrap().known.clone().unwrap();
        let right = [vec![known], Vec::new()].map(|known| {
            let histories = thread.histories(None, known.clone());
            (known, histories)
        });
        let sql = format!(
            "UPDATE lg_records SET {damage} WHERE task_id = '' AND checkpoint_id = '{}'",
            name(id)
        );
        thread.native.connection().execute(&sql, []).unwrap();
        for (known, right) in right {
            let call = DeltaChannelHistory {
                config: config(None),
                channels: CHANNELS.map(str::to_owned).into(),
                known,
            };
            match thread.native.call(Call::DeltaChannelHistory(call)) {
                Ok(outcome) => assert_eq!(outcome, Outcome::History(right), "{sql}"),
                Err(error) => {
                    assert_eq!(error.code(), "damaged-envelope");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 50, "{refused}");
}

#[test]
fn the_known_of_another_thread_or_of_nothing_is_refused() {
    let mut thread = Thread::new();
    thread.step(&Step::Grow { writes: 1 });
    thread.step(&Step::Grow { writes: 1 });
    thread.step(&Step::Read { id: None });
    let known = thread.given[0].as_ref().unwrap().known.clone().unwrap();
    for (other, bytes) in [("thread-2", known), ("thread-1", b"none".to_vec())] {
        let call = DeltaChannelHistory {
            config: Config { thread_id: other.into(), ..Config::default() },
            channels: CHANNELS.map(str::to_owned).into(),
            known: vec![bytes],
        };
        let error = thread.native.call(Call::DeltaChannelHistory(call)).unwrap_err();
        assert_eq!(error.code(), "foreign-known");
    }
}
