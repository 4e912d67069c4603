//! The parser of the [text form](crate::text).
//!
//! Takes text that a person may have written; gives a fragment of a program and traces, or a [`ParseError`] with line
//! and column; never panics. It checks the form only: what it accepts may still be refused by the
//! [verifier](crate::verify). Numbers of entities are kept, so a fragment may have empty entries for entities that
//! were not declared.

use metatrace_defs::alloc::{Alloc, Elements, Memory};
use metatrace_defs::descr::{self, Access, CallDescr, Class, ClassId, ClassSet, LoadTime, Reach, Scalar};
use metatrace_defs::inst::Operand as Register;
use metatrace_defs::trace_op::Attachment;
use metatrace_defs::{AccessId, AllocId, CallId, JitCode, JitCodeId, Kind, Program, TraceOp};
use smallvec::SmallVec;

use crate::lex::{Lexer, Token};
use crate::{
    Attached, DelayedStore, Inst, Opnd, Snapshot, SnapshotFrame, SnapshotId, TargetId, Trace, Value,
    ValueData, Virtual, VirtualField, attachment_fits,
};

/// Why a text is not a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// What was found and what was expected.
    pub reason: String,
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.reason)
    }
}

impl std::error::Error for ParseError {}

type Result<T> = std::result::Result<T, ParseError>;

/// Several traces of one program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceFile {
    /// What was declared.
    pub program: Program,
    /// Titles and traces, in the text's order.
    pub traces: Vec<(String, Trace)>,
}

/// Parses a text with its declarations, such as a log.
pub fn parse_file(text: &str) -> Result<TraceFile> {
    let mut parser = Parser { lexer: Lexer::new(text)?, program: Program::default() };
    let traces = parser.file()?;
    Ok(TraceFile { program: parser.program, traces })
}

/// Parses one trace with its declarations.
pub fn parse(text: &str) -> Result<(Program, Trace)> {
    let mut parser = Parser { lexer: Lexer::new(text)?, program: Program::default() };
    let trace = parser.only_trace()?;
    Ok((parser.program, trace))
}

/// Parses one trace of a program that is known; declarations in the text replace its entries.
pub fn parse_with(program: &Program, text: &str) -> Result<Trace> {
    let mut parser = Parser { lexer: Lexer::new(text)?, program: program.clone() };
    parser.only_trace()
}

/// No entity of a text may have a larger number: a bound on the memory that a wrong text can take.
const LARGEST: u32 = 1_000_000;

struct Parser<'a> {
    lexer: Lexer<'a>,
    program: Program,
}

impl Parser<'_> {
    fn only_trace(&mut self) -> Result<Trace> {
        let mut traces = self.file()?;
        match traces.len() {
            1 => Ok(traces.remove(0).1),
            n => self.lexer.fail(format!("the text has {n} traces where one was expected")),
        }
    }

    fn file(&mut self) -> Result<Vec<(String, Trace)>> {
        let mut traces: Vec<(String, Trace)> = Vec::new();
        while !self.lexer.at_end() {
            match self.lexer.word("a declaration, a trace or a snapshot")? {
                "class" => self.class()?,
                "access" => self.access()?,
                "call" => self.call()?,
                "alloc" => self.alloc()?,
                "jitcode" => self.jitcode()?,
                "trace" => {
                    let trace = self.trace()?;
                    traces.push(trace);
                }
                other => match (other.parse::<SnapshotId>(), traces.last_mut()) {
                    (Ok(id), Some((_, trace))) => {
                        if id.index() != trace.snapshots.len() {
                            let expected = SnapshotId::new(trace.snapshots.len());
                            return self.lexer.fail_last(format!("expected {expected} here, not {id}"));
                        }
                        let snapshot = self.snapshot(trace)?;
                        trace.snapshots.push(snapshot);
                    }
                    _ => {
                        let reason = format!("expected a declaration, a trace or a snapshot, not `{other}`");
                        return self.lexer.fail_last(reason);
                    }
                },
            }
        }
        Ok(traces)
    }

    fn class(&mut self) -> Result<()> {
        let id: ClassId = self.entity("a class")?;
        let name = self.lexer.string()?;
        self.lexer.keyword("leaf")?;
        let class = Class { name, leaf: self.small()? };
        *self.class_entry(id) = class;
        Ok(())
    }

    fn class_entry(&mut self, id: ClassId) -> &mut Class {
        if self.program.classes.len() <= id.index() {
            self.program.classes.resize(id.index() + 1, Class { name: String::new(), leaf: u32::MAX });
        }
        &mut self.program.classes[id.index()]
    }

    fn access(&mut self) -> Result<()> {
        let id: AccessId = self.entity("an access")?;
        let name = self.lexer.string()?;
        self.lexer.keyword("offset")?;
        let offset = self.load_time()?;
        let stride = if self.lexer.eat_word("stride") { Some(self.load_time()?) } else { None };
        let word = self.lexer.word("a scalar")?;
        let Some(&scalar) = Scalar::ALL.iter().find(|scalar| scalar.name() == word) else {
            return self.lexer.fail_last(format!("`{word}` is no scalar"));
        };
        let class: ClassId = self.entity("a class")?;
        self.class_entry(class);
        let word = self.lexer.word("a reach")?;
        let Some(&reach) = Reach::ALL.iter().find(|reach| reach.name() == word) else {
            return self.lexer.fail_last(format!("`{word}` is no reach"));
        };
        let flags = self.flags(descr::access_flag::NAMES);
        let access = Access { name, offset, stride, scalar, class, reach, flags };
        let filler = Access {
            name: String::new(),
            offset: LoadTime::Literal(0),
            stride: None,
            scalar: Scalar::Word,
            class,
            reach: Reach::Anything,
            flags: 0,
        };
        put(&mut self.program.accesses, id.index(), access, filler);
        Ok(())
    }

    fn call(&mut self) -> Result<()> {
        let id: CallId = self.entity("a call")?;
        let name = self.lexer.string()?;
        self.lexer.keyword("shim")?;
        let shim = self.small()?;
        let args = self.kinds()?;
        self.lexer.expect(Token::Arrow)?;
        let results = self.kinds()?;
        self.lexer.keyword("reads")?;
        let reads = self.class_set()?;
        self.lexer.keyword("writes")?;
        let writes = self.class_set()?;
        let flags = self.flags(descr::call_flag::NAMES);
        let filler = CallDescr {
            name: String::new(),
            shim: 0,
            args: vec![],
            results: vec![],
            reads: ClassSet::All,
            writes: ClassSet::All,
            flags: 0,
        };
        let call = CallDescr { name, shim, args, results, reads, writes, flags };
        put(&mut self.program.calls, id.index(), call, filler);
        Ok(())
    }

    fn alloc(&mut self) -> Result<()> {
        let id: AllocId = self.entity("an allocation")?;
        let name = self.lexer.string()?;
        let memory = match self.lexer.word("`collected` or `plain`")? {
            "collected" => Memory::Collected { header: self.load_time()? },
            "plain" => {
                self.lexer.keyword("align")?;
                Memory::Plain { align: self.load_time()? }
            }
            word => return self.lexer.fail_last(format!("`{word}` is no memory: collected or plain")),
        };
        self.lexer.keyword("size")?;
        let size = self.load_time()?;
        let mut elements = None;
        if self.lexer.eat_word("elements") {
            let stride = self.load_time()?;
            let length = if self.lexer.eat_word("length") { Some(self.load_time()?) } else { None };
            elements = Some(Elements { stride, length });
        }
        let zero = LoadTime::Literal(0);
        let filler =
            Alloc { name: String::new(), memory: Memory::Plain { align: zero }, size: zero, elements: None };
        put(&mut self.program.allocs, id.index(), Alloc { name, memory, size, elements }, filler);
        Ok(())
    }

    fn jitcode(&mut self) -> Result<()> {
        let id: JitCodeId = self.entity("a jitcode")?;
        let name = self.lexer.string()?;
        self.lexer.keyword("words")?;
        let words = self.register_count()?;
        self.lexer.keyword("floats")?;
        let floats = self.register_count()?;
        let filler = JitCode {
            name: String::new(),
            params: vec![],
            results: vec![],
            words: 0,
            floats: 0,
            constants: vec![],
            slots: vec![],
            code: vec![],
            switches: vec![],
            live: vec![],
            positions: vec![],
        };
        let jitcode = JitCode { name, words, floats, ..filler.clone() };
        put(&mut self.program.jitcodes, id.index(), jitcode, filler);
        Ok(())
    }

    fn trace(&mut self) -> Result<(String, Trace)> {
        let mut trace = Trace::new();
        let title =
            if matches!(self.lexer.peek(), Token::Str(_)) { self.lexer.string()? } else { String::new() };
        self.lexer.expect(Token::Open)?;
        while !self.lexer.eat(&Token::Close) {
            if !trace.inputs.is_empty() {
                self.lexer.expect(Token::Comma)?;
            }
            let value: Value = self.entity("a value")?;
            let kind = self.kind()?;
            let recorded = if self.lexer.eat(&Token::Equals) { self.recorded(kind)? } else { None };
            define(&mut trace, value, ValueData { kind, recorded });
            trace.inputs.push(value);
        }
        self.lexer.expect(Token::OpenBrace)?;
        loop {
            if self.lexer.eat(&Token::CloseBrace) {
                return Ok((title, trace));
            }
            if let Token::Note(note) = self.lexer.peek() {
                trace.notes.push((trace.insts.len() as u32, note.to_string()));
                self.lexer.advance();
                continue;
            }
            let inst = self.inst(&mut trace)?;
            trace.insts.push(inst);
        }
    }

    fn inst(&mut self, trace: &mut Trace) -> Result<Inst> {
        let mut results: SmallVec<[Value; 1]> = SmallVec::new();
        if matches!(self.lexer.peek(), Token::Word(word) if word.starts_with(Value::PREFIX)) {
            loop {
                results.push(self.entity("a value")?);
                if !self.lexer.eat(&Token::Comma) {
                    break;
                }
            }
            self.lexer.expect(Token::Equals)?;
        }
        let (op, attached, args) = self.operation(trace)?;
        let snapshot = match self.lexer.peek() {
            Token::Word(word) => match word.parse::<SnapshotId>() {
                Ok(id) => {
                    self.lexer.advance();
                    Some(id)
                }
                Err(()) => None,
            },
            _ => None,
        };
        let kinds = trace.result_kinds(&self.program, op, &args, attached);
        if kinds.len() != results.len() {
            let reason = format!("{op} yields {} values, not {}", kinds.len(), results.len());
            return self.lexer.fail_last(reason);
        }
        let has_recorded = self.lexer.eat(&Token::Recorded);
        for (n, (&value, &kind)) in results.iter().zip(&kinds).enumerate() {
            if has_recorded && n > 0 {
                self.lexer.expect(Token::Comma)?;
            }
            let recorded = if has_recorded { self.recorded(kind)? } else { None };
            define(trace, value, ValueData { kind, recorded });
        }
        Ok(Inst { op, args, attached, results, snapshot })
    }

    /// An operation with its descriptor and operands.
    fn operation(&mut self, trace: &mut Trace) -> Result<(TraceOp, Attached, SmallVec<[Opnd; 3]>)> {
        let name = self.lexer.word("an operation")?;
        let Ok(op) = name.parse::<TraceOp>() else {
            return self.lexer.fail_last(format!("`{name}` is no trace operation"));
        };
        let attached = self.attached(op)?;
        let mut args: SmallVec<[Opnd; 3]> = SmallVec::new();
        self.lexer.expect(Token::Open)?;
        while !self.lexer.eat(&Token::Close) {
            if !args.is_empty() {
                self.lexer.expect(Token::Comma)?;
            }
            let arg = self.operand()?;
            reserve(trace, arg);
            args.push(arg);
        }
        Ok((op, attached, args))
    }

    fn attached(&mut self, op: TraceOp) -> Result<Attached> {
        if !self.lexer.eat(&Token::OpenBracket) {
            if op.attachment() != Attachment::None {
                return self.lexer.fail(format!("{op} needs its descriptor in brackets"));
            }
            return Ok(Attached::None);
        }
        let word = self.lexer.word("a descriptor")?;
        let attached = if let Ok(id) = word.parse::<AccessId>() {
            if id.index() >= self.program.accesses.len() {
                return self.lexer.fail_last(format!("{id} is not declared"));
            }
            Attached::Access(id)
        } else if let Ok(id) = word.parse::<CallId>() {
            if id.index() >= self.program.calls.len() {
                return self.lexer.fail_last(format!("{id} is not declared"));
            }
            Attached::Call(id)
        } else if let Ok(id) = word.parse::<AllocId>() {
            if id.index() >= self.program.allocs.len() {
                return self.lexer.fail_last(format!("{id} is not declared"));
            }
            Attached::Alloc(id)
        } else if let Ok(id) = word.parse::<TargetId>() {
            Attached::Target(id)
        } else {
            return self.lexer.fail_last(format!("`{word}` is no access, call, allocation or target"));
        };
        if !attachment_fits(op.attachment(), attached) {
            return self.lexer.fail_last(format!("{op} cannot carry {word}"));
        }
        if matches!(self.lexer.peek(), Token::Str(_)) {
            self.lexer.advance();
        }
        self.lexer.expect(Token::CloseBracket)?;
        Ok(attached)
    }

    fn snapshot(&mut self, trace: &mut Trace) -> Result<Snapshot> {
        self.lexer.expect(Token::Equals)?;
        let mut frames = Vec::new();
        let mut virtuals = Vec::new();
        let mut handed = None;
        let mut stores = Vec::new();
        while !self.lexer.eat_word("merge_points") {
            if self.lexer.eat_word("hands") {
                self.lexer.expect(Token::Open)?;
                let handed = handed.insert(Vec::new());
                while !self.lexer.eat(&Token::Close) {
                    if !handed.is_empty() {
                        self.lexer.expect(Token::Comma)?;
                    }
                    handed.push(self.operand()?);
                }
                continue;
            }
            if self.lexer.eat_word("stores") {
                stores.push(self.delayed_store()?);
                continue;
            }
            if self.lexer.eat_word("virtual") {
                virtuals.push(self.a_virtual(trace)?);
                continue;
            }
            let jitcode: JitCodeId = self.entity("a jitcode")?;
            if matches!(self.lexer.peek(), Token::Str(_)) {
                self.lexer.advance();
            }
            self.lexer.expect(Token::At)?;
            let pc = self.small()?;
            self.lexer.keyword("locals")?;
            let locals = self.small()?;
            self.lexer.expect(Token::Open)?;
            let mut registers = Vec::new();
            while !self.lexer.eat(&Token::Close) {
                if !registers.is_empty() {
                    self.lexer.expect(Token::Comma)?;
                }
                let register = self.register()?;
                self.lexer.expect(Token::Equals)?;
                registers.push((register, self.operand()?));
            }
            frames.push(SnapshotFrame { jitcode, pc, locals, registers });
        }
        let (open, merge_points) = (Default::default(), self.small()?);
        Ok(Snapshot { frames, virtuals, merge_points, handed, stores, known: vec![], open })
    }

    fn delayed_store(&mut self) -> Result<DelayedStore> {
        self.lexer.expect(Token::OpenBracket)?;
        let access: AccessId = self.entity("an access")?;
        if matches!(self.lexer.peek(), Token::Str(_)) {
            self.lexer.advance();
        }
        self.lexer.expect(Token::CloseBracket)?;
        self.lexer.expect(Token::Open)?;
        let mut args = SmallVec::new();
        while !self.lexer.eat(&Token::Close) {
            if !args.is_empty() {
                self.lexer.expect(Token::Comma)?;
            }
            args.push(self.operand()?);
        }
        Ok(DelayedStore { access, args })
    }

    fn a_virtual(&mut self, trace: &mut Trace) -> Result<(Value, Virtual)> {
        let value: Value = self.entity("a value")?;
        self.lexer.expect(Token::Equals)?;
        let (op, attached, args) = self.operation(trace)?;
        let &[kind] = &trace.result_kinds(&self.program, op, &args, attached)[..] else {
            return self.lexer.fail_last(format!("{op} does not yield one value"));
        };
        reserve(trace, value.into());
        trace.values[value.index()].kind = kind;
        let mut fields = Vec::new();
        if self.lexer.eat(&Token::OpenBrace) {
            while !self.lexer.eat(&Token::CloseBrace) {
                if !fields.is_empty() {
                    self.lexer.expect(Token::Comma)?;
                }
                let access: AccessId = self.entity("an access")?;
                if matches!(self.lexer.peek(), Token::Str(_)) {
                    self.lexer.advance();
                }
                let mut index = None;
                if self.lexer.eat(&Token::OpenBracket) {
                    index = Some(u64::from(self.small()?));
                    self.lexer.expect(Token::CloseBracket)?;
                }
                let base = if self.lexer.eat_word("at") { u64::from(self.small()?) } else { 0 };
                self.lexer.expect(Token::Equals)?;
                let held = self.operand()?;
                reserve(trace, held);
                fields.push(VirtualField { access, base, index, value: held });
            }
        }
        Ok((value, Virtual { op, attached, args, fields }))
    }

    fn register(&mut self) -> Result<Register> {
        let word = self.lexer.word("a register")?;
        let (kind, digits) = match word.split_at_checked(1) {
            Some(("w", digits)) => (Kind::Word, digits),
            Some(("f", digits)) => (Kind::Float, digits),
            _ => return self.lexer.fail_last(format!("`{word}` is no register")),
        };
        match digits.parse::<u16>() {
            Ok(n) if usize::from(n) < Register::LIMIT => Ok(Register::reg(kind, n)),
            _ => self.lexer.fail_last(format!("`{word}` is no register")),
        }
    }

    fn operand(&mut self) -> Result<Opnd> {
        match *self.lexer.peek() {
            Token::Word(word) if word.starts_with(Value::PREFIX) => Ok(Opnd::Value(self.entity("a value")?)),
            Token::Word(word) => match float_bits(word) {
                Some(bits) => {
                    self.lexer.advance();
                    Ok(Opnd::Float(bits))
                }
                None => self.lexer.fail(format!("`{word}` is no operand")),
            },
            Token::Number(number) => {
                let operand = if let Ok(word) = number.parse::<i64>() {
                    Opnd::Word(word as u64)
                } else if let Ok(word) = number.parse::<u64>() {
                    Opnd::Word(word)
                } else if let Some(word) =
                    number.strip_prefix("0x").and_then(|hex| u64::from_str_radix(hex, 16).ok())
                {
                    Opnd::Word(word)
                } else if number.contains(['.', 'e'])
                    && let Ok(float) = number.parse::<f64>()
                {
                    Opnd::Float(float.to_bits())
                } else {
                    return self.lexer.fail(format!("`{number}` is no constant of 64 bits"));
                };
                self.lexer.advance();
                Ok(operand)
            }
            _ => self.lexer.unexpected("an operand"),
        }
    }

    fn recorded(&mut self, kind: Kind) -> Result<Option<u64>> {
        if self.lexer.eat_word("_") {
            return Ok(None);
        }
        let constant = self.operand()?;
        match (constant, kind) {
            (Opnd::Word(bits), Kind::Word) | (Opnd::Float(bits), Kind::Float) => Ok(Some(bits)),
            _ => self.lexer.fail_last(format!("{constant} is no constant of kind `{}`", kind.letter())),
        }
    }

    fn load_time(&mut self) -> Result<LoadTime> {
        if self.lexer.eat_word("glue") {
            self.lexer.expect(Token::Open)?;
            let n = self.small()?;
            self.lexer.expect(Token::Close)?;
            return Ok(LoadTime::Glue(n));
        }
        match self.operand()? {
            Opnd::Word(word) => Ok(LoadTime::Literal(word)),
            other => self.lexer.fail_last(format!("{other} is no word")),
        }
    }

    fn kind(&mut self) -> Result<Kind> {
        match self.lexer.word("a kind")? {
            "w" => Ok(Kind::Word),
            "f" => Ok(Kind::Float),
            other => self.lexer.fail_last(format!("`{other}` is no kind: w or f")),
        }
    }

    fn kinds(&mut self) -> Result<Vec<Kind>> {
        let mut kinds = Vec::new();
        self.lexer.expect(Token::Open)?;
        while !self.lexer.eat(&Token::Close) {
            if !kinds.is_empty() {
                self.lexer.expect(Token::Comma)?;
            }
            kinds.push(self.kind()?);
        }
        Ok(kinds)
    }

    fn class_set(&mut self) -> Result<ClassSet> {
        if self.lexer.eat_word("all") {
            return Ok(ClassSet::All);
        }
        let mut classes: Vec<ClassId> = Vec::new();
        self.lexer.expect(Token::OpenBrace)?;
        while !self.lexer.eat(&Token::CloseBrace) {
            if !classes.is_empty() {
                self.lexer.expect(Token::Comma)?;
            }
            let class = self.entity("a class")?;
            self.class_entry(class);
            classes.push(class);
        }
        classes.sort();
        Ok(ClassSet::Some(classes))
    }

    fn flags(&mut self, names: &[(metatrace_defs::descr::Flags, &str)]) -> metatrace_defs::descr::Flags {
        let mut flags = 0;
        while let Some((flag, _)) = names.iter().find(|(_, name)| self.lexer.eat_word(name)) {
            flags |= flag;
        }
        flags
    }

    /// An entity by its prefix and number.
    fn entity<T: std::str::FromStr + Into<u32> + Copy>(&mut self, what: &str) -> Result<T> {
        let word = self.lexer.word(what)?;
        match word.parse::<T>() {
            Ok(id) if id.into() <= LARGEST => Ok(id),
            Ok(_) => self.lexer.fail_last(format!("the number of `{word}` is larger than {LARGEST}")),
            Err(_) => self.lexer.fail_last(format!("expected {what}, not `{word}`")),
        }
    }

    fn register_count(&mut self) -> Result<u16> {
        let count = self.small()?;
        match u16::try_from(count) {
            Ok(count) if usize::from(count) <= Register::LIMIT => Ok(count),
            _ => {
                self.lexer.fail_last(format!("a jitcode has at most {} registers of a kind", Register::LIMIT))
            }
        }
    }

    /// A number that fits 32 bits.
    fn small(&mut self) -> Result<u32> {
        match self.operand()? {
            Opnd::Word(word) if word <= u64::from(u32::MAX) => Ok(word as u32),
            other => self.lexer.fail_last(format!("{other} is no unsigned number of 32 bits")),
        }
    }
}

fn float_bits(word: &str) -> Option<u64> {
    word.strip_prefix("f0x").and_then(|hex| u64::from_str_radix(hex, 16).ok())
}

/// Makes room for a value that is used, so that the verifier can tell that nothing defines it.
fn reserve(trace: &mut Trace, opnd: Opnd) {
    if let Opnd::Value(value) = opnd
        && trace.values.len() <= value.index()
    {
        trace.values.resize(value.index() + 1, ValueData { kind: Kind::Word, recorded: None });
    }
}

fn define(trace: &mut Trace, value: Value, data: ValueData) {
    reserve(trace, value.into());
    trace.values[value.index()] = data;
}

fn put<T: Clone>(table: &mut Vec<T>, index: usize, entry: T, filler: T) {
    if table.len() <= index {
        table.resize(index + 1, filler);
    }
    table[index] = entry;
}
