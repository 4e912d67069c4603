//! The verifier of jitcode.
//!
//! [`verify`] checks, and names every violation:
//!
//! Of the program
//! - P1 class, shim and load-time value indices are in range; class sets ascend;
//! - P2 flags are known ones, calls have at most as many arguments and results as shims can take;
//! - P3 an elidable call writes nothing;
//! - P4 a portal's parameters and results are its jitcode's and its native call's; it has at most one owner, which is green; its merge point
//!   is where it says, and no jitcode has another merge point of that portal;
//! - P5 the alignment of plain memory, where known, is a power of two.
//!
//! Of each jitcode
//! - J1 the code is a sequence of instructions, and control does not run off its end;
//! - J2 registers, constants, switch tables, slots, accesses, calls, allocations, jitcodes and portals are in range; what is written
//!   is a register, and no register is written twice by one instruction;
//! - J3 operand kinds are as the row, the access, the call, the jitcode or the portal demands;
//! - J4 labels and switch targets are starts of instructions; cases ascend;
//! - J5 fields are accessed without a stride, elements with one;
//! - J6 a slot's alignment, where known, is a power of two of at most 16;
//! - J7 no register but a parameter is read before it is written;
//! - J8 liveness is what [`liveness`](crate::code::liveness) computes;
//! - J9 `catch_panic` stands directly after a call;
//! - J10 source positions ascend, are starts of instructions, and name a file;
//! - J11 `new` makes an object without elements, `new_array` one with them, `free` takes a plain one without.

use std::collections::HashSet;

use crate::alloc::Memory;
use crate::code::{Decoded, Field, decode_all, liveness_at, resume_points};
use crate::descr::{CallDescr, ClassSet, LoadTime, access_flag, call_flag};
use crate::inst::{ControlOp, FieldKind, Inst, Operand, flag};
use crate::jitcode::{JitCode, JitCodeId, Program};
use crate::{Kind, PureOp};

/// Checks a program.
///
/// # Errors
/// A line for each violation, with the number of the check.
pub fn verify(program: &Program) -> Result<(), Vec<String>> {
    let mut v = Verifier { program, place: String::new(), errors: Vec::new() };
    v.tables();
    v.portals();
    for n in 0..program.jitcodes.len() {
        let jitcode = &program.jitcodes[n];
        v.place = format!("jitcode {:?}", jitcode.name);
        v.jitcode(JitCodeId::new(n), jitcode);
    }
    if v.errors.is_empty() { Ok(()) } else { Err(v.errors) }
}

struct Verifier<'a> {
    program: &'a Program,
    /// What is being checked, for messages.
    place: String,
    errors: Vec<String>,
}

impl Verifier<'_> {
    fn check(&mut self, holds: bool, rule: &str, message: impl FnOnce() -> String) -> bool {
        if !holds {
            self.errors.push(format!("{}: {rule}: {}", self.place, message()));
        }
        holds
    }

    fn load_time(&mut self, value: LoadTime) {
        let n = self.program.glue_values.len();
        if let LoadTime::Glue(value) = value {
            self.check((value as usize) < n, "P1", || format!("load-time value {value} of {n}"));
        }
    }

    fn tables(&mut self) {
        let p = self.program;
        let known = |names: &[(crate::descr::Flags, &str)]| names.iter().fold(0, |all, (bit, _)| all | bit);
        for access in &p.accesses {
            self.place = format!("access {:?}", access.name);
            self.check(access.class.index() < p.classes.len(), "P1", || format!("{}", access.class));
            self.load_time(access.offset);
            access.stride.iter().for_each(|stride| self.load_time(*stride));
            let unknown = access.flags & !known(access_flag::NAMES);
            self.check(unknown == 0, "P2", || format!("unknown flags {unknown:#x}"));
        }
        for alloc in &p.allocs {
            self.place = format!("allocation {:?}", alloc.name);
            alloc.clone().load_times().for_each(|value| self.load_time(*value));
            if let Memory::Plain { align: LoadTime::Literal(align) } = alloc.memory {
                self.check(align.is_power_of_two(), "P5", || format!("alignment {align}"));
            }
        }
        for call in &p.calls {
            self.place = format!("call {:?}", call.name);
            self.check((call.shim as usize) < p.glue_shims.len(), "P1", || format!("shim {}", call.shim));
            for set in [&call.reads, &call.writes] {
                let ClassSet::Some(classes) = set else { continue };
                let ascend = classes.is_sorted_by(|a, b| a < b);
                self.check(ascend, "P1", || "a class set that does not ascend".into());
                let in_range = classes.iter().all(|c| c.index() < p.classes.len());
                self.check(in_range, "P1", || "a class out of range".into());
            }
            let unknown = call.flags & !known(call_flag::NAMES);
            self.check(unknown == 0, "P2", || format!("unknown flags {unknown:#x}"));
            self.check(call.args.len() <= CallDescr::MAX_ARGS, "P2", || {
                format!("{} arguments", call.args.len())
            });
            self.check(call.results.len() <= CallDescr::MAX_RESULTS, "P2", || {
                format!("{} results", call.results.len())
            });
            let harmless = !call.has(call_flag::ELIDABLE) || call.writes.is_empty();
            self.check(harmless, "P3", || "an elidable call writes".into());
            let has_condition = call.args.first() == Some(&Kind::Word) && call.results.is_empty();
            self.check(has_condition || !call.has(call_flag::CONDITIONAL), "P3", || {
                "a conditional call without a condition, or with a result".into()
            });
        }
    }

    fn portals(&mut self) {
        let p = self.program;
        for (n, portal) in p.portals.iter().enumerate() {
            self.place = format!("portal {:?}", portal.name);
            let Some(jitcode) = p.jitcodes.get(portal.jitcode.index()) else {
                self.check(false, "P4", || format!("{} is no jitcode", portal.jitcode));
                continue;
            };
            let params: Vec<Kind> = portal.params.iter().flat_map(|p| p.kinds.clone()).collect();
            self.check(params == jitcode.params, "P4", || "parameters other than its jitcode's".into());
            let same = portal.results == jitcode.results;
            self.check(same, "P4", || "results other than its jitcode's".into());
            let native = p.calls.get(portal.call.index());
            let same = native.is_some_and(|c| c.args == jitcode.params && c.results == jitcode.results);
            self.check(same, "P4", || "a native call that is not like its jitcode".into());
            let owners: Vec<_> = portal.params.iter().filter(|p| p.owner).collect();
            let fine = owners.len() <= 1 && owners.iter().all(|p| p.green);
            self.check(fine, "P4", || "not one green owner".into());
            let mut places = Vec::new();
            for (id, jitcode) in p.jitcodes.iter().enumerate() {
                let code = decode_all(&jitcode.code).unwrap_or_default();
                let merge = Inst::Control(ControlOp::MergePoint);
                let here = code.iter().filter(|i| i.inst == merge && i.fields[0] == Field::Index(n as u32));
                places.extend(here.map(|i| (id, i.pc)));
            }
            let expected = [(portal.jitcode.index(), portal.merge_point)];
            self.check(places == expected, "P4", || format!("merge points at {places:?}"));
        }
    }

    fn jitcode(&mut self, id: JitCodeId, j: &JitCode) {
        let code = match decode_all(&j.code) {
            Ok(code) => code,
            Err(bad) => {
                self.check(false, "J1", || bad.to_string());
                return;
            }
        };
        let ends = code.last().is_some_and(|last| last.inst.flags() & flag::ENDS != 0);
        self.check(ends, "J1", || "control runs off the end".into());
        let limit = Operand::LIMIT;
        let sizes = [usize::from(j.words), usize::from(j.floats), j.constants.len()];
        self.check(sizes.iter().all(|n| *n <= limit), "J2", || "too many registers or constants".into());
        for (kind, count) in [(Kind::Word, j.words), (Kind::Float, j.floats)] {
            let params = j.params.iter().filter(|k| **k == kind).count();
            self.check(params <= usize::from(count), "J2", || "fewer registers than parameters".into());
        }
        j.constants.iter().for_each(|constant| self.load_time(constant.value));
        for slot in &j.slots {
            self.load_time(slot.size);
            self.load_time(slot.align);
            if let LoadTime::Literal(align) = slot.align {
                self.check(align.is_power_of_two() && align <= 16, "J6", || format!("alignment {align}"));
            }
        }
        let starts: HashSet<u32> = code.iter().map(|inst| inst.pc).collect();
        for table in &j.switches {
            let targets = table.cases.iter().map(|case| case.1).chain([table.default]);
            let fine = targets.into_iter().all(|pc| starts.contains(&pc));
            self.check(fine, "J4", || "a switch into an instruction".into());
            let ascend = table.cases.is_sorted_by(|a, b| a.0 < b.0);
            self.check(ascend, "J4", || "cases that do not ascend".into());
        }
        let ascend = j.positions.is_sorted_by(|a, b| a.pc < b.pc);
        let files = self.program.files.len();
        let fine = j.positions.iter().all(|p| starts.contains(&p.pc) && (p.file as usize) < files);
        self.check(ascend && fine, "J10", || "source positions".into());
        let before = self.errors.len();
        let mut after_call = false;
        for inst in &code {
            self.place = format!("jitcode {:?} at {}", j.name, inst.pc);
            let catches = inst.inst == Inst::Control(ControlOp::CatchPanic);
            self.check(!catches || after_call, "J9", || "`catch_panic` after no call".into());
            after_call = inst.inst.flags() & flag::CALLS != 0;
            self.inst(j, inst, &starts);
        }
        self.place = format!("jitcode {id} {:?}", j.name);
        if self.errors.len() == before {
            self.registers(j, &code);
        }
    }

    fn registers(&mut self, j: &JitCode, code: &[Decoded]) {
        let mut points = vec![0];
        points.extend(resume_points(code));
        let mut at_entry = liveness_at(code, &j.switches, j.words, j.floats, &points);
        let live = at_entry.split_off(1);
        for expected in &live {
            let found = j.live.iter().find(|l| l.pc == expected.pc);
            self.check(found == Some(expected), "J8", || {
                format!("liveness at {} is {found:?}, should be {expected:?}", expected.pc)
            });
        }
        self.check(j.live.len() == live.len(), "J8", || "liveness at places nobody resumes at".into());
        let mut params = [0u16; 2];
        j.params.iter().for_each(|kind| params[*kind as usize] += 1);
        for entry in at_entry {
            for n in entry.words.iter().filter(|n| **n >= params[0]) {
                self.check(false, "J7", || format!("w{n} may be read before it is written"));
            }
            for n in entry.floats.iter().filter(|n| **n >= params[1]) {
                self.check(false, "J7", || format!("f{n} may be read before it is written"));
            }
        }
    }

    fn operand(&mut self, j: &JitCode, operand: Operand, written: bool) {
        let count = match (operand.is_const(), operand.kind()) {
            (true, _) => j.constants.len(),
            (false, Kind::Word) => usize::from(j.words),
            (false, Kind::Float) => usize::from(j.floats),
        };
        self.check(operand.index() < count, "J2", || format!("{operand} of {count}"));
        self.check(!(written && operand.is_const()), "J2", || format!("{operand} is written"));
    }

    fn inst(&mut self, j: &JitCode, inst: &Decoded, starts: &HashSet<u32>) {
        let p = self.program;
        inst.sources().for_each(|o| self.operand(j, o, false));
        inst.dsts().for_each(|o| self.operand(j, o, true));
        let mut written: Vec<Operand> = inst.dsts().collect();
        written.sort_unstable();
        self.check(written.is_sorted_by(|a, b| a < b), "J2", || "a register is written twice".into());
        for (kind, field) in inst.inst.fields().iter().zip(&inst.fields) {
            match field {
                Field::Src(o) => {
                    let fits = match kind {
                        FieldKind::Word => o.kind() == Kind::Word,
                        FieldKind::Float => o.kind() == Kind::Float,
                        _ => true,
                    };
                    self.check(fits, "J3", || format!("{o} is of the wrong kind"));
                }
                Field::Label(pc) => {
                    self.check(starts.contains(pc), "J4", || format!("{pc} is no instruction"));
                }
                Field::Index(n) => {
                    let count = match kind {
                        FieldKind::Table => j.switches.len(),
                        FieldKind::Slot => j.slots.len(),
                        FieldKind::Access => p.accesses.len(),
                        FieldKind::Call => p.calls.len(),
                        FieldKind::Alloc => p.allocs.len(),
                        FieldKind::Jitcode => p.jitcodes.len(),
                        _ => p.portals.len(),
                    };
                    if !self.check((*n as usize) < count, "J2", || format!("{kind:?} {n} of {count}")) {
                        return;
                    }
                }
                _ => {}
            }
        }
        match inst.inst {
            Inst::Pure(op) => self.pure(inst, op),
            Inst::Control(op) => self.control(j, inst, op),
        }
    }

    fn pure(&mut self, inst: &Decoded, op: PureOp) {
        let dst = inst.dsts().next().map(Operand::kind);
        self.check(dst == Some(op.row().result), "J3", || format!("{op} writes {:?}", op.row().result));
    }

    fn kinds(&mut self, what: &str, operands: &[Operand], expected: &[Kind]) {
        let found: Vec<Kind> = operands.iter().map(|o| o.kind()).collect();
        self.check(found == expected, "J3", || format!("{what} are {found:?}, should be {expected:?}"));
    }

    fn control(&mut self, j: &JitCode, inst: &Decoded, op: ControlOp) {
        let p = self.program;
        use Field::{Dst, Dsts, Index, Sources, Src};
        match (op, &inst.fields[..]) {
            (ControlOp::Copy | ControlOp::Promote, [Dst(to), Src(from)]) => {
                self.kinds("operands", &[*from], &[to.kind()]);
            }
            (ControlOp::GetField, [Dst(value), _, Index(a)])
            | (ControlOp::SetField, [_, Index(a), Src(value)])
            | (ControlOp::GetElem, [Dst(value), _, _, Index(a)])
            | (ControlOp::SetElem, [_, _, Index(a), Src(value)]) => {
                let access = &p.accesses[*a as usize];
                self.kinds("values", &[*value], &[access.scalar.kind()]);
                self.stride(op, access.stride.is_some());
            }
            (ControlOp::InteriorField, [Dst(to), _, Index(a)])
            | (ControlOp::InteriorElem, [Dst(to), _, _, Index(a)]) => {
                self.kinds("results", &[*to], &[Kind::Word]);
                self.stride(op, p.accesses[*a as usize].stride.is_some());
            }
            (ControlOp::LocalAddr | ControlOp::IsConstant | ControlOp::IsVirtual, [Dst(to), _])
            | (ControlOp::QuasiImmut, [Dst(to), _, _])
            | (ControlOp::WeAreJitted | ControlOp::TraceLength, [Dst(to)]) => {
                self.kinds("results", &[*to], &[Kind::Word]);
            }
            (ControlOp::ResidualCall, [Index(call), Sources(args), Dsts(results)]) => {
                let call = &p.calls[*call as usize];
                self.kinds("arguments", args, &call.args);
                self.kinds("results", results, &call.results);
            }
            (ControlOp::New, [Dst(to), Index(alloc)]) => {
                self.kinds("results", &[*to], &[Kind::Word]);
                self.check(p.allocs[*alloc as usize].elements.is_none(), "J11", || "elements".into());
            }
            (ControlOp::NewArray, [Dst(to), _, Index(alloc)]) => {
                self.kinds("results", &[*to], &[Kind::Word]);
                self.check(p.allocs[*alloc as usize].elements.is_some(), "J11", || "no elements".into());
            }
            (ControlOp::Free, [_, Index(alloc)]) => {
                let alloc = &p.allocs[*alloc as usize];
                let fine = alloc.elements.is_none() && !alloc.is_collected();
                self.check(fine, "J11", || format!("{:?} is given back", alloc.name));
            }
            (ControlOp::FreeArray, [_, _, Index(alloc)]) => {
                let alloc = &p.allocs[*alloc as usize];
                let fine = alloc.elements.is_some() && !alloc.is_collected();
                self.check(fine, "J11", || format!("{:?} is given back by elements", alloc.name));
            }
            (ControlOp::InlineCall, [Index(callee), Sources(args), Dsts(results)]) => {
                let callee = &p.jitcodes[*callee as usize];
                self.kinds("arguments", args, &callee.params);
                self.kinds("results", results, &callee.results);
            }
            (ControlOp::Return, [Sources(results)]) => self.kinds("results", results, &j.results),
            (ControlOp::MergePoint, [Index(portal), Sources(values)]) => {
                let portal = &p.portals[*portal as usize];
                let kinds: Vec<Kind> = portal.params.iter().flat_map(|p| p.kinds.clone()).collect();
                self.kinds("values", values, &kinds);
            }
            _ => {}
        }
    }

    fn stride(&mut self, op: ControlOp, has: bool) {
        let wants = matches!(op, ControlOp::GetElem | ControlOp::SetElem | ControlOp::InteriorElem);
        self.check(has == wants, "J5", || format!("{} and its access's stride", op.row().name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{SAMPLE, parse};

    /// The sample with one part replaced must violate `rule`.
    fn refuse(from: &str, to: &str, rule: &str) {
        assert!(SAMPLE.contains(from), "{from}");
        let program = parse(&SAMPLE.replacen(from, to, 1)).unwrap_or_else(|e| panic!("{e}"));
        expect(&program, rule);
    }

    fn expect(program: &Program, rule: &str) {
        let errors = verify(program).expect_err(rule);
        assert!(errors.iter().any(|e| e.contains(&format!(" {rule}:"))), "{rule}: {errors:#?}");
    }

    /// The sample, changed directly where its text form cannot say it, must violate `rule`.
    fn refuse_changed(rule: &str, change: impl FnOnce(&mut Program)) {
        let mut program = parse(SAMPLE).unwrap();
        change(&mut program);
        expect(&program, rule);
    }

    #[test]
    fn program_checks() {
        refuse("class \"Tape.head\" offset", "class class7 offset", "P1");
        refuse("class class2:\"[u8]\" reach", "class class9 reach", "P1");
        refuse("shim \"Host::write\" (", "shim shim4 (", "P1");
        refuse("size 16", "size g9", "P1");
        refuse_changed("P1", |p| p.calls[0].writes = ClassSet::Some(vec![crate::descr::ClassId(2); 2]));
        refuse_changed("P2", |p| p.accesses[0].flags = 128);
        refuse_changed("P2", |p| p.calls[0].args = vec![Kind::Word; CallDescr::MAX_ARGS + 1]);
        refuse_changed("P2", |p| p.calls[0].results = vec![Kind::Word; CallDescr::MAX_RESULTS + 1]);
        refuse("writes {} flags elidable", "writes {\"Tape.head\"} flags elidable", "P3");
    }

    #[test]
    fn portal_checks() {
        refuse("x: f) -> (w)", "x: w) -> (w)", "P4");
        refuse("x: f) -> (w)", "x: f) -> (f)", "P4");
        refuse("call \"run\" (pc", "call \"pure\" (pc", "P4");
        refuse("code: w green owner", "code: w owner", "P4");
        refuse("pc: w green", "pc: w green owner", "P4");
        refuse("portal \"run\" jitcode \"run\"", "portal \"run\" jitcode j9", "P4");
        refuse_changed("P4", |p| p.portals[0].merge_point = 1);
    }

    #[test]
    fn code_checks() {
        refuse("  resume_unwind\n", "", "J1");
        refuse_changed("J1", |p| p.jitcodes[0].code[0] = 255);
        refuse("return (w0)", "return (cw9)", "J2");
        refuse("w3 = local_addr", "cw0 = local_addr", "J2");
        refuse("(w4) = inline_call \"helper\"", "(w4, w4) = inline_call \"helper\"", "J2");
        refuse_changed("J2", |p| p.jitcodes[0].words = 0);
        refuse("local_addr \"buffer\"", "local_addr slot3", "J2");
        refuse("w2 = int_add w0, #1", "w2 = int_add w0, f0", "J3");
        refuse("w2 = int_add w0, #1", "f1 = int_add w0, #1", "J3");
        refuse("w4 = promote w3", "f1 = promote w3", "J3");
        refuse("(w2, #1.5)", "(w2, w2)", "J3");
        refuse("(w4) = inline_call \"helper\", (w3)", "() = inline_call \"helper\", (w3)", "J3");
        refuse("return (#5)", "return ()", "J3");
        refuse("plain align 8 size 16", "plain align 3 size 16", "P5");
        refuse("new \"Op\"", "new \"[u8]\"", "J11");
        refuse("new_array #4, \"[u8]\"", "new_array #4, \"Op\"", "J11");
        refuse("free w2, \"Pair\"", "free w2, \"Op\"", "J11");
        refuse("merge_point \"run\", (w0, w1, f0)", "merge_point \"run\", (w0, w1)", "J3");
        refuse_changed("J4", |p| p.jitcodes[1].switches[0].default = 1);
        refuse_changed("J4", |p| p.jitcodes[1].switches[0].cases.swap(0, 1));
        refuse("getfield w2, \"Tape.head\"", "getfield w2, a1", "J5");
        refuse("slot \"buffer\" size 16 align 8", "slot \"buffer\" size 16 align 32", "J6");
        refuse("w2 = copy w2", "w2 = copy w3", "J8");
        refuse("  catch_panic L3\n", "  w4 = copy w4\n  catch_panic L3\n", "J9");
        refuse_changed("J10", |p| p.jitcodes[1].positions[0].file = 9);
        refuse_changed("J10", |p| p.jitcodes[1].positions[0].pc = 3);
    }

    #[test]
    fn liveness_checks() {
        refuse("live w0 w1 w3 f0", "live w0 w1 f0", "J8");
        refuse("live w0 w1 w4 f0", "live w0 w1 w3 w4 f0", "J8");
        refuse_changed("J8", |p| _ = p.jitcodes[1].live.pop());
        let unwritten = SAMPLE
            .replace("  return (w0)\n", "  w0 = copy w1\n  return (w0)\n")
            .replace("words 1", "words 2");
        expect(&parse(&unwritten).unwrap(), "J7");
    }
}
