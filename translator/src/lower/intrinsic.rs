//! Intrinsics: operations that the core model declares and the graph has operations for.
//!
//! Types come from the call's operands and result. Pointers are advanced as places, so that the recorder sees elements, not
//! sums. Names are those of the methods in Rust, where there are such; the others:
//!
//! - integers: `zero`, `one`, `is_zero`, `wrapping_inc`, `wrapping_dec`; `div_overflows` (the smallest number by −1);
//! - floats: `absolute`;
//! - pointers: `ptr_offset(p, n)` and `ptr_offset_mut`: `n` elements on; `read_place(p)`, `write_place(p, value)`,
//!   `read_element(p, n)`, `write_element(p, n, value)`: bytewise; `slice_len`, `slice_ptr`, `slice_from_raw_parts(p, n)` and `…_mut`, `str_len`,
//!   `str_as_bytes`, `str_of_bytes`: parts of fat pointers; `drop_in_place(p)`;
//! - `quasi_immutable(&link, p)`: a reference to the value of a quasi-immutable field;
//! - `shared_content(&rc)`: the reference to what an `Rc` points to; `shared_counts(&rc)`: to its counters;
//! - memory: `new_collected`, `new_plain`: for a value of the type that the result points to; `free(p)`; `new_elements(n)`,
//!   `free_elements(p, n)`: for `n` elements; `new_collected_array(n)`: of the array type that the result points to; `dangling`: the address of what takes no space; `reference_written(p, value)`:
//!   the barrier after `value` was written to `p`;
//! - values: `is_constant(n)`, `promote(n)`: as the hints; `size_of`, `align_of`, `needs_drop`, `transmute`, `forget`, `black_box`, `unreachable`, `abort`,
//!   `discriminant_value(&x)`.

use crate::flow::types::{Type, TypeId};
use crate::flow::{LoadTimeValue, Memory, OpKind, Place, Proj, Terminator, ValueId};
use crate::items::AdtKind;
use crate::lower::build::pointee_place;
use crate::lower::call::CallSite;
use crate::lower::func::Lower;
use crate::lower::{Result, unsupported};
use crate::names::Name;
use crate::source::Span;
use crate::thir::{BinOp, CastKind};
use crate::thir::{FieldIdx, VariantIdx};
use crate::ty::{AdtId, Args, FloatTy, IntTy, Ty, TyKind};
use metatrace_defs::PureOp;

impl Lower<'_, '_> {
    pub(super) fn intrinsic(&mut self, name: Name, args: Args, site: CallSite) -> Result<ValueId> {
        let int = match site.types.first().unwrap_or(&site.ret).kind() {
            TyKind::Int(int) => Some(*int),
            _ => None,
        };
        if let Some(int) = int
            && !matches!(&*name, "as_usize" | "from_usize")
            && let Some(value) = self.int_intrinsic(&name, int, &site)
        {
            return Ok(value);
        }
        let flow = self.flow_ty(site.ret);
        match &*name {
            "zero" => Ok(self.b.constant(flow, 0)),
            "uninit" => Ok(self.nothing(flow)),
            "sum_start" | "product_start" => {
                let is_product = &*name == "product_start";
                let bits = match *site.ret.kind() {
                    TyKind::Float(FloatTy::F32) => {
                        u64::from(if is_product { 1f32.to_bits() } else { (-0f32).to_bits() })
                    }
                    _ => {
                        if is_product {
                            1f64.to_bits()
                        } else {
                            (-0f64).to_bits()
                        }
                    }
                };
                Ok(self.b.constant(flow, bits))
            }
            "as_usize" | "from_usize" => {
                self.cast(CastKind::Numeric, site.operands[0], site.types[0], site.ret, site.span)
            }
            "sqrt" | "floor" | "ceil" | "trunc" | "absolute" | "to_bits" | "from_bits" => {
                Ok(self.float_intrinsic(&name, &site))
            }
            "size_of" | "align_of" | "needs_drop" => self.layout(&name, args, flow, site.span),
            "transmute" => self.transmute(site),
            "forget" => Ok(self.unit_value()),
            "black_box" => Ok(site.operands[0]),
            "unreachable" => {
                self.b.end(Terminator::Unreachable);
                Ok(self.nothing(flow))
            }
            "abort" => {
                let never = self.cx.never();
                self.call_helper(
                    "abort",
                    "|| -> ! { ::std::process::abort() }".to_string(),
                    &[],
                    never,
                    false,
                );
                Ok(self.nothing(flow))
            }
            "new_collected" => Ok(self.b.op(flow, OpKind::New(Memory::Collected))),
            "new_plain" => Ok(self.b.op(flow, OpKind::New(Memory::Plain))),
            "new_elements" => Ok(self.b.op(flow, OpKind::NewArray(Memory::Plain, site.operands[0]))),
            "new_collected_array" => {
                Ok(self.b.op(flow, OpKind::NewArray(Memory::Collected, site.operands[0])))
            }
            "promote" => Ok(self.b.op(flow, OpKind::Promote(site.operands[0]))),
            "is_constant" => Ok(self.b.op(flow, OpKind::IsConstant(site.operands[0]))),
            "dangling" => {
                let usize = self.cx.usize();
                let align = self.layout("align_of", args, usize, site.span)?;
                Ok(self.retype(flow, align))
            }
            "shared_content" => Ok(self.shared_content(&site)),
            "shared_counts" => {
                let TyKind::Ref(_, shared) = *site.types[0].kind() else {
                    panic!("the counters of {:?}", site.types[0])
                };
                let at = self.deref_value(site.operands[0], shared);
                let pointer = self.read(&at);
                Ok(self.counts(pointer, flow))
            }
            "discriminant_value" => {
                let TyKind::Ref(_, to) = *site.types[0].kind() else {
                    panic!("a discriminant behind {:?}", site.types[0])
                };
                let at = self.deref_value(site.operands[0], to);
                let value = self.discriminant_at(&at);
                Ok(self.retype(flow, value))
            }
            _ => self.pointer_intrinsic(&name, site),
        }
    }

    fn int_intrinsic(&mut self, name: &str, int: IntTy, site: &CallSite) -> Option<ValueId> {
        let flow = self.flow_ty(site.ret);
        if matches!(name, "zero" | "one" | "sum_start" | "product_start") && int.bits() < 128 {
            return Some(self.b.constant(flow, u64::from(matches!(name, "one" | "product_start"))));
        }
        let operation = |prefix: &str| match name.strip_prefix(prefix)? {
            "add" => Some(BinOp::Add),
            "sub" => Some(BinOp::Sub),
            "mul" => Some(BinOp::Mul),
            _ => None,
        };
        let wrapping = operation("wrapping_");
        let overflowing = operation("overflowing_");
        let saturating = operation("saturating_");
        if int.bits() == 128 {
            return INT_METHODS.contains(&name).then(|| self.native_method(name, site, flow));
        }
        let a = *site.operands.first()?;
        let b = site.operands.get(1).copied().unwrap_or(a);
        let ty = self.b.ty(a);
        let (zero, one) = (self.b.constant(ty, 0), self.b.constant(ty, 1));
        if let Some(op) = wrapping {
            return Some(self.overflowing(op, a, b, int).0);
        }
        if let Some(op) = overflowing {
            let (result, overflow) = self.overflowing(op, a, b, int);
            return Some(self.make(flow, 0, vec![result, overflow]));
        }
        if let Some(op) = saturating {
            return Some(self.saturating(op, a, b, int));
        }
        Some(match name {
            "wrapping_inc" => self.overflowing(BinOp::Add, a, one, int).0,
            "wrapping_dec" => self.overflowing(BinOp::Sub, a, one, int).0,
            "wrapping_neg" => self.overflowing(BinOp::Sub, zero, a, int).0,
            "overflowing_neg" => {
                let (result, overflow) = self.overflowing(BinOp::Sub, zero, a, int);
                self.make(flow, 0, vec![result, overflow])
            }
            "wrapping_shl" => self.shift(true, a, b, int),
            "wrapping_shr" => self.shift(false, a, b, int),
            "wrapping_abs" => self.magnitude(a, int),
            "is_zero" => self.bool_pure(PureOp::IntEq, &[a, zero]),
            "is_negative" => self.bool_pure(PureOp::IntLt, &[a, zero]),
            "is_positive" => self.bool_pure(PureOp::IntLt, &[zero, a]),
            "signum" => {
                let above = self.b.pure(ty, PureOp::IntLt, &[zero, a]);
                let below = self.b.pure(ty, PureOp::IntLt, &[a, zero]);
                self.b.pure(ty, PureOp::IntSub, &[above, below])
            }
            "div_overflows" => self.division_overflows(a, b, int),
            "is_power_of_two" => {
                let ones = self.b.pure(ty, PureOp::IntPopcnt, &[a]);
                self.bool_pure(PureOp::IntEq, &[ones, one])
            }
            "rotate_left" => self.rotate(a, b, int, true),
            "rotate_right" => self.rotate(a, b, int, false),
            "count_ones" | "count_zeros" | "leading_zeros" | "trailing_zeros" | "swap_bytes"
            | "reverse_bits" => self.bit_count(name, a, int, flow),
            _ if INT_METHODS.contains(&name) => self.native_method(name, site, flow),
            _ => return None,
        })
    }

    /// The result, or the limit that it went beyond.
    fn saturating(&mut self, op: BinOp, a: ValueId, b: ValueId, int: IntTy) -> ValueId {
        let ty = self.b.ty(a);
        let (result, overflow) = self.overflowing(op, a, b, int);
        let zero = self.b.constant(ty, 0);
        let max = u64::MAX >> (64 - int.bits());
        let limit = if int.signed() {
            // The sign of the true result is that of the first operand; of a product, that of both together.
            let sign = if op == BinOp::Mul { self.b.pure(ty, PureOp::IntXor, &[a, b]) } else { a };
            let negative = self.bool_pure(PureOp::IntLt, &[sign, zero]);
            let min = self.b.constant(ty, (i64::MIN >> (64 - int.bits())) as u64);
            let max = self.b.constant(ty, max >> 1);
            self.b.pure(ty, PureOp::IntSelect, &[negative, min, max])
        } else if op == BinOp::Sub {
            zero
        } else {
            self.b.constant(ty, max)
        };
        self.b.pure(ty, PureOp::IntSelect, &[overflow, limit, result])
    }

    /// The absolute value, wrapping.
    fn magnitude(&mut self, a: ValueId, int: IntTy) -> ValueId {
        let ty = self.b.ty(a);
        let zero = self.b.constant(ty, 0);
        let (negated, _) = self.overflowing(BinOp::Sub, zero, a, int);
        let negative = self.bool_pure(PureOp::IntLt, &[a, zero]);
        self.b.pure(ty, PureOp::IntSelect, &[negative, negated, a])
    }

    /// A method that native code computes.
    fn native_method(&mut self, name: &str, site: &CallSite, flow: TypeId) -> ValueId {
        let types: Vec<String> = site.types.iter().map(|&t| self.cx.spell(t)).collect();
        let params: Vec<String> = types.iter().enumerate().map(|(n, t)| format!("a{n}: {t}")).collect();
        let rest: Vec<String> = (1..types.len()).map(|n| format!("a{n}")).collect();
        let ret = self.cx.spell(site.ret);
        let value = match name {
            "wrapping_inc" => "a0.wrapping_add(1)".to_string(),
            "wrapping_dec" => "a0.wrapping_sub(1)".to_string(),
            "is_zero" => "a0 == 0".to_string(),
            "div_overflows" => "a1 != 0 && a0.checked_div(a1).is_none()".to_string(),
            "zero" | "one" | "sum_start" | "product_start" => {
                u8::from(matches!(name, "one" | "product_start")).to_string()
            }
            _ => format!("a0.{name}({})", rest.join(", ")),
        };
        let text = format!("|{}| -> {ret} {{ {value} }}", params.join(", "));
        let tys = self.cx.tys(&site.types);
        let args: Vec<(ValueId, TypeId)> = site.operands.iter().copied().zip(tys).collect();
        let can_panic = name == "abs";
        self.call_helper(name, text, &args, flow, can_panic)
    }

    /// The value zero-extended from its width, as a `u64`: what it is then need not be one of its own type.
    fn zero_extended(&mut self, value: ValueId, int: IntTy) -> ValueId {
        let word = self.cx.add(Type::Int { bits: 64, signed: false, size: false });
        if int.signed() && int.bits() < 64 {
            let mask = self.b.constant(word, (1 << int.bits()) - 1);
            return self.b.pure(word, PureOp::IntAnd, &[value, mask]);
        }
        self.retype(word, value)
    }

    fn rotate(&mut self, value: ValueId, amount: ValueId, int: IntTy, is_left: bool) -> ValueId {
        let ty = self.b.ty(value);
        let amount_ty = self.b.ty(amount);
        let bits = u64::from(int.bits());
        let left = if is_left {
            amount
        } else {
            let zero = self.b.constant(amount_ty, 0);
            self.b.pure(amount_ty, PureOp::IntSub, &[zero, amount])
        };
        if bits == 64 {
            return self.b.pure(ty, PureOp::IntRotl, &[value, left]);
        }
        let mask = self.b.constant(amount_ty, bits - 1);
        let width = self.b.constant(amount_ty, bits);
        let left = self.b.pure(amount_ty, PureOp::IntAnd, &[left, mask]);
        let right = self.b.pure(amount_ty, PureOp::IntSub, &[width, left]);
        let word = self.zero_extended(value, int);
        let word_ty = self.b.ty(word);
        let high = self.b.pure(word_ty, PureOp::IntShl, &[word, left]);
        let low = self.b.pure(word_ty, PureOp::UintShr, &[word, right]);
        let wide = self.b.pure(word_ty, PureOp::IntOr, &[high, low]);
        self.canonical(wide, int, ty)
    }

    fn bit_count(&mut self, name: &str, value: ValueId, int: IntTy, flow: TypeId) -> ValueId {
        let ty = self.b.ty(value);
        let bits = u64::from(int.bits());
        let word = self.zero_extended(value, int);
        let word_ty = self.b.ty(word);
        match name {
            "count_ones" => self.b.pure(flow, PureOp::IntPopcnt, &[word]),
            "count_zeros" => {
                let ones = self.b.pure(flow, PureOp::IntPopcnt, &[word]);
                let bits = self.b.constant(flow, bits);
                self.b.pure(flow, PureOp::IntSub, &[bits, ones])
            }
            "leading_zeros" => {
                let count = self.b.pure(flow, PureOp::IntClz, &[word]);
                let extra = self.b.constant(flow, 64 - bits);
                if bits == 64 { count } else { self.b.pure(flow, PureOp::IntSub, &[count, extra]) }
            }
            "trailing_zeros" => {
                // A bit above the value ends the count.
                let word = if bits == 64 {
                    word
                } else {
                    let end = self.b.constant(word_ty, 1 << bits);
                    self.b.pure(word_ty, PureOp::IntOr, &[word, end])
                };
                self.b.pure(flow, PureOp::IntCtz, &[word])
            }
            _ => {
                let pure = if name == "swap_bytes" { PureOp::IntBswap } else { PureOp::IntBitrev };
                let wide = self.b.pure(word_ty, pure, &[word]);
                if bits == 64 {
                    return self.retype(ty, wide);
                }
                let by = self.b.constant(word_ty, 64 - bits);
                let shift = if int.signed() { PureOp::IntSar } else { PureOp::UintShr };
                self.b.pure(ty, shift, &[wide, by])
            }
        }
    }

    fn float_intrinsic(&mut self, name: &str, site: &CallSite) -> ValueId {
        let flow = self.flow_ty(site.ret);
        let value = site.operands[0];
        let is_f32 = |ty: Ty| *ty.kind() == TyKind::Float(FloatTy::F32);
        if is_f32(site.types[0]) || is_f32(site.ret) {
            return match name {
                // A single is its bits.
                "to_bits" | "from_bits" => self.retype(flow, value),
                "sqrt" => self.b.pure(flow, PureOp::F32Sqrt, &[value]),
                "absolute" => {
                    let mask = self.b.constant(flow, u64::from(u32::MAX >> 1));
                    self.b.pure(flow, PureOp::IntAnd, &[value, mask])
                }
                // Exact in the wider type.
                _ => {
                    let f64 = self.cx.add(Type::F64);
                    let wide = self.b.pure(f64, PureOp::F32ToFloat, &[value]);
                    let wide = self.b.pure(f64, float_op(name), &[wide]);
                    self.b.pure(flow, PureOp::F32FromFloat, &[wide])
                }
            };
        }
        self.b.pure(flow, float_op(name), &[value])
    }

    fn layout(&mut self, name: &str, args: Args, flow: TypeId, span: Span) -> Result<ValueId> {
        let ty = args[0];
        if name == "needs_drop" {
            let flow_arg = self.flow_ty(ty);
            let needs = self.cx.out.types.data(flow_arg).needs_drop;
            return Ok(self.b.constant(flow, u64::from(needs)));
        }
        if !self.cx.can_spell(ty) {
            return unsupported(span, "the layout of a closure is not known", "do not ask for it");
        }
        let spelled = self.cx.spell(ty);
        let rust = format!("::core::mem::{name}::<{spelled}>() as u64");
        let module = self.cx.module_of(ty);
        Ok(self.load_time(
            flow,
            LoadTimeValue { rust, module, name: format!("{name}::<{spelled}>"), frozen: false },
        ))
    }

    /// Whether a value may hold a reference to a collected object: a scalar, a constant for most types. Of an enum it depends
    /// on the variant.
    fn holds_reference(&mut self, value: ValueId, ty: Ty) -> ValueId {
        let usize = self.cx.usize();
        let flow = self.flow_ty(ty);
        let is_value = !self.cx.out.types.is_memory(flow) && self.b.ty(value) == flow;
        if let TyKind::Adt(id, _) = *ty.kind()
            && self.cx.program.adt(id).kind == AdtKind::Enum
            && self.cx.program.adt(id).opaque.is_none()
            && is_value
            && !self.cx.program.has_own_trace(ty)
        {
            return self.variant_holds_reference(value, ty, id);
        }
        self.type_holds_references(ty).unwrap_or_else(|| self.b.constant(usize, 0))
    }

    /// Of an enum with a derived `Trace`, and of those of `std`: the variants' fields tell.
    fn variant_holds_reference(&mut self, value: ValueId, ty: Ty, id: AdtId) -> ValueId {
        let usize = self.cx.usize();
        let counts: Vec<usize> = self.cx.program.adt(id).variants.iter().map(|v| v.fields.len()).collect();
        let index = match self.b.made_by(value) {
            Some(&OpKind::Make { variant, .. }) => self.b.constant(usize, u64::from(variant)),
            _ => self.b.op(usize, OpKind::VariantOf(value)),
        };
        let known = self.b.known_const(index);
        let mut holds = self.b.constant(usize, 0);
        for (variant, &count) in counts.iter().enumerate() {
            if known.is_some_and(|known| known != variant as u64) {
                continue;
            }
            let here = self.b.constant(usize, variant as u64);
            let mut any = None;
            for field in 0..count {
                let field = self.cx.program.field_ty(ty, VariantIdx::new(variant), FieldIdx::new(field));
                let field = self.cx.program.normalize(field);
                let Some(test) = self.type_holds_references(field) else { continue };
                any = Some(match any {
                    Some(other) => self.b.pure(usize, PureOp::IntOr, &[other, test]),
                    None => test,
                });
            }
            if let Some(any) = any {
                let is_here = self.b.pure(usize, PureOp::IntEq, &[index, here]);
                let both = self.b.pure(usize, PureOp::IntAnd, &[is_here, any]);
                holds = self.b.pure(usize, PureOp::IntOr, &[holds, both]);
            }
        }
        holds
    }

    /// Whether values of a type may hold references, as a number that the glue tells; nothing for scalars, which hold none.
    fn type_holds_references(&mut self, ty: Ty) -> Option<ValueId> {
        let usize = self.cx.usize();
        if matches!(
            ty.kind(),
            TyKind::Int(_) | TyKind::Float(_) | TyKind::Bool | TyKind::Char | TyKind::FnPtr(_)
        ) {
            return None;
        }
        let spelled = self.cx.spell(ty);
        let rust = format!("!(<{spelled} as ::metatrace::gc::Trace>::SHAPE.is_none()) as u64");
        let module = self.cx.module_of(ty);
        let name = format!("whether {spelled} holds references");
        Some(self.load_time(usize, LoadTimeValue { rust, module, name, frozen: false }))
    }

    fn transmute(&mut self, site: CallSite) -> Result<ValueId> {
        let flow = self.flow_ty(site.ret);
        let from = self.flow_ty(site.types[0]);
        let scalars = |lower: &Self, ty| lower.cx.out.types.scalars(ty);
        if scalars(self, from).is_some() && scalars(self, from) == scalars(self, flow) {
            return Ok(self.retype(flow, site.operands[0]));
        }
        if !self.cx.can_spell(site.types[0]) || !self.cx.can_spell(site.ret) {
            return unsupported(site.span, "this transmutation is not supported", "convert with a function");
        }
        let (a, b) = (self.cx.spell(site.types[0]), self.cx.spell(site.ret));
        let text = format!("|a: {a}| -> {b} {{ unsafe {{ ::core::mem::transmute::<{a}, {b}>(a) }} }}");
        Ok(self.call_helper("transmute", text, &[(site.operands[0], from)], flow, false))
    }

    /// The content of an `Rc`: where its pointer says, behind the counters. For trait objects only native code knows where.
    /// The address of an `Rc`'s counters, to which it points, as a pointer of this type.
    pub(super) fn counts(&mut self, rc: ValueId, pointer: TypeId) -> ValueId {
        let byte = self.cx.add(Type::U8);
        let rc_ty = self.b.ty(rc);
        if self.cx.out.types.scalars(rc_ty).is_some_and(|scalars| scalars.len() == 2) {
            let slice = self.cx.add(Type::Slice(byte));
            let fat = self.cx.ref_to(slice, false);
            let thin = self.cx.ref_to(byte, false);
            let bytes = self.retype(fat, rc);
            let address = self.b.op(thin, OpKind::FatAddress(bytes));
            return self.retype(pointer, address);
        }
        self.retype(pointer, rc)
    }

    fn shared_content(&mut self, site: &CallSite) -> ValueId {
        let flow = self.flow_ty(site.ret);
        let (TyKind::Ref(_, shared), TyKind::Ref(_, content)) = (*site.types[0].kind(), *site.ret.kind())
        else {
            panic!("the content of {:?}", site.types[0])
        };
        let at = self.deref_value(site.operands[0], shared);
        let pointer = self.read(&at);
        let spelled = self.cx.spell(shared);
        let element = match *content.kind() {
            TyKind::Slice(element) => element,
            TyKind::Str => Ty::int(IntTy::U8),
            TyKind::Dyn(..) => {
                let from = self.flow_ty(shared);
                let text = format!(
                    "|p: {spelled}| -> {} {{ let p = ::core::mem::ManuallyDrop::new(p); unsafe {{ &*::std::rc::Rc::as_ptr(&p) }} }}",
                    self.cx.spell(site.ret)
                );
                return self.call_helper("content of Rc", text, &[(pointer, from)], flow, false);
            }
            _ => content,
        };
        let usize = self.cx.usize();
        let spelled = self.cx.spell(element);
        let rust = format!("::metatrace::rt::rc_offset::<{spelled}>()");
        let module = self.cx.module_of(element);
        let name = format!("offset of Rc<{spelled}>'s content");
        let offset = self.load_time(usize, LoadTimeValue { rust, module, name, frozen: false });
        let byte = self.cx.add(Type::Int { bits: 8, signed: false, size: false });
        let bytes = self.cx.ref_to(byte, false);
        let is_fat = self.cx.out.types.scalars(flow).is_some_and(|scalars| scalars.len() == 2);
        let pointer = self.retype(flow, pointer);
        let start =
            if is_fat { self.b.op(bytes, OpKind::FatAddress(pointer)) } else { self.retype(bytes, pointer) };
        let content = self.b.op(bytes, OpKind::Ref(Place { base: start, path: vec![Proj::Index(offset)] }));
        if !is_fat {
            return self.retype(flow, content);
        }
        let len = self.b.op(usize, OpKind::FatLen(pointer));
        let element = self.flow_ty(element);
        let element = self.cx.ref_to(element, false);
        let address = self.retype(element, content);
        self.b.op(flow, OpKind::MakeFat { address, len })
    }

    fn pointer_intrinsic(&mut self, name: &str, site: CallSite) -> Result<ValueId> {
        let flow = self.flow_ty(site.ret);
        let Some(&pointer) = site.operands.first() else {
            return unsupported(
                site.span,
                format!("the intrinsic `{name}` is not known"),
                "call a function instead",
            );
        };
        let pointee = self.cx.out.types.pointee(self.b.ty(pointer));
        match (name, pointee) {
            ("ptr_offset" | "ptr_offset_mut", Some(_)) => Ok(self.advance(pointer, site.operands[1], flow)),
            ("read_element", Some(_)) => {
                let element = self.b.ty(pointer);
                let element = self.advance(pointer, site.operands[1], element);
                let at = self.deref_value(element, site.ret);
                Ok(self.read(&at))
            }
            ("write_element", Some(_)) => {
                let element = self.b.ty(pointer);
                let element = self.advance(pointer, site.operands[1], element);
                let at = self.deref_value(element, site.types[2]);
                self.store(&at, site.operands[2]);
                Ok(self.unit_value())
            }
            ("quasi_immutable", Some(_)) => {
                Ok(self.b.op(flow, OpKind::QuasiImmut { link: pointer, value: site.operands[1] }))
            }
            ("free", Some(_)) => {
                self.b.effect(OpKind::Free(pointer));
                Ok(self.unit_value())
            }
            ("free_elements", Some(_)) => {
                self.b.effect(OpKind::FreeArray { pointer, length: site.operands[1] });
                Ok(self.unit_value())
            }
            ("reference_written", Some(_)) => {
                let holds = self.holds_reference(site.operands[1], site.types[1]);
                if self.b.known_const(holds) != Some(0) {
                    self.b.effect(OpKind::Barrier { address: pointer, holds });
                }
                Ok(self.unit_value())
            }
            ("read_place", Some(_)) => {
                let at = self.deref_value(pointer, site.ret);
                Ok(self.read(&at))
            }
            ("write_place", Some(_)) => {
                let at = self.deref_value(pointer, site.types[1]);
                self.store(&at, site.operands[1]);
                Ok(self.unit_value())
            }
            ("drop_in_place", Some(to)) => {
                let TyKind::RawPtr(_, ty) = *site.types[0].kind() else {
                    panic!("dropping behind {:?}", site.types[0])
                };
                debug_assert_eq!(self.flow_ty(ty), to);
                let at = self.deref_value(pointer, ty);
                self.drop_place(&at, &[], 0);
                Ok(self.unit_value())
            }
            ("slice_len" | "str_len", Some(_)) => Ok(match self.b.made_by(pointer) {
                Some(&OpKind::MakeFat { len, .. }) => len,
                _ => self.b.op(flow, OpKind::FatLen(pointer)),
            }),
            ("slice_ptr", Some(_)) => Ok(match self.b.made_by(pointer) {
                Some(&OpKind::MakeFat { address, .. }) => self.retype(flow, address),
                _ => self.b.op(flow, OpKind::FatAddress(pointer)),
            }),
            ("str_as_bytes" | "str_of_bytes", Some(_)) => Ok(self.retype(flow, pointer)),
            ("slice_from_raw_parts" | "slice_from_raw_parts_mut", Some(_)) => {
                Ok(self.b.op(flow, OpKind::MakeFat { address: pointer, len: site.operands[1] }))
            }
            _ => unsupported(
                site.span,
                format!("the intrinsic `{name}` is not known"),
                "call a function instead",
            ),
        }
    }

    /// A pointer so many elements on.
    fn advance(&mut self, pointer: ValueId, by: ValueId, flow: TypeId) -> ValueId {
        let usize = self.cx.usize();
        let by = self.retype(usize, by);
        let mut place = pointee_place(&self.b, pointer);
        if !place.path.is_empty() || matches!(self.pointee_of(place.base), Type::Array(..) | Type::Slice(_)) {
            place = Place { base: pointer, path: vec![] };
        }
        if let Some(to) = self.cx.out.types.pointee(self.b.ty(pointer))
            && let Type::Array(..) = self.get(to)
        {
            // An index into an array is one of its elements: arrays are counted as the elements of a slice.
            let slice = self.cx.add(Type::Slice(to));
            let fat = self.cx.ref_to(slice, true);
            let len = self.b.constant(usize, i64::MAX as u64);
            place.base = self.b.op(fat, OpKind::MakeFat { address: pointer, len });
        }
        place.path.push(Proj::Index(by));
        self.b.op(flow, OpKind::Ref(place))
    }

    fn pointee_of(&self, pointer: ValueId) -> &Type {
        match self.cx.out.types.pointee(self.b.ty(pointer)) {
            Some(to) => self.get(to),
            None => panic!("{pointer} is no pointer"),
        }
    }
}

/// Methods of integers that may be left to native code: all of them for 128 bits.
const INT_METHODS: &[&str] = &[
    "zero",
    "one",
    "sum_start",
    "product_start",
    "is_zero",
    "div_overflows",
    "wrapping_inc",
    "wrapping_dec",
    "wrapping_add",
    "wrapping_sub",
    "wrapping_mul",
    "wrapping_neg",
    "wrapping_shl",
    "wrapping_shr",
    "wrapping_abs",
    "overflowing_add",
    "overflowing_sub",
    "overflowing_mul",
    "overflowing_neg",
    "saturating_add",
    "saturating_sub",
    "saturating_mul",
    "abs",
    "signum",
    "is_negative",
    "is_positive",
    "rotate_left",
    "rotate_right",
    "count_ones",
    "count_zeros",
    "leading_zeros",
    "trailing_zeros",
    "swap_bytes",
    "reverse_bits",
    "is_power_of_two",
];

fn float_op(name: &str) -> PureOp {
    match name {
        "sqrt" => PureOp::FloatSqrt,
        "floor" => PureOp::FloatFloor,
        "ceil" => PureOp::FloatCeil,
        "trunc" => PureOp::FloatTrunc,
        "absolute" => PureOp::FloatAbs,
        "to_bits" => PureOp::FloatToBits,
        _ => PureOp::FloatFromBits,
    }
}
