//! What must be known of a body before it is lowered: which variables need an address, and which parts are moved out.
//!
//! A variable whose address is never taken lives in SSA values; the others live in slots. A *temporary* ([`ExprKind::Temp`])
//! is treated likewise. The answers are for the generic body, hence conservative for its instances.

use crate::thir::{
    Arm, BindingMode, Body, Callee, ExprId, ExprKind, FieldIdx, LocalId, PatId, PatKind, ReadMode, Stmt,
    VariantIdx,
};
use crate::ty::{Mutability, TyKind};
use std::collections::{HashMap, HashSet};

/// A variable or temporary.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum RootKey {
    Local(LocalId),
    Temp(ExprId),
    /// The closure's environment.
    Env,
}

/// One step from a variable to a part of it that can be moved out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Step {
    /// A field of a variant, the first one of a struct or tuple.
    Field(VariantIdx, FieldIdx),
    /// What a `Box` holds.
    Content,
    /// An element of an array.
    Element(u32),
    /// So many elements of an array from one on, as an array.
    Elements(u32, u32),
}

/// A part of a variable.
pub(super) type PartPath = Vec<Step>;

/// The parts that are gone if `path` is: elements are moved one by one.
pub(super) fn single_parts(path: &[Step]) -> Vec<PartPath> {
    match path.split_last() {
        Some((&Step::Elements(from, count), rest)) => {
            (from..from + count).map(|n| [rest, &[Step::Element(n)]].concat()).collect()
        }
        _ => vec![path.to_vec()],
    }
}

/// Which elements of an array of `len` a pattern's prefix, middle and suffix are.
pub(super) fn array_steps(len: u64, prefix: usize, suffix: usize) -> (Vec<Step>, Step, Vec<Step>) {
    let (len, prefix, suffix) = (len as u32, prefix as u32, suffix as u32);
    let end = len.saturating_sub(suffix);
    let middle = Step::Elements(prefix, end.saturating_sub(prefix));
    ((0..prefix).map(Step::Element).collect(), middle, (end..len).map(Step::Element).collect())
}

/// Longer arrays are not taken apart.
pub(super) const MAX_ELEMENTS: u64 = 64;

/// The answers.
#[derive(Default, Debug)]
pub(super) struct BodyInfo {
    addressed: HashSet<RootKey>,
    /// What may change after its first value.
    changed: HashSet<RootKey>,
    moved: HashMap<RootKey, Vec<PartPath>>,
}

impl BodyInfo {
    pub(super) fn of(body: &Body) -> BodyInfo {
        let mut walk = Walk { body, info: BodyInfo::default() };
        for param in &body.params {
            walk.pattern(param.pat, None);
        }
        walk.expr(body.value);
        for closure in &body.closures {
            for param in &closure.params {
                walk.pattern(param.pat, None);
            }
            walk.expr(closure.value);
        }
        walk.info
    }

    /// Whether it must live in memory.
    pub(super) fn is_addressed(&self, root: RootKey) -> bool {
        self.addressed.contains(&root)
    }

    /// Whether it may change after its first value.
    pub(super) fn is_changed(&self, root: RootKey) -> bool {
        self.changed.contains(&root)
    }

    /// The parts that are moved out of it, apart from the whole.
    pub(super) fn moved_parts(&self, root: RootKey) -> &[PartPath] {
        self.moved.get(&root).map_or(&[], |parts| parts)
    }
}

/// A place whose root and path are known without following a pointer.
#[derive(Clone)]
struct Known {
    root: RootKey,
    path: PartPath,
}

struct Walk<'a> {
    body: &'a Body,
    info: BodyInfo,
}

impl Walk<'_> {
    /// What a place expression is a part of; the pointers and indices in it are walked by [`Walk::expr`].
    fn known(&self, place: ExprId) -> Option<Known> {
        match &self.body.expr(place).kind {
            ExprKind::Local(local) => Some(Known { root: RootKey::Local(*local), path: vec![] }),
            ExprKind::Temp { .. } => Some(Known { root: RootKey::Temp(place), path: vec![] }),
            ExprKind::Upvar(upvar) => {
                let path = vec![Step::Field(VariantIdx(0), FieldIdx(upvar.0))];
                Some(Known { root: RootKey::Env, path })
            }
            ExprKind::Field { base, field } => {
                let mut known = self.known(*base)?;
                known.path.push(Step::Field(VariantIdx(0), *field));
                Some(known)
            }
            ExprKind::Index { base, .. } => self.known(*base),
            // Of what is behind a pointer only a box's content can be moved out.
            ExprKind::Deref(base) if matches!(self.body.expr(*base).ty.kind(), TyKind::Adt(..)) => {
                let mut known = self.known(*base)?;
                known.path.push(Step::Content);
                Some(known)
            }
            _ => None,
        }
    }

    /// Whether a shared reference may as well point to a copy: while it lives the value does not change, and the type has
    /// no interior mutability.
    fn is_plain(&self, place: ExprId) -> bool {
        matches!(
            self.body.expr(place).ty.kind(),
            TyKind::Bool | TyKind::Char | TyKind::Int(_) | TyKind::Float(_) | TyKind::Ref(Mutability::Not, _)
        )
    }

    fn address(&mut self, known: Option<&Known>) {
        if let Some(known) = known.filter(|k| !k.path.contains(&Step::Content)) {
            self.info.addressed.insert(known.root);
        }
    }

    fn change(&mut self, known: Option<&Known>) {
        if let Some(known) = known.filter(|k| !k.path.contains(&Step::Content)) {
            self.info.changed.insert(known.root);
        }
    }

    fn moved(&mut self, known: Option<&Known>) {
        if let Some(known) = known.filter(|k| !k.path.is_empty()) {
            let parts = self.info.moved.entry(known.root).or_default();
            for part in single_parts(&known.path) {
                if !parts.contains(&part) {
                    parts.push(part);
                }
            }
        }
    }

    fn all(&mut self, exprs: &[ExprId]) {
        exprs.iter().for_each(|&e| self.expr(e));
    }

    fn expr(&mut self, id: ExprId) {
        match &self.body.expr(id).kind {
            ExprKind::Local(_)
            | ExprKind::Upvar(_)
            | ExprKind::Static(_)
            | ExprKind::Literal(_)
            | ExprKind::Const { .. }
            | ExprKind::ConstParam { .. }
            | ExprKind::FnItem { .. }
            | ExprKind::Continue { .. } => {}
            ExprKind::Field { base: e, .. }
            | ExprKind::Deref(e)
            | ExprKind::Temp { value: e, .. }
            | ExprKind::Unary { value: e, .. }
            | ExprKind::Cast { value: e, .. }
            | ExprKind::Repeat { value: e }
            | ExprKind::Scope(e)
            | ExprKind::Loop { body: e, .. }
            | ExprKind::NeverToAny(e) => self.expr(*e),
            ExprKind::Index { base, index } => {
                if !matches!(self.body.expr(*index).kind, ExprKind::Literal(_)) {
                    let known = self.known(*base);
                    self.address(known.as_ref());
                }
                self.all(&[*base, *index]);
            }
            ExprKind::Read { place, mode } => {
                if *mode == ReadMode::Move {
                    let known = self.known(*place);
                    self.moved(known.as_ref());
                }
                self.expr(*place);
            }
            ExprKind::Borrow { mutability: Mutability::Not, place } if self.is_plain(*place) => {
                self.expr(*place)
            }
            ExprKind::Borrow { mutability, place } | ExprKind::RawBorrow { mutability, place } => {
                let known = self.known(*place);
                self.address(known.as_ref());
                if *mutability == Mutability::Mut {
                    self.change(known.as_ref());
                }
                self.expr(*place);
            }
            ExprKind::Binary { left, right, .. } | ExprKind::Logical { left, right, .. } => {
                self.all(&[*left, *right])
            }
            ExprKind::Assign { place, value } | ExprKind::AssignOp { place, value, .. } => {
                let known = self.known(*place);
                self.change(known.as_ref());
                self.all(&[*value, *place])
            }
            ExprKind::Call { callee, args } => {
                if let Callee::Value(e) | Callee::Closure { callee: e, .. } = callee {
                    self.expr(*e);
                }
                self.all(args);
            }
            ExprKind::Adt { fields, base, .. } => {
                fields.iter().for_each(|&(_, e)| self.expr(e));
                if let Some(base) = base {
                    self.functional_update(*base, fields);
                    self.expr(*base);
                }
            }
            ExprKind::Tuple(list) | ExprKind::Array(list) => self.all(list),
            ExprKind::Closure { captures, .. } => self.all(captures),
            ExprKind::Block(block) => self.block(*block),
            ExprKind::If { cond, then, els } => {
                self.all(&[*cond, *then]);
                els.iter().for_each(|&e| self.expr(e));
            }
            ExprKind::Let { place, pat } => {
                let known = self.known(*place);
                self.pattern(*pat, known);
                self.expr(*place);
            }
            ExprKind::Match { scrutinee, arms } => self.matching(*scrutinee, arms),
            ExprKind::Break { value, .. } | ExprKind::Return(value) => {
                value.iter().for_each(|&e| self.expr(e))
            }
            ExprKind::Outlined(outlined) => outlined.captures.iter().for_each(|c| self.expr(c.value)),
        }
    }

    /// `S { a, ..base }` moves the other fields out of `base`.
    fn functional_update(&mut self, base: ExprId, named: &[(FieldIdx, ExprId)]) {
        let Some(known) = self.known(base) else { return };
        // Fields that there are not do no harm.
        for n in (0..64).map(FieldIdx).filter(|n| !named.iter().any(|(named, _)| named == n)) {
            let mut part = known.clone();
            part.path.push(Step::Field(VariantIdx(0), n));
            self.moved(Some(&part));
        }
    }

    fn block(&mut self, block: crate::thir::BlockId) {
        for stmt in &self.body.block(block).stmts {
            match stmt {
                Stmt::Expr(e) => self.expr(*e),
                Stmt::Let { pat, init, els, .. } => {
                    let known = init.and_then(|init| self.known(init));
                    self.pattern(*pat, known);
                    init.iter().for_each(|&e| self.expr(e));
                    els.iter().for_each(|&b| self.block(b));
                }
            }
        }
        self.body.block(block).tail.iter().for_each(|&e| self.expr(e));
    }

    fn matching(&mut self, scrutinee: ExprId, arms: &[Arm]) {
        let known = self.known(scrutinee);
        for arm in arms {
            self.pattern(arm.pat, known.clone());
            if arm.guard.is_some() && self.moves(arm.pat) {
                // The guard sees what it may move as a reference.
                self.address(known.as_ref());
            }
            arm.guard.iter().for_each(|&g| self.expr(g));
            self.expr(arm.body);
        }
        self.expr(scrutinee);
    }

    fn moves(&self, pat: PatId) -> bool {
        match &self.body.pat(pat).kind {
            PatKind::Binding { mode, sub, .. } => {
                *mode == BindingMode::Value(ReadMode::Move) || sub.is_some_and(|sub| self.moves(sub))
            }
            PatKind::Variant { fields, .. } | PatKind::Tuple(fields) => {
                fields.iter().any(|&(_, p)| self.moves(p))
            }
            PatKind::Deref(sub) => self.moves(*sub),
            PatKind::Slice { prefix, rest, suffix } => {
                prefix.iter().chain(rest).chain(suffix).any(|&p| self.moves(p))
            }
            PatKind::Or(list) => list.iter().any(|&p| self.moves(p)),
            PatKind::Wild | PatKind::Literal(_) | PatKind::Range { .. } => false,
        }
    }

    fn pattern(&mut self, pat: PatId, at: Option<Known>) {
        let step = |step: Step| {
            at.clone().map(|mut known| {
                known.path.push(step);
                known
            })
        };
        let part = |variant: VariantIdx, field: FieldIdx| step(Step::Field(variant, field));
        match &self.body.pat(pat).kind {
            PatKind::Wild | PatKind::Literal(_) | PatKind::Range { .. } => {}
            PatKind::Binding { mode, sub, .. } => {
                match mode {
                    BindingMode::Ref(mutability) => {
                        self.address(at.as_ref());
                        if *mutability == Mutability::Mut {
                            self.change(at.as_ref());
                        }
                    }
                    BindingMode::Value(ReadMode::Move) => self.moved(at.as_ref()),
                    BindingMode::Value(ReadMode::Copy) => {}
                }
                if let Some(sub) = sub {
                    self.pattern(*sub, at);
                }
            }
            PatKind::Variant { variant, fields, .. } => {
                fields.iter().for_each(|&(field, sub)| self.pattern(sub, part(*variant, field)));
            }
            PatKind::Tuple(fields) => {
                fields.iter().for_each(|&(field, sub)| self.pattern(sub, part(VariantIdx(0), field)));
            }
            PatKind::Deref(sub) => self.pattern(*sub, None),
            PatKind::Slice { prefix, rest, suffix } => {
                self.address(at.as_ref());
                let len = match self.body.pat(pat).ty.kind() {
                    TyKind::Array(_, len) => len.const_value().map(|len| len as u64),
                    _ => None,
                };
                let Some(len) = len.filter(|&len| len <= MAX_ELEMENTS) else {
                    prefix.iter().chain(rest).chain(suffix).for_each(|&p| self.pattern(p, at.clone()));
                    return;
                };
                let (first, middle, last) = array_steps(len, prefix.len(), suffix.len());
                let steps = first.into_iter().chain(rest.map(|_| middle)).chain(last);
                for (&p, s) in prefix.iter().chain(rest).chain(suffix).zip(steps) {
                    self.pattern(p, step(s));
                }
            }
            PatKind::Or(list) => list.iter().for_each(|&p| self.pattern(p, at.clone())),
        }
    }
}
