//! The word that somebody may have meant.

/// A question after the one of these words that is close to a wrong one; empty if none is.
pub(crate) fn likely(wrong: &str, words: &[&str]) -> String {
    let distance = |word: &&&str| distance(wrong, word);
    let nearest = words.iter().min_by_key(distance);
    let is_near = |word: &&&str| distance(word) <= 2 && distance(word) * 2 < wrong.chars().count();
    let bare = wrong.trim_start_matches('-');
    let whole = || words.iter().find(|word| bare.chars().count() > 2 && word.contains(bare));
    let word = nearest.filter(is_near).or_else(whole);
    word.map_or_else(String::new, |word| format!("; did you mean {word}?"))
}

/// How many characters are added, removed or replaced to get from one word to another.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut before = at + 1;
        let mut next = vec![before];
        for (second, above) in other.chars().zip(row.windows(2)) {
            let &[diagonal, above] = above else { break };
            let replaced = diagonal + usize::from(letter != second);
            before = replaced.min(above + 1).min(before + 1);
            next.push(before);
        }
        row = next;
    }
    row.pop().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_word_or_one_that_has_the_wrong_one_in_it_is_likely() {
        let words = ["threads", "history", "du", "import", "export", "--idle-since", "--limit"];
        for (wrong, word) in [
            ("thread", "threads"),
            ("hsitory", "history"),
            ("inport", "import"),
            ("--since", "--idle-since"),
            ("--limits", "--limit"),
        ] {
            assert_eq!(likely(wrong, &words), format!("; did you mean {word}?"), "{wrong}");
        }
        for wrong in ["nonsense", "ls", "d", "-x", "--", "\u{e9}\u{e9}"] {
            assert_eq!(likely(wrong, &words), "", "{wrong}");
        }
    }
}
