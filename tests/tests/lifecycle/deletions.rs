//! Deletions of whole threads.

use langgraph_checkpoint_guest::{Call, Keep, Prune, Pruned};
use langgraph_checkpoint_tests::caller::Caller;
use langgraph_checkpoint_tests::native::Native;

use super::copies::{Stepwise, copy};
use super::{New, THREAD, config, listed, messages, prune, run, write};

/// At most this many records and this many chunks go with one batch.
const BATCH: i64 = 512;

/// A thread with more records and more chunks than go with one batch, and a small one.
fn threads() -> Native {
    let mut native = Native::in_memory();
    for id in 1..=3 {
        let channels = vec![("messages", id as f64, Some(messages(500 * id)))];
        native.call(New { channels, ..New::of(id) }.call()).unwrap();
    }
    for task in 0..1100 {
        native.call(write("", 3, &format!("task-{task}"), "notes", "1")).unwrap();
    }
    native.call(New { thread: "small", ..New::of(1) }.call()).unwrap();
    native
}

/// Each way to delete the large thread.
fn deletions() -> [Call; 2] {
    [Call::DeleteThread(config(THREAD, "", None)), Call::Prune(prune(Keep::Nothing))]
}

fn count(native: &Native, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    native.connection().query_row(&sql, [], |row| row.get(0)).unwrap()
}

/// The rows of records and chunks.
fn rows(native: &Native) -> [i64; 2] {
    ["lg_records", "lg_chunks"].map(|table| count(native, table))
}

#[test]
fn a_deletion_that_is_killed_at_any_batch_leaves_a_thread_whole_or_gone() {
    let small = rows(&{
        let mut native = threads();
        native.call(deletions()[0].clone()).unwrap();
        native
    });
    for deletion in deletions() {
        let whole = listed(&mut threads(), THREAD);
        for batches in 1.. {
            let mut native = threads();
            let has_ended = Stepwise::of(deletion.clone()).run(&mut native, batches).unwrap();
            let left = listed(&mut native, THREAD);
            assert!(left.is_empty() || left == whole, "after {batches} batches");
            let is_gone = left.is_empty();

            // A thread with the same id has nothing of the one before.
            let put = New { channels: Vec::new(), ..New::of(1) };
            native.call(Call::DeleteThread(config("nobody", "", None))).unwrap();
            if is_gone {
                assert_eq!(rows(&native), small, "the next deletion takes the rest");
                native.call(put.call()).unwrap();
                assert_eq!(listed(&mut native, THREAD).len(), 1);
            }
            assert_eq!(count(&native, "lg_deleted"), 1);
            if has_ended {
                assert!(batches >= 4, "{batches}");
                break;
            }
        }
    }
}

#[test]
fn a_deletion_that_finds_nothing_takes_the_rest_of_one_that_was_killed() {
    let missing = Prune { pruned: Pruned::Threads(vec!["nobody".into()]), ..prune(Keep::Nothing) };
    let long_ago = Pruned::Idle("2000-01-01T00:00:00.000Z".to_owned());
    let idle = Prune { pruned: long_ago, ..prune(Keep::Nothing) };
    for next in [prune(Keep::Nothing), missing, idle] {
        let mut native = threads();
        let mut killed = Stepwise::of(deletions()[0].clone());
        assert_eq!(killed.run(&mut native, 2), Ok(false));
        let left = rows(&native);
        let dry = Prune { dry_run: true, ..next.clone() };
        assert_eq!(run(&mut native, dry).threads, 0);
        assert_eq!(rows(&native), left, "a dry run takes nothing");
        assert_eq!(run(&mut native, next).threads, 0);
        assert_eq!(rows(&native), [1, 1], "the small thread's");
    }
}

#[test]
fn a_thread_that_is_named_is_deleted_even_if_it_is_written_to_all_the_time() {
    let mut native = threads();
    let mut deleted = Stepwise::of(deletions()[1].clone());
    for id in 10.. {
        native.call(New { parent: Some(3), ..New::of(id) }.call()).unwrap();
        if deleted.run(&mut native, 1).unwrap() {
            assert!(id < 100, "{id}");
            break;
        }
    }
    // What was put after its end is there, whole.
    assert!(listed(&mut native, THREAD).len() < 100);
    native.call(deletions()[0].clone()).unwrap();
    assert_eq!(rows(&native), [1, 1]);
}

#[test]
fn a_thread_that_is_made_while_its_namesake_is_swept_stays() {
    for deletion in deletions() {
        let mut native = threads();
        let mut deleted = Stepwise::of(deletion);
        while !listed(&mut native, THREAD).is_empty() {
            assert_eq!(deleted.run(&mut native, 1), Ok(false));
        }
        native.call(New::of(7).call()).unwrap();
        let made = listed(&mut native, THREAD);
        assert_eq!(deleted.run(&mut native, usize::MAX), Ok(true));
        assert_eq!(listed(&mut native, THREAD), made);
        assert_eq!(made.len(), 1);
    }
}

#[test]
fn a_batch_of_a_deletion_takes_a_bounded_number_of_rows() {
    for deletion in deletions() {
        let mut native = threads();
        let mut deleted = Stepwise::of(deletion);
        loop {
            let before = rows(&native);
            let has_ended = deleted.run(&mut native, 1).unwrap();
            for (before, after) in before.into_iter().zip(rows(&native)) {
                assert!(before - after <= BATCH, "{before} to {after}");
            }
            if has_ended {
                break;
            }
        }
    }
}

#[test]
fn a_copy_takes_a_key_that_nothing_is_left_of() {
    let mut native = threads();
    let mut deleted = Stepwise::of(deletions()[0].clone());
    native.call(New { thread: "copied", ..New::of(2) }.call()).unwrap();
    assert_eq!(deleted.run(&mut native, 1), Ok(false));
    native.call(New::of(1).call()).unwrap();
    copy(&mut native, "copy", false).unwrap();
    assert_eq!(listed(&mut native, "copy").len(), 1);
    assert_eq!(deleted.run(&mut native, usize::MAX), Ok(true));
    assert_eq!(listed(&mut native, "copy").len(), 1);
    assert_eq!(listed(&mut native, "copied").len(), 1);
}

#[test]
fn a_thread_that_is_there_is_never_swept_whatever_the_deleted_ones_are_said_to_be() {
    let mut native = threads();
    let before = listed(&mut native, THREAD);
    let damage = "INSERT OR REPLACE INTO lg_deleted (thread_key, has_rest) \
                  SELECT thread_key, 1 FROM lg_threads";
    native.connection().execute(damage, []).unwrap();
    native.call(Call::DeleteThread(config("small", "", None))).unwrap();
    assert_eq!(listed(&mut native, THREAD), before);
    assert!(listed(&mut native, "small").is_empty());
}
