//! The elements of a MessagePack list: where each ends, and what a longer list keeps of them.

/// Where the elements of a list end, counted from the byte after its header.
#[derive(Debug, PartialEq)]
pub(crate) struct Parts {
    header: usize,
    ends: Vec<usize>,
}

/// What a new list has of an older one: its first elements, unchanged, and others after them.
#[derive(Debug, PartialEq)]
pub(crate) struct Kept {
    /// How many elements it keeps.
    pub(crate) count: u32,
    /// Where the others begin in its bytes.
    pub(crate) fresh: usize,
    /// All of its elements.
    pub(crate) parts: Parts,
}

impl Parts {
    /// The elements of a list. `None` if the bytes are no list, or not one alone.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let (count, header) = list_header(bytes)?;
        let parts = Self { header, ends: Vec::new() };
        parts.continued(bytes, count)
    }

    /// What a list keeps of this one. `None` if it keeps nothing, or the bytes are no list.
    ///
    /// MessagePack is read from front to back: equal bytes from the first element on are equal
    /// elements.
    pub(crate) fn kept_by(&self, own: &[u8], bytes: &[u8]) -> Option<Kept> {
        let (count, header) = list_header(bytes)?;
        let (own, new) = (own.get(self.header..)?, bytes.get(header..)?);
        let same = common(own, new);
        let kept = self.ends.partition_point(|end| *end <= same).min(count);
        let ends: Vec<usize> = self.ends.iter().take(kept).copied().collect();
        let fresh = header + ends.last()?;
        let parts = Self { header, ends }.continued(bytes, count)?;
        Some(Kept { count: u32::try_from(kept).ok()?, fresh, parts })
    }

    /// Reads the elements after those whose ends are known.
    fn continued(mut self, bytes: &[u8], count: usize) -> Option<Self> {
        let mut at = self.header + self.ends.last().copied().unwrap_or(0);
        while self.ends.len() < count {
            at = after(bytes, at)?;
            self.ends.push(at - self.header);
        }
        (at == bytes.len()).then_some(self)
    }
}

/// How many bytes two texts have in common at their beginning.
fn common(left: &[u8], right: &[u8]) -> usize {
    const STEP: usize = 64;
    let steps = left.chunks_exact(STEP).zip(right.chunks_exact(STEP));
    let equal = STEP * steps.take_while(|(left, right)| left == right).count();
    let rest = left.iter().zip(right).skip(equal).take_while(|(left, right)| left == right);
    equal + rest.count()
}

/// The number of a list's elements, and where the first one begins. `None` if that is not the
/// shortest header for the number, which is the one that the planner makes.
fn list_header(bytes: &[u8]) -> Option<(usize, usize)> {
    match *bytes.first()? {
        head @ 0x90..=0x9f => Some((usize::from(head & 0x0f), 1)),
        0xdc => number(bytes, 1, 2).filter(|count| *count > 0x0f).map(|count| (count, 3)),
        0xdd => number(bytes, 1, 4).filter(|count| *count > 0xffff).map(|count| (count, 5)),
        _ => None,
    }
}

/// Where the value that begins at a place ends. `None` if the bytes end before it.
fn after(bytes: &[u8], mut at: usize) -> Option<usize> {
    // How many values are still to come: those inside of lists and maps, too.
    let mut rest = 1_usize;
    while rest > 0 {
        rest -= 1;
        let size = |width: usize, more: usize| {
            number(bytes, at + 1, width).and_then(|size| size.checked_add(1 + width + more))
        };
        let (length, inside) = match *bytes.get(at)? {
            0x00..=0x7f | 0xc0 | 0xc2 | 0xc3 | 0xe0..=0xff => (1, 0),
            head @ 0x80..=0x8f => (1, 2 * usize::from(head & 0x0f)),
            head @ 0x90..=0x9f => (1, usize::from(head & 0x0f)),
            head @ 0xa0..=0xbf => (1 + usize::from(head & 0x1f), 0),
            0xc4 | 0xd9 => (size(1, 0)?, 0),
            0xc5 | 0xda => (size(2, 0)?, 0),
            0xc6 | 0xdb => (size(4, 0)?, 0),
            0xc7 => (size(1, 1)?, 0),
            0xc8 => (size(2, 1)?, 0),
            0xc9 => (size(4, 1)?, 0),
            0xcc | 0xd0 => (2, 0),
            0xcd | 0xd1 | 0xd4 => (3, 0),
            0xd5 => (4, 0),
            0xca | 0xce | 0xd2 => (5, 0),
            0xd6 => (6, 0),
            0xcb | 0xcf | 0xd3 => (9, 0),
            0xd7 => (10, 0),
            0xd8 => (18, 0),
            0xdc => (3, number(bytes, at + 1, 2)?),
            0xdd => (5, number(bytes, at + 1, 4)?),
            0xde => (3, 2 * number(bytes, at + 1, 2)?),
            0xdf => (5, number(bytes, at + 1, 4)?.checked_mul(2)?),
            0xc1 => return None,
        };
        at = at.checked_add(length).filter(|end| *end <= bytes.len())?;
        rest = rest.checked_add(inside)?;
    }
    Some(at)
}

/// A number of so many bytes, the most significant first.
fn number(bytes: &[u8], at: usize, width: usize) -> Option<usize> {
    let digits = bytes.get(at..at.checked_add(width)?)?;
    Some(digits.iter().fold(0, |number, digit| number << 8 | usize::from(*digit)))
}
