//! Printing of programs. Never panics: indices out of range print as numbers.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Write};

use crate::alloc::Memory;
use crate::code::{Decoded, Field, decode};
use crate::descr::{ClassSet, LoadTime, Reach, Scalar, access_flag, call_flag};
use crate::inst::{FieldKind, Operand};
use crate::jitcode::{Constant, JitCode, JitCodeId, Program};
use crate::{Access, Alloc, CallDescr, Kind};

/// The text form of a whole program.
pub fn print(program: &Program) -> String {
    let p = Printer::new(program);
    let mut out = format!("program {:?} hash {:#x}\n", program.name, program.hash);
    for (keyword, names) in
        [("file", &program.files), ("value", &program.glue_values), ("shim", &program.glue_shims)]
    {
        names.iter().for_each(|name| _ = writeln!(out, "{keyword} {}", quoted(name)));
    }
    for class in &program.classes {
        _ = writeln!(out, "class {} leaf {}", quoted(&class.name), class.leaf);
    }
    program.accesses.iter().for_each(|access| out += &p.access_line(access));
    program.calls.iter().for_each(|call| out += &p.call_line(call));
    program.allocs.iter().for_each(|alloc| out += &p.alloc_line(alloc));
    for jitcode in &program.jitcodes {
        _ = p.jitcode(&mut out, jitcode, false);
    }
    for portal in &program.portals {
        let params: Vec<String> = portal
            .params
            .iter()
            .map(|param| {
                let kinds: String =
                    param.kinds.iter().map(|kind| kind.letter().to_string()).collect::<Vec<_>>().join(" ");
                let green = if param.green { " green" } else { "" };
                let owner = if param.owner { " owner" } else { "" };
                format!("{}: {kinds}{green}{owner}", param.name)
            })
            .collect();
        _ = writeln!(
            out,
            "portal {} jitcode {} call {} ({}) -> {}",
            quoted(&portal.name),
            p.jitcodes.show(portal.jitcode.index()),
            p.calls.show(portal.call.index()),
            params.join(", "),
            kinds(&portal.results)
        );
    }
    out
}

/// The text form of one jitcode, with the position of each instruction in a comment.
pub fn print_jitcode(program: &Program, id: JitCodeId) -> String {
    let mut out = String::new();
    if let Some(jitcode) = program.jitcodes.get(id.index()) {
        _ = Printer::new(program).jitcode(&mut out, jitcode, true);
    }
    out
}

/// A string as the text form quotes it.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

fn kinds(kinds: &[Kind]) -> String {
    let letters: Vec<String> = kinds.iter().map(|kind| kind.letter().to_string()).collect();
    format!("({})", letters.join(", "))
}

/// How the entities of one table are referred to.
struct Names<'a> {
    prefix: &'static str,
    names: Vec<&'a str>,
    count: BTreeMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    fn new(prefix: &'static str, names: impl Iterator<Item = &'a str>) -> Names<'a> {
        let names: Vec<&str> = names.collect();
        let mut count = BTreeMap::new();
        names.iter().for_each(|name| *count.entry(*name).or_insert(0) += 1);
        Names { prefix, names, count }
    }

    fn show(&self, index: usize) -> String {
        match self.names.get(index) {
            None | Some(&"") => format!("{}{index}", self.prefix),
            Some(name) if self.count[name] == 1 => quoted(name),
            Some(name) => format!("{}{index}:{}", self.prefix, quoted(name)),
        }
    }
}

struct Printer<'a> {
    program: &'a Program,
    values: Names<'a>,
    shims: Names<'a>,
    classes: Names<'a>,
    accesses: Names<'a>,
    calls: Names<'a>,
    allocs: Names<'a>,
    jitcodes: Names<'a>,
    portals: Names<'a>,
}

impl<'a> Printer<'a> {
    fn new(program: &'a Program) -> Printer<'a> {
        Printer {
            program,
            values: Names::new("g", program.glue_values.iter().map(String::as_str)),
            shims: Names::new("shim", program.glue_shims.iter().map(String::as_str)),
            classes: Names::new("class", program.classes.iter().map(|c| &*c.name)),
            accesses: Names::new("a", program.accesses.iter().map(|a| &*a.name)),
            calls: Names::new("call", program.calls.iter().map(|c| &*c.name)),
            allocs: Names::new("alloc", program.allocs.iter().map(|a| &*a.name)),
            jitcodes: Names::new("j", program.jitcodes.iter().map(|j| &*j.name)),
            portals: Names::new("portal", program.portals.iter().map(|p| &*p.name)),
        }
    }

    fn load_time(&self, value: LoadTime) -> String {
        match value {
            LoadTime::Literal(n) => n.to_string(),
            LoadTime::Glue(n) => self.values.show(n as usize),
        }
    }

    fn access_line(&self, access: &Access) -> String {
        let class = self.classes.show(access.class.index());
        let reach = match access.reach {
            Reach::Class => String::new(),
            reach => format!(" reach {}", reach.name()),
        };
        let stride = access.stride.map_or(String::new(), |s| format!(" stride {}", self.load_time(s)));
        format!(
            "access {} class {class}{reach} offset {}{stride} {}{}\n",
            quoted(&access.name),
            self.load_time(access.offset),
            access.scalar.name(),
            flags(access.flags, access_flag::NAMES)
        )
    }

    fn alloc_line(&self, alloc: &Alloc) -> String {
        let (memory, number) = match alloc.memory {
            Memory::Collected { header } => ("collected", header),
            Memory::Plain { align } => ("plain align", align),
        };
        let mut line = format!(
            "alloc {} {memory} {} size {}",
            quoted(&alloc.name),
            self.load_time(number),
            self.load_time(alloc.size)
        );
        if let Some(elements) = alloc.elements {
            line += &format!(" elements {}", self.load_time(elements.stride));
            if let Some(length) = elements.length {
                line += &format!(" length {}", self.load_time(length));
            }
        }
        line + "\n"
    }

    fn call_line(&self, call: &CallDescr) -> String {
        let set = |set: &ClassSet| match set {
            ClassSet::All => "all".to_string(),
            ClassSet::Some(classes) => {
                let names: Vec<String> = classes.iter().map(|c| self.classes.show(c.index())).collect();
                format!("{{{}}}", names.join(", "))
            }
        };
        format!(
            "call {} shim {} {} -> {} reads {} writes {}{}\n",
            quoted(&call.name),
            self.shims.show(call.shim as usize),
            kinds(&call.args),
            kinds(&call.results),
            set(&call.reads),
            set(&call.writes),
            flags(call.flags, call_flag::NAMES)
        )
    }

    fn jitcode(&self, out: &mut String, j: &JitCode, positions: bool) -> fmt::Result {
        writeln!(
            out,
            "jitcode {} {} -> {} words {} floats {} {{",
            quoted(&j.name),
            kinds(&j.params),
            kinds(&j.results),
            j.words,
            j.floats
        )?;
        for (n, constant) in j.constants.iter().enumerate() {
            let value = match plain(constant) {
                Some(bits) => format!("#{}", bits as i64),
                None => format!("{} {}", quoted(&constant.name), self.load_time(constant.value)),
            };
            let frozen = if constant.frozen { " frozen" } else { "" };
            let comment = if positions { format!("  ; c{n}") } else { String::new() };
            writeln!(out, "  const {value}{frozen}{comment}")?;
        }
        for slot in &j.slots {
            let (size, align) = (self.load_time(slot.size), self.load_time(slot.align));
            writeln!(out, "  slot {} size {size} align {align}", quoted(&slot.name))?;
        }
        let (code, rest) = decode_what_can_be(&j.code);
        let labels = labels(j, &code);
        let slots = Names::new("slot", j.slots.iter().map(|s| &*s.name));
        for inst in &code {
            if let Ok(n) = j.positions.binary_search_by_key(&inst.pc, |p| p.pc) {
                let p = j.positions[n];
                let file = self.program.files.get(p.file as usize).map_or("?", String::as_str);
                writeln!(out, "  @ {}:{}:{}", quoted(file), p.line, p.column)?;
            }
            if let Some(n) = labels.get(&inst.pc) {
                writeln!(out, "L{n}:")?;
            }
            if let Ok(n) = j.live.binary_search_by_key(&inst.pc, |live| live.pc) {
                let live = &j.live[n];
                let words = live.words.iter().map(|n| format!(" w{n}"));
                let floats = live.floats.iter().map(|n| format!(" f{n}"));
                writeln!(out, "  live{}", words.chain(floats).collect::<String>())?;
            }
            let text = self.inst(j, inst, &labels, &slots);
            match positions {
                true => writeln!(out, "  {text:<58} ; {}", inst.pc)?,
                false => writeln!(out, "  {text}")?,
            }
        }
        if rest > 0 {
            writeln!(out, "  ; {rest} bytes that are no instructions")?;
        }
        writeln!(out, "}}")
    }

    fn inst(&self, j: &JitCode, inst: &Decoded, labels: &BTreeMap<u32, usize>, slots: &Names) -> String {
        let operand = |o: &Operand| constant_text(j, *o).unwrap_or_else(|| o.to_string());
        let list = |list: &[Operand]| {
            let texts: Vec<String> = list.iter().map(operand).collect();
            format!("({})", texts.join(", "))
        };
        let label = |pc: u32| labels.get(&pc).map_or(format!("?{pc}"), |n| format!("L{n}"));
        let mut written = None;
        let mut read = Vec::new();
        for (kind, field) in inst.inst.fields().iter().zip(&inst.fields) {
            match field {
                Field::Dst(o) => written = Some(operand(o)),
                Field::Dsts(o) => written = Some(list(o)),
                Field::Src(o) => read.push(operand(o)),
                Field::Sources(o) => read.push(list(o)),
                Field::Label(pc) => read.push(label(*pc)),
                Field::Index(n) => {
                    let n = *n as usize;
                    read.push(match kind {
                        FieldKind::Slot => slots.show(n),
                        FieldKind::Access => self.accesses.show(n),
                        FieldKind::Call => self.calls.show(n),
                        FieldKind::Alloc => self.allocs.show(n),
                        FieldKind::Jitcode => self.jitcodes.show(n),
                        FieldKind::Portal => self.portals.show(n),
                        _ => match j.switches.get(n) {
                            Some(table) => {
                                let cases =
                                    table.cases.iter().map(|&(v, pc)| format!("{}: {}", v as i64, label(pc)));
                                let all: Vec<String> =
                                    cases.chain([format!("else: {}", label(table.default))]).collect();
                                format!("{{{}}}", all.join(", "))
                            }
                            None => format!("?{n}"),
                        },
                    });
                }
            }
        }
        let written = written.map_or(String::new(), |w| format!("{w} = "));
        let space = if read.is_empty() { "" } else { " " };
        format!("{written}{}{space}{}", inst.inst.name(), read.join(", "))
    }
}

fn flags(set: crate::descr::Flags, names: &[(crate::descr::Flags, &str)]) -> String {
    let mut out = String::new();
    for (bit, name) in names {
        if set & bit != 0 {
            out += if out.is_empty() { " flags " } else { " " };
            out += name;
        }
    }
    out
}

/// The bits of a constant that needs no name.
pub(super) fn plain(constant: &Constant) -> Option<u64> {
    match constant.value {
        LoadTime::Literal(bits) if constant.name.is_empty() && !constant.frozen => Some(bits),
        _ => None,
    }
}

/// A constant operand: as a number if that is found again by its bits, else with its name.
fn constant_text(j: &JitCode, operand: Operand) -> Option<String> {
    if !operand.is_const() {
        return None;
    }
    let constant = j.constants.get(operand.index())?;
    let first = plain(constant)
        .filter(|bits| j.constants.iter().position(|c| plain(c) == Some(*bits)) == Some(operand.index()));
    Some(match (first, operand.kind()) {
        (Some(bits), Kind::Word) => format!("#{}", bits as i64),
        (Some(bits), Kind::Float) => match f64::from_bits(bits) {
            f if f.is_finite() => format!("#{f:?}"),
            _ => format!("#f{bits:#x}"),
        },
        (None, _) if constant.name.is_empty() => operand.to_string(),
        (None, _) => format!("{operand}:{}", quoted(&constant.name)),
    })
}

/// The instructions up to the first bytes that are none, and how many bytes are left.
fn decode_what_can_be(code: &[u8]) -> (Vec<Decoded>, usize) {
    let mut out = Vec::new();
    let mut pc = 0;
    while (pc as usize) < code.len() {
        match decode(code, pc) {
            Ok(inst) => {
                pc = inst.next;
                out.push(inst);
            }
            Err(_) => break,
        }
    }
    (out, code.len() - pc as usize)
}

/// The positions that are jumped to, with their labels' numbers.
fn labels(j: &JitCode, code: &[Decoded]) -> BTreeMap<u32, usize> {
    let mut out = BTreeMap::new();
    for inst in code {
        let fallthrough = inst.next;
        for pc in inst.successors(&j.switches) {
            let jumps = pc != fallthrough
                || inst.fields.iter().any(|f| *f == Field::Label(pc))
                || inst.inst.fields().contains(&FieldKind::Table);
            if jumps {
                out.insert(pc, 0);
            }
        }
    }
    out.values_mut().enumerate().for_each(|(n, label)| *label = n);
    out
}

impl Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
