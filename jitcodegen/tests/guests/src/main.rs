//! Runs a guest's program: `guests GUEST/PROGRAM [SIZE]`; `guests list` tells what there is, `guests sizes` the sizes too.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let programs = guests::programs();
    if name == "list" {
        programs.iter().for_each(|program| println!("{}", program.name));
        return ExitCode::SUCCESS;
    }
    if name == "sizes" {
        programs.iter().for_each(|program| println!("{} {}", program.name, program.large));
        return ExitCode::SUCCESS;
    }
    let Some(program) = programs.iter().find(|program| program.name == name) else {
        let names: Vec<&str> = programs.iter().map(|program| program.name).collect();
        eprintln!("no program `{name}`; there are {}", names.join(", "));
        return ExitCode::from(2);
    };
    let size = match arguments.next().map(|text| text.parse()) {
        None => program.large,
        Some(Ok(size)) => size,
        Some(Err(error)) => {
            eprintln!("the size must be a number: {error}");
            return ExitCode::from(2);
        }
    };
    println!("{}", (program.run)(size));
    ExitCode::SUCCESS
}
