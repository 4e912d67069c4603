//! Parsing of the text form, with located errors.
//!
//! Two passes: the first reads every item but the bodies of jitcodes, so that the second can refer to items that stand
//! below.

use std::collections::HashMap;
use std::str::FromStr;

use super::print::plain;
use crate::alloc::{Elements, Memory};
use crate::code::{Field, decode_all, encode, liveness};
use crate::descr::{
    Access, CallDescr, Class, ClassId, ClassSet, LoadTime, Reach, Scalar, access_flag, call_flag,
};
use crate::inst::{ControlOp, FieldKind, Inst, Operand};
use crate::jitcode::{
    Constant, JitCode, JitCodeId, Live, Portal, PortalParam, Position, Program, Slot, SwitchTable,
};
use crate::{Alloc, CallId, Kind};

/// Text that is not a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl core::fmt::Display for TextError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for TextError {}

type Parse<T> = Result<T, TextError>;

/// The program that `text` describes. It is not verified.
///
/// # Errors
/// Anything that is not as the module's documentation says.
pub fn parse(text: &str) -> Result<Program, TextError> {
    let mut program = Program::default();
    let mut bodies = Vec::new();
    let mut portals = Vec::new();
    let mut lines = text.lines().enumerate().map(|(n, line)| (n + 1, line));
    while let Some((number, line)) = lines.next() {
        let mut t = Tokens::new(number, line)?;
        let Some(keyword) = t.next_word() else { continue };
        match keyword.as_str() {
            "program" => {
                program.name = t.string()?;
                t.word("hash")?;
                program.hash = t.number()?;
            }
            "file" => program.files.push(t.string()?),
            "value" => program.glue_values.push(t.string()?),
            "shim" => program.glue_shims.push(t.string()?),
            "class" => {
                let name = t.string()?;
                t.word("leaf")?;
                program.classes.push(Class { name, leaf: t.small()? });
            }
            "access" => {
                let access = access(&mut t, &program)?;
                program.accesses.push(access);
            }
            "call" => {
                let call = call(&mut t, &program)?;
                program.calls.push(call);
            }
            "alloc" => {
                let alloc = alloc(&mut t, &program)?;
                program.allocs.push(alloc);
            }
            "jitcode" => {
                program.jitcodes.push(jitcode_head(&mut t)?);
                let mut body = Vec::new();
                loop {
                    match lines.next() {
                        Some((_, line)) if line.trim() == "}" => break,
                        Some(numbered) if !numbered.1.starts_with("jitcode ") => body.push(numbered),
                        _ => return Err(t.error("a jitcode without a closing `}`")),
                    }
                }
                bodies.push(body);
            }
            "portal" => {
                let portal = portal(&mut t, &program)?;
                program.portals.push(portal.0);
                portals.push((portal.1, number));
            }
            other => return Err(t.error(&format!("unknown item `{other}`"))),
        }
        t.end()?;
    }
    for (portal, (jitcode, number)) in portals.into_iter().enumerate() {
        let mut t = Tokens { line: number, tokens: vec![jitcode], at: 0 };
        let id = t.reference("j", program.jitcodes.iter().map(|j| &*j.name))?;
        program.portals[portal].jitcode = JitCodeId(id);
    }
    for (n, body) in bodies.into_iter().enumerate() {
        let jitcode = Body::new(&mut program, n).run(&body)?;
        program.jitcodes[n] = jitcode;
    }
    Ok(program)
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    /// A reference with a number and a name.
    Both(String, String),
    Punct(char),
}

/// The tokens of a line.
struct Tokens {
    line: usize,
    tokens: Vec<Token>,
    at: usize,
}

impl Tokens {
    fn new(line: usize, text: &str) -> Parse<Tokens> {
        let mut tokens: Vec<Token> = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(&c) = chars.peek() {
            if c == ';' {
                break;
            }
            chars.next();
            match c {
                _ if c.is_whitespace() => {}
                '"' => {
                    let mut string = String::new();
                    loop {
                        match chars.next() {
                            Some('"') => break,
                            Some('\\') => string.push(match chars.next() {
                                Some('n') => '\n',
                                Some(c) => c,
                                None => break,
                            }),
                            Some(c) => string.push(c),
                            None => {
                                return Err(TextError { line, message: "a string does not end".into() });
                            }
                        }
                    }
                    match &tokens[..] {
                        [.., Token::Word(word), Token::Punct(':')] => {
                            let word = word.clone();
                            tokens.truncate(tokens.len() - 2);
                            tokens.push(Token::Both(word, string));
                        }
                        _ => tokens.push(Token::Text(string)),
                    }
                }
                '(' | ')' | '{' | '}' | ',' | '=' | ':' | '@' => tokens.push(Token::Punct(c)),
                _ => {
                    let mut word = String::from(c);
                    while let Some(&c) = chars.peek() {
                        if c.is_whitespace() || "(){},=:@\";".contains(c) {
                            break;
                        }
                        word.push(c);
                        chars.next();
                    }
                    tokens.push(Token::Word(word));
                }
            }
        }
        Ok(Tokens { line, tokens, at: 0 })
    }

    fn error(&self, message: &str) -> TextError {
        TextError { line: self.line, message: message.to_string() }
    }

    fn expected(&self, what: &str) -> TextError {
        let found = match self.tokens.get(self.at) {
            None => "the end of the line".to_string(),
            Some(Token::Word(word)) => format!("`{word}`"),
            Some(Token::Text(text) | Token::Both(_, text)) => format!("`\"{text}\"`"),
            Some(Token::Punct(c)) => format!("`{c}`"),
        };
        self.error(&format!("expected {what}, found {found}"))
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next_word(&mut self) -> Option<String> {
        match self.peek() {
            Some(Token::Word(word)) => {
                let word = word.clone();
                self.at += 1;
                Some(word)
            }
            _ => None,
        }
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(w)) if w == word);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &str) -> Parse<()> {
        if self.eat_word(word) { Ok(()) } else { Err(self.expected(&format!("`{word}`"))) }
    }

    fn eat(&mut self, punct: char) -> bool {
        let found = self.peek() == Some(&Token::Punct(punct));
        self.at += usize::from(found);
        found
    }

    fn punct(&mut self, punct: char) -> Parse<()> {
        if self.eat(punct) { Ok(()) } else { Err(self.expected(&format!("`{punct}`"))) }
    }

    fn string(&mut self) -> Parse<String> {
        match self.peek() {
            Some(Token::Text(text)) => {
                let text = text.clone();
                self.at += 1;
                Ok(text)
            }
            _ => Err(self.expected("a name in quotes")),
        }
    }

    fn number(&mut self) -> Parse<u64> {
        let number = match self.peek() {
            Some(Token::Word(word)) => integer(word),
            _ => None,
        };
        let number = number.ok_or_else(|| self.expected("a number"))?;
        self.at += 1;
        Ok(number)
    }

    fn small<T: TryFrom<u64>>(&mut self) -> Parse<T> {
        let number = self.number()?;
        T::try_from(number).map_err(|_| self.error(&format!("{number} is too large")))
    }

    fn end(&self) -> Parse<()> {
        if self.at == self.tokens.len() { Ok(()) } else { Err(self.expected("the end of the line")) }
    }

    /// What stands between `open` and `close`, separated by commas.
    fn list<T>(
        &mut self,
        open: char,
        close: char,
        mut each: impl FnMut(&mut Self) -> Parse<T>,
    ) -> Parse<Vec<T>> {
        let mut out = Vec::new();
        self.punct(open)?;
        while !self.eat(close) {
            if !out.is_empty() {
                self.punct(',')?;
            }
            out.push(each(self)?);
        }
        Ok(out)
    }

    fn kind(&mut self) -> Parse<Kind> {
        match self.next_word().as_deref() {
            Some("w") => Ok(Kind::Word),
            Some("f") => Ok(Kind::Float),
            _ => Err(self.expected("`w` or `f`")),
        }
    }

    fn kinds(&mut self) -> Parse<Vec<Kind>> {
        self.list('(', ')', Self::kind)
    }

    fn flags(&mut self, names: &[(crate::descr::Flags, &str)]) -> Parse<crate::descr::Flags> {
        let mut set = 0;
        if self.eat_word("flags") {
            while let Some(word) = self.next_word() {
                let row = names.iter().find(|(_, name)| *name == word);
                set |= row.ok_or_else(|| self.error(&format!("unknown flag `{word}`")))?.0;
            }
        }
        Ok(set)
    }

    /// An entity of a table by name, number, or both.
    fn reference<'a>(&mut self, prefix: &str, names: impl Iterator<Item = &'a str>) -> Parse<u32> {
        let names: Vec<&str> = names.collect();
        let number = |word: &str| word.strip_prefix(prefix).and_then(|n| n.parse::<u32>().ok());
        let found = match self.peek() {
            Some(Token::Text(name)) => {
                let mut found = (0..names.len()).filter(|&n| names[n] == name);
                match (found.next(), found.next()) {
                    (Some(n), None) => n as u32,
                    (None, _) => return Err(self.error(&format!("nothing is called `\"{name}\"` here"))),
                    _ => return Err(self.error(&format!("more than one thing is called `\"{name}\"`"))),
                }
            }
            Some(Token::Word(word)) if number(word).is_some() => number(word).unwrap_or(0),
            Some(Token::Both(word, name)) if number(word).is_some() => {
                let n = number(word).unwrap_or(0);
                match names.get(n as usize) {
                    Some(real) if real == name => n,
                    real => {
                        let real = real.unwrap_or(&"");
                        return Err(self.error(&format!("`{word}` is called `\"{real}\"`, not `\"{name}\"`")));
                    }
                }
            }
            _ => return Err(self.expected(&format!("a name in quotes or `{prefix}` with a number"))),
        };
        self.at += 1;
        Ok(found)
    }

    fn load_time(&mut self, program: &Program) -> Parse<LoadTime> {
        if let Some(Token::Word(word)) = self.peek()
            && let Some(n) = integer(word)
        {
            self.at += 1;
            return Ok(LoadTime::Literal(n));
        }
        Ok(LoadTime::Glue(self.reference("g", program.glue_values.iter().map(String::as_str))?))
    }

    fn class(&mut self, program: &Program) -> Parse<ClassId> {
        self.reference("class", program.classes.iter().map(|c| &*c.name)).map(ClassId)
    }
}

fn integer(word: &str) -> Option<u64> {
    match word.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => word.parse().ok().or_else(|| word.parse::<i64>().ok().map(|n| n as u64)),
    }
}

/// The bits of a number behind `#`.
fn literal(word: &str) -> Option<(u64, Option<Kind>)> {
    if let Some(bits) = word.strip_prefix('f') {
        return integer(bits).map(|bits| (bits, Some(Kind::Float)));
    }
    if let Some(n) = integer(word) {
        return Some((n, None));
    }
    word.parse::<f64>().ok().map(|f| (f.to_bits(), Some(Kind::Float)))
}

fn access(t: &mut Tokens, program: &Program) -> Parse<Access> {
    let name = t.string()?;
    t.word("class")?;
    let class = t.class(program)?;
    let mut reach = Reach::Class;
    if t.eat_word("reach") {
        let word = t.next_word().unwrap_or_default();
        let row = Reach::ALL.iter().find(|reach| reach.name() == word);
        reach = *row.ok_or_else(|| t.error(&format!("unknown reach `{word}`")))?;
    }
    t.word("offset")?;
    let offset = t.load_time(program)?;
    let stride = if t.eat_word("stride") { Some(t.load_time(program)?) } else { None };
    let word = t.next_word().ok_or_else(|| t.expected("a scalar"))?;
    let scalar = Scalar::ALL.iter().find(|s| s.name() == word);
    let scalar = *scalar.ok_or_else(|| t.error(&format!("unknown scalar `{word}`")))?;
    Ok(Access { name, offset, stride, scalar, class, reach, flags: t.flags(access_flag::NAMES)? })
}

fn call(t: &mut Tokens, program: &Program) -> Parse<CallDescr> {
    let name = t.string()?;
    t.word("shim")?;
    let shim = t.reference("shim", program.glue_shims.iter().map(String::as_str))?;
    let args = t.kinds()?;
    t.word("->")?;
    let results = t.kinds()?;
    let set = |t: &mut Tokens| {
        if t.eat_word("all") {
            return Ok(ClassSet::All);
        }
        let mut classes = t.list('{', '}', |t| t.class(program))?;
        classes.sort_unstable();
        classes.dedup();
        Ok(ClassSet::Some(classes))
    };
    t.word("reads")?;
    let reads = set(t)?;
    t.word("writes")?;
    let writes = set(t)?;
    Ok(CallDescr { name, shim, args, results, reads, writes, flags: t.flags(call_flag::NAMES)? })
}

fn alloc(t: &mut Tokens, program: &Program) -> Parse<Alloc> {
    let name = t.string()?;
    let memory = if t.eat_word("collected") {
        Memory::Collected { header: t.load_time(program)? }
    } else {
        t.word("plain")?;
        t.word("align")?;
        Memory::Plain { align: t.load_time(program)? }
    };
    t.word("size")?;
    let size = t.load_time(program)?;
    let mut elements = None;
    if t.eat_word("elements") {
        let stride = t.load_time(program)?;
        let length = if t.eat_word("length") { Some(t.load_time(program)?) } else { None };
        elements = Some(Elements { stride, length });
    }
    Ok(Alloc { name, memory, size, elements })
}

fn jitcode_head(t: &mut Tokens) -> Parse<JitCode> {
    let name = t.string()?;
    let params = t.kinds()?;
    t.word("->")?;
    let results = t.kinds()?;
    let words = if t.eat_word("words") { t.small()? } else { 0 };
    let floats = if t.eat_word("floats") { t.small()? } else { 0 };
    t.punct('{')?;
    Ok(JitCode {
        name,
        params,
        results,
        words,
        floats,
        constants: vec![],
        slots: vec![],
        code: vec![],
        switches: vec![],
        live: vec![],
        positions: vec![],
    })
}

/// A portal, and the token that refers to its jitcode.
fn portal(t: &mut Tokens, program: &Program) -> Parse<(Portal, Token)> {
    let name = t.string()?;
    t.word("jitcode")?;
    let jitcode = t.peek().cloned().ok_or_else(|| t.expected("a jitcode"))?;
    t.at += 1;
    t.word("call")?;
    let call = CallId(t.reference("call", program.calls.iter().map(|c| &*c.name))?);
    let params = t.list('(', ')', |t| {
        let name = t.next_word().ok_or_else(|| t.expected("a parameter's name"))?;
        t.punct(':')?;
        let mut param = PortalParam { name, kinds: vec![], green: false, owner: false };
        while let Some(word) = t.next_word() {
            match word.as_str() {
                "w" => param.kinds.push(Kind::Word),
                "f" => param.kinds.push(Kind::Float),
                "green" => param.green = true,
                "owner" => param.owner = true,
                other => return Err(t.error(&format!("`{other}` says nothing about a parameter"))),
            }
        }
        Ok(param)
    })?;
    t.word("->")?;
    let results = t.kinds()?;
    Ok((Portal { name, jitcode: JitCodeId(0), merge_point: 0, call, params, results }, jitcode))
}

/// The body of one jitcode while it is read.
struct Body<'a> {
    program: &'a mut Program,
    id: JitCodeId,
    out: JitCode,
    /// Positions of labels.
    labels: HashMap<String, u32>,
    /// Labels in the order of their first use or definition; code refers to them by index until the end.
    label_names: Vec<(String, usize)>,
    live: Vec<(Vec<u16>, Vec<u16>, u32)>,
}

impl<'a> Body<'a> {
    fn new(program: &'a mut Program, index: usize) -> Body<'a> {
        let out = program.jitcodes[index].clone();
        let id = JitCodeId::new(index);
        Body { program, id, out, labels: HashMap::new(), label_names: vec![], live: vec![] }
    }

    fn run(mut self, lines: &[(usize, &str)]) -> Parse<JitCode> {
        for &(number, line) in lines {
            let mut t = Tokens::new(number, line)?;
            if t.peek().is_some() {
                self.line(&mut t)?;
                t.end()?;
            }
        }
        self.place_labels()?;
        let code = decode_all(&self.out.code).expect("what was just encoded");
        for kind in [Kind::Word, Kind::Float] {
            let params = self.out.params.iter().filter(|k| **k == kind).count();
            let operands = code.iter().flat_map(|inst| inst.sources().chain(inst.dsts()).collect::<Vec<_>>());
            let used = operands.filter(|o| !o.is_const() && o.kind() == kind).map(|o| o.index() + 1);
            let count = used.max().unwrap_or(0).max(params) as u16;
            let file = if kind == Kind::Word { &mut self.out.words } else { &mut self.out.floats };
            *file = count.max(*file);
        }
        self.out.live = match self.live.is_empty() {
            true => liveness(&code, &self.out.switches, self.out.words, self.out.floats),
            false => {
                let live = self.live.into_iter();
                live.map(|(words, floats, pc)| Live { pc, words, floats }).collect()
            }
        };
        Ok(self.out)
    }

    fn pc(&self) -> u32 {
        self.out.code.len() as u32
    }

    fn line(&mut self, t: &mut Tokens) -> Parse<()> {
        if let [Token::Word(label), Token::Punct(':')] = &t.tokens[..] {
            let pc = self.pc();
            if self.labels.insert(label.clone(), pc).is_some() {
                return Err(t.error(&format!("the label `{label}` stands twice")));
            }
            t.at = 2;
            return Ok(());
        }
        if t.eat('@') {
            return self.position(t);
        }
        if t.eat_word("const") {
            return self.constant(t);
        }
        if t.eat_word("slot") {
            let name = t.string()?;
            t.word("size")?;
            let size = t.load_time(self.program)?;
            t.word("align")?;
            let align = t.load_time(self.program)?;
            self.out.slots.push(Slot { name, size, align });
            return Ok(());
        }
        if t.eat_word("live") {
            let (mut words, mut floats) = (vec![], vec![]);
            while let Some(word) = t.next_word() {
                match operand(&word) {
                    Some(o) if !o.is_const() && o.kind() == Kind::Word => words.push(o.index() as u16),
                    Some(o) if !o.is_const() => floats.push(o.index() as u16),
                    _ => return Err(t.error(&format!("`{word}` is no register"))),
                }
            }
            self.live.push((words, floats, self.pc()));
            return Ok(());
        }
        self.inst(t)
    }

    fn position(&mut self, t: &mut Tokens) -> Parse<()> {
        let name = t.string()?;
        let file = match self.program.files.iter().position(|f| *f == name) {
            Some(n) => n,
            None => {
                self.program.files.push(name);
                self.program.files.len() - 1
            }
        };
        t.punct(':')?;
        let line = t.small()?;
        t.punct(':')?;
        let column = t.small()?;
        self.out.positions.push(Position { pc: self.pc(), file: file as u32, line, column });
        Ok(())
    }

    fn constant(&mut self, t: &mut Tokens) -> Parse<()> {
        let (value, name) = match t.peek() {
            Some(Token::Word(word)) if word.starts_with('#') => {
                let (bits, _) = literal(&word[1..]).ok_or_else(|| t.expected("a number"))?;
                t.at += 1;
                (LoadTime::Literal(bits), String::new())
            }
            _ => {
                let name = t.string()?;
                (t.load_time(self.program)?, name)
            }
        };
        let frozen = t.eat_word("frozen");
        self.out.constants.push(Constant { value, name, frozen });
        Ok(())
    }

    /// Where the code of the label named `name` is, as an index into `label_names` until all are known.
    fn label(&mut self, t: &mut Tokens) -> Parse<u32> {
        let name = t.next_word().ok_or_else(|| t.expected("a label"))?;
        Ok(match self.label_names.iter().position(|(known, _)| *known == name) {
            Some(n) => n,
            None => {
                self.label_names.push((name, t.line));
                self.label_names.len() - 1
            }
        } as u32)
    }

    fn place_labels(&mut self) -> Parse<()> {
        let mut places = Vec::new();
        for (name, line) in &self.label_names {
            let place = self.labels.get(name);
            let message = format!("the label `{name}` stands nowhere");
            places.push(*place.ok_or(TextError { line: *line, message })?);
        }
        let code = decode_all(&self.out.code).expect("what was just encoded");
        self.out.code.clear();
        for mut inst in code {
            for field in &mut inst.fields {
                if let Field::Label(n) = field {
                    *n = places[*n as usize];
                }
            }
            encode(inst.inst, &inst.fields, &mut self.out.code);
        }
        for table in &mut self.out.switches {
            table.cases.iter_mut().for_each(|(_, n)| *n = places[*n as usize]);
            table.default = places[table.default as usize];
        }
        Ok(())
    }

    fn inst(&mut self, t: &mut Tokens) -> Parse<()> {
        let written = match t.tokens.contains(&Token::Punct('=')) {
            false => None,
            true => {
                let many = t.peek() == Some(&Token::Punct('('));
                let list = match many {
                    true => t.list('(', ')', |t| self.operand(t))?,
                    false => vec![self.operand(t)?],
                };
                t.punct('=')?;
                Some((many, list))
            }
        };
        let name = t.next_word().ok_or_else(|| t.expected("an instruction"))?;
        let inst = Inst::find(&name).ok_or_else(|| t.error(&format!("unknown instruction `{name}`")))?;
        let mut fields = Vec::new();
        let mut taken = false;
        let mut first = true;
        for kind in inst.fields() {
            if let FieldKind::Dst | FieldKind::Dsts = kind {
                fields.push(match &written {
                    Some((false, list)) if *kind == FieldKind::Dst => Field::Dst(list[0]),
                    Some((true, list)) if *kind == FieldKind::Dsts => Field::Dsts(list.clone()),
                    _ => return Err(t.error(&format!("`{name}` does not write what stands before `=`"))),
                });
                taken = true;
                continue;
            }
            if !first {
                t.punct(',')?;
            }
            first = false;
            fields.push(self.field(t, *kind)?);
        }
        if written.is_some() && !taken {
            return Err(t.error(&format!("`{name}` writes no register")));
        }
        if let Some(Field::Index(n)) = fields.first()
            && inst == Inst::Control(ControlOp::MergePoint)
            && let Some(portal) = self.program.portals.get_mut(*n as usize)
            && portal.jitcode == self.id
        {
            portal.merge_point = self.out.code.len() as u32;
        }
        encode(inst, &fields, &mut self.out.code);
        Ok(())
    }

    fn field(&mut self, t: &mut Tokens, kind: FieldKind) -> Parse<Field> {
        let p = &*self.program;
        Ok(Field::Index(match kind {
            FieldKind::Dst | FieldKind::Dsts => unreachable!("written registers stand before `=`"),
            FieldKind::Word | FieldKind::Float | FieldKind::Any => {
                let hint = if kind == FieldKind::Float { Some(Kind::Float) } else { None };
                return Ok(Field::Src(self.operand_of(t, hint)?));
            }
            FieldKind::Sources => return Ok(Field::Sources(t.list('(', ')', |t| self.operand(t))?)),
            FieldKind::Label => return Ok(Field::Label(self.label(t)?)),
            FieldKind::Table => {
                let table = self.table(t)?;
                self.out.switches.push(table);
                self.out.switches.len() as u32 - 1
            }
            FieldKind::Slot => t.reference("slot", self.out.slots.iter().map(|s| &*s.name))?,
            FieldKind::Access => t.reference("a", p.accesses.iter().map(|a| &*a.name))?,
            FieldKind::Call => t.reference("call", p.calls.iter().map(|c| &*c.name))?,
            FieldKind::Alloc => t.reference("alloc", p.allocs.iter().map(|a| &*a.name))?,
            FieldKind::Jitcode => t.reference("j", p.jitcodes.iter().map(|j| &*j.name))?,
            FieldKind::Portal => t.reference("portal", p.portals.iter().map(|p| &*p.name))?,
        }))
    }

    fn table(&mut self, t: &mut Tokens) -> Parse<SwitchTable> {
        let mut default = None;
        let cases = t.list('{', '}', |t| {
            let value = if t.eat_word("else") { None } else { Some(t.number()?) };
            t.punct(':')?;
            let label = self.label(t)?;
            if value.is_none() {
                default = Some(label);
            }
            Ok(value.map(|v| (v, label)))
        })?;
        let default = default.ok_or_else(|| t.error("a switch table without `else`"))?;
        let mut cases: Vec<(u64, u32)> = cases.into_iter().flatten().collect();
        cases.sort_unstable_by_key(|case| case.0);
        Ok(SwitchTable { cases, default })
    }

    fn operand(&mut self, t: &mut Tokens) -> Parse<Operand> {
        self.operand_of(t, None)
    }

    /// A register, a constant by number, or a literal, which is a word unless it looks like or stands for a float.
    fn operand_of(&mut self, t: &mut Tokens, hint: Option<Kind>) -> Parse<Operand> {
        let word = match t.peek() {
            Some(Token::Word(word)) => word.clone(),
            Some(Token::Both(word, name)) => {
                let known = operand(word).and_then(|o| self.out.constants.get(o.index()));
                if known.is_none_or(|c| c.name != *name) {
                    return Err(t.error(&format!("`{word}` is not called `\"{name}\"`")));
                }
                word.clone()
            }
            _ => return Err(t.expected("a register or constant")),
        };
        let found = match word.strip_prefix('#') {
            None => operand(&word).ok_or_else(|| t.expected("a register or constant"))?,
            Some(number) => {
                let (bits, kind) = literal(number).ok_or_else(|| t.expected("a number behind `#`"))?;
                let known = self.out.constants.iter().position(|c| plain(c) == Some(bits));
                let index = known.unwrap_or_else(|| {
                    let value = LoadTime::Literal(bits);
                    self.out.constants.push(Constant { value, name: String::new(), frozen: false });
                    self.out.constants.len() - 1
                });
                if index >= Operand::LIMIT {
                    return Err(t.error("too many constants"));
                }
                Operand::constant(kind.or(hint).unwrap_or(Kind::Word), index as u16)
            }
        };
        t.at += 1;
        Ok(found)
    }
}

/// `w3`, `f0`, `cw2`, `cf1`.
fn operand(word: &str) -> Option<Operand> {
    let (is_const, word) = match word.strip_prefix('c') {
        Some(rest) => (true, rest),
        None => (false, word),
    };
    let kind = match word.chars().next()? {
        'w' => Kind::Word,
        'f' => Kind::Float,
        _ => return None,
    };
    let index = u16::from_str(&word[1..]).ok().filter(|n| usize::from(*n) < Operand::LIMIT)?;
    Some(if is_const { Operand::constant(kind, index) } else { Operand::reg(kind, index) })
}
