//! Prunes and lists of threads, on real SQLite: what is kept reads as before, what goes is gone
//! with its chunks, wherever a prune was interrupted and whoever wrote meanwhile.

#[path = "lifecycle/beside.rs"]
mod beside;
#[path = "lifecycle/copies.rs"]
mod copies;
#[path = "lifecycle/deletions.rs"]
mod deletions;
#[path = "lifecycle/differences.rs"]
mod differences;
#[path = "lifecycle/exports.rs"]
mod exports;
#[path = "lifecycle/verification.rs"]
mod verification;

use std::collections::BTreeSet;

use langgraph_checkpoint_guest::{
    Access, Answer, Call, ChannelHistory, ChannelValue, ChannelVersion, Checkpoint,
    CheckpointTuple, Config, DeltaChannelHistory, GetTuple, Id, Keep, List, MetadataFilter, Moment,
    Need, NewWrite, Outcome, Payload, Progress, Prune, Pruned, Put, PutWrites, Stats, Store,
    Threads, ThreadsPage, Version, Work,
};
use langgraph_checkpoint_tests::caller::Caller;
use langgraph_checkpoint_tests::native::Native;
use proptest::prelude::*;

const THREAD: &str = "thread-1";

fn json(text: &str) -> Payload {
    Payload { kind: "json".to_owned(), bytes: text.as_bytes().to_vec() }
}

fn name(id: usize) -> String {
    format!("{id:06}")
}

fn config(thread: &str, ns: &str, id: Option<usize>) -> Config {
    Config {
        thread_id: thread.into(),
        checkpoint_ns: ns.into(),
        checkpoint_id: id.map(|id| name(id).into()).unwrap_or_default(),
        ..Config::default()
    }
}

/// A list of this many messages, each long enough to be a chunk.
fn messages(count: usize) -> String {
    let message = |number: usize| format!("\"{number}: {}\"", "x".repeat(200));
    format!("[{}]", (0..count).map(message).collect::<Vec<_>>().join(","))
}

/// A checkpoint to put: the channels with a version, and a value if they have one.
struct New<'a> {
    thread: &'a str,
    ns: &'a str,
    id: usize,
    parent: Option<usize>,
    v: f64,
    channels: Vec<(&'a str, f64, Option<String>)>,
    metadata: String,
}

impl New<'_> {
    fn of(id: usize) -> Self {
        Self {
            thread: THREAD,
            ns: "",
            id,
            parent: id.checked_sub(1).filter(|parent| *parent > 0),
            v: 4.0,
            channels: vec![("messages", id as f64, Some(messages(id)))],
            metadata: "{}".to_owned(),
        }
    }

    fn call(self) -> Call {
        let version = |(channel, version, _): &(&str, f64, Option<String>)| ChannelVersion {
            channel: (*channel).to_owned(),
            version: Version::Number(*version),
        };
        let value = |(channel, _, value): &(&str, f64, Option<String>)| {
            let value = json(value.as_deref()?).into();
            Some(ChannelValue { channel: (*channel).to_owned(), value })
        };
        let names = self.channels.iter().map(|(channel, ..)| (*channel).to_owned());
        Call::Put(Put {
            config: config(self.thread, self.ns, self.parent),
            checkpoint: Checkpoint {
                id: name(self.id).into(),
                v: self.v,
                ts: time(self.id),
                channel_versions: self.channels.iter().map(version).collect(),
                channel_values: self.channels.iter().filter_map(value).collect(),
                rest: json("{}"),
            },
            metadata: json(&self.metadata),
            new_versions: names.collect(),
            run_id: Id::Absent,
            known: None,
        })
    }
}

/// The time of a checkpoint: its number in minutes.
fn time(id: usize) -> String {
    format!("2027-01-01T{:02}:{:02}:00.000Z", id / 60, id % 60)
}

fn write(ns: &str, id: usize, task: &str, channel: &str, value: &str) -> Call {
    Call::PutWrites(PutWrites {
        config: config(THREAD, ns, Some(id)),
        writes: vec![NewWrite { channel: channel.to_owned(), value: json(value) }],
        task_id: task.into(),
        task_path: String::new(),
    })
}

fn prune(keep: Keep) -> Prune {
    let pruned = Pruned::Threads(vec![THREAD.into()]);
    Prune { pruned, keep, limit: None, dry_run: false, lease: None, resume: None }
}

/// Runs a prune to its end.
fn run(native: &mut Native, mut call: Prune) -> Work {
    loop {
        let Outcome::Worked(work) = native.call(Call::Prune(call.clone())).unwrap() else {
            panic!("another outcome");
        };
        if work.next.is_none() {
            return work;
        }
        call.resume = work.next;
    }
}

fn ids(native: &mut Native, thread: &str, ns: &str) -> Vec<String> {
    listed(native, thread)
        .into_iter()
        .filter(|tuple| tuple.checkpoint_ns == ns)
        .map(|tuple| tuple.checkpoint_id)
        .collect()
}

fn listed(native: &mut Native, thread: &str) -> Vec<CheckpointTuple> {
    let thread = Config { thread_id: thread.into(), ..Config::default() };
    let mut call = List { config: thread, ..List::default() };
    let mut tuples = Vec::new();
    loop {
        let Outcome::Page(page) = native.call(Call::List(call.clone())).unwrap() else {
            panic!("another outcome");
        };
        let shared = page.shared;
        tuples.extend(page.tuples.into_iter().map(|tuple| tuple.resolve(&shared).unwrap()));
        match page.next {
            Some(next) => call.resume = Some(next),
            None => return tuples,
        }
    }
}

fn history(native: &mut Native, ns: &str, id: usize, channel: &str) -> ChannelHistory {
    let call = DeltaChannelHistory {
        config: config(THREAD, ns, Some(id)),
        channels: vec![channel.to_owned()],
        known: Vec::new(),
    };
    match native.call(Call::DeltaChannelHistory(call)).unwrap() {
        Outcome::History(histories) => {
            let history = histories.into_iter().next().unwrap();
            ChannelHistory { known: None, ..history }
        }
        other => panic!("a history gave {other:?}"),
    }
}

fn stats(native: &mut Native, thread: Id) -> Stats {
    match native.call(Call::Stats(thread)).unwrap() {
        Outcome::Stats(stats) => stats,
        other => panic!("stats gave {other:?}"),
    }
}

#[test]
fn keep_latest_leaves_one_checkpoint_a_namespace_and_no_chunk_that_nothing_refers_to() {
    let mut native = Native::in_memory();
    for id in 1..=20 {
        native.call(New::of(id).call()).unwrap();
        native.call(New { ns: "sub", ..New::of(id) }.call()).unwrap();
    }
    // A branch whose messages are its own.
    let branch = New { parent: Some(3), ..New::of(15) };
    let branch = New { channels: vec![("other", 1.0, Some(messages(60)))], ..branch };
    native.call(branch.call()).unwrap();
    let dry = run(&mut native, Prune { dry_run: true, ..prune(Keep::Latest) });
    assert_eq!(listed(&mut native, THREAD).len(), 40, "a dry run removes nothing");
    let work = run(&mut native, prune(Keep::Latest));
    assert_eq!(work, dry, "a dry run counts what a prune removes");
    assert_eq!(work.checkpoints, 38);
    assert!(work.chunks > 0 && work.bytes > 200, "{work:?}");
    for ns in ["", "sub"] {
        assert_eq!(ids(&mut native, THREAD, ns), [name(20)]);
    }
    let again = run(&mut native, Prune { dry_run: true, ..prune(Keep::Latest) });
    assert_eq!(again, Work::default(), "nothing is left to remove");
    let alone = {
        let mut alone = Native::in_memory();
        for ns in ["", "sub"] {
            alone.call(New { ns, ..New::of(20) }.call()).unwrap();
        }
        stats(&mut alone, THREAD.into())
    };
    assert_eq!(stats(&mut native, THREAD.into()), alone);
}

#[test]
fn each_rule_keeps_what_it_says() {
    let cases = [
        (Keep::Latest, vec![9]),
        (Keep::Last(3), vec![9, 8, 7]),
        (Keep::Last(100), (1..=9).rev().collect()),
        (Keep::NewerThan(time(5)), vec![9, 8, 7, 6, 5]),
        (Keep::NewerThan(time(50)), vec![9]),
        (Keep::Nothing, vec![]),
    ];
    for (keep, kept) in cases {
        let mut native = Native::in_memory();
        for id in 1..=9 {
            native.call(New::of(id).call()).unwrap();
        }
        native.call(New { thread: "other", ..New::of(1) }.call()).unwrap();
        let work = run(&mut native, prune(keep.clone()));
        let kept: Vec<_> = kept.into_iter().map(name).collect();
        assert_eq!(ids(&mut native, THREAD, ""), kept, "{keep:?}");
        assert_eq!(work.checkpoints, 9 - kept.len() as u64, "{keep:?}");
        assert_eq!(ids(&mut native, "other", "").len(), 1);
    }
}

#[test]
fn bad_input_is_refused_before_anything_is_read() {
    let refused = |call: Prune| {
        Store::Sqlite.start(Call::Prune(call), Moment::default()).unwrap_err().code().to_owned()
    };
    assert_eq!(refused(prune(Keep::Last(0))), "invalid-keep");
    for ts in ["", "yesterday", "2027-01-01", "2027-01-01T00:00:00+02:00"] {
        assert_eq!(refused(prune(Keep::NewerThan(ts.to_owned()))), "invalid-time");
    }
    let of = |pruned| Prune { pruned, ..prune(Keep::Latest) };
    assert_eq!(refused(of(Pruned::Threads(vec!["".into()]))), "missing-id");
    assert_eq!(refused(of(Pruned::Runs(vec![Id::Absent]))), "missing-id");
    assert_eq!(refused(of(Pruned::Idle("soon".to_owned()))), "invalid-time");
    assert_eq!(
        refused(Prune { resume: Some(vec![1, 2]), ..prune(Keep::Latest) }),
        "foreign-resume"
    );
    let prefix = Threads { id_prefix: Some("a\0".to_owned()), ..Threads::default() };
    let refused = Store::Sqlite.start(Call::Threads(prefix), Moment::default());
    assert_eq!(refused.unwrap_err().code(), "invalid-id");
}

#[test]
fn a_thread_that_is_named_twice_is_counted_once() {
    let mut native = Native::in_memory();
    for id in 1..=3 {
        native.call(New::of(id).call()).unwrap();
    }
    let pruned = Pruned::Threads(vec![THREAD.into(), THREAD.into()]);
    let call = Prune { pruned, ..prune(Keep::Latest) };
    let dry = run(&mut native, Prune { dry_run: true, ..call.clone() });
    assert_eq!((dry.threads, dry.checkpoints), (1, 2));
    assert_eq!(run(&mut native, call), dry);
}

#[test]
fn a_delta_channel_reads_after_a_prune_as_before() {
    let delta = |id: usize, value: Option<String>| {
        let channels = vec![("log", id as f64, value), ("step", id as f64, Some(id.to_string()))];
        New { channels, ..New::of(id) }
    };
    let mut native = Native::in_memory();
    for id in 1..=10 {
        let snapshot = (id == 6).then(|| messages(6));
        native.call(delta(id, snapshot).call()).unwrap();
        native.call(write("", id, "task", "log", &messages(1))).unwrap();
    }
    let before = history(&mut native, "", 10, "log");
    assert_eq!(before.writes.len(), 4);
    run(&mut native, prune(Keep::Latest));
    assert_eq!(ids(&mut native, THREAD, ""), [10, 9, 8, 7, 6].map(name));
    assert_eq!(history(&mut native, "", 10, "log"), before);
}

#[test]
fn a_delta_channel_that_has_not_changed_since_its_snapshot_keeps_it() {
    let of = |id: usize, value: Option<String>| {
        let channels = vec![("log", 1.0, value), ("step", id as f64, Some("1".to_owned()))];
        New { channels, ..New::of(id) }
    };
    let mut native = Native::in_memory();
    native.call(of(1, Some(messages(5))).call()).unwrap();
    for id in 2..=4 {
        native.call(of(id, None).call()).unwrap();
    }
    let before = history(&mut native, "", 4, "log");
    assert!(before.seed.is_some());
    run(&mut native, prune(Keep::Latest));
    assert_eq!(history(&mut native, "", 4, "log"), before);
}

#[test]
fn a_channel_whose_value_was_removed_keeps_nothing() {
    let of = |id: usize, version: f64, value: Option<&str>| {
        let channels = vec![
            ("branch:to:a", version, value.map(str::to_owned)),
            ("step", id as f64, Some("1".to_owned())),
        ];
        New { channels, ..New::of(id) }
    };
    let mut native = Native::in_memory();
    native.call(of(1, 1.0, None).call()).unwrap();
    native.call(write("", 1, "task", "branch:to:a", "null")).unwrap();
    native.call(of(2, 2.0, Some("null")).call()).unwrap();
    native.call(write("", 2, "task", "step", "2")).unwrap();
    native.call(of(3, 3.0, None).call()).unwrap();
    run(&mut native, prune(Keep::Latest));
    assert_eq!(ids(&mut native, THREAD, ""), [name(3)]);
}

#[test]
fn the_sends_of_an_old_checkpoint_stay_with_its_parent() {
    let mut native = Native::in_memory();
    for id in 1..=3 {
        native.call(New { v: 1.0, ..New::of(id) }.call()).unwrap();
        native.call(write("", id, "task", "__pregel_tasks", &messages(1))).unwrap();
    }
    let tuple = |native: &mut Native| {
        let call = GetTuple { config: config(THREAD, "", None), known: None };
        match native.call(Call::GetTuple(call)).unwrap() {
            Outcome::Found(found) => found.unwrap().tuple,
            other => panic!("a getTuple gave {other:?}"),
        }
    };
    let before = tuple(&mut native);
    assert_eq!(before.pending_sends.as_ref().map(Vec::len), Some(1));
    run(&mut native, prune(Keep::Latest));
    assert_eq!(ids(&mut native, THREAD, ""), [3, 2].map(name));
    assert_eq!(tuple(&mut native), before);
}

#[test]
fn writes_whose_checkpoint_may_still_come_stay_and_others_go() {
    let mut native = Native::in_memory();
    for id in [2, 4] {
        native.call(New::of(id).call()).unwrap();
    }
    for id in [1, 3, 4, 5] {
        native.call(write("", id, "task", "messages", &messages(1))).unwrap();
    }
    let work = run(&mut native, prune(Keep::Latest));
    assert_eq!((work.checkpoints, work.writes), (1, 2));
    native.call(New::of(5).call()).unwrap();
    let tuples = listed(&mut native, THREAD);
    assert!(tuples.iter().all(|tuple| tuple.pending_writes.len() == 1));
}

#[test]
fn the_namespace_of_a_subgraph_call_goes_with_its_root_checkpoint() {
    let mut native = Native::in_memory();
    for id in 1..=3 {
        native.call(New::of(id).call()).unwrap();
        let ns = ["", "call:1", "call:2", "call:3"][id];
        let metadata = format!(r#"{{"parents":{{"":"{}"}}}}"#, name(id));
        native.call(New { ns, metadata, parent: None, ..New::of(id) }.call()).unwrap();
    }
    let metadata = r#"{"parents":{"":"000099"}}"#.to_owned();
    native.call(New { ns: "call:9", metadata, parent: None, ..New::of(9) }.call()).unwrap();
    run(&mut native, prune(Keep::Latest));
    let kept: BTreeSet<_> =
        listed(&mut native, THREAD).into_iter().map(|tuple| tuple.checkpoint_ns).collect();
    let expected = ["", "call:3", "call:9"].map(str::to_owned);
    assert_eq!(kept, BTreeSet::from(expected));
}

#[test]
fn the_checkpoints_of_a_run_go_and_what_others_are_made_of_stays() {
    let of = |id: usize, run: &str, value: Option<String>| {
        let metadata = format!(r#"{{"run_id":"{run}"}}"#);
        New { metadata, channels: vec![("log", id as f64, value)], ..New::of(id) }
    };
    let mut native = Native::in_memory();
    native.call(of(1, "run-1", Some(messages(1))).call()).unwrap();
    for (id, run) in [(2, "run-1"), (3, "run-2"), (4, "run-2"), (5, "run-3")] {
        native.call(of(id, run, (id == 3).then(|| messages(3))).call()).unwrap();
        native.call(write("", id, "task", "log", "[1]")).unwrap();
    }
    native.call(New { thread: "other", ..of(1, "run-2", Some(messages(2))) }.call()).unwrap();
    let runs = |runs: &[&str]| {
        let pruned = Pruned::Runs(runs.iter().map(|run| (*run).into()).collect());
        Prune { pruned, ..prune(Keep::Latest) }
    };
    let before = history(&mut native, "", 5, "log");
    let work = run(&mut native, runs(&["run-1", "run-9"]));
    assert_eq!((work.threads, work.checkpoints), (1, 2));
    assert_eq!(ids(&mut native, THREAD, ""), [5, 4, 3].map(name));
    // The last checkpoint's delta channel is made of the run that goes.
    let work = run(&mut native, runs(&["run-2"]));
    assert_eq!(work.checkpoints, 1, "only the other thread's");
    assert_eq!(history(&mut native, "", 5, "log"), before);
    assert!(ids(&mut native, "other", "").is_empty());
    assert_eq!(run(&mut native, runs(&[])), Work::default());
}

#[test]
fn the_run_of_a_config_is_noted_beside_the_metadata_and_that_of_the_metadata_comes_first() {
    let put = |id: usize, run: Id, metadata: &str| {
        let Call::Put(put) = (New { metadata: metadata.to_owned(), ..New::of(id) }).call() else {
            panic!("it is a put")
        };
        Call::Put(Put { run_id: run, ..put })
    };
    let mut native = Native::in_memory();
    for (id, run, metadata) in [
        (1, "run-1".into(), "{}"),
        (2, "run-1".into(), r#"{"run_id":"run-\u0032"}"#),
        (3, "run-3".into(), r#"{"run_id":7}"#),
        (4, Id::Number(4.0), r#"{"run_id":""}"#),
        (5, Id::Unsupported("object".to_owned()), "{}"),
        (6, "x".repeat(1025).into(), "{}"),
    ] {
        native.call(put(id, run, metadata)).unwrap();
    }
    let metadata: Vec<_> =
        listed(&mut native, THREAD).into_iter().map(|tuple| tuple.metadata.bytes).collect();
    assert_eq!(metadata[5], b"{}", "a read gives it as it was put");
    let mut left = 6;
    for (run, id) in [("run-1", 1), ("run-2", 2), ("run-3", 3), ("4", 4), ("none", 0)] {
        let pruned = Pruned::Runs(vec![run.into()]);
        run_of(&mut native, pruned);
        left -= usize::from(id > 0);
        let ids = ids(&mut native, THREAD, "");
        assert!(ids.len() == left && !ids.contains(&name(id)), "{run}: {ids:?}");
    }
    native.call(put(6, "run-6".into(), "{}")).unwrap();
    copies::copy(&mut native, "copy", false).unwrap();
    run_of(&mut native, Pruned::Runs(vec!["run-6".into()]));
    assert_eq!(ids(&mut native, "copy", ""), [name(5)], "a copy is of the same runs");
}

fn run_of(native: &mut Native, pruned: Pruned) {
    run(native, Prune { pruned, ..prune(Keep::Latest) });
}

#[test]
fn idle_threads_are_pruned_up_to_the_limit_and_others_stay() {
    let mut native = Native::in_memory();
    for thread in ["a", "b", "c", "d"] {
        for id in 1..=3 {
            let at = if thread == "d" { id + 100 } else { id };
            let new = New { thread, parent: None, ..New::of(at) };
            native.call(new.call()).unwrap();
        }
    }
    let expire = |keep, limit| Prune {
        pruned: Pruned::Idle(time(50)),
        keep,
        limit,
        dry_run: false,
        lease: None,
        resume: None,
    };
    let work = run(&mut native, expire(Keep::Latest, Some(2.0)));
    assert_eq!((work.threads, work.checkpoints), (2, 4));
    let work = run(&mut native, expire(Keep::Nothing, None));
    assert_eq!((work.threads, work.checkpoints), (3, 5));
    assert_eq!(ids(&mut native, "d", "").len(), 3);
    assert_eq!(stats(&mut native, Id::Absent).threads, 1);
}

#[test]
fn threads_are_listed_newest_first_without_reading_a_state() {
    let mut native = Native::in_memory();
    for number in 1..=7 {
        let thread = format!("{}-{number}", if number % 2 == 0 { "even" } else { "odd" });
        let metadata = format!(r#"{{"user":"u{}"}}"#, number % 3);
        for (id, ns) in [(number, ""), (number + 20, ""), (number + 90, "sub")] {
            let new = New { thread: &thread, ns, parent: None, ..New::of(id) };
            native.call(New { metadata: metadata.clone(), ..new }.call()).unwrap();
        }
    }
    let page = |native: &mut Native, call: Threads| -> ThreadsPage {
        match native.call(Call::Threads(call)).unwrap() {
            Outcome::Threads(page) => page,
            other => panic!("threads gave {other:?}"),
        }
    };
    let mut all = Vec::new();
    let mut call = Threads { limit: Some(3.0), ..Threads::default() };
    loop {
        let found = page(&mut native, call.clone());
        all.extend(found.threads);
        match found.next {
            Some(next) => call.resume = Some(next),
            None => break,
        }
    }
    let found: Vec<_> = all.iter().map(|thread| thread.thread_id.as_str()).collect();
    assert_eq!(found, ["odd-7", "even-6", "odd-5", "even-4", "odd-3", "even-2", "odd-1"]);
    let first = &all[0];
    assert_eq!((first.checkpoint_id.as_str(), first.ts.as_str()), (&*name(27), &*time(27)));
    assert_eq!(first.metadata, json(r#"{"user":"u1"}"#));
    assert_eq!((first.namespaces, first.checkpoints, first.writes), (2, 3, 0));
    let names = |native: &mut Native, call| {
        let page = page(native, call);
        page.threads.into_iter().map(|thread| thread.thread_id).collect::<Vec<_>>()
    };
    let even = Threads { id_prefix: Some("even-".to_owned()), ..Threads::default() };
    assert_eq!(names(&mut native, even), ["even-6", "even-4", "even-2"]);
    let idle = Threads { idle_since: Some(time(23)), ..Threads::default() };
    assert_eq!(names(&mut native, idle), ["even-2", "odd-1"]);
    let user = MetadataFilter { key: "user".to_owned(), json: "\"u0\"".to_owned() };
    let user = Threads { filter: vec![user], ..Threads::default() };
    assert_eq!(names(&mut native, user), ["even-6", "odd-3"]);
}

/// A prune that stops after this many batches that write, as if its process was killed.
fn interrupted(native: &mut Native, call: Prune, writes: usize) -> bool {
    let (mut operation, mut progress) =
        Store::Sqlite.start(Call::Prune(call), Moment::default()).unwrap();
    let mut written = 0;
    while let Progress::Need(Need::Sql(batch)) = &progress {
        if batch.access == Access::Write {
            if written == writes {
                return true;
            }
            written += 1;
        }
        let sets = native.run(batch);
        progress = operation.advance(Answer::Sql(sets), Moment::default()).unwrap();
    }
    false
}

#[test]
fn a_prune_that_is_killed_at_any_batch_is_finished_by_the_next() {
    let fill = || {
        let mut native = Native::in_memory();
        for id in 1..=700 {
            let channels = vec![("own", id as f64, Some(format!("\"{id}{}\"", "y".repeat(200))))];
            native.call(New { channels, ..New::of(id) }.call()).unwrap();
        }
        native
    };
    let mut whole = fill();
    run(&mut whole, prune(Keep::Latest));
    let expected = stats(&mut whole, THREAD.into());
    assert_eq!(expected.chunks, 1);
    let mut kills = 0;
    loop {
        let mut native = fill();
        if !interrupted(&mut native, prune(Keep::Latest), kills) {
            break;
        }
        assert!(ids(&mut native, THREAD, "").contains(&name(700)));
        run(&mut native, prune(Keep::Latest));
        assert_eq!(stats(&mut native, THREAD.into()), expected, "killed after {kills} batches");
        kills += 1;
    }
    assert!(kills >= 3, "{kills}");
}

#[test]
fn a_prune_removes_chunks_that_were_left_over_without_a_prune() {
    let mut native = Native::in_memory();
    let of = |value: &str| {
        let channels = vec![("own", 1.0, Some(format!("\"{}\"", value.repeat(200))))];
        New { channels, ..New::of(1) }
    };
    native.call(of("x").call()).unwrap();
    native.call(of("y").call()).unwrap();
    assert_eq!(stats(&mut native, THREAD.into()).chunks, 2);
    let work = run(&mut native, prune(Keep::Latest));
    assert_eq!((work.threads, work.checkpoints, work.chunks), (1, 0, 1));
    assert_eq!(stats(&mut native, THREAD.into()).chunks, 1);
    assert_eq!(run(&mut native, prune(Keep::Latest)), Work::default());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Forks, subgraphs, delta channels with snapshots here and there, and pending writes.
    #[test]
    fn a_prune_changes_nothing_of_what_it_keeps(
        steps in prop::collection::vec(
            (0..2_usize, 1..12_usize, proptest::option::of(1..12_usize), 0..4_u8, any::<bool>()),
            1..40,
        ),
        keep in prop_oneof![
            Just(Keep::Latest),
            (1..4_u32).prop_map(Keep::Last),
            (0..12_usize).prop_map(|id| Keep::NewerThan(time(id))),
        ],
    ) {
        let mut native = Native::in_memory();
        for (ns, id, parent, snapshot, is_written) in &steps {
            let ns = ["", "call:1"][*ns];
            let log = (*snapshot == 0).then(|| messages(*id));
            let channels =
                vec![("log", *id as f64, log), ("messages", *id as f64, Some(messages(*id)))];
            let metadata = r#"{"parents":{"":"000004"}}"#.to_owned();
            let new = New { ns, parent: *parent, channels, metadata, ..New::of(*id) };
            native.call(new.call()).unwrap();
            if *is_written {
                native.call(write(ns, *id, "task", "log", &messages(1))).unwrap();
            }
        }
        let before = listed(&mut native, THREAD);
        let log = |native: &mut Native, tuple: &CheckpointTuple| {
            let id = tuple.checkpoint_id.parse().unwrap();
            history(native, &tuple.checkpoint_ns, id, "log")
        };
        let histories: Vec<_> = before.iter().map(|tuple| log(&mut native, tuple)).collect();
        let dry = run(&mut native, Prune { dry_run: true, ..prune(keep.clone()) });
        let work = run(&mut native, prune(keep.clone()));
        prop_assert_eq!(dry, work);
        let after = listed(&mut native, THREAD);
        for tuple in &after {
            prop_assert!(before.contains(tuple), "a kept checkpoint has changed");
        }
        for ns in ["", "call:1"] {
            let of = |tuples: &[CheckpointTuple]| {
                tuples.iter().filter(|tuple| tuple.checkpoint_ns == ns).cloned().collect::<Vec<_>>()
            };
            let (then, now) = (of(&before), of(&after));
            let count = match &keep {
                Keep::Last(count) => *count as usize,
                Keep::NewerThan(ts) => then.iter().filter(|tuple| tuple.ts >= *ts).count().max(1),
                Keep::Nothing | Keep::Latest => 1,
            };
            let root_goes = |tuple: &CheckpointTuple| tuple.checkpoint_id == name(4);
            let is_gone = ns == "call:1" && now.is_empty()
                && before.iter().any(|tuple| tuple.checkpoint_ns.is_empty() && root_goes(tuple));
            if is_gone {
                continue;
            }
            for tuple in then.iter().take(count) {
                prop_assert!(now.contains(tuple), "{} of {ns:?} is gone", tuple.checkpoint_id);
                let at = before.iter().position(|other| other == tuple).unwrap();
                let has_value = tuple.channel_values.iter().any(|entry| entry.channel == "log");
                let then = &histories[at];
                if !has_value && !then.writes.is_empty() {
                    prop_assert_eq!(then, &log(&mut native, tuple));
                }
            }
        }
        let rest = run(&mut native, Prune { dry_run: true, ..prune(keep) });
        prop_assert_eq!(rest, Work::default(), "a second prune finds nothing");
    }
}
