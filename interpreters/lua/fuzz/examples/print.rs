//! Prints the program of a seed: `cargo run -p lua-fuzz --example print SEED`.

fn main() {
    let seed = std::env::args().nth(1).and_then(|seed| seed.parse().ok()).unwrap_or(0);
    print!("{}", lua_fuzz::generate(seed).text());
}
