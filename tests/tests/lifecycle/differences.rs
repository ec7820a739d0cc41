//! `diff` names what differs between two checkpoints, and reads little more than that.

use langgraph_checkpoint_guest::{
    Answer, Call, Diff, Difference, ElementDifference, Moment, Need, Outcome, Progress, Store,
    Version,
};
use langgraph_checkpoint_tests::caller::Caller;
use langgraph_checkpoint_tests::native::Native;

use super::{New, THREAD, config, json, messages, name, prune, run, write};

/// What differs, and how many chunks were read.
fn compared(native: &mut Native, call: Diff) -> (Option<Difference>, usize) {
    let (mut operation, mut progress) =
        Store::Sqlite.start(Call::Diff(call), Moment::default()).unwrap();
    let mut chunks = 0;
    loop {
        match progress {
            Progress::Done(Outcome::Differences(difference)) => return (difference, chunks),
            Progress::Need(Need::Sql(batch)) => {
                let sets = native.run(&batch);
                let of_chunks = batch.statements.iter().zip(&sets);
                let of_chunks = of_chunks.filter(|(one, _)| one.text.contains("lg_chunks"));
                chunks += of_chunks.map(|(_, set)| set.rows.len()).sum::<usize>();
                progress = operation.advance(Answer::Sql(sets), Moment::default()).unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
}

fn diff(id: usize, before: Option<usize>, values: bool) -> Diff {
    let before = before.map(|id| name(id).into()).unwrap_or_default();
    Diff { config: config(THREAD, "", Some(id)), before, values }
}

/// The elements that differ: the place of each, and its sizes.
type Sizes = Vec<(Option<u32>, Option<u64>, Option<u64>)>;

fn sizes(elements: Option<&Vec<ElementDifference>>) -> Option<Sizes> {
    let size = |element: &ElementDifference| {
        let bytes = |part: &Option<langgraph_checkpoint_guest::PartSize>| {
            part.as_ref().map(|part| part.bytes)
        };
        (element.place, bytes(&element.before), bytes(&element.after))
    };
    elements.map(|elements| elements.iter().map(size).collect())
}

fn put(native: &mut Native, id: usize, channels: Vec<(&str, f64, Option<String>)>) {
    native.call(New { channels, ..New::of(id) }.call()).unwrap();
}

/// A list whose elements have these texts, each padded to the length of a chunk.
fn list(texts: impl Iterator<Item = String>) -> String {
    let elements = texts.map(|text| format!("\"{text:x<200}\""));
    format!("[{}]", elements.collect::<Vec<_>>().join(","))
}

#[test]
fn neighbours_of_a_state_of_two_megabytes_take_at_most_twenty_chunks() {
    let mut native = Native::in_memory();
    let texts = |count: usize| (0..count).map(|at| at.to_string());
    put(&mut native, 1, vec![("messages", 1.0, Some(list(texts(10_000))))]);
    put(&mut native, 2, vec![("messages", 2.0, Some(list(texts(10_002))))]);
    let changed = texts(10_002).map(|text| if text == "4321" { "other".to_owned() } else { text });
    put(&mut native, 3, vec![("messages", 3.0, Some(list(changed)))]);

    let (difference, chunks) = compared(&mut native, diff(2, None, false));
    let [channel] = difference.unwrap().channels.try_into().unwrap();
    assert!(channel.before.unwrap().bytes > 2_000_000);
    let appended = vec![(Some(10_000), None, Some(202)), (Some(10_001), None, Some(202))];
    assert_eq!(sizes(channel.elements.as_ref()), Some(appended));
    assert!(chunks <= 20, "{chunks} chunks for two that were appended");

    let (difference, chunks) = compared(&mut native, diff(3, None, false));
    let [channel] = difference.unwrap().channels.try_into().unwrap();
    let [element] = channel.elements.unwrap().try_into().unwrap();
    assert_eq!((element.before.unwrap().bytes, element.after.unwrap().bytes), (202, 202));
    assert!(chunks <= 20, "{chunks} chunks for one that was changed in the middle");

    let (_, chunks) = compared(&mut native, diff(3, Some(1), true));
    assert!(chunks <= 30, "{chunks} chunks with the values");
}

#[test]
fn channels_are_added_removed_changed_or_only_counted_up() {
    let mut native = Native::in_memory();
    let text = |value: &str| Some(value.to_owned());
    let one = vec![("gone", 1.0, text("1")), ("kept", 1.0, text("[1]")), ("same", 1.0, text("2"))];
    put(&mut native, 1, one);
    let two =
        vec![("kept", 1.0, text("[1]")), ("new", 2.0, text("\"x\"")), ("same", 2.0, text("2"))];
    put(&mut native, 2, two);
    native.call(write("", 1, "task", "new", "\"x\"")).unwrap();

    let (difference, _) = compared(&mut native, diff(2, None, true));
    let Difference { before, channels, writes } = difference.unwrap();
    assert_eq!(before, Some(name(1)));
    let [gone, new, same] = channels.try_into().unwrap();
    assert_eq!((gone.channel.as_str(), gone.version_after, gone.after), ("gone", None, None));
    assert_eq!(gone.before.unwrap().value, Some(json("1")));
    assert_eq!((new.channel.as_str(), new.version_before, new.before), ("new", None, None));
    assert_eq!((new.after.unwrap().value, new.elements), (Some(json("\"x\"")), None));
    let versions = (same.version_before, same.version_after);
    assert_eq!(versions, (Some(Version::Number(1.0)), Some(Version::Number(2.0))));
    assert_eq!(same.elements, Some(Vec::new()), "the values are equal");
    assert_eq!(same.before.unwrap().value, None, "what is equal is not read");
    let [write] = writes.try_into().unwrap();
    assert_eq!((write.task_id.as_str(), write.channel.as_str()), ("task", "new"));
    assert_eq!(write.value.value, Some(json("\"x\"")));
}

#[test]
fn elements_are_named_whether_lists_are_inline_in_one_chunk_or_in_many() {
    let mut native = Native::in_memory();
    let numbers = |count: usize| {
        let all: Vec<_> = (0..count).map(|at| at.to_string()).collect();
        format!("[{}]", all.join(","))
    };
    let lists = [numbers(3), numbers(200), messages(40), messages(400)];
    for (at, value) in lists.iter().enumerate() {
        let (first, last) = (2 * at + 1, 2 * at + 2);
        put(&mut native, first, vec![("xs", 1.0, Some(value.clone()))]);
        let longer = format!("{},\"{}\"]", &value[..value.len() - 1], "y".repeat(300 * (at % 2)));
        put(&mut native, last, vec![("xs", 2.0, Some(longer.clone()))]);
        let (difference, _) = compared(&mut native, diff(last, Some(first), true));
        let [channel] = difference.unwrap().channels.try_into().unwrap();
        let [element] = channel.elements.unwrap().try_into().unwrap();
        let count = serde_json::from_str::<Vec<serde_json::Value>>(value).unwrap().len();
        assert_eq!(element.place, Some(u32::try_from(count).unwrap()), "list {at}");
        assert_eq!(element.before, None, "list {at}");
        let text = format!("\"{}\"", "y".repeat(300 * (at % 2)));
        assert_eq!(element.after.unwrap().value, Some(json(&text)), "list {at}");
    }
}

#[test]
fn a_first_checkpoint_is_all_new_and_one_that_is_not_stored_gives_nothing() {
    let mut native = Native::in_memory();
    for id in 1..=3 {
        native.call(New::of(id).call()).unwrap();
    }
    let (difference, chunks) = compared(&mut native, diff(1, None, false));
    let difference = difference.unwrap();
    assert_eq!((difference.before, difference.channels.len(), chunks), (None, 1, 0));
    assert_eq!(compared(&mut native, diff(9, None, false)).0, None);
    assert_eq!(compared(&mut native, diff(3, Some(9), false)).0, None);
    let nobody = Diff { config: config("nobody", "", Some(1)), ..Diff::default() };
    assert_eq!(compared(&mut native, nobody).0, None);
    run(&mut native, prune(langgraph_checkpoint_guest::Keep::Latest));
    assert_eq!(compared(&mut native, diff(3, None, false)).0, None, "the parent was pruned");

    let unnamed = Call::Diff(Diff { config: config(THREAD, "", None), ..Diff::default() });
    assert_eq!(native.call(unnamed).unwrap_err().code(), "missing-id");
}

#[test]
fn a_missing_node_is_an_error_and_no_difference() {
    let mut native = Native::in_memory();
    put(&mut native, 1, vec![("messages", 1.0, Some(messages(1000)))]);
    put(&mut native, 2, vec![("messages", 2.0, Some(messages(1300)))]);
    native.connection().execute("DELETE FROM lg_chunks", []).unwrap();
    let error = native.call(Call::Diff(diff(2, None, false))).unwrap_err();
    assert_eq!(error.code(), "missing-chunk");
    assert!(error.fault().message.contains("messages"), "{error}");
}
