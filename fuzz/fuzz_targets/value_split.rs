//! A value that is split, stored and joined is unchanged, equal values have equal pieces, and an
//! edit builds what the whole value would.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Arbitrary, Result, Unstructured};
use langgraph_checkpoint_guest::fuzzing::{Built, EditRun, Gather, Hash, build, edit};
use libfuzzer_sys::fuzz_target;

/// A value, how it is enlarged, and edits of it.
#[derive(Arbitrary, Debug)]
struct Input<'a> {
    kind: Kind,
    growth: Growth,
    edits: Vec<(bool, u16, u16)>,
    bytes: &'a [u8],
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Kind {
    Json,
    Msgpack,
    Bytes,
}

/// A fuzzer's inputs are small, so they are enlarged to values that fill several levels of nodes.
#[derive(Debug)]
enum Growth {
    Raw,
    /// Members that are made of the input, each with its number.
    Members {
        count: u16,
        map: bool,
        /// The number of arrays around them.
        nested: u8,
    },
}

impl<'a> Arbitrary<'a> for Growth {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        if u.arbitrary()? {
            return Ok(Self::Raw);
        }
        Ok(Self::Members {
            count: u.int_in_range(0..=2000)?,
            map: u.arbitrary()?,
            nested: u.int_in_range(0..=12)?,
        })
    }
}

fuzz_target!(|input: Input<'_>| {
    let (kind, bytes) = grown(&input);
    let nothing = BTreeSet::new();
    let whole = build(kind, &bytes, &nothing).unwrap();
    let stored: BTreeMap<Hash, Vec<u8>> = whole.fresh.iter().cloned().collect();
    assert!(joined(&whole, &stored) == bytes, "joined to something else");

    let everything = stored.keys().copied().collect();
    let again = build(kind, &bytes, &everything).unwrap();
    assert_eq!(again.piece, whole.piece);
    assert!(again.fresh.is_empty(), "a known chunk was sent again");

    if let Some(edited) = edit(kind, &bytes, &input.runs()) {
        let edited = edited.unwrap();
        let mut stored = stored;
        stored.extend(edited.built.fresh.iter().cloned());
        assert!(joined(&edited.built, &stored) == edited.bytes, "edited to something else");
        let whole = build(kind, &edited.bytes, &nothing).unwrap();
        assert_eq!(edited.built.piece, whole.piece, "an edit stores what the whole value does");
    }
});

impl Input<'_> {
    /// Kept and fresh runs of any length.
    fn runs(&self) -> Vec<EditRun> {
        let run = |(keeps, first, count): &(bool, u16, u16)| match keeps {
            true => EditRun::Kept { first: *first, count: *count },
            false => EditRun::Fresh { count: *count % 64 },
        };
        self.edits.iter().take(8).map(run).collect()
    }
}

fn joined(built: &Built, stored: &BTreeMap<Hash, Vec<u8>>) -> Vec<u8> {
    let mut gather = Gather::of(&built.piece).unwrap();
    loop {
        let round = gather.round();
        if round.is_empty() {
            return gather.join().unwrap();
        }
        let chunk = |hash: Hash| (hash, stored[&hash].clone());
        gather.take(round.into_iter().map(chunk).collect());
    }
}

fn grown(input: &Input<'_>) -> (&'static str, Vec<u8>) {
    let kind = match input.kind {
        Kind::Json => "json",
        Kind::Msgpack => "msgpack",
        Kind::Bytes => "bytes",
    };
    let Growth::Members { count, map, nested } = input.growth else {
        return (kind, input.bytes.to_vec());
    };
    let mut bytes = Vec::new();
    match input.kind {
        Kind::Json => {
            bytes.resize(usize::from(nested), b'[');
            bytes.push(if map { b'{' } else { b'[' });
            for index in 0..count {
                if index > 0 {
                    bytes.push(b',');
                }
                if map {
                    bytes.extend_from_slice(format!("\"{index}\":").as_bytes());
                }
                bytes.extend_from_slice(member(input.bytes, index));
                bytes.extend_from_slice(index.to_string().as_bytes());
            }
            bytes.push(if map { b'}' } else { b']' });
            bytes.resize(bytes.len() + usize::from(nested), b']');
        }
        Kind::Msgpack => {
            bytes.resize(usize::from(nested), 0x91);
            bytes.push(if map { 0xde } else { 0xdc });
            bytes.extend_from_slice(&count.to_be_bytes());
            for index in 0..count {
                if map {
                    bytes.push(0xcd);
                    bytes.extend_from_slice(&index.to_be_bytes());
                }
                rmp::encode::write_bin(&mut bytes, member(input.bytes, index)).unwrap();
            }
        }
        Kind::Bytes => {
            for index in 0..count {
                bytes.extend_from_slice(member(input.bytes, index));
                bytes.extend_from_slice(&index.to_be_bytes());
            }
        }
    }
    (kind, bytes)
}

/// A part of the input, a different one for each index.
fn member(bytes: &[u8], index: u16) -> &[u8] {
    let begin = usize::from(index) * 31 % (bytes.len() + 1);
    &bytes[begin..]
}
