//! Machines in programs: functions of Rust, several machines in threads, limits, and input that is no program.

use lua::{Options, Raised, Value, Vm};

fn run(vm: &Vm, source: &str) -> Result<Value, String> {
    vm.protected(|| {
        let function = vm.load(source.as_bytes(), b"=test", Value::Table(vm.globals()))?;
        vm.call(Value::Function(function), &[])
    })
    .map_err(|error| String::from_utf8_lossy(&lua::text_of(vm, error)).into_owned())
}

fn int(value: Value) -> i64 {
    value.to_int().expect("an integer")
}

#[test]
fn functions_of_rust() {
    let vm = Vm::new(Options::default()).expect("a machine");
    vm.enter(|vm| {
        let double = vm.closure(|call| {
            let value = call.arg(0).to_int().ok_or_else(|| call.vm.error("an integer is wanted"))?;
            call.one(Value::Int(value * 2))
        });
        vm.set_field(vm.globals(), "double", double.expect("a function")).expect("memory");
        assert_eq!(int(run(vm, "return double(21)").expect("a result")), 42);
        assert_eq!(run(vm, "return double('x')").expect_err("an error"), "an integer is wanted");
        let each = vm.closure(|call| {
            for index in 0..3 {
                call.vm.call(call.arg(0), &[Value::Int(index)])?;
            }
            Ok(0)
        });
        vm.set_field(vm.globals(), "each", each.expect("a function")).expect("memory");
        assert_eq!(
            int(run(vm, "local s = 0 each(function(i) s = s + i end) return s").expect("a result")),
            3
        );
        let failing = run(vm, "each(function(i) error('at ' .. i, 0) end)");
        assert_eq!(failing.expect_err("an error"), "at 0");
    });
}

#[test]
fn machines_in_threads() {
    let threads: Vec<_> = (0..4)
        .map(|number| {
            std::thread::spawn(move || {
                let vm = Vm::new(Options { native_stack: 1 << 19, ..Options::default() }).expect("a machine");
                vm.enter(|vm| {
                    let source = format!(
                        "local t = {{}} for i = 1, 50000 do t[i] = {{i * {number}}} end return t[50000][1]"
                    );
                    int(run(vm, &source).expect("a result"))
                })
            })
        })
        .collect();
    for (number, thread) in threads.into_iter().enumerate() {
        assert_eq!(thread.join().expect("no panic"), 50_000 * number as i64);
    }
}

#[test]
fn memory_ends_in_an_error() {
    let vm = Vm::new(Options { memory: 16 << 20, ..Options::default() }).expect("a machine");
    vm.enter(|vm| {
        for source in [
            "local t = {} for i = 1, 1e9 do t[i] = {} end",
            "local s = 'x' while true do s = s .. s end",
            "local t = {} for i = 1, 1e9 do t['k' .. i] = i end",
            "return ('x'):rep(1 << 26)",
            "local function f(n) local x = {} return function() return x, n end end local t = {} for i = 1, 1e9 do t[i] = f(i) end",
        ] {
            assert_eq!(run(vm, source).expect_err(source), "not enough memory");
        }
        assert_eq!(int(run(vm, "return 1 + 1").expect("it goes on")), 2);
    });
}

#[test]
fn what_is_no_program() {
    let vm = Vm::new(Options::default()).expect("a machine");
    vm.enter(|vm| {
        let mut state = 1u64;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        let words: Vec<&str> =
            "local function end if then else for in do while repeat until return break goto nil true x y ( ) { } [ ] = == ~= < <= , ; : :: . .. ... + - * / // % ^ # & | ~ << >> 1 0x 1e5 'a' \"b\" [[c]] <const> <close> and or not"
                .split(' ')
                .collect();
        for _ in 0..3000 {
            let text: Vec<&str> = (0..random() % 30).map(|_| words[random() as usize % words.len()]).collect();
            let _ = vm.protected(|| vm.load(text.join(" ").as_bytes(), b"=random", Value::Nil).map(drop));
            let bytes: Vec<u8> = (0..random() % 40).map(|_| random() as u8).collect();
            let _ = vm.protected(|| vm.load(&bytes, b"=random", Value::Nil).map(drop));
        }
        for (open, close) in [("(", ")"), ("{", "}"), ("not ", ""), ("do ", " end"), ("function() return ", " end"), ("x[", "]"), ("- ", "")] {
            let text = format!("return {}1{}", open.repeat(100_000), close.repeat(100_000));
            let loaded = vm.protected(|| vm.load(text.as_bytes(), b"=deep", Value::Nil).map(drop));
            assert!(loaded.is_err(), "{open}");
        }
    });
}

#[test]
fn errors_pass_functions_of_rust() {
    let vm = Vm::new(Options::default()).expect("a machine");
    vm.enter(|vm| {
        let failing = vm.closure(|call| Err::<usize, Raised>(call.vm.raise(Value::Int(7))));
        vm.set_field(vm.globals(), "failing", failing.expect("a function")).expect("memory");
        assert_eq!(int(run(vm, "local ok, e = pcall(failing) return e").expect("a result")), 7);
    });
}
