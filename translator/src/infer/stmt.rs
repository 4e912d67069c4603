//! Blocks and statements.

use super::coerce::CoerceMany;
use super::expr::strip;
use super::{Exp, FnCx, InScope, LoopCx, Opaque, R, spans};
use crate::diag::{Code, Diagnostic};
use crate::expand::marked_name;
use crate::thir::*;
use crate::ty::Ty;

impl FnCx<'_> {
    /// A block as an expression.
    pub(super) fn check_block_expr(
        &mut self,
        b: &syn::Block,
        label: Option<&syn::Label>,
        exp: Exp,
    ) -> R<ExprId> {
        let span = self.span(b.brace_token.span.open()).to(self.span(b.brace_token.span.close()));
        let names = self.names.len();
        let scope = self.tycx.scope;
        let key = self.span(b.brace_token.span.open());
        if let Some(&m) = self.prog.src.blocks.borrow().get(&key) {
            self.names.push(InScope::Items(m));
            self.tycx.scope = m;
        }
        let label_id = label.map(|l| {
            let name = Some(marked_name(&l.name.ident));
            let id = self.loop_node(name, Ty::unit());
            let breaks = Some(CoerceMany::new(exp.has()));
            self.loops.push(LoopCx { label: name, id, is_loop: false, breaks, broken: false });
            id
        });
        let typed = self.block_parts(b, exp);
        let left = label_id.and_then(|_| self.loops.pop());
        self.names.truncate(names);
        self.tycx.scope = scope;
        let (stmts, mut tail) = typed?;
        let mut ty = match tail {
            Some(t) => self.body.expr(t).ty,
            None if self.diverges => Ty::never(),
            None => Ty::unit(),
        };
        if let (Some(id), Some(cx)) = (label_id, left) {
            if let Some(mut many) = cx.breaks.filter(|_| cx.broken) {
                match tail {
                    Some(t) => {
                        let t = self.merge(&mut many, t);
                        let mut ids = [t];
                        ty = self.close_many(&many, &mut ids);
                        tail = Some(ids[0]);
                    }
                    None if !ty.is_never() => {
                        let unit = self.unit(span);
                        self.merge(&mut many, unit);
                        ty = many.merged.unwrap_or(ty);
                    }
                    None => ty = many.merged.unwrap_or(ty),
                }
                self.diverges = false;
            }
            self.body.loops[id.index()].ty = ty;
        }
        let block = self.block_node(Block { stmts, tail, label: label_id });
        Ok(self.node(ExprKind::Block(block), ty, span))
    }

    fn block_parts(&mut self, b: &syn::Block, exp: Exp) -> R<(Vec<Stmt>, Option<ExprId>)> {
        let mut stmts = Vec::new();
        for (i, s) in b.stmts.iter().enumerate() {
            let last = i + 1 == b.stmts.len();
            match s {
                syn::Stmt::Local(l) => {
                    if let Err(o) = self.check_let(l, &mut stmts) {
                        self.recover(o)?;
                        self.check_pat_top(&l.pat, Ty::error());
                    }
                }
                syn::Stmt::Item(_) => {}
                syn::Stmt::Expr(e, None) if last => {
                    let tail = match exp {
                        Exp::Has(t) => self.check_outlining(e, t),
                        _ => self.check_expr(e, exp),
                    };
                    let tail = match tail {
                        Ok(tail) => tail,
                        Err(o) => self.recover(o)?,
                    };
                    return Ok((stmts, Some(self.tail(tail))));
                }
                syn::Stmt::Expr(e, semi) => {
                    // a block-like expression without semicolon must give `()`
                    let want = if semi.is_none() { Exp::Has(Ty::unit()) } else { Exp::None };
                    match self.check_statement(e, want) {
                        Ok(id) => stmts.push(Stmt::Expr(id)),
                        Err(o) => _ = self.recover(o)?,
                    }
                }
                syn::Stmt::Macro(m) => match self.check_macro_stmt(m, last, exp, &mut stmts) {
                    Ok(None) => {}
                    Ok(Some(tail)) => return Ok((stmts, Some(self.tail(tail)))),
                    Err(o) => _ = self.recover(o)?,
                },
            }
        }
        Ok((stmts, None))
    }

    /// Goes on behind a statement that cannot be seen, if no expression around can be outlined as a whole: so the errors behind it come too.
    fn recover(&mut self, o: Box<Opaque>) -> R<ExprId> {
        if self.catchers > 0 {
            return Err(o);
        }
        self.report_opaque(&o);
        Ok(self.error_node(o.span))
    }

    /// A block's value. Its temporaries end before the block's variables since edition 2024.
    pub(super) fn tail(&mut self, id: ExprId) -> ExprId {
        let value = self.value(id);
        if self.prog.edition_of(self.tycx.scope) >= 2024 { self.scope(value) } else { value }
    }

    /// An expression statement: its value is dropped.
    pub(super) fn check_statement(&mut self, e: &syn::Expr, want: Exp) -> R<ExprId> {
        let mark = self.mark();
        let id = match self.check_caught(e, want) {
            Ok(id) => id,
            Err(o) => {
                self.undo(mark);
                self.outline_stmt(e, o)?
            }
        };
        let id = match want {
            Exp::Has(t) => self.coerce_to(id, t),
            _ => self.value(id),
        };
        Ok(self.scope(id))
    }

    fn check_let(&mut self, l: &syn::Local, stmts: &mut Vec<Stmt>) -> R<()> {
        let span = self.span(l.let_token.span).to(self.span(l.semi_token.span));
        let (pat, ty) = match &l.pat {
            syn::Pat::Type(t) => (&*t.pat, Some(self.lower_ty(&t.ty))),
            other => (other, None),
        };
        let Some(init) = &l.init else {
            let ty = ty.unwrap_or_else(|| self.fresh());
            let pat = self.check_pat_top(pat, ty);
            stmts.push(Stmt::Let { pat, init: None, els: None, span });
            return Ok(());
        };
        let simple = matches!(pat, syn::Pat::Ident(i) if i.by_ref.is_none() && i.subpat.is_none());
        let id = match ty {
            Some(t) => {
                let id = self.check_outlining(&init.expr, t)?;
                let same = !simple && self.is_place(id) && {
                    let found = self.body.expr(id).ty;
                    self.icx.unify(found, t)
                };
                if same { id } else { self.coerce_to(id, t) }
            }
            None => self.check_expr(&init.expr, Exp::None)?,
        };
        let els = match &init.diverge {
            Some((_, e)) => {
                let before = std::mem::replace(&mut self.diverges, false);
                let block = match strip(e) {
                    syn::Expr::Block(b) => self.check_block_expr(&b.block, None, Exp::None)?,
                    other => self.check_expr(other, Exp::None)?,
                };
                if !self.diverges && !self.ty(block).is_never() {
                    let at = spans::expr(&self.prog.sources, e);
                    self.report(
                        Diagnostic::new(Code::Mismatch, at, "the `else` block of a `let` must not end")
                            .label("execution can come out of this block")
                            .help("end it with `return`, `break`, `continue` or `panic!`"),
                    );
                }
                self.diverges = before;
                match *self.kind(block) {
                    ExprKind::Block(b) => Some(b),
                    _ => Some(self.block_node(Block { stmts: Vec::new(), tail: Some(block), label: None })),
                }
            }
            None => None,
        };
        let binds = simple && els.is_none() && self.is_binding(pat);
        let id = if binds { self.value(id) } else { self.place(id) };
        self.extend_temps(id, has_ref_binding(pat));
        let ty = self.body.expr(id).ty;
        let place = if binds { None } else { Some(id) };
        let pat = match place {
            Some(p) => self.check_pat_on(pat, ty, p),
            None => self.check_pat_top(pat, ty),
        };
        stmts.push(Stmt::Let { pat, init: Some(id), els, span });
        Ok(())
    }

    /// `let x = &temp()` makes the temporary live as long as `x`.
    fn extend_temps(&mut self, id: ExprId, by_ref: bool) {
        match self.kind(id).clone() {
            ExprKind::Temp { value, .. } if by_ref => {
                let kind = ExprKind::Temp { value, lifetime: TempLifetime::Block };
                self.body.exprs[id.index()].kind = kind;
                self.extend_temps(value, false);
            }
            ExprKind::Temp { value, .. } => self.extend_temps(value, false),
            ExprKind::Field { base, .. } | ExprKind::Index { base, .. } if by_ref => {
                self.extend_temps(base, true);
            }
            ExprKind::Deref(inner) if by_ref => self.extend_temps(inner, self.is_place(inner)),
            ExprKind::Borrow { place, .. } | ExprKind::RawBorrow { place, .. } => {
                self.extend_temps(place, true)
            }
            ExprKind::Cast { value, .. } => self.extend_temps(value, false),
            ExprKind::Tuple(list) | ExprKind::Array(list) => {
                list.iter().for_each(|e| self.extend_temps(*e, false));
            }
            ExprKind::Adt { fields, .. } => fields.iter().for_each(|(_, e)| self.extend_temps(*e, false)),
            ExprKind::Block(b) => {
                if let Some(tail) = self.body.block(b).tail {
                    self.extend_temps(tail, false);
                }
            }
            ExprKind::Scope(inner) => self.extend_temps(inner, false),
            _ => {}
        }
    }
}

fn has_ref_binding(p: &syn::Pat) -> bool {
    match p {
        syn::Pat::Ident(i) => {
            i.by_ref.is_some() || i.subpat.as_ref().is_some_and(|(_, p)| has_ref_binding(p))
        }
        syn::Pat::Tuple(t) => t.elems.iter().any(has_ref_binding),
        syn::Pat::TupleStruct(t) => t.elems.iter().any(has_ref_binding),
        syn::Pat::Struct(s) => s.fields.iter().any(|f| has_ref_binding(&f.pat)),
        syn::Pat::Slice(s) => s.elems.iter().any(has_ref_binding),
        syn::Pat::Paren(p) => has_ref_binding(&p.pat),
        syn::Pat::Or(o) => o.cases.iter().any(has_ref_binding),
        _ => false,
    }
}

impl FnCx<'_> {
    /// Statements typed in the current scope, so that their names stay.
    pub(super) fn inline_block(&mut self, b: &syn::Block) -> R<(Vec<Stmt>, Option<ExprId>)> {
        self.block_parts(b, Exp::None)
    }
}
