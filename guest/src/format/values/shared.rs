//! The bytes that the values of a page have in common, each kept once.
//!
//! Neighbouring checkpoints differ by little. So each value is a list of spans of one run of bytes,
//! to which it adds only what no earlier value had.

use std::collections::BTreeMap;

use super::join::{Gather, Loss, Placed};
use super::piece::{Piece, Shape, Spine};
use crate::contract::outcome::Span;

/// The shared bytes of a page.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    bytes: Vec<u8>,
    /// By thread key: the position of each chunk's content.
    placed: BTreeMap<i64, Placed>,
}

impl Shared {
    /// The bytes.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The spans whose concatenation is the bytes of a piece.
    pub(crate) fn spans(
        &mut self,
        thread_key: i64,
        gather: &Gather,
        piece: &Piece,
    ) -> Result<Vec<Span>, Loss> {
        let placed = self.placed.entry(thread_key).or_default();
        let mut value = Value { gather, bytes: &mut self.bytes, placed, spans: Vec::new() };
        let Piece::Nested(sequence) = piece else {
            value.piece(piece, Shape::Plain)?;
            return Ok(value.spans);
        };
        let levels = match &sequence.spine {
            Spine::Inline(levels) => levels,
            Spine::Chunk(hash) => gather.spine(*hash)?,
        };
        value.text(sequence.shape.opening(sequence.elements).as_ref());
        let levels = levels.iter().rev().chain(std::iter::once(&sequence.tail));
        for (index, piece) in levels.flatten().enumerate() {
            if index > 0 {
                value.text(sequence.shape.separator());
            }
            value.piece(piece, sequence.shape)?;
        }
        value.text(sequence.shape.closing());
        let length: u64 = value.spans.iter().map(|span| u64::from(span.end - span.begin)).sum();
        if length == sequence.length { Ok(value.spans) } else { Err(Loss::Length) }
    }
}

/// The spans of one value.
struct Value<'a> {
    gather: &'a Gather,
    bytes: &'a mut Vec<u8>,
    placed: &'a mut Placed,
    spans: Vec<Span>,
}

impl Value<'_> {
    /// Adds a few bytes: the same bytes if they follow the last span, else a copy of them.
    fn text(&mut self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        let end = self.spans.last().map(|span| span.end as usize);
        let follows = end.and_then(|end| self.bytes.get(end..end + text.len())) == Some(text);
        let begin = if follows { end.unwrap_or_default() } else { self.bytes.len() };
        if !follows {
            self.bytes.extend_from_slice(text);
        }
        self.span(Span { begin: begin as u32, end: (begin + text.len()) as u32 });
    }

    fn piece(&mut self, piece: &Piece, shape: Shape) -> Result<(), Loss> {
        if piece.length() == 0 {
            return Err(Loss::Length);
        }
        let placed = piece.hash().and_then(|hash| self.placed.get(&(hash, shape.separator())));
        if let Some(span) = placed.copied() {
            if u64::from(span.end - span.begin) != piece.length() {
                return Err(Loss::Length);
            }
            self.span(span);
            return Ok(());
        }
        let begin = self.bytes.len() as u32;
        self.gather.place(piece, shape, self.bytes, self.placed)?;
        self.span(Span { begin, end: self.bytes.len() as u32 });
        Ok(())
    }

    /// Adds a span, or lengthens the last one if the new one follows it.
    fn span(&mut self, span: Span) {
        match self.spans.last_mut() {
            Some(last) if last.end == span.begin => last.end = span.end,
            _ => self.spans.push(span),
        }
    }
}
