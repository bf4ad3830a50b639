//! Results into a file, for `gate --replay`.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use super::Sink;
use crate::probe::ProbeResult;
use crate::recording::{Header, Line, Probe};

/// Writes results as they come. The file is buffered: a kill loses the last seconds, and leaves
/// at most half a line.
pub struct Record {
    file: Option<BufWriter<File>>,
}

impl Record {
    /// Creates the file, or empties it.
    ///
    /// # Errors
    /// Where that is not possible.
    pub fn create(path: &Path) -> std::io::Result<Self> {
        let file = BufWriter::with_capacity(64 * 1024, File::create(path)?);
        Ok(Self { file: Some(file) })
    }

    /// Says what comes now.
    pub fn begin(&mut self, header: Header) {
        self.write(&Line::Recording(header));
    }

    /// Hands over what is buffered.
    pub fn flush(&mut self) {
        let flushed = self.file.as_mut().map_or(Ok(()), BufWriter::flush);
        self.check(flushed);
    }

    fn write(&mut self, line: &Line) {
        let Some(file) = &mut self.file else {
            return;
        };
        let mut text = match serde_json::to_vec(line) {
            Ok(text) => text,
            Err(error) => return self.check(Err(error.into())),
        };
        text.push(b'\n');
        let written = file.write_all(&text);
        self.check(written);
    }

    /// Gives up after the first error: a recording with a hole would say something else.
    fn check(&mut self, result: std::io::Result<()>) {
        if let Err(error) = result {
            tracing::error!(%error, "recording ended: it cannot be written");
            self.file = None;
        }
    }
}

impl Sink for Record {
    fn record(&mut self, result: &ProbeResult) {
        self.write(&Line::Probe(Probe::from(result)));
    }
}
