//! The text form of flow programs: printing. [`crate::flow::parse`] reads it back, and its head describes the form.

use crate::flow::types::{Adt, Hidden, Opaque, Type, TypeId};
use crate::flow::{
    Callee, Func, FuncAttrs, Graph, Op, OpKind, Place, Pos, Program, Proj, Target, Terminator, Touches,
    ValueId,
};
use std::fmt::{Display, Write};

/// What is left out of the text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// No source positions.
    pub without_positions: bool,
}

/// The whole program.
pub fn program(program: &Program, style: Style) -> String {
    let mut out = String::new();
    let p = Printer { program, style };
    p.header(&mut out);
    let mut declared: Vec<_> =
        program.types.iter().map(|(_, data)| (closure_number(&data.ty), data)).collect();
    declared.retain(|(number, data)| number.is_some() || data.ty.is_nominal());
    declared.sort_by_key(|(number, data)| (number.is_none(), *number, &data.rust));
    for (_, data) in declared {
        let _ = writeln!(out, "{}", p.declaration(data));
    }
    p.externs(&mut out);
    for index in 0..program.funcs.len() {
        p.func(&mut out, index);
    }
    out
}

/// Closures are declared first, in the order of their numbers: a closure's captures mention only earlier ones.
fn closure_number(ty: &Type) -> Option<u32> {
    match ty {
        Type::Closure { id, .. } => Some(*id),
        _ => None,
    }
}

/// One function, as it stands in the program's text.
pub fn func(program: &Program, id: crate::flow::FuncId, style: Style) -> String {
    let mut out = String::new();
    Printer { program, style }.func(&mut out, id.index());
    out
}

/// A type as the text form spells it.
pub fn type_text(program: &Program, id: TypeId) -> String {
    Printer { program, style: Style::default() }.ty(id)
}

struct Printer<'a> {
    program: &'a Program,
    style: Style,
}

fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// A name: bare if it is a path, else in backquotes.
fn name(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':');
    if plain { text.to_string() } else { format!("`{text}`") }
}

impl Printer<'_> {
    fn header(&self, out: &mut String) {
        let p = self.program;
        let _ = writeln!(out, "program {:?} {:#x}", p.name, p.hash);
        for file in &p.files {
            let _ = writeln!(out, "file {file:?}");
        }
        for item in &p.crates {
            let uses = item.uses.iter().map(|(name, path)| format!(" uses {name:?} {path:?}"));
            let features = item
                .features
                .iter()
                .map(|(name, on)| format!(" {} {name:?}", if *on { "on" } else { "off" }));
            let parts: String = uses.chain(features).collect();
            let _ = writeln!(out, "crate {:?}{parts}", item.name);
        }
        for (index, module) in p.modules.iter().enumerate() {
            let _ = write!(out, "module mod{index} {:?}", module.path);
            if let Some(parent) = module.parent {
                let _ = write!(out, " in {parent}");
            }
            let glue = if module.has_glue { " glue" } else { "" };
            let _ = writeln!(out, "{glue}{}", self.pos(module.pos));
        }
        for (index, value) in p.load_times.iter().enumerate() {
            let frozen = if value.frozen { " frozen" } else { "" };
            let _ = writeln!(
                out,
                "load_time lt{index} {:?} in {}{frozen} = {:?}",
                value.name, value.module, value.rust
            );
        }
        for item in &p.statics {
            let mutable = if item.mutable { "mut " } else { "" };
            let _ = writeln!(out, "static {:?} {mutable}{}", item.name, self.ty(item.ty));
        }
        for (index, portal) in p.portals.iter().enumerate() {
            let _ =
                write!(out, "portal portal{index} {:?} {} {}", portal.name, portal.func, name(&portal.ident));
            if let Some(ty) = &portal.method_of {
                let _ = write!(out, " of {ty:?}");
            }
            let _ = write!(out, " params({})", list(portal.params.iter().map(|p| name(p))));
            let _ = write!(out, " greens({})", list(&portal.greens));
            if let Some(owner) = portal.owner {
                let _ = write!(out, " owner {owner}");
            }
            out.push('\n');
        }
        for (name, pos) in &p.unreached {
            let _ = writeln!(out, "unreached {name:?}{}", self.pos(*pos));
        }
        for note in &p.notes {
            let _ = write!(out, "note {} {:?} {:?}", note.code.id(), note.subject, note.message);
            if !note.help.is_empty() {
                let _ = write!(out, " help {:?}", note.help);
            }
            let _ = write!(out, " chain({})", list(note.chain.iter().map(|c| format!("{c:?}"))));
            if note.width != 0 {
                let _ = write!(out, " width {}", note.width);
            }
            let _ = writeln!(out, "{}", self.pos(note.pos));
        }
    }

    fn pos(&self, pos: Pos) -> String {
        if self.style.without_positions || pos == Pos::default() {
            return String::new();
        }
        format!(" @{}:{}:{}", pos.file, pos.line, pos.column)
    }

    fn ty(&self, id: TypeId) -> String {
        let many = |ids: &[TypeId]| list(ids.iter().map(|&id| self.ty(id)));
        match self.program.types.get(id) {
            Type::Ref { to, mutable: true } => format!("&mut {}", self.ty(*to)),
            Type::Ref { to, mutable: false } => format!("&{}", self.ty(*to)),
            Type::RawPtr { to, mutable: true } => format!("*mut {}", self.ty(*to)),
            Type::RawPtr { to, mutable: false } => format!("*const {}", self.ty(*to)),
            Type::FnPtr { params, ret } => format!("fn({}) -> {}", many(params), self.ty(*ret)),
            Type::Tuple(parts) if parts.len() == 1 => format!("({},)", self.ty(parts[0])),
            Type::Tuple(parts) => format!("({})", many(parts)),
            Type::Array(elem, len) => format!("[{}; {len}]", self.ty(*elem)),
            Type::Slice(elem) => format!("[{}]", self.ty(*elem)),
            Type::Box(of) => format!("Box<{}>", self.ty(*of)),
            Type::Vec(of) => format!("Vec<{}>", self.ty(*of)),
            Type::Closure { id, .. } => format!("closure{id}"),
            Type::Adt(_) | Type::Opaque(_) | Type::Dyn(_) => name(&self.program.types.data(id).rust),
            Type::Bool
            | Type::Char
            | Type::Int { .. }
            | Type::F32
            | Type::F64
            | Type::Never
            | Type::Str
            | Type::String => self.program.types.data(id).rust.clone(),
        }
    }

    fn declaration(&self, data: &crate::flow::types::TypeData) -> String {
        let mut facts = format!(" in {}", data.module);
        if data.needs_drop {
            facts += " drop";
        }
        if !data.freeze {
            facts += " nofreeze";
        }
        match &data.ty {
            Type::Closure { id, captures } => {
                format!("closure closure{id} ({})", list(captures.iter().map(|&c| self.ty(c))))
            }
            Type::Dyn(rust) => format!("dyn {}{facts}", name(rust)),
            Type::Adt(adt) => self.adt(adt, facts),
            Type::Opaque(opaque) => self.opaque(opaque, facts),
            other => unreachable!("{other:?} is not declared"),
        }
    }

    fn opaque(&self, opaque: &Opaque, mut facts: String) -> String {
        if let Some(words) = opaque.words {
            let _ = write!(facts, " words {words}");
        }
        if opaque.interior_mut {
            facts += " interior";
        }
        let reaches = list(opaque.reaches.iter().map(|&r| self.ty(r)));
        format!("opaque {}{facts} reaches({reaches})", name(&opaque.rust))
    }

    fn adt(&self, adt: &Adt, mut facts: String) -> String {
        if adt.is_cell {
            facts += " cell";
        }
        if adt.freezes {
            facts += " freezes";
        }
        let mut repr = Vec::new();
        if adt.repr.c {
            repr.push("C".to_string());
        }
        if let Some((bits, signed)) = adt.repr.int {
            repr.push(format!("{}{bits}", if signed { 'i' } else { 'u' }));
        }
        if adt.repr.transparent {
            repr.push("transparent".to_string());
        }
        if !repr.is_empty() {
            let _ = write!(facts, " repr({})", repr.join(", "));
        }
        if let Some(Hidden { module, glue, name, params, bounds, generic, args }) = &adt.hidden {
            let _ = write!(
                facts,
                " hidden in {module} {glue:?} {name:?} {params:?} {bounds:?} {generic:?} {args:?}"
            );
        }
        let fields = |v: &crate::flow::types::Variant| {
            list(v.fields.iter().map(|f| format!("{}: {}", f.name, self.ty(f.ty))))
        };
        if !adt.is_enum {
            let (rust, fields) = (name(&adt.rust), fields(&adt.variants[0]));
            return format!("struct {rust}{facts} {{{fields}}}{}", self.pos(adt.pos));
        }
        let variants = adt.variants.iter().map(|v| {
            let mut text = name(&v.name);
            if !v.fields.is_empty() {
                let _ = write!(text, "{{{}}}", fields(v));
            }
            if let Some(discriminant) = v.discriminant {
                let _ = write!(text, " = {discriminant}");
            }
            text
        });
        format!("enum {}{facts} {{{}}}{}", name(&adt.rust), list(variants), self.pos(adt.pos))
    }

    fn attrs(&self, mut attrs: FuncAttrs) -> String {
        attrs.each().filter(|(_, set)| **set).map(|(word, _)| format!(" {word}")).collect()
    }

    fn externs(&self, out: &mut String) {
        for (index, ext) in self.program.externs.iter().enumerate() {
            let params = list(ext.params.iter().map(|&p| self.ty(p)));
            let _ = write!(out, "extern ext{index} {:?} in {}", ext.name, ext.module);
            let _ = write!(out, " ({params}) -> {}{}", self.ty(ext.ret), self.attrs(ext.attrs));
            let panics = if ext.can_panic { " panics" } else { "" };
            let helper = if ext.is_helper { " helper" } else { "" };
            let _ = write!(out, "{panics}{helper}");
            if let Some(Touches { reads, moves }) = &ext.touches {
                let all = |types: &[TypeId]| list(types.iter().map(|&ty| self.ty(ty)));
                let _ = write!(out, " reads ({}) moves ({})", all(reads), all(moves));
            }
            let _ = writeln!(out, " = {:?}", ext.rust);
        }
    }

    fn func(&self, out: &mut String, index: usize) {
        let func: &Func = &self.program.funcs[index];
        let params = list(func.params.iter().map(|&p| self.ty(p)));
        let _ = write!(out, "fn fn{index} {:?} in {}", func.name, func.module);
        let _ = write!(out, " ({params}) -> {}{}", self.ty(func.ret), self.attrs(func.attrs));
        if let Some(rust) = &func.rust {
            let _ = write!(out, " rust {rust:?}");
        }
        out.push_str(&self.pos(func.pos));
        match &func.body {
            Err(reason) => {
                let _ = writeln!(out, " opaque {reason:?}");
            }
            Ok(graph) => {
                out.push_str(" {\n");
                self.graph(out, graph);
                out.push_str("}\n");
            }
        }
    }

    fn graph(&self, out: &mut String, graph: &Graph) {
        let typed = |&v: &ValueId| format!("{v}: {}", self.ty(graph.values[v.index()]));
        for (index, slot) in graph.slots.iter().enumerate() {
            let _ = writeln!(out, "  slot{index}: {} {:?}", self.ty(slot.ty), slot.name);
        }
        for (index, block) in graph.blocks.iter().enumerate() {
            let _ = writeln!(out, "b{index}({}):", list(block.params.iter().map(typed)));
            for op in &block.ops {
                out.push_str("  ");
                if let Some(result) = op.result {
                    let _ = write!(out, "{} = ", typed(&result));
                }
                self.op(out, graph, op);
                let _ = writeln!(out, "{}", self.pos(op.pos));
            }
            let _ = writeln!(out, "  {}{}", terminator(&block.term), self.pos(block.term_pos));
        }
    }

    fn op(&self, out: &mut String, graph: &Graph, op: &Op) {
        let _ = match &op.kind {
            OpKind::Const(bits) => {
                let ty = op.result.map(|r| self.program.types.get(graph.values[r.index()]));
                match ty {
                    Some(Type::Int { signed: true, .. }) => write!(out, "const {}", *bits as i64),
                    Some(Type::F64 | Type::F32) => write!(out, "const {bits:#x}"),
                    _ => write!(out, "const {bits}"),
                }
            }
            OpKind::LoadTime(id) => write!(out, "load_time {id}"),
            OpKind::Pure(pure, args) => write!(out, "{pure} {}", list(args)),
            OpKind::Retype(value) => write!(out, "retype {value}"),
            OpKind::Make { variant: 0, fields } => write!(out, "make({})", list(fields)),
            OpKind::Make { variant, fields } => write!(out, "make.{variant}({})", list(fields)),
            OpKind::Extract { value, variant: 0, field } => write!(out, "extract {value}.{field}"),
            OpKind::Extract { value, variant, field } => write!(out, "extract {value}.{variant}:{field}"),
            OpKind::VariantOf(value) => write!(out, "variant_of {value}"),
            OpKind::MakeFat { address, len } => write!(out, "make_fat {address}, {len}"),
            OpKind::FatAddress(value) => write!(out, "fat_address {value}"),
            OpKind::FatLen(value) => write!(out, "fat_len {value}"),
            OpKind::SlotAddr(slot) => write!(out, "slot_addr {slot}"),
            OpKind::Ref(at) => write!(out, "ref {}", place(at)),
            OpKind::Load(at) => write!(out, "load {}", place(at)),
            OpKind::LoadVariant(at) => write!(out, "load_variant {}", place(at)),
            OpKind::Store(at, value) => write!(out, "store {}, {value}", place(at)),
            OpKind::CopyMemory { to, from, ty } => {
                write!(out, "copy_memory {}, {} as {}", place(to), place(from), self.ty(*ty))
            }
            OpKind::DropInPlace(at, ty) => write!(out, "drop_in_place {} as {}", place(at), self.ty(*ty)),
            OpKind::New(memory) => write!(out, "new {}", memory.name()),
            OpKind::Free(value) => write!(out, "free {value}"),
            OpKind::NewArray(memory, length) => write!(out, "new_elements {} {length}", memory.name()),
            OpKind::FreeArray { pointer, length } => write!(out, "free_elements {pointer}, {length}"),
            OpKind::Barrier { address, holds } => write!(out, "barrier {address}, {holds}"),
            OpKind::Call(callee, args) => write!(out, "call {}({})", callee_text(*callee), list(args)),
            OpKind::MergePoint(portal, args) => write!(out, "merge_point {portal}({})", list(args)),
            OpKind::CanEnterJit => write!(out, "can_enter_jit"),
            OpKind::Promote(value) => write!(out, "promote {value}"),
            OpKind::IsConstant(value) => write!(out, "is_constant {value}"),
            OpKind::AssertGreen(value) => write!(out, "assert_green {value}"),
            OpKind::TraceLength => write!(out, "trace_length"),
            OpKind::IsVirtual(value) => write!(out, "is_virtual {value}"),
            OpKind::RecordExact(value, known) => write!(out, "record_exact {value}, {known}"),
            OpKind::QuasiImmut { link, value } => write!(out, "quasi_immut {link}, {value}"),
            OpKind::WeAreJitted => write!(out, "we_are_jitted"),
        };
    }
}

fn callee_text(callee: Callee) -> String {
    match callee {
        Callee::Func(id) => id.to_string(),
        Callee::Extern(id) => id.to_string(),
    }
}

fn place(place: &Place) -> String {
    let mut out = place.base.to_string();
    for step in &place.path {
        let _ = match step {
            Proj::Field(field) => write!(out, ".{field}"),
            Proj::Variant { variant, field } => write!(out, ".{variant}:{field}"),
            Proj::Index(value) => write!(out, "[{value}]"),
        };
    }
    out
}

fn target(target: &Target) -> String {
    if target.args.is_empty() {
        target.block.to_string()
    } else {
        format!("{}({})", target.block, list(&target.args))
    }
}

fn terminator(term: &Terminator) -> String {
    match term {
        Terminator::Goto(to) => format!("goto {}", target(to)),
        Terminator::If(value, yes, no) => format!("if {value} {} else {}", target(yes), target(no)),
        Terminator::Switch { value, cases, default } => {
            let cases = list(cases.iter().map(|(bits, to)| format!("{}: {}", *bits as i64, target(to))));
            let default = default.as_ref().map(|to| format!(" else {}", target(to))).unwrap_or_default();
            format!("switch {value} [{cases}]{default}")
        }
        Terminator::Invoke { callee, args, normal, unwind } => format!(
            "invoke {}({}) -> {} unwind {}",
            callee_text(*callee),
            list(args),
            target(normal),
            target(unwind)
        ),
        Terminator::Return(value) => format!("return {value}"),
        Terminator::ResumeUnwind => "resume_unwind".to_string(),
        Terminator::Unreachable => "unreachable".to_string(),
    }
}
