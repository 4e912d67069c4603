use metatrace_optimizer::*;
use metatrace_trace::*;
fn main() {
    let file = std::env::args().nth(1).unwrap();
    let want = std::env::args().nth(2).unwrap_or_default();
    let text = std::fs::read_to_string(&file).unwrap();
    let TraceFile { program, traces } = parse_file(&text).unwrap_or_else(|e| panic!("{e}"));
    for (title, trace) in traces.iter().filter(|(t, _)| t.contains("recorded") && t.contains(&want)) {
        let (entry, label) = match title.split("loop ").nth(1) {
            Some(rest) => (rest.split(',').next().and_then(|t| t.parse().ok()), Some(TargetId::new(9999))),
            None => (None, None),
        };
        let (mut out, counts) =
            optimise_counted(&program, trace, Options { entry, label, locals_in_use: entry.map(|_| 0) });
        out.notes.clear();
        for s in &mut out.snapshots {
            s.frames.clear();
        }
        println!("=== {title}: {} -> {}\n{}", trace.insts.len(), out.insts.len(), out);
        let used: Vec<String> = rules::RULES
            .iter()
            .zip(&counts.rules)
            .filter(|x| *x.1 > 0)
            .map(|(r, n)| format!("{} {n}", r.name))
            .collect();
        println!("{}", used.join(", "));
    }
}
