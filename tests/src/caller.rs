//! Makes calls on any store.

use langgraph_checkpoint_guest::{
    Call, Config, Error, Export, Exported, Id, List, Outcome, Page, Prune, Threads, ThreadsPage,
    Work,
};
use std::collections::BTreeMap;

use crate::editor::Editor;
use crate::transcript::{self, Transcript};

/// A store that calls are made on.
pub trait Caller {
    /// Runs a call to its end.
    fn call(&mut self, call: Call) -> Result<Outcome, Error>;
}

/// What a runner does with `known`: hosts pass it on, and shims also put edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It passes it on and puts edits.
    Edited,
    /// It passes it on.
    Carried,
    /// It does neither.
    Forgotten,
}

/// The outcomes of a transcript's calls on a store.
pub fn run(
    store: &mut dyn Caller,
    transcript: &Transcript,
    known: Known,
) -> Vec<serde_json::Value> {
    let mut carried = BTreeMap::new();
    let mut editor = (known == Known::Edited).then(Editor::default);
    let mut outcomes = Vec::new();
    for step in &transcript.steps {
        let mut call = transcript::call(&step.call);
        if let (Call::Put(put), Known::Carried) = (&mut call, known) {
            put.known = carried.get(&address(&put.config)).cloned();
        }
        let result = run_call(store, editor.as_mut(), call);
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
    outcomes
}

/// The outcome, or the outcomes of all pages.
fn run_call(
    store: &mut dyn Caller,
    mut editor: Option<&mut Editor>,
    call: Call,
) -> Result<Vec<Outcome>, String> {
    let mut outcomes = Vec::new();
    let mut next = Some(call);
    while let Some(call) = next.take() {
        let made = call.clone();
        let outcome = match &mut editor {
            Some(editor) => editor.call(store, call),
            None => store.call(call),
        };
        let outcome = outcome.map_err(|error| error.code().to_owned())?;
        next = match (made, &outcome) {
            (Call::List(list), Outcome::Page(Page { next: Some(next), .. })) => {
                Some(Call::List(List { resume: Some(next.clone()), ..list }))
            }
            (Call::Threads(threads), Outcome::Threads(ThreadsPage { next: Some(next), .. })) => {
                Some(Call::Threads(Threads { resume: Some(next.clone()), ..threads }))
            }
            (Call::Export(export), Outcome::Exported(Some(Exported { next, .. }))) => {
                Some(Call::Export(Export { resume: Some(next.clone()), ..export }))
            }
            (Call::Prune(prune), Outcome::Worked(Work { next: Some(next), .. })) => {
                Some(Call::Prune(Prune { resume: Some(next.clone()), ..prune }))
            }
            _ => None,
        };
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

fn address(config: &Config) -> (String, String) {
    let text = |id: &Id| match id {
        Id::Text(text) => text.clone(),
        Id::Number(number) => number.to_string(),
        _ => String::new(),
    };
    (text(&config.thread_id), text(&config.checkpoint_ns))
}
