//! What native calls may read and write, from types alone.
//!
//! A call may touch all that can be reached, through pointers of any kind, from its arguments' types and from the
//! statics of the crate. It may write plain memory only where that is reached by `&mut` or ownership, interior-mutable
//! memory wherever it is reached. `dyn`, function pointers, raw pointers, and foreign types that may hide interior
//! mutability reach everything.
//!
//! The walk is over *locations*: a location of type `T` has a [`Context`] that says how scalars in it are classed. What
//! a trace's owner holds ([`Adt::freezes`](metatrace_translator::flow::types::Adt)) does not change while traces live, so it
//! counts as shared.

use std::collections::HashSet;

use metatrace_defs::descr::{ClassId, ClassSet, call_flag};
use metatrace_translator::flow::Program;
use metatrace_translator::flow::types::{Type, TypeId, Types};

use crate::tables::{Call, ClassKey, LeafKey, ShimKind};

/// What a call may touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effects {
    /// What it may read.
    pub reads: ClassSet,
    /// What it may write.
    pub writes: ClassSet,
}

/// How a location is reached.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Mode {
    /// It may be read only, except for interior mutability.
    Shared,
    /// It may be written.
    Exclusive,
}

/// Where a location is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Context {
    /// Nowhere: a value in registers.
    Value,
    /// In a struct or the like, whose classes were already added.
    Field,
    /// An element of an array or vector.
    Element,
    /// Directly behind a pointer: it may be a field or element of anything.
    Pointee,
}

/// A set of locations by type.
#[derive(Default)]
struct Touched {
    everything: bool,
    /// Structs, tuples, closures, enums, containers: all their fields, tags and words.
    aggregates: HashSet<TypeId>,
    /// Scalars that are elements.
    elements: HashSet<TypeId>,
    /// Scalars that may be anywhere.
    anywhere: HashSet<TypeId>,
}

impl Touched {
    fn classes(&self, classes: &[ClassKey]) -> ClassSet {
        if self.everything {
            return ClassSet::All;
        }
        let touches = |key: &ClassKey| {
            let direct = match *key {
                ClassKey::Field { of, .. }
                | ClassKey::Tag(of)
                | ClassKey::Container(of)
                | ClassKey::Apart { of, .. } => self.aggregates.contains(&of),
                ClassKey::Bare { leaf, .. } => self.elements.contains(&leaf),
                ClassKey::Address => false,
            };
            direct || matches!(key.leaf(), LeafKey::Word(leaf, _) if self.anywhere.contains(&leaf))
        };
        let touched = classes.iter().enumerate().filter(|(_, key)| touches(key));
        ClassSet::Some(touched.map(|(n, _)| ClassId::new(n)).collect())
    }
}

struct Walk<'a> {
    types: &'a Types,
    read: Touched,
    written: Touched,
    seen: HashSet<(TypeId, Mode, Context)>,
    /// Whether pointers are followed.
    deep: bool,
}

impl<'a> Walk<'a> {
    fn new(types: &'a Types, deep: bool) -> Walk<'a> {
        let (read, written) = (Touched::default(), Touched::default());
        Walk { types, read, written, seen: HashSet::new(), deep }
    }

    fn everything(&mut self) {
        self.read.everything = true;
        self.written.everything = true;
    }

    fn mark(&mut self, mode: Mode, mark: impl Fn(&mut Touched)) {
        mark(&mut self.read);
        if mode == Mode::Exclusive {
            mark(&mut self.written);
        }
    }

    fn aggregate(&mut self, ty: TypeId, mode: Mode, context: Context) {
        if context != Context::Value {
            self.mark(mode, |touched| _ = touched.aggregates.insert(ty));
        }
    }

    fn leaf(&mut self, ty: TypeId, mode: Mode, context: Context) {
        match context {
            Context::Value | Context::Field => {}
            Context::Element => self.mark(mode, |touched| _ = touched.elements.insert(ty)),
            Context::Pointee => self.mark(mode, |touched| _ = touched.anywhere.insert(ty)),
        }
    }

    fn pointee(&mut self, ty: TypeId, mode: Mode, context: Context) {
        if self.deep {
            self.location(ty, mode, context);
        }
    }

    fn opaque_pointer(&mut self) {
        if self.deep {
            self.everything();
        }
    }

    fn location(&mut self, ty: TypeId, mode: Mode, context: Context) {
        if !self.seen.insert((ty, mode, context)) {
            return;
        }
        let inside = if context == Context::Value { Context::Value } else { Context::Field };
        match self.types.get(ty).clone() {
            Type::Bool | Type::Char | Type::Int { .. } | Type::F32 | Type::F64 => {
                self.leaf(ty, mode, context)
            }
            Type::Never => {}
            Type::Str => {
                // Bytes behind a `&mut str` can be made a `&mut [u8]`.
                let byte = self.types.iter().find(|(_, data)| data.ty == Type::U8).map(|(id, _)| id);
                byte.iter().for_each(|&byte| self.location(byte, mode, Context::Pointee));
            }
            Type::Slice(elem) => self.location(elem, mode, Context::Pointee),
            Type::Array(elem, _) => {
                let elements = match context {
                    Context::Value => Context::Value,
                    Context::Pointee => Context::Pointee,
                    Context::Field | Context::Element => Context::Element,
                };
                self.location(elem, mode, elements);
            }
            Type::Ref { to, mutable } => {
                self.leaf(ty, mode, context);
                let mode = if mutable { mode } else { Mode::Shared };
                self.pointee(to, mode, Context::Pointee);
            }
            Type::Box(to) => {
                self.leaf(ty, mode, context);
                self.pointee(to, mode, Context::Pointee);
            }
            Type::RawPtr { .. } | Type::FnPtr { .. } => {
                self.leaf(ty, mode, context);
                self.opaque_pointer();
            }
            Type::Dyn(_) => self.everything(),
            Type::Vec(elem) => {
                self.aggregate(ty, mode, context);
                self.pointee(elem, mode, Context::Element);
            }
            Type::String => {
                self.aggregate(ty, mode, context);
                let byte = self.types.iter().find(|(_, data)| data.ty == Type::U8).map(|(id, _)| id);
                byte.iter().for_each(|&byte| self.pointee(byte, mode, Context::Element));
            }
            Type::Tuple(parts) | Type::Closure { captures: parts, .. } => {
                self.aggregate(ty, mode, context);
                parts.iter().for_each(|&part| self.location(part, mode, inside));
            }
            Type::Adt(adt) => {
                let mode = if adt.is_cell { Mode::Exclusive } else { mode };
                self.aggregate(ty, mode, context);
                for field in adt.variants.iter().flat_map(|v| &v.fields) {
                    match *self.types.get(field.ty) {
                        // The content of an owner: it never changes while traces live.
                        Type::RawPtr { to, .. } | Type::Box(to) if adt.freezes => {
                            self.leaf(field.ty, mode, inside);
                            self.pointee(to, Mode::Shared, Context::Pointee);
                        }
                        _ => self.location(field.ty, mode, inside),
                    }
                }
            }
            Type::Opaque(opaque) => {
                self.leaf(ty, mode, context);
                if opaque.interior_mut {
                    self.opaque_pointer();
                }
                opaque.reaches.iter().for_each(|&to| self.pointee(to, mode, Context::Pointee));
            }
        }
    }

    fn statics(&mut self, program: &Program) {
        for item in &program.statics {
            let mode = if item.mutable { Mode::Exclusive } else { Mode::Shared };
            self.location(item.ty, mode, Context::Pointee);
        }
    }
}

/// The effects of `call` on the classes of a program.
pub fn effects(program: &Program, classes: &[ClassKey], call: &Call) -> Effects {
    let types = &program.types;
    let mut walk = Walk::new(types, true);
    let mut shallow = Walk::new(types, false);
    match call.kind {
        ShimKind::Func(id) => {
            let func = program.func(id);
            walk.call(&func.params, func.ret);
            walk.statics(program);
        }
        ShimKind::Extern(id) => {
            let callee = program.extern_fn(id);
            match &callee.touches {
                Some(touches) => {
                    walk.result(callee.ret);
                    touches.reads.iter().for_each(|&ty| walk.location(ty, Mode::Shared, Context::Pointee));
                    for &ty in &touches.moves {
                        shallow.location(ty, Mode::Exclusive, Context::Pointee);
                        shallow.location(ty, Mode::Exclusive, Context::Element);
                    }
                    for &param in &callee.params {
                        // Its own memory, but not what that points to.
                        if let Some(to) = types.pointee(param) {
                            shallow.location(to, Mode::Shared, Context::Pointee);
                        }
                        match *types.get(param) {
                            Type::Ref { to, mutable: true } if !touches.moves.is_empty() => {
                                shallow.location(to, Mode::Exclusive, Context::Pointee);
                            }
                            _ if types.is_memory(param) => {
                                shallow.location(param, Mode::Exclusive, Context::Pointee);
                            }
                            _ => {}
                        }
                    }
                }
                None => walk.call(&callee.params, callee.ret),
            }
            if !callee.is_helper {
                walk.statics(program);
            }
        }
        ShimKind::Load(ty) | ShimKind::Variant(ty) => {
            shallow.location(ty, Mode::Shared, Context::Pointee);
            // Reading takes no part in interior mutability, whatever the type says.
            shallow.written = Touched::default();
        }
        ShimKind::Store(ty) | ShimKind::Copy(ty) => shallow.location(ty, Mode::Exclusive, Context::Pointee),
        ShimKind::Project(..) => {}
        ShimKind::Drop(ty) => {
            walk.location(ty, Mode::Exclusive, Context::Pointee);
            walk.statics(program);
        }
    }
    let merge = |deep: Touched, shallow: Touched| Touched {
        everything: deep.everything || shallow.everything || call.wild,
        aggregates: deep.aggregates.into_iter().chain(shallow.aggregates).collect(),
        elements: deep.elements.into_iter().chain(shallow.elements).collect(),
        anywhere: deep.anywhere.into_iter().chain(shallow.anywhere).collect(),
    };
    let signature = match call.kind {
        ShimKind::Func(id) => Some((program.func(id).attrs, &program.func(id).params, program.func(id).ret)),
        ShimKind::Extern(id) => {
            let callee = program.extern_fn(id);
            Some((callee.attrs, &callee.params, callee.ret))
        }
        _ => None,
    };
    if let Some((attrs, params, ret)) = signature
        && attrs.reads_only
    {
        // Its own memory, and that of its result.
        (walk.written, shallow.written) = Default::default();
        walk.result(ret);
        for &param in params.iter().filter(|&&param| types.is_memory(param)) {
            shallow.location(param, Mode::Exclusive, Context::Pointee);
        }
    }
    let reads = merge(walk.read, shallow.read).classes(classes);
    let pure = call.flags & call_flag::ELIDABLE != 0;
    let only_reads =
        pure || matches!(call.kind, ShimKind::Load(_) | ShimKind::Variant(_) | ShimKind::Project(..));
    let written = if only_reads { Touched::default() } else { merge(walk.written, shallow.written) };
    let reads = if matches!(call.kind, ShimKind::Project(..)) { ClassSet::Some(vec![]) } else { reads };
    Effects { reads, writes: written.classes(classes) }
}

impl Walk<'_> {
    fn call(&mut self, params: &[TypeId], ret: TypeId) {
        for &param in params {
            // Memory types come by address, and are the callee's from then on.
            let context = if self.types.is_memory(param) { Context::Pointee } else { Context::Value };
            self.location(param, Mode::Exclusive, context);
        }
        self.result(ret);
    }

    /// A result of a memory type is written by the callee.
    fn result(&mut self, ret: TypeId) {
        if self.types.is_memory(ret) {
            let mut result = Walk::new(self.types, false);
            result.location(ret, Mode::Exclusive, Context::Pointee);
            self.written.aggregates.extend(result.written.aggregates);
            self.written.elements.extend(result.written.elements);
            self.written.anywhere.extend(result.written.anywhere);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use metatrace_translator::flow::parse;

    const HEAD: &str = r#"
program "demo" 0x0
module mod0 "demo" glue
struct crate::Tape in mod0 {head: usize, cells: Vec<u8>}
struct crate::Host in mod0 {count: u32, name: &u8}
struct `Cell<u8>` in mod0 nofreeze cell {value: u8}
struct crate::Shared in mod0 nofreeze {seen: `Cell<u8>`, limit: usize}
struct crate::Code in mod0 freezes {inner: *const crate::Tape}
opaque crate::Known in mod0 words 1
opaque crate::Unknown in mod0 words 1 interior
dyn crate::Shape in mod0 nofreeze
"#;

    /// The classes of all fields in the head, of `u8` elements, and of what the calls may do with them.
    fn check(params: &str, statics: &str, reads: &str, writes: &str) {
        check_hinted("", params, statics, reads, writes);
    }

    /// The same of calls with hints.
    fn check_hinted(hints: &str, params: &str, statics: &str, reads: &str, writes: &str) {
        let text = format!("{HEAD}{statics}\nextern ext0 \"f\" in mod0 ({params}) -> () {hints} = \"f\"\n");
        let program = parse::program(&text).unwrap_or_else(|e| panic!("{e}"));
        let types = &program.types;
        let mut classes = Vec::new();
        for (of, data) in types.iter() {
            match &data.ty {
                Type::Adt(adt) => {
                    for (n, field) in adt.variants[0].fields.iter().enumerate() {
                        let (field, leaf) = (n as u32, field.ty);
                        classes.push(ClassKey::Field { of, variant: 0, field, leaf, word: 0 });
                    }
                }
                Type::Vec(leaf) => {
                    classes.push(ClassKey::Container(of));
                    classes.push(ClassKey::Bare { leaf: *leaf, word: 0 });
                }
                _ => {}
            }
        }
        let mut tables = crate::tables::Tables::default();
        classes.iter().for_each(|&key| _ = tables.class(key));
        let names: Vec<String> = tables.class_descriptors(types).into_iter().map(|c| c.name).collect();
        let kind = ShimKind::Extern(metatrace_translator::flow::ExternId(0));
        let call = Call { name: "f".into(), kind, wild: false, args: vec![], results: vec![], flags: 0 };
        let show = |set: ClassSet| match set {
            ClassSet::All => "all".to_string(),
            ClassSet::Some(set) => {
                let mut shown: Vec<String> = set.iter().map(|c| names[c.index()].clone()).collect();
                shown.sort();
                shown.join(", ")
            }
        };
        let effects = effects(&program, &classes, &call);
        assert_eq!(show(effects.reads), reads, "reads of {params} {statics}");
        assert_eq!(show(effects.writes), writes, "writes of {params} {statics}");
    }

    #[test]
    fn plain_memory_is_written_where_it_is_reached_exclusively() {
        check("i64, bool", "", "", "");
        let tape = "Tape.cells, Tape.head, Vec<u8> itself, [u8]";
        check("&crate::Tape", "", tape, "");
        check("&mut crate::Tape", "", tape, tape);
        check("crate::Tape", "", "[u8]", "[u8]");
        check("& &mut crate::Tape", "", tape, "");
        check("&mut crate::Host", "", "Cell<u8>.value, Host.count, Host.name, [u8]", "Host.count, Host.name");
    }

    #[test]
    fn what_reads_only_writes_nothing_but_its_own() {
        let hinted =
            |params, reads, writes| check_hinted("dont_look_inside reads_only", params, "", reads, writes);
        hinted("&mut crate::Tape", "Tape.cells, Tape.head, Vec<u8> itself, [u8]", "");
        hinted("&crate::Shared", "Cell<u8>.value, Shared.limit, Shared.seen", "");
        hinted("&crate::Unknown", "all", "");
        hinted("crate::Tape", "[u8]", "");
    }

    #[test]
    fn a_reference_to_a_scalar_may_point_anywhere() {
        check("&mut u8", "", "Cell<u8>.value, [u8]", "Cell<u8>.value, [u8]");
        check("&mut [usize]", "", "Shared.limit, Tape.head", "Shared.limit, Tape.head");
        check("&mut Vec<u8>", "", "Vec<u8> itself, [u8]", "Vec<u8> itself, [u8]");
    }

    #[test]
    fn cells_are_written_wherever_they_are_reached() {
        let shared = "Cell<u8>.value, Shared.limit, Shared.seen";
        check("&crate::Shared", "", shared, "Cell<u8>.value");
        check("", "static \"S\" crate::Shared", shared, "Cell<u8>.value");
        check("", "static \"S\" mut crate::Shared", shared, shared);
    }

    #[test]
    fn what_is_apart_is_touched_only_by_who_reaches_it() {
        let text = format!(
            "{HEAD}struct `metatrace::Apart<u8>` in mod0 {{0: u8}}\nextern ext0 \"f\" in mod0 (&mut `metatrace::Apart<u8>`) -> () = \"f\"\n\
             extern ext1 \"g\" in mod0 (&mut u8) -> () = \"g\"\n"
        );
        let program = parse::program(&text).unwrap_or_else(|e| panic!("{e}"));
        let types = &program.types;
        let of = types.iter().map(|(of, _)| of).find(|&of| crate::layout::is_apart(types, of));
        let byte = types.iter().find(|(_, data)| data.ty == Type::U8).map(|(id, _)| id);
        let (Some(of), Some(leaf)) = (of, byte) else { panic!("no such types") };
        let mut tables = crate::tables::Tables::default();
        let key = ClassKey::Field { of, variant: 0, field: 0, leaf, word: 0 };
        let (plain, apart) = (tables.class(key), tables.class_in(Some(of), key));
        let described = tables.class_descriptors(types);
        assert_ne!(described[plain.index()].leaf, described[apart.index()].leaf);
        assert_eq!(described[apart.index()].name, "Apart<u8>: Apart<u8>.0");
        let writes = |id| {
            let kind = ShimKind::Extern(metatrace_translator::flow::ExternId(id));
            let call = Call { name: "f".into(), kind, wild: false, args: vec![], results: vec![], flags: 0 };
            effects(&program, &tables.classes, &call).writes
        };
        assert_eq!(writes(0), ClassSet::Some(vec![plain, apart]));
        assert_eq!(writes(1), ClassSet::Some(vec![plain]));
    }

    #[test]
    fn owners_do_not_change() {
        check(
            "&mut crate::Code",
            "",
            "Code.inner, Tape.cells, Tape.head, Vec<u8> itself, [u8]",
            "Code.inner",
        );
    }

    #[test]
    fn what_nobody_knows_reaches_everything() {
        check("crate::Known", "", "", "");
        check("crate::Unknown", "", "all", "all");
        check("&crate::Shape", "", "all", "all");
        check("*const u8", "", "all", "all");
        check("fn(i64) -> i64", "", "all", "all");
    }
}
