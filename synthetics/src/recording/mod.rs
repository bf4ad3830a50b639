//! Results in a file, to be judged again later: would this deployment have passed, with other
//! targets?
//!
//! One JSON object a line. A `recording` says what is probed and in which slices it is judged, and
//! each `probe` is one result. A new `recording` begins where the configuration has changed. A
//! last line that a kill has cut off is left out; anything else that is no such line is an error
//! that tells its number.

mod line;

use std::io::{BufRead, Read as _};
use std::sync::Arc;
use std::time::Duration;

pub use line::{Header, Line, Probe};

use crate::clock::Timestamp;
use crate::objective::Slo;
use crate::probe::ProbeResult;
use crate::sink::Sink as _;
use crate::tally::{Layout, Tally};

/// The form that is written.
const VERSION: u32 = 1;
/// Longest line, in bytes.
const LONGEST_LINE: u64 = 64 * 1024;
/// Most slices that are judged: two years of minutes.
const MOST_SLICES: usize = 2 * 366 * 1_440;

/// A recording that was read.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Its first header.
    pub header: Header,
    /// Its results, by the checks that were asked for.
    pub tally: Tally,
    /// The end of what was, or was to be, probed.
    pub until: Timestamp,
    /// Whether the last line was cut off.
    pub cut: bool,
}

/// Why a recording cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// It cannot be read.
    #[error("it cannot be read")]
    Unreadable(#[from] std::io::Error),
    /// A line is none of a recording.
    #[error("line {line} is none of a recording: {error}")]
    Line {
        /// Which one, from 1.
        line: u64,
        /// What is wrong with it.
        error: String,
    },
    /// It does not begin as recordings do.
    #[error("it is no recording: write one with `--record FILE`")]
    NoHeader,
    /// A newer program has written it.
    #[error("it has version {0}, and this program knows up to {VERSION}")]
    Version(u32),
    /// Parts of it are judged in different slices.
    #[error(
        "line {line}: slices of {new} us cannot be judged together with those of {old} us before"
    )]
    Slices {
        /// Which one, from 1.
        line: u64,
        /// The length before.
        old: u64,
        /// The length from here on.
        new: u64,
    },
    /// It goes on with a location that it did not begin with.
    #[error("line {line}: location `{location}` was not there when the recording began")]
    Location {
        /// Which one, from 1.
        line: u64,
        /// The location.
        location: String,
    },
    /// A check that is judged was not probed.
    #[error("it has no check `{check}`, which the objective `{slo}` is measured on")]
    NoCheck {
        /// The check.
        check: String,
        /// The objective.
        slo: String,
    },
}

/// Reads a recording and counts what `slos` need; their checks are positions in `names`.
///
/// # Errors
/// See [`RecordingError`].
pub fn read(
    input: impl BufRead,
    names: &[Arc<str>],
    slos: &[Slo],
) -> Result<Recording, RecordingError> {
    read_each(input, names, slos, |_| {})
}

/// As [`read`]; each result of a check in `names` goes to `on` as well.
///
/// # Errors
/// See [`RecordingError`].
pub fn read_each(
    mut input: impl BufRead,
    names: &[Arc<str>],
    slos: &[Slo],
    mut on: impl FnMut(&ProbeResult),
) -> Result<Recording, RecordingError> {
    let mut recording: Option<Recording> = None;
    let mut bytes = Vec::new();
    let (mut number, mut cut) = (0, false);
    loop {
        bytes.clear();
        number += 1;
        let read = (&mut input)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut bytes)?;
        if read == 0 {
            break;
        }
        let whole = bytes.ends_with(b"\n");
        match serde_json::from_slice(&bytes) {
            Ok(line) => recording = Some(take(recording, line, number, names, slos, &mut on)?),
            // A kill leaves half a line, and then nothing.
            Err(_) if !whole && read < LONGEST_LINE as usize => cut = true,
            Err(_) if number == 1 => return Err(RecordingError::NoHeader),
            Err(error) => {
                return Err(RecordingError::Line {
                    line: number,
                    error: error.to_string(),
                });
            }
        }
    }
    let mut recording = recording.ok_or(RecordingError::NoHeader)?;
    recording.cut = cut;
    Ok(recording)
}

fn take(
    recording: Option<Recording>,
    line: Line,
    number: u64,
    names: &[Arc<str>],
    slos: &[Slo],
    on: &mut impl FnMut(&ProbeResult),
) -> Result<Recording, RecordingError> {
    match (recording, line) {
        (_, Line::Recording(header)) if header.version > VERSION => {
            Err(RecordingError::Version(header.version))
        }
        (None, Line::Recording(header)) => begin(header, names, slos),
        (None, Line::Probe(_)) => Err(RecordingError::NoHeader),
        (Some(recording), Line::Recording(header)) => {
            let (old, new) = (recording.header.slice_us, header.slice_us);
            if old != new {
                return Err(RecordingError::Slices {
                    line: number,
                    old,
                    new,
                });
            }
            all_there(&header, names, slos)?;
            let stranger = |name: &&String| !recording.header.locations.contains(name);
            match header.locations.iter().find(stranger) {
                None => Ok(recording),
                Some(location) => Err(RecordingError::Location {
                    line: number,
                    location: location.clone(),
                }),
            }
        }
        (Some(mut recording), Line::Probe(probe)) => {
            if !recording.header.locations.contains(&probe.location) {
                return Err(RecordingError::Location {
                    line: number,
                    location: probe.location,
                });
            }
            let after = probe.at.plus(Duration::from_micros(1));
            recording.until = recording.until.max(after);
            if let Some(index) = names.iter().position(|name| **name == *probe.check) {
                let result = probe.result(index);
                recording.tally.record(&result);
                on(&result);
            }
            Ok(recording)
        }
    }
}

fn begin(header: Header, names: &[Arc<str>], slos: &[Slo]) -> Result<Recording, RecordingError> {
    all_there(&header, names, slos)?;
    let slice = Duration::from_micros(header.slice_us.max(1));
    let tally = Tally::new(Layout {
        checks: names.len(),
        locations: header
            .locations
            .iter()
            .map(|name| name.as_str().into())
            .collect(),
        limits: crate::objective::latency_limits(slos),
        origin: header.origin,
        slice,
        retain: MOST_SLICES,
    });
    // Where the end was planned, what is missing there is missing.
    let planned = header
        .slices
        .map(|slices| slices.saturating_mul(header.slice_us));
    let planned = Duration::from_micros(planned.unwrap_or(0));
    Ok(Recording {
        until: header.origin.plus(planned),
        header,
        tally,
        cut: false,
    })
}

/// An objective on a check that was not probed would be green on nothing.
fn all_there(header: &Header, names: &[Arc<str>], slos: &[Slo]) -> Result<(), RecordingError> {
    for slo in slos {
        for check in slo.checks.iter().filter_map(|at| names.get(*at)) {
            if !header.checks.iter().any(|name| *name == **check) {
                return Err(RecordingError::NoCheck {
                    check: check.to_string(),
                    slo: slo.name.clone(),
                });
            }
        }
    }
    Ok(())
}
