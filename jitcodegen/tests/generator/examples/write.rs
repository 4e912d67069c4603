//! Prints the crate of some cases: `write SEED COUNT`.

fn main() {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<u64>().expect("a number"));
    let (seed, count) = (args.next().expect("a seed"), args.next().expect("a count"));
    let cases: Vec<_> =
        (0..count).map(|n| metatrace_generator::generate(seed + n, &format!("c{n}"))).collect();
    print!("{}", metatrace_generator::program(&cases));
}
