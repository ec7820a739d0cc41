//! What it costs to start an instance: the same call on a kept instance and on a new one, of a
//! component that is already compiled.

use std::time::{Duration, Instant};

use criterion::Criterion;
use langgraph_checkpoint_host::{Checkpointer, Config, Limits, Planner};
use tokio::runtime::Runtime;

use crate::component_bytes;
use crate::table::Times;
use crate::tape::{Tape, TapedStorage};

const STEP: &str = "get of nothing";
const KEPT: &str = "kept instance";
const OWN: &str = "instance of its own";
const LOAD: &str = "load precompiled";

pub(crate) fn measure(criterion: &mut Criterion, runtime: &Runtime, times: &mut Times) {
    let precompiled = Planner::precompile(&component_bytes()).unwrap();
    let mut group = criterion.benchmark_group(STEP);
    for (name, idle_memory_bytes_max) in [(KEPT, 32 << 20), (OWN, 0)] {
        let limits = Limits { idle_memory_bytes_max, ..Limits::default() };
        let tape = Tape::default();
        let storage = TapedStorage::new(tape.clone());
        let checkpointer = Checkpointer::new(load(&precompiled, limits), storage);
        let get = || {
            let config = Config { thread_id: "nobody".into(), ..Config::default() };
            runtime.block_on(checkpointer.get_tuple(config)).unwrap()
        };
        assert!(get().is_none());
        note(&mut group, times, name, || {
            tape.rewind(STEP);
            let begin = Instant::now();
            let found = get();
            let took = begin.elapsed();
            drop(found);
            took
        });
    }
    note(&mut group, times, LOAD, || {
        let begin = Instant::now();
        let planner = load(&precompiled, Limits::default());
        let took = begin.elapsed();
        drop(planner);
        took
    });
    group.finish();
}

fn note(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    times: &mut Times,
    name: &'static str,
    mut step: impl FnMut() -> Duration,
) {
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|count| {
            (0..count)
                .map(|_| {
                    let took = step();
                    times.note(0, STEP, name, took);
                    took
                })
                .sum()
        });
    });
}

#[allow(unsafe_code, reason = "the bytes come from `precompile`, a few lines above")]
fn load(precompiled: &[u8], limits: Limits) -> Planner {
    // SAFETY: `precompile` returned these bytes.
    unsafe { Planner::from_precompiled(precompiled, limits) }.unwrap()
}

pub(crate) fn print(times: &Times) {
    let median = |name| times.median(0, STEP, name);
    if let (Some(kept), Some(own), Some(load)) = (median(KEPT), median(OWN), median(LOAD)) {
        println!(
            "\n{STEP}: {kept:.1} on a {KEPT}, {own:.1} on an {OWN}: its start and end take {:.1}; \
             loading the precompiled component takes {load:.1}",
            own - kept
        );
    }
}
