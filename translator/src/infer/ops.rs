//! Operators: built in on scalars, through their traits otherwise.

use super::solve::{Answer, Selection};
use super::table::Goal;
use super::{Exp, FnCx, R};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::thir::{BinOp, Callee, ExprId, ExprKind, UnOp};
use crate::ty::{InferKind, Mutability, TraitRef, Ty, TyKind, intern_list};

/// Which built-in operators a type takes part in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scalar {
    Int,
    Float,
    Bool,
    Char,
    /// Raw and function pointers: comparisons only.
    Pointer,
    Unit,
}

/// The class of a type that has built-in operators; parameters bounded by the models' marker traits have none here.
pub(crate) fn scalar_of(ty: Ty) -> Option<Scalar> {
    Some(match ty.kind() {
        TyKind::Int(_) | TyKind::Infer(_, InferKind::Int) => Scalar::Int,
        TyKind::Float(_) | TyKind::Infer(_, InferKind::Float) => Scalar::Float,
        TyKind::Bool => Scalar::Bool,
        TyKind::Char => Scalar::Char,
        TyKind::RawPtr(..) | TyKind::FnPtr(_) => Scalar::Pointer,
        _ => return None,
    })
}

/// Whether the operator is built in for these classes.
pub(crate) fn built_in(op: BinOp, l: Scalar, r: Scalar) -> bool {
    match op {
        BinOp::Shl | BinOp::Shr => l == Scalar::Int && r == Scalar::Int,
        BinOp::BitAnd | BinOp::BitOr | BinOp::BitXor => l == r && matches!(l, Scalar::Int | Scalar::Bool),
        op if op.is_comparison() => l == r && l != Scalar::Unit,
        _ => l == r && matches!(l, Scalar::Int | Scalar::Float),
    }
}

/// Every operator.
pub(crate) const ALL: [BinOp; 16] = [
    BinOp::Add,
    BinOp::Sub,
    BinOp::Mul,
    BinOp::Div,
    BinOp::Rem,
    BinOp::BitAnd,
    BinOp::BitOr,
    BinOp::BitXor,
    BinOp::Shl,
    BinOp::Shr,
    BinOp::Eq,
    BinOp::Ne,
    BinOp::Lt,
    BinOp::Le,
    BinOp::Gt,
    BinOp::Ge,
];

/// The operator, and whether it is a compound assignment.
fn operator(op: &syn::BinOp) -> Option<(BinOp, bool)> {
    use syn::BinOp::*;
    Some(match op {
        Add(_) => (BinOp::Add, false),
        Sub(_) => (BinOp::Sub, false),
        Mul(_) => (BinOp::Mul, false),
        Div(_) => (BinOp::Div, false),
        Rem(_) => (BinOp::Rem, false),
        BitXor(_) => (BinOp::BitXor, false),
        BitAnd(_) => (BinOp::BitAnd, false),
        BitOr(_) => (BinOp::BitOr, false),
        Shl(_) => (BinOp::Shl, false),
        Shr(_) => (BinOp::Shr, false),
        Eq(_) => (BinOp::Eq, false),
        Lt(_) => (BinOp::Lt, false),
        Le(_) => (BinOp::Le, false),
        Ne(_) => (BinOp::Ne, false),
        Ge(_) => (BinOp::Ge, false),
        Gt(_) => (BinOp::Gt, false),
        AddAssign(_) => (BinOp::Add, true),
        SubAssign(_) => (BinOp::Sub, true),
        MulAssign(_) => (BinOp::Mul, true),
        DivAssign(_) => (BinOp::Div, true),
        RemAssign(_) => (BinOp::Rem, true),
        BitXorAssign(_) => (BinOp::BitXor, true),
        BitAndAssign(_) => (BinOp::BitAnd, true),
        BitOrAssign(_) => (BinOp::BitOr, true),
        ShlAssign(_) => (BinOp::Shl, true),
        ShrAssign(_) => (BinOp::Shr, true),
        _ => return None,
    })
}

/// Trait and method of an operator.
pub(crate) fn operator_trait(op: BinOp, assign: bool) -> (&'static str, &'static str) {
    match (op, assign) {
        (BinOp::Add, false) => ("Add", "add"),
        (BinOp::Sub, false) => ("Sub", "sub"),
        (BinOp::Mul, false) => ("Mul", "mul"),
        (BinOp::Div, false) => ("Div", "div"),
        (BinOp::Rem, false) => ("Rem", "rem"),
        (BinOp::BitAnd, false) => ("BitAnd", "bitand"),
        (BinOp::BitOr, false) => ("BitOr", "bitor"),
        (BinOp::BitXor, false) => ("BitXor", "bitxor"),
        (BinOp::Shl, false) => ("Shl", "shl"),
        (BinOp::Shr, false) => ("Shr", "shr"),
        (BinOp::Add, true) => ("AddAssign", "add_assign"),
        (BinOp::Sub, true) => ("SubAssign", "sub_assign"),
        (BinOp::Mul, true) => ("MulAssign", "mul_assign"),
        (BinOp::Div, true) => ("DivAssign", "div_assign"),
        (BinOp::Rem, true) => ("RemAssign", "rem_assign"),
        (BinOp::BitAnd, true) => ("BitAndAssign", "bitand_assign"),
        (BinOp::BitOr, true) => ("BitOrAssign", "bitor_assign"),
        (BinOp::BitXor, true) => ("BitXorAssign", "bitxor_assign"),
        (BinOp::Shl, true) => ("ShlAssign", "shl_assign"),
        (BinOp::Shr, true) => ("ShrAssign", "shr_assign"),
        (BinOp::Eq, _) => ("PartialEq", "eq"),
        (BinOp::Ne, _) => ("PartialEq", "ne"),
        (BinOp::Lt, _) => ("PartialOrd", "lt"),
        (BinOp::Le, _) => ("PartialOrd", "le"),
        (BinOp::Gt, _) => ("PartialOrd", "gt"),
        (BinOp::Ge, _) => ("PartialOrd", "ge"),
    }
}

impl FnCx<'_> {
    /// The scalar class of an operand, a parameter of the models bounded by a marker trait included.
    fn operand_class(&self, ty: Ty) -> Option<Scalar> {
        if let Some(s) = self.scalar(ty) {
            return Some(s);
        }
        if !matches!(ty.kind(), TyKind::Param(..)) {
            return None;
        }
        let bounded = |marker: &str| self.icx.implements(ty, marker) == Answer::Yes;
        if bounded("__Int") {
            Some(Scalar::Int)
        } else if bounded("__Num") || bounded("__Float") {
            Some(Scalar::Float)
        } else if bounded("__Scalar") {
            Some(Scalar::Char)
        } else {
            None
        }
    }

    pub(super) fn check_binary(&mut self, e: &syn::ExprBinary) -> R<ExprId> {
        let span = super::spans::expr(&self.prog.sources, &syn::Expr::Binary(e.clone()));
        if let syn::BinOp::And(_) | syn::BinOp::Or(_) = e.op {
            let and = matches!(e.op, syn::BinOp::And(_));
            let left = self.check_coerced(&e.left, Ty::bool())?;
            let diverges = self.diverges;
            let right = self.check_coerced(&e.right, Ty::bool())?;
            // the right side may not run
            self.diverges = diverges;
            let right = if and && has_let(&e.right) { right } else { self.scope(right) };
            return Ok(self.node(ExprKind::Logical { and, left, right }, Ty::bool(), span));
        }
        let Some((op, assign)) = operator(&e.op) else {
            return Ok(self.unsupported(span, "this operator", "use another"));
        };
        if assign {
            return self.check_assign_op(e, op, span);
        }
        let left = self.check_expr(&e.left, Exp::None)?;
        let lty = self.structural(self.ty(left));
        let right = self.check_expr(&e.right, Exp::None)?;
        let lty = self.structural(lty);
        let rty = self.structural(self.ty(right));
        self.binary(op, left, lty, right, rty, span)
    }

    /// A binary operator on operands of known types.
    fn binary(&mut self, op: BinOp, left: ExprId, lty: Ty, right: ExprId, rty: Ty, span: Span) -> R<ExprId> {
        if lty.is_error() || rty.is_error() {
            return Ok(self.error_node(span));
        }
        if let (Some(l), Some(r)) = (self.operand_class(lty), self.operand_class(rty))
            && built_in(op, l, r)
            && (op.is_shift() || self.icx.unify(lty, rty))
        {
            let (left, right) = (self.value(left), self.value(right));
            let ty = if op.is_comparison() { Ty::bool() } else { lty };
            return Ok(self.node(ExprKind::Binary { op, left, right }, ty, span));
        }
        if lty.is_never() || rty.is_never() {
            let (left, right) = (self.value(left), self.value(right));
            let never = if lty.is_never() { left } else { right };
            return Ok(never);
        }
        let (lang, method) = operator_trait(op, false);
        let Some((trait_id, method)) = self.trait_method(lang, method) else {
            return Ok(self.error_node(span));
        };
        // a reference on the right is coerced by reborrowing only; an open right side learns from a single impl
        let by_ref = op.is_comparison();
        let mut tr = TraitRef { trait_id, args: intern_list(&[lty, rty]) };
        let (mut right, mut rty) = (right, rty);
        if let Selection::None = self.icx.probe(|| self.icx.select(tr, 0)) {
            let Some(wanted) = self.only_right_side(trait_id, lty).filter(|_| !by_ref) else {
                return self.no_operator(op, lty, rty, span);
            };
            right = self.value(right);
            match self.try_coerce(right, wanted) {
                Some(coerced) => (right, rty) = (coerced, wanted),
                None => return self.no_operator(op, lty, rty, span),
            }
            tr = TraitRef { trait_id, args: intern_list(&[lty, rty]) };
        }
        self.icx.require(Goal::Trait(tr), span);
        let (left, right) = if by_ref {
            let l = self.borrow(Mutability::Not, left, span);
            let r = self.borrow(Mutability::Not, right, span);
            (l, r)
        } else {
            (self.value(left), self.value(right))
        };
        let ty = if by_ref {
            Ty::bool()
        } else {
            let Some((output, _)) = self.prog.find_assoc(tr, crate::names::Name::new("Output")) else {
                return Ok(self.error_node(span));
            };
            self.icx.normalize(Ty::new(TyKind::Projection(output, tr.args)))
        };
        let callee = Callee::Fn { id: method, args: tr.args };
        Ok(self.node(ExprKind::Call { callee, args: vec![left, right] }, ty, span))
    }

    /// The operand on the right if only one impl of the operator is there for the one on the left: it is coerced to that.
    fn only_right_side(&mut self, trait_id: crate::ty::TraitId, left: Ty) -> Option<Ty> {
        let right = self.fresh();
        let tr = TraitRef { trait_id, args: intern_list(&[left, right]) };
        match self.icx.select(tr, 0) {
            Selection::One(found) => {
                self.icx.confirm(&found, tr)?;
                Some(self.icx.resolve(right)).filter(|t| !t.is_infer())
            }
            _ => None,
        }
    }

    fn no_operator(&mut self, op: BinOp, lty: Ty, rty: Ty, span: Span) -> R<ExprId> {
        let foreign = |t: Ty| match t.kind() {
            TyKind::Adt(id, _) => self.prog.adt(*id).origin != crate::items::Origin::User,
            TyKind::Ref(_, t) => {
                matches!(t.kind(), TyKind::Adt(id, _) if self.prog.adt(*id).origin != crate::items::Origin::User)
            }
            _ => false,
        };
        if foreign(lty) || foreign(rty) {
            let what = format!("`{}` of `{}` and `{}`", op.symbol(), self.show(lty), self.show(rty));
            return self.opaque(span, what);
        }
        let d = Diagnostic::new(
            Code::BadOperand,
            span,
            format!("no `{}` for `{}` and `{}`", op.symbol(), self.show(lty), self.show(rty)),
        )
        .label("no impl of the operator's trait is known for these operands")
        .help("convert one of the operands, or implement the operator");
        self.report_types(d, &[lty, rty]);
        Ok(self.error_node(span))
    }

    fn check_assign_op(&mut self, e: &syn::ExprBinary, op: BinOp, span: Span) -> R<ExprId> {
        let place = self.check_expr(&e.left, Exp::None)?;
        self.expect_place(place, "assigned to");
        let value = self.check_expr(&e.right, Exp::None)?;
        let (lty, rty) = (self.structural(self.ty(place)), self.structural(self.ty(value)));
        if lty.is_error() || rty.is_error() {
            return Ok(self.error_node(span));
        }
        if let (Some(l), Some(r)) = (self.operand_class(lty), self.operand_class(rty))
            && built_in(op, l, r)
            && (op.is_shift() || self.icx.unify(lty, rty))
        {
            let place = self.place(place);
            self.make_mut(place);
            let value = self.value(value);
            return Ok(self.node(ExprKind::AssignOp { op, place, value }, Ty::unit(), span));
        }
        let (lang, method) = operator_trait(op, true);
        let Some((trait_id, method)) = self.trait_method(lang, method) else {
            return Ok(self.error_node(span));
        };
        let mut tr = TraitRef { trait_id, args: intern_list(&[lty, rty]) };
        let mut value = value;
        if let Selection::None = self.icx.probe(|| self.icx.select(tr, 0)) {
            let Some(wanted) = self.only_right_side(trait_id, lty) else {
                return self.no_operator(op, lty, rty, span);
            };
            value = self.value(value);
            match self.try_coerce(value, wanted) {
                Some(coerced) => value = coerced,
                None => return self.no_operator(op, lty, rty, span),
            }
            tr = TraitRef { trait_id, args: intern_list(&[lty, wanted]) };
        }
        self.icx.require(Goal::Trait(tr), span);
        let recv = self.borrow(Mutability::Mut, place, span);
        let value = self.value(value);
        let callee = Callee::Fn { id: method, args: tr.args };
        Ok(self.node(ExprKind::Call { callee, args: vec![recv, value] }, Ty::unit(), span))
    }

    pub(super) fn check_unary(&mut self, e: &syn::ExprUnary, exp: Exp) -> R<ExprId> {
        let span = super::spans::expr(&self.prog.sources, &syn::Expr::Unary(e.clone()));
        let span = self.span(op_span(&e.op)).to(span);
        let op = match e.op {
            syn::UnOp::Deref(_) => return self.check_deref(&e.expr, span),
            syn::UnOp::Not(_) => UnOp::Not,
            syn::UnOp::Neg(_) => UnOp::Neg,
            _ => return Ok(self.unsupported(span, "this operator", "use another")),
        };
        if op == UnOp::Neg
            && let syn::Expr::Lit(l) = &*e.expr
        {
            return self.check_literal(l, exp, true, span);
        }
        let operand = self.check_expr(&e.expr, exp)?;
        let ty = self.structural(self.ty(operand));
        if ty.is_error() || ty.is_never() {
            return Ok(operand);
        }
        let fits = match (op, self.operand_class(ty)) {
            (UnOp::Not, Some(Scalar::Int | Scalar::Bool)) => true,
            (UnOp::Neg, Some(Scalar::Int | Scalar::Float)) => {
                !matches!(ty.kind(), TyKind::Int(i) if !i.signed())
            }
            _ => false,
        };
        if fits {
            let value = self.value(operand);
            return Ok(self.node(ExprKind::Unary { op, value }, ty, span));
        }
        let (lang, method) = if op == UnOp::Not { ("Not", "not") } else { ("Neg", "neg") };
        let found = self.trait_method(lang, method).filter(|(trait_id, _)| {
            let tr = TraitRef { trait_id: *trait_id, args: intern_list(&[ty]) };
            !matches!(self.icx.probe(|| self.icx.select(tr, 0)), Selection::None)
        });
        let Some((trait_id, method)) = found else {
            let d = Diagnostic::new(
                Code::BadOperand,
                span,
                format!("no unary `{}` for `{}`", if op == UnOp::Not { "!" } else { "-" }, self.show(ty)),
            )
            .label("the operator is not defined for this type")
            .help("convert the operand, or implement the operator");
            self.report_types(d, &[ty]);
            return Ok(self.error_node(span));
        };
        let tr = TraitRef { trait_id, args: intern_list(&[ty]) };
        self.icx.require(Goal::Trait(tr), span);
        let Some((output, _)) = self.prog.find_assoc(tr, crate::names::Name::new("Output")) else {
            return Ok(self.error_node(span));
        };
        let out = self.icx.normalize(Ty::new(TyKind::Projection(output, tr.args)));
        let value = self.value(operand);
        let callee = Callee::Fn { id: method, args: tr.args };
        Ok(self.node(ExprKind::Call { callee, args: vec![value] }, out, span))
    }

    fn check_deref(&mut self, e: &syn::Expr, span: Span) -> R<ExprId> {
        let operand = self.check_expr(e, Exp::None)?;
        let ty = self.structural(self.ty(operand));
        if ty.is_error() {
            return Ok(operand);
        }
        if let TyKind::RawPtr(_, inner) = *ty.kind() {
            let value = self.value(operand);
            return Ok(self.node(ExprKind::Deref(value), inner, span));
        }
        if ty.is_infer() {
            self.cannot_infer(span, "the type of a dereferenced value must be known");
            return Ok(self.error_node(span));
        }
        if let Some(place) = self.deref_at(operand, span) {
            return Ok(place);
        }
        if let TyKind::Adt(id, _) = ty.kind()
            && self.prog.adt(*id).opaque.is_some()
        {
            return self.opaque(span, format!("what `{}` dereferences to", self.show(ty)));
        }
        let d = Diagnostic::new(Code::BadPlace, span, format!("`{}` cannot be dereferenced", self.show(ty)))
            .label("no reference, pointer, or type with `Deref`")
            .help("remove the `*`");
        self.report_types(d, &[ty]);
        Ok(self.error_node(span))
    }
}

fn op_span(op: &syn::UnOp) -> proc_macro2::Span {
    match op {
        syn::UnOp::Deref(t) => t.spans[0],
        syn::UnOp::Not(t) => t.spans[0],
        syn::UnOp::Neg(t) => t.spans[0],
        _ => proc_macro2::Span::call_site(),
    }
}

/// Whether a condition binds variables: its temporaries and bindings must outlive it.
pub(super) fn has_let(e: &syn::Expr) -> bool {
    match e {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(b) => matches!(b.op, syn::BinOp::And(_)) && (has_let(&b.left) || has_let(&b.right)),
        syn::Expr::Group(g) => has_let(&g.expr),
        syn::Expr::Paren(p) => has_let(&p.expr),
        _ => false,
    }
}
