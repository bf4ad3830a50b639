//! Cuts a stream of bytes into lines of bounded length.

/// One line, without its end.
pub(crate) struct Line<'a> {
    pub(crate) bytes: &'a [u8],
    /// There was more of it.
    pub(crate) is_cut: bool,
}

/// Holds at most one line's beginning.
pub(crate) struct Lines {
    limit: usize,
    /// What of the line came with earlier chunks.
    held: Vec<u8>,
    is_cut: bool,
}

impl Lines {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            held: Vec::new(),
            is_cut: false,
        }
    }

    /// Calls `each` for every line that the bytes complete; empty ones are left out.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(Line<'_>)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            if self.held.is_empty() && !self.is_cut {
                // The usual case: the whole line is here, so nothing is copied.
                emit(&bytes[..end.min(self.limit)], end > self.limit, &mut each);
            } else {
                self.hold(&bytes[..end]);
                self.finish(&mut each);
            }
            bytes = &bytes[end + 1..];
        }
        self.hold(bytes);
    }

    /// The line that has no end, if there is one.
    pub(crate) fn finish(&mut self, mut each: impl FnMut(Line<'_>)) {
        emit(&self.held, self.is_cut, &mut each);
        self.held.clear();
        self.is_cut = false;
    }

    fn hold(&mut self, bytes: &[u8]) {
        let room = self.limit - self.held.len();
        self.held.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.is_cut |= bytes.len() > room;
    }
}

fn emit(bytes: &[u8], is_cut: bool, each: &mut impl FnMut(Line<'_>)) {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    if !bytes.is_empty() {
        each(Line { bytes, is_cut });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(chunks: &[&[u8]], limit: usize) -> Vec<(Vec<u8>, bool)> {
        let mut all = Vec::new();
        let mut lines = Lines::new(limit);
        let mut take = |line: Line<'_>| all.push((line.bytes.to_vec(), line.is_cut));
        for chunk in chunks {
            lines.feed(chunk, &mut take);
            assert!(lines.held.len() <= limit);
        }
        lines.finish(&mut take);
        all
    }

    #[test]
    fn long_lines_are_cut_and_the_next_one_is_whole() {
        assert_eq!(
            lines(&[b"abcdefg\nxy\r\n\nlast"], 4),
            [
                (b"abcd".to_vec(), true),
                (b"xy".to_vec(), false),
                (b"last".to_vec(), false)
            ]
        );
    }

    proptest! {
        #[test]
        fn chunks_make_no_difference(
            text in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..200),
            size in 1_usize..20,
            limit in 1_usize..20,
        ) {
            let chunks: Vec<&[u8]> = text.chunks(size).collect();
            prop_assert_eq!(lines(&chunks, limit), lines(&[&text], limit));
        }
    }
}
