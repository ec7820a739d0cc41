//! `export` reads everything that is stored, as it is stored.

use langgraph_checkpoint_guest::{
    Call, CheckpointTuple, Export, Exported, GetTuple, NewWrite, Outcome, PutWrites,
};
use langgraph_checkpoint_tests::caller::Caller;
use langgraph_checkpoint_tests::native::Native;

use super::{New, THREAD, config, json, messages, name, write};

/// Everything that an export of a thread, or of all, gives.
fn exported(native: &mut Native, thread: Option<&str>) -> Vec<Exported> {
    let mut call = Export { thread: thread.map(Into::into).unwrap_or_default(), resume: None };
    let mut all = Vec::new();
    loop {
        match native.call(Call::Export(call.clone())).unwrap() {
            Outcome::Exported(None) => return all,
            Outcome::Exported(Some(exported)) => {
                call.resume = Some(exported.next.clone());
                all.push(exported);
            }
            other => panic!("{other:?}"),
        }
    }
}

fn read(native: &mut Native, thread: &str, ns: &str, id: usize) -> CheckpointTuple {
    let config = config(thread, ns, Some(id));
    let Outcome::Found(Some(found)) =
        native.call(Call::GetTuple(GetTuple { config, known: None })).unwrap()
    else {
        panic!("it is stored");
    };
    found.tuple.resolve(&[]).unwrap()
}

#[test]
fn every_checkpoint_is_given_once_as_a_read_gives_it() {
    let mut native = Native::in_memory();
    for thread in [THREAD, "other"] {
        for id in 1..=3 {
            native.call(New { thread, ..New::of(id) }.call()).unwrap();
        }
    }
    native.call(New { ns: "child:1", ..New::of(2) }.call()).unwrap();
    for task in 0..30 {
        native.call(write("", 2, &format!("task-{task:02}"), "messages", &messages(3))).unwrap();
    }
    native.call(write("", 9, "early", "messages", "1")).unwrap();

    let all = exported(&mut native, None);
    let places = all.iter().map(|found| {
        (found.thread_id.as_str(), found.checkpoint_ns.as_str(), found.checkpoint_id.clone())
    });
    let mut expected = Vec::new();
    expected.extend([1, 2, 3, 9].map(|id| (THREAD, "", name(id))));
    expected.push((THREAD, "child:1", name(2)));
    expected.extend([1, 2, 3].map(|id| ("other", "", name(id))));
    assert_eq!(places.collect::<Vec<_>>(), expected);

    for found in &all {
        let Some(checkpoint) = &found.checkpoint else {
            assert_eq!(found.checkpoint_id, name(9));
            assert_eq!(found.writes.len(), 1);
            continue;
        };
        let id = found.checkpoint_id.parse().unwrap();
        let mut read = read(&mut native, &found.thread_id, &found.checkpoint_ns, id);
        let values = |write: &langgraph_checkpoint_guest::PlacedWrite| {
            (write.task_id.clone(), write.channel.clone(), write.value.clone())
        };
        let writes: Vec<_> = found.writes.iter().map(values).collect();
        let pending = std::mem::take(&mut read.pending_writes);
        let pending: Vec<_> =
            pending.into_iter().map(|write| (write.task_id, write.channel, write.value)).collect();
        assert_eq!(writes, pending);
        assert_eq!(*checkpoint, read);
    }
    assert_eq!(exported(&mut native, Some("other")).len(), 3);
    assert_eq!(exported(&mut native, Some("nobody")), []);
}

#[test]
fn writes_come_with_their_places_and_paths() {
    let mut native = Native::in_memory();
    let channels = ["a", "__interrupt__", "b"];
    let write = |channel: &str| NewWrite { channel: channel.to_owned(), value: json("1") };
    let writes = PutWrites {
        config: config(THREAD, "", Some(1)),
        writes: channels.map(write).to_vec(),
        task_id: "task".into(),
        task_path: "~path".to_owned(),
    };
    native.call(Call::PutWrites(writes)).unwrap();
    let [found] = exported(&mut native, None).try_into().unwrap();
    let places = found.writes.iter().map(|write| (write.idx, write.channel.as_str()));
    assert_eq!(places.collect::<Vec<_>>(), [(-3, "__interrupt__"), (0, "a"), (2, "b")]);
    assert!(found.writes.iter().all(|write| write.task_path == "~path"));
}

#[test]
fn a_thread_that_is_deleted_meanwhile_ends_there() {
    let mut native = Native::in_memory();
    for thread in [THREAD, "other"] {
        for id in 1..=3 {
            native.call(New { thread, ..New::of(id) }.call()).unwrap();
        }
    }
    let first = Export::default();
    let Outcome::Exported(Some(found)) = native.call(Call::Export(first)).unwrap() else {
        panic!("there are threads");
    };
    native.call(Call::DeleteThread(config(THREAD, "", None))).unwrap();
    native.call(New::of(1).call()).unwrap();
    for (thread, expected) in [(None, Some("other")), (Some(THREAD), None)] {
        let thread = thread.map(Into::into).unwrap_or_default();
        let next = Export { thread, resume: Some(found.next.clone()) };
        let Outcome::Exported(next) = native.call(Call::Export(next)).unwrap() else { panic!() };
        assert_eq!(next.as_ref().map(|next| next.thread_id.as_str()), expected);
    }
    let foreign = Export { resume: Some(vec![1, 2, 3]), ..Export::default() };
    assert_eq!(native.call(Call::Export(foreign)).unwrap_err().code(), "foreign-resume");
}

#[test]
fn damage_is_an_error() {
    let mut native = Native::in_memory();
    native.call(New::of(5).call()).unwrap();
    native.connection().execute("DELETE FROM lg_chunks", []).unwrap();
    let error = native.call(Call::Export(Export::default())).unwrap_err();
    assert_eq!(error.code(), "missing-chunk");
}
