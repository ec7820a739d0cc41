//! Sweeps of which one process at a time has the lease, and vacuums, on real SQLite.

use langgraph_checkpoint_guest::{Call, Error, Keep, Lease, Outcome, Prune, Pruned, Vacuum, Work};
use langgraph_checkpoint_tests::caller::Caller;
use langgraph_checkpoint_tests::native::Native;
use langgraph_checkpoint_tests::transcript;
use rusqlite::Connection;
use serde_json::json;

const MINUTE: f64 = 60_000.0;
/// 2027-01-01, in milliseconds since 1970.
const NOW: f64 = 1_798_761_600_000.0;

/// Puts a thread of two checkpoints.
fn put(native: &mut Native, thread: usize) {
    for id in ["1", "2"] {
        let put = json!({
            "name": "put",
            "config": { "thread_id": format!("thread-{thread}") },
            "checkpoint": {
                "id": id, "v": 4, "ts": "2026-01-01T00:00:00Z",
                "channel_values": { "text": format!("{thread} {id} ").repeat(4000) },
                "channel_versions": { "text": 1 },
            },
            "metadata": {}, "new_versions": ["text"],
        });
        native.call(transcript::call(&put)).unwrap();
    }
}

fn sweep(minute: f64) -> Prune {
    Prune {
        pruned: Pruned::Idle("2026-12-01T00:00:00Z".to_owned()),
        keep: Keep::Latest,
        limit: Some(2.0),
        dry_run: false,
        lease: Some(Lease { now_ms: NOW + minute * MINUTE, length_ms: 5.0 * MINUTE }),
        resume: None,
    }
}

fn worked(native: &mut Native, call: Call) -> Result<Work, Error> {
    match native.call(call)? {
        Outcome::Worked(work) => Ok(work),
        other => panic!("it gave {other:?}"),
    }
}

/// Runs a sweep that begins at this minute and whose calls take no time.
fn swept(native: &mut Native, minute: f64) -> u64 {
    let mut call = sweep(minute);
    loop {
        let work = worked(native, Call::Prune(call.clone())).unwrap();
        if work.next.is_none() {
            return work.threads;
        }
        call.resume = work.next;
    }
}

/// Two processes' connections to one file.
fn two() -> (tempfile::TempDir, [Native; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoints.sqlite");
    let open = || {
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL").unwrap();
        Native::new(connection).unwrap()
    };
    let both = [open(), open()];
    (folder, both)
}

#[test]
fn of_two_processes_one_sweeps_and_the_other_when_the_lease_has_ended() {
    let (_folder, [mut one, mut other]) = two();
    for thread in 0..7 {
        put(&mut one, thread);
    }
    assert_eq!(swept(&mut one, 0.0), 2, "a sweep takes as many threads as it may");
    assert_eq!(swept(&mut other, 1.0), 0);
    assert_eq!(swept(&mut one, 4.9), 0, "the lease is of one sweep");
    // Its clock is behind.
    assert_eq!(swept(&mut other, -3.0), 0);
    assert_eq!(swept(&mut other, 5.0), 2);
    assert_eq!(swept(&mut one, 6.0), 0);
    // The clock of the other one has gone wrong, and comes back.
    assert_eq!(swept(&mut other, 1e6), 2);
    assert_eq!(swept(&mut one, 11.0), 1);
}

#[test]
fn a_sweep_ends_with_its_lease_and_the_next_one_goes_on() {
    let (_folder, [mut one, mut other]) = two();
    for thread in 0..2 {
        put(&mut one, thread);
    }
    let first = worked(&mut one, Call::Prune(sweep(0.0))).unwrap();
    assert_eq!(first.threads, 1);
    let late = worked(&mut one, Call::Prune(Prune { resume: first.next, ..sweep(5.0) })).unwrap();
    assert_eq!((late.threads, late.next), (1, None));
    assert_eq!(swept(&mut other, 5.0), 1);
}

#[test]
fn a_lease_without_time_or_of_a_dry_run_is_refused() {
    let mut native = Native::in_memory();
    let of = |now_ms, length_ms| Prune { lease: Some(Lease { now_ms, length_ms }), ..sweep(0.0) };
    let refused = [
        of(f64::NAN, 1.0),
        of(-1.0, 1.0),
        of(NOW, 0.0),
        of(NOW, f64::INFINITY),
        Prune { dry_run: true, ..sweep(0.0) },
    ];
    for call in refused {
        let error = worked(&mut native, Call::Prune(call)).unwrap_err();
        assert_eq!(error.code(), "invalid-lease");
    }
}

fn pages(native: &Native, pragma: &str) -> u64 {
    let pragma = format!("PRAGMA {pragma}");
    let count: i64 = native.connection().query_row(&pragma, [], |row| row.get(0)).unwrap();
    count.unsigned_abs()
}

#[test]
fn a_vacuum_gives_all_free_pages_back_in_steps_and_no_other() {
    let (_folder, [mut native, mut other]) = two();
    for thread in 0..60 {
        put(&mut native, thread);
    }
    let all = pages(&native, "page_count");
    assert_eq!(worked(&mut native, Call::Vacuum(Vacuum::default())).unwrap(), Work::default());
    let idle = Pruned::Idle("2027-01-01T00:00:00Z".to_owned());
    let call = Prune { pruned: idle, keep: Keep::Nothing, limit: None, lease: None, ..sweep(0.0) };
    let mut call = Prune { limit: Some(50.0), ..call };
    loop {
        let work = worked(&mut native, Call::Prune(call.clone())).unwrap();
        call.resume = work.next;
        if call.resume.is_none() {
            break;
        }
    }
    assert_eq!(pages(&native, "page_count"), all, "a prune leaves the pages in the file");
    let few = Call::Vacuum(Vacuum { pages: Some(3.0), resume: None });
    let work = worked(&mut native, few).unwrap();
    assert_eq!((work.bytes, work.next), (3 * 4096, None));
    let (mut steps, mut vacuum) = (0, Vacuum::default());
    let bytes = loop {
        steps += 1;
        let work = worked(&mut native, Call::Vacuum(vacuum.clone())).unwrap();
        vacuum.resume = work.next;
        if vacuum.resume.is_none() {
            break work.bytes;
        }
    };
    assert!(steps > 2, "{steps}");
    assert_eq!(bytes / 4096 + 3, all - pages(&native, "page_count"));
    assert_eq!(pages(&native, "freelist_count"), 0);
    let mut list = transcript::call(&json!({ "name": "list", "config": {} }));
    let Call::List(ref mut all) = list else { panic!("it is a list") };
    all.limit = Some(100.0);
    let Outcome::Page(page) = other.call(list).unwrap() else { panic!("a list gives pages") };
    assert_eq!(page.tuples.len(), 20);
}

#[test]
fn a_file_that_cannot_give_pages_back_says_what_can() {
    let mut native = Native::in_memory();
    let error = worked(&mut native, Call::Vacuum(Vacuum::default())).unwrap_err();
    assert_eq!(error.code(), "no-incremental-vacuum");
    assert!(matches!(&error, Error::InvalidInput(_)) && error.to_string().contains("VACUUM"));
}
