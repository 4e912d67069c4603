//! The command line: options as the language's own program has them, and `--list`, `--jit`.

use std::ffi::OsString;
use std::io::{IsTerminal, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::ExitCode;

use lua::{Options, Result, Value, Vm, text_of, traceback};

const VERSION: &str = "Lua 5.4  (metatrace)";
const USAGE: &str = "usage: lua [options] [script [args]]
Available options are:
  -e stat   execute string 'stat'
  -i        enter interactive mode after executing 'script'
  -l mod    require library 'mod' into global 'mod'
  -l g=mod  require library 'mod' into global 'g'
  -v        show version information
  -E        ignore environment variables
  -W        turn warnings on
  --list    print the bytecode of the script instead of running it
  --jit O   options for the JIT, as METATRACE takes them
  --        stop handling options
  -         stop handling options and execute stdin
";

/// What is to be done before the script.
enum Step {
    Execute(Vec<u8>),
    Require(Vec<u8>),
    Warnings,
}

#[derive(Default)]
struct Arguments {
    steps: Vec<Step>,
    interactive: bool,
    version: bool,
    no_environment: bool,
    list: bool,
    jit: Option<String>,
    /// The index of the script among the arguments.
    script: Option<usize>,
}

fn parse(args: &[OsString]) -> std::result::Result<Arguments, String> {
    let mut parsed = Arguments::default();
    let mut at = 1;
    while at < args.len() {
        let arg = args[at].as_bytes();
        if arg.first() != Some(&b'-') || arg == b"-" {
            parsed.script = Some(at);
            break;
        }
        let mut value = |inline: &[u8]| {
            if !inline.is_empty() {
                return Some(inline.to_vec());
            }
            at += 1;
            args.get(at).map(|arg| arg.as_bytes().to_vec())
        };
        let wrong = || Err(format!("unrecognized option '{}'", String::from_utf8_lossy(arg)));
        let needs = || format!("'{}' needs argument", String::from_utf8_lossy(&arg[..2]));
        match arg {
            b"--" => {
                parsed.script = (at + 1 < args.len()).then_some(at + 1);
                break;
            }
            b"--list" => parsed.list = true,
            b"--jit" => {
                parsed.jit = Some(String::from_utf8_lossy(&value(b"").ok_or_else(needs)?).into_owned())
            }
            b"-i" => (parsed.interactive, parsed.version) = (true, true),
            b"-v" => parsed.version = true,
            b"-E" => parsed.no_environment = true,
            b"-W" => parsed.steps.push(Step::Warnings),
            [b'-', b'e', rest @ ..] => parsed.steps.push(Step::Execute(value(rest).ok_or_else(needs)?)),
            [b'-', b'l', rest @ ..] => parsed.steps.push(Step::Require(value(rest).ok_or_else(needs)?)),
            _ => return wrong(),
        }
        at += 1;
    }
    Ok(parsed)
}

/// Runs the program as the command line says.
pub fn run() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let parsed = match parse(&args) {
        Ok(parsed) => parsed,
        Err(message) => {
            eprint!("lua: {message}\n{USAGE}");
            return ExitCode::FAILURE;
        }
    };
    if parsed.list {
        return list(&args, &parsed);
    }
    let options = Options { native_stack: 6 << 20, jit: parsed.jit.clone(), ..Options::default() };
    let vm = match Vm::new(options) {
        Ok(vm) => vm,
        Err(error) => {
            eprintln!("lua: cannot create state: {error}");
            return ExitCode::FAILURE;
        }
    };
    let succeeded = vm.enter(|vm| {
        let succeeded = run_parsed(vm, &args, &parsed);
        vm.close_state();
        lua::flush_standard();
        succeeded
    });
    if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn list(args: &[OsString], parsed: &Arguments) -> ExitCode {
    let Some(script) = parsed.script else {
        eprintln!("lua: --list needs a script");
        return ExitCode::FAILURE;
    };
    let source = match std::fs::read(&args[script]) {
        Ok(source) => source,
        Err(error) => {
            eprintln!("lua: cannot open {}: {error}", args[script].display());
            return ExitCode::FAILURE;
        }
    };
    match lua::compile::compile(&source) {
        Ok(body) => {
            print!("{}", lua::listing::list(&body));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!(
                "lua: {}:{}: {}",
                args[script].display(),
                error.line,
                String::from_utf8_lossy(&error.text)
            );
            ExitCode::FAILURE
        }
    }
}

/// Prints the error if there is one, as the program's.
fn report(vm: &Vm, result: std::result::Result<(), Value>) -> bool {
    report_as(vm, b"lua: ", result)
}

fn report_as(vm: &Vm, who: &[u8], result: std::result::Result<(), Value>) -> bool {
    let Err(error) = result else { return true };
    let text = text_of(vm, error);
    lua::print_error(&[who, text.as_slice(), b"\n"].concat());
    false
}

/// Calls a function; an error gets a traceback.
fn call(vm: &Vm, function: Value, args: &[Value]) -> std::result::Result<(), Value> {
    vm.call_with_handler(function, args, &handle)
}

fn handle(vm: &Vm, error: Value) -> Value {
    let text = match error {
        Value::Str(text) => text.bytes().to_vec(),
        _ => match vm.own_text(error) {
            Some(text) => return text,
            None => format!("(error object is a {} value)", error.type_name()).into_bytes(),
        },
    };
    vm.string(&traceback(vm, Some(&text), 0)).unwrap_or(error)
}

fn load(vm: &Vm, source: &[u8], name: &[u8]) -> std::result::Result<Value, Value> {
    vm.protected(|| Ok(Value::Function(vm.load(source, name, Value::Table(vm.globals()))?)))
}

fn run_parsed(vm: &Vm, args: &[OsString], parsed: &Arguments) -> bool {
    if parsed.version {
        lua::print(format!("{VERSION}\n").as_bytes());
    }
    if let Err(error) = vm.protected(|| make_arg_table(vm, args, parsed.script.unwrap_or(0))) {
        return report(vm, Err(error));
    }
    if !parsed.no_environment && !run_init(vm) {
        return false;
    }
    for step in &parsed.steps {
        if !report(vm, run_step(vm, step)) {
            return false;
        }
    }
    if let Some(script) = parsed.script
        && !report(vm, run_script(vm, args, script))
    {
        return false;
    }
    if parsed.interactive {
        prompt(vm);
    } else if parsed.script.is_none()
        && parsed.steps.iter().all(|step| matches!(step, Step::Warnings))
        && !parsed.version
    {
        if std::io::stdin().is_terminal() {
            lua::print(format!("{VERSION}\n").as_bytes());
            prompt(vm);
        } else {
            // As the reference: that it fails is said, and does not count.
            report(vm, run_stdin(vm, &[]));
        }
    }
    true
}

fn run_init(vm: &Vm) -> bool {
    use std::env::var_os;
    let Some(init) = var_os("LUA_INIT_5_4").or_else(|| var_os("LUA_INIT")) else { return true };
    let result = match init.as_bytes() {
        [b'@', path @ ..] => run_file(vm, path, &[]),
        source => load(vm, source, b"=LUA_INIT").and_then(|function| call(vm, function, &[])),
    };
    report(vm, result)
}

fn make_arg_table(vm: &Vm, args: &[OsString], script: usize) -> Result<()> {
    let table = vm.table()?;
    vm.set_field(vm.globals(), "arg", Value::Table(table))?;
    for (index, arg) in args.iter().enumerate() {
        let value = vm.string(arg.as_bytes())?;
        table.set(vm, Value::Int(index as i64 - script as i64), value)?;
    }
    Ok(())
}

fn run_step(vm: &Vm, step: &Step) -> std::result::Result<(), Value> {
    match step {
        Step::Warnings => {
            vm.set_warnings(true);
            Ok(())
        }
        Step::Execute(source) => {
            let function = load(vm, source, b"=(command line)")?;
            call(vm, function, &[])
        }
        Step::Require(spec) => {
            let (global, module) = match spec.iter().position(|byte| *byte == b'=') {
                Some(at) => (&spec[..at], &spec[at + 1..]),
                None => (&spec[..], &spec[..]),
            };
            let (global, module) = (String::from_utf8_lossy(global), module);
            vm.with_handler(&handle, || {
                let require = vm.get_field(vm.globals(), "require")?;
                let name = vm.string(module)?;
                let value = vm.call(require, &[name])?;
                vm.set_field(vm.globals(), &global, value)
            })
        }
    }
}

fn script_args(vm: &Vm, args: &[OsString], script: usize) -> std::result::Result<Vec<Value>, Value> {
    // The table `arg` keeps them alive.
    vm.protected(|| args[script + 1..].iter().map(|arg| vm.string(arg.as_bytes())).collect())
}

fn run_script(vm: &Vm, args: &[OsString], script: usize) -> std::result::Result<(), Value> {
    let values = script_args(vm, args, script)?;
    match args[script].as_bytes() {
        b"-" if args[script - 1].as_bytes() != b"--" => run_stdin(vm, &values),
        path => run_file(vm, path, &values),
    }
}

fn run_file(vm: &Vm, path: &[u8], args: &[Value]) -> std::result::Result<(), Value> {
    let function = vm.protected(|| vm.load_file(Some(path)))?;
    call(vm, function, args)
}

fn run_stdin(vm: &Vm, args: &[Value]) -> std::result::Result<(), Value> {
    let function = vm.protected(|| vm.load_file(None))?;
    call(vm, function, args)
}

// The prompt.

/// Reads lines, with a history where there is a terminal.
enum Reader {
    Terminal(Box<rustyline::DefaultEditor>),
    Plain,
}

impl Reader {
    fn line(&mut self, prompt: &str) -> Option<String> {
        match self {
            Reader::Terminal(editor) => editor.readline(prompt).ok(),
            Reader::Plain => {
                lua::print(prompt.as_bytes());
                lua::flush_standard();
                let mut line = Vec::new();
                let mut byte = [0];
                while std::io::stdin().read(&mut byte).is_ok_and(|count| count == 1) {
                    if byte[0] == b'\n' {
                        return Some(OsString::from_vec(line).to_string_lossy().into_owned());
                    }
                    line.push(byte[0]);
                }
                (!line.is_empty()).then(|| String::from_utf8_lossy(&line).into_owned())
            }
        }
    }
}

fn prompt_text(vm: &Vm, name: &str, default: &str) -> String {
    match vm.protected(|| vm.get_field(vm.globals(), name)) {
        Ok(Value::Str(text)) => text.lossy(),
        _ => default.to_string(),
    }
}

fn prompt(vm: &Vm) {
    let mut reader = if std::io::stdin().is_terminal()
        && let Ok(editor) = rustyline::DefaultEditor::new()
    {
        Reader::Terminal(Box::new(editor))
    } else {
        Reader::Plain
    };
    let history = std::env::home_dir().map(|home| home.join(".lua_history"));
    if let (Reader::Terminal(editor), Some(history)) = (&mut reader, &history) {
        let _ = editor.load_history(history);
    }
    while let Some(line) = reader.line(&prompt_text(vm, "_PROMPT", "> ")) {
        let Some((text, function)) = complete(vm, &mut reader, line) else { break };
        if let Reader::Terminal(editor) = &mut reader {
            let _ = editor.add_history_entry(text);
        }
        match function {
            Ok(function) => evaluate(vm, function),
            Err(error) => {
                report_as(vm, b"", Err(error));
            }
        }
        lua::flush_standard();
    }
    if let (Reader::Terminal(editor), Some(history)) = (&mut reader, &history) {
        let _ = editor.save_history(history);
    }
    lua::print(b"\n");
}

/// What was read.
type Entry = (String, std::result::Result<Value, Value>);

/// Compiles a line as an expression or as statements, with more lines while it is not complete.
fn complete(vm: &Vm, reader: &mut Reader, first: String) -> Option<Entry> {
    let mut text = first;
    let as_expression = format!("return {}", text.strip_prefix('=').unwrap_or(&text));
    if let Ok(function) = load(vm, as_expression.as_bytes(), b"=stdin") {
        return Some((text, Ok(function)));
    }
    loop {
        let result = load(vm, text.as_bytes(), b"=stdin");
        let Err(Value::Str(message)) = result else { return Some((text, result)) };
        if !message.bytes().ends_with(b"<eof>") {
            return Some((text, result));
        }
        let Some(more) = reader.line(&prompt_text(vm, "_PROMPT2", ">> ")) else {
            return Some((text, result));
        };
        text = format!("{text}\n{more}");
    }
}

fn evaluate(vm: &Vm, function: Value) {
    let result = vm.call_and_print(function, &handle);
    report_as(vm, b"", result);
}
