//! Series as bytes, and back.
//!
//! Numbers are LEB128: seven bits a byte, the highest bit says that more follow. A reader trusts
//! nothing: every length has a limit, and bytes that say something else than a writer would are
//! an error and never a panic or a huge allocation.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::bucket::{NotedProbe, Worst};
use super::minute::{Level, Minute};
use super::series::{Column, Series};
use super::sketch::Sketch;
use crate::clock::Timestamp;
use crate::probe::{Phase, Phases};

/// The newest form that is known, and the one that is written.
pub const VERSION: u8 = 1;

/// Most checks in one item.
const MOST_CHECKS: u64 = 100_000;
/// Most latency limits of a check, and most classes of failures.
const MOST_KINDS: u64 = 1_000;
/// Longest text, in bytes: a detail of 300 characters.
const LONGEST_TEXT: u64 = 1_200;

/// Series by check.
pub type ByCheck = Vec<(Arc<str>, Series)>;

/// Bytes that are no series.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// They end too soon.
    #[error("the data ends too soon")]
    Short,
    /// Bytes are left over.
    #[error("{0} bytes are left over")]
    Long(usize),
    /// A number or a text is out of its range.
    #[error("{0} is out of range")]
    Range(&'static str),
    /// It was written by a newer program.
    #[error("it has version {0}, and this program knows up to {VERSION}")]
    Version(u8),
}

/// The series of some checks over the same stretch as bytes.
#[must_use]
pub fn encode<'a>(checks: impl ExactSizeIterator<Item = (&'a str, &'a Series)>) -> Vec<u8> {
    let mut out = vec![VERSION];
    put(&mut out, checks.len() as u64);
    for (name, series) in checks {
        text(&mut out, name);
        encode_series(&mut out, series);
    }
    out
}

/// The series of a stretch of `level` that begins at `first`.
///
/// # Errors
/// See [`CodecError`].
pub fn decode(bytes: &[u8], level: Level, first: Minute) -> Result<ByCheck, CodecError> {
    let mut input = Input(bytes);
    let version = input.byte()?;
    if version == 0 || version > VERSION {
        return Err(CodecError::Version(version));
    }
    let checks = input.up_to(MOST_CHECKS, "the number of checks")?;
    let mut all = Vec::new();
    for _ in 0..checks {
        let name = input.text()?;
        all.push((name.into(), input.series(level, first)?));
    }
    match input.0.len() {
        0 => Ok(all),
        left => Err(CodecError::Long(left)),
    }
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn text(out: &mut Vec<u8>, text: &str) {
    // What is too long to be read back is cut, at the border of a character.
    let mut end = text.len().min(LONGEST_TEXT as usize);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    put(out, end as u64);
    out.extend_from_slice(&text.as_bytes()[..end]);
}

fn micros(out: &mut Vec<u8>, duration: Duration) {
    put(out, u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
}

fn encode_series(out: &mut Vec<u8>, series: &Series) {
    for column in &series.counts {
        encode_column(out, column);
    }
    put(out, series.within.len() as u64);
    for (limit, column) in &series.within {
        put(out, *limit);
        encode_column(out, column);
    }
    put(out, series.failures.len() as u64);
    for (kind, count) in &series.failures {
        text(out, kind);
        put(out, u64::from(*count));
    }
    encode_sketch(out, &series.sketch);
    put(out, series.worst.probes().len() as u64);
    for probe in series.worst.probes() {
        encode_probe(out, probe);
    }
}

/// A sketch: requests without an answer, how many bins, and each bin as its distance from the one
/// before and its count.
pub(super) fn encode_sketch(out: &mut Vec<u8>, sketch: &Sketch) {
    put(out, u64::from(sketch.unanswered()));
    put(out, sketch.bins().len() as u64);
    let mut before = 0;
    for (bin, count) in sketch.bins() {
        put(out, u64::from(bin - before));
        put(out, u64::from(*count));
        before = *bin;
    }
}

/// What [`encode_sketch`] wrote, without making a sketch of it: requests without an answer, and
/// the bins.
pub(super) fn read_sketch(bytes: &[u8]) -> (u32, impl Iterator<Item = (u16, u32)>) {
    let mut input = Input(bytes);
    let unanswered = input.count().unwrap_or_default();
    let number = input.number().unwrap_or_default();
    let mut bin = 0_u16;
    let bins = (0..number).map_while(move |_| {
        // Nearly always one byte each.
        let (step, count) = match *input.0 {
            [step @ ..0x80, count @ ..0x80, ..] => {
                input.0 = &input.0[2..];
                (u16::from(step), u32::from(count))
            }
            _ => (
                u16::try_from(input.number().ok()?).ok()?,
                input.count().ok()?,
            ),
        };
        bin = bin.checked_add(step)?;
        Some((bin, count))
    });
    (unanswered, bins)
}

fn encode_column(out: &mut Vec<u8>, column: &Column) {
    put(out, column.runs().len() as u64);
    for (value, length) in column.runs() {
        put(out, u64::from(*value));
        put(out, u64::from(*length));
    }
}

const ANSWERED: u8 = 1;
const STATUS: u8 = 2;
const FAILED: u8 = 4;
const TRACED: u8 = 8;

fn encode_probe(out: &mut Vec<u8>, probe: &NotedProbe) {
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    out.push(
        flag(probe.answered, ANSWERED)
            | flag(probe.status.is_some(), STATUS)
            | flag(probe.failure.is_some(), FAILED)
            | flag(probe.trace_id.is_some(), TRACED),
    );
    put(out, probe.scheduled.as_micros());
    micros(out, probe.duration);
    if let Some(status) = probe.status {
        put(out, u64::from(status));
    }
    if let Some((kind, detail)) = &probe.failure {
        text(out, kind);
        text(out, detail);
    }
    if let Some(trace) = &probe.trace_id {
        text(out, trace);
    }
    for (_, time) in probe.phases.iter() {
        micros(out, time);
    }
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> Result<u8, CodecError> {
        let (first, rest) = self.0.split_first().ok_or(CodecError::Short)?;
        self.0 = rest;
        Ok(*first)
    }

    fn number(&mut self) -> Result<u64, CodecError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(CodecError::Range("a number"))
    }

    fn up_to(&mut self, most: u64, what: &'static str) -> Result<u64, CodecError> {
        let number = self.number()?;
        (number <= most)
            .then_some(number)
            .ok_or(CodecError::Range(what))
    }

    fn count(&mut self) -> Result<u32, CodecError> {
        let number = self.up_to(u64::from(u32::MAX), "a count")?;
        u32::try_from(number).map_err(|_| CodecError::Range("a count"))
    }

    fn text(&mut self) -> Result<&'a str, CodecError> {
        let length = self.up_to(LONGEST_TEXT, "the length of a text")?;
        let length = usize::try_from(length).map_err(|_| CodecError::Short)?;
        let (text, rest) = self.0.split_at_checked(length).ok_or(CodecError::Short)?;
        self.0 = rest;
        std::str::from_utf8(text).map_err(|_| CodecError::Range("a text"))
    }

    fn micros(&mut self) -> Result<Duration, CodecError> {
        self.number().map(Duration::from_micros)
    }

    fn series(&mut self, level: Level, first: Minute) -> Result<Series, CodecError> {
        let mut counts: [Column; 6] = Default::default();
        for column in &mut counts {
            *column = self.column(level)?;
        }
        let mut within: Vec<(u64, Column)> = Vec::new();
        for _ in 0..self.up_to(MOST_KINDS, "the number of limits")? {
            let limit = self.number()?;
            if within.last().is_some_and(|(last, _)| *last >= limit) {
                return Err(CodecError::Range("the order of limits"));
            }
            within.push((limit, self.column(level)?));
        }
        let mut failures = BTreeMap::new();
        for _ in 0..self.up_to(MOST_KINDS, "the number of failures")? {
            failures.insert(self.text()?.to_owned(), self.count()?);
        }
        let sketch = self.sketch()?;
        let mut worst = Worst::default();
        for _ in 0..self.up_to(Worst::KEPT as u64, "the number of noted probes")? {
            worst.add(self.probe()?);
        }
        Ok(Series {
            first,
            level,
            counts,
            within,
            failures,
            sketch,
            worst,
        })
    }

    fn column(&mut self, level: Level) -> Result<Column, CodecError> {
        let mut column = Column::default();
        for _ in 0..self.up_to(level.minutes(), "the number of runs")? {
            let value = self.count()?;
            column.push(value, self.count()?);
        }
        (column.len() == level.minutes())
            .then_some(column)
            .ok_or(CodecError::Range("the length of a column"))
    }

    fn sketch(&mut self) -> Result<Sketch, CodecError> {
        let unanswered = self.count()?;
        let number = self.up_to(u64::from(Sketch::LAST_BIN) + 1, "the number of bins")?;
        let (mut bins, mut bin) = (Vec::new(), 0);
        for _ in 0..number {
            bin += self.up_to(u64::from(Sketch::LAST_BIN), "a bin")?;
            let index = u16::try_from(bin).map_err(|_| CodecError::Range("a bin"))?;
            bins.push((index, self.count()?));
        }
        Sketch::from_bins(bins, unanswered).ok_or(CodecError::Range("the bins"))
    }

    fn probe(&mut self) -> Result<NotedProbe, CodecError> {
        let flags = self.byte()?;
        let has = |flag: u8| flags & flag != 0;
        if flags > ANSWERED | STATUS | FAILED | TRACED {
            return Err(CodecError::Range("the flags of a noted probe"));
        }
        let scheduled = Timestamp::from_micros(self.number()?);
        let duration = self.micros()?;
        let status = match has(STATUS) {
            true => Some(self.up_to(u64::from(u16::MAX), "a status")? as u16),
            false => None,
        };
        let failure = match has(FAILED) {
            true => Some((self.text()?.to_owned(), self.text()?.to_owned())),
            false => None,
        };
        let trace_id = match has(TRACED) {
            true => Some(self.text()?.to_owned()),
            false => None,
        };
        let mut phases = Phases::default();
        for phase in Phase::ALL {
            phases.add(phase, self.micros()?);
        }
        Ok(NotedProbe {
            scheduled,
            duration,
            answered: has(ANSWERED),
            status,
            failure,
            trace_id,
            phases,
        })
    }
}
