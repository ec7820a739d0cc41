//! The transcripts against the guest compiled natively. The same files run under wasmtime
//! (`host/tests/transcripts.rs`) and in Node (`js/test/transcripts.test.ts`).

use std::collections::BTreeMap;

use langgraph_checkpoint_guest::{Call, Id, List, Outcome};
use langgraph_checkpoint_tests::editor::Editor;
use langgraph_checkpoint_tests::native::Native;
use langgraph_checkpoint_tests::transcript::{self, Transcript};
use serde_json::Value;

#[test]
fn every_transcript_gives_its_outcomes_and_stored_bytes() {
    let bless = std::env::var_os("BLESS").is_some();
    for (name, transcript) in transcript::all() {
        let (outcomes, stored) = run(&transcript, Known::Forgotten);
        for known in [Known::Carried, Known::Edited] {
            let (outcomes_known, stored_known) = run(&transcript, known);
            assert_eq!(outcomes, outcomes_known, "{name}: what is known changes no outcome");
            assert_eq!(stored, stored_known, "{name}: what is known changes no stored byte");
        }
        if bless {
            write_back(&name, &outcomes, &stored);
            continue;
        }
        for (index, (step, outcome)) in transcript.steps.iter().zip(&outcomes).enumerate() {
            assert_eq!(
                *outcome,
                transcript::expand(&step.gives, "#"),
                "{name}, step {index}: {}",
                step.call
            );
        }
        assert_eq!(stored, transcript.stored, "{name}: the stored bytes");
    }
}

/// Whether the runner passes on what it is told to be known, as hosts do, and says values in
/// terms of it, as shims do.
#[derive(Clone, Copy, PartialEq)]
enum Known {
    Edited,
    Carried,
    Forgotten,
}

fn run(transcript: &Transcript, known: Known) -> (Vec<Value>, String) {
    let mut native = Native::in_memory();
    let mut carried = BTreeMap::new();
    let mut editor = (known == Known::Edited).then(Editor::default);
    let mut outcomes = Vec::new();
    for step in &transcript.steps {
        let mut call = transcript::call(&step.call);
        if let (Call::Put(put), Known::Carried) = (&mut call, known) {
            put.known =
                carried.get(&address(&put.config.thread_id, &put.config.checkpoint_ns)).cloned();
        }
        let result = run_call(&mut native, editor.as_mut(), call);
        for outcome in result.iter().flatten() {
            if let Some((thread_id, checkpoint_ns, known)) = known_of(outcome) {
                carried.insert((thread_id, checkpoint_ns), known);
            }
        }
        outcomes.push(match &result {
            Ok(given) => transcript::gives(Ok(given.clone())),
            Err(code) => transcript::gives(Err(code)),
        });
    }
    (outcomes, transcript::stored(native.connection()))
}

/// The outcome, or those of all pages.
fn run_call(
    native: &mut Native,
    mut editor: Option<&mut Editor>,
    call: Call,
) -> Result<Vec<Outcome>, String> {
    let mut outcomes = Vec::new();
    let mut next = Some(call);
    while let Some(call) = next.take() {
        let list = if let Call::List(list) = &call { Some(list.clone()) } else { None };
        let outcome = match &mut editor {
            Some(editor) => editor.call(native, call),
            None => native.call(call),
        };
        let outcome = outcome.map_err(|error| error.code().to_owned())?;
        if let (Some(list), Outcome::Page(page)) = (list, &outcome) {
            let resume = page.next.clone();
            next = resume.map(|resume| Call::List(List { resume: Some(resume), ..list }));
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

fn known_of(outcome: &Outcome) -> Option<(String, String, Vec<u8>)> {
    match outcome {
        Outcome::Found(Some(found)) => {
            let tuple = &found.tuple;
            Some((tuple.thread_id.clone(), tuple.checkpoint_ns.clone(), found.known.clone()))
        }
        Outcome::Stored(stored) => {
            Some((stored.thread_id.clone(), stored.checkpoint_ns.clone(), stored.known.clone()))
        }
        _ => None,
    }
}

fn address(thread_id: &Id, checkpoint_ns: &Id) -> (String, String) {
    let text = |id: &Id| match id {
        Id::Text(text) => text.clone(),
        Id::Number(number) => number.to_string(),
        _ => String::new(),
    };
    (text(thread_id), text(checkpoint_ns))
}

/// Writes what was given into the file, for a person to read as a diff.
fn write_back(name: &str, outcomes: &[Value], stored: &str) {
    let path = format!("{}/transcripts/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let mut file: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    for (step, outcome) in file["steps"].as_array_mut().unwrap().iter_mut().zip(outcomes) {
        // An abbreviated outcome that still holds stays as it is written.
        if transcript::expand(&step["gives"], "#") != *outcome {
            step["gives"] = outcome.clone();
        }
    }
    file["stored"] = stored.into();
    std::fs::write(path, serde_json::to_string_pretty(&file).unwrap() + "\n").unwrap();
}
