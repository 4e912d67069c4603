//! The text form of traces, for people and for the [parser](crate::parse).
//!
//! ```text
//! class class0 "Point.x" leaf 1
//! access a0 "Point.x" offset 8 word class0 class
//! call call0 "host::tick" shim 2 (w, f) -> (w) reads all writes {class0} can_panic
//! alloc alloc0 "Point" collected 94023 size 16
//! jitcode j0 "interpret" words 4 floats 0
//!
//! trace "loop 1" (%0 w = 5, %1 f) {
//!     ; tape.bf:3
//!     %2 = getfield[a0 "Point.x"](%0) => 7
//!     guard_true(%2) s0
//!     %3 = call[call0 "host::tick"](%2, 1.5)
//!     guard_not_pending() s1
//!     jump[t0](%0, %1)
//! }
//! s0 = j0 "interpret" @12 locals 0 (w0 = %0, w2 = 7) merge_points 0
//! s1 = j0 "interpret" @40 locals 0 (w0 = %0, w1 = %3) merge_points 1
//! ```
//!
//! - Declarations (`class`, `access`, `call`, `alloc`, `jitcode`) describe entities of the program; a strided access has
//!   `stride N` after its offset; an allocation is `collected` with a header, or `plain align N`, and may have `elements N`
//!   (the bytes of each) and `length N` (where their number stands). Flags follow by name.
//! - Names in brackets and in snapshots are there for people: the parser skips them.
//! - Constants are signed decimals for words; floats are decimals with a point or exponent, or `f0x…` with the bits
//!   where there is none that reads back (infinities, not-a-number).
//! - `=> …` is what the values were when the trace was recorded, `_` for one not known.
//! - `; …` is a note, kept; `# …` is a comment, skipped.
//! - Stores that a guard does if it fails follow the frames of its snapshot: `stores [a0 "Point.x"](%0, 7)`.
//! - The snapshots follow their trace, ascending. Behind its frames a snapshot describes its virtuals, such as
//!   `virtual %7 = new_array[alloc1](2) {a3[0] = %2, a4 at 16 = 5}` (an access that starts 16 bytes inside) or `virtual %8 = interior_field[a2](%7)`.

use std::collections::HashSet;
use std::fmt::{self, Write};

use metatrace_defs::alloc::Memory;
use metatrace_defs::descr::{Access, ClassSet, LoadTime};
use metatrace_defs::{AccessId, Alloc, AllocId, CallDescr, CallId, JitCodeId, Kind, Program};

use crate::{Attached, Inst, Opnd, Snapshot, SnapshotId, Trace, Value, Virtual};

/// Writes traces of one program into one text, each declaration once, before its first use.
///
/// The text as a whole parses back with [`parse_file`](crate::parse_file).
pub struct TextWriter<'a> {
    program: &'a Program,
    accesses: HashSet<AccessId>,
    classes: HashSet<metatrace_defs::descr::ClassId>,
    calls: HashSet<CallId>,
    allocs: HashSet<AllocId>,
    jitcodes: HashSet<JitCodeId>,
}

impl<'a> TextWriter<'a> {
    /// A writer that has declared nothing yet.
    pub fn new(program: &'a Program) -> TextWriter<'a> {
        TextWriter {
            program,
            accesses: HashSet::new(),
            classes: HashSet::new(),
            calls: HashSet::new(),
            allocs: HashSet::new(),
            jitcodes: HashSet::new(),
        }
    }

    /// The text of a trace, after the declarations it needs that were not written before. `title` may be empty.
    pub fn write(&mut self, title: &str, trace: &Trace) -> String {
        let mut text = String::new();
        self.declare(&mut text, trace);
        if !text.is_empty() {
            text.push('\n');
        }
        write_trace(&mut text, Some(self.program), title, trace).expect("a string takes everything");
        text
    }

    fn declare(&mut self, text: &mut String, trace: &Trace) {
        let virtuals = || trace.snapshots.iter().flat_map(|snapshot| &snapshot.virtuals);
        for field in virtuals().flat_map(|(_, made)| &made.fields) {
            self.declare_access(text, field.access);
        }
        let attached = trace.insts.iter().map(|inst| inst.attached);
        for attached in attached.chain(virtuals().map(|(_, made)| made.attached)) {
            match attached {
                Attached::Access(id) => self.declare_access(text, id),
                Attached::Call(id) if self.calls.insert(id) => {
                    let Some(call) = self.program.calls.get(id.index()) else { continue };
                    for set in [&call.reads, &call.writes] {
                        if let ClassSet::Some(classes) = set {
                            classes.iter().for_each(|&class| self.declare_class(text, class));
                        }
                    }
                    let _ = writeln!(text, "call {id} {}", CallText(call));
                }
                Attached::Alloc(id) => self.declare_alloc(text, id),
                _ => {}
            }
        }
        for frame in trace.snapshots.iter().flat_map(|snapshot| &snapshot.frames) {
            if self.jitcodes.insert(frame.jitcode) {
                let Some(jitcode) = self.program.jitcodes.get(frame.jitcode.index()) else { continue };
                let (words, floats) = (jitcode.words, jitcode.floats);
                let name = Quoted(&jitcode.name);
                let _ = writeln!(text, "jitcode {} {name} words {words} floats {floats}", frame.jitcode);
            }
        }
    }

    fn declare_access(&mut self, text: &mut String, id: AccessId) {
        if self.accesses.insert(id) {
            let Some(access) = self.program.accesses.get(id.index()) else { return };
            self.declare_class(text, access.class);
            let _ = writeln!(text, "access {id} {}", AccessText(access));
        }
    }

    fn declare_alloc(&mut self, text: &mut String, id: AllocId) {
        if self.allocs.insert(id) {
            let Some(alloc) = self.program.allocs.get(id.index()) else { return };
            let _ = writeln!(text, "alloc {id} {}", AllocText(alloc));
        }
    }

    fn declare_class(&mut self, text: &mut String, id: metatrace_defs::descr::ClassId) {
        if self.classes.insert(id) {
            let Some(class) = self.program.classes.get(id.index()) else { return };
            let _ = writeln!(text, "class {id} {} leaf {}", Quoted(&class.name), class.leaf);
        }
    }
}

/// The text of one trace with all its declarations: it parses back with [`parse`](crate::parse).
pub fn to_text(program: &Program, trace: &Trace) -> String {
    TextWriter::new(program).write("", trace)
}

/// The text without declarations and names: it parses back with [`parse_with`](crate::parse_with).
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_trace(f, None, "", self)
    }
}

fn write_trace(out: &mut impl Write, program: Option<&Program>, title: &str, trace: &Trace) -> fmt::Result {
    out.write_str("trace ")?;
    if !title.is_empty() {
        write!(out, "{} ", Quoted(title))?;
    }
    out.write_char('(')?;
    for (n, &input) in trace.inputs.iter().enumerate() {
        let comma = if n > 0 { ", " } else { "" };
        match trace.values.get(input.index()) {
            Some(data) => write!(out, "{comma}{input} {}", data.kind.letter())?,
            None => write!(out, "{comma}{input} w")?,
        }
        if let Some(recorded) = recorded_operand(trace, input) {
            write!(out, " = {recorded}")?;
        }
    }
    out.write_str(") {\n")?;
    let mut notes = trace.notes.iter().peekable();
    for (n, inst) in trace.insts.iter().enumerate() {
        while let Some((_, note)) = notes.next_if(|(at, _)| *at as usize <= n) {
            writeln!(out, "    ; {}", one_line(note))?;
        }
        write_inst(out, program, trace, inst)?;
    }
    for (_, note) in notes {
        writeln!(out, "    ; {}", one_line(note))?;
    }
    out.write_str("}\n")?;
    for (n, snapshot) in trace.snapshots.iter().enumerate() {
        write_snapshot(out, program, SnapshotId::new(n), snapshot)?;
    }
    Ok(())
}

fn write_inst(out: &mut impl Write, program: Option<&Program>, trace: &Trace, inst: &Inst) -> fmt::Result {
    out.write_str("    ")?;
    if !inst.results.is_empty() {
        write!(out, "{} = ", List(&inst.results))?;
    }
    write!(out, "{}", inst.op)?;
    let name = match (program, inst.attached) {
        (Some(program), Attached::Access(id)) => program.accesses.get(id.index()).map(|a| &a.name),
        (Some(program), Attached::Call(id)) => program.calls.get(id.index()).map(|c| &c.name),
        (Some(program), Attached::Alloc(id)) => program.allocs.get(id.index()).map(|a| &a.name),
        _ => None,
    };
    match inst.attached {
        Attached::None => {}
        Attached::Access(id) => write!(out, "[{id}")?,
        Attached::Call(id) => write!(out, "[{id}")?,
        Attached::Alloc(id) => write!(out, "[{id}")?,
        Attached::Target(id) => write!(out, "[{id}")?,
    }
    if let Some(name) = name {
        write!(out, " {}", Quoted(name))?;
    }
    if inst.attached != Attached::None {
        out.write_char(']')?;
    }
    write!(out, "({})", List(&inst.args))?;
    if let Some(snapshot) = inst.snapshot {
        write!(out, " {snapshot}")?;
    }
    let recorded: Vec<Option<Opnd>> = inst.results.iter().map(|&v| recorded_operand(trace, v)).collect();
    if recorded.iter().any(Option::is_some) {
        out.write_str(" => ")?;
        for (n, value) in recorded.iter().enumerate() {
            let comma = if n > 0 { ", " } else { "" };
            match value {
                Some(value) => write!(out, "{comma}{value}")?,
                None => write!(out, "{comma}_")?,
            }
        }
    }
    out.write_char('\n')
}

fn write_snapshot(
    out: &mut impl Write,
    program: Option<&Program>,
    id: SnapshotId,
    snapshot: &Snapshot,
) -> fmt::Result {
    write!(out, "{id} =")?;
    for frame in &snapshot.frames {
        write!(out, " {}", frame.jitcode)?;
        if let Some(jitcode) = program.and_then(|p| p.jitcodes.get(frame.jitcode.index())) {
            write!(out, " {}", Quoted(&jitcode.name))?;
        }
        write!(out, " @{} locals {} (", frame.pc, frame.locals)?;
        for (n, (register, opnd)) in frame.registers.iter().enumerate() {
            let comma = if n > 0 { ", " } else { "" };
            write!(out, "{comma}{register} = {opnd}")?;
        }
        out.write_char(')')?;
    }
    for (value, made) in &snapshot.virtuals {
        write_virtual(out, program, *value, made)?;
    }
    if let Some(handed) = &snapshot.handed {
        let handed: Vec<String> = handed.iter().map(Opnd::to_string).collect();
        write!(out, " hands ({})", handed.join(", "))?;
    }
    for store in &snapshot.stores {
        write!(out, " stores [{}", store.access)?;
        if let Some(access) = program.and_then(|p| p.accesses.get(store.access.index())) {
            write!(out, " {}", Quoted(&access.name))?;
        }
        let args: Vec<String> = store.args.iter().map(Opnd::to_string).collect();
        write!(out, "]({})", args.join(", "))?;
    }
    writeln!(out, " merge_points {}", snapshot.merge_points)
}

fn write_virtual(
    out: &mut impl Write,
    program: Option<&Program>,
    value: Value,
    made: &Virtual,
) -> fmt::Result {
    write!(out, " virtual {value} = {}", made.op)?;
    match made.attached {
        Attached::None => {}
        Attached::Access(id) => write!(out, "[{id}]")?,
        Attached::Alloc(id) => {
            write!(out, "[{id}")?;
            if let Some(alloc) = program.and_then(|p| p.allocs.get(id.index())) {
                write!(out, " {}", Quoted(&alloc.name))?;
            }
            out.write_char(']')?;
        }
        Attached::Call(id) => write!(out, "[{id}]")?,
        Attached::Target(id) => write!(out, "[{id}]")?,
    }
    write!(out, "({})", List(&made.args))?;
    if made.fields.is_empty() {
        return Ok(());
    }
    out.write_str(" {")?;
    for (n, field) in made.fields.iter().enumerate() {
        let comma = if n > 0 { ", " } else { "" };
        write!(out, "{comma}{}", field.access)?;
        if let Some(access) = program.and_then(|p| p.accesses.get(field.access.index())) {
            write!(out, " {}", Quoted(&access.name))?;
        }
        if let Some(index) = field.index {
            write!(out, "[{index}]")?;
        }
        if field.base != 0 {
            write!(out, " at {}", field.base)?;
        }
        write!(out, " = {}", field.value)?;
    }
    out.write_char('}')
}

fn recorded_operand(trace: &Trace, value: Value) -> Option<Opnd> {
    let data = trace.values.get(value.index())?;
    data.recorded.map(|bits| Opnd::constant(data.kind, bits))
}

fn one_line(note: &str) -> String {
    note.replace(['\n', '\r'], " ").trim().to_string()
}

/// A list with commas.
struct List<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, item) in self.0.iter().enumerate() {
            let comma = if n > 0 { ", " } else { "" };
            write!(f, "{comma}{item}")?;
        }
        Ok(())
    }
}

/// A string in quotes, as the parser reads it.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

/// An access, as it is declared after its number.
struct AccessText<'a>(&'a Access);

impl fmt::Display for AccessText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access = self.0;
        write!(f, "{} offset {}", Quoted(&access.name), LoadTimeText(access.offset))?;
        if let Some(stride) = access.stride {
            write!(f, " stride {}", LoadTimeText(stride))?;
        }
        write!(f, " {} {} {}", access.scalar.name(), access.class, access.reach.name())?;
        write_flags(f, metatrace_defs::descr::access_flag::NAMES, access.flags)
    }
}

/// A call, as it is declared after its number.
struct CallText<'a>(&'a CallDescr);

impl fmt::Display for CallText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = self.0;
        let letters = |kinds: &[Kind]| kinds.iter().map(|kind| kind.letter()).collect::<Vec<_>>();
        let (args, results) = (letters(&call.args), letters(&call.results));
        write!(f, "{} shim {} ({}) -> ({})", Quoted(&call.name), call.shim, List(&args), List(&results))?;
        for (word, set) in [("reads", &call.reads), ("writes", &call.writes)] {
            match set {
                ClassSet::All => write!(f, " {word} all")?,
                ClassSet::Some(classes) => write!(f, " {word} {{{}}}", List(classes))?,
            }
        }
        write_flags(f, metatrace_defs::descr::call_flag::NAMES, call.flags)
    }
}

/// An allocation, as it is declared after its number.
struct AllocText<'a>(&'a Alloc);

impl fmt::Display for AllocText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alloc = self.0;
        write!(f, "{} ", Quoted(&alloc.name))?;
        match alloc.memory {
            Memory::Collected { header } => write!(f, "collected {}", LoadTimeText(header))?,
            Memory::Plain { align } => write!(f, "plain align {}", LoadTimeText(align))?,
        }
        write!(f, " size {}", LoadTimeText(alloc.size))?;
        if let Some(elements) = alloc.elements {
            write!(f, " elements {}", LoadTimeText(elements.stride))?;
            if let Some(length) = elements.length {
                write!(f, " length {}", LoadTimeText(length))?;
            }
        }
        Ok(())
    }
}

struct LoadTimeText(LoadTime);

impl fmt::Display for LoadTimeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            LoadTime::Literal(value) => write!(f, "{value}"),
            LoadTime::Glue(n) => write!(f, "glue({n})"),
        }
    }
}

fn write_flags(
    f: &mut fmt::Formatter<'_>,
    names: &[(metatrace_defs::descr::Flags, &str)],
    flags: metatrace_defs::descr::Flags,
) -> fmt::Result {
    names.iter().filter(|(flag, _)| flags & flag != 0).try_for_each(|(_, name)| write!(f, " {name}"))
}
