//! `synthetics alert`: trying a webhook before it is needed.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use super::write_stdout;
use crate::alert::webhook::{Answer, Client, Message, Patience, schema};
use crate::cli::{AlertArgs, AlertCommand};
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, ConfigError, Webhook};
use crate::config_command;
use crate::setup;
use crate::slo::Verdict;

/// Posts a test message, or prints the schema of messages.
pub(crate) fn alert(args: &AlertArgs, colour: bool) -> ExitCode {
    let done = match &args.command {
        AlertCommand::Schema => write_stdout(&format!("{:#}\n", schema())).map(|()| Verdict::Pass),
        AlertCommand::Test { webhook, config } => match load(config) {
            Ok(config) => test(&config, webhook),
            Err(error) => return config_command::wrong(&error, colour),
        },
    };
    match done {
        Ok(verdict) => ExitCode::from(verdict.exit_code()),
        Err(error) => crate::fail(&error),
    }
}

fn load(path: &Path) -> Result<Config, ConfigError> {
    Config::load(path, &setup::variable)
}

fn test(config: &Config, name: &str) -> anyhow::Result<Verdict> {
    let webhooks = &config.sinks.webhooks;
    let names = || webhooks.iter().map(|hook| hook.name.as_str());
    let webhook = webhooks.iter().find(|hook| hook.name == name);
    let webhook = webhook.with_context(|| match webhooks.len() {
        0 => format!("{} has no webhook", config.file),
        _ => format!(
            "there is no webhook `{name}`; {} has {}",
            config.file,
            names().collect::<Vec<_>>().join(", ")
        ),
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (verdict, told) = match runtime.block_on(post(webhook))? {
        Answer::Delivered { status } => (Verdict::Pass, format!("delivered: status {status}")),
        Answer::Refused { why } => (Verdict::Fail, format!("not delivered: {why}")),
        Answer::Later { why, .. } => (
            Verdict::Fail,
            format!("not delivered: {why}; an alert would be sent again"),
        ),
    };
    write_stdout(&format!("{name}: {told}\n"))?;
    Ok(verdict)
}

async fn post(webhook: &Webhook) -> anyhow::Result<Answer> {
    let client = Client::new(Patience::default().attempt)?;
    let now = SystemClock::new().now();
    let message = Message::test(&webhook.name, now.to_string());
    Ok(client.post(webhook, &message, now.into()).await)
}
