//! Which configuration a command works with, and from which places it probes.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::cli::ProbeArgs;
use crate::config::{Config, ConfigError};
use crate::probe::Prober;
use crate::run::Place;

/// Ends the name of a place that is only played, in tags and on the page as well, so that its
/// numbers cannot be taken for measured ones.
pub const SIMULATED: &str = "-simulated";

/// The environment as a configuration sees it: flags that have a variable count as that variable.
pub(crate) fn environment(
    args: &ProbeArgs,
    interval: Duration,
) -> impl Fn(&str) -> Option<String> + Send + Sync + use<> {
    let target = args.target.as_str().trim_end_matches('/').to_owned();
    let timeout = humantime::format_duration(args.timeout).to_string();
    let interval = humantime::format_duration(interval).to_string();
    move |name| match name {
        "SYNTHETICS_TARGET" => Some(target.clone()),
        "SYNTHETICS_TIMEOUT" => Some(timeout.clone()),
        "SYNTHETICS_INTERVAL" => Some(interval.clone()),
        _ => variable(name),
    }
}

/// A variable of this process's environment.
#[expect(
    clippy::disallowed_methods,
    reason = "which variables a configuration names is not known to the command line"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The file that is asked for, or the one that is built in.
///
/// # Errors
/// Where it cannot be read, or all of its mistakes.
pub(crate) fn config(args: &ProbeArgs, interval: Duration) -> Result<Config, ConfigError> {
    load(args.config.as_deref(), &environment(args, interval))
}

/// As [`config`], with an environment as it is.
///
/// # Errors
/// As there.
pub(crate) fn load(
    path: Option<&Path>,
    environment: &(impl Fn(&str) -> Option<String> + Send + Sync),
) -> Result<Config, ConfigError> {
    match path {
        Some(path) => Config::load(path, environment),
        None => Config::built_in(environment),
    }
}

/// The places that this process probes from: the one it stands at, or all that the configuration
/// has as simulated, where it is to play them.
pub(crate) fn places(config: &Config, args: &ProbeArgs, play: bool) -> Arc<[Place]> {
    let prober = Prober::new(config.guard.clone());
    let played: Vec<_> = config
        .locations
        .iter()
        .filter_map(|location| {
            let name: Arc<str> = format!("{}{SIMULATED}", location.name).into();
            Some(Place {
                prober: prober.clone().far(location.far?).at(Arc::clone(&name)),
                name,
            })
        })
        .collect();
    if play && !played.is_empty() {
        return played.into();
    }
    let name: Arc<str> = args.location.as_str().into();
    let prober = prober.at(Arc::clone(&name));
    [Place { name, prober }].into()
}
