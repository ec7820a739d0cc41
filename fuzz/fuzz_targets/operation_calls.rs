//! Any series of calls on a real database: SQLite accepts every statement, only bad input is an
//! error, and what was put is read back.

#![no_main]

use arbitrary::{Result, Unstructured};
use langgraph_checkpoint_fuzz::calls;
use langgraph_checkpoint_guest::{
    Call, Checkpoint, CheckpointTuple, Config, Error, GetTuple, Id, NewValue, Outcome, Payload,
    PutWrites, Version,
};
use langgraph_checkpoint_tests::caller::Caller;
use langgraph_checkpoint_tests::native::Native;
use libfuzzer_sys::fuzz_target;

const CALLS_MAX: usize = 12;

fuzz_target!(|bytes: &[u8]| {
    // An input that ends too early tests nothing more.
    let _ = run(&mut Unstructured::new(bytes));
});

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let mut native = Native::in_memory();
    for _ in 0..CALLS_MAX {
        if u.is_empty() {
            break;
        }
        let call = calls::call(u)?;
        match native.call(call.clone()) {
            Err(Error::InvalidInput(_)) => {}
            // These calls carry no bytes that a planner made.
            Err(Error::Protocol(_))
                if !matches!(
                    call,
                    Call::Setup
                        | Call::PutWrites(_)
                        | Call::DeleteThread(_)
                        | Call::CopyThread(_)
                        | Call::Stats(_)
                        | Call::Diff(_)
                ) => {}
            Err(error) => panic!("{error:?}"),
            Ok(outcome) => check(&mut native, &call, &outcome),
        }
    }
    Ok(())
}

fn check(native: &mut Native, call: &Call, outcome: &Outcome) {
    match (call, outcome) {
        (Call::Put(put), Outcome::Stored(stored)) => {
            let config = Config {
                thread_id: Id::Text(stored.thread_id.clone()),
                checkpoint_ns: Id::Text(stored.checkpoint_ns.clone()),
                checkpoint_id: Id::Text(stored.checkpoint_id.clone()),
                thread_ts: Id::Absent,
            };
            let tuple = tuple(native, config).expect("a checkpoint that was put is found");
            assert_same(&put.checkpoint, &put.metadata, &put.new_versions, &tuple);
        }
        (Call::PutWrites(put), Outcome::WritesStored) => assert_kept(native, put),
        (Call::DeleteThread(config), Outcome::Deleted) => {
            let thread_id = config.thread_id.clone();
            let whole = Config { thread_id, ..Config::default() };
            assert_eq!(tuple(native, whole), None, "a deleted thread is found");
        }
        (Call::Verify(_), Outcome::Verified(verified)) => {
            assert_eq!(verified.problems, [], "something is damaged");
        }
        (Call::CopyThread(copy), Outcome::Worked(_)) => {
            let latest = |native: &mut Native, thread_id: &Id| {
                let whole = Config { thread_id: thread_id.clone(), ..Config::default() };
                tuple(native, whole)
                    .map(|tuple| CheckpointTuple { thread_id: String::new(), ..tuple })
            };
            let source = latest(native, &copy.source);
            assert_eq!(source, latest(native, &copy.target), "a copy differs");
        }
        (Call::List(list), Outcome::Page(page)) => {
            if let Some(limit) = list.limit
                && list.resume.is_none()
            {
                assert!(page.tuples.len() as f64 <= limit.max(0.0), "more than the limit");
            }
            let ids = page.tuples.iter().map(|tuple| &tuple.checkpoint_id);
            assert!(ids.is_sorted_by(|a, b| a >= b), "not newest first");
        }
        _ => {}
    }
}

fn tuple(native: &mut Native, config: Config) -> Option<CheckpointTuple> {
    match native.call(Call::GetTuple(GetTuple { config, known: None })) {
        Ok(Outcome::Found(found)) => {
            found.map(|found| found.tuple.resolve(&[]).expect("nothing was known"))
        }
        other => panic!("{other:?}"),
    }
}

fn assert_same(
    checkpoint: &Checkpoint,
    metadata: &Payload,
    new_versions: &[String],
    tuple: &CheckpointTuple,
) {
    assert_eq!(tuple.v.to_bits(), checkpoint.v.to_bits());
    assert_eq!(tuple.ts, checkpoint.ts);
    assert_eq!(&tuple.rest, &checkpoint.rest);
    assert_eq!(&tuple.metadata, metadata);
    assert_eq!(tuple.channel_versions.len(), checkpoint.channel_versions.len());
    for (got, put) in tuple.channel_versions.iter().zip(&checkpoint.channel_versions) {
        assert_eq!(got.channel, put.channel);
        match (&got.version, &put.version) {
            (Version::Number(got), Version::Number(put)) => {
                assert_eq!(got.to_bits(), put.to_bits());
            }
            (got, put) => assert_eq!(got, put),
        }
    }
    for put in &checkpoint.channel_values {
        let got = tuple.channel_values.iter().find(|got| got.channel == put.channel);
        match got {
            Some(got) => assert_eq!(NewValue::from(got.value.clone()), put.value),
            None => assert!(!new_versions.contains(&put.channel), "a new channel is lost"),
        }
    }
    for got in &tuple.channel_values {
        let mut put = checkpoint.channel_values.iter();
        assert!(put.any(|put| put.channel == got.channel), "a channel that was not put");
    }
}

/// The last write of a call to a special channel is kept. Other writes are not checked, because an
/// earlier call of the same task may have taken their places.
fn assert_kept(native: &mut Native, put: &PutWrites) {
    let Some(tuple) = tuple(native, put.config.clone()) else {
        return;
    };
    for (position, write) in put.writes.iter().enumerate() {
        let is_special = ["__error__", "__scheduled__", "__interrupt__", "__resume__"]
            .contains(&write.channel.as_str());
        let is_last = put.writes.iter().skip(position + 1).all(|w| w.channel != write.channel);
        if is_special && is_last {
            let kept = tuple
                .pending_writes
                .iter()
                .any(|pending| pending.channel == write.channel && pending.value == write.value);
            assert!(kept, "a write that replaces is lost");
        }
    }
}
