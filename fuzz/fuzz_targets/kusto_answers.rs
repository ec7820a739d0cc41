//! A call on Kusto ends, in an outcome or an error, whatever the host and the service answer, and
//! sends nothing to another host.

#![no_main]

use arbitrary::{Result, Unstructured};
use langgraph_checkpoint_fuzz::{calls, responses};
use langgraph_checkpoint_guest::kusto::{IngestMode, KustoOptions, Store, Task, TaskProgress};
use langgraph_checkpoint_guest::{Answer, Authorization, Call, Error, HttpAnswer, Moment, Need};
use libfuzzer_sys::fuzz_target;

/// More than any call takes before its deadline: the clock advances a second with every answer.
const ROUNDS_MAX: usize = 2_000;

fuzz_target!(|bytes: &[u8]| {
    // An input that ends too early tests nothing more.
    let _ = drive(&mut Unstructured::new(bytes));
});

fn drive(u: &mut Unstructured<'_>) -> Result<()> {
    let options = KustoOptions {
        cluster_uri: "https://elsewhere.example".to_owned(),
        database: "database".to_owned(),
        ingest_mode: *u.choose(&[IngestMode::Auto, IngestMode::Streaming, IngestMode::Inline])?,
        batch_size: u.arbitrary::<Option<u8>>()?.map(|rows| u32::from(rows) + 1),
        admin: u.arbitrary()?,
        ..KustoOptions::default()
    };
    let store = Store::open(options).expect("the options are good");
    let mut now = 1_795_250_000_000_000;
    for _ in 0..u.int_in_range(1..=4)? {
        let at = Moment { now, entropy: u.arbitrary()? };
        match u.int_in_range(0..=7)? {
            0 => one(u, store.start(Call::Flush, at), &mut now)?,
            1 => {
                let calls = vec![calls::call(u)?, calls::call(u)?];
                one(u, store.start_together(calls, at), &mut now)?;
            }
            _ => {
                let call = calls::call(u)?;
                one(u, store.start(call, at), &mut now)?;
            }
        }
    }
    Ok(())
}

fn one<T>(
    u: &mut Unstructured<'_>,
    started: std::result::Result<(Task<T>, TaskProgress<T>), Error>,
    now: &mut u64,
) -> Result<()> {
    let Ok((mut operation, mut progress)) = started else { return Ok(()) };
    for _ in 0..ROUNDS_MAX {
        let answer = match progress {
            TaskProgress::Done(_) => return Ok(()),
            TaskProgress::Need(Need::Sql(_)) => panic!("a call on Kusto needs no SQL"),
            TaskProgress::Need(Need::Wait(milliseconds)) => {
                *now += u64::from(milliseconds) * 1000;
                Answer::Waited
            }
            TaskProgress::Need(Need::Http(request)) => {
                assert_eq!(request.authorization, Authorization::None, "the host is not trusted");
                assert!(request.url.starts_with("https://elsewhere.example/v"));
                Answer::Http(responses::answer(u, &request)?)
            }
        };
        let answer = if u.ratio(1, 64)? { Answer::Http(failed()) } else { answer };
        *now += 1_000_000;
        let at = Moment { now: *now, entropy: u.arbitrary()? };
        match operation.advance(answer, at) {
            Ok(next) => progress = next,
            Err(_) => return Ok(()),
        }
    }
    panic!("a call takes more than {ROUNDS_MAX} rounds");
}

fn failed() -> HttpAnswer {
    HttpAnswer::Failed("cut off".to_owned())
}
