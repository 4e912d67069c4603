//! Value expressions and blocks.

use crate::flow::types::{Type, TypeId};
use crate::flow::{Extern, FuncAttrs, LoadTimeValue, ModuleId, OpKind, Place, Proj, Terminator, ValueId};
use crate::items::Origin;
use crate::lower::func::Lower;
use crate::lower::native::Helper;
use crate::lower::place::PlaceAt;
use crate::lower::scope::LoopAt;
use crate::lower::{Result, unsupported};
use crate::thir::{
    BindingMode, BlockId, ExprId, ExprKind, FieldIdx, Lit, LocalId, LoopId, Outlined, PatId, PatKind,
    ReadMode, Stmt, TempLifetime, VariantIdx,
};
use crate::ty::{AdtId, Args, ConstId, FloatTy, IntTy, Mutability, Ty, TyKind};

impl Lower<'_, '_> {
    /// The type of an operand of a value type.
    pub(super) fn operand_ty(&mut self, ty: TypeId) -> TypeId {
        if self.is_memory(ty) { self.cx.ptr_to(ty) } else { ty }
    }

    /// Evaluates a value expression.
    pub(super) fn value(&mut self, e: ExprId) -> Result<ValueId> {
        let ty = self.expr_ty(e);
        let flow = self.flow_ty(ty);
        if self.b.is_dead() {
            return Ok(self.nothing(flow));
        }
        let span = self.span(e);
        self.b.pos = self.cx.pos(span);
        let body = std::rc::Rc::clone(&self.body);
        match &body.expr(e).kind {
            ExprKind::Read { place, mode } => {
                let at = self.place(*place)?;
                let operand = self.read(&at);
                if *mode == ReadMode::Move {
                    self.moved_out(&at, span)?;
                }
                Ok(operand)
            }
            ExprKind::Literal(lit) => Ok(self.literal(lit, ty)),
            ExprKind::Const { id, args } => self.named_const(*id, args, ty, e),
            ExprKind::ConstParam { index, .. } => self.const_param(*index, ty),
            ExprKind::FnItem { .. } => Ok(self.make(flow, 0, vec![])),
            ExprKind::Borrow { place, .. } | ExprKind::RawBorrow { place, .. } => {
                let at = self.place(*place)?;
                self.b.pos = self.cx.pos(span);
                Ok(self.address(&at, flow))
            }
            ExprKind::Unary { op, value } => {
                let operand = self.value(*value)?;
                self.b.pos = self.cx.pos(span);
                self.unary(*op, operand, ty, span)
            }
            ExprKind::Binary { op, left, right } => {
                let types = (self.expr_ty(*left), self.expr_ty(*right));
                let left = self.value(*left)?;
                let right = self.value(*right)?;
                self.b.pos = self.cx.pos(span);
                self.binary(*op, (left, types.0), (right, types.1), span)
            }
            ExprKind::Logical { .. } | ExprKind::Let { .. } => self.condition_value(e),
            ExprKind::Cast { kind, value } => {
                let from = self.expr_ty(*value);
                let operand = self.value(*value)?;
                self.b.pos = self.cx.pos(span);
                self.cast(*kind, operand, from, ty, span)
            }
            ExprKind::Assign { place, value } => self.assign(*place, *value),
            ExprKind::AssignOp { op, place, value } => {
                let types = (self.expr_ty(*place), self.expr_ty(*value));
                let right = self.value(*value)?;
                let at = self.place(*place)?;
                self.b.pos = self.cx.pos(span);
                let left = self.read(&at);
                let result = self.binary(*op, (left, types.0), (right, types.1), span)?;
                self.store(&at, result);
                Ok(self.unit_value())
            }
            ExprKind::Call { callee, args } => self.call_expr(e, callee, args),
            ExprKind::Adt { adt, variant, fields, base } => self.adt_value(*adt, *variant, fields, *base, ty),
            ExprKind::Tuple(parts) | ExprKind::Array(parts) | ExprKind::Closure { captures: parts, .. } => {
                let operands = self.operands(parts)?;
                Ok(self.aggregate(flow, None, operands))
            }
            ExprKind::Repeat { value } => self.repeat(*value, ty, flow),
            ExprKind::Scope(inner) => {
                self.push_temporaries();
                let operand = self.value(*inner)?;
                self.pop_scope();
                Ok(operand)
            }
            ExprKind::Block(block) => self.block(*block, ty),
            ExprKind::If { cond, then, els } => self.if_expr(*cond, *then, *els, flow),
            ExprKind::Match { scrutinee, arms } => self.match_expr(*scrutinee, arms, flow),
            ExprKind::Loop { id, body } => self.loop_expr(*id, *body, flow),
            ExprKind::Break { target, value } => {
                let operand = match value {
                    Some(value) => self.value(*value)?,
                    None => self.unit_value(),
                };
                if !self.b.is_dead() {
                    self.break_loop(*target, operand);
                }
                Ok(self.nothing(flow))
            }
            ExprKind::Continue { target } => {
                self.continue_loop(*target, false);
                Ok(self.nothing(flow))
            }
            ExprKind::Return(value) => {
                let operand = match value {
                    Some(value) => self.value(*value)?,
                    None => self.unit_value(),
                };
                self.leave(operand);
                Ok(self.nothing(flow))
            }
            ExprKind::NeverToAny(inner) => {
                self.value(*inner)?;
                if !self.b.is_dead() {
                    self.b.end(Terminator::Unreachable);
                }
                Ok(self.nothing(flow))
            }
            ExprKind::Outlined(outlined) => self.outlined(outlined, ty, e),
            place @ (ExprKind::Local(_)
            | ExprKind::Upvar(_)
            | ExprKind::Static(_)
            | ExprKind::Field { .. }
            | ExprKind::Index { .. }
            | ExprKind::Deref(_)
            | ExprKind::Temp { .. }) => panic!("a place where a value is expected: {place:?}"),
        }
    }

    // ---- constants ----------------------------------------------------------------------------------------------

    /// A literal of a type without parameters.
    pub(super) fn literal(&mut self, lit: &Lit, ty: Ty) -> ValueId {
        let flow = self.flow_ty(ty);
        match lit {
            Lit::Bool(value) => self.b.constant(flow, u64::from(*value)),
            Lit::Char(c) => self.b.constant(flow, u64::from(u32::from(*c))),
            Lit::Int(bits) => match *ty.kind() {
                TyKind::Int(int) if int.bits() == 128 => self.wide_literal(*bits, int, flow),
                TyKind::Float(FloatTy::F64) => self.b.constant(flow, (*bits as f64).to_bits()),
                TyKind::Float(FloatTy::F32) => self.b.constant(flow, u64::from((*bits as f32).to_bits())),
                TyKind::Int(int) => self.b.constant(flow, canonical(*bits, int)),
                _ => self.b.constant(flow, *bits as u64),
            },
            Lit::F32(bits) => self.b.constant(flow, u64::from(*bits)),
            Lit::F64(bits) => self.b.constant(flow, *bits),
            Lit::Str(text) => {
                let u8 = self.cx.add(Type::U8);
                let pointer = self.cx.add(Type::RawPtr { to: u8, mutable: false });
                let rust = format!("{:?}.as_ptr() as u64", text.as_str());
                let value = LoadTimeValue {
                    rust,
                    module: self.cx.home,
                    name: format!("{:?}", text.as_str()),
                    frozen: true,
                };
                let address = self.load_time(pointer, value);
                let usize = self.cx.usize();
                let len = self.b.constant(usize, text.len() as u64);
                self.b.op(flow, OpKind::MakeFat { address, len })
            }
            Lit::Bytes(bytes) => {
                let rust = format!(
                    "{{ const P: &'static [u8; {}] = &{:?}; P as *const _ as u64 }}",
                    bytes.len(),
                    &bytes[..]
                );
                let name = format!("{:?}", String::from_utf8_lossy(bytes));
                let value = LoadTimeValue { rust, module: self.cx.home, name, frozen: true };
                if self.cx.out.types.scalars(flow).is_some_and(|s| s.len() == 1) {
                    return self.load_time(flow, value);
                }
                let u8 = self.cx.add(Type::U8);
                let pointer = self.cx.add(Type::RawPtr { to: u8, mutable: false });
                let address = self.load_time(pointer, value);
                let usize = self.cx.usize();
                let len = self.b.constant(usize, bytes.len() as u64);
                self.b.op(flow, OpKind::MakeFat { address, len })
            }
        }
    }

    /// Constants of 128 bits are told by native code: they are two words.
    fn wide_literal(&mut self, bits: u128, int: IntTy, flow: TypeId) -> ValueId {
        if bits == 0 {
            return self.b.constant(flow, 0);
        }
        let text = format!("|| -> {name} {{ {bits}u128 as {name} }}", name = int.name());
        self.call_helper("constant", text, &[], flow, false)
    }

    fn named_const(&mut self, id: ConstId, args: Args, ty: Ty, e: ExprId) -> Result<ValueId> {
        let args = crate::ty::subst_list(args, self.args);
        let Ok((id, args)) = self.cx.program.resolve_const(id, args) else {
            let help = "give the constant its value in the impl that is used here";
            return unsupported(self.span(e), "the value of this constant is not known", help);
        };
        if let Some(lit) = self.cx.program.eval_const(id, args) {
            return Ok(self.literal(&lit, ty));
        }
        let (rust, name, module) = self.const_item(id, args, ty, e)?;
        let scalar = match *ty.kind() {
            TyKind::Int(int) if int.bits() < 128 => Some(format!("({rust}) as u64")),
            TyKind::Bool | TyKind::Char => Some(format!("({rust}) as u64")),
            TyKind::Float(FloatTy::F32) => Some(format!("({rust}).to_bits() as u64")),
            _ => None,
        };
        if let Some(rust) = scalar {
            let flow = self.flow_ty(ty);
            return Ok(self.load_time(flow, LoadTimeValue { rust, module, name, frozen: false }));
        }
        let place = self.const_memory(id, args, ty, e)?;
        Ok(self.read(&place))
    }

    /// A constant as Rust text, its name, and the module that can name it.
    fn const_item(&self, id: ConstId, args: Args, ty: Ty, e: ExprId) -> Result<(String, String, ModuleId)> {
        let def = self.cx.program.const_def(id);
        // Where a constant is declared its type can be named, wherever that is declared.
        let module = match def.origin {
            Origin::User => self.cx.item_module(def.origin, def.module),
            Origin::Std | Origin::Runtime => self.cx.module_of(ty),
        };
        match self.cx.spell_const_item(id, args).filter(|_| self.cx.can_spell(ty)) {
            Some(rust) => Ok((rust, def.name.to_string(), module)),
            None => {
                let message = format!("the constant `{}` cannot be named from outside", def.name);
                unsupported(
                    self.span(e),
                    message,
                    "move the constant out of the function's body, to its module",
                )
            }
        }
    }

    /// A constant's value in memory that never changes.
    pub(super) fn const_memory(&mut self, id: ConstId, args: Args, ty: Ty, e: ExprId) -> Result<PlaceAt> {
        let (rust, name, module) = self.const_item(id, args, ty, e)?;
        let spelled = self.cx.spell(ty);
        let rust = format!("{{ const P: &'static {spelled} = &{rust}; P as *const {spelled} as u64 }}");
        Ok(self.frozen_memory(rust, &name, module, ty))
    }

    fn const_param(&mut self, index: u32, ty: Ty) -> Result<ValueId> {
        let Some(value) = self.args.get(index as usize).and_then(|a| a.const_value()) else {
            panic!("the constant parameter {index} has no value");
        };
        let lit = match *ty.kind() {
            TyKind::Bool => Lit::Bool(value != 0),
            _ => Lit::Int(value),
        };
        Ok(self.literal(&lit, ty))
    }

    /// A constant expression as Rust text, if it is simple enough.
    pub(super) fn const_text(&self, e: ExprId) -> Option<String> {
        let list = |list: &[ExprId]| {
            Some(list.iter().map(|&e| self.const_text(e)).collect::<Option<Vec<_>>>()?.join(", "))
        };
        match &self.body.expr(e).kind {
            ExprKind::Literal(lit) => Some(match (lit, self.expr_ty(e).kind()) {
                (Lit::Bool(b), _) => b.to_string(),
                (Lit::Char(c), _) => format!("{c:?}"),
                (Lit::Int(n), TyKind::Int(int)) => format!("({n}u128 as {})", int.name()),
                (Lit::Int(n), _) => n.to_string(),
                (Lit::F32(bits), _) => format!("f32::from_bits({bits})"),
                (Lit::F64(bits), _) => format!("f64::from_bits({bits})"),
                (Lit::Str(text), _) => format!("{:?}", text.as_str()),
                (Lit::Bytes(bytes), _) => format!("&{:?}", &bytes[..]),
            }),
            ExprKind::Array(items) => Some(format!("[{}]", list(items)?)),
            ExprKind::Tuple(items) if items.len() == 1 => Some(format!("({},)", list(items)?)),
            ExprKind::Tuple(items) => Some(format!("({})", list(items)?)),
            ExprKind::Borrow { mutability: Mutability::Not, place } => match self.body.expr(*place).kind {
                ExprKind::Temp { value, lifetime: TempLifetime::Static } => {
                    Some(format!("&{}", self.const_text(value)?))
                }
                _ => None,
            },
            ExprKind::Const { id, args } => {
                let args = crate::ty::subst_list(args, self.args);
                let (id, args) = self.cx.program.resolve_const(*id, args).ok()?;
                self.cx.spell_const_item(id, args)
            }
            ExprKind::Scope(inner) => self.const_text(*inner),
            ExprKind::Cast { value, .. } => {
                let ty = self.expr_ty(e);
                Some(format!(
                    "({} as {})",
                    self.const_text(*value)?,
                    self.cx.can_spell(ty).then(|| self.cx.spell(ty))?
                ))
            }
            ExprKind::Adt { adt, variant, fields, base: None } => {
                let def = self.cx.program.adt(*adt);
                let variant = &def.variants[variant.index()];
                let is_enum = def.kind == crate::items::AdtKind::Enum;
                let head =
                    if is_enum { format!("{}::{}", def.path, variant.name) } else { def.path.to_string() };
                let fields = fields
                    .iter()
                    .map(|&(f, e)| {
                        Some(format!("{}: {}", variant.fields[f.index()].name, self.const_text(e)?))
                    })
                    .collect::<Option<Vec<_>>>()?;
                Some(format!("{head} {{ {} }}", fields.join(", ")))
            }
            _ => None,
        }
    }

    // ---- aggregates ---------------------------------------------------------------------------------------------

    pub(super) fn make(&mut self, ty: TypeId, variant: u32, fields: Vec<ValueId>) -> ValueId {
        let has_words = self.cx.out.types.scalars(ty).is_some_and(|s| !s.is_empty());
        if has_words { self.b.op(ty, OpKind::Make { variant, fields }) } else { self.b.constant(ty, 0) }
    }

    /// A struct, tuple, array, closure or enum from the operands of its fields.
    pub(super) fn aggregate(&mut self, ty: TypeId, variant: Option<u32>, fields: Vec<ValueId>) -> ValueId {
        if !self.is_memory(ty) {
            return self.make(ty, variant.unwrap_or(0), fields);
        }
        if let Some(variant) = variant {
            return self.enum_in_memory(ty, variant, fields);
        }
        let base = self.temp_memory(ty);
        let is_array = matches!(self.get(ty), Type::Array(..));
        let usize = self.cx.usize();
        for (n, field) in fields.into_iter().enumerate() {
            let step =
                if is_array { Proj::Index(self.b.constant(usize, n as u64)) } else { Proj::Field(n as u32) };
            let part = self.part_type(ty, 0, n as u32);
            self.store_part(Place { base, path: vec![step] }, part, field);
        }
        base
    }

    fn store_part(&mut self, at: Place, ty: TypeId, operand: ValueId) {
        if self.is_memory(ty) {
            let from = Place { base: operand, path: vec![] };
            self.b.effect(OpKind::CopyMemory { to: at, from, ty });
        } else {
            self.b.effect(OpKind::Store(at, operand));
        }
    }

    /// Only native code knows how an enum without a fixed layout says which variant it is.
    fn enum_in_memory(&mut self, ty: TypeId, variant: u32, fields: Vec<ValueId>) -> ValueId {
        let Type::Adt(adt) = self.get(ty).clone() else { panic!("an enum that is none") };
        let data = &adt.variants[variant as usize];
        let types: Vec<TypeId> = data.fields.iter().map(|f| f.ty).collect();
        let spelled = |id: &TypeId| self.cx.out.types.data(*id).rust.clone();
        let params: Vec<String> =
            types.iter().enumerate().map(|(n, t)| format!("f{n}: {}", spelled(t))).collect();
        let inits: Vec<String> =
            data.fields.iter().enumerate().map(|(n, f)| format!("{}: f{n}", f.name)).collect();
        let head = match adt.rust.find('<') {
            Some(at) => format!("{}::{}::{}", &adt.rust[..at], &adt.rust[at..], data.name),
            None => format!("{}::{}", adt.rust, data.name),
        };
        let rust = format!("|{}| -> {} {{ {head} {{ {} }} }}", params.join(", "), adt.rust, inits.join(", "));
        let helper = Helper {
            name: &format!("make {}::{}", adt.rust, data.name),
            rust,
            module: self.cx.out.types.data(ty).module,
            params: types,
            ret: ty,
            can_panic: false,
            elidable: false,
        };
        let id = self.cx.helper(helper);
        self.call(crate::flow::Callee::Extern(id), fields, ty, false)
    }

    fn adt_value(
        &mut self,
        adt: AdtId,
        variant: VariantIdx,
        fields: &[(FieldIdx, ExprId)],
        base: Option<ExprId>,
        ty: Ty,
    ) -> Result<ValueId> {
        let exprs: Vec<ExprId> = fields.iter().map(|&(_, e)| e).collect();
        let operands = self.operands(&exprs)?;
        let def = self.cx.program.adt(adt);
        let is_enum = def.kind == crate::items::AdtKind::Enum;
        let count = def.variants[variant.index()].fields.len();
        let mut all: Vec<Option<ValueId>> = vec![None; count];
        for (&(field, _), operand) in fields.iter().zip(operands) {
            all[field.index()] = Some(operand);
        }
        if let Some(base) = base {
            let span = self.span(base);
            let from = self.place(base)?;
            for (n, slot) in all.iter_mut().enumerate() {
                if slot.is_none() {
                    let field = FieldIdx::new(n);
                    let field_ty = self.cx.program.field_ty(ty, variant, field);
                    let at = self.field(&from, None, field, field_ty);
                    *slot = Some(self.read(&at));
                    if !self.cx.program.is_copy(field_ty) {
                        self.moved_out(&at, span)?;
                    }
                }
            }
        }
        let flow = self.flow_ty(ty);
        let all = all.into_iter().map(|v| v.expect("every field has a value")).collect();
        Ok(self.aggregate(flow, is_enum.then_some(variant.0), all))
    }

    fn repeat(&mut self, value: ExprId, ty: Ty, flow: TypeId) -> Result<ValueId> {
        let Type::Array(elem, len) = *self.get(flow) else { panic!("a repeat expression that is no array") };
        let elem_ty = self.expr_ty(value);
        let operand = self.value(value)?;
        if !self.is_memory(flow) && len > 0 {
            return Ok(self.make(flow, 0, vec![operand; len as usize]));
        }
        if !self.cx.can_spell(ty) || !self.cx.program.is_copy(elem_ty) {
            let help = "write the elements out, or use a type that is `Copy`";
            return unsupported(self.span(value), "this array of repeated values is not supported", help);
        }
        let (array, element) = (self.cx.spell(ty), self.cx.spell(elem_ty));
        let helper = Helper {
            name: &format!("repeat {array}"),
            rust: format!("|value: {element}| -> {array} {{ [value; {len}] }}"),
            module: self.cx.module_of(ty),
            params: vec![elem],
            ret: flow,
            can_panic: false,
            elidable: false,
        };
        let id = self.cx.helper(helper);
        Ok(self.call(crate::flow::Callee::Extern(id), vec![operand], flow, false))
    }

    fn assign(&mut self, place: ExprId, value: ExprId) -> Result<ValueId> {
        let ty = self.expr_ty(value);
        let span = self.span(place);
        let operand = self.value(value)?;
        let held = self.hold(operand, ty);
        let at = self.place(place)?;
        let operand = self.release(held);
        self.b.pos = self.cx.pos(span);
        self.overwrite(&at, operand);
        Ok(self.unit_value())
    }

    /// Drops the old content of a place, if it has some, and stores a new one.
    fn overwrite(&mut self, at: &PlaceAt, operand: ValueId) {
        if !self.cx.out.types.data(at.flow).needs_drop {
            return self.store(at, operand);
        }
        let Some((root, path)) = at.part.clone() else {
            let held = self.hold(operand, at.ty);
            self.drop_place(at, &[], 0);
            let operand = self.release(held);
            return self.store(at, operand);
        };
        let held = self.hold(operand, at.ty);
        if path.is_empty() {
            self.drop_root(root);
            let operand = self.release(held);
            self.store(at, operand);
            return self.mark_init(root);
        }
        let data = self.roots[root.index()].clone();
        self.drop_place(at, &data.moved, path.len());
        let operand = self.release(held);
        self.store(at, operand);
        let no = self.flag_value(false);
        for (_, moved) in data.moved.iter().filter(|(part, _)| part.starts_with(&path)) {
            self.b.write(*moved, no);
        }
    }

    // ---- blocks and loops -----------------------------------------------------------------------------------------

    pub(super) fn block(&mut self, id: BlockId, ty: Ty) -> Result<ValueId> {
        let body = std::rc::Rc::clone(&self.body);
        let block = body.block(id);
        let flow = self.flow_ty(ty);
        let label = block.label;
        if let Some(label) = label {
            let result_ty = self.operand_ty(flow);
            let at = LoopAt {
                break_to: self.b.new_block(),
                continue_to: None,
                depth: self.scopes.len(),
                result: self.b.var(result_ty),
                result_ty,
            };
            self.loops.insert(label, at);
        }
        self.push_scope(false);
        for stmt in &block.stmts {
            if self.b.is_dead() {
                break;
            }
            self.stmt(stmt)?;
        }
        let operand = match block.tail {
            Some(tail) => self.value(tail)?,
            None => self.nothing(flow),
        };
        self.pop_scope();
        let Some(label) = label else { return Ok(operand) };
        let at = self.loops[&label].clone();
        if !self.b.is_dead() {
            self.b.write(at.result, operand);
            self.b.goto(at.break_to);
        }
        self.b.seal_and_switch(at.break_to);
        Ok(self.read_result(&at))
    }

    /// What `break` left for the code after a loop or block.
    fn read_result(&mut self, at: &LoopAt) -> ValueId {
        if self.b.is_dead() { self.b.constant(at.result_ty, 0) } else { self.b.read(at.result) }
    }

    fn stmt(&mut self, stmt: &Stmt) -> Result<()> {
        match stmt {
            Stmt::Expr(e) => {
                let ty = self.expr_ty(*e);
                let operand = self.value(*e)?;
                self.drop_operand(operand, ty);
                Ok(())
            }
            Stmt::Let { pat, init, els, .. } => match init {
                None => {
                    self.declare_all(*pat);
                    Ok(())
                }
                Some(init) => self.let_stmt(*pat, *init, *els),
            },
        }
    }

    /// Drops a value that nobody takes.
    pub(super) fn drop_operand(&mut self, operand: ValueId, ty: Ty) {
        let held = self.hold(operand, ty);
        if let Some(root) = held.root() {
            self.drop_root(root);
        }
    }

    /// Temporaries of the initialiser live to the end of the statement.
    fn let_stmt(&mut self, pat: PatId, init: ExprId, els: Option<BlockId>) -> Result<()> {
        self.push_temporaries();
        let Some(els) = els else {
            self.let_without_else(pat, init)?;
            self.pop_scope();
            return Ok(());
        };
        let place = self.place(init)?;
        let (matched, failed) = (self.b.new_block(), self.b.new_block());
        self.test_pattern(pat, &place, matched, failed)?;
        let depth = self.scopes.len() - 1;
        self.b.seal_and_switch(failed);
        self.exit_scopes(depth);
        let scope = self.scopes.pop();
        self.block(els, Ty::never())?;
        if !self.b.is_dead() {
            self.b.end(Terminator::Unreachable);
        }
        self.scopes.extend(scope);
        self.b.seal_and_switch(matched);
        self.pop_scope();
        Ok(())
    }

    fn let_without_else(&mut self, pat: PatId, init: ExprId) -> Result<()> {
        if self.body.expr(init).kind.is_place() {
            let place = self.place(init)?;
            return self.bind_irrefutable(pat, place);
        }
        let operand = self.value(init)?;
        match self.body.pat(pat).kind {
            PatKind::Binding { local, mode: BindingMode::Value(_), sub: None } => {
                let root = self.declare_from(local, operand);
                self.mark_init(root);
            }
            PatKind::Wild => {
                let ty = self.expr_ty(init);
                self.drop_operand(operand, ty);
            }
            ref other => panic!("a value matched with {other:?}"),
        }
        Ok(())
    }

    /// Declares a variable with its first value: an operand in memory becomes the variable's own memory.
    fn declare_from(&mut self, local: LocalId, operand: ValueId) -> crate::lower::func::Root {
        let ty = self.inst(self.body.local(local).ty);
        let flow = self.flow_ty(ty);
        if self.is_memory(flow) && !self.b.is_dead() {
            let info = std::rc::Rc::clone(&self.info);
            let parts = info.moved_parts(crate::lower::escape::RootKey::Local(local));
            let root = self.root_with(crate::lower::func::Storage::Pointer(operand), ty, parts);
            self.bind(local, root);
            return root;
        }
        let root = self.declare(local);
        let place = self.root_place(root);
        self.store(&place, operand);
        root
    }

    /// Declares the variables of a pattern without giving them values.
    pub(super) fn declare_all(&mut self, pat: PatId) {
        match self.body.pat(pat).kind.clone() {
            PatKind::Binding { local, sub, .. } => {
                self.declare(local);
                sub.into_iter().for_each(|p| self.declare_all(p));
            }
            PatKind::Variant { fields, .. } | PatKind::Tuple(fields) => {
                fields.into_iter().for_each(|(_, p)| self.declare_all(p));
            }
            PatKind::Deref(sub) => self.declare_all(sub),
            PatKind::Slice { prefix, rest, suffix } => {
                prefix.into_iter().chain(rest).chain(suffix).for_each(|p| self.declare_all(p));
            }
            // All alternatives bind the same variables.
            PatKind::Or(list) => list.into_iter().take(1).for_each(|p| self.declare_all(p)),
            PatKind::Wild | PatKind::Literal(_) | PatKind::Range { .. } => {}
        }
    }

    fn loop_expr(&mut self, id: LoopId, body: ExprId, flow: TypeId) -> Result<ValueId> {
        let result_ty = self.operand_ty(flow);
        let is_portal = self.body.portal_loop == Some(id) && self.portal.is_some();
        let head = self.b.new_block();
        let at = LoopAt {
            break_to: self.b.new_block(),
            continue_to: Some(head),
            depth: self.scopes.len(),
            result: self.b.var(result_ty),
            result_ty,
        };
        self.loops.insert(id, at.clone());
        if is_portal {
            self.carry_params();
        }
        self.b.goto(head);
        self.b.switch_to(head);
        if is_portal {
            self.merge_point();
        }
        self.value(body)?;
        if !self.b.is_dead() {
            self.continue_loop(id, false);
        }
        self.b.seal(head);
        self.b.seal_and_switch(at.break_to);
        Ok(self.read_result(&at))
    }

    /// Code that is not analysed: a native function with this text.
    fn outlined(&mut self, outlined: &Outlined, ty: Ty, e: ExprId) -> Result<ValueId> {
        let mut exprs = Vec::new();
        let mut params = Vec::new();
        let mut types = Vec::new();
        let mut module = self.cx.module_of(ty);
        for capture in &outlined.captures {
            let capture_ty = self.expr_ty(capture.value);
            if !self.cx.can_spell(capture_ty) {
                let help = format!("do not use `{}` there", capture.name);
                return unsupported(
                    self.span(e),
                    format!(
                        "this is called as native code ({}), and a closure cannot be handed to that",
                        outlined.reason
                    ),
                    help,
                );
            }
            exprs.push(capture.value);
            params.push(format!("{}: {}", capture.name, self.cx.spell(capture_ty)));
            types.push(self.flow_ty(capture_ty));
            module = module.max(self.cx.module_of(capture_ty));
        }
        let operands = self.operands(&exprs)?;
        let flow = self.flow_ty(ty);
        let path = self.cx.module_path(&outlined.module);
        let own = self.cx.out.modules.iter().position(|m| m.path == path).map_or(module, ModuleId::new);
        let span = self.span(e);
        if self.cx.crate_of(module) > self.cx.crate_of(own) {
            let message = format!(
                "this is called as native code ({}), and works with types of a crate that its own does not know",
                outlined.reason
            );
            return unsupported(
                span,
                message,
                "let a trait's method do it, which the other crate implements",
            );
        }
        let Some(code) = self.outside_of_body(outlined.scope, outlined.self_ty, &outlined.tokens) else {
            let message = format!(
                "this is called as native code ({}), which cannot use what the function declares inside",
                outlined.reason
            );
            return unsupported(span, message, "move the function's own items to its module");
        };
        let id = self.cx.extern_fn(Extern {
            name: format!("code in {}", self.cx.out.func(self.id).name),
            rust: format!("|{}| -> {} {{ {code} }}", params.join(", "), self.cx.spell(ty)),
            module: own,
            params: types,
            ret: flow,
            attrs: FuncAttrs::default(),
            can_panic: true,
            is_helper: false,
            touches: None,
        });
        self.b.pos = self.cx.pos(span);
        Ok(self.call(crate::flow::Callee::Extern(id), operands, flow, true))
    }
}

/// The word for an integer of at most 64 bits.
pub(super) fn canonical(bits: u128, int: IntTy) -> u64 {
    let shift = 64 - int.bits().min(64);
    let word = bits as u64;
    if int.signed() { ((word << shift) as i64 >> shift) as u64 } else { word << shift >> shift }
}
