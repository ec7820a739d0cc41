//! Prunes, copies and verifications on Kusto beside other stores on the same table.

use super::*;
use langgraph_checkpoint_guest::{CopyThread, Keep, Prune, Pruned, Stats, Verified, Verify, Work};

fn prune(kusto: &mut Kusto, thread_id: &str, keep: Keep) -> Work {
    let pruned = Pruned::Threads(vec![thread_id.into()]);
    let prune = Prune { pruned, keep, limit: None, dry_run: false, lease: None, resume: None };
    let Ok(Outcome::Worked(work)) = kusto.call(Call::Prune(prune)) else { panic!("work") };
    work
}

pub(super) fn copy(kusto: &mut Kusto, latest_only: bool) -> Result<Outcome, String> {
    let copy = CopyThread { source: "chat".into(), target: "copy".into(), latest_only };
    kusto.call(Call::CopyThread(copy)).map_err(|error| error.code().to_owned())
}

fn stats(kusto: &mut Kusto, thread_id: &str) -> Stats {
    let Ok(Outcome::Stats(stats)) = kusto.call(Call::Stats(thread_id.into())) else {
        panic!("stats")
    };
    stats
}

pub(super) fn verify(kusto: &mut Kusto, thread_id: &str) -> Verified {
    let call = Verify { thread: thread_id.into(), resume: None };
    let Ok(Outcome::Verified(verified)) = kusto.call(Call::Verify(call)) else {
        panic!("verified")
    };
    verified
}

#[test]
fn every_store_sees_a_prune_at_once_and_goes_on() {
    let Some(options) = options("pruned") else { return };
    let (mut one, mut other) = (open(options.clone()), open(options.clone()));
    let mut editor = Editor::default();
    for step in 1..=5 {
        editor.call(&mut one, checkpoint("chat", step, chat(20 + step))).unwrap();
    }
    // The other's clock lags by a day: its tombstones are newer all the same.
    other.ahead = -DAY;
    let work = prune(&mut other, "chat", Keep::Last(2));
    assert_eq!((work.threads, work.checkpoints), (1, 3));
    for store in [&mut one, &mut other, &mut open(options.clone())] {
        assert_eq!(ids(store, "chat"), ["00000005", "00000004"]);
        assert_eq!(latest(store, "chat").unwrap().channel_values[0].value, chat(25));
    }
    // A put relies on what it knows, and a second prune finds nothing of the first.
    editor.call(&mut one, checkpoint("chat", 6, chat(26))).unwrap();
    assert_eq!(prune(&mut other, "chat", Keep::Latest).checkpoints, 2);
    assert_eq!(prune(&mut one, "chat", Keep::Latest).checkpoints, 0);
    let mut third = open(options);
    assert_eq!(latest(&mut third, "chat").unwrap().channel_values[0].value, chat(26));
    assert_eq!(stats(&mut third, "chat").checkpoints, 1);
}

#[test]
fn what_is_put_again_after_a_prune_shows_even_by_a_clock_that_lags() {
    let Some(options) = options("put_again") else { return };
    let (mut one, mut other) = (open(options.clone()), open(options));
    for step in [1, 2] {
        one.call(checkpoint("chat", step, chat(step))).unwrap();
    }
    other.ahead = DAY;
    assert_eq!(prune(&mut other, "chat", Keep::Latest).checkpoints, 1);
    one.call(checkpoint("chat", 1, chat(7))).unwrap();
    for store in [&mut one, &mut other] {
        assert_eq!(ids(store, "chat"), ["00000002", "00000001"]);
    }
}

#[test]
fn rows_that_do_not_show_yet_do_not_bring_back_what_was_pruned_elsewhere() {
    let Some(options) = options("late_prune") else { return };
    let (mut one, mut other) = (open(options.clone()), open(options.clone()));
    for step in [1, 2] {
        one.call(checkpoint("chat", step, chat(step))).unwrap();
    }
    assert_eq!(prune(&mut other, "chat", Keep::Latest).checkpoints, 1);
    // `one` has not looked since it has sent its rows.
    assert_eq!(ids(&mut one, "chat"), ["00000002"]);
}

#[test]
fn a_prune_waits_for_what_its_store_has_sent_and_hides_nothing_else() {
    let Some(options) = options("settled") else { return };
    let options = KustoOptions { deadline_ms: Some(4_000), ..options };
    let mut one = open(options.clone());
    one.call(checkpoint("chat", 1, chat(1))).unwrap();
    if !local(&options, "faults", HELD_BACK) {
        return;
    }
    one.call(checkpoint("chat", 2, chat(2))).unwrap();
    one.is_virtual = true;
    let pruned = Pruned::Threads(vec!["chat".into()]);
    let call = Prune {
        pruned,
        keep: Keep::Latest,
        limit: None,
        dry_run: false,
        lease: None,
        resume: None,
    };
    assert_eq!(one.call(Call::Prune(call)).unwrap_err().code(), "store-stale");
    // Another does not see the second checkpoint, and keeps the first.
    assert_eq!(prune(&mut open(options.clone()), "chat", Keep::Latest).checkpoints, 0);
    local(&options, "release", "");
    assert_eq!(ids(&mut open(options), "chat"), ["00000002", "00000001"]);
}

#[test]
fn what_is_put_while_its_thread_is_deleted_as_a_whole_is_counted_or_stays_whole() {
    let Some(options) = options("put_meanwhile") else { return };
    let mut stayed = 0;
    for request in 0.. {
        let thread = format!("chat-{request}");
        let (mut one, mut other) = (open(options.clone()), open(options.clone()));
        let mut editor = Editor::default();
        for step in 1..=3 {
            editor.call(&mut one, checkpoint(&thread, step, chat(20 + step))).unwrap();
        }
        let mut put = Some(checkpoint(&thread, 4, chat(24)));
        let pruned = Pruned::Threads(vec![thread.as_str().into()]);
        let (keep, limit) = (Keep::Nothing, None);
        let prune = Prune { pruned, keep, limit, dry_run: false, lease: None, resume: None };
        let mut sent = 0;
        let deleted = other.beside(Call::Prune(prune), |_| {
            if sent == request {
                editor.call(&mut one, put.take().unwrap()).unwrap();
            }
            sent += 1;
        });
        if put.is_some() {
            assert!(stayed > 0, "no put came after the look at the thread");
            return;
        }
        let Ok(Outcome::Worked(work)) = deleted else { panic!("{deleted:?}") };
        for store in [&mut one, &mut other, &mut open(options.clone())] {
            if work.checkpoints == 4 {
                assert!(ids(store, &thread).is_empty(), "before request {request}");
            } else {
                assert_eq!(ids(store, &thread), ["00000004"], "before request {request}");
                assert_eq!(latest(store, &thread).unwrap().channel_values[0].value, chat(24));
            }
        }
        stayed += u32::from(work.checkpoints == 3);
    }
}

#[test]
fn waiting_rows_are_pruned_too() {
    let Some(options) = options("behind_pruned") else { return };
    let behind = KustoOptions { batch_size: Some(1000), ..options.clone() };
    let mut one = open(behind);
    for step in 1..=3 {
        one.call(checkpoint("chat", step, chat(step))).unwrap();
    }
    assert_eq!(prune(&mut one, "chat", Keep::Latest).checkpoints, 2);
    one.flush().unwrap();
    assert_eq!(ids(&mut one, "chat"), ["00000003"]);
    assert_eq!(ids(&mut open(options), "chat"), ["00000003"]);
}

#[test]
fn a_copy_outlives_the_removal_of_its_source_and_is_not_made_twice() {
    let Some(options) = options("copied") else { return };
    let mut kusto = open(KustoOptions { admin: true, ..options.clone() });
    for step in 1..=3 {
        kusto.call(checkpoint("chat", step, chat(40 + step))).unwrap();
    }
    // What was there before is deleted, by a clock ahead.
    let mut ahead = open(options.clone());
    ahead.ahead = DAY;
    ahead.call(checkpoint("copy", 9, chat(9))).unwrap();
    assert_eq!(copy(&mut kusto, false), Err("existing-thread".to_owned()));
    ahead.call(Call::DeleteThread(config("copy"))).unwrap();
    let Ok(Outcome::Worked(work)) = copy(&mut kusto, false) else { panic!("work") };
    assert_eq!((work.threads, work.checkpoints), (1, 3));
    assert!(work.chunks >= 43 && work.bytes > 43 * 400, "{work:?}");
    kusto.call(Call::DeleteThread(config("chat"))).unwrap();
    for store in [&mut kusto, &mut open(options)] {
        assert_eq!(ids(store, "copy"), ["00000003", "00000002", "00000001"]);
        assert_eq!(latest(store, "copy").unwrap().channel_values[0].value, chat(43));
        assert_eq!(verify(store, "copy").problems, []);
    }
    assert_eq!(copy(&mut kusto, false), Err("missing-thread".to_owned()));
}

#[test]
fn a_verification_names_chunks_and_parts_that_are_gone_and_goes_on() {
    let Some(options) = options("verified") else { return };
    let mut kusto = open(options.clone());
    kusto.call(checkpoint("chat", 1, chat(3))).unwrap();
    let metadata = json(format!("{{\"note\":\"{}\"}}", "long ".repeat(200_000)));
    let Call::Put(put) = checkpoint("large", 1, chat(2)) else { panic!("a put") };
    kusto.call(Call::Put(Put { metadata, ..put })).unwrap();
    kusto.call(checkpoint("whole", 1, chat(4))).unwrap();
    for condition in
        ["['kind'] == 'chunk' and thread_id == 'chat'", "part == 1 and thread_id == 'large'"]
    {
        let gone = format!("CheckpointLog | where {condition}");
        if !run(&options, &format!(".delete table CheckpointLog records <| {gone}")) {
            return;
        }
    }
    let mut reader = open(KustoOptions { deadline_ms: Some(4_000), ..options });
    // Rows that are missing from a young thread may be late.
    (reader.is_virtual, reader.ahead) = (true, 11 * 60 * 1_000_000);
    let codes = |verified: &Verified| {
        let codes = verified.problems.iter().map(|problem| problem.code.clone());
        codes.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(codes(&verify(&mut reader, "chat")), ["missing-chunk"]);
    assert_eq!(codes(&verify(&mut reader, "large")), ["damaged-envelope"]);
    let whole = verify(&mut reader, "whole");
    assert_eq!((whole.checkpoints, whole.problems.len()), (1, 0));
    assert!(whole.chunks >= 4);
}
