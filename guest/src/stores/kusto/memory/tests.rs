use super::*;
use crate::contract::http::Moment;
use crate::stores::kusto::row::{CHUNK, TOMBSTONE};
use crate::stores::kusto::write::Tombstones;

fn rows(thread_id: &str, rev: i64, count: usize, bytes: usize) -> Vec<LogRow> {
    let row = |place: usize| LogRow {
        data: "x".repeat(bytes),
        ..LogRow::new(CHECKPOINT, thread_id, rev, format!("{rev}-{place}"), 0)
    };
    (0..count).map(row).collect()
}

/// The tombstones of a thread that was deleted up to this revision.
fn deleted(cut: i64) -> Tombstones {
    Tombstones { cut, newest: cut }
}

#[test]
fn rows_are_laid_until_a_query_has_shown_all_of_their_call() {
    let mut memory = Memory::default();
    memory.lay(rows("a", 1, 3, 1), None);
    memory.lay(rows("b", 2, 1, 1), None);
    assert_eq!(memory.unshown(None), (vec!["a".to_owned(), "b".to_owned()], vec![1, 2]));
    assert_eq!(memory.unshown(Some("b")), (vec!["b".to_owned()], vec![2]));
    memory.shown("a", 1, 2);
    memory.shown("b", 1, 3);
    assert_eq!(memory.laid().len(), 4);
    memory.shown("a", 1, 3);
    assert_eq!(memory.unshown(None), (vec!["b".to_owned()], vec![2]));
}

#[test]
fn rows_that_wait_are_no_rows_that_a_query_could_show() {
    let mut memory = Memory::default();
    memory.lay(rows("a", 1, 2, 1), Some(7));
    assert_eq!(memory.unshown(None).1, Vec::<i64>::new());
    memory.shown("a", 1, 2);
    assert_eq!((memory.waiting(), memory.waiting_since()), ((2, 2), Some(7)));
    let taken = memory.take_waiting();
    memory.lay(rows("a", 2, 1, 1), Some(9));
    assert_eq!((taken.rows.len(), memory.waiting().0), (2, 1));
    memory.settle(&taken, false);
    assert_eq!((memory.waiting().0, memory.waiting_since()), (3, Some(7)));
    let taken = memory.take_waiting();
    memory.settle(&taken, true);
    assert_eq!((memory.unshown(None).1, memory.laid().len()), (vec![1, 2], 3));
}

#[test]
fn what_has_no_room_leaves_a_mark_and_the_newest_stands_for_those_before_it() {
    let mut memory = Memory::default();
    for rev in 1..=4 {
        memory.lay(rows("a", rev, 1, LAID_BYTES_MAX / 2), None);
    }
    memory.lay(rows("b", 5, 1, 1), None);
    assert_eq!(memory.unshown(None).1, vec![3, 4, 5], "of the marks the newest is left");
    assert_eq!(memory.laid().len(), 2);
    assert_eq!(memory.marked(None), vec!["a".to_owned()]);
    assert_eq!(memory.marked(Some("b")), Vec::<String>::new());
    memory.shown("a", 3, 1);
    assert_eq!(memory.marked(None), Vec::<String>::new());
}

#[test]
fn what_a_tombstone_hides_need_not_show() {
    let mut memory = Memory::default();
    memory.lay(rows("a", 1, 1, 1), None);
    memory.lay(rows("b", 2, 1, 1), None);
    memory.lay(vec![LogRow::new(TOMBSTONE, "a", 3, String::new(), 0)], None);
    memory.drop_older("a", 3);
    assert_eq!(memory.unshown(None).1, vec![2, 3], "the tombstone itself must show");
    memory.hidden("a", 3);
    assert_eq!(memory.unshown(None).1, vec![2]);
}

#[test]
fn what_the_store_itself_deleted_is_not_sent_again_though_it_was_on_its_way() {
    let mut memory = Memory::default();
    memory.lay(rows("a", 1, 2, 1), Some(7));
    memory.lay(rows("b", 2, 1, 1), Some(7));
    let taken = memory.take_waiting();
    memory.lay(vec![LogRow::new(TOMBSTONE, "a", 3, String::new(), 0)], None);
    memory.drop_older("a", 3);
    let cuts = BTreeMap::from([("a".to_owned(), deleted(3)), ("b".to_owned(), deleted(0))]);
    assert_eq!(memory.renew(&taken, &cuts, Moment { now: 0, entropy: 0 }), []);
    memory.settle(&taken, true);
    assert_eq!(memory.unshown(None), (vec!["a".to_owned(), "b".to_owned()], vec![3, 2]));
}

#[test]
fn what_another_store_deleted_is_sent_again_newer_and_with_what_it_relies_on() {
    let chunk = |hash: &str, refs: &[&str], bytes| LogRow {
        hash: hash.to_owned(),
        refs: refs.iter().map(|hash| (*hash).to_owned()).collect(),
        data: "x".repeat(bytes),
        ..LogRow::new(CHUNK, "a", 1, format!("1-0-{hash}"), 0)
    };
    let mut memory = Memory::default();
    let put = |rev: i64| {
        let mut put = rows("a", rev, 1, 1);
        put[0].refs = vec!["node".to_owned()];
        put
    };
    assert!(!memory.keep(&put(4), vec![chunk("node", &["leaf"], 1)], Some(0)), "no leaf is kept");
    assert!(memory.keep(&put(5), vec![chunk("leaf", &[], 1)], Some(0)));
    memory.lay(put(5), Some(7));
    memory.clock.observe(5);
    let taken = memory.take_waiting();
    let cuts = BTreeMap::from([("a".to_owned(), deleted(3))]);
    let again = memory.renew(&taken, &cuts, Moment { now: 0, entropy: 0 });
    let kinds: Vec<_> = again.iter().map(|row| (row.kind.as_str(), row.rev)).collect();
    assert_eq!(kinds, [(CHUNK, 6), (CHUNK, 6), (CHECKPOINT, 6)]);
    assert!(again.iter().all(|row| row.row_id.starts_with("6-")));
    assert_eq!(memory.renew(&taken, &cuts, Moment { now: 0, entropy: 0 }), [], "it is newer");
    memory.settle(&taken, true);
    assert_eq!(memory.unshown(None).1, vec![6]);
    assert!(memory.laid().iter().all(|row| !row.waits));
    // If many chunks are kept, those that no waiting row relies on are dropped.
    assert!(memory.keep(&put(7), vec![chunk("large", &[], 17 << 20)], Some(3)));
    assert!(memory.keeps_much());
    memory.lay(put(7), Some(7));
    let taken = memory.take_waiting();
    memory.settle(&taken, true);
    assert!(!memory.keeps_much() && !memory.keep(&put(8), Vec::new(), Some(3)));
}

#[test]
fn what_another_instance_has_sent_is_awaited_until_a_query_shows_it() {
    let mut first = Memory::default();
    first.lay(rows("a", 1, 2, 1), None);
    first.lay(rows("b", 2, 1, 1), None);
    first.lay(rows("c", 3, 1, 1), Some(7));
    let unshown = first.calls_unshown();
    assert_eq!(unshown.len(), 2, "what waits was not sent");
    first.await_shown(unshown.clone());
    assert_eq!(first.marked(None), Vec::<String>::new(), "its own it has");
    let mut second = Memory::default();
    second.await_shown(unshown.clone());
    second.await_shown(unshown.clone());
    assert_eq!(second.marked(None), ["a", "b"]);
    assert_eq!(second.calls_unshown(), unshown, "for the next one");
    second.shown("a", 1, 1);
    assert_eq!(second.marked(Some("a")), ["a"]);
    second.shown("a", 1, 2);
    second.hidden("b", 5);
    assert_eq!(second.marked(None), Vec::<String>::new());
}

#[test]
fn what_the_table_has_dropped_is_not_awaited() {
    let mut memory = Memory::default();
    let rev = |microseconds: i64| microseconds << 10;
    memory.lay(rows("a", rev(10), 1, 1), None);
    let of_b = UnshownCall { thread_id: "b".to_owned(), rev: rev(20), rows: 1 };
    memory.await_shown(vec![of_b.clone()]);
    memory.expire(11);
    assert_eq!(memory.calls_unshown(), [of_b]);
}
