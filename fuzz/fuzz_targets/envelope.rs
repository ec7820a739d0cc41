//! Every decoder of stored or carried bytes returns a structure or an error, and a structure that
//! is encoded again decodes as the same one.

#![no_main]

use arbitrary::Unstructured;
use langgraph_checkpoint_fuzz::forge::Forge;
use langgraph_checkpoint_guest::fuzzing::{
    Gather, reencode_known, reseal_checkpoint, reseal_write, seal,
};
use langgraph_checkpoint_guest::{Call, Config, Id, List, Moment, Store};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let checkpoint = |sealed: &[u8]| reseal_checkpoint(sealed, ["a", "", "id", "ts"], None, b"{}");
    let columns: [&[u8]; 2] = [b"ts", b"{}"];
    assert_stable(bytes, checkpoint);
    assert_stable(&seal(bytes.to_vec(), &columns), checkpoint);

    let names = ["a", "", "id", "task", "path", "channel"];
    let write = |sealed: &[u8]| reseal_write(sealed, names, 0);
    let columns: [&[u8]; 7] =
        [b"a", b"", b"id", b"task", &0_i64.to_le_bytes(), b"path", b"channel"];
    assert_stable(bytes, write);
    assert_stable(&seal(bytes.to_vec(), &columns), write);

    assert_stable(bytes, |bytes| reencode_known(bytes, "a", ""));

    let thread_id = Id::from("a");
    let config = Config { thread_id, ..Config::default() };
    let resume = Some(bytes.to_vec());
    let _ = Store::Sqlite
        .start(Call::List(List { config, resume, ..List::default() }), Moment::default());

    let _ = Gather::of(bytes).map(|gather| gather.join());
    let _ = join_forged(bytes);
});

/// Bytes that decode are encoded as bytes that decode, and encode, the same.
fn assert_stable<E: std::fmt::Debug>(bytes: &[u8], again: impl Fn(&[u8]) -> Result<Vec<u8>, E>) {
    if let Ok(written) = again(bytes) {
        assert!(again(&written).unwrap() == written, "written differently");
    }
}

/// Forges a piece with all its chunks and joins it.
fn join_forged(bytes: &[u8]) -> arbitrary::Result<()> {
    let mut forge = Forge::default();
    let mut piece = Vec::new();
    forge.piece(&mut Unstructured::new(bytes), &mut piece, 0, 0)?;
    let Some(mut gather) = Gather::of(&piece) else {
        return Ok(());
    };
    loop {
        let round = gather.round();
        if round.is_empty() {
            break;
        }
        let found = round.into_iter();
        gather.take(
            found.filter_map(|hash| Some((hash, forge.chunks.get(&hash)?.clone()))).collect(),
        );
    }
    let _ = gather.join();
    Ok(())
}
