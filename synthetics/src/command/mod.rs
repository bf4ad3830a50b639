//! The subcommands, from parsed flags to the exit code.

mod alert;
mod explain;
mod gate;
mod job;
mod keep;
mod past;
mod run;

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

pub(crate) use alert::alert;
pub(crate) use explain::explain;
pub(crate) use gate::gate;
pub(crate) use run::run;

/// Cancels `stop` on SIGINT or SIGTERM.
fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    Ok(tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        stop.cancel();
    }))
}

fn write_stdout(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // A reader that has seen enough (`| head`) does not change the verdict.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to standard output"),
    }
}

/// Writes beside the file and renames, so that no reader ever sees half a report. What is there and no file, such as
/// `/dev/null` or a pipe, is written to as it is: root would put a file in its place.
pub(crate) fn write_whole(path: &Path, text: &str) -> anyhow::Result<()> {
    if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return std::fs::write(path, text)
            .with_context(|| format!("cannot write the report to {}", path.display()));
    }
    let mut name = path
        .file_name()
        .with_context(|| format!("`{}` is no file name", path.display()))?
        .to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    std::fs::write(&beside, text)
        .and_then(|()| std::fs::rename(&beside, path))
        .with_context(|| format!("cannot write the report to {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileTypeExt as _;
    use std::path::Path;

    use super::write_whole;

    #[test]
    fn a_file_is_replaced_and_a_device_is_left_where_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("report");
        write_whole(&file, "first").expect("written");
        write_whole(&file, "second").expect("written");
        assert_eq!(std::fs::read_to_string(&file).expect("a file"), "second");
        // Through a link, so that a mistake here does not cost the machine its device.
        let link = folder.path().join("null");
        std::os::unix::fs::symlink("/dev/null", &link).expect("a link");
        write_whole(&link, "nothing").expect("written");
        let kept = std::fs::symlink_metadata(&link).expect("it is there");
        assert!(kept.file_type().is_symlink());
        let null = std::fs::metadata(Path::new("/dev/null")).expect("it is there");
        assert!(null.file_type().is_char_device());
    }
}
