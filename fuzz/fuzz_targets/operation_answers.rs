//! An operation ends, in an outcome or an error, whatever rows the host answers with.

#![no_main]

use arbitrary::{Result, Unstructured};
use langgraph_checkpoint_fuzz::{calls, forge::Forge, rows};
use langgraph_checkpoint_guest::{Answer, Moment, Need, Progress, Store};
use libfuzzer_sys::fuzz_target;

/// More rounds than any operation takes.
const ROUNDS_MAX: usize = 300;

fuzz_target!(|bytes: &[u8]| {
    // An input that ends too early tests nothing more.
    let _ = drive(&mut Unstructured::new(bytes));
});

fn drive(u: &mut Unstructured<'_>) -> Result<()> {
    let Ok((mut operation, mut progress)) = Store::Sqlite.start(calls::call(u)?, Moment::default())
    else {
        return Ok(());
    };
    let mut forge = Forge::default();
    for _ in 0..ROUNDS_MAX {
        let Progress::Need(Need::Sql(batch)) = progress else {
            return Ok(());
        };
        assert!(!batch.statements.is_empty(), "a batch without statements");
        let statements = batch.statements.iter();
        let mut sets = statements
            .map(|statement| rows::row_set(u, &mut forge, statement))
            .collect::<Result<Vec<_>>>()?;
        if u.ratio(1, 64)? {
            sets.pop();
        }
        match operation.advance(Answer::Sql(sets), Moment::default()) {
            Ok(next) => progress = next,
            Err(_) => return Ok(()),
        }
    }
    panic!("an operation takes more than {ROUNDS_MAX} rounds");
}
