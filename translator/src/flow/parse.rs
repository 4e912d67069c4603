//! The text form of flow programs: parsing.
//!
//! ```text
//! program "demo" 0x0                           name, hash of the input
//! file "src/lib.rs"                            number 0, 1, … in positions
//! module mod0 "demo" glue                      `glue`: it contains `metatrace::glue!()`
//! module mod1 "demo::a" in mod0
//! crate "code" uses "words" "::words" on "jit" off "slow"
//! load_time lt0 "LIMIT" in mod1 frozen = "crate::a::LIMIT as u64"
//! static "COUNT" mut i64                       `mut`: a `static mut`
//! portal portal0 "demo" fn0 interpret params(pc, code) greens(0) owner 1
//! unreached "crate::g" @0:3:4                  functions that nothing calls
//! note E0501 "f" "why" help "what to do" chain("portal", "f") width 5
//! struct crate::P in mod0 {x: i64, 1: f64}     facts after the module: drop nofreeze cell freezes repr(C, u8)
//! enum crate::Op in mod0 repr(u8) {Halt, Push{0: i64} = 4}
//! opaque `std::rc::Rc<i64>` in mod0 drop words 1 interior reaches(i64)
//! dyn crate::Shape in mod0 nofreeze
//! closure closure3 (&mut i64, u8)
//! extern ext0 "host" in mod0 (i64) -> i64 panics helper = "crate::host"
//! fn fn0 "f" in mod0 (i64) -> i64 unroll_safe rust "crate::f" @0:3:1 {
//!   slot0: Vec<i64> "regs"
//! b0(v0: i64):
//!   v1: i64 = const -5
//!   v2: i64 = int_add v0, v1 @0:4:5            a position: file, line, column
//!   v3: bool = int_lt v2, v0
//!   if v3 b1(v2) else b2
//! b1(v4: i64):
//!   return v4
//! b2():
//!   unreachable
//! }
//! fn fn1 "g" in mod0 (i64) -> () opaque "why it is not entered"
//! ```
//!
//! Types are spelled as in Rust; a declared type by its spelling, in backquotes unless it is a plain path. A type must
//! be declared somewhere, in any order, but closures before they are mentioned. `drop` and `nofreeze` say that dropping runs code, and that there is an
//! `UnsafeCell` by value. Places are `v1.2[v3].1:0`: pointer, field 2, element, field 0 of variant 1. Operations:
//! `const N`, `load_time ltN`, the pure operations' names, `retype v`, `make(…)`, `make.VARIANT(…)`,
//! `extract v.FIELD`, `extract v.VARIANT:FIELD`, `variant_of v`, `make_fat v, v`, `fat_address v`, `fat_len v`,
//! `slot_addr slotN`, `ref P`, `load P`, `load_variant P`, `store P, v`, `copy_memory TO, FROM as T`,
//! `drop_in_place P as T`, `call fnN(…)`, `call extN(…)`, `merge_point portalN(…)`, `can_enter_jit`, `promote v`,
//! `we_are_jitted`, `is_constant v1`, `assert_green v1`, `trace_length`, `quasi_immut v1, v2`, `is_virtual v1`, `record_exact v1, v2`. Ends of blocks: `goto`, `if`, `switch v [1: b1, 2: b2(v3)] else b4`,
//! `invoke fnN(…) -> b1(…) unwind b2`, `return v`, `resume_unwind`, `unreachable`.

use crate::diag::Code;
use crate::flow::lex::{Token, lex};
use crate::flow::types::{Adt, Field, Hidden, Opaque, Repr, Type, TypeData, TypeId, Variant};
use crate::flow::{
    Block, BlockId, Callee, Extern, Func, FuncAttrs, Graph, LoadTimeValue, Memory, Module, ModuleId, Note,
    Op, OpKind, Place, Portal, Pos, Program, Proj, SlotData, Static, Target, Terminator, Touches, ValueId,
};
use metatrace_defs::PureOp;
use std::fmt;
use std::str::FromStr;

/// What is wrong with a text, and in which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// From 1.
    pub line: u32,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ParseError {}

type Result<T> = std::result::Result<T, ParseError>;

/// Reads a program. The result is not verified.
///
/// # Errors
/// The first thing that cannot be understood.
pub fn program(text: &str) -> Result<Program> {
    let tokens = lex(text)?;
    let mut p = Parser { tokens, at: 0, program: Program::default(), undefined: Vec::new() };
    while p.at < p.tokens.len() {
        p.item()?;
    }
    match p.undefined.first() {
        Some((name, line)) => {
            Err(ParseError { line: *line, message: format!("the type `{name}` is not declared") })
        }
        None => Ok(p.program),
    }
}

struct Parser {
    tokens: Vec<(Token, u32)>,
    at: usize,
    program: Program,
    /// Names of types that were mentioned and not declared yet, with the line.
    undefined: Vec<(String, u32)>,
}

impl Parser {
    fn fail<T>(&self, message: impl Into<String>) -> Result<T> {
        let at = self.at.min(self.tokens.len().saturating_sub(1));
        let line = self.tokens.get(at).map_or(0, |t| t.1);
        Err(ParseError { line, message: message.into() })
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|t| &t.0)
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.peek(), Some(Token::Sign(s)) if *s == sign)
    }

    fn eat(&mut self, sign: &str) -> bool {
        let found = self.is(sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<()> {
        if self.eat(sign) { Ok(()) } else { self.fail(format!("expected `{sign}`, found {:?}", self.peek())) }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(w)) if w == word)
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self) -> Result<String> {
        match self.peek().cloned() {
            Some(Token::Word(word)) => {
                self.at += 1;
                Ok(word)
            }
            other => self.fail(format!("expected a name, found {other:?}")),
        }
    }

    /// A field's name: a word or a number.
    fn field_name(&mut self) -> Result<String> {
        match self.peek() {
            Some(Token::Number(_)) => Ok(self.number()?.to_string()),
            _ => self.word(),
        }
    }

    fn string(&mut self) -> Result<String> {
        match self.peek().cloned() {
            Some(Token::Text(text)) => {
                self.at += 1;
                Ok(text)
            }
            other => self.fail(format!("expected a string, found {other:?}")),
        }
    }

    fn number(&mut self) -> Result<u128> {
        match self.peek() {
            Some(&Token::Number(n)) => {
                self.at += 1;
                Ok(n)
            }
            other => self.fail(format!("expected a number, found {other:?}")),
        }
    }

    fn small<T: TryFrom<u128>>(&mut self) -> Result<T> {
        let n = self.number()?;
        T::try_from(n).or_else(|_| self.fail(format!("{n} is too large")))
    }

    /// A number with a sign, as 64 bits.
    fn bits(&mut self) -> Result<u64> {
        if self.eat("-") { Ok(self.small::<u64>()?.wrapping_neg()) } else { self.small() }
    }

    /// An entity such as `v3`.
    fn entity<T: FromStr>(&mut self, what: &str) -> Result<T> {
        let word = self.word()?;
        T::from_str(&word).or_else(|_| {
            self.at -= 1;
            self.fail(format!("expected {what}, found `{word}`"))
        })
    }

    fn many<T>(&mut self, end: &str, mut one: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut out = Vec::new();
        while !self.eat(end) {
            out.push(one(self)?);
            if !self.eat(",") {
                self.expect(end)?;
                break;
            }
        }
        Ok(out)
    }

    fn in_parens<T>(&mut self, one: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.expect("(")?;
        self.many(")", one)
    }

    fn pos(&mut self) -> Result<Pos> {
        if !self.eat("@") {
            return Ok(Pos::default());
        }
        let file = self.small()?;
        self.expect(":")?;
        let line = self.small()?;
        self.expect(":")?;
        Ok(Pos { file, line, column: self.small()? })
    }

    fn in_module(&mut self) -> Result<ModuleId> {
        if self.eat_word("in") { self.entity("a module") } else { Ok(ModuleId(0)) }
    }

    /// The number of the entity that an item declares must be the next.
    fn numbered(&mut self, prefix: &str, next: usize) -> Result<()> {
        let word = self.word()?;
        if word == format!("{prefix}{next}") {
            return Ok(());
        }
        self.at -= 1;
        self.fail(format!("expected `{prefix}{next}`, found `{word}`"))
    }

    fn item(&mut self) -> Result<()> {
        match self.word()?.as_str() {
            "program" => {
                self.program.name = self.string()?;
                self.program.hash = self.small()?;
            }
            "file" => {
                let file = self.string()?;
                self.program.files.push(file);
            }
            "crate" => self.crate_()?,
            "module" => self.module()?,
            "load_time" => self.load_time()?,
            "static" => {
                let name = self.string()?;
                let mutable = self.eat_word("mut");
                let ty = self.ty()?;
                self.program.statics.push(Static { name, ty, mutable });
            }
            "portal" => self.portal()?,
            "note" => self.note()?,
            "unreached" => {
                let name = self.string()?;
                let pos = self.pos()?;
                self.program.unreached.push((name, pos));
            }
            "struct" => self.adt(false)?,
            "enum" => self.adt(true)?,
            "opaque" => self.opaque()?,
            "dyn" => {
                let rust = self.word()?;
                let (module, needs_drop, freeze) = self.facts()?;
                self.define(TypeData { ty: Type::Dyn(rust.clone()), rust, module, needs_drop, freeze })?;
            }
            "closure" => {
                let id = self.closure_id()?;
                let captures = self.in_parens(Self::ty)?;
                self.program.types.add(Type::Closure { id, captures });
            }
            "extern" => self.extern_fn()?,
            "fn" => self.func()?,
            other => {
                self.at -= 1;
                return self.fail(format!("`{other}` starts no item"));
            }
        }
        Ok(())
    }

    fn crate_(&mut self) -> Result<()> {
        let mut out = crate::flow::Crate { name: self.string()?, ..crate::flow::Crate::default() };
        loop {
            if self.eat_word("uses") {
                out.uses.push((self.string()?, self.string()?));
            } else if self.eat_word("on") {
                out.features.push((self.string()?, true));
            } else if self.eat_word("off") {
                out.features.push((self.string()?, false));
            } else {
                break;
            }
        }
        self.program.types.libraries.push(out.name.clone());
        self.program.crates.push(out);
        Ok(())
    }

    fn module(&mut self) -> Result<()> {
        self.numbered("mod", self.program.modules.len())?;
        let path = self.string()?;
        let parent = if self.eat_word("in") { Some(self.entity("a module")?) } else { None };
        let has_glue = self.eat_word("glue");
        let pos = self.pos()?;
        self.program.modules.push(Module { path, parent, has_glue, pos });
        Ok(())
    }

    fn load_time(&mut self) -> Result<()> {
        self.numbered("lt", self.program.load_times.len())?;
        let name = self.string()?;
        let module = self.in_module()?;
        let frozen = self.eat_word("frozen");
        self.expect("=")?;
        let rust = self.string()?;
        self.program.load_times.push(LoadTimeValue { rust, module, name, frozen });
        Ok(())
    }

    fn portal(&mut self) -> Result<()> {
        self.numbered("portal", self.program.portals.len())?;
        let name = self.string()?;
        let func = self.entity("a function")?;
        let ident = self.word()?;
        let mut portal =
            Portal { name, ident, method_of: None, func, params: vec![], greens: vec![], owner: None };
        loop {
            if self.eat_word("of") {
                portal.method_of = Some(self.string()?);
                continue;
            }
            if self.eat_word("params") {
                portal.params = self.in_parens(Self::word)?;
            } else if self.eat_word("greens") {
                portal.greens = self.in_parens(Self::small)?;
            } else if self.eat_word("owner") {
                portal.owner = Some(self.small()?);
            } else {
                break;
            }
        }
        self.program.portals.push(portal);
        Ok(())
    }

    fn note(&mut self) -> Result<()> {
        let code = self.word()?;
        let Some(code) = Code::find(&code) else { return self.fail(format!("unknown code `{code}`")) };
        let subject = self.string()?;
        let message = self.string()?;
        let help = if self.eat_word("help") { self.string()? } else { String::new() };
        let chain = if self.eat_word("chain") { self.in_parens(Self::string)? } else { vec![] };
        let width = if self.eat_word("width") { self.small()? } else { 0 };
        let pos = self.pos()?;
        self.program.notes.push(Note { code, subject, message, help, pos, width, chain });
        Ok(())
    }

    // ---- types ----------------------------------------------------------------------------------------------------

    fn closure_id(&mut self) -> Result<u32> {
        let word = self.word()?;
        match word.strip_prefix("closure").and_then(|n| n.parse().ok()) {
            Some(id) => Ok(id),
            None => self.fail(format!("expected `closure` and a number, found `{word}`")),
        }
    }

    /// The module, and whether `drop` and not `nofreeze`.
    fn facts(&mut self) -> Result<(ModuleId, bool, bool)> {
        let module = self.in_module()?;
        let needs_drop = self.eat_word("drop");
        Ok((module, needs_drop, !self.eat_word("nofreeze")))
    }

    fn define(&mut self, data: TypeData) -> Result<()> {
        let (id, is_new) = self.program.types.declare(&data.rust, data.module);
        let before = self.undefined.len();
        self.undefined.retain(|(name, _)| *name != data.rust);
        if !is_new && before == self.undefined.len() {
            return self.fail(format!("the type `{}` is declared twice", data.rust));
        }
        self.program.types.define(id, data);
        Ok(())
    }

    fn opaque(&mut self) -> Result<()> {
        let rust = self.word()?;
        let (module, needs_drop, freeze) = self.facts()?;
        let mut opaque =
            Opaque { rust: rust.clone(), module, words: None, reaches: vec![], interior_mut: false };
        loop {
            if self.eat_word("words") {
                opaque.words = Some(self.small()?);
            } else if self.eat_word("interior") {
                opaque.interior_mut = true;
            } else if self.eat_word("reaches") {
                opaque.reaches = self.in_parens(Self::ty)?;
            } else {
                break;
            }
        }
        self.define(TypeData { ty: Type::Opaque(opaque), rust, module, needs_drop, freeze })
    }

    fn adt(&mut self, is_enum: bool) -> Result<()> {
        let rust = self.word()?;
        let (module, needs_drop, freeze) = self.facts()?;
        let is_cell = self.eat_word("cell");
        let freezes = self.eat_word("freezes");
        let repr = if self.eat_word("repr") { self.repr()? } else { Repr::default() };
        let hidden = if self.eat_word("hidden") { Some(self.hidden()?) } else { None };
        self.expect("{")?;
        let variants = if is_enum {
            self.many("}", Self::variant)?
        } else {
            let fields = self.many("}", Self::field)?;
            let name = rust.rsplit("::").next().unwrap_or(&rust).to_string();
            vec![Variant { name, fields, discriminant: None }]
        };
        let pos = self.pos()?;
        let adt = Adt { rust: rust.clone(), module, is_enum, variants, repr, is_cell, freezes, hidden, pos };
        self.define(TypeData { ty: Type::Adt(adt), rust, module, needs_drop, freeze })
    }

    fn hidden(&mut self) -> Result<Hidden> {
        Ok(Hidden {
            module: self.in_module()?,
            glue: self.string()?,
            name: self.string()?,
            params: self.string()?,
            bounds: self.string()?,
            generic: self.string()?,
            args: self.string()?,
        })
    }

    fn repr(&mut self) -> Result<Repr> {
        let mut repr = Repr::default();
        for word in self.in_parens(Self::word)? {
            match (word.as_str(), word.get(1..).and_then(|bits| bits.parse().ok())) {
                ("C", _) => repr.c = true,
                ("transparent", _) => repr.transparent = true,
                (_, Some(bits)) => repr.int = Some((bits, word.starts_with('i'))),
                _ => return self.fail(format!("unknown representation `{word}`")),
            }
        }
        Ok(repr)
    }

    fn variant(&mut self) -> Result<Variant> {
        let name = self.word()?;
        let fields = if self.eat("{") { self.many("}", Self::field)? } else { vec![] };
        let mut discriminant = None;
        if self.eat("=") {
            let negative = self.eat("-");
            let value = self.small::<i128>()?;
            discriminant = Some(if negative { -value } else { value });
        }
        Ok(Variant { name, fields, discriminant })
    }

    fn field(&mut self) -> Result<Field> {
        let name = self.field_name()?;
        self.expect(":")?;
        Ok(Field { name, ty: self.ty()? })
    }

    fn ty(&mut self) -> Result<TypeId> {
        let ty = if self.eat("&") {
            let mutable = self.eat_word("mut");
            Type::Ref { to: self.ty()?, mutable }
        } else if self.eat("*") {
            let mutable = self.eat_word("mut");
            if !mutable && !self.eat_word("const") {
                return self.fail("expected `mut` or `const`");
            }
            Type::RawPtr { to: self.ty()?, mutable }
        } else if self.eat("!") {
            Type::Never
        } else if self.eat("(") {
            Type::Tuple(self.many(")", Self::ty)?)
        } else if self.eat("[") {
            let elem = self.ty()?;
            let ty = if self.eat(";") { Type::Array(elem, self.small()?) } else { Type::Slice(elem) };
            self.expect("]")?;
            ty
        } else {
            return self.named_type();
        };
        Ok(self.program.types.add(ty))
    }

    fn named_type(&mut self) -> Result<TypeId> {
        let line = self.tokens.get(self.at).map_or(0, |t| t.1);
        let word = self.word()?;
        let ty = match word.as_str() {
            "bool" => Type::Bool,
            "char" => Type::Char,
            "f32" => Type::F32,
            "f64" => Type::F64,
            "str" => Type::Str,
            "String" => Type::String,
            "fn" => {
                let params = self.in_parens(Self::ty)?;
                self.expect("->")?;
                Type::FnPtr { params, ret: self.ty()? }
            }
            "Box" | "Vec" if self.eat("<") => {
                let of = self.ty()?;
                self.expect(">")?;
                if word == "Box" { Type::Box(of) } else { Type::Vec(of) }
            }
            "usize" | "isize" => Type::Int { bits: 64, signed: word == "isize", size: true },
            "i8" | "i16" | "i32" | "i64" | "i128" | "u8" | "u16" | "u32" | "u64" | "u128" => {
                let bits = word[1..].parse().or_else(|_| self.fail("a width"))?;
                Type::Int { bits, signed: word.starts_with('i'), size: false }
            }
            _ => return self.declared_type(&word, line),
        };
        Ok(self.program.types.add(ty))
    }

    fn declared_type(&mut self, word: &str, line: u32) -> Result<TypeId> {
        if let Some(id) = word.strip_prefix("closure").and_then(|n| n.parse::<u32>().ok()) {
            let found = self
                .program
                .types
                .iter()
                .find(|(_, data)| matches!(data.ty, Type::Closure { id: i, .. } if i == id));
            return match found {
                Some((ty, _)) => Ok(ty),
                None => self.fail(format!("`{word}` is not declared above")),
            };
        }
        let (id, is_new) = self.program.types.declare(word, ModuleId(0));
        if is_new {
            self.undefined.push((word.to_string(), line));
        }
        Ok(id)
    }

    // ---- functions ------------------------------------------------------------------------------------------------

    fn signature(&mut self) -> Result<(ModuleId, Vec<TypeId>, TypeId, FuncAttrs)> {
        let module = self.in_module()?;
        let params = self.in_parens(Self::ty)?;
        self.expect("->")?;
        let ret = self.ty()?;
        let mut attrs = FuncAttrs::default();
        while let Some((_, fact)) = attrs.each().find(|(word, _)| self.eat_word(word)) {
            *fact = true;
        }
        Ok((module, params, ret, attrs))
    }

    fn extern_fn(&mut self) -> Result<()> {
        self.numbered("ext", self.program.externs.len())?;
        let name = self.string()?;
        let (module, params, ret, attrs) = self.signature()?;
        let can_panic = self.eat_word("panics");
        let is_helper = self.eat_word("helper");
        let mut touches = None;
        if self.eat_word("reads") {
            let reads = self.in_parens(Self::ty)?;
            self.expect("moves")?;
            touches = Some(Touches { reads, moves: self.in_parens(Self::ty)? });
        }
        self.expect("=")?;
        let rust = self.string()?;
        let ext = Extern { name, rust, module, params, ret, attrs, can_panic, is_helper, touches };
        self.program.externs.push(ext);
        Ok(())
    }

    fn func(&mut self) -> Result<()> {
        self.numbered("fn", self.program.funcs.len())?;
        let name = self.string()?;
        let (module, params, ret, attrs) = self.signature()?;
        let rust = if self.eat_word("rust") { Some(self.string()?) } else { None };
        let pos = self.pos()?;
        let body = if self.eat_word("opaque") { Err(self.string()?) } else { Ok(self.graph()?) };
        self.program.funcs.push(Func { name, rust, module, params, ret, attrs, pos, body });
        Ok(())
    }

    fn graph(&mut self) -> Result<Graph> {
        self.expect("{")?;
        let mut g = GraphParser { graph: Graph::default(), known: Vec::new() };
        while matches!(self.peek(), Some(Token::Word(w)) if w.starts_with("slot")) {
            self.numbered("slot", g.graph.slots.len())?;
            self.expect(":")?;
            let ty = self.ty()?;
            g.graph.slots.push(SlotData { ty, name: self.string()? });
        }
        while !self.eat("}") {
            self.block(&mut g)?;
        }
        match g.known.iter().position(|known| !known) {
            Some(missing) => self.fail(format!("v{missing} has no definition")),
            None => Ok(g.graph),
        }
    }

    /// `v3: i64`, a definition.
    fn definition(&mut self, g: &mut GraphParser) -> Result<ValueId> {
        let value: ValueId = self.entity("a value")?;
        self.expect(":")?;
        let ty = self.ty()?;
        if value.index() > 1 << 20 {
            return self.fail(format!("the number of {value} is too large"));
        }
        if g.known.len() <= value.index() {
            g.known.resize(value.index() + 1, false);
            g.graph.values.resize(value.index() + 1, ty);
        }
        if std::mem::replace(&mut g.known[value.index()], true) {
            return self.fail(format!("{value} is defined twice"));
        }
        g.graph.values[value.index()] = ty;
        Ok(value)
    }

    fn block(&mut self, g: &mut GraphParser) -> Result<()> {
        self.numbered(BlockId::PREFIX, g.graph.blocks.len())?;
        let params = self.in_parens(|p| p.definition(g))?;
        self.expect(":")?;
        let mut ops = Vec::new();
        loop {
            if let Some(term) = self.terminator()? {
                let term_pos = self.pos()?;
                g.graph.blocks.push(Block { params, ops, term, term_pos });
                return Ok(());
            }
            let defines = matches!(self.tokens.get(self.at + 1), Some((Token::Sign(":"), _)));
            let mut result = None;
            if defines {
                result = Some(self.definition(g)?);
                self.expect("=")?;
            }
            let kind = self.op()?;
            ops.push(Op { result, kind, pos: self.pos()? });
        }
    }

    fn value(&mut self) -> Result<ValueId> {
        self.entity("a value")
    }

    fn values(&mut self) -> Result<Vec<ValueId>> {
        let mut out = vec![self.value()?];
        while self.eat(",") {
            out.push(self.value()?);
        }
        Ok(out)
    }

    fn place(&mut self) -> Result<Place> {
        let base = self.value()?;
        let mut path = Vec::new();
        loop {
            if self.eat("[") {
                path.push(Proj::Index(self.value()?));
                self.expect("]")?;
            } else if self.is(".") {
                let (variant, field) = self.member()?;
                path.push(match variant {
                    Some(variant) => Proj::Variant { variant, field },
                    None => Proj::Field(field),
                });
            } else {
                return Ok(Place { base, path });
            }
        }
    }

    /// `.FIELD` or `.VARIANT:FIELD`.
    fn member(&mut self) -> Result<(Option<u32>, u32)> {
        self.expect(".")?;
        let first = self.small()?;
        if self.eat(":") { Ok((Some(first), self.small()?)) } else { Ok((None, first)) }
    }

    fn callee(&mut self) -> Result<Callee> {
        let word = self.word()?;
        match (word.parse(), word.parse()) {
            (Ok(id), _) => Ok(Callee::Func(id)),
            (_, Ok(id)) => Ok(Callee::Extern(id)),
            _ => self.fail(format!("expected a function, found `{word}`")),
        }
    }

    fn op(&mut self) -> Result<OpKind> {
        let name = self.word()?;
        if let Ok(pure) = PureOp::from_str(&name) {
            return Ok(OpKind::Pure(pure, self.values()?));
        }
        Ok(match name.as_str() {
            "const" => OpKind::Const(self.bits()?),
            "load_time" => OpKind::LoadTime(self.entity("a load-time value")?),
            "retype" => OpKind::Retype(self.value()?),
            "make" => {
                let variant = if self.eat(".") { self.small()? } else { 0 };
                OpKind::Make { variant, fields: self.in_parens(Self::value)? }
            }
            "extract" => {
                let value = self.value()?;
                let (variant, field) = self.member()?;
                OpKind::Extract { value, variant: variant.unwrap_or(0), field }
            }
            "variant_of" => OpKind::VariantOf(self.value()?),
            "make_fat" => {
                let address = self.value()?;
                self.expect(",")?;
                OpKind::MakeFat { address, len: self.value()? }
            }
            "fat_address" => OpKind::FatAddress(self.value()?),
            "fat_len" => OpKind::FatLen(self.value()?),
            "slot_addr" => OpKind::SlotAddr(self.entity("a slot")?),
            "ref" => OpKind::Ref(self.place()?),
            "load" => OpKind::Load(self.place()?),
            "load_variant" => OpKind::LoadVariant(self.place()?),
            "store" => {
                let place = self.place()?;
                self.expect(",")?;
                OpKind::Store(place, self.value()?)
            }
            "copy_memory" => {
                let to = self.place()?;
                self.expect(",")?;
                let from = self.place()?;
                OpKind::CopyMemory { to, from, ty: self.as_type()? }
            }
            "drop_in_place" => {
                let place = self.place()?;
                OpKind::DropInPlace(place, self.as_type()?)
            }
            "new" => OpKind::New(self.memory()?),
            "free" => OpKind::Free(self.value()?),
            "new_elements" => {
                let memory = self.memory()?;
                OpKind::NewArray(memory, self.value()?)
            }
            "free_elements" => {
                let pointer = self.value()?;
                self.expect(",")?;
                OpKind::FreeArray { pointer, length: self.value()? }
            }
            "barrier" => {
                let address = self.value()?;
                self.expect(",")?;
                OpKind::Barrier { address, holds: self.value()? }
            }
            "is_virtual" => OpKind::IsVirtual(self.value()?),
            "record_exact" => {
                let value = self.value()?;
                self.expect(",")?;
                OpKind::RecordExact(value, self.value()?)
            }
            "quasi_immut" => {
                let link = self.value()?;
                self.expect(",")?;
                OpKind::QuasiImmut { link, value: self.value()? }
            }
            "call" => {
                let callee = self.callee()?;
                OpKind::Call(callee, self.in_parens(Self::value)?)
            }
            "merge_point" => {
                let portal = self.entity("a portal")?;
                OpKind::MergePoint(portal, self.in_parens(Self::value)?)
            }
            "can_enter_jit" => OpKind::CanEnterJit,
            "promote" => OpKind::Promote(self.value()?),
            "we_are_jitted" => OpKind::WeAreJitted,
            "is_constant" => OpKind::IsConstant(self.value()?),
            "assert_green" => OpKind::AssertGreen(self.value()?),
            "trace_length" => OpKind::TraceLength,
            other => {
                self.at -= 1;
                return self.fail(format!("there is no operation `{other}`"));
            }
        })
    }

    fn memory(&mut self) -> Result<Memory> {
        match Memory::ALL.into_iter().find(|memory| self.eat_word(memory.name())) {
            Some(memory) => Ok(memory),
            None => self.fail("expected `collected` or `plain`"),
        }
    }

    fn as_type(&mut self) -> Result<TypeId> {
        if !self.eat_word("as") {
            return self.fail("expected `as` and a type");
        }
        self.ty()
    }

    fn target(&mut self) -> Result<Target> {
        let block = self.entity("a block")?;
        let args = if self.is("(") { self.in_parens(Self::value)? } else { vec![] };
        Ok(Target { block, args })
    }

    fn else_target(&mut self) -> Result<Option<Target>> {
        if self.eat_word("else") { Ok(Some(self.target()?)) } else { Ok(None) }
    }

    /// The end of a block, if this is one.
    fn terminator(&mut self) -> Result<Option<Terminator>> {
        let Some(Token::Word(word)) = self.peek().cloned() else {
            return self.fail(format!("expected an operation, found {:?}", self.peek()));
        };
        self.at += 1;
        Ok(Some(match word.as_str() {
            "goto" => Terminator::Goto(self.target()?),
            "if" => {
                let value = self.value()?;
                let yes = self.target()?;
                match self.else_target()? {
                    Some(no) => Terminator::If(value, yes, no),
                    None => return self.fail("expected `else`"),
                }
            }
            "switch" => {
                let value = self.value()?;
                self.expect("[")?;
                let cases = self.many("]", |p| {
                    let bits = p.bits()?;
                    p.expect(":")?;
                    Ok((bits, p.target()?))
                })?;
                Terminator::Switch { value, cases, default: self.else_target()? }
            }
            "invoke" => {
                let callee = self.callee()?;
                let args = self.in_parens(Self::value)?;
                self.expect("->")?;
                let normal = self.target()?;
                if !self.eat_word("unwind") {
                    return self.fail("expected `unwind`");
                }
                Terminator::Invoke { callee, args, normal, unwind: self.target()? }
            }
            "return" => Terminator::Return(self.value()?),
            "resume_unwind" => Terminator::ResumeUnwind,
            "unreachable" => Terminator::Unreachable,
            _ => {
                self.at -= 1;
                return Ok(None);
            }
        }))
    }
}

struct GraphParser {
    graph: Graph,
    /// Which values have a definition.
    known: Vec<bool>,
}
