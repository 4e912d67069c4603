//! Pure operations: one arm for each row of the table.

use super::Lowering;
use cranelift_codegen::ir::condcodes::{CondCode, FloatCC, IntCC};
use cranelift_codegen::ir::{
    self, AbiParam, InstBuilder, MemFlagsData,
    types::{F32, F64, I8, I16, I32, I64},
};
use metatrace_defs::PureOp;
use metatrace_trace::{Opnd, Value};

/// The arithmetic whose overflow an operation tells.
pub(crate) fn checks(op: PureOp) -> Option<PureOp> {
    match op {
        PureOp::IntAddOvf => Some(PureOp::IntAdd),
        PureOp::IntSubOvf => Some(PureOp::IntSub),
        PureOp::IntMulOvf => Some(PureOp::IntMul),
        _ => None,
    }
}

/// A result in one of its machine forms.
enum Form {
    /// A word or float.
    Full(ir::Value),
    /// A condition.
    Flag(ir::Value),
    /// A single float.
    Single(ir::Value),
}

impl Lowering<'_> {
    pub(super) fn pure(&mut self, op: PureOp, args: &[Opnd], result: Value) {
        match self.form(op, args) {
            Form::Full(value) => self.define(result, value),
            Form::Flag(flag) => {
                self.forms[result.index()].short = Some(flag);
                if self.plan.needs_word(result) {
                    let word = self.b.ins().uextend(I64, flag);
                    self.define(result, word);
                }
            }
            Form::Single(single) => {
                self.forms[result.index()].short = Some(single);
                let low = self.b.ins().bitcast(I32, MemFlagsData::new(), single);
                let word = self.b.ins().uextend(I64, low);
                self.define(result, word);
            }
        }
    }

    fn form(&mut self, op: PureOp, args: &[Opnd]) -> Form {
        use Form::{Flag, Full, Single};
        use PureOp::*;
        macro_rules! make {
            ($form:ident, $method:ident, $operand:ident 1) => {{
                let a = self.$operand(args[0]);
                $form(self.b.ins().$method(a))
            }};
            ($form:ident, $method:ident, $operand:ident 2) => {{
                let (a, b) = (self.$operand(args[0]), self.$operand(args[1]));
                $form(self.b.ins().$method(a, b))
            }};
            ($form:ident, $method:ident to $to:ident, $operand:ident) => {{
                let a = self.$operand(args[0]);
                $form(self.b.ins().$method($to, a))
            }};
        }
        match op {
            IntAdd | IntSub | IntMul => Full(self.arithmetic(op, args)),
            IntAddOvf | IntSubOvf | IntMulOvf => Flag(self.checked(op, args).1),
            UintMulHigh => make!(Full, umulhi, word 2),
            IntDiv | IntRem | UintDiv | UintRem => Full(self.divide(op, args)),
            IntAnd => make!(Full, band, word 2),
            IntOr => make!(Full, bor, word 2),
            IntXor => make!(Full, bxor, word 2),
            // Cranelift's shifts and rotations take the count modulo the width.
            IntShl => make!(Full, ishl, word 2),
            IntSar => make!(Full, sshr, word 2),
            UintShr => make!(Full, ushr, word 2),
            IntRotl => make!(Full, rotl, word 2),
            IntSext8 => Full(self.sign_extend(I8, args)),
            IntSext16 => Full(self.sign_extend(I16, args)),
            IntSext32 => Full(self.sign_extend(I32, args)),
            IntClz => make!(Full, clz, word 1),
            IntCtz => make!(Full, ctz, word 1),
            IntPopcnt => make!(Full, popcnt, word 1),
            IntBswap => make!(Full, bswap, word 1),
            IntBitrev => make!(Full, bitrev, word 1),
            IntEq => Flag(self.compare(IntCC::Equal, args)),
            IntNe => Flag(self.compare(IntCC::NotEqual, args)),
            IntLt => Flag(self.compare(IntCC::SignedLessThan, args)),
            IntLe => Flag(self.compare(IntCC::SignedLessThanOrEqual, args)),
            UintLt => Flag(self.compare(IntCC::UnsignedLessThan, args)),
            UintLe => Flag(self.compare(IntCC::UnsignedLessThanOrEqual, args)),
            IntSelect => {
                let condition = self.condition(args[0]);
                let (a, b) = (self.word(args[1]), self.word(args[2]));
                Full(self.b.ins().select(condition, a, b))
            }
            FloatAdd => make!(Full, fadd, float 2),
            FloatSub => make!(Full, fsub, float 2),
            FloatMul => make!(Full, fmul, float 2),
            FloatDiv => make!(Full, fdiv, float 2),
            FloatNeg => make!(Full, fneg, float 1),
            FloatAbs => make!(Full, fabs, float 1),
            FloatSqrt => make!(Full, sqrt, float 1),
            FloatFloor | FloatCeil | FloatTrunc => Full(self.round(op, args)),
            FloatEq => Flag(self.compare_floats(FloatCC::Equal, args)),
            FloatNe => Flag(self.compare_floats(FloatCC::NotEqual, args)),
            FloatLt => Flag(self.compare_floats(FloatCC::LessThan, args)),
            FloatLe => Flag(self.compare_floats(FloatCC::LessThanOrEqual, args)),
            FloatFromInt => make!(Full, fcvt_from_sint to F64, word),
            FloatFromUint => make!(Full, fcvt_from_uint to F64, word),
            FloatToInt => make!(Full, fcvt_to_sint_sat to I64, float),
            FloatToUint => make!(Full, fcvt_to_uint_sat to I64, float),
            FloatToBits => Full(self.bits(args[0])),
            FloatFromBits => Full(self.float_from_bits(args[0])),
            F32Add => make!(Single, fadd, single 2),
            F32Sub => make!(Single, fsub, single 2),
            F32Mul => make!(Single, fmul, single 2),
            F32Div => make!(Single, fdiv, single 2),
            F32Sqrt => make!(Single, sqrt, single 1),
            F32Eq => Flag(self.compare_singles(FloatCC::Equal, args)),
            F32Lt => Flag(self.compare_singles(FloatCC::LessThan, args)),
            F32Le => Flag(self.compare_singles(FloatCC::LessThanOrEqual, args)),
            F32FromFloat => make!(Single, fdemote to F32, float),
            F32ToFloat => make!(Full, fpromote to F64, single),
            F32FromInt => make!(Single, fcvt_from_sint to F32, word),
            F32FromUint => make!(Single, fcvt_from_uint to F32, word),
        }
    }

    /// The low half of a word as a single float.
    fn single(&mut self, opnd: Opnd) -> ir::Value {
        match self.plan.resolve(opnd) {
            Opnd::Value(value) => match self.forms[value.index()].short {
                Some(short) if self.b.func.dfg.value_type(short).is_float() => short,
                _ => {
                    let word = self.full(value);
                    let low = self.b.ins().ireduce(I32, word);
                    self.b.ins().bitcast(F32, MemFlagsData::new(), low)
                }
            },
            Opnd::Word(bits) | Opnd::Float(bits) => self.b.ins().f32const(f32::from_bits(bits as u32)),
        }
    }

    fn float_from_bits(&mut self, opnd: Opnd) -> ir::Value {
        match self.plan.resolve(opnd) {
            Opnd::Value(value) => {
                let word = self.full(value);
                self.b.ins().bitcast(F64, MemFlagsData::new(), word)
            }
            constant => self.float(constant),
        }
    }

    fn sign_extend(&mut self, from: ir::Type, args: &[Opnd]) -> ir::Value {
        let word = self.word(args[0]);
        let low = self.b.ins().ireduce(from, word);
        self.b.ins().sextend(I64, low)
    }

    fn compare(&mut self, condition: IntCC, args: &[Opnd]) -> ir::Value {
        let (a, b) = (self.word(args[0]), self.word(args[1]));
        // Machines compare with a constant on the right only.
        if self.plan.resolve(args[0]).as_const().is_some() {
            self.b.ins().icmp(condition.swap_args(), b, a)
        } else {
            self.b.ins().icmp(condition, a, b)
        }
    }

    fn compare_floats(&mut self, condition: FloatCC, args: &[Opnd]) -> ir::Value {
        let (a, b) = (self.float(args[0]), self.float(args[1]));
        self.b.ins().fcmp(condition, a, b)
    }

    fn compare_singles(&mut self, condition: FloatCC, args: &[Opnd]) -> ir::Value {
        let (a, b) = (self.single(args[0]), self.single(args[1]));
        self.b.ins().fcmp(condition, a, b)
    }

    fn arithmetic(&mut self, op: PureOp, args: &[Opnd]) -> ir::Value {
        if self.checked.contains_key(&(op, args[0], args[1])) {
            return self.checked_arithmetic(op, args).0;
        }
        let (a, b) = (self.word(args[0]), self.word(args[1]));
        match op {
            PureOp::IntSub => self.b.ins().isub(a, b),
            PureOp::IntMul => self.b.ins().imul(a, b),
            _ => self.b.ins().iadd(a, b),
        }
    }

    /// The result and the overflow flag that an operation on overflow asks for.
    fn checked(&mut self, op: PureOp, args: &[Opnd]) -> (ir::Value, ir::Value) {
        let arithmetic = checks(op).unwrap_or_else(|| panic!("{op} tells of no overflow"));
        self.checked_arithmetic(arithmetic, args)
    }

    fn checked_arithmetic(&mut self, op: PureOp, args: &[Opnd]) -> (ir::Value, ir::Value) {
        let key = (op, args[0], args[1]);
        if let Some(&Some(done)) = self.checked.get(&key) {
            return done;
        }
        let (a, b) = (self.word(args[0]), self.word(args[1]));
        let done = match op {
            PureOp::IntSub => self.b.ins().ssub_overflow(a, b),
            PureOp::IntMul => self.b.ins().smul_overflow(a, b),
            _ => self.b.ins().sadd_overflow(a, b),
        };
        self.checked.insert(key, Some(done));
        done
    }

    /// Division never traps: `i64::MIN / -1` wraps, and guards exclude a divisor of 0.
    fn divide(&mut self, op: PureOp, args: &[Opnd]) -> ir::Value {
        let signed = matches!(op, PureOp::IntDiv | PureOp::IntRem);
        match self.plan.resolve(args[1]).as_const() {
            Some(0) => return self.word(Opnd::Word(0)),
            Some(divisor) if signed && divisor == u64::MAX => {
                let a = self.word(args[0]);
                return self.by_minus_one(op, a);
            }
            Some(divisor) if !signed && divisor.is_power_of_two() => {
                let a = self.word(args[0]);
                return match op {
                    PureOp::UintDiv => self.b.ins().ushr_imm_u(a, i64::from(divisor.trailing_zeros())),
                    _ => self.b.ins().band_imm_s(a, (divisor - 1) as i64),
                };
            }
            Some(_) => {
                let (a, b) = (self.word(args[0]), self.word(args[1]));
                return self.plain_division(op, a, b);
            }
            None => {}
        }
        let (a, b) = (self.word(args[0]), self.word(args[1]));
        if !signed {
            return self.plain_division(op, a, b);
        }
        // The machine traps on the overflow: divide by 1 instead of -1, and choose the result.
        let minus_one = self.b.ins().icmp_imm_s(IntCC::Equal, b, -1);
        let one = self.b.ins().iconst(I64, 1);
        let divisor = self.b.ins().select(minus_one, one, b);
        let result = self.plain_division(op, a, divisor);
        let special = self.by_minus_one(op, a);
        self.b.ins().select(minus_one, special, result)
    }

    fn by_minus_one(&mut self, op: PureOp, a: ir::Value) -> ir::Value {
        match op {
            PureOp::IntDiv => self.b.ins().ineg(a),
            _ => self.b.ins().iconst(I64, 0),
        }
    }

    fn plain_division(&mut self, op: PureOp, a: ir::Value, b: ir::Value) -> ir::Value {
        match op {
            PureOp::IntDiv => self.b.ins().sdiv(a, b),
            PureOp::IntRem => self.b.ins().srem(a, b),
            PureOp::UintDiv => self.b.ins().udiv(a, b),
            _ => self.b.ins().urem(a, b),
        }
    }

    fn round(&mut self, op: PureOp, args: &[Opnd]) -> ir::Value {
        let a = self.float(args[0]);
        if self.env.rounds {
            return match op {
                PureOp::FloatFloor => self.b.ins().floor(a),
                PureOp::FloatCeil => self.b.ins().ceil(a),
                _ => self.b.ins().trunc(a),
            };
        }
        // Cranelift would call a function by name, but code in the arena has no relocations.
        let function: extern "C" fn(f64) -> f64 = match op {
            PureOp::FloatFloor => floor,
            PureOp::FloatCeil => ceil,
            _ => trunc,
        };
        let mut signature = ir::Signature::new(self.env.isa.default_call_conv());
        signature.params.push(AbiParam::new(F64));
        signature.returns.push(AbiParam::new(F64));
        let signature = self.b.import_signature(signature);
        let callee = self.b.ins().iconst(I64, function as usize as i64);
        let call = self.b.ins().call_indirect(signature, callee, &[a]);
        self.b.inst_results(call)[0]
    }
}

extern "C" fn floor(x: f64) -> f64 {
    x.floor()
}

extern "C" fn ceil(x: f64) -> f64 {
    x.ceil()
}

extern "C" fn trunc(x: f64) -> f64 {
    x.trunc()
}
