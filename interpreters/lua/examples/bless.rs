//! Records what the reference implementation prints for each case: `cargo run -p lua --example bless [lua5.4]`.

use std::path::PathBuf;

#[path = "../tests/common.rs"]
mod common;

fn main() {
    let reference = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "lua5.4".into()));
    for file in common::files() {
        let mut recorded = String::new();
        for (name, program) in &file.cases {
            recorded.push_str(&format!("--@ {name}\n"));
            recorded.push_str(&common::output(&reference, program, &[]));
        }
        std::fs::write(common::expected_path(&file.path), recorded).expect("the outputs are written");
    }
    for (path, program) in common::snippets() {
        let recorded = common::output(&reference, &program, &[]);
        std::fs::write(common::expected_path(&path), recorded).expect("the outputs are written");
    }
}
