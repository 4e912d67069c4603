//! The parser: statements.

use super::expr::{Chain, Expr, Kind};
use super::lex::Token;
use super::parse::{Parser, Result, known};
use super::scope::{Attribute, BREAK, Label, Variable};
use crate::op::Op;

/// Local variables of a function.
const MAX_LOCALS: usize = 200;

impl<'s> Parser<'s> {
    /// Declares a local variable, which is not visible yet.
    pub(super) fn declare(&mut self, name: &'s [u8], attribute: Attribute) -> Result<()> {
        if self.f().variables.len() >= MAX_LOCALS {
            return Err(self.limit_error(MAX_LOCALS, "local variables"));
        }
        self.f().variables.push(Variable { name, attribute, register: 0, debug: None });
        Ok(())
    }

    /// Whether the token ends a block.
    fn ends_block(&self, until: bool) -> bool {
        match self.token {
            Token::Else | Token::Elseif | Token::End | Token::Eof => true,
            Token::Until => until,
            _ => false,
        }
    }

    pub(super) fn statements(&mut self) -> Result<()> {
        while !self.ends_block(true) {
            if self.token == Token::Return {
                return self.statement();
            }
            self.statement()?;
        }
        Ok(())
    }

    fn statement(&mut self) -> Result<()> {
        self.deeper()?;
        let line = self.line;
        self.f().line = line;
        match self.token {
            Token::Semicolon => self.advance()?,
            Token::If => self.if_statement(line)?,
            Token::While => self.while_statement(line)?,
            Token::Do => {
                self.advance()?;
                self.block()?;
                self.expect_match(&Token::End, &Token::Do, line)?;
            }
            Token::For => self.for_statement(line)?,
            Token::Repeat => self.repeat_statement(line)?,
            Token::Function => self.function_statement(line)?,
            Token::Local => {
                self.advance()?;
                if self.eat(&Token::Function)? {
                    self.local_function()?;
                } else {
                    self.local_statement()?;
                }
            }
            Token::DoubleColon => {
                self.advance()?;
                let name = self.name()?;
                self.label(name, line)?;
            }
            Token::Return => {
                self.advance()?;
                self.return_statement()?;
            }
            Token::Break => {
                self.advance()?;
                self.forward_goto(BREAK, line);
            }
            Token::Goto => {
                self.advance()?;
                let name = self.name()?;
                self.goto(name, line);
            }
            _ => self.expr_statement()?,
        }
        let f = self.f();
        f.free = f.active_registers();
        self.shallower();
        Ok(())
    }

    fn block(&mut self) -> Result<()> {
        self.f().enter_block(false);
        self.statements()?;
        self.f().leave_block()
    }

    // Jumps.

    fn forward_goto(&mut self, name: &'s [u8], line: u32) {
        let f = self.f();
        let Some(pc) = f.jump().0 else { return };
        let variables = f.active;
        f.gotos.push(Label { name, pc, line, variables, needs_close: false });
    }

    fn goto(&mut self, name: &'s [u8], line: u32) {
        let f = self.f();
        let Some((target, variables)) =
            f.labels.iter().find(|label| label.name == name).map(|label| (label.pc, label.variables))
        else {
            return self.forward_goto(name, line);
        };
        let level = f.registers_of(variables);
        if f.active_registers() > level {
            f.emit_abc(Op::Close, level, 0, 0);
        }
        f.emit_abc(Op::Loop, 0, 0, target as u32);
    }

    fn label(&mut self, name: &'s [u8], line: u32) -> Result<()> {
        self.expect(&Token::DoubleColon)?;
        while matches!(self.token, Token::Semicolon | Token::DoubleColon) {
            self.statement()?;
        }
        if let Some(found) = self.f().labels.iter().find(|label| label.name == name) {
            let text =
                format!("label '{}' already defined on line {}", String::from_utf8_lossy(name), found.line);
            return Err(self.error_plain(text));
        }
        let is_last = self.ends_block(false);
        let f = self.f();
        let first_goto = f.blocks.last().map_or(0, |block| block.first_goto);
        f.add_label(name, line, is_last, first_goto)?;
        Ok(())
    }

    // Control structures.

    /// A condition; the jumps that are taken if it is false.
    fn condition(&mut self) -> Result<Chain> {
        let condition = self.expr()?;
        self.jumps_unless(condition)
    }

    /// The jumps that are made if a condition does not hold.
    fn jumps_unless(&mut self, mut condition: Expr) -> Result<Chain> {
        if condition.kind == Kind::Nil {
            condition.kind = Kind::False;
        }
        self.f().go_if_true(&mut condition)?;
        Ok(condition.if_false)
    }

    fn if_statement(&mut self, line: u32) -> Result<()> {
        let mut ends = Chain::EMPTY;
        loop {
            // Behind `if` or `elseif`.
            self.advance()?;
            let condition = self.expr()?;
            self.expect(&Token::Then)?;
            let otherwise = self.jumps_unless(condition)?;
            self.block()?;
            let has_more = matches!(self.token, Token::Else | Token::Elseif);
            let f = self.f();
            if has_more {
                let end = f.jump();
                ends = f.join(ends, end);
            }
            f.patch_here(otherwise);
            if self.token != Token::Elseif {
                break;
            }
        }
        if self.eat(&Token::Else)? {
            self.block()?;
        }
        self.expect_match(&Token::End, &Token::If, line)?;
        self.f().patch_here(ends);
        Ok(())
    }

    fn while_statement(&mut self, line: u32) -> Result<()> {
        self.advance()?;
        let start = self.f().label_here();
        let exit = self.condition()?;
        self.f().enter_block(true);
        self.expect(&Token::Do)?;
        self.block()?;
        self.f().emit_abc(Op::Loop, 0, 0, start as u32);
        self.expect_match(&Token::End, &Token::While, line)?;
        let f = self.f();
        f.leave_block()?;
        f.patch_here(exit);
        Ok(())
    }

    fn repeat_statement(&mut self, line: u32) -> Result<()> {
        let start = self.f().label_here();
        self.f().enter_block(true);
        self.f().enter_block(false);
        self.advance()?;
        self.statements()?;
        self.expect_match(&Token::Until, &Token::Repeat, line)?;
        let mut again = self.condition()?;
        let f = self.f();
        let (needs_close, level) = match f.blocks.last() {
            Some(block) => (block.needs_close, f.registers_of(block.variables)),
            None => (false, 0),
        };
        f.leave_block()?;
        if needs_close {
            let exit = f.jump();
            f.patch_here(again);
            f.emit_abc(Op::Close, level, 0, 0);
            again = f.jump();
            f.patch_here(exit);
        }
        // The jumps back pass by one instruction that is known as a loop's.
        let exit = f.jump();
        f.patch_here(again);
        f.emit_abc(Op::Loop, 0, 0, start as u32);
        f.patch_here(exit);
        f.leave_block()
    }

    fn for_statement(&mut self, line: u32) -> Result<()> {
        self.f().enter_block(true);
        self.advance()?;
        let name = self.name()?;
        match self.token {
            Token::Assign => self.for_number(name, line)?,
            Token::Comma | Token::In => self.for_in(name, line)?,
            _ => return Err(self.error("'=' or 'in' expected")),
        }
        self.expect_match(&Token::End, &Token::For, line)?;
        self.f().leave_block()
    }

    fn for_number(&mut self, name: &'s [u8], line: u32) -> Result<()> {
        let base = self.f().free;
        for _ in 0..3 {
            self.declare(b"(for state)", Attribute::Regular)?;
        }
        self.declare(name, Attribute::Regular)?;
        self.advance()?;
        let mut value = self.expr()?;
        self.f().to_next(&mut value)?;
        self.expect(&Token::Comma)?;
        let mut value = self.expr()?;
        self.f().to_next(&mut value)?;
        if self.eat(&Token::Comma)? {
            let mut step = self.expr()?;
            self.f().to_next(&mut step)?;
        } else {
            let f = self.f();
            f.reserve(1)?;
            f.emit_abc(Op::LoadInt, base + 2, 0, 1);
        }
        self.f().activate(3);
        self.for_body(base, line, 1, false)
    }

    fn for_in(&mut self, first: &'s [u8], line: u32) -> Result<()> {
        let base = self.f().free;
        for _ in 0..4 {
            self.declare(b"(for state)", Attribute::Regular)?;
        }
        self.declare(first, Attribute::Regular)?;
        let mut count = 1;
        while self.eat(&Token::Comma)? {
            let name = self.name()?;
            self.declare(name, Attribute::Regular)?;
            count += 1;
        }
        self.expect(&Token::In)?;
        let (found, last) = self.expr_list()?;
        self.adjust(4, found, last)?;
        let f = self.f();
        f.activate(4);
        f.mark_to_close();
        f.check_registers(3)?;
        self.for_body(base, line, count, true)
    }

    fn for_body(&mut self, base: u8, line: u32, count: usize, generic: bool) -> Result<()> {
        self.expect(&Token::Do)?;
        let f = self.f();
        let prepare = f.emit_abc(if generic { Op::ForInPrep } else { Op::ForPrep }, base, 0, 0);
        f.enter_block(false);
        f.activate(count);
        f.reserve(count)?;
        let start = f.label_here();
        self.block()?;
        let f = self.f();
        f.leave_block()?;
        f.line = line;
        let end = if generic {
            let call = f.label_here();
            f.body.code[prepare].c = call as u32;
            f.emit_abc(Op::ForInCall, base, count as u16, 0);
            f.emit_abc(Op::ForInLoop, base, 0, start as u32)
        } else {
            f.label_here();
            f.emit_abc(Op::ForLoop, base, 0, start as u32)
        };
        if !generic {
            f.body.code[prepare].c = end as u32 + 1;
        }
        f.label_here();
        Ok(())
    }

    // Declarations and assignments.

    fn function_statement(&mut self, line: u32) -> Result<()> {
        self.advance()?;
        let name = self.name()?;
        let mut target = self.variable(name)?;
        let mut is_method = false;
        while self.token == Token::Dot {
            self.field(&mut target)?;
        }
        if self.token == Token::Colon {
            is_method = true;
            self.field(&mut target)?;
        }
        let mut function = self.function_body(is_method, line)?;
        self.check_assignable(&target)?;
        let f = self.f();
        f.store(&target, &mut function)?;
        f.fix_line(line);
        Ok(())
    }

    fn local_function(&mut self) -> Result<()> {
        let name = self.name()?;
        self.declare(name, Attribute::Regular)?;
        self.f().activate(1);
        let line = self.last_line;
        let index = self.f().active - 1;
        self.function_body(false, line)?;
        // The variable is visible to debuggers when the function is there.
        let f = self.f();
        let pc = f.pc() as u32;
        if let Some(debug) = f.variables[index].debug {
            f.body.locals[debug].start = pc;
        }
        Ok(())
    }

    fn attribute(&mut self) -> Result<Attribute> {
        if !self.eat(&Token::Less)? {
            return Ok(Attribute::Regular);
        }
        let name = self.name()?;
        self.expect(&Token::Greater)?;
        match name {
            b"const" => Ok(Attribute::Const),
            b"close" => Ok(Attribute::Close),
            _ => {
                let name = String::from_utf8_lossy(name);
                Err(self.error_plain(format!("unknown attribute '{name}'")))
            }
        }
    }

    fn local_statement(&mut self) -> Result<()> {
        let (mut count, mut to_close) = (0, None);
        loop {
            let name = self.name()?;
            let attribute = self.attribute()?;
            if attribute == Attribute::Close && to_close.replace(self.f().variables.len()).is_some() {
                return Err(self.error_plain("multiple to-be-closed variables in local list".into()));
            }
            self.declare(name, attribute)?;
            count += 1;
            if !self.eat(&Token::Comma)? {
                break;
            }
        }
        let (found, last) =
            if self.eat(&Token::Assign)? { self.expr_list()? } else { (0, Expr::new(Kind::Void)) };
        let f = self.f();
        let newest = f.variables.len() - 1;
        if found == count
            && f.variables[newest].attribute == Attribute::Const
            && let Some(constant) = known(f, &last)
        {
            f.variables[newest].attribute = Attribute::Known(constant);
            f.activate(count);
            return Ok(());
        }
        self.adjust(count, found, last)?;
        let f = self.f();
        f.activate(count);
        if let Some(variable) = to_close {
            f.mark_to_close();
            let register = f.variables[variable].register;
            f.emit_abc(Op::ToClose, register, 0, 0);
        }
        Ok(())
    }

    /// Has the values of a list of `found` expressions be `wanted` ones, in registers.
    fn adjust(&mut self, wanted: usize, found: usize, mut last: Expr) -> Result<()> {
        let f = self.f();
        let missing = wanted as isize - found as isize;
        if last.has_many_values() && !last.has_jumps() {
            // A call holds one register already, and `...` is given one.
            f.set_results(&last, Some((missing + 1).max(0) as usize))?;
        } else {
            if last.kind != Kind::Void {
                f.to_next(&mut last)?;
            }
            if missing > 0 {
                f.emit_nil(f.free, missing as u16);
            }
        }
        if missing > 0 {
            f.reserve(missing as usize)?;
        } else {
            f.free -= missing.unsigned_abs() as u8;
        }
        Ok(())
    }

    fn expr_statement(&mut self) -> Result<()> {
        let first = self.suffixed()?;
        if matches!(self.token, Token::Assign | Token::Comma) {
            return self.assignment(first);
        }
        match first.kind {
            Kind::Call(pc) => {
                self.f().body.code[pc].c = 1;
                Ok(())
            }
            _ => Err(self.error("syntax error")),
        }
    }

    fn assignment(&mut self, first: Expr) -> Result<()> {
        let mut targets = vec![first];
        self.check_target(&first)?;
        while self.eat(&Token::Comma)? {
            let target = self.suffixed()?;
            self.check_target(&target)?;
            self.resolve_conflict(&mut targets, &target)?;
            targets.push(target);
            if targets.len() > MAX_LOCALS {
                return Err(self.error_plain("C stack overflow".into()));
            }
        }
        self.expect(&Token::Assign)?;
        let (found, mut last) = self.expr_list()?;
        let mut rest = targets.len();
        if found == rest {
            let f = self.f();
            // One value of a call, where it is.
            f.discharge(&mut last);
            rest -= 1;
            let target = targets[rest];
            f.store(&target, &mut last)?;
        } else {
            self.adjust(rest, found, last)?;
        }
        for target in targets[..rest].iter().rev() {
            let f = self.f();
            let mut value = Expr::new(Kind::Temp(f.free - 1));
            f.store(target, &mut value)?;
        }
        Ok(())
    }

    fn check_target(&mut self, target: &Expr) -> Result<()> {
        match target.kind {
            Kind::Local(..) | Kind::Upvalue(_) | Kind::Const(_) => {}
            Kind::Index(..) | Kind::Field(..) | Kind::IndexInt(..) | Kind::UpField(..) => {}
            Kind::Call(_) | Kind::VarArg(_) | Kind::Pending(_) | Kind::Temp(_) | Kind::Void => {
                return Err(self.error("syntax error"));
            }
            _ if self.last_variable.is_empty() => return Err(self.error("syntax error")),
            _ => {}
        }
        self.check_assignable(target)
    }

    /// If a variable is assigned that targets before it use as table or key, they use a copy.
    fn resolve_conflict(&mut self, targets: &mut [Expr], new: &Expr) -> Result<()> {
        let f = self.f();
        let copy = f.free;
        let mut conflict = false;
        for target in targets {
            match (&mut target.kind, new.kind) {
                (Kind::UpField(up, key), Kind::Upvalue(assigned)) if *up == assigned => {
                    target.kind = Kind::Field(copy, *key);
                    conflict = true;
                }
                (Kind::Field(table, _) | Kind::IndexInt(table, _), Kind::Local(assigned, _))
                    if *table == assigned =>
                {
                    *table = copy;
                    conflict = true;
                }
                (Kind::Index(table, key), Kind::Local(assigned, _)) => {
                    for operand in [table, key] {
                        if *operand == assigned {
                            *operand = copy;
                            conflict = true;
                        }
                    }
                }
                _ => {}
            }
        }
        if conflict {
            match new.kind {
                Kind::Local(register, _) => f.emit_abc(Op::Move, copy, u16::from(register), 0),
                Kind::Upvalue(up) => f.emit_abc(Op::GetUp, copy, u16::from(up), 0),
                _ => 0,
            };
            f.reserve(1)?;
        }
        Ok(())
    }

    fn return_statement(&mut self) -> Result<()> {
        let mut first = self.f().active_registers();
        let mut count = Some(0);
        if !self.ends_block(true) && self.token != Token::Semicolon {
            let (found, mut last) = self.expr_list()?;
            let f = self.f();
            if last.has_many_values() && !last.has_jumps() {
                f.set_results(&last, None)?;
                if let (Kind::Call(pc), 1) = (last.kind, found)
                    && !f.blocks.last().is_some_and(|block| block.inside_close)
                {
                    f.body.code[pc].op = Op::TailCall;
                    f.body.code[pc].c = 0;
                }
                count = None;
            } else {
                if found == 1 {
                    first = f.to_any(&mut last)?;
                } else {
                    f.to_next(&mut last)?;
                }
                count = Some(found);
            }
        }
        self.f().emit_return(first, count);
        self.eat(&Token::Semicolon)?;
        Ok(())
    }
}
