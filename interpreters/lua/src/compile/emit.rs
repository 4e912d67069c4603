//! Writing instructions: registers, constants, jumps, and values that get their place.
//!
//! Relies on the order in which the parser asks: temporaries are freed in the reverse order of their making, and an `Expr` is used
//! once. Guarantees: a jump that is not patched yet holds the one before it in its chain.

use super::Constant;
use super::SyntaxError;
use super::expr::{Chain, Expr, Kind};
use super::scope::{Attribute, Function, Key};
use crate::op::{FIRST_CONST, Instr, Op};

/// The target of the first jump of a chain.
const NO_JUMP: u32 = u32::MAX;
/// Registers of a function.
const MAX_REGISTERS: usize = 254;

type Result<T> = std::result::Result<T, SyntaxError>;

impl Function<'_> {
    pub fn error(&self, text: String) -> SyntaxError {
        SyntaxError { line: self.line, text: text.into_bytes() }
    }

    /// Writes an instruction and returns its number.
    pub fn emit(&mut self, instr: Instr) -> usize {
        self.body.code.push(instr);
        self.body.lines.push(self.line);
        self.body.code.len() - 1
    }

    pub fn emit_abc(&mut self, op: Op, a: u8, b: u16, c: u32) -> usize {
        self.emit(Instr::new(op, a, b, c))
    }

    /// The line of the last instruction is that of another token.
    pub fn fix_line(&mut self, line: u32) {
        if let Some(last) = self.body.lines.last_mut() {
            *last = line;
        }
    }

    pub fn new_cache(&mut self) -> Option<u32> {
        let cache = self.body.caches;
        if cache > 0xFFFF {
            return None;
        }
        self.body.caches += 1;
        Some(cache)
    }

    // Constants.

    pub fn constant(&mut self, constant: Constant) -> u32 {
        let key = match &constant {
            Constant::Nil => Key::Nil,
            Constant::Bool(value) => Key::Bool(*value),
            Constant::Int(value) => Key::Int(*value),
            Constant::Float(value) => Key::Float(value.to_bits()),
            Constant::String(text) => Key::String(text.clone()),
        };
        let constants = &mut self.body.constants;
        *self.constants.entry(key).or_insert_with(|| {
            constants.push(constant);
            constants.len() as u32 - 1
        })
    }

    pub fn string(&mut self, text: &[u8]) -> u32 {
        self.constant(Constant::String(text.into()))
    }

    // Registers.

    pub fn reserve(&mut self, count: usize) -> Result<()> {
        self.check_registers(count)?;
        self.free += count as u8;
        Ok(())
    }

    /// Has the function own `count` registers more than are in use.
    pub fn check_registers(&mut self, count: usize) -> Result<()> {
        let needed = usize::from(self.free) + count;
        if needed > MAX_REGISTERS {
            return Err(self.error("function or expression needs too many registers".into()));
        }
        self.body.registers = self.body.registers.max(needed as u8);
        Ok(())
    }

    fn free_register(&mut self, register: u8) {
        if register >= self.active_registers() {
            self.free = self.free.saturating_sub(1);
            debug_assert_eq!(self.free, register, "temporaries are freed in order");
        }
    }

    fn free_two(&mut self, a: u8, b: u8) {
        self.free_register(a.max(b));
        if a != b {
            self.free_register(a.min(b));
        }
    }

    pub fn free_expr(&mut self, expr: &Expr) {
        if let Kind::Temp(register) = expr.kind {
            self.free_register(register);
        }
    }

    pub fn free_exprs(&mut self, a: &Expr, b: &Expr) {
        match (a.kind, b.kind) {
            (Kind::Temp(a), Kind::Temp(b)) => self.free_two(a, b),
            _ => {
                self.free_expr(a);
                self.free_expr(b);
            }
        }
    }

    // Jumps.

    /// Notes that something jumps to the next instruction, and returns its number.
    pub fn label_here(&mut self) -> usize {
        self.last_target = self.pc();
        self.pc()
    }

    pub fn jump(&mut self) -> Chain {
        Chain(Some(self.emit_abc(Op::Jump, 0, 0, NO_JUMP)))
    }

    fn next_jump(&self, pc: usize) -> Option<usize> {
        match self.body.code[pc].c {
            NO_JUMP => None,
            before => Some(before as usize),
        }
    }

    /// Both chains.
    pub fn join(&mut self, first: Chain, second: Chain) -> Chain {
        let (Some(_), Some(mut last)) = (first.0, second.0) else {
            return if first.is_empty() { second } else { first };
        };
        while let Some(before) = self.next_jump(last) {
            last = before;
        }
        self.body.code[last].c = first.0.map_or(NO_JUMP, |pc| pc as u32);
        second
    }

    /// Has the jumps of a chain go to `target`; those that would set a register do not.
    pub fn patch(&mut self, chain: Chain, target: usize) {
        self.patch_values(chain, target, None, target);
    }

    pub fn patch_here(&mut self, chain: Chain) {
        let here = self.label_here();
        self.patch(chain, here);
    }

    /// Has jumps that leave a value in `register` go to `with_value`, and the others to `without`.
    fn patch_values(&mut self, chain: Chain, with_value: usize, register: Option<u8>, without: usize) {
        let mut next = chain.0;
        while let Some(pc) = next {
            next = self.next_jump(pc);
            let target = if self.set_test_register(pc, register) { with_value } else { without };
            self.body.code[pc].c = target as u32;
        }
    }

    /// Decides where a testing jump leaves its value: in a register, or nowhere. False if it does not test a register.
    fn set_test_register(&mut self, pc: usize, register: Option<u8>) -> bool {
        let instr = &mut self.body.code[pc];
        let plain = match instr.op {
            Op::JumpIfSet => Op::JumpIf,
            Op::JumpIfNotSet => Op::JumpIfNot,
            _ => return false,
        };
        match register {
            Some(register) if u16::from(register) != instr.b => instr.a = register,
            _ => {
                instr.op = plain;
                instr.a = instr.b as u8;
                instr.b = 0;
            }
        }
        true
    }

    fn needs_value(&self, chain: Chain) -> bool {
        let mut next = chain.0;
        while let Some(pc) = next {
            if !matches!(self.body.code[pc].op, Op::JumpIfSet | Op::JumpIfNotSet) {
                return true;
            }
            next = self.next_jump(pc);
        }
        false
    }

    // Values.

    /// Turns variables and elements into values: afterwards the kind is a constant, a register, pending, a jump or a call.
    pub fn discharge(&mut self, expr: &mut Expr) {
        let instr = match expr.kind {
            Kind::Local(register, _) => {
                expr.kind = Kind::Temp(register);
                return;
            }
            Kind::Const(index) => {
                let Attribute::Known(constant) = self.variables[index].attribute.clone() else { return };
                expr.kind = self.kind_of(&constant);
                return;
            }
            Kind::Upvalue(index) => Instr::new(Op::GetUp, 0, u16::from(index), 0),
            Kind::UpField(up, key) => {
                let field = self.field(key);
                Instr::new(Op::GetTabUp, 0, u16::from(up), field)
            }
            Kind::Field(table, key) => {
                self.free_register(table);
                let field = self.field(key);
                Instr::new(Op::GetField, 0, u16::from(table), field)
            }
            Kind::IndexInt(table, index) => {
                self.free_register(table);
                Instr::new(Op::GetInt, 0, u16::from(table), index as u32)
            }
            Kind::Index(table, key) => {
                self.free_two(table, key);
                Instr::new(Op::GetTable, 0, u16::from(table), u32::from(key))
            }
            Kind::Call(pc) => {
                // One result, in the register of the function.
                self.body.code[pc].c = 2;
                expr.kind = Kind::Temp(self.body.code[pc].a);
                return;
            }
            Kind::VarArg(pc) => {
                self.body.code[pc].b = 2;
                expr.kind = Kind::Pending(pc);
                return;
            }
            _ => return,
        };
        expr.kind = Kind::Pending(self.emit(instr));
    }

    pub fn kind_of(&mut self, constant: &Constant) -> Kind {
        match constant {
            Constant::Nil => Kind::Nil,
            Constant::Bool(true) => Kind::True,
            Constant::Bool(false) => Kind::False,
            Constant::Int(int) => Kind::Int(*int),
            Constant::Float(float) => Kind::Float(*float),
            Constant::String(text) => Kind::String(self.string(text)),
        }
    }

    /// The operand of a field access: the key, and a cache of its own. Keys that need one are used with a cache left only.
    pub fn field(&mut self, key: u16) -> u32 {
        let cache = self.new_cache().unwrap_or(0);
        u32::from(key) | cache << 16
    }

    /// Puts a value that is no jump into a register.
    fn discharge_to(&mut self, expr: &mut Expr, register: u8) {
        self.discharge(expr);
        match expr.kind {
            Kind::Nil => self.emit_nil(register, 1),
            Kind::True => {
                self.emit_abc(Op::LoadTrue, register, 0, 0);
            }
            Kind::False => {
                self.emit_abc(Op::LoadFalse, register, 0, 0);
            }
            Kind::Int(int) => match i32::try_from(int) {
                Ok(int) => {
                    self.emit_abc(Op::LoadInt, register, 0, int as u32);
                }
                Err(_) => {
                    let constant = self.constant(Constant::Int(int));
                    self.emit_abc(Op::LoadK, register, 0, constant);
                }
            },
            Kind::Float(float) => {
                let constant = self.constant(Constant::Float(float));
                self.emit_abc(Op::LoadK, register, 0, constant);
            }
            Kind::String(constant) => {
                self.emit_abc(Op::LoadK, register, 0, constant);
            }
            Kind::Pending(pc) => self.body.code[pc].a = register,
            Kind::Temp(from) if from != register => {
                self.emit_abc(Op::Move, register, u16::from(from), 0);
            }
            Kind::Temp(_) => {}
            _ => return,
        }
        expr.kind = Kind::Temp(register);
    }

    /// Sets registers to nil, together with the ones the last instruction sets if possible.
    pub fn emit_nil(&mut self, first: u8, count: u16) {
        if self.last_target != self.pc()
            && let Some(last) = self.body.code.last_mut()
            && last.op == Op::LoadNil
            && u16::from(last.a) + last.b == u16::from(first)
        {
            last.b += count;
            return;
        }
        self.emit_abc(Op::LoadNil, first, count, 0);
    }

    /// Puts a value into a register, its jumps included.
    fn to_register(&mut self, expr: &mut Expr, register: u8) {
        self.discharge_to(expr, register);
        if let Kind::Jump(pc) = expr.kind {
            expr.if_true = self.join(expr.if_true, Chain(Some(pc)));
        }
        if expr.has_jumps() {
            let (mut load_false, mut load_true) = (0, 0);
            if self.needs_value(expr.if_true) || self.needs_value(expr.if_false) {
                let over = if matches!(expr.kind, Kind::Jump(_)) { Chain::EMPTY } else { self.jump() };
                load_false = self.label_here();
                self.emit_abc(Op::FalseSkip, register, 0, 1);
                load_true = self.label_here();
                self.emit_abc(Op::LoadTrue, register, 0, 0);
                self.patch_here(over);
            }
            let end = self.label_here();
            self.patch_values(expr.if_false, end, Some(register), load_false);
            self.patch_values(expr.if_true, end, Some(register), load_true);
        }
        *expr = Expr::new(Kind::Temp(register));
    }

    /// Puts a value into a fresh register.
    pub fn to_next(&mut self, expr: &mut Expr) -> Result<u8> {
        self.discharge(expr);
        self.free_expr(expr);
        self.reserve(1)?;
        let register = self.free - 1;
        self.to_register(expr, register);
        Ok(register)
    }

    /// Puts a value into some register.
    pub fn to_any(&mut self, expr: &mut Expr) -> Result<u8> {
        self.discharge(expr);
        if let Kind::Temp(register) = expr.kind {
            if !expr.has_jumps() {
                return Ok(register);
            }
            if register >= self.active_registers() {
                self.to_register(expr, register);
                return Ok(register);
            }
        }
        self.to_next(expr)
    }

    /// Puts a value into a register, unless it is an upvalue.
    pub fn to_any_or_upvalue(&mut self, expr: &mut Expr) -> Result<()> {
        if !matches!(expr.kind, Kind::Upvalue(_)) || expr.has_jumps() {
            self.to_any(expr)?;
        }
        Ok(())
    }

    /// Makes a value a constant or puts it into a register.
    pub fn to_value(&mut self, expr: &mut Expr) -> Result<()> {
        if expr.has_jumps() || matches!(expr.kind, Kind::Jump(_)) {
            self.to_any(expr)?;
        } else {
            self.discharge(expr);
        }
        Ok(())
    }

    /// The constant that a value is.
    pub fn as_constant(&mut self, expr: &Expr) -> Option<u32> {
        if expr.has_jumps() {
            return None;
        }
        let constant = match expr.kind {
            Kind::Nil => Constant::Nil,
            Kind::True => Constant::Bool(true),
            Kind::False => Constant::Bool(false),
            Kind::Int(int) => Constant::Int(int),
            Kind::Float(float) => Constant::Float(float),
            Kind::String(constant) => return Some(constant),
            _ => return None,
        };
        Some(self.constant(constant))
    }

    /// The operand for a value: a register, or a constant if it fits.
    pub fn register_or_constant(&mut self, expr: &mut Expr) -> Result<u16> {
        self.to_value(expr)?;
        if let Some(constant) = self.as_constant(expr)
            && let Ok(operand) = u16::try_from(constant + FIRST_CONST)
        {
            return Ok(operand);
        }
        Ok(u16::from(self.to_any(expr)?))
    }

    /// Stores a value in a variable or element.
    pub fn store(&mut self, target: &Expr, value: &mut Expr) -> Result<()> {
        match target.kind {
            Kind::Local(register, _) => {
                self.free_expr(value);
                self.to_register(value, register);
                return Ok(());
            }
            Kind::Upvalue(index) => {
                let register = self.to_any(value)?;
                self.emit_abc(Op::SetUp, register, u16::from(index), 0);
            }
            Kind::UpField(up, key) => {
                let value = self.register_or_constant(value)?;
                let field = self.field(key);
                self.emit_abc(Op::SetTabUp, up, value, field);
            }
            Kind::Field(table, key) => {
                let value = self.register_or_constant(value)?;
                let field = self.field(key);
                self.emit_abc(Op::SetField, table, value, field);
            }
            Kind::IndexInt(table, index) => {
                let value = self.register_or_constant(value)?;
                self.emit_abc(Op::SetInt, table, value, index as u32);
            }
            Kind::Index(table, key) => {
                let value = self.register_or_constant(value)?;
                self.emit_abc(Op::SetTable, table, value, u32::from(key));
            }
            _ => {}
        }
        self.free_expr(value);
        Ok(())
    }

    /// `table[key]`, where the table is in a register or an upvalue.
    pub fn index(&mut self, table: &mut Expr, mut key: Expr) -> Result<()> {
        let constant = match key.kind {
            Kind::String(constant) if !key.has_jumps() && self.body.caches < 0xFFFF => {
                u16::try_from(constant).ok()
            }
            _ => None,
        };
        if let (Kind::Upvalue(up), Some(constant)) = (table.kind, constant) {
            *table = Expr::new(Kind::UpField(up, constant));
            return Ok(());
        }
        // An upvalue with a computed key needs a register; where the key has one already, the one above it.
        if let Kind::Upvalue(_) = table.kind {
            self.to_any(table)?;
        }
        let register = match table.kind {
            Kind::Local(register, _) | Kind::Temp(register) => register,
            _ => self.to_any(table)?,
        };
        let kind = match (constant, key.kind) {
            (Some(constant), _) => Kind::Field(register, constant),
            (None, Kind::Int(int)) if !key.has_jumps() && (0..1 << 20).contains(&int) => {
                Kind::IndexInt(register, int as i32)
            }
            _ => Kind::Index(register, self.to_any(&mut key)?),
        };
        *table = Expr::new(kind);
        Ok(())
    }

    /// `object:name`: the function in a fresh register and the object in the next.
    pub fn method(&mut self, object: &mut Expr, name: &[u8]) -> Result<()> {
        let from = self.to_any(object)?;
        self.free_expr(object);
        let base = self.free;
        self.reserve(2)?;
        let constant = self.string(name);
        match u16::try_from(constant) {
            Ok(key) if self.body.caches < 0xFFFF => {
                let field = self.field(key);
                self.emit_abc(Op::Method, base, u16::from(from), field);
            }
            _ => {
                self.reserve(1)?;
                self.emit_abc(Op::Move, base + 1, u16::from(from), 0);
                self.emit_abc(Op::LoadK, base + 2, 0, constant);
                self.emit_abc(Op::GetTable, base, u16::from(base + 1), u32::from(base + 2));
                self.free -= 1;
            }
        }
        *object = Expr::new(Kind::Temp(base));
        Ok(())
    }

    // Conditions.

    /// A jump that is taken if the value is `condition`.
    fn jump_if(&mut self, expr: &mut Expr, condition: bool) -> Result<usize> {
        if let Kind::Jump(pc) = expr.kind {
            if !condition {
                let op = &mut self.body.code[pc].op;
                *op = op.negated();
            }
            return Ok(pc);
        }
        if let Kind::Pending(pc) = expr.kind
            && self.body.code[pc].op == Op::Not
            && pc + 1 == self.pc()
            && self.last_target != self.pc()
        {
            let from = self.body.code[pc].b;
            self.body.code.pop();
            self.body.lines.pop();
            let op = if condition { Op::JumpIfNotSet } else { Op::JumpIfSet };
            return Ok(self.emit_abc(op, 0, from, NO_JUMP));
        }
        let register = match expr.kind {
            Kind::Temp(register) => register,
            _ => {
                self.reserve(1)?;
                let register = self.free - 1;
                self.discharge_to(expr, register);
                register
            }
        };
        self.free_expr(expr);
        let op = if condition { Op::JumpIfSet } else { Op::JumpIfNotSet };
        Ok(self.emit_abc(op, 0, u16::from(register), NO_JUMP))
    }

    /// Goes on here if the value is true; the jumps to where it is false are in its chain.
    pub fn go_if_true(&mut self, expr: &mut Expr) -> Result<()> {
        self.discharge(expr);
        let jump = match expr.kind {
            Kind::True | Kind::Int(_) | Kind::Float(_) | Kind::String(_) => Chain::EMPTY,
            _ => Chain(Some(self.jump_if(expr, false)?)),
        };
        expr.if_false = self.join(expr.if_false, jump);
        self.patch_here(expr.if_true);
        expr.if_true = Chain::EMPTY;
        Ok(())
    }

    /// Goes on here if the value is false.
    pub fn go_if_false(&mut self, expr: &mut Expr) -> Result<()> {
        self.discharge(expr);
        let jump = match expr.kind {
            Kind::Nil | Kind::False => Chain::EMPTY,
            _ => Chain(Some(self.jump_if(expr, true)?)),
        };
        expr.if_true = self.join(expr.if_true, jump);
        self.patch_here(expr.if_false);
        expr.if_false = Chain::EMPTY;
        Ok(())
    }

    /// `not value`.
    pub fn not(&mut self, expr: &mut Expr) -> Result<()> {
        self.discharge(expr);
        match expr.kind {
            Kind::Nil | Kind::False => expr.kind = Kind::True,
            Kind::True | Kind::Int(_) | Kind::Float(_) | Kind::String(_) => expr.kind = Kind::False,
            Kind::Jump(pc) => {
                let op = &mut self.body.code[pc].op;
                *op = op.negated();
            }
            _ => {
                if let Kind::Pending(_) = expr.kind {
                    self.reserve(1)?;
                    let register = self.free - 1;
                    self.discharge_to(expr, register);
                }
                self.free_expr(expr);
                if let Kind::Temp(register) = expr.kind {
                    expr.kind = Kind::Pending(self.emit_abc(Op::Not, 0, u16::from(register), 0));
                }
            }
        }
        std::mem::swap(&mut expr.if_true, &mut expr.if_false);
        // The values that jumps leave are not those of the result.
        for chain in [expr.if_true, expr.if_false] {
            let mut next = chain.0;
            while let Some(pc) = next {
                self.set_test_register(pc, None);
                next = self.next_jump(pc);
            }
        }
        Ok(())
    }
}
