//! The parser: expressions and functions.
//!
//! In: tokens. Out: code, by way of `emit`. Nesting is limited, so that no source exhausts the native stack.

use super::expr::{Expr, Kind};
use super::lex::{Lexer, Token, kind_name};
use super::scope::{Attribute, Function};
use super::{Body, Constant, SyntaxError};
use crate::number::{self, Number};
use crate::op::{FLIP, Op};

/// How deep source may be nested.
const MAX_DEPTH: usize = 195;
/// Elements of a constructor that are stored at once.
const BATCH: usize = 50;

pub(super) type Result<T> = std::result::Result<T, SyntaxError>;

pub struct Parser<'s> {
    lexer: Lexer<'s>,
    pub(super) token: Token<'s>,
    /// The text of the token, for messages.
    text: &'s [u8],
    ahead: Option<(Token<'s>, &'s [u8], u32)>,
    /// The line of the token.
    pub(super) line: u32,
    /// The line of the token before.
    pub(super) last_line: u32,
    /// The functions that are being compiled, the innermost last.
    functions: Vec<Function<'s>>,
    depth: usize,
    /// The variable that was read last, unless what was read last stood in parentheses.
    pub(super) last_variable: &'s [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Binary {
    Arith(Op),
    Concat,
    Equal(bool),
    /// Whether the operands are exchanged, and whether equal ones count.
    Order {
        swapped: bool,
        or_equal: bool,
    },
    And,
    Or,
}

/// Left and right priority.
fn priority(token: &Token) -> Option<(Binary, u8, u8)> {
    use Binary::{Arith, Order};
    Some(match token {
        Token::Or => (Binary::Or, 1, 1),
        Token::And => (Binary::And, 2, 2),
        Token::Less => (Order { swapped: false, or_equal: false }, 3, 3),
        Token::Greater => (Order { swapped: true, or_equal: false }, 3, 3),
        Token::LessEqual => (Order { swapped: false, or_equal: true }, 3, 3),
        Token::GreaterEqual => (Order { swapped: true, or_equal: true }, 3, 3),
        Token::Equal => (Binary::Equal(true), 3, 3),
        Token::NotEqual => (Binary::Equal(false), 3, 3),
        Token::Pipe => (Arith(Op::BOr), 4, 4),
        Token::Tilde => (Arith(Op::BXor), 5, 5),
        Token::Ampersand => (Arith(Op::BAnd), 6, 6),
        Token::ShiftLeft => (Arith(Op::Shl), 7, 7),
        Token::ShiftRight => (Arith(Op::Shr), 7, 7),
        Token::Concat => (Binary::Concat, 9, 8),
        Token::Plus => (Arith(Op::Add), 10, 10),
        Token::Minus => (Arith(Op::Sub), 10, 10),
        Token::Star => (Arith(Op::Mul), 11, 11),
        Token::Slash => (Arith(Op::Div), 11, 11),
        Token::DoubleSlash => (Arith(Op::IDiv), 11, 11),
        Token::Percent => (Arith(Op::Mod), 11, 11),
        Token::Caret => (Arith(Op::Pow), 14, 13),
        _ => return None,
    })
}

/// Of operators before their operand.
const UNARY_PRIORITY: u8 = 12;

impl<'s> Parser<'s> {
    pub fn new(source: &'s [u8]) -> Result<Parser<'s>> {
        let mut parser = Parser {
            lexer: Lexer::new(source),
            token: Token::Eof,
            text: b"",
            ahead: None,
            line: 1,
            last_line: 1,
            functions: Vec::new(),
            depth: 0,
            last_variable: b"",
        };
        parser.advance()?;
        Ok(parser)
    }

    /// Compiles all of the source as the body of a function with variable arguments.
    pub fn chunk(mut self) -> Result<Body> {
        let mut function = Function::new(0);
        function.body.is_vararg = true;
        function.add_upvalue(b"_ENV", true, 0);
        self.functions.push(function);
        self.f().enter_block(false);
        self.statements()?;
        if self.token != Token::Eof {
            return Err(self.expected(&Token::Eof));
        }
        self.close_function()
    }

    /// The innermost function.
    pub(super) fn f(&mut self) -> &mut Function<'s> {
        let last = self.functions.len() - 1;
        &mut self.functions[last]
    }

    // Tokens.

    pub(super) fn advance(&mut self) -> Result<()> {
        self.last_line = self.line;
        if let Some((token, text, line)) = self.ahead.take() {
            (self.token, self.text, self.line) = (token, text, line);
        } else {
            self.token = self.lexer.next()?;
            self.text = self.lexer.text();
            self.line = self.lexer.line;
        }
        if let Some(function) = self.functions.last_mut() {
            function.line = self.last_line;
        }
        Ok(())
    }

    pub(super) fn look_ahead(&mut self) -> Result<&Token<'s>> {
        if self.ahead.is_none() {
            let token = self.lexer.next()?;
            self.ahead = Some((token, self.lexer.text(), self.lexer.line));
        }
        Ok(self.ahead.as_ref().map_or(&Token::Eof, |(token, ..)| token))
    }

    pub(super) fn error(&self, message: &str) -> SyntaxError {
        let mut text = message.as_bytes().to_vec();
        if self.token == Token::Eof {
            text.extend_from_slice(b" near <eof>");
        } else {
            text.extend_from_slice(b" near '");
            text.extend_from_slice(self.text);
            text.push(b'\'');
        }
        SyntaxError { line: self.line, text }
    }

    /// An error that is not about the current token.
    pub(super) fn error_plain(&self, text: String) -> SyntaxError {
        SyntaxError { line: self.line, text: text.into_bytes() }
    }

    pub(super) fn expected(&self, token: &Token) -> SyntaxError {
        let name = kind_name(token);
        let quote = if name.starts_with('<') { "" } else { "'" };
        self.error(&format!("{quote}{name}{quote} expected"))
    }

    pub(super) fn eat(&mut self, token: &Token) -> Result<bool> {
        let found = self.token == *token;
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    pub(super) fn expect(&mut self, token: &Token) -> Result<()> {
        if self.eat(token)? { Ok(()) } else { Err(self.expected(token)) }
    }

    /// Expects what closes `open`, which stood in `line`.
    pub(super) fn expect_match(&mut self, close: &Token, open: &Token, line: u32) -> Result<()> {
        if self.eat(close)? {
            return Ok(());
        }
        if line == self.line {
            return Err(self.expected(close));
        }
        let (close, open) = (kind_name(close), kind_name(open));
        Err(self.error(&format!("'{close}' expected (to close '{open}' at line {line})")))
    }

    pub(super) fn name(&mut self) -> Result<&'s [u8]> {
        let Token::Name(name) = self.token else { return Err(self.expected(&Token::Name(b""))) };
        self.advance()?;
        Ok(name)
    }

    pub(super) fn deeper(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error_plain("C stack overflow".into()));
        }
        Ok(())
    }

    pub(super) fn shallower(&mut self) {
        self.depth -= 1;
    }

    pub(super) fn limit_error(&mut self, limit: usize, what: &str) -> SyntaxError {
        let line = self.f().body.first_line;
        let place = if line == 0 { "main function".to_string() } else { format!("function at line {line}") };
        self.error(&format!("too many {what} (limit is {limit}) in {place}"))
    }

    // Variables.

    /// A visible variable, wherever it is; the global table's field otherwise.
    pub(super) fn variable(&mut self, name: &'s [u8]) -> Result<Expr> {
        let last = self.functions.len() - 1;
        self.last_variable = name;
        if let Some(kind) = self.resolve(last, name)? {
            return Ok(Expr::new(kind));
        }
        let Some(mut table) = self.resolve(last, b"_ENV")?.map(Expr::new) else {
            return Err(self.error_plain("no _ENV".into()));
        };
        let f = self.f();
        f.to_any_or_upvalue(&mut table)?;
        let key = f.string(name);
        f.index(&mut table, Expr::new(Kind::String(key)))?;
        Ok(table)
    }

    /// Where the function of that level sees a variable.
    fn resolve(&mut self, level: usize, name: &[u8]) -> Result<Option<Kind>> {
        let function = &mut self.functions[level];
        if let Some(index) = function.find(name) {
            return Ok(Some(match function.variables[index].attribute {
                Attribute::Known(_) => Kind::Const(index),
                _ => Kind::Local(function.variables[index].register, index),
            }));
        }
        if let Some(upvalue) = function.find_upvalue(name) {
            return Ok(Some(Kind::Upvalue(upvalue)));
        }
        if level == 0 {
            return Ok(None);
        }
        let (in_register, index) = match self.resolve(level - 1, name)? {
            None => return Ok(None),
            Some(Kind::Local(register, index)) => {
                self.functions[level - 1].mark_captured(index);
                (true, register)
            }
            Some(Kind::Upvalue(index)) => (false, index),
            Some(Kind::Const(index)) => {
                // A known value needs no upvalue: it is the same here.
                let Attribute::Known(constant) = self.functions[level - 1].variables[index].attribute.clone()
                else {
                    return Ok(None);
                };
                return Ok(Some(self.functions[level].kind_of(&constant)));
            }
            Some(kind) => {
                let constant = match kind {
                    Kind::String(index) => self.functions[level - 1].body.constants[index as usize].clone(),
                    _ => return Ok(Some(kind)),
                };
                return Ok(Some(self.functions[level].kind_of(&constant)));
            }
        };
        match self.functions[level].add_upvalue(name, in_register, index) {
            Some(upvalue) => Ok(Some(Kind::Upvalue(upvalue))),
            None => Err(self.limit_error(255, "upvalues")),
        }
    }

    /// Whether a variable is a constant, by what an expression says of it.
    pub(super) fn check_assignable(&mut self, target: &Expr) -> Result<()> {
        let last = self.functions.len() - 1;
        let name = match target.kind {
            Kind::Const(index) => self.f().variables[index].name,
            Kind::Local(_, index) if self.f().variables[index].attribute != Attribute::Regular => {
                self.f().variables[index].name
            }
            Kind::Upvalue(index) => match self.constant_upvalue(last, index) {
                Some(name) => name,
                None => return Ok(()),
            },
            // A known variable of a function around this one.
            Kind::Nil | Kind::True | Kind::False | Kind::Int(_) | Kind::Float(_) | Kind::String(_) => {
                self.last_variable
            }
            _ => return Ok(()),
        };
        Err(self.constant_error(name))
    }

    pub(super) fn constant_error(&self, name: &[u8]) -> SyntaxError {
        let name = String::from_utf8_lossy(name);
        SyntaxError {
            line: self.line,
            text: format!("attempt to assign to const variable '{name}'").into_bytes(),
        }
    }

    fn constant_upvalue(&self, level: usize, index: u8) -> Option<&'s [u8]> {
        let upvalue = &self.functions[level].body.upvalues[usize::from(index)];
        let outer = self.functions.get(level.checked_sub(1)?)?;
        if !upvalue.in_register {
            return self.constant_upvalue(level - 1, upvalue.index);
        }
        outer
            .variables
            .iter()
            .rfind(|variable| variable.register == upvalue.index && *variable.name == *upvalue.name)
            .filter(|variable| variable.attribute != Attribute::Regular)
            .map(|variable| variable.name)
    }

    // Functions.

    fn close_function(&mut self) -> Result<Body> {
        // A chunk ends with its last token.
        let is_chunk = self.functions.len() == 1;
        let line = if is_chunk { self.last_line } else { self.line };
        let f = self.f();
        let registers = f.active_registers();
        f.line = line;
        f.emit_return(registers, Some(0));
        f.leave_block()?;
        let Some(mut function) = self.functions.pop() else { return Ok(Body::default()) };
        function.body.last_line = line;
        if function.closes {
            // Returns tell the machine by `c` that something may be open.
            for instr in &mut function.body.code {
                if matches!(instr.op, Op::Return | Op::Return0 | Op::Return1 | Op::TailCall) {
                    instr.c = 1;
                }
            }
        }
        Ok(function.body)
    }

    /// Parameters and body of a function, behind its name.
    pub(super) fn function_body(&mut self, is_method: bool, line: u32) -> Result<Expr> {
        self.deeper()?;
        self.functions.push(Function::new(line));
        self.f().enter_block(false);
        self.expect(&Token::OpenParen)?;
        let mut params = 0;
        if is_method {
            self.declare(b"self", Attribute::Regular)?;
            params += 1;
        }
        if self.token != Token::CloseParen {
            loop {
                match self.token {
                    Token::Name(name) => {
                        self.advance()?;
                        self.declare(name, Attribute::Regular)?;
                        params += 1;
                    }
                    Token::Dots => {
                        self.advance()?;
                        self.f().body.is_vararg = true;
                        break;
                    }
                    _ => return Err(self.error("<name> or '...' expected")),
                }
                if !self.eat(&Token::Comma)? {
                    break;
                }
            }
        }
        let f = self.f();
        f.activate(params);
        f.body.params = params as u8;
        f.reserve(params)?;
        self.expect(&Token::CloseParen)?;
        self.statements()?;
        if self.token != Token::End {
            self.expect_match(&Token::End, &Token::Function, line)?;
        }
        let body = self.close_function()?;
        self.advance()?;
        self.shallower();
        let f = self.f();
        f.body.functions.push(body);
        let index = f.body.functions.len() as u32 - 1;
        let pc = f.emit_abc(Op::Closure, 0, 0, index);
        let mut expr = Expr::new(Kind::Pending(pc));
        f.to_next(&mut expr)?;
        Ok(expr)
    }

    // Expressions.

    pub(super) fn expr(&mut self) -> Result<Expr> {
        self.sub_expr(0)
    }

    /// A list of expressions: all but the last in registers; their number and the last.
    pub(super) fn expr_list(&mut self) -> Result<(usize, Expr)> {
        let mut count = 1;
        let mut last = self.expr()?;
        while self.eat(&Token::Comma)? {
            self.f().to_next(&mut last)?;
            last = self.expr()?;
            count += 1;
        }
        Ok((count, last))
    }

    fn sub_expr(&mut self, limit: u8) -> Result<Expr> {
        self.deeper()?;
        let line = self.line;
        let mut left = match self.token {
            Token::Not => {
                self.advance()?;
                let mut operand = self.sub_expr(UNARY_PRIORITY)?;
                self.f().not(&mut operand)?;
                operand
            }
            Token::Minus => self.unary(Op::Neg, line)?,
            Token::Tilde => self.unary(Op::BNot, line)?,
            Token::Hash => self.unary(Op::Len, line)?,
            _ => self.simple()?,
        };
        while let Some((operator, before, after)) = priority(&self.token)
            && before > limit
        {
            let line = self.line;
            self.advance()?;
            self.infix(operator, &mut left)?;
            let right = self.sub_expr(after)?;
            self.binary(operator, &mut left, right, line)?;
        }
        self.shallower();
        Ok(left)
    }

    fn unary(&mut self, op: Op, line: u32) -> Result<Expr> {
        self.advance()?;
        let mut operand = self.sub_expr(UNARY_PRIORITY)?;
        let f = self.f();
        if let Kind::Const(_) = operand.kind {
            f.discharge(&mut operand);
        }
        let folded = match (op, operand.number()) {
            (Op::Neg, Some(Number::Int(int))) => Some(Kind::Int(int.wrapping_neg())),
            (Op::Neg, Some(Number::Float(float))) if float != 0.0 => Some(Kind::Float(-float)),
            (Op::BNot, Some(Number::Int(int))) => Some(Kind::Int(!int)),
            _ => None,
        };
        if let Some(kind) = folded {
            return Ok(Expr::new(kind));
        }
        let register = f.to_any(&mut operand)?;
        f.free_expr(&operand);
        let pc = f.emit_abc(op, 0, u16::from(register), 0);
        f.fix_line(line);
        Ok(Expr::new(Kind::Pending(pc)))
    }

    /// Prepares the left operand before the right one is read.
    fn infix(&mut self, operator: Binary, left: &mut Expr) -> Result<()> {
        let f = self.f();
        if let Kind::Const(_) = left.kind {
            f.discharge(left);
        }
        match operator {
            Binary::And => f.go_if_true(left),
            Binary::Or => f.go_if_false(left),
            Binary::Concat => f.to_next(left).map(drop),
            Binary::Arith(_) | Binary::Order { .. } if left.number().is_some() => Ok(()),
            Binary::Equal(_) => {
                f.to_value(left)?;
                if f.as_constant(left).is_none() { f.to_any(left).map(drop) } else { Ok(()) }
            }
            _ => f.to_any(left).map(drop),
        }
    }

    fn binary(&mut self, operator: Binary, left: &mut Expr, mut right: Expr, line: u32) -> Result<()> {
        let f = self.f();
        if let Kind::Const(_) = right.kind {
            f.discharge(&mut right);
        }
        match operator {
            Binary::And => {
                right.if_false = f.join(left.if_false, right.if_false);
                *left = right;
                Ok(())
            }
            Binary::Or => {
                right.if_true = f.join(left.if_true, right.if_true);
                *left = right;
                Ok(())
            }
            Binary::Concat => f.concat(left, right, line),
            Binary::Equal(equal) => f.compare_equal(left, right, equal, line),
            Binary::Order { swapped, or_equal } => f.compare_order(left, right, swapped, or_equal, line),
            Binary::Arith(op) => f.arith(op, left, right, line),
        }
    }

    fn simple(&mut self) -> Result<Expr> {
        let kind = match &self.token {
            Token::Int(int) => Kind::Int(*int),
            Token::Float(float) => Kind::Float(*float),
            Token::String(text) => {
                let text = text.clone();
                Kind::String(self.f().string(&text))
            }
            Token::Nil => Kind::Nil,
            Token::True => Kind::True,
            Token::False => Kind::False,
            Token::Dots => {
                if !self.f().body.is_vararg {
                    return Err(self.error("cannot use '...' outside a vararg function"));
                }
                Kind::VarArg(self.f().emit_abc(Op::VarArg, 0, 2, 0))
            }
            Token::OpenBrace => return self.table(),
            Token::Function => {
                let line = self.line;
                self.advance()?;
                return self.function_body(false, line);
            }
            _ => return self.suffixed(),
        };
        self.advance()?;
        Ok(Expr::new(kind))
    }

    fn primary(&mut self) -> Result<Expr> {
        match self.token {
            Token::Name(name) => {
                self.advance()?;
                self.variable(name)
            }
            Token::OpenParen => {
                let line = self.line;
                self.advance()?;
                let mut expr = self.expr()?;
                self.expect_match(&Token::CloseParen, &Token::OpenParen, line)?;
                self.f().discharge(&mut expr);
                self.last_variable = b"";
                Ok(expr)
            }
            _ => Err(self.error("unexpected symbol")),
        }
    }

    /// A variable, an element, a call.
    pub(super) fn suffixed(&mut self) -> Result<Expr> {
        let line = self.line;
        let mut expr = self.primary()?;
        loop {
            match self.token {
                Token::Dot => self.field(&mut expr)?,
                Token::OpenBracket => {
                    self.f().to_any_or_upvalue(&mut expr)?;
                    let key = self.bracketed()?;
                    self.f().index(&mut expr, key)?;
                }
                Token::Colon => {
                    self.advance()?;
                    let name = self.name()?;
                    self.f().method(&mut expr, name)?;
                    expr = self.call(expr, line)?;
                }
                Token::OpenParen | Token::String(_) | Token::OpenBrace => {
                    self.f().to_next(&mut expr)?;
                    expr = self.call(expr, line)?;
                }
                _ => return Ok(expr),
            }
        }
    }

    /// `.name`.
    pub(super) fn field(&mut self, expr: &mut Expr) -> Result<()> {
        self.f().to_any_or_upvalue(expr)?;
        self.advance()?;
        let name = self.name()?;
        let f = self.f();
        let key = f.string(name);
        f.index(expr, Expr::new(Kind::String(key)))
    }

    fn bracketed(&mut self) -> Result<Expr> {
        self.advance()?;
        let mut key = self.expr()?;
        self.f().to_value(&mut key)?;
        self.expect(&Token::CloseBracket)?;
        Ok(key)
    }

    /// The arguments of a call of a function in a register.
    fn call(&mut self, function: Expr, line: u32) -> Result<Expr> {
        let Kind::Temp(base) = function.kind else { return Ok(function) };
        let mut last = match &self.token {
            Token::String(text) => {
                let text = text.clone();
                let constant = self.f().string(&text);
                self.advance()?;
                Expr::new(Kind::String(constant))
            }
            Token::OpenBrace => self.table()?,
            Token::OpenParen => {
                let open = self.line;
                self.advance()?;
                let last =
                    if self.token == Token::CloseParen { Expr::new(Kind::Void) } else { self.expr_list()?.1 };
                self.expect_match(&Token::CloseParen, &Token::OpenParen, open)?;
                last
            }
            _ => return Err(self.error("function arguments expected")),
        };
        let f = self.f();
        let count = if last.has_many_values() && !last.has_jumps() {
            f.set_all_results(&last)?;
            0
        } else {
            if last.kind != Kind::Void {
                f.to_next(&mut last)?;
            }
            u16::from(f.free - base)
        };
        let pc = f.emit_abc(Op::Call, base, count, 2);
        f.fix_line(line);
        f.free = base + 1;
        Ok(Expr::new(Kind::Call(pc)))
    }

    fn table(&mut self) -> Result<Expr> {
        let line = self.line;
        let f = self.f();
        let new = f.emit_abc(Op::NewTable, 0, 0, 0);
        let mut table = Expr::new(Kind::Pending(new));
        let register = f.to_next(&mut table)?;
        self.expect(&Token::OpenBrace)?;
        let (mut fields, mut elements, mut pending) = (0u32, 0usize, 0usize);
        let mut last = Expr::new(Kind::Void);
        while self.token != Token::CloseBrace {
            if last.kind != Kind::Void {
                self.f().to_next(&mut last)?;
                last = Expr::new(Kind::Void);
                if pending == BATCH {
                    self.f().set_list(register, elements, pending)?;
                    pending = 0;
                }
            }
            let is_field = match self.token {
                Token::Name(_) => *self.look_ahead()? == Token::Assign,
                Token::OpenBracket => true,
                _ => false,
            };
            if is_field {
                self.record_field(register)?;
                fields += 1;
            } else {
                last = self.expr()?;
                elements += 1;
                pending += 1;
            }
            if !self.eat(&Token::Comma)? && !self.eat(&Token::Semicolon)? {
                break;
            }
        }
        self.expect_match(&Token::CloseBrace, &Token::OpenBrace, line)?;
        let f = self.f();
        if last.has_many_values() && !last.has_jumps() {
            f.set_all_results(&last)?;
            elements -= 1;
            f.emit_abc(Op::SetList, register, 0, (elements + 1 - pending) as u32);
            f.free = register + 1;
        } else if pending > 0 {
            if last.kind != Kind::Void {
                f.to_next(&mut last)?;
            }
            f.set_list(register, elements, pending)?;
        }
        f.body.code[new].b = elements.min(usize::from(u16::MAX)) as u16;
        f.body.code[new].c = fields.min(1 << 16);
        Ok(table)
    }

    fn record_field(&mut self, register: u8) -> Result<()> {
        let free = self.f().free;
        let key = match self.token {
            Token::Name(name) => {
                self.advance()?;
                Expr::new(Kind::String(self.f().string(name)))
            }
            _ => self.bracketed()?,
        };
        self.expect(&Token::Assign)?;
        let mut target = Expr::new(Kind::Temp(register));
        self.f().index(&mut target, key)?;
        let mut value = self.expr()?;
        let f = self.f();
        f.store(&target, &mut value)?;
        f.free = free;
        Ok(())
    }
}

/// Folds arithmetic on numbers that are written down.
fn fold(op: Op, a: Number, b: Number) -> Option<Kind> {
    let ints = match (a, b) {
        (Number::Int(a), Number::Int(b)) => Some((a, b)),
        _ => None,
    };
    let as_int = |number: Number| match number {
        Number::Int(int) => Some(int),
        Number::Float(float) => number::float_to_int(float),
    };
    let bits = || Some((as_int(a)?, as_int(b)?));
    let (x, y) = (a.to_float(), b.to_float());
    let float = match (op, ints) {
        (Op::Add, Some((a, b))) => return Some(Kind::Int(a.wrapping_add(b))),
        (Op::Sub, Some((a, b))) => return Some(Kind::Int(a.wrapping_sub(b))),
        (Op::Mul, Some((a, b))) => return Some(Kind::Int(a.wrapping_mul(b))),
        (Op::IDiv, Some((a, b))) => return number::int_floor_div(a, b).map(Kind::Int),
        (Op::Mod, Some((a, b))) => return number::int_modulo(a, b).map(Kind::Int),
        (Op::Add, None) => x + y,
        (Op::Sub, None) => x - y,
        (Op::Mul, None) => x * y,
        (Op::Div, _) if y != 0.0 => x / y,
        (Op::IDiv, None) if y != 0.0 => (x / y).floor(),
        (Op::Mod, None) if y != 0.0 => return None,
        (Op::Pow, _) => number::power(x, y),
        (Op::BAnd, _) => return bits().map(|(a, b)| Kind::Int(a & b)),
        (Op::BOr, _) => return bits().map(|(a, b)| Kind::Int(a | b)),
        (Op::BXor, _) => return bits().map(|(a, b)| Kind::Int(a ^ b)),
        (Op::Shl, _) => return bits().map(|(a, b)| Kind::Int(number::shift_left(a, b))),
        (Op::Shr, _) => return bits().map(|(a, b)| Kind::Int(number::shift_left(a, b.wrapping_neg()))),
        _ => return None,
    };
    (!float.is_nan() && float != 0.0).then_some(Kind::Float(float))
}

impl Function<'_> {
    fn set_all_results(&mut self, expr: &Expr) -> Result<()> {
        match expr.kind {
            Kind::Call(pc) => self.body.code[pc].c = 0,
            Kind::VarArg(pc) => {
                self.body.code[pc].b = 0;
                self.body.code[pc].a = self.free;
                self.reserve(1)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Has a call or `...` give `count` values, in the registers from the first free one on; none if `None`.
    pub(super) fn set_results(&mut self, expr: &Expr, count: Option<usize>) -> Result<()> {
        match (expr.kind, count) {
            (Kind::Call(pc), Some(count)) => self.body.code[pc].c = count as u32 + 1,
            (Kind::VarArg(pc), Some(count)) => {
                self.body.code[pc].b = count as u16 + 1;
                self.body.code[pc].a = self.free;
                self.reserve(1)?;
            }
            (_, None) => return self.set_all_results(expr),
            _ => {}
        }
        Ok(())
    }

    fn set_list(&mut self, table: u8, elements: usize, pending: usize) -> Result<()> {
        self.emit_abc(Op::SetList, table, pending as u16, (elements - pending) as u32);
        self.free = table + 1;
        Ok(())
    }

    /// Returns `count` values from a register on; those up to the top if `None`.
    pub(super) fn emit_return(&mut self, first: u8, count: Option<usize>) {
        match count {
            Some(0) => self.emit_abc(Op::Return0, 0, 0, 0),
            Some(1) => self.emit_abc(Op::Return1, first, 0, 0),
            Some(count) => self.emit_abc(Op::Return, first, count as u16 + 1, 0),
            None => self.emit_abc(Op::Return, first, 0, 0),
        };
    }

    fn concat(&mut self, left: &mut Expr, mut right: Expr, line: u32) -> Result<()> {
        let second = self.to_next(&mut right)?;
        // `a .. (b .. c)`: one instruction for all of them.
        let last = self.body.code.last().copied();
        if let Some(last) = last
            && last.op == Op::Concat
            && last.a == second
            && self.last_target != self.pc()
            && let Kind::Temp(first) = left.kind
            && first + 1 == second
        {
            let pc = self.pc() - 1;
            self.body.code[pc].a = first;
            self.body.code[pc].b += 1;
        } else if let Kind::Temp(first) = left.kind {
            self.emit_abc(Op::Concat, first, 2, 0);
            self.fix_line(line);
        }
        self.free_expr(&right);
        Ok(())
    }

    fn arith(&mut self, op: Op, left: &mut Expr, mut right: Expr, line: u32) -> Result<()> {
        if let (Some(a), Some(b)) = (left.number(), right.number())
            && let Some(kind) = fold(op, a, b)
        {
            *left = Expr::new(kind);
            return Ok(());
        }
        let small = match right.number() {
            Some(Number::Int(int)) => i32::try_from(int).ok(),
            _ => None,
        };
        let with_constant = Op::ALL[op as usize + (Op::AddK as usize - Op::Add as usize)];
        let pc = if let (Op::Add | Op::Sub, Some(int), None) = (op, small, left.number()) {
            let register = self.to_any(left)?;
            let op = if op == Op::Add { Op::AddInt } else { Op::SubInt };
            self.free_expr(left);
            self.emit_abc(op, 0, u16::from(register), int as u32)
        } else if let (Some(_), None) = (right.number(), left.number()) {
            let register = self.to_any(left)?;
            let constant = self.as_constant(&right).unwrap_or(0);
            self.free_expr(left);
            self.emit_abc(with_constant, 0, u16::from(register), constant)
        } else if let (None, Some(_)) = (right.number(), left.number()) {
            let register = self.to_any(&mut right)?;
            let constant = self.as_constant(left).unwrap_or(0);
            self.free_expr(&right);
            self.emit_abc(with_constant, 0, u16::from(register), constant | FLIP)
        } else {
            let b = self.to_any(&mut right)?;
            let a = self.to_any(left)?;
            self.free_exprs(left, &right);
            self.emit_abc(op, 0, u16::from(a), u32::from(b))
        };
        self.fix_line(line);
        *left = Expr::new(Kind::Pending(pc));
        Ok(())
    }

    fn compare_equal(&mut self, left: &mut Expr, mut right: Expr, equal: bool, line: u32) -> Result<()> {
        if self.as_constant(left).is_some() {
            std::mem::swap(left, &mut right);
        }
        let a = self.to_any(left)?;
        self.to_value(&mut right)?;
        let constant = self.as_constant(&right).and_then(|constant| u16::try_from(constant).ok());
        let pc = match constant {
            Some(constant) => {
                self.free_expr(left);
                let op = if equal { Op::JumpEqK } else { Op::JumpNeK };
                self.emit_abc(op, a, constant, u32::MAX)
            }
            None => {
                let b = self.to_any(&mut right)?;
                self.free_exprs(left, &right);
                let op = if equal { Op::JumpEq } else { Op::JumpNe };
                self.emit_abc(op, a, u16::from(b), u32::MAX)
            }
        };
        self.fix_line(line);
        *left = Expr::new(Kind::Jump(pc));
        Ok(())
    }

    fn compare_order(
        &mut self,
        left: &mut Expr,
        mut right: Expr,
        swapped: bool,
        or_equal: bool,
        line: u32,
    ) -> Result<()> {
        let small = |expr: &Expr| match expr.number() {
            Some(Number::Int(int)) => i16::try_from(int).ok(),
            _ => None,
        };
        let pc = if let (Some(int), None) = (small(&right), left.number()) {
            let a = self.to_any(left)?;
            self.free_expr(left);
            let op = match (swapped, or_equal) {
                (false, false) => Op::JumpLtInt,
                (false, true) => Op::JumpLeInt,
                (true, false) => Op::JumpGtInt,
                (true, true) => Op::JumpGeInt,
            };
            self.emit_abc(op, a, int as u16, u32::MAX)
        } else if let (Some(int), None) = (small(left), right.number()) {
            let a = self.to_any(&mut right)?;
            self.free_expr(&right);
            let op = match (swapped, or_equal) {
                (false, false) => Op::JumpGtInt,
                (false, true) => Op::JumpGeInt,
                (true, false) => Op::JumpLtInt,
                (true, true) => Op::JumpLeInt,
            };
            self.emit_abc(op, a, int as u16, u32::MAX)
        } else {
            let (a, b) = if let Kind::Int(_) | Kind::Float(_) = left.kind {
                let b = self.to_any(&mut right)?;
                (self.to_any(left)?, b)
            } else {
                (self.to_any(left)?, self.to_any(&mut right)?)
            };
            self.free_exprs(left, &right);
            let op = if or_equal { Op::JumpLe } else { Op::JumpLt };
            let (a, b) = if swapped { (b, a) } else { (a, b) };
            self.emit_abc(op, a, u16::from(b), u32::MAX)
        };
        self.fix_line(line);
        *left = Expr::new(Kind::Jump(pc));
        Ok(())
    }
}

/// The value of an expression, if it is known.
pub(super) fn known(f: &Function, expr: &Expr) -> Option<Constant> {
    if expr.has_jumps() {
        return None;
    }
    Some(match expr.kind {
        Kind::Nil => Constant::Nil,
        Kind::True => Constant::Bool(true),
        Kind::False => Constant::Bool(false),
        Kind::Int(int) => Constant::Int(int),
        Kind::Float(float) => Constant::Float(float),
        Kind::String(index) => f.body.constants[index as usize].clone(),
        Kind::Const(index) => match &f.variables[index].attribute {
            Attribute::Known(constant) => constant.clone(),
            _ => return None,
        },
        _ => return None,
    })
}
