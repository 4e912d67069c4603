//! `cargo xtask`: the commands of the toolchain.

mod bench;
mod build;
mod explain_error;
mod fuzz;
mod inspect;
mod report;
mod run;
mod test;

use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be asked of the toolchain.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The commands of the metatrace toolchain")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// How reports are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The Cargo profile of a translated binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// Optimised.
    Release,
    /// Quick to build, with debug assertions.
    Dev,
}

/// What else is written beside a translated binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Emit {
    /// The flow graphs.
    Graph,
    /// The jitcodes.
    Jitcode,
}

#[derive(Subcommand)]
enum Command {
    /// Translate an interpreter and link the binary with its JIT.
    Translate {
        /// A package of the workspace, or the folder of one elsewhere.
        interpreter: String,
        /// How the binary is built.
        #[arg(long, value_enum, default_value = "release")]
        profile: Profile,
        /// How the report is printed.
        #[arg(long, value_enum, default_value = "text")]
        report: Format,
        /// Texts to write beside the binary.
        #[arg(long, value_enum, value_delimiter = ',')]
        emit: Vec<Emit>,
    },
    /// Translate if needed, then run the binary.
    Run {
        /// A package of the workspace, or the folder of one elsewhere.
        interpreter: String,
        /// Handed to the interpreter.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Print the jitcodes in a linked binary.
    Inspect {
        /// The binary.
        binary: PathBuf,
        /// Print only the functions' names.
        #[arg(long, conflicts_with_all = ["function", "all"])]
        list: bool,
        /// Print the functions whose path ends in this.
        #[arg(long, value_name = "PATH", conflicts_with = "all")]
        function: Option<String>,
        /// Print every function (the default).
        #[arg(long)]
        all: bool,
        /// How to print.
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Explain a diagnostic of the translator.
    ExplainError {
        /// Its code, as E0103.
        #[arg(required_unless_present = "list")]
        code: Option<String>,
        /// Print all codes instead.
        #[arg(long, conflicts_with = "code")]
        list: bool,
    },
    /// Run every test.
    Test {
        /// Run only tests whose name contains this.
        filter: Option<String>,
        /// Accept the output of filetests and snapshots as expected.
        #[arg(long)]
        bless: bool,
    },
    /// Measure; ratios against named peers in one run.
    Bench {
        /// Run only benchmarks whose name contains this.
        filter: Option<String>,
        /// Also write the results to a file.
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
        /// Small inputs and one run, where a benchmark has them: those of Lua.
        #[arg(long)]
        quick: bool,
    },
    /// Search for mistakes of the toolchain with generated code.
    Fuzz {
        #[command(subcommand)]
        what: Fuzz,
    },
    /// Compare the types and calls that the front end infers with rustc's.
    CheckTypes,
    /// Check the project's own rules.
    Tidy,
}

#[derive(Subcommand)]
enum Fuzz {
    /// Compare generated functions, natively and in every engine.
    Translation {
        /// The first case's seed; the others follow.
        #[arg(long, default_value_t = 1000)]
        seed: u64,
        /// How many cases; each has some functions.
        #[arg(long, default_value_t = 200)]
        count: u64,
        /// How many of them become one crate.
        #[arg(long, default_value_t = 50)]
        batch: u64,
        /// Build the crates as releases.
        #[arg(long)]
        release: bool,
        /// Make failing cases smaller.
        #[arg(long)]
        shrink: bool,
        /// Do not run what was translated.
        #[arg(long)]
        translate_only: bool,
    },
    /// Compare generated programs of Lua, by the reference implementation and in the modes of ours.
    Lua {
        /// The first program's seed; the others follow.
        #[arg(long, default_value_t = 1000)]
        seed: u64,
        /// How many programs.
        #[arg(long, default_value_t = 200)]
        count: u64,
    },
}

/// What went wrong with a command, said to the user.
pub type Result<T> = std::result::Result<T, String>;

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Translate { interpreter, profile, report, emit } => {
            build::translate(&interpreter, profile, &emit, true).and_then(|out| report::print(&out, report))
        }
        Command::Run { interpreter, args } => run::run(&interpreter, &args),
        Command::Inspect { binary, list, function, all: _, format } => {
            inspect::inspect(&binary, list, function.as_deref(), format)
        }
        Command::ExplainError { code: Some(code), .. } => {
            explain_error::page(&code).map(|page| print!("{page}"))
        }
        Command::ExplainError { code: None, .. } => {
            print!("{}", explain_error::list());
            Ok(())
        }
        Command::Test { filter, bless } => test::test(filter.as_deref(), bless),
        Command::Bench { filter, json, quick } => bench::bench(filter.as_deref(), json.as_deref(), quick),
        Command::Fuzz { what: Fuzz::Translation { seed, count, batch, release, shrink, translate_only } } => {
            fuzz::translation(&fuzz::Options { seed, count, batch, release, shrink, translate_only })
        }
        Command::Fuzz { what: Fuzz::Lua { seed, count } } => fuzz::lua(seed, count),
        Command::CheckTypes => check_types_command(),
        Command::Tidy => tidy_command(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn check_types_command() -> Result<()> {
    let mut found = 0;
    for report in xtask::check_types::run(&build::workspace_root()?)? {
        report.differences.iter().for_each(|text| println!("{text}"));
        let (locals, calls, unseen) = (report.locals, report.calls, report.unseen);
        let package = report.package.display();
        let differ = report.differences.len();
        if !report.refused.is_empty() {
            println!("{}\nnot understood: {}", report.errors, report.refused.join(", "));
        }
        println!("{package}: {locals} variables, {calls} calls compared, {unseen} not seen, {differ} differ");
        found += differ;
    }
    if found == 0 { Ok(()) } else { Err(format!("{found} differences")) }
}

fn tidy_command() -> Result<()> {
    let violations = xtask::tidy::run(&build::workspace_root()?);
    for violation in &violations {
        println!("{violation}");
    }
    match violations.len() {
        0 => Ok(()),
        n => Err(format!("{n} violations of the project's rules")),
    }
}
