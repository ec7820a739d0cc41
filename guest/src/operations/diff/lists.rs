//! Compares two lists by their pieces. Where both have the same node, nothing of it is read.
//!
//! The pieces of both lists are matched by their content. The nodes that are left are opened, those
//! of the highest level first, and what is in them is matched again, down to the elements.

use std::collections::BTreeMap;

use crate::contract::error::Error;
use crate::format::encode;
use crate::format::values::piece::Piece;

/// Lists with more pieces that differ are not compared element by element.
const ITEMS_MAX: usize = 1 << 17;

/// A piece of a list, and how many levels it is above the elements.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    pub(super) level: usize,
    pub(super) piece: Piece,
}

/// Consecutive pieces of both lists.
#[derive(Debug)]
enum Run {
    /// One that both have.
    Same(Item),
    Differ(Vec<Item>, Vec<Item>),
}

impl Run {
    fn before(&self) -> &[Item] {
        match self {
            Self::Differ(before, _) => before,
            Self::Same(item) => std::slice::from_ref(item),
        }
    }

    fn after(&self) -> &[Item] {
        match self {
            Self::Differ(_, after) => after,
            Self::Same(item) => std::slice::from_ref(item),
        }
    }
}

/// Two lists that are being compared.
#[derive(Debug)]
pub(super) struct Lists {
    counts: (u32, u32),
    runs: Vec<Run>,
}

/// An element that differs: its place, and what it was before and after.
pub(super) type Element<'a> = (Option<u32>, Option<&'a Piece>, Option<&'a Piece>);

impl Lists {
    /// The lists with these pieces. `counts` says how many elements each has.
    pub(super) fn of(
        (before, after): (Vec<Item>, Vec<Item>),
        counts: (u32, u32),
    ) -> Result<Self, Error> {
        let mut lists = Self { counts, runs: vec![Run::Differ(before, after)] };
        lists.refine()?;
        Ok(lists)
    }

    /// The nodes to open: those of the highest level that differ; none if only elements differ.
    /// `None` if too much differs.
    pub(super) fn nodes(&self) -> Option<Vec<&Piece>> {
        let items: Vec<_> = self.differing().collect();
        let level = items.iter().map(|item| item.level).max().unwrap_or_default();
        let nodes = items.iter().filter(|item| level > 0 && item.level == level);
        (items.len() <= ITEMS_MAX).then(|| nodes.map(|item| &item.piece).collect())
    }

    /// Replaces the nodes by what is in them. `open` gives the pieces of a node.
    pub(super) fn open<E: From<Error>>(
        &mut self,
        mut open: impl FnMut(&Piece) -> Result<Vec<Piece>, E>,
    ) -> Result<(), E> {
        let level = self.differing().map(|item| item.level).max().unwrap_or_default();
        let mut opened = |items: &mut Vec<Item>| {
            let mut all = Vec::new();
            for item in std::mem::take(items) {
                if item.level < level || level == 0 {
                    all.push(item);
                    continue;
                }
                let below = open(&item.piece)?.into_iter();
                all.extend(below.map(|piece| Item { level: level - 1, piece }));
            }
            *items = all;
            Ok::<(), E>(())
        };
        for run in &mut self.runs {
            if let Run::Differ(before, after) = run {
                opened(before)?;
                opened(after)?;
            }
        }
        Ok(self.refine()?)
    }

    /// The elements that differ, in order. Two at one place are one that changed.
    pub(super) fn elements(&self) -> Vec<Element<'_>> {
        let before = self.places(Run::before, self.counts.0);
        let after = self.places(Run::after, self.counts.1);
        let mut elements = Vec::new();
        for ((run, before_at), after_at) in self.runs.iter().zip(before).zip(after) {
            let Run::Differ(before, after) = run else { continue };
            for offset in 0..before.len().max(after.len()) {
                let (old, new) = (before.get(offset), after.get(offset));
                let from = if new.is_some() { after_at } else { before_at };
                let place = from.and_then(|at| at.checked_add(u32::try_from(offset).ok()?));
                elements.push((place, old.map(|item| &item.piece), new.map(|item| &item.piece)));
            }
        }
        elements
    }

    /// The place of the first element of each run in one of the lists, counted from its beginning
    /// or its end; `None` if nodes that were not opened are on both sides.
    fn places<'a>(&'a self, items: impl Fn(&'a Run) -> &'a [Item], count: u32) -> Vec<Option<u32>> {
        let elements = |run: &'a Run| {
            let items = items(run);
            items.iter().all(|item| item.level == 0).then(|| u32::try_from(items.len()).ok())?
        };
        let mut from_begin = Vec::with_capacity(self.runs.len());
        let mut at = Some(0_u32);
        for run in &self.runs {
            from_begin.push(at);
            at = at.zip(elements(run)).and_then(|(at, count)| at.checked_add(count));
        }
        let mut at = Some(count);
        for (run, place) in self.runs.iter().zip(&mut from_begin).rev() {
            at = at.zip(elements(run)).and_then(|(at, count)| at.checked_sub(count));
            *place = place.or(at);
        }
        from_begin
    }

    fn differing(&self) -> impl Iterator<Item = &Item> {
        self.runs.iter().flat_map(|run| match run {
            Run::Same(_) => [].iter().chain([].iter()),
            Run::Differ(before, after) => before.iter().chain(after),
        })
    }

    /// Matches the pieces of each run that differs, until that finds nothing more.
    fn refine(&mut self) -> Result<(), Error> {
        loop {
            let count = self.runs.len();
            let mut runs = Vec::with_capacity(count);
            for run in std::mem::take(&mut self.runs) {
                match run {
                    Run::Differ(before, after) => matched(before, after, &mut runs)?,
                    same @ Run::Same(_) => runs.push(same),
                }
            }
            self.runs = runs;
            if self.runs.len() <= count {
                return Ok(());
            }
        }
    }
}

/// Appends the runs of two lists of pieces: what both begin and end with, and between them the
/// longest series of pieces that each list has once.
fn matched(before: Vec<Item>, after: Vec<Item>, runs: &mut Vec<Run>) -> Result<(), Error> {
    let same = |(old, new): &(&Item, &Item)| old == new;
    let first = before.iter().zip(&after).take_while(same).count();
    let rest = before.len().min(after.len()) - first;
    let last = before.iter().rev().zip(after.iter().rev()).take(rest).take_while(same).count();
    let middle = |items: &[Item]| items.len() - last;
    let (before_end, after_end) = (middle(&before), middle(&after));

    let mut anchors = Vec::new();
    {
        let places = |items: &[Item], end: usize| {
            let mut places: BTreeMap<_, Vec<usize>> = BTreeMap::new();
            for (at, item) in items.iter().enumerate().take(end).skip(first) {
                places.entry((item.level, encode(&item.piece)?)).or_default().push(at);
            }
            Ok::<_, Error>(places)
        };
        let old = places(&before, before_end)?;
        for (key, at) in places(&after, after_end)? {
            if let (Some([old]), [new]) = (old.get(&key).map(Vec::as_slice), at.as_slice()) {
                anchors.push((*new, *old));
            }
        }
    }
    anchors.sort_unstable();
    let mut anchors = longest_rise(&anchors).into_iter().peekable();

    let (mut before, mut after) = (before.into_iter().enumerate(), after.into_iter().enumerate());
    runs.extend(after.by_ref().take(first).map(|(_, item)| Run::Same(item)));
    before.by_ref().take(first).for_each(drop);
    loop {
        let (new_end, old_end) = anchors.peek().copied().unwrap_or((after_end, before_end));
        let until = |items: &mut dyn Iterator<Item = (usize, Item)>, end: usize, from: usize| {
            items.take(end.saturating_sub(from)).map(|(_, item)| item).collect::<Vec<_>>()
        };
        let from_new = after.clone().next().map_or(after_end, |(at, _)| at);
        let from_old = before.clone().next().map_or(before_end, |(at, _)| at);
        let (old, new) =
            (until(&mut before, old_end, from_old), until(&mut after, new_end, from_new));
        if !(old.is_empty() && new.is_empty()) {
            runs.push(Run::Differ(old, new));
        }
        if anchors.next().is_none() {
            break;
        }
        before.next();
        runs.extend(after.next().map(|(_, item)| Run::Same(item)));
    }
    runs.extend(after.map(|(_, item)| Run::Same(item)));
    Ok(())
}

/// The longest series of pairs, ordered by their first numbers, in which the second ones rise too.
fn longest_rise(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // For each length the series that ends with the smallest second number: its last pair, and the
    // pair before each pair.
    let mut ends: Vec<(usize, usize)> = Vec::new();
    let mut before = Vec::with_capacity(pairs.len());
    for (at, (_, second)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|(end, _)| end < second);
        before.push(length.checked_sub(1).and_then(|length| ends.get(length)).map(|(_, at)| *at));
        match ends.get_mut(length) {
            Some(end) => *end = (*second, at),
            None => ends.push((*second, at)),
        }
    }
    let mut series = Vec::with_capacity(ends.len());
    let mut next = ends.last().map(|(_, at)| *at);
    while let Some(at) = next {
        series.extend(pairs.get(at).copied());
        next = before.get(at).copied().flatten();
    }
    series.reverse();
    series
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &str) -> Vec<Item> {
        let piece = |byte| Piece::Inline(vec![byte]);
        text.bytes().map(|byte| Item { level: 0, piece: piece(byte) }).collect()
    }

    /// The elements that differ, each as its place, what it was and what it is.
    fn differing(before: &str, after: &str) -> String {
        let counts = (before.len() as u32, after.len() as u32);
        let lists = Lists::of((items(before), items(after)), counts).unwrap();
        assert!(lists.nodes().unwrap().is_empty());
        let shown = |piece: Option<&Piece>| match piece {
            Some(Piece::Inline(bytes)) => String::from_utf8(bytes.clone()).unwrap(),
            _ => "-".to_owned(),
        };
        let elements = lists.elements().into_iter();
        let all = elements
            .map(|(place, old, new)| format!("{}:{}{}", place.unwrap(), shown(old), shown(new)));
        all.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_differs_has_its_place() {
        for (before, after, expected) in [
            ("", "", ""),
            ("abc", "abc", ""),
            ("abc", "abcde", "3:-d 4:-e"),
            ("abcde", "abc", "3:d- 4:e-"),
            ("abc", "xabc", "0:-x"),
            ("abc", "axc", "1:bx"),
            ("abcdefgh", "bcdXefgh", "0:a- 3:-X"),
            ("abc", "abyz", "2:cy 3:-z"),
            ("", "ab", "0:-a 1:-b"),
            ("aabaa", "aaaa", "2:b-"),
            ("abcd", "dabc", "0:-d 3:d-"),
        ] {
            assert_eq!(differing(before, after), expected, "{before} to {after}");
        }
    }

    #[test]
    fn matched_pieces_make_both_lists() {
        let words = ["", "a", "ab", "ba", "abcabc", "cabbage", "abracadabra", "dabracadabr", "xyz"];
        for before in words {
            for after in words {
                let mut runs = Vec::new();
                matched(items(before), items(after), &mut runs).unwrap();
                let side = |pick: fn(&Run) -> &[Item]| {
                    runs.iter().flat_map(pick).cloned().collect::<Vec<_>>()
                };
                assert_eq!(side(Run::before), items(before), "{before} to {after}");
                assert_eq!(side(Run::after), items(after), "{before} to {after}");
            }
        }
    }
}
