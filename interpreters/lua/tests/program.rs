//! The program `lua`: its options, the prompt, what it says of errors, and how it exits.

use std::io::Write;
use std::process::{Command, Stdio};

/// What a run has written, and how it ended.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    out: String,
    err: String,
    status: Option<i32>,
}

fn run_with(args: &[&str], input: &str, environment: &[(&str, &str)]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lua"))
        .args(args)
        .env_remove("LUA_INIT")
        .env_remove("LUA_INIT_5_4")
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("its input");
    // A program that does not read is gone already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let done = child.wait_with_output().expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run { out: text(&done.stdout), err: text(&done.stderr), status: done.status.code() }
}

fn run(args: &[&str], input: &str) -> Run {
    run_with(args, input, &[])
}

/// The text of a prompt session without the line that says the version.
fn session(args: &[&str], input: &str) -> Run {
    let mut found = run(args, input);
    let (version, rest) = found.out.split_once('\n').expect("the version");
    assert!(version.starts_with("Lua 5.4"), "{version}");
    found.out = rest.to_string();
    found
}

fn file(name: &str, text: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a script");
    path.to_str().expect("a path of text").to_string()
}

fn prints(args: &[&str], input: &str, out: &str) {
    assert_eq!(run(args, input), Run { out: out.into(), err: String::new(), status: Some(0) }, "{args:?}");
}

fn fails(args: &[&str], input: &str, err: &str) {
    assert_eq!(run(args, input), Run { out: String::new(), err: err.into(), status: Some(1) }, "{args:?}");
}

#[test]
fn options() {
    prints(&["-e", "print(1)"], "", "1\n");
    prints(&["-eprint(1)", "-e", "print(2)"], "", "1\n2\n");
    prints(&["-e", "x = 5", "-"], "print(x, ...)", "5\n");
    prints(&["-", "a", "b"], "print(..., arg[0], arg[2], #arg)", "a\t-\tb\t2\n");
    prints(&["-lstring", "-e", "print(string == require 'string')"], "", "true\n");
    prints(&["-l", "g=math", "-e", "print(g.type(1))"], "", "integer\n");
    prints(&["-E", "-e", "print(arg[0] ~= nil, arg[-1])"], "", "true\tnil\n");
    let script = file("script.lua", "#!/usr/bin/lua\nprint(select('#', ...), ...)\n");
    prints(&[&script, "x", "-y"], "", "2\tx\t-y\n");
    prints(&["--", &script, "z"], "", "1\tz\n");
    let version = run(&["-v"], "print(1)");
    assert!(version.out.starts_with("Lua 5.4") && version.status == Some(0), "{version:?}");
    assert_eq!(run(&["-W", "-e", "warn('a', 'b') warn('@off') warn('c')"], "").err, "Lua warning: ab\n");
    assert_eq!(run(&["-e", "warn('a')"], "").err, "");
    prints(&["-"], "", "");
}

#[test]
fn what_the_environment_says() {
    let with = |name: &str, value: &str, args: &[&str]| run_with(args, "", &[(name, value)]).out;
    assert_eq!(with("LUA_INIT", "print('init')", &["-e", "print(1)"]), "init\n1\n");
    assert_eq!(with("LUA_INIT_5_4", "print('own')", &["-e", "print(1)"]), "own\n1\n");
    assert_eq!(with("LUA_INIT", "print('init')", &["-E", "-e", "print(1)"]), "1\n");
    let init = file("init.lua", "x = 42");
    assert_eq!(with("LUA_INIT", &format!("@{init}"), &["-e", "print(x)"]), "42\n");
    let failing = run_with(&["-e", "print(1)"], "", &[("LUA_INIT", "error('no', 0)")]);
    assert_eq!((failing.out.as_str(), failing.status), ("", Some(1)));
    assert!(failing.err.starts_with("lua: no\nstack traceback:\n"), "{}", failing.err);
    assert_eq!(with("LUA_PATH", "a/?.x;;", &["-e", "print((package.path:match('^[^;]*')))"]), "a/?.x\n");
}

#[test]
fn errors() {
    fails(&["/nonexistent.lua"], "", "lua: cannot open /nonexistent.lua: No such file or directory\n");
    let wrong = file("wrong.lua", "x = = 1");
    fails(&[&wrong], "", &format!("lua: {wrong}:1: unexpected symbol near '='\n"));
    fails(&["-e", "x ="], "", "lua: (command line):1: unexpected symbol near <eof>\n");
    let traceback =
        "stack traceback:\n\t[C]: in function 'error'\n\t(command line):1: in main chunk\n\t[C]: in ?\n";
    fails(&["-e", "error('m', 0)"], "", &format!("lua: m\n{traceback}"));
    fails(&["-e", "error()"], "", &format!("lua: (error object is a nil value)\n{traceback}"));
    fails(&["-e", "error({})"], "", &format!("lua: (error object is a table value)\n{traceback}"));
    fails(&["-e", "error(setmetatable({}, {__tostring = function() return 'own' end}))"], "", "lua: own\n");
    for args in [&["-x"][..], &["-e"], &["-l"], &["--jit"]] {
        let found = run(args, "");
        assert_eq!(found.status, Some(1), "{args:?}");
        assert!(found.err.contains("usage: "), "{}", found.err);
    }
    let missing = run(&["-l", "no.such"], "");
    assert_eq!(missing.status, Some(1));
    assert!(
        missing.err.starts_with(
            "lua: module 'no.such' not found:\n\tno field package.preload['no.such']\n\tno file '"
        )
    );
    assert!(
        missing.err.ends_with("stack traceback:\n\t[C]: in function 'require'\n\t[C]: in ?\n"),
        "{}",
        missing.err
    );
    // That a program on standard input fails is said, and is no failure.
    assert_eq!(run(&[], "x =").status, Some(0));
    assert_eq!(run(&["-"], "x =").status, Some(1));
}

#[test]
fn exits() {
    for (code, status) in [
        ("os.exit(7)", 7),
        ("os.exit(true)", 0),
        ("os.exit(false)", 1),
        ("os.exit()", 0),
        ("os.exit(3, true)", 3),
        ("os.exit(256 + 4)", 4),
    ] {
        let found = run(&["-e", &format!("io.write('before') {code} print('after')")], "");
        assert_eq!((found.out.as_str(), found.status), ("before", Some(status)), "{code}");
    }
    let closed =
        "local x <close> = setmetatable({}, {__close = function() print('closed') end}) os.exit(0, true)";
    prints(&["-e", closed], "", "closed\n");
    prints(&["-e", "setmetatable({}, {__gc = function() print('gone') end})"], "", "gone\n");
}

#[test]
fn prompt() {
    let out = |input: &str| session(&["-i"], input).out;
    assert_eq!(out("1 + 1\n"), "> 2\n> \n");
    assert_eq!(out("=2\n"), "> 2\n> \n");
    assert_eq!(out("x = 3\nx, x * 2\n"), "> > 3\t6\n> \n");
    assert_eq!(out("for i = 1, 2 do\nprint(i)\nend\n"), "> >> >> 1\n2\n> \n");
    assert_eq!(out("local y = 1\ny\n"), "> > nil\n> \n");
    assert_eq!(out("_PROMPT = '? '\n_PROMPT2 = '! '\ndo\nend"), "> ? ? ! ? \n");
    assert_eq!(out("return 1, nil\n\n"), "> 1\tnil\n> > \n");
    let found = session(&["-i"], "error('x', 0)\nx = = 1\n5\n");
    assert_eq!(found.out, "> > > 5\n> \n");
    assert!(found.err.starts_with("x\nstack traceback:\n"), "{}", found.err);
    assert!(found.err.ends_with("stdin:1: unexpected symbol near '='\n"), "{}", found.err);
    assert_eq!(found.status, Some(0));
    assert_eq!(session(&["-i", "-e", "z = 9"], "z\n").out, "> 9\n> \n");
    assert_eq!(session(&["-i"], "os.exit(5)").status, Some(5));
}
