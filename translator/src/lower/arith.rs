//! Arithmetic, comparisons and casts, exactly as Rust defines them for every type.
//!
//! Integers of up to 32 bits are computed in 64 bits and made canonical; where that changes the value, the operation
//! overflowed. What overflows goes, if this build checks, to native code that does the same operation: it panics as
//! Rust does. 128-bit integers are computed by native code.

use crate::flow::types::{Type, TypeId};
use crate::flow::{LoadTimeValue, OpKind, ValueId};
use crate::lower::func::Lower;
use crate::lower::place::PlaceAt;
use crate::lower::{Result, unsupported};
use crate::source::Span;
use crate::thir::{BinOp, CastKind, UnOp};
use crate::ty::{FloatTy, IntTy, Mutability, Ty, TyKind};
use metatrace_defs::PureOp;

impl Lower<'_, '_> {
    fn word_const(&mut self, ty: TypeId, bits: u64) -> ValueId {
        self.b.constant(ty, bits)
    }

    /// A 64-bit result cut to an integer type's width.
    pub(super) fn canonical(&mut self, value: ValueId, int: IntTy, ty: TypeId) -> ValueId {
        let sext = match (int.bits(), int.signed()) {
            (8, true) => PureOp::IntSext8,
            (16, true) => PureOp::IntSext16,
            (32, true) => PureOp::IntSext32,
            (bits @ (8 | 16 | 32), false) => {
                let mask = self.mask(bits, ty);
                return self.b.pure(ty, PureOp::IntAnd, &[value, mask]);
            }
            _ => return self.retype(ty, value),
        };
        self.b.pure(ty, sext, &[value])
    }

    fn mask(&mut self, bits: u32, ty: TypeId) -> ValueId {
        self.word_const(ty, (1 << bits) - 1)
    }

    pub(super) fn not_bool(&mut self, value: ValueId) -> ValueId {
        let bool = self.cx.bool();
        let one = self.b.constant(bool, 1);
        self.b.pure(bool, PureOp::IntXor, &[value, one])
    }

    // ---- unary --------------------------------------------------------------------------------------------------

    pub(super) fn unary(&mut self, op: UnOp, value: ValueId, ty: Ty, span: Span) -> Result<ValueId> {
        let flow = self.flow_ty(ty);
        match (op, ty.kind()) {
            (UnOp::Not, TyKind::Bool) => Ok(self.not_bool(value)),
            (_, TyKind::Int(int)) if int.bits() == 128 => {
                let sign = if op == UnOp::Not { "!" } else { "-" };
                let text = format!("|a: {name}| -> {name} {{ {sign}a }}", name = int.name());
                Ok(self.call_helper("128-bit arithmetic", text, &[(value, flow)], flow, op == UnOp::Neg))
            }
            (UnOp::Not, TyKind::Int(int)) => {
                let ones = if int.signed() || int.bits() == 64 { u64::MAX } else { (1 << int.bits()) - 1 };
                let ones = self.word_const(flow, ones);
                Ok(self.b.pure(flow, PureOp::IntXor, &[value, ones]))
            }
            (UnOp::Neg, TyKind::Int(int)) => {
                let zero = self.word_const(flow, 0);
                let wide = self.b.pure(flow, PureOp::IntSub, &[zero, value]);
                let (result, overflow) = match int.bits() {
                    64 => (wide, self.bool_pure(PureOp::IntSubOvf, &[zero, value])),
                    _ => self.narrowed(wide, *int, flow),
                };
                let text = format!("|a: {name}| -> {name} {{ -a }}", name = int.name());
                Ok(self.checked(result, overflow, text, &[(value, flow)], flow))
            }
            (UnOp::Neg, TyKind::Float(FloatTy::F64)) => Ok(self.b.pure(flow, PureOp::FloatNeg, &[value])),
            (UnOp::Neg, TyKind::Float(FloatTy::F32)) => {
                let sign = self.word_const(flow, 1 << 31);
                Ok(self.b.pure(flow, PureOp::IntXor, &[value, sign]))
            }
            _ => unsupported(span, "this operator is not supported for the type", "call a function instead"),
        }
    }

    pub(super) fn bool_pure(&mut self, op: PureOp, args: &[ValueId]) -> ValueId {
        let bool = self.cx.bool();
        self.b.pure(bool, op, args)
    }

    /// The canonical result, and whether it differs.
    pub(super) fn narrowed(&mut self, wide: ValueId, int: IntTy, ty: TypeId) -> (ValueId, ValueId) {
        let result = self.canonical(wide, int, ty);
        let overflow = self.bool_pure(PureOp::IntNe, &[result, wide]);
        (result, overflow)
    }

    /// The result, but where it overflowed and the build checks: what native code makes of it.
    fn checked(
        &mut self,
        result: ValueId,
        overflow: ValueId,
        text: String,
        args: &[(ValueId, TypeId)],
        ty: TypeId,
    ) -> ValueId {
        let checks = self.cx.overflow_checks();
        let u64 = self.cx.add(Type::Int { bits: 64, signed: false, size: false });
        let checks = self.b.op(u64, OpKind::LoadTime(checks));
        let fails = self.bool_pure(PureOp::IntAnd, &[overflow, checks]);
        let (slow, fast) = (self.b.new_block(), self.b.new_block());
        let var = self.b.var(ty);
        self.b.write(var, result);
        self.b.branch(fails, slow, fast);
        self.b.seal_and_switch(slow);
        let native = self.call_helper("overflow", text, args, ty, true);
        self.b.write(var, native);
        self.b.goto(fast);
        self.b.seal_and_switch(fast);
        self.b.read(var)
    }

    // ---- binary -------------------------------------------------------------------------------------------------

    pub(super) fn binary(
        &mut self,
        op: BinOp,
        (left, left_ty): (ValueId, Ty),
        (right, right_ty): (ValueId, Ty),
        span: Span,
    ) -> Result<ValueId> {
        let is_wide = |ty: Ty| matches!(ty.kind(), TyKind::Int(int) if int.bits() == 128);
        if is_wide(left_ty) || is_wide(right_ty) {
            return Ok(self.wide_binary(op, (left, left_ty), (right, right_ty)));
        }
        if op.is_comparison() {
            return self.compare(op, left, right, left_ty, span);
        }
        match *left_ty.kind() {
            TyKind::Int(int) => {
                let TyKind::Int(right_int) = *right_ty.kind() else { panic!("an integer and {right_ty:?}") };
                Ok(self.int_binary(op, left, right, int, right_int))
            }
            TyKind::Float(float) => Ok(self.float_binary(op, left, right, float, left_ty)),
            TyKind::Bool => {
                let pure = match op {
                    BinOp::BitAnd => PureOp::IntAnd,
                    BinOp::BitOr => PureOp::IntOr,
                    _ => PureOp::IntXor,
                };
                Ok(self.bool_pure(pure, &[left, right]))
            }
            _ => unsupported(span, "this operator is not supported for the type", "call a function instead"),
        }
    }

    fn wide_binary(
        &mut self,
        op: BinOp,
        (left, left_ty): (ValueId, Ty),
        (right, right_ty): (ValueId, Ty),
    ) -> ValueId {
        let result_ty = if op.is_comparison() { Ty::bool() } else { left_ty };
        let (l, r, result) = (self.flow_ty(left_ty), self.flow_ty(right_ty), self.flow_ty(result_ty));
        let names = [left_ty, right_ty, result_ty].map(|t| self.cx.spell(t));
        let text = format!("|a: {}, b: {}| -> {} {{ a {} b }}", names[0], names[1], names[2], op.symbol());
        let can_panic = !op.is_comparison() && !matches!(op, BinOp::BitAnd | BinOp::BitOr | BinOp::BitXor);
        self.call_helper("128-bit arithmetic", text, &[(left, l), (right, r)], result, can_panic)
    }

    fn int_binary(
        &mut self,
        op: BinOp,
        left: ValueId,
        right: ValueId,
        int: IntTy,
        right_int: IntTy,
    ) -> ValueId {
        let ty = self.b.ty(left);
        let right_ty = self.b.ty(right);
        let text = format!(
            "|a: {n}, b: {r}| -> {n} {{ a {s} b }}",
            n = int.name(),
            r = right_int.name(),
            s = op.symbol()
        );
        let args = [(left, ty), (right, right_ty)];
        let (result, overflow) = match op {
            BinOp::BitAnd => return self.b.pure(ty, PureOp::IntAnd, &[left, right]),
            BinOp::BitOr => return self.b.pure(ty, PureOp::IntOr, &[left, right]),
            BinOp::BitXor => return self.b.pure(ty, PureOp::IntXor, &[left, right]),
            BinOp::Div | BinOp::Rem => return self.divide(op, left, right, int),
            BinOp::Shl | BinOp::Shr => {
                let bits = u64::from(int.bits());
                let known = self.b.known_const(right);
                let result = self.shift(op == BinOp::Shl, left, right, int);
                if known.is_some_and(|n| n < bits) {
                    return result;
                }
                let bits = self.b.constant(right_ty, bits);
                (result, self.bool_pure(PureOp::UintLe, &[bits, right]))
            }
            _ => self.overflowing(op, left, right, int),
        };
        self.checked(result, overflow, text, &args, ty)
    }

    /// `+`, `-` or `*`: the wrapped result, and whether it overflowed.
    pub(super) fn overflowing(
        &mut self,
        op: BinOp,
        left: ValueId,
        right: ValueId,
        int: IntTy,
    ) -> (ValueId, ValueId) {
        let ty = self.b.ty(left);
        let (pure, signed) = match op {
            BinOp::Add => (PureOp::IntAdd, PureOp::IntAddOvf),
            BinOp::Sub => (PureOp::IntSub, PureOp::IntSubOvf),
            _ => (PureOp::IntMul, PureOp::IntMulOvf),
        };
        let wide = self.b.pure(ty, pure, &[left, right]);
        if int.bits() < 64 {
            return self.narrowed(wide, int, ty);
        }
        let overflow = match op {
            _ if int.signed() => self.bool_pure(signed, &[left, right]),
            BinOp::Add => self.bool_pure(PureOp::UintLt, &[wide, left]),
            BinOp::Sub => self.bool_pure(PureOp::UintLt, &[left, right]),
            _ => {
                let high = self.b.pure(ty, PureOp::UintMulHigh, &[left, right]);
                let zero = self.word_const(ty, 0);
                self.bool_pure(PureOp::IntNe, &[high, zero])
            }
        };
        (wide, overflow)
    }

    /// A shift by the amount modulo the width.
    pub(super) fn shift(&mut self, is_left: bool, left: ValueId, right: ValueId, int: IntTy) -> ValueId {
        let ty = self.b.ty(left);
        let right_ty = self.b.ty(right);
        let bits = u64::from(int.bits());
        let amount = match self.b.known_const(right) {
            Some(n) => self.b.constant(right_ty, n & (bits - 1)),
            // The operation itself takes the amount modulo 64.
            None if bits == 64 => right,
            None => {
                let mask = self.b.constant(right_ty, bits - 1);
                self.b.pure(right_ty, PureOp::IntAnd, &[right, mask])
            }
        };
        match (is_left, int.signed()) {
            (true, _) => {
                let wide = self.b.pure(ty, PureOp::IntShl, &[left, amount]);
                if bits == 64 { wide } else { self.canonical(wide, int, ty) }
            }
            (false, true) => self.b.pure(ty, PureOp::IntSar, &[left, amount]),
            (false, false) => self.b.pure(ty, PureOp::UintShr, &[left, amount]),
        }
    }

    fn divide(&mut self, op: BinOp, left: ValueId, right: ValueId, int: IntTy) -> ValueId {
        let ty = self.b.ty(left);
        let known = self.b.known_const(right);
        if known.is_none_or(|n| n == 0) {
            let zero = self.word_const(ty, 0);
            let bad = self.bool_pure(PureOp::IntEq, &[right, zero]);
            self.fail_division(op, bad, left, right, int);
        }
        if int.signed() && known.is_none_or(|n| n == u64::MAX) {
            let bad = self.division_overflows(left, right, int);
            self.fail_division(op, bad, left, right, int);
        }
        let pure = match (op == BinOp::Div, int.signed()) {
            (true, true) => PureOp::IntDiv,
            (true, false) => PureOp::UintDiv,
            (false, true) => PureOp::IntRem,
            (false, false) => PureOp::UintRem,
        };
        self.b.pure(ty, pure, &[left, right])
    }

    /// Whether the smallest number is divided by −1.
    pub(super) fn division_overflows(&mut self, left: ValueId, right: ValueId, int: IntTy) -> ValueId {
        if !int.signed() {
            return self.flag_value(false);
        }
        let ty = self.b.ty(left);
        let minus_one = self.word_const(ty, u64::MAX);
        let min = self.word_const(ty, (i64::MIN >> (64 - int.bits())) as u64);
        let by_minus_one = self.bool_pure(PureOp::IntEq, &[right, minus_one]);
        let of_min = self.bool_pure(PureOp::IntEq, &[left, min]);
        self.bool_pure(PureOp::IntAnd, &[by_minus_one, of_min])
    }

    /// Panics as the division does, if it is bad.
    fn fail_division(&mut self, op: BinOp, bad: ValueId, left: ValueId, right: ValueId, int: IntTy) {
        let ty = self.b.ty(left);
        let (fail, good) = (self.b.new_block(), self.b.new_block());
        self.b.branch(bad, fail, good);
        self.b.seal_and_switch(fail);
        let never = self.cx.never();
        let text = format!(
            "|a: {n}, b: {n}| -> ! {{ ::core::hint::black_box(a {s} b); ::core::unreachable!() }}",
            n = int.name(),
            s = op.symbol()
        );
        self.call_helper("division", text, &[(left, ty), (right, ty)], never, true);
        self.b.seal_and_switch(good);
    }

    fn float_binary(&mut self, op: BinOp, left: ValueId, right: ValueId, float: FloatTy, ty: Ty) -> ValueId {
        let flow = self.flow_ty(ty);
        let pure = match (op, float) {
            (BinOp::Add, FloatTy::F64) => PureOp::FloatAdd,
            (BinOp::Sub, FloatTy::F64) => PureOp::FloatSub,
            (BinOp::Mul, FloatTy::F64) => PureOp::FloatMul,
            (BinOp::Div, FloatTy::F64) => PureOp::FloatDiv,
            (BinOp::Add, FloatTy::F32) => PureOp::F32Add,
            (BinOp::Sub, FloatTy::F32) => PureOp::F32Sub,
            (BinOp::Mul, FloatTy::F32) => PureOp::F32Mul,
            (BinOp::Div, FloatTy::F32) => PureOp::F32Div,
            _ => {
                let name = self.cx.spell(ty);
                let text = format!("|a: {name}, b: {name}| -> {name} {{ a {} b }}", op.symbol());
                return self.call_helper("remainder", text, &[(left, flow), (right, flow)], flow, false);
            }
        };
        self.b.pure(flow, pure, &[left, right])
    }

    // ---- comparisons --------------------------------------------------------------------------------------------

    fn compare(&mut self, op: BinOp, left: ValueId, right: ValueId, ty: Ty, span: Span) -> Result<ValueId> {
        let is_scalar = matches!(ty.kind(), TyKind::Int(_) | TyKind::Float(_) | TyKind::Bool | TyKind::Char);
        let flow = self.b.ty(left);
        let is_thin =
            self.get(flow).is_pointer() && self.cx.out.types.scalars(flow).is_some_and(|s| s.len() == 1);
        if !is_scalar && !is_thin {
            if ty.is_unit() {
                return Ok(self.flag_value(matches!(op, BinOp::Eq | BinOp::Le | BinOp::Ge)));
            }
            return unsupported(
                span,
                "this comparison is not supported",
                "compare the addresses as `*const ()`",
            );
        }
        let negate = op == BinOp::Ne;
        let result = match op {
            BinOp::Eq | BinOp::Ne => match *ty.kind() {
                TyKind::Float(FloatTy::F64) if negate => {
                    return Ok(self.bool_pure(PureOp::FloatNe, &[left, right]));
                }
                TyKind::Float(FloatTy::F64) => self.bool_pure(PureOp::FloatEq, &[left, right]),
                TyKind::Float(FloatTy::F32) => self.bool_pure(PureOp::F32Eq, &[left, right]),
                _ if negate => return Ok(self.bool_pure(PureOp::IntNe, &[left, right])),
                _ => self.bool_pure(PureOp::IntEq, &[left, right]),
            },
            BinOp::Lt => self.less(ty, left, right, false),
            BinOp::Le => self.less(ty, left, right, true),
            BinOp::Gt => self.less(ty, right, left, false),
            _ => self.less(ty, right, left, true),
        };
        Ok(if negate { self.not_bool(result) } else { result })
    }

    /// `left < right`, or `left <= right`.
    pub(super) fn less(&mut self, ty: Ty, left: ValueId, right: ValueId, or_equal: bool) -> ValueId {
        let pure = match (*ty.kind(), or_equal) {
            (TyKind::Float(FloatTy::F64), false) => PureOp::FloatLt,
            (TyKind::Float(FloatTy::F64), true) => PureOp::FloatLe,
            (TyKind::Float(FloatTy::F32), false) => PureOp::F32Lt,
            (TyKind::Float(FloatTy::F32), true) => PureOp::F32Le,
            (TyKind::Int(int), _) if int.bits() == 128 => {
                let op = if or_equal { BinOp::Le } else { BinOp::Lt };
                return self.wide_binary(op, (left, ty), (right, ty));
            }
            (TyKind::Int(int), false) if int.signed() => PureOp::IntLt,
            (TyKind::Int(int), true) if int.signed() => PureOp::IntLe,
            (_, false) => PureOp::UintLt,
            (_, true) => PureOp::UintLe,
        };
        self.bool_pure(pure, &[left, right])
    }

    // ---- casts --------------------------------------------------------------------------------------------------

    pub(super) fn cast(
        &mut self,
        kind: CastKind,
        value: ValueId,
        from: Ty,
        to: Ty,
        span: Span,
    ) -> Result<ValueId> {
        let flow = self.flow_ty(to);
        match kind {
            CastKind::Numeric => self.numeric_cast(value, from, to, span),
            CastKind::Pointer => {
                let from = self.b.ty(value);
                let words = |lower: &Self, ty| lower.cx.out.types.scalars(ty).map_or(0, |s| s.len());
                if words(self, from) > words(self, flow) {
                    return Ok(self.b.op(flow, OpKind::FatAddress(value)));
                }
                Ok(self.retype(flow, value))
            }
            CastKind::ArrayToPointer | CastKind::IntToPointer => Ok(self.retype(flow, value)),
            CastKind::PointerToInt => {
                let from = self.b.ty(value);
                let usize = self.cx.usize();
                let is_fat = self.cx.out.types.scalars(from).is_some_and(|s| s.len() == 2);
                let word = if is_fat {
                    self.b.op(usize, OpKind::FatAddress(value))
                } else {
                    self.retype(usize, value)
                };
                self.numeric_cast(word, Ty::usize(), to, span)
            }
            CastKind::Unsize => self.unsize(value, from, to, span),
            CastKind::ReifyFn => {
                let TyKind::FnDef(id, args) = *from.kind() else { panic!("{from:?} is no function item") };
                self.reify(id, args, to, span)
            }
            CastKind::ClosureToFn => self.closure_pointer(from, to, span),
        }
    }

    fn reify(&mut self, id: crate::ty::FnId, args: crate::ty::Args, to: Ty, span: Span) -> Result<ValueId> {
        let (id, args) = match self.cx.program.resolve_instance(id, args) {
            Ok(crate::program::Instance::Fn(id, args)) => (id, args),
            _ => (id, args),
        };
        let help = "use a function that can be named from its module";
        let Some(path) = self.cx.spell_fn(id, args).filter(|_| self.cx.can_spell(to)) else {
            return unsupported(span, "the address of this function cannot be taken", help);
        };
        let flow = self.flow_ty(to);
        // In a variable's initialiser a block is coerced, too.
        let rust = format!("{{ let f: {} = {path}; f as usize as u64 }}", self.cx.spell(to));
        let module = self.cx.module_of_fn(id, args).max(self.cx.module_of(to));
        let name = self.cx.name_fn(id, args);
        Ok(self.load_time(flow, LoadTimeValue { rust, module, name, frozen: true }))
    }

    fn unsize(&mut self, value: ValueId, from: Ty, to: Ty, span: Span) -> Result<ValueId> {
        let flow = self.flow_ty(to);
        let pointee = |ty: Ty| match *ty.kind() {
            TyKind::Ref(_, to) | TyKind::RawPtr(_, to) => Some(to),
            TyKind::Adt(id, args) if self.cx.program.adt(id).lang.as_deref() == Some("Box") => Some(args[0]),
            _ => None,
        };
        let (Some(source), Some(target)) = (pointee(from), pointee(to)) else {
            if !self.cx.can_spell(from) || !self.cx.can_spell(to) {
                let help = "make the unsized value in a function marked `#[jit::dont_look_inside]`";
                return unsupported(span, "this unsizing is not supported", help);
            }
            let (a, b) = (self.cx.spell(from), self.cx.spell(to));
            let from = self.b.ty(value);
            let text = format!("|p: {a}| -> {b} {{ p }}");
            return Ok(self.call_helper("unsize", text, &[(value, from)], flow, false));
        };
        if matches!(from.kind(), TyKind::Adt(..)) {
            let (thin, fat) = (
                Ty::new(TyKind::RawPtr(Mutability::Mut, source)),
                Ty::new(TyKind::RawPtr(Mutability::Mut, target)),
            );
            let thin_flow = self.flow_ty(thin);
            let pointer = self.retype(thin_flow, value);
            let pointer = self.unsize(pointer, thin, fat, span)?;
            return Ok(self.retype(flow, pointer));
        }
        let usize = self.cx.usize();
        let len = match (*source.kind(), *target.kind()) {
            (TyKind::Array(_, len), TyKind::Slice(_)) => {
                self.b.constant(usize, len.const_value().unwrap_or_default() as u64)
            }
            (_, TyKind::Dyn(..)) if self.cx.program.is_sized(source) && self.cx.can_spell(source) => {
                let (source_text, target_text) = (self.cx.spell(source), self.cx.spell(target));
                let rust = format!(
                    "{{ let p: *const ({target_text}) = ::core::ptr::null::<{source_text}>(); unsafe {{ ::core::mem::transmute::<_, [u64; 2]>(p)[1] }} }}"
                );
                let module = self.cx.module_of(source).max(self.cx.module_of(target));
                let name = format!("vtable of {source_text}");
                self.load_time(usize, LoadTimeValue { rust, module, name, frozen: true })
            }
            (_, TyKind::Dyn(..)) if !self.cx.program.is_sized(source) => {
                // From a trait object to one of a supertrait: only native code knows the other table.
                let (a, b) = (self.cx.spell(from), self.cx.spell(to));
                let from = self.b.ty(value);
                return Ok(self.call_helper(
                    "upcast",
                    format!("|p: {a}| -> {b} {{ p }}"),
                    &[(value, from)],
                    flow,
                    false,
                ));
            }
            (_, target) => {
                let reason = match target {
                    TyKind::Dyn(..) => {
                        "a type without a name, such as a closure's, cannot become a trait object here"
                    }
                    _ => "this unsizing is not supported",
                };
                let help = "write a function that does it, marked `#[jit::dont_look_inside]`";
                return unsupported(span, reason, help);
            }
        };
        Ok(self.b.op(flow, OpKind::MakeFat { address: value, len }))
    }

    fn numeric_cast(&mut self, value: ValueId, from: Ty, to: Ty, span: Span) -> Result<ValueId> {
        let flow = self.flow_ty(to);
        if from == to {
            return Ok(value);
        }
        let is_wide = |ty: Ty| matches!(ty.kind(), TyKind::Int(int) if int.bits() == 128);
        if is_wide(from) || is_wide(to) {
            let (a, b) = (self.cx.spell(from), self.cx.spell(to));
            let from = self.b.ty(value);
            let text = format!("|a: {a}| -> {b} {{ a as {b} }}");
            return Ok(self.call_helper("128-bit cast", text, &[(value, from)], flow, false));
        }
        let (from_kind, to_kind) = (*from.kind(), *to.kind());
        match (from_kind, to_kind) {
            (TyKind::Int(_) | TyKind::Bool | TyKind::Char, TyKind::Int(int)) => {
                Ok(self.int_cast(value, from, int, flow))
            }
            (TyKind::Int(_), TyKind::Char) => Ok(self.retype(flow, value)),
            (TyKind::Int(int), TyKind::Float(float)) => {
                let pure = match (int.signed() || int.bits() < 64, float) {
                    (true, FloatTy::F64) => PureOp::FloatFromInt,
                    (false, FloatTy::F64) => PureOp::FloatFromUint,
                    (true, FloatTy::F32) => PureOp::F32FromInt,
                    (false, FloatTy::F32) => PureOp::F32FromUint,
                };
                Ok(self.b.pure(flow, pure, &[value]))
            }
            (TyKind::Float(FloatTy::F64), TyKind::Float(_)) => {
                Ok(self.b.pure(flow, PureOp::F32FromFloat, &[value]))
            }
            (TyKind::Float(FloatTy::F32), TyKind::Float(_)) => {
                Ok(self.b.pure(flow, PureOp::F32ToFloat, &[value]))
            }
            (TyKind::Float(float), TyKind::Int(int)) => Ok(self.float_to_int(value, float, int, flow)),
            (TyKind::Adt(..), TyKind::Int(int)) => {
                let discriminant = self.discriminant(value);
                Ok(self.canonical(discriminant, int, flow))
            }
            _ => unsupported(span, "this cast is not supported", "convert with a function"),
        }
    }

    fn int_cast(&mut self, value: ValueId, from: Ty, to: IntTy, flow: TypeId) -> ValueId {
        let fits = match *from.kind() {
            TyKind::Bool => true,
            TyKind::Char => to.bits() >= 32,
            TyKind::Int(from) if from.signed() == to.signed() => to.bits() >= from.bits(),
            TyKind::Int(from) if to.signed() => to.bits() > from.bits() || to.bits() == 64,
            _ => to.bits() == 64,
        };
        if let Some(bits) = self.b.known_const(value) {
            return self.b.constant(flow, crate::lower::expr::canonical(u128::from(bits), to));
        }
        if fits { self.retype(flow, value) } else { self.canonical(value, to, flow) }
    }

    fn float_to_int(&mut self, value: ValueId, float: FloatTy, to: IntTy, flow: TypeId) -> ValueId {
        let f64 = self.cx.add(Type::F64);
        let value =
            if float == FloatTy::F32 { self.b.pure(f64, PureOp::F32ToFloat, &[value]) } else { value };
        if to.bits() == 64 {
            let pure = if to.signed() { PureOp::FloatToInt } else { PureOp::FloatToUint };
            return self.b.pure(flow, pure, &[value]);
        }
        // Saturates at the limits of `i64`, then at those of the type.
        let i64 = self.cx.add(Type::Int { bits: 64, signed: true, size: false });
        let (min, max) = match to.signed() {
            true => (-1i64 << (to.bits() - 1), (1i64 << (to.bits() - 1)) - 1),
            false => (0, (1i64 << to.bits()) - 1),
        };
        let wide = self.b.pure(i64, PureOp::FloatToInt, &[value]);
        let (min, max) = (self.b.constant(i64, min as u64), self.b.constant(i64, max as u64));
        let below = self.bool_pure(PureOp::IntLt, &[wide, min]);
        let clamped = self.b.pure(i64, PureOp::IntSelect, &[below, min, wide]);
        let above = self.bool_pure(PureOp::IntLt, &[max, clamped]);
        self.b.pure(flow, PureOp::IntSelect, &[above, max, clamped])
    }

    /// The discriminant of an enum value, as `i64`.
    fn discriminant(&mut self, value: ValueId) -> ValueId {
        let usize = self.cx.usize();
        let ty = self.b.ty(value);
        let variant = self.b.op(usize, OpKind::VariantOf(value));
        self.discriminant_of(variant, ty)
    }

    /// The discriminant of the enum at a place, as `i64`.
    pub(super) fn discriminant_at(&mut self, place: &PlaceAt) -> ValueId {
        let variant = self.variant_of(place);
        self.discriminant_of(variant, place.flow)
    }

    fn discriminant_of(&mut self, variant: ValueId, ty: TypeId) -> ValueId {
        let Type::Adt(adt) = self.get(ty).clone() else { panic!("a discriminant of what is no enum") };
        let i64 = self.cx.add(Type::Int { bits: 64, signed: true, size: false });
        let numbers: Vec<i128> =
            adt.variants.iter().enumerate().map(|(n, v)| v.discriminant.unwrap_or(n as i128)).collect();
        if numbers.iter().enumerate().all(|(n, &d)| n as i128 == d) {
            return self.retype(i64, variant);
        }
        let result = self.b.var(i64);
        let after = self.b.new_block();
        let cases: Vec<_> = numbers.iter().enumerate().map(|(n, _)| (n as u64, self.b.new_block())).collect();
        self.switch(variant, &cases, None);
        for (&number, &(_, block)) in numbers.iter().zip(&cases) {
            self.b.seal_and_switch(block);
            let number = self.b.constant(i64, number as u64);
            self.b.write(result, number);
            self.b.goto(after);
        }
        self.b.seal_and_switch(after);
        self.b.read(result)
    }
}
