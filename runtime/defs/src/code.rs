//! Instructions of jitcode, encoded and decoded as their rows say; liveness computed from code.
//!
//! In: bytes, possibly damaged. Out: an opcode and its fields, or [`BadCode`]; never a panic. [`encode`] and [`decode`]
//! are inverse to each other. [`liveness`] is the one definition of what [`JitCode::live`](crate::JitCode) holds.

use crate::inst::{ControlOp, FieldKind, Inst, Operand, flag};
use crate::jitcode::{Live, SwitchTable};
use crate::{Kind, PureOp};

/// A field of an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// A register that is written.
    Dst(Operand),
    /// A register or constant that is read.
    Src(Operand),
    /// Registers and constants that are read.
    Sources(Vec<Operand>),
    /// Registers that are written.
    Dsts(Vec<Operand>),
    /// A position in the code.
    Label(u32),
    /// An index into the table that the field's kind names.
    Index(u32),
}

/// An instruction with its fields in the row's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Its position.
    pub pc: u32,
    /// The position after it.
    pub next: u32,
    /// The opcode.
    pub inst: Inst,
    /// The fields.
    pub fields: Vec<Field>,
}

/// Code that is not a sequence of instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadCode {
    /// Where the bytes make no sense.
    pub pc: u32,
}

impl core::fmt::Display for BadCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "the bytes at {} are no instruction", self.pc)
    }
}

impl Inst {
    /// The fields in their order.
    pub fn fields(self) -> &'static [FieldKind] {
        match self {
            Inst::Control(op) => op.row().fields,
            Inst::Pure(op) => pure_fields(op),
        }
    }

    /// The instruction with this name in text forms, if there is one.
    pub fn find(name: &str) -> Option<Inst> {
        let control = ControlOp::ALL.iter().copied().find(|op| op.row().name == name);
        control.map(Inst::Control).or_else(|| name.parse().ok().map(Inst::Pure))
    }
}

fn pure_fields(op: PureOp) -> &'static [FieldKind] {
    use FieldKind::{Dst, Float, Word};
    match op.row().operands {
        [Kind::Word] => &[Dst, Word],
        [Kind::Float] => &[Dst, Float],
        [Kind::Word, Kind::Word] => &[Dst, Word, Word],
        [Kind::Float, Kind::Float] => &[Dst, Float, Float],
        [Kind::Word, Kind::Word, Kind::Word] => &[Dst, Word, Word, Word],
        other => panic!("no field list for the operands {other:?} of {op}"),
    }
}

/// Appends an instruction.
///
/// # Panics
/// If the fields are not of the row's kinds, or a list is longer than 255.
pub fn encode(inst: Inst, fields: &[Field], code: &mut Vec<u8>) {
    let kinds = inst.fields();
    assert_eq!(kinds.len(), fields.len(), "fields of {}", inst.name());
    code.push(inst.encode());
    for (kind, field) in kinds.iter().zip(fields) {
        match (kind, field) {
            (FieldKind::Dst, Field::Dst(operand))
            | (FieldKind::Word | FieldKind::Float | FieldKind::Any, Field::Src(operand)) => {
                code.extend(operand.0.to_le_bytes());
            }
            (FieldKind::Sources, Field::Sources(list)) | (FieldKind::Dsts, Field::Dsts(list)) => {
                code.push(u8::try_from(list.len()).expect("an operand list of more than 255"));
                list.iter().for_each(|operand| code.extend(operand.0.to_le_bytes()));
            }
            (FieldKind::Label, Field::Label(n)) => code.extend(n.to_le_bytes()),
            (
                FieldKind::Table
                | FieldKind::Slot
                | FieldKind::Access
                | FieldKind::Call
                | FieldKind::Alloc
                | FieldKind::Jitcode
                | FieldKind::Portal,
                Field::Index(n),
            ) => code.extend(n.to_le_bytes()),
            _ => panic!("field {field:?} of {} is no {kind:?}", inst.name()),
        }
    }
}

/// The instruction at `pc`.
///
/// # Errors
/// Bytes that are no instruction, or end within one.
pub fn decode(code: &[u8], pc: u32) -> Result<Decoded, BadCode> {
    let bad = BadCode { pc };
    let mut at = pc as usize;
    let byte = |at: &mut usize| {
        let byte = *code.get(*at).ok_or(bad)?;
        *at += 1;
        Ok(byte)
    };
    let operand =
        |at: &mut usize| Ok(Operand(u16::from_le_bytes([byte(at)?, byte(at)?]))) as Result<_, BadCode>;
    let list = |at: &mut usize| {
        let count = byte(at)?;
        (0..count).map(|_| operand(at)).collect::<Result<Vec<_>, BadCode>>()
    };
    let inst = Inst::decode(byte(&mut at)?).ok_or(bad)?;
    let mut fields = Vec::with_capacity(inst.fields().len());
    for kind in inst.fields() {
        fields.push(match kind {
            FieldKind::Dst => Field::Dst(operand(&mut at)?),
            FieldKind::Word | FieldKind::Float | FieldKind::Any => Field::Src(operand(&mut at)?),
            FieldKind::Sources => Field::Sources(list(&mut at)?),
            FieldKind::Dsts => Field::Dsts(list(&mut at)?),
            FieldKind::Label
            | FieldKind::Table
            | FieldKind::Slot
            | FieldKind::Access
            | FieldKind::Call
            | FieldKind::Alloc
            | FieldKind::Jitcode
            | FieldKind::Portal => {
                let n = u32::from_le_bytes([byte(&mut at)?, byte(&mut at)?, byte(&mut at)?, byte(&mut at)?]);
                if *kind == FieldKind::Label { Field::Label(n) } else { Field::Index(n) }
            }
        });
    }
    Ok(Decoded { pc, next: at as u32, inst, fields })
}

/// All instructions of `code`, in order.
///
/// # Errors
/// See [`decode`].
pub fn decode_all(code: &[u8]) -> Result<Vec<Decoded>, BadCode> {
    let mut out = Vec::new();
    let mut pc = 0;
    while (pc as usize) < code.len() {
        let decoded = decode(code, pc)?;
        pc = decoded.next;
        out.push(decoded);
    }
    Ok(out)
}

impl Decoded {
    /// The registers and constants that are read.
    pub fn sources(&self) -> impl Iterator<Item = Operand> {
        self.fields.iter().flat_map(|field| match field {
            Field::Src(operand) => std::slice::from_ref(operand).iter().copied(),
            Field::Sources(list) => list.iter().copied(),
            _ => [].iter().copied(),
        })
    }

    /// The registers that are written.
    pub fn dsts(&self) -> impl Iterator<Item = Operand> {
        self.fields.iter().flat_map(|field| match field {
            Field::Dst(operand) => std::slice::from_ref(operand).iter().copied(),
            Field::Dsts(list) => list.iter().copied(),
            _ => [].iter().copied(),
        })
    }

    /// Where control may go from here; empty after a `return`. Unknown switch tables count as leading nowhere.
    pub fn successors(&self, switches: &[SwitchTable]) -> Vec<u32> {
        let mut out = Vec::new();
        if self.inst.flags() & flag::ENDS == 0 {
            out.push(self.next);
        }
        for (kind, field) in self.inst.fields().iter().zip(&self.fields) {
            match (kind, field) {
                (FieldKind::Label, Field::Label(pc)) => out.push(*pc),
                (FieldKind::Table, Field::Index(n)) => {
                    if let Some(table) = switches.get(*n as usize) {
                        out.extend(table.cases.iter().map(|&(_, pc)| pc));
                        out.push(table.default);
                    }
                }
                _ => {}
            }
        }
        out
    }
}

/// A set of registers of both kinds.
#[derive(Clone, Default, PartialEq, Eq)]
struct RegSet {
    words: Vec<u64>,
    floats: Vec<u64>,
}

impl RegSet {
    fn new(words: u16, floats: u16) -> RegSet {
        RegSet {
            words: vec![0; usize::from(words).div_ceil(64)],
            floats: vec![0; usize::from(floats).div_ceil(64)],
        }
    }

    fn file(&mut self, kind: Kind) -> &mut Vec<u64> {
        match kind {
            Kind::Word => &mut self.words,
            Kind::Float => &mut self.floats,
        }
    }

    fn set(&mut self, operand: Operand, on: bool) {
        let (word, bit) = (operand.index() / 64, 1 << (operand.index() % 64));
        if let Some(bits) = self.file(operand.kind()).get_mut(word) {
            *bits = if on { *bits | bit } else { *bits & !bit };
        }
    }

    fn union(&mut self, other: &RegSet) -> bool {
        let mut changed = false;
        let pairs = self.words.iter_mut().zip(&other.words).chain(self.floats.iter_mut().zip(&other.floats));
        for (mine, theirs) in pairs {
            changed |= *theirs & !*mine != 0;
            *mine |= theirs;
        }
        changed
    }

    fn list(bits: &[u64]) -> Vec<u16> {
        (0..bits.len() * 64).filter(|n| bits[n / 64] >> (n % 64) & 1 != 0).map(|n| n as u16).collect()
    }
}

/// The positions that liveness is kept for: of instructions that guard, and after calls; ascending.
pub fn resume_points(code: &[Decoded]) -> Vec<u32> {
    let mut out = Vec::new();
    for inst in code {
        if inst.inst.flags() & flag::GUARDS != 0 {
            out.push(inst.pc);
        }
        if inst.inst.flags() & flag::CALLS != 0 {
            out.push(inst.next);
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// The liveness of every position that can be resumed at, for code with so many registers.
///
/// A register is live where it may be read before it is written. Results of a call are live after it although the
/// clean-up path of the call does not define them.
pub fn liveness(code: &[Decoded], switches: &[SwitchTable], words: u16, floats: u16) -> Vec<Live> {
    liveness_at(code, switches, words, floats, &resume_points(code))
}

/// The liveness of these positions, see [`liveness`].
pub fn liveness_at(
    code: &[Decoded],
    switches: &[SwitchTable],
    words: u16,
    floats: u16,
    points: &[u32],
) -> Vec<Live> {
    let at = |pc: u32| code.binary_search_by_key(&pc, |inst| inst.pc).ok();
    let mut live_in = vec![RegSet::new(words, floats); code.len()];
    // Without a jump back, one pass from the end sees everything.
    let (mut changed, mut jumps_back) = (true, true);
    while changed && jumps_back {
        (changed, jumps_back) = (false, false);
        for n in (0..code.len()).rev() {
            let mut live = RegSet::new(words, floats);
            for successor in code[n].successors(switches).into_iter().filter_map(at) {
                jumps_back |= successor <= n;
                live.union(&live_in[successor]);
            }
            code[n].dsts().for_each(|operand| live.set(operand, false));
            code[n]
                .sources()
                .filter(|operand| !operand.is_const())
                .for_each(|operand| live.set(operand, true));
            changed |= live_in[n].union(&live);
        }
    }
    points
        .iter()
        .map(|&pc| {
            let set = at(pc).map(|n| live_in[n].clone()).unwrap_or_default();
            Live { pc, words: RegSet::list(&set.words), floats: RegSet::list(&set.floats) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_round_trips() {
        let dst = Operand::reg(Kind::Word, 3);
        let src = Operand::constant(Kind::Float, 5);
        for byte in 0..=255 {
            let Some(inst) = Inst::decode(byte) else { continue };
            let fields: Vec<Field> = inst
                .fields()
                .iter()
                .map(|kind| match kind {
                    FieldKind::Dst => Field::Dst(dst),
                    FieldKind::Word | FieldKind::Float | FieldKind::Any => Field::Src(src),
                    FieldKind::Sources => Field::Sources(vec![dst, src]),
                    FieldKind::Dsts => Field::Dsts(vec![dst]),
                    FieldKind::Label => Field::Label(70_000),
                    _ => Field::Index(9),
                })
                .collect();
            let mut code = Vec::new();
            encode(inst, &fields, &mut code);
            let decoded = decode(&code, 0).unwrap();
            assert_eq!((decoded.inst, decoded.fields), (inst, fields));
            assert_eq!(Inst::find(inst.name()), Some(inst));
            for cut in 0..code.len() {
                assert_eq!(decode(&code[..cut], 0), Err(BadCode { pc: 0 }));
            }
        }
    }

    #[test]
    fn a_loop_keeps_what_it_reads_alive() {
        let (a, b) = (Operand::reg(Kind::Word, 0), Operand::reg(Kind::Word, 1));
        let mut code = Vec::new();
        let copy = Inst::Control(ControlOp::Copy);
        encode(copy, &[Field::Dst(b), Field::Src(a)], &mut code);
        let test = code.len() as u32;
        encode(Inst::Control(ControlOp::GotoIfNot), &[Field::Src(b), Field::Label(0)], &mut code);
        encode(Inst::Control(ControlOp::Return), &[Field::Sources(vec![])], &mut code);
        let live = liveness(&decode_all(&code).unwrap(), &[], 2, 0);
        assert_eq!(live, [Live { pc: test, words: vec![0, 1], floats: vec![] }]);
    }
}
