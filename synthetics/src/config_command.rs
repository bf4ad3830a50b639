//! The subcommands about the configuration: `validate`, `schema`, `config`, `export` and
//! `import`.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use crate::cli::{ExportArgs, ImportArgs, ValidateArgs};
use crate::command;
use crate::config::{self, Config, ConfigError};
use crate::export;
use crate::import;
use crate::setup;
use crate::slo::Verdict;

/// Longest configuration that is taken from standard input.
const LONGEST: u64 = 1 << 20;

/// Tells all mistakes of a file, or that there is none.
pub(crate) fn validate(args: &ValidateArgs, colour: bool) -> ExitCode {
    let loaded = if args.file == Path::new("-") {
        from_stdin()
    } else {
        Config::load(&args.file, &setup::variable)
    };
    match loaded {
        Ok(config) => print(&format!(
            "{}: sound: {} checks, {} objectives, {} locations\n",
            config.file,
            config.checks.len(),
            config.slos.len(),
            config.locations.len()
        )),
        Err(error) => wrong(&error, colour),
    }
}

/// Prints the schema.
pub(crate) fn schema() -> ExitCode {
    print(&format!("{:#}\n", config::schema()))
}

/// Prints the built-in configuration.
pub(crate) fn config() -> ExitCode {
    print(config::DEFAULT)
}

/// Writes the objectives for another tool.
pub(crate) fn export(args: &ExportArgs, colour: bool) -> ExitCode {
    let config = match setup::load(args.config.as_deref(), &setup::variable) {
        Ok(config) => config,
        Err(error) => return wrong(&error, colour),
    };
    let exported = export::export(&config, args.to);
    write(&exported.text, args.output.as_deref(), &exported.left_out)
}

/// Reads objectives that were written for another tool.
pub(crate) fn import(args: &ImportArgs, colour: bool) -> ExitCode {
    let text = if args.file == Path::new("-") {
        stdin()
    } else {
        config::read(&args.file)
    };
    let name: Arc<str> = args.file.display().to_string().into();
    let imported = text.and_then(|text| import::import(&name, &text).map_err(ConfigError::Wrong));
    match imported {
        Ok(imported) => write(&imported.text, args.output.as_deref(), &imported.left_out),
        Err(error @ ConfigError::Unreadable { .. }) => crate::fail(&error.into()),
        Err(error) => wrong(&error, colour),
    }
}

/// Writes a text to a file or to standard output, and tells what is not in it.
fn write(text: &str, file: Option<&Path>, left_out: &[String]) -> ExitCode {
    if let Some(path) = file {
        if let Err(error) = command::write_whole(path, text) {
            return crate::fail(&error);
        }
    } else {
        let printed = print(text);
        if printed != ExitCode::SUCCESS {
            return printed;
        }
    }
    let mut err = std::io::stderr().lock();
    for what in left_out {
        // There is nobody left to tell if standard error is gone.
        let _ = writeln!(err, "left out: {what}");
    }
    if left_out.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(Verdict::Fail.exit_code())
    }
}

/// Tells the mistakes, with the lines they stand in.
pub(crate) fn wrong(error: &ConfigError, colour: bool) -> ExitCode {
    let mut err = std::io::stderr();
    let colour = colour && err.is_terminal();
    // There is nobody left to tell if standard error is gone.
    let _ = match error {
        ConfigError::Wrong(problems) => write!(err, "{}", problems.render(colour)),
        ConfigError::Unreadable { .. } => writeln!(
            err,
            "error: {error}; `synthetics config` prints a file to start from"
        ),
    };
    ExitCode::from(Verdict::Error.exit_code())
}

fn from_stdin() -> Result<Config, ConfigError> {
    let text = stdin()?;
    let name = "standard input".into();
    Config::parse(&name, &text, Path::new(""), &setup::variable).map_err(ConfigError::Wrong)
}

fn stdin() -> Result<String, ConfigError> {
    let mut text = String::new();
    let read = std::io::stdin().take(LONGEST).read_to_string(&mut text);
    read.map_err(|error| ConfigError::Unreadable {
        path: "-".into(),
        error: error.to_string(),
    })?;
    Ok(text)
}

fn print(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        // A reader that has seen enough (`| head`) is no mistake.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(Verdict::Error.exit_code()),
    }
}
