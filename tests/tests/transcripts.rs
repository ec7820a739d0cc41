//! The transcripts on the guest compiled natively. The same files run under wasmtime
//! (`host/tests/transcripts.rs`) and in Node (`js/test/stores/conformance.test.ts`).

use langgraph_checkpoint_tests::caller::{self, Known};
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

fn run(transcript: &Transcript, known: Known) -> (Vec<Value>, String) {
    let mut native = Native::in_memory();
    let outcomes = caller::run(&mut native, transcript, known);
    (outcomes, transcript::stored(native.connection()))
}

/// Writes the outcomes into the file, for a person to read as a diff.
fn write_back(name: &str, outcomes: &[Value], stored: &str) {
    let path = format!("{}/transcripts/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let mut file: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    for (step, outcome) in file["steps"].as_array_mut().unwrap().iter_mut().zip(outcomes) {
        // An abbreviated outcome that is still right stays as it is.
        if transcript::expand(&step["gives"], "#") != *outcome {
            step["gives"] = outcome.clone();
        }
    }
    file["stored"] = stored.into();
    std::fs::write(path, serde_json::to_string_pretty(&file).unwrap() + "\n").unwrap();
}
