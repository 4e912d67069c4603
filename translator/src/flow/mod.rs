//! The flow graph IR: what lowering makes of typed bodies and what `jitcodegen` turns into jitcode.
//!
//! A [`Graph`] is one *instance* of a function (all types concrete), in SSA form with block parameters. It works on
//! typed values; scalars are computed by the [`PureOp`]s that jitcode and traces use too, so that arithmetic has one
//! meaning. Narrow integers are canonical (zero- or sign-extended to 64 bits) wherever they are SSA values.
//!
//! - Values of up to [`MAX_WORDS`] words may be SSA values, also structs, tuples and enums (`Make`, `Extract`,
//!   `VariantOf`). Larger ones (*memory types*) never are: they live in memory and are handed over, and returned
//!   (through a first pointer parameter), by address.
//! - A local whose address is taken lives in a [`SlotId`].
//! - Memory is accessed through a pointer value and a path of projections that contains no dereference.
//! - A call that needs clean-up if it panics is an `Invoke`, which ends its block; others are `Call`s.
//! - A function whose result is a memory type has a first parameter more, a pointer to where the result goes, and
//!   returns `()`. A call yields a value unless the callee's result is a memory type or `!`
//!   ([`Types::returns_value`](types::Types::returns_value)).
//! - Where Rust's result depends on the build (overflow checks, `size_of`, constants of the crate), the graph refers
//!   to a [`LoadTimeId`], a number that the glue tells at start-up.

pub mod inline;
mod lex;
pub mod parse;
pub mod print;
pub mod promote;
pub mod simplify;
pub mod types;
pub mod verify;
pub(crate) mod wire;

use crate::diag::Code;
use crate::flow::types::{TypeId, Types};
use metatrace_defs::PureOp;

metatrace_defs::entity! {
    /// A function instance of a program.
    FuncId = "fn"
}
metatrace_defs::entity! {
    /// A native function that graphs call but nobody looks inside.
    ExternId = "ext"
}
metatrace_defs::entity! {
    /// A block of a graph.
    BlockId = "b"
}
metatrace_defs::entity! {
    /// An SSA value of a graph.
    ValueId = "v"
}
metatrace_defs::entity! {
    /// A memory slot of a graph.
    SlotId = "slot"
}
metatrace_defs::entity! {
    /// A number that is known when the binary starts.
    LoadTimeId = "lt"
}
metatrace_defs::entity! {
    /// A module of the interpreter crate, for which one file of glue is generated.
    ModuleId = "mod"
}
metatrace_defs::entity! {
    /// A portal.
    PortalId = "portal"
}

/// The most words that an SSA value may have when taken apart.
pub const MAX_WORDS: usize = 16;

/// The most words that an array may have when it is taken apart: longer ones are mostly indexed, which needs memory.
pub const MAX_ARRAY_WORDS: usize = 8;

/// Where something stands in the source. Line 0: nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pos {
    /// Index into [`Program::files`].
    pub file: u32,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// All that was translated of one interpreter crate.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The name of the crate.
    pub name: String,
    /// A hash of all source text that was read.
    pub hash: u64,
    /// The source files, relative to the package.
    pub files: Vec<String>,
    /// The libraries of the interpreter and then its own crate; none if there are no libraries.
    pub crates: Vec<Crate>,
    /// The modules of the crates: those of a library before those of crates that use it, and in a crate each after the one around it.
    pub modules: Vec<Module>,
    /// The types.
    pub types: Types,
    /// The function instances.
    pub funcs: Vec<Func>,
    /// The native functions that are called.
    pub externs: Vec<Extern>,
    /// The numbers that are known when the binary starts.
    pub load_times: Vec<LoadTimeValue>,
    /// All statics and thread-locals of the crate: any native call may touch them.
    pub statics: Vec<Static>,
    /// The portals.
    pub portals: Vec<Portal>,
    /// Functions that are called though the author might expect them looked inside, and why.
    pub notes: Vec<Note>,
    /// Functions of the crate that nothing lowered calls: their paths, and where they are.
    pub unreached: Vec<(String, Pos)>,
}

impl Program {
    /// The path of a module's glue, in the glue of all crates that know its own.
    pub fn glue_path(&self, module: ModuleId) -> String {
        let mut below = String::new();
        let mut at = &self.modules[module.index()];
        while let Some(parent) = at.parent {
            let name = at.path.rsplit("::").next().unwrap_or(&at.path);
            below = format!("::mt_m_{name}{below}");
            at = &self.modules[parent.index()];
        }
        let is_library = self.types.libraries.contains(&at.path);
        format!("{}::__metatrace{below}", if is_library { &at.path } else { "crate" })
    }

    /// The name of the crate that a module is of.
    pub fn crate_of(&self, module: ModuleId) -> &str {
        let path = &self.modules[module.index()].path;
        path.split("::").next().unwrap_or(path)
    }
}

/// A crate of an interpreter that is spread over several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crate {
    /// Its name, as `module_path!()` begins with it.
    pub name: String,
    /// The libraries that can be named in it, each with the path by which its own code reaches it.
    pub uses: Vec<(String, String)>,
    /// Its features, and whether they are on.
    pub features: Vec<(String, bool)>,
}

/// A module of a crate.
#[derive(Clone, Debug)]
pub struct Module {
    /// Its path as `module_path!()` spells it, starting with the crate's name.
    pub path: String,
    /// The module around it; `None` for the root.
    pub parent: Option<ModuleId>,
    /// Whether it contains `metatrace::glue!()`.
    pub has_glue: bool,
    /// Where it is declared, for diagnostics.
    pub pos: Pos,
}

/// A number that only rustc knows.
#[derive(Clone, Debug)]
pub struct LoadTimeValue {
    /// A Rust expression of type `u64` that can be evaluated in `module`.
    pub rust: String,
    /// The module whose glue evaluates it.
    pub module: ModuleId,
    /// What to call it in listings, such as `LIMIT` or `overflow-checks`.
    pub name: String,
    /// Whether it is the address of memory that never changes.
    pub frozen: bool,
}

/// A static or thread-local of the crate, whether graphs mention it or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Static {
    /// Its path, for people.
    pub name: String,
    /// Its type; of a thread-local, of what is in it.
    pub ty: TypeId,
    /// Whether it is a `static mut`.
    pub mutable: bool,
}

/// Defines `FuncAttrs`: a row is a fact, under the name that it has in the text form too.
macro_rules! func_attrs {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Hints and facts of a function.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct FuncAttrs {
            $($(#[$doc])* pub $name: bool,)*
        }

        impl FuncAttrs {
            /// Every fact with its name, in the order of the table.
            pub fn each(&mut self) -> impl Iterator<Item = (&'static str, &mut bool)> {
                [$((stringify!($name), &mut self.$name)),*].into_iter()
            }
        }
    };
}

func_attrs! {
    /// `#[jit::elidable]`.
    elidable,
    /// `#[jit::dont_look_inside]`.
    dont_look_inside,
    /// `#[jit::reads_only]`, which is not looked inside either.
    reads_only,
    /// `#[jit::unroll_safe]`, or a generic helper that takes closures.
    unroll_safe,
    /// `#[jit::loop_invariant]`.
    loop_invariant,
    /// `#[jit::not_in_trace]`.
    not_in_trace,
    /// Nothing happens unless the first argument is `true`: what `jit::conditional_call` calls.
    conditional,
}

/// A function instance.
#[derive(Clone, Debug)]
pub struct Func {
    /// Its path with generic arguments, for people; unique in the program.
    pub name: String,
    /// A Rust expression that names it in `module`, so that it can be called natively; `None` for closures and for
    /// functions of the core model, which must be looked inside.
    pub rust: Option<String>,
    /// The module whose glue names it.
    pub module: ModuleId,
    /// The types of the parameters in the source (a memory type is handed over by address).
    pub params: Vec<TypeId>,
    /// The type of the result in the source.
    pub ret: TypeId,
    /// Hints.
    pub attrs: FuncAttrs,
    /// Where it is defined.
    pub pos: Pos,
    /// Its graph; `None` if it cannot be entered, and why.
    pub body: Result<Graph, String>,
}

/// What a call of a native function touches, where that is less than the types of its parameters say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touches<T> {
    /// It reads what can be reached from values of these types, and writes what is interior-mutable there.
    pub reads: Vec<T>,
    /// It writes values of these types, and what its `&mut` parameters point to, without following pointers in them.
    pub moves: Vec<T>,
}

impl<T> Touches<T> {
    /// The same with other types.
    pub fn map<U>(&self, mut f: impl FnMut(&T) -> U) -> Touches<U> {
        let Touches { reads, moves } = self;
        Touches { reads: reads.iter().map(&mut f).collect(), moves: moves.iter().map(f).collect() }
    }
}

/// A native function that graphs call but nobody looks inside.
#[derive(Clone, Debug)]
pub struct Extern {
    /// Its path, for people.
    pub name: String,
    /// A Rust expression of function type that names it in `module`; a closure without captures may stand here, which
    /// is how outlined statements are called.
    pub rust: String,
    /// The module whose glue names it.
    pub module: ModuleId,
    /// The types of the parameters.
    pub params: Vec<TypeId>,
    /// The type of the result; never for functions that do not return.
    pub ret: TypeId,
    /// Hints.
    pub attrs: FuncAttrs,
    /// Whether it can panic.
    pub can_panic: bool,
    /// Whether it touches no memory but what its arguments point to directly (generated panics, intrinsics).
    pub is_helper: bool,
    /// What it touches, if that is known better than from its types.
    pub touches: Option<Touches<TypeId>>,
}

/// A portal.
#[derive(Clone, Debug)]
pub struct Portal {
    /// Its name in logs.
    pub name: String,
    /// The function's own name, without path.
    pub ident: String,
    /// For a method the type it is of, as Rust spells it in the function's module.
    pub method_of: Option<String>,
    /// The function.
    pub func: FuncId,
    /// The parameters' names.
    pub params: Vec<String>,
    /// Which parameters are green.
    pub greens: Vec<usize>,
    /// Which parameter owns the traces.
    pub owner: Option<usize>,
}

/// Something the author should know about the translation: a warning.
#[derive(Clone, Debug)]
pub struct Note {
    /// What kind.
    pub code: Code,
    /// Which function or call.
    pub subject: String,
    /// What and why, in one line.
    pub message: String,
    /// What would make it otherwise; empty if nothing would.
    pub help: String,
    /// Where it begins.
    pub pos: Pos,
    /// How many bytes of the source it is about; 0 for the word at `pos`.
    pub width: u32,
    /// How the portal reaches it, portal first.
    pub chain: Vec<String>,
}

/// One function body.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The blocks; the first is the entry, whose parameters are the function's.
    pub blocks: Vec<Block>,
    /// The type of every value.
    pub values: Vec<TypeId>,
    /// The memory slots.
    pub slots: Vec<SlotData>,
}

/// Memory for a local or a temporary whose address is taken.
#[derive(Clone, Debug)]
pub struct SlotData {
    /// The type of what is in it.
    pub ty: TypeId,
    /// The local's name; empty for a temporary.
    pub name: String,
}

/// A block.
#[derive(Clone, Debug)]
pub struct Block {
    /// Its parameters.
    pub params: Vec<ValueId>,
    /// What it does.
    pub ops: Vec<Op>,
    /// How it ends.
    pub term: Terminator,
    /// Where its end stands in the source.
    pub term_pos: Pos,
}

/// One step of a path from a pointer to a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proj {
    /// A field of a struct, tuple or closure, or of a `Vec` or `String` (buffer, length,
    /// capacity; see [`types::Type::Vec`]).
    Field(u32),
    /// A field of a variant of an enum that is known to be that variant.
    Variant {
        /// The variant.
        variant: u32,
        /// The field.
        field: u32,
    },
    /// An element. On a pointer to an array or slice: of it. As the first step on a pointer to `T` that is not one:
    /// the `T` that many places on (`*ptr.add(index)`).
    Index(ValueId),
}

/// A place in memory: no step of the path reads memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// A pointer or reference (thin or fat).
    pub base: ValueId,
    /// From what it points to, to the place.
    pub path: Vec<Proj>,
}

/// An operation.
#[derive(Clone, Debug)]
pub struct Op {
    /// What it yields, if anything.
    pub result: Option<ValueId>,
    /// What it does.
    pub kind: OpKind,
    /// Where it stands in the source.
    pub pos: Pos,
}

/// What an operation does.
#[derive(Clone, Debug)]
pub enum OpKind {
    /// A scalar constant (a float as its bits); 0 of any other type: all its scalars are 0, if it has any.
    Const(u64),
    /// A number that the glue tells.
    LoadTime(LoadTimeId),
    /// A pure operation on scalars.
    Pure(PureOp, Vec<ValueId>),
    /// The same bits at another type of the same scalars (pointer casts, `bool` as `u8`, transparent wrappers).
    Retype(ValueId),
    /// A struct, tuple, array, closure or enum from its fields. The result's type tells which; `variant` is 0 unless
    /// it is an enum.
    Make {
        /// The variant's index.
        variant: u32,
        /// All fields in declaration order.
        fields: Vec<ValueId>,
    },
    /// A field of a value; of an enum, only where the variant is known.
    Extract {
        /// The struct, tuple, array, closure or enum.
        value: ValueId,
        /// The variant's index; 0 unless it is an enum.
        variant: u32,
        /// The field's index.
        field: u32,
    },
    /// The index of an enum value's variant, as `usize` (not its discriminant).
    VariantOf(ValueId),
    /// A fat pointer from address and length.
    MakeFat {
        /// The address.
        address: ValueId,
        /// The length, as `usize`.
        len: ValueId,
    },
    /// The address in a fat pointer, as a pointer to the element (or `u8`).
    FatAddress(ValueId),
    /// The length in a fat pointer, as `usize`.
    FatLen(ValueId),
    /// The address of a slot.
    SlotAddr(SlotId),
    /// The address of a place.
    Ref(Place),
    /// Reads a place. Not of a memory type.
    Load(Place),
    /// Reads the index of the variant of the enum at a place.
    LoadVariant(Place),
    /// Writes a place. Not of a memory type.
    Store(Place, ValueId),
    /// Copies memory bytewise, from the place `from` to the place `to`, which do not overlap; they have this type.
    CopyMemory {
        /// The destination.
        to: Place,
        /// The source.
        from: Place,
        /// The type of both.
        ty: TypeId,
    },
    /// Runs the drop glue of what is at a place.
    DropInPlace(Place, TypeId),
    /// Memory for a value of the type that the result points to, which is to be written before it is read. In the collected heap
    /// it is an object, of which there are references only then; null if the heap is full.
    New(Memory),
    /// Gives memory back that `New` or a `Box` got from Rust's allocator, the content of which is gone.
    Free(ValueId),
    /// Memory for so many elements, as `New`. Plain: of the type that the result points to, and there can be so many bytes. In the
    /// collected heap: of the array that the result points to, with the number of elements written.
    NewArray(Memory, ValueId),
    /// Gives memory back that `NewArray` or a `Vec` got from Rust's allocator, the content of which is gone.
    FreeArray {
        /// Its address.
        pointer: ValueId,
        /// How many elements there is room for.
        length: ValueId,
    },
    /// Unless `holds` is 0, a reference to a collected object was written to what a pointer points to.
    Barrier {
        /// The pointer.
        address: ValueId,
        /// A scalar.
        holds: ValueId,
    },
    /// A call without clean-up.
    Call(Callee, Vec<ValueId>),
    /// The start of the portal's loop, with the portal's parameters. The first operation of its block.
    MergePoint(PortalId, Vec<ValueId>),
    /// A back edge of the interpreted program ends here. Nothing but jumps lies between it and the merge point.
    CanEnterJit,
    /// The value as a constant of the trace.
    Promote(ValueId),
    /// Whether this runs in the JIT.
    WeAreJitted,
    /// Whether the trace knows the value as a constant.
    IsConstant(ValueId),
    /// The trace must know the value as a constant.
    AssertGreen(ValueId),
    /// The operations recorded so far.
    TraceLength,
    /// Whether the trace made the object that the value points to.
    IsVirtual(ValueId),
    /// The first value is the second, which the trace knows as a constant.
    RecordExact(ValueId, ValueId),
    /// A pointer to the value of a quasi-immutable field, which cannot change while the trace is valid.
    QuasiImmut {
        /// The pointer to the field's link.
        link: ValueId,
        /// The pointer to its value.
        value: ValueId,
    },
}

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Callee {
    /// A function instance; whether it is looked inside is for `jitcodegen` to decide.
    Func(FuncId),
    /// A native function.
    Extern(ExternId),
}

/// Where control goes, and the arguments for the block's parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The block.
    pub block: BlockId,
    /// A value for each parameter.
    pub args: Vec<ValueId>,
}

/// How a block ends.
#[derive(Clone, Debug)]
pub enum Terminator {
    /// Continues at a block.
    Goto(Target),
    /// Continues at the first target if the bool (or word) is not 0, else at the second.
    If(ValueId, Target, Target),
    /// Continues where the scalar's value sends it.
    Switch {
        /// The scalar.
        value: ValueId,
        /// Canonical values, each once, with their targets.
        cases: Vec<(u64, Target)>,
        /// Where to continue for all other values; `None` if there are none.
        default: Option<Target>,
    },
    /// A call with clean-up: its result (if it has one) is the last argument of the normal target, after `normal.args`.
    Invoke {
        /// What is called.
        callee: Callee,
        /// The arguments.
        args: Vec<ValueId>,
        /// Where to continue with the result.
        normal: Target,
        /// Where to continue if it panicked.
        unwind: Target,
    },
    /// Leaves the function.
    Return(ValueId),
    /// Leaves the function with the panic whose clean-up this was.
    ResumeUnwind,
    /// Never reached.
    Unreachable,
}

impl Program {
    /// A function instance.
    pub fn func(&self, id: FuncId) -> &Func {
        &self.funcs[id.index()]
    }

    /// A native function.
    pub fn extern_fn(&self, id: ExternId) -> &Extern {
        &self.externs[id.index()]
    }
}

/// Where the memory of a new value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Memory {
    /// The collected heap.
    Collected,
    /// Rust's global allocator.
    Plain,
}

impl Memory {
    /// Each of them.
    pub const ALL: [Memory; 2] = [Memory::Collected, Memory::Plain];

    /// The name in the text form.
    pub fn name(self) -> &'static str {
        match self {
            Memory::Collected => "collected",
            Memory::Plain => "plain",
        }
    }
}

impl OpKind {
    /// The values it uses, in the order in which they stand in it.
    pub fn uses(&self) -> Vec<ValueId> {
        let mut copy = self.clone();
        let mut out = Vec::new();
        copy.map_uses(&mut |value| {
            out.push(*value);
        });
        out
    }

    /// Calls `f` on every value it uses, which may replace it.
    pub fn map_uses(&mut self, f: &mut dyn FnMut(&mut ValueId)) {
        match self {
            OpKind::Const(_)
            | OpKind::LoadTime(_)
            | OpKind::SlotAddr(_)
            | OpKind::New(_)
            | OpKind::CanEnterJit
            | OpKind::TraceLength
            | OpKind::WeAreJitted => {}
            OpKind::Pure(_, args)
            | OpKind::Call(_, args)
            | OpKind::MergePoint(_, args)
            | OpKind::Make { fields: args, .. } => args.iter_mut().for_each(f),
            OpKind::Retype(value)
            | OpKind::Extract { value, .. }
            | OpKind::VariantOf(value)
            | OpKind::FatAddress(value)
            | OpKind::FatLen(value)
            | OpKind::Free(value)
            | OpKind::NewArray(_, value)
            | OpKind::IsConstant(value)
            | OpKind::IsVirtual(value)
            | OpKind::AssertGreen(value)
            | OpKind::Promote(value) => f(value),
            OpKind::Barrier { address, holds } => {
                f(address);
                f(holds);
            }
            OpKind::FreeArray { pointer, length } => {
                f(pointer);
                f(length);
            }
            OpKind::RecordExact(value, known) => {
                f(value);
                f(known);
            }
            OpKind::QuasiImmut { link, value } => {
                f(link);
                f(value);
            }
            OpKind::MakeFat { address, len } => {
                f(address);
                f(len);
            }
            OpKind::Ref(place)
            | OpKind::Load(place)
            | OpKind::LoadVariant(place)
            | OpKind::DropInPlace(place, _) => {
                place.map_uses(f);
            }
            OpKind::Store(place, value) => {
                place.map_uses(f);
                f(value);
            }
            OpKind::CopyMemory { to, from, .. } => {
                to.map_uses(f);
                from.map_uses(f);
            }
        }
    }

    /// Whether leaving it out changes nothing if its result is not used. Loads count: they have no effect.
    pub fn is_removable(&self) -> bool {
        match self {
            OpKind::Store(..)
            | OpKind::CopyMemory { .. }
            | OpKind::DropInPlace(..)
            | OpKind::New(_)
            | OpKind::Free(_)
            | OpKind::NewArray(..)
            | OpKind::FreeArray { .. }
            | OpKind::Barrier { .. }
            | OpKind::Call(..)
            | OpKind::MergePoint(..)
            | OpKind::CanEnterJit
            | OpKind::AssertGreen(_)
            | OpKind::RecordExact(..)
            | OpKind::Promote(_) => false,
            OpKind::Const(_)
            | OpKind::LoadTime(_)
            | OpKind::Pure(..)
            | OpKind::Retype(_)
            | OpKind::Make { .. }
            | OpKind::Extract { .. }
            | OpKind::VariantOf(_)
            | OpKind::MakeFat { .. }
            | OpKind::FatAddress(_)
            | OpKind::FatLen(_)
            | OpKind::SlotAddr(_)
            | OpKind::Ref(_)
            | OpKind::Load(_)
            | OpKind::LoadVariant(_)
            | OpKind::IsConstant(_)
            | OpKind::IsVirtual(_)
            | OpKind::QuasiImmut { .. }
            | OpKind::TraceLength
            | OpKind::WeAreJitted => true,
        }
    }
}

impl Place {
    /// Calls `f` on the pointer and every index.
    pub fn map_uses(&mut self, f: &mut dyn FnMut(&mut ValueId)) {
        f(&mut self.base);
        for step in &mut self.path {
            if let Proj::Index(index) = step {
                f(index);
            }
        }
    }
}

impl Terminator {
    /// The values it uses, arguments for blocks included.
    pub fn uses(&self) -> Vec<ValueId> {
        let mut copy = self.clone();
        let mut out = Vec::new();
        copy.map_uses(&mut |value| {
            out.push(*value);
        });
        out
    }

    /// Calls `f` on every value it uses.
    pub fn map_uses(&mut self, f: &mut dyn FnMut(&mut ValueId)) {
        match self {
            Terminator::If(value, ..) | Terminator::Switch { value, .. } | Terminator::Return(value) => {
                f(value)
            }
            Terminator::Invoke { args, .. } => args.iter_mut().for_each(&mut *f),
            Terminator::Goto(_) | Terminator::ResumeUnwind | Terminator::Unreachable => {}
        }
        for target in self.targets_mut() {
            target.args.iter_mut().for_each(&mut *f);
        }
    }

    /// Where control may go.
    pub fn targets_mut(&mut self) -> Vec<&mut Target> {
        match self {
            Terminator::Goto(target) => vec![target],
            Terminator::If(_, yes, no) => vec![yes, no],
            Terminator::Switch { cases, default, .. } => {
                cases.iter_mut().map(|(_, target)| target).chain(default).collect()
            }
            Terminator::Invoke { normal, unwind, .. } => vec![normal, unwind],
            Terminator::Return(_) | Terminator::ResumeUnwind | Terminator::Unreachable => vec![],
        }
    }

    /// Where control may go.
    pub fn targets(&self) -> Vec<&Target> {
        match self {
            Terminator::Goto(target) => vec![target],
            Terminator::If(_, yes, no) => vec![yes, no],
            Terminator::Switch { cases, default, .. } => {
                cases.iter().map(|(_, target)| target).chain(default).collect()
            }
            Terminator::Invoke { normal, unwind, .. } => vec![normal, unwind],
            Terminator::Return(_) | Terminator::ResumeUnwind | Terminator::Unreachable => vec![],
        }
    }
}
