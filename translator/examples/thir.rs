//! Prints the typed bodies of a crate: `thir PACKAGE_DIR|FILE.rs [FUNCTION]`.

use std::path::Path;

use metatrace_translator::front::Input;
use metatrace_translator::items::{FnKind, Origin};
use metatrace_translator::load::cfg::Cfg;
use metatrace_translator::program::Program;
use metatrace_translator::ty::FnId;

fn main() {
    let mut args = std::env::args().skip(1);
    let Some(path) = args.next() else {
        eprintln!("usage: thir PACKAGE_DIR|FILE.rs [FUNCTION]");
        std::process::exit(2);
    };
    let filter = args.next();
    let start = std::time::Instant::now();
    let prog = if Path::new(&path).is_dir() {
        Program::load_package(Path::new(&path), &Cfg::default())
    } else {
        match std::fs::read_to_string(&path) {
            Ok(text) => Program::load(Input::text(&text)),
            Err(e) => {
                eprintln!("thir: cannot read {path}: {e}");
                std::process::exit(2);
            }
        }
    };
    let loaded = start.elapsed();
    for i in 0..prog.fn_count() {
        let id = FnId::new(i);
        let def = prog.fn_def(id);
        let wanted = match &filter {
            Some(f) => def.path.contains(f.as_str()) && def.kind == FnKind::Source,
            None => def.origin == Origin::User && def.kind == FnKind::Source,
        };
        if wanted && let Ok(body) = prog.body(id) {
            println!("{}", prog.dump_body(&body));
        }
    }
    eprintln!("{}", prog.diagnostics().render(prog.sources()));
    eprintln!("loaded in {loaded:?}, all in {:?}", start.elapsed());
}
