//! What the component's boundary costs: puts and gets of the same states through the component,
//! through the same code compiled natively, and through rusqlite alone.
//!
//! All of them write to files with a write-ahead log and `synchronous` NORMAL, so that none waits
//! for the disk. "Planning" is the same calls on a store that takes no time.

mod raw;
mod start;
mod states;
mod subject;
mod table;
mod tape;

use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode};
use langgraph_checkpoint_host::{Limits, Planner, SqliteOptions, SqliteStorage, Synchronous};
use tokio::runtime::{Builder, Runtime};

use self::raw::Raw;
use self::subject::{Checkpoints, STEPS, Subject};
use self::table::{COMPONENT, COMPONENT_PLANNING, NATIVE, NATIVE_PLANNING, RAW, Times};
use self::tape::{Tape, TapedStorage};

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1000))
        .configure_from_args();
    let runtime = Builder::new_current_thread().build().unwrap();
    let component = Planner::from_bytes(&component_bytes(), Limits::default()).unwrap();
    let mut times = Times::default();
    for (size, messages) in states::SIZES {
        measure(&mut criterion, &runtime, &component, &mut times, size, messages);
    }
    start::measure(&mut criterion, &runtime, &mut times);
    criterion.final_summary();
    print(&times);
}

fn measure(
    criterion: &mut Criterion,
    runtime: &Runtime,
    component: &Planner,
    times: &mut Times,
    size: &'static str,
    messages: usize,
) {
    let folder = tempfile::tempdir().unwrap();
    let mut subjects = subjects(runtime, component, folder.path(), messages);
    for (step_name, step) in STEPS {
        let mut group = criterion.benchmark_group(step_name);
        group.sampling_mode(SamplingMode::Flat);
        for (name, subject) in &mut subjects {
            group.bench_function(BenchmarkId::new(*name, size), |bencher| {
                bencher.iter_custom(|count| {
                    let mut total = Duration::ZERO;
                    for _ in 0..count {
                        let took = step(subject.as_mut());
                        times.note(messages, step_name, name, took);
                        total += took;
                    }
                    total
                });
            });
        }
        group.finish();
    }
}

/// Each way of storing, with a state of this many messages.
fn subjects<'a>(
    runtime: &'a Runtime,
    component: &Planner,
    folder: &Path,
    messages: usize,
) -> Vec<(&'static str, Box<dyn Subject + 'a>)> {
    let options = SqliteOptions { synchronous: Synchronous::Normal, ..SqliteOptions::default() };
    let stored = |planner: &Planner, file: &str| {
        let storage = SqliteStorage::open(folder.join(file), &options).unwrap();
        Checkpoints::new(runtime, planner.clone(), storage, Tape::default(), messages)
    };
    let planned = |planner: &Planner| {
        let tape = Tape::default();
        let storage = TapedStorage::new(tape.clone());
        Checkpoints::new(runtime, planner.clone(), storage, tape, messages)
    };
    let native = Planner::native();
    vec![
        (RAW, Box::new(Raw::open(&folder.join("raw.db"), messages))),
        (NATIVE, Box::new(stored(&native, "native.db"))),
        (COMPONENT, Box::new(stored(component, "component.db"))),
        (NATIVE_PLANNING, Box::new(planned(&native))),
        (COMPONENT_PLANNING, Box::new(planned(component))),
    ]
}

fn component_bytes() -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/components/planner.wasm");
    std::fs::read(&path).unwrap_or_else(|error| {
        panic!("{} is not there ({error}): run `cargo xtask component` first", path.display())
    })
}

fn print(times: &Times) {
    let lines: Vec<_> = STEPS
        .iter()
        .flat_map(|(step, _)| {
            states::SIZES.iter().filter_map(|(size, messages)| times.line(*messages, size, step))
        })
        .collect();
    if !lines.is_empty() {
        println!("{}\n{}", table::head(), lines.join("\n"));
    }
    start::print(times);
}
