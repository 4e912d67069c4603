//! What closures capture, as Rust since 2021: places, not variables, by the weakest way that serves all uses.
//!
//! In: a typed closure body that names variables of enclosing functions directly. Out: its captures, its kind, and its body
//! with every captured place replaced by [`ExprKind::Upvar`]. Inner closures are done before outer ones, so an
//! inner closure's captures are uses in the outer one.

use super::FnCx;
use crate::names::Name;
use crate::thir::*;
use crate::ty::{ClosureId, ClosureKind, Mutability, Ty, TyKind};

/// One step of a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Proj {
    Field(FieldIdx),
    Deref,
}

/// A place that begins with a variable of an enclosing function.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Path {
    local: LocalId,
    steps: Vec<Proj>,
}

#[derive(Clone, Debug)]
struct Captured {
    path: Path,
    mode: CaptureMode,
    ty: Ty,
}

struct Walk {
    closure: ClosureId,
    by_move: bool,
    found: Vec<Captured>,
    moves_out: bool,
    mutates: bool,
}

impl FnCx<'_> {
    /// Decides the captures of all closures of the body.
    pub(super) fn analyse_captures(&mut self) {
        for i in 0..self.body.closures.len() {
            let closure = self.body.closures[i].clone();
            let by_move = self.moves.iter().any(|(id, m)| *id == closure.id && *m);
            let mut w =
                Walk { closure: closure.id, by_move, found: Vec::new(), moves_out: false, mutates: false };
            self.walk_value(closure.value, &mut w);
            let kind = match (w.moves_out, w.mutates) {
                (true, _) => ClosureKind::FnOnce,
                (false, true) => ClosureKind::FnMut,
                (false, false) => ClosureKind::Fn,
            };
            let found = minimal(w.found);
            self.replace_upvars(closure.value, closure.id, &found);
            let (mut captures, mut operands) = (Vec::new(), Vec::new());
            for c in &found {
                captures.push(Capture { name: self.path_name(&c.path), mode: c.mode, ty: c.ty });
                operands.push(self.capture_operand(c, closure.span));
            }
            let types = captures.iter().map(|c| super::solve::capture_ty(c.mode, c.ty)).collect();
            if let Some(sig) = self.prog.closure_sigs.borrow_mut().get_mut(&closure.id) {
                sig.kind = kind;
                sig.captures = types;
            }
            self.body.closures[i].kind = kind;
            self.body.closures[i].captures = captures;
            for e in &mut self.body.exprs {
                if let ExprKind::Closure { id, captures } = &mut e.kind
                    && *id == closure.id
                {
                    *captures = operands.clone();
                }
            }
            self.settle_calls(closure.id, kind);
        }
    }

    /// Calls of this closure now know how it is passed.
    fn settle_calls(&mut self, id: ClosureId, kind: ClosureKind) {
        let calls: Vec<ExprId> =
            self.closure_calls.iter().filter(|c| c.closure == id).map(|c| c.call).collect();
        for call in calls {
            let ExprKind::Call { callee: Callee::Closure { callee, .. }, args } = self.kind(call).clone()
            else {
                continue;
            };
            let span = self.span_at(call);
            let callee = match kind {
                ClosureKind::Fn => self.borrow(Mutability::Not, callee, span),
                ClosureKind::FnMut => self.borrow(Mutability::Mut, callee, span),
                ClosureKind::FnOnce => {
                    let v = self.value(callee);
                    self.set_read_mode(v);
                    v
                }
            };
            let node = &mut self.body.exprs[call.index()];
            node.kind = ExprKind::Call { callee: Callee::Closure { kind, callee }, args };
        }
    }

    fn path_name(&self, p: &Path) -> Name {
        let mut text = self.body.local(p.local).name.to_string();
        let mut ty = self.body.local(p.local).ty;
        for s in &p.steps {
            match s {
                Proj::Deref => text = format!("*{text}"),
                Proj::Field(f) => {
                    let name = match *ty.kind() {
                        TyKind::Adt(id, _) => self
                            .prog
                            .adt(id)
                            .variants
                            .first()
                            .and_then(|v| v.fields.get(f.index()))
                            .map(|f| f.name),
                        _ => None,
                    };
                    text = format!("{text}.{}", name.unwrap_or_else(|| Name::new(&f.index().to_string())));
                }
            }
            ty = self.step_ty(ty, *s);
        }
        Name::new(&text)
    }

    fn step_ty(&self, ty: Ty, s: Proj) -> Ty {
        match (s, *ty.kind()) {
            (Proj::Deref, TyKind::Ref(_, t) | TyKind::RawPtr(_, t)) => t,
            (Proj::Deref, TyKind::Adt(_, args)) => args.first().copied().unwrap_or(ty),
            (Proj::Field(f), TyKind::Tuple(list)) => list.get(f.index()).copied().unwrap_or(ty),
            (Proj::Field(f), TyKind::Adt(..)) => self.variant_field_ty(ty, VariantIdx(0), f),
            _ => ty,
        }
    }

    /// Whether a variable belongs to a function or closure around this one.
    fn is_outer(&self, local: LocalId, closure: ClosureId) -> bool {
        let mut owner = self.body.local(local).closure;
        // a variable of an inner closure never appears here: inner bodies are not walked
        if owner == Some(closure) {
            return false;
        }
        if owner.is_none() {
            owner = Some(closure);
        }
        owner.is_some()
    }

    /// The place as a path from an outer variable.
    fn path_of(&self, id: ExprId, closure: ClosureId) -> Option<Path> {
        match *self.kind(id) {
            ExprKind::Local(local) => {
                self.is_outer(local, closure).then(|| Path { local, steps: Vec::new() })
            }
            ExprKind::Field { base, field } => {
                let mut p = self.path_of(base, closure)?;
                p.steps.push(Proj::Field(field));
                Some(p)
            }
            ExprKind::Deref(op) => {
                let inner = match *self.kind(op) {
                    ExprKind::Read { place, .. } => place,
                    _ if self.is_place(op) => op,
                    _ => return None,
                };
                let mut p = self.path_of(inner, closure)?;
                p.steps.push(Proj::Deref);
                Some(p)
            }
            _ => None,
        }
    }

    /// A use of a place, in the strength it needs.
    fn walk_place(&mut self, id: ExprId, mode: CaptureMode, moves: bool, w: &mut Walk) {
        if let Some(path) = self.path_of(id, w.closure) {
            self.note_capture(path, mode, moves, w);
            return;
        }
        match self.kind(id).clone() {
            ExprKind::Field { base, .. } => self.walk_place(base, mode, moves, w),
            ExprKind::Index { base, index } => {
                self.walk_place(base, mode, moves, w);
                self.walk_value(index, w);
            }
            ExprKind::Deref(op) if self.is_place(op) => self.walk_place(op, mode, moves, w),
            ExprKind::Deref(op) => match *self.kind(op) {
                // through a reference: what it points to is used, the reference itself is only read
                ExprKind::Read { place, .. } => {
                    let through_mut = matches!(self.ty(op).kind(), TyKind::Ref(Mutability::Mut, _));
                    let inner =
                        if mode == CaptureMode::Mut && through_mut { mode } else { CaptureMode::Shared };
                    self.walk_place(place, inner, false, w);
                }
                _ => self.walk_value(op, w),
            },
            ExprKind::Temp { value, .. } => self.walk_value(value, w),
            _ => {}
        }
    }

    fn note_capture(&self, mut path: Path, mode: CaptureMode, moves: bool, w: &mut Walk) {
        let mut mode = mode;
        let mut ty = self.body.local(path.local).ty;
        let mut keep = 0;
        let by_value = w.by_move || mode == CaptureMode::Value;
        for (i, s) in path.steps.iter().enumerate() {
            let stop = match (*s, *ty.kind()) {
                // a value cannot be moved out of a reference or box piece by piece
                (Proj::Deref, _) if by_value => true,
                (Proj::Deref, TyKind::RawPtr(..)) => true,
                (Proj::Field(_), TyKind::Adt(id, _)) => {
                    self.prog.adt(id).repr.packed.is_some() || self.prog.drop_impl(ty).is_some() && by_value
                }
                _ => false,
            };
            if stop {
                break;
            }
            ty = self.step_ty(ty, *s);
            keep = i + 1;
        }
        let cut = path.steps.split_off(keep);
        let through_shared = {
            let mut t = ty;
            let mut shared = false;
            for s in &cut {
                shared |= matches!(
                    (s, t.kind()),
                    (Proj::Deref, TyKind::Ref(Mutability::Not, _) | TyKind::RawPtr(..))
                );
                t = self.step_ty(t, *s);
            }
            shared
        };
        w.mutates |= mode == CaptureMode::Mut && !through_shared;
        if w.by_move {
            w.moves_out |= moves && cut.is_empty();
            mode = CaptureMode::Value;
        } else if mode == CaptureMode::Value {
            w.moves_out |= moves;
        } else if mode == CaptureMode::Mut && through_shared {
            mode = CaptureMode::Shared;
        }
        w.found.push(Captured { path, mode, ty });
    }

    fn walk_pattern_use(&mut self, place: ExprId, pats: &[PatId], w: &mut Walk) {
        let (mut mode, mut moves, mut touched) = (CaptureMode::Shared, false, false);
        for p in pats {
            self.pattern_use(*p, &mut mode, &mut moves, &mut touched);
        }
        if touched {
            self.walk_place(place, mode, moves, w);
        } else if !matches!(self.kind(place), ExprKind::Local(_)) {
            // `_` reads nothing, but a temporary is still evaluated
            self.walk_temps(place, w);
        }
    }

    fn walk_temps(&mut self, place: ExprId, w: &mut Walk) {
        match *self.kind(place) {
            ExprKind::Temp { value, .. } => self.walk_value(value, w),
            ExprKind::Field { base, .. } => self.walk_temps(base, w),
            _ => {}
        }
    }

    fn pattern_use(&self, p: PatId, mode: &mut CaptureMode, moves: &mut bool, touched: &mut bool) {
        match &self.body.pat(p).kind {
            PatKind::Wild => {}
            PatKind::Binding { mode: binding, sub, .. } => {
                *touched = true;
                let needed = match binding {
                    BindingMode::Value(ReadMode::Copy) | BindingMode::Ref(Mutability::Not) => {
                        CaptureMode::Shared
                    }
                    BindingMode::Value(ReadMode::Move) => {
                        *moves = true;
                        CaptureMode::Value
                    }
                    BindingMode::Ref(Mutability::Mut) => CaptureMode::Mut,
                };
                *mode = (*mode).max(needed);
                if let Some(s) = sub {
                    self.pattern_use(*s, mode, moves, touched);
                }
            }
            PatKind::Variant { adt, fields, .. } => {
                *touched |= self.prog.adt(*adt).variants.len() > 1;
                fields.iter().for_each(|(_, p)| self.pattern_use(*p, mode, moves, touched));
            }
            PatKind::Tuple(fields) => {
                fields.iter().for_each(|(_, p)| self.pattern_use(*p, mode, moves, touched))
            }
            PatKind::Deref(p) => self.pattern_use(*p, mode, moves, touched),
            PatKind::Literal(_) | PatKind::Range { .. } => *touched = true,
            PatKind::Slice { prefix, rest, suffix } => {
                *touched = true;
                for p in prefix.iter().chain(rest).chain(suffix) {
                    self.pattern_use(*p, mode, moves, touched);
                }
            }
            PatKind::Or(list) => list.iter().for_each(|p| self.pattern_use(*p, mode, moves, touched)),
        }
    }

    fn walk_value(&mut self, id: ExprId, w: &mut Walk) {
        if self.is_place(id) {
            return self.walk_place(id, CaptureMode::Shared, false, w);
        }
        match self.kind(id).clone() {
            ExprKind::Read { place, mode } => {
                let moves = mode == ReadMode::Move;
                let use_ = if moves { CaptureMode::Value } else { CaptureMode::Shared };
                self.walk_place(place, use_, moves, w);
            }
            ExprKind::Borrow { mutability, place } | ExprKind::RawBorrow { mutability, place } => {
                let mode = if mutability == Mutability::Mut { CaptureMode::Mut } else { CaptureMode::Shared };
                self.walk_place(place, mode, false, w);
            }
            ExprKind::Assign { place, value } | ExprKind::AssignOp { place, value, .. } => {
                self.walk_value(value, w);
                self.walk_place(place, CaptureMode::Mut, false, w);
            }
            ExprKind::Adt { fields, base, .. } => {
                fields.iter().for_each(|(_, f)| self.walk_value(*f, w));
                if let Some(b) = base {
                    self.walk_place(b, CaptureMode::Value, true, w);
                }
            }
            ExprKind::Let { place, pat } => self.walk_pattern_use(place, &[pat], w),
            ExprKind::Match { scrutinee, arms } => {
                let pats: Vec<PatId> = arms.iter().map(|a| a.pat).collect();
                self.walk_pattern_use(scrutinee, &pats, w);
                for a in arms {
                    if let Some(g) = a.guard {
                        self.walk_value(g, w);
                    }
                    self.walk_value(a.body, w);
                }
            }
            ExprKind::Block(b) => {
                let block = self.body.block(b).clone();
                self.walk_block(&block, w);
            }
            other => {
                for c in children(&other) {
                    self.walk_value(c, w);
                }
            }
        }
    }

    fn walk_block(&mut self, block: &Block, w: &mut Walk) {
        for s in &block.stmts {
            match s {
                Stmt::Let { pat, init, els, .. } => {
                    match init {
                        Some(i) if self.is_place(*i) => self.walk_pattern_use(*i, &[*pat], w),
                        Some(i) => self.walk_value(*i, w),
                        None => {}
                    }
                    if let Some(e) = els {
                        let b = self.body.block(*e).clone();
                        self.walk_block(&b, w);
                    }
                }
                Stmt::Expr(e) => self.walk_value(*e, w),
            }
        }
        if let Some(t) = block.tail {
            self.walk_value(t, w);
        }
    }

    /// The value that fills the environment's field, in the enclosing function.
    fn capture_operand(&mut self, c: &Captured, span: crate::source::Span) -> ExprId {
        let mut ty = self.body.local(c.path.local).ty;
        let mut at = self.node(ExprKind::Local(c.path.local), ty, span);
        for s in &c.path.steps {
            let boxed = matches!(ty.kind(), TyKind::Adt(..));
            ty = self.step_ty(ty, *s);
            at = match s {
                Proj::Field(f) => self.node(ExprKind::Field { base: at, field: *f }, ty, span),
                Proj::Deref if boxed => self.node(ExprKind::Deref(at), ty, span),
                Proj::Deref => {
                    let pointer = self.body.expr(at).ty;
                    let read = self.node(ExprKind::Read { place: at, mode: ReadMode::Copy }, pointer, span);
                    self.node(ExprKind::Deref(read), ty, span)
                }
            };
        }
        match c.mode {
            CaptureMode::Value => {
                let v = self.value(at);
                self.set_read_mode(v);
                v
            }
            CaptureMode::Shared => self.node(
                ExprKind::Borrow { mutability: Mutability::Not, place: at },
                Ty::shared_ref(ty),
                span,
            ),
            CaptureMode::Mut => {
                let rty = Ty::reference(Mutability::Mut, ty);
                self.node(ExprKind::Borrow { mutability: Mutability::Mut, place: at }, rty, span)
            }
        }
    }

    /// Replaces captured places in a closure's body.
    fn replace_upvars(&mut self, id: ExprId, closure: ClosureId, found: &[Captured]) {
        if self.is_place(id)
            && let Some(path) = self.path_of(id, closure)
            && let Some(i) = found.iter().position(|c| c.path == path)
        {
            self.body.exprs[id.index()].kind = ExprKind::Upvar(UpvarId::new(i));
            return;
        }
        let kind = self.kind(id).clone();
        match &kind {
            ExprKind::Match { scrutinee, arms } => {
                self.replace_upvars(*scrutinee, closure, found);
                for a in arms {
                    a.guard.iter().chain([&a.body]).for_each(|e| self.replace_upvars(*e, closure, found));
                }
            }
            ExprKind::Block(b) => self.replace_in_block(*b, closure, found),
            other => {
                for c in children(other) {
                    self.replace_upvars(c, closure, found);
                }
            }
        }
    }

    fn replace_in_block(&mut self, b: BlockId, closure: ClosureId, found: &[Captured]) {
        let block = self.body.block(b).clone();
        for s in &block.stmts {
            match s {
                Stmt::Let { init, els, .. } => {
                    if let Some(i) = init {
                        self.replace_upvars(*i, closure, found);
                    }
                    if let Some(e) = els {
                        self.replace_in_block(*e, closure, found);
                    }
                }
                Stmt::Expr(e) => self.replace_upvars(*e, closure, found),
            }
        }
        if let Some(t) = block.tail {
            self.replace_upvars(t, closure, found);
        }
    }
}

/// Captures without those that a shorter path includes; the including one takes the strongest mode.
fn minimal(found: Vec<Captured>) -> Vec<Captured> {
    let mut out: Vec<Captured> = Vec::new();
    for c in found {
        let includes = |a: &Path, b: &Path| a.local == b.local && b.steps.starts_with(&a.steps);
        if let Some(outer) = out.iter_mut().find(|o| includes(&o.path, &c.path)) {
            outer.mode = outer.mode.max(c.mode);
            continue;
        }
        let mut c = c;
        let mut first = None;
        let mut i = 0;
        while i < out.len() {
            if includes(&c.path, &out[i].path) {
                let inner = out.remove(i);
                c.mode = c.mode.max(inner.mode);
                first.get_or_insert(i);
            } else {
                i += 1;
            }
        }
        out.insert(first.unwrap_or(out.len()), c);
    }
    out
}

/// The direct operands of an expression, in order of evaluation. Blocks and match arms are left to the caller.
pub(crate) fn children(kind: &ExprKind) -> Vec<ExprId> {
    match kind {
        ExprKind::Local(_)
        | ExprKind::Upvar(_)
        | ExprKind::Static(_)
        | ExprKind::Literal(_)
        | ExprKind::Const { .. }
        | ExprKind::ConstParam { .. }
        | ExprKind::FnItem { .. }
        | ExprKind::Block(_)
        | ExprKind::Match { .. }
        | ExprKind::Continue { .. } => Vec::new(),
        ExprKind::Field { base, .. } => vec![*base],
        ExprKind::Index { base, index } => vec![*base, *index],
        ExprKind::Deref(e) | ExprKind::Scope(e) | ExprKind::NeverToAny(e) => vec![*e],
        ExprKind::Temp { value, .. }
        | ExprKind::Unary { value, .. }
        | ExprKind::Cast { value, .. }
        | ExprKind::Repeat { value } => vec![*value],
        ExprKind::Read { place, .. }
        | ExprKind::Borrow { place, .. }
        | ExprKind::RawBorrow { place, .. }
        | ExprKind::Let { place, .. } => vec![*place],
        ExprKind::Binary { left, right, .. } | ExprKind::Logical { left, right, .. } => vec![*left, *right],
        ExprKind::Assign { place, value } | ExprKind::AssignOp { place, value, .. } => vec![*value, *place],
        ExprKind::Call { callee, args } => {
            let mut out = match callee {
                Callee::Fn { .. } => Vec::new(),
                Callee::Value(e) | Callee::Closure { callee: e, .. } => vec![*e],
            };
            out.extend(args);
            out
        }
        ExprKind::Adt { fields, base, .. } => fields.iter().map(|(_, e)| *e).chain(*base).collect(),
        ExprKind::Tuple(list) | ExprKind::Array(list) => list.clone(),
        ExprKind::Closure { captures, .. } => captures.clone(),
        ExprKind::If { cond, then, els } => [*cond, *then].into_iter().chain(*els).collect(),
        ExprKind::Loop { body, .. } => vec![*body],
        ExprKind::Break { value, .. } | ExprKind::Return(value) => value.iter().copied().collect(),
        ExprKind::Outlined(o) => o.captures.iter().map(|c| c.value).collect(),
    }
}
