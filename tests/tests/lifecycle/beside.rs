//! Calls about whole threads, reads, and what others do between their rounds.

use langgraph_checkpoint_guest::{
    Answer, Call, ChannelHistory, CheckpointTuple, Config, CopyThread, DeltaChannelHistory, Error,
    GetTuple, Keep, List, Moment, Need, Outcome, Progress, Store,
};
use langgraph_checkpoint_tests::caller::Caller;
use langgraph_checkpoint_tests::native::Native;

use super::{New, THREAD, history, json, listed, messages, name, prune, run, write};

/// Runs a call, and `other` before each of its batches. Returns how many there were, and the
/// outcome.
pub(super) fn with_others(
    native: &mut Native,
    call: Call,
    other: impl FnMut(&mut Native, usize),
) -> (usize, Outcome) {
    beside_others(native, call, other).unwrap()
}

fn beside_others(
    native: &mut Native,
    call: Call,
    mut other: impl FnMut(&mut Native, usize),
) -> Result<(usize, Outcome), Error> {
    let (mut operation, mut progress) = Store::Sqlite.start(call, Moment::default()).unwrap();
    let mut rounds = 0;
    while let Progress::Need(Need::Sql(batch)) = &progress {
        other(native, rounds);
        rounds += 1;
        let sets = native.run(batch);
        progress = operation.advance(Answer::Sql(sets), Moment::default())?;
    }
    match progress {
        Progress::Done(outcome) => Ok((rounds, outcome)),
        Progress::Need(need) => panic!("a call on SQLite needs {need:?}"),
    }
}

#[test]
fn what_is_read_while_a_thread_is_pruned_is_what_was_there_at_one_time() {
    // Each checkpoint has messages of its own, and the delta channel a snapshot at every third.
    let put = |id: usize| {
        let text = format!("[{}]", vec![format!("\"{id}: {}\"", "x".repeat(200)); 40].join(","));
        let log = (id % 3 == 1).then(|| text.clone());
        let channels = vec![("log", id as f64, log), ("messages", id as f64, Some(text))];
        New { channels, ..New::of(id) }.call()
    };
    let fill = || {
        let mut native = Native::in_memory();
        for id in 1..=7 {
            native.call(put(id)).unwrap();
            native.call(write("", id, "task", "log", &messages(3))).unwrap();
        }
        native
    };
    let of_thread = Config { thread_id: THREAD.into(), ..Config::default() };
    let log = DeltaChannelHistory {
        config: of_thread.clone(),
        channels: vec!["log".to_owned()],
        known: Vec::new(),
    };
    let reads = [
        Call::GetTuple(GetTuple { config: of_thread.clone(), known: None }),
        Call::List(List { config: of_thread, ..List::default() }),
        Call::DeltaChannelHistory(log),
    ];
    for read in reads {
        let mut at = 1;
        loop {
            let mut native = fill();
            let (rounds, outcome) = with_others(&mut native, read.clone(), |native, round| {
                if round == at {
                    for id in 8..=11 {
                        native.call(put(id)).unwrap();
                        native.call(write("", id, "task", "log", &messages(3))).unwrap();
                    }
                    run(native, prune(Keep::Latest));
                }
            });
            if at >= rounds {
                break;
            }
            let mut then = fill();
            let now = native.call(read.clone()).unwrap();
            let before = then.call(read.clone()).unwrap();
            let shown = comparable(outcome);
            assert!(
                [comparable(before), comparable(now)].contains(&shown),
                "pruned before round {at}: {shown}"
            );
            at += 1;
        }
        assert!(at >= 2, "{read:?} took {at} rounds");
    }
}

/// What a read shows, without what its caller carries on.
fn comparable(outcome: Outcome) -> String {
    match outcome {
        Outcome::Found(found) => format!("{:?}", found.map(|found| found.tuple)),
        Outcome::Page(page) => {
            let shown = |tuple: CheckpointTuple<_>| tuple.resolve(&page.shared).unwrap();
            format!("{:?}", page.tuples.into_iter().map(shown).collect::<Vec<_>>())
        }
        Outcome::History(histories) => {
            let shown = |history| ChannelHistory { known: None, ..history };
            format!("{:?}", histories.into_iter().map(shown).collect::<Vec<_>>())
        }
        other => panic!("a read gave {other:?}"),
    }
}

#[test]
fn what_is_put_while_a_thread_is_pruned_reads_whole() {
    let mut at = 0;
    loop {
        let mut native = Native::in_memory();
        for id in 1..=30 {
            native.call(New::of(id).call()).unwrap();
        }
        // A branch whose messages nothing else refers to, put again in the middle.
        let branch = |id| New {
            parent: Some(2),
            channels: vec![("branch", 1.0, Some(messages(40)))],
            ..New::of(id)
        };
        native.call(branch(9).call()).unwrap();
        let call = Call::Prune(prune(Keep::Latest));
        let (rounds, _) = with_others(&mut native, call, |native, round| {
            if round == at {
                native.call(branch(31).call()).unwrap();
                native.call(write("", 31, "task", "branch", &messages(40))).unwrap();
            }
        });
        if at >= rounds {
            break;
        }
        let tuples = listed(&mut native, THREAD);
        let newest = tuples.iter().find(|tuple| tuple.checkpoint_id == name(31));
        let newest = newest.expect("the checkpoint that was put");
        assert_eq!(newest.channel_values[0].value, json(&messages(40)), "put at round {at}");
        assert_eq!(newest.pending_writes.len(), 1);
        at += 1;
    }
    assert!(at >= 6, "{at}");
}

#[test]
fn a_delta_channel_that_goes_on_while_a_long_thread_is_planned_keeps_its_history() {
    let delta = |id: usize, parent: Option<usize>, value: Option<&str>| {
        let channels = vec![("log", id as f64, value.map(str::to_owned))];
        New { parent, channels, ..New::of(id) }
    };
    let mut native = Native::in_memory();
    native.call(delta(1, None, Some("[1]")).call()).unwrap();
    for id in 2..=4200 {
        native.call(delta(id, Some(1), None).call()).unwrap();
    }
    // Between the two pages of the outline.
    with_others(&mut native, Call::Prune(prune(Keep::Latest)), |native, round| {
        if round == 1 {
            native.call(write("", 2, "task", "log", "[2]")).unwrap();
            native.call(delta(5000, Some(2), None).call()).unwrap();
        }
    });
    let found = history(&mut native, "", 5000, "log");
    assert_eq!((found.seed.is_some(), found.writes.len()), (true, 1));
}

#[test]
fn a_prune_or_copy_whose_thread_is_written_to_without_end_is_unavailable_for_the_moment() {
    let mut native = Native::in_memory();
    let mut id = 1;
    native.call(New::of(id).call()).unwrap();
    let mut put = |native: &mut Native| {
        id += 1;
        native.call(New::of(id).call()).unwrap();
    };
    let refused = |given_up: Result<(usize, Outcome), Error>| {
        let Err(Error::Unavailable(store)) = given_up else { panic!("{given_up:?}") };
        assert_eq!(store.fault.code, "thread-in-use");
        assert!(!store.maybe_stored && store.fault.message.ends_with("try later"), "{store}");
    };
    let call = Call::Prune(prune(Keep::Latest));
    refused(beside_others(&mut native, call, |native, _| put(native)));
    assert!(listed(&mut native, THREAD).len() > 16, "nothing was removed");
    let copy = CopyThread { source: THREAD.into(), target: "copy".into(), latest_only: false };
    refused(beside_others(&mut native, Call::CopyThread(copy), |native, _| {
        put(native);
        run(native, prune(Keep::Latest));
    }));
    assert_eq!(listed(&mut native, "copy").len(), 0);
}
