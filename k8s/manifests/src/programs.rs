//! What each of our programs makes of its variables and arguments: by its own command line, so that what is refused at the
//! start in a pod is refused here.

use std::collections::BTreeMap;

use clap::{ArgAction, ArgMatches, Command, CommandFactory as _};
use drift::known::nearest;

/// Read by the AWS SDK itself, in every program that has a store.
const OF_THE_SDK: [&str; 3] = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

/// A program with what its image does when no argument is given, as the Dockerfile has it.
pub struct Program {
    command: Command,
    default_args: &'static [&'static str],
}

/// The program of an image of ours, such as `bookwatch/details:0.1.0`.
#[must_use]
pub fn of_image(image: &str) -> Option<Program> {
    let (_, name) = image.rsplit_once("bookwatch/")?;
    let name = name.split([':', '@']).next()?;
    let command = match name {
        "bookwatch" => demo::Cli::command(),
        "console" => console::Cli::command(),
        "details" => details::Cli::command(),
        "loadgen" => loadgen::Cli::command(),
        "mymetric" => mymetric::Cli::command(),
        "productpage" => productpage::Cli::command(),
        "ratings" => ratings::Cli::command(),
        "reviews" => reviews::Cli::command(),
        "synthetics" => synthetics::Cli::command(),
        _ => return None,
    };
    let default_args: &[_] = if name == "synthetics" { &["run"] } else { &[] };
    Some(Program {
        command,
        default_args,
    })
}

/// How a program is set, defaults included.
pub struct Settings {
    matches: ArgMatches,
    ids: Vec<String>,
}

impl Settings {
    /// The value of a flag by its field in `Cli`; `None` where the program has no such flag or it is not set.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<String> {
        if !self.ids.iter().any(|known| known == id) {
            return None;
        }
        let mut values = self.matches.get_raw(id)?;
        Some(values.next()?.to_string_lossy().into_owned())
    }

    /// The flags whose field ends in this.
    pub fn ending<'s>(&'s self, end: &'s str) -> impl Iterator<Item = &'s str> {
        self.ids.iter().filter_map(move |id| id.strip_suffix(end))
    }
}

struct Variable {
    flag: String,
    switch: bool,
}

impl Program {
    /// Starts it in thought: with these arguments and variables.
    ///
    /// # Errors
    /// A variable that it does not read, or what it would say before it ends with exit code 2.
    pub fn start(
        mut self,
        args: &[String],
        env: &BTreeMap<String, String>,
    ) -> Result<Settings, Vec<String>> {
        let args: Vec<String> = if args.is_empty() {
            self.default_args.iter().map(ToString::to_string).collect()
        } else {
            args.to_vec()
        };
        let mut variables = BTreeMap::new();
        // `build` hands global flags on to the commands.
        self.command.build();
        let leaf = leaf(&self.command, &args);
        collect(leaf, &mut variables);
        let ids: Vec<String> = leaf
            .get_arguments()
            .map(|arg| arg.get_id().to_string())
            .collect();
        let has_store = variables.contains_key("DYNAMODB_ENDPOINT");

        let mut line = vec![self.command.get_name().to_owned()];
        line.extend(args.iter().cloned());
        let mut faults = Vec::new();
        for (name, value) in env {
            match variables.get(name) {
                Some(known) if known.switch => match value.as_str() {
                    "1" | "on" | "t" | "true" | "y" | "yes" => line.push(known.flag.clone()),
                    "0" | "f" | "false" | "n" | "no" | "off" => {}
                    other => faults.push(format!("{name} is `{other}`, and is to be yes or no")),
                },
                Some(known) => line.push(format!("{}={value}", known.flag)),
                None if has_store && OF_THE_SDK.contains(&name.as_str()) => {}
                None => {
                    let meant = nearest(name, variables.keys().map(String::as_str));
                    faults.push(format!(
                        "`{}` reads no variable {name}; the nearest is {}",
                        leaf.get_name(),
                        meant.unwrap_or("none")
                    ));
                }
            }
        }
        let command = without_env(self.command);
        match command.try_get_matches_from(&line) {
            Ok(matches) if faults.is_empty() => {
                let matches = match matches.subcommand() {
                    Some((_, inner)) => inner.clone(),
                    None => matches,
                };
                Ok(Settings { matches, ids })
            }
            Ok(_) => Err(faults),
            Err(error) => {
                let told = error.to_string();
                faults.push(told.lines().next().unwrap_or_default().to_owned());
                Err(faults)
            }
        }
    }
}

/// The command that the first argument names, or the program itself.
fn leaf<'c>(command: &'c Command, args: &[String]) -> &'c Command {
    let named = args.first().and_then(|name| command.find_subcommand(name));
    named.unwrap_or(command)
}

fn collect(command: &Command, variables: &mut BTreeMap<String, Variable>) {
    for arg in command.get_arguments() {
        if let (Some(env), Some(long)) = (arg.get_env(), arg.get_long()) {
            let variable = Variable {
                flag: format!("--{long}"),
                switch: matches!(arg.get_action(), ArgAction::SetTrue),
            };
            variables.insert(env.to_string_lossy().into_owned(), variable);
        }
    }
}

/// The same program, deaf to the variables of this test.
fn without_env(command: Command) -> Command {
    command
        .mut_args(|arg| arg.env(None::<&str>))
        .mut_subcommands(without_env)
}
