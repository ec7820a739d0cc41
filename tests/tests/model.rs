//! Random sequences of calls compared with the reference model, by proptest: a failure prints the
//! shortest failing sequence it can find and keeps its seed.

use std::collections::{BTreeMap, BTreeSet};

use langgraph_checkpoint_guest::{
    Call, ChannelValue, ChannelVersion, Checkpoint, CheckpointTuple, Config, DeltaChannelHistory,
    GetTuple, Id, List, NewWrite, Outcome, Payload, Put, PutWrites, Version,
};
use langgraph_checkpoint_tests::caller::Caller;
use langgraph_checkpoint_tests::editor::Editor;
use langgraph_checkpoint_tests::model::Model;
use langgraph_checkpoint_tests::native::Native;
use langgraph_checkpoint_tests::transcript;
use proptest::prelude::*;

const THREADS: [&str; 2] = ["thread-a", "thread-b"];
const NAMESPACES: [&str; 2] = ["", "child:1"];
const CHANNELS: [&str; 4] = ["messages", "files", "count", "branch:to:a"];

/// A call, with small numbers instead of ids so that calls concern the same checkpoints.
#[derive(Clone, Debug)]
enum Step {
    Put {
        thread: usize,
        ns: usize,
        id: u8,
        parent: Option<u8>,
        values: [Shape; 4],
        /// Whether each channel is named as new.
        new: [bool; 4],
    },
    PutWrites {
        thread: usize,
        ns: usize,
        id: u8,
        task: u8,
        writes: Vec<(usize, Shape)>,
    },
    Get {
        thread: usize,
        ns: usize,
        id: Option<u8>,
    },
    Delete {
        thread: usize,
    },
}

/// A value, chosen so that values share parts: `list` is a list of this many messages, of which the
/// one at `edit` differs.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Absent,
    Small(u8),
    List { count: u16, edit: Option<u16>, skip: u8 },
    Map { count: u8, large: u8 },
    Bytes { length: u32, seed: u8 },
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        1 => Just(Shape::Absent),
        2 => any::<u8>().prop_map(Shape::Small),
        6 => (0..400_u16, proptest::option::of(0..400_u16), 0..3_u8)
            .prop_map(|(count, edit, skip)| Shape::List { count, edit, skip }),
        2 => (0..20_u8, 0..4_u8).prop_map(|(count, large)| Shape::Map { count, large }),
        1 => (0..60_000_u32, 0..3_u8).prop_map(|(length, seed)| Shape::Bytes { length, seed }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let place = (0..2_usize, 0..2_usize);
    prop_oneof![
        6 => (
            place.clone(),
            0..30_u8,
            proptest::option::of(0..30_u8),
            [shape(), shape(), shape(), shape()],
            any::<[bool; 4]>(),
        )
            .prop_map(|((thread, ns), id, parent, values, new)| {
                Step::Put { thread, ns, id, parent, values, new }
            }),
        3 => (place.clone(), 0..30_u8, 0..3_u8, prop::collection::vec((0..8_usize, shape()), 0..4))
            .prop_map(|((thread, ns), id, task, writes)| {
                Step::PutWrites { thread, ns, id, task, writes }
            }),
        3 => (place, proptest::option::of(0..30_u8))
            .prop_map(|((thread, ns), id)| Step::Get { thread, ns, id }),
        1 => (0..2_usize).prop_map(|thread| Step::Delete { thread }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn every_call_gives_what_the_model_gives(steps in prop::collection::vec(step(), 1..40)) {
        let stored = [Knows::Nothing, Knows::Chunks, Knows::Values].map(|knows| {
            Run::new(knows).all(&steps)
        });
        assert_eq!(stored[0], stored[1], "what is known changes no stored byte");
        assert_eq!(stored[0], stored[2], "edits store what whole values store");
    }
}

/// What the caller keeps of earlier outcomes.
#[derive(Clone, Copy, PartialEq)]
enum Knows {
    Nothing,
    Chunks,
    Values,
}

/// The system and the model side by side.
struct Run {
    native: Native,
    model: Model,
    knows: Knows,
    editor: Editor,
    known: BTreeMap<(String, String), Vec<u8>>,
    deleted: BTreeSet<usize>,
}

impl Run {
    fn new(knows: Knows) -> Self {
        Self {
            native: Native::in_memory(),
            model: Model::default(),
            knows,
            editor: Editor::default(),
            known: BTreeMap::new(),
            deleted: BTreeSet::new(),
        }
    }

    /// Runs all steps. Returns the digest of what is stored at the end.
    fn all(mut self, steps: &[Step]) -> String {
        for step in steps {
            self.step(step);
        }
        for thread in [None, Some(THREADS[0]), Some(THREADS[1])] {
            for before in [None, Some(id(15))] {
                let mut listed = self.list(thread, before.as_deref());
                let ids: Vec<_> = listed.iter().map(|tuple| tuple.checkpoint_id.clone()).collect();
                assert!(ids.is_sorted_by(|a, b| a >= b), "newest first");
                let mut expected = self.model.list(thread, before.as_deref());
                let key = |tuple: &CheckpointTuple| {
                    (
                        tuple.checkpoint_id.clone(),
                        tuple.thread_id.clone(),
                        tuple.checkpoint_ns.clone(),
                    )
                };
                listed.sort_by_key(key);
                expected.sort_by_key(key);
                assert_eq!(listed, expected);
            }
        }
        transcript::stored(self.native.connection())
    }

    fn call(&mut self, call: Call) -> Outcome {
        let outcome = match self.knows {
            Knows::Values => self.editor.call(&mut self.native, call),
            Knows::Nothing | Knows::Chunks => self.native.call(call),
        };
        outcome.unwrap()
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Put { thread, ns, id: number, parent, values, new } => {
                self.put(*thread, *ns, *number, *parent, values, *new);
            }
            Step::PutWrites { thread, ns, id: number, task, writes } => {
                let writes = writes.iter().map(|(channel, shape)| NewWrite {
                    channel: write_channel(*channel).to_owned(),
                    value: payload(*shape).unwrap_or_else(|| json("null")),
                });
                let task_id = format!("task-{task}");
                let call = PutWrites {
                    config: config(*thread, *ns, Some(*number)),
                    writes: writes.collect(),
                    task_id: task_id.as_str().into(),
                    task_path: if *task == 2 { "~path".to_owned() } else { String::new() },
                };
                let key = (THREADS[*thread].to_owned(), NAMESPACES[*ns].to_owned(), id(*number));
                self.model.put_writes(key, &task_id, &call);
                self.native.call(Call::PutWrites(call)).unwrap();
            }
            Step::Get { thread, ns, id: number } => self.get(*thread, *ns, *number),
            Step::Delete { thread } => {
                self.model.delete_thread(THREADS[*thread]);
                self.deleted.insert(*thread);
                // The known bytes are kept on purpose: they are out of date, and must do no harm.
                self.native.call(Call::DeleteThread(config(*thread, 0, None))).unwrap();
            }
        }
    }

    fn put(
        &mut self,
        thread: usize,
        ns: usize,
        number: u8,
        parent: Option<u8>,
        values: &[Shape; 4],
        new: [bool; 4],
    ) {
        let key = (THREADS[thread].to_owned(), NAMESPACES[ns].to_owned(), id(number));
        // A checkpoint that is put again has every channel: which channels were stored is known
        // from the existing checkpoints, not from what one had before it was replaced.
        let again = self.model.get_tuple(&key.0, &key.1, Some(&key.2)).is_some();
        // Without a parent, a caller's knowledge of a deleted thread says which channels were
        // stored.
        let again = again || (parent.is_none() && self.deleted.contains(&thread));
        let value = |at: usize| match (payload(values[at]), again) {
            (None, true) => Some(json("null")),
            (value, _) => value,
        };
        let mut put = Put {
            config: config(thread, ns, parent),
            checkpoint: Checkpoint {
                id: id(number).into(),
                v: 4.0,
                ts: format!("2024-04-19T17:19:{number:02}.000Z"),
                channel_versions: (0..3)
                    .map(|at| ChannelVersion {
                        channel: CHANNELS[at].to_owned(),
                        version: Version::Number(f64::from(number)),
                    })
                    .collect(),
                channel_values: (0..4)
                    .filter_map(|at| {
                        let value = value(at)?;
                        Some(ChannelValue { channel: CHANNELS[at].to_owned(), value: value.into() })
                    })
                    .collect(),
                rest: json(&format!("{{\"versions_seen\":{{\"node\":{number}}}}}")),
            },
            metadata: json(&format!("{{\"source\":\"loop\",\"step\":{number}}}")),
            new_versions: (0..4)
                .filter(|at| again || new[*at])
                .map(|at| CHANNELS[at].to_owned())
                .collect(),
            run_id: Id::Absent,
            known: None,
        };
        self.model.put(key.clone(), parent.map(id), put.clone());
        if self.knows == Knows::Chunks {
            put.known = self.known.get(&(key.0.clone(), key.1.clone())).cloned();
        }
        match self.call(Call::Put(put)) {
            Outcome::Stored(stored) => {
                self.known.insert((key.0, key.1), stored.known);
            }
            other => panic!("a put gave {other:?}"),
        }
    }

    fn get(&mut self, thread: usize, ns: usize, number: Option<u8>) {
        let (thread_id, checkpoint_ns) = (THREADS[thread], NAMESPACES[ns]);
        let get = GetTuple { config: config(thread, ns, number), known: None };
        let Outcome::Found(found) = self.call(Call::GetTuple(get)) else {
            panic!("a getTuple gave another outcome")
        };
        let found = found.map(|found| {
            self.known.insert((thread_id.to_owned(), checkpoint_ns.to_owned()), found.known);
            found.tuple.resolve(&[]).unwrap()
        });
        let expected = self.model.get_tuple(thread_id, checkpoint_ns, number.map(id).as_deref());
        assert_eq!(found, expected);
        let call = DeltaChannelHistory {
            config: config(thread, ns, None),
            channels: vec!["messages".to_owned(), "count".to_owned()],
            known: Vec::new(),
        };
        let Outcome::History(mut histories) =
            self.native.call(Call::DeltaChannelHistory(call)).unwrap()
        else {
            panic!("a history gave another outcome")
        };
        histories.iter_mut().for_each(|history| history.known = None);
        let expected: Vec<_> = ["messages", "count"]
            .map(|channel| self.model.history(thread_id, checkpoint_ns, channel))
            .into();
        assert_eq!(histories, expected);
    }

    /// All pages.
    fn list(&mut self, thread: Option<&str>, before: Option<&str>) -> Vec<CheckpointTuple> {
        let mut call = List::default();
        if let Some(thread) = thread {
            call.config.thread_id = thread.into();
        }
        if let Some(before) = before {
            call.before = before.into();
        }
        let mut tuples = Vec::new();
        loop {
            let Outcome::Page(page) = self.native.call(Call::List(call.clone())).unwrap() else {
                panic!("a list gave another outcome")
            };
            let next = page.next.clone();
            tuples.extend(transcript::tuples(page));
            match next {
                Some(next) => call.resume = Some(next),
                None => return tuples,
            }
        }
    }
}

fn id(number: u8) -> String {
    format!("1ef4f797-8335-6428-8001-{number:012}")
}

fn config(thread: usize, ns: usize, number: Option<u8>) -> Config {
    Config {
        thread_id: THREADS[thread].into(),
        checkpoint_ns: NAMESPACES[ns].into(),
        checkpoint_id: number.map_or_else(Default::default, |number| id(number).into()),
        ..Config::default()
    }
}

fn write_channel(at: usize) -> &'static str {
    ["messages", "count", "files", "other", "__interrupt__", "__resume__", "__error__", "messages"]
        [at]
}

fn json(text: &str) -> Payload {
    Payload { kind: "json".to_owned(), bytes: text.as_bytes().to_vec() }
}

fn payload(shape: Shape) -> Option<Payload> {
    let message = |at: usize, edited: bool| {
        let word = if edited { "edited" } else { "message" };
        let filler = "lorem ipsum ".repeat(at % 23);
        format!("{{\"content\":\"{word} {at}: {filler}\",\"id\":\"{at}\"}}")
    };
    Some(match shape {
        Shape::Absent => return None,
        Shape::Small(number) => json(&number.to_string()),
        Shape::List { count, edit, skip } => {
            let of = usize::from(skip)..usize::from(count);
            let parts: Vec<_> = of.map(|at| message(at, edit == Some(at as u16))).collect();
            json(&format!("[{}]", parts.join(",")))
        }
        Shape::Map { count, large } => {
            let entry = |at: u8| {
                let length = if at == large { 40_000 } else { usize::from(at) * 50 };
                let text: String =
                    (0..length).map(|at| char::from(b'a' + (at % 25) as u8)).collect();
                format!("\"file-{at}.txt\":\"{text}\\n\"")
            };
            let entries: Vec<_> = (0..count).map(entry).collect();
            json(&format!("{{{}}}", entries.join(",")))
        }
        Shape::Bytes { length, seed } => {
            let mut state = u32::from(seed) + 1;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            };
            let bytes = (0..length).map(|_| next()).collect();
            Payload { kind: "bytes".to_owned(), bytes }
        }
    })
}
