//! The one container of jitcode: written by `jitcodegen`, read by the runtime and by `inspect`.

use crate::alloc::{Alloc, AllocId};
use crate::descr::{Access, CallDescr, Class, LoadTime};
use crate::{AccessId, CallId, Kind};

crate::entity! {
    /// A jitcode of a program.
    JitCodeId = "j"
}
crate::entity! {
    /// A portal of a program.
    PortalId = "portal"
}

/// A constant of a jitcode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constant {
    /// The word, or the bits of the float.
    pub value: LoadTime,
    /// What it stands for, if it is not just a number: `&LIMITS`, `size_of::<Op>()`. May be empty.
    pub name: String,
    /// Whether it is the address of memory that never changes.
    pub frozen: bool,
}

/// Memory of one activation, for locals whose address is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The local's name, or the type of the temporary.
    pub name: String,
    /// Bytes.
    pub size: LoadTime,
    /// Bytes; at most 16.
    pub align: LoadTime,
}

/// Where a `switch` continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchTable {
    /// Values, ascending, each with a position in the code.
    pub cases: Vec<(u64, u32)>,
    /// The position for all other values.
    pub default: u32,
}

/// The registers that are live at a position, that is, read before they are written when running on from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// The position, in bytes from the start of the code.
    pub pc: u32,
    /// Live word registers, ascending.
    pub words: Vec<u16>,
    /// Live float registers, ascending.
    pub floats: Vec<u16>,
}

/// The source of the instructions from a position on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The position, in bytes from the start of the code.
    pub pc: u32,
    /// Index into the program's files.
    pub file: u32,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// The shadow of one function: what the meta-interpreter and the blackhole interpreter execute.
///
/// The parameters arrive in the first registers of their kinds, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JitCode {
    /// The path of the function, with generic arguments.
    pub name: String,
    /// The kinds of the parameters, scalar by scalar.
    pub params: Vec<Kind>,
    /// The kinds of the results, scalar by scalar.
    pub results: Vec<Kind>,
    /// The number of word registers.
    pub words: u16,
    /// The number of float registers.
    pub floats: u16,
    /// The constants of both kinds.
    pub constants: Vec<Constant>,
    /// The memory of an activation.
    pub slots: Vec<Slot>,
    /// The instructions; see [`crate::inst`].
    pub code: Vec<u8>,
    /// The switch tables.
    pub switches: Vec<SwitchTable>,
    /// Liveness, ascending by position, for every position that can be resumed at.
    pub live: Vec<Live>,
    /// Source positions, ascending by position.
    pub positions: Vec<Position>,
}

impl JitCode {
    /// The live registers at `pc`.
    ///
    /// # Panics
    /// If no liveness is kept for `pc`.
    pub fn live_at(&self, pc: u32) -> &Live {
        match self.live.binary_search_by_key(&pc, |live| live.pc) {
            Ok(n) => &self.live[n],
            Err(_) => panic!("no liveness at {pc} of {}", self.name),
        }
    }

    /// The source position of the instruction at `pc`, if known.
    pub fn position_at(&self, pc: u32) -> Option<Position> {
        let n = self.positions.partition_point(|p| p.pc <= pc);
        n.checked_sub(1).map(|n| self.positions[n])
    }
}

/// A parameter of a portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalParam {
    /// Its name in the source.
    pub name: String,
    /// The kinds of its scalars.
    pub kinds: Vec<Kind>,
    /// Whether it is part of the key of traces.
    pub green: bool,
    /// Whether it owns the traces.
    pub owner: bool,
}

/// A portal: where traces start and end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portal {
    /// The path of the function.
    pub name: String,
    /// Its jitcode.
    pub jitcode: JitCodeId,
    /// Where in the jitcode the merge point is.
    pub merge_point: u32,
    /// The call of the native portal, with the words of its parameters: how an inner activation goes on natively
    /// from its merge point.
    pub call: CallId,
    /// The parameters.
    pub params: Vec<PortalParam>,
    /// The kinds of the results, scalar by scalar.
    pub results: Vec<Kind>,
}

impl Portal {
    /// Whether each word of the parameters is green.
    pub fn greens(&self) -> impl Iterator<Item = bool> + '_ {
        self.params.iter().flat_map(|param| param.kinds.iter().map(|_| param.green))
    }
}

/// All that was generated for one interpreter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// The name of the crate.
    pub name: String,
    /// A hash of the translator's input; image and glue must carry the same.
    pub hash: u64,
    /// The jitcodes.
    pub jitcodes: Vec<JitCode>,
    /// The portals.
    pub portals: Vec<Portal>,
    /// The access descriptors.
    pub accesses: Vec<Access>,
    /// The alias classes.
    pub classes: Vec<Class>,
    /// The call descriptors.
    pub calls: Vec<CallDescr>,
    /// The allocation descriptors.
    pub allocs: Vec<Alloc>,
    /// The source files, relative to the crate.
    pub files: Vec<String>,
    /// What each of the glue's load-time values is, in its order.
    pub glue_values: Vec<String>,
    /// What each of the glue's shims calls, in its order.
    pub glue_shims: Vec<String>,
}

impl Program {
    /// An access descriptor.
    pub fn access(&self, id: AccessId) -> &Access {
        &self.accesses[id.index()]
    }

    /// A call descriptor.
    pub fn call(&self, id: CallId) -> &CallDescr {
        &self.calls[id.index()]
    }

    /// An allocation descriptor.
    pub fn alloc(&self, id: AllocId) -> &Alloc {
        &self.allocs[id.index()]
    }

    /// A jitcode.
    pub fn jitcode(&self, id: JitCodeId) -> &JitCode {
        &self.jitcodes[id.index()]
    }

    /// Puts the glue's numbers in the place of every [`LoadTime::Glue`].
    ///
    /// # Panics
    /// If `values` is shorter than [`Program::glue_values`].
    pub fn resolve(&mut self, values: &[u64]) {
        let resolve = |value: &mut LoadTime| {
            if let LoadTime::Glue(n) = *value {
                *value = LoadTime::Literal(values[n as usize]);
            }
        };
        for access in &mut self.accesses {
            resolve(&mut access.offset);
            access.stride.iter_mut().for_each(resolve);
        }
        self.allocs.iter_mut().flat_map(Alloc::load_times).for_each(resolve);
        for jitcode in &mut self.jitcodes {
            jitcode.constants.iter_mut().for_each(|c| resolve(&mut c.value));
            for slot in &mut jitcode.slots {
                resolve(&mut slot.size);
                resolve(&mut slot.align);
            }
        }
    }
}
