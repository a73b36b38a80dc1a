//! `info`: what is this file?

use super::Exit;
use super::args::InputArg;
use super::context::Context;
use super::failure::Failure;
use super::render::text::Paint;
use super::render::{escape, info as render};
use careen::inspect::info::{self, Overview};
use std::io::{self, Write};

/// What is this file? Kind, version, producer, databases, counts by type and encoding, functions, modules, parts
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  careen info dump.rdb
  careen info appendonlydir --format json | jq .parts

Exit status:
  0  done
  1  done, but something is damaged; what could be read is counted
  2  not done")]
pub(super) struct Info {
    #[command(flatten)]
    input: InputArg,
    /// text or json
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    format: InfoFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum InfoFormat {
    Text,
    Json,
}

impl Info {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        let input = cx.open_sound(&self.input.input)?;
        let mut bar = cx.progress(input.bytes(), false);
        let overview = info::input(&input, &cx.scan_options(), &mut |done| bar.reached(done));
        drop(bar);
        let exit = complain(&overview, cx)?;
        let text = match self.format {
            InfoFormat::Json => render::json(&input, &overview),
            InfoFormat::Text => render::text(&input, &overview, Paint(cx.is_colored())),
        };
        io::stdout().lock().write_all(text.as_bytes())?;
        Ok(exit)
    }
}

/// Say what could not be read.
fn complain(overview: &Overview, cx: &Context<'_>) -> Result<Exit, Failure> {
    let mut exit = Exit::Clean;
    for part in &overview.parts {
        let name = escape::text(part.name.as_bytes());
        for damage in &part.damage {
            if damage.is_exhausted {
                return Err(Failure::exhausted(&name, &damage.what));
            }
            cx.complain(&format!("{name}: {}", damage.what), damage.hint.as_deref());
            exit = Exit::Findings;
        }
    }
    Ok(exit)
}
