//! Copies of threads.

use langgraph_checkpoint_guest::{
    Answer, Call, CheckpointTuple, Config, CopyThread, Id, Keep, List, Moment, Need, Operation,
    Outcome, Progress, Store, Value, Work,
};
use langgraph_checkpoint_tests::caller::Caller;
use langgraph_checkpoint_tests::native::Native;

use super::beside::with_others;
use super::{New, THREAD, ids, listed, messages, name, prune, run, stats, write};

pub(super) fn copy(native: &mut Native, target: &str, latest_only: bool) -> Result<Work, String> {
    let call = CopyThread { source: THREAD.into(), target: target.into(), latest_only };
    match native.call(Call::CopyThread(call)) {
        Ok(Outcome::Worked(work)) => Ok(work),
        Ok(other) => panic!("a copy gave {other:?}"),
        Err(error) => Err(error.code().to_owned()),
    }
}

/// The tuples without their thread's id.
fn contents(native: &mut Native, thread: &str) -> Vec<CheckpointTuple> {
    let anonymous = |tuple: CheckpointTuple| CheckpointTuple { thread_id: String::new(), ..tuple };
    listed(native, thread).into_iter().map(anonymous).collect()
}

/// A thread of this many supersteps with a subgraph and pending writes.
fn thread(supersteps: usize) -> Native {
    let mut native = Native::in_memory();
    for id in 1..=supersteps {
        native.call(New::of(id).call()).unwrap();
        native.call(New { ns: "call:1", ..New::of(id) }.call()).unwrap();
        native.call(write("", id, "task", "messages", &messages(2))).unwrap();
    }
    native
}

#[test]
fn a_copy_has_everything_and_outlives_its_source() {
    let mut native = thread(30);
    let before = contents(&mut native, THREAD);
    let size = stats(&mut native, THREAD.into());
    let work = copy(&mut native, "copy", false).unwrap();
    assert_eq!((work.threads, work.checkpoints, work.writes), (1, 60, 30));
    assert_eq!(stats(&mut native, "copy".into()), size);
    assert_eq!(contents(&mut native, "copy"), before);
    assert_eq!(contents(&mut native, THREAD), before, "the source is as it was");
    let thread = Config { thread_id: THREAD.into(), ..Config::default() };
    native.call(Call::DeleteThread(thread)).unwrap();
    assert_eq!(contents(&mut native, "copy"), before);
    assert_eq!(stats(&mut native, Id::Absent), size, "nothing is left beside the copy");
}

#[test]
fn a_copy_of_the_latest_state_has_what_a_prune_would_keep() {
    let mut native = thread(30);
    copy(&mut native, "copy", true).unwrap();
    run(&mut native, prune(Keep::Latest));
    assert_eq!(contents(&mut native, "copy"), contents(&mut native, THREAD));
    assert_eq!(stats(&mut native, "copy".into()), stats(&mut native, THREAD.into()));
}

#[test]
fn a_copy_to_a_thread_that_exists_or_of_one_that_does_not_is_refused() {
    let mut native = thread(2);
    native.call(New { thread: "there", ..New::of(1) }.call()).unwrap();
    let before = stats(&mut native, Id::Absent);
    assert_eq!(copy(&mut native, "there", false).unwrap_err(), "existing-thread");
    assert_eq!(copy(&mut native, THREAD, false).unwrap_err(), "existing-thread");
    assert_eq!(copy(&mut native, "", false).unwrap_err(), "missing-id");
    let call = CopyThread { source: "nobody".into(), target: "copy".into(), latest_only: false };
    let error = native.call(Call::CopyThread(call)).unwrap_err();
    assert_eq!(error.code(), "missing-thread");
    assert_eq!(stats(&mut native, Id::Absent), before);
}

#[test]
fn a_copy_that_is_killed_at_any_batch_shows_nothing_and_the_next_one_leaves_nothing_of_it() {
    let whole = {
        let mut native = thread(4);
        copy(&mut native, "copy", false).unwrap();
        stats(&mut native, Id::Absent)
    };
    let call = || {
        let target = "copy".into();
        Call::CopyThread(CopyThread { source: THREAD.into(), target, latest_only: false })
    };
    for kill in 0.. {
        let mut native = thread(4);
        let (mut operation, mut progress) = Store::Sqlite.start(call(), Moment::default()).unwrap();
        let mut batches = 0;
        while let Progress::Need(Need::Sql(batch)) = &progress {
            if batches == kill {
                break;
            }
            batches += 1;
            let sets = native.run(batch);
            progress = operation.advance(Answer::Sql(sets), Moment::default()).unwrap();
        }
        if matches!(progress, Progress::Done(_)) {
            assert!(kill >= 4, "{kill}");
            break;
        }
        let all = List::default();
        let Outcome::Page(page) = native.call(Call::List(all)).unwrap() else { panic!() };
        assert!(page.tuples.iter().all(|tuple| tuple.thread_id == THREAD));
        if contents(&mut native, "copy").is_empty() {
            copy(&mut native, "copy", false).unwrap();
        }
        assert_eq!(stats(&mut native, Id::Absent), whole, "killed after {kill} batches");
    }
}

#[test]
fn a_copy_of_a_thread_that_is_written_to_has_nothing_without_what_came_before() {
    let small = |id: usize, parent: usize| New {
        channels: vec![("own", id as f64, Some(format!("\"{id}{}\"", "y".repeat(200))))],
        parent: Some(parent).filter(|parent| *parent > 0),
        ..New::of(id)
    };
    let mut at = 0;
    loop {
        let mut native = Native::in_memory();
        for id in 1..=1030 {
            native.call(small(id, id - 1).call()).unwrap();
        }
        let target = "copy".into();
        let call = CopyThread { source: THREAD.into(), target, latest_only: false };
        let (rounds, _) = with_others(&mut native, Call::CopyThread(call), |native, round| {
            if round == at {
                native.call(write("", 2, "task", "own", &messages(1))).unwrap();
                native.call(small(2000, 2).call()).unwrap();
            }
        });
        if at >= rounds {
            break;
        }
        let tuples = listed(&mut native, "copy");
        assert!(tuples.len() >= 1030, "put at round {at}");
        let of = |id| tuples.iter().find(|tuple| tuple.checkpoint_id == name(id));
        let is_written = !of(2).unwrap().pending_writes.is_empty();
        assert_eq!(of(2000).is_some(), is_written, "put at round {at}");
        at += 1;
    }
    assert!(at >= 6, "{at}");
}

#[test]
fn a_copy_of_the_latest_state_beside_a_put_has_one_checkpoint_of_each_namespace() {
    let mut at = 0;
    loop {
        let mut native = thread(3);
        let target = "copy".into();
        let call = CopyThread { source: THREAD.into(), target, latest_only: true };
        let (rounds, _) = with_others(&mut native, Call::CopyThread(call), |native, round| {
            if round == at {
                native.call(New::of(4).call()).unwrap();
            }
        });
        if at >= rounds {
            break;
        }
        assert_eq!(ids(&mut native, "copy", "").len(), 1, "put at round {at}");
        at += 1;
    }
    assert!(at >= 6, "{at}");
}

#[test]
fn a_copy_that_is_overtaken_by_another_to_the_same_thread_leaves_nothing() {
    let whole = {
        let mut native = thread(4);
        copy(&mut native, "copy", false).unwrap();
        stats(&mut native, Id::Absent)
    };
    for at in 0.. {
        let mut native = thread(4);
        let target = "copy".into();
        let call =
            Call::CopyThread(CopyThread { source: THREAD.into(), target, latest_only: false });
        let (mut operation, mut progress) = Store::Sqlite.start(call, Moment::default()).unwrap();
        let mut round = 0;
        let refused = loop {
            let Progress::Need(Need::Sql(batch)) = &progress else { break None };
            if round == at {
                copy(&mut native, "copy", false).unwrap();
            }
            round += 1;
            let sets = native.run(batch);
            match operation.advance(Answer::Sql(sets), Moment::default()) {
                Ok(next) => progress = next,
                Err(error) => break Some(error.code().to_owned()),
            }
        };
        if at >= round {
            assert!(at >= 5, "{at}");
            break;
        }
        assert_eq!(refused.as_deref(), Some("existing-thread"), "overtaken at round {at}");
        assert_eq!(stats(&mut native, Id::Absent), whole, "overtaken at round {at}");
    }
}

/// A call of which each batch is run when it is told to.
pub(super) struct Stepwise {
    operation: Operation,
    progress: Progress,
}

impl Stepwise {
    fn copy() -> Self {
        let call = CopyThread { source: THREAD.into(), target: "copy".into(), latest_only: false };
        Self::of(Call::CopyThread(call))
    }

    pub(super) fn of(call: Call) -> Self {
        let (operation, progress) = Store::Sqlite.start(call, Moment::default()).unwrap();
        Self { operation, progress }
    }

    /// Runs at most this many batches. Returns whether the call has ended.
    pub(super) fn run(&mut self, native: &mut Native, batches: usize) -> Result<bool, String> {
        for _ in 0..batches {
            let Progress::Need(Need::Sql(batch)) = &self.progress else { return Ok(true) };
            let sets = native.run(batch);
            let advanced = self.operation.advance(Answer::Sql(sets), Moment::default());
            self.progress = advanced.map_err(|error| error.code().to_owned())?;
        }
        Ok(matches!(self.progress, Progress::Done(_)))
    }
}

/// A thread whose values are chunks that refer to others.
fn deep() -> Native {
    let mut native = Native::in_memory();
    for id in 1..=3 {
        let channels = vec![("messages", id as f64, Some(messages(200 * id)))];
        native.call(New { channels, ..New::of(id) }.call()).unwrap();
    }
    native
}

#[test]
fn of_two_copies_to_one_thread_one_is_stored_and_nothing_is_left_of_the_other() {
    let size = {
        let mut native = deep();
        copy(&mut native, "copy", false).unwrap();
        stats(&mut native, Id::Absent)
    };
    for first in 1.. {
        for second in 1.. {
            let mut native = deep();
            let mut copies = [Stepwise::copy(), Stepwise::copy()];
            let has_ended = copies[0].run(&mut native, first).unwrap();
            let have_ended = [has_ended, copies[1].run(&mut native, second) != Ok(false)];
            for (copy, has_ended) in copies.iter_mut().zip(have_ended) {
                match if has_ended { Ok(true) } else { copy.run(&mut native, usize::MAX) } {
                    Ok(_) => {}
                    Err(code) => assert_eq!(code, "existing-thread"),
                }
            }
            assert_eq!(stats(&mut native, Id::Absent), size, "{first} and {second} batches");
            if have_ended[0] {
                return;
            }
            if have_ended[1] {
                break;
            }
        }
    }
}

#[test]
fn a_source_that_is_pruned_or_deleted_while_it_is_copied_is_not_damaged() {
    let thread = || Config { thread_id: THREAD.into(), ..Config::default() };
    for change in [Call::DeleteThread(thread()), Call::Prune(prune(Keep::Latest))] {
        for batches in 1.. {
            let mut native = deep();
            let mut copy = Stepwise::copy();
            if copy.run(&mut native, batches).unwrap() {
                break;
            }
            native.call(change.clone()).unwrap();
            match copy.run(&mut native, usize::MAX) {
                Ok(_) => assert!(!contents(&mut native, "copy").is_empty()),
                Err(code) => assert_eq!(code, "missing-thread"),
            }
        }
    }
}

#[test]
fn a_thread_that_is_pruned_or_deleted_while_it_is_pruned_is_not_damaged() {
    let thread = || Config { thread_id: THREAD.into(), ..Config::default() };
    for change in [Call::DeleteThread(thread()), Call::Prune(prune(Keep::Latest))] {
        for batches in 1.. {
            let mut native = deep();
            let mut pruned = Stepwise::of(Call::Prune(prune(Keep::Last(2))));
            if pruned.run(&mut native, batches).unwrap() {
                break;
            }
            native.call(change.clone()).unwrap();
            assert_eq!(pruned.run(&mut native, usize::MAX), Ok(true), "after {batches} batches");
        }
    }
}

#[test]
fn a_copy_starts_over_if_its_target_was_deleted_after_the_key_was_refused() {
    let mut native = deep();
    let mut copy = Stepwise::copy();
    // What PostgreSQL answers then: each statement sees what others have committed before it.
    let Progress::Need(Need::Sql(batch)) = &copy.progress else { panic!("a copy asks nothing") };
    let mut sets = native.run(batch);
    let row = sets.iter_mut().rev().find_map(|set| set.rows.last_mut()).unwrap();
    *row.last_mut().unwrap() = Value::Null;
    copy.progress = copy.operation.advance(Answer::Sql(sets), Moment::default()).unwrap();
    assert_eq!(copy.run(&mut native, usize::MAX), Ok(true));
    assert_eq!(contents(&mut native, "copy"), contents(&mut native, THREAD));
}
